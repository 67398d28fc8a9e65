//! Asks rust-analyzer, which is part of this program: its crates are built for evcxr anyway.

use ra_ap_ide::{
    Analysis, CallableSnippets, CompletionConfig, CompletionFieldsToResolve, CompletionItem,
    CompletionItemKind, FileId, FilePosition, FileRange, HoverConfig, HoverDocFormat,
    RaFixtureConfig, SubstTyLen, SymbolKind, TextRange, TextSize,
};
use ra_ap_ide_db::SnippetCap;
use ra_ap_ide_db::imports::insert_use::{ImportGranularity, InsertUseConfig};

use super::document::{Document, OWN};
use crate::eval::interface::{Completion, Completions, MimeBundle};

/// More candidates than anybody reads.
const MAX_MATCHES: usize = 400;

/// Somebody asks something newer, or has waited too long.
#[derive(Debug)]
pub(crate) struct Cancelled;

/// A state of all files, and the one that the question is about.
pub(crate) struct Snapshot {
    pub(crate) analysis: Analysis,
    pub(crate) file: FileId,
    pub(crate) document: Document,
}

impl Snapshot {
    /// What can stand at the cursor, best first.
    pub(crate) fn complete(&self) -> Result<Option<Completions>, Cancelled> {
        let position = FilePosition {
            file_id: self.file,
            offset: offset(self.document.cursor),
        };
        let found = self
            .analysis
            .completions(&completion_config(), position, None)
            .map_err(|_| Cancelled)?;
        Ok(self.choose(found.unwrap_or_default()))
    }

    fn choose(&self, mut items: Vec<CompletionItem>) -> Option<Completions> {
        items.retain(|item| self.fits(item));
        let range = items.first().map(|item| item.source_range)?;
        let is_blank = usize::from(range.start()) == self.document.cursor;
        // Where nothing is typed yet, a name of the cell comes before the hundreds of the library.
        let is_near = |item: &CompletionItem| is_blank && item.relevance.is_local;
        items.sort_by_cached_key(|item| {
            (
                !is_near(item),
                std::cmp::Reverse(item.relevance.score()),
                item.label.primary.clone(),
            )
        });
        let mut matches: Vec<Completion> = Vec::new();
        for item in items.iter().filter(|item| item.source_range == range) {
            let Some(text) = inserted(item) else { continue };
            if matches.iter().all(|known| known.text != text) {
                matches.push(Completion {
                    text,
                    label: item.label.primary.to_string(),
                    kind: jupyter_kind(item.kind).to_owned(),
                });
            }
            if matches.len() == MAX_MATCHES {
                break;
            }
        }
        let cell = self.document.in_cell(range.into())?;
        (!matches.is_empty()).then_some(Completions {
            matches,
            start: cell.start,
            end: cell.end,
        })
    }

    /// Whether the candidate continues what stands before the cursor, and is the user's to see.
    fn fits(&self, item: &CompletionItem) -> bool {
        let start = usize::from(item.source_range.start());
        let typed = self.document.text.get(start..self.document.cursor);
        typed.is_some_and(|typed| item.lookup().starts_with(typed))
            && !OWN.iter().any(|own| item.lookup().starts_with(own))
            && !item.relevance.is_private_editable
    }

    /// What the name at the cursor is: its declaration and its documentation.
    pub(crate) fn inspect(&self) -> Result<Option<MimeBundle>, Cancelled> {
        let Some(markdown) = self.hover(HoverDocFormat::Markdown)? else {
            return Ok(None);
        };
        Ok(super::page::bundle(&markdown))
    }

    fn hover(&self, format: HoverDocFormat) -> Result<Option<String>, Cancelled> {
        let place = FileRange {
            file_id: self.file,
            range: TextRange::empty(offset(self.document.cursor)),
        };
        let found = self
            .analysis
            .hover(&hover_config(format), place)
            .map_err(|_| Cancelled)?;
        Ok(found.map(|found| found.info.markup.as_str().to_owned()))
    }
}

fn offset(byte: usize) -> TextSize {
    TextSize::new(u32::try_from(byte).unwrap_or(u32::MAX))
}

/// What a candidate puts in the place of what was typed; `None` for those that change other text as well.
fn inserted(item: &CompletionItem) -> Option<String> {
    let mut edits = item.text_edit.iter();
    let (Some(edit), None) = (edits.next(), edits.next()) else {
        return None;
    };
    if edit.delete != item.source_range || !item.import_to_add.is_empty() {
        return None;
    }
    Some(if item.is_snippet {
        without_units(&without_stops(&edit.insert))
    } else {
        edit.insert.clone()
    })
}

