//! Downloads and searches against a server on this machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::server_tests::{Answer, Asked, Server};
use super::*;
use crate::Hint as _;
use crate::display::Show as _;

const TAG: &str = "\"one\"";

/// 300,000 bytes that do not repeat, and their sums by `md5sum` and `sha256sum`.
fn bytes() -> Vec<u8> {
    (0..75_000_u32).flat_map(u32::to_le_bytes).collect()
}
const MD5: &str = "9406f9235af40c54336ec7257f1ed03e";
const SHA256: &str = "a66d397a4ebf35119b801e438af707aa632b9baea51356d16213fecd4c09abcd";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self) -> PathBuf {
        self.0.path().join("deep/a.bin")
    }
    fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.0.path().join("deep")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn download(server: &Server) -> Download {
    Download::new(server.at("/a.bin"))
        .quiet(true)
        .pause(Duration::from_millis(1))
}

#[track_caller]
fn assert_got(folder: &Folder, got: crate::Result<Downloaded>) -> Downloaded {
    let got = got.unwrap_or_else(|error| panic!("{error}"));
    assert!(std::fs::read(folder.path()).unwrap() == bytes());
    assert_eq!((got.bytes, got.sha256.as_str()), (300_000, SHA256));
    assert_eq!(folder.names(), ["a.bin"], "nothing else stays");
    got
}

#[test]
fn a_file_is_downloaded_checked_and_told() {
    let server = Server::start(|asked, _| Answer::file(asked, &bytes(), TAG));
    let folder = Folder::new();
    let got = download(&server)
        .md5(MD5)
        .sha256(SHA256.to_uppercase())
        .bytes(300_000)
        .to(folder.path());
    let got = assert_got(&folder, got);
    assert!(got.report().is_empty(), "{}", got.report());
    assert_eq!(got.address, server.at("/a.bin"));
    let asked = server.asked();
    assert_eq!(
        (asked.len(), asked[0].method.as_str(), asked[0].begin()),
        (1, "GET", None)
    );
    assert!(asked[0].header("user-agent").unwrap().starts_with("swath/"));
    assert_eq!(asked[0].header("accept-encoding"), Some("identity"));

    let again = download(&server).md5(MD5).to(folder.path()).unwrap();
    assert_eq!(
        server.asked().len(),
        1,
        "the second time it is there at once"
    );
    assert!(again.report().mentions("there already"));
    let wrong = download(&server)
        .md5("0".repeat(32))
        .to(folder.path())
        .unwrap_err();
    assert!(wrong.to_string().contains(MD5), "{wrong}");
    assert!(folder.path().exists(), "a person's file is not removed");
}

#[test]
fn without_a_published_checksum_that_is_told_with_the_file_s_own() {
    let server = Server::start(|asked, _| Answer::file(asked, &bytes(), TAG));
    let folder = Folder::new();
    let got = assert_got(&folder, download(&server).to(folder.path()));
    assert!(got.report().mentions("no checksum is published") && got.report().mentions(SHA256));
}

/// Breaks off `at` on the first requests.
fn breaking(asked: &Asked, count: usize, at: &[usize], reset: bool) -> Answer {
    let mut answer = Answer::file(asked, &bytes(), TAG);
    answer.ends_after = at.get(count).copied();
    answer.reset = reset && answer.ends_after.is_some();
    answer
}

#[test]
fn a_truncated_answer_goes_on_where_it_broke_off() {
    let server = Server::start(|asked, count| breaking(asked, count, &[100_000, 50_000], false));
    let folder = Folder::new();
    assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
    let begins: Vec<_> = server.asked().iter().map(Asked::begin).collect();
    assert_eq!(begins, [None, Some(100_000), Some(150_000)]);
    assert!(
        server.asked()[1..]
            .iter()
            .all(|asked| asked.header("if-range") == Some(TAG))
    );
}

#[test]
fn a_reset_connection_goes_on_where_it_broke_off() {
    let server = Server::start(|asked, count| breaking(asked, count, &[120_000], true));
    let folder = Folder::new();
    assert_got(&folder, download(&server).sha256(SHA256).to(folder.path()));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(
        asked[1]
            .begin()
            .is_some_and(|begin| begin > 0 && begin <= 120_000),
        "{asked:?}"
    );
}

