//! Several values at once: what is shown of a `Vec`, a slice, an `Option`, a map, a tuple, an iterator over a slice.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use super::fields::shortened;
use super::{LINES, Output, Show, escape, in_font, screen_lines};

/// Rows of a table that are shown.
const MAX_ROWS: usize = 20;
/// Pictures below each other.
const MAX_PICTURES: usize = 6;

/// Those of some values that are shown.
pub(super) fn rows<'a, T>(values: &'a [&'a T]) -> &'a [&'a T] {
    &values[..values.len().min(MAX_ROWS)]
}

/// With a line about what is not shown.
pub(crate) fn counted(output: Output, shown: usize, all: usize) -> Output {
    let next = (shown * 2).min(all);
    let how = format!(": `&value[{shown}..{next}]` shows the next");
    with_rest(output, shown, all, &how)
}

fn with_rest(mut output: Output, shown: usize, all: usize, how: &str) -> Output {
    if shown < all {
        let rest = format!(
            "… {} more of {}{how}",
            super::records::count(all - shown),
            super::records::count(all)
        );
        output.html =
            (output.html).map(|html| html + &in_font(format!("<div>{}</div>", escape(&rest))));
        output.text = format!("{}\n{rest}", output.text);
    }
    output
}

/// One below the other, each under its number, until a screen is full.
pub(super) fn stacked<T: Show>(values: &[&T]) -> Output {
    let mut shown: Vec<&dyn Show> = Vec::new();
    for value in rows(values) {
        shown.push(*value);
    }
    numbered(&shown, values.len())
}

/// As [`stacked`], for the first of `all` values.
pub(super) fn numbered(values: &[&dyn Show], all: usize) -> Output {
    let named = values.iter().enumerate();
    let mut named = named.map(|(index, value)| (format!("[{index}]"), *value));
    let (output, shown) = stack(&mut named);
    counted(output, shown, all)
}

/// One below the other, each under its name, and how many there was room for.
fn stack(values: &mut dyn Iterator<Item = (String, &dyn Show)>) -> (Output, usize) {
    let (mut text, mut html) = (String::new(), String::new());
    let (mut shown, mut pictures, mut used) = (0, 0, 0);
    for (name, value) in values {
        let output = value.output();
        let part = indented(&name, &output.text);
        let lines = screen_lines(&part);
        // One line stays for what is left out.
        if shown > 0 && (used + lines >= LINES || pictures == MAX_PICTURES || shown == MAX_ROWS) {
            break;
        }
        used += lines;
        pictures += usize::from(output.has_picture());
        text.push_str(if shown == 0 { "" } else { "\n" });
        text.push_str(&part);
        html.push_str(&format!(
            "<div style=\"margin:4px 0\"><b>{}</b> {}</div>",
            escape(&name),
            output.as_html()
        ));
        shown += 1;
    }
    (Output::styled(text, html), shown)
}

/// As [`stack`], for values without numbers.
fn stack_of<'a>(mut values: impl Iterator<Item = (String, &'a dyn Show)>, all: usize) -> Output {
    let (output, shown) = stack(&mut values);
    with_rest(output, shown, all, "")
}

/// The name, and the text beside it: some lines of it.
fn indented(name: &str, text: &str) -> String {
    const MOST: usize = 14;
    let all = text.lines().count();
    let shown = if all > MOST { MOST - 1 } else { all };
    let gap = " ".repeat(name.chars().count());
    let mut part = name.to_owned();
    for (index, line) in text.lines().take(shown).enumerate() {
        part.push_str(&match index {
            0 => format!(" {line}"),
            _ => format!("\n{gap} {line}"),
        });
    }
    if shown < all {
        part.push_str(&format!("\n{gap} … {} more lines", all - shown));
    }
    part
}

fn list<T: Show>(values: &[&T]) -> Output {
    match values.is_empty() {
        true => Output::text("[]"),
        false => T::outputs(values),
    }
}

