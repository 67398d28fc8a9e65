//! What must hold of several keys together.

use super::words::{ChipsWord, LossWord, OptimizerWord, ScheduleWord, SplitWord};
use super::{Problem, Project};

/// Adds what is wrong.
pub(super) fn check(project: &Project, problems: &mut Vec<Problem>) {
    let mut checks = Checks { project, problems };
    scenes(&mut checks);
    labels(&mut checks);
    split(&mut checks);
    chips(&mut checks);
    fit(&mut checks);
}

struct Checks<'a> {
    project: &'a Project,
    problems: &'a mut Vec<Problem>,
}

impl Checks<'_> {
    fn has(&self, section: &str, key: &str) -> bool {
        self.project.place(section, key).is_some()
    }

    fn wrong(&mut self, section: &str, key: &str, text: String) {
        self.problems.push(Problem {
            place: self.project.place(section, key).cloned(),
            text,
        });
    }

    /// The key means nothing unless something else holds.
    fn only(&mut self, holds: bool, section: &str, keys: &[&str], is_for: &str) {
        for key in keys {
            if !holds && self.has(section, key) {
                self.wrong(
                    section,
                    key,
                    format!("`{key}` in [{section}] is for {is_for}"),
                );
            }
        }
    }

    /// At most one of these is given; says which, when more are.
    fn one_of(&mut self, section: &str, keys: &[&str]) {
        let mut given = keys.iter().filter(|key| self.has(section, key));
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            let text = format!("`{first}` and `{second}` in [{section}] exclude each other");
            self.wrong(section, second, text);
        }
    }
}

fn scenes(checks: &mut Checks<'_>) {
    let project = checks.project;
    let has_set = project.chips.set.is_some();
    if project.scenes.files.is_none() && !has_set {
        checks.wrong(
            "scenes",
            "files",
            "`files` in [scenes] is missing: the imagery to train on".to_owned(),
        );
    }
    let series = project.scenes.series == Some(true);
    checks.only(
        series,
        "scenes",
        &["mask", "between"],
        "several dates: series = true",
    );
    checks.only(
        !series,
        "scenes",
        &["nodata"],
        "files that are no series: each date says its own",
    );
    checks.one_of("scenes", &["mosaic", "asset"]);
    if series && project.scenes.mosaic == Some(true) {
        let text = "`mosaic` and `series` in [scenes] exclude each other".to_owned();
        checks.wrong("scenes", "mosaic", text);
    }
    if has_set {
        for (section, keys) in [
            ("scenes", "files"),
            ("labels", "file"),
            ("labels", "raster"),
            ("validation", "files"),
        ] {
            if checks.has(section, keys) {
                let text = format!(
                    "`{keys}` in [{section}] and `set` in [chips] exclude each other: a data set has its own"
                );
                checks.wrong(section, keys, text);
            }
        }
    }
    let own = checks.has("validation", "files");
    checks.only(
        own || checks.has("validation", "only"),
        "validation",
        &["labels", "raster", "aoi", "crop"],
        "scenes of their own: `files` or `only` in [validation] is missing",
    );
}

fn labels(checks: &mut Checks<'_>) {
    let project = checks.project;
    checks.one_of("labels", &["file", "column", "raster", "class_column"]);
    let vector = checks.has("labels", "file") || checks.has("labels", "column");
    checks.only(
        vector,
        "labels",
        &["class", "objects"],
        "label files: `file` in [labels] is missing",
    );
    checks.only(
        checks.has("labels", "file"),
        "labels",
        &["layer", "crs", "where", "buffer"],
        "a vector file: `file` in [labels] is missing",
    );
    let meanings = ["values", "classes", "binary", "one_hot"];
    checks.only(
        checks.has("labels", "raster"),
        "labels",
        &meanings,
        "a label raster: `raster` in [labels] is missing",
    );
    checks.one_of("labels", &meanings);
    if vector && project.labels.class.is_none() {
        let text = "`class` in [labels] is missing: the property that names the classes, or the one class of all";
        checks.wrong("labels", "class", text.to_owned());
    }
    if checks.has("labels", "raster") && !meanings.iter().any(|key| checks.has("labels", key)) {
        let text = "what the values of `raster` in [labels] mean is missing: `values`, `classes`, `binary` or `one_hot`";
        checks.wrong("labels", "raster", text.to_owned());
    }
    let by_folder = project.scenes.class_folders == Some(true);
    let labeled = vector
        || ["raster", "class_column"]
            .iter()
            .any(|key| checks.has("labels", key));
    if !labeled && !by_folder && project.chips.set.is_none() {
        let text = "there are no labels: `file` or `raster` in [labels] is missing";
        checks.wrong("labels", "file", text.to_owned());
    }
}

