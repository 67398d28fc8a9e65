//! Code of other languages inside the crates that cells have added. Its symbols are no names of Rust, and the shared
//! object of the dependencies keeps them to itself: another library of the process (GDAL's SQLite, zlib, zstd) may
//! have the same ones, of another version. A cell that would call them by itself, through a generic or inlined
//! function of a crate, must not find those.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The symbols that static libraries define which build scripts have linked, from cargo's messages.
pub(crate) fn symbols(messages: &[Value]) -> BTreeSet<String> {
    let mut libraries = BTreeSet::new();
    for message in messages
        .iter()
        .filter(|message| message["reason"] == "build-script-executed")
    {
        let texts = |name: &str| -> Vec<&str> {
            let values = message[name].as_array().into_iter().flatten();
            values.filter_map(Value::as_str).collect()
        };
        let names: Vec<&str> = texts("linked_libs")
            .into_iter()
            .filter_map(|library| library.strip_prefix("static"))
            .filter_map(|library| Some(library.rsplit_once('=')?.1))
            .collect();
        let made_by_itself = message["out_dir"].as_str().unwrap_or_default();
        for path in texts("linked_paths") {
            let folder = path.split_once('=').map_or(path, |(_, folder)| folder);
            libraries.extend(
                names
                    .iter()
                    .map(|name| Path::new(folder).join(format!("lib{name}.a"))),
            );
            // A crate may name them in its sources instead.
            if !made_by_itself.is_empty() && Path::new(folder).starts_with(made_by_itself) {
                libraries.extend(archives(Path::new(folder)));
            }
        }
    }
    libraries
        .iter()
        .filter_map(|library| std::fs::read(library).ok())
        .flat_map(|bytes| index(&bytes).unwrap_or_default())
        .collect()
}

fn archives(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "a"))
}

/// The names in an archive's index, which is its first member.
fn index(archive: &[u8]) -> Option<Vec<String>> {
    const HEADER: usize = 60;
    let rest = archive
        .strip_prefix(b"!<arch>\n")
        .or_else(|| archive.strip_prefix(b"!<thin>\n"))?;
    let (header, rest) = rest.split_at_checked(HEADER)?;
    let width = match header.get(..16)?.trim_ascii_end() {
        b"/" => 4,
        b"/SYM64/" => 8,
        _ => return None,
    };
    let length: usize = std::str::from_utf8(header.get(48..58)?)
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let member = rest.get(..length)?;
    let count = member
        .get(..width)?
        .iter()
        .fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
    let names = member.get(count.checked_add(1)?.checked_mul(width)?..)?;
    let names = names.split(|byte| *byte == 0).take(count);
    Some(
        names
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect(),
    )
}

/// Whether an object mentions one of these symbols.
pub(crate) fn mentions(object: &[u8], symbols: &BTreeSet<&str>) -> bool {
    !symbols.is_empty()
        && object
            .split(|byte| *byte == 0)
            .filter_map(|text| std::str::from_utf8(text).ok())
            .any(|text| symbols.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut member = 2_u32.to_be_bytes().to_vec();
        member.extend([0; 8]);
        member.extend(b"c_add\0c_bump\0");
        let mut archive = b"!<arch>\n".to_vec();
        archive.extend(format!("{:<48}{:<10}`\n", "/", member.len()).bytes());
        archive.extend(member);
        archive
    }

    #[test]
    fn the_symbols_of_a_library_that_a_build_script_made_are_known() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libc_part.a"), archive()).unwrap();
        let message = serde_json::json!({
            "reason": "build-script-executed", "linked_libs": ["static:+whole-archive=c_part"],
            "linked_paths": [format!("native={}", folder.path().display())], "out_dir": "/elsewhere",
        });
        let found = symbols(&[message]);
        assert_eq!(found, ["c_add", "c_bump"].map(str::to_owned).into());
        assert_eq!(index(b"!<arch>\n"), None);
        assert_eq!(index(&archive()[..70]), None);
    }

    #[test]
    fn an_object_that_calls_one_of_them_is_found() {
        let symbols = BTreeSet::from(["c_add"]);
        assert!(mentions(b"\x7fELF\0_ZN3ctx\0c_add\0", &symbols));
        assert!(!mentions(b"\x7fELF\0c_adder\0xc_add\0", &symbols));
    }
}
