//! Shows rustc's messages, panics and errors on the user's own lines, the way the compiler draws them.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Deserialize;
use swath_link::exchange::{BACK_MARK, LOCAL_TYPE, NewVariable, PUT_MARK, TAKE_MARK};
use swath_link::types::{short_type, with_task_names};

use super::interface::ErrorReport;
use super::items::StoredItem;
use super::notes::{leads_nowhere, misleads, notes, of_maker, reworded};
use super::source_map::{CellSource, SourceMap};

/// One message of rustc.
#[derive(Debug, Deserialize)]
pub(crate) struct Diagnostic {
    pub(super) message: String,
    pub(super) code: Option<Code>,
    level: String,
    pub(super) spans: Vec<Span>,
    pub(super) children: Vec<Diagnostic>,
}

impl Diagnostic {
    /// The messages that the compiler has written.
    ///
    /// `own` says whether a name is a type of a cell.
    pub(crate) fn read(json: &[String], own: impl Fn(&str) -> bool) -> Vec<Self> {
        json.iter()
            .filter_map(|json| serde_json::from_str(&with_task_names(json, &own)).ok())
            .map(Self::of_options)
            .collect()
    }

    /// Options are taken by value or by reference (`impl Borrow<FitOptions>`). A value of another type has the wrong type, and
    /// the trait that stands for that is nobody's concern.
    fn of_options(self) -> Self {
        let bound = self.message.strip_prefix("the trait bound `");
        let Some((found, expected)) = bound
            .and_then(|bound| bound.strip_suffix(">` is not satisfied"))
            .and_then(|bound| bound.split_once(": std::borrow::Borrow<"))
        else {
            return self;
        };
        let (expected, found) = (short_type(expected), short_type(found));
        // `{integer}` is no type that anybody can write.
        let found = match found.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            Some(kind) => kind.to_owned(),
            None => format!("`{found}`"),
        };
        let label = format!("expected `{expected}`, found {found}");
        let primary = self.spans.into_iter().filter(|span| span.is_primary);
        Self {
            message: "mismatched types".to_owned(),
            code: Some(Code {
                code: "E0308".to_owned(),
            }),
            spans: primary
                .map(|span| Span {
                    label: Some(label.clone()),
                    ..span
                })
                .collect(),
            children: Vec::new(),
            ..self
        }
    }

    /// `E0425`; nothing for messages without.
    pub(super) fn code(&self) -> &str {
        self.code.as_ref().map_or("", |code| &code.code)
    }

    pub(super) fn has_code(&self, code: &str) -> bool {
        self.code() == code
    }

    fn help(message: &str) -> Self {
        Self {
            message: message.to_owned(),
            code: None,
            level: "help".to_owned(),
            spans: Vec::new(),
            children: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Code {
    code: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Span {
    file_name: String,
    pub(super) byte_start: usize,
    pub(super) byte_end: usize,
    pub(super) is_primary: bool,
    pub(super) label: Option<String>,
    pub(super) suggested_replacement: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Debug, Deserialize)]
struct Expansion {
    span: Span,
}

pub(super) struct Located<'a> {
    pub(super) source: &'a CellSource,
    /// Where it is in the Rust of the cell.
    at: usize,
    /// Where it is in what the user sent.
    pub(super) range: Range<usize>,
    is_primary: bool,
    label: Option<&'a str>,
    replacement: Option<&'a str>,
}

/// Words of explanation that the caller adds to a message about a name, such as why a variable is gone.
pub(crate) type Explain<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The error of a cell that does not compile.
pub(crate) fn compile_error(
    diagnostics: &[Diagnostic],
    map: &SourceMap<'_>,
    explain: Explain<'_>,
) -> ErrorReport {
    let rank = diagnostics.iter().map(|it| rank(it, map)).min();
    let mut shown: Vec<(&Diagnostic, String)> = Vec::new();
    // A wrong value in the place of one of the library's is followed by a message about how many there are.
    let names_a_maker = diagnostics.iter().any(|it| of_maker(it).is_some());
    for diagnostic in diagnostics {
        let is_told = names_a_maker && diagnostic.has_code("E0061");
        if Some(self::rank(diagnostic, map)) == rank && !is_told {
            let text = render(diagnostic, map, explain);
            if !shown.iter().any(|(_, other)| *other == text) {
                shown.push((diagnostic, text));
            }
        }
    }
    let first = shown.first().map(|(diagnostic, _)| *diagnostic);
    let ename = first
        .and_then(|first| first.code.as_ref())
        .map_or("CompileError", |code| &code.code)
        .to_owned();
    let mut evalue = first.map_or("the cell does not compile".to_owned(), |first| {
        reworded(first, map).unwrap_or_else(|| first.message.clone())
    });
    if rank == Some(Rank::Earlier)
        && let Some((source, _)) = first.and_then(|first| main_place(first, map))
    {
        evalue.push_str(&format!(" (in `{}`)", source.path()));
    }
    if shown.len() > 1 {
        evalue.push_str(&format!(" (and {} more)", shown.len() - 1));
    }
    let traceback = shown.iter().flat_map(|(_, text)| lines(text)).collect();
    ErrorReport {
        ename,
        evalue,
        traceback,
    }
}

/// The compiler's warnings about the cell itself, without colors: they are text of the cell.
pub(crate) fn warnings(json: &[String], map: &SourceMap<'_>) -> Vec<String> {
    json.iter()
        .filter_map(|json| serde_json::from_str::<Diagnostic>(json).ok())
        .filter(|diagnostic| matches!(main_place(diagnostic, map), Some((_, true))))
        // A semicolon behind `1 + 1` says that nobody wants to see it.
        .filter(|diagnostic| !diagnostic.message.contains(" arithmetic operation "))
        .map(|mut diagnostic| {
            // The lint's name is of no use to somebody who forgot a character.
            diagnostic.code = None;
            diagnostic.children.retain(|child| {
                let names_the_lint = child.message.contains("unused_must_use")
                    || child.message.contains("unused-must-use");
                child.level == "note" && !names_the_lint
            });
            if diagnostic.message.contains("result::Result`") {
                diagnostic.message = "this may have failed: its `Result` is not looked at".to_owned();
                diagnostic.children = vec![Diagnostic::help(
                    "write `?` behind it, and an error ends the cell; or `let _ = …;` if it does not matter",
                )];
            }
            render_with(&Renderer::plain(), &diagnostic, map, &|_| None) + "\n"
        })
        .collect()
}

/// What a cell that compiled has done to earlier items: a line for each that does not compile any more.
pub(crate) fn broken(
    json: &[String],
    map: &SourceMap<'_>,
    items: &[Arc<StoredItem>],
) -> Vec<String> {
    let mut told: Vec<(CellSource, Range<usize>)> = Vec::new();
    let mut lines = Vec::new();
    for diagnostic in json
        .iter()
        .filter_map(|json| serde_json::from_str::<Diagnostic>(json).ok())
    {
        let place = diagnostic
            .spans
            .iter()
            .filter(|span| span.is_primary)
            .find_map(|span| locate(span, map));
        let Some(place) = place.filter(|place| !map.is_current(place.source)) else {
            continue;
        };
        let item = items
            .iter()
            .find(|item| item.source == *place.source && item.range.contains(&place.at));
        let Some(item) = item else { continue };
        let key = (item.source.clone(), item.range.clone());
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        let head = item.text.split('{').next().unwrap_or_default();
        let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
        let before = &place.source.text()[..place.range.start];
        let line = before.matches('\n').count() + 1;
        lines.push(format!(
            "`{head}` does not fit any more ({}:{line}: {}): cells that use it fail until it is defined anew\n",
            place.source.path(),
            diagnostic.message
        ));
    }
    lines
}

/// Which messages a person needs: those of the first kind that there is. An earlier item that a cell has broken by
/// defining another one anew is compiled with every later cell that has an error, whatever that is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// About the cell itself.
    Cell,
    /// About a line of ours that keeps or loads a variable.
    Variable,
    /// About an item of an earlier cell.
    Earlier,
    Unplaced,
}

