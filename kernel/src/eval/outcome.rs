//! Turns what the child and evcxr say about a cell's end into its status.

use evcxr::Error;
use swath_link::exchange::CELL_FILE;
use swath_link::message::{self, Failure, Outcome};

use super::channel::CellEnd;
use super::interface::{CellStatus, ErrorReport};
use super::places::Places;
use super::render::{self, Place};
use super::source_map::CellSource;
use crate::advice;

/// How a cell that ran has ended.
pub(crate) fn status(end: &CellEnd, places: &Places, interrupted: bool) -> CellStatus {
    let Some(outcome) = end.outcome() else {
        let reason = end.misunderstood.as_deref();
        return CellStatus::Error(engine_error(
            reason.unwrap_or("the cells' process did not say how the cell ended"),
        ));
    };
    let stopped = |message: &str| CellStatus::Interrupted(self::interrupted(message));
    CellStatus::Error(match outcome {
        Outcome::Ok if interrupted => {
            return stopped("interrupted: the cell has ended by itself, and what it made is kept");
        }
        Outcome::Ok => match &end.stray_panic {
            Some(message) => stray_panic(message),
            None => return CellStatus::Ok,
        },
        Outcome::Aside { names } => return CellStatus::Interrupted(put_aside(names)),
        Outcome::Cancelled => return stopped("interrupted before it began"),
        Outcome::Interrupted { message } => return stopped(message),
        Outcome::Panic { message, .. } | Outcome::Error(Failure { message, .. }) if interrupted => {
            return stopped(message);
        }
        Outcome::Panic { message, place } => panicked(message, place, places),
        Outcome::Error(failure) => failed(failure, places),
        Outcome::Lost { names } => plain(
            "VariableLost",
            &format!(
                "the type of `{}` was redefined, so its value was dropped",
                names.join("`, `")
            ),
            Some("run the cell that makes it again"),
        ),
        Outcome::Load { message } => plain(
            "LoadError",
            &format!("the cell's object cannot be loaded: {message}"),
            None,
        ),
    })
}

fn panicked(message: &str, place: &message::Place, places: &Places) -> ErrorReport {
    let (place, elsewhere) = locate(place, places);
    let title = format!("panicked: {message}");
    ErrorReport {
        ename: "Panic".to_owned(),
        evalue: message.to_owned(),
        traceback: render::run_error(
            &title,
            "Panic",
            place.as_ref().map(place_of),
            elsewhere.as_deref(),
            None,
        ),
    }
}

/// An error that left the cell.
fn failed(failure: &Failure, places: &Places) -> ErrorReport {
    let (place, elsewhere) = locate(&failure.place, places);
    let of_magic = place
        .as_ref()
        .is_some_and(|(source, offset)| is_of_magic(source, *offset));
    let worded = |text: &str| match of_magic {
        true => advice::for_magic(text),
        false => text.to_owned(),
    };
    let (message, hint) = (
        worded(&failure.message),
        failure.hint.as_deref().map(worded),
    );
    let traceback = render::run_error(
        &message,
        &failure.name,
        place.as_ref().map(place_of),
        elsewhere.as_deref(),
        hint.as_deref(),
    );
    ErrorReport {
        ename: failure.name.clone(),
        evalue: message,
        traceback,
    }
}

/// Variables that are not there any more, or not yet, after a cell.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Earlier variables that the cell has moved.
    pub(crate) moved: Vec<String>,
    /// New ones that the cell has not come to keep.
    pub(crate) unmade: Vec<String>,
    /// Earlier ones that the cell was to replace and that are what they were.
    pub(crate) unreplaced: Vec<String>,
}

/// Says in the error of a cell that did not come to its end what is lost by that.
pub(crate) fn with_losses(status: CellStatus, losses: &Losses) -> CellStatus {
    let list = |names: &[String]| format!("`{}`", names.join("`, `"));
    let mut notes = Vec::new();
    if !losses.moved.is_empty() {
        notes.push(format!(
            "note: the cell moved {} before it ended; make it again",
            list(&losses.moved)
        ));
    }
    let mut cut_short = |names: &[String], one: &str, several: &str| {
        let what = match names {
            [] => return,
            [_] => one,
            _ => several,
        };
        notes.push(format!(
            "note: {} {what}, because the cell did not come to its end",
            list(names)
        ));
    };
    cut_short(
        &losses.unmade,
        "of this cell is not kept",
        "of this cell are not kept",
    );
    cut_short(
        &losses.unreplaced,
        "is still the one from before this cell",
        "are still those from before this cell",
    );
    let add = |mut error: ErrorReport| {
        error.traceback.extend(notes);
        error
    };
    match status {
        CellStatus::Error(error) => CellStatus::Error(add(error)),
        CellStatus::Interrupted(error) => CellStatus::Interrupted(add(error)),
        other => other,
    }
}

