/// A size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Size {
    /// `width` columns and `height` rows.
    #[must_use]
    pub const fn new(width: usize, height: usize) -> Self {
        Self { width, height }
    }

    /// Pixels.
    #[must_use]
    pub const fn area(self) -> usize {
        self.width * self.height
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} x {} px", self.width, self.height)
    }
}

/// A rectangle of pixels, half-open; it may lie partly or wholly outside the raster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct PixelWindow {
    /// First column.
    pub col: i64,
    /// First row.
    pub row: i64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl PixelWindow {
    /// The window whose top-left pixel is `(col, row)`.
    #[must_use]
    pub const fn new(col: i64, row: i64, width: usize, height: usize) -> Self {
        Self {
            col,
            row,
            width,
            height,
        }
    }

    /// The window that covers a raster of this size.
    #[must_use]
    pub const fn full(size: Size) -> Self {
        Self {
            col: 0,
            row: 0,
            width: size.width,
            height: size.height,
        }
    }

    /// Columns and rows.
    #[must_use]
    pub const fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }

    /// The column after the last.
    #[must_use]
    pub const fn right(&self) -> i64 {
        self.col.saturating_add_unsigned(self.width as u64)
    }

    /// The row after the last.
    #[must_use]
    pub const fn bottom(&self) -> i64 {
        self.row.saturating_add_unsigned(self.height as u64)
    }

    /// Pixels.
    #[must_use]
    pub const fn area(&self) -> usize {
        self.width * self.height
    }

    /// Whether it holds no pixel.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The pixels of both windows; `None` when they share none.
    ///
    /// ```
    /// use swath::raster::PixelWindow;
    /// let raster = PixelWindow::new(0, 0, 10, 10);
    /// assert_eq!(raster.intersect(&PixelWindow::new(-3, 8, 5, 5)), Some(PixelWindow::new(0, 8, 2, 2)));
    /// assert_eq!(raster.intersect(&PixelWindow::new(10, 0, 5, 5)), None);
    /// ```
    #[must_use]
    #[doc(alias = "intersection")]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let (col, row) = (self.col.max(other.col), self.row.max(other.row));
        let (right, bottom) = (
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        );
        let width = usize::try_from(right - col).ok()?;
        let height = usize::try_from(bottom - row).ok()?;
        (width > 0 && height > 0).then_some(Self {
            col,
            row,
            width,
            height,
        })
    }

    /// Whether every pixel of `other` lies in this window.
    #[must_use]
    pub const fn contains(&self, other: &Self) -> bool {
        self.col <= other.col
            && self.row <= other.row
            && self.right() >= other.right()
            && self.bottom() >= other.bottom()
    }

    /// Whether the pixel lies in this window.
    #[must_use]
    pub const fn contains_pixel(&self, col: i64, row: i64) -> bool {
        self.col <= col && col < self.right() && self.row <= row && row < self.bottom()
    }

    /// Cuts the window into rectangles of at most `size`, row by row; the last of a row or column may be smaller.
    pub fn tiles(&self, size: Size) -> impl Iterator<Item = Self> + use<> {
        let window = *self;
        let (step_x, step_y) = (size.width.max(1), size.height.max(1));
        (0..window.height).step_by(step_y).flat_map(move |row| {
            (0..window.width).step_by(step_x).map(move |col| Self {
                col: window.col + col as i64,
                row: window.row + row as i64,
                width: step_x.min(window.width - col),
                height: step_y.min(window.height - row),
            })
        })
    }
}

impl std::fmt::Display for PixelWindow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "columns {}..{}, rows {}..{}",
            self.col,
            self.right(),
            self.row,
            self.bottom()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_every_pixel_once() {
        let window = PixelWindow::new(-3, 5, 10, 7);
        let mut hits = vec![0; window.area()];
        for tile in window.tiles(Size::new(4, 3)) {
            assert!(window.contains(&tile));
            for row in tile.row..tile.bottom() {
                for col in tile.col..tile.right() {
                    hits[(row - 5) as usize * 10 + (col + 3) as usize] += 1;
                }
            }
        }
        assert!(hits.iter().all(|&count| count == 1));
    }

    #[test]
    fn windows_far_outside_do_not_overflow() {
        let far = PixelWindow::new(i64::MAX - 1, 0, 100, 1);
        assert_eq!(far.intersect(&PixelWindow::new(0, 0, 10, 10)), None);
    }
}
