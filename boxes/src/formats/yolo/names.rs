//! The names of YOLO's class numbers, in the files where its tools leave them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Line;
use crate::formats::FormatError;
use crate::formats::json;
use crate::formats::remark::{Remark, RemarkKind};
use crate::formats::text::{shortened, text_of};

/// Files that name the classes: Ultralytics', labelImg's, darknet's, Roboflow's, Label Studio's.
const FILES: [&str; 10] = [
    "data.yaml",
    "data.yml",
    "dataset.yaml",
    "dataset.yml",
    "classes.txt",
    "obj.names",
    "classes.names",
    "obj.data",
    "_darknet.labels",
    "notes.json",
];

/// Folders above the label file in which names are looked for: `data/labels/train/a.txt` is two below its `data.yaml`.
const ABOVE: usize = 3;

/// Folders with more entries are not searched for files of other names.
const MOST_ENTRIES: usize = 5000;

/// Numbers that are named at most.
const MOST_NAMES: usize = 10_000;

/// Names by number.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: BTreeMap<usize, String>,
    from: Option<PathBuf>,
    /// Numbers that keypoints take in each line (`kpt_shape`).
    pub(super) keypoints: Option<usize>,
    pub(super) remarks: Vec<Remark>,
}

impl Names {
    /// The names of a list by their places; an empty one names nothing.
    pub(super) fn given(names: &[String]) -> Self {
        let names = names.iter().cloned().enumerate();
        Self {
            names: names.filter(|(_, name)| !name.is_empty()).collect(),
            ..Self::default()
        }
    }

    /// Those of the nearest folder that has some. Two files that name a number of the lines differently are an error.
    pub(super) fn of(labels: &Path, lines: &[Line]) -> Result<Self, FormatError> {
        // From inside a data set, what lies above has no name otherwise.
        let whole = std::fs::canonicalize(labels).unwrap_or_else(|_| labels.to_owned());
        let folders: Vec<&Path> = folders(&whole);
        let mut found: Vec<Self> = Vec::new();
        for folder in &folders {
            for file in FILES.map(|name| folder.join(name)) {
                if file != whole && file.is_file() {
                    found.extend(Self::in_file(&file)?);
                }
            }
        }
        if found.is_empty() {
            for folder in &folders {
                for file in others(folder).filter(|file| *file != whole) {
                    found.extend(Self::in_file(&file)?);
                }
                if !found.is_empty() {
                    break;
                }
            }
        }
        let mut found = found.into_iter();
        let Some(mut first) = found.next() else {
            return Ok(Self::default());
        };
        for second in found {
            first.keypoints = first.keypoints.or(second.keypoints);
            first.check_same(&second, labels, lines)?;
        }
        Ok(first)
    }

    /// An error when a number of the lines has another name in another file.
    pub(super) fn check_same(
        &self,
        second: &Self,
        labels: &Path,
        lines: &[Line],
    ) -> Result<(), FormatError> {
        for line in lines {
            let names = (self.names.get(&line.class), second.names.get(&line.class));
            if let ((Some(one), Some(other)), Some(first_file), Some(second_file)) =
                (names, &self.from, &second.from)
                && one != other
            {
                return Err(FormatError::NamesDiffer {
                    path: labels.to_owned(),
                    number: line.class,
                    first: format!("{one:?} in {first_file:?}"),
                    second: format!("{other:?} in {second_file:?}"),
                });
            }
        }
        Ok(())
    }

