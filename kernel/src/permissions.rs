//! Who else could change the code that runs in cells: the library, the toolchain, the kernelspec, startup files. Where every
//! user of the machine can, the kernel does not start its cells, and `swath doctor` says so.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use swath_link::environment;
use swath_link::permissions::{Open, open_to_all, open_within, user};

use crate::toolchain::program_folder;

/// Something that others can change, and what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Such as "the library".
    pub(crate) what: &'static str,
    pub(crate) open: Open,
}

impl Finding {
    /// What is wrong, in one sentence.
    pub(crate) fn told(&self) -> String {
        format!(
            "{}, through which {} is reached: whoever can write there can run code as you",
            self.open, self.what
        )
    }

    /// What mends it.
    pub(crate) fn remedy(&self) -> String {
        format!(
            "{}   (its owner or an administrator; {}=1 uses it all the same, on file systems without permissions)",
            self.open.remedy(),
            environment::OPEN_FOLDERS
        )
    }
}

/// Refuses what others can change.
///
/// # Errors
/// The first finding with its remedy.
pub(crate) fn check(findings: &[Finding]) -> Result<(), String> {
    match findings.first() {
        Some(finding) if !environment::takes_open_folders() => {
            Err(format!("{}. Remedy: {}", finding.told(), finding.remedy()))
        }
        _ => Ok(()),
    }
}

/// Who may own what lies in a folder that all can write to: whoever owns the program that was started.
fn trusted() -> Vec<u32> {
    let program = std::env::current_exe().and_then(std::fs::metadata);
    program.map(|it| it.uid()).into_iter().collect()
}

fn first_open(what: &'static str, paths: &[PathBuf], folders: &[PathBuf]) -> Option<Finding> {
    let trusted = trusted();
    let on_the_way = paths
        .iter()
        .chain(folders)
        .find_map(|path| open_to_all(path, &trusted));
    let open = on_the_way.or_else(|| folders.iter().find_map(|folder| open_within(folder)))?;
    Some(Finding { what, open })
}

/// What others can change of the program and the library.
pub(crate) fn of_library(lib_dir: &Path) -> Vec<Finding> {
    let beside = program_folder();
    let programs = ["swath", "swath-cell"].map(|name| beside.join(name));
    let program = first_open("the program", &programs, &[]);
    let library = first_open("the library", &[], &[lib_dir.to_owned()]);
    program.into_iter().chain(library).collect()
}

/// What others can change of the command that an installation puts on the search path. Cells do not go through it; whoever calls
/// it does.
pub(crate) fn of_command() -> Option<Finding> {
    // PREFIX/lib/swath/VERSION
    let program = program_folder();
    let command = program.ancestors().nth(3)?.join("bin/swath");
    let led_to = std::fs::canonicalize(&command).ok()?;
    led_to
        .starts_with(&program)
        .then(|| first_open("the command", &[command], &[]))
        .flatten()
}

