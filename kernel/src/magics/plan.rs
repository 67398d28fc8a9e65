//! From the text of a cell to the steps that run it.

use strsim::levenshtein;

use super::arguments::{Arguments, UsageError};
use super::negation::{self, Surroundings};
use super::table::{Action, Builtin, Kind, MAGICS, Magic, find};
use super::time;
use crate::commands::{self, FrontCommand};
use crate::syntax::end_of;

/// One step of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Rust or evcxr commands, with empty lines before it so that lines keep their numbers in the cell.
    Rust(String),
    /// A command of evcxr's that the front process carries out, with what follows its name.
    Command(FrontCommand, String),
    /// A `!command`.
    Shell(String),
    /// `?name` (0) or `??name` (1).
    Help(String, u32),
    /// A magic of the front process.
    Builtin {
        /// Which one.
        builtin: Builtin,
        /// The rest of its line.
        line: String,
        /// The rest of the cell, for a cell magic.
        body: Option<String>,
    },
}

/// `%%parameters` in a comment, which other kernels leave alone: what papermill's translator writes.
const PARAMETERS: &str = "// %%parameters";

/// Takes a cell apart.
///
/// # Errors
/// An unknown magic, or one that is written wrongly.
pub(crate) fn plan(code: &str, surroundings: &Surroundings<'_>) -> Result<Vec<Step>, UsageError> {
    let code = &without_marks_of_editors(code);
    if super::is_cell_magic(code) {
        return plan_cell_magic(code);
    }
    if code.trim_start().starts_with(PARAMETERS) {
        return Ok(vec![Step::Builtin {
            builtin: Builtin::Parameters,
            line: String::new(),
            body: Some(code.clone().into_owned()),
        }]);
    }
    if is_farewell(code, surroundings) {
        return Ok(vec![Step::Command(FrontCommand::Quit, String::new())]);
    }
    let mut planner = Planner::default();
    let lines: Vec<&str> = code.split('\n').collect();
    let last = lines.iter().rposition(|line| !line.trim().is_empty());
    for (index, line) in lines.iter().enumerate() {
        if let Some(help) = help_behind(line, &planner, surroundings) {
            planner.cut(index);
            planner.steps.push(help);
            planner.begin(index + 1);
            continue;
        }
        if line.trim_start().starts_with('!')
            && planner.line_may_begin(line)
            && negation::is_rust(&lines[index..].join("\n"), &planner.rust, surroundings)
        {
            // What follows belongs to the expression.
            for line in &lines[index..] {
                planner.push_rust(line, index);
            }
            break;
        }
        let ends_cell = last.is_none_or(|last| last <= index);
        planner.line(line, index, ends_cell)?;
    }
    planner.cut(lines.len());
    Ok(planner.steps)
}

/// The cell without what editors on other systems put into text: a mark at its beginning, carriage returns before the
/// ends of lines. What a cell writes to a file stays as it is.
pub(crate) fn without_marks_of_editors(code: &str) -> std::borrow::Cow<'_, str> {
    let code = code.strip_prefix('\u{feff}').unwrap_or(code);
    if code.trim_start().starts_with("%%writefile") {
        return code.into();
    }
    let code = code.trim_end_matches('\r');
    if code.contains("\r\n") {
        code.replace("\r\n", "\n").into()
    } else {
        code.into()
    }
}

/// `exit` and `quit` alone in a cell, with or without brackets, unless they are names of the session.
fn is_farewell(code: &str, surroundings: &Surroundings<'_>) -> bool {
    let word = code.trim();
    let word = word.strip_suffix("()").unwrap_or(word);
    ["exit", "quit"].contains(&word) && !(surroundings.knows)(word)
}

