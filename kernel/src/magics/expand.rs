//! The Rust that magics stand for. Every expansion is one line, so that the lines of a cell keep their numbers.

use super::arguments::{Arguments, UsageError};
use super::table::Magic;
use crate::syntax::is_variable_name;

/// Rust in two parts: statements, and an expression that is shown when the magic ends its cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expansion {
    /// Each ends with a semicolon.
    pub(crate) statements: String,
    /// Without a semicolon.
    pub(crate) show: Option<String>,
}

impl Expansion {
    fn new(statements: impl Into<String>, show: impl Into<String>) -> Self {
        Self {
            statements: statements.into(),
            show: Some(show.into()),
        }
    }

    /// One line of Rust; what is shown is left out where the magic does not end its cell.
    pub(crate) fn rust(&self, ends_cell: bool) -> String {
        match &self.show {
            Some(show) if ends_cell && self.statements.is_empty() => show.clone(),
            Some(show) if ends_cell => format!("{} {show}", self.statements),
            // An expression without statements is run for its effects and errors.
            Some(show) if self.statements.is_empty() => format!("{show};"),
            _ => self.statements.clone(),
        }
    }
}

/// A Rust string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// The variable named by option `key`, or `default`.
fn variable<'a>(
    magic: &Magic,
    arguments: &'a Arguments,
    key: &str,
    default: &'a str,
) -> Result<&'a str, UsageError> {
    let name = arguments.option(key).unwrap_or(default);
    check_variable(magic, name)?;
    Ok(name)
}

fn check_variable(magic: &Magic, name: &str) -> Result<(), UsageError> {
    if is_variable_name(name) {
        return Ok(());
    }
    Err(UsageError::new(
        magic,
        format!("{name:?} is not a name that a variable can have"),
    ))
}

fn number<T: std::str::FromStr>(magic: &Magic, what: &str, text: &str) -> Result<T, UsageError> {
    text.parse()
        .map_err(|_| UsageError::new(magic, format!("{what} must be a number, found {text:?}")))
}

/// A number written so that Rust reads an `f64`.
fn float(magic: &Magic, what: &str, text: &str) -> Result<String, UsageError> {
    let value: f64 = number(magic, what, text)?;
    if value.is_finite() {
        Ok(format!("{value:?}"))
    } else {
        Err(UsageError::new(
            magic,
            format!("{what} must be finite, found {text:?}"),
        ))
    }
}

fn required<'a>(
    magic: &Magic,
    arguments: &'a Arguments,
    index: usize,
    what: &str,
) -> Result<&'a str, UsageError> {
    arguments
        .word(index)
        .ok_or_else(|| UsageError::new(magic, format!("%{} needs {what}", magic.name)))
}

pub(super) fn data(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let name = required(
        magic,
        arguments,
        0,
        "a name: banepa, efficientnet-lite0 or neon",
    )?;
    let default = name.replace(['-', '.'], "_");
    let variable = variable(magic, arguments, "as", &default)?;
    Ok(Expansion::new(
        format!("let {variable} = swath::data::fetch({})?;", literal(name)),
        variable,
    ))
}

pub(super) fn scene(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let file = required(magic, arguments, 0, "a raster file")?;
    let variable = variable(magic, arguments, "as", "scene")?;
    let mut expression = format!("Scene::open({})?", literal(file));
    match (arguments.option("labels"), arguments.option("class")) {
        (Some(labels), Some(class)) => {
            expression += &format!(".with_labels({}, {})?", literal(labels), literal(class));
        }
        (None, None) => {}
        (Some(_), None) => {
            return Err(UsageError::new(
                magic,
                "labels= needs class=: a property of the vectors, or the one class of all",
            ));
        }
        (None, Some(_)) => {
            return Err(UsageError::new(
                magic,
                "class= needs labels=: the vector file that has them",
            ));
        }
    }
    if let Some(aoi) = arguments.option("aoi") {
        expression += &format!(".with_aoi({})?", literal(aoi));
    }
    Ok(Expansion::new(
        format!("let {variable} = {expression};"),
        variable,
    ))
}

