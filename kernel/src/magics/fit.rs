//! `%fit`: which model, and how it is trained; and which type of the library reads a saved model.

use std::path::Path;

use swath_link::networks::{NETWORKS, Network};

use super::arguments::{Arguments, UsageError};
use super::expand::{Expansion, float, literal, number, variable};
use super::table::Magic;

const SEGMENTER: &str = "Segmenter";
const DETECTOR: &str = "Detector";

/// What completion offers for the model: families, families with an encoder, and the encoders of a U-Net.
pub(super) fn model_words() -> Vec<String> {
    let mut words = Vec::new();
    for family in NETWORKS.iter() {
        words.push(family.word.clone());
        let with_encoder = |encoder: &String| format!("{}-{encoder}", family.word);
        words.extend(family.encoders.iter().map(with_encoder));
    }
    words.extend(NETWORKS[0].encoders.iter().cloned());
    words
}

/// The word in the spelling that all spellings share: `Faster-RCNN`, `faster_rcnn` and `fasterrcnn` are one.
fn plain(word: &str) -> String {
    word.to_ascii_lowercase()
        .replace('+', "plus")
        .replace(['-', '_'], "")
}

/// The family that `word` begins with, and what is left of the word, in the shared spelling.
fn family_of(word: &str) -> (Option<&'static Network>, String) {
    let word = plain(word);
    let family = NETWORKS
        .iter()
        .filter(|family| word.starts_with(&family.word))
        .max_by_key(|family| family.word.len());
    let rest = word[family.map_or(0, |family| family.word.len())..].to_owned();
    (family, rest)
}

/// The family and encoder that `model=` and the first word name together.
fn chosen_model(
    magic: &Magic,
    arguments: &Arguments,
) -> Result<(&'static Network, &'static str), UsageError> {
    let mut family = None;
    let mut encoder = None;
    for word in [arguments.option("model"), arguments.word(0)]
        .into_iter()
        .flatten()
    {
        let (named, rest) = family_of(word);
        if (named.is_some() && family.is_some()) || (!rest.is_empty() && encoder.is_some()) {
            let message = format!("the model is named twice, the second time as {word:?}");
            return Err(UsageError::new(magic, message));
        }
        family = family.or(named);
        if !rest.is_empty() {
            encoder = Some((word, rest));
        }
    }
    let all: Vec<&str> = NETWORKS.iter().map(|family| family.word.as_str()).collect();
    let chosen = family.unwrap_or(&NETWORKS[0]);
    let Some((word, rest)) = encoder else {
        return Ok((chosen, &chosen.encoders[0]));
    };
    match chosen.encoders.iter().find(|name| plain(name) == rest) {
        Some(encoder) => Ok((chosen, encoder)),
        None if family.is_none() => Err(UsageError::new(
            magic,
            format!(
                "the model must be one of {}, or an encoder of unet ({}), found {word:?}",
                all.join(", "),
                chosen.encoders.join(", ")
            ),
        )),
        None => Err(UsageError::new(
            magic,
            format!(
                "the encoder of {} must be one of {}, found {word:?} (the models are {})",
                chosen.word,
                chosen.encoders.join(", "),
                all.join(", ")
            ),
        )),
    }
}

/// What `optimizer=`, `schedule=` and `loss=` of `%fit` take, and what they become.
pub(super) const CHOICES: [(&str, &[(&str, &str)]); 3] = [
    (
        "optimizer",
        &[
            ("adamw", "Optimizer::adamw()"),
            ("sgd", "Optimizer::sgd(0.9)"),
            ("nesterov", "Optimizer::sgd(0.9).nesterov()"),
        ],
    ),
    (
        "schedule",
        &[
            ("one-cycle", "Schedule::one_cycle()"),
            ("cosine", "Schedule::cosine()"),
            ("poly", "Schedule::poly(0.9)"),
            ("plateau", "Schedule::plateau(0.5, 2)"),
            ("constant", "Schedule::constant()"),
        ],
    ),
    (
        "loss",
        &[
            ("sum", "Loss::Sum"),
            ("cross-entropy", "Loss::CrossEntropy"),
            ("dice", "Loss::Dice"),
            ("focal", "Loss::focal()"),
            ("lovasz", "Loss::Lovasz"),
            ("lovasz-sum", "Loss::LovaszSum"),
        ],
    ),
];

