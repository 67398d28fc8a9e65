//! What cargo would tell rust-analyzer of the cells' crate, where there is no cargo: an installation for others brings the
//! compiler along and nothing that builds crates. All crates are then ours, and lie beside the library as sources
//! (`scripts/build-dylib.sh`).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A crate as its manifest describes it.
struct Found {
    manifest: PathBuf,
    name: String,
    edition: String,
    root: PathBuf,
    features: Vec<String>,
    dependencies: Vec<(String, usize)>,
}

/// The project in the form of `rust-project.json`: the crate of a manifest, and all that it depends on by a path.
pub(super) fn project(manifest: &Path, toolchain: &Path) -> Result<Value, String> {
    let mut crates: Vec<Found> = Vec::new();
    find(manifest, &mut crates)?;
    let last = crates.len().saturating_sub(1);
    let listed: Vec<Value> = crates
        .iter()
        .enumerate()
        .map(|(number, found)| {
            let dependencies: Vec<Value> = found
                .dependencies
                .iter()
                .map(|(name, number)| json!({ "crate": number, "name": name }))
                .collect();
            let cfg: Vec<String> = found
                .features
                .iter()
                .map(|feature| format!("feature=\"{feature}\""))
                .collect();
            json!({
                "display_name": found.name,
                "root_module": found.root,
                "edition": found.edition,
                "deps": dependencies,
                "cfg": cfg,
                // The crate that was asked for is found last.
                "is_workspace_member": number == last,
                "source": { "include_dirs": [found.root.parent()], "exclude_dirs": [] },
            })
        })
        .collect();
    Ok(json!({
        "sysroot": toolchain,
        "sysroot_src": toolchain.join("lib/rustlib/src/rust/library"),
        "crates": listed,
    }))
}

/// Adds a crate behind those that it depends on; its number.
fn find(manifest: &Path, crates: &mut Vec<Found>) -> Result<usize, String> {
    let manifest = crate::paths::straight(manifest);
    if let Some(number) = crates.iter().position(|it| it.manifest == manifest) {
        return Ok(number);
    }
    let wrong = |reason: String| format!("{reason}: {}", manifest.display());
    let text = std::fs::read_to_string(&manifest).map_err(|error| wrong(error.to_string()))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let folder = manifest.parent().unwrap_or(Path::new("/"));
    let text_of = |section: &str, key: &str| {
        let value = table.get(section)?.get(key)?.as_str()?;
        Some(value.to_owned())
    };
    let mut dependencies = Vec::new();
    let listed = table.get("dependencies").and_then(toml::Value::as_table);
    for (name, value) in listed.into_iter().flatten() {
        // What is no path would have to be fetched by cargo.
        let Some(path) = value.get("path").and_then(toml::Value::as_str) else {
            continue;
        };
        let number = find(&folder.join(path).join("Cargo.toml"), crates)?;
        dependencies.push((name.replace('-', "_"), number));
    }
    let features = table
        .get("features")
        .and_then(|features| features.get("default"))
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|feature| feature.as_str().map(str::to_owned));
    let root = text_of("lib", "path").unwrap_or_else(|| "src/lib.rs".to_owned());
    crates.push(Found {
        name: text_of("package", "name")
            .unwrap_or_default()
            .replace('-', "_"),
        edition: text_of("package", "edition").unwrap_or_else(|| "2015".to_owned()),
        root: crate::paths::straight(&folder.join(root)),
        features: features.collect(),
        dependencies,
        manifest,
    });
    Ok(crates.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_found_by_their_paths_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name).join("Cargo.toml");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "cell",
            "[package]\nname = \"ctx\"\nedition = \"2024\"\n[dependencies]\nswath = { path = \"../swath\" }\n\
             rand = \"0.9\"\n",
        );
        write(
            "swath",
            "[package]\nname = \"swath\"\nedition = \"2024\"\n[lib]\npath = \"../api/src/lib.rs\"\n[dependencies]\n\
             geo-types = { path = \"../geo-types\" }\nburn = { path = \"../burn\" }\n",
        );
        write(
            "burn",
            "[package]\nname = \"burn\"\nedition = \"2021\"\n[features]\ndefault = [\"std\"]\n[dependencies]\n\
             geo-types = { path = \"../geo-types\" }\n",
        );
        write(
            "geo-types",
            "[package]\nname = \"geo-types\"\nedition = \"2021\"\n",
        );
        let manifest = folder.path().join("cell/Cargo.toml");
        let project = project(&manifest, Path::new("/toolchain")).unwrap();
        let crates = project["crates"].as_array().unwrap();
        let names: Vec<&str> = crates
            .iter()
            .map(|it| it["display_name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["geo_types", "burn", "swath", "ctx"]);
        assert_eq!(crates[1]["cfg"], json!(["feature=\"std\""]));
        assert_eq!(crates[3]["deps"], json!([{ "crate": 2, "name": "swath" }]));
        assert_eq!(
            crates[2]["root_module"],
            json!(folder.path().join("api/src/lib.rs"))
        );
        assert_eq!(
            (
                &crates[2]["is_workspace_member"],
                &crates[3]["is_workspace_member"]
            ),
            (&json!(false), &json!(true))
        );
        assert_eq!(project["sysroot"], "/toolchain");
    }

    #[test]
    fn a_manifest_that_is_missing_is_named() {
        let error = project(Path::new("/nowhere/Cargo.toml"), Path::new("/")).unwrap_err();
        assert!(error.contains("/nowhere/Cargo.toml"), "{error}");
    }
}
