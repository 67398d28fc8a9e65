//! Scenes of a STAC item collection, as an API's search answers or as a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::listed;
use super::open::{Row, opened};
use super::{Scenes, ScenesError, ScenesOptions};
use crate::Result;
use crate::raster::{Date, SeriesDate, StackPart, TimeSeries, read_whole};
use crate::report::{Notice, Report, file_name};

impl Scenes {
    /// Opens the scenes of a STAC item collection (a file or an address): of each item the asset that is called so, such as
    /// `"visual"` or `"image"`. Its `id`, `collection`, `datetime` and other plain properties are columns
    /// ([`Scenes::where_column`]). Imagery at an address is read through GDAL, a window at a time.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scenes = Scenes::stac("search.json", "visual")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ScenesError::Stac`] when it is no item collection or no item has this asset, with those that there are; as
    /// [`Scenes::open`].
    ///
    /// # Source
    /// STAC specification 1.1, item collection: <https://github.com/radiantearth/stac-api-spec>.
    pub fn stac(path: impl AsRef<Path>, asset: &str) -> Result<Self> {
        Self::stac_with(path, asset, ScenesOptions::new())
    }

    /// As [`Scenes::stac`], with options for opening.
    ///
    /// # Errors
    /// As [`Scenes::stac`].
    pub fn stac_with(
        path: impl AsRef<Path>,
        asset: &str,
        options: impl Into<ScenesOptions>,
    ) -> Result<Self> {
        let path = crate::paths::expanded(path.as_ref()).into_owned();
        let mut report = Report::new();
        if !path.to_string_lossy().contains("://") && !path.starts_with("/vsi") {
            std::fs::metadata(&path).map_err(|error| crate::FileError::new(path.clone(), error))?;
        }
        let text = read_whole(&path)?;
        let rows = rows(&text, &path, asset, &mut report)?;
        opened(rows, &options.into(), report)
    }
}

impl TimeSeries {
    /// The scenes of a STAC item collection (a file or an address) as a series: of each item these assets, such as
    /// `["B04", "B08", "SCL"]`, which the bands are called after, on the day of its `datetime`.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let series = TimeSeries::stac("search.json", ["red", "nir", "scl"])?.mask("scl", [0, 1, 3, 8, 9, 10]);
    /// let scene = Scene::series_with(series)?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ScenesError::Stac`] when it is no item collection, no item has an asset, or none has a `datetime`.
    #[doc(alias = "stackstac")]
    #[doc(alias = "odc_stac")]
    pub fn stac<A: AsRef<str>>(
        path: impl AsRef<Path>,
        assets: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        let path = crate::paths::expanded(path.as_ref()).into_owned();
        if !path.to_string_lossy().contains("://") && !path.starts_with("/vsi") {
            std::fs::metadata(&path).map_err(|error| crate::FileError::new(path.clone(), error))?;
        }
        let text = read_whole(&path)?;
        let mut report = Report::new();
        let (mut dates, mut without) = (BTreeMap::<Date, Vec<StackPart>>::new(), 0);
        for asset in assets {
            let asset = asset.as_ref();
            for row in rows(&text, &path, asset, &mut report)? {
                let day = row.columns.get("datetime").map(String::as_str);
                match day.and_then(Date::parse) {
                    Some(date) => dates
                        .entry(date)
                        .or_default()
                        .push(StackPart::new(row.path).named(asset)),
                    None => without += 1,
                }
            }
        }
        if dates.is_empty() {
            let reason = "no item has a `datetime`".to_owned();
            return Err(ScenesError::Stac { path, reason }.into());
        }
        if without > 0 {
            let text = "assets of items without a `datetime`";
            let notice = Notice::left_out(text)
                .about(file_name(&path))
                .count(without);
            report.push(notice);
        }
        let dates = dates
            .into_iter()
            .map(|(date, parts)| SeriesDate::new(date, parts));
        Ok(Self::of(dates).reported(report))
    }
}

