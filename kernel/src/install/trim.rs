//! The part of a toolchain and of the library's metadata that cells need, copied to where everybody can read it.
//!
//! The compiler itself is asked which files it reads for a cell. Everything else stays behind: the standard library's
//! objects (cells link to the shared one), sanitizers, LLVM's tools, crates of build scripts and macros.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::elf::{self, Keep};
use super::files;
use crate::toolchain::Toolchain;

/// The folder of the toolchain beside the programs.
pub(super) const TOOLCHAIN_FOLDER: &str = "toolchain";
/// How the library's folder names it.
pub(super) const RELATIVE_TOOLCHAIN: &str = "../toolchain";

/// Everything that a cell can name, and so all crates that the compiler reads for any cell.
const ALL_CRATES: &str =
    "#![feature(test)]\nextern crate proc_macro;\nextern crate test;\nextern crate swath;\n";
/// The crates of the standard library whose sources completion reads. `std::arch` alone is twice as large.
const SOURCES: [&str; 12] = [
    "alloc",
    "backtrace",
    "core",
    "panic_abort",
    "panic_unwind",
    "portable-simd",
    "proc_macro",
    "std",
    "std_detect",
    "sysroot",
    "test",
    "unwind",
];
/// Folders of sources that nobody completes.
const UNUSED_SOURCES: [&str; 4] = ["tests", "benches", "examples", "stdarch"];
/// What brings the standard library's own code into crates that cells add, but nothing that only other programs use.
const UNUSED_OBJECTS: [&str; 2] = ["librustc-", "libprofiler_builtins"];

/// The files that the compiler reads for a cell that names every crate it can.
///
/// # Errors
/// When the library and the compiler do not belong together, or the compiler cannot be run.
pub(super) fn files_of_a_cell(
    toolchain: &Toolchain,
    library: &Path,
) -> Result<BTreeSet<PathBuf>, String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let (source, list) = (scratch.path().join("all.rs"), scratch.path().join("all.d"));
    let cannot = |error: std::io::Error| format!("the temporary folder cannot be used: {error}");
    std::fs::write(&source, ALL_CRATES).map_err(cannot)?;
    let named = |file: &str| format!("--extern=swath={}", library.join(file).display());
    let output = Command::new(toolchain.tool("rustc"))
        .args(["--edition=2024", "--crate-type=lib", "-Cprefer-dynamic"])
        .arg("-Zbinary-dep-depinfo")
        .arg(format!("--emit=dep-info={}", list.display()))
        .args([named("libswath.rmeta"), named("libswath.so")])
        .arg(format!("-Ldependency={}", library.join("deps").display()))
        .arg(&source)
        .env("RUSTC_BOOTSTRAP", "1")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("rustc cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "the library and the compiler do not belong together: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let text = std::fs::read_to_string(&list).map_err(cannot)?;
    Ok(text
        .lines()
        .filter_map(|line| line.strip_suffix(':'))
        .map(|path| PathBuf::from(path.replace("\\ ", " ")))
        .filter(|path| *path != source)
        .map(|path| path.canonicalize().unwrap_or(path))
        .collect())
}

/// Copies the library's folder with the metadata that cells need.
///
/// # Errors
/// Which file cannot be copied.
pub(super) fn copy_library(
    from: &Path,
    to: &Path,
    needed: &BTreeSet<PathBuf>,
) -> Result<(), String> {
    files::make_folder(&to.join("deps"))?;
    for name in ["libswath.rmeta", "rustc-version"] {
        files::copy_file(&from.join(name), &to.join(name))?;
    }
    copy_stripped(
        &from.join("libswath.so"),
        &to.join("libswath.so"),
        Keep::Nothing,
    )?;
    for file in files::list(&from.join("deps"))? {
        let real = file.canonicalize().unwrap_or_else(|_| file.clone());
        let Some(name) = file.file_name().filter(|_| needed.contains(&real)) else {
            continue;
        };
        // A macro's metadata is nowhere else.
        copy_stripped(&file, &to.join("deps").join(name), Keep::Metadata)?;
    }
    // GDAL and its tables, where they were brought along: see `natives`.
    for name in ["swath-api", "swath-help", "lib", "share"] {
        if from.join(name).is_dir() {
            files::copy_tree(&from.join(name), &to.join(name))?;
        }
    }
    files::write(&to.join("toolchain"), format!("{RELATIVE_TOOLCHAIN}\n"))
}

