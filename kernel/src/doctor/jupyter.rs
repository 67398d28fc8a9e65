//! What Jupyter sees: the places where it looks for kernels, in its order.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Finding, on_path};
use crate::install::{Place, installed_specs};
use crate::toolchain::program_folder;

pub(super) fn program() -> Finding {
    match ["jupyter-lab", "jupyter-notebook", "jupyter"]
        .iter()
        .find_map(|name| on_path(name))
    {
        Some(program) => Finding::Good(program.display().to_string()),
        None => Finding::note(
            "not on the search path",
            "pip install jupyterlab   (or: make lab)",
        ),
    }
}

pub(super) fn kernelspecs() -> impl Iterator<Item = Finding> {
    let asked = on_path("jupyter").and_then(|program| folders_of(&program));
    let is_sure = asked.is_some();
    let seen = asked.unwrap_or_else(usual_folders);
    findings(&seen, is_sure, &own_folders(), &program_folder()).into_iter()
}

/// Where this Jupyter looks, as it says itself.
fn folders_of(jupyter: &Path) -> Option<Vec<PathBuf>> {
    let output = Command::new(jupyter)
        .args(["--paths", "--json"])
        .output()
        .ok()?;
    let paths: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let data = paths.get("data")?.as_array()?.iter();
    Some(
        data.filter_map(|path| Some(Path::new(path.as_str()?).join("kernels")))
            .collect(),
    )
}

/// Where a Jupyter looks that cannot be asked.
fn usual_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("JUPYTER_PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .map(|folder| folder.join("kernels"))
        .collect();
    let places = [
        Place::SysPrefix,
        Place::User,
        Place::Prefix("/usr/local".into()),
        Place::Prefix("/usr".into()),
    ];
    folders.extend(
        places
            .iter()
            .filter_map(|place| place.resolve().ok())
            .map(|places| places.kernels),
    );
    folders
}

/// Where an installation puts the kernelspec of this program.
fn own_folders() -> Vec<PathBuf> {
    let programs = program_folder();
    let prefix = programs
        .ancestors()
        .find(|folder| folder.ends_with("lib/swath"))
        .and_then(|folder| folder.ancestors().nth(2));
    let own = prefix.map(|prefix| Place::Prefix(prefix.to_owned()));
    own.iter()
        .chain(&[Place::User])
        .filter_map(|place| place.resolve().ok())
        .map(|places| places.kernels)
        .collect()
}

/// A kernel as Jupyter finds it.
struct Spec {
    name: String,
    folder: PathBuf,
    /// What it starts, when it is one of ours.
    program: Option<PathBuf>,
}

fn specs(kernels: &[PathBuf]) -> Vec<Spec> {
    let mut found: Vec<Spec> = Vec::new();
    for folder in kernels {
        let ours = installed_specs(folder);
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut here: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        here.sort();
        for path in here
            .into_iter()
            .filter(|path| path.join("kernel.json").is_file())
        {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let program = ours.iter().find(|(known, _)| *known == name);
            found.push(Spec {
                program: program.map(|(_, program)| program.clone()),
                // Jupyter knows kernels by their names in small letters.
                name: name.to_lowercase(),
                folder: path,
            });
        }
    }
    found
}

fn findings(seen: &[PathBuf], is_sure: bool, own: &[PathBuf], programs: &Path) -> Vec<Finding> {
    let all = specs(seen);
    let mut findings = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for spec in &all {
        let earlier = all
            .iter()
            .find(|it| it.name == spec.name)
            .filter(|it| it.folder != spec.folder);
        let Some(earlier) = earlier else {
            if let Some(program) = &spec.program {
                names.push(&spec.name);
                findings.push(startable(&spec.name, program));
            }
            continue;
        };
        if spec.program.is_some() || earlier.program.is_some() {
            findings.push(Finding::note(
                format!(
                    "two kernels are called {}: Jupyter takes {} and never sees {}",
                    spec.name,
                    earlier.folder.display(),
                    spec.folder.display()
                ),
                "remove one (swath uninstall), or give it another name: swath install --name NAME",
            ));
        }
    }
    if !names.is_empty() {
        return findings;
    }
    let elsewhere = specs(own).into_iter().find(|spec| {
        spec.program
            .as_ref()
            .is_some_and(|it| it.starts_with(programs))
    });
    findings.push(match elsewhere {
        Some(spec) if is_sure => {
            let data = spec.folder.ancestors().nth(2).unwrap_or(&spec.folder);
            Finding::bad(
                format!(
                    "this Jupyter does not look in {}, where the kernel is",
                    spec.folder.display()
                ),
                format!(
                    "swath install --user --spec-only   (or before Jupyter starts: export JUPYTER_PATH={})",
                    data.display()
                ),
            )
        }
        Some(spec) => startable(&spec.name, spec.program.as_deref().unwrap_or(programs)),
        None => Finding::bad("not installed where Jupyter looks", "swath install"),
    });
    findings
}

