//! Crates on this machine (path dependencies) keep their name and version when they are edited, and so would all their
//! symbols and types: an earlier cell's object or variable would be taken for one of the new crate. So what such a
//! crate is made of becomes part of its identity, and with it the identity of every crate that depends on it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

/// What a build's contents come to, in text; kept beside the crate's file.
pub(crate) fn of_file(library: &Path) -> Option<String> {
    std::fs::read_to_string(identity_path(library)).ok()
}

/// `libname-hash.identity`, whatever kind of file the crate is.
fn identity_path(library: &Path) -> PathBuf {
    library.with_extension("identity")
}

/// The flag that makes a crate with these contents another one than with other contents; `None` for a crate of a
/// registry, whose version says it all, unless it depends on one of this machine.
pub(crate) fn metadata_flag(
    rustc: &Path,
    arguments: &[OsString],
    library: &Path,
) -> Option<OsString> {
    let mut hash = Sha256::new();
    let mut is_needed = false;
    for identity in externs(arguments).filter_map(|file| of_file(&file)) {
        is_needed = true;
        hash.update(identity);
    }
    if is_local(arguments) {
        is_needed = true;
        add_contents(&mut hash, rustc, arguments, library);
    }
    if !is_needed {
        return None;
    }
    let identity: String = hash
        .finalize()
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    std::fs::write(identity_path(library), &identity).ok()?;
    Some(format!("-Cmetadata={identity}").into())
}

/// cargo silences the warnings of all crates but those on this machine.
fn is_local(arguments: &[OsString]) -> bool {
    !arguments
        .iter()
        .any(|argument| argument.as_bytes().starts_with(b"--cap-lints"))
}

/// The files of the crates that this one names.
fn externs(arguments: &[OsString]) -> impl Iterator<Item = PathBuf> {
    after_flag(arguments, "--extern").filter_map(|value| {
        let at = value.as_bytes().iter().position(|byte| *byte == b'=')?;
        Some(PathBuf::from(OsStr::from_bytes(
            &value.as_bytes()[at + 1..],
        )))
    })
}

pub(crate) fn after_flag<'a>(
    arguments: &'a [OsString],
    flag: &'a str,
) -> impl Iterator<Item = &'a OsString> {
    arguments
        .windows(2)
        .filter(move |pair| pair[0] == flag)
        .map(|pair| &pair[1])
}

/// All that the compiler would read: source files, environment variables, flags, and what a build script has made.
fn add_contents(hash: &mut Sha256, rustc: &Path, arguments: &[OsString], library: &Path) {
    let scratch = library.with_extension("inputs");
    if let Some(inputs) = inputs(rustc, arguments, &scratch) {
        for line in inputs.lines() {
            if let Some(file) = line.strip_suffix(':') {
                add_file(hash, Path::new(&file.replace("\\ ", " ")));
            } else if line.starts_with("# env-dep:") {
                hash.update(line);
            }
        }
    }
    let _ = std::fs::remove_file(&scratch);
    for cfg in after_flag(arguments, "--cfg") {
        hash.update(cfg.as_bytes());
    }
    add_static_libraries(hash, arguments);
}

/// rustc's own list of what the crate is made of, without compiling it.
fn inputs(rustc: &Path, arguments: &[OsString], scratch: &Path) -> Option<String> {
    let mut emit = OsString::from("--emit=dep-info=");
    emit.push(scratch);
    let mut kept: Vec<&OsString> = Vec::with_capacity(arguments.len());
    for argument in arguments {
        if argument.as_bytes().starts_with(b"incremental=") {
            kept.pop();
        } else if !argument.as_bytes().starts_with(b"--emit=") {
            kept.push(argument);
        }
    }
    Command::new(rustc)
        .args(kept)
        .arg(emit)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()
        .filter(std::process::ExitStatus::success)?;
    std::fs::read_to_string(scratch).ok()
}

fn add_file(hash: &mut Sha256, file: &Path) {
    if let Ok(contents) = std::fs::read(file) {
        hash.update(file.as_os_str().as_bytes());
        hash.update(contents);
    }
}

/// Objects of another language that the crate's build script has made.
fn add_static_libraries(hash: &mut Sha256, arguments: &[OsString]) {
    let folders: BTreeSet<&str> = after_flag(arguments, "-L")
        .filter_map(|value| value.to_str()?.strip_prefix("native="))
        .collect();
    for library in after_flag(arguments, "-l").filter_map(|value| value.to_str()) {
        hash.update(library);
        let name = library.rsplit_once('=').map_or(library, |(_, name)| name);
        for folder in &folders {
            add_file(hash, &Path::new(folder).join(format!("lib{name}.a")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_crate_of_a_registry_keeps_its_identity_and_one_above_an_edited_crate_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("libbelow-1.rlib");
        let above = folder.path().join("libabove-1.rlib");
        let call = arguments(&format!(
            "--crate-name above --cap-lints allow --extern below={}",
            below.display()
        ));
        let flag = || metadata_flag(Path::new("/nowhere/rustc"), &call, &above);
        assert_eq!(flag(), None);
        std::fs::write(below.with_extension("identity"), "one").unwrap();
        let first = flag().unwrap();
        assert_eq!(flag().as_ref(), Some(&first));
        std::fs::write(below.with_extension("identity"), "two").unwrap();
        assert_ne!(flag(), Some(first));
        assert!(of_file(&above).is_some());
    }
}
