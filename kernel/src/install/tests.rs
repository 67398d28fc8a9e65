use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::paths;

/// What looks like a build, for what does not ask the compiler.
fn build(folder: &Path, mark: &str) -> PathBuf {
    let built = folder.join("build");
    std::fs::create_dir_all(built.join("lib-swath/deps")).unwrap();
    std::fs::create_dir_all(built.join("lib-swath/swath-api/src")).unwrap();
    for name in [
        "swath",
        "swath-cell",
        "lib-swath/libswath.so",
        "lib-swath/libswath.rmeta",
        "lib-swath/deps/a.rmeta",
    ] {
        std::fs::write(built.join(name), mark).unwrap();
    }
    std::fs::write(built.join("lib-swath/swath-api/src/lib.rs"), mark).unwrap();
    let toolchain = Toolchain::from_search_path().unwrap();
    std::fs::write(
        built.join("lib-swath/toolchain"),
        toolchain.sysroot.to_str().unwrap(),
    )
    .unwrap();
    built
}

fn options(prefix: &Path, name: &str) -> InstallOptions {
    InstallOptions {
        place: Place::Prefix(prefix.to_owned()),
        name: name.to_owned(),
        display_name: "Rust \"Swath\"".to_owned(),
        env: vec![("SWATH_TEST".to_owned(), "a=b \\ c".to_owned())],
        bring: Bring::Nothing,
        side_by_side: false,
        spec_only: false,
    }
}

fn install_version(built: &Path, options: &InstallOptions) -> Result<Installed, String> {
    install_from(built, options, env!("CARGO_PKG_VERSION"))
}

fn spec_of(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("kernel.json")).unwrap()).unwrap()
}

#[test]
fn an_installation_is_complete_absolute_and_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("the prefix");
    let built = build(folder.path(), "one");
    let first = install_version(&built, &options(&prefix, "swath")).unwrap();
    std::fs::write(first.program_folder.join("left-over"), "").unwrap();
    let built = build(folder.path(), "two");
    let installed = install_version(&built, &options(&prefix, "swath")).unwrap();

    assert_eq!(
        std::fs::read_to_string(installed.program_folder.join("lib-swath/deps/a.rmeta")).unwrap(),
        "two"
    );
    assert_eq!(
        installed.program_folder,
        prefix.join("lib/swath").join(env!("CARGO_PKG_VERSION"))
    );
    assert!(!installed.program_folder.join("left-over").exists());
    assert_eq!(
        std::fs::read_dir(prefix.join("lib/swath")).unwrap().count(),
        1,
        "nothing temporary is left"
    );
    let spec = spec_of(&installed.spec_folder);
    assert_eq!(
        spec["argv"][0],
        installed.program_folder.join("swath").to_str().unwrap()
    );
    assert_eq!(spec["argv"][3], "{connection_file}");
    assert_eq!(spec["display_name"], "Rust \"Swath\"");
    assert_eq!(spec["interrupt_mode"], "message");
    assert_eq!(spec["env"]["SWATH_TEST"], "a=b \\ c");
    for logo in ["logo-32x32.png", "logo-64x64.png", "logo-svg.svg"] {
        assert!(
            installed.spec_folder.join(logo).metadata().unwrap().len() > 100,
            "{logo}"
        );
    }
}

#[test]
fn programs_stay_until_their_last_kernelspec_goes() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let built = build(folder.path(), "one");
    let programs = install_version(&built, &options(&prefix, "swath"))
        .unwrap()
        .program_folder;
    install_version(&programs, &options(&prefix, "swath-2")).unwrap();
    let place = Place::Prefix(prefix.clone());
    assert_eq!(uninstall(&place, "swath").unwrap().removed.len(), 1);
    assert!(programs.join("swath").exists());
    assert_eq!(
        std::fs::canonicalize(prefix.join("bin/swath")).unwrap(),
        std::fs::canonicalize(programs.join("swath")).unwrap()
    );
    let done = uninstall(&place, "swath-2").unwrap();
    assert_eq!((done.removed.len(), done.left), (3, Vec::new()));
    assert!(!prefix.join("lib/swath").exists());
    assert!(prefix.join("bin/swath").symlink_metadata().is_err());
    assert!(
        uninstall(&place, "swath")
            .unwrap_err()
            .contains("found: none")
    );
}

