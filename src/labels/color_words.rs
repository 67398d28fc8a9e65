//! Colors as people write them: by name, as on the web, or as three bytes.

use strsim::levenshtein;

use super::LabelError;

/// The 16 names of HTML 4, and what is used beside them, with CSS's values.
const NAMES: [(&str, u32); 44] = [
    ("black", 0x00_0000),
    ("silver", 0xc0_c0c0),
    ("gray", 0x80_8080),
    ("grey", 0x80_8080),
    ("white", 0xff_ffff),
    ("maroon", 0x80_0000),
    ("red", 0xff_0000),
    ("purple", 0x80_0080),
    ("fuchsia", 0xff_00ff),
    ("magenta", 0xff_00ff),
    ("green", 0x00_8000),
    ("lime", 0x00_ff00),
    ("olive", 0x80_8000),
    ("yellow", 0xff_ff00),
    ("navy", 0x00_0080),
    ("blue", 0x00_00ff),
    ("teal", 0x00_8080),
    ("aqua", 0x00_ffff),
    ("cyan", 0x00_ffff),
    ("orange", 0xff_a500),
    ("brown", 0xa5_2a2a),
    ("pink", 0xff_c0cb),
    ("gold", 0xff_d700),
    ("violet", 0xee_82ee),
    ("indigo", 0x4b_0082),
    ("turquoise", 0x40_e0d0),
    ("salmon", 0xfa_8072),
    ("coral", 0xff_7f50),
    ("crimson", 0xdc_143c),
    ("tomato", 0xff_6347),
    ("tan", 0xd2_b48c),
    ("beige", 0xf5_f5dc),
    ("khaki", 0xf0_e68c),
    ("chocolate", 0xd2_691e),
    ("orchid", 0xda_70d6),
    ("lavender", 0xe6_e6fa),
    ("skyblue", 0x87_ceeb),
    ("lightblue", 0xad_d8e6),
    ("darkblue", 0x00_008b),
    ("lightgreen", 0x90_ee90),
    ("darkgreen", 0x00_6400),
    ("darkred", 0x8b_0000),
    ("lightgray", 0xd3_d3d3),
    ("darkgray", 0xa9_a9a9),
];

/// The color of a class: `[red, green, blue]`, a name such as `"red"` or `"orange"`, or `"#ff8800"` (`"#f80"`).
///
/// Whatever takes one takes these as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassColor {
    /// Red, green, blue.
    Rgb([u8; 3]),
    /// A name of CSS or six or three hexadecimal digits, with or without `#`.
    Word(String),
}

impl ClassColor {
    /// Red, green, blue.
    ///
    /// ```
    /// use swath::labels::ClassColor;
    /// assert_eq!(ClassColor::from("Orange").rgb()?, [255, 165, 0]);
    /// assert_eq!(ClassColor::from("#ff8800").rgb()?, ClassColor::from("f80").rgb()?);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`LabelError::NoSuchColor`] for any other word.
    pub fn rgb(&self) -> Result<[u8; 3], LabelError> {
        let word = match self {
            Self::Rgb(rgb) => return Ok(*rgb),
            Self::Word(word) => word,
        };
        let plain: String = word
            .to_lowercase()
            .chars()
            .filter(|letter| !letter.is_whitespace() && !['-', '_'].contains(letter))
            .collect();
        let named = NAMES.iter().find(|(name, _)| *name == plain);
        let found = named
            .map(|(_, value)| *value)
            .or_else(|| hexadecimal(&plain));
        let Some(value) = found else {
            return Err(LabelError::NoSuchColor {
                found: word.clone(),
                near: nearest(&plain, NAMES.iter().map(|(name, _)| *name)),
            });
        };
        let [_, red, green, blue] = value.to_be_bytes();
        Ok([red, green, blue])
    }

    /// The names that are known.
    pub(super) fn names() -> String {
        NAMES.map(|(name, _)| name).join(", ")
    }
}

/// `#ff8800`, `ff8800`, `#f80`.
fn hexadecimal(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('#').unwrap_or(word);
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    match digits.len() {
        6 => Some(value),
        // Each digit stands for two of its kind.
        3 => Some(((value & 0xf00) << 8 | (value & 0x0f0) << 4 | value & 0x00f) * 0x11),
        _ => None,
    }
}

/// The known words that are most like one, at most three; empty when none is.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let word = word.to_lowercase();
    let most = (word.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .map(|name| (levenshtein(&word, &name.to_lowercase()), name))
        .filter(|(changes, _)| *changes <= most)
        .collect();
    near.sort_by_key(|(changes, _)| *changes);
    near.into_iter()
        .take(3)
        .map(|(_, name)| name.to_owned())
        .collect()
}

impl From<[u8; 3]> for ClassColor {
    fn from(rgb: [u8; 3]) -> Self {
        Self::Rgb(rgb)
    }
}

impl From<(u8, u8, u8)> for ClassColor {
    fn from((red, green, blue): (u8, u8, u8)) -> Self {
        Self::Rgb([red, green, blue])
    }
}

impl From<&str> for ClassColor {
    fn from(word: &str) -> Self {
        Self::Word(word.to_owned())
    }
}

impl From<String> for ClassColor {
    fn from(word: String) -> Self {
        Self::Word(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hint as _;
    use crate::labels::Classes;

    #[test]
    fn colors_are_known_by_name_and_by_digits() {
        for (word, rgb) in [
            ("red", [255, 0, 0]),
            (" Sky Blue", [135, 206, 235]),
            ("sky-blue", [135, 206, 235]),
            ("#ff8800", [255, 136, 0]),
            ("FF8800", [255, 136, 0]),
            ("#1a9", [0x11, 0xaa, 0x99]),
        ] {
            assert_eq!(ClassColor::from(word).rgb().unwrap(), rgb, "{word}");
        }
        for word in [
            "", "#", "#ff88", "#ff88001", "#gg0000", "+ff880", "reddish", "ä",
        ] {
            assert!(ClassColor::from(word).rgb().is_err(), "{word}");
        }
        let error = ClassColor::from("oragne").rgb().unwrap_err();
        assert!(error.to_string().contains("\"oragne\""));
        let hint = error.hint().unwrap();
        assert!(
            hint.contains("was \"orange\" meant?") && hint.contains("#ff8800"),
            "{hint}"
        );
    }

    #[test]
    fn classes_take_colors_in_any_form_and_refuse_what_is_not_there() {
        let classes = Classes::new(["building", "road"]);
        let named = classes
            .clone()
            .with_colors([("building", "red"), ("road", "#ff8800")])
            .unwrap();
        assert_eq!(named.colors()[1..], [[255, 0, 0], [255, 136, 0]]);
        assert!(
            classes
                .clone()
                .with_colors([("road", [1, 2, 3])])
                .unwrap()
                .colors()[2]
                == [1, 2, 3]
        );
        assert_eq!(
            classes.clone().with_color("road", "navy").colors()[2],
            [0, 0, 128]
        );
        let error = classes
            .clone()
            .with_colors([("bulding", "red")])
            .unwrap_err();
        assert!(
            error.to_string().contains("background, building, road"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("was \"building\" meant?"));
        assert!(
            classes
                .with_colors([("road", "blu")])
                .unwrap_err()
                .hint()
                .unwrap()
                .contains("\"blue\"")
        );
    }
}
