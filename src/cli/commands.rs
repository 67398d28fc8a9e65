//! What each command does. The results are shown through the session's sink.

use std::path::PathBuf;

use serde_json::json;

use super::Failure;
use super::arguments::Arguments;
use crate::display::{Output, Show as _};
use crate::raster::Raster;
use crate::{Result, data, samples, session};

fn say(text: impl Into<String>) {
    session::result(Output::text(text));
}

pub(super) fn info(arguments: &Arguments) -> Result<(), Failure> {
    let raster = Raster::open(arguments.word(0))?;
    let statistics = if arguments.has("statistics") {
        Some(raster.statistics()?)
    } else {
        None
    };
    let values = arguments
        .has("values")
        .then(|| raster.value_table())
        .transpose()?;
    let size = raster.size();
    let metres = raster.pixel_metres();
    let pixel = raster.pixel_words();
    if arguments.has("json") {
        let facts = json!({
            "path": raster.path(),
            "format": raster.format(),
            "width": size.width,
            "height": size.height,
            "bands": raster.band_count(),
            "band_names": raster.band_names(),
            "data_type": raster.data_type(),
            "nodata": raster.nodata(),
            "crs": raster.crs_name(),
            "crs_wkt": raster.crs_wkt(),
            "transform": raster.transform().0,
            "metres_per_pixel": metres.map(|(x, y)| [x, y]),
            "block_size": [raster.block_size().width, raster.block_size().height],
            "overviews": raster.overview_count(),
            "categories": raster.category_names(),
            "statistics": statistics,
            "values": values,
        });
        say(format!("{facts:#}"));
        return Ok(());
    }
    let nodata = raster
        .nodata()
        .map_or_else(|| "none".to_owned(), |value| value.to_string());
    let block = raster.block_size();
    let mut lines = vec![
        raster.path().display().to_string(),
        format!(
            "  format     {}, blocks of {} x {}, {} overviews",
            raster.format(),
            block.width,
            block.height,
            raster.overview_count()
        ),
        format!(
            "  size       {} x {} pixels, {} bands ({})",
            size.width,
            size.height,
            raster.band_count(),
            raster.band_names().join(", ")
        ),
        format!("  type       {}, nodata {nodata}", raster.data_type()),
        format!("  reference  {}", raster.crs_name()),
        format!(
            "  pixel      {}",
            pixel.as_deref().unwrap_or("no place on the ground")
        ),
    ];
    if !raster.category_names().is_empty() {
        lines.push(format!(
            "  classes    {}",
            raster.category_names().join(", ")
        ));
    }
    for (name, band) in raster
        .band_names()
        .iter()
        .zip(statistics.unwrap_or_default())
    {
        lines.push(format!(
            "  {name}: mean {:.4}, deviation {:.4}, from {} to {}, {} valid pixels",
            band.mean, band.std, band.min, band.max, band.count
        ));
    }
    lines.extend(values.map(|values| values.output().text));
    say(lines.join("\n"));
    Ok(())
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
