//! The statics of items: their state lives in the object of the cell that first made them.
//!
//! Every cell is compiled with the items that it needs, so a `static` among them would begin anew in each object. The
//! cell that defines it exports it under a name of its own instead, and every later one only declares it
//! (`unsafe extern "C" { safe static … }`), which the dynamic linker binds to the first. `thread_local!` keys are kept
//! the same way, through a static that holds the key.

use std::fmt::Write as _;
use std::ops::Range;

use ra_ap_syntax::ast::{self, HasName as _, HasVisibility as _};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode};
use swath_link::exchange::PRIMITIVES;

use super::macros;

/// The beginning of the names under which statics are exported.
pub(crate) const SYMBOL: &str = "__swath_state_";

/// Has the cells' process make the object's symbols known to later objects.
pub(crate) const GLOBAL: &str = "#[unsafe(no_mangle)] pub static __SWATH_GLOBAL: u8 = 1;\n";

/// An item's text as it makes its statics, and as it finds them again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) making: String,
    pub(crate) finding: String,
    /// The names of the statics.
    pub(crate) names: Vec<String>,
    /// Those of them that may hold more than they were made with.
    pub(crate) changing: Vec<String>,
}

struct Edit {
    range: Range<usize>,
    making: String,
    finding: String,
    /// Whether the value may change: `mut`, or a type that is not known to be without interior mutability.
    is_changing: bool,
}

/// Words of types whose values no shared reference changes.
const FIXED: [&str; 5] = ["static", "String", "Vec", "Option", "Box"];

/// Whether a type's text names nothing but such types.
fn is_fixed(of_type: &str) -> bool {
    of_type
        .split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .all(|word| {
            FIXED.contains(&word)
                || PRIMITIVES.contains(&word)
                || word.is_empty()
                || word.starts_with(|first: char| first.is_ascii_digit())
        })
}

/// Both texts of an item with statics; `None` for one without. `number` tells this item's statics from all others.
pub(crate) fn texts(item: &str, number: u64) -> Option<Texts> {
    if !item.contains("static") {
        return None;
    }
    let file = crate::parse::source(item).syntax_node();
    let mut edits = Vec::new();
    let mut names = Vec::new();
    let mut changing = Vec::new();
    for node in file.descendants() {
        let symbol = format!("{SYMBOL}{number}_{}", names.len());
        let found = if let Some(item) = ast::Static::cast(node.clone()) {
            plain(&item, &symbol)
        } else if let Some(call) = ast::MacroCall::cast(node) {
            keys(&call, &symbol)
        } else {
            None
        };
        if let Some((edit, name)) = found {
            changing.extend(edit.is_changing.then(|| name.clone()));
            edits.push(edit);
            names.push(name);
        }
    }
    let (first, rest) = (edits.first()?, &edits[1..]);
    debug_assert!(rest.iter().all(|edit| edit.range.start >= first.range.end));
    Some(Texts {
        making: edited(item, &edits, |edit| &edit.making),
        finding: edited(item, &edits, |edit| &edit.finding),
        names,
        changing,
    })
}

fn edited(item: &str, edits: &[Edit], choose: impl Fn(&Edit) -> &str) -> String {
    let mut text = item.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.range.clone(), choose(edit));
    }
    text
}

fn range(node: &SyntaxNode) -> Range<usize> {
    node.text_range().into()
}

/// As many line ends as the text has, so that what follows keeps its line.
fn lines_of(text: &str) -> String {
    "\n".repeat(text.matches('\n').count())
}

fn plain(item: &ast::Static, symbol: &str) -> Option<(Edit, String)> {
    // A declaration without a value is somebody else's static already.
    item.body()?;
    let is_exported = item.syntax().text().to_string().contains("export_name")
        || item.syntax().text().to_string().contains("no_mangle");
    if is_exported {
        return None;
    }
    let name = item.name()?.text().to_string();
    let of_type = with_lifetimes(item.ty()?.syntax());
    let visibility = item
        .visibility()
        .map_or_else(String::new, |it| format!("{} ", it.syntax()));
    let whole = item.syntax().text().to_string();
    let safety = if item.mut_token().is_some() {
        ""
    } else {
        "safe "
    };
    let mutable = if item.mut_token().is_some() {
        "mut "
    } else {
        ""
    };
    // The attribute comes behind the item's own, before its visibility.
    let start: usize = item
        .visibility()
        .map(|it| it.syntax().text_range().start())
        .or_else(|| item.static_token().map(|it| it.text_range().start()))?
        .into();
    let offset = start - usize::from(item.syntax().text_range().start());
    let making = format!(
        "{}#[unsafe(export_name = \"{symbol}\")] {}",
        &whole[..offset],
        &whole[offset..]
    );
    let finding = format!(
        "unsafe extern \"C\" {{ #[link_name = \"{symbol}\"] {visibility}{safety}static {mutable}{name}: {of_type}; }}{}",
        lines_of(&whole)
            .get(lines_of(&of_type).len()..)
            .unwrap_or_default()
    );
    let edit = Edit {
        range: range(item.syntax()),
        making,
        finding,
        is_changing: item.mut_token().is_some() || !is_fixed(&of_type),
    };
    Some((edit, name))
}

