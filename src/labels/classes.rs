use super::color_words::nearest;
use super::colors::PALETTE;
use super::{ClassColor, LabelError};
use crate::display::escape;
use crate::display::html::swatch_html;
use crate::report::{Notice, Report};
use crate::{Hint as _, session};

/// The label of pixels that count neither in training nor in scores.
pub const IGNORE: u8 = 255;

/// The name that index 0 has in every [`Classes`].
pub const BACKGROUND: &str = "background";

/// Where the color of a class comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ColorSource {
    /// Its place in the list: a scene may change it for one that stands out from its imagery.
    #[default]
    Default,
    /// Chosen against the imagery of the scene that was labeled first.
    Chosen,
    /// A person said so: it is never changed.
    Given,
}

/// One class: its name and the color it is drawn with. Two are equal when both are.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Class {
    /// The name, as in the label file.
    pub name: String,
    /// Red, green, blue.
    pub color: [u8; 3],
    #[serde(skip)]
    pub(crate) source: ColorSource,
}

impl PartialEq for Class {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.color == other.color
    }
}

impl Eq for Class {}

/// The classes of a label set, in the order of their indices; index 0 is the background.
///
/// The colors belong to the classes: pictures, legends, bundles and the color tables of saved maps have the same. A
/// scene that is given classes whose colors nobody has chosen gives them ones that stand out from its imagery and from
/// each other, also to people with deficient color vision; colors of [`Classes::with_color`], and those that another
/// scene has chosen, stay as they are. So do those of classes that the scene had before.
///
/// ```
/// use swath::labels::Classes;
/// let classes = Classes::new(["building", "road"]);
/// assert_eq!(classes.names(), ["background", "building", "road"]);
/// assert_eq!(classes.index_of("road"), Some(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Classes(Vec<Class>);

