//! The items that cells have defined: which replace which, which change the layout of types, and where each comes from.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use ra_ap_syntax::ast::{self, HasName as _};
use ra_ap_syntax::{AstNode, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};
use swath_link::exchange::Erased;

use super::imports;
use super::item_kind::{Name, Namespace};
use super::macros;
use super::prune::{self, Links};
use super::source_map::CellSource;
use super::split::{Cell, ItemKind, Known, normalized};
use super::state::{self, Texts};

/// An item of some cell, as later cells are compiled with it.
#[derive(Clone, Debug)]
pub(crate) struct StoredItem {
    pub(crate) source: CellSource,
    /// Where it is in its cell.
    pub(crate) range: Range<usize>,
    pub(crate) kind: ItemKind,
    pub(crate) names: Vec<Name>,
    /// What is compiled. Of the length of `range` when nothing was taken out of it.
    pub(crate) text: String,
    pub(crate) links: Links,
    /// For an item without a name: what tells it from others.
    key: Option<Key>,
    /// The named item of the same cell that an item without a name stands behind: it goes with that one's definition.
    anchor: Option<Name>,
    /// What the layout of a type that mentions one of `defines` depends on.
    layout: Option<Layout>,
    /// Its statics.
    pub(crate) state: Option<State>,
}

impl StoredItem {
    /// Whether it gives a name its meaning.
    pub(crate) fn defines(&self, name: &str) -> bool {
        self.names.iter().any(|it| it.text == name)
    }
}

/// What tells two `impl` blocks (or other items without a name) apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    /// The tokens before the braces, or all of them.
    header: String,
    /// The names inside an inherent block; empty for all others.
    members: BTreeSet<String>,
    is_inherent: bool,
}

#[derive(Clone, Debug)]
struct Layout {
    defines: BTreeSet<String>,
    words: BTreeSet<String>,
    /// The tokens that count.
    tokens: String,
}

/// The statics of an item.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) texts: Texts,
    /// Whether the running process has an object that made them.
    pub(crate) made: bool,
}

/// All items of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct ItemStore {
    items: Vec<Arc<StoredItem>>,
    /// Numbers statics, for names that never come twice.
    last_state: u64,
}

/// What a cell's items do to those that are there.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// All items with which the cell is compiled: the earlier ones that stay, then its own.
    pub(crate) items: Vec<Arc<StoredItem>>,
    /// How many of `items` are earlier ones.
    pub(crate) earlier: usize,
    /// Names whose new definition may give other types a new layout or meaning.
    pub(crate) redefined: BTreeSet<String>,
    /// These and the names that depend on them.
    pub(crate) changed: BTreeSet<String>,
    /// What may hold values of changed types without naming them; `None` when nothing changes.
    pub(crate) erasing: Option<Erasing>,
    /// Whether any of the cell's items is of a kind that the structure of types can depend on.
    pub(crate) can_change_types: bool,
    /// What to tell about items that go without being replaced, and statics that begin anew.
    pub(crate) notes: Vec<String>,
}

/// Trait objects from which a value can be had back as what it was. When a definition changes, the identities of all types
/// of cells do (`Request::identity`), so that nobody gets it as a type of the new definition; what can no longer be had is
/// dropped and told, as far as its holder says what it is.
#[derive(Debug, Default)]
pub(crate) struct Erasing {
    /// Whether a changed type can be behind `dyn Error`.
    errors: bool,
    /// The session's own traits from which `Any` can be had.
    traits: BTreeSet<String>,
}

impl Erasing {
    /// Whether a type's text says that it can hold a value of any type. `parts` are the names of its parts.
    pub(crate) fn can_be_in(&self, type_name: &str, parts: Erased) -> bool {
        let is_error = [
            "::error::Error",
            "::io::Error",
            "anyhow::Error",
            "eyre::Report",
        ]
        .iter()
        .any(|name| type_name.contains(name));
        let is_any = type_name.contains("::any::Any");
        is_any
            || parts.any
            || (self.errors && (is_error || parts.error))
            || heads(type_name)
                .into_iter()
                .any(|head| self.traits.contains(head))
    }

    fn can_be_in_text(&self, words: &BTreeSet<String>) -> bool {
        words.contains("dyn")
            && (words.contains("Any")
                || (self.errors && words.contains("Error"))
                || words.iter().any(|word| self.traits.contains(word)))
    }
}

