//! Scripts as people read them, and what bash and shellcheck think of them.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use swath_cli::{Command as Parsed, ProgramCommand, SubmitArguments};

use crate::{Batch, Cluster, prepare};

fn arguments(line: &[&str]) -> SubmitArguments {
    let words = ["swath", "submit"].iter().chain(line).map(OsString::from);
    match swath_cli::parse(words) {
        Ok(Parsed::Program(ProgramCommand::Submit(arguments))) => arguments,
        other => panic!("{line:?}: {other:?}"),
    }
}

/// A program that divides as `swath` does: into as many parts as are asked for, of so many scenes.
fn program(folder: &Path, scenes: usize, finished: usize) -> std::path::PathBuf {
    let path = folder.join("swath");
    let text = format!(
        "#!/bin/bash\nwhile [ $# -gt 0 ]; do case $1 in --plan) plan=$2;; --parts) parts=$2;; esac; shift; done\n\
         left=$(({scenes} - {finished})); [ \"$parts\" -lt \"$left\" ] || parts=$left; list=\n\
         for ((n = 0; n < parts; n++)); do list+=\"${{list:+,}}{{}}\"; done\n\
         echo '{{\"scenes\": {scenes}, \"finished\": {finished}, \"parts\": ['\"$list\"']}}' >\"$plan\"\n"
    );
    std::fs::write(&path, text).expect("a program");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    path
}

fn batch(folder: &Path, scenes: usize, finished: usize, line: &[&str]) -> Batch {
    let cluster = Cluster {
        folder: folder.to_owned(),
        environment: None,
        umask: None,
    };
    prepare(
        &arguments(line),
        &program(folder, scenes, finished),
        &cluster,
    )
    .expect("scripts")
}

const ODD: [&str; 10] = [
    "predict",
    "model's.swath",
    "tiles/*.tif",
    "-o",
    "my maps",
    "--gres",
    "gpu:a100_1g.10gb:1",
    "--time=1:00:00",
    "--tasks",
    "3",
];

#[test]
fn many_scenes_are_an_array_and_a_join() {
    let folder = tempfile::tempdir().expect("a folder");
    let batch = batch(folder.path(), 12, 2, &ODD);
    assert_eq!(
        batch.told,
        "12 scenes, of which 2 are finished: 10 in 3 tasks"
    );
    let [array, join] = batch.scripts.as_slice() else {
        panic!("two scripts");
    };
    assert_eq!((array.tasks, join.tasks), (Some(3), None));
    assert_eq!(
        (array.name.as_str(), join.name.as_str()),
        ("predict-model-s", "predict-model-s-join")
    );
    for line in [
        "#SBATCH --array=1-3\n",
        "#SBATCH --gres=gpu:a100_1g.10gb:1\n",
        "#SBATCH --time=1:00:00\n",
        "#SBATCH --signal=B:USR1@120\n",
        "#SBATCH --requeue\n",
        "#SBATCH --open-mode=append\n",
        "'model'\\''s.swath' 'tiles/*.tif' -o 'my maps' --plan ",
        "--part \"$SLURM_ARRAY_TASK_ID\"\n",
        "job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\n",
    ] {
        assert!(array.text.contains(line), "{line}\n{}", array.text);
    }
    assert!(join.text.contains("-o 'my maps' --join\n") && !join.text.contains("--gres"));
    assert!(array.log.ends_with("swath-jobs/predict-model-s-%A_%a.log"));
}

#[test]
fn one_scene_is_one_job_and_finished_scenes_are_only_joined() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = batch(folder.path(), 1, 0, &ODD);
    assert_eq!(one.scripts.len(), 1);
    assert!(one.scripts[0].text.contains("--resume\n"));
    let all = batch(folder.path(), 12, 12, &ODD);
    assert_eq!(all.scripts.len(), 1);
    assert!(all.scripts[0].text.contains("--join\n"));
}

