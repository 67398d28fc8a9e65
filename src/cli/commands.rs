//! What each command does. The results are shown through the session's sink.

use std::path::PathBuf;

use super::Failure;
use super::arguments::Arguments;
use crate::display::{Output, Show as _};
use crate::vector::{self, VectorSource};
use crate::{Result, data, samples, session};

fn say(text: impl Into<String>) {
    session::result(Output::text(text));
}

pub(super) fn sample_town(arguments: &Arguments) -> Result<(), Failure> {
    let out = PathBuf::from(arguments.required("out")?);
    let size = arguments
        .parsed("size", "a number of pixels")?
        .unwrap_or(2000);
    let seed = arguments.parsed("seed", "a whole number")?.unwrap_or(1);
    let town = samples::town_in(out, seed, size)?;
    say(format!(
        "{}\n{}",
        town.scene_path.display(),
        town.labels_path.display()
    ));
    Ok(())
}

pub(super) fn properties(arguments: &Arguments) -> Result<(), Failure> {
    let mut source = VectorSource::new(arguments.word(0));
    if let Some(layer) = arguments.option("layer") {
        source = source.layer(layer);
    }
    say(vector::property_names(source)?.join("\n"));
    Ok(())
}

pub(super) fn data_list(_arguments: &Arguments) -> Result<(), Failure> {
    say(data::names().join("\n"));
    Ok(())
}

pub(super) fn data_fetch(arguments: &Arguments) -> Result<(), Failure> {
    let dataset = data::fetch(arguments.word(0))?;
    say(format!(
        "{}\nin {}",
        dataset.output().text,
        dataset.dir.display()
    ));
    Ok(())
}