/// `name?` and `name??` on a line of their own, where `?` can only mean a question: what is before it is a path, and no
/// variable that may hold a `Result` or an `Option`.
fn help_behind(line: &str, planner: &Planner, surroundings: &Surroundings<'_>) -> Option<Step> {
    let name = line.trim().strip_suffix('?')?;
    let (name, detail) = name.strip_suffix('?').map_or((name, 0), |name| (name, 1));
    let is_path = name
        .split("::")
        .flat_map(|part| part.split('.'))
        .all(|part| {
            let part = part.strip_suffix('!').unwrap_or(part);
            crate::syntax::is_variable_name(part) || ["Self", "self", "crate"].contains(&part)
        });
    if !is_path || !planner.line_may_begin(line) {
        return None;
    }
    let first = name.split(['.', ':']).next()?;
    let of_type = (surroundings.type_of)(first);
    let is_question = match of_type.as_deref() {
        // A field of a type of the user's may hold anything; ours hold nothing that can fail.
        Some(of_type) if name.contains('.') => of_type.starts_with("swath::"),
        Some(of_type) => {
            let head = of_type.split('<').next().unwrap_or_default();
            !["Result", "Option", "ControlFlow", "Poll"]
                .iter()
                .any(|kind| head.ends_with(kind))
        }
        None => !name.contains('.'),
    };
    (is_question && !negation::binds(&planner.rust, first))
        .then(|| Step::Help(name.to_owned(), detail))
}

/// The program that a failed cell may have meant when its last line was taken for Rust: `!gdalinfo`, which is not there.
pub(crate) fn misread_negation(code: &str) -> Option<&str> {
    let last = code.trim_end().lines().last()?.trim();
    let word = negation::first_word(last.strip_prefix('!')?);
    let is_word = |word: &str| {
        word.chars()
            .all(|c| c.is_alphanumeric() || "_-.".contains(c))
    };
    (!word.is_empty() && is_word(word)).then_some(word)
}

#[derive(Default)]
struct Planner {
    steps: Vec<Step>,
    /// Rust gathered since the last step, and whether it holds anything but the empty lines before it.
    rust: String,
    has_rust: bool,
    is_commands: bool,
}

impl Planner {
    fn line(&mut self, line: &str, index: usize, ends_cell: bool) -> Result<(), UsageError> {
        let command = commands::parse(line);
        let is_command = command.is_some();
        let marked = line.trim_start();
        if !(marked.starts_with(['%', '!', '?']) || is_command) || !self.line_may_begin(line) {
            if self.is_commands && !marked.is_empty() {
                self.cut(index);
            }
            return self.push(line);
        }
        if let Some((name, arguments)) = command {
            if let Some(commands::Action::Front(command)) =
                commands::find(name).map(|command| command.action)
            {
                self.cut(index);
                self.steps
                    .push(Step::Command(command, arguments.to_owned()));
                self.begin(index + 1);
                return Ok(());
            }
            if !self.is_commands {
                self.cut(index);
                self.is_commands = true;
            }
            return self.push(line);
        }
        if let Some(command) = marked.strip_prefix('!') {
            self.cut(index);
            self.steps.push(Step::Shell(command.trim().to_owned()));
        } else if let Some(help) = marked
            .strip_prefix('?')
            .or_else(|| marked.strip_suffix('?').filter(|_| marked.starts_with('%')))
        {
            self.cut(index);
            let detail = u32::from(help.starts_with('?') || help.ends_with('?'));
            self.steps
                .push(Step::Help(help.trim_matches('?').trim().to_owned(), detail));
        } else {
            return self.magic(marked, index, ends_cell);
        }
        self.begin(index + 1);
        Ok(())
    }

    fn magic(&mut self, line: &str, index: usize, ends_cell: bool) -> Result<(), UsageError> {
        if line.starts_with("%%") {
            return Err(UsageError {
                message: format!("{line:?} is a cell magic: it must be the first line of its cell"),
                usage: "%%name, then the cell".to_owned(),
            });
        }
        let (magic, rest) = look_up(line, Kind::Line)?;
        match magic.action {
            Action::Expand(_) | Action::Run(Builtin::Time | Builtin::Timeit) => {
                if self.is_commands {
                    self.cut(index);
                }
                let rust = expand_line(line, ends_cell)?.unwrap_or_default();
                self.push(&rust)
            }
            Action::Run(Builtin::Dep) => {
                self.cut(index);
                self.is_commands = true;
                self.push(&dependency(magic, rest)?)?;
                self.cut(index + 1);
                Ok(())
            }
            Action::Run(builtin) => {
                refuse_words(magic, rest)?;
                self.cut(index);
                self.steps.push(Step::Builtin {
                    builtin,
                    line: rest.to_owned(),
                    body: None,
                });
                self.begin(index + 1);
                Ok(())
            }
        }
    }