/// Where an error happened: in a cell, or else in a file of some library.
fn locate(
    place: &message::Place,
    places: &Places,
) -> (Option<(CellSource, usize)>, Option<String>) {
    let message::Place { file, line, column } = place;
    if let Some(cell) = file.strip_prefix(CELL_FILE) {
        let place = places.locate(file, *line, *column);
        // A line of ours, or of a cell that nobody remembers: its number would say nothing.
        let elsewhere = cell.split_once('/').map(|(_, cell)| cell.to_owned());
        return match place {
            Some(place) => (Some(place), None),
            None => (None, elsewhere),
        };
    }
    let elsewhere = (!file.is_empty()).then(|| format!("{}:{line}:{column}", shortened(file)));
    (None, elsewhere)
}

/// Whether the Rust at a place stands for a magic. That of `%time` is the user's own.
fn is_of_magic(source: &CellSource, offset: usize) -> bool {
    let start = source.written(offset..offset).range.start;
    let before = source.text().get(..start).unwrap_or_default();
    let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = source.text()[begin..].trim_start();
    line.starts_with('%') && !line.starts_with("%time")
}

fn place_of((source, offset): &(CellSource, usize)) -> Place<'_> {
    Place {
        source,
        offset: *offset,
    }
}

/// A panic that ended none of the cell's statements.
fn stray_panic(message: &str) -> ErrorReport {
    let title = format!("panicked after the cell's last statement: {message}");
    ErrorReport {
        ename: "Panic".to_owned(),
        evalue: message.to_owned(),
        traceback: render::run_error(
            &title,
            "Panic",
            None,
            None,
            Some("the `Drop` of a value that the cell has replaced or moved may have panicked"),
        ),
    }
}

/// `/home/x/.cargo/registry/src/index…/burn-0.22.1/src/a.rs` is `burn-0.22.1/src/a.rs`.
fn shortened(file: &str) -> &str {
    let after_registry = file
        .split_once("/registry/src/")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map(|(_, rest)| rest);
    let after_rustc = file
        .strip_prefix("/rustc/")
        .and_then(|rest| rest.split_once('/'))
        .map(|(_, rest)| rest);
    after_registry.or(after_rustc).unwrap_or(file)
}

fn plain(ename: &str, message: &str, hint: Option<&str>) -> ErrorReport {
    ErrorReport {
        ename: ename.to_owned(),
        evalue: message.to_owned(),
        traceback: render::run_error(message, ename, None, None, hint),
    }
}

/// A cell that did not listen to the interrupt, and whose thread was put aside with the variables that it had loaded.
fn put_aside(names: &[String]) -> ErrorReport {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (message, hint) = match names.as_slice() {
        [] => (
            "the cell was stopped by force; all variables are kept".to_owned(),
            None,
        ),
        names => (
            format!(
                "the cell was stopped by force; {}, which it was using, {} lost; all other variables are kept",
                names.join(", "),
                if names.len() == 1 { "is" } else { "are" }
            ),
            Some(
                "a loop that asks `swath::session::check_interrupt(\"counting\")?` ends by itself and keeps its variables",
            ),
        ),
    };
    plain("Interrupted", &message, hint)
}

/// A magic that cannot be carried out, and what to do first.
pub(crate) fn usage_error(message: &str, hint: &str) -> ErrorReport {
    plain("UsageError", message, Some(hint))
}

pub(crate) fn interrupted(message: &str) -> ErrorReport {
    plain("Interrupted", message, None)
}

pub(crate) fn engine_error(reason: &str) -> ErrorReport {
    plain("EngineError", reason, None)
}

/// A cell that was compiled against another library than the one that its process has loaded.
pub(crate) fn library_replaced(what: &str) -> ErrorReport {
    plain("LibraryReplaced", what, Some(RESTART))
}

const RESTART: &str = "restart the kernel and run the cells again: those of the old library and those of the new one do \
                       not fit together";

/// An error of a cell that did not come to run, with a note when the library is another one by now.
pub(crate) fn noting(mut error: ErrorReport, replaced: Option<String>) -> ErrorReport {
    if let Some(what) = replaced {
        error.traceback.push(format!("note: {what}; {RESTART}"));
    }
    error
}

pub(crate) fn command_error(reason: &str, hint: Option<&str>) -> ErrorReport {
    plain("CommandError", reason, hint)
}

/// An error of evcxr's own: a command, a dependency, cargo.
pub(crate) fn evcxr_error(error: &Error) -> ErrorReport {
    let text = match error {
        Error::CompilationErrors(errors) => {
            let rendered: Vec<String> = errors
                .iter()
                .map(|error| {
                    let rendered = error.rendered();
                    if rendered.is_empty() {
                        error.message()
                    } else {
                        rendered
                    }
                })
                .collect();
            rendered.join("\n")
        }
        other => other.to_string(),
    };
    ErrorReport {
        ename: "CommandError".to_owned(),
        evalue: failure_in(&strip_colors(&text)),
        traceback: render::lines(&text),
    }
}

