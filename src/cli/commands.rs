//! What each small command does. The results are shown through the session's sink.

use swath_cli::{
    DevicesArguments, FetchArguments, MirrorArguments, PropertiesArguments, SearchArguments,
    TownArguments,
};

use super::Failure;
use crate::device::Device;
use crate::display::{Output, Show as _};
use crate::models::catalog;
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

pub(super) fn devices(arguments: &DevicesArguments) {
    let gpus = Device::gpus();
    say(match arguments.json {
        true => format!("{:#}", gpus.json()),
        false => gpus.explain(),
    });
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
    let all = data::list();
    let all: Vec<&data::Recipe> = all.iter().collect();
    say(data::Recipe::outputs(&all).text);
}

pub(super) fn data_info(arguments: &FetchArguments) -> Result<(), Failure> {
    say(data::info(&arguments.name)?.output().text);
    Ok(())
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

/// What the tutorials and the small models need.
const MIRRORED: [&str; 5] = [
    "efficientnet-lite0",
    "banepa",
    "banepa-tiles",
    "neon",
    "spacenet-atlanta",
];

pub(super) fn data_mirror(arguments: &MirrorArguments) -> Result<(), Failure> {
    let names: Vec<&str> = match arguments.names.as_slice() {
        [] => MIRRORED.to_vec(),
        names => names.iter().map(String::as_str).collect(),
    };
    // All names are looked at before the first is fetched: a mistake in the last one shows at once.
    for name in &names {
        match name.contains('/') {
            true => drop(catalog::named(name)?),
            false => drop(data::info(name)?),
        }
    }
    for name in names {
        let place = match name.contains('/') {
            true => catalog::mirror(catalog::named(name)?, &arguments.folder)?,
            false => data::mirror(name, &arguments.folder)?.dir,
        };
        say(format!("{name}: {}", place.display()));
    }
    say(format!(
        "Users read it with SWATH_MIRROR={}",
        arguments.folder.display()
    ));
    Ok(())
}

pub(super) fn data_search(arguments: &SearchArguments) -> Result<(), Failure> {
    let mut search = data::StacSearch::service(&arguments.api).limit(arguments.limit);
    for collection in &arguments.collections {
        search = search.collection(collection);
    }
    if let Some(bounds) = arguments.bbox {
        search = search.bbox(bounds);
    }
    let date = |text: &Option<String>| text.clone().unwrap_or_default();
    search = search.between(date(&arguments.from), date(&arguments.to));
    if let Some(percent) = arguments.max_clouds {
        search = search.clouds_below(percent);
    }
    say(search.save(&arguments.out)?.output().text);
    Ok(())
}