#[test]
fn a_server_that_breaks_off_for_ever_is_given_up_and_what_came_is_kept() {
    let server = Server::start(|asked, count| {
        // Once something comes, then nothing more.
        breaking(asked, count, &[90_000, 0, 0, 0, 0, 0, 0, 0, 0], false)
    });
    let folder = Folder::new();
    let error = download(&server).md5(MD5).to(folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("broke off after 0 of 210000"),
        "{error}"
    );
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("90.0 kB are kept") && hint.contains("a.bin"),
        "{hint}"
    );
    assert_eq!(folder.names(), ["a.bin.part", "a.bin.part.json"]);
    assert_eq!(
        server.asked().len(),
        6,
        "one that gave something, five that gave nothing"
    );

    // Another time, another process: it goes on.
    let address = server.at("/a.bin");
    let state = folder.path().with_file_name("a.bin.part.json");
    let text = std::fs::read_to_string(&state).unwrap();
    let server = Server::start(|asked, _| Answer::file(asked, &bytes(), TAG));
    std::fs::write(&state, text.replace(&address, &server.at("/a.bin"))).unwrap();
    assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
    assert_eq!(server.asked()[0].begin(), Some(90_000));
}

#[test]
fn a_file_that_changed_meanwhile_begins_anew() {
    let old: Vec<u8> = vec![7; 200_000];
    let server = Server::start(move |asked, count| match count {
        0 => {
            let mut answer = Answer::file(asked, &old, "\"old\"");
            answer.ends_after = Some(80_000);
            answer
        }
        _ => Answer::file(asked, &bytes(), TAG),
    });
    let folder = Folder::new();
    assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
    let asked = server.asked();
    assert_eq!(
        (asked[1].begin(), asked[1].header("if-range")),
        (Some(80_000), Some("\"old\""))
    );
}

#[test]
fn a_server_without_ranges_sends_the_whole_again() {
    let server = Server::start(|_, count| {
        let mut answer = Answer::new(200, bytes()).with("ETag", TAG);
        answer.ends_after = (count == 0).then_some(70_000);
        answer
    });
    let folder = Folder::new();
    assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_server_without_tags_goes_on_only_where_a_checksum_tells_the_end() {
    for with_sum in [true, false] {
        let server = Server::start(|asked, count| {
            let mut answer = Answer::file(asked, &bytes(), "");
            answer.ends_after = (count == 0).then_some(60_000);
            answer
        });
        let folder = Folder::new();
        let download = download(&server);
        let download = if with_sum {
            download.sha256(SHA256)
        } else {
            download
        };
        assert_got(&folder, download.to(folder.path()));
        let asked = server.asked();
        assert_eq!(asked[1].begin(), with_sum.then_some(60_000));
        assert_eq!(asked[1].header("if-range"), None);
    }
}

#[test]
fn parts_that_do_not_fit_together_are_downloaded_anew_once() {
    // No tags, and another file for the second part: only the checksum notices.
    let server = Server::start(|asked, count| match count {
        0 => {
            let mut answer = Answer::new(200, vec![1; 300_000]);
            answer.ends_after = Some(1000);
            answer
        }
        _ => Answer::file(asked, &bytes(), ""),
    });
    let folder = Folder::new();
    let got = assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
    assert!(
        got.report().mentions("did not fit together"),
        "{}",
        got.report()
    );
    let begins: Vec<_> = server.asked().iter().map(Asked::begin).collect();
    assert_eq!(begins, [None, Some(1000), None]);
}

#[test]
fn another_part_than_was_asked_for_is_not_taken() {
    let server = Server::start(|asked, count| match (count, asked.begin()) {
        (0, _) => breaking(asked, 0, &[50_000], false),
        (1, Some(_)) => Answer::new(206, &bytes()[..9])
            .with("Content-Range", "bytes 0-8/300000")
            .with("ETag", TAG),
        _ => Answer::file(asked, &bytes(), TAG),
    });
    let folder = Folder::new();
    assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
    let begins: Vec<_> = server.asked().iter().map(Asked::begin).collect();
    assert_eq!(begins, [None, Some(50_000), None]);
}

#[test]
fn a_wrong_checksum_or_length_is_an_error_and_nothing_stays() {
    let server = Server::start(|asked, _| Answer::file(asked, &bytes(), TAG));
    let folder = Folder::new();
    let error = download(&server)
        .md5("0".repeat(32))
        .to(folder.path())
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains(MD5) && text.contains("0000"), "{text}");
    assert!(error.hint().unwrap().contains("fetch again"));
    let error = download(&server)
        .bytes(299_999)
        .to(folder.path())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("300000 bytes, its publisher states 299999"),
        "{error}"
    );
    assert!(folder.names().is_empty(), "{:?}", folder.names());
    assert_eq!(
        server.asked().len(),
        2,
        "what came in one piece is not asked for again"
    );
}

