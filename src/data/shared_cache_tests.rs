//! A cache that two users fetch into at the same time.

use super::remote_tests::recipe;
use super::server_tests::{Answer, Server};
use super::transfer_tests::is_child;
use super::*;
use crate::cache_trial_tests::{Place, all_pass};

/// Bytes of a file that take a while to come.
fn large() -> Vec<u8> {
    (0..20_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[test]
fn processes_of_two_users_fetch_one_data_set_at_once_and_all_have_it_whole() {
    let test = "data::shared_cache_tests::processes_of_two_users_fetch_one_data_set_at_once_and_all_have_it_whole";
    if is_child() {
        let address = std::env::var("SWATH_TEST_ADDRESS").unwrap();
        let file = |name: &str, folder: &str| serde_json::json!({"address": format!("{address}/{name}"), "file": name, "folder": folder});
        let set = recipe(
            serde_json::json!({"name": "shared", "about": "a set", "task": "areas", "license": "CC0",
            "credit": "nobody", "homepage": "https://example.org",
            "source": {"kind": "files", "files": [file("large.bin", "deep/er"), file("set.zip", "")]}}),
        );
        let fetched = fetch::fetch_recipe(set).unwrap();
        assert_eq!(
            std::fs::read(fetched.file("large.bin").unwrap()).unwrap(),
            large()
        );
        assert_eq!(
            std::fs::read(fetched.file("a/two.tif").unwrap()).unwrap(),
            b"22"
        );
        return;
    }
    let zip = super::unpack_tests::zip(&[("a/one.tif", b"1"), ("a/two.tif", b"22")]);
    let server = Server::start(move |asked, _| match asked.path.as_str() {
        "/large.bin" => {
            let mut answer = Answer::file(asked, &large(), "\"one\"");
            answer.slow = std::time::Duration::from_millis(5);
            answer
        }
        "/set.zip" => Answer::file(asked, &zip, "\"two\""),
        _ => Answer::new(404, ""),
    });
    let place = Place::new();
    // What a process of the first user has left when it was killed.
    place.leave("downloads/shared/large.bin.part", &large()[..5000]);
    place.leave("downloads/shared/large.bin.part.json", b"{");
    place.leave("data/shared/.swath-fetching.json", b"{");
    let address = server.at("");
    let address = address.trim_end_matches('/');
    let children = place.start(test, 6, &[("SWATH_TEST_ADDRESS", address)]);
    let data = place.cache().join("data/shared");
    let whole = [
        (data.join("deep/er/large.bin"), large()),
        (data.join("set/a/one.tif"), b"1".to_vec()),
        (data.join("set/a/two.tif"), b"22".to_vec()),
    ];
    all_pass(children, &whole);
    assert_eq!(
        server
            .asked()
            .iter()
            .filter(|asked| asked.path == "/set.zip")
            .count(),
        1,
        "one has fetched it for all"
    );
    let left = std::fs::read_dir(place.cache().join("downloads")).unwrap();
    assert_eq!(left.count(), 0, "nothing is left on the shelf");
}
