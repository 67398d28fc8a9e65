//! TOML with the place of every value: the file's, and those that `--set` puts in.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a line of the file, counted from 1.
    Line(usize),
    /// On the command line.
    Set(String),
}

/// A value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) data: Data,
    pub(super) place: Place,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Text(String),
    Whole(i128),
    Float(f64),
    Flag(bool),
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

/// Keys with their values. The key stands where its own place says.
pub(super) type Table = Vec<(String, Place, Node)>;

impl Node {
    /// The value as a person writes it, shortened.
    pub(super) fn shown(&self) -> String {
        match &self.data {
            Data::Text(text) => format!("{text:?}"),
            Data::Whole(number) => number.to_string(),
            Data::Float(number) => number.to_string(),
            Data::Flag(flag) => flag.to_string(),
            Data::Date(text) => text.clone(),
            Data::Table(_) => "a table".to_owned(),
            Data::List(items) => {
                let mut shown: Vec<String> = items.iter().take(4).map(Self::shown).collect();
                if items.len() > 4 {
                    shown.push("…".to_owned());
                }
                format!("[{}]", shown.join(", "))
            }
        }
    }
}

/// The line of a byte, counted from 1.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Reads a file.
pub(super) fn of_file(text: &str, problems: &mut Vec<Problem>) -> Table {
    // A mark that editors of other systems put before the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map(|span| line(text, span.start));
        problems.push(Problem {
            place: at.map(Place::Line),
            text: format!("this is no TOML: {}", error.message().trim_end()),
        });
    }
    let place = |span: std::ops::Range<usize>| Place::Line(line(text, span.start));
    of_table(table.into_inner(), &place)
}

/// Reads one `SECTION.KEY=VALUE`; a value that is no TOML is a text.
pub(super) fn of_set(given: &str, problems: &mut Vec<Problem>) -> Table {
    let place = Place::Set(given.to_owned());
    let wrong = |text: &str| Problem {
        place: Some(place.clone()),
        text: text.to_owned(),
    };
    let Some((key, value)) = given.split_once('=') else {
        problems.push(wrong("expected SECTION.KEY=VALUE, such as fit.epochs=3"));
        return Table::new();
    };
    let (key, value) = (key.trim(), value.trim());
    let is_bare = |part: &str| {
        !part.is_empty()
            && (part.chars()).all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
    };
    if key.split('.').count() != 2 || !key.split('.').all(is_bare) {
        problems.push(wrong("expected SECTION.KEY=VALUE, such as fit.epochs=3"));
        return Table::new();
    }
    let at = |_: std::ops::Range<usize>| place.clone();
    let typed = format!("{key} = {value}");
    if !value.contains('\n')
        && let Ok(table) = DeTable::parse(&typed)
    {
        return of_table(table.into_inner(), &at);
    }
    let text = Node {
        data: Data::Text(value.to_owned()),
        place: place.clone(),
    };
    let (section, key) = key.split_once('.').unwrap_or((key, ""));
    let inner = Node {
        data: Data::Table(vec![(key.to_owned(), place.clone(), text)]),
        place: place.clone(),
    };
    vec![(section.to_owned(), place.clone(), inner)]
}

/// Puts the values of `over` into `table`, in the place of those that are there.
pub(super) fn put(table: &mut Table, over: Table) {
    for (name, place, node) in over {
        match table.iter_mut().find(|(there, _, _)| *there == name) {
            Some((_, _, there)) => match (&mut there.data, node.data) {
                (Data::Table(inner), Data::Table(over)) => put(inner, over),
                (data, new) => {
                    *data = new;
                    there.place = node.place;
                }
            },
            None => table.push((name, place, node)),
        }
    }
}

fn of_table(table: DeTable<'_>, place: &impl Fn(std::ops::Range<usize>) -> Place) -> Table {
    let mut all: Vec<_> = table.into_iter().collect();
    all.sort_by_key(|(key, _)| key.span().start);
    all.into_iter()
        .map(|(key, value)| {
            let at = place(key.span());
            (key.into_inner().into_owned(), at, of_value(value, place))
        })
        .collect()
}

fn of_value(value: Spanned<DeValue<'_>>, place: &impl Fn(std::ops::Range<usize>) -> Place) -> Node {
    let at = place(value.span());
    let data = match value.into_inner() {
        DeValue::String(text) => Data::Text(text.into_owned()),
        DeValue::Integer(number) => {
            match i128::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Data::Whole(number),
                // Larger than anything that can be meant: no reader takes it.
                Err(_) => Data::Text(number.as_str().to_owned()),
            }
        }
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Data::Float(number),
            Err(_) => Data::Text(number.as_str().to_owned()),
        },
        DeValue::Boolean(flag) => Data::Flag(flag),
        DeValue::Datetime(date) => Data::Date(date.to_string()),
        DeValue::Array(items) => Data::List(
            items
                .into_iter()
                .map(|item| of_value(item, place))
                .collect(),
        ),
        DeValue::Table(table) => Data::Table(of_table(table, place)),
    };
    Node { data, place: at }
}