#[test]
fn what_is_refused_is_told_at_once_with_what_to_do() {
    for (status, words) in [
        (404, "moved"),
        (410, "moved"),
        (403, "browser"),
        (401, "browser"),
        (400, "any machine"),
    ] {
        let server = Server::start(move |_, _| Answer::new(status, "no"));
        let folder = Folder::new();
        let error = download(&server).to(folder.path()).unwrap_err();
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        let hint = error.hint().unwrap();
        assert!(
            hint.contains(words) && hint.contains("deep/a.bin"),
            "{hint}"
        );
        assert_eq!(server.asked().len(), 1);
        assert!(folder.names().is_empty());
    }
}

#[test]
fn a_busy_server_is_asked_again_after_the_time_it_names() {
    for status in [429, 503] {
        let server = Server::start(move |asked, count| match count {
            0 => Answer::new(status, "later").with("Retry-After", "1"),
            _ => Answer::file(asked, &bytes(), TAG),
        });
        let (folder, began) = (Folder::new(), Instant::now());
        assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
        assert!(
            began.elapsed() >= Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(server.asked().len(), 2);
    }
    // Nobody waits an hour without a word.
    let server = Server::start(|_, _| Answer::new(429, "later").with("Retry-After", "3600"));
    let folder = Folder::new();
    let error = download(&server).to(folder.path()).unwrap_err().to_string();
    assert!(error.contains("429 (too many requests)"), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn redirections_are_followed_and_the_part_is_asked_for_there() {
    let server = Server::start(|asked, count| match asked.path.as_str() {
        "/a.bin" => Answer::new(302, "").with("Location", "/b/c.bin"),
        _ => breaking(asked, count, &[0, 40_000], false),
    });
    let folder = Folder::new();
    let got = assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
    assert_eq!(got.address, server.at("/b/c.bin"));
    let asked = server.asked();
    assert_eq!((asked.len(), asked[3].begin()), (4, Some(40_000)));
    // Not to a file of this machine.
    let server =
        Server::start(|_, _| Answer::new(302, "").with("Location", "file:///etc/hostname"));
    let error = download(&server)
        .to(folder.path().with_file_name("b.bin"))
        .unwrap_err();
    assert!(!folder.path().with_file_name("b.bin").exists(), "{error}");
}

#[test]
fn a_slow_server_is_waited_for_and_a_silent_one_is_not() {
    let server = Server::start(|asked, _| {
        let mut answer = Answer::file(asked, &bytes(), TAG);
        answer.slow = Duration::from_millis(5);
        answer
    });
    let folder = Folder::new();
    let got = download(&server)
        .silence(Duration::from_secs(1))
        .md5(MD5)
        .to(folder.path());
    assert_got(&folder, got);
    let server = Server::start(|_, _| {
        let mut answer = Answer::new(200, vec![0; 3000]);
        answer.slow = Duration::from_secs(2);
        answer
    });
    let folder = Folder::new();
    let began = Instant::now();
    let error = download(&server)
        .silence(Duration::from_millis(300))
        .to(folder.path())
        .unwrap_err();
    assert!(
        error.to_string().to_lowercase().contains("timed out"),
        "{error}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_file_that_does_not_fit_on_the_disk_is_not_begun() {
    let server = Server::start(|_, _| {
        let mut answer = Answer::new(200, "some");
        answer.length = Some(Some(1 << 60));
        answer
    });
    let folder = Folder::new();
    let error = download(&server).to(folder.path()).unwrap_err();
    assert!(
        matches!(error, crate::Error::Data(DataError::NoSpace { .. })),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("SWATH_CACHE"));
    assert!(folder.names().is_empty());
    let error = download(&server)
        .bytes(1 << 60)
        .to(folder.path())
        .unwrap_err();
    assert!(error.to_string().contains("1153 PB are needed"), "{error}");
    assert_eq!(
        server.asked().len(),
        1,
        "a stated length is checked before anybody is asked"
    );
}

#[test]
fn a_file_of_unstated_length_ends_with_its_connection() {
    let server = Server::start(|_, _| {
        let mut answer = Answer::new(200, bytes());
        answer.length = Some(None);
        answer
    });
    let folder = Folder::new();
    assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
}

#[test]
fn without_a_network_it_says_where_to_put_the_file() {
    let folder = Folder::new();
    // Port 9 refuses.
    let download = Download::new("http://127.0.0.1:9/a.bin")
        .quiet(true)
        .pause(Duration::from_millis(1));
    let error = download.to(folder.path()).unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("http://127.0.0.1:9/a.bin") && hint.contains("deep/a.bin"),
        "{hint}"
    );
    assert!(folder.names().is_empty());
}

#[test]
fn two_processes_do_not_write_one_file() {
    let server = Server::start(|asked, _| Answer::file(asked, &bytes(), TAG));
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().parent().unwrap()).unwrap();
    let held = std::fs::File::create(folder.path().with_file_name("a.bin.part")).unwrap();
    held.lock().unwrap();
    let error = download(&server).to(folder.path()).unwrap_err();
    assert!(
        matches!(error, crate::Error::Data(DataError::Busy { .. })),
        "{error}"
    );
    drop(held);
    assert_got(&folder, download(&server).to(folder.path()));
}

/// Found as Earth Search answers a POST: `next` links with a body, `numberMatched`; the second page repeats an item.
fn earth_search(asked: &Asked, at: &str) -> Answer {
    let item = |id: &str, href: &str| {
        serde_json::json!({"type": "Feature", "stac_version": "1.0.0", "id": id, "collection": "sentinel-2-l2a",
            "bbox": [85.0, 27.0, 86.0, 28.0], "geometry": null, "links": [],
            "properties": {"datetime": "2024-01-05T04:56:49Z", "eo:cloud_cover": 1.5},
            "assets": {"visual": {"href": href, "type": "image/tiff"}, "scl": {"href": "https://a.org/scl.tif"}}})
    };
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let (items, next) = match body["next"].as_str() {
        None => (
            vec![
                item("a", "https://a.org/a.tif"),
                item("b", "https://a.org/b.tif"),
            ],
            Some("2"),
        ),
        Some("2") => (
            vec![
                item("b", "https://a.org/b.tif"),
                item("c", "s3://paid/c.tif"),
            ],
            Some("3"),
        ),
        _ => (
            vec![item("d", "https://s.blob.core.windows.net/d.tif")],
            None,
        ),
    };
    let links: Vec<_> = next
        .map(|next| {
            serde_json::json!({"rel": "next", "method": "POST", "href": at, "merge": true, "body": {"next": next}})
        })
        .into_iter()
        .collect();
    let page = serde_json::json!({"type": "FeatureCollection", "numberMatched": 4, "features": items, "links": links});
    Answer::new(200, page.to_string())
}

fn searched(service: &Server) -> StacSearch {
    StacSearch::at(service.at("/api/stac/v1/")).collection("sentinel-2-l2a")
}

/// A service whose pages point to itself.
fn service() -> Server {
    Server::start(|asked, count| {
        let host = asked.header("host").unwrap_or_default().to_owned();
        match (asked.path.as_str(), count) {
            ("/api/stac/v1/search", 1) => Answer::new(503, "busy"),
            ("/api/stac/v1/search", _) => {
                earth_search(asked, &format!("http://{host}/api/stac/v1/search"))
            }
            ("/api/sas/v1/token/sentinel-2-l2a", _) => Answer::new(
                200,
                r#"{"token": "sig=x%2F&se=y", "msft:expiry": "2026-01-01T00:00:00Z"}"#,
            ),
            _ => Answer::new(404, ""),
        }
    })
}

#[test]
fn a_search_follows_its_pages_and_writes_what_scenes_read() {
    let server = service();
    let folder = Folder::new();
    let path = folder.path().with_file_name("found.json");
    let search = searched(&server)
        .bbox([85.0, 27.0, 86.0, 28.0])
        .between("2024-01-01", "2024-01-31")
        .clouds_below(10.0);
    let found = search.save(&path).unwrap();
    assert_eq!((found.count, found.matched), (4, Some(4)));
    assert_eq!(found.assets, ["scl", "visual"]);
    assert!(
        found.report().mentions("1 items came twice") && found.report().mentions("s3://"),
        "{}",
        found.report()
    );
    let asked = server.asked();
    assert_eq!(asked.len(), 4, "three pages, one of them asked for twice");
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"collections": ["sentinel-2-l2a"], "bbox": [85.0, 27.0, 86.0, 28.0],
            "datetime": "2024-01-01T00:00:00Z/2024-01-31T23:59:59Z", "query": {"eo:cloud_cover": {"lt": 10.0}}, "limit": 100})
    );
    let body: serde_json::Value = serde_json::from_str(&asked[3].body).unwrap();
    assert_eq!(
        (&body["next"], &body["limit"]),
        (&"3".into(), &100.into()),
        "merged with what was asked"
    );
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    let collection: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let ids: Vec<_> = collection["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
}