impl Classes {
    /// How often each class occurs among `found`, in words: `building 3, car 4`, or `none`.
    pub(crate) fn counted(&self, found: impl IntoIterator<Item = usize>) -> String {
        let mut counts = vec![0_usize; self.len()];
        for class in found {
            if let Some(count) = counts.get_mut(class) {
                *count += 1;
            }
        }
        let some = self.iter().zip(counts).filter(|(_, count)| *count > 0);
        let words: Vec<String> = some
            .map(|(class, count)| format!("{} {count}", class.name))
            .collect();
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(", ")
        }
    }

    /// The background and the named classes after it, at most 254 of them (further names are dropped, since
    /// [`IGNORE`] and the background take an index each); a name that occurs twice counts once.
    #[must_use]
    pub fn new<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut classes = vec![Class {
            name: BACKGROUND.to_owned(),
            color: [40, 40, 40],
            source: ColorSource::Given,
        }];
        for name in names {
            let name = name.into();
            if classes.len() < usize::from(IGNORE)
                && !classes.iter().any(|class| class.name == name)
            {
                let color = PALETTE[(classes.len() - 1) % PALETTE.len()];
                let source = ColorSource::Default;
                classes.push(Class {
                    name,
                    color,
                    source,
                });
            }
        }
        Self(classes)
    }

    /// These classes and, after them, those of the names that they do not hold.
    #[must_use]
    pub fn and<I>(self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let known = self.0.iter().skip(1).map(|class| class.name.clone());
        let mut all = Self::new(known.chain(names.into_iter().map(Into::into)));
        for (class, own) in all.0.iter_mut().zip(&self.0) {
            class.color = own.color;
            class.source = own.source;
        }
        all
    }

    /// The same classes; those that `other` holds by name and whose colors nobody has given have its colors, and so
    /// have all whose colors somebody has given there.
    #[must_use]
    pub(crate) fn in_colors_of(mut self, other: &Self) -> Self {
        for class in self.0.iter_mut().skip(1) {
            let there = other.0.iter().find(|there| there.name == class.name);
            if let Some(there) = there
                && (there.source == ColorSource::Given
                    || (there.source == ColorSource::Chosen && class.source != ColorSource::Given))
            {
                class.color = there.color;
                class.source = there.source;
            }
        }
        self
    }

    /// The same classes; those without a chosen color have that of the class of the same name in `other`.
    #[must_use]
    pub(crate) fn keeping_colors_of(mut self, other: &Self) -> Self {
        for class in self.0.iter_mut().skip(1) {
            let there = other.0.iter().find(|there| there.name == class.name);
            if let Some(there) = there
                && class.source == ColorSource::Default
            {
                class.color = there.color;
                class.source = there.source;
            }
        }
        self
    }

    /// Whether somebody, or the imagery, has said every color.
    pub(crate) fn are_colored(&self) -> bool {
        self.0
            .iter()
            .all(|class| class.source != ColorSource::Default)
    }

    /// As [`Classes::with_color`] for a color that was stored: one of our palette was chosen for the imagery then, any
    /// other one was given by a person.
    #[must_use]
    pub(crate) fn with_stored_color(mut self, name: &str, color: [u8; 3]) -> Self {
        if let Some(class) = self.0.iter_mut().find(|class| class.name == name) {
            class.color = color;
            class.source = if PALETTE.contains(&color) {
                ColorSource::Chosen
            } else {
                ColorSource::Given
            };
        }
        self
    }

    /// Whether index 0 is what no class covers, rather than a class of its own.
    pub(crate) fn have_background(&self) -> bool {
        self.0.first().is_none_or(|class| class.name == BACKGROUND)
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Class> {
        self.0.iter_mut()
    }

    /// The same classes with another color for one of them, which nothing changes any more: `[255, 0, 0]`, `"red"` or
    /// `"#ff8800"`. A class that is not there, or a word that is no color, changes nothing and is told as a notice;
    /// [`Classes::with_colors`] makes an error of it.
    ///
    /// ```
    /// use swath::labels::Classes;
    /// let classes = Classes::new(["building"]).with_color("building", "red");
    /// assert_eq!(classes.colors()[1], [255, 0, 0]);
    /// ```
    #[must_use]
    #[doc(alias = "set_color")]
    #[doc(alias = "color")]
    #[doc(alias = "colour")]
    #[doc(alias = "with_colour")]
    pub fn with_color(self, name: &str, color: impl Into<ClassColor>) -> Self {
        let given = self.clone().with_colors([(name, color)]);
        given.unwrap_or_else(|error| {
            let notice = Notice::left_out(format!("no color was changed: {error}"));
            let report = match error.hint() {
                Some(next) => Report::from_iter([notice.next(next)]),
                None => Report::from_iter([notice]),
            };
            session::display(&report);
            self
        })
    }

    /// The same classes with these colors, by name, as on the web, or as red, green and blue; nothing changes them any
    /// more.
    ///
    /// ```
    /// use swath::labels::Classes;
    /// let classes = Classes::new(["building", "road"]).with_colors([("building", "red"), ("road", "#ff8800")])?;
    /// assert_eq!(classes.colors()[1..], [[255, 0, 0], [255, 136, 0]]);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`LabelError::NoClassToColor`] and [`LabelError::NoSuchColor`], with what is like the name that was given.
    pub fn with_colors<N: AsRef<str>, C: Into<ClassColor>>(
        mut self,
        colors: impl IntoIterator<Item = (N, C)>,
    ) -> crate::Result<Self> {
        for (name, color) in colors {
            let (name, color) = (name.as_ref(), color.into().rgb()?);
            let Some(class) = self.0.iter_mut().find(|class| class.name == name) else {
                return Err(LabelError::NoClassToColor {
                    found: name.to_owned(),
                    near: nearest(name, self.names().into_iter()),
                    classes: self.names().into_iter().map(str::to_owned).collect(),
                }
                .into());
            };
            class.color = color;
            class.source = ColorSource::Given;
        }
        Ok(self)
    }

    /// Classes, the background included.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "the background is always there"
    )]
    #[doc(alias = "num_classes")]
    #[doc(alias = "count")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The class with this index.
    #[must_use]
    #[doc(alias = "class")]
    #[doc(alias = "__getitem__")]
    pub fn get(&self, index: usize) -> Option<&Class> {
        self.0.get(index)
    }

    /// The index of the class with this name.
    #[must_use]
    #[doc(alias = "get_class_id")]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|class| class.name == name)
    }

    /// The names, by index.
    #[must_use]
    #[doc(alias = "class_names")]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|class| class.name.as_str()).collect()
    }

    /// `, classes: building, road`; nothing for the background alone.
    pub(crate) fn in_words(&self) -> String {
        match self.names().get(1..) {
            None | Some([]) => String::new(),
            Some(names) => format!(", classes: {}", names.join(", ")),
        }
    }

    /// The colors, by index.
    #[must_use]
    #[doc(alias = "palette")]
    #[doc(alias = "cmap")]
    #[doc(alias = "colours")]
    pub fn colors(&self) -> Vec<[u8; 3]> {
        self.0.iter().map(|class| class.color).collect()
    }

    /// The classes, by index.
    pub fn iter(&self) -> std::slice::Iter<'_, Class> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Classes {
    type Item = &'a Class;
    type IntoIter = std::slice::Iter<'a, Class>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<&Classes> for Classes {
    fn from(classes: &Classes) -> Self {
        classes.clone()
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for Classes {
    fn from(names: [S; N]) -> Self {
        Self::new(names)
    }
}

impl<S: Into<String>> From<Vec<S>> for Classes {
    fn from(names: Vec<S>) -> Self {
        Self::new(names)
    }
}

impl<S: Clone + Into<String>> From<&[S]> for Classes {
    fn from(names: &[S]) -> Self {
        Self::new(names.iter().cloned())
    }
}

impl<S: Clone + Into<String>, const N: usize> From<&[S; N]> for Classes {
    fn from(names: &[S; N]) -> Self {
        Self::new(names.iter().cloned())
    }
}

impl<S: Clone + Into<String>> From<&Vec<S>> for Classes {
    fn from(names: &Vec<S>) -> Self {
        Self::new(names.iter().cloned())
    }
}

impl crate::display::Show for Classes {
    fn output(&self) -> crate::display::Output {
        let mut text = String::new();
        let mut html = String::from("<table>");
        for (index, class) in self.iter().enumerate() {
            text.push_str(&format!("{index:>3}  {}\n", class.name));
            html.push_str(&format!(
                "<tr><td>{index}</td><td>{} {}</td></tr>",
                swatch_html(class.color),
                escape(&class.name)
            ));
        }
        html.push_str("</table>");
        crate::display::Output::styled(text.trim_end(), html)
    }
}

crate::show_in_cells!(Classes);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_zero_is_the_background_and_names_are_unique() {
        let classes = Classes::new(["building", "background", "building", "road"]);
        assert_eq!(classes.names(), ["background", "building", "road"]);
        assert_eq!(
            classes.get(2).map(|class| class.name.as_str()),
            Some("road")
        );
        assert_eq!(classes.get(3), None);
    }

    #[test]
    fn names_of_any_number_are_classes() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let classes = Classes::new(names);
        assert_eq!(Classes::from(names), classes);
        assert_eq!(Classes::from(&names), classes);
        assert_eq!(Classes::from(&names[..]), classes);
        assert_eq!(Classes::from(names.to_vec()), classes);
        assert_eq!(Classes::from(&names.map(str::to_owned).to_vec()), classes);
    }

    #[test]
    fn no_class_takes_the_index_of_ignored_pixels() {
        let classes = Classes::new((0..400).map(|index| format!("class {index}")));
        assert_eq!(classes.len(), 255);
    }

    #[test]
    fn names_from_files_are_escaped() {
        let shown = crate::display::Show::output(&Classes::new(["<b>bold</b>"]));
        assert!(!shown.html.unwrap_or_default().contains("<b>"));
    }
}
