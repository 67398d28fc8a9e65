//! The variables of the session.

use std::collections::{BTreeMap, BTreeSet};

use super::interface::Variable;
use super::items::heads;

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

    /// The variables whose type mentions one of these names at the beginning of a path.
    pub(crate) fn of_types(&self, types: &BTreeSet<String>) -> Vec<String> {
        self.iter()
            .filter(|variable| {
                heads(&variable.type_name)
                    .into_iter()
                    .any(|word| types.contains(word))
            })
            .map(|variable| variable.name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_a_type_are_found_by_the_paths_of_their_types() {
        let mut table = VariableTable::default();
        for (name, type_name) in [
            ("kept", "std::vec::Vec<Free>"),
            ("lost", "std::vec::Vec<std::option::Option<Outer>>"),
            ("inner", "module::Inner"),
        ] {
            table.insert(Variable {
                name: name.to_owned(),
                type_name: type_name.to_owned(),
                mutable: false,
                cell: 1,
            });
        }
        let changed = ["Outer", "Vec", "Inner", "module"]
            .map(str::to_owned)
            .into();
        assert_eq!(table.of_types(&changed), ["inner", "lost"]);
    }
}