#[test]
fn a_search_takes_no_more_than_its_limit_and_says_so() {
    let server = service();
    let folder = Folder::new();
    let found = searched(&server).limit(3).save(folder.path()).unwrap();
    assert_eq!(found.count, 3);
    assert!(
        found.report().mentions("3 of 4 items were taken"),
        "{}",
        found.report()
    );
}

#[test]
fn addresses_of_azure_are_signed() {
    let server = service();
    let folder = Folder::new();
    let found = searched(&server).signed(true).save(folder.path()).unwrap();
    let text = std::fs::read_to_string(&found.path).unwrap();
    assert!(
        text.contains("https://s.blob.core.windows.net/d.tif?sig=x%2F&se=y"),
        "{text}"
    );
    assert!(text.contains("\"https://a.org/a.tif\""), "others are not");
    assert!(found.report().mentions("signed until 2026-01-01T00:00:00Z"));
}

#[test]
fn searches_that_cannot_be_are_told_before_anybody_is_asked() {
    let folder = Folder::new();
    let search = || StacSearch::at("http://127.0.0.1:9");
    let naip = || search().collection("naip");
    for (search, words) in [
        (search(), "no collection"),
        (naip().bbox([85.0, 28.0, 86.0, 27.0]), "rectangle"),
        (naip().bbox([0.0, 0.0, f64::NAN, 1.0]), "rectangle"),
        (naip().bbox([0.0, -91.0, 1.0, 1.0]), "rectangle"),
        (naip().between("June", ""), "no date"),
        (naip().between("2024-13-01", ""), "no date"),
        (naip().between("2024-02-01", "2024-01-01"), "after"),
        (naip().limit(0), "limit"),
        (StacSearch::at("file:///x").collection("a"), "http"),
    ] {
        let error = search.save(folder.path()).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    let error = naip()
        .bbox([179.0, -1.0, -179.0, 1.0])
        .between("2024-01-01", "")
        .save(folder.path())
        .unwrap_err();
    assert!(error.to_string().contains("did not answer"), "{error}");
    assert!(error.hint().unwrap().contains("https_proxy"));
}

#[test]
fn services_that_answer_with_something_else_are_told() {
    let page = |text: &'static str| Server::start(move |_, _| Answer::new(200, text));
    let folder = Folder::new();
    for (text, words) in [
        ("<html>", "no JSON"),
        ("{}", "`features`"),
        ("[]", "`features`"),
        (r#"{"features": []}"#, "found nothing"),
        (
            r#"{"features": [], "links": [{"rel": "next", "href": "http://evil.org/"}]}"#,
            "found nothing",
        ),
    ] {
        let error = searched(&page(text))
            .save(folder.path())
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let server = Server::start(|_, _| Answer::new(400, r#"{"description": "bbox is wrong"}"#));
    let error = searched(&server)
        .save(folder.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("400") && error.contains("bbox is wrong"),
        "{error}"
    );
    // Always the same further page.
    let server = Server::start(|asked, count| {
        let at = format!(
            "http://{}/api/stac/v1/search",
            asked.header("host").unwrap_or_default()
        );
        let page = serde_json::json!({"features": [{"id": count.to_string()}], "links": [{"rel": "next", "href": at}]});
        Answer::new(200, page.to_string())
    });
    let error = searched(&server)
        .save(folder.path())
        .unwrap_err()
        .to_string();
    assert!(error.contains("again and again"), "{error}");
}

fn recipe(text: serde_json::Value) -> &'static Recipe {
    Box::leak(Box::new(serde_json::from_value(text).unwrap()))
}

#[test]
fn a_data_set_of_archives_and_pages_is_fetched_unpacked_and_kept() {
    if std::env::var_os("SWATH_TEST_CHILD").is_none() {
        // `SWATH_CACHE` is read from the environment of the whole process.
        let cache = tempfile::tempdir().unwrap();
        let test =
            "data::transfer_tests::a_data_set_of_archives_and_pages_is_fetched_unpacked_and_kept";
        let ended = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .envs([
                ("SWATH_TEST_CHILD", "1"),
                ("SWATH_CACHE", cache.path().to_str().unwrap()),
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(
            ended.status.success() && said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&ended.stderr)
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
        "/d/set.zip" => Answer::file(asked, &archive, TAG),
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
