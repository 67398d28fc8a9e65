//! Readers of values: each says what it expects when it cannot read.

use std::collections::BTreeMap;

use super::node::{Data, Node};

/// A band as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Band {
    /// By its number, counted from 1.
    Number(usize),
    /// By its name.
    Name(String),
}

type Read<T> = Result<T, String>;

fn expected<T>(value: Option<T>, what: &str) -> Read<T> {
    value.ok_or_else(|| what.to_owned())
}

fn as_text(node: &Node) -> Option<String> {
    match &node.data {
        Data::Text(text) => Some(text.clone()),
        // A day without quotes is one, too.
        Data::Date(text) => Some(text.clone()),
        _ => None,
    }
}

fn as_number(node: &Node) -> Option<f64> {
    match node.data {
        #[expect(clippy::cast_precision_loss, reason = "as TOML's own floats")]
        Data::Whole(number) => Some(number as f64),
        Data::Float(number) => Some(number),
        _ => None,
    }
}

fn whole<T: TryFrom<i128>>(node: &Node) -> Option<T> {
    match node.data {
        Data::Whole(number) => T::try_from(number).ok(),
        _ => None,
    }
}

/// A text that is not empty.
pub(super) fn text(node: &Node) -> Read<String> {
    let text = as_text(node).filter(|text| !text.trim().is_empty());
    expected(text, "a text in quotes")
}

/// A truth value.
pub(super) fn flag(node: &Node) -> Read<bool> {
    match node.data {
        Data::Flag(flag) => Ok(flag),
        _ => Err("true or false".to_owned()),
    }
}

/// How many there are.
pub(super) fn count(node: &Node) -> Read<usize> {
    let count = whole(node).filter(|count| *count > 0);
    expected(count, "a whole number, at least 1")
}

/// How many there are, or none.
pub(super) fn count_or_none(node: &Node) -> Read<usize> {
    expected(whole(node), "a whole number, 0 or more")
}

/// What random numbers begin with.
pub(super) fn seed(node: &Node) -> Read<u64> {
    expected(whole(node), "a whole number, 0 or more")
}

/// Any number.
pub(super) fn number(node: &Node) -> Read<f64> {
    expected(
        as_number(node).filter(|number| !number.is_nan()),
        "a number",
    )
}

/// A number above 0; `inf` is one.
pub(super) fn positive(node: &Node) -> Read<f64> {
    let number = as_number(node).filter(|number| *number > 0.0);
    expected(number, "a number above 0")
}

/// A number of 0 or more.
pub(super) fn not_negative(node: &Node) -> Read<f64> {
    let number = as_number(node).filter(|number| *number >= 0.0 && number.is_finite());
    expected(number, "a number, 0 or more")
}

/// A part of a whole.
pub(super) fn share(node: &Node) -> Read<f64> {
    let number = as_number(node).filter(|number| (0.0..=1.0).contains(number));
    expected(number, "a share from 0 to 1")
}

/// A part of a whole that is neither nothing nor all of it.
pub(super) fn true_share(node: &Node) -> Read<f64> {
    let number = as_number(node).filter(|number| *number > 0.0 && *number < 1.0);
    expected(number, "a share between 0 and 1, such as 0.75")
}

/// A part that may be nothing, and is not all.
pub(super) fn share_below_one(node: &Node) -> Read<f64> {
    let number = as_number(node).filter(|number| (0.0..1.0).contains(number));
    expected(number, "a share of at least 0 and less than 1")
}

fn list<T>(node: &Node, one: impl Fn(&Node) -> Option<T>) -> Option<Vec<T>> {
    let items = match &node.data {
        Data::List(items) => items.iter().map(one).collect::<Option<Vec<T>>>()?,
        _ => vec![one(node)?],
    };
    Some(items).filter(|items| !items.is_empty())
}

/// One text, or a list of texts.
pub(super) fn texts(node: &Node) -> Read<Vec<String>> {
    let one = |node: &Node| as_text(node).filter(|text| !text.trim().is_empty());
    expected(list(node, one), "a text in quotes, or a list of texts")
}

