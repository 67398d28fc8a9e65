//! A picture that shows itself in a cell and saves itself to a file.

use std::path::Path;

use super::PlotError;
use super::image::{Encoded, RgbImage, encode_best, encode_png, encode_webp};
use super::theme;
use crate::display::FONT;
use crate::display::html::{TEXT, image_html};
use crate::display::{Output, Show, escape};
use crate::{Result, staged};

/// The longest side of the flat picture that goes beside the HTML of imagery, for front ends without HTML. Those with
/// it, JupyterLab and `nbconvert` among them, never show it, so it takes little of the notebook.
const FLAT_SIDE: usize = 256;

/// A picture: a plot, or imagery with what is drawn over it.
///
/// As the last expression of a cell it shows itself; [`Figure::save`] writes it to a file.
#[derive(Clone, Debug)]
pub struct Figure {
    text: String,
    alt: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    /// An SVG in [`theme`]'s sentinel colors.
    Plot { svg: String },
    /// `html` is what a page shows; `flat` says the same in pixels alone.
    Imagery { html: String, flat: RgbImage },
}

impl Figure {
    pub(super) fn plot(svg: String, text: impl Into<String>, alt: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            alt: alt.into(),
            content: Content::Plot { svg },
        }
    }

    /// Words where a picture was asked for and cannot be had.
    pub(crate) fn message(text: impl Into<String>) -> Self {
        let text = text.into();
        let html = format!("<div style=\"{FONT};{TEXT}\">{}</div>", escape(&text));
        Self::imagery(html, RgbImage::default(), text.clone(), text)
    }

    /// A plot from what drawing gave; a refusal becomes a picture that says so, since a cell's last expression is no place
    /// for a `?` that loses the run it shows.
    pub(super) fn drawn(
        svg: std::result::Result<String, PlotError>,
        title: &str,
        text: String,
    ) -> Self {
        let alt = if text.is_empty() {
            title.to_owned()
        } else {
            text.clone()
        };
        match svg {
            Ok(svg) => Self::plot(svg, text, alt),
            Err(error) => {
                let message = format!("{title}: {error}");
                let svg = format!(
                    "<svg width=\"680\" height=\"40\" viewBox=\"0 0 680 40\" xmlns=\"http://www.w3.org/2000/svg\"><rect \
                     width=\"680\" height=\"40\" fill=\"#010102\"/><text x=\"14\" y=\"24\" font-family=\"sans-serif\" \
                     font-size=\"13\" fill=\"#010103\">{}</text></svg>",
                    escape(&message)
                );
                Self::plot(svg, message.clone(), message)
            }
        }
    }

    pub(super) fn imagery(
        html: String,
        flat: RgbImage,
        text: impl Into<String>,
        alt: impl Into<String>,
    ) -> Self {
        Self {
            text: text.into(),
            alt: alt.into(),
            content: Content::Imagery { html, flat },
        }
    }

    /// An image with a caption and no drawing over it. The caption is escaped.
    ///
    /// # Errors
    /// [`PlotError`] when the image cannot be encoded.
    pub fn from_image(image: RgbImage, caption: &str) -> Result<Self> {
        let Encoded { bytes, media_type } = encode_best(&image)?;
        let html = format!(
            "<figure style=\"margin:4px 0;{FONT};{TEXT}\">{}<figcaption>{}</figcaption></figure>",
            image_html(media_type, &bytes, caption),
            escape(caption)
        );
        let text = format!("{caption} ({} x {} pixels)", image.width, image.height);
        Ok(Self::imagery(html, image, text, caption))
    }

    /// What the picture shows, in words.
    #[must_use]
    pub fn alt(&self) -> &str {
        &self.alt
    }

    /// The SVG document of a plot, in fixed colors on its own light ground; `None` for imagery.
    #[must_use]
    pub fn svg(&self) -> Option<String> {
        match &self.content {
            Content::Plot { svg } => Some(theme::fixed(svg)),
            Content::Imagery { .. } => None,
        }
    }

    /// HTML for a cell. A plot is an `<img>` with its alternative text: it survives viewers that strip scripts and
    /// inline SVG (GitHub, untrusted notebooks) and has its own light ground on dark themes.
    #[must_use]
    pub fn html(&self) -> String {
        match &self.content {
            Content::Plot { svg } => {
                image_html("image/svg+xml", theme::fixed(svg).as_bytes(), &self.alt)
            }
            Content::Imagery { html, .. } => html.clone(),
        }
    }

    /// HTML that follows JupyterLab's theme: a plot is inline SVG, which can be replaced several times a second without
    /// a flicker. For live views; what stays in the notebook is better as [`Figure::html`].
    #[must_use]
    pub fn live_html(&self) -> String {
        match &self.content {
            Content::Plot { svg } => theme::themed(svg, &self.alt),
            Content::Imagery { html, .. } => html.clone(),
        }
    }

    /// Writes the picture to a file, whole or not at all: a plot as `.svg` or `.html`, imagery as `.png`, `.webp` or
    /// `.html`.
    ///
    /// # Errors
    /// [`PlotError::FileType`] for other endings, [`crate::FileError`] when the file cannot be written.
    #[doc(alias = "savefig")]
    #[doc(alias = "to_file")]
    #[doc(alias = "write")]
    #[doc(alias = "write_image")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = &*crate::paths::expanded(path.as_ref());
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let bytes = match (&self.content, ending.as_str()) {
            (Content::Plot { svg }, "svg") => theme::fixed(svg).into_bytes(),
            (Content::Imagery { flat, .. }, "png") => encode_png(flat)?,
            (Content::Imagery { flat, .. }, "webp") => encode_webp(flat)?.ok_or_else(|| PlotError::Codec {
                doing: "encode",
                format: "WebP",
                reason: "this GDAL has no WebP driver, or the image is empty or too large; save it as .png".to_owned(),
            })?,
            (_, "html") => page(&self.alt, &self.html()).into_bytes(),
            (content, _) => {
                let expected = match content {
                    Content::Plot { .. } => ".svg or .html",
                    Content::Imagery { .. } => ".png, .webp or .html",
                };
                return Err(PlotError::FileType { path: path.to_owned(), expected }.into());
            }
        };
        Ok(write_whole(path, &bytes)?)
    }
}

impl Show for Figure {
    fn output(&self) -> Output {
        let mut output = Output {
            text: self.text.clone(),
            alt: self.alt.clone(),
            html: Some(self.html()),
            svg: self.svg(),
            ..Output::default()
        };
        if let Content::Imagery { flat, .. } = &self.content {
            attach_flat(&mut output, flat);
        }
        output
    }
}

crate::show_in_cells!(Figure);

/// Adds the flat form of imagery: WebP where it can be had, otherwise PNG. A picture that cannot be encoded is left out;
/// the text and the HTML still say what there is.
fn attach_flat(output: &mut Output, flat: &RgbImage) {
    if flat.data.is_empty() {
        return;
    }
    let small = flat.fitted(FLAT_SIDE);
    match encode_best(&small) {
        Ok(Encoded {
            bytes,
            media_type: "image/webp",
        }) => output.webp = Some(bytes),
        Ok(Encoded { bytes, .. }) => output.png = Some(bytes),
        Err(_) => {}
    }
}

/// A whole page around a piece of HTML, for figures saved as files.
fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{}</title></head>\n<body>{body}</body></html>\n",
        escape(title)
    )
}

/// Writes the file whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    staged::write(path, bytes)
        .map_err(|source| PlotError::File(crate::FileError::new(path.to_owned(), source)))
}
