//! Project files: what `swath train` is asked to do, as TOML.
//!
//! - [`Project::read`]: a file and the values of `--set`, typed; everything that is wrong with them is told at once, each
//!   with its place
//! - [`Project`]: the sections, one type each; a key that is not there is `None`, and the library's own default holds
//! - [`written`]: the file with every key, its meaning and its default, as `swath init` writes it
//!
//! **Invariant.** One table for each section ([`Section::KEYS`]) stands behind reading, the written file and its comments.

mod check;
mod node;
mod read;
mod section;
#[allow(
    rustdoc::broken_intra_doc_links,
    reason = "these texts are the comments of a project file, where [scenes] is a section"
)]
mod sections;
#[cfg(test)]
mod tests;
mod values;
mod words;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use node::Place;
pub use section::{Key, Section, Usual};
pub use sections::{
    ChipsSection, FitSection, LabelsSection, NetworkSection, OutputsSection, ScenesSection,
    SplitSection, ValidationSection,
};
pub use values::Band;
pub use words::{
    AugmentWord, BalanceWord, ChipsWord, CompositeWord, LossWord, MissingWord, ObjectsWord,
    OptimizerWord, PrecisionWord, ScheduleWord, SplitWord, TaskWord, WeightWord,
};
pub use write::{Choice, written};

/// What `swath train` is asked to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// The project file.
    pub file: PathBuf,
    /// The imagery.
    pub scenes: ScenesSection,
    /// What lies in it.
    pub labels: LabelsSection,
    /// Scenes of their own to validate on.
    pub validation: ValidationSection,
    /// How the scenes are parted into those to train on and those to validate on.
    pub split: SplitSection,
    /// How chips are cut.
    pub chips: ChipsSection,
    /// What is trained.
    pub network: NetworkSection,
    /// How it is trained.
    pub fit: FitSection,
    /// What is written.
    pub outputs: OutputsSection,
    /// Where each value stands, by section and key.
    places: BTreeMap<(&'static str, String), Place>,
}

/// Something that is wrong with a project file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, when it stands somewhere.
    pub place: Option<Place>,
    /// What is wrong, and what was expected.
    pub text: String,
}

/// Everything that is wrong with a project file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    file: PathBuf,
    all: Vec<Problem>,
}

impl Problems {
    fn new(file: &Path, mut all: Vec<Problem>) -> Self {
        // In the order of the file; what has no place stands at the end.
        all.sort_by_key(|problem| match &problem.place {
            Some(Place::Line(line)) => *line,
            Some(Place::Set(_)) => usize::MAX - 1,
            None => usize::MAX,
        });
        Self {
            file: file.to_owned(),
            all,
        }
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Problem] {
        &self.all
    }
}

/// A line for each: `houses.toml:12: unknown key ...`, as compilers write it.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.all.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match &problem.place {
                Some(Place::Line(line)) => write!(f, "{}:{line}: ", self.file.display())?,
                Some(Place::Set(text)) => write!(f, "--set {text}: ")?,
                None => write!(f, "{}: ", self.file.display())?,
            }
            f.write_str(&problem.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Project {
    /// Reads a project file; `set` has values that take the place of the file's, `fit.epochs=3`.
    ///
    /// # Errors
    /// When the file cannot be read; [`Problems`] with everything that is wrong in it.
    pub fn read(file: &Path, set: &[String]) -> std::io::Result<Result<Self, Problems>> {
        let text = std::fs::read_to_string(file)?;
        Ok(Self::parse(file, &text, set))
    }

    /// Reads the text of a project file.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn parse(file: &Path, text: &str, set: &[String]) -> Result<Self, Problems> {
        read::read(file, text, set).map_err(|problems| Problems::new(file, problems))
    }

    /// Where the value of a key stands; `None` when it is not given.
    #[must_use]
    pub fn place(&self, section: &str, key: &str) -> Option<&Place> {
        let found = (self.places.iter()).find(|((of, name), _)| *of == section && name == key);
        found.map(|(_, place)| place)
    }

    /// What is wrong with the value of a key, which shows only later: a class that the labels do not have, for instance.
    #[must_use]
    pub fn wrong(&self, section: &str, key: &str, text: impl Into<String>) -> Problems {
        let problem = Problem {
            place: self.place(section, key).cloned(),
            text: text.into(),
        };
        Problems::new(&self.file, vec![problem])
    }

    /// A path of the file: where it is relative, it begins at the file's folder. Addresses, `~` and what GDAL opens by a
    /// prefix stay as they are.
    #[must_use]
    pub fn path(&self, text: &str) -> PathBuf {
        let stays = text.contains("://")
            || text.starts_with("/vsi")
            || text.starts_with('~')
            || Path::new(text).is_absolute();
        match self.file.parent() {
            Some(folder) if !stays && !folder.as_os_str().is_empty() => folder.join(text),
            _ => PathBuf::from(text),
        }
    }

    /// A file beside the project file that is called like it: `houses.toml` and `swath` are `houses.swath`.
    #[must_use]
    pub fn beside(&self, ending: &str) -> PathBuf {
        self.file.with_extension(ending)
    }

    /// The folder of the checkpoints.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        match &self.fit.checkpoints {
            Some(folder) => self.path(folder),
            None => self.beside("checkpoints"),
        }
    }

    /// The file of the model.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        match &self.outputs.model {
            Some(file) => self.path(file),
            None => self.beside("swath"),
        }
    }

    /// The file of the history.
    #[must_use]
    pub fn history(&self) -> PathBuf {
        match &self.outputs.history {
            Some(file) => self.path(file),
            None => self.beside("history.json"),
        }
    }
}

/// The names of the sections with their keys and what they are for.
#[must_use]
pub fn sections() -> [(&'static str, &'static [&'static str], &'static [Key]); 8] {
    fn of<S: Section>() -> (&'static str, &'static [&'static str], &'static [Key]) {
        (S::WORD, S::ABOUT, S::KEYS)
    }
    [
        of::<ScenesSection>(),
        of::<LabelsSection>(),
        of::<ValidationSection>(),
        of::<SplitSection>(),
        of::<ChipsSection>(),
        of::<NetworkSection>(),
        of::<FitSection>(),
        of::<OutputsSection>(),
    ]
}