#[test]
fn the_warning_fits_the_time_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    for (options, warned) in [
        (vec!["--time", "2"], "B:USR1@60\n"),
        (vec!["--time", "1-0"], "B:USR1@120\n"),
        (vec!["--time", "1-0", "--warn", "600"], "B:USR1@600\n"),
        (vec![], "B:USR1@120\n"),
    ] {
        let line = ["evaluate", "m", "s", "--labels", "l"];
        let line: Vec<&str> = line.into_iter().chain(options).collect();
        let text = &batch(folder.path(), 1, 0, &line).scripts[0].text;
        assert!(text.contains(warned), "{warned}\n{text}");
    }
}

#[test]
fn scripts_are_good_bash() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("100% of it's");
    std::fs::create_dir(&place).expect("a folder");
    let line: Vec<&str> = ODD
        .into_iter()
        .chain([
            "--setup",
            "module load swath",
            "--sbatch=--exclude=node[1-3]",
            "--at-once",
            "2",
        ])
        .collect();
    for (number, script) in batch(&place, 12, 0, &line).scripts.iter().enumerate() {
        let path = folder.path().join(format!("{number}.sh"));
        std::fs::write(&path, &script.text).expect("a file");
        let checked = Command::new("bash")
            .arg("-n")
            .arg(&path)
            .output()
            .expect("bash");
        assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&checked.stderr)
        );
        // `make test` installs it; the check of a machine without it is bash's own.
        if let Ok(checked) = Command::new("shellcheck")
            .arg("--external-sources")
            .arg(&path)
            .output()
        {
            assert!(
                checked.status.success(),
                "{}",
                String::from_utf8_lossy(&checked.stdout)
            );
        }
        assert!(
            script.text.contains("100%% of it's/swath-jobs/"),
            "{}",
            script.text
        );
    }
}

#[test]
fn only_the_first_start_of_a_training_is_fresh() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = arguments(&["train", "houses.toml", "--fresh", "--set", "fit.epochs=3"]);
    let project =
        "[scenes]\nfiles = \"a.tif\"\n[labels]\nfile = \"b.geojson\"\nclass = \"house\"\n";
    std::fs::write(folder.path().join("houses.toml"), project).expect("a file");
    let cluster = Cluster {
        folder: folder.path().to_owned(),
        environment: None,
        umask: None,
    };
    let text = &prepare(&arguments, Path::new("/bin/echo"), &cluster)
        .expect("a script")
        .scripts[0]
        .text;
    for (count, told) in [
        ("0", "train houses.toml --set fit.epochs=3 --fresh\n"),
        ("1", "train houses.toml --set fit.epochs=3\n"),
    ] {
        let done = Command::new("bash")
            .args(["-c", text])
            .env("SLURM_JOB_ID", "12")
            .env("SLURM_RESTART_COUNT", count)
            .output();
        let said = String::from_utf8_lossy(&done.expect("bash").stdout).into_owned();
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn a_mistake_in_a_project_file_is_told_before_the_queue() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster {
        folder: folder.path().to_owned(),
        environment: None,
        umask: None,
    };
    let told = || {
        prepare(
            &arguments(&["train", "p.toml"]),
            Path::new("/bin/echo"),
            &cluster,
        )
        .expect_err("a mistake")
        .to_string()
    };
    assert!(told().contains("p.toml"), "{}", told());
    std::fs::write(folder.path().join("p.toml"), "[fit]\nepchs = 3\n").expect("a file");
    assert!(told().contains("did you mean `epochs`"), "{}", told());
}