impl<T: Show> Show for [T] {
    fn output(&self) -> Output {
        list(&self.iter().collect::<Vec<_>>())
    }
}

impl<T: Show> Show for VecDeque<T> {
    fn output(&self) -> Output {
        list(&self.iter().collect::<Vec<_>>())
    }
}

macro_rules! show_lists {
    ($([$($generics:tt)*] $type:ty, $slice:ident);+ $(;)?) => {$(
        impl<$($generics)*> Show for $type {
            fn output(&self) -> Output {
                self.$slice().output()
            }
        }
    )+};
}

show_lists! {
    [T: Show] &[T], as_ref;
    [T: Show] Vec<T>, as_slice;
    [T: Show] Box<[T]>, as_ref;
    [T: Show, const N: usize] [T; N], as_slice;
    [T: Show] std::slice::Iter<'_, T>, as_slice;
    [T: Show] std::vec::IntoIter<T>, as_slice;
}

macro_rules! show_pointers {
    ($($type:ty),+) => {$(
        impl<T: Show> Show for $type {
            fn output(&self) -> Output {
                (**self).output()
            }

            fn outputs(values: &[&Self]) -> Output {
                let values: Vec<&T> = values.iter().map(|value| &***value).collect();
                T::outputs(&values)
            }
        }
    )+};
}

show_pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

/// What is inside; `None` is that word.
impl<T: Show> Show for Option<T> {
    fn output(&self) -> Output {
        self.as_ref()
            .map_or_else(|| Output::text("None"), Show::output)
    }
}

macro_rules! show_maps {
    ($([$($generics:tt)*] $type:ty),+) => {$(
        impl<$($generics)*> Show for $type {
            fn output(&self) -> Output {
                let named = self.iter().map(|(key, value)| (shortened(&format!("{key:?}:"), 40), value as &dyn Show));
                match self.is_empty() {
                    true => Output::text("{}"),
                    false => stack_of(named, self.len()),
                }
            }
        }
    )+};
}

show_maps!([K: Debug, V: Show] BTreeMap<K, V>, [K: Debug, V: Show, S] HashMap<K, V, S>);

macro_rules! show_tuples {
    ($($number:literal: $($part:ident $place:tt),+);+) => {$(
        impl<$($part: Show),+> Show for ($($part,)+) {
            fn output(&self) -> Output {
                let parts = [$((concat!(".", stringify!($place)).to_owned(), &self.$place as &dyn Show)),+];
                stack_of(parts.into_iter(), $number)
            }
        }
    )+};
}

show_tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Word(&'static str);

    impl Show for Word {
        fn output(&self) -> Output {
            Output::text(self.0)
        }
    }

    #[test]
    fn values_without_a_table_stand_below_each_other() {
        assert_eq!(
            vec![Word("a"), Word("b\nc")].output().text,
            "[0] a\n[1] b\n    c"
        );
        assert_eq!((Word("a"), Word("b")).output().text, ".0 a\n.1 b");
        assert_eq!(BTreeMap::from([("x", Word("a"))]).output().text, "\"x\": a");
        assert_eq!(None::<Word>.output().text, "None");
        assert_eq!(Vec::<Word>::new().output().text, "[]");
        assert_eq!(Some(Box::new(Word("a"))).output().text, "a");
        assert_eq!([Arc::new(Word("a"))].output().text, "[0] a");
    }

    #[test]
    fn they_take_a_screen_at_most() {
        let long = "a line\n".repeat(30);
        let long: &'static str = long.leak();
        let many: Vec<Word> = (0..100).map(|_| Word(long)).collect();
        let text = many.output().text;
        assert!(text.lines().count() <= LINES, "{text}");
        assert!(
            text.contains("[0] a line") && text.contains("more lines"),
            "{text}"
        );
        assert!(
            text.ends_with("more of 100: `&value[2..4]` shows the next"),
            "{text}"
        );
    }
}
