//! What is to be said about files that do not hold what the chips do.

use super::image::Told;
use super::options::Container;
use super::save::{Saving, Written};
use crate::report::Notice;

impl Saving<'_> {
    /// What the files do not hold as the chips do.
    pub(super) fn tell(&mut self, told: Told, written: &[Written]) {
        let chips = written.len();
        let of = |what: &dyn Fn(&Written) -> bool| written.iter().filter(|one| what(one)).count();
        if told.rounded > 0 {
            let count = of(&|one| one.told.rounded > 0);
            let text = format!(
                "{} values of {count} of {chips} chips are no whole numbers of the file's type and were rounded",
                told.rounded
            );
            self.report.push(
                Notice::converted(text)
                    .count(told.rounded as usize)
                    .next("GeoTIFF keeps them: leave `.png()` out"),
            );
        }
        if told.unmarked > 0 {
            let count = of(&|one| one.told.unmarked > 0);
            let masks = match of(&|one| one.entry.mask.is_some()) > 0 {
                true => "; masks have 255 there",
                false => "",
            };
            let text = format!(
                "{} invalid pixels of {count} of {chips} chips are 0 like any dark pixel, since PNG marks none{masks}",
                told.unmarked
            );
            self.report.push(
                Notice::left_out(text)
                    .count(told.unmarked as usize)
                    .next("GeoTIFF keeps them apart: leave `.png()` out"),
            );
        }
        let masked = of(&|one| one.told.masked);
        if masked > 0 {
            let text = format!(
                "{masked} of {chips} chips have a mask inside the file that says which pixels are valid, since the scenes have no \
                 nodata value that would"
            );
            let next = match of(&|one| one.entry.mask.is_some()) > 0 {
                true => "rasterio: `dataset.dataset_mask()`; masks have 255 there as well",
                false => "rasterio: `dataset.dataset_mask()`",
            };
            self.report
                .push(Notice::noted(text).count(masked).next(next));
        }
        let bare = of(&|one| one.entry.mask.is_none());
        if bare > 0 && bare < chips {
            let text =
                format!("{bare} of {chips} chips are of scenes without labels and have no mask");
            self.report.push(Notice::noted(text).count(bare));
        }
        let of_chip = |one: &Written| {
            let boxes = one.boxes.boxes.iter();
            boxes.filter(|one| one.outline.is_some()).count()
        };
        let rotated: usize = written.iter().map(of_chip).sum();
        if rotated > 0 && self.options.yolo {
            let text = format!(
                "rotated boxes that YOLO's files hold as the upright boxes around them: {rotated} in {} of {chips} chips",
                of(&|one| of_chip(one) > 0)
            );
            let next = match self.options.coco {
                true => "the COCO file in `annotations` has their corners",
                false => "COCO's file has their corners: leave `.coco(false)` out",
            };
            self.report
                .push(Notice::converted(text).count(rotated).next(next));
        }
        let crowds_of = |one: &Written| one.boxes.boxes.iter().filter(|one| one.crowd).count();
        let crowds: usize = written.iter().map(crowds_of).sum();
        if crowds > 0 && self.options.yolo {
            let text = format!(
                "crowds that YOLO's files hold as objects like the others: {crowds} in {} of {chips} chips",
                of(&|one| crowds_of(one) > 0)
            );
            let next = match self.options.coco {
                true => {
                    "the COCO file in `annotations` marks them (`iscrowd`); who trains on YOLO's files takes their lines out"
                }
                false => "COCO's file marks them (`iscrowd`): leave `.coco(false)` out",
            };
            self.report
                .push(Notice::converted(text).count(crowds).next(next));
        }
        if self.options.epoch.is_some() {
            let text = "chips of an epoch are turned and changed: they have no place on the ground";
            self.report.push(Notice::left_out(text).count(chips));
        }
        if self.options.container == Container::Png {
            let bands = self.chips.scenes().first().raster().band_names();
            let text = format!(
                "PNG names no bands and no place on the ground: the manifest says that the bands are {}",
                bands.join(", ")
            );
            self.report.push(Notice::noted(text));
            if bands.len() == 4 {
                let text = "the fourth band is stored where PNG has opacity: other programs may take it for that";
                self.report.push(
                    Notice::noted(text)
                        .next("read it with all channels, as Pillow does, or save GeoTIFF"),
                );
            }
        }
    }
}
