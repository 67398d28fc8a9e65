//! A class map over imagery, with a legend and a slider for its opacity.

use std::borrow::Cow;

use super::figure::Figure;
use super::image::{
    Encoded, RgbImage, RgbaImage, encode_best, encode_best_rgba, region_lines, with_legend,
};
use super::legend::{Entry, entries_html};
use crate::Result;
use crate::display::FONT;
use crate::display::html::{MUTED, TEXT, data_address, image_html, unique_id};
use crate::display::{Output, Show as _, escape};
use crate::labels::Classes;

/// Lines are opaque but for opacities of the classes below this, where they fade with them.
const FADING: f32 = 0.1;

fn line_opacity(opacity: f32) -> f32 {
    (opacity / FADING).min(1.0)
}

/// A class map over imagery. The two images may have different sizes; they are shown over each other.
///
/// Around each region of the class map lies an opaque line in its color with a dark or a light edge, so that it stands
/// out from any imagery, whatever the opacity of the fill.
#[derive(Clone, Debug)]
pub struct Overlay<'a> {
    base: Cow<'a, RgbImage>,
    class_map: Cow<'a, RgbaImage>,
    /// Opaque lines over both, such as boxes; as large as the imagery.
    marks: Option<RgbaImage>,
    entries: Vec<Entry>,
    opacity: f32,
    caption: String,
    title: String,
    /// What the scale bar takes at the bottom left.
    bar: Option<(usize, usize)>,
}

impl<'a> Overlay<'a> {
    /// `class_map` over `base` at 50 % to begin with; the legend lists every class but the background.
    #[must_use]
    pub fn new(base: &'a RgbImage, class_map: &'a RgbaImage, classes: &Classes) -> Self {
        let entries = Entry::of_colored(classes);
        Self::of(Cow::Borrowed(base), Cow::Borrowed(class_map), entries)
    }

    /// As [`Overlay::new`] for images that nobody else needs, with a legend of one's own.
    pub(crate) fn owned(base: RgbImage, class_map: RgbaImage, legend: Vec<Entry>) -> Self {
        Self::of(Cow::Owned(base), Cow::Owned(class_map), legend)
    }

    fn of(base: Cow<'a, RgbImage>, class_map: Cow<'a, RgbaImage>, entries: Vec<Entry>) -> Self {
        Self {
            base,
            class_map,
            marks: None,
            entries,
            opacity: 0.5,
            caption: String::new(),
            title: String::new(),
            bar: None,
        }
    }

    /// Lines and signs drawn over imagery and classes; as large as the imagery. They vanish with the classes when the
    /// slider goes to 0, and are opaque otherwise.
    #[must_use]
    pub(crate) fn marks(mut self, marks: RgbaImage) -> Self {
        self.marks = Some(marks);
        self
    }

    /// Draws a scale bar at the bottom left; `meters_per_pixel` is the width of one pixel of the imagery on the ground.
    /// The classes are left out under it.
    #[must_use]
    pub fn scale_bar(mut self, meters_per_pixel: f64) -> Self {
        if let Some(bar) = self.base.to_mut().scale_bar(meters_per_pixel) {
            self.bar = Some(bar);
        }
        self
    }

    /// `image`, over the base, without what would hide the scale bar.
    fn beside_bar(&self, image: &RgbaImage) -> RgbaImage {
        let mut image = image.clone();
        if let Some((width, height)) = self.bar {
            // The class map may have another size than the imagery.
            let columns = (width * image.width).div_ceil(self.base.width.max(1));
            let rows = (height * image.height).div_ceil(self.base.height.max(1));
            let rows = rows.min(image.height);
            image.clear(0, image.height - rows, columns, rows);
        }
        image
    }

