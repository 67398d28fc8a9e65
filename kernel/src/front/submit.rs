//! `%submit`: a job of Slurm from a cell, whose state and log are shown while it waits and runs.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use swath_cli::project::Project;
use swath_cli::{Command, LibraryCommand, ProgramCommand, SubmitArguments};
use swath_slurm::{Cluster, Event, Follower, Job, SlurmError, prepare};

use super::built_ins::{failure, print};
use super::execute::execute_rust;
use super::kernel::Kernel;
use crate::eval::{ErrorReport, MimeBundle, OutputEvent};
use crate::magics::arguments::{UsageError, words};
use crate::magics::expand::literal;
use crate::magics::loader;
use crate::magics::table::find;
use crate::submit::{color, lines, program, told};
use crate::text::escape_html;

/// How often an interrupt is looked for, and how many of these make a look at the queue.
const PAUSE: Duration = Duration::from_millis(100);
const LOOK: u32 = 10;
/// Lines of the log that are shown while it grows.
const LINES: usize = 12;

fn of_slurm(error: &SlurmError) -> ErrorReport {
    failure("SlurmError", &told(error), "")
}

fn usage(message: impl Into<String>) -> ErrorReport {
    let message = message.into();
    match find("submit") {
        Some(magic) => UsageError::new(magic, message).into(),
        None => failure("UsageError", &message, ""),
    }
}

/// Runs what may wait for Slurm without holding up the kernel.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ErrorReport> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| failure("SlurmError", &format!("asking Slurm failed: {error}"), ""))
}

/// Submits a job, or looks at one that was submitted before, and follows it to its end.
pub(super) async fn submit(kernel: &Kernel, line: &str) -> Result<(), ErrorReport> {
    let mut words = words(line).map_err(usage)?;
    // No shell has read the line.
    let home = dirs::home_dir().map(|home| home.display().to_string());
    for word in &mut words {
        if let (Some(rest), Some(home)) = (word.strip_prefix("~/"), &home) {
            *word = format!("{home}/{rest}");
        }
    }
    let variable = words.iter().position(|word| word.starts_with("as="));
    let variable = variable.map(|at| words.remove(at)["as=".len()..].to_owned());
    let environment: Vec<(OsString, OsString)> = kernel.shell.variables().into_iter().collect();
    let folder = std::env::current_dir().map_err(|error| {
        failure(
            "IoError",
            &format!("the working folder is gone: {error}"),
            "",
        )
    })?;
    let cluster = Cluster {
        folder,
        environment: Some(environment),
        umask: Some(crate::umask::of_user()),
    };
    let is_number =
        |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let (job, arguments) = if !words.is_empty() && words.iter().all(is_number) {
        let asked = cluster.clone();
        let found = apart(move || asked.job(&words)).await?;
        (found.map_err(|error| of_slurm(&error))?, None)
    } else {
        let line = ["swath", "submit"].into_iter().map(OsString::from);
        let arguments = match swath_cli::parse(line.chain(words.iter().map(OsString::from))) {
            Ok(Command::Program(ProgramCommand::Submit(arguments))) => arguments,
            Ok(_) => return Err(usage("expected train, run, predict or evaluate")),
            Err(mistake) => return Err(usage(mistake.to_string().trim().to_owned())),
        };
        match submitted(kernel, &cluster, &arguments).await? {
            Some(job) => (job, Some(arguments)),
            None => return Ok(()),
        }
    };
    let code = follow(kernel, cluster, job).await?;
    if code != 0 {
        let reason = format!("the job ended with {code}");
        return Err(failure("SlurmError", &reason, "its log says why"));
    }
    match (arguments, variable) {
        (Some(arguments), variable) => fetch(kernel, &arguments, variable.as_deref()).await,
        (None, Some(_)) => Err(usage("`as=` is for a job that this cell submits")),
        (None, None) => Ok(()),
    }
}

/// The job; `None` where only its script was asked for.
async fn submitted(
    kernel: &Kernel,
    cluster: &Cluster,
    arguments: &SubmitArguments,
) -> Result<Option<Job>, ErrorReport> {
    let (asked, given) = (cluster.clone(), arguments.clone());
    let batch = apart(move || prepare(&given, &program()?, &asked)).await?;
    let batch = batch.map_err(|error| of_slurm(&error))?;
    if arguments.slurm.dry_run {
        for script in &batch.scripts {
            print(kernel, script.text.trim_end());
        }
        return Ok(None);
    }
    if !batch.told.is_empty() {
        print(kernel, &batch.told);
    }
    let asked = cluster.clone();
    let job = apart(move || batch.submit(&asked)).await?;
    let job = job.map_err(|error| of_slurm(&error))?;
    print(kernel, &lines(&job).join("\n"));
    Ok(Some(job))
}

