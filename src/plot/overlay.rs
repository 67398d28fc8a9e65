//! A class map over imagery, with a legend and a slider for its opacity.

use std::borrow::Cow;

use super::figure::attach_flat;
use super::html::{FONT, MUTED, TEXT, entries_html, image_html, unique_id};
use super::image::{Encoded, RgbImage, RgbaImage, encode_best, encode_rgba_png, with_legend};
use super::palette::class_entries;
use crate::Result;
use crate::display::{Output, escape};
use crate::labels::Classes;

/// A class map over imagery. The two images may have different sizes; they are shown over each other.
#[derive(Clone, Debug)]
pub struct Overlay<'a> {
    base: Cow<'a, RgbImage>,
    class_map: Cow<'a, RgbaImage>,
    entries: Vec<(String, [u8; 3])>,
    opacity: f32,
    caption: String,
}

impl<'a> Overlay<'a> {
    /// `class_map` over `base` at 50 % to begin with; the legend lists every class but the background.
    #[must_use]
    pub fn new(base: &'a RgbImage, class_map: &'a RgbaImage, classes: &Classes) -> Self {
        let (base, class_map) = (Cow::Borrowed(base), Cow::Borrowed(class_map));
        Self {
            base,
            class_map,
            entries: class_entries(classes),
            opacity: 0.5,
            caption: String::new(),
        }
    }

    /// Draws a scale bar at the bottom left; `metres_per_pixel` is the width of one pixel of the imagery on the ground.
    /// The classes are left out under it.
    #[must_use]
    pub fn scale_bar(mut self, metres_per_pixel: f64) -> Self {
        let (base_width, base_height) = (self.base.width, self.base.height);
        if let Some((width, height)) = self.base.to_mut().scale_bar(metres_per_pixel) {
            let map = self.class_map.to_mut();
            // The class map may have another size than the imagery.
            let columns = (width * map.width).div_ceil(base_width);
            let rows = (height * map.height).div_ceil(base_height).min(map.height);
            map.clear(0, map.height - rows, columns, rows);
        }
        self
    }

    /// Where the slider begins: 0 shows the imagery alone, 1 hides it under the classes.
    #[must_use]
    pub fn opacity(mut self, opacity: f32) -> Self {
        self.opacity = if opacity.is_finite() {
            opacity.clamp(0.0, 1.0)
        } else {
            0.5
        };
        self
    }

    /// A line under the picture. It is escaped.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// Imagery and classes in one image, with the legend drawn below.
    #[must_use]
    pub fn flat(&self) -> RgbImage {
        with_legend(
            &self.base.with_overlay(&self.class_map, self.opacity),
            &self.entries,
        )
    }

    fn words(&self) -> String {
        let names: Vec<&str> = self.entries.iter().map(|(name, _)| name.as_str()).collect();
        let caption = if self.caption.is_empty() {
            "Prediction over the imagery"
        } else {
            &self.caption
        };
        format!(
            "{caption} ({} x {} pixels; classes: {})",
            self.base.width,
            self.base.height,
            names.join(", ")
        )
    }

    /// Every form: HTML with both images over each other and a slider, a flat image, and text.
    ///
    /// The slider's handler is written on the element, so nothing is loaded and several outputs do not disturb each
    /// other; where a viewer strips it, the classes stay at their first opacity, and where styles go too, the two
    /// images follow each other.
    ///
    /// # Errors
    /// [`super::PlotError`] when an image's buffer does not fit its size.
    pub fn output(&self) -> Result<Output> {
        let words = self.words();
        let Encoded { bytes, media_type } = encode_best(&self.base)?;
        let base = image_html(media_type, &bytes, &words);
        let classes = super::html::data_address("image/png", &encode_rgba_png(&self.class_map)?);
        let id = unique_id("overlay");
        let percent = (self.opacity * 100.0).round();
        let opacity = percent / 100.0;
        let pixelated = if self.class_map.width < self.base.width {
            ";image-rendering:pixelated"
        } else {
            ""
        };
        let width = self.base.width.max(1);
        let html = format!(
            "<div style=\"{FONT};{TEXT}\">\
             <div style=\"position:relative;display:inline-block;max-width:100%;width:{width}px;line-height:0\">{base}\
             <img id=\"{id}\" src=\"{classes}\" alt=\"Classes\" style=\"position:absolute;left:0;top:0;width:100%;height:100%;\
             max-width:none;opacity:{opacity}{pixelated}\"/></div>\
             <div style=\"display:flex;flex-wrap:wrap;align-items:center;gap:2px 18px;margin-top:4px\">{}\
             <label style=\"display:inline-flex;align-items:center;gap:6px;white-space:nowrap\">Opacity \
             <input type=\"range\" min=\"0\" max=\"100\" value=\"{percent}\" aria-label=\"Opacity of the classes\" style=\"width:140px\" \
             oninput=\"document.getElementById('{id}').style.opacity=this.value/100\"/></label></div>{}</div>",
            entries_html(&self.entries),
            if self.caption.is_empty() {
                String::new()
            } else {
                format!("<div style=\"{MUTED}\">{}</div>", escape(&self.caption))
            }
        );
        let mut output = Output {
            text: words.clone(),
            alt: words,
            html: Some(html),
            ..Output::default()
        };
        attach_flat(&mut output, &self.flat());
        Ok(output)
    }
}

/// A class map over imagery with a legend and an opacity slider: [`Overlay`] with its defaults. An image whose buffer
/// does not fit its size gives text that says so.
#[must_use]
pub fn prediction_overlay(base: &RgbImage, class_map: &RgbaImage, classes: &Classes) -> Output {
    Overlay::new(base, class_map, classes)
        .output()
        .unwrap_or_else(|error| Output::text(format!("Cannot show the prediction: {error}")))
}
