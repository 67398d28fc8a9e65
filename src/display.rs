//! What a value looks like to a person: one [`Output`] holds every form of it, and a sink decides which to show.
//!
//! The library only makes [`Output`]s. Whoever hosts it (a notebook kernel, the command line, a test) installs a sink
//! with [`crate::session::set_sink`].

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

/// A value that shows itself as the last expression of a cell, or through [`crate::session::display`].
///
/// Implement it with [`show_in_cells!`](crate::show_in_cells), which also adds the inherent method that a cell's last expression calls.
pub trait Show {
    /// Every form of the value.
    fn output(&self) -> Output;
}

impl Show for Output {
    fn output(&self) -> Output {
        self.clone()
    }
}

/// Gives a type with [`Show`] the inherent method that a cell calls on its last expression.
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
                $crate::session::result($crate::display::Show::output(self));
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
