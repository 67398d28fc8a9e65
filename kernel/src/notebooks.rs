//! The tutorials, which the program carries: `swath notebooks`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

/// In reading order.
const NOTEBOOKS: [(&str, &str); 5] = [
    (
        "01_first_map.ipynb",
        include_str!("../../notebooks/01_first_map.ipynb"),
    ),
    (
        "02_your_own_data.ipynb",
        include_str!("../../notebooks/02_your_own_data.ipynb"),
    ),
    (
        "03_object_detection.ipynb",
        include_str!("../../notebooks/03_object_detection.ipynb"),
    ),
    (
        "04_many_scenes.ipynb",
        include_str!("../../notebooks/04_many_scenes.ipynb"),
    ),
    (
        "05_bands_and_time.ipynb",
        include_str!("../../notebooks/05_bands_and_time.ipynb"),
    ),
];

/// Writes them into `folder` and says what was written. A notebook that somebody has worked in is left alone, unless `force`
/// is given.
///
/// # Errors
/// Which file cannot be read or written.
pub(crate) fn write(folder: &Path, with_outputs: bool, force: bool) -> Result<String, String> {
    std::fs::create_dir_all(folder).map_err(|error| {
        format!(
            "the folder for notebooks cannot be made: {error}: {}",
            folder.display()
        )
    })?;
    let (mut told, mut left) = (String::new(), 0);
    for (name, published) in NOTEBOOKS {
        let path = folder.join(name);
        let bare = without_outputs(published)?;
        let text = if with_outputs { published } else { &bare };
        let cannot = |what: &str, error: &std::io::Error| {
            format!("the notebook cannot be {what}: {error}: {}", path.display())
        };
        let word = match std::fs::read_to_string(&path) {
            Ok(found) if found == text => "is there",
            Ok(found) if force || found == bare || found == published => "replaced",
            Ok(_) => {
                left += 1;
                "left alone, since it was changed"
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "written",
            // What is no text was not written here.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData && !force => {
                left += 1;
                "left alone, since it was changed"
            }
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => "replaced",
            Err(error) => return Err(cannot("read", &error)),
        };
        if ["written", "replaced"].contains(&word) {
            replace(&path, text).map_err(|error| cannot("written", &error))?;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(told, "{} ({word})", path.display());
    }
    if left > 0 {
        told.push_str("--force writes over notebooks that were changed.\n");
    }
    Ok(told)
}

/// A new file in the old one's place: JupyterLab may have it open, and the disk may be full.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    // As for any new file, the umask takes away from this.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let aside = tempfile::Builder::new()
        .permissions(mode)
        .tempfile_in(folder)?;
    std::fs::write(aside.path(), text)?;
    aside.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A notebook as if it had never been run.
fn without_outputs(notebook: &str) -> Result<String, String> {
    let mut notebook: Value = serde_json::from_str(notebook)
        .map_err(|error| format!("a tutorial is damaged: {error}"))?;
    let cells = notebook["cells"].as_array_mut().into_iter().flatten();
    for cell in cells.filter(|cell| cell["cell_type"] == "code") {
        cell["outputs"] = json!([]);
        cell["execution_count"] = Value::Null;
    }
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut writer = serde_json::Serializer::with_formatter(&mut text, indent);
    serde::Serialize::serialize(&notebook, &mut writer)
        .map_err(|error| format!("a tutorial cannot be written: {error}"))?;
    text.push(b'\n');
    String::from_utf8(text).map_err(|error| format!("a tutorial is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_tutorial_of_the_repository_is_carried() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../notebooks"));
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".ipynb"))
            .collect();
        let carried = NOTEBOOKS.iter().map(|(name, _)| (*name).to_owned());
        assert_eq!(carried.collect::<BTreeSet<_>>(), there);
    }

    #[test]
    fn they_are_written_to_be_run_and_changed_ones_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a course");
        let told = write(&place, false, false).unwrap();
        assert_eq!(told.matches("(written)").count(), NOTEBOOKS.len(), "{told}");
        let first = place.join(NOTEBOOKS[0].0);
        let text = std::fs::read_to_string(&first).unwrap();
        let notebook: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(notebook["metadata"]["kernelspec"]["name"], "swath");
        let published: Value = serde_json::from_str(NOTEBOOKS[0].1).unwrap();
        let cells = notebook["cells"].as_array().unwrap();
        for (cell, original) in cells.iter().zip(published["cells"].as_array().unwrap()) {
            assert_eq!(cell["source"], original["source"]);
            assert!(cell["outputs"].as_array().is_none_or(Vec::is_empty));
        }

        std::fs::write(&first, text.replace("Your first map", "My map")).unwrap();
        let told = write(&place, false, false).unwrap();
        assert!(
            told.contains("changed") && told.contains("--force"),
            "{told}"
        );
        assert_eq!(told.matches("(is there)").count(), NOTEBOOKS.len() - 1);
        assert!(std::fs::read_to_string(&first).unwrap().contains("My map"));
        write(&place, true, true).unwrap();
        assert_eq!(std::fs::read_to_string(&first).unwrap(), NOTEBOOKS[0].1);
        // Those that are as published may be exchanged without being asked for.
        assert_eq!(
            write(&place, false, false)
                .unwrap()
                .matches("(replaced)")
                .count(),
            5
        );
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), NOTEBOOKS.len());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = write(&file.path().join("below"), false, false).unwrap_err();
        assert!(
            error.contains("cannot be made") && error.contains("below"),
            "{error}"
        );
    }
}
