//! From the training of a notebook to the keys of a project file.

use swath_link::networks::NETWORKS;

use super::read::Reader;
use super::rust::{Call, Chain, Value, part};
use super::{Findings, Places, imagery};

/// Writes choices of one section.
pub(super) struct Section<'a> {
    pub(super) name: &'static str,
    pub(super) places: &'a Places,
    pub(super) findings: &'a mut Findings,
    /// Comments that go to the next choice.
    pub(super) notes: Vec<String>,
}

impl Section<'_> {
    /// A value as TOML.
    pub(super) fn put(&mut self, key: &'static str, value: String) {
        let notes = std::mem::take(&mut self.notes);
        self.findings.choose(self.name, key, value, notes);
    }

    pub(super) fn text(&mut self, key: &'static str, text: &str) {
        self.put(key, quoted(text));
    }

    /// Puts a value of the kind that `read` takes, or says that it cannot be read.
    pub(super) fn take(
        &mut self,
        key: &'static str,
        cell: usize,
        value: Option<&Value>,
        read: impl Fn(&Value, &Places) -> Option<String>,
    ) {
        match value.and_then(|value| read(value, self.places)) {
            Some(toml) => self.put(key, toml),
            None => {
                let shown = value.map_or_else(String::new, shown);
                self.findings
                    .unread(cell, &format!("`{key}` of [{}]: {shown}", self.name));
            }
        }
    }

    pub(super) fn unread(&mut self, call: &Call) {
        let arguments: Vec<String> = call.arguments.iter().map(shown).collect();
        let text = format!(".{}({})", call.name, arguments.join(", "));
        self.findings.unread(call.cell, &text);
    }
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    // JSON's texts are TOML's.
    serde_json::Value::from(text).to_string()
}

/// A value as a person reads it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.clone(),
        Value::Text(text) => quoted(text),
        Value::Flag(flag) => flag.to_string(),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Tuple(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            format!("({})", values.join(", "))
        }
        Value::Range(low, high) => format!("{}..={}", shown(low), shown(high)),
        Value::Chain(chain) => match chain.calls.last() {
            Some(call) => format!("{}(…)….{}(…)", chain.root, call.name),
            None => format!("{}(…)", chain.root),
        },
        Value::Unknown(text) => text.clone(),
    }
}

pub(super) fn number(value: &Value, _: &Places) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::Chain(chain) if chain.root.ends_with("::INFINITY") => Some("inf".to_owned()),
        _ => None,
    }
}