fn rank(diagnostic: &Diagnostic, map: &SourceMap<'_>) -> Rank {
    if is_own_line(diagnostic, map) {
        return Rank::Variable;
    }
    match main_place(diagnostic, map) {
        Some((_, true)) => Rank::Cell,
        Some((_, false)) => Rank::Earlier,
        None => Rank::Unplaced,
    }
}

/// The cell that a message is about, and whether it is the one that is compiled.
fn main_place<'a>(
    diagnostic: &'a Diagnostic,
    map: &SourceMap<'a>,
) -> Option<(&'a CellSource, bool)> {
    let places = diagnostic
        .spans
        .iter()
        .filter(|span| span.is_primary)
        .filter_map(|span| locate(span, map));
    let places: Vec<_> = places
        .map(|located| (located.source, map.is_current(located.source)))
        .collect();
    places
        .iter()
        .find(|(_, is_current)| *is_current)
        .or_else(|| places.first())
        .copied()
}

/// Whether the main place of a message is a line that we have generated.
fn is_own_line(diagnostic: &Diagnostic, map: &SourceMap<'_>) -> bool {
    diagnostic
        .spans
        .iter()
        .find(|span| span.is_primary)
        .is_some_and(|span| own_name(span, map).is_some())
}

/// The variable that the generated line at a span keeps, puts back or loads.
pub(super) fn own_name<'a>(span: &Span, map: &SourceMap<'a>) -> Option<(&'static str, &'a str)> {
    let line = map.generated_line(span.byte_start);
    [PUT_MARK, BACK_MARK, TAKE_MARK]
        .into_iter()
        .find_map(|mark| Some((mark, line.split_once(mark)?.1.trim())))
}

