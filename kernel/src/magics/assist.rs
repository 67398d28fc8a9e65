//! Help for somebody who types: which magic the cursor is in, what can follow, and the cell without its magics for
//! the engine's own completion.

use super::arguments::plain_key;
use super::fit;
use super::table::{Action, Builtin, Kind, MAGICS, Magic, find};
use crate::commands::{self, COMMANDS};
use crate::eval::{Completion, Completions};
use crate::syntax::end_of;

/// The commands of evcxr's that do something here.
fn evcxr_commands() -> impl Iterator<Item = &'static str> {
    COMMANDS
        .iter()
        .filter(|command| !matches!(command.action, commands::Action::Refused { .. }))
        .map(|command| command.name)
}

/// Whether a cell begins with `%%`.
pub(crate) fn is_cell_magic(code: &str) -> bool {
    code.trim_start().starts_with("%%")
}

/// Whether the rest of this magic's line, or its cell, is Rust.
fn takes_rust(magic: &Magic) -> bool {
    matches!(
        magic.action,
        Action::Run(Builtin::Time | Builtin::Timeit | Builtin::Expand | Builtin::Capture)
    )
}

fn name_of(line: &str) -> &str {
    let text = line.trim_start().trim_start_matches('%');
    &text[..text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len())]
}

/// The cell with every magic, shell command and help line replaced by as many spaces, so that the places of all other
/// characters stay.
pub(crate) fn without_magics(code: &str) -> String {
    let mut kept = String::new();
    let cell_magic = is_cell_magic(code);
    let mut in_body_of = None;
    for (index, line) in code.split('\n').enumerate() {
        if index > 0 {
            kept.push('\n');
        }
        if cell_magic {
            match in_body_of {
                None if line.trim().is_empty() => {}
                None => {
                    in_body_of = Some(find(name_of(line)).is_some_and(takes_rust));
                    blank(&mut kept, line);
                    continue;
                }
                Some(true) => {}
                Some(false) => {
                    blank(&mut kept, line);
                    continue;
                }
            }
        }
        let marked = line.trim_start();
        let is_command = line.starts_with(':') && !line.starts_with("::");
        if !(marked.starts_with(['%', '!', '?']) || is_command) || !may_begin(&kept, line) {
            kept.push_str(line);
        } else if let Some(rust_at) = rust_after_name(line) {
            blank(&mut kept, &line[..rust_at]);
            kept.push_str(&line[rust_at..]);
        } else {
            blank(&mut kept, line);
        }
    }
    kept
}

fn may_begin(before: &str, line: &str) -> bool {
    let end = end_of(before);
    end.is_between_lines() && (end.after_statement || line.starts_with('%'))
}

/// Where the Rust begins in `%time f()`.
fn rust_after_name(line: &str) -> Option<usize> {
    let magic = find(name_of(line))
        .filter(|magic| line.trim_start().starts_with('%') && takes_rust(magic))?;
    let at = line.find('%')? + 1 + magic.name.len();
    (!line[at..].trim_start().starts_with('%')).then_some(at)
}

fn blank(kept: &mut String, line: &str) {
    kept.extend(line.chars().map(|_| ' '));
}

/// The line with the cursor: its number, its text, and how many characters of it stand before the cursor.
fn line_at(code: &str, cursor: usize) -> (usize, &str, usize) {
    let mut left = cursor;
    let mut last = (0, "", 0);
    for (index, line) in code.split('\n').enumerate() {
        let length = line.chars().count();
        if left <= length {
            return (index, line, left);
        }
        left -= length + 1;
        last = (index, line, length);
    }
    last
}

fn lines_before(code: &str, line_number: usize) -> String {
    let lines: Vec<&str> = code.split('\n').take(line_number).collect();
    lines.join("\n")
}

