//! What each small command does. The results are shown through the session's sink.

use swath_cli::{FetchArguments, PropertiesArguments, TownArguments};

use super::Failure;
use crate::display::{Output, Show as _};
use crate::vector::{self, VectorSource};
use crate::{data, samples, session};

fn say(text: impl Into<String>) {
    session::result(Output::text(text));
}

pub(super) fn sample_town(arguments: &TownArguments) -> Result<(), Failure> {
    let town = samples::town_in(&arguments.out, arguments.seed, arguments.size)?;
    say(format!(
        "{}\n{}",
        town.scene_path.display(),
        town.labels_path.display()
    ));
    Ok(())
}

pub(super) fn properties(arguments: &PropertiesArguments) -> Result<(), Failure> {
    let mut source = VectorSource::new(&arguments.file);
    if let Some(layer) = &arguments.layer {
        source = source.layer(layer);
    }
    say(vector::property_names(source)?.join("\n"));
    Ok(())
}

pub(super) fn data_list() {
    say(data::names().join("\n"));
}

pub(super) fn data_fetch(arguments: &FetchArguments) -> Result<(), Failure> {
    let dataset = data::fetch(&arguments.name)?;
    say(format!(
        "{}\nin {}",
        dataset.output().text,
        dataset.dir.display()
    ));
    Ok(())
}