/// The compiler's own libraries, in a toolchain that is one folder, as those of rustup are.
///
/// # Errors
/// When they lie elsewhere.
pub(super) fn is_whole(toolchain: &Toolchain) -> Result<Vec<PathBuf>, String> {
    let folder = toolchain.sysroot.join("lib");
    let folder = folder.canonicalize().unwrap_or(folder);
    let compiler: Vec<PathBuf> = files::list(&folder)
        .unwrap_or_default()
        .into_iter()
        // One of them is a text for linkers.
        .filter(|path| has_prefix(path, &["librustc_driver-", "libLLVM"]) && is_large(path))
        .collect();
    if compiler
        .iter()
        .any(|path| has_prefix(path, &["librustc_driver-"]))
    {
        return Ok(compiler);
    }
    Err(format!(
        "the compiler in {} keeps its libraries elsewhere and cannot be brought along: build with a toolchain of rustup, \
         or give --without-toolchain",
        toolchain.sysroot.display()
    ))
}

/// Copies the compiler, and cargo with what it needs when `with_cargo` says so.
///
/// # Errors
/// What the toolchain lacks, or which file cannot be copied.
pub(super) fn copy_toolchain(
    toolchain: &Toolchain,
    to: &Path,
    needed: &BTreeSet<PathBuf>,
    with_cargo: bool,
) -> Result<(), String> {
    let from = toolchain
        .sysroot
        .canonicalize()
        .map_err(|error| format!("{error}: {}", toolchain.sysroot.display()))?;
    let standard_library = toolchain
        .standard_library_folder()
        .and_then(|folder| folder.canonicalize().ok())
        .ok_or("the toolchain has no shared standard library (libstd-*.so)")?;
    let inside = |path: &Path| path.strip_prefix(&from).map(Path::to_owned).ok();
    let mut wanted: BTreeSet<PathBuf> = needed.iter().filter_map(|path| inside(path)).collect();
    wanted.insert("bin/rustc".into());
    let compiler = is_whole(toolchain)?;
    wanted.extend(compiler.iter().filter_map(|path| inside(path)));
    let objects = files::list(&standard_library)?;
    let shared = objects.iter().filter(|path| {
        has_prefix(path, &["libstd-"]) && path.extension().is_some_and(|it| it == "so")
    });
    wanted.extend(shared.filter_map(|path| inside(path)));
    let tools = standard_library.with_file_name("bin");
    wanted.extend(inside(&tools.join("rust-lld")).filter(|path| from.join(path).is_file()));
    if with_cargo {
        let cargo = from.join("bin/cargo");
        if !cargo.is_file() {
            return Err(format!(
                "there is no cargo to bring along: {}",
                cargo.display()
            ));
        }
        wanted.insert("bin/cargo".into());
        wanted
            .extend(inside(&tools.join("gcc-ld/ld.lld")).filter(|path| from.join(path).is_file()));
        let used = objects
            .iter()
            .filter(|path| path.is_file() && !has_prefix(path, &UNUSED_OBJECTS));
        wanted.extend(used.filter_map(|path| inside(path)));
    }
    for path in wanted {
        let target = to.join(&path);
        files::make_folder(target.parent().unwrap_or(to))?;
        copy_stripped(&from.join(&path), &target, Keep::Nothing)?;
    }
    copy_sources(&from, to)?;
    copy_licenses(&from, to)
}

/// Copies the standard library's sources, which completion reads. Without the manifest of all of them nobody asks cargo,
/// which would want to fetch what they depend on.
fn copy_sources(from: &Path, to: &Path) -> Result<(), String> {
    const PLACE: &str = "lib/rustlib/src/rust/library";
    let given = std::env::var_os("RUST_SRC_PATH").map(PathBuf::from);
    let found = std::iter::once(from.join(PLACE))
        .chain(given)
        .find(|it| it.join("std").is_dir());
    let Some(sources) = found else {
        // Completion knows less then, which `swath doctor` tells.
        return Ok(());
    };
    let to = to.join(PLACE);
    for name in SOURCES {
        if sources.join(name).is_dir() {
            copy_source_tree(&sources.join(name), &to.join(name))?;
        }
    }
    Ok(())
}

fn copy_source_tree(from: &Path, to: &Path) -> Result<(), String> {
    files::make_folder(to)?;
    for path in files::list(from)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.is_dir() {
            if !UNUSED_SOURCES.contains(&name) {
                copy_source_tree(&path, &to.join(name))?;
            }
        } else if [".rs", ".toml"].iter().any(|ending| name.ends_with(ending)) {
            files::copy_file(&path, &to.join(name))?;
        }
    }
    Ok(())
}