/// Shows states and the end of the logs, in place, until all jobs have ended. Returns the exit code.
async fn follow(kernel: &Kernel, cluster: Cluster, job: Job) -> Result<u8, ErrorReport> {
    let id = format!("swath-job-{}", uuid::Uuid::new_v4());
    let mut follower = Follower::new(cluster, job);
    let mut tail: Vec<String> = Vec::new();
    let mut shown = false;
    let mut over = false;
    loop {
        let looked = apart(move || {
            let events = follower.look();
            (follower, events)
        });
        let (back, events) = looked.await?;
        follower = back;
        // Slurm is restarted now and then: the next look may be answered.
        let (events, trouble) = match events {
            Ok(events) => (events, None),
            Err(error @ SlurmError::Failed { .. }) => (Vec::new(), Some(error.to_string())),
            Err(error) => return Err(of_slurm(&error)),
        };
        let news = !events.is_empty() || trouble.is_some() || !shown;
        let several = follower.job().ids.len() > 1;
        for event in events {
            if let Event::Log { id, text } = event {
                let mark = |line: &str| match several {
                    true => format!("{id}| {line}"),
                    false => line.to_owned(),
                };
                tail.extend(text.lines().map(mark));
            }
        }
        let cut = tail.len().saturating_sub(LINES);
        drop(tail.drain(..cut));
        if news {
            let bundle = table(&follower, &tail, trouble.as_deref());
            let (metadata, id) = (MimeBundle::new(), id.clone());
            kernel.outputs.accept(match shown {
                true => OutputEvent::Update {
                    bundle,
                    metadata,
                    id,
                },
                false => OutputEvent::Display {
                    bundle,
                    metadata,
                    id: Some(id),
                },
            });
            shown = true;
        }
        // One look more than the end: what was written last.
        if over {
            return apart(move || follower.exit_code()).await;
        }
        over = follower.is_over();
        for _ in 0..LOOK {
            tokio::time::sleep(PAUSE).await;
            if kernel.is_interrupted() {
                let ids = follower.job().ids.join(" ");
                let detail = format!(
                    "the job goes on: `%submit {ids}` looks at it again, `!scancel {ids}` ends it"
                );
                return Err(failure(
                    "KeyboardInterrupt",
                    "the cell was interrupted",
                    &detail,
                ));
            }
        }
    }
}

/// The queue as text and as HTML.
fn table(follower: &Follower, tail: &[String], trouble: Option<&str>) -> MimeBundle {
    let (mut text, mut rows) = (String::new(), String::new());
    for task in follower.tasks() {
        text += &format!("job {}  {}  {}\n", task.id, task.state, task.time);
        rows += &format!(
            "<tr><td>{}</td><td style=\"text-align:left;color:{}\">{}</td><td>{}</td></tr>",
            escape_html(&task.id),
            color(&task.state),
            escape_html(&task.state.to_string()),
            escape_html(&task.time)
        );
    }
    if text.is_empty() {
        let ids = follower.job().ids.join(", ");
        text = format!("job {ids}  submitted\n");
        rows = format!("<tr><td>{ids}</td><td>submitted</td><td></td></tr>");
    }
    let trouble = trouble.unwrap_or_default();
    let log = tail.join("\n");
    let text = [text.trim_end(), trouble, &log];
    let text: Vec<&str> = text.into_iter().filter(|part| !part.is_empty()).collect();
    let html = format!(
        "<table><thead><tr><th>job</th><th style=\"text-align:left\">state</th><th>time</th></tr></thead><tbody>{rows}</tbody></table>\
         <div>{}</div><pre style=\"max-height:16em;overflow:auto\">{}</pre>",
        escape_html(trouble),
        escape_html(&log)
    );
    let mut bundle = MimeBundle::new();
    bundle.insert("text/plain".to_owned(), json!(text.join("\n")));
    bundle.insert("text/html".to_owned(), json!(html));
    bundle
}