impl ItemStore {
    pub(crate) fn items(&self) -> &[Arc<StoredItem>] {
        &self.items
    }

    pub(crate) fn clear(&mut self) {
        // Numbers of statics go on: the old process may still be there.
        self.items.clear();
    }

    /// The names that these items define anew, with another text.
    pub(crate) fn redefined_by(&self, new: &[Arc<StoredItem>]) -> BTreeSet<String> {
        let redefined = |old: &Arc<StoredItem>| {
            let others = new.iter().filter(|new| new.text != old.text);
            let names = others.flat_map(|new| new.links.names().intersection(old.links.names()));
            names.cloned().collect::<Vec<_>>()
        };
        self.items.iter().flat_map(redefined).collect()
    }

    /// The process that had the statics is gone.
    pub(crate) fn forget_state(&mut self) {
        for item in &mut self.items {
            if item.state.is_some() {
                self.last_state += 1;
                remake(Arc::make_mut(item), self.last_state);
            }
        }
    }

    /// Takes over what a cell was compiled with. `was_compiled` says whether an item, by its place, was among it.
    pub(crate) fn replace(
        &mut self,
        items: &[Arc<StoredItem>],
        was_compiled: impl Fn(usize) -> bool,
    ) {
        self.items = items.to_vec();
        for (place, item) in self.items.iter_mut().enumerate() {
            let is_new = item.state.as_ref().is_some_and(|state| !state.made);
            if is_new
                && was_compiled(place)
                && let Some(state) = &mut Arc::make_mut(item).state
            {
                state.made = true;
            }
        }
    }

    /// How a cell must be read in this session.
    pub(crate) fn known(&self) -> Known {
        let mut known = Known {
            unknown_macros_make_items: true,
            ..Known::default()
        };
        for item in &self.items {
            if item.kind == ItemKind::MacroRules {
                for name in &item.names {
                    known
                        .macros
                        .insert(name.text.clone(), macros::shape_of_text(&item.text));
                }
            }
            let can_be_a_pattern = match item.kind {
                ItemKind::Constant | ItemKind::Static => true,
                ItemKind::Type => item
                    .names
                    .iter()
                    .any(|name| name.namespace == Namespace::Value),
                _ => false,
            };
            if can_be_a_pattern {
                known
                    .constants
                    .extend(item.names.iter().map(|name| name.text.clone()));
            }
        }
        known
    }

    /// What is there when a cell's items have taken their places.
    pub(crate) fn merge(&mut self, cell: &Cell, source: &CellSource) -> Merged {
        let new = self.new_items(cell, source);
        let mut merged = Merged::default();
        let mut replaced = Vec::new();
        for old in &self.items {
            match stays(old, &new) {
                Stays::Whole => merged.items.push(Arc::clone(old)),
                Stays::Without(members) => {
                    merged.items.push(Arc::new(without_members(old, &members)));
                }
                Stays::Not => replaced.push(Arc::clone(old)),
            }
        }
        self.let_go_of_anchored(&mut merged, &mut replaced, &new);
        merged.earlier = merged.items.len();
        self.find_changes(&mut merged, &replaced, &new);
        merged.can_change_types = new.iter().any(|item| item.layout.is_some());
        merged.items.extend(new.into_iter().map(Arc::new));
        merged
    }

    fn new_items(&mut self, cell: &Cell, source: &CellSource) -> Vec<StoredItem> {
        let mut anchor = None;
        let mut items = Vec::new();
        for item in &cell.items {
            let text = cell.item_text(item);
            let mut stored = StoredItem {
                source: source.clone(),
                range: item.range.clone(),
                kind: item.kind,
                names: item.names.clone(),
                text: text.to_owned(),
                links: Links::of(text),
                key: None,
                anchor: None,
                layout: None,
                state: None,
            };
            match item.kind {
                ItemKind::Use => {
                    items.extend(split_use(&stored));
                    continue;
                }
                ItemKind::MacroCall if !text.trim_end().ends_with([';', '}']) => {
                    stored.text.push(';');
                }
                _ => {}
            }
            if item.names.is_empty() || item.kind == ItemKind::MacroCall {
                stored.key = Some(key(text));
            }
            if item.kind == ItemKind::Unnamed {
                stored.anchor.clone_from(&anchor);
            }
            if let Some(name) = item.names.first() {
                anchor = Some(name.clone());
            }
            stored.layout = layout(&stored);
            if let Some(texts) = state::texts(text, self.last_state + 1) {
                self.last_state += 1;
                stored.state = Some(State { texts, made: false });
            }
            items.push(stored);
        }
        // Of two items of one name in one cell the compiler tells; of two imports the last one counts.
        items
    }