/// Variables whose loading failed to compile: their types cannot be written here.
pub(crate) fn unloadable(diagnostics: &[Diagnostic], map: &SourceMap<'_>) -> Vec<String> {
    let mut names: Vec<String> = diagnostics
        .iter()
        .flat_map(|diagnostic| &diagnostic.spans)
        .filter(|span| span.is_primary)
        .filter_map(|span| {
            own_name(span, map)
                .filter(|(mark, _)| *mark == TAKE_MARK)
                .map(|(_, name)| name.to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

fn render(diagnostic: &Diagnostic, map: &SourceMap<'_>, explain: Explain<'_>) -> String {
    render_with(&Renderer::styled(), diagnostic, map, explain)
}

fn render_with(
    renderer: &Renderer,
    diagnostic: &Diagnostic,
    map: &SourceMap<'_>,
    explain: Explain<'_>,
) -> String {
    let notes = notes(diagnostic, map, explain);
    let words = reworded(diagnostic, map).unwrap_or_else(|| diagnostic.message.clone());
    let mut title = level(&diagnostic.level).primary_title(words);
    if let Some(code) = &diagnostic.code {
        title = title.id(code.code.as_str());
    }
    let mut main = title.elements(snippets(&diagnostic.spans, map));
    let mut groups = Vec::new();
    let is_python = notes.iter().any(|(_, is_python)| *is_python);
    for child in &diagnostic.children {
        let located: Vec<Located<'_>> = child
            .spans
            .iter()
            .filter_map(|span| locate(span, map))
            .collect();
        if leads_nowhere(child, diagnostic) || (is_python && misleads(child)) {
            // It would be of no use to anybody.
        } else if let Some(words) = imports(child).or_else(|| alternatives(child, &located)) {
            main = main.element(level(&child.level).message(words));
        } else if located.is_empty() && is_about_loading(child, map) {
            // `notes` says it in the user's terms.
        } else if located.is_empty() {
            main = main.element(level(&child.level).message(child.message.as_str()));
        } else if located.iter().any(|span| span.replacement.is_some()) {
            groups.push(suggestion(child, &located));
        } else {
            groups.push(
                level(&child.level)
                    .secondary_title(child.message.as_str())
                    .elements(snippets(&child.spans, map)),
            );
        }
    }
    for (note, _) in notes {
        main = main.element(Level::HELP.message(note));
    }
    groups.insert(0, main);
    renderer.render(&groups)
}

/// Names the paths that a message suggests to import. The compiler would write them at the top of a file that users
/// never see, or into an earlier cell.
fn imports(child: &Diagnostic) -> Option<String> {
    let mut paths: Vec<&str> = child
        .spans
        .iter()
        .filter_map(|span| span.suggested_replacement.as_deref())
        .map(str::trim)
        .filter(|text| text.starts_with("use ") && text.ends_with(';'))
        .collect();
    paths.dedup();
    listed(&child.message, &paths)
}

/// Several texts for one place, of which the user picks one; drawn as an edit they would stand side by side.
fn alternatives(child: &Diagnostic, located: &[Located<'_>]) -> Option<String> {
    let texts: Vec<&str> = located.iter().filter_map(|it| it.replacement).collect();
    let first = located.first()?;
    let is_one_place = located
        .iter()
        .all(|it| it.source == first.source && it.range == first.range);
    (texts.len() > 1 && is_one_place)
        .then(|| listed(&child.message, &texts))
        .flatten()
}

fn listed(message: &str, texts: &[&str]) -> Option<String> {
    match texts {
        [] => None,
        [text] => Some(format!("{message}: `{text}`")),
        texts => Some(format!("{message}:\n{}", texts.join("\n"))),
    }
}

/// Whether a message is about lines of ours that load variables.
fn is_about_loading(child: &Diagnostic, map: &SourceMap<'_>) -> bool {
    child
        .spans
        .iter()
        .any(|span| own_name(span, map).is_some_and(|(mark, _)| mark == TAKE_MARK))
}

fn suggestion<'a>(child: &'a Diagnostic, located: &[Located<'a>]) -> Group<'a> {
    let mut group = Level::HELP.secondary_title(child.message.as_str());
    if let Some(first) = located.first() {
        let patches = located
            .iter()
            .filter(|span| span.source == first.source)
            .filter_map(|span| Some(Patch::new(span.range.clone(), span.replacement?)));
        return group.element(
            // A patch that ends with the text loses its last character.
            Snippet::source(format!("{}\n", first.source.text()))
                .path(first.source.path())
                .patches(patches),
        );
    }
    group = group.id("");
    Group::with_title(group)
}

fn level(name: &str) -> Level<'static> {
    match name {
        "warning" => Level::WARNING,
        "note" | "failure-note" => Level::NOTE,
        "help" => Level::HELP,
        _ => Level::ERROR,
    }
}

/// One snippet for each cell that the spans are in.
fn snippets<'a>(
    spans: &'a [Span],
    map: &SourceMap<'a>,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let located: Vec<Located<'a>> = spans.iter().filter_map(|span| locate(span, map)).collect();
    let mut sources: Vec<&CellSource> = Vec::new();
    for span in located
        .iter()
        .filter(|span| span.is_primary)
        .chain(&located)
    {
        if !sources.contains(&span.source) {
            sources.push(span.source);
        }
    }
    sources
        .into_iter()
        .map(|source| {
            let annotations = located
                .iter()
                .filter(|span| span.source == source)
                .map(|span| {
                    let kind = if span.is_primary {
                        AnnotationKind::Primary
                    } else {
                        AnnotationKind::Context
                    };
                    kind.span(span.range.clone()).label(span.label)
                });
            Snippet::source(source.text())
                .path(source.path())
                .annotations(annotations)
        })
        .collect()
}

/// Where a span is in the users' cells; a span inside a macro of another crate counts where the macro is called.
pub(super) fn locate<'a>(span: &'a Span, map: &SourceMap<'a>) -> Option<Located<'a>> {
    if is_generated_file(&span.file_name)
        && let Some((source, range)) = map.locate_span(span.byte_start..span.byte_end)
    {
        let at = range.start;
        let written = source.written(range);
        let label = span
            .label
            .as_deref()
            .filter(|label| !label.contains("__swath") && !label.contains("swath::rt::"));
        // A magic cannot be mended by Rust.
        let replacement = span.suggested_replacement.as_deref();
        let replacement = replacement.filter(|_| written.is_exact);
        return Some(Located {
            source,
            at,
            range: written.range,
            is_primary: span.is_primary,
            label,
            replacement,
        });
    }
    let call = locate(&span.expansion.as_ref()?.span, map)?;
    Some(Located {
        is_primary: span.is_primary,
        label: span.label.as_deref(),
        replacement: None,
        ..call
    })
}

fn is_generated_file(name: &str) -> bool {
    name == "src/lib.rs"
}

/// The error of a cell that does not parse, from rustc's messages about the cell alone.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// The error of a cell whose new variables cannot be kept.
pub(crate) fn unnameable_error(variables: &[NewVariable], source: &CellSource) -> ErrorReport {
    let mut traceback = Vec::new();
    for variable in variables {
        let name = &variable.name;
        let what = variable.obstacle().unwrap_or_default();
        let message = format!("`{name}` is {what}, which later cells cannot use");
        let help = match what.as_str() {
            "a closure" => format!(
                "give it a type that has a name: `let {name}: Box<dyn Fn(…) -> …> = Box::new(…);`, or write a `fn {name}(…)`"
            ),
            "a function by its own type" => format!("give it a type that has a name: `let {name}: fn(…) -> … = …;`"),
            LOCAL_TYPE => {
                "define the type at the beginning of a line of its own, outside of every block, as `struct …` or `enum …`".to_owned()
            }
            "a future" => "await it in this cell, or box it: `Box::pin(…) as Pin<Box<dyn Future<Output = …>>>`".to_owned(),
            _ => format!("collect it (`.collect::<Vec<_>>()`), or box it: `let {name}: Box<dyn …> = Box::new(…);`"),
        };
        let mut main = Level::ERROR.primary_title(message);
        let place = binding_place(source.text(), name);
        let group = match place {
            Some(range) => main.element(
                Snippet::source(source.text())
                    .path(source.path())
                    .annotation(
                        AnnotationKind::Primary
                            .span(range)
                            .label("used by no statement of this cell"),
                    ),
            ),
            None => {
                main = main.id("");
                Group::with_title(main)
            }
        };
        let group = group
            .element(Level::HELP.message(help))
            .element(Level::HELP.message("to keep nothing, wrap the cell in `{ … }`"));
        traceback.extend(lines(&Renderer::styled().render(&[group])));
    }
    let evalue = match variables {
        [variable] => format!(
            "`{}` is {}, which later cells cannot use",
            variable.name,
            variable.obstacle().unwrap_or_default()
        ),
        _ => format!(
            "{} variables are of types that later cells cannot use",
            variables.len()
        ),
    };
    ErrorReport {
        ename: "CompileError".to_owned(),
        evalue,
        traceback,
    }
}

fn binding_place(code: &str, name: &str) -> Option<Range<usize>> {
    let is_word =
        |character: Option<char>| character.is_some_and(|it| it.is_alphanumeric() || it == '_');
    code.match_indices(name)
        .map(|(start, text)| start..start + text.len())
        .find(|range| {
            !is_word(code[..range.start].chars().next_back())
                && !is_word(code[range.end..].chars().next())
                && code[..range.start].contains("let")
        })
}

/// A place in a cell that something points to.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) source: &'a CellSource,
    pub(crate) offset: usize,
}

/// An error that the running cell ended with: a title, the place, and what to do.
pub(crate) fn run_error(
    title: &str,
    name: &str,
    place: Option<Place<'_>>,
    elsewhere: Option<&str>,
    hint: Option<&str>,
) -> Vec<String> {
    let title = Level::ERROR.with_name(name).primary_title(title);
    let mut group = match place {
        Some(Place { source, offset }) => title.element(
            Snippet::source(source.text())
                .path(source.path())
                .annotation({
                    let range = offset..expression_end(&source.code, offset);
                    AnnotationKind::Primary.span(source.written(range).range)
                }),
        ),
        None => Group::with_title(title),
    };
    if let Some(elsewhere) = elsewhere {
        group = group.element(Level::NOTE.message(format!("at {elsewhere}")));
    }
    if let Some(hint) = hint {
        group = group.element(Level::HELP.message(hint));
    }
    lines(&Renderer::styled().render(&[group]))
}

/// An error about `length` bytes of a cell.
pub(crate) fn error_at(
    title: &str,
    Place { source, offset }: Place<'_>,
    length: usize,
    hint: Option<&str>,
) -> Vec<String> {
    let range = source.written(offset..offset + length).range;
    let mut group = Level::ERROR.primary_title(title).element(
        Snippet::source(source.text())
            .path(source.path())
            .annotation(AnnotationKind::Primary.span(range)),
    );
    if let Some(hint) = hint {
        group = group.element(Level::HELP.message(hint));
    }
    lines(&Renderer::styled().render(&[group]))
}

/// Where the expression at `offset` ends, as far as its line tells: places of panics and `?` have no end.
fn expression_end(code: &str, offset: usize) -> usize {
    let rest = code.get(offset..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let line = line
        .split("//")
        .next()
        .unwrap_or(line)
        .trim_end()
        .trim_end_matches(';');
    offset
        + line
            .len()
            .max(rest.chars().next().map_or(0, char::len_utf8))
}
