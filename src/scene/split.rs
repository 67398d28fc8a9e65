use super::{Scene, SceneError};
use crate::Result;
use crate::display::fields::titled;
use crate::display::{Output, Show};
use crate::raster::PixelWindow;

/// Where a scene is cut in two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    axis: Axis,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Axis {
    Columns,
    Rows,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Share(f64),
    Pixels(usize),
}

/// What each of the two parts is.
impl Show for Split {
    fn output(&self) -> Output {
        let (first, rest) = self.words();
        let facts = [("first part", first), ("second part", rest.to_owned())];
        titled("Split", &facts)
    }
}

impl Split {
    /// `the left 75 % of the columns`, and where they end.
    fn words(&self) -> (String, &'static str) {
        let (side, all, rest) = match self.axis {
            Axis::Columns => ("left", "columns", "the columns to their right"),
            Axis::Rows => ("upper", "rows", "the rows below"),
        };
        let first = match self.place {
            Place::Share(share) => format!("the {side} {:.4} % of the {all}", share * 100.0),
            Place::Pixels(1) => format!("the first of the {all}"),
            Place::Pixels(pixels) => format!("the first {pixels} {all}"),
        };
        (first.replace(".0000 %", " %"), rest)
    }

    /// The left `share` of the columns, between 0 and 1, and the rest.
    #[must_use]
    pub const fn columns(share: f64) -> Self {
        Self {
            axis: Axis::Columns,
            place: Place::Share(share),
        }
    }

    /// The upper `share` of the rows, between 0 and 1, and the rest.
    #[must_use]
    pub const fn rows(share: f64) -> Self {
        Self {
            axis: Axis::Rows,
            place: Place::Share(share),
        }
    }

    /// The first `columns` columns of the area in use and the rest.
    #[must_use]
    pub const fn at_column(columns: usize) -> Self {
        Self {
            axis: Axis::Columns,
            place: Place::Pixels(columns),
        }
    }

    /// The first `rows` rows of the area in use and the rest.
    #[must_use]
    pub const fn at_row(rows: usize) -> Self {
        Self {
            axis: Axis::Rows,
            place: Place::Pixels(rows),
        }
    }

    /// The two parts of an area: they share no pixel and leave none out.
    pub(super) fn cut(self, area: &PixelWindow) -> Result<(PixelWindow, PixelWindow), SceneError> {
        let (length, lines) = match self.axis {
            Axis::Columns => (area.width, "columns"),
            Axis::Rows => (area.height, "rows"),
        };
        if let Place::Share(share) = self.place
            && !(share > 0.0 && share < 1.0)
        {
            return Err(SceneError::SplitShare { share, lines });
        }
        let first = match self.place {
            Place::Share(share) => (share * length as f64).round() as usize,
            Place::Pixels(pixels) => pixels,
        };
        if first == 0 || first >= length {
            return Err(SceneError::SplitPlace {
                first,
                length,
                lines,
            });
        }
        let (mut a, mut b) = (*area, *area);
        match self.axis {
            Axis::Columns => {
                a.width = first;
                b.width = length - first;
                b.col += first as i64;
            }
            Axis::Rows => {
                a.height = first;
                b.height = length - first;
                b.row += first as i64;
            }
        }
        Ok((a, b))
    }
}

impl Scene {
    /// Cuts the area in use in two that never overlap: one to train on, one to judge by. Labels and polygons stay whole;
    /// pixels of one part are invalid in the other.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let scene = samples::town(1, 256)?.scene()?;
    /// let (train, valid) = scene.split(Split::columns(0.75));
    /// assert_eq!((train.area().width, valid.area().width), (192, 64));
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Panics
    /// For a share that does not lie between 0 and 1, and when one part would hold nothing. In a cell that is an error of
    /// the cell like any other, with the right form; [`Scene::try_split`] returns it.
    #[must_use]
    #[track_caller]
    #[doc(alias = "train_test_split")]
    #[doc(alias = "random_split")]
    pub fn split(&self, split: Split) -> (Self, Self) {
        match self.try_split(split) {
            Ok(parts) => parts,
            Err(error) => crate::session::end_cell(&error),
        }
    }

    /// [`Scene::split`] for programs, which may not know the share.
    ///
    /// # Errors
    /// [`SceneError::SplitShare`] for a share that does not lie between 0 and 1, [`SceneError::SplitPlace`] when one part
    /// would hold nothing.
    pub fn try_split(&self, split: Split) -> Result<(Self, Self)> {
        let (first, second) = split.cut(&self.area())?;
        Ok((self.with_area(first), self.with_area(second)))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn parts_share_no_pixel_and_leave_none_out() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(9);
        for _ in 0..500 {
            let area = PixelWindow::new(
                7,
                -3,
                random.random_range(2..500),
                random.random_range(2..500),
            );
            let share = random.random_range(0.26..0.74);
            let (a, b) = (if random.random() {
                Split::rows(share)
            } else {
                Split::columns(share)
            })
            .cut(&area)
            .unwrap();
            assert_eq!(a.intersect(&b), None);
            assert_eq!(a.area() + b.area(), area.area());
            assert!(!a.is_empty() && !b.is_empty() && area.contains(&a) && area.contains(&b));
        }
    }

    #[test]
    fn what_leaves_nothing_for_one_part_is_an_error_that_says_how_to_write_it() {
        let area = PixelWindow::new(0, 0, 650, 650);
        for (split, words) in [
            (Split::columns(75.0), "Split::columns(0.75)"),
            (Split::rows(-1.0), "between 0 and 1"),
            (Split::rows(1.0), "between 0 and 1"),
            (Split::columns(f64::NAN), "between 0 and 1"),
            (Split::columns(0.0001), "650 columns"),
            (Split::at_row(650), "650 rows"),
            (Split::at_column(0), "650 columns"),
        ] {
            let error = split.cut(&area).unwrap_err();
            let hint = crate::Hint::hint(&error).unwrap_or_default();
            assert!(
                format!("{error}; {hint}").contains(words),
                "{error}; {hint}"
            );
        }
    }

    #[test]
    fn three_quarters_of_vegas_end_at_column_488() {
        // 650 * 0.75 = 487.5 rounds up.
        let (left, right) = Split::columns(0.75)
            .cut(&PixelWindow::new(0, 0, 650, 650))
            .unwrap();
        assert_eq!((left.width, right.col, right.width), (488, 488, 162));
    }
}