    /// Blocks that stood behind an item go with its old definition.
    fn let_go_of_anchored(
        &self,
        merged: &mut Merged,
        replaced: &mut Vec<Arc<StoredItem>>,
        new: &[StoredItem],
    ) {
        let goes = |item: &StoredItem, replaced: &[Arc<StoredItem>]| {
            item.anchor.as_ref().is_some_and(|anchor| {
                replaced.iter().any(|old| {
                    old.names.contains(anchor)
                        && !new.iter().any(|new| {
                            new.names.contains(anchor) && same_text(&new.text, &old.text)
                        })
                })
            })
        };
        let (gone, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut merged.items)
            .into_iter()
            .partition(|item| goes(item, replaced));
        merged.items = stay;
        for item in gone {
            if let (Some(key), Some(anchor)) = (&item.key, &item.anchor) {
                merged.notes.push(format!(
                    "`{}` of {} went with the old definition of `{}`",
                    key.header,
                    item.source.path(),
                    anchor.text
                ));
            }
            replaced.push(item);
        }
    }

    fn find_changes(
        &mut self,
        merged: &mut Merged,
        replaced: &[Arc<StoredItem>],
        new: &[StoredItem],
    ) {
        // The words of an `impl` block's header count only where cells have defined them.
        let defined: BTreeSet<String> = merged
            .items
            .iter()
            .chain(replaced)
            .flat_map(|item| &item.names)
            .chain(new.iter().flat_map(|item| &item.names))
            .map(|name| name.text.clone())
            .collect();
        for item in new {
            let Some(layout) = &item.layout else { continue };
            let same = |old: &Layout| old.tokens == layout.tokens;
            let mut earlier = replaced
                .iter()
                .chain(&merged.items)
                .filter(|old| old.kind == item.kind || !item.names.is_empty())
                .filter_map(|old| old.layout.as_ref())
                .filter(|old| !old.defines.is_disjoint(&layout.defines))
                .peekable();
            let is_same =
                item.kind != ItemKind::Unnamed && earlier.peek().is_some() && earlier.any(same);
            let is_same = is_same
                || (item.kind == ItemKind::Unnamed
                    && replaced
                        .iter()
                        .filter_map(|old| old.layout.as_ref())
                        .any(same));
            if !is_same {
                merged
                    .redefined
                    .extend(layout.defines.intersection(&defined).cloned());
            }
        }
        // Names that no earlier item defines or mentions change nothing.
        let known: BTreeSet<&String> = merged
            .items
            .iter()
            .chain(replaced)
            .filter_map(|item| item.layout.as_ref())
            .flat_map(|layout| layout.defines.iter().chain(&layout.words))
            .collect();
        merged.redefined.retain(|name| known.contains(name));
        let mut changed = merged.redefined.clone();
        loop {
            let more: Vec<String> = merged
                .items
                .iter()
                .chain(replaced)
                .filter_map(|item| item.layout.as_ref())
                .filter(|layout| !layout.words.is_disjoint(&changed))
                .flat_map(|layout| layout.defines.iter())
                .filter(|name| defined.contains(*name) && !changed.contains(*name))
                .cloned()
                .collect();
            if more.is_empty() {
                break;
            }
            changed.extend(more);
        }
        let all = || {
            merged
                .items
                .iter()
                .chain(replaced)
                .map(Arc::as_ref)
                .chain(new)
        };
        let erasing = (!changed.is_empty()).then(|| Erasing {
            errors: all().any(|item| {
                let words = item.links.words();
                words.contains("Error") && !words.is_disjoint(&changed)
            }),
            traits: all()
                .filter(|item| item.kind == ItemKind::Type && item.links.words().contains("Any"))
                .flat_map(|item| item.names.iter().map(|name| name.text.clone()))
                .collect(),
        });
        for item in &mut merged.items {
            let words = item.links.words();
            let depends = !words.is_disjoint(&changed);
            let erases = erasing
                .as_ref()
                .is_some_and(|erasing| erasing.can_be_in_text(words));
            let Some(state) = item
                .state
                .as_ref()
                .filter(|state| state.made && (depends || erases))
            else {
                continue;
            };
            let why = if depends {
                "what it is made of was defined anew"
            } else {
                "it may hold values of the earlier definition without naming their type"
            };
            merged.notes.push(format!(
                "`{}` begins anew: {why}",
                state.texts.names.join("`, `")
            ));
            self.last_state += 1;
            remake(Arc::make_mut(item), self.last_state);
        }
        merged.changed = changed;
        merged.erasing = erasing;
        merged.notes.extend(begun_again(replaced, new));
    }

