//! `swath init`: a project file with every key, and with the choices of a notebook when one is given. The notebook's magics
//! become the Rust that they stand for, and that is read as it stands: nothing is run.
//!
//! - [`rust`]: the expressions of a cell as values and calls
//! - [`read`]: from cells to the training that they describe
//! - [`choices`]: from that training to the keys of a project file

mod choices;
mod imagery;
mod read;
mod rust;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use swath_cli::InitArguments;
use swath_cli::project::{Choice, Project, written};

use super::notebook::Notebook;

/// What a notebook says of a training.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) choices: Vec<Choice>,
    /// What cannot be read without running it, each with its cell.
    pub(super) unread: Vec<String>,
}

impl Findings {
    /// Adds a choice. A key that is chosen twice keeps the later value, as in the notebook.
    pub(super) fn choose(
        &mut self,
        section: &'static str,
        key: &'static str,
        value: String,
        notes: Vec<String>,
    ) {
        self.choices
            .retain(|choice| (choice.section, choice.key) != (section, key));
        self.choices.push(Choice {
            section,
            key,
            value,
            notes,
        });
    }

    pub(super) fn unread(&mut self, cell: usize, what: &str) {
        let line = format!("cell {cell}: {what}");
        if !self.unread.contains(&line) {
            self.unread.push(line);
        }
    }
}

/// Writes the project file; what to say of it.
///
/// # Errors
/// When there is such a file already, when it cannot be written, and when the notebook cannot be read.
pub(crate) fn init(arguments: &InitArguments) -> Result<String, String> {
    let path = &arguments.project;
    if path.exists() && !arguments.force {
        return Err(format!(
            "there is a file already: {}; `--force` writes over it",
            path.display()
        ));
    }
    let (text, unread) = match &arguments.from {
        None => (written(&[], &head(None, &[])), Vec::new()),
        Some(from) => {
            let notebook = Notebook::read(from)?;
            let findings = of_notebook(&notebook, &Places::new(from, path));
            let text = written(&findings.choices, &head(Some(from), &findings.unread));
            (text, findings.unread)
        }
    };
    std::fs::write(path, &text).map_err(|error| {
        format!(
            "the project file cannot be written: {error}: {}",
            path.display()
        )
    })?;
    let mut told = format!("{}\n", path.display());
    for line in &unread {
        told += &format!("not read: {line}\n");
    }
    // What is still missing is better said now than when the job starts.
    if let Err(problems) = Project::parse(path, &text, &[]) {
        told += &format!("to be filled in:\n{problems}\n");
    }
    told += &format!("swath train {}\n", path.display());
    Ok(told)
}

/// The lines above the file.
fn head(from: Option<&Path>, unread: &[String]) -> Vec<String> {
    let mut lines = vec![
        "A project for `swath train`: scenes, labels, chips, network, training, outputs."
            .to_owned(),
    ];
    if let Some(from) = from {
        lines.push(format!("The choices are those of {}.", from.display()));
    }
    lines.push(
        "A line with a key is chosen; a line `# key = value` says the default, or gives an example where there is none."
            .to_owned(),
    );
    if !unread.is_empty() {
        lines.push(String::new());
        lines.push("What cannot be read without running the notebook:".to_owned());
        lines.extend(unread.iter().map(|line| format!("- {line}")));
    }
    lines
}

/// Reads all cells, and gathers the choices of the training that they describe.
pub(super) fn of_notebook(notebook: &Notebook, places: &Places) -> Findings {
    let mut findings = Findings::default();
    let mut reader = read::Reader::default();
    let code = notebook.cells.iter().filter(|cell| cell.is_code());
    for (index, cell) in code.enumerate() {
        reader.cell(index + 1, &cell.source(), &mut findings);
    }
    choices::gather(&reader, places, &mut findings);
    findings
}

/// Where the paths of a notebook begin, seen from the project file.
#[derive(Debug)]
pub(super) struct Places {
    /// What is put before a relative path; `None` when both files lie in one folder.
    before: Option<PathBuf>,
}

impl Places {
    fn new(notebook: &Path, project: &Path) -> Self {
        let folder = |path: &Path| {
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
        };
        let (of_notebook, of_project) = (folder(notebook), folder(project));
        Self {
            before: match of_notebook.strip_prefix(&of_project) {
                Ok(below) if below.as_os_str().is_empty() => None,
                Ok(below) => Some(below.to_owned()),
                Err(_) => Some(of_notebook),
            },
        }
    }

    /// A path of the notebook as the project file names it.
    pub(super) fn path(&self, text: &str) -> String {
        let stays = text.contains("://")
            || text.starts_with("/vsi")
            || text.starts_with('~')
            || Path::new(text).is_absolute();
        match &self.before {
            Some(before) if !stays => before.join(text).display().to_string(),
            _ => text.to_owned(),
        }
    }
}
