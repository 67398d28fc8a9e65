//! The network of a project file.

use std::path::Path;

use swath_cli::project::{Project, TaskWord};

use super::super::Failure;
use crate::device::Device;
use crate::labels::Classes;
use crate::models::registry::networks;
use crate::models::{Blueprint, EncoderKind, Model, NetworkEntry, Task, bundle_task};

const ENCODERS: [(&str, EncoderKind); 5] = [
    ("efficientnet_lite0", EncoderKind::EfficientnetLite0),
    ("resnet18", EncoderKind::Resnet18),
    ("resnet34", EncoderKind::Resnet34),
    ("resnet50", EncoderKind::Resnet50),
    ("resnet101", EncoderKind::Resnet101),
];

/// The name in the spelling that all spellings share.
fn plain(word: &str) -> String {
    word.to_ascii_lowercase()
        .replace('+', "plus")
        .replace(['-', '_', ' '], "")
}

fn word_of(task: &str) -> Option<TaskWord> {
    TaskWord::ALL
        .iter()
        .copied()
        .find(|word| word.word() == task)
}

/// What is trained: what the file says, what its architecture is for, or what its model to start from is.
pub(super) fn task(project: &Project) -> Result<TaskWord, Failure> {
    let network = &project.network;
    let (key, known) = match (&network.start_from, &network.architecture) {
        (Some(bundle), _) => {
            let path = crate::paths::expanded(&project.path(bundle)).into_owned();
            // What is no bundle is told when it is loaded.
            (
                "start_from",
                bundle_task(&path).as_deref().and_then(word_of),
            )
        }
        (None, Some(word)) => ("architecture", word_of(entry(project, word)?.task)),
        (None, None) => ("task", None),
    };
    match (network.task, known) {
        (Some(task), Some(known)) if task != known => Err(Failure::from(project.wrong(
            "network",
            key,
            format!(
                "`{key}` in [network] is for {}, and `task` is {}",
                known.word(),
                task.word()
            ),
        ))),
        (task, known) => Ok(task.or(known).unwrap_or(TaskWord::Segmentation)),
    }
}

/// The registered network that a word names.
fn entry(project: &Project, word: &str) -> Result<NetworkEntry, Failure> {
    let all = networks();
    let wanted = plain(word);
    let found = all.iter().find(|entry| {
        [entry.word, entry.key, entry.family]
            .iter()
            .any(|name| plain(name) == wanted)
    });
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|entry| entry.word).collect();
        let near = names
            .iter()
            .min_by_key(|name| strsim::damerau_levenshtein(name, &wanted))
            .filter(|name| strsim::damerau_levenshtein(name, &wanted) * 3 <= wanted.len());
        let more = near.map_or(String::new(), |near| format!(": did you mean \"{near}\"?"));
        let text = format!(
            "`architecture` in [network] is {word:?}, expected one of {}{more}",
            names.join(", ")
        );
        Failure::from(project.wrong("network", "architecture", text))
    })
}

/// The network to train; `None` when a model is started from.
pub(super) fn blueprint<T: Task>(project: &Project) -> Result<Option<Blueprint<T>>, Failure> {
    let network = &project.network;
    if network.start_from.is_some() {
        return Ok(None);
    }
    let known = match &network.architecture {
        Some(word) => {
            let wanted = entry(project, word)?.key;
            T::networks().iter().find(|known| known.entry.key == wanted)
        }
        None => T::networks().first(),
    };
    let Some(known) = known else {
        // `task` has compared both already.
        let text = format!("[network] names no network for {}", T::NAME);
        return Err(Failure::from(project.wrong(
            "network",
            "architecture",
            text,
        )));
    };
    let names = known.entry.encoders;
    let named = match &network.encoder {
        Some(word) => names.iter().find(|name| plain(name) == plain(word)),
        None => names.first(),
    };
    let kind = named.and_then(|name| ENCODERS.iter().find(|(known, _)| known == name));
    let Some((_, encoder)) = kind else {
        let names: Vec<String> = names.iter().map(|name| name.replace('_', "-")).collect();
        let text = format!(
            "`encoder` in [network] is {:?}, expected one that {} has: {}",
            network.encoder.as_deref().unwrap_or_default(),
            known.entry.word,
            names.join(", ")
        );
        return Err(Failure::from(project.wrong("network", "encoder", text)));
    };
    let weights = network.weights.as_ref().map(|file| project.path(file));
    Ok(Some(Blueprint::known((known.on)(
        *encoder,
        network.pretrained,
        weights,
    ))))
}

