//! Two pictures of one place over each other, with a slider between them.

use super::figure::Figure;
use super::image::{Encoded, RgbImage, encode_best, with_legend};
use super::legend::{Entry, entries_html};
use crate::Result;
use crate::display::FONT;
use crate::display::escape;
use crate::display::html::{MUTED, TEXT, data_address, image_html, unique_id};

/// Where the slider stands to begin with, in percent from the left.
const MIDDLE: usize = 50;
/// Between the two pictures where they cannot lie over each other, in pixels.
const GAP: usize = 8;

/// Two pictures of one place over each other: the first one to the left of a line that a slider moves, the second one to the
/// right of it. Where there is no HTML both are beside each other.
///
/// ```
/// use swath::plot::{RgbImage, Swipe};
/// let (before, after) = (RgbImage::filled(64, 32, [90, 90, 90]), RgbImage::filled(64, 32, [20, 60, 20]));
/// let figure = Swipe::new(before, after).titles("2019", "2024").figure()?;
/// assert_eq!(figure.alt(), "Left 2019, right 2024");
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Swipe {
    left: RgbImage,
    right: RgbImage,
    titles: [String; 2],
    entries: Vec<Entry>,
    caption: String,
}

impl Swipe {
    /// `right` is brought to the size of `left` where it has another one.
    #[must_use]
    pub fn new(left: RgbImage, right: RgbImage) -> Self {
        let right = match (right.width, right.height) == (left.width, left.height) {
            true => right,
            false => right.scaled(left.width, left.height),
        };
        Self {
            left,
            right,
            titles: ["first".to_owned(), "second".to_owned()],
            entries: Vec::new(),
            caption: String::new(),
        }
    }

    /// What the two are, in a few words each.
    #[must_use]
    pub fn titles(mut self, left: impl Into<String>, right: impl Into<String>) -> Self {
        self.titles = [left.into(), right.into()];
        self
    }

    /// A line under the picture. It is escaped.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// The classes that both show.
    pub(crate) fn legend(mut self, entries: Vec<Entry>) -> Self {
        self.entries = entries;
        self
    }

    fn words(&self) -> String {
        let [left, right] = &self.titles;
        format!("Left {left}, right {right}")
    }

    /// Both beside each other, with the legend below.
    #[must_use]
    pub fn flat(&self) -> RgbImage {
        let (width, height) = (self.left.width, self.left.height);
        let mut both = RgbImage::filled(2 * width + GAP, height, [255; 3]);
        both.paste(&self.left, 0, 0);
        both.paste(&self.right, width + GAP, 0);
        with_legend(&both, &self.entries)
    }

    /// The two over each other. The slider's handler is written on the element, so nothing is loaded; where a viewer strips
    /// it, the line stays in the middle.
    fn html(&self) -> Result<String> {
        let id = unique_id("swipe");
        let Encoded { bytes, media_type } = encode_best(&self.left)?;
        let [left, right] = self.titles.each_ref().map(|title| escape(title));
        let under = image_html(media_type, &bytes, &self.titles[0]);
        let Encoded { bytes, media_type } = encode_best(&self.right)?;
        let address = data_address(media_type, &bytes);
        let over = format!(
            "<img id=\"{id}\" src=\"{address}\" alt=\"{right}\" style=\"position:absolute;left:0;top:0;width:100%;\
             height:100%;max-width:none;clip-path:inset(0 0 0 {MIDDLE}%)\"/>"
        );
        let line = format!(
            "<div id=\"{id}-line\" style=\"position:absolute;top:0;bottom:0;left:{MIDDLE}%;width:2px;margin-left:-1px;\
             background:#fff;box-shadow:0 0 2px #000;pointer-events:none\"></div>"
        );
        let slider = format!(
            "<input type=\"range\" min=\"0\" max=\"100\" value=\"{MIDDLE}\" aria-label=\"Where the second picture begins\" \
             style=\"width:100%;margin:4px 0\" oninput=\"document.getElementById('{id}').style.clipPath='inset(0 0 0 '\
             +this.value+'%)';document.getElementById('{id}-line').style.left=this.value+'%'\"/>"
        );
        let legend = match self.entries.is_empty() {
            true => String::new(),
            false => entries_html(&self.entries),
        };
        let caption = match self.caption.is_empty() {
            true => String::new(),
            false => format!("<div style=\"{MUTED}\">{}</div>", escape(&self.caption)),
        };
        let width = self.left.width.max(1);
        Ok(format!(
            "<div style=\"{FONT};{TEXT};max-width:{width}px\">{legend}<div style=\"display:flex;\
             justify-content:space-between\"><span>{left}</span><span>{right}</span></div>\
             <div style=\"position:relative;display:inline-block;max-width:100%;width:{width}px;line-height:0\">\
             {under}{over}{line}</div>{slider}{caption}</div>"
        ))
    }

    /// As a figure, which can be saved: `.html` keeps the slider, `.png` and `.webp` have both beside each other.
    ///
    /// # Errors
    /// [`super::PlotError`] when an image's buffer does not fit its size.
    pub fn figure(&self) -> Result<Figure> {
        let words = self.words();
        let text = match self.caption.is_empty() {
            true => words.clone(),
            false => format!("{words}\n{}", self.caption),
        };
        Ok(Figure::imagery(self.html()?, self.flat(), text, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pictures_are_there_and_the_slider_moves_the_line() -> Result<()> {
        let left = RgbImage::filled(40, 20, [200, 0, 0]);
        let right = RgbImage::filled(20, 10, [0, 0, 200]);
        let swipe = Swipe::new(left, right)
            .titles("a <b>", "c")
            .caption("two & two");
        let html = swipe.html()?;
        assert_eq!(html.matches("<img").count(), 2);
        assert!(
            html.contains("a &lt;b&gt;") && html.contains("two &amp; two"),
            "{html}"
        );
        assert!(html.contains("clip-path:inset(0 0 0 50%)") && html.contains("style.clipPath="));
        let flat = swipe.flat();
        assert_eq!((flat.width, flat.height), (88, 20));
        assert_eq!(
            (flat.pixel(39, 19), flat.pixel(48, 0)),
            ([200, 0, 0], [0, 0, 200])
        );
        let output = crate::display::Show::output(&swipe.figure()?);
        assert!(
            output.text.starts_with("Left a <b>, right c"),
            "{}",
            output.text
        );
        Ok(())
    }
}
