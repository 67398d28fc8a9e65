//! papermill's translator for Rust: one Python module, put beside the packages of the environment's Python in the form
//! that pip knows, and with the programs for every other environment (`pip install FOLDER`).

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Place, files};

const MODULE: &str = include_str!("../../../python/swath-papermill/swath_papermill.py");
const PROJECT: &str = include_str!("../../../python/swath-papermill/pyproject.toml");
const FILE: &str = "swath_papermill.py";
const ENTRY_POINTS: &str = "[papermill.engine]\nswath = swath_papermill:SwathEngine\n";

/// The folder below the programs' with the package as pip installs it.
pub(super) const SOURCE_FOLDER: &str = "papermill";

/// What became of the translator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Translator {
    /// It is in this folder.
    Made(PathBuf),
    /// Why it is in no environment; the kernel works without.
    Left(String),
}

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn information_folder() -> String {
    format!("swath_papermill-{}.dist-info", version())
}

/// Writes the package for pip.
///
/// # Errors
/// Which file cannot be written.
pub(super) fn write_source(folder: &Path) -> Result<(), String> {
    create(folder)?;
    write(&folder.join(FILE), MODULE)?;
    write(&folder.join("pyproject.toml"), PROJECT)
}

/// Puts the module into the Python environment of `place`.
pub(super) fn install(place: &Place, source: &Path) -> Translator {
    let installed = site_packages(place).and_then(|folder| {
        write_module(&folder)?;
        Ok(folder)
    });
    match installed {
        Ok(folder) => Translator::Made(folder.join(FILE)),
        Err(why) => Translator::Left(format!(
            "{why}; for papermill's own environment: pip install {}",
            source.display()
        )),
    }
}

/// Lets everybody read the module that [`install`] wrote, whatever the umask was.
///
/// # Errors
/// Which mode cannot be set.
pub(super) fn let_all_read(module: &Path) -> Result<(), String> {
    files::let_all_read(&module.with_file_name(information_folder()))?;
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(module, open)
        .map_err(|error| files::failed("the mode cannot be set", module, &error))
}

/// Removes what [`install`] wrote; the module's path, when it was there.
pub(super) fn uninstall(place: &Place) -> Option<PathBuf> {
    let folder = site_packages(place).ok()?;
    let module = folder.join(FILE);
    let information = folder.join(information_folder());
    (std::fs::remove_file(&module).is_ok() && std::fs::remove_dir_all(information).is_ok())
        .then_some(module)
}

fn write_module(folder: &Path) -> Result<(), String> {
    let information = folder.join(information_folder());
    create(&information)?;
    let name = information_folder();
    let metadata = format!(
        "Metadata-Version: 2.1\nName: swath-papermill\nVersion: {}\nSummary: Teaches papermill to write parameters in Rust\n",
        version()
    );
    let record = format!(
        "{FILE},,\n{name}/METADATA,,\n{name}/WHEEL,,\n{name}/entry_points.txt,,\n{name}/INSTALLER,,\n{name}/RECORD,,\n"
    );
    write(&folder.join(FILE), MODULE)?;
    for (file, text) in [
        ("METADATA", metadata.as_str()),
        (
            "WHEEL",
            "Wheel-Version: 1.0\nGenerator: swath\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        ("INSTALLER", "swath\n"),
        ("RECORD", &record),
        ("entry_points.txt", ENTRY_POINTS),
    ] {
        write(&information.join(file), text)?;
    }
    Ok(())
}

fn create(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("{} cannot be made: {error}", folder.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text)
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Where the Python of a place looks for packages.
fn site_packages(place: &Place) -> Result<PathBuf, String> {
    match place {
        Place::User => ask_python(
            Path::new("python3"),
            "import site; print(site.getusersitepackages() if site.ENABLE_USER_SITE else '')",
        ),
        Place::SysPrefix => site_packages(&Place::Prefix(place.prefix()?)),
        Place::Prefix(prefix) => {
            let python = prefix.join("bin/python3");
            let folder = ask_python(
                &python,
                "import sysconfig; print(sysconfig.get_path('purelib'))",
            )?;
            let inside = prefix.canonicalize().is_ok_and(|prefix| {
                let folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
                folder.starts_with(prefix)
            });
            if inside {
                Ok(folder)
            } else {
                Err(format!("{} keeps its packages elsewhere", python.display()))
            }
        }
    }
}

fn ask_python(python: &Path, question: &str) -> Result<PathBuf, String> {
    let none = || format!("there is no Python environment behind {}", python.display());
    let output = Command::new(python)
        .args(["-c", question])
        .output()
        .map_err(|_| none())?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !folder.is_empty() {
        Ok(PathBuf::from(folder))
    } else {
        Err(none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_gets_the_module_and_loses_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("env");
        let made = Command::new("python3")
            .args(["-m", "venv", "--without-pip"])
            .arg(&prefix)
            .status();
        assert!(made.unwrap().success());
        let place = Place::Prefix(prefix.clone());
        let Translator::Made(module) = install(&place, Path::new("/source")) else {
            panic!("not installed");
        };
        let entry_points = module
            .with_file_name(information_folder())
            .join("entry_points.txt");
        assert_eq!(std::fs::read_to_string(entry_points).unwrap(), ENTRY_POINTS);
        assert!(PROJECT.contains("swath = \"swath_papermill:SwathEngine\""));
        assert!(PROJECT.contains(&format!("version = \"{}\"", version())));
        // pip's own library finds it.
        let found = Command::new(prefix.join("bin/python3"))
            .args(["-c", "import importlib.metadata as m; print(m.version('swath-papermill'), list(m.entry_points(group='papermill.engine')))"])
            .output()
            .unwrap();
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(
            found.contains(version()) && found.contains("swath_papermill:SwathEngine"),
            "{found}"
        );
        assert_eq!(uninstall(&place), Some(module.clone()));
        assert_eq!(uninstall(&place), None);
        assert!(!module.exists());
    }

    #[test]
    fn a_prefix_without_python_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let Translator::Left(why) = install(
            &Place::Prefix(folder.path().to_owned()),
            Path::new("/source"),
        ) else {
            panic!("installed");
        };
        assert!(
            why.contains("no Python environment") && why.ends_with("pip install /source"),
            "{why}"
        );
    }
}