fn startable(name: &str, program: &Path) -> Finding {
    let place = program.display();
    if !program.is_file() {
        return Finding::bad(
            format!("{name} starts {place}, which is not there"),
            "swath install",
        );
    }
    let path = std::ffi::CString::new(program.as_os_str().as_encoded_bytes());
    // SAFETY: the path ends in zero.
    if path.is_ok_and(|path| unsafe { libc::access(path.as_ptr(), libc::X_OK) } != 0) {
        return Finding::bad(
            format!("{name} starts {place}, which this user cannot start"),
            format!("chmod a+rx {place}   (or: mount its folder with `exec`)"),
        );
    }
    Finding::Good(format!("{name} starts {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kernels: &Path, name: &str, program: &Path) {
        let folder = kernels.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let text = serde_json::json!({ "argv": [program, "kernel", "-f", "{connection_file}"] });
        std::fs::write(folder.join("kernel.json"), text.to_string()).unwrap();
    }

    fn program(folder: &Path, mode: u32) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        let program = folder.join("swath");
        std::fs::write(&program, "").unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(mode))
            .unwrap();
        program
    }

    #[test]
    fn a_kernel_that_jupyter_sees_is_good_and_a_second_of_its_name_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        let program = program(&folder.path().join("programs"), 0o755);
        spec(&first, "swath", &program);
        let seen = [first.clone(), second.clone()];
        let found = findings(&seen, true, &[], Path::new("/x"));
        assert!(matches!(&found[..], [Finding::Good(_)]), "{found:?}");
        spec(&second, "Swath", &program);
        let found = findings(&seen, true, &[], Path::new("/x"));
        assert!(
            matches!(&found[..], [Finding::Good(_), Finding::Note(text, _)] if text.contains("two kernels are called swath")
                && text.contains("b/Swath")),
            "{found:?}"
        );
        // Somebody else's kernel of the name stands before ours.
        spec(&first, "swath", Path::new("/usr/bin/python3"));
        let found = findings(&seen, true, &[], Path::new("/x"));
        assert!(matches!(&found[0], Finding::Note(..)), "{found:?}");
        assert!(matches!(&found[1], Finding::Bad(..)), "{found:?}");
    }

    #[test]
    fn a_kernel_in_a_folder_where_jupyter_does_not_look_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("share/jupyter/kernels");
        let programs = folder.path().join("lib/swath/1");
        spec(&own, "swath", &program(&programs, 0o755));
        let found = findings(&[], true, &[own], &programs);
        assert!(
            matches!(&found[..], [Finding::Bad(text, mend)] if text.contains("does not look in")
                && mend.contains("--spec-only") && mend.ends_with("share/jupyter)")),
            "{found:?}"
        );
        let found = findings(&[], true, &[], &programs);
        assert!(
            matches!(&found[..], [Finding::Bad(text, _)] if text.contains("not installed")),
            "{found:?}"
        );
    }

    #[test]
    fn a_program_that_is_gone_or_cannot_be_started_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let gone = startable("swath", &folder.path().join("swath"));
        assert!(
            matches!(&gone, Finding::Bad(text, _) if text.contains("not there")),
            "{gone:?}"
        );
        let plain = startable("swath", &program(folder.path(), 0o644));
        assert!(
            matches!(&plain, Finding::Bad(text, _) if text.contains("cannot start")),
            "{plain:?}"
        );
    }
}