fn split(checks: &mut Checks<'_>) {
    let by = checks.project.split.by;
    let is = |words: &[SplitWord]| by.is_some_and(|by| words.contains(&by));
    checks.one_of("split", &["fraction", "at"]);
    checks.only(
        is(&[SplitWord::Columns, SplitWord::Rows]),
        "split",
        &["at"],
        "by = \"columns\" and by = \"rows\"",
    );
    checks.only(
        by.is_none() || is(&[SplitWord::Scene]),
        "split",
        &["seed", "group"],
        "by = \"scene\"",
    );
    checks.only(
        is(&[SplitWord::Column]),
        "split",
        &["column", "train", "valid"],
        "by = \"column\"",
    );
    checks.only(
        !is(&[SplitWord::Column]),
        "split",
        &["fraction"],
        "parts of scenes and whole scenes",
    );
    if checks.has("validation", "files") {
        let keys = [
            "by", "fraction", "at", "seed", "group", "column", "train", "valid",
        ];
        checks.only(
            false,
            "split",
            &keys,
            "one set of scenes: [validation] has scenes of its own",
        );
    }
}

fn chips(checks: &mut Checks<'_>) {
    let chips = &checks.project.chips;
    let kind = chips.kind.unwrap_or(ChipsWord::Random);
    let set = chips.set.is_some();
    let random = kind == ChipsWord::Random && !set;
    checks.only(
        random,
        "chips",
        &[
            "count",
            "weight",
            "balance",
            "class_shares",
            "neg_ratio",
            "neg_visible",
        ],
        "random chips",
    );
    checks.only(
        kind == ChipsWord::Sliding && !set,
        "chips",
        &["stride"],
        "sliding chips",
    );
    checks.only(
        set,
        "chips",
        &["set_train", "set_valid"],
        "a data set of chips: `set` is missing",
    );
    checks.only(
        !set,
        "chips",
        &["kind", "size", "meters", "window_sizes", "padded"],
        "chips that are cut: those of `set` are",
    );
    checks.one_of("chips", &["size", "meters"]);
    checks.one_of("chips", &["balance", "neg_ratio"]);
    checks.one_of("chips", &["class_shares", "neg_ratio"]);
}

fn fit(checks: &mut Checks<'_>) {
    let fit = &checks.project.fit;
    let optimizer = fit.optimizer.unwrap_or(OptimizerWord::AdamW);
    let schedule = fit.schedule.unwrap_or(ScheduleWord::OneCycle);
    let loss = fit.loss.unwrap_or(LossWord::Sum);
    checks.one_of("fit", &["epochs", "steps"]);
    checks.only(
        optimizer != OptimizerWord::AdamW,
        "fit",
        &["momentum"],
        "optimizer = \"sgd\" and optimizer = \"nesterov\"",
    );
    checks.only(
        schedule == ScheduleWord::Poly,
        "fit",
        &["power"],
        "schedule = \"poly\"",
    );
    checks.only(
        schedule == ScheduleWord::Plateau,
        "fit",
        &["factor", "plateau_patience"],
        "schedule = \"plateau\"",
    );
    checks.only(
        loss == LossWord::Focal,
        "fit",
        &["gamma"],
        "loss = \"focal\"",
    );
    let network = &checks.project.network;
    if network.start_from.is_some() {
        let keys = ["architecture", "encoder", "pretrained", "weights"];
        checks.only(
            false,
            "network",
            &keys,
            "a new network: `start_from` has its own",
        );
    }
}
