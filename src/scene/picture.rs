//! A scene drawn: its imagery, and over it labels, a map or boxes.

use super::Scene;
use super::quicklook::Quicklook;
use super::zoom::magnification;
use crate::Result;
use crate::labels::{Classes, IGNORE};
use crate::plot::image::{
    BoxShape, RgbImage, RgbaImage, Stretch, band_words, box_lines, class_map, composite, hatch,
    region_lines, rgb,
};
use crate::plot::{Entry, Overlay, Swatch};

/// Pictures shorter than half of this are drawn larger, so that lines and scale bar do not hide them.
const SMALLEST: usize = 400;
/// With more boxes than this their lines are thin and none gets its text: they would hide the imagery.
const CROWDED: usize = 400;
/// Boxes narrower or lower than this get no text, in pixels of the picture.
const LABELED_WIDTH: f64 = 24.0;
/// How dark imagery outside the area of interest is.
const DIMMED: f32 = 0.6;

/// What is drawn over the imagery of the area in use.
pub(crate) struct Over<'a> {
    pub(crate) classes: &'a Classes,
    /// Class indices, one for each pixel of the quicklook.
    pub(crate) labels: Option<&'a [u8]>,
    /// Boxes in pixels of the area in use, with the words beside them.
    pub(crate) boxes: Vec<(BoxShape, [u8; 3], String)>,
    /// Where the slider begins.
    pub(crate) opacity: f32,
    /// Whether small pictures are drawn larger than usual, as for a closer look.
    pub(crate) magnified: bool,
}

impl Scene {
    /// The bands that a picture shows when nobody says which.
    pub(crate) fn shown_bands(&self) -> Vec<usize> {
        composite(self.raster().bands())
    }

    /// `red, green, blue (3, 2, 1)`.
    pub(crate) fn band_words(&self, shown: &[usize]) -> String {
        band_words(self.raster().bands(), shown)
    }

    /// Draws `bands`: what lies outside the area of interest dimmed, labels and boxes over it, a scale bar where the ground
    /// is known.
    pub(crate) fn drawn(
        &self,
        look: &Quicklook,
        bands: &[usize],
        over: &Over<'_>,
    ) -> Result<Overlay<'static>> {
        let mut base = look.image(bands)?;
        let small = (base.width, base.height);
        let longest = base.width.max(base.height).max(1);
        let zoom = match over.magnified {
            true => magnification(longest),
            false => (SMALLEST / longest).max(1),
        };
        base = base.scaled(base.width * zoom, base.height * zoom);
        if let Some(inside) = &look.inside {
            dim(&mut base, inside, &look.patch.valid, small);
        }
        let none = vec![0; look.patch.valid.len()];
        let map = class_map(over.labels.unwrap_or(&none), small.0, small.1, over.classes)?;
        let mut marks = RgbaImage::transparent(base.width, base.height);
        let ignored = look.ignored(over.labels);
        hatch(&mut marks, &ignored, small);
        self.draw_boxes(&mut marks, &over.boxes);
        let legend = look.legend(over, &ignored);
        let meters = self.raster().gsd().map_or(0.0, |(x, _)| {
            x * self.size().0 as f64 / base.width.max(1) as f64
        });
        Ok(Overlay::owned(base, map, legend)
            .marks(marks)
            .opacity(over.opacity)
            .title(self.name())
            .scale_bar(meters))
    }

    fn draw_boxes(&self, marks: &mut RgbaImage, boxes: &[(BoxShape, [u8; 3], String)]) {
        let scale = (
            marks.width as f64 / self.size().0.max(1) as f64,
            marks.height as f64 / self.size().1.max(1) as f64,
        );
        let scaled: Vec<_> = boxes
            .iter()
            .map(|(shape, color, _)| (shape.scale(scale.0, scale.1), *color))
            .collect();
        let crowded = boxes.len() > CROWDED;
        box_lines(marks, &scaled, if crowded { 1 } else { 2 });
        for ((shape, color), (.., words)) in scaled.iter().zip(boxes).filter(|_| !crowded) {
            let bounds = &shape.bounds;
            if !words.is_empty()
                && bounds.width() >= LABELED_WIDTH
                && bounds.height() >= LABELED_WIDTH
            {
                let corner = |low: f64| low.max(0.0) as usize + 2;
                marks.tag(corner(bounds.x_min), corner(bounds.y_min), words, *color);
            }
        }
    }
}

impl Quicklook {
    fn image(&self, bands: &[usize]) -> Result<RgbImage> {
        // What lies outside the area of interest does not say how bright the picture is.
        let mut counted = None;
        if let Some(inside) = self.inside.as_ref().filter(|inside| inside.contains(&1)) {
            let mut patch = self.patch.clone();
            patch.mask_with(inside);
            counted = Some(patch);
        }
        let counted = counted.as_ref().unwrap_or(&self.patch);
        let stretches: Vec<Stretch> = bands
            .iter()
            .map(|&band| Stretch::of_patch(counted, band))
            .collect();
        rgb(&self.patch, bands, &stretches)
    }

    /// Pixels of valid imagery, in the area of interest, that do not count all the same.
    pub(super) fn ignored(&self, labels: Option<&[u8]>) -> Vec<bool> {
        let labels = labels.unwrap_or_default();
        let counts = |(index, &label): (usize, &u8)| {
            let inside = self.inside.as_ref().is_none_or(|inside| inside[index] != 0);
            label == IGNORE && self.patch.valid[index] != 0 && inside
        };
        labels.iter().enumerate().map(counts).collect()
    }

    fn legend(&self, over: &Over<'_>, ignored: &[bool]) -> Vec<Entry> {
        let mut legend = match over.labels {
            Some(_) => Entry::of_classes(over.classes),
            None => Entry::of_colored(over.classes),
        };
        if ignored.contains(&true) {
            legend.push(Entry::new("ignored", Swatch::Hatched));
        }
        if self.patch.valid.contains(&0) {
            legend.push(Entry::new("no data", Swatch::Invalid));
        }
        if self
            .inside
            .as_ref()
            .is_some_and(|inside| inside.contains(&0))
        {
            legend.push(Entry::new("outside the area of interest", Swatch::Dimmed));
        }
        legend
    }
}

/// Dims valid imagery where `inside`, of the size `small`, is 0, and draws a line with a dark edge around the rest.
fn dim(base: &mut RgbImage, inside: &[u8], valid: &[u8], small: (usize, usize)) {
    let white = inside.iter().flat_map(|&inside| match inside {
        0 => [0; 4],
        _ => [255; 4],
    });
    let area = RgbaImage {
        width: small.0,
        height: small.1,
        data: white.collect(),
    };
    let lines = region_lines(&area, base.width, base.height);
    for row in 0..base.height {
        for col in 0..base.width {
            let at = row * small.1 / base.height * small.0 + col * small.0 / base.width;
            if inside[at] == 0 && valid[at] != 0 {
                let [red, green, blue] = base.pixel(col, row).map(f32::from);
                let gray = red * 0.299 + green * 0.587 + blue * 0.114;
                let dimmed = |value: f32| ((value + gray) / 2.0 * DIMMED) as u8;
                base.set_pixel(col, row, [dimmed(red), dimmed(green), dimmed(blue)]);
            }
        }
    }
    *base = base.with_overlay(&lines, 1.0);
}
