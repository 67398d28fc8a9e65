//! Takes `use` apart into one import for each name, so that a later cell can replace one name and leave the others.

use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasAttrs as _, HasName as _, HasVisibility as _};

use super::split::normalized;

/// One name that a `use` brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// `None` for `*` and for `as _`.
    pub(crate) name: Option<String>,
    /// A `use` of this name alone.
    pub(crate) text: String,
}

/// The imports of a `use`, in their order; none when it is not one.
pub(crate) fn imports(text: &str) -> Vec<Import> {
    let file = crate::parse::source(text).syntax_node();
    let Some(item) = file.children().find_map(ast::Use::cast) else {
        return Vec::new();
    };
    let mut head = String::new();
    for attribute in item.attrs() {
        head.push_str(&attribute.syntax().to_string());
        head.push(' ');
    }
    if let Some(visibility) = item.visibility() {
        head.push_str(&visibility.syntax().to_string());
        head.push(' ');
    }
    let mut found = Vec::new();
    if let Some(tree) = item.use_tree() {
        add(&tree, "", &head, &mut found);
    }
    found
}

fn add(tree: &ast::UseTree, prefix: &str, head: &str, found: &mut Vec<Import>) {
    let own = tree.path().map(|path| path.syntax().to_string());
    let begins_at_the_root =
        own.is_none() && tree.coloncolon_token().is_some() && prefix.is_empty();
    let path = match &own {
        Some(own) if prefix.is_empty() => own.clone(),
        Some(own) => format!("{prefix}::{own}"),
        None if begins_at_the_root => "::".to_owned(),
        None => prefix.to_owned(),
    };
    if let Some(list) = tree.use_tree_list() {
        let path = path.strip_suffix("::").unwrap_or(&path);
        for inner in list.use_trees() {
            add(&inner, path, head, found);
        }
        return;
    }
    if tree.star_token().is_some() {
        let text = if path.is_empty() {
            format!("{head}use *;")
        } else {
            format!("{head}use {path}::*;")
        };
        found.push(Import { name: None, text });
        return;
    }
    let rename = tree.rename();
    let is_hidden = rename
        .as_ref()
        .is_some_and(|it| it.underscore_token().is_some());
    let new_name = rename
        .and_then(|rename| rename.name())
        .map(|name| name.text().to_string());
    let (path, last) = match path.strip_suffix("::self") {
        // `self` means the module alone, which only braces can say.
        Some(parent) => {
            let last = parent.rsplit("::").next().unwrap_or(parent).trim();
            let inner = new_name
                .as_ref()
                .map_or_else(|| "self".to_owned(), |name| format!("self as {name}"));
            (format!("{parent}::{{{inner}}}"), last.to_owned())
        }
        None => {
            let last = path.rsplit("::").next().unwrap_or(&path).trim().to_owned();
            let suffix = if is_hidden {
                " as _".to_owned()
            } else {
                new_name
                    .as_ref()
                    .map_or_else(String::new, |name| format!(" as {name}"))
            };
            (format!("{path}{suffix}"), last)
        }
    };
    let name = (!is_hidden).then(|| normalized(&new_name.unwrap_or(last)));
    found.push(Import {
        name,
        text: format!("{head}use {path};"),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(Option<String>, String)> {
        imports(text)
            .into_iter()
            .map(|it| (it.name, it.text))
            .collect()
    }

    #[test]
    fn every_name_gets_a_use_of_its_own() {
        let some = |name: &str, text: &str| (Some(name.to_owned()), text.to_owned());
        assert_eq!(
            all(
                "use std::{fmt::{self, Write as _}, collections::{HashMap, BTreeMap as Map}, io::*};"
            ),
            [
                some("fmt", "use std::fmt::{self};"),
                (None, "use std::fmt::Write as _;".to_owned()),
                some("HashMap", "use std::collections::HashMap;"),
                some("Map", "use std::collections::BTreeMap as Map;"),
                (None, "use std::io::*;".to_owned()),
            ]
        );
        assert_eq!(all("use serde;"), [some("serde", "use serde;")]);
        assert_eq!(
            all("pub use a::{self as b};"),
            [some("b", "pub use a::{self as b};")]
        );
        assert_eq!(
            all("#[cfg(unix)] use ::std::os::fd::AsRawFd;"),
            [some("AsRawFd", "#[cfg(unix)] use ::std::os::fd::AsRawFd;")]
        );
        assert_eq!(all("use {std::fmt, std::io};").len(), 2);
        assert!(all("fn f() {}").is_empty());
    }
}