pub(super) fn rows(
    text: &[u8],
    path: &Path,
    asset: &str,
    report: &mut Report,
) -> Result<Vec<Row>, ScenesError> {
    let wrong = |reason: String| ScenesError::Stac {
        path: path.to_owned(),
        reason,
    };
    let collection: Value =
        serde_json::from_slice(text).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
    let one;
    let items: &[Value] = match (collection.get("features"), collection.get("assets")) {
        (Some(Value::Array(items)), _) => items,
        // A single item.
        (_, Some(Value::Object(_))) => {
            one = [collection.clone()];
            &one
        }
        _ => return Err(wrong("it has neither `features` nor `assets`".to_owned())),
    };
    let (mut rows, mut without, mut there) = (Vec::new(), 0, BTreeMap::<String, usize>::new());
    for item in items {
        let assets = item.get("assets").and_then(Value::as_object);
        for name in assets.into_iter().flat_map(|assets| assets.keys()) {
            *there.entry(name.clone()).or_default() += 1;
        }
        let href = assets
            .and_then(|assets| assets.get(asset))
            .and_then(|asset| asset.get("href"))
            .and_then(Value::as_str);
        let Some(href) = href else {
            without += 1;
            continue;
        };
        rows.push(Row {
            path: resolved(path, href),
            columns: columns(item),
            folder: None,
        });
    }
    let about = file_name(path);
    if rows.is_empty() {
        return Err(wrong(match items.len() {
            0 => "it holds no item".to_owned(),
            all => {
                let assets = there
                    .into_iter()
                    .map(|(name, count)| format!("{name} ({count})"));
                format!(
                    "none of {all} items has the asset {asset:?}; there are {}",
                    listed(assets)
                )
            }
        }));
    }
    if without > 0 {
        let text = format!("{without} of {} items have no asset {asset:?}", items.len());
        report.push(Notice::left_out(text).about(about.clone()).count(without));
    }
    let links = collection.get("links").and_then(Value::as_array);
    let next = links.into_iter().flatten();
    let next = next.filter(|link| link.get("rel").and_then(Value::as_str) == Some("next"));
    if next.count() > 0 {
        let matched = collection
            .get("numberMatched")
            .or_else(|| collection.pointer("/context/matched"));
        let all = matched.and_then(Value::as_u64);
        let of = all.map_or_else(String::new, |all| format!(" of {all}"));
        let text = format!(
            "the search has further pages: {}{of} items are here",
            items.len()
        );
        let next = "ask for more items on a page (`limit`), or open the pages one by one";
        report.push(Notice::left_out(text).about(about).next(next));
    }
    Ok(rows)
}

/// An asset's address; relative ones start at the collection.
fn resolved(collection: &Path, href: &str) -> PathBuf {
    if href.contains("://") {
        return PathBuf::from(href);
    }
    if href.starts_with('/') {
        let text = collection.to_string_lossy();
        let host = text.split_once("://").map(|(scheme, rest)| {
            format!("{scheme}://{}", rest.split('/').next().unwrap_or_default())
        });
        return PathBuf::from(host.unwrap_or_default() + href);
    }
    let text = collection.to_string_lossy();
    // Of an address, what is asked for is no part of the path.
    let text = match text.contains("://") {
        true => text.split(['?', '#']).next().unwrap_or_default(),
        false => &text,
    };
    match text.rsplit_once('/') {
        Some((folder, _)) => PathBuf::from(format!("{folder}/{}", href.trim_start_matches("./"))),
        None => PathBuf::from(href),
    }
}

