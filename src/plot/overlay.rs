//! A class map over imagery, with a legend and a slider for its opacity.

use std::borrow::Cow;

use super::figure::Figure;
use super::html::{FONT, MUTED, TEXT, data_address, entries_html, image_html, unique_id};
use super::image::{Encoded, RgbImage, RgbaImage, encode_best, encode_rgba_png, with_legend};
use super::palette::class_entries;
use crate::Result;
use crate::display::{Output, Show as _, escape};
use crate::labels::Classes;

/// A class map over imagery. The two images may have different sizes; they are shown over each other.
#[derive(Clone, Debug)]
pub struct Overlay<'a> {
    base: Cow<'a, RgbImage>,
    class_map: Cow<'a, RgbaImage>,
    entries: Vec<(String, [u8; 3])>,
    opacity: f32,
    caption: String,
    title: String,
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
            title: String::new(),
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

    /// What the picture shows, in a few words; the text form begins with it. "Prediction" unless said otherwise.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
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

    /// `Prediction (800 x 600 pixels; classes: building, road)`.
    fn words(&self) -> String {
        let title = if self.title.is_empty() {
            "Prediction"
        } else {
            &self.title
        };
        let names: Vec<&str> = self.entries.iter().map(|(name, _)| name.as_str()).collect();
        let classes = if names.is_empty() {
            String::new()
        } else {
            format!("; classes: {}", names.join(", "))
        };
        let (width, height) = (self.base.width, self.base.height);
        format!("{title} ({width} x {height} pixels{classes})")
    }

    /// Both images over each other, a legend and a slider.
    ///
    /// The slider's handler is written on the element, so nothing is loaded and several outputs do not disturb each
    /// other; where a viewer strips it, the classes stay at their first opacity, and where styles go too, the two
    /// images follow each other. Without classes there is only the imagery.
    ///
    /// # Errors
    /// [`super::PlotError`] when an image's buffer does not fit its size.
    pub fn html(&self) -> Result<String> {
        let Encoded { bytes, media_type } = encode_best(&self.base)?;
        let base = image_html(media_type, &bytes, &self.words());
        let (classes, controls) = if self.entries.is_empty() {
            (String::new(), String::new())
        } else {
            let id = unique_id("overlay");
            (self.classes_html(&id)?, self.controls_html(&id))
        };
        let caption = if self.caption.is_empty() {
            String::new()
        } else {
            format!("<div style=\"{MUTED}\">{}</div>", escape(&self.caption))
        };
        let width = self.base.width.max(1);
        Ok(format!(
            "<div style=\"{FONT};{TEXT}\"><div style=\"position:relative;display:inline-block;max-width:100%;\
             width:{width}px;line-height:0\">{base}{classes}</div>{controls}{caption}</div>"
        ))
    }

    /// The class map, laid over the imagery before it.
    fn classes_html(&self, id: &str) -> Result<String> {
        let address = data_address("image/png", &encode_rgba_png(&self.class_map)?);
        let opacity = (self.opacity * 100.0).round() / 100.0;
        let pixelated = if self.class_map.width < self.base.width {
            ";image-rendering:pixelated"
        } else {
            ""
        };
        Ok(format!(
            "<img id=\"{id}\" src=\"{address}\" alt=\"Classes\" style=\"position:absolute;left:0;top:0;width:100%;\
             height:100%;max-width:none;opacity:{opacity}{pixelated}\"/>"
        ))
    }

    /// The legend and the slider that changes the opacity of the image `id`.
    fn controls_html(&self, id: &str) -> String {
        let percent = (self.opacity * 100.0).round();
        format!(
            "<div style=\"display:flex;flex-wrap:wrap;align-items:center;gap:2px 18px;margin-top:4px\">{}\
             <label style=\"display:inline-flex;align-items:center;gap:6px;white-space:nowrap\">Opacity \
             <input type=\"range\" min=\"0\" max=\"100\" value=\"{percent}\" aria-label=\"Opacity of the classes\" \
             style=\"width:140px\" oninput=\"document.getElementById('{id}').style.opacity=this.value/100\"/>\
             </label></div>",
            entries_html(&self.entries)
        )
    }

    /// Every form: HTML, a flat image, and text.
    ///
    /// # Errors
    /// As [`Overlay::html`].
    pub fn output(&self) -> Result<Output> {
        Ok(self.figure()?.output())
    }

    /// As a figure, which can be saved: `.html` keeps the slider, `.png` and `.webp` are flat.
    ///
    /// # Errors
    /// As [`Overlay::html`].
    pub fn figure(&self) -> Result<Figure> {
        let words = self.words();
        Ok(Figure::imagery(
            self.html()?,
            self.flat(),
            words.clone(),
            words,
        ))
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
