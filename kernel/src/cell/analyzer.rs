//! What rust-analyzer, inside evcxr, asks of cargo and rustc about the cells' crate.
//!
//! Two processes hold an evcxr. The one that runs cells needs no analysis: types come from the compiler. It is told of
//! a crate without dependencies and without a standard library, because loading those takes ten seconds. The one that
//! helps (completion, inspection) is told the truth, but only once the library is among the dependencies, so that it
//! loads everything once; and since it runs nothing, its builds succeed without a compiler.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use serde_json::json;

use swath_link::exchange::SessionConfig;

/// evcxr sets it for the tools that it starts itself; rust-analyzer does not.
const FROM_EVCXR: &str = "EVCXR_CORE_EXTERN";

/// Whether evcxr itself asks.
pub(crate) fn asked_by_evcxr() -> bool {
    std::env::var_os(FROM_EVCXR).is_some()
}

/// The names of the cells' crate's dependencies, as its manifest lists them now.
pub(crate) fn dependencies(config: &SessionConfig) -> Vec<String> {
    let text = std::fs::read_to_string(config.crate_dir.join("Cargo.toml")).unwrap_or_default();
    let Some((_, list)) = text.split_once("[dependencies]") else {
        return Vec::new();
    };
    list.lines()
        .filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()))
        .collect()
}

/// Answers rust-analyzer's call of cargo.
pub(crate) fn cargo(config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    if arguments.iter().any(|argument| argument == "metadata") {
        println!("{}", bare_metadata(config));
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// Answers rust-analyzer's call of rustc; a build script's is passed on.
pub(crate) fn rustc(config: &SessionConfig, arguments: &[OsString]) -> ExitCode {
    if asked_by_evcxr() {
        crate::replace_by(Command::new(&config.rustc).args(arguments))
    } else {
        ExitCode::FAILURE
    }
}

/// What `cargo metadata` says about a crate that needs nothing.
fn bare_metadata(config: &SessionConfig) -> serde_json::Value {
    let folder = &config.crate_dir;
    let id = format!("path+file://{}#ctx@1.0.0", folder.display());
    json!({
        "packages": [{
            "name": "ctx", "version": "1.0.0", "id": id, "license": null, "license_file": null, "description": null,
            "source": null, "dependencies": [], "features": {}, "manifest_path": folder.join("Cargo.toml"),
            "metadata": null, "publish": null, "authors": [], "categories": [], "keywords": [], "readme": null,
            "repository": null, "homepage": null, "documentation": null, "edition": "2024", "links": null,
            "default_run": null, "rust_version": null,
            "targets": [{
                "kind": ["cdylib"], "crate_types": ["cdylib"], "name": "ctx", "src_path": folder.join("src/lib.rs"),
                "edition": "2024", "doc": true, "doctest": false, "test": true,
            }],
        }],
        "workspace_members": [id], "workspace_default_members": [id],
        "resolve": { "nodes": [{ "id": id, "dependencies": [], "deps": [], "features": [] }], "root": id },
        "target_directory": folder.join("target"), "build_directory": folder.join("target"), "version": 1,
        "workspace_root": folder, "metadata": null,
    })
}
