//! Values that are one of many alike: facts for a single one, a row of a table for each of several.

use std::any::type_name;

use super::fields::{shortened, tabled, titled};
use super::{Output, lists, type_word};

/// What a cell of a table without a value holds.
pub(crate) const NOTHING: &str = "–";
/// Characters of a cell of a table in the plain form.
const WIDEST_CELL: usize = 40;

/// A value with a row in a table.
pub(crate) trait Record {
    /// The columns.
    const COLUMNS: &'static [&'static str];
    /// What stands in them.
    fn cells(&self) -> Vec<String>;
}

/// One value: a heading and a line for each column.
pub(crate) fn output<T: Record>(value: &T) -> Output {
    output_of(type_name::<T>(), T::COLUMNS, value.cells())
}

fn output_of(type_name: &str, columns: &[&'static str], cells: Vec<String>) -> Output {
    let facts: Vec<(&str, String)> = (columns.iter().copied().zip(cells))
        .filter(|(_, cell)| cell != NOTHING)
        .collect();
    titled(&type_word(type_name), &facts)
}

/// Several values: a table with their numbers, without the columns that hold nothing.
pub(crate) fn outputs<T: Record>(values: &[&T]) -> Output {
    let mut rows = Vec::new();
    for value in lists::rows(values) {
        rows.push(value.cells());
    }
    table(T::COLUMNS, &rows, values.len())
}

/// The first of `all` values.
fn table(columns: &[&str], rows: &[Vec<String>], all: usize) -> Output {
    let filled: Vec<usize> = (0..columns.len())
        .filter(|&column| {
            rows.iter()
                .any(|row| row.get(column).is_some_and(|cell| cell != NOTHING))
        })
        .collect();
    let heads = std::iter::once(String::new())
        .chain(filled.iter().map(|&column| columns[column].to_owned()));
    let lines = rows.iter().enumerate().map(|(index, row)| {
        let cells = filled.iter().filter_map(|&column| row.get(column));
        std::iter::once(index.to_string())
            .chain(cells.map(|cell| shortened(cell, WIDEST_CELL)))
            .collect()
    });
    let table = tabled(&heads.collect::<Vec<_>>(), &lines.collect::<Vec<_>>());
    lists::counted(table, rows.len(), all)
}

/// Gives types with [`Record`] their `Show`.
macro_rules! show_records {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::display::Show for $type {
            fn output(&self) -> $crate::display::Output {
                $crate::display::records::output(self)
            }

            fn outputs(values: &[&Self]) -> $crate::display::Output {
                $crate::display::records::outputs(values)
            }
        }
    )+};
}

/// Gives types whose `Debug` names their fields a `Show` of these.
macro_rules! show_fields {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::display::Show for $type {
            fn output(&self) -> $crate::display::Output {
                $crate::display::fields::output(self)
            }

            fn outputs(values: &[&Self]) -> $crate::display::Output {
                $crate::display::fields::outputs(values)
            }
        }
    )+};
}

pub(crate) use {show_fields, show_records};

/// `1,234,567` for a count.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    let digits = number
        .try_into()
        .map_or_else(|_| String::new(), |number: u64| number.to_string());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with five digits that count, and no more behind the point than it has.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || (value.fract() == 0.0 && value.abs() < 1e15) {
        return value.to_string();
    }
    let before = value.abs().log10().floor();
    if !(-5.0..15.0).contains(&before) {
        return format!("{value:.4e}");
    }
    let behind = (4.0 - before).max(0.0);
    let text = format!("{value:.*}", behind as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A number that may be none.
pub(crate) fn perhaps(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::Show;

    struct Tree {
        height: f64,
        name: Option<&'static str>,
    }

    impl Record for Tree {
        const COLUMNS: &'static [&'static str] = &["height", "name", "age"];

        fn cells(&self) -> Vec<String> {
            let name = self.name.unwrap_or(NOTHING);
            vec![number(self.height), name.to_owned(), NOTHING.to_owned()]
        }
    }

    show_records!(Tree);

    fn trees(number: usize) -> Vec<Tree> {
        let tree = |index| Tree {
            height: index as f64 + 0.5,
            name: (index == 1).then_some("<oak>"),
        };
        (0..number).map(tree).collect()
    }

    #[test]
    fn one_is_a_list_of_facts_and_several_are_a_table() {
        let all = trees(2);
        assert_eq!(all[0].output().text, "Tree\n  height  0.5");
        let output = all.output();
        assert_eq!(
            output.text,
            "   height  name\n0     0.5  –\n1     1.5  <oak>"
        );
        assert!(output.html.is_some_and(|html| html.contains("&lt;oak&gt;")));
        assert_eq!(all[..1].output().text, "   height\n0     0.5");
        assert_eq!(Some(&all[1]).output().text, all[1].output().text);
        assert_eq!(all.iter().output().text, all.output().text);
        assert_eq!(
            all.iter().collect::<Vec<_>>().output().text,
            all.output().text
        );
        assert_eq!(
            all.iter()
                .map(Some)
                .collect::<Vec<_>>()
                .output()
                .text
                .lines()
                .count(),
            5
        );
    }

    #[test]
    fn of_many_a_screen_is_shown_and_the_rest_counted() {
        let output = trees(1_000).output();
        assert_eq!(output.text.lines().count(), 22, "{}", output.text);
        assert!(
            output
                .text
                .ends_with("… 980 more of 1,000: `&value[20..40]` shows the next"),
            "{}",
            output.text
        );
        assert!(output.html.is_some_and(|html| html.contains("… 980 more")));
    }

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (3.0, "3"),
            (-1.5, "-1.5"),
            (0.123_456, "0.12346"),
            (1234.567, "1234.6"),
            (123_456.7, "123457"),
            (1e-9, "1.0000e-9"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(count(1_234_567_usize), "1,234,567");
        assert_eq!(count(12_u64), "12");
    }
}