/// What the item says in a word or number.
fn columns(item: &Value) -> BTreeMap<String, String> {
    let mut columns = BTreeMap::new();
    let properties = item.get("properties").and_then(Value::as_object);
    let own = ["id", "collection"]
        .into_iter()
        .filter_map(|name| Some((name, item.get(name)?)));
    let all = properties
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value));
    for (name, value) in all.chain(own) {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        columns.insert(name.to_owned(), text);
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, asset: &str) -> Result<(Vec<(String, String)>, Report), ScenesError> {
        let mut report = Report::new();
        let rows = rows(
            text.as_bytes(),
            Path::new("/data/search.json"),
            asset,
            &mut report,
        )?;
        let told = rows.into_iter().map(|row| {
            let path = row.path.display().to_string();
            (path, row.columns.get("id").cloned().unwrap_or_default())
        });
        Ok((told.collect(), report))
    }

    const TWO: &str = r#"{"type": "FeatureCollection", "numberMatched": 9, "links": [{"rel": "next", "href": "x"}],
        "features": [
        {"id": "a", "properties": {"datetime": "2024-05-01T00:00:00Z", "eo:cloud_cover": 3.5},
         "assets": {"visual": {"href": "./a/visual.tif"}, "thumbnail": {"href": "t.png"}}},
        {"id": "b", "properties": {}, "assets": {"visual": {"href": "https://example.org/b.tif"}}},
        {"id": "c", "properties": {}, "assets": {}}]}"#;

    #[test]
    fn assets_are_found_relative_to_the_collection_and_what_is_missing_is_told() {
        let (rows, report) = read(TWO, "visual").expect("it is a collection");
        let told = |path: &str, id: &str| (path.to_owned(), id.to_owned());
        assert_eq!(
            rows,
            [
                told("/data/a/visual.tif", "a"),
                told("https://example.org/b.tif", "b")
            ]
        );
        let text = report.to_string();
        assert!(
            text.contains("1 of 3 items have no asset \"visual\""),
            "{text}"
        );
        assert!(text.contains("3 of 9 items are here"), "{text}");
    }

    #[test]
    fn addresses_are_joined_as_browsers_join_them() {
        for (collection, href, joined) in [
            (
                "https://a.org/c/items?limit=9/x",
                "b.tif",
                "https://a.org/c/b.tif",
            ),
            ("https://a.org/c/items", "/d/b.tif", "https://a.org/d/b.tif"),
            ("/data/c.json", "/d/b.tif", "/d/b.tif"),
            ("c.json", "./b.tif", "./b.tif"),
        ] {
            assert_eq!(resolved(Path::new(collection), href), PathBuf::from(joined));
        }
    }

    #[test]
    fn assets_of_items_are_bands_of_the_days_of_their_items() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("search.json");
        std::fs::write(&path, TWO).unwrap();
        let series = TimeSeries::stac(&path, ["visual"]).unwrap();
        let part = StackPart::new(folder.path().join("a/visual.tif")).named("visual");
        let wanted = TimeSeries::of([SeriesDate::new("2024-05-01", [part])]);
        let mut report = Report::new();
        report.push(Notice::noted("any"));
        assert_eq!(
            series.clone().reported(report.clone()),
            wanted.reported(report)
        );
        let told = format!("{series:?}");
        assert!(
            told.contains("assets of items without a `datetime`"),
            "{told}"
        );
        let none = TWO.replace("datetime", "day");
        std::fs::write(&path, none).unwrap();
        let error = TimeSeries::stac(&path, ["visual"]).unwrap_err().to_string();
        assert!(error.contains("no item has a `datetime`"), "{error}");
    }

    #[test]
    fn an_asset_that_no_item_has_is_told_with_those_that_there_are() {
        let error = read(TWO, "red").expect_err("there is none").to_string();
        assert!(
            error.contains("there are thumbnail (1), visual (2)"),
            "{error}"
        );
        for text in [
            "",
            "[]",
            "{}",
            "{\"features\": 3}",
            "{\"features\": []}",
            "{\"assets\": {\"v\": 1}}",
        ] {
            assert!(read(text, "v").is_err(), "{text}");
        }
    }
}