/// What others can change of the compiler, its standard library and its tools. Documentation and sources are not run.
fn of_toolchain(sysroot: &Path) -> Option<Finding> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(sysroot.join("lib"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.push(sysroot.join("bin/rustc"));
    let host = format!("{}-", std::env::consts::ARCH);
    let targets = std::fs::read_dir(sysroot.join("lib/rustlib"));
    let mut folders: Vec<PathBuf> = targets
        .into_iter()
        .flatten()
        .flatten()
        .filter(|target| target.file_name().to_string_lossy().starts_with(&host))
        .map(|target| target.path())
        .collect();
    folders.push(sysroot.join("bin"));
    first_open("the toolchain", &files, &folders)
}

/// What others can change of kernelspecs of this program, by which Jupyter starts it.
fn of_kernelspecs() -> Option<Finding> {
    let program = program_folder();
    let beside = program.ancestors().skip(1).take(4);
    let mut places: Vec<PathBuf> = beside.map(|it| it.join("share/jupyter")).collect();
    places.extend(dirs::data_dir().map(|data| data.join("jupyter")));
    let ours = |folder: &PathBuf| {
        let text = std::fs::read_to_string(folder.join("kernel.json")).unwrap_or_default();
        text.contains("swath")
    };
    let folders: Vec<PathBuf> = places
        .into_iter()
        .flat_map(|place| std::fs::read_dir(place.join("kernels")))
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(ours)
        .collect();
    first_open("Jupyter's kernelspec", &[], &folders)
}

/// What others can change of all that a kernel runs before and while it compiles cells.
pub(crate) fn of_kernel(lib_dir: &Path, toolchain: &Path) -> Vec<Finding> {
    let mut findings = of_library(lib_dir);
    if !toolchain.as_os_str().is_empty() {
        findings.extend(of_toolchain(toolchain));
    }
    findings.extend(of_kernelspecs());
    findings
}

/// What others can change of the folder for data, weights and statistics.
pub(crate) fn of_cache(folder: &Path) -> Option<Finding> {
    let owner = std::fs::metadata(folder).ok()?.uid();
    let open = open_to_all(folder, &[owner])?;
    let what = "the cache";
    Some(Finding { what, open })
}

/// Why the code in a startup file is not run: it is another user's, or anybody could have written it.
pub(crate) fn distrust(file: &Path) -> Option<String> {
    if environment::takes_open_folders() {
        return None;
    }
    let owner = std::fs::metadata(file).ok()?.uid();
    if owner != 0 && owner != user() && !trusted().contains(&owner) {
        return Some(format!(
            "{} belongs to user {owner}, neither you nor who installed the kernel, and is not run: make a copy of your own \
             when you trust it",
            file.display()
        ));
    }
    let open = open_to_all(file, &trusted())?;
    Some(format!(
        "{} is not run: {open}. Remedy: {}",
        file.display(),
        open.remedy()
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn an_open_folder_of_the_library_or_the_toolchain_is_named_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o700);
        let library = folder.path().join("lib-swath");
        let toolchain = folder.path().join("toolchain");
        let target = format!(
            "lib/rustlib/{}-unknown-linux-gnu/lib",
            std::env::consts::ARCH
        );
        for inner in ["bin", &target] {
            std::fs::create_dir_all(toolchain.join(inner)).unwrap();
        }
        std::fs::create_dir_all(library.join("deps")).unwrap();
        for file in [
            library.join("deps/a.rmeta"),
            toolchain.join("bin/rustc"),
            toolchain.join("lib/librustc_driver.so"),
        ] {
            std::fs::write(&file, "").unwrap();
            chmod(&file, 0o644);
        }
        let found = || first_open("the library", &[], std::slice::from_ref(&library));
        assert_eq!(found(), None);
        assert_eq!(of_toolchain(&toolchain), None);

        chmod(&library.join("deps/a.rmeta"), 0o666);
        let finding = found().unwrap();
        assert_eq!(finding.open.path, library.join("deps/a.rmeta"));
        let told = check(&[finding]).unwrap_err();
        assert!(
            told.contains("the library") && told.contains("chmod o-w") && told.contains("a.rmeta"),
            "{told}"
        );
        chmod(&toolchain.join("lib/librustc_driver.so"), 0o646);
        let driver = of_toolchain(&toolchain).unwrap();
        assert_eq!(driver.open.path, toolchain.join("lib/librustc_driver.so"));
        chmod(&toolchain.join("lib/librustc_driver.so"), 0o644);
        chmod(&toolchain.join(&target), 0o777);
        let std = of_toolchain(&toolchain).unwrap();
        assert_eq!(std.open.path, toolchain.join(&target));
    }

    #[test]
    fn a_startup_file_that_all_can_write_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o700);
        let file = folder.path().join("prelude.rs");
        std::fs::write(&file, "let n = 1;").unwrap();
        chmod(&file, 0o644);
        assert_eq!(distrust(&file), None);
        assert_eq!(distrust(&folder.path().join("missing")), None);
        chmod(&file, 0o666);
        let told = distrust(&file).unwrap();
        assert!(
            told.contains("is not run") && told.contains("chmod o-w"),
            "{told}"
        );
    }
}
