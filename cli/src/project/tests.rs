//! Project files as people write them.

use std::path::Path;

use super::{Choice, FitSection, LossWord, Place, Project, Section as _, Usual, sections, written};

const LEAST: &str =
    "[scenes]\nfiles = \"a.tif\"\n[labels]\nfile = \"b.geojson\"\nclass = \"house\"\n";

fn parse(text: &str, set: &[&str]) -> Result<Project, Vec<String>> {
    let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
    Project::parse(Path::new("p/houses.toml"), text, &set)
        .map_err(|problems| problems.to_string().lines().map(str::to_owned).collect())
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    let text = "[scenes]\nfiles = \"a.tif\"\nbnads = [1]\n[labels]\nfile = \"b.geojson\"\nclass = 3\n\n[fit]\nlearing_rate = 1e-3\n\
                epochs = 0\nloss = \"focl\"\nsize = 4\n[chip]\nsize = 64\n";
    let problems = parse(text, &["fit.batch=none", "fit.bach=3", "batch=3"]).unwrap_err();
    assert_eq!(
        problems,
        [
            "p/houses.toml:3: unknown key `bnads` in [scenes]: did you mean `bands`?",
            "p/houses.toml:6: `class` in [labels] is 3, expected a text in quotes",
            "p/houses.toml:9: unknown key `learing_rate` in [fit]: did you mean `learning_rate`?",
            "p/houses.toml:10: `epochs` in [fit] is 0, expected a whole number, at least 1",
            "p/houses.toml:11: `loss` in [fit] is \"focl\", expected \"sum\", \"cross-entropy\", \"dice\", \"focal\", \"lovasz\" or \
             \"lovasz-sum\": did you mean \"focal\"?",
            "p/houses.toml:12: unknown key `size` in [fit]: it is a key of [chips]",
            "p/houses.toml:13: unknown section [chip]: did you mean [chips]?",
            "--set batch=3: expected SECTION.KEY=VALUE, such as fit.epochs=3",
            "--set fit.batch=none: `batch` in [fit] is \"none\", expected a whole number, at least 1",
            "--set fit.bach=3: unknown key `bach` in [fit]: did you mean `batch`?",
        ]
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let problems = parse("[scenes]\nfiles = \"a.tif\n[fit]\nepochs = 3\n", &[]).unwrap_err();
    assert!(
        problems[0].starts_with("p/houses.toml:2: this is no TOML: "),
        "{problems:?}"
    );
    let problems = parse("epochs = 3\n[[scenes]]\nfiles = \"a\"\n", &[]).unwrap_err();
    assert_eq!(
        problems,
        [
            "p/houses.toml:1: `epochs` stands outside of the sections: it is a key of [fit]",
            "p/houses.toml:2: there can be one [scenes], found [[scenes]] with two brackets",
        ]
    );
}

#[test]
fn keys_that_mean_nothing_together_are_told() {
    let text = format!(
        "{LEAST}[fit]\nepochs = 3\nsteps = 7\ngamma = 2\nlr = 1e-3\nlearning_rate = 1e-2\n"
    );
    let problems = parse(&text, &[]).unwrap_err();
    assert_eq!(
        problems,
        ["p/houses.toml:11: `lr` and `learning_rate` in [fit] are one: give it once"]
    );
    let text = text.replace("lr = 1e-3\n", "");
    let problems = parse(&text, &["chips.kind=sliding", "chips.count=4"]).unwrap_err();
    assert_eq!(
        problems,
        [
            "p/houses.toml:8: `epochs` and `steps` in [fit] exclude each other",
            "p/houses.toml:9: `gamma` in [fit] is for loss = \"focal\"",
            "--set chips.count=4: `count` in [chips] is for random chips",
        ]
    );
    let problems = parse("[fit]\nepochs = 3\n", &[]).unwrap_err();
    assert_eq!(
        problems,
        [
            "p/houses.toml: `files` in [scenes] is missing: the imagery to train on",
            "p/houses.toml: there are no labels: `file` or `raster` in [labels] is missing",
        ]
    );
}

#[test]
fn values_of_the_command_line_take_the_place_of_those_of_the_file() {
    let text = format!("{LEAST}[fit]\nepochs = 3\nloss = \"dice\"\n");
    let project = parse(
        &text,
        &[
            "fit.epochs = 5",
            "fit.loss=focal",
            "scenes.files=[\"x.tif\", \"y.tif\"]",
            "scenes.only=split=train",
        ],
    )
    .unwrap();
    assert_eq!(project.fit.epochs, Some(5));
    assert_eq!(project.fit.loss, Some(LossWord::Focal));
    assert_eq!(
        project.scenes.files.as_deref(),
        Some(&["x.tif".to_owned(), "y.tif".to_owned()][..])
    );
    assert_eq!(
        project.scenes.only,
        Some(("split".to_owned(), "train".to_owned()))
    );
    assert_eq!(project.place("labels", "class"), Some(&Place::Line(5)));
    assert_eq!(
        project.place("fit", "epochs"),
        Some(&Place::Set("fit.epochs = 5".to_owned()))
    );
}

#[test]
fn paths_begin_at_the_folder_of_the_file() {
    let project = parse(LEAST, &[]).unwrap();
    for (text, path) in [
        ("a.tif", "p/a.tif"),
        ("../b/*.tif", "p/../b/*.tif"),
        ("/a.tif", "/a.tif"),
        ("~/a.tif", "~/a.tif"),
        ("https://host/a.tif", "https://host/a.tif"),
        ("/vsizip/a.zip/b.tif", "/vsizip/a.zip/b.tif"),
    ] {
        assert_eq!(project.path(text), Path::new(path));
    }
    assert_eq!(project.checkpoints(), Path::new("p/houses.checkpoints"));
    assert_eq!(project.model(), Path::new("p/houses.swath"));
    let other = parse(LEAST, &["outputs.model=/m.swath"]).unwrap();
    assert_eq!(other.model(), Path::new("/m.swath"));
}

/// Uncomments what the written file says about keys.
fn uncommented(text: &str, which: impl Fn(&str, &str) -> bool) -> String {
    let mut section = "";
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Some(word) = line.strip_prefix('[') {
            section = word.trim_end_matches(']');
        }
        let bare = line.strip_prefix("# ").filter(|bare| {
            let known = sections().into_iter().find(|(word, _, _)| *word == section);
            let name = bare.split(" = ").next().unwrap_or_default();
            bare.contains(" = ")
                && known.is_some_and(|(_, _, keys)| keys.iter().any(|key| key.name() == name))
                && which(section, name)
        });
        lines.push(bare.unwrap_or(line));
    }
    lines.join("\n")
}