/// The text of a variant without the `()` that stands for a value to be filled in: `Sgd { momentum, nesterov }`, `Index()`.
fn without_units(text: &str) -> String {
    text.replace(": ()", "")
        .replace("((), ())", "()")
        .replace("(())", "()")
}

/// An editor's snippet as text: `push(${1:value})$0` is `push(value)`.
fn without_stops(snippet: &str) -> String {
    let mut text = String::new();
    let mut rest = snippet;
    let mut open = 0;
    while let Some(place) = rest.find(['$', '\\', '}']) {
        text.push_str(&rest[..place]);
        let (mark, after) = rest[place..].split_at(1);
        rest = after;
        match mark {
            "\\" => {
                let length = rest.chars().next().map_or(0, char::len_utf8);
                text.push_str(&rest[..length]);
                rest = &rest[length..];
            }
            "$" if rest.starts_with('{') => {
                open += 1;
                let name = rest[1..].trim_start_matches(|c: char| c.is_ascii_digit());
                rest = name.strip_prefix(':').unwrap_or(name);
            }
            "$" => rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()),
            _ if open > 0 => open -= 1,
            brace => text.push_str(brace),
        }
    }
    text + rest
}

fn completion_config() -> CompletionConfig<'static> {
    CompletionConfig {
        enable_postfix_completions: false,
        enable_imports_on_the_fly: false,
        enable_self_on_the_fly: true,
        enable_auto_iter: false,
        enable_auto_await: false,
        enable_private_editable: false,
        // It looks for whole expressions, takes long, and panics (rust-analyzer #22554).
        enable_term_search: false,
        term_search_fuel: 0,
        full_function_signatures: true,
        callable: Some(CallableSnippets::FillArguments),
        add_colons_to_module: false,
        add_semicolon_to_unit: false,
        snippet_cap: SnippetCap::new(true),
        insert_use: InsertUseConfig {
            granularity: ImportGranularity::Item,
            enforce_granularity: false,
            prefix_kind: ra_ap_hir::PrefixKind::ByCrate,
            group: false,
            skip_glob_imports: false,
        },
        prefer_no_std: false,
        prefer_prelude: true,
        prefer_absolute: false,
        snippets: Vec::new(),
        limit: None,
        fields_to_resolve: CompletionFieldsToResolve::empty(),
        exclude_flyimport: Vec::new(),
        exclude_traits: &[],
        ra_fixture: RaFixtureConfig::default(),
    }
}

fn hover_config(format: HoverDocFormat) -> HoverConfig<'static> {
    HoverConfig {
        links_in_hover: true,
        memory_layout: None,
        documentation: true,
        keywords: true,
        format,
        max_trait_assoc_items_count: Some(20),
        max_fields_count: Some(20),
        max_enum_variants_count: Some(20),
        max_subst_ty_len: SubstTyLen::Unlimited,
        show_drop_glue: false,
        ra_fixture: RaFixtureConfig::default(),
    }
}

fn jupyter_kind(kind: CompletionItemKind) -> &'static str {
    use CompletionItemKind as Kind;
    match kind {
        Kind::Keyword => "keyword",
        Kind::SymbolKind(symbol) => match symbol {
            SymbolKind::Function
            | SymbolKind::Method
            | SymbolKind::Macro
            | SymbolKind::ProcMacro
            | SymbolKind::Derive
            | SymbolKind::DeriveHelper
            | SymbolKind::Attribute
            | SymbolKind::BuiltinAttr => "function",
            SymbolKind::Struct
            | SymbolKind::Enum
            | SymbolKind::Union
            | SymbolKind::Trait
            | SymbolKind::TypeAlias
            | SymbolKind::TypeParam
            | SymbolKind::SelfType
            | SymbolKind::Impl => "class",
            SymbolKind::Module | SymbolKind::CrateRoot | SymbolKind::ToolModule => "module",
            _ => "instance",
        },
        Kind::BuiltinType => "class",
        _ => "instance",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_become_text() {
        assert_eq!(without_stops("push(${1:value})$0"), "push(value)");
        assert_eq!(without_stops("len()$0"), "len()");
        assert_eq!(without_stops("vec![$0]"), "vec![]");
        assert_eq!(
            without_stops("Point { x: ${1:()}, y$2 \\}"),
            "Point { x: (), y }"
        );
        assert_eq!(without_stops("Point {$1}$0"), "Point {}");
        assert_eq!(without_stops("a\\$b ${1}c"), "a$b c");
        assert_eq!(
            without_units("Sgd { momentum: (), nesterov: () }"),
            "Sgd { momentum, nesterov }"
        );
        assert_eq!(without_units("Index(())"), "Index()");
        assert_eq!(without_units("push(value)"), "push(value)");
    }
}
