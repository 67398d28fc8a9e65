//! The real program, where it answers by itself: help, mistakes, completions and man pages, without the library.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program where no library is to be found.
fn swath(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_swath"))
        .args(words)
        .env("SWATH_LIB_DIR", "/nonexistent/swath")
        .output()
        .expect("the program starts")
}

/// What it says on stdout, and nothing on stderr.
fn told(words: &[&str]) -> String {
    let output = swath(words);
    let errors = text(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{words:?}: {errors}"
    );
    text(&output.stdout)
}

/// What it says on stderr about a mistake: exit code 2, and nothing on stdout.
fn mistake(words: &[&str]) -> String {
    let output = swath(words);
    assert_eq!(output.status.code(), Some(2), "{words:?}");
    assert!(output.stdout.is_empty(), "{words:?}");
    let errors = text(&output.stderr);
    assert!(
        errors.lines().count() <= 9,
        "{words:?}: not short:\n{errors}"
    );
    errors
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The words of every command that is shown, such as `data fetch`, with whether it has commands within.
fn commands() -> Vec<(Vec<String>, bool)> {
    fn gather(
        command: &swath_cli::clap::Command,
        words: &[String],
        all: &mut Vec<(Vec<String>, bool)>,
    ) {
        for inner in command
            .get_subcommands()
            .filter(|inner| !inner.is_hide_set())
        {
            let mut words = words.to_vec();
            words.push(inner.get_name().to_owned());
            gather(inner, &words, all);
            all.push((words, inner.has_subcommands()));
        }
    }
    let mut all = Vec::new();
    gather(&swath_cli::command(), &[], &mut all);
    all
}

#[test]
fn help_lists_every_command_in_groups() {
    let help = told(&["--help"]);
    assert_eq!(told(&["help"]), help);
    for group in [
        "Imagery and models:",
        "Notebooks:",
        "Data:",
        "Jupyter kernel:",
        "This command:",
        "Options:",
    ] {
        assert!(help.contains(&format!("\n{group}\n")), "{group}\n{help}");
    }
    for (words, _) in commands() {
        let first = format!("\n  {} ", words[0]);
        assert!(help.contains(&first), "{words:?}\n{help}");
    }
    assert!(
        !help.contains("magics") && help.lines().count() < 40,
        "{help}"
    );
    // Without a command the same is a mistake.
    let nothing = swath(&[]);
    assert_eq!(
        (nothing.status.code(), text(&nothing.stderr)),
        (Some(2), help)
    );
}

#[test]
fn every_command_has_help_with_examples() {
    let mut explained = 0;
    for (words, has_inner) in commands() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let help = told(&[&words[..], &["--help"]].concat());
        assert!(
            help.contains(&format!("Usage: swath {}", words.join(" "))),
            "{help}"
        );
        assert_eq!(told(&[&["help"], &words[..]].concat()), help, "{words:?}");
        if !has_inner {
            let example = format!("Examples:\n  swath {}", words.join(" "));
            assert!(help.contains(&example), "{words:?}\n{help}");
            explained += 1;
        }
    }
    assert!(explained >= 13, "{explained}");
    let predict = told(&["help", "predict"]);
    for word in [
        "--fusion <WAY>",
        "soft-nms",
        "--aoi <FILE>",
        "Maps of areas:",
        "Boxes of objects:",
    ] {
        assert!(predict.contains(word), "{word}\n{predict}");
    }
    assert!(
        !predict.contains("--merge"),
        "the old names are hidden\n{predict}"
    );
}

#[test]
fn a_typo_is_answered_with_the_word_that_was_meant() {
    for (words, meant) in [
        (&["predikt", "a", "b"][..], "'predict'"),
        (&["help", "evalute"], "'evaluate'"),
        (&["data", "fech", "neon"], "'fetch'"),
        (
            &["predict", "a", "b", "-o", "c", "--widow", "3"],
            "'--window'",
        ),
        (&["info", "a.tif", "--statistic"], "'--statistics'"),
        (
            &["predict", "a", "b", "-o", "c", "--tta", "flip"],
            "'flips'",
        ),
        (
            &["predict", "a", "b", "-o", "c", "--fusion", "soft_nms"],
            "'soft-nms'",
        ),
        (&["completions", "bsh"], "'bash'"),
    ] {
        let errors = mistake(words);
        let found = errors.contains("similar") && errors.contains(meant);
        assert!(found, "{words:?}: {meant} in\n{errors}");
    }
}

