//! The items of the session as rust-analyzer reads them: each name once, the newest.

use std::collections::BTreeSet;

use ra_ap_syntax::ast::{self, HasModuleItem as _, HasName as _, HasVisibility as _};
use ra_ap_syntax::{AstNode as _, Edition, SourceFile};

/// One item. A `use` of several names is as many items.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: Option<String>,
    /// The name before an item without one: redefining it takes this one away too, as evcxr does.
    belongs_to: Option<String>,
    text: String,
    is_macro: bool,
}

/// What the session has defined.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items(Vec<Entry>);

impl Items {
    /// Takes over a cell's items in place of earlier ones of the same names.
    pub(crate) fn learn(&mut self, code: &str) {
        let new = entries(code);
        let names: BTreeSet<String> = new.iter().filter_map(|entry| entry.name.clone()).collect();
        let is_named = |name: &Option<String>| name.as_ref().is_some_and(|it| names.contains(it));
        self.0.retain(|old| {
            !is_named(&old.name)
                && !is_named(&old.belongs_to)
                && !new.iter().any(|entry| entry.text == old.text)
        });
        self.0.extend(new);
    }

    /// All of them as a file; macros come first, since only what follows a macro can call it.
    pub(crate) fn text(&self) -> String {
        let macros = self.0.iter().filter(|entry| entry.is_macro);
        let others = self.0.iter().filter(|entry| !entry.is_macro);
        macros
            .chain(others)
            .fold(String::new(), |text, entry| text + &entry.text + "\n")
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

fn entries(code: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for item in SourceFile::parse(code, Edition::Edition2024).tree().items() {
        if let ast::Item::Use(item) = &item {
            entries.extend(uses(item));
            continue;
        }
        let name = name_of(&item);
        let last_name = || entries.iter().rev().find_map(|entry| entry.name.clone());
        entries.push(Entry {
            belongs_to: name.is_none().then(last_name).flatten(),
            text: item.syntax().text().to_string(),
            is_macro: matches!(item, ast::Item::MacroRules(_) | ast::Item::MacroDef(_)),
            name,
        });
    }
    entries
}

fn name_of(item: &ast::Item) -> Option<String> {
    let name = match item {
        ast::Item::Const(item) => item.name(),
        ast::Item::Enum(item) => item.name(),
        ast::Item::Fn(item) => item.name(),
        ast::Item::MacroDef(item) => item.name(),
        ast::Item::MacroRules(item) => item.name(),
        ast::Item::Module(item) => item.name(),
        ast::Item::Static(item) => item.name(),
        ast::Item::Struct(item) => item.name(),
        ast::Item::Trait(item) => item.name(),
        ast::Item::TypeAlias(item) => item.name(),
        ast::Item::Union(item) => item.name(),
        _ => None,
    };
    name.map(|name| name.text().to_string())
}

/// `use a::{b, c as d};` as `use a::b;` and `use a::c as d;`, each with the name that it brings.
fn uses(item: &ast::Use) -> Vec<Entry> {
    let visibility = item
        .visibility()
        .map_or(String::new(), |it| format!("{} ", it.syntax().text()));
    let mut found = Vec::new();
    if let Some(tree) = item.use_tree() {
        flatten(&tree, "", &mut found);
    }
    found
        .into_iter()
        .map(|(name, path)| Entry {
            name,
            belongs_to: None,
            text: format!("{visibility}use {path};"),
            is_macro: false,
        })
        .collect()
}

fn flatten(tree: &ast::UseTree, before: &str, found: &mut Vec<(Option<String>, String)>) {
    let own = tree
        .path()
        .map_or(String::new(), |path| path.syntax().text().to_string());
    let separator = if before.is_empty() || own.is_empty() {
        ""
    } else {
        "::"
    };
    let path = format!("{before}{separator}{own}");
    if let Some(list) = tree.use_tree_list() {
        // `use ::{a, b}` begins with the colons.
        let path = if own.is_empty() && tree.coloncolon_token().is_some() && before.is_empty() {
            "::"
        } else {
            &path
        };
        for inner in list.use_trees() {
            flatten(&inner, path.trim_end_matches("::"), found);
        }
    } else if tree.star_token().is_some() {
        found.push((None, format!("{path}::*")));
    } else if let Some(rename) = tree.rename() {
        let name = rename.name().map(|name| name.text().to_string());
        let shown = name.as_deref().unwrap_or("_");
        let text = format!("{} as {shown}", path.trim_end_matches("::self"));
        found.push((name.filter(|name| name != "_"), text));
    } else {
        let path = path.strip_suffix("::self").unwrap_or(&path);
        let name = path.rsplit("::").next().unwrap_or(path).trim().to_owned();
        found.push((Some(name), path.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(cells: &[&str]) -> String {
        let mut items = Items::default();
        for cell in cells {
            items.learn(cell);
        }
        items.text()
    }

    #[test]
    fn a_new_definition_takes_the_place_of_the_old_one_and_of_what_stood_with_it() {
        assert_eq!(
            after(&["fn a() {}", "fn b() {}", "fn a() -> u8 { 1 }"]),
            "fn b() {}\nfn a() -> u8 { 1 }\n"
        );
        assert_eq!(
            after(&["struct A;\nimpl A { fn b() {} }", "struct A(u8);"]),
            "struct A(u8);\n"
        );
        let apart = [
            "struct A;",
            "const __SWATH_IMPL_1: () = ();\nimpl A { fn b() {} }",
            "struct A(u8);",
        ];
        assert!(after(&apart).contains("impl A { fn b() {} }"));
        let again = [
            "const __SWATH_IMPL_1: () = ();\nimpl A { fn b() {} }",
            "const __SWATH_IMPL_1: () = ();\nimpl A { fn c() {} }",
        ];
        assert!(!after(&again).contains("fn b"));
        assert_eq!(after(&["make!(A);", "make!(A);"]), "make!(A);\n");
    }

    #[test]
    fn imports_are_told_apart_by_the_names_that_they_bring() {
        assert_eq!(
            after(&[
                "use std::{fmt::{self, Debug as Shown}, io::Write as _, path::*};",
                "use other::Shown;"
            ]),
            "use std::fmt;\nuse std::io::Write as _;\nuse std::path::*;\nuse other::Shown;\n"
        );
        assert_eq!(after(&["pub use ::a::b;", "fn b() {}"]), "fn b() {}\n");
        assert_eq!(after(&["use ::{a, b::c};"]), "use ::a;\nuse ::b::c;\n");
        assert_eq!(
            after(&["use std::fmt::{self as shown};"]),
            "use std::fmt as shown;\n"
        );
    }

    #[test]
    fn macros_come_before_what_may_call_them() {
        assert_eq!(
            after(&["fn a() { b!() }", "macro_rules! b { () => {} }"]),
            "macro_rules! b { () => {} }\nfn a() { b!() }\n"
        );
    }
}
