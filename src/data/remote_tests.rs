//! Data sets from a publisher on this machine.

use std::path::PathBuf;

use super::server_tests::{Answer, Server};
use super::transfer_tests::{assert_passes_in_child, is_child};
use super::*;
use crate::Hint as _;
use crate::display::Show as _;

pub(super) fn recipe(text: serde_json::Value) -> &'static Recipe {
    Box::leak(Box::new(serde_json::from_value(text).unwrap()))
}

#[test]
fn a_data_set_of_archives_and_pages_is_fetched_unpacked_and_kept() {
    if !is_child() {
        // `SWATH_CACHE` is read from the environment of the whole process.
        let cache = tempfile::tempdir().unwrap();
        assert_passes_in_child(
            "data::remote_tests::a_data_set_of_archives_and_pages_is_fetched_unpacked_and_kept",
            &[("SWATH_CACHE", cache.path().to_str().unwrap())],
        );
        return;
    }
    let zip = super::unpack_tests::zip(&[("a/one.tif", b"1"), ("a/two.tif", b"22")]);
    let md5 = {
        use md5::Digest as _;
        super::checksum::hexadecimal(&md5::Md5::digest(&zip))
    };
    let archive = zip.clone();
    let server = Server::start(move |asked, _| match asked.path.as_str() {
        "/d/set.zip" => Answer::file(asked, &archive, "\"one\""),
        "/d/plain.csv" => Answer::new(200, "x,y\n"),
        "/sat/index.html" => Answer::new(
            200,
            "<a href='1.tiff'>1</a> <a href='2.tiff'>2</a> <a href='3.txt'>3</a>",
        ),
        "/sat/1.tiff" | "/sat/2.tiff" => Answer::new(200, asked.path.clone()),
        _ => Answer::new(404, ""),
    });
    let common = |name: &str, source: serde_json::Value| {
        recipe(
            serde_json::json!({"name": name, "about": "a set", "task": "areas", "license": "CC0", "credit": "nobody",
            "citation": "N. N.", "homepage": "https://example.org", "source": source}),
        )
    };
    let file = |file: &str, md5: Option<&str>, folder: &str| serde_json::json!({"address": server.at(&format!("/d/{file}")), "file": file, "folder": folder, "md5": md5});
    let files = serde_json::json!({"kind": "files", "files": [file("set.zip", Some(&md5), ""), file("plain.csv", None, "tables")]});
    let set = common("my-set", files);
    let fetched = fetch::fetch_recipe(set).unwrap();
    let names: Vec<_> = fetched
        .files
        .iter()
        .map(|path| path.strip_prefix(&fetched.dir).unwrap().to_owned())
        .collect();
    let expected = ["tables/plain.csv", "set/a/one.tif", "set/a/two.tif"].map(PathBuf::from);
    assert!(
        names.len() == 3 && expected.iter().all(|name| names.contains(name)),
        "{names:?}"
    );
    assert_eq!(
        std::fs::read(fetched.file("a/two.tif").unwrap()).unwrap(),
        b"22"
    );
    assert!(fetched.report().mentions("no checksum is published"));
    let about = std::fs::read_to_string(fetched.dir.join("ABOUT.txt")).unwrap();
    assert!(
        ["CC0", "nobody", "N. N.", "/d/set.zip"]
            .iter()
            .all(|words| about.contains(words)),
        "{about}"
    );
    assert!(
        !cache_dir().join("downloads/my-set/set.zip").exists(),
        "what it held is there"
    );
    let count = server.asked().len();
    assert_eq!(fetch::fetch_recipe(set).unwrap().files, fetched.files);
    assert_eq!(
        server.asked().len(),
        count,
        "the second time it comes from the cache"
    );
    let text = fetched.output().text;
    assert!(
        text.contains("cite") && text.contains("N. N.") && text.contains("plain.csv"),
        "{text}"
    );

    // What fails in the middle goes on with what is missing.
    let files = serde_json::json!({"kind": "files", "files": [file("set.zip", Some(&md5), ""), file("gone.csv", None, "")]});
    let broken = common("broken", files);
    let error = fetch::fetch_recipe(broken).unwrap_err();
    let place = cache_dir().join("downloads/broken/gone.csv");
    assert!(
        error.hint().unwrap().contains(place.to_str().unwrap()),
        "{:?}",
        error.hint()
    );
    std::fs::write(&place, "by hand").unwrap();
    let count = server.asked().len();
    let fetched = fetch::fetch_recipe(broken).unwrap();
    assert_eq!(
        server.asked().len(),
        count,
        "the archive is not asked for again, the file was put there by hand"
    );
    assert_eq!(
        std::fs::read(fetched.file("gone.csv").unwrap()).unwrap(),
        b"by hand"
    );

    let pages = serde_json::json!({"kind": "pages", "pages": [
        {"page": server.at("/sat/index.html"), "folder": "train/sat", "endings": [".tiff"], "count": 3}]});
    let fetched = fetch::fetch_recipe(common("pages", pages)).unwrap();
    assert_eq!(
        std::fs::read(fetched.file("train/sat/2.tiff").unwrap()).unwrap(),
        b"/sat/2.tiff"
    );
    assert!(
        fetched
            .report()
            .mentions("2 files are linked where their publisher speaks of 3"),
        "{}",
        fetched.report()
    );

    let error = fetch("inria").unwrap_err();
    assert!(
        error.to_string().contains("terms") && error.hint().unwrap().contains("1. read the terms"),
        "{error}"
    );
    let hint = fetch("sentinel-2").unwrap_err().hint().unwrap();
    assert!(
        hint.contains("StacSearch::service(\"earth-search\")") && hint.contains("visual"),
        "{hint}"
    );
}