pub(super) fn split(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let fraction = required(
        magic,
        arguments,
        0,
        "the fraction of the scene for training, such as 0.75",
    )?;
    let written = float(magic, "the fraction", fraction)?;
    if !fraction
        .parse::<f64>()
        .is_ok_and(|value| value > 0.0 && value < 1.0)
    {
        return Err(UsageError::new(
            magic,
            format!("the fraction must lie between 0 and 1, found {fraction}"),
        ));
    }
    let scene = variable(magic, arguments, "scene", "scene")?;
    let by = arguments.option("by").unwrap_or("columns");
    if !["columns", "rows"].contains(&by) {
        return Err(UsageError::new(
            magic,
            format!("by= must be columns or rows, found {by:?}"),
        ));
    }
    Ok(Expansion {
        statements: format!("let (train, valid) = {scene}.split(Split::{by}({written}));"),
        show: None,
    })
}

pub(super) fn chips(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let count = required(magic, arguments, 0, "a count of random chips, or `sliding`")?;
    let size: usize = number(
        magic,
        "the chip size",
        required(magic, arguments, 1, "a chip size in pixels")?,
    )?;
    let mut options = if count == "sliding" {
        format!("Chips::sliding({size})")
    } else {
        format!(
            "Chips::random({}, {size})",
            number::<usize>(magic, "the count of chips", count)?
        )
    };
    if let Some(seed) = arguments.option("seed") {
        options += &format!(".seed({})", number::<u64>(magic, "the seed", seed)?);
    }
    if let Some(stride) = arguments.option("stride") {
        options += &format!(".stride({})", number::<usize>(magic, "the stride", stride)?);
    }
    let from = variable(magic, arguments, "from", "train")?;
    let variable = variable(magic, arguments, "as", "chips")?;
    let show: usize = number(
        magic,
        "the count to show",
        arguments.option("show").unwrap_or("8"),
    )?;
    Ok(Expansion::new(
        format!("let {variable} = {from}.chips({options})?;"),
        format!("{variable}.show({show})"),
    ))
}

const ENCODERS: [&str; 3] = ["efficientnet_lite0", "resnet18", "resnet34"];