    /// Whether a magic may begin here: not within brackets, strings and comments; indented ones, and all others that
    /// could go on with an expression, only after a finished statement.
    fn line_may_begin(&self, line: &str) -> bool {
        if !self.has_rust || self.is_commands {
            return true;
        }
        let end = end_of(&self.rust);
        end.is_between_lines()
            && (end.after_statement || !line.starts_with([' ', '\t']) && names_magic(line))
    }

    /// Adds a line that is Rust whatever it looks like; `first` is the first of its kind.
    fn push_rust(&mut self, line: &str, first: usize) {
        if self.is_commands {
            self.cut(first);
        }
        let _ = self.push(line);
    }

    #[expect(clippy::unnecessary_wraps, reason = "callers return what this returns")]
    fn push(&mut self, line: &str) -> Result<(), UsageError> {
        self.has_rust |= !line.trim().is_empty();
        self.rust.push_str(line);
        self.rust.push('\n');
        Ok(())
    }

    /// Ends the gathered Rust, before line `next`.
    fn cut(&mut self, next: usize) {
        let rust = std::mem::take(&mut self.rust);
        if self.has_rust {
            self.steps.push(Step::Rust(rust.trim_end().to_owned()));
        }
        self.begin(next);
    }

    fn begin(&mut self, line: usize) {
        self.rust = "\n".repeat(line);
        self.has_rust = false;
        self.is_commands = false;
    }
}

/// A magic that takes nothing must not do its work when something follows its name: `%reset all` may mean anything.
fn refuse_words(magic: &Magic, rest: &str) -> Result<(), UsageError> {
    let takes_nothing = matches!(
        magic.action,
        Action::Run(
            Builtin::Bash
                | Builtin::Lsmagic
                | Builtin::Parameters
                | Builtin::Pwd
                | Builtin::Reset
                | Builtin::Who
        )
    );
    // IPython asks before it forgets, unless told so; we never ask.
    let is_forced = matches!(magic.action, Action::Run(Builtin::Reset)) && rest == "-f";
    if takes_nothing && !rest.is_empty() && !is_forced {
        return Err(UsageError::new(
            magic,
            format!("{} takes no further word: {rest:?}", magic.written()),
        ));
    }
    Ok(())
}

fn names_magic(line: &str) -> bool {
    line.strip_prefix('%')
        .is_some_and(|rest| find(word(rest)).is_some())
}

fn word(text: &str) -> &str {
    &text[..text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len())]
}

/// The magic that `line` names (with its percent signs), and the rest of the line.
fn look_up(line: &str, wanted: Kind) -> Result<(&'static Magic, &str), UsageError> {
    let text = line.trim_start_matches('%');
    let name = word(text);
    let rest = text[name.len()..].trim();
    let signs = if wanted == Kind::Cell { "%%" } else { "%" };
    match find(name) {
        Some(magic) if magic.kind == wanted || magic.kind == Kind::Both => Ok((magic, rest)),
        Some(magic) => Err(UsageError::new(
            magic,
            format!("{signs}{name} does not exist, {} does", magic.written()),
        )),
        None => {
            let advice = crate::advice::of_magic(name);
            let more = advice.map_or_else(|| suggestion(name), |advice| format!(": {advice}"));
            Err(UsageError {
                message: format!("there is no magic {signs}{name}{more}"),
                usage: "%lsmagic lists the magics".to_owned(),
            })
        }
    }
}

fn suggestion(name: &str) -> String {
    let near = MAGICS
        .iter()
        .map(|magic| (levenshtein(name, magic.name), magic))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, magic)) if distance * 3 <= name.len() => {
            format!("; did you mean {}?", magic.written())
        }
        _ => String::new(),
    }
}

/// The Rust of one line when it is a magic that stands for Rust; `None` for any other line.
pub(crate) fn expand_line(line: &str, ends_cell: bool) -> Result<Option<String>, UsageError> {
    let line = line.trim();
    if !line.starts_with('%') || line.starts_with("%%") {
        return Ok(None);
    }
    let (magic, rest) = look_up(line, Kind::Line)?;
    match magic.action {
        Action::Expand(expand) => Ok(Some(
            expand(magic, &Arguments::parse(magic, rest)?)?.rust(ends_cell),
        )),
        Action::Run(Builtin::Time) => time::time(
            magic,
            &expand_line(rest, true)?.unwrap_or_else(|| rest.to_owned()),
        )
        .map(Some),
        Action::Run(Builtin::Timeit) => time::timeit(
            magic,
            &expand_line(rest, true)?.unwrap_or_else(|| rest.to_owned()),
        )
        .map(Some),
        Action::Run(_) => Ok(None),
    }
}

