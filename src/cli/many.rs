//! Many scenes that are predicted bit by bit or by several jobs: what is finished, how the rest is divided, and how the
//! results become one.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use swath_cli::PredictArguments;

use super::job::Job;
use super::scenes::{folders, imagery, labeled_scene, say};
use super::task::CommandTask;
use super::{Failure, report};
use crate::display::{Output, Show as _};
use crate::models::TrainedArea;
use crate::predict::{Ensemble, OptionsFor, Record, ScenesScores, digest, work_on, write_synced};
use crate::scene::Scene;
use crate::scenes::ListedScene;
use crate::{Error, FileError, session};

/// Where the results of all scenes are joined.
const JOINED: &str = "joined";
/// Missing scenes that are named.
const NAMED: usize = 20;

/// A scene, and where its files go.
pub(super) struct Item {
    pub(super) listed: ListedScene,
    pub(super) folder: PathBuf,
    /// What the record and plans call it: the name of its folder, which no other has.
    key: String,
}

/// The scenes with their folders.
pub(super) fn items(scenes: Vec<ListedScene>, out: &Path) -> Vec<Item> {
    let folders = folders(&scenes, out);
    let item = |(listed, folder): (ListedScene, PathBuf)| {
        let own = folder.strip_prefix(out).ok().and_then(Path::to_str);
        let stem = || {
            listed
                .path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
        };
        let key = match own {
            Some("") | None => stem().into_owned(),
            Some(name) => name.to_owned(),
        };
        Item {
            listed,
            folder,
            key,
        }
    };
    scenes.into_iter().zip(folders).map(item).collect()
}

/// What is done, and what is to be done.
pub(super) struct Work {
    record: Option<Record>,
    /// What decides the results beside the scenes.
    rest: String,
    resumes: bool,
}

impl Work {
    /// Reads the record of the folder; a single scene has none unless it is asked for.
    pub(super) fn open<T: CommandTask>(
        job: &Job<'_>,
        options: &OptionsFor<T>,
        count: usize,
        arguments: &PredictArguments,
    ) -> Result<Self, Failure> {
        let many = &arguments.many;
        let resumes = many.resume || many.join || many.plan.is_some();
        if count < 2 && !resumes {
            return Ok(Self {
                record: None,
                rest: String::new(),
                resumes,
            });
        }
        let own = many.plan.as_ref().zip(many.part).map(|(plan, part)| {
            let plan = plan.file_stem().unwrap_or_default().to_string_lossy();
            format!("{plan}.{part}")
        });
        let mut parts = Vec::new();
        for bundle in job.bundles() {
            parts.push(file_digest(bundle)?);
        }
        // Where it is computed, what it is scored against and what is shown meanwhile decide nothing.
        parts.push(format!("{:?}", options.clone().quiet(false)));
        parts.push(format!("{:?}", arguments.maps));
        parts.push(format!("{:?}", arguments.imagery));
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Ok(Self {
            record: Some(Record::open(&arguments.out, own.as_deref())?),
            rest: digest(&parts),
            resumes,
        })
    }

    /// What is to be done on a scene; `None` where nobody can say whether it would be the same again.
    fn on(&self, scene: &Scene) -> Option<String> {
        self.record
            .as_ref()
            .and_then(|_| work_on(scene, &self.rest))
    }

    fn is_finished(&self, item: &Item, work: Option<&str>) -> bool {
        let record = self.record.as_ref();
        record.is_some_and(|record| record.is_finished(&item.key, work, &item.folder))
    }

    /// Looks at a scene before it is predicted: the work on it, or `None` when it is finished and stays.
    pub(super) fn look(&self, item: &Item, job: &Job<'_>) -> Result<Option<Todo<'_>>, Failure> {
        let work = match &self.record {
            Some(_) => self.on(&imagery(&item.listed, job)?),
            None => None,
        };
        if self.resumes && self.is_finished(item, work.as_deref()) {
            return Ok(None);
        }
        let record = self.record.as_ref();
        Ok(Some(Todo { record, work }))
    }
}

/// A scene that is to be predicted.
pub(super) struct Todo<'a> {
    record: Option<&'a Record>,
    work: Option<String>,
}