    /// Takes the names of numbers that have none.
    pub(super) fn extend(&mut self, others: Self) {
        for (number, name) in others.names {
            self.names.entry(number).or_insert(name);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All names, in the order of their numbers.
    pub(super) fn all(&self) -> Vec<String> {
        self.names.values().cloned().collect()
    }

    /// The names of all numbers from 0 to the last that has one; those without have their numbers.
    pub(super) fn through_the_last(&self) -> Vec<String> {
        self.to_the_last(|number| self.name(number))
    }

    /// The names of all numbers from 0 to the last that has one; those without have an empty one.
    pub(super) fn through_the_last_named(&self) -> Vec<String> {
        self.to_the_last(|number| self.names.get(&number).cloned().unwrap_or_default())
    }

    fn to_the_last(&self, name: impl Fn(usize) -> String) -> Vec<String> {
        // More than a byte can tell apart is of no use to labels, and a file may give a name to any number.
        let last = self
            .names
            .keys()
            .next_back()
            .map(|&last| last.min(MOST_NAMES));
        last.map_or_else(Vec::new, |last| (0..=last).map(name).collect())
    }

    /// The name of a number; the number itself where there are none.
    pub(super) fn name(&self, number: usize) -> String {
        let name = self.names.get(&number);
        name.cloned().unwrap_or_else(|| number.to_string())
    }

    /// Whether there are names and none for this number.
    pub(super) fn lacks(&self, number: usize) -> bool {
        !self.is_empty() && !self.names.contains_key(&number)
    }

    /// Where the names are from, and which numbers they are of, in words.
    pub(super) fn extent(&self) -> (String, String) {
        let named = match (self.names.len(), self.names.last_key_value()) {
            (count, Some((&last, _))) if count == last + 1 => match count {
                1 => "0 alone".to_owned(),
                count => format!("0 to {}", count - 1),
            },
            _ => self
                .names
                .keys()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        };
        let from = match &self.from {
            Some(file) => format!("{file:?}"),
            None => "`class_names`".to_owned(),
        };
        (from, named)
    }

    /// An error when a line is of a class without a name.
    pub(super) fn check(&self, path: &Path, lines: &[Line]) -> Result<(), FormatError> {
        let mut beyond = lines
            .iter()
            .filter(|line| !self.names.contains_key(&line.class));
        let count = beyond.clone().count();
        let (false, Some(first)) = (self.is_empty(), beyond.next()) else {
            return Ok(());
        };
        let (names_from, named) = self.extent();
        Err(FormatError::ClassNumber {
            path: path.to_owned(),
            line: first.line,
            number: first.class,
            count,
            names_from,
            named,
        })
    }

    /// The names in one file; `None` in one that is about something else.
    fn in_file(file: &Path) -> Result<Option<Self>, FormatError> {
        let text = text_of(file)?.text;
        let extension = file
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        match extension.as_str() {
            "yaml" | "yml" => Self::in_yaml(file, &text),
            "data" => Self::in_darknet(file, &text),
            "json" => Ok(Self::in_notes(file, &text)),
            _ => Ok(Self::in_lines(file, &text)),
        }
    }

    /// `names: [a, b]`, `names: {0: a}`, or the same in lines, as Ultralytics has it; or the path of a file of names.
    fn in_yaml(file: &Path, text: &str) -> Result<Option<Self>, FormatError> {
        let broken = |detail: String| FormatError::Names {
            path: file.to_owned(),
            detail,
        };
        let value: Value = match serde_saphyr::from_str(text) {
            Ok(value) => value,
            // A file of another name may be about anything, in a dialect of its own.
            Err(_) if !is_usual(file) => return Ok(None),
            Err(error) => {
                let error = error.to_string();
                return Err(broken(error.lines().next().unwrap_or_default().to_owned()));
            }
        };
        let mut found = Self {
            from: Some(file.to_owned()),
            ..Self::default()
        };
        if let Some([points, numbers]) = value
            .get("kpt_shape")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            && let (Some(points), Some(numbers)) = (points.as_u64(), numbers.as_u64())
        {
            found.keypoints = usize::try_from(points.saturating_mul(numbers)).ok();
        }
        let name = |value: &Value| match value {
            Value::String(name) => Ok(name.trim().to_owned()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(is) => Ok(is.to_string()),
            other => Err(broken(format!(
                "a name is {}, and a text is expected",
                shortened(&other.to_string())
            ))),
        };
        let (declared, names) = (value.get("nc").and_then(Value::as_u64), value.get("names"));
        match names {
            Some(Value::Array(names)) => {
                for (number, value) in names.iter().enumerate() {
                    found.names.insert(number, name(value)?);
                }
            }
            Some(Value::Object(names)) => {
                for (number, value) in names {
                    let number = number
                        .trim()
                        .parse()
                        .map_err(|_| broken(format!("the class number {number:?} is none")))?;
                    found.names.insert(number, name(value)?);
                }
            }
            Some(Value::String(path)) => {
                let listed = beside(file, path);
                let text = text_of(&listed)?.text;
                match Self::in_lines(&listed, &text) {
                    Some(names) => found.names = names.names,
                    None => {
                        return Err(broken(format!(
                            "`names` is the file {listed:?}, which is empty"
                        )));
                    }
                }
            }
            Some(Value::Null) | None => {
                if let (true, Some(count)) = (is_usual(file), declared) {
                    let text = format!("{:?} has `nc: {count}` and no `names`", file_name(file));
                    found.remarks.push(Remark::new(RemarkKind::Noted, text));
                }
                // What else it says may still count.
                return Ok(
                    (found.keypoints.is_some() || !found.remarks.is_empty()).then_some(found)
                );
            }
            Some(other) => {
                let found = shortened(&other.to_string());
                return Err(broken(format!(
                    "`names` is {found}, and a list of names is expected"
                )));
            }
        }
        if let Some(count) = declared
            && count != found.names.len() as u64
        {
            let text = format!(
                "{:?} has `nc: {count}` and {} names, which were taken",
                file_name(file),
                found.names.len()
            );
            found
                .remarks
                .push(Remark::new(RemarkKind::Noted, text).next("check which of the two is right"));
        }
        Ok((!found.names.is_empty()).then_some(found))
    }

    /// darknet's `obj.data`, one of whose lines is `names = data/obj.names`.
    fn in_darknet(file: &Path, text: &str) -> Result<Option<Self>, FormatError> {
        let mut settings = text.lines().filter_map(|line| line.split_once('='));
        let Some((_, path)) = settings.find(|(key, _)| key.trim() == "names") else {
            return Ok(None);
        };
        let listed = beside(file, path.trim());
        if !listed.is_file() {
            return Err(FormatError::Names {
                path: file.to_owned(),
                detail: format!("it names the file {listed:?}, which is not there"),
            });
        }
        Ok(Self::in_lines(&listed, &text_of(&listed)?.text))
    }

    /// Label Studio's `notes.json`.
    fn in_notes(file: &Path, text: &str) -> Option<Self> {
        let (value, _): (Value, bool) = json::parse(text).ok()?;
        let categories = value.get("categories")?.as_array()?;
        let name = |category: &Value| {
            let id = json::key(category.get("id")?)?;
            Some((id.parse().ok()?, json::word(category.get("name")?)?))
        };
        // A category without a number or a name names nothing; `check` refuses boxes of such a number.
        let names: BTreeMap<usize, String> = categories.iter().filter_map(name).collect();
        (!names.is_empty()).then(|| Self {
            names,
            from: Some(file.to_owned()),
            ..Self::default()
        })
    }

    /// A name a line; an empty line in between keeps its number. Lines that begin with their own numbers lose them.
    fn in_lines(file: &Path, text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.trim_end().lines().map(str::trim).collect();
        fn unnumbered((number, line): (usize, &str)) -> Option<&str> {
            let rest = line.strip_prefix(&number.to_string())?;
            let name = rest.trim_start_matches([':', ',', ' ', '\t']);
            (name.len() < rest.len() && !name.is_empty()).then_some(name)
        }
        let numbered = lines.iter().copied().enumerate().map(unnumbered);
        let numbered: Option<Vec<&str>> = numbered.collect();
        let names = numbered.unwrap_or(lines).into_iter().enumerate();
        let names: BTreeMap<usize, String> = names
            .filter(|(_, name)| !name.is_empty())
            .map(|(number, name)| (number, name.to_owned()))
            .collect();
        (!names.is_empty()).then(|| Self {
            names,
            from: Some(file.to_owned()),
            ..Self::default()
        })
    }
}

/// The folder of the label file, the one above, and further ones as far as a data set with `labels`, `train`, `val`, `test`
/// folders reaches: what lies above belongs to somebody else.
fn folders(labels: &Path) -> Vec<&Path> {
    let parts = [
        "labels",
        "train",
        "val",
        "valid",
        "test",
        "images",
        "obj_train_data",
        "obj_valid_data",
    ];
    let mut found = Vec::new();
    let mut folder = labels.parent();
    while let Some(here) = folder {
        found.push(here);
        let name = here
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let inside = parts.iter().any(|part| name.starts_with(part));
        if found.len() > ABOVE || (found.len() > 1 && !inside) {
            break;
        }
        folder = here.parent();
    }
    found
}

/// Further YAML files and files of names in a folder, in order of their names. A folder that cannot be listed has none,
/// so that classes are called by their numbers.
fn others(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .take(MOST_ENTRIES)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    let mut files: Vec<PathBuf> = entries
        .into_iter()
        .filter(|path| {
            let extension = path.extension().unwrap_or_default();
            ["yaml", "yml", "names"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files.into_iter()
}

fn is_usual(file: &Path) -> bool {
    FILES.contains(&file_name(file).as_str())
}

fn file_name(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A path that a file names: from its folder, from the one above, or as it is.
fn beside(file: &Path, named: &str) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let above = folder.parent().unwrap_or(folder);
    let name = Path::new(named).file_name().unwrap_or_default();
    let mut places = [
        folder.join(named),
        above.join(named),
        PathBuf::from(named),
        folder.join(name),
    ]
    .into_iter();
    places
        .find(|place| place.is_file())
        .unwrap_or_else(|| folder.join(named))
}
