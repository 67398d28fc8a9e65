use crate::raster::{PixelWindow, Size};

/// Cells of one size side by side over an area, row by row from its upper left corner; those at the right and at the bottom
/// reach over its edge where it is no multiple of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellGrid {
    area: PixelWindow,
    cell: usize,
}

impl CellGrid {
    /// Cells of `cell` by `cell` pixels over `area`, which is in pixels of the whole raster.
    ///
    /// ```
    /// use swath::classify::CellGrid;
    /// use swath::raster::PixelWindow;
    /// let grid = CellGrid::new(PixelWindow::new(10, 0, 100, 50), 40);
    /// assert_eq!((grid.columns(), grid.rows(), grid.len()), (3, 2, 6));
    /// assert_eq!(grid.window(5), PixelWindow::new(90, 40, 40, 40));
    /// ```
    #[must_use]
    pub fn new(area: PixelWindow, cell: usize) -> Self {
        let cell = cell.max(1);
        Self { area, cell }
    }

    /// The area that they cover.
    #[must_use]
    pub fn area(&self) -> PixelWindow {
        self.area
    }

    /// Side of a cell in pixels.
    #[must_use]
    pub fn cell(&self) -> usize {
        self.cell
    }

    /// Cells beside each other.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.area.width.div_ceil(self.cell)
    }

    /// Cells below each other.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.area.height.div_ceil(self.cell)
    }

    /// Cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns() * self.rows()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> Size {
        Size::new(self.columns(), self.rows())
    }

    /// Where a cell lies, in pixels of the whole raster, counted row by row.
    #[must_use]
    pub fn window(&self, index: usize) -> PixelWindow {
        let columns = self.columns().max(1);
        let (row, column) = (index / columns, index % columns);
        PixelWindow::new(
            self.area.col + (column * self.cell) as i64,
            self.area.row + (row * self.cell) as i64,
            self.cell,
            self.cell,
        )
    }

    /// The cell in which a pixel of the whole raster lies, if it lies in the area.
    pub(super) fn cell_at(&self, col: i64, row: i64) -> Option<usize> {
        if !self.area.contains_pixel(col, row) {
            return None;
        }
        let column = (col - self.area.col) as usize / self.cell;
        let row = (row - self.area.row) as usize / self.cell;
        Some(row * self.columns() + column)
    }
}
