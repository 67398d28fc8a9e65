//! The kernelspec: `kernel.json` and the logos.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::files;
use crate::paths;

const TEMPLATE: &str = include_str!("../../../kernelspec/kernel.json.in");
const LOGOS: [(&str, &[u8]); 3] = [
    (
        "logo-32x32.png",
        include_bytes!("../../../kernelspec/logo-32x32.png"),
    ),
    (
        "logo-64x64.png",
        include_bytes!("../../../kernelspec/logo-64x64.png"),
    ),
    (
        "logo-svg.svg",
        include_bytes!("../../../kernelspec/logo-svg.svg"),
    ),
];

/// What Jupyter replaces by the kernelspec's own folder.
const RESOURCES: &str = "{resource_dir}";

/// The files of a kernelspec.
pub(super) const FILES: [&str; 4] = ["kernel.json", LOGOS[0].0, LOGOS[1].0, LOGOS[2].0];

/// How a kernelspec in `folder` names a program so that both can be moved together.
///
/// # Errors
/// When the path is not UTF-8.
pub(super) fn relative_program(folder: &Path, program: &Path) -> Result<String, String> {
    let way = paths::relative(folder, program);
    Ok(format!("{RESOURCES}/{}", text(&way)?))
}

/// A path as JSON can hold it.
///
/// # Errors
/// When it is not UTF-8.
pub(super) fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| {
        format!(
            "the path is not UTF-8, which kernel.json needs: {}",
            path.display()
        )
    })
}

/// Writes the kernelspec's files into `folder`.
///
/// # Errors
/// Which file cannot be written.
pub(super) fn write(
    folder: &Path,
    program: &str,
    display_name: &str,
    env: &[(String, String)],
) -> Result<(), String> {
    let mut spec: Value = serde_json::from_str(TEMPLATE)
        .map_err(|error| format!("kernel.json.in is not JSON: {error}"))?;
    spec["argv"][0] = json!(program);
    spec["display_name"] = json!(display_name);
    let env: Map<String, Value> = env
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    spec["env"] = Value::Object(env);
    let text = serde_json::to_string_pretty(&spec).unwrap_or_default() + "\n";
    let files = LOGOS.into_iter().chain([("kernel.json", text.as_bytes())]);
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::write(&path, bytes)
            .map_err(|error| format!("the file cannot be written: {error}: {}", path.display()))?;
    }
    Ok(())
}

/// The program that a kernelspec of ours starts.
fn program_of(folder: &Path) -> Option<PathBuf> {
    let spec: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("kernel.json")).ok()?).ok()?;
    let argv = spec.get("argv")?.as_array()?;
    let program = argv.first()?.as_str()?;
    let program = PathBuf::from(program.replace(RESOURCES, folder.to_str()?));
    let ours = program.file_name()? == "swath" && argv.get(1)?.as_str()? == "kernel";
    ours.then(|| paths::straight(&program))
}

/// The program of a kernelspec that is not ours. One that cannot be read is nobody's.
fn stranger(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("kernel.json")).ok()?;
    let spec: Value = serde_json::from_str(&text).ok()?;
    let program = spec.get("argv")?.get(0)?.as_str()?;
    program_of(folder).is_none().then(|| program.to_owned())
}

/// Refuses to take the place of another program's kernelspec.
///
/// # Errors
/// Whose it is, and what to do.
pub(super) fn check_place(folder: &Path) -> Result<(), String> {
    match stranger(folder) {
        None => Ok(()),
        Some(program) => Err(format!(
            "another program's kernelspec is there ({program}): {}; give this one a name of its own with --name, or remove that \
             with `jupyter kernelspec remove`",
            folder.display()
        )),
    }
}

/// Gives a kernelspec another name for people.
///
/// # Errors
/// When it cannot be read or written.
pub(super) fn rename(folder: &Path, display_name: &str) -> Result<(), String> {
    let path = folder.join("kernel.json");
    let text = files::read(&path)?;
    let mut spec: Value = serde_json::from_slice(&text)
        .map_err(|error| format!("the kernelspec is not JSON: {error}: {}", path.display()))?;
    spec["display_name"] = json!(display_name);
    let text = serde_json::to_string_pretty(&spec).unwrap_or_default() + "\n";
    // A new file in the old one's place: Jupyter may read it at this moment.
    let aside = folder.join("kernel.json.new");
    files::write(&aside, text)?;
    std::fs::rename(&aside, &path)
        .map_err(|error| files::failed("the kernelspec cannot be replaced", &path, &error))
}

/// What a kernelspec is called for people.
pub(super) fn display_name(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("kernel.json")).ok()?;
    let spec: Value = serde_json::from_str(&text).ok()?;
    Some(spec.get("display_name")?.as_str()?.to_owned())
}

/// Our kernelspecs in a folder of kernelspecs: name and program.
pub(crate) fn installed_specs(kernels: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(kernels) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().into_string().ok()?,
                program_of(&entry.path())?,
            ))
        })
        .collect();
    found.sort();
    found
}
