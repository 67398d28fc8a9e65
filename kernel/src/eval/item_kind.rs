//! What kind of item a piece of Rust is, and which names it defines.

use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxNode};

use super::split::{ItemKind, normalized};

/// The name spaces of Rust: items of one name stand side by side when theirs differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Namespace {
    Type,
    Value,
    Macro,
}

/// A name that an item defines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) namespace: Namespace,
    pub(crate) text: String,
}

impl Name {
    pub(crate) fn new(namespace: Namespace, text: &str) -> Self {
        Self {
            namespace,
            text: normalized(text),
        }
    }

    /// A name in each of these name spaces.
    pub(crate) fn in_all(namespaces: &[Namespace], text: &str) -> Vec<Self> {
        namespaces
            .iter()
            .map(|namespace| Self::new(*namespace, text))
            .collect()
    }
}

/// What a syntax node is as an item; `None` for a statement, calls of macros among them.
pub(crate) fn of(node: &SyntaxNode) -> Option<(ItemKind, Vec<Name>)> {
    use Namespace::{Macro, Type, Value};
    if ast::Attr::can_cast(node.kind()) {
        return Some((ItemKind::Attribute, Vec::new()));
    }
    let named = |item: &dyn HasName, namespaces: &[Namespace]| {
        item.name()
            .map_or_else(Vec::new, |name| Name::in_all(namespaces, name.text()))
    };
    Some(match ast::Item::cast(node.clone())? {
        ast::Item::Struct(item) => {
            let has_constructor =
                !matches!(item.field_list(), Some(ast::FieldList::RecordFieldList(_)));
            let namespaces: &[Namespace] = if has_constructor {
                &[Type, Value]
            } else {
                &[Type]
            };
            (ItemKind::Type, named(&item, namespaces))
        }
        ast::Item::Enum(item) => (ItemKind::Type, named(&item, &[Type])),
        ast::Item::Union(item) => (ItemKind::Type, named(&item, &[Type])),
        ast::Item::Trait(item) => (ItemKind::Type, named(&item, &[Type])),
        ast::Item::TypeAlias(item) => (ItemKind::Type, named(&item, &[Type])),
        ast::Item::Fn(item) if item.const_token().is_some() => {
            (ItemKind::ConstantFunction, named(&item, &[Value]))
        }
        ast::Item::Fn(item) => (ItemKind::Other, named(&item, &[Value])),
        ast::Item::Const(item) => (ItemKind::Constant, named(&item, &[Value])),
        ast::Item::Static(item) => (ItemKind::Static, named(&item, &[Value])),
        ast::Item::Module(item) => (ItemKind::Module, named(&item, &[Type])),
        ast::Item::MacroRules(item) => (ItemKind::MacroRules, named(&item, &[Macro])),
        ast::Item::MacroDef(item) => (ItemKind::MacroRules, named(&item, &[Macro])),
        ast::Item::Use(_) => (ItemKind::Use, Vec::new()),
        ast::Item::Impl(_) | ast::Item::ExternBlock(_) => (ItemKind::Unnamed, Vec::new()),
        ast::Item::ExternCrate(item) => {
            let name = item.rename().and_then(|rename| rename.name());
            let name = name.map(|name| name.text().to_string());
            let name = name.or_else(|| item.name_ref().map(|name| name.text().to_string()));
            let names = name.map_or_else(Vec::new, |name| Name::in_all(&[Type], &name));
            (ItemKind::Other, names)
        }
        ast::Item::MacroCall(_) => return None,
        _ => (ItemKind::Other, Vec::new()),
    })
}
