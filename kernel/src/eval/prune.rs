//! Which earlier items a cell does not need.
//!
//! evcxr writes every item of the session into every cell, and the compiler checks them all again. An item that the
//! cell does not mention, nor anything that it mentions, cannot change what the cell does; each was checked when it was
//! defined. In doubt an item stays, and when the cell does not compile, `swath-cell` compiles all of it again, so that
//! an error is never one of a missing item.

use std::collections::BTreeSet;

use ra_ap_syntax::{SyntaxKind, SyntaxNode};
use unicode_normalization::char::is_combining_mark;

use super::split::normalized;

/// What ties an item to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// Names by which others can mean the item; for a trait also its methods.
    names: BTreeSet<String>,
    /// All words of the item, inside macros and strings too.
    words: BTreeSet<String>,
    /// The words of an `impl` block's header.
    header: Option<BTreeSet<String>>,
    /// Whether attributes may define more names, which begin with the item's own.
    has_attributes: bool,
    /// Whether the item does something without being mentioned.
    always: bool,
    /// The functions, methods and macros that it defines.
    functions: BTreeSet<String>,
}

impl Links {
    pub(crate) fn of(text: &str) -> Self {
        let mut links = Self {
            words: words(text),
            functions: functions(text),
            ..Self::default()
        };
        let file = crate::parse::source(text).syntax_node();
        let mut items = file
            .children()
            .filter(|node| node.kind() != SyntaxKind::ERROR);
        let (Some(item), None) = (items.next(), items.next()) else {
            links.always = true;
            return links;
        };
        links.has_attributes = text.contains("#[");
        match item.kind() {
            SyntaxKind::IMPL => {
                let body = item
                    .children()
                    .find(|child| child.kind() == SyntaxKind::ASSOC_ITEM_LIST);
                let length = body.map_or(text.len(), |body| usize::from(body.text_range().start()));
                links.header = Some(words(text.get(..length).unwrap_or(text)));
            }
            SyntaxKind::STRUCT | SyntaxKind::ENUM | SyntaxKind::UNION | SyntaxKind::TYPE_ALIAS => {
                links.names.extend(own_name(&item));
            }
            SyntaxKind::TRAIT => {
                links.names.extend(own_name(&item));
                let members = item.children().flat_map(|list| list.children());
                links
                    .names
                    .extend(members.filter_map(|member| own_name(&member)));
            }
            // One with an `impl` inside can change other types, one with a macro inside can define names.
            SyntaxKind::FN | SyntaxKind::CONST | SyntaxKind::STATIC | SyntaxKind::MODULE => {
                links.names.extend(own_name(&item));
                let acts = [
                    "impl",
                    "macro_rules",
                    "no_mangle",
                    "export_name",
                    "used",
                    "link_section",
                ];
                links.always = links.names.contains("_")
                    || acts.iter().any(|word| links.words.contains(*word));
            }
            _ => links.always = true,
        }
        links.always |= links.names.is_empty() && links.header.is_none();
        links
    }

    /// Whether the item mentions one of these names.
    pub(crate) fn mentions(&self, names: &BTreeSet<String>) -> bool {
        !self.words.is_disjoint(names)
    }

    /// The names by which others can mean the item.
    pub(crate) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// All words of the item.
    pub(crate) fn words(&self) -> &BTreeSet<String> {
        &self.words
    }

    /// The words of an `impl` block's header.
    pub(crate) fn header(&self) -> Option<&BTreeSet<String>> {
        self.header.as_ref()
    }

    /// The functions, methods and macros that the item defines.
    pub(crate) fn functions(&self) -> &BTreeSet<String> {
        &self.functions
    }

    fn is_meant_by(&self, mentioned: &BTreeSet<String>) -> bool {
        self.names.iter().any(|name| {
            mentioned.contains(name)
                || (self.has_attributes && mentioned.iter().any(|word| is_made_of(word, name)))
        })
    }
}

/// Whether a derive may have made `word` of `name`: `NetRecord` of `Net`.
fn is_made_of(word: &str, name: &str) -> bool {
    word.strip_prefix(name)
        .is_some_and(|rest| !rest.starts_with(char::is_lowercase))
}

fn own_name(node: &SyntaxNode) -> Option<String> {
    node.children()
        .find(|child| child.kind() == SyntaxKind::NAME)
        .map(|name| name.text().to_string())
}