#[test]
fn uninstalling_leaves_what_others_have_put_there_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let built = build(folder.path(), "one");
    let installed = install_version(&built, &options(&prefix, "swath")).unwrap();
    let mine = installed.program_folder.join("lib-swath/deps/mine.rmeta");
    std::fs::write(&mine, "").unwrap();
    let note = installed.spec_folder.join("note.txt");
    std::fs::write(&note, "").unwrap();
    let done = uninstall(&Place::Prefix(prefix), "swath").unwrap();
    assert_eq!(done.left, [note.clone(), mine.clone()]);
    assert!(mine.exists() && note.exists());
    assert!(!installed.program_folder.join("swath").exists());
    assert!(!installed.spec_folder.join("kernel.json").exists());
}

#[test]
fn versions_lie_side_by_side_only_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let built = build(folder.path(), "one");
    let plain = options(&prefix, "swath");
    let both = InstallOptions {
        side_by_side: true,
        ..plain.clone()
    };
    install_from(&built, &plain, "1.0.0").unwrap();
    let second = install_from(&built, &both, "1.1.0").unwrap();
    assert!(
        second.notes[0].contains("swath-1.0.0"),
        "{:?}",
        second.notes
    );
    let specs = installed_specs(&prefix.join("share/jupyter/kernels"));
    let expected = [
        ("swath".to_owned(), prefix.join("lib/swath/1.1.0/swath")),
        (
            "swath-1.0.0".to_owned(),
            prefix.join("lib/swath/1.0.0/swath"),
        ),
    ];
    assert_eq!(specs, expected);
    let old = spec_of(&prefix.join("share/jupyter/kernels/swath-1.0.0"));
    assert_eq!(old["display_name"], "Rust \"Swath\" 1.0.0");
    // The command is that of the newest, and of what is left when it goes.
    let command = || std::fs::canonicalize(prefix.join("bin/swath")).unwrap();
    assert!(command().ends_with("1.1.0/swath"));
    let place = Place::Prefix(prefix.clone());
    let done = uninstall(&place, "swath").unwrap();
    assert!(done.removed.contains(&prefix.join("lib/swath/1.1.0")));
    assert!(command().ends_with("1.0.0/swath"));

    // Otherwise a version goes with the last kernel that starts it.
    let third = InstallOptions {
        name: "swath-1.0.0".to_owned(),
        ..plain
    };
    let third = install_from(&built, &third, "1.2.0").unwrap();
    assert!(third.notes[0].contains("1.0.0"), "{:?}", third.notes);
    assert!(!prefix.join("lib/swath/1.0.0").exists());
    assert!(prefix.join("lib/swath/1.2.0").exists());
}

#[test]
fn programs_without_a_version_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let built = build(folder.path(), "one");
    // As they were installed before versions had folders.
    let old = prefix.join("lib/swath");
    files::copy_tree(&built, &old).unwrap();
    let kernels = prefix.join("share/jupyter/kernels/swath");
    std::fs::create_dir_all(&kernels).unwrap();
    spec::write(&kernels, old.join("swath").to_str().unwrap(), "Rust", &[]).unwrap();
    let installed = install_version(&built, &options(&prefix, "swath")).unwrap();
    assert!(
        installed.notes[0].contains("earlier version"),
        "{:?}",
        installed.notes
    );
    let left: Vec<PathBuf> = files::list(&old).unwrap();
    assert_eq!(left, [installed.program_folder]);
}

#[test]
fn a_kernelspec_alone_starts_the_programs_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared");
    let built = build(folder.path(), "one");
    let programs = install_version(&built, &options(&shared, "swath"))
        .unwrap()
        .program_folder;
    let home = folder.path().join("home");
    let alone = InstallOptions {
        spec_only: true,
        ..options(&home, "swath")
    };
    let installed = install_version(&programs, &alone).unwrap();
    assert_eq!(
        spec_of(&installed.spec_folder)["argv"][0],
        programs.join("swath").to_str().unwrap()
    );
    assert!(!home.join("lib").exists() && !home.join("bin").exists());
    let done = uninstall(&Place::Prefix(home), "swath").unwrap();
    assert_eq!(done.removed, [installed.spec_folder]);
    assert!(
        programs.join("swath").exists(),
        "they belong to somebody else"
    );
}