/// Bands by number or name.
pub(super) fn bands(node: &Node) -> Read<Vec<Band>> {
    let one = |node: &Node| match &node.data {
        Data::Whole(number) if *number >= 1 => usize::try_from(*number).ok().map(Band::Number),
        Data::Text(name) if !name.trim().is_empty() => Some(Band::Name(name.trim().to_owned())),
        _ => None,
    };
    let what = "a list of bands: numbers, counted from 1, or names, such as [4, 3, 2] or [\"nir\", \"red\"]";
    expected(list(node, one), what)
}

/// A weight for each class.
pub(super) fn weights(node: &Node) -> Read<Vec<f64>> {
    let one = |node: &Node| as_number(node).filter(|number| *number >= 0.0 && number.is_finite());
    expected(
        list(node, one),
        "a list of numbers, 0 or more, background first",
    )
}

/// A window of pixels: column, row, width, height.
pub(super) fn window(node: &Node) -> Read<[i64; 4]> {
    let all: Option<Vec<i64>> = list(node, whole);
    let window = all.and_then(|all| match all.as_slice() {
        &[col, row, width, height] if width > 0 && height > 0 => Some([col, row, width, height]),
        _ => None,
    });
    expected(
        window,
        "[column, row, width, height] in pixels, such as [0, 0, 512, 512]",
    )
}

/// Two days.
pub(super) fn days(node: &Node) -> Read<(String, String)> {
    let days = list(node, as_text).and_then(|days| match days.as_slice() {
        [first, last] => Some((first.clone(), last.clone())),
        _ => None,
    });
    expected(days, "two days, such as [\"2023-04-01\", \"2023-09-30\"]")
}

/// A range of whole numbers with both ends, or one.
pub(super) fn sizes(node: &Node) -> Read<(usize, usize)> {
    let all: Option<Vec<usize>> = list(node, whole);
    let sizes = all.and_then(|all| match *all.as_slice() {
        [one] if one > 0 => Some((one, one)),
        [low, high] if low > 0 && low <= high => Some((low, high)),
        _ => None,
    });
    expected(
        sizes,
        "a size in pixels, or the least and the largest, such as [150, 200]",
    )
}

/// A share for each of some classes.
pub(super) fn shares(node: &Node) -> Read<BTreeMap<String, f64>> {
    let all = match &node.data {
        Data::Table(table) => (table.iter())
            .map(|(name, _, node)| Some((name.clone(), share(node).ok()?)))
            .collect::<Option<BTreeMap<_, _>>>(),
        _ => None,
    };
    let all = all.filter(|all| !all.is_empty());
    expected(
        all,
        "a share from 0 to 1 for each class, such as { car = 0.2, road = 0.1 }",
    )
}

/// A file or band with the values that are not to be used.
pub(super) fn mask(node: &Node) -> Read<(String, Vec<i32>)> {
    let mask = as_text(node).and_then(|text| crate::values::mask(&text).ok());
    expected(
        mask,
        "\"NAME:CODE,..\" in whole numbers, such as \"SCL:0,1,3,8,9,10\"",
    )
}

/// A column of a table with a value.
pub(super) fn condition(node: &Node) -> Read<(String, String)> {
    let condition = as_text(node).and_then(|text| crate::values::condition(&text).ok());
    expected(condition, "\"COLUMN=VALUE\", such as \"split=train\"")
}

/// How a cell gets its class.
pub(super) fn cells(node: &Node) -> Read<crate::CellWay> {
    let rule = as_text(node).and_then(|text| text.parse().ok());
    expected(
        rule,
        "\"majority\", \"cell:SHARE\" or \"object:SHARE\", such as \"object:0.5\"",
    )
}

/// A device.
pub(super) fn device(node: &Node) -> Read<crate::DeviceName> {
    let device = as_text(node).and_then(|text| text.parse().ok());
    expected(
        device,
        "\"cpu\", \"cuda\", \"cuda:N\", \"vulkan\" or \"vulkan:N\"",
    )
}
