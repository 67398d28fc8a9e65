//! JSON as Python writes it: with `NaN` and `Infinity`, which the standard does not know.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

/// The value, and whether there was a `NaN` or `Infinity`, which is read as `null`.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<(T, bool), serde_json::Error> {
    match serde_json::from_str(text) {
        Ok(value) => Ok((value, false)),
        Err(error) => match without_nan(text) {
            Some(mended) => serde_json::from_str(&mended).map(|value| (value, true)),
            None => Err(error),
        },
    }
}

/// The text with `null` in place of numbers that JSON does not know; `None` when there are none. Lines stay where they are.
fn without_nan(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    let (mut rest, mut quoted, mut found) = (text, false, false);
    while let Some(letter) = rest.chars().next() {
        if !quoted
            && let Some(word) = ["NaN", "-Infinity", "Infinity"]
                .iter()
                .find(|word| rest.starts_with(**word))
        {
            mended.push_str("null");
            rest = &rest[word.len()..];
            found = true;
            continue;
        }
        let mut length = letter.len_utf8();
        match letter {
            '"' => quoted = !quoted,
            '\\' if quoted => length += rest[1..].chars().next().map_or(0, char::len_utf8),
            _ => {}
        }
        mended.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    found.then_some(mended)
}

/// An entry of a list, or something else in its place: one entry that is none leaves the others what they are.
pub(super) enum Lenient<T> {
    /// An object.
    Sound(T),
    /// A number, a text, a list, nothing.
    Other,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor(PhantomData))
    }
}

struct LenientVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LenientVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Lenient<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Lenient::Sound)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lenient<T>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lenient::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }

    fn visit_unit<E>(self) -> Result<Lenient<T>, E> {
        Ok(Lenient::Other)
    }
}

/// A number, also one that is written as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number of pixels, at least 1.
pub(super) fn pixels(value: &Value) -> Option<usize> {
    let side = number(value).filter(|side| (1.0..1e9).contains(side));
    side.map(|side| side as usize)
}

/// A text that is not empty.
pub(super) fn word(value: &Value) -> Option<String> {
    let text = value.as_str().map(str::trim);
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What names an entry: the same for `7`, `7.0` and `"7"`; `None` without one.
pub(super) fn key(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => {
                Some(format!("{}", float as i64))
            }
            _ => Some(number.to_string()),
        },
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_python_become_null_outside_of_texts() {
        let (value, mended): (Value, bool) =
            parse(r#"{"a": [NaN, -Infinity, Infinity, 1], "NaN": "NaN \" NaN"}"#).unwrap();
        assert!(mended && value["NaN"] == "NaN \" NaN");
        assert_eq!(value["a"], serde_json::json!([null, null, null, 1]));
        assert!(parse::<Value>("[1, NaN").is_err() && parse::<Value>("[1, \"\\").is_err());
    }
}