impl Todo<'_> {
    /// Its folder is written from now on.
    pub(super) fn begin(&self, item: &Item) -> crate::Result<()> {
        self.record.map_or(Ok(()), |record| record.begin(&item.key))
    }

    /// Its files are written.
    pub(super) fn finish(self, item: &Item, files: &[PathBuf]) -> crate::Result<()> {
        let work = self.work;
        self.record.map_or(Ok(()), |record| {
            record.finish(&item.key, work, &item.folder, files)
        })
    }
}

/// A division of scenes.
#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    /// All scenes.
    scenes: usize,
    /// Those of them that were finished when the plan was made, and are in no part.
    finished: usize,
    parts: Vec<Part>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Part {
    pixels: u64,
    scenes: Vec<String>,
}

/// The scenes of the part that is asked for; all where none is.
///
/// # Errors
/// When the plan cannot be read, has no such part, or is of other scenes.
pub(super) fn of_part(
    items: Vec<Item>,
    arguments: &PredictArguments,
) -> Result<Vec<Item>, Failure> {
    let (Some(path), Some(number)) = (&arguments.many.plan, arguments.many.part) else {
        return Ok(items);
    };
    let text = std::fs::read_to_string(path).map_err(|error| FileError::new(path, error))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| {
        Failure::Usage(format!(
            "{} is no plan that `swath predict --plan FILE --parts N` wrote: {error}",
            path.display()
        ))
    })?;
    let count = plan.parts.len();
    let Some(part) = plan.parts.into_iter().nth(number - 1) else {
        return Err(Failure::Usage(format!(
            "'--part {number}' is none of the {count} parts of {}",
            path.display()
        )));
    };
    let is_there = |name: &&String| items.iter().any(|item| item.key == **name);
    if let Some(name) = part.scenes.iter().find(|name| !is_there(name)) {
        return Err(Failure::Usage(format!(
            "the plan {} has a scene {name:?}, which is none of the {} scenes that were given",
            path.display(),
            items.len()
        )));
    }
    let wanted = |item: &Item| part.scenes.contains(&item.key);
    Ok(items.into_iter().filter(wanted).collect())
}

/// Divides what is not finished into parts of equal work.
///
/// # Errors
/// When the plan cannot be written. A scene that cannot be opened is reported and belongs to a part, whose job fails.
pub(super) fn write_plan(
    work: &Work,
    items: &[Item],
    job: &Job<'_>,
    (path, parts): (&Path, usize),
) -> Result<(), Failure> {
    let (mut finished, mut missing) = (0, Vec::new());
    for item in items {
        session::check_interrupt("looking at scenes")?;
        match imagery(&item.listed, job) {
            Ok(scene) if work.is_finished(item, work.on(&scene).as_deref()) => finished += 1,
            Ok(scene) => missing.push((item.key.clone(), Some(scene.area().area() as u64))),
            Err(Failure::Error(error)) if !matches!(error, Error::Interrupted { .. }) => {
                report(&error);
                missing.push((item.key.clone(), None));
            }
            Err(failure) => return Err(failure),
        }
    }
    let plan = Plan {
        scenes: items.len(),
        finished,
        parts: divided(missing, parts),
    };
    let text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| FileError::new(folder, error))?;
    }
    write_synced(path, format!("{text}\n").as_bytes())?;
    say(job.quiet, || Output::text(plan.told()));
    Ok(())
}

impl Plan {
    fn told(&self) -> String {
        let counts = self.parts.iter().map(|part| part.scenes.len());
        let pixels = || self.parts.iter().map(|part| part.pixels);
        let (fewest, most) = (pixels().min().unwrap_or(0), pixels().max().unwrap_or(0));
        let (unit, divisor) = match most {
            0..10_000_000 => ("thousand", 1e3),
            _ => ("million", 1e6),
        };
        let (fewest, most) = (fewest as f64 / divisor, most as f64 / divisor);
        let divided = match self.parts.len() {
            0 => "nothing is left to do".to_owned(),
            parts => format!(
                "{} in {parts} part{} of {fewest:.1} to {most:.1} {unit} pixels",
                counts.sum::<usize>(),
                if parts == 1 { "" } else { "s" },
            ),
        };
        format!(
            "{} scenes, {} finished before: {divided}",
            self.scenes, self.finished
        )
    }
}

