//! Random item collections of STAC and tables of scenes: rows, or an error with words. See [`crate::fuzz_harness`].

use std::path::{Path, PathBuf};

use super::{stac, table};
use crate::Hint as _;
use crate::fuzz_harness::{Target, random_of};
use crate::report::Report;
use crate::vector::VectorSource;

fn assert_says(error: &crate::Error, input: &[u8]) {
    let text = error.to_string();
    assert!(
        !text.trim().is_empty() && text.len() < 6000 + input.len(),
        "{text}"
    );
    assert!(error.hint().is_none_or(|hint| !hint.trim().is_empty()));
}

#[test]
fn item_collections() {
    Target {
        name: "stac",
        seeds: &[
            r#"{"type": "FeatureCollection", "numberMatched": 9, "links": [{"rel": "next", "href": "x"}], "features": [{"id": "a", "collection": "c", "properties": {"datetime": "2024-05-01T00:00:00Z", "eo:cloud_cover": 3.5, "x": true, "y": null, "z": [1]}, "assets": {"visual": {"href": "./a/visual.tif"}, "thumbnail": {"href": "t.png"}}}, {"id": "b", "properties": {}, "assets": {"visual": {"href": "https://example.org/b.tif?x#y"}}}]}"#,
            r#"{"id": "a", "assets": {"visual": {"href": "/a.tif"}}, "properties": {"context": {"matched": 1}}}"#,
            r#"{"features": [], "context": {"matched": 3}}"#,
        ],
        words: &[
            "{", "}", "[", "]", ":", ",", "\"", "null", "true", "-1", "1e999", "\"features\":", "\"assets\":", "\"visual\":",
            "\"href\":", "\"properties\":", "\"id\":", "\"collection\":", "\"links\":", "\"rel\": \"next\"", "\"context\":",
            "\"numberMatched\":", "\"matched\":", "\"://\"", "\"/\"", "\"..\"", "\"../../x.tif\"", "\"?#\"", "\"\"", "\\u0000", "\\ud800",
        ],
        depth: 400,
    }
    .run(|input| {
        let places = ["/data/search.json", "https://a.org/c/items?limit=9/x", "c.json", "", "://"];
        let place = places[random_of(input).below(places.len())];
        let mut report = Report::new();
        match stac::rows(input, Path::new(place), "visual", &mut report) {
            Ok(rows) => assert!(!rows.is_empty() && rows.iter().all(|row| row.folder.is_none())),
            Err(error) => assert_says(&error.into(), input),
        }
        assert!(report.iter().all(|notice| !notice.text().is_empty()));
    });
}

/// OGR reads the table; what it makes of the bytes is ours to take.
#[test]
fn tables() {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = tempfile::tempdir_in(parent).unwrap();
    let path: PathBuf = folder.path().join("scenes.csv");
    Target {
        name: "scene-table",
        seeds: &[
            "image,labels,split\na.tif,a.geojson,train\n\"b, c.tif\",,test\n",
            "path;date;clouds\r\nx/a.tif;2024-05-01;0.5\r\n",
            "id,filename\n1,a.tif\n2,\n",
        ],
        words: &[
            "image",
            "path",
            "labels",
            "split",
            ",",
            ";",
            "\t",
            "\"",
            "\"\"",
            "\n",
            "\r\n",
            "a.tif",
            "../b.tif",
            "/vsizip/",
            "https://a.org/x.tif",
            "1",
            "-1e308",
            "nan",
            "2024-05-01",
            "true",
            "é",
            "\u{feff}",
            "WKT",
            "POINT (1 2)",
        ],
        depth: 300,
    }
    .run(|input| {
        std::fs::write(&path, input).unwrap();
        let mut report = Report::new();
        match table::rows(&VectorSource::new(&path), &mut report) {
            Ok((rows, _)) => assert!(!rows.is_empty()),
            Err(error) => assert_says(&error, input),
        }
    });
}