fn plan_cell_magic(code: &str) -> Result<Vec<Step>, UsageError> {
    let skipped = code.len() - code.trim_start().len();
    let lines_before = code[..skipped].matches('\n').count();
    let (first, body) = code[skipped..]
        .split_once('\n')
        .unwrap_or((&code[skipped..], ""));
    if let Some(help) = first.strip_suffix('?') {
        return Ok(vec![Step::Help(
            help.trim_end_matches('?').to_owned(),
            u32::from(help.ends_with('?')),
        )]);
    }
    let (magic, rest) = look_up(first.trim(), Kind::Cell)?;
    let Action::Run(builtin) = magic.action else {
        return Err(UsageError::new(
            magic,
            format!("%%{} does not exist", magic.name),
        ));
    };
    if matches!(builtin, Builtin::Time | Builtin::Timeit) {
        let rust = rust_of(body)?;
        let timed = if builtin == Builtin::Time {
            time::time(magic, &rust)?
        } else {
            time::timeit(magic, &rust)?
        };
        return Ok(vec![Step::Rust(format!(
            "{}{timed}",
            "\n".repeat(lines_before + 1)
        ))]);
    }
    refuse_words(magic, rest)?;
    if builtin == Builtin::Parameters {
        return Ok(vec![Step::Builtin {
            builtin,
            line: rest.to_owned(),
            body: Some("\n".repeat(lines_before + 1) + body),
        }]);
    }
    // A cell within the cell: its errors name the lines of the whole one.
    let empty_lines = match builtin {
        Builtin::Capture => lines_before + 1,
        _ => 0,
    };
    Ok(vec![Step::Builtin {
        builtin,
        line: rest.to_owned(),
        body: Some("\n".repeat(empty_lines) + body),
    }])
}

/// A cell with the magics that stand for Rust replaced by it.
///
/// # Errors
/// When the cell has magics or commands that stand for no Rust.
pub(crate) fn rust_of(code: &str) -> Result<String, UsageError> {
    // A line with `!` that is a shell command is refused here.
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    let surroundings = Surroundings {
        knows: &|_| false,
        type_of: &|_| None,
        search_path: &search_path,
    };
    let steps = plan(code, &surroundings)?;
    match steps.as_slice() {
        [] => Ok(String::new()),
        [Step::Rust(rust)] => Ok(rust.clone()),
        _ => Err(UsageError {
            message: "only Rust and magics that stand for Rust can be here".to_owned(),
            usage: "put shell commands and other magics into a cell of their own".to_owned(),
        }),
    }
}

