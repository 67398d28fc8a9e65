//! Downloads against a server on this machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::server_tests::{Answer, Asked, Server};
use super::*;
use crate::Hint as _;

const TAG: &str = "\"one\"";

/// 300,000 bytes that do not repeat, and their sums by `md5sum` and `sha256sum`.
fn bytes() -> Vec<u8> {
    (0..75_000_u32).flat_map(u32::to_le_bytes).collect()
}
const MD5: &str = "9406f9235af40c54336ec7257f1ed03e";
const SHA256: &str = "a66d397a4ebf35119b801e438af707aa632b9baea51356d16213fecd4c09abcd";

pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    pub(super) fn path(&self) -> PathBuf {
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

/// Runs one test again in a process of its own, where it can change what belongs to the whole process.
#[track_caller]
pub(super) fn assert_passes_in_child(test: &str, environment: &[(&str, &str)]) {
    let ended = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env("SWATH_TEST_CHILD", "1")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}{errors}"
    );
}

pub(super) fn is_child() -> bool {
    std::env::var_os("SWATH_TEST_CHILD").is_some()
}

#[test]
fn an_interrupted_download_keeps_what_it_has_and_goes_on() {
    if !is_child() {
        assert_passes_in_child(
            "data::transfer_tests::an_interrupted_download_keeps_what_it_has_and_goes_on",
            &[],
        );
        return;
    }
    let server = Server::start(|asked, count| {
        let mut answer = Answer::file(asked, &bytes(), TAG);
        // Three minutes without the interrupt.
        answer.slow = Duration::from_millis(if count == 0 { 600 } else { 0 });
        answer
    });
    let folder = Folder::new();
    let part = folder.path().with_file_name("a.bin.part");
    let watcher = std::thread::spawn(move || {
        while std::fs::metadata(&part).map_or(0, |found| found.len()) < 2000 {
            std::thread::sleep(Duration::from_millis(20));
        }
        crate::session::set_interrupted(true);
    });
    let began = Instant::now();
    let error = download(&server).md5(MD5).to(folder.path()).unwrap_err();
    watcher.join().unwrap();
    assert!(matches!(error, crate::Error::Interrupted { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(folder.names(), ["a.bin.part", "a.bin.part.json"]);
    crate::session::set_interrupted(false);
    assert_got(&folder, download(&server).md5(MD5).to(folder.path()));
    assert!(server.asked()[1].begin().is_some_and(|begin| begin >= 2000));
}

#[test]
fn the_machine_s_proxy_is_asked() {
    if !is_child() {
        let proxy = Server::start(|asked, _| Answer::file(asked, &bytes(), TAG));
        assert_passes_in_child(
            "data::transfer_tests::the_machine_s_proxy_is_asked",
            &[
                ("http_proxy", &proxy.address),
                ("no_proxy", ""),
                ("NO_PROXY", ""),
            ],
        );
        // A proxy is sent the whole address (RFC 9112 3.2.2).
        assert_eq!(proxy.asked()[0].path, "http://data.invalid/a.bin");
        return;
    }
    let folder = Folder::new();
    let got = Download::new("http://data.invalid/a.bin")
        .quiet(true)
        .to(folder.path());
    assert_got(&folder, got);
}
