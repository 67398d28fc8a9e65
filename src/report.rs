//! What was left out, assumed, repaired or converted on the way from files to results, said in one place.
//!
//! Whatever reads, changes or judges data pushes a [`Notice`] for everything that a person might not expect;
//! [`crate::scene::Scene::report`] collects those of a scene.

mod html;

use std::fmt;

use serde::Serialize;

use crate::display::{Output, Show};
pub(crate) use html::{report_html, report_text};

/// What happened to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoticeKind {
    /// Something of the file is not used.
    LeftOut,
    /// The file does not say it, so that a rule decided.
    Assumed,
    /// Something broken was mended.
    Repaired,
    /// Values, shapes or places were changed into others.
    Converted,
    /// Nothing was changed, but a person may not expect it.
    Noted,
}

impl NoticeKind {
    /// `left out`, `assumed`, `repaired`, `converted`, `note`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::LeftOut => "left out",
            Self::Assumed => "assumed",
            Self::Repaired => "repaired",
            Self::Converted => "converted",
            Self::Noted => "note",
        }
    }
}

/// One thing that a person should know about the data, with the next step.
///
/// ```
/// use swath::report::Notice;
/// let notice = Notice::left_out("3 of 10 boxes lie outside the scene")
///     .about("boxes.csv")
///     .count(3)
///     .next("check that both files belong together");
/// assert_eq!(
///     notice.to_string(),
///     "left out: 3 of 10 boxes lie outside the scene (boxes.csv); check that both files belong together"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    kind: NoticeKind,
    text: String,
    about: Option<String>,
    count: Option<u64>,
    next: Option<String>,
    #[serde(skip)]
    topic: Option<Topic>,
}

/// What a notice is about, where others decide by it whether it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Pixels that a time series lacks on some of its dates.
    MissingOnSomeDates,
    /// Pixels that are nodata in some bands and not in others, valid or not.
    MissingInSomeBands,
    /// Classes of which a scene has no pixel.
    EmptyClasses(Vec<String>),
}

impl Notice {
    /// A notice of this kind; `text` is a short sentence with the counts in it, without a full stop.
    #[must_use]
    pub fn new(kind: NoticeKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            about: None,
            count: None,
            next: None,
            topic: None,
        }
    }

    /// A notice of this topic.
    #[must_use]
    pub(crate) fn of(mut self, topic: Topic) -> Self {
        self.topic = Some(topic);
        self
    }

    /// What it is about, where others decide by it.
    pub(crate) const fn topic(&self) -> Option<&Topic> {
        self.topic.as_ref()
    }

    /// Something of the file is not used.
    #[must_use]
    pub fn left_out(text: impl Into<String>) -> Self {
        Self::new(NoticeKind::LeftOut, text)
    }

    /// The file does not say it, so that a rule decided.
    #[must_use]
    pub fn assumed(text: impl Into<String>) -> Self {
        Self::new(NoticeKind::Assumed, text)
    }

    /// Something broken was mended.
    #[must_use]
    pub fn repaired(text: impl Into<String>) -> Self {
        Self::new(NoticeKind::Repaired, text)
    }

    /// Values, shapes or places were changed into others.
    #[must_use]
    pub fn converted(text: impl Into<String>) -> Self {
        Self::new(NoticeKind::Converted, text)
    }

    /// Nothing was changed, but a person may not expect it.
    #[must_use]
    pub fn noted(text: impl Into<String>) -> Self {
        Self::new(NoticeKind::Noted, text)
    }

    /// What it is about: the name of a file, a layer, a band.
    #[must_use]
    pub fn about(mut self, what: impl Into<String>) -> Self {
        self.about = Some(what.into());
        self
    }

    /// How many features, boxes, bands or pixels, for programs; the text says it, too.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.count = Some(count as u64);
        self
    }

    /// The next step: a method, a command, a thing to check.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> NoticeKind {
        self.kind
    }

    /// What happened, in words.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// How many.
    #[must_use]
    pub const fn counted(&self) -> Option<u64> {
        self.count
    }

    /// The next step.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.word(), self.text)?;
        if let Some(about) = &self.about {
            write!(f, " ({about})")?;
        }
        if let Some(next) = &self.next {
            write!(f, "; {next}")?;
        }
        Ok(())
    }
}

/// Notices in the order in which they arose, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report {
    notices: Vec<Notice>,
}

impl Report {
    /// A report without a notice.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            notices: Vec::new(),
        }
    }

    /// Adds a notice unless it is there already.
    pub fn push(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.notices.is_empty()
    }

    /// Notices.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.notices.len()
    }

    /// The notices in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Notice> {
        self.notices.iter()
    }

    /// Whether a notice holds these words, whatever their capitals.
    #[must_use]
    pub fn mentions(&self, words: &str) -> bool {
        let words = words.to_lowercase();
        self.iter()
            .any(|notice| notice.to_string().to_lowercase().contains(&words))
    }
}

impl Extend<Notice> for Report {
    fn extend<I: IntoIterator<Item = Notice>>(&mut self, notices: I) {
        notices.into_iter().for_each(|notice| self.push(notice));
    }
}

impl FromIterator<Notice> for Report {
    fn from_iter<I: IntoIterator<Item = Notice>>(notices: I) -> Self {
        let mut report = Self::new();
        report.extend(notices);
        report
    }
}

impl IntoIterator for Report {
    type Item = Notice;
    type IntoIter = std::vec::IntoIter<Notice>;

    fn into_iter(self) -> Self::IntoIter {
        self.notices.into_iter()
    }
}

impl<'a> IntoIterator for &'a Report {
    type Item = &'a Notice;
    type IntoIter = std::slice::Iter<'a, Notice>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One notice a line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, notice) in self.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{notice}")?;
        }
        Ok(())
    }
}

impl Show for Report {
    fn output(&self) -> Output {
        if self.is_empty() {
            return Output::text("nothing was left out, assumed, repaired or converted");
        }
        Output::html(self.to_string(), html::report_html(self))
    }
}

crate::show_in_cells!(Report);

/// The last part of a path, for [`Notice::about`].
pub(crate) fn file_name(path: &std::path::Path) -> String {
    crate::paths::short_name(path)
}

/// The names of files: `a.tif`, `a.tif, b.tif`, or the first ones and how many more there are.
pub(crate) fn several_files(paths: &[std::path::PathBuf]) -> String {
    const MOST: usize = 8;
    let names: Vec<String> = paths
        .iter()
        .take(MOST)
        .map(|path| file_name(path))
        .collect();
    match paths.len().saturating_sub(MOST) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_notice_is_said_once_and_names_are_escaped() {
        let notice = Notice::assumed("the raster's system was taken").about("<b>.shp");
        let mut report: Report = [notice.clone(), notice].into_iter().collect();
        report.push(Notice::left_out("2 features").count(2));
        assert_eq!(report.len(), 2);
        assert!(report.mentions("Raster's SYSTEM") && !report.mentions("boxes"));
        let output = report.output();
        assert_eq!(output.text.lines().count(), 2);
        let html = output.html.unwrap_or_default();
        assert!(html.contains("&lt;b&gt;.shp") && !html.contains("<b>.shp"));
    }

    #[test]
    fn programs_read_kind_text_and_count() {
        let report: Report = [Notice::left_out("2 features").count(2)]
            .into_iter()
            .collect();
        let json = serde_json::to_value(&report).unwrap_or_default();
        assert_eq!(json[0]["kind"], "left_out");
        assert_eq!(json[0]["count"], 2);
    }
}