pub(super) fn fit(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let (family, encoder) = chosen_model(magic, arguments)?;
    if family.model == DETECTOR && arguments.option("loss").is_some() {
        return Err(UsageError::new(
            magic,
            format!(
                "loss= is for segmentation: {} finds boxes and has a loss of its own",
                family.word
            ),
        ));
    }
    let chips = variable(magic, arguments, "chips", "chips")?;
    let valid = variable(magic, arguments, "valid", "valid")?;
    let run = variable(magic, arguments, "as", "run")?;
    let weights = arguments
        .option("weights")
        .map(|file| format!(".weights({})", literal(file)))
        .unwrap_or_default();
    let options = training(magic, arguments)?;
    let (builder, model) = (&family.builder, &family.model);
    let statements = format!(
        "let model = {model}::new({builder}::{encoder}(){weights}, {valid}.classes()); \
         let {run} = model.fit(&{chips}, &{valid}, {options})?;"
    );
    // The live view ends with all that there is to say about the run.
    Ok(Expansion {
        statements,
        show: None,
    })
}

/// `FitOptions::epochs(10).batch(4)`: how the model is trained.
fn training(magic: &Magic, arguments: &Arguments) -> Result<String, UsageError> {
    let mut fit = match (arguments.option("epochs"), arguments.option("steps")) {
        (Some(_), Some(_)) => {
            return Err(UsageError::new(
                magic,
                "epochs= and steps= exclude each other",
            ));
        }
        (None, Some(steps)) => format!(
            "FitOptions::steps({})",
            number::<usize>(magic, "steps", steps)?
        ),
        (epochs, None) => format!(
            "FitOptions::epochs({})",
            number::<usize>(magic, "epochs", epochs.unwrap_or("10"))?
        ),
    };
    if let Some(batch) = arguments.option("batch") {
        fit += &format!(".batch({})", number::<usize>(magic, "the batch", batch)?);
    }
    if let Some(lr) = arguments.option("lr") {
        fit += &format!(".lr({})", float(magic, "the learning rate", lr)?);
    }
    for (key, choices) in CHOICES {
        let Some(word) = arguments.option(key) else {
            continue;
        };
        let Some((_, code)) = choices.iter().find(|(name, _)| *name == word) else {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            return Err(UsageError::new(
                magic,
                format!("{key}= must be one of {}, found {word:?}", names.join(", ")),
            ));
        };
        fit += &format!(".{key}({code})");
    }
    if let Some(decay) = arguments.option("ema") {
        fit += &format!(".ema({})", float(magic, "the share of the average", decay)?);
    }
    if let Some(batches) = arguments.option("accumulate") {
        let batches = number::<usize>(magic, "the batches a step", batches)?;
        fit += &format!(".accumulate({batches})");
    }
    Ok(fit)
}

/// The type that loads a saved model: what its file says it is for, and a segmentation model when it says nothing, so that
/// the library's own error names what is wrong with the file.
pub(crate) fn loader(path: &str) -> &'static str {
    let of = |task: String| NETWORKS.iter().find(|family| family.task == task);
    let header = swath_link::bundle::read_header(Path::new(path));
    let family = header.and_then(|header| header.task).and_then(of);
    family.map_or(SEGMENTER, |family| family.model.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that begins as bundles do.
    fn bundle(own: &str) -> Vec<u8> {
        let header = serde_json::json!({ "__metadata__": { "swath": own } }).to_string();
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes
    }

    #[test]
    fn the_file_of_a_model_says_what_loads_it() {
        let folder = tempfile::tempdir().unwrap();
        let loader_of = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            loader(path.to_str().unwrap())
        };
        let boxes = bundle(r#"{"format":1,"task":"detection"}"#);
        assert_eq!(loader_of("boxes.swath", &boxes), "Detector");
        let map = bundle(r#"{"format":1,"task":"segmentation"}"#);
        assert_eq!(loader_of("map.swath", &map), "Segmenter");
        let cells = bundle(r#"{"format":1,"task":"classification"}"#);
        assert_eq!(loader_of("cells.swath", &cells), "Classifier");
        // Those from before there was a choice, and files that are no bundles at all.
        assert_eq!(loader_of("old.swath", &bundle("{}")), "Segmenter");
        assert_eq!(loader_of("cut.swath", &boxes[..20]), "Segmenter");
        assert_eq!(loader_of("long.swath", &[0xff; 64]), "Segmenter");
        assert_eq!(loader(folder.path().to_str().unwrap()), "Segmenter");
        assert_eq!(loader("nowhere.swath"), "Segmenter");
    }

    #[test]
    fn every_word_of_completion_is_understood() {
        let magic = super::super::table::find("fit").unwrap();
        for word in model_words() {
            let arguments = Arguments::parse(magic, &word).unwrap();
            let rust = fit(magic, &arguments).map(|expansion| expansion.statements);
            let (family, _) = family_of(&word);
            let builder = family.map_or("Unet", |family| family.builder.as_str());
            assert!(
                rust.as_ref().is_ok_and(|rust| rust.contains(builder)),
                "{word}: {rust:?}"
            );
        }
    }
}