/// Whether the line is one of evcxr's commands, or the beginning of one.
fn command_line(code: &str, line_number: usize, line: &str) -> bool {
    let begins = line
        .strip_prefix(':')
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    begins
        && !is_cell_magic(code)
        && may_begin(&without_magics(&lines_before(code, line_number)), line)
}

fn magic_line(code: &str, line_number: usize, line: &str) -> bool {
    let before = lines_before(code, line_number);
    let first = before.trim().is_empty();
    line.trim_start().starts_with('%')
        && (first || !is_cell_magic(code) && may_begin(&without_magics(&before), line))
}

/// The magic whose line the cursor (in code points) is in; for magics that take Rust, only at their name.
pub(crate) fn at_cursor(code: &str, cursor: usize) -> Option<&'static Magic> {
    let (number, line, column) = line_at(code, cursor);
    if !magic_line(code, number, line) {
        return None;
    }
    let magic = find(name_of(line))?;
    let name_end = line
        .chars()
        .take_while(|c| c.is_whitespace() || *c == '%')
        .count()
        + magic.name.len();
    (!takes_rust(magic) || column <= name_end).then_some(magic)
}

/// What is known of the session.
pub(crate) struct Known<'a> {
    /// The names of its variables.
    pub(crate) variables: &'a (dyn Fn() -> Vec<String> + Sync),
    /// The classes (`class`) or bands (`band`) of one of them, or of all where it has none.
    pub(crate) words: &'a (dyn Fn(&str, &str) -> Vec<String> + Sync),
    /// The properties of a vector file.
    pub(crate) properties: &'a (dyn Fn(&str) -> Vec<String> + Sync),
    /// The types and functions that every cell has.
    pub(crate) prelude: &'a (dyn Fn() -> Vec<String> + Sync),
}

/// Completes within a magic's line; `None` where the engine should.
pub(crate) fn complete(code: &str, cursor: usize, known: &Known<'_>) -> Option<Completions> {
    let variables = known.variables;
    // A front end may name a place behind the end.
    let cursor = cursor.min(code.chars().count());
    let (number, line, column) = line_at(code, cursor);
    let is_shell = line.trim_start().starts_with('!');
    let is_question = line.trim_start().starts_with('?')
        && may_begin(&without_magics(&lines_before(code, number)), line);
    if is_question {
        let before: String = line.chars().take(column).collect();
        return Some(complete_question(&before, cursor, known));
    }
    if command_line(code, number, line) {
        let before: String = line.chars().take(column).collect();
        return Some(complete_command(&before, cursor, variables));
    }
    if !is_shell && !magic_line(code, number, line) {
        return None;
    }
    let before: String = line.chars().take(column).collect();
    // The word before the cursor: spaces within quotes and after backslashes do not end it.
    let word = last_word(&before);
    let mut matches = Vec::new();
    let mut typed = word;
    if word.starts_with('%') && !is_shell {
        let first = code
            .split('\n')
            .take(number)
            .all(|line| line.trim().is_empty());
        complete_names(word, first, &mut matches);
    } else if is_shell {
        complete_files(word.trim_start_matches('!'), &mut matches);
        typed = word.trim_start_matches('!');
    } else {
        let magic = find(name_of(line))?;
        if takes_rust(magic) {
            return None;
        }
        typed = complete_arguments(magic, &before, known, &mut matches);
    }
    let start = cursor - typed.chars().count();
    Some(Completions {
        matches,
        start,
        end: cursor,
    })
}

/// Completes the name, or the magic, that a line of help asks for.
fn complete_question(before: &str, cursor: usize, known: &Known<'_>) -> Completions {
    let typed = before.trim_start().trim_start_matches('?').trim_start();
    let mut matches = Vec::new();
    if typed.starts_with('%') {
        complete_names(typed, true, &mut matches);
    } else if !typed.is_empty() {
        let names = (known.prelude)().into_iter().map(|name| (name, "class"));
        let variables = (known.variables)().into_iter();
        let all = names.chain(variables.map(|name| (name, "instance")));
        let fitting = all.filter(|(name, _)| name.starts_with(typed));
        matches.extend(fitting.map(|(name, kind)| candidate(name, kind)));
    }
    Completions {
        matches,
        start: cursor - typed.chars().count(),
        end: cursor,
    }
}