/// A type of a static as a declaration needs it: references that have no lifetime there are `'static`.
fn with_lifetimes(of_type: &SyntaxNode) -> String {
    let start = of_type.text_range().start();
    let is_higher_ranked = |node: &SyntaxNode| {
        node.ancestors()
            .take_while(|ancestor| ancestor != of_type)
            .any(|ancestor| {
                matches!(
                    ancestor.kind(),
                    SyntaxKind::FN_PTR_TYPE
                        | SyntaxKind::PARAM_LIST
                        | SyntaxKind::RET_TYPE
                        | SyntaxKind::PARENTHESIZED_ARG_LIST
                )
            })
    };
    let mut places: Vec<usize> = of_type
        .descendants()
        .filter_map(ast::RefType::cast)
        .filter(|reference| reference.lifetime().is_none() && !is_higher_ranked(reference.syntax()))
        .filter_map(|reference| {
            Some(usize::from(
                reference.amp_token()?.text_range().end() - start,
            ))
        })
        .collect();
    places.sort_unstable();
    let mut text = of_type.to_string();
    for place in places.into_iter().rev() {
        text.insert_str(place, "'static ");
    }
    text
}

/// `thread_local! { static NAME: T = …; }`
fn keys(call: &ast::MacroCall, symbol: &str) -> Option<(Edit, String)> {
    if macros::name(call) != "thread_local" {
        return None;
    }
    let tree = call.token_tree()?.syntax().to_string();
    let inner = tree.get(1..tree.len().checked_sub(1)?)?;
    let file = crate::parse::source(inner).syntax_node();
    let mut making = call.syntax().to_string();
    if !making.ends_with(';') && call.token_tree()?.l_curly_token().is_none() {
        making.push(';');
    }
    let mut finding = String::new();
    let mut names = Vec::new();
    for (index, key) in file.children().filter_map(ast::Static::cast).enumerate() {
        let name = key.name()?.text().to_string();
        let of_type = with_lifetimes(key.ty()?.syntax());
        let visibility = key
            .visibility()
            .map_or_else(String::new, |it| format!("{} ", it.syntax()));
        let _ = write!(
            making,
            " #[unsafe(export_name = \"{symbol}_{index}\")] static __SWATH_KEY_{name}: ::std::thread::LocalKey<{of_type}> = {name};"
        );
        let _ = write!(
            finding,
            "unsafe extern \"C\" {{ #[link_name = \"{symbol}_{index}\"] {visibility}safe static {name}: ::std::thread::LocalKey<{of_type}>; }} "
        );
        names.push(name);
    }
    let missing = call
        .syntax()
        .to_string()
        .matches('\n')
        .count()
        .saturating_sub(finding.matches('\n').count());
    finding.push_str(&"\n".repeat(missing));
    let name = names.first()?.clone();
    let edit = Edit {
        range: range(call.syntax()),
        making,
        finding,
        is_changing: true,
    };
    Some((
        edit,
        names.get(1..).map_or(name.clone(), |rest| {
            std::iter::once(&name)
                .chain(rest)
                .cloned()
                .collect::<Vec<_>>()
                .join("`, `")
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_is_made_once_and_found_again() {
        let both = texts(
            "/// Counts.\npub static COUNT: AtomicUsize = AtomicUsize::new(0);",
            3,
        )
        .unwrap();
        assert_eq!(
            both.making,
            "/// Counts.\n#[unsafe(export_name = \"__swath_state_3_0\")] pub static COUNT: AtomicUsize = AtomicUsize::new(0);"
        );
        assert_eq!(
            both.finding,
            "unsafe extern \"C\" { #[link_name = \"__swath_state_3_0\"] pub safe static COUNT: AtomicUsize; }\n"
        );
        assert_eq!(both.names, ["COUNT"]);
        assert_eq!(both.changing, ["COUNT"]);
        assert!(texts("unsafe extern \"C\" { static environ: usize; }", 1).is_none());
    }

    #[test]
    fn statics_inside_functions_and_modules_are_found() {
        let both = texts("fn next() -> usize { static N: AtomicUsize = AtomicUsize::new(0); static mut M: u8 = 1; 0 }", 1).unwrap();
        assert_eq!(both.names, ["N", "M"]);
        assert!(
            both.finding.contains("safe static N: AtomicUsize;")
                && both.finding.contains("] static mut M: u8;")
        );
        assert!(texts("fn f() -> &'static str { \"\" }", 1).is_none());
        let names = "static NAMES: [(&str, u8); 2] = x; static A: Option<Limit> = x; static F: std::cell::OnceCell<u8> = x;";
        assert_eq!(texts(names, 1).unwrap().changing, ["A", "F"]);
    }

    #[test]
    fn references_of_a_declaration_get_the_lifetime_that_a_static_gives_them() {
        for (text, wanted) in [
            ("static A: &str = \"\";", "safe static A: &'static str;"),
            (
                "static A: [(&u8, &'static [&str]); 1] = x;",
                "safe static A: [(&'static u8, &'static [&'static str]); 1];",
            ),
            (
                "static A: Mutex<Box<dyn Fn(&str) -> &str + Send>> = x;",
                "safe static A: Mutex<Box<dyn Fn(&str) -> &str + Send>>;",
            ),
            (
                "static A: &fn(&u8) = x;",
                "safe static A: &'static fn(&u8);",
            ),
        ] {
            let finding = texts(text, 1).unwrap().finding;
            assert!(finding.contains(wanted), "{finding}");
        }
    }

    #[test]
    fn keys_of_threads_are_exported_by_a_static() {
        let both = texts("thread_local! { static A: Cell<u8> = const { Cell::new(1) };\n pub static B: u8 = 2; }", 2).unwrap();
        assert!(
            both.making
                .contains("static __SWATH_KEY_B: ::std::thread::LocalKey<u8> = B;")
        );
        assert!(
            both.finding
                .contains("safe static A: ::std::thread::LocalKey<Cell<u8>>;")
        );
        assert_eq!(both.finding.matches('\n').count(), 1);
    }
}
