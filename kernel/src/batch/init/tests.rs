//! Notebooks whose choices are read.

use std::path::Path;

use serde_json::{Value, json};
use swath_cli::project::{
    AugmentWord, Band, LossWord, OptimizerWord, Project, ScheduleWord, SplitWord, TaskWord,
};

use super::super::notebook::Notebook;
use super::{Findings, Places, of_notebook, written};

fn read(cells: &[&str]) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ipynb");
    let cells: Vec<Value> = cells
        .iter()
        .map(|source| json!({ "cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": null }))
        .collect();
    std::fs::write(&path, json!({ "nbformat": 4, "cells": cells }).to_string()).unwrap();
    let notebook = Notebook::read(&path).unwrap();
    of_notebook(
        &notebook,
        &Places::new(&path, &folder.path().join("p.toml")),
    )
}

#[track_caller]
fn project(findings: &Findings) -> Project {
    let text = written(&findings.choices, &[]);
    match Project::parse(Path::new("p.toml"), &text, &[]) {
        Ok(project) => project,
        Err(problems) => panic!("{problems}\n{:?}\n{:?}", findings.choices, findings.unread),
    }
}

#[test]
fn the_choices_of_magics_are_read() {
    let found = read(&[
        "// The town.\n%scene town.tif labels=buildings.geojson class=building bands=3,2,1 index=ndvi,exg aoi=area.gpkg",
        "!ls",
        "%split 0.8 by=rows",
        "// Many small ones.\n%chips 40 64 seed=7 augment=light neg_ratio=0.1 sizes=50..80",
        "%fit fpn-resnet34 epochs=3 batch=2 lr=1e-3 optimizer=nesterov schedule=cosine loss=focal ema=0.99 accumulate=2",
        "%save houses.swath",
    ]);
    assert!(found.unread.is_empty(), "{:?}", found.unread);
    let project = project(&found);
    assert_eq!(
        project.scenes.files.as_deref(),
        Some(&["town.tif".to_owned()][..])
    );
    assert_eq!(
        project.scenes.bands.as_deref(),
        Some(&[3, 2, 1].map(Band::Number)[..])
    );
    assert_eq!(
        project.scenes.index.as_deref(),
        Some(&["ndvi", "exg"].map(str::to_owned)[..])
    );
    assert_eq!(project.scenes.aoi.as_deref(), Some("area.gpkg"));
    assert_eq!(project.labels.file.as_deref(), Some("buildings.geojson"));
    assert_eq!(project.labels.class.as_deref(), Some("building"));
    assert_eq!(
        (project.split.by, project.split.fraction),
        (Some(SplitWord::Rows), Some(0.8))
    );
    let chips = &project.chips;
    assert_eq!(
        (chips.count, chips.size, chips.seed),
        (Some(40), Some(64), Some(7))
    );
    assert_eq!(
        (chips.augment, chips.neg_ratio, chips.window_sizes),
        (Some(AugmentWord::Light), Some(0.1), Some((50, 80)))
    );
    assert_eq!(project.network.task, Some(TaskWord::Segmentation));
    assert_eq!(project.network.architecture.as_deref(), Some("fpn"));
    assert_eq!(project.network.encoder.as_deref(), Some("resnet34"));
    let fit = &project.fit;
    assert_eq!(
        (fit.epochs, fit.batch, fit.accumulate, fit.learning_rate),
        (Some(3), Some(2), Some(2), Some(1e-3))
    );
    assert_eq!(
        (fit.optimizer, fit.momentum),
        (Some(OptimizerWord::Nesterov), Some(0.9))
    );
    assert_eq!(
        (fit.schedule, fit.loss, fit.ema),
        (
            Some(ScheduleWord::Cosine),
            Some(LossWord::Focal),
            Some(0.99)
        )
    );
    assert_eq!(project.outputs.model.as_deref(), Some("houses.swath"));
    let text = written(&found.choices, &[]);
    assert!(
        text.contains("# cell 1: The town.\nfiles = [\"town.tif\"]")
            || text.contains("# cell 1: The town.\nfiles = \"town.tif\""),
        "{text}"
    );
    assert!(
        text.contains("# cell 4: Many small ones.\nkind = \"random\"\n"),
        "{text}"
    );
}