/// Completes evcxr's command that is typed so far, or the variable that it is about.
fn complete_command(
    before: &str,
    cursor: usize,
    variables: &dyn Fn() -> Vec<String>,
) -> Completions {
    let (known, typed, kind): (Vec<String>, &str, &str) = match before.rsplit_once(' ') {
        None => {
            let commands = evcxr_commands().map(str::to_owned);
            (commands.collect(), before, "magic")
        }
        Some((":t" | ":type", typed)) => (variables(), typed, "instance"),
        Some((_, typed)) => (Vec::new(), typed, "instance"),
    };
    let fitting = known.into_iter().filter(|name| name.starts_with(typed));
    Completions {
        matches: fitting.map(|name| candidate(name, kind)).collect(),
        start: cursor - typed.chars().count(),
        end: cursor,
    }
}

pub(super) fn candidate(text: String, kind: &str) -> Completion {
    Completion {
        label: text.clone(),
        text,
        kind: kind.to_owned(),
    }
}

fn complete_names(word: &str, first_line: bool, matches: &mut Vec<Completion>) {
    for magic in MAGICS {
        for sign in ["%", "%%"] {
            let fits = match magic.kind {
                Kind::Both => true,
                Kind::Line => sign == "%",
                Kind::Cell => sign == "%%",
            };
            let text = format!("{sign}{}", magic.name);
            if fits && (sign == "%" || first_line) && text.starts_with(word) {
                matches.push(candidate(text, "magic"));
            }
        }
    }
}