#[test]
fn a_kernelspec_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("share/jupyter/kernels/python3");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(
        other.join("kernel.json"),
        r#"{"argv": ["python3"], "language": "python"}"#,
    )
    .unwrap();
    assert!(uninstall(&Place::Prefix(folder.path().to_owned()), "python3").is_err());
    // Nor is its place taken; a file that nobody can read is nobody's.
    let built = build(folder.path(), "one");
    let error = install_version(&built, &options(folder.path(), "python3")).unwrap_err();
    assert!(
        error.contains("(python3)") && error.contains("--name"),
        "{error}"
    );
    assert_eq!(spec_of(&other)["language"], "python");
    assert!(!folder.path().join("lib").exists(), "nothing was installed");
    std::fs::write(other.join("kernel.json"), "{\"argv\": [").unwrap();
    let installed = install_version(&built, &options(folder.path(), "python3")).unwrap();
    assert_eq!(spec_of(&installed.spec_folder)["language"], "rust");
}

#[test]
fn an_incomplete_build_and_a_bad_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let built = build(folder.path(), "one");
    std::fs::remove_file(built.join("swath-cell")).unwrap();
    let error = install_version(&built, &options(folder.path(), "swath")).unwrap_err();
    assert!(error.contains("swath-cell is missing"), "{error}");
    assert!(install_version(&built, &options(folder.path(), "../x")).is_err());
    assert!(install_version(&built, &options(folder.path(), "")).is_err());
}

#[test]
fn a_build_that_does_not_fit_its_compiler_is_not_installed_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let built = build(folder.path(), "one");
    let options = InstallOptions {
        bring: Bring::Compiler,
        ..options(&prefix, "swath")
    };
    let error = install_version(&built, &options).unwrap_err();
    assert!(error.contains("do not belong together"), "{error}");
    assert!(!prefix.join("share/jupyter/kernels/swath").exists());
    assert_eq!(
        files::list(&prefix.join("lib/swath")).unwrap(),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn a_relative_kernelspec_is_understood_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let kernels = folder.path().join("share/jupyter/kernels");
    let program = folder.path().join("lib/swath/1.0.0/swath");
    std::fs::create_dir_all(kernels.join("swath")).unwrap();
    let argument = spec::relative_program(&kernels.join("swath"), &program).unwrap();
    assert_eq!(argument, "{resource_dir}/../../../../lib/swath/1.0.0/swath");
    spec::write(&kernels.join("swath"), &argument, "Rust", &[]).unwrap();
    assert_eq!(installed_specs(&kernels), [("swath".to_owned(), program)]);
    let moved = folder.path().join("elsewhere");
    std::fs::create_dir(&moved).unwrap();
    std::fs::rename(folder.path().join("share"), moved.join("share")).unwrap();
    let found = installed_specs(&moved.join("share/jupyter/kernels"));
    assert_eq!(found[0].1, moved.join("lib/swath/1.0.0/swath"));
}

#[test]
fn folders_made_for_others_are_open_and_go_again() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("a/prefix");
    let places = Place::Prefix(prefix.clone()).resolve().unwrap();
    let made = make_parents(&places, true).unwrap();
    assert!(made.contains(&prefix) && made.contains(&prefix.join("bin")));
    for folder in &made {
        assert_eq!(
            folder.metadata().unwrap().permissions().mode() & 0o777,
            0o755
        );
    }
    let manifest = Manifest {
        made: made
            .iter()
            .map(|it| paths::relative(&places.programs, it))
            .collect(),
        ..Manifest::default()
    };
    std::fs::create_dir_all(&places.programs).unwrap();
    std::fs::write(places.programs.join("swath"), "").unwrap();
    let manifest = Manifest {
        files: Manifest::of(&places.programs).unwrap().files,
        ..manifest
    };
    manifest.write(&places.programs).unwrap();
    let spec_folder = places.kernels.join("swath");
    std::fs::create_dir_all(&spec_folder).unwrap();
    let argument = spec::relative_program(&spec_folder, &places.programs.join("swath")).unwrap();
    spec::write(&spec_folder, &argument, "Rust", &[]).unwrap();
    // Moved as a whole, as an administrator may do it.
    let moved = folder.path().join("b");
    std::fs::rename(folder.path().join("a"), &moved).unwrap();
    uninstall(&Place::Prefix(moved.join("prefix")), "swath").unwrap();
    assert!(!moved.exists(), "{:?}", files::list(&moved));
}