/// The model to train.
pub(super) fn model<T: Task>(
    project: &Project,
    blueprint: Option<Blueprint<T>>,
    classes: &Classes,
) -> Result<Model<T>, Failure> {
    let network = &project.network;
    let mut model = match (blueprint, &network.start_from) {
        (Some(blueprint), _) => Model::new(blueprint, classes),
        (None, bundle) => {
            let bundle = bundle.as_deref().unwrap_or_default();
            Model::load(Path::new(&project.path(bundle)))?
        }
    };
    if let Some(license) = &network.license {
        model = model.with_license(license);
    }
    Ok(match network.device {
        None => model,
        Some(name) => model.device(Device::named(name)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{ChipClassification, ObjectDetection, Segmentation};

    fn project(lines: &str) -> Project {
        let text = format!(
            "[scenes]\nfiles = \"a.tif\"\n[labels]\nfile = \"b.geojson\"\nclass = \"house\"\n[network]\n{lines}"
        );
        match Project::parse(Path::new("p.toml"), &text, &[]) {
            Ok(project) => project,
            Err(problems) => panic!("{problems}"),
        }
    }

    fn told<T>(outcome: Result<T, Failure>) -> String {
        match outcome {
            Err(Failure::Project(problems)) => problems.to_string(),
            _ => panic!("no mistake of the file"),
        }
    }

    #[test]
    fn every_registered_network_and_encoder_can_be_named() {
        assert_eq!(task(&project("")).ok(), Some(TaskWord::Segmentation));
        let mut built = 0;
        for entry in networks() {
            for encoder in entry.encoders {
                let project = project(&format!(
                    "architecture = \"{}\"\nencoder = \"{encoder}\"\n",
                    entry.word
                ));
                let name = match task(&project).ok() {
                    Some(TaskWord::Segmentation) => blueprint::<Segmentation>(&project)
                        .ok()
                        .flatten()
                        .map(|it| it.name()),
                    Some(TaskWord::Detection) => blueprint::<ObjectDetection>(&project)
                        .ok()
                        .flatten()
                        .map(|it| it.name()),
                    Some(TaskWord::Classification) => blueprint::<ChipClassification>(&project)
                        .ok()
                        .flatten()
                        .map(|it| it.name()),
                    None => None,
                };
                let name = name.unwrap_or_default();
                assert!(
                    name.starts_with(entry.family),
                    "{} on {encoder}: {name}",
                    entry.word
                );
                built += 1;
            }
        }
        assert!(built > 20, "{built}");
    }

    #[test]
    fn what_a_builder_does_with_weights_is_done_for_words_too() {
        let project =
            project("architecture = \"retinanet\"\nencoder = \"resnet50\"\npretrained = true\n");
        let named = blueprint::<ObjectDetection>(&project).ok().flatten();
        let built: Blueprint<ObjectDetection> =
            crate::models::RetinaNet::resnet50().pretrained(true).into();
        let choices = |of: Option<&Blueprint<ObjectDetection>>| {
            of.and_then(|it| serde_json::to_value(it).ok())
        };
        assert!(named.is_some());
        assert_eq!(choices(named.as_ref()), choices(Some(&built)));
    }

    #[test]
    fn a_network_that_there_is_not_is_told_with_its_line() {
        assert_eq!(
            told(entry(&project("architecture = \"unte\"\n"), "unte")),
            "p.toml:7: `architecture` in [network] is \"unte\", expected one of unet, fpn, deeplabv3, deeplabv3plus, centernet, \
             retinanet, fasterrcnn, classifier: did you mean \"unet\"?"
        );
        let other = project("architecture = \"DeepLabV3+\"\nencoder = \"efficientnet-lite0\"\n");
        assert_eq!(
            told(blueprint::<Segmentation>(&other)),
            "p.toml:8: `encoder` in [network] is \"efficientnet-lite0\", expected one that deeplabv3plus has: resnet18, resnet34, \
             resnet50, resnet101"
        );
        let both = project("task = \"segmentation\"\narchitecture = \"centernet\"\n");
        assert_eq!(
            told(task(&both)),
            "p.toml:8: `architecture` in [network] is for detection, and `task` is segmentation"
        );
    }
}
