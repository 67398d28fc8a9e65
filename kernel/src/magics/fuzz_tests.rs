//! Random cells for the magics: plans, words of a line, completion at any place. See [`crate::fuzz`].

use super::arguments::Arguments;
use super::table::MAGICS;
use super::{Known, Step, Surroundings, at_cursor, complete, plan, without_magics};
use crate::fuzz_harness::{Target, random_of};

const SEEDS: &[&str] = &[
    "%scene \"my file.tif\" labels=b.geojson as=town\nscene.size()",
    "%%bash\necho '%who'\n!x",
    "%%timeit -n 3\nlet a = 1;\na + 1",
    "%time %scene a.tif",
    "let a = 7\n    % time;\n%who\n!ls -l\n?Scene::open\n??Scene\n%lsmagic?",
    ":dep serde = { version = \"1\", features = [\"derive\"] }\n:vars\nuse serde::Serialize;",
    "%dep serde@1\n%cd /tmp\n%env A=1",
    "%%capture out.txt\n1 + 1",
    "match x {\n    1 => 2,\n    _ => 3\n    % 2,\n}\nlet s = \"\n%who\n\";",
    "%fit epochs=3 --rate 0.1\n%predict",
    "\r\n%who\r\nlet a = 1;\r\n",
    "!flag",
];
const WORDS: &[&str] = &[
    "%",
    "%%",
    "!",
    "?",
    "??",
    ":",
    "::",
    "\n",
    "\n",
    "who",
    "time ",
    "timeit ",
    "bash",
    "scene ",
    "dep ",
    "cd ",
    "env ",
    "lsmagic",
    "capture ",
    "reset",
    "fit ",
    "=",
    "\"",
    "'",
    "\\",
    " ",
    "--",
    "as=",
    "a.tif",
    "let a = 1;",
    "{",
    "}",
    "(",
    ")",
    "/*",
    "*/",
    "//",
    "\"#",
    "r#\"",
    "a",
];

fn target(name: &str) -> Target<'_> {
    Target {
        name,
        seeds: SEEDS,
        words: WORDS,
        depth: 40_000,
    }
}

#[test]
fn cells_with_magics_are_planned_whatever_they_hold() {
    target("plan").run(|input| check_plan(&String::from_utf8_lossy(input)));
}

fn check_plan(code: &str) {
    let without = without_magics(code);
    assert_eq!(
        without.matches('\n').count(),
        code.matches('\n').count(),
        "{without:?} has other lines"
    );
    let surroundings = Surroundings {
        type_of: &|_| None,
        knows: &|name| name.len() > 3,
        search_path: std::ffi::OsStr::new("/usr/bin:/bin"),
    };
    let Ok(steps) = plan(code, &surroundings) else {
        return;
    };
    let lines = code.split('\n').count();
    for step in &steps {
        // What a magic stands for may take lines of its own.
        if let Step::Rust(rust) = step
            && !code.contains('%')
        {
            assert!(rust.split('\n').count() <= lines, "{rust:?} moves lines");
        }
    }
    let marks = |line: &str| line.trim_start().starts_with(['%', '!', '?', ':']);
    // What editors put into text goes, and two words end a console.
    let is_plain = !code.contains(['\r', '\u{feff}'])
        && !["exit", "quit", "exit()", "quit()"].contains(&code.trim())
        && !code.trim_start().starts_with("// %%parameters");
    if is_plain && !code.split('\n').any(marks) {
        let expected: Vec<Step> = (!code.trim().is_empty())
            .then(|| Step::Rust(code.trim_end().to_owned()))
            .into_iter()
            .collect();
        assert_eq!(steps, expected, "Rust stays as it is");
    }
}

#[test]
fn the_words_of_a_line_are_read_whatever_they_hold() {
    target("arguments").run(|input| {
        let line = String::from_utf8_lossy(input);
        let magic = random_of(input).choose(MAGICS).expect("there are magics");
        if let Ok(arguments) = Arguments::parse(magic, &line) {
            for (key, _) in magic.options {
                let _ = arguments.option(key);
            }
            assert_eq!(arguments.word(magic.positional), None);
        }
    });
}

#[test]
fn completion_of_magics_stands_at_every_place() {
    // Names of files are looked up in the folder in which the test runs: nothing is made.
    let known = Known {
        variables: &|| vec!["größe".to_owned()],
        words: &|kind, variable| {
            vec![
                kind.to_owned(),
                variable.to_owned(),
                "größe \"a\"".to_owned(),
            ]
        },
        properties: &|file| vec![file.to_owned()],
        prelude: &|| vec!["Scene".to_owned()],
    };
    target("complete").run(|input| {
        let code = String::from_utf8_lossy(input);
        let length = code.chars().count();
        for cursor in [0, random_of(input).below(length + 3), length, usize::MAX] {
            at_cursor(&code, cursor);
            if let Some(found) = complete(&code, cursor, &known) {
                assert!(found.start <= found.end && found.end <= length, "{found:?}");
            }
        }
    });
}