#[test]
fn the_written_file_is_read_and_each_of_its_keys_by_itself() {
    let text = written(&[], &["Project.".to_owned()]);
    let project = parse(&text, &[]).unwrap();
    assert_eq!(project.fit, FitSection::default());
    assert_eq!(
        project.scenes.files.as_deref(),
        Some(&["scene.tif".to_owned()][..])
    );
    let mut read = 0;
    for (word, about, keys) in sections() {
        assert!(!about.is_empty());
        for key in keys {
            let name = key.name();
            let alone = uncommented(&text, |section, key| (section, key) == (word, name));
            let value = match key.usual {
                Usual::Default(value) | Usual::Example(value) => value,
            };
            let problems = parse(&alone, &[]).err().unwrap_or_default();
            // What needs another key beside it says so, and nothing else is wrong.
            let is_alone = |problem: &String| {
                problem.contains("exclude each other")
                    || problem.contains(" is for ")
                    || problem.contains("is missing")
            };
            assert!(
                problems.iter().all(is_alone),
                "{word}.{name} = {value}: {problems:?}"
            );
            // A value of another type is told under the name of the key.
            let wrong = parse(LEAST, &[&format!("{word}.{name}=2020-01-01T00:00:00Z")]);
            let texts = ["text", "only"];
            let takes_text = value.starts_with('"') || value.starts_with("[\"");
            if !takes_text && !texts.contains(&name) {
                let told = wrong.err().unwrap_or_default().join("\n");
                assert!(
                    told.contains(&format!("`{name}` in [{word}] is 2020")),
                    "{told}"
                );
            }
            read += 1;
        }
    }
    assert!(read > 90, "{read}");
}

#[test]
fn a_choice_is_written_with_its_notes() {
    let choice = Choice {
        section: "fit",
        key: "epochs",
        value: "12".to_owned(),
        notes: vec!["cell 4: // long enough".to_owned()],
    };
    let text = written(std::slice::from_ref(&choice), &[]);
    assert!(
        text.contains("# cell 4: // long enough\nepochs = 12\n"),
        "{text}"
    );
    assert!(text.contains("\n# batch = 4\n") && !text.contains("\nfiles = "));
    assert_eq!(FitSection::WORD, "fit");
}

/// The blocks of TOML in the book are project files.
#[test]
fn the_project_files_of_the_book_are_read() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/batch-jobs.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> = (page.split("\n```toml\n").skip(1))
        .filter_map(|rest| rest.split("\n```").next())
        .collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        parse(block, &[]).unwrap();
    }
}
