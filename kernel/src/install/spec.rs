//! The kernelspec: `kernel.json` and the logos.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

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

/// Writes the kernelspec's files into `folder`.
///
/// # Errors
/// Which file cannot be written.
pub(super) fn write(
    folder: &Path,
    program: &Path,
    display_name: &str,
    env: &[(String, String)],
) -> Result<(), String> {
    let mut spec: Value = serde_json::from_str(TEMPLATE)
        .map_err(|error| format!("kernel.json.in is not JSON: {error}"))?;
    let program = program.to_str().ok_or_else(|| {
        format!(
            "the path is not UTF-8, which kernel.json needs: {}",
            program.display()
        )
    })?;
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
    let program = PathBuf::from(argv.first()?.as_str()?);
    let ours = program.file_name()? == "swath" && argv.get(1)?.as_str()? == "kernel";
    ours.then_some(program)
}

/// Whether a folder holds a kernelspec of ours.
pub(super) fn is_ours(folder: &Path) -> bool {
    program_of(folder).is_some()
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
