//! The variables of the session, and what a redefined type does to them.

use std::collections::{BTreeMap, BTreeSet};

use super::interface::Variable;

/// Name, type and mutability of every variable that a cell can use. The values are in the child.
#[derive(Clone, Debug, Default)]
pub(crate) struct VariableTable {
    by_name: BTreeMap<String, Variable>,
}

impl VariableTable {
    pub(crate) fn insert(&mut self, variable: Variable) {
        self.by_name.insert(variable.name.clone(), variable);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.by_name.values()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.by_name.get(name)
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    /// Forgets every variable that `keep` does not name; returns their names.
    pub(crate) fn retain(&mut self, keep: &BTreeSet<String>) -> Vec<String> {
        let gone = self
            .by_name
            .keys()
            .filter(|name| !keep.contains(*name))
            .cloned()
            .collect();
        self.by_name.retain(|name, _| keep.contains(name));
        gone
    }

    /// Forgets every variable; returns their names.
    pub(crate) fn clear(&mut self) -> Vec<String> {
        std::mem::take(&mut self.by_name).into_keys().collect()
    }

    /// The variables whose type mentions one of these type names.
    pub(crate) fn of_types(&self, types: &BTreeSet<String>) -> Vec<String> {
        self.iter()
            .filter(|variable| words(&variable.type_name).any(|word| types.contains(word)))
            .map(|variable| variable.name.clone())
            .collect()
    }
}

/// The texts of the types and traits that cells have defined.
#[derive(Debug, Default)]
pub(crate) struct TypeTexts {
    by_name: BTreeMap<String, String>,
}

impl TypeTexts {
    /// The types that new definitions change: those whose text differs, and all that are made of them. The layout of
    /// a value of any of these may differ, although the compiler gives the type the same identity.
    pub(crate) fn changed_by<'a>(
        &self,
        definitions: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> BTreeSet<String> {
        let mut changed: BTreeSet<String> = definitions
            .filter(|(name, text)| {
                self.by_name
                    .get(*name)
                    .is_some_and(|old| !same_text(old, text))
            })
            .map(|(name, _)| name.to_owned())
            .collect();
        loop {
            let more: Vec<String> = self
                .by_name
                .iter()
                .filter(|(name, text)| {
                    !changed.contains(*name) && words(text).any(|word| changed.contains(word))
                })
                .map(|(name, _)| name.clone())
                .collect();
            if changed.is_empty() || more.is_empty() {
                return changed;
            }
            changed.extend(more);
        }
    }

    pub(crate) fn define<'a>(&mut self, definitions: impl Iterator<Item = (&'a str, &'a str)>) {
        self.by_name
            .extend(definitions.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    pub(crate) fn clear(&mut self) {
        self.by_name.clear();
    }
}

/// Whether two definitions are the same but for comments and white space.
fn same_text(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace()) || tokens(one) == tokens(other)
}

fn tokens(text: &str) -> Vec<String> {
    crate::parse::source(text)
        .syntax_node()
        .descendants_with_tokens()
        .filter_map(ra_ap_syntax::NodeOrToken::into_token)
        .filter(|token| !token.kind().is_trivia())
        .map(|token| token.text().to_owned())
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, type_name: &str) -> Variable {
        Variable {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            mutable: false,
            cell: 1,
        }
    }

    #[test]
    fn a_redefined_type_takes_with_it_what_is_made_of_it() {
        let mut texts = TypeTexts::default();
        texts.define(
            [
                ("Inner", "struct Inner { x: i32 }"),
                ("Outer", "struct Outer(Inner);"),
                ("Free", "struct Free;"),
            ]
            .into_iter(),
        );
        assert!(
            texts
                .changed_by([("Inner", "struct Inner {\n  x: i32 }")].into_iter())
                .is_empty(),
            "the same text"
        );
        assert!(
            texts
                .changed_by(
                    [(
                        "Inner",
                        "// no change\nstruct Inner /* of */ { x: i32 } // at all"
                    )]
                    .into_iter()
                )
                .is_empty(),
            "the same but for comments"
        );
        let changed = texts.changed_by([("Inner", "struct Inner { x: u64 }")].into_iter());
        assert_eq!(
            changed,
            BTreeSet::from(["Inner".to_owned(), "Outer".to_owned()])
        );

        let mut table = VariableTable::default();
        table.insert(variable("kept", "Free"));
        table.insert(variable(
            "lost",
            "std::vec::Vec<std::option::Option<Outer>>",
        ));
        assert_eq!(table.of_types(&changed), ["lost"]);
    }
}
