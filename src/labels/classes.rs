use crate::display::escape;

/// The label of pixels that count neither in training nor in scores.
pub const IGNORE: u8 = 255;

/// The name that index 0 has in every [`Classes`].
pub const BACKGROUND: &str = "background";

/// One class: its name and the colour it is drawn with.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Class {
    /// The name, as in the label file.
    pub name: String,
    /// Red, green, blue.
    pub color: [u8; 3],
}

/// The classes of a label set, in the order of their indices; index 0 is the background.
///
/// ```
/// use swath::labels::Classes;
/// let classes = Classes::new(["building", "road"]);
/// assert_eq!(classes.names(), ["background", "building", "road"]);
/// assert_eq!(classes.index_of("road"), Some(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Classes(Vec<Class>);

/// Okabe and Ito's colours, which remain distinct for people with colour vision deficiencies; black is left out, and
/// the order puts the ones that stand out on imagery first.
const PALETTE: [[u8; 3]; 12] = [
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [213, 94, 0],
    [204, 121, 167],
    [0, 114, 178],
    [255, 105, 97],
    [170, 255, 195],
    [128, 128, 0],
    [220, 190, 255],
    [70, 240, 240],
];

impl Classes {
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
        }];
        for name in names {
            let name = name.into();
            if classes.len() < usize::from(IGNORE)
                && !classes.iter().any(|class| class.name == name)
            {
                let color = PALETTE[(classes.len() - 1) % PALETTE.len()];
                classes.push(Class { name, color });
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
        }
        all
    }

    /// The same classes with another colour for one of them; unchanged when there is no such class.
    #[must_use]
    pub fn with_color(mut self, name: &str, color: [u8; 3]) -> Self {
        if let Some(class) = self.0.iter_mut().find(|class| class.name == name) {
            class.color = color;
        }
        self
    }

    /// Classes, the background included.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "the background is always there"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The class with this index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Class> {
        self.0.get(index)
    }

    /// The index of the class with this name.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|class| class.name == name)
    }

    /// The names, by index.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|class| class.name.as_str()).collect()
    }

    /// The colours, by index.
    #[must_use]
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
            let [red, green, blue] = class.color;
            text.push_str(&format!("{index:>3}  {}\n", class.name));
            html.push_str(&format!(
                "<tr><td>{index}</td><td><span style=\"display:inline-block;width:1em;height:1em;\
                 background:rgb({red},{green},{blue})\"></span> {}</td></tr>",
                escape(&class.name)
            ));
        }
        html.push_str("</table>");
        crate::display::Output::html(text.trim_end(), html)
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