/// What `optimiser=`, `schedule=` and `loss=` of `%fit` take, and what they become.
pub(super) const CHOICES: [(&str, &[(&str, &str)]); 3] = [
    (
        "optimiser",
        &[
            ("adamw", "Optimiser::adamw()"),
            ("sgd", "Optimiser::sgd(0.9)"),
            ("nesterov", "Optimiser::sgd(0.9).nesterov()"),
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
    let encoder = arguments.word(0).unwrap_or(ENCODERS[0]).replace('-', "_");
    if !ENCODERS.contains(&encoder.as_str()) {
        return Err(UsageError::new(
            magic,
            format!(
                "the encoder must be one of {}, found {encoder:?}",
                ENCODERS.join(", ")
            ),
        ));
    }
    let chips = variable(magic, arguments, "chips", "chips")?;
    let valid = variable(magic, arguments, "valid", "valid")?;
    let variable = variable(magic, arguments, "as", "run")?;
    let mut fit = match (arguments.option("epochs"), arguments.option("steps")) {
        (Some(_), Some(_)) => {
            return Err(UsageError::new(
                magic,
                "epochs= and steps= exclude each other",
            ));
        }
        (None, Some(steps)) => format!("Fit::steps({})", number::<usize>(magic, "steps", steps)?),
        (epochs, None) => format!(
            "Fit::epochs({})",
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
    let statements = format!(
        "let model = Segmenter::new(Unet::{encoder}(), {valid}.classes()); let {variable} = model.fit(&{chips}, &{valid}, {fit})?;"
    );
    Ok(Expansion::new(statements, variable))
}

pub(super) fn predict(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let model = arguments.word(0).unwrap_or("run");
    let scene = variable(magic, arguments, "scene", "scene")?;
    let variable = variable(magic, arguments, "as", "map")?;
    let model = if model.contains(['.', '/']) {
        format!("Segmenter::load({})?", literal(model))
    } else {
        check_variable(magic, model)?;
        format!("{model}.best()")
    };
    Ok(Expansion::new(
        format!("let {variable} = {model}.predict(&{scene})?;"),
        variable,
    ))
}

fn map_variable<'a>(magic: &Magic, arguments: &'a Arguments) -> Result<&'a str, UsageError> {
    let map = arguments.word(0).unwrap_or("map");
    check_variable(magic, map)?;
    Ok(map)
}

pub(super) fn map(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let map = map_variable(magic, arguments)?;
    let statements = arguments
        .option("save")
        .map(|folder| format!("{map}.save({})?;", literal(folder)))
        .unwrap_or_default();
    Ok(Expansion::new(statements, map))
}

pub(super) fn evaluate(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let map = map_variable(magic, arguments)?;
    let scene = variable(magic, arguments, "scene", "scene")?;
    Ok(Expansion::new("", format!("{map}.evaluate(&{scene})?")))
}

pub(super) fn device(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let chosen = match arguments.word(0) {
        None => None,
        Some("cpu") => Some("Device::cpu()".to_owned()),
        Some("best") => Some("Device::best()".to_owned()),
        Some("cuda" | "gpu") => Some("Device::cuda(0)?".to_owned()),
        Some(other) => match other.strip_prefix("cuda:") {
            Some(index) => Some(format!(
                "Device::cuda({})?",
                number::<usize>(magic, "the GPU", index)?
            )),
            None => {
                return Err(UsageError::new(
                    magic,
                    format!("the device must be cpu, cuda, cuda:N or best, found {other:?}"),
                ));
            }
        },
    };
    let statements = chosen
        .map(|device| format!("{device}.set_current();"))
        .unwrap_or_default();
    Ok(Expansion {
        statements: format!(
            "{statements}{}println!(\"{{}}\", Device::current().explain());",
            if statements.is_empty() { "" } else { " " }
        ),
        show: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::magics::table::{Action, find};

    fn expand(line: &str) -> String {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let magic = find(name).unwrap();
        let Action::Expand(expand) = magic.action else {
            panic!("{name} does not expand")
        };
        match Arguments::parse(magic, rest).and_then(|arguments| expand(magic, &arguments)) {
            Ok(expansion) => expansion.rust(true),
            Err(error) => format!("error: {} / {}", error.message, error.usage),
        }
    }

    #[test]
    fn expansions_and_usage_errors() {
        let lines = [
            "data",
            "data banepa",
            "data efficientnet-lite0",
            "data banepa as=let",
            "scene vegas.tif",
            "scene vegas.tif labels=buildings.geojson class=building",
            r#"scene "my \"odd\" file\\.tif" as=s"#,
            "scene 'a\tb ü.tif' aoi=area.gpkg",
            "scene",
            "scene a.tif labels=b",
            "scene a.tif class=b",
            "scene a.tif as=1x",
            "split 0.75",
            "split 1 by=rows",
            "split 0.5 by=rows scene=s",
            "split",
            "split 0.5 by=area",
            "chips 400 256",
            "chips 400 256 from=train seed=7 as=c show=4",
            "chips sliding 256 stride=128",
            "chips many 256",
            "chips 400",
            "fit",
            "fit resnet18 epochs=12 lr=1e-3 batch=4",
            "fit steps=400",
            "fit optimiser=nesterov schedule=cosine loss=focal ema=0.999 accumulate=4",
            "fit schedule=zigzag",
            "fit epochs=1 steps=2",
            "fit vgg",
            "fit lr=fast",
            "fit lr=nan",
            "predict",
            "predict model.swath scene=test as=m",
            "predict 'my run'",
            "map",
            "map save='out dir/'",
            "evaluate",
            "evaluate m scene=test",
            "device",
            "device cpu",
            "device cuda:1",
            "device tpu",
        ];
        let text: String = lines
            .iter()
            .map(|line| format!("%{line}\n    {}\n", expand(line)))
            .collect();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn in_the_middle_of_a_cell_nothing_is_shown() {
        let expansion = Expansion::new("let a = 1;", "a");
        assert_eq!(expansion.rust(false), "let a = 1;");
        assert_eq!(
            Expansion::new("", "m.evaluate(&s)?").rust(false),
            "m.evaluate(&s)?;"
        );
    }
}
