//! Random pages and archives from elsewhere: nothing is written outside, nothing panics. See [`crate::fuzz_harness`].

use super::{pages, unpack};
use crate::fuzz_harness::Target;

#[test]
fn pages_of_links() {
    Target {
        name: "links",
        seeds: &[
            "<html><a href=\"https://a.org/d/1.tiff\">1</a> <A HREF='2.tiff'>2</a> <a href=../3.tif>3</a></html>",
            "<a href = \"/4.tif?x=1&amp;y=2\"> <a href=\"//a.org/5.tif\"> <a href=\"https://b.org/6.tif\">",
        ],
        words: &[
            "href", "=", "\"", "'", "<a ", ">", "/", "..", ".", "//", "://", "http", "https", "?", "#", "&amp;", ".tif", ".tiff", "a.org",
            "b.org", "%2e", "\\", " ", "\n", "é",
        ],
        depth: 2000,
    }
    .run(|input| {
        let text = String::from_utf8_lossy(input);
        let page = "https://a.org/d/e/index.html";
        for link in pages::links(page, &text, &[".tif".to_owned(), ".tiff".to_owned()]) {
            let rest = link.split_once("://").expect("an address").1;
            assert!(rest == "a.org" || rest.starts_with("a.org/") || rest.starts_with("a.org?") || rest.starts_with("a.org#"), "{link}");
            if let Some(name) = pages::file_name(&link) {
                assert!(!name.contains(['/', '\\']) && name != ".." && !name.is_empty(), "{name}");
            }
        }
    });
}

#[test]
fn archives() {
    // Seeds are text for the fuzzer: each byte a letter, as in ISO-8859-1.
    let letters = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|&byte| char::from(byte))
            .collect::<String>()
    };
    let zip = letters(&super::unpack_tests::zip(&[
        ("a/b.tif", b"content"),
        ("c.tif", b"1"),
    ]));
    let tar = letters(&super::unpack_tests::small_tar());
    let words: Vec<String> = [
        &b"PK\x03\x04"[..],
        b"PK\x01\x02",
        b"PK\x05\x06",
        b"\xff\xff\xff\xff",
        b"../",
        b"ustar\x0000",
        b"\x1f\x8b\x08",
    ]
    .map(letters)
    .to_vec();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let memory = std::path::Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = tempfile::tempdir_in(parent).unwrap();
    let (archive, into) = (
        folder.path().join("archive"),
        folder.path().join("into/deep"),
    );
    Target {
        name: "archive",
        seeds: &[&zip, &tar],
        words: &words,
        depth: 50,
    }
    .run(|input| {
        let bytes: Vec<u8> = String::from_utf8_lossy(input)
            .chars()
            .map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?'))
            .collect();
        std::fs::write(&archive, &bytes).unwrap();
        match unpack::unpack(&archive, &into, true) {
            Ok(unpacked) => {
                assert!(unpacked.files.iter().all(|file| into.join(file).is_file()));
                std::fs::remove_dir_all(&into).unwrap();
            }
            Err(error) => assert!(!error.to_string().trim().is_empty()),
        }
        let beside: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(beside.len() <= 2, "{beside:?}");
        let within = std::fs::read_dir(folder.path().join("into")).map_or(0, Iterator::count);
        assert_eq!(within, 0);
    });
}