/// The one line that says what failed: the first error of cargo's, whatever it said before, with what it says of the
/// reason.
fn failure_in(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let error = lines.iter().enumerate().find_map(|(at, line)| {
        let message = line.strip_prefix("error: ").or_else(|| {
            let (_, message) = line.strip_prefix("error[")?.split_once("]: ")?;
            Some(message)
        });
        Some((at, message?))
    });
    let Some((at, message)) = error else {
        let first = lines.iter().find(|line| !line.is_empty());
        return (*first.unwrap_or(&"evcxr failed")).to_owned();
    };
    let mut parts = vec![message.trim_end_matches('.')];
    let after: &[&str] = &lines[at + 1..];
    let end = after.iter().position(|line| line.starts_with("error"));
    let after = &after[..end.unwrap_or(after.len())];
    // `package .. depends on `a` with feature `b` but `a` does not have that feature`
    let conflict = after
        .iter()
        .find(|line| line.contains(" but ") || line.starts_with("candidate versions found"));
    parts.extend(conflict.map(|line| {
        line.split_once(" depends on ")
            .map_or(*line, |(_, rest)| rest)
    }));
    let causes: Vec<&str> = after
        .windows(2)
        .filter(|pair| pair[0] == "Caused by:")
        .map(|pair| pair[1])
        .collect();
    parts.extend(&causes[causes.len().saturating_sub(2)..]);
    parts.join(": ")
}

fn strip_colors(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

/// The process that held the variables is gone.
pub(crate) fn lost(
    reason: &str,
    killed_by_us: bool,
    end: &CellEnd,
    names: &[String],
    startup_text: &str,
) -> ErrorReport {
    let why = if killed_by_us {
        "the cell did not stop when asked, so its process was killed".to_owned()
    } else {
        format!("the cells' process {}", how_it_ended(reason))
    };
    let consequence = match names {
        [] => "no variables were lost; functions, types and imports are kept".to_owned(),
        names => format!(
            "lost the variables {}; functions, types and imports are kept",
            names.join(", ")
        ),
    };
    let mut traceback = render::run_error(
        &why,
        "ChildDied",
        None,
        end.panic
            .as_deref()
            .map(|text| format!("a panic: {text}"))
            .as_deref(),
        Some(&consequence),
    );
    traceback.extend(startup_text.lines().map(str::to_owned));
    ErrorReport {
        ename: "ChildDied".to_owned(),
        evalue: format!("{why}; {consequence}"),
        traceback,
    }
}

/// evcxr's words are `Subprocess terminated with status: signal: 11 (SIGSEGV) (core dumped)`.
fn how_it_ended(reason: &str) -> String {
    let status = reason
        .split_once("with status: ")
        .map_or(reason, |(_, status)| status)
        .trim();
    if status.contains("SIGKILL") {
        return "was killed (signal 9, SIGKILL): by someone, or by the system because memory ran out".to_owned();
    }
    if let Some(signal) = status.strip_prefix("signal: ") {
        let meaning = match signal.split(' ').next().unwrap_or_default() {
            "6" => {
                ": something called abort (memory that ran out, a panic that cannot unwind, a stack overflow, a C library)"
            }
            "11" => ": memory was used that is not there (endless recursion ends like this too)",
            "7" => {
                ": memory was used that is not there (a mapped file that was cut short, for instance)"
            }
            "4" => ": an instruction that this processor does not have",
            _ => "",
        };
        return format!("died of signal {signal}{meaning}");
    }
    if let Some(code) = status.strip_prefix("exit status: ") {
        return format!("ended by itself with exit code {code}");
    }
    format!("is gone ({status})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_process_is_told_in_words() {
        let segv =
            how_it_ended("Subprocess terminated with status: signal: 11 (SIGSEGV) (core dumped)");
        assert!(segv.starts_with("died of signal 11 (SIGSEGV)"), "{segv}");
        assert_eq!(
            how_it_ended("Subprocess terminated with status: exit status: 3"),
            "ended by itself with exit code 3"
        );
        let error = lost(
            "with status: signal: 9 (SIGKILL)",
            true,
            &CellEnd::default(),
            &["a".to_owned(), "b".to_owned()],
            "",
        );
        assert!(
            error.evalue.contains("did not stop when asked") && error.evalue.contains("a, b"),
            "{}",
            error.evalue
        );
    }

    #[test]
    fn a_failed_dependency_is_told_by_cargo_s_error() {
        let cargo = "    Updating crates.io index\n\u{1b}[1merror\u{1b}[0m: no matching package named `nosuch` found\nlocation searched: crates.io index";
        assert_eq!(
            failure_in(&strip_colors(cargo)),
            "no matching package named `nosuch` found"
        );
        assert_eq!(
            failure_in("error[E0433]: cannot find `x`\n"),
            "cannot find `x`"
        );
        assert_eq!(
            failure_in("\nPlease supply key=value"),
            "Please supply key=value"
        );
    }

    #[test]
    fn library_files_are_named_without_the_machine() {
        assert_eq!(
            shortened("/home/u/.cargo/registry/src/index.crates.io-1/burn-0.22.1/src/a.rs"),
            "burn-0.22.1/src/a.rs"
        );
        assert_eq!(
            shortened("/rustc/5980/library/core/src/option.rs"),
            "library/core/src/option.rs"
        );
    }
}