/// What a job has made: where it is, and a variable of it when one is asked for.
async fn fetch(
    kernel: &Kernel,
    arguments: &SubmitArguments,
    variable: Option<&str>,
) -> Result<(), ErrorReport> {
    let words = ["swath".into(), arguments.command.word().into()];
    let parsed = swath_cli::parse(words.into_iter().chain(arguments.words.iter().cloned()));
    let made = match parsed {
        Ok(Command::Library(LibraryCommand::Predict(predict))) => {
            let joined = predict.out.join("joined");
            match joined.is_dir() {
                true => Some((prediction(&joined, None), joined)),
                false => {
                    let scene = predict.scenes.first().map(std::path::PathBuf::as_path);
                    Some((prediction(&predict.out, scene), predict.out.clone()))
                }
            }
        }
        Ok(Command::Library(LibraryCommand::Train(train))) => {
            // It was read when the job was submitted, and may have been changed since.
            let project = Project::read(&train.project, &train.set)
                .ok()
                .and_then(Result::ok);
            project.map(|project| {
                let model = project.model();
                let path = model.to_string_lossy().into_owned();
                let rust = model
                    .is_file()
                    .then(|| format!("{}::load({})?", loader(&path), literal(&path)));
                (rust, model)
            })
        }
        Ok(Command::Program(ProgramCommand::Run(run))) => {
            let out = match (run.in_place, run.out) {
                (true, _) => run.notebook,
                (false, Some(out)) => out,
                (false, None) => run.notebook.with_extension("out.ipynb"),
            };
            Some((None, out))
        }
        _ => None,
    };
    let Some((rust, folder)) = made else {
        return match variable {
            None => Ok(()),
            Some(_) => Err(usage(
                "`as=` takes the map of `predict` and the model of `train`",
            )),
        };
    };
    print(kernel, &format!("results in {}", folder.display()));
    let (Some(variable), Some(rust)) = (variable, rust) else {
        return match variable {
            None => Ok(()),
            Some(_) => Err(failure(
                "SlurmError",
                &format!(
                    "there is nothing at {} that a variable can hold",
                    folder.display()
                ),
                "",
            )),
        };
    };
    if !crate::syntax::is_variable_name(variable) {
        return Err(usage(format!("{variable:?} is not the name of a variable")));
    }
    execute_rust(kernel, &format!("let {variable} = {{ {rust} }};")).await
}

/// Rust that opens what was saved in a folder, on its scene, or on itself where it is of several.
fn prediction(folder: &Path, scene: Option<&Path>) -> Option<String> {
    let kinds = [
        ("labels.tif", "SceneMap"),
        ("boxes.gpkg", "SceneBoxes"),
        ("cell_labels.tif", "SceneCells"),
    ];
    let (file, kind) = kinds.iter().find(|(file, _)| folder.join(file).is_file())?;
    let scene = match scene {
        Some(scene) => scene.to_owned(),
        None => folder.join(file),
    };
    // Joined boxes have no imagery of all scenes, and joined cells no grid.
    if scene.extension().is_some_and(|end| end == "gpkg") {
        return None;
    }
    let text = |path: &Path| literal(&path.to_string_lossy());
    let place = match *kind {
        "SceneBoxes" => text(&folder.join(file)),
        _ => text(folder),
    };
    Some(format!(
        "let scene = Scene::open({})?; {kind}::open({place}, &scene)?",
        text(&scene)
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_was_saved_is_opened_as_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path();
        assert_eq!(prediction(out, None), None);
        std::fs::write(out.join("boxes.gpkg"), "").expect("a file");
        assert_eq!(prediction(out, None), None, "boxes without imagery");
        let rust = prediction(out, Some(Path::new("a \"b\".tif"))).expect("Rust");
        assert!(
            rust.starts_with("let scene = Scene::open(\"a \\\"b\\\".tif\")?; SceneBoxes::open(")
        );
        std::fs::write(out.join("labels.tif"), "").expect("a file");
        let rust = prediction(out, None).expect("Rust");
        assert!(
            rust.contains("/labels.tif\")?; SceneMap::open(\"") && rust.ends_with(", &scene)?")
        );
    }

    #[test]
    fn the_queue_is_text_and_html_without_what_a_log_may_hold() {
        let job = Job {
            ids: vec!["12".to_owned()],
            ..Job::default()
        };
        let cluster = Cluster {
            folder: "/".into(),
            environment: None,
            umask: None,
        };
        let follower = Follower::new(cluster, job);
        let bundle = table(&follower, &["<script>".to_owned()], None);
        let text = |kind: &str| bundle.get(kind).and_then(Value::as_str).unwrap_or_default();
        assert_eq!(text("text/plain"), "job 12  submitted\n<script>");
        assert!(text("text/html").contains("&lt;script&gt;"));
    }
}