/// evcxr's command for `%dep`.
fn dependency(magic: &Magic, rest: &str) -> Result<String, UsageError> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    if rest.is_empty() {
        return Err(UsageError::new(magic, "%dep needs the name of a crate"));
    }
    if rest.starts_with(['.', '/'])
        || rest
            .split_once('=')
            .is_some_and(|(name, _)| is_name(name.trim()))
    {
        return Ok(format!(":dep {rest}"));
    }
    let (name, version) = rest.split_once('@').unwrap_or((rest, "*"));
    if !is_name(name) || version.contains(['"', '\\']) {
        return Err(UsageError::new(
            magic,
            format!("{name:?} is not the name of a crate"),
        ));
    }
    Ok(format!(":dep {name} = \"{version}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_written_in_four_ways() {
        let magic = find("dep").unwrap();
        let expand = |rest| dependency(magic, rest).unwrap();
        assert_eq!(expand("serde"), ":dep serde = \"*\"");
        assert_eq!(expand("serde@1.0"), ":dep serde = \"1.0\"");
        assert_eq!(
            expand("serde = { version = \"1\", features = [\"derive\"] }"),
            ":dep serde = { version = \"1\", features = [\"derive\"] }"
        );
        assert_eq!(expand("./mine"), ":dep ./mine");
        assert!(dependency(magic, "a b").is_err());
    }

    #[test]
    fn a_name_with_a_question_mark_is_a_question_where_rust_can_mean_nothing_by_it() {
        let types = |name: &str| match name {
            "west" => Some("swath::prelude::Scene".to_owned()),
            "read" => Some("std::result::Result<u8, std::io::Error>".to_owned()),
            "mine" => Some("Mine".to_owned()),
            _ => None,
        };
        let surroundings = Surroundings {
            type_of: &types,
            ..Surroundings::none()
        };
        let is_help = |code: &str| {
            let steps = plan(code, &surroundings).unwrap();
            steps.iter().any(|step| matches!(step, Step::Help(..)))
        };
        for code in [
            "west?",
            "west??",
            "Scene::open?",
            "Vec?",
            "Vec::push??",
            "west.split?",
            "println!?",
            "let a = 1;\nwest?",
            "mine?",
            "nobody?",
        ] {
            assert!(is_help(code), "{code}");
        }
        for code in [
            "read?",
            "mine.field?",
            "let a = f();\na?",
            "f()?",
            "let x =\nwest?",
            "west.a()?",
            "a.b?",
        ] {
            assert!(!is_help(code), "{code}");
        }
    }

    #[track_caller]
    fn check(code: &str, expected: &[Step]) {
        assert_eq!(
            plan(code, &Surroundings::none()).unwrap(),
            expected,
            "{code:?}"
        );
    }

    fn rust(code: &str) -> Step {
        Step::Rust(code.to_owned())
    }

    fn builtin(builtin: Builtin, line: &str) -> Step {
        Step::Builtin {
            builtin,
            line: line.to_owned(),
            body: None,
        }
    }

    #[test]
    fn plain_rust_is_one_step_and_empty_cells_are_none() {
        check("let a = 1;\na", &[rust("let a = 1;\na")]);
        check("", &[]);
        check("\n  \n", &[]);
    }

    #[test]
    fn rust_keeps_its_line_numbers_around_other_steps() {
        check(
            "%who\nlet a = 1;\n!ls -l\na + 1",
            &[
                builtin(Builtin::Who, ""),
                rust("\nlet a = 1;"),
                Step::Shell("ls -l".to_owned()),
                rust("\n\n\na + 1"),
            ],
        );
    }

    #[test]
    fn magics_that_stand_for_rust_stay_in_the_step_and_display_on_the_way() {
        check(
            "let f = 1;\n%scene a.tif\nscene.size()",
            &[rust(
                "let f = 1;\nlet scene = Scene::open(\"a.tif\")?; ::swath::session::display(&(scene));\nscene.size()",
            )],
        );
        check(
            "%scene a.tif\n\n",
            &[rust("let scene = Scene::open(\"a.tif\")?; scene")],
        );
    }

    #[test]
    fn a_remainder_a_negation_and_a_string_are_no_magics() {
        for code in [
            "let a = 7\n    % time;",
            "let s = \"\n%who\n\";",
            "f(\n%who\n)",
            "/*\n!ls\n*/",
            "let a = 5\n% 3;",
            "let b =\n    !c;",
            "match x {\n    1 => 2,\n    _ => 3\n    % 2,\n}",
        ] {
            check(code, &[rust(code)]);
        }
    }

    #[test]
    fn a_magic_after_a_line_without_semicolon_is_still_a_magic() {
        check(
            "let a = 5\n%who",
            &[rust("let a = 5"), builtin(Builtin::Who, "")],
        );
    }

    #[test]
    fn commands_of_evcxr_are_steps_of_their_own() {
        check(
            ":dep a = \"1\"\n:vars\nlet b = 1;",
            &[rust(":dep a = \"1\"\n:vars"), rust("\n\nlet b = 1;")],
        );
        check(
            "%dep serde@1\nuse serde::Serialize;",
            &[rust(":dep serde = \"1\""), rust("\nuse serde::Serialize;")],
        );
    }

    #[test]
    fn commands_of_the_front_process_stand_alone_and_may_be_indented() {
        check(
            ":vars\n  :doc Vec\n:version\n1 + 1",
            &[
                rust(":vars"),
                Step::Command(FrontCommand::Doc, "Vec".to_owned()),
                rust("\n\n:version"),
                rust("\n\n\n1 + 1"),
            ],
        );
        check("let a\n    :i32 = 5;", &[rust("let a\n    :i32 = 5;")]);
        check(
            " exit() ",
            &[Step::Command(FrontCommand::Quit, String::new())],
        );
        let names = Surroundings {
            knows: &|name| name == "quit",
            ..Surroundings::none()
        };
        assert_eq!(plan("quit", &names).unwrap(), [rust("quit")]);
    }

    #[test]
    fn negations_at_the_end_are_rust() {
        check("let a = true;\n!a", &[rust("let a = true;\n!a")]);
        check("!a\n  && b\n", &[rust("!a\n  && b")]);
        check(":vars\n!a", &[rust(":vars"), rust("\n!a")]);
        check("!ls -l", &[Step::Shell("ls -l".to_owned())]);
        assert_eq!(
            misread_negation("let a = 1;\n!xeyes_info"),
            Some("xeyes_info")
        );
        assert_eq!(misread_negation("!(1 > 2)"), Some("1"));
        assert_eq!(misread_negation("a"), None);
    }

    #[test]
    fn parameters_are_known_by_a_comment_too() {
        let step = |body: &str| {
            [Step::Builtin {
                builtin: Builtin::Parameters,
                line: String::new(),
                body: Some(body.to_owned()),
            }]
        };
        let cell = "// %%parameters: as they are\nlet a = 1;";
        check(cell, &step(cell));
        check("%%parameters\nlet a = 1;", &step("\nlet a = 1;"));
    }

    #[test]
    fn marks_of_other_systems_change_nothing() {
        check(
            "\u{feff}%who\r\n1 + 1\r\n",
            &[builtin(Builtin::Who, ""), rust("\n1 + 1")],
        );
        check(
            "%%bash\r\necho a\r\necho b\r",
            &[Step::Builtin {
                builtin: Builtin::Bash,
                line: String::new(),
                body: Some("echo a\necho b".to_owned()),
            }],
        );
        check(
            "%%writefile a.txt\r\none\r\n",
            &[Step::Builtin {
                builtin: Builtin::Writefile,
                line: "a.txt".to_owned(),
                body: Some("one\r\n".to_owned()),
            }],
        );
    }

    #[test]
    fn help_is_asked_with_question_marks() {
        check("?Scene::open", &[Step::Help("Scene::open".to_owned(), 0)]);
        check("??Scene", &[Step::Help("Scene".to_owned(), 1)]);
        check("%lsmagic?", &[Step::Help("%lsmagic".to_owned(), 0)]);
        check("%%bash?", &[Step::Help("%%bash".to_owned(), 0)]);
        // Behind a call the question mark is Rust's operator.
        check("run()?", &[rust("run()?")]);
    }

    #[test]
    fn cell_magics_take_the_rest_of_the_cell() {
        check(
            "\n%%bash\necho '%who'\n!x",
            &[Step::Builtin {
                builtin: Builtin::Bash,
                line: String::new(),
                body: Some("echo '%who'\n!x".to_owned()),
            }],
        );
        check(
            "\n%%capture out.txt\n1 + 1",
            &[Step::Builtin {
                builtin: Builtin::Capture,
                line: "out.txt".to_owned(),
                body: Some("\n\n1 + 1".to_owned()),
            }],
        );
    }

    #[test]
    fn mistakes_are_explained() {
        let plan = |code| plan(code, &Surroundings::none());
        let message = |code| plan(code).unwrap_err().message;
        assert_eq!(
            message("%scen a"),
            "there is no magic %scen; did you mean %scene?"
        );
        assert!(message("%reset all").contains("no further word"));
        assert!(message("%reset -f -s").contains("no further word"));
        assert!(message("%who x").contains("no further word"));
        assert!(message("%%bash -x\nls").contains("no further word"));
        assert_eq!(message("%zzzzzz"), "there is no magic %zzzzzz");
        assert_eq!(message("%bash"), "%bash does not exist, %%bash does");
        assert_eq!(message("%%who"), "%%who does not exist, %who does");
        assert!(message("1;\n%%bash").contains("first line"));
        assert_eq!(
            plan("%scene").unwrap_err().usage,
            find("scene").unwrap().usage
        );
    }
}
