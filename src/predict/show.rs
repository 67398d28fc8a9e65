//! A map over its imagery.

use super::SceneMap;
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::IGNORE;
use crate::plot::{Overlay, image};
use crate::raster::Size;

/// Longest side of the picture in a cell.
const LONGEST: usize = 1024;

impl SceneMap {
    /// The map over its imagery, with the part of each class.
    fn picture(&self) -> Result<Output> {
        let (width, height) = self.size();
        let size = fitted(width, height, LONGEST);
        let base = self.scene().raster().read_scaled(&self.area(), size)?;
        let base = image::rgb_auto(&base, None)?;
        let labels = self.labels_scaled(size)?;
        let class_map = image::class_map(&labels, size.width, size.height, self.classes())?;
        let caption = format!("{}: {}", self.scene().name(), self.shares(&labels));
        let mut output = Overlay::new(&base, &class_map, self.classes())
            .caption(caption)
            .output()?;
        output.text = self.summary(&labels);
        Ok(output)
    }

    fn summary(&self, labels: &[u8]) -> String {
        let (width, height) = self.size();
        format!(
            "Map of {}, {width} x {height} pixels: {}",
            self.scene().name(),
            self.shares(labels)
        )
    }

    /// The part of each class among the valid pixels of a quicklook, in words.
    #[expect(
        clippy::cast_precision_loss,
        reason = "shown to one digit after the point"
    )]
    fn shares(&self, labels: &[u8]) -> String {
        let mut counts = [0_usize; 256];
        for label in labels {
            counts[usize::from(*label)] += 1;
        }
        let valid = labels.len() - counts[usize::from(IGNORE)];
        if valid == 0 {
            return "no valid imagery".to_owned();
        }
        let share = |(index, class): (usize, &crate::labels::Class)| {
            format!(
                "{} {:.1} %",
                class.name,
                counts[index] as f64 / valid as f64 * 100.0
            )
        };
        self.classes()
            .iter()
            .enumerate()
            .map(share)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The size with the same shape whose longer side is at most `longest`.
fn fitted(width: usize, height: usize, longest: usize) -> Size {
    let factor = width.max(height).div_ceil(longest).max(1);
    if factor == 1 {
        return Size { width, height };
    }
    let scaled = |side: usize| (side * longest / width.max(height)).max(1);
    Size {
        width: scaled(width),
        height: scaled(height),
    }
}

impl Show for SceneMap {
    fn output(&self) -> Output {
        self.picture().unwrap_or_else(|error| {
            let (width, height) = self.size();
            let name = self.scene().name();
            Output::text(format!(
                "Map of {name}, {width} x {height} pixels (it cannot be drawn: {error})"
            ))
        })
    }
}

crate::show_in_cells!(SceneMap);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_keep_their_shape_and_small_ones_their_size() {
        assert_eq!(
            fitted(20_000, 10_000, 1024),
            Size {
                width: 1024,
                height: 512
            }
        );
        assert_eq!(
            fitted(300, 200, 1024),
            Size {
                width: 300,
                height: 200
            }
        );
        assert_eq!(
            fitted(50_000, 1, 1024),
            Size {
                width: 1024,
                height: 1
            }
        );
    }
}