pub(crate) fn words(text: &str) -> BTreeSet<String> {
    all_words(text)
        .filter(|word| word.starts_with(|first: char| !first.is_ascii_digit()))
        .map(normalized)
        .collect()
}

fn all_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| {
        !(character.is_alphanumeric() || character == '_' || is_combining_mark(character))
    })
    .filter(|word| !word.is_empty())
}

fn functions(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = all_words(text).collect();
    words
        .windows(2)
        .filter(|pair| ["fn", "macro_rules"].contains(&pair[0]))
        .map(|pair| normalized(pair[1]))
        .collect()
}

/// The places in `items` of those that `code` does not need.
pub(crate) fn unneeded(items: &[&Links], code: &str) -> Vec<usize> {
    let mut mentioned = words(code);
    let mut kept = vec![false; items.len()];
    loop {
        let needed: Vec<usize> = (0..items.len())
            .filter(|&place| !kept[place] && is_needed(place, items, &kept, &mentioned))
            .collect();
        if needed.is_empty() {
            break;
        }
        for place in needed {
            kept[place] = true;
            mentioned.extend(items[place].words.iter().cloned());
        }
    }
    (0..items.len()).filter(|&place| !kept[place]).collect()
}

fn is_needed(place: usize, items: &[&Links], kept: &[bool], mentioned: &BTreeSet<String>) -> bool {
    let item = items[place];
    if item.always || item.is_meant_by(mentioned) {
        return true;
    }
    let Some(header) = &item.header else {
        return false;
    };
    // An `impl` goes with any type or trait of its header; one without a type of the session says nothing about itself.
    let mut subjects = (0..items.len())
        .filter(|&other| items[other].names.iter().any(|name| header.contains(name)))
        .peekable();
    subjects.peek().is_none() || subjects.any(|other| kept[other])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items that a cell gets, by their first lines' beginnings.
    fn kept<'a>(items: &[&'a str], code: &str) -> Vec<&'a str> {
        let links: Vec<Links> = items.iter().map(|text| Links::of(text)).collect();
        let left_out = unneeded(&links.iter().collect::<Vec<_>>(), code);
        (0..items.len())
            .filter(|place| !left_out.contains(place))
            .map(|place| items[place])
            .collect()
    }

    #[test]
    fn a_cell_gets_what_it_mentions_and_what_that_mentions() {
        let items = [
            "fn double(x: f64) -> f64 { twice(x) }",
            "fn twice(x: f64) -> f64 { 2.0 * x }",
            "fn other() {}",
            "struct Pair(f64, f64);",
            "impl Pair { fn sum(&self) -> f64 { self.0 + self.1 } }",
            "impl std::fmt::Display for Pair { }",
        ];
        assert_eq!(kept(&items, "double(1.0)"), items[..2]);
        assert_eq!(kept(&items, "take::<Pair>(\"p\")"), items[3..]);
        assert!(kept(&items, "1 + 1").is_empty());
        assert_eq!(
            kept(&items, r#"println!("{}", stringify!(other))"#),
            items[2..3]
        );
    }

    #[test]
    fn a_trait_comes_with_its_methods_and_its_impls() {
        let items = [
            "trait Area { fn area(&self) -> f64; }",
            "impl Area for f64 { fn area(&self) -> f64 { self * self } }",
            "impl<T> From<T> for Wrapper<T> { }",
        ];
        assert_eq!(kept(&items, "2.0_f64.area()"), items);
        assert_eq!(kept(&items, "2.0"), items[2..], "whose type nobody knows");
    }

    #[test]
    fn what_acts_without_being_mentioned_stays() {
        let items = [
            "macro_rules! seven { () => { seven_of() } }",
            "fn seven_of() -> u8 { 7 }",
            "use std::fmt::Write as _;",
            "fn hidden() { struct A; impl Clone for A { fn clone(&self) -> A { A } } }",
            "thread_local! { static X: u8 = 1; }",
            "extern \"C\" { fn abs(x: i32) -> i32; }",
            "const _: () = ();",
        ];
        assert_eq!(kept(&items, "1"), items);
    }

    #[test]
    fn names_that_a_derive_makes_keep_their_type() {
        let items = ["#[derive(Module)] struct Net { a: u8 }", "struct Netto;"];
        assert_eq!(kept(&items, "let record: NetRecord = load();"), items[..1]);
    }
}