/// Whoever hands the compiler on hands its licenses on.
fn copy_licenses(from: &Path, to: &Path) -> Result<(), String> {
    const PLACE: &str = "share/doc/rust";
    for path in files::list(&from.join(PLACE)).unwrap_or_default() {
        let is_license = has_prefix(&path, &["COPYRIGHT", "LICENSE", "licenses"]);
        let Some(name) = path.file_name().filter(|_| is_license) else {
            continue;
        };
        let target = to.join(PLACE).join(name);
        if path.is_dir() {
            files::copy_tree(&path, &target)?;
        } else {
            files::make_folder(&to.join(PLACE))?;
            copy_compressed(&path, &target)?;
        }
    }
    Ok(())
}

/// The list of all who wrote the compiler is 14 MB of which little differs.
fn copy_compressed(from: &Path, to: &Path) -> Result<(), String> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    let text = files::read(from)?;
    let compressed = writer.write_all(&text).and_then(|()| writer.finish());
    let compressed =
        compressed.map_err(|error| files::failed("cannot be compressed", from, &error))?;
    files::write(&to.with_added_extension("gz"), compressed)
}

fn is_large(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.len() > 1 << 16)
}

fn has_prefix(path: &Path, prefixes: &[&str]) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
}

/// Copies a file without its symbols, if it has any.
pub(super) fn copy_stripped(from: &Path, to: &Path, keep: Keep) -> Result<(), String> {
    let bytes = files::read(from)?;
    let Some(small) = elf::stripped(&bytes, keep) else {
        return files::copy_file(from, to);
    };
    files::write(to, &small)?;
    let mode = std::fs::metadata(from).map(|about| about.permissions());
    mode.and_then(|mode| std::fs::set_permissions(to, mode))
        .map_err(|error| files::failed("the file's mode cannot be set", to, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rustc(folder: &Path, arguments: &[&str]) {
        let compiled = Command::new("rustc")
            .args(["--edition=2024", "-Cprefer-dynamic"])
            .args(arguments)
            .current_dir(folder)
            .status();
        assert!(compiled.unwrap().success(), "{arguments:?}");
    }

    /// A library with two crates below it, one of which its metadata mentions.
    fn library(folder: &Path) -> PathBuf {
        let library = folder.join("lib-swath");
        std::fs::create_dir_all(library.join("deps")).unwrap();
        std::fs::create_dir_all(library.join("swath-api/src")).unwrap();
        for (name, text) in [
            ("needed.rs", "pub struct Needed(pub u32);"),
            ("other.rs", "pub struct Other;"),
            (
                "swath.rs",
                "pub fn needed() -> needed::Needed { needed::Needed(7) }",
            ),
            ("lib-swath/swath-api/src/lib.rs", "// sources"),
            ("lib-swath/rustc-version", "rustc 1"),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        for name in ["needed", "other"] {
            let emit =
                format!("--emit=metadata=lib-swath/deps/lib{name}.rmeta,link=lib{name}.rlib");
            rustc(folder, &["--crate-type=rlib", &emit, &format!("{name}.rs")]);
        }
        rustc(
            folder,
            &[
                "--crate-type=dylib",
                "--emit=metadata=lib-swath/libswath.rmeta,link=lib-swath/libswath.so",
                "--extern=needed=libneeded.rlib",
                "swath.rs",
            ],
        );
        library
    }

    #[test]
    fn the_compiler_names_what_it_reads_and_nothing_else_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let library = library(folder.path());
        let toolchain = Toolchain::from_search_path().unwrap();
        let needed = files_of_a_cell(&toolchain, &library).unwrap();
        let names = |prefix: &str| {
            needed
                .iter()
                .filter(|path| has_prefix(path, &[prefix]))
                .count()
        };
        assert_eq!((names("libneeded"), names("libother")), (1, 0));
        assert!(names("libcore-") == 1 && names("libproc_macro-") == 1);
        assert!(
            needed
                .iter()
                .all(|path| path.extension().is_none_or(|it| it != "rlib"))
        );

        let copy = folder.path().join("copy");
        copy_library(&library, &copy, &needed).unwrap();
        assert!(copy.join("deps/libneeded.rmeta").exists());
        assert!(!copy.join("deps/libother.rmeta").exists());
        assert_eq!(
            std::fs::read_to_string(copy.join("toolchain")).unwrap(),
            "../toolchain\n"
        );
        assert!(copy.join("swath-api/src/lib.rs").exists());
        // The copy is whole: what it is asked for again is the same.
        let again = files_of_a_cell(&toolchain, &copy).unwrap();
        assert_eq!(again.len(), needed.len());
    }

    #[test]
    fn a_library_of_another_compiler_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let library = library(folder.path());
        for name in ["libswath.rmeta", "libswath.so"] {
            std::fs::write(library.join(name), "rust").unwrap();
        }
        let toolchain = Toolchain::from_search_path().unwrap();
        let error = files_of_a_cell(&toolchain, &library).unwrap_err();
        assert!(error.contains("do not belong together"), "{error}");
    }
}