    /// The places in `items` of the earlier ones that a cell does not need.
    pub(crate) fn unneeded(items: &[Arc<StoredItem>], earlier: usize, code: &str) -> Vec<usize> {
        let links: Vec<&Links> = items[..earlier].iter().map(|item| &item.links).collect();
        prune::unneeded(&links, code)
    }
}

/// What is said of statics that a cell defines again although cells may have put something into them.
fn begun_again(replaced: &[Arc<StoredItem>], new: &[StoredItem]) -> Option<String> {
    let states = |item: &StoredItem| item.state.clone().into_iter();
    let again: Vec<String> = replaced
        .iter()
        .flat_map(|item| states(item))
        .filter(|state| state.made)
        .flat_map(|state| state.texts.changing)
        .filter(|name| {
            new.iter()
                .flat_map(states)
                .any(|state| state.texts.names.contains(name))
        })
        .collect();
    let verb = if again.len() == 1 { "begins" } else { "begin" };
    (!again.is_empty()).then(|| {
        format!(
            "`{}` {verb} anew: this cell defines it again",
            again.join("`, `")
        )
    })
}

/// Gives an item's statics names that no object has.
fn remake(item: &mut StoredItem, number: u64) {
    item.state = state::texts(&item.text, number).map(|texts| State { texts, made: false });
}

enum Stays {
    Whole,
    /// Without these members of an `impl` block, which are defined anew.
    Without(BTreeSet<String>),
    Not,
}

fn stays(old: &StoredItem, new: &[StoredItem]) -> Stays {
    let is_replaced = new.iter().any(|new| {
        old.names.iter().any(|name| new.names.contains(name))
            || matches!((&old.key, &new.key), (Some(old), Some(new)) if old.header == new.header && (!old.is_inherent || old == new))
    });
    if is_replaced {
        return Stays::Not;
    }
    let Some(key) = old.key.as_ref().filter(|key| key.is_inherent) else {
        return Stays::Whole;
    };
    let again: BTreeSet<String> = new
        .iter()
        .filter_map(|new| new.key.as_ref())
        .filter(|new| new.header == key.header)
        .flat_map(|new| new.members.intersection(&key.members))
        .cloned()
        .collect();
    if again.is_empty() {
        Stays::Whole
    } else if again == key.members {
        Stays::Not
    } else {
        Stays::Without(again)
    }
}

/// The block with these members blanked; positions stay.
fn without_members(item: &StoredItem, members: &BTreeSet<String>) -> StoredItem {
    let mut shorter = item.clone();
    let file = crate::parse::source(&item.text).syntax_node();
    for (name, node) in impl_members(&file) {
        if members.contains(&name) {
            let range: Range<usize> = node.text_range().into();
            let blank: String = item.text[range.clone()]
                .bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
                .collect();
            shorter.text.replace_range(range, &blank);
        }
    }
    if let Some(key) = &mut shorter.key {
        key.members.retain(|name| !members.contains(name));
    }
    shorter.links = Links::of(&shorter.text);
    shorter.layout = layout(&shorter);
    shorter
}

fn impl_members(file: &SyntaxNode) -> Vec<(String, SyntaxNode)> {
    let block = file.descendants().find_map(ast::Impl::cast);
    let list = block.and_then(|block| block.assoc_item_list());
    list.into_iter()
        .flat_map(|list| list.assoc_items())
        .filter_map(|item| {
            let name = match &item {
                ast::AssocItem::Const(item) => item.name(),
                ast::AssocItem::Fn(item) => item.name(),
                ast::AssocItem::TypeAlias(item) => item.name(),
                ast::AssocItem::MacroCall(_) => None,
            };
            Some((normalized(name?.text()), item.syntax().clone()))
        })
        .collect()
}