/// The script in a shell, with a program in the place of the work and one in that of `scontrol`.
fn run(work: &str, signal: Option<&str>, restarts: &str) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/bash\n{text}\n")).expect("a program");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        path
    };
    write("scontrol", "echo \"scontrol $*\"; kill -KILL $PPID");
    let cluster = Cluster {
        folder: folder.path().to_owned(),
        environment: None,
        umask: None,
    };
    let program = write("work", work);
    let line = ["evaluate", "m", "s", "--labels", "l", "--restarts", "3"];
    let batch = prepare(&arguments(&line), &program, &cluster).expect("a script");
    let script = write("script", &batch.scripts[0].text);
    let path = std::env::var("PATH").unwrap_or_default();
    let child = Command::new("bash")
        .arg(&script)
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("SLURM_JOB_ID", "12")
        .env("SLURM_RESTART_COUNT", restarts)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("bash");
    if let Some(signal) = signal {
        // The work says that it is there.
        for _ in 0..200 {
            if folder.path().join("ready").exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.is_ok_and(|sent| sent.success()));
    }
    let done = child.wait_with_output().expect("an end");
    (
        done.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&done.stdout).into_owned(),
    )
}

const STOPS: &str = "trap 'echo stopped; sleep 0.3; exit 75' TERM; touch \"$(dirname \"$0\")/ready\"; for i in {1..100}; do sleep 0.1; done";

#[test]
fn what_is_warned_is_queued_again() {
    let (_, told) = run(STOPS, Some("-USR1"), "0");
    assert!(
        told.contains("stopped\n") && told.contains("scontrol requeue 12\n"),
        "{told}"
    );
    let (code, told) = run(STOPS, Some("-USR1"), "3");
    assert!(
        code == 75 && told.contains("queued again 3 times") && !told.contains("scontrol"),
        "{told}"
    );
}

#[test]
fn what_ends_by_itself_or_is_cancelled_is_not_queued_again() {
    assert_eq!(run("exit 0", None, "0").0, 0);
    assert_eq!(run("exit 1", None, "0").0, 1);
    // A failure is one, warned or not.
    let fails = STOPS.replace("exit 75", "exit 1");
    let (code, told) = run(&fails, Some("-USR1"), "0");
    assert!(code == 1 && !told.contains("scontrol"), "{told}");
    // scancel reaches the work itself; the script waits for its end.
    let (code, told) = run(
        "touch \"$(dirname \"$0\")/ready\"; sleep 1; exit 143",
        Some("-TERM"),
        "0",
    );
    assert!(code == 143 && !told.contains("scontrol"), "{told}");
}

/// `sbatch` that refuses the second job.
#[test]
fn a_refusal_is_told_in_slurm_s_words_and_takes_back_the_first_job() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    let write = |name: &str, text: &str| {
        let path = bin.join(name);
        std::fs::write(&path, format!("#!/bin/bash\n{text}\n")).expect("a program");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    };
    write(
        "sbatch",
        "case $* in *dependency*) echo \"sbatch: error: Batch job submission failed: User's group not permitted to use this partition\" >&2; exit 1;; esac; echo 12",
    );
    write("scancel", "echo \"$*\" >\"$(dirname \"$0\")/cancelled\"");
    let path = std::env::var("PATH").unwrap_or_default();
    let cluster = Cluster {
        folder: folder.path().to_owned(),
        environment: Some(vec![(
            "PATH".into(),
            format!("{}:{path}", bin.display()).into(),
        )]),
        umask: None,
    };
    let batch =
        prepare(&arguments(&ODD), &program(folder.path(), 12, 0), &cluster).expect("scripts");
    let error = batch.submit(&cluster).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "Slurm does not take the job: User's group not permitted to use this partition"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("--partition"))
    );
    let cancelled = std::fs::read_to_string(bin.join("cancelled")).unwrap_or_default();
    assert_eq!(cancelled, "12\n");
    // Again: earlier scripts keep their names.
    let batch =
        prepare(&arguments(&ODD), &program(folder.path(), 12, 0), &cluster).expect("scripts");
    let _ = batch.submit(&cluster);
    assert!(
        folder
            .path()
            .join("swath-jobs/predict-model-s-2.sh")
            .is_file()
    );
}