    /// The edges of the regions, and the marks over them; `None` where there are neither.
    fn lines(&self) -> Option<RgbaImage> {
        let mut lines = region_lines(&self.class_map, self.base.width, self.base.height);
        if let Some(marks) = &self.marks {
            for (line, mark) in lines
                .data
                .chunks_exact_mut(4)
                .zip(marks.data.chunks_exact(4))
            {
                if mark[3] > 0 {
                    line.copy_from_slice(mark);
                }
            }
        }
        let lines = self.beside_bar(&lines);
        lines
            .data
            .chunks_exact(4)
            .any(|pixel| pixel[3] > 0)
            .then_some(lines)
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

    /// A line under the picture, or several. It is escaped.
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

    /// How long the longer side of the picture is.
    pub(crate) fn longer_side(&self) -> usize {
        self.base.width.max(self.base.height)
    }

    /// Imagery and classes in one image, with the legend drawn below.
    #[must_use]
    pub fn flat(&self) -> RgbImage {
        with_legend(&self.drawn(), &self.entries)
    }

    /// Imagery and classes in one image.
    pub(crate) fn drawn(&self) -> RgbImage {
        let map = self.beside_bar(&self.class_map);
        let mut image = self.base.with_overlay(&map, self.opacity);
        if let Some(lines) = self.lines() {
            image = image.with_overlay(&lines, line_opacity(self.opacity));
        }
        image
    }

    /// Imagery and classes in one image, without lines around regions: for those that are specks.
    pub(crate) fn filled(&self) -> RgbImage {
        let map = self.beside_bar(&self.class_map);
        self.base.with_overlay(&map, self.opacity)
    }

    /// `Prediction (800 x 600 pixels; classes: building, road)`.
    fn words(&self) -> String {
        let title = if self.title.is_empty() {
            "Prediction"
        } else {
            &self.title
        };
        let classes = self.entries.iter().filter(|entry| entry.is_class());
        let names: Vec<&str> = classes.map(|entry| entry.name.as_str()).collect();
        let classes = if names.is_empty() {
            String::new()
        } else {
            format!("; classes: {}", names.join(", "))
        };
        let (width, height) = (self.base.width, self.base.height);
        format!("{title} ({width} x {height} pixels{classes})")
    }

    /// Both images over each other; above them a legend and a slider, which are in view with the top of a tall picture.
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
        let (classes, controls) = if self.entries.iter().any(Entry::is_class) {
            let id = unique_id("overlay");
            let lines = self.lines();
            let images = self.layers_html(&id, lines.as_ref())?;
            (images, self.controls_html(&id, lines.is_some()))
        } else if self.entries.is_empty() {
            (String::new(), String::new())
        } else {
            (String::new(), entries_html(&self.entries))
        };
        let caption = if self.caption.is_empty() {
            String::new()
        } else {
            let lines = escape(&self.caption).replace('\n', "<br/>");
            format!("<div style=\"{MUTED}\">{lines}</div>")
        };
        let width = self.base.width.max(1);
        Ok(format!(
            "<div style=\"{FONT};{TEXT}\">{controls}<div style=\"position:relative;display:inline-block;max-width:100%;\
             width:{width}px;line-height:0\">{base}{classes}</div>{caption}</div>"
        ))
    }

    /// The class map and the lines, laid over the imagery before them.
    fn layers_html(&self, id: &str, lines: Option<&RgbaImage>) -> Result<String> {
        let layer = |id: &str, image: &RgbaImage, alt: &str, opacity: f32| -> Result<String> {
            let Encoded { bytes, media_type } = encode_best_rgba(image)?;
            let address = data_address(media_type, &bytes);
            let opacity = (opacity * 100.0).round() / 100.0;
            let pixelated = if image.width < self.base.width {
                ";image-rendering:pixelated"
            } else {
                ""
            };
            Ok(format!(
                "<img id=\"{id}\" src=\"{address}\" alt=\"{alt}\" style=\"position:absolute;left:0;top:0;width:100%;\
                 height:100%;max-width:none;opacity:{opacity}{pixelated}\"/>"
            ))
        };
        let map = self.beside_bar(&self.class_map);
        let mut html = layer(id, &map, "Classes", self.opacity)?;
        if let Some(lines) = lines {
            let opacity = line_opacity(self.opacity);
            html.push_str(&layer(
                &format!("{id}-lines"),
                lines,
                "Their edges",
                opacity,
            )?);
        }
        Ok(html)
    }

    /// The legend and the slider that changes the opacity of the image `id`; its lines stay until it is nearly gone.
    fn controls_html(&self, id: &str, lines: bool) -> String {
        let percent = (self.opacity * 100.0).round();
        let of_lines = if lines {
            format!(
                ";document.getElementById('{id}-lines').style.opacity=Math.min(1,this.value/{:.0})",
                100.0 * FADING
            )
        } else {
            String::new()
        };
        format!(
            "<div style=\"display:flex;flex-wrap:wrap;align-items:center;gap:2px 18px;margin-bottom:4px\">{}\
             <label style=\"display:inline-flex;align-items:center;gap:6px;white-space:nowrap\">Opacity \
             <input type=\"range\" min=\"0\" max=\"100\" value=\"{percent}\" aria-label=\"Opacity of the classes\" \
             style=\"width:140px\" oninput=\"document.getElementById('{id}').style.opacity=this.value/100{of_lines}\"/>\
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
        let text = match self.caption.is_empty() {
            true => words.clone(),
            false => format!("{words}\n{}", self.caption),
        };
        Ok(Figure::imagery(self.html()?, self.flat(), text, words))
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