fn split_use(whole: &StoredItem) -> Vec<StoredItem> {
    let parts = imports::imports(&whole.text);
    if parts.len() <= 1 && parts.first().is_none_or(|part| part.name.is_none()) {
        let mut item = whole.clone();
        item.key = Some(key(&whole.text));
        return vec![item];
    }
    let is_one = parts.len() == 1;
    parts
        .into_iter()
        .map(|part| {
            use Namespace::{Macro, Type, Value};
            let text = if is_one {
                whole.text.clone()
            } else {
                part.text
            };
            let mut item = StoredItem {
                links: Links::of(&text),
                key: part.name.is_none().then(|| key(&text)),
                names: part
                    .name
                    .map_or_else(Vec::new, |name| Name::in_all(&[Type, Value, Macro], &name)),
                text,
                ..whole.clone()
            };
            item.layout = layout(&item);
            item
        })
        .collect()
}

fn key(text: &str) -> Key {
    let file = crate::parse::source(text).syntax_node();
    let block = file.children().find_map(ast::Impl::cast);
    let list = block.as_ref().and_then(ast::Impl::assoc_item_list);
    let (Some(block), Some(list)) = (block, list) else {
        return Key {
            header: tokens(&file),
            members: BTreeSet::new(),
            is_inherent: false,
        };
    };
    let length = usize::from(list.syntax().text_range().start());
    let header = tokens_before(&file, length);
    let is_inherent = block.trait_().is_none();
    let members = if is_inherent {
        impl_members(&file)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    } else {
        BTreeSet::new()
    };
    Key {
        header,
        members,
        is_inherent,
    }
}

/// What a type's layout can depend on in an item; `None` when it is of a kind that no layout depends on.
fn layout(item: &StoredItem) -> Option<Layout> {
    let file = crate::parse::source(&item.text).syntax_node();
    let names = || item.names.iter().map(|name| name.text.clone()).collect();
    match item.kind {
        ItemKind::Type
        | ItemKind::Module
        | ItemKind::Constant
        | ItemKind::ConstantFunction
        | ItemKind::MacroRules
        | ItemKind::MacroCall
        | ItemKind::Use => Some(Layout {
            defines: names(),
            words: item.links.words().clone(),
            tokens: tokens(&file),
        }),
        // Only associated types and constants can be part of a type.
        ItemKind::Unnamed => {
            let members: Vec<SyntaxNode> = file
                .descendants()
                .find_map(ast::Impl::cast)?
                .assoc_item_list()?
                .assoc_items()
                .filter(|member| match member {
                    ast::AssocItem::Fn(function) => function.const_token().is_some(),
                    _ => true,
                })
                .map(|member| member.syntax().clone())
                .collect();
            if members.is_empty() {
                return None;
            }
            let header = item.links.header()?.clone();
            Some(Layout {
                words: members
                    .iter()
                    .flat_map(|member| prune::words(&member.to_string()))
                    .collect(),
                tokens: members.iter().map(tokens).collect::<Vec<_>>().join(" "),
                defines: header,
            })
        }
        ItemKind::Attribute | ItemKind::Static | ItemKind::Other => None,
    }
}

/// Whether two texts are the same but for comments and white space.
fn same_text(one: &str, other: &str) -> bool {
    let parsed = |text: &str| tokens(&crate::parse::source(text).syntax_node());
    one == other || parsed(one) == parsed(other)
}

fn tokens(node: &SyntaxNode) -> String {
    tokens_before(node, usize::MAX)
}

fn tokens_before(node: &SyntaxNode, end: usize) -> String {
    let mut text = String::new();
    for token in node
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
    {
        let is_outside = usize::from(token.text_range().start()) >= end;
        if token.kind().is_trivia() || is_outside || is_last_comma(&token) {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(token.text());
    }
    text
}

/// Whether a token is a comma before a closing brace, which means nothing.
fn is_last_comma(token: &SyntaxToken) -> bool {
    let next = || {
        std::iter::successors(token.next_token(), SyntaxToken::next_token)
            .find(|token| !token.kind().is_trivia())
    };
    token.kind() == SyntaxKind::COMMA
        && next().is_some_and(|next| next.kind() == SyntaxKind::R_CURLY)
}

/// The first words of the paths in a type's text: what a cell could have defined.
pub(crate) fn heads(type_name: &str) -> BTreeSet<&str> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    type_name
        .split(|character| !is_word(character))
        .filter(|word| !word.is_empty())
        .filter(|word| {
            let start = word.as_ptr() as usize - type_name.as_ptr() as usize;
            !type_name[..start].ends_with("::")
        })
        .collect()
}

#[cfg(test)]
mod tests;
