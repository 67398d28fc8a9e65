//! Notebook files: nbformat 4, read as they are and written as 4.5, whole or not at all.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The version that is written: cells have an `id` since then.
const MINOR: u64 = 5;

/// A notebook.
#[derive(Clone, Debug)]
pub(super) struct Notebook {
    root: Map<String, Value>,
    pub(super) cells: Vec<Cell>,
}

/// A cell with everything that the file says of it.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) json: Map<String, Value>,
}

impl Cell {
    /// A cell of code.
    pub(super) fn code(source: &str, tags: &[&str]) -> Self {
        let value = json!({
            "cell_type": "code",
            "execution_count": null,
            "id": new_id(),
            "metadata": { "tags": tags },
            "outputs": [],
            "source": source,
        });
        match value {
            Value::Object(json) => Self { json },
            _ => Self { json: Map::new() },
        }
    }

    pub(super) fn is_code(&self) -> bool {
        self.json.get("cell_type").and_then(Value::as_str) == Some("code")
    }

    pub(super) fn source(&self) -> String {
        self.json.get("source").map(joined).unwrap_or_default()
    }

    pub(super) fn has_tag(&self, tag: &str) -> bool {
        let tags = self.json.get("metadata").and_then(|it| it.get("tags"));
        let tags = tags.and_then(Value::as_array);
        tags.is_some_and(|tags| tags.iter().any(|it| it.as_str() == Some(tag)))
    }

    /// Forgets what an earlier run has shown.
    pub(super) fn clear(&mut self) {
        self.json.insert("outputs".to_owned(), json!([]));
        self.json.insert("execution_count".to_owned(), Value::Null);
    }
}

/// Text that may be kept as a list of its lines.
fn joined(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// Text as Jupyter keeps it: a list of its lines, with their ends.
fn lines(text: &str) -> Value {
    Value::Array(text.split_inclusive('\n').map(Value::from).collect())
}

fn new_id() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    id.chars().take(8).collect()
}

fn is_id(value: Option<&Value>) -> bool {
    let id = value.and_then(Value::as_str).unwrap_or_default();
    (1..=64).contains(&id.len())
        && id
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

impl Notebook {
    /// Reads a notebook of version 4.
    ///
    /// # Errors
    /// When the file cannot be read or is no such notebook.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("the notebook cannot be read: {error}: {}", path.display()))?;
        Self::parse(&text).map_err(|reason| format!("{reason}: {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("this is no notebook, it is no JSON: {error}"))?;
        let Value::Object(mut root) = value else {
            return Err("this is no notebook: it is no JSON object".to_owned());
        };
        match root.get("nbformat").and_then(Value::as_u64) {
            Some(4) => {}
            Some(other) => {
                return Err(format!(
                    "the notebook has nbformat {other}, expected 4; `jupyter nbconvert --to notebook` brings it there"
                ));
            }
            None => return Err("this is no notebook: it has no `nbformat`".to_owned()),
        }
        let Some(Value::Array(cells)) = root.remove("cells") else {
            return Err("this is no notebook: it has no list of `cells`".to_owned());
        };
        let mut own = Vec::with_capacity(cells.len());
        let mut ids = std::collections::BTreeSet::new();
        for (index, cell) in cells.into_iter().enumerate() {
            let Value::Object(mut json) = cell else {
                return Err(format!("cell {} is no JSON object", index + 1));
            };
            if !json.get("metadata").is_some_and(Value::is_object) {
                json.insert("metadata".to_owned(), json!({}));
            }
            let id = json.get("id").and_then(Value::as_str).map(str::to_owned);
            if !is_id(json.get("id")) || id.is_none_or(|id| !ids.insert(id)) {
                let id = new_id();
                ids.insert(id.clone());
                json.insert("id".to_owned(), json!(id));
            }
            own.push(Cell { json });
        }
        if !root.get("metadata").is_some_and(Value::is_object) {
            root.insert("metadata".to_owned(), json!({}));
        }
        let minor = root
            .get("nbformat_minor")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        root.insert("nbformat_minor".to_owned(), json!(minor.max(MINOR)));
        Ok(Self { root, cells: own })
    }

    /// The language that the notebook says its cells are in.
    pub(super) fn language(&self) -> Option<String> {
        let metadata = self.root.get("metadata")?;
        let of_spec = metadata
            .get("kernelspec")
            .and_then(|spec| spec.get("language"));
        let named = metadata
            .get("language_info")
            .and_then(|info| info.get("name"));
        let language = of_spec.or(named)?.as_str()?;
        Some(language.to_lowercase())
    }

    /// The cells that are run, by their places.
    pub(super) fn code_cells(&self) -> Vec<usize> {
        let is_run = |cell: &Cell| cell.is_code() && !cell.source().trim().is_empty();
        let all = self.cells.iter().enumerate();
        all.filter(|(_, cell)| is_run(cell))
            .map(|(index, _)| index)
            .collect()
    }

    /// The file's text, as Jupyter writes it: text as lists of lines, one space to indent.
    fn text(&self) -> std::io::Result<Vec<u8>> {
        let mut root = self.root.clone();
        let cells = self
            .cells
            .iter()
            .map(|cell| Value::Object(on_disk(&cell.json)));
        root.insert("cells".to_owned(), cells.collect());
        // Jupyter sorts them.
        let root: std::collections::BTreeMap<String, Value> = root.into_iter().collect();
        let mut text = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b" ");
        root.serialize(&mut serde_json::Serializer::with_formatter(
            &mut text, indent,
        ))?;
        text.push(b'\n');
        Ok(text)
    }

    /// Writes the notebook: who reads the file finds the old one or the new one, never a part.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(super) fn write(&self, path: &Path) -> Result<(), String> {
        let written = self.text().and_then(|text| replace(path, &text));
        written.map_err(|error| {
            format!(
                "the notebook cannot be written: {error}: {}",
                path.display()
            )
        })
    }
}