/// At most `parts` parts of nearly equal pixels: the largest first, each to the part that has least so far. What cannot be
/// opened counts as the mean of the others.
fn divided(scenes: Vec<(String, Option<u64>)>, parts: usize) -> Vec<Part> {
    let known: Vec<u64> = scenes.iter().filter_map(|(_, pixels)| *pixels).collect();
    let mean = known.iter().sum::<u64>() / (known.len() as u64).max(1);
    let mut order: Vec<(usize, String, u64)> = scenes
        .into_iter()
        .enumerate()
        .map(|(place, (name, pixels))| (place, name, pixels.unwrap_or(mean)))
        .collect();
    order.sort_by_key(|scene| std::cmp::Reverse(scene.2));
    let count = parts.min(order.len());
    let mut shares: Vec<(u64, Vec<(usize, String)>)> = vec![(0, Vec::new()); count];
    for (place, name, pixels) in order {
        // Of parts with as many pixels, that with fewer scenes: opening and writing take time, too.
        if let Some((sum, names)) = shares
            .iter_mut()
            .min_by_key(|(sum, names)| (*sum, names.len()))
        {
            *sum += pixels;
            names.push((place, name));
        }
    }
    let part = |(pixels, mut names): (u64, Vec<(usize, String)>)| {
        names.sort();
        let scenes = names.into_iter().map(|(_, name)| name).collect();
        Part { pixels, scenes }
    };
    shares.into_iter().map(part).collect()
}

/// What is saved of all scenes as one: joint files, joint scores, and the names of the scenes that are missing.
///
/// # Errors
/// [`Failure::Some`] when scenes are missing; what is there is joined all the same.
pub(super) fn merge<T: CommandTask>(
    models: &Ensemble<T>,
    work: &Work,
    items: &[Item],
    job: &Job<'_>,
    arguments: &PredictArguments,
) -> Result<(), Failure> {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for item in items {
        session::check_interrupt("looking at scenes")?;
        match imagery(&item.listed, job) {
            Ok(scene) if work.is_finished(item, work.on(&scene).as_deref()) => there.push(item),
            Ok(_) => missing.push(item.key.as_str()),
            Err(Failure::Error(error)) if !matches!(error, Error::Interrupted { .. }) => {
                report(&error);
                missing.push(item.key.as_str());
            }
            Err(failure) => return Err(failure),
        }
    }
    if !there.is_empty() {
        let together = Together {
            out: &arguments.out,
            names: there.iter().map(|item| item.key.clone()).collect(),
            folders: there.iter().map(|item| item.folder.clone()).collect(),
            trained: (models.models().iter())
                .filter_map(|model| model.meta())
                .flat_map(|meta| meta.trained_areas.clone())
                .collect(),
        };
        let folder = arguments.out.join(JOINED);
        let opened =
            |listed: usize| -> Result<Scene, Failure> { imagery(&there[listed].listed, job) };
        let joined = T::join(&together, models, &opened, &folder, job)?;
        say(job.quiet, || joined.output());
        let has_labels = job.labels.file.labels.is_some() || job.labels.label_raster.is_some();
        if has_labels {
            score_together(models, &there, job, arguments)?;
        }
    }
    if missing.is_empty() {
        say(job.quiet, || {
            Output::text(format!("all {} scenes are predicted", items.len()))
        });
        return Ok(());
    }
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = &missing[..missing.len().min(NAMED)];
    session::result(Output::text(format!(
        "missing: {}{more}\nThe same command with `--resume` in place of `--join` predicts them.",
        named.join(", ")
    )));
    Err(Failure::Some {
        failed: missing.len(),
        of: items.len(),
        done: "joined",
    })
}