#[test]
fn typed_calls_are_read_through_variables() {
    let found = read(&[
        "let epochs: usize = 12;\nconst SEED: u64 = 11;\nlet name = \"class\";",
        "let open = OpenOptions::new().bands([0, 1, 2]).nodata(0.0);\n\
         let scenes = Scenes::open_with(\"tiles/*.tif\", ScenesOptions::new().open(open).skip_broken())?\n    \
         .with_labels(LabelFiles::new(VectorSource::new(\"labels/{stem}.gpkg\").layer(\"a\").buffer(Buffer::meters(3.0))).skip_missing(), name)?;",
        "let (train, valid) = scenes.split(SceneSplit::random(0.7).seed(3).by(\"city\"));",
        "let chips = train.chips(&Chips::random(4_000, 128).seed(SEED).class_shares([(\"car\", 0.2)]).flips(false))?;",
        "let model = Segmenter::new(Unet::resnet18().pretrained(true), scenes.classes()).device(Device::cpu());\n\
         let options = FitOptions::epochs(epochs).class_weights(vec![0.5, 1.0]).schedule(Schedule::plateau(0.25, 1).warm_up(0.1)).patience(4);\n\
         let run = model.fit(&chips, &valid, &options)?;\nrun.best().save(\"out/best.swath\")?;",
        "run.best().predict(&valid)?.save(\"maps\")?;",
    ]);
    assert!(found.unread.is_empty(), "{:?}", found.unread);
    let project = project(&found);
    assert_eq!(
        project.scenes.bands.as_deref(),
        Some(&[1, 2, 3].map(Band::Number)[..])
    );
    assert_eq!(
        (project.scenes.nodata, project.scenes.skip_broken),
        (Some(0.0), Some(true))
    );
    assert_eq!(project.labels.class.as_deref(), Some("class"));
    assert_eq!(project.labels.buffer.as_deref(), Some("3.0m"));
    assert_eq!(
        (project.split.seed, project.split.group.as_deref()),
        (Some(3), Some("city"))
    );
    assert_eq!(
        (project.chips.count, project.chips.seed, project.chips.flips),
        (Some(4000), Some(11), Some(false))
    );
    assert_eq!(
        project
            .chips
            .class_shares
            .as_ref()
            .and_then(|shares| shares.get("car")),
        Some(&0.2)
    );
    assert_eq!(project.network.pretrained, Some(true));
    assert_eq!(project.network.device, Some(swath_cli::DeviceName::Cpu));
    let fit = &project.fit;
    assert_eq!(
        (
            fit.epochs,
            fit.patience,
            fit.warm_up,
            fit.factor,
            fit.plateau_patience
        ),
        (Some(12), Some(4), Some(0.1), Some(0.25), Some(1))
    );
    assert_eq!(fit.class_weights.as_deref(), Some(&[0.5, 1.0][..]));
    assert_eq!(project.outputs.model.as_deref(), Some("out/best.swath"));
    assert_eq!(project.outputs.predictions.as_deref(), Some("maps"));
}

#[test]
fn what_cannot_be_read_is_named_with_its_cell() {
    let found = read(&[
        "let scene = Scene::open(path_of(3))?.with_transform(mine)?.with_boxes(\"a.xml\", \"tree\")?;",
        "let (train, valid) = scene.split(Split::columns(0.5));\nlet chips = train.chips(Chips::random(n * 2, 64))?;",
        "let run = Detector::new(CenterNet::resnet18().unheard_of(3), scene.classes()).fit(&chips, &valid, FitOptions::steps(how_many()))?;",
        "%scen a.tif",
    ]);
    let told = found.unread.join("\n");
    for line in [
        "cell 1: `files` of [scenes]: path_of(…)",
        "cell 1: .with_transform(mine)",
        "cell 2: `count` of [chips]: n * 2",
        "cell 3: .unheard_of(3)",
        "cell 3: `steps` of [fit]: how_many(…)",
        "cell 4: there is no magic %scen",
    ] {
        assert!(told.contains(line), "{line}\nin\n{told}");
    }
    let nothing = read(&["1 + 1"]);
    assert!(
        nothing.unread[0].contains("no cell trains a model"),
        "{:?}",
        nothing.unread
    );
}

#[test]
fn paths_are_seen_from_the_project_file() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("notebooks");
    std::fs::create_dir(&below).unwrap();
    let notebook = below.join("a.ipynb");
    let here = Places::new(&notebook, &below.join("p.toml"));
    assert_eq!(here.path("a.tif"), "a.tif");
    let above = Places::new(&notebook, &folder.path().join("p.toml"));
    assert_eq!(above.path("a.tif"), "notebooks/a.tif");
    assert_eq!(above.path("/a.tif"), "/a.tif");
    assert_eq!(above.path("https://host/a.tif"), "https://host/a.tif");
    std::fs::create_dir(folder.path().join("other")).unwrap();
    let other = Places::new(&notebook, &folder.path().join("other/p.toml"));
    assert!(
        other.path("a.tif").ends_with("/notebooks/a.tif") && other.path("a.tif").starts_with('/')
    );
}
