//! What a value looks like to a person: one [`Output`] holds every form of it, and a sink decides which to show.
//!
//! The library only makes [`Output`]s. Whoever hosts it (a notebook kernel, the command line, a test) installs a sink
//! with [`crate::session::set_sink`].

pub(crate) mod fields;
pub(crate) mod html;
mod lists;
pub(crate) mod records;
pub(crate) mod units;

pub(crate) use lists::counted;
pub(crate) use records::{Record, show_fields, show_records};

/// Lines of a screen: no plain form is longer in a cell.
const LINES: usize = 40;
/// Characters of a line of a screen.
const COLUMNS: usize = 100;

/// Every form of one picture, table or text. `text` is always there; the richer forms are optional.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// Plain text, for terminals and screen readers.
    pub text: String,
    /// Self-contained HTML: no scripts from elsewhere, names from files escaped, readable on light and dark grounds.
    pub html: Option<String>,
    /// An SVG document.
    pub svg: Option<String>,
    /// A PNG file.
    pub png: Option<Vec<u8>>,
    /// A WebP file.
    pub webp: Option<Vec<u8>>,
    /// What the picture shows, in words.
    pub alt: String,
}

/// The font of all our HTML.
pub(crate) const FONT: &str =
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.4";

/// HTML in the font and the size of all our HTML, which a front end's own may differ from.
pub(crate) fn in_font(html: impl AsRef<str>) -> String {
    format!("<div style=\"{FONT}\">{}</div>", html.as_ref())
}

impl Output {
    /// Plain text only.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// HTML with its plain form.
    #[must_use]
    pub fn html(text: impl Into<String>, html: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            html: Some(html.into()),
            ..Self::default()
        }
    }

    /// HTML in the font and the size of all our HTML, with its plain form.
    pub(crate) fn styled(text: impl Into<String>, html: impl AsRef<str>) -> Self {
        Self::html(text, in_font(html))
    }

    /// With notices under it; the same without any.
    #[must_use]
    pub fn with_report(mut self, report: &crate::report::Report) -> Self {
        if !report.is_empty() {
            let notices = report.output();
            self.text = format!("{}\n{}", self.text, notices.text);
            self.html = self
                .html
                .map(|html| html + &notices.html.unwrap_or_default());
        }
        self
    }

    /// The same with a plain form of a screen at most, since a front end without HTML shows it whole.
    #[must_use]
    pub fn on_a_screen(mut self) -> Self {
        if screen_lines(&self.text) > LINES {
            let all = self.text.lines().count();
            let mut used = 0;
            let fits = |line: &&str| {
                used += screen_lines(line);
                used < LINES
            };
            let shown: Vec<&str> = self.text.lines().take_while(fits).collect();
            let rest = match all - shown.len() {
                1 => "1 more line".to_owned(),
                rest => format!("{rest} more lines"),
            };
            self.text = match shown.is_empty() {
                // One line alone is longer than a screen.
                true => fields::shortened(&self.text, LINES * COLUMNS),
                false => format!("{}\n… {rest}", shown.join("\n")),
            };
        }
        self
    }

    /// Whether there is a picture in any form.
    pub(crate) fn has_picture(&self) -> bool {
        let html = self.html.as_ref();
        self.svg.is_some()
            || self.png.is_some()
            || self.webp.is_some()
            || html.is_some_and(|html| html.contains("<img"))
    }

    /// HTML, made of another form where there is none.
    pub(crate) fn as_html(&self) -> String {
        if let Some(html) = &self.html {
            return html.clone();
        }
        let picture = |media_type, bytes: &[u8]| html::image_html(media_type, bytes, &self.alt);
        if let Some(svg) = &self.svg {
            return picture("image/svg+xml", svg.as_bytes());
        }
        if let Some(png) = &self.png {
            return picture("image/png", png);
        }
        if let Some(webp) = &self.webp {
            return picture("image/webp", webp);
        }
        match self.text.contains('\n') {
            true => format!("<pre style=\"margin:0\">{}</pre>", escape(&self.text)),
            false => escape(&self.text),
        }
    }

    /// SVG with its plain form, which is also its alternative text.
    #[must_use]
    pub fn svg(text: impl Into<String>, svg: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            alt: text.clone(),
            text,
            svg: Some(svg.into()),
            ..Self::default()
        }
    }
}

/// How many lines of a screen a text takes: long lines are wrapped.
fn screen_lines(text: &str) -> usize {
    let lines = text
        .lines()
        .map(|line| line.chars().count().div_ceil(COLUMNS).max(1));
    lines.sum()
}

/// A type's name alone: `Run` for `swath::train::Run<swath::train::Segmenter>`.
pub(crate) fn type_word(type_name: &str) -> String {
    let mut name = swath_link::types::short_type(type_name);
    name.truncate(name.find('<').unwrap_or(name.len()));
    name
}

/// A value that shows itself as the last expression of a cell, or through [`crate::session::display`]. So does a `Vec`, a
/// slice, an array, an `Option`, a tuple, a map or a pointer of such values.
///
/// ```
/// use swath::display::{Output, Show};
/// struct Tree { height: f64 }
/// impl Show for Tree {
///     fn output(&self) -> Output {
///         Output::text(format!("a tree of {} m", self.height))
///     }
/// }
/// assert_eq!(vec![Tree { height: 3.5 }].output().text, "[0] a tree of 3.5 m");
/// ```
pub trait Show {
    /// Every form of the value.
    fn output(&self) -> Output;

    /// Several values at once, of which there is at least one: below each other, unless the type has a better way, such as a
    /// table or a grid.
    fn outputs(values: &[&Self]) -> Output
    where
        Self: Sized,
    {
        lists::stacked(values)
    }
}

impl Show for Output {
    fn output(&self) -> Output {
        self.clone()
    }
}

/// Gives a type with [`Show`] the inherent method that a cell calls on its last expression. A type does without, unless it
/// also has a `Deref`.
#[macro_export]
macro_rules! show_in_cells {
    (<$parameter:ident: $bound:path> $type:ty) => {
        impl<$parameter: $bound> $type {
            /// Shows the value as the result of the cell.
            #[doc(hidden)]
            pub fn evcxr_display(&self) {
                $crate::session::result($crate::display::Show::output(self));
            }
        }
    };
    ($($type:ty),+ $(,)?) => {$(
        impl $type {
            /// Shows the value as the result of the cell.
            #[doc(hidden)]
            pub fn evcxr_display(&self) {
                $crate::session::result($crate::display::Show::output(self).on_a_screen());
            }
        }
    )+};
}

show_in_cells!(Output);

/// Escapes text for HTML and SVG: names of files, classes and bands are data, never markup.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