/// Scores what is saved, all scenes together and each of them, in `scores.json`.
fn score_together<T: CommandTask>(
    models: &Ensemble<T>,
    there: &[&Item],
    job: &Job<'_>,
    arguments: &PredictArguments,
) -> Result<(), Failure> {
    let (mut each, mut failed) = (Vec::with_capacity(there.len()), 0);
    for item in there {
        session::check_interrupt("scoring scenes")?;
        let scored = || -> Result<T::Scores, Failure> {
            let scene = labeled_scene(&item.listed, job, models.classes(), T::LABELS)?;
            Ok(T::score_saved(&item.folder, &scene)?)
        };
        match scored() {
            Err(Failure::Error(error)) if !matches!(error, Error::Interrupted { .. }) => {
                report(&error);
                failed += 1;
            }
            scores => each.push((item.key.clone(), scores?)),
        }
    }
    if !each.is_empty() {
        let scores = ScenesScores::<T>::of(each)?;
        let path = arguments.out.join("scores.json");
        write_synced(&path, format!("{:#}\n", scores.to_json()).as_bytes())?;
        say(job.quiet, || scores.output());
    }
    if failed > 0 {
        return Err(Failure::Some {
            failed,
            of: there.len(),
            done: "scored",
        });
    }
    Ok(())
}

/// Results that become one.
pub(super) struct Together<'a> {
    /// The folder with the folders of the scenes.
    pub(super) out: &'a Path,
    pub(super) names: Vec<String>,
    pub(super) folders: Vec<PathBuf>,
    /// What the models were trained on.
    pub(super) trained: Vec<TrainedArea>,
}

/// A digest of a file's bytes.
fn file_digest(path: &Path) -> Result<String, FileError> {
    let path = crate::paths::expanded(path);
    let failed = |error| FileError::new(&*path, error);
    let mut file = File::open(&path).map_err(failed)?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash).map_err(failed)?;
    Ok(format!("{:x}", hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenes(pixels: &[u64]) -> Vec<(String, Option<u64>)> {
        let named = pixels.iter().enumerate();
        named
            .map(|(number, pixels)| (format!("s{number}"), Some(*pixels)))
            .collect()
    }

    #[test]
    fn parts_have_equal_work_and_every_scene_once() {
        // One large scene is as much as the seven small ones.
        let parts = divided(scenes(&[10, 70, 10, 10, 10, 10, 10, 10]), 2);
        let pixels: Vec<u64> = parts.iter().map(|part| part.pixels).collect();
        assert_eq!(pixels, [70, 70]);
        assert_eq!(parts[0].scenes, ["s1"]);
        assert_eq!(parts[1].scenes, ["s0", "s2", "s3", "s4", "s5", "s6", "s7"]);
        // Graham's bound for the largest first: at most 4/3 of the best division.
        let sizes: Vec<u64> = (1..=100).map(|number| number * 37 % 91 + 5).collect();
        for count in [1, 3, 7, 12] {
            let parts = divided(scenes(&sizes), count);
            assert_eq!(parts.len(), count);
            let all: u64 = parts.iter().map(|part| part.pixels).sum();
            assert_eq!(all, sizes.iter().sum::<u64>());
            let most = parts.iter().map(|part| part.pixels).max().unwrap_or(0);
            assert!(most as f64 <= all as f64 / count as f64 * 4.0 / 3.0 + 96.0);
            let mut names: Vec<&String> = parts.iter().flat_map(|part| &part.scenes).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), sizes.len());
        }
    }

    #[test]
    fn there_are_no_empty_parts_and_what_cannot_be_opened_counts() {
        assert!(divided(Vec::new(), 4).is_empty());
        assert_eq!(divided(scenes(&[5, 5]), 12).len(), 2);
        let mut some = scenes(&[20, 10]);
        some.push(("broken".to_owned(), None));
        let parts = divided(some, 1);
        assert_eq!(parts[0].pixels, 45);
        // Scenes without a pixel are divided by their number.
        let parts = divided(scenes(&[0, 0, 0, 0]), 2);
        assert!(parts.iter().all(|part| part.scenes.len() == 2));
    }

    #[test]
    fn a_plan_says_what_is_left() {
        let plan = Plan {
            scenes: 12,
            finished: 2,
            parts: divided(scenes(&[1_000_000; 10]), 3),
        };
        assert_eq!(
            plan.told(),
            "12 scenes, 2 finished before: 10 in 3 parts of 3000.0 to 4000.0 thousand pixels"
        );
        let plan = Plan {
            scenes: 2,
            finished: 2,
            parts: Vec::new(),
        };
        assert_eq!(
            plan.told(),
            "2 scenes, 2 finished before: nothing is left to do"
        );
    }
}
