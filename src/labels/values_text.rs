//! Label values as command lines write them: `10:tree,50:built,0:background,255:ignore`.

use std::str::FromStr;

use super::values::Meaning;
use super::{BACKGROUND, LabelError, LabelValue, LabelValues};

/// The name that stands for no class: pixels that count neither in training nor in scores.
const IGNORED: &str = "ignore";
/// The word for what the raster itself says.
const OF_FILE: &str = "file";

impl FromStr for LabelValues {
    type Err = LabelError;

    /// Reads `VALUE:CLASS,VALUE:CLASS,…`. A value is a whole number or a color such as `#ff8000`; the classes
    /// `background` and `ignore` are what they say; `*` stands for every other value and goes with these two or with
    /// `nearest`; `nodata` stands for pixels without data. `file` alone is [`LabelValues::of_file`], `NAME.qml` alone
    /// [`LabelValues::style`].
    ///
    /// ```
    /// use swath::prelude::*;
    /// let read: LabelValues = "10:tree,50:built,0:background,*:ignore".parse()?;
    /// let written = LabelValues::codes([(10, "tree"), (50, "built")]).background([0]).others_are_ignored();
    /// assert_eq!(read, written);
    /// # Ok::<(), swath::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, LabelError> {
        if text.trim() == OF_FILE {
            return Ok(Self::of_file());
        }
        if text.trim().to_lowercase().ends_with(".qml") {
            return Ok(Self::style(text.trim()));
        }
        let wrong = |part: &str| LabelError::Text {
            text: text.to_owned(),
            part: part.trim().to_owned(),
        };
        let mut values = Self::codes(Vec::<(f64, String)>::new());
        let mut named = Vec::new();
        for part in text.split(',') {
            let (value, name) = part.split_once([':', '=']).ok_or_else(|| wrong(part))?;
            let (value, name) = (value.trim(), name.trim());
            if name.is_empty() {
                return Err(wrong(part));
            }
            values = match (value, name) {
                ("*", BACKGROUND) => values.others_are_background(),
                ("*", IGNORED) => values.others_are_ignored(),
                ("*", "nearest") => values.others_are_nearest(),
                ("*", _) => return Err(wrong(part)),
                ("nodata", IGNORED) => values,
                ("nodata", name) => values.nodata_is(name),
                (value, name) => {
                    let value = read_value(value).ok_or_else(|| wrong(part))?;
                    match name {
                        BACKGROUND => values.background([value]),
                        IGNORED => values.ignore([value]),
                        name => {
                            named.push((value, name.to_owned()));
                            values
                        }
                    }
                }
            };
        }
        values.meaning = Meaning::Named(named);
        Ok(values)
    }
}

fn read_value(text: &str) -> Option<LabelValue> {
    if let Some(digits) = text.strip_prefix('#') {
        let number = u32::from_str_radix(digits, 16)
            .ok()
            .filter(|_| digits.len() == 6)?;
        let [_, red, green, blue] = number.to_be_bytes();
        return Some(LabelValue::Color([red, green, blue]));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(LabelValue::Number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_itself_and_styles_are_named_by_a_word() {
        assert_eq!(
            "file".parse::<LabelValues>().unwrap(),
            LabelValues::of_file()
        );
        let style: LabelValues = "my styles/Cover.QML".parse().unwrap();
        assert_eq!(style, LabelValues::style("my styles/Cover.QML"));
    }

    #[test]
    fn codes_and_colors_are_read_and_mistakes_named() {
        let read: LabelValues = " -1:water, 112 : urban fabric ,#FF8000:roof"
            .parse()
            .unwrap();
        let Meaning::Named(named) = &read.meaning else {
            panic!("{read:?}")
        };
        assert_eq!(
            named.as_slice(),
            [
                (LabelValue::Number(-1.0), "water".to_owned()),
                (LabelValue::Number(112.0), "urban fabric".to_owned()),
                (LabelValue::Color([255, 128, 0]), "roof".to_owned()),
            ]
        );
        for wrong in [
            "tree", "a:tree", "1:", "#ff:tree", "*:tree", "1:a,,2:b", "nan:a",
        ] {
            let error = wrong.parse::<LabelValues>().unwrap_err();
            assert!(error.to_string().contains("VALUE:CLASS"), "{error}");
        }
    }
}