pub(super) fn flag(value: &Value, _: &Places) -> Option<String> {
    match value {
        Value::Flag(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(super) fn text(value: &Value, _: &Places) -> Option<String> {
    match value {
        Value::Text(text) => Some(quoted(text)),
        _ => None,
    }
}

pub(super) fn path(value: &Value, places: &Places) -> Option<String> {
    match value {
        Value::Text(text) => Some(quoted(&places.path(text))),
        _ => None,
    }
}

/// A list of values that `one` reads.
pub(super) fn list(
    one: impl Fn(&Value, &Places) -> Option<String>,
) -> impl Fn(&Value, &Places) -> Option<String> {
    move |value, places| match value {
        Value::List(values) => {
            let values: Option<Vec<String>> = values.iter().map(|it| one(it, places)).collect();
            Some(format!("[{}]", values?.join(", ")))
        }
        other => one(other, places),
    }
}

pub(super) fn as_chain(value: Option<&Value>) -> Option<&Chain> {
    match value {
        Some(Value::Chain(chain)) => Some(chain),
        _ => None,
    }
}

/// Gathers everything that the last training of the notebook is told.
pub(super) fn gather(reader: &Reader, places: &Places, findings: &mut Findings) {
    let Some(run) = reader.trained.last() else {
        findings
            .unread
            .push("no cell trains a model: `.fit(…)` and `%fit` are looked for".to_owned());
        if let Some(scene) = &reader.scene {
            imagery::scenes(scene, places, findings);
        }
        return;
    };
    let Some(at) = run.last("fit") else {
        return;
    };
    let fit = &run.calls[at];
    let mut earlier: Vec<usize> = reader
        .trained
        .iter()
        .map(|chain| {
            chain
                .last("fit")
                .map_or(chain.cell, |at| chain.calls[at].cell)
        })
        .collect();
    earlier.retain(|cell| *cell != fit.cell);
    earlier.dedup();
    if !earlier.is_empty() {
        let cells: Vec<String> = earlier.iter().map(ToString::to_string).collect();
        findings.unread(
            fit.cell,
            &format!(
                "this training is taken, not that of cell {}",
                cells.join(", ")
            ),
        );
    }
    network(&run.before(at), places, findings);
    let train = match as_chain(fit.arguments.first()) {
        Some(chips) => imagery::chips(chips, places, findings),
        None => {
            let chips = fit.arguments.first().map_or_else(String::new, shown);
            findings.unread(fit.cell, &format!("the chips: {chips}"));
            None
        }
    };
    if let Some(train) = &train {
        imagery::scenes(train, places, findings);
        imagery::split(
            train,
            as_chain(fit.arguments.get(1)),
            fit.cell,
            places,
            findings,
        );
    }
    match as_chain(fit.arguments.get(2)) {
        Some(options) => training(options, fit, places, findings),
        None => {
            let options = fit.arguments.get(2).map_or_else(String::new, shown);
            findings.unread(fit.cell, &format!("how it is trained: {options}"));
        }
    }
    outputs(
        reader,
        run,
        as_chain(fit.arguments.get(1)),
        places,
        findings,
    );
}

/// `Segmenter::new(Unet::resnet18().weights("a.pth"), classes).device(Device::cpu())`.
fn network(model: &Chain, places: &Places, findings: &mut Findings) {
    let mut section = Section {
        name: "network",
        places,
        findings,
        notes: model.notes.clone(),
    };
    let task = match model.root.split("::").next().unwrap_or_default() {
        "Segmenter" => Some("segmentation"),
        "Detector" => Some("detection"),
        "Classifier" => Some("classification"),
        _ => None,
    };
    if let Some(task) = task {
        section.text("task", task);
    }
    if model.root.ends_with("::load") {
        section.take("start_from", model.cell, model.arguments.first(), path);
    } else {
        match as_chain(model.arguments.first()) {
            Some(chain) => architecture(chain, &mut section),
            None => {
                let given = model
                    .arguments
                    .first()
                    .map_or_else(|| model.root.clone(), shown);
                section
                    .findings
                    .unread(model.cell, &format!("the network: {given}"));
            }
        }
    }
    for call in &model.calls {
        match (call.name.as_str(), as_chain(call.arguments.first())) {
            ("device", Some(device)) if device.root == "Device::cpu" => {
                section.text("device", "cpu");
            }
            ("device", Some(device)) if device.root == "Device::best" => {}
            ("device", Some(device))
                if matches!(device.root.as_str(), "Device::cuda" | "Device::vulkan") =>
            {
                let kind = device.root.trim_start_matches("Device::");
                match device.arguments.first() {
                    Some(Value::Number(index)) => {
                        section.text("device", &format!("{kind}:{index}"));
                    }
                    _ => section.unread(call),
                }
            }
            ("with_license", _) => section.take("license", call.cell, call.arguments.first(), text),
            _ => section.unread(call),
        }
    }
}

fn architecture(chain: &Chain, section: &mut Section<'_>) {
    let (builder, encoder) = chain.root.split_once("::").unwrap_or((&chain.root, ""));
    let Some(network) = NETWORKS.iter().find(|network| network.builder == builder) else {
        section
            .findings
            .unread(chain.cell, &format!("the network: {}(…)", chain.root));
        return;
    };
    section.text("architecture", &network.word);
    if network.encoders.iter().any(|known| known == encoder) {
        section.text("encoder", &encoder.replace('_', "-"));
    }
    for call in &chain.calls {
        let first = call.arguments.first();
        match call.name.as_str() {
            "pretrained" => section.take("pretrained", call.cell, first, flag),
            "weights" => section.take("weights", call.cell, first, path),
            "freeze_encoder" | "encoder_lr_scale" => {
                let (key, read): (_, fn(&Value, &Places) -> Option<String>) =
                    match call.name.as_str() {
                        "freeze_encoder" => ("freeze_encoder", flag),
                        _ => ("encoder_lr_scale", number),
                    };
                section.name = "fit";
                section.take(key, call.cell, first, read);
                section.name = "network";
            }
            _ => section.unread(call),
        }
    }
}

/// `FitOptions::epochs(12).batch(8)`.
fn training(options: &Chain, fit: &Call, places: &Places, findings: &mut Findings) {
    let mut notes = fit.notes.clone();
    notes.extend(
        options
            .notes
            .iter()
            .filter(|note| !fit.notes.contains(note))
            .cloned(),
    );
    let mut section = Section {
        name: "fit",
        places,
        findings,
        notes,
    };
    match options.root.as_str() {
        "FitOptions::epochs" => {
            section.take("epochs", options.cell, options.arguments.first(), number);
        }
        "FitOptions::steps" => {
            section.take("steps", options.cell, options.arguments.first(), number);
        }
        other => section
            .findings
            .unread(options.cell, &format!("how it is trained: {other}(…)")),
    }
    for call in &options.calls {
        section.notes.extend(call.notes.iter().cloned());
        let (cell, first) = (call.cell, call.arguments.first());
        match call.name.as_str() {
            "batch" => section.take("batch", cell, first, number),
            "accumulate" => section.take("accumulate", cell, first, number),
            "lr" => section.take("learning_rate", cell, first, number),
            "weight_decay" => section.take("weight_decay", cell, first, number),
            "class_weights" => section.take("class_weights", cell, first, list(number)),
            "clip_norm" => section.take("clip_norm", cell, first, number),
            "ema" => section.take("ema", cell, first, number),
            "patience" => section.take("patience", cell, first, number),
            "seed" => section.take("seed", cell, first, number),
            "checkpoints" | "resume" => section.take("checkpoints", cell, first, path),
            "freeze_encoder" => section.take("freeze_encoder", cell, first, flag),
            "encoder_lr_scale" => section.take("encoder_lr_scale", cell, first, number),
            "workers" => section.take("workers", cell, first, number),
            "validation_share" => section.take("validation_share", cell, first, number),
            "any_values" => section.take("any_values", cell, first, flag),
            // The command says it.
            "quiet" => {}
            "optimizer" | "schedule" | "loss" | "precision" => match as_chain(first) {
                Some(chain) if word(call, chain, &mut section) => {}
                _ => section.unread(call),
            },
            _ => section.unread(call),
        }
    }
}

/// `Optimizer::sgd(0.9).nesterov()`, `Schedule::cosine().warm_up(0.1)`, `Loss::Dice`, `Precision::Bf16`.
fn word(call: &Call, chain: &Chain, section: &mut Section<'_>) -> bool {
    let cell = call.cell;
    let word = match chain.root.as_str() {
        "Optimizer::adamw" | "Optimizer::AdamW" => "adamw",
        "Optimizer::sgd" => match chain.last("nesterov") {
            Some(_) => "nesterov",
            None => "sgd",
        },
        "Schedule::one_cycle" => "one-cycle",
        "Schedule::cosine" => "cosine",
        "Schedule::poly" => "poly",
        "Schedule::plateau" => "plateau",
        "Schedule::constant" => "constant",
        "Loss::Sum" => "sum",
        "Loss::CrossEntropy" => "cross-entropy",
        "Loss::Dice" => "dice",
        "Loss::focal" | "Loss::Focal" => "focal",
        "Loss::Lovasz" => "lovasz",
        "Loss::LovaszSum" => "lovasz-sum",
        "Precision::F32" => "f32",
        "Precision::Bf16" => "bf16",
        _ => return false,
    };
    let key = match call.name.as_str() {
        "optimizer" => "optimizer",
        "schedule" => "schedule",
        "loss" => "loss",
        _ => "precision",
    };
    section.text(key, word);
    let first = chain.arguments.first();
    match chain.root.as_str() {
        "Optimizer::sgd" => section.take("momentum", cell, first, number),
        "Schedule::poly" => section.take("power", cell, first, number),
        "Schedule::plateau" => {
            section.take("factor", cell, first, number);
            section.take("plateau_patience", cell, chain.arguments.get(1), number);
        }
        "Loss::Focal" => section.take("gamma", cell, first, number),
        _ => {}
    }
    if let Some(at) = chain.last("warm_up") {
        section.take("warm_up", cell, chain.calls[at].arguments.first(), number);
    }
    true
}

/// What is saved of the run: its models, and predictions of the scenes that it validated on.
fn outputs(
    reader: &Reader,
    run: &Chain,
    valid: Option<&Chain>,
    places: &Places,
    findings: &mut Findings,
) {
    let mut section = Section {
        name: "outputs",
        places,
        findings,
        notes: Vec::new(),
    };
    for saved in &reader.saved {
        // Of another run, or of no run at all.
        if saved.root != run.root
            || saved.calls.len() <= run.calls.len()
            || !saved.calls.starts_with(&run.calls)
        {
            continue;
        }
        let rest = &saved.calls[run.calls.len()..];
        let names: Vec<&str> = rest.iter().map(|call| call.name.as_str()).collect();
        let Some(save) = rest.last() else {
            continue;
        };
        section.notes = rest.iter().flat_map(|call| call.notes.clone()).collect();
        match names.as_slice() {
            ["best", "save"] => section.take("model", save.cell, save.arguments.first(), path),
            ["last", "save"] => section.take("last", save.cell, save.arguments.first(), path),
            ["best", "predict" | "predict_with", ..]
                if as_chain(rest[1].arguments.first()) == valid && valid.is_some() =>
            {
                section.take("predictions", save.cell, save.arguments.first(), path);
                if let Some(at) = rest.iter().find(|call| call.name == "at_threshold") {
                    section.take("threshold", at.cell, at.arguments.first(), number);
                }
            }
            ["best", "predict" | "predict_with", ..] => {
                let text = "a prediction of other scenes than those that are validated on: `swath predict` makes it";
                section.findings.unread(save.cell, text);
            }
            _ => {}
        }
        section.notes.clear();
    }
}

/// Whether a chain ends with a part of what was split, and which.
pub(super) fn which_part(chain: &Chain) -> Option<usize> {
    let last = chain.calls.last()?;
    (0..2).find(|index| last.name == part(*index))
}