/// Puts a file in the place of another. What is no file, such as a pipe or `/dev/stdout`, is written to as it is.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    // What a link leads to is written, not the link, also where nothing is there yet.
    let path = led_to(path);
    if let Ok(there) = path.metadata()
        && !there.is_file()
    {
        return OpenOptions::new().write(true).open(&path)?.write_all(text);
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let beside: PathBuf = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&beside)?;
        if let Ok(there) = path.metadata() {
            file.set_permissions(there.permissions())?;
        }
        file.write_all(text)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    };
    let written = write();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Where a chain of links ends.
fn led_to(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;

    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = std::fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path.canonicalize().unwrap_or(path)
}

/// A cell with its texts as lists of lines.
fn on_disk(cell: &Map<String, Value>) -> Map<String, Value> {
    let mut cell = cell.clone();
    if let Some(source) = cell.get("source").map(joined) {
        cell.insert("source".to_owned(), lines(&source));
    }
    if let Some(Value::Array(outputs)) = cell.get_mut("outputs") {
        for output in outputs {
            split_texts(output);
        }
    }
    cell
}

/// An output with its texts as lists of lines.
fn split_texts(output: &mut Value) {
    if let Some(text) = output.get_mut("text") {
        *text = lines(&joined(text));
    }
    if let Some(Value::Object(data)) = output.get_mut("data") {
        for (mime, value) in data {
            let is_json = mime == "application/json" || mime.ends_with("+json");
            if !is_json && value.is_string() {
                *value = lines(&joined(value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, symlink};

    use super::*;

    #[test]
    fn only_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        // A link to nothing yet: the file it names is made.
        let link = folder.path().join("link.ipynb");
        symlink("there.ipynb", &link).unwrap();
        replace(&link, b"one").unwrap();
        assert!(link.is_symlink());
        assert_eq!(
            std::fs::read(folder.path().join("there.ipynb")).unwrap(),
            b"one"
        );
        // What is no file stays what it is, and gets the text.
        let pipe = folder.path().join("pipe");
        let name = std::ffi::CString::new(pipe.as_os_str().as_encoded_bytes()).unwrap();
        // SAFETY: the name ends with a zero.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap()
        });
        replace(&pipe, b"two").unwrap();
        assert_eq!(reader.join().unwrap(), b"two");
        assert!(pipe.metadata().unwrap().file_type().is_fifo());
        replace(Path::new("/dev/null"), b"three").unwrap();
        let null = Path::new("/dev/null").metadata().unwrap();
        assert!(null.file_type().is_char_device());
    }

    #[test]
    fn an_older_notebook_becomes_one_of_4_5_with_an_id_for_each_cell() {
        let text = r##"{"nbformat": 4, "nbformat_minor": 2, "metadata": {"kernelspec": {"language": "rust", "name": "swath"}},
            "cells": [{"cell_type": "markdown", "source": ["# a\n", "b"]},
                      {"cell_type": "code", "source": "1 + 1", "id": "a", "metadata": {"tags": ["parameters"]}},
                      {"cell_type": "code", "source": ["2"], "id": "a", "outputs": [{"output_type": "stream", "name": "stdout",
                       "text": "x\ny"}, {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "p\n",
                       "application/json": "j"}}]},
                      {"cell_type": "code", "source": ""}]}"##;
        let notebook = Notebook::parse(text).unwrap();
        assert_eq!(notebook.language().as_deref(), Some("rust"));
        assert_eq!(notebook.code_cells(), [1, 2]);
        assert_eq!(notebook.cells[0].source(), "# a\nb");
        assert!(notebook.cells[1].has_tag("parameters"));
        let written: Value = serde_json::from_slice(&notebook.text().unwrap()).unwrap();
        assert_eq!(written["nbformat_minor"], 5);
        let ids: std::collections::BTreeSet<_> = written["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| cell["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 4);
        let outputs = &written["cells"][2]["outputs"];
        assert_eq!(outputs[0]["text"], json!(["x\n", "y"]));
        assert_eq!(
            outputs[1]["data"],
            json!({"text/plain": ["p\n"], "application/json": "j"})
        );
    }

    #[test]
    fn what_is_no_notebook_is_told() {
        let told = |text: &str| Notebook::parse(text).unwrap_err();
        assert!(told("{").contains("no JSON"));
        assert!(told("[]").contains("no JSON object"));
        assert!(told(r#"{"nbformat": 3, "worksheets": []}"#).contains("nbformat 3, expected 4"));
        assert!(told(r#"{"nbformat": 4}"#).contains("no list of `cells`"));
        assert!(told(r#"{"nbformat": 4, "cells": [7]}"#).contains("cell 1 is no JSON object"));
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ipynb");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let notebook = Notebook::parse(r#"{"nbformat": 4, "cells": []}"#).unwrap();
        notebook.write(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = notebook
            .write(&folder.path().join("no/a.ipynb"))
            .unwrap_err();
        assert!(nowhere.contains("cannot be written"), "{nowhere}");
    }
}