/// The words of a line as they are written: spaces within quotes and after backslashes do not end one. The last one may be
/// empty, and its quote may be open.
fn words(line: &str) -> Vec<&str> {
    let (mut words, mut start, mut quote, mut escaped) = (Vec::new(), 0, None, false);
    for (at, c) in line.char_indices() {
        match (c, quote) {
            _ if escaped => escaped = false,
            ('\\', _) => escaped = true,
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => {
                words.push(&line[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    words.push(&line[start..]);
    words
}

fn last_word(line: &str) -> &str {
    words(line).pop().unwrap_or_default()
}

/// A word without its quotes and backslashes.
fn plain(word: &str) -> String {
    let word = word.trim_matches(['"', '\'']);
    word.replace("\\ ", " ")
}

/// Adds what can stand at the end of `line`, and returns the part of it that is replaced.
fn complete_arguments<'a>(
    magic: &Magic,
    line: &'a str,
    known: &Known<'_>,
    matches: &mut Vec<Completion>,
) -> &'a str {
    let word = last_word(line);
    let variables = known.variables;
    let option = |key: &str| {
        let mut words = words(line).into_iter();
        words.find_map(|word| word.strip_prefix(key)?.strip_prefix('=').map(plain))
    };
    // What the line is about: the variable that it names, or the one that the magic takes by itself.
    let shown = {
        let named = variables()
            .into_iter()
            .find(|name| words(line).contains(&name.as_str()));
        let usual = if magic.name == "objects" {
            "map"
        } else {
            "scene"
        };
        named.unwrap_or_else(|| usual.to_owned())
    };
    let names = |names: Vec<String>, typed: &str, matches: &mut Vec<Completion>| {
        let opened = typed.starts_with(['"', '\'']);
        let fitting = names
            .into_iter()
            .filter(|name| name.starts_with(&plain(typed)));
        let written = fitting.filter_map(|name| match opened {
            true => Some(format!("{}{name}", &typed[..1])),
            false => quoted(&name),
        });
        matches.extend(written.map(|name| candidate(name, "text")));
    };
    if let Some((key, value)) = word.split_once('=') {
        match plain_key(key.trim_start_matches("--")) {
            "labels" | "label_raster" | "boxes" | "aoi" | "labeled_within" | "save" | "weights" => {
                complete_files(value, matches);
            }
            "scene" | "from" | "chips" | "valid" => {
                matches.extend(
                    variables()
                        .into_iter()
                        .filter(|name| name.starts_with(value))
                        .map(|name| candidate(name, "instance")),
                );
            }
            "class" if ["scene", "scenes"].contains(&magic.name) => {
                let file = option("labels").or_else(|| option("boxes"));
                let found = file.map(|file| (known.properties)(&file));
                names(found.unwrap_or_default(), value, matches);
            }
            "class" => names((known.words)("class", &shown), value, matches),
            key @ ("by" | "missing" | "weight" | "skip_broken" | "augment" | "series"
            | "composite") => {
                let choices: &[&str] = match key {
                    "by" => &["columns", "rows", "scene"],
                    "missing" => &["background", "skip"],
                    "weight" => &["area", "even", "labeled"],
                    "augment" => &["light", "strong", "none"],
                    "composite" => &["median", "mean", "min", "max", "first", "last", "greenest"],
                    _ => &["yes", "no"],
                };
                matches.extend(
                    choices
                        .iter()
                        .filter(|choice| choice.starts_with(value))
                        .map(|choice| candidate((*choice).to_owned(), "keyword")),
                );
            }
            key => {
                if magic.name == "fit" && key == "model" {
                    let models = fit::model_words().into_iter();
                    let fitting = models.filter(|name| name.starts_with(value));
                    matches.extend(fitting.map(|name| candidate(name, "keyword")));
                }
                let choices = fit::CHOICES.iter().find(|(name, _)| *name == key);
                let names = choices.into_iter().flat_map(|(_, choices)| choices.iter());
                matches.extend(
                    names
                        .map(|(name, _)| (*name).to_owned())
                        .filter(|name| name.starts_with(value))
                        .map(|name| candidate(name, "keyword")),
                );
            }
        }
        return value;
    }
    let keywords: &[&str] = match magic.name {
        "data" => &swath_link::data_sets::NAMES,
        "device" => &["best", "cpu", "cuda", "vulkan"],
        "chips" => &["objects", "sliding"],
        _ => &[],
    };
    matches.extend(
        keywords
            .iter()
            .filter(|known| known.starts_with(word))
            .map(|known| candidate((*known).to_owned(), "keyword")),
    );
    let at_list = words(line).len() == 2;
    match magic.name {
        "bands" if at_list => {
            return complete_list((known.words)("band", &shown), word, matches);
        }
        "colors" if at_list => {
            let last = word.rsplit(',').next().unwrap_or_default();
            if let Some((_, typed)) = last.split_once(':') {
                complete_list(colors(), typed, matches);
                return typed;
            }
            return complete_list((known.words)("class", &shown), word, matches);
        }
        _ => {}
    }
    if magic.name == "fit" {
        let models = fit::model_words().into_iter();
        let fitting = models.filter(|known| known.starts_with(word));
        matches.extend(fitting.map(|known| candidate(known, "keyword")));
    }
    let keys = magic.options.iter().map(|(key, _)| format!("{key}="));
    matches.extend(
        keys.filter(|key| key.starts_with(word))
            .map(|key| candidate(key, "keyword")),
    );
    if matches!(
        magic.name,
        "predict"
            | "map"
            | "evaluate"
            | "bands"
            | "zoom"
            | "errors"
            | "worst"
            | "objects"
            | "colors"
            | "save"
    ) {
        matches.extend(
            variables()
                .into_iter()
                .filter(|name| name.starts_with(word))
                .map(|name| candidate(name, "instance")),
        );
    }
    if matches!(
        magic.name,
        "scene" | "scenes" | "predict" | "load" | "writefile" | "cd" | "capture"
    ) {
        complete_files(word, matches);
    }
    word
}

/// Adds the names that the last part of a list `a,b,c` begins, and returns that part. A name with signs of its own is only
/// offered where it stands alone, in quotes.
fn complete_list<'a>(names: Vec<String>, list: &'a str, matches: &mut Vec<Completion>) -> &'a str {
    let typed = list.rsplit(',').next().unwrap_or_default();
    let is_alone = typed.len() == list.len();
    let opened = typed.starts_with(['"', '\'']);
    let is_plain =
        |name: &str| !name.contains(|c: char| c.is_whitespace() || "\"',:\\".contains(c));
    let fitting = names
        .into_iter()
        .filter(|name| name.starts_with(&plain(typed)));
    let written = fitting.filter_map(|name| match (is_plain(&name), is_alone) {
        (true, _) if !opened => Some(name),
        (false, false) => None,
        (_, _) if name.contains([',', ':', '"', '\'', '\\']) => None,
        (_, _) if opened => Some(format!("{}{name}", &typed[..1])),
        (_, _) => quoted(&name),
    });
    matches.extend(written.map(|name| candidate(name, "text")));
    typed
}

/// Colors that are easy to tell, by the names that the library knows.
pub(super) fn colors() -> Vec<String> {
    let names = [
        "red", "orange", "yellow", "green", "blue", "purple", "magenta", "cyan", "brown", "black",
        "gray", "white",
    ];
    names.map(str::to_owned).to_vec()
}

/// A word of a magic's line: in quotes where it has spaces or quotes of the other kind; `None` where no quotes would do.
fn quoted(word: &str) -> Option<String> {
    let has = |signs: &[char]| word.contains(signs);
    match (has(&['"', '\\']), has(&['\''])) {
        (true, true) => None,
        (true, false) => Some(format!("'{word}'")),
        (false, true) => Some(format!("\"{word}\"")),
        (false, false) if word.contains(char::is_whitespace) => Some(format!("\"{word}\"")),
        (false, false) => Some(word.to_owned()),
    }
}

/// The files that `word` begins to name, as a magic or a shell takes them: with backslashes before spaces, unless a quote
/// keeps them together.
fn complete_files(word: &str, matches: &mut Vec<Completion>) {
    let quote = word.chars().next().filter(|c| ['"', '\''].contains(c));
    let typed = word.trim_start_matches(['"', '\'']).replace("\\ ", " ");
    let paths = files(&typed).into_iter().map(|path| match quote {
        Some(quote) => format!("{quote}{path}"),
        None => path.replace(' ', "\\ "),
    });
    matches.extend(paths.map(|path| candidate(path, "path")));
}

/// The files whose paths begin with `word`, folders with a slash behind them. `~/` is the home folder.
pub(super) fn files(word: &str) -> Vec<String> {
    let (folder, prefix) = word
        .rfind('/')
        .map_or(("", word), |at| word.split_at(at + 1));
    let place = match (folder.strip_prefix("~/"), dirs::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ if folder.is_empty() => ".".into(),
        _ => std::path::PathBuf::from(folder),
    };
    let Ok(entries) = std::fs::read_dir(place) else {
        return Vec::new();
    };
    let mut found: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let shown =
                name.starts_with(prefix) && (prefix.starts_with('.') || !name.starts_with('.'));
            let slash = if entry.path().is_dir() { "/" } else { "" };
            shown.then(|| format!("{folder}{name}{slash}"))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::super::strings::complete_string;
    use super::*;

    const KNOWN: Known<'_> = Known {
        variables: &|| vec!["scene".to_owned(), "train".to_owned()],
        words: &|kind, variable| {
            let names: &[&str] = match (kind, variable) {
                ("class", "train") => &["car", "say \"a\""],
                ("class", _) => &["building", "bus stop", "road"],
                _ => &["nir", "red", "red edge"],
            };
            names.iter().map(|name| (*name).to_owned()).collect()
        },
        properties: &|file| match file {
            "a, b.gpkg" | "y.gpkg" => vec!["class".to_owned(), "kind of roof".to_owned()],
            _ => Vec::new(),
        },
        prelude: &|| vec!["Scene".to_owned(), "Segmenter".to_owned()],
    };

    #[test]
    fn names_from_the_users_files_are_completed_where_they_are_meant() {
        let of = |code: &str| {
            let found = complete_string(code, code.chars().count(), &KNOWN);
            let matches = found.map(|found| found.matches).unwrap_or_default();
            matches.into_iter().map(|it| it.text).collect::<Vec<_>>()
        };
        assert_eq!(of("scene.only([\"b"), ["building", "bus stop"]);
        assert_eq!(
            of("scene.with_colors([(\"road\", \"red\"), (\"bu"),
            ["building", "bus stop"]
        );
        assert_eq!(of("scene.show_bands([\"nir\", \"r"), ["red", "red edge"]);
        assert_eq!(of("scene.with_labels(\"a, b.gpkg\", \"c"), ["class"]);
        assert!(of("scene.with_labels(f(1, 2), \"").is_empty());
        assert_eq!(of("train.only([\""), ["car", "say \\\"a\\\""]);
        assert_eq!(of("train.only([r\"s"), ["say \"a\""]);
        assert_eq!(of("scene.with_colors([(\"road\", \"re"), ["red"]);
        assert_eq!(of("classes.with_color(\"road\", \"bl"), ["blue", "black"]);
        assert!(of("scene.with_labels(\"c").is_empty());
        assert_eq!(
            texts("%scene x.tif labels=y.gpkg class=k"),
            ["\"kind of roof\""]
        );
        assert_eq!(texts("%objects map class=bu"), ["building", "\"bus stop\""]);
        assert_eq!(texts("%bands nir,r"), ["red"]);
        assert_eq!(texts("%bands red"), ["red", "\"red edge\""]);
        assert_eq!(texts("%bands \"red e"), ["\"red edge"]);
        assert_eq!(texts("%colors road:red,b"), ["building"]);
        assert_eq!(texts("%colors b"), ["building", "\"bus stop\""]);
        assert_eq!(texts("%colors road:or"), ["orange"]);
        assert_eq!(texts("?Sc"), ["Scene"]);
        assert_eq!(texts("?tr"), ["train"]);
        assert_eq!(texts("?%sc"), ["%scene", "%scenes"]);
    }

    #[test]
    fn files_with_spaces_are_completed_with_and_without_quotes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("my data")).unwrap();
        std::fs::write(folder.path().join("my data/town.tif"), "").unwrap();
        let path = folder.path().display();
        assert_eq!(
            texts(&format!("%scene {path}/my")),
            [format!("{path}/my\\ data/")]
        );
        assert_eq!(
            texts(&format!("%scene \"{path}/my data/to")),
            [format!("\"{path}/my data/town.tif")]
        );
        assert_eq!(
            texts(&format!("%scene {path}/my\\ data/to")),
            [format!("{path}/my\\ data/town.tif")]
        );
        assert_eq!(
            texts(&format!("%scene x.tif labels='{path}/my d")),
            [format!("'{path}/my data/")]
        );
    }

    fn texts(code: &str) -> Vec<String> {
        let cursor = code.chars().count();
        let found = complete(code, cursor, &KNOWN);
        found
            .map(|found| {
                found
                    .matches
                    .into_iter()
                    .map(|candidate| candidate.text)
                    .collect()
            })
            .unwrap_or_default()
    }

    #[test]
    fn magics_are_blanked_and_everything_else_keeps_its_place() {
        let code = "%scene ü.tif\nlet a = 7\n    % 2;\n!ls\n%time a.f";
        let kept = without_magics(code);
        assert_eq!(kept, "            \nlet a = 7\n    % 2;\n   \n      a.f");
        assert_eq!(kept.chars().count(), code.chars().count());
        assert_eq!(without_magics("%%time\na.b"), "      \na.b");
        assert_eq!(without_magics("%%bash\necho"), "      \n    ");
    }

    #[test]
    fn names_options_variables_and_words_are_completed() {
        assert_eq!(texts("%sc"), ["%scene", "%scenes"]);
        assert_eq!(texts("%scenes tiles missing=b"), ["background"]);
        assert_eq!(texts("%split 0.8 by=s"), ["scene"]);
        assert_eq!(texts("%chips 4 64 weight="), ["area", "even", "labeled"]);
        assert_eq!(texts("%%b"), ["%%bash"]);
        assert!(texts("1;\n%%b").is_empty());
        assert_eq!(texts("%ti"), ["%time", "%timeit"]);
        assert_eq!(
            texts("%scene x.tif la"),
            [
                "labels=",
                "layer=",
                "labels_crs=",
                "labeled_within=",
                "label_raster="
            ]
        );
        assert_eq!(texts("%chips 4 256 from=t"), ["train"]);
        assert_eq!(
            texts("%fit res"),
            ["resnet18", "resnet34", "resnet50", "resnet101"]
        );
        assert_eq!(
            texts("%fit --model=center"),
            [
                "centernet",
                "centernet-efficientnet_lite0",
                "centernet-resnet18",
                "centernet-resnet34"
            ]
        );
        assert_eq!(texts("%scene x.tif bo"), ["boxes="]);
        assert_eq!(texts("%fit schedule=po"), ["poly"]);
        assert!(complete("let a = 5;", 9, &KNOWN).is_none());
        assert!(complete("%time sce", 9, &KNOWN).is_none());
    }

    #[test]
    fn evcxrs_commands_are_completed() {
        assert_eq!(texts(":de"), [":dep"]);
        assert_eq!(texts("let a = 1;\n:ver"), [":version"]);
        assert_eq!(texts(":"), evcxr_commands().collect::<Vec<_>>());
        assert_eq!(texts(":type sc"), ["scene"]);
        assert!(texts(":dep ser").is_empty());
        assert!(complete("::st", 4, &KNOWN).is_none());
        assert!(
            complete("f(\n:de", 6, &KNOWN).is_none(),
            "a type in a pattern"
        );
        assert!(complete("\"\n:de", 5, &KNOWN).is_none(), "text in a string");
    }

    #[test]
    fn a_string_of_rust_is_completed_to_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("my scene.tif"), "").unwrap();
        std::fs::create_dir(folder.path().join("myfiles")).unwrap();
        let path = folder.path().display();
        let code = format!("let é = Scene::open(\"{path}/my");
        let cursor = code.chars().count();
        let found = complete_string(&code, cursor, &KNOWN).unwrap();
        let texts: Vec<&str> = found.matches.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(
            texts,
            [format!("{path}/my scene.tif"), format!("{path}/myfiles/")]
        );
        assert_eq!((found.start, found.end), (21, cursor));
        assert_eq!(
            complete_string(&format!("f(\"{path}/nothing"), 90, &KNOWN),
            None
        );
        assert_eq!(
            complete_string(&format!("f(\"{path}/\")"), 90, &KNOWN),
            None
        );
        assert_eq!(complete_string("// it's \"/", 10, &KNOWN), None);
    }

    #[test]
    fn the_replaced_range_is_in_code_points() {
        let found = complete("let ü = 1;\n%chips 4 256 from=t", 30, &KNOWN).unwrap();
        assert_eq!((found.start, found.end), (29, 30));
    }

    #[test]
    fn the_magic_at_the_cursor_is_found_by_its_line() {
        assert_eq!(
            at_cursor("%scene a.tif", 10).map(|magic| magic.name),
            Some("scene")
        );
        assert_eq!(
            at_cursor("%time scene", 3).map(|magic| magic.name),
            Some("time")
        );
        assert!(at_cursor("%time scene", 9).is_none());
        assert!(at_cursor("let a = b\n    % scene", 18).is_none());
    }
}