#[test]
fn a_wrong_value_is_named_with_what_is_expected() {
    let predict = ["predict", "a", "b", "-o", "c"];
    for (option, value, expected) in [
        ("--threshold", "half", "a number from 0 to 1"),
        ("--window", "-3", "--window"),
        ("--window", "3.5", "a whole number of pixels"),
        ("--batch", "many", "a whole number of windows"),
        ("--max-boxes", "few", "a whole number of boxes"),
        ("--min-area", "small", "a number of square meters"),
        ("--fusion-iou", "2", "an overlap from 0 to 1"),
        ("--fusion-iou", "-0.5", "an overlap from 0 to 1"),
        (
            "--device",
            "tpu",
            "`cpu`, `cuda`, `cuda:N`, `vulkan` or `vulkan:N`",
        ),
        (
            "--device",
            "cuda:x",
            "`cpu`, `cuda`, `cuda:N`, `vulkan` or `vulkan:N`",
        ),
        ("--formats", "gpkg,dxf", "gpkg, geojson"),
        ("--tta", "mirrors", "flips, turns"),
        ("--fusion", "mean", "nms, soft-nms, weighted"),
    ] {
        let errors = mistake(&[&predict[..], &[option, value]].concat());
        assert!(
            errors.contains(expected),
            "{option} {value}: {expected} in\n{errors}"
        );
        assert!(errors.contains(option), "{option} in\n{errors}");
    }
    let soft = mistake(
        &[
            &predict[..],
            &["--fusion", "soft-nms", "--fusion-iou", "0.5"],
        ]
        .concat(),
    );
    assert!(
        soft.contains("'--fusion-iou' is not for '--fusion soft-nms'"),
        "{soft}"
    );
    let class = mistake(&["info", "a.tif", "--labels", "b.gpkg"]);
    assert!(class.contains("'--class <NAME>' is missing"), "{class}");
    let labels = mistake(&["evaluate", "map.tif", "a.tif"]);
    assert!(
        labels.contains("--labels <FILE>|--label-raster <FILE>"),
        "{labels}"
    );
}

/// The script's own function is called as bash calls it at a press of Tab.
#[test]
fn bash_completes_commands_options_and_values() {
    let script = told(&["completions", "bash"]);
    let completed = |line: &str| -> BTreeSet<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let program = format!(
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}\n\
             _swath swath '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            quoted.join(" "),
            words.len() - 1
        );
        let output = Command::new("bash")
            .args(["-c", &program])
            .output()
            .expect("bash starts");
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        text(&output.stdout).lines().map(str::to_owned).collect()
    };
    let of = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(completed("swath pre"), of(&["predict"]));
    assert_eq!(
        completed("swath ma"),
        of(&["man"]),
        "not what only developers need"
    );
    assert_eq!(
        completed("swath data "),
        of(&[
            "-h", "--help", "list", "info", "fetch", "mirror", "search", "help"
        ])
    );
    assert_eq!(
        completed("swath predict --fus"),
        of(&["--fusion", "--fusion-iou"])
    );
    assert_eq!(completed("swath predict --tta "), of(&["flips", "turns"]));
    assert_eq!(
        completed("swath completions "),
        of(&["-h", "--help", "bash", "zsh", "fish"])
    );
}

#[test]
fn the_other_shells_have_scripts_with_every_command() {
    for (shell, begins) in [("zsh", "#compdef swath"), ("fish", "# Print an optspec")] {
        let script = told(&["completions", shell]);
        assert!(script.starts_with(begins), "{shell}: {}", &script[..200]);
        for (words, _) in commands() {
            assert!(
                script.contains(&words[words.len() - 1]),
                "{shell}: {words:?}"
            );
        }
        assert!(
            script.contains("fusion-iou") && script.contains("soft-nms"),
            "{shell}"
        );
        // Where the shell is there, it reads the script.
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &script).expect("it is written");
        if let Ok(read) = Command::new(shell).arg("-n").arg(file.path()).output() {
            assert!(read.status.success(), "{shell}: {}", text(&read.stderr));
        }
    }
}

#[test]
fn man_pages_are_written_for_every_command() {
    let page = told(&["man"]);
    for part in [
        ".TH swath 1",
        ".SH NAME",
        "swath\\-predict(1)",
        "swath\\-data(1)",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("man/man1");
    let place = into.to_str().expect("UTF-8");
    assert_eq!(
        told(&["man", "--out", place]),
        format!("man pages in {place}\n")
    );
    let mut expected: BTreeSet<String> = commands()
        .iter()
        .map(|(words, _)| format!("swath-{}.1", words.join("-")))
        .collect();
    expected.insert("swath.1".to_owned());
    let written: BTreeSet<String> = std::fs::read_dir(&into)
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    assert_eq!(written, expected);
    let predict = read(&into, "swath-predict.1");
    let examples = ".SH EXAMPLES\n.nf\nswath predict buildings.swath scene.tif \\-o map\n";
    assert!(
        predict.contains("fusion") && predict.contains(examples),
        "{predict}"
    );
    assert!(!page.contains("magics"), "{page}");
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("it was written")
}

#[test]
fn the_library_is_opened_only_for_what_it_does() {
    let output = swath(&["data", "list"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("/nonexistent/swath"), "{errors}");
    assert!(told(&["--version"]).starts_with("swath "));
    let page = read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs"),
        "cli.md",
    );
    assert!(
        told(&["commands"]) == page,
        "docs/cli.md is out of date; run `swath commands > docs/cli.md`"
    );
}
