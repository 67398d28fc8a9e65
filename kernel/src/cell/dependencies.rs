//! The crates that cells have added, built once as one shared object: a crate of our own that names them all. Cells are
//! then compiled as without dependencies, with one rustc and one link, and the crates' statics are there once.
//!
//! A set of dependencies is known by what the cells' manifest says of them (its key). What was built for it stays in
//! the session's folder, so that a set that failed, or one of an earlier moment, costs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sha2::{Digest, Sha256};
use swath_link::exchange::{self, SessionConfig};
use swath_link::record::{self, Record, Watched};

use crate::identity;
use crate::natives;
use crate::progress::{self, Progress};

/// The crate that gathers the others.
pub(crate) const CRATE_NAME: &str = "swath_dependencies";
/// Left by the compiler's wrapper when all crates compile, and only the gathering of them fails.
const GATHERING_FAILED: &str = "gathering-failed";
/// Where the compiler's wrapper says how the gathering crate was compiled.
const ARGUMENTS: &str = "arguments.json";
/// The file beside a cell's object that tells its process what to open first (`src/rt/shared_objects.rs`).
const SHARED_OBJECTS: &str = "shared-objects";

/// What evcxr's manifest says.
pub(crate) struct Manifest {
    pub(crate) opt_level: String,
    /// The lines of its profile.
    profile: String,
    /// The lines of its dependencies, by name.
    dependencies: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the manifest; `None` when it holds anything that evcxr does not write by itself.
    pub(crate) fn read(crate_dir: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(crate_dir.join("Cargo.toml")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, dependencies) = text.split_once("[dependencies]")?;
        let (_, profile) = head.split_once("[profile.dev]")?;
        let opt_level = profile
            .lines()
            .find_map(|line| line.strip_prefix("opt-level = "))?
            .trim()
            .trim_matches('"')
            .to_owned();
        let is_level = ["0", "1", "2", "3", "s", "z"].contains(&opt_level.as_str());
        let dependencies: Option<BTreeMap<String, String>> = dependencies
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let (name, _) = line.split_once('=')?;
                Some((name.trim().to_owned(), line.to_owned()))
            })
            .collect();
        Some(Self {
            opt_level: is_level.then_some(opt_level)?,
            profile: profile.to_owned(),
            dependencies: dependencies?,
        })
    }

    pub(crate) fn knows_swath(&self) -> bool {
        self.dependencies.contains_key("swath")
    }

    pub(crate) fn has_others(&self) -> bool {
        self.dependencies.keys().any(|name| name != "swath")
    }

    /// The manifest of the gathering crate.
    fn gathering(&self) -> String {
        let others = self
            .dependencies
            .iter()
            .filter(|(name, _)| *name != "swath");
        let lines: Vec<&str> = others.map(|(_, line)| line.as_str()).collect();
        format!(
            "[package]\nname = \"{CRATE_NAME}\"\nversion = \"1.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [lib]\ncrate-type = [\"dylib\"]\npath = \"lib.rs\"\n\n[profile.dev]{}\n[workspace]\n\n\
             [dependencies]\n{}\n",
            self.profile,
            lines.join("\n")
        )
    }
}

/// Why a set of dependencies cannot be used, as cargo says it.
pub(crate) struct Failure(pub(crate) String);

/// The dependencies' key and what was built for them; built now when they are new, or when `refresh` says to look whether
/// path dependencies were edited.
pub(crate) fn ensure(
    session: &Path,
    config: &SessionConfig,
    manifest: &Manifest,
    arguments: &[OsString],
    refresh: bool,
) -> Result<(String, Record), Failure> {
    let gathering = manifest.gathering();
    let key = key(config, &gathering, arguments);
    let path = record::record_path(session, &key);
    if let Ok(record) = exchange::read::<Record>(&path)
        && record.object.as_ref().is_none_or(|object| object.exists())
        && !(refresh && record.is_outdated())
    {
        return Ok((key, record));
    }
    let (record, natives) = build(session, config, &gathering, arguments)?;
    std::fs::create_dir_all(path.parent().unwrap_or(session))
        .and_then(|()| write_natives(&record::natives_path(session, &key), &natives))
        .and_then(|()| exchange::write(&path, &record))
        .map_err(|error| Failure(format!("error: cannot write {}: {error}", path.display())))?;
    Ok((key, record))
}

/// What tells one set of dependencies from another, with all that changes how they are built.
fn key(config: &SessionConfig, gathering: &str, arguments: &[OsString]) -> String {
    let mut hash = Sha256::new();
    hash.update(gathering);
    for argument in arguments {
        hash.update(argument.as_encoded_bytes());
    }
    let settings = config.crate_dir.join(".cargo/config.toml");
    hash.update(std::fs::read(settings).unwrap_or_default());
    let flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
    hash.update(flags.as_encoded_bytes());
    let digits = hash.finalize();
    digits
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn write_natives(path: &Path, natives: &BTreeSet<String>) -> std::io::Result<()> {
    let lines: Vec<&str> = natives.iter().map(String::as_str).collect();
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ if lines.is_empty() => Ok(()),
        _ => std::fs::write(path, lines.join("\n")),
    }
}

/// Whether a cell's object calls code of another language inside the dependencies. That is told once.
pub(crate) fn calls_natives(session: &Path, key: &str, object: &Path) -> bool {
    let path = record::natives_path(session, key);
    let Ok(lines) = std::fs::read_to_string(&path) else {
        return false;
    };
    let symbols: BTreeSet<&str> = lines.lines().collect();
    let calls = std::fs::read(object).is_ok_and(|object| natives::mentions(&object, &symbols));
    let told = path.with_extension("told");
    if calls && !told.exists() && std::fs::write(told, "").is_ok() {
        Progress::open(session).show(
            "note: a cell that calls code of another language inside a crate by itself, as this one does, gets copies \
             of the crates of its own: it is slower, and their statics begin anew in it",
        );
    }
    calls
}

fn folder(config: &SessionConfig) -> PathBuf {
    config.crate_dir.join("dependencies")
}

fn build(
    session: &Path,
    config: &SessionConfig,
    gathering: &str,
    arguments: &[OsString],
) -> Result<(Record, BTreeSet<String>), Failure> {
    if !config.cargo.is_file() {
        return Err(Failure(crate::cargo::NO_CARGO.to_owned()));
    }
    let folder = folder(config);
    let lock_file = folder.join("Cargo.lock");
    let lock_before = std::fs::read(&lock_file).ok();
    let mut progress = Progress::open(session);
    let result = prepare(&folder, gathering)
        .and_then(|()| progress::run(&mut cargo(config, &folder, arguments), &mut progress))
        .map_err(|error| Failure(format!("error: cargo cannot run: {error}")))
        .and_then(|outcome| {
            let record = finish(config, &folder, &outcome, &mut progress)?;
            Ok((record, natives::symbols(&outcome.messages)))
        });
    if result.is_err() {
        // What the crates of before were resolved to must not depend on one that failed.
        let _ = match lock_before {
            Some(text) => std::fs::write(&lock_file, text),
            None => std::fs::remove_file(&lock_file),
        };
    }
    result
}

fn prepare(folder: &Path, gathering: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let _ = std::fs::remove_file(folder.join(GATHERING_FAILED));
    std::fs::write(folder.join("Cargo.toml"), gathering)?;
    // New each time, so that cargo links anew: the object of the last time has gone elsewhere.
    std::fs::write(folder.join("lib.rs"), format!("// {}\n", unique()))
}

fn unique() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_nanos()
}

/// evcxr's own call of cargo, for the gathering crate.
fn cargo(config: &SessionConfig, folder: &Path, arguments: &[OsString]) -> Command {
    let target = config.crate_dir.join("target");
    let kept = arguments
        .iter()
        .filter(|argument| !argument.as_encoded_bytes().starts_with(b"--message-format"));
    let mut command = crate::cargo::command(config);
    command
        .args(kept)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_BUILD_BUILD_DIR", &target);
    command
}

/// Makes the record of what cargo has built.
fn finish(
    config: &SessionConfig,
    folder: &Path,
    outcome: &progress::Outcome,
    progress: &mut Progress,
) -> Result<Record, Failure> {
    if let Some(name) = outcome
        .warnings
        .iter()
        .find_map(|line| without_library(line))
    {
        return Err(Failure(format!(
            "error: the package `{name}` has no library that a cell could use"
        )));
    }
    let mut record = gather(&outcome.messages);
    if outcome.succeeded {
        let arguments: Arguments = exchange::read(&folder.join(ARGUMENTS))
            .map_err(|error| Failure(format!("error: the build left no arguments: {error}")))?;
        (record.externs, record.searches) = (arguments.externs, arguments.searches);
        let object = move_object(config, &outcome.messages);
        record.object = Some(object.map_err(|error| {
            Failure(format!("error: the shared object cannot be moved: {error}"))
        })?);
        return Ok(record);
    }
    if folder.join(GATHERING_FAILED).exists() {
        progress.show(
            "note: these crates cannot be one shared object, so each cell gets copies of its own: cells are slower, and \
             the crates' statics (loggers, counters, thread pools) begin anew in every cell",
        );
        return Ok(record);
    }
    Err(Failure(if outcome.errors.is_empty() {
        "error: cargo failed without a word".to_owned()
    } else {
        without_our_crate(&outcome.errors)
    }))
}

/// The package of which cargo says that nothing can depend on it.
fn without_library(warning: &str) -> Option<&str> {
    let (_, rest) = warning.split_once("ignoring invalid dependency `")?;
    let (name, rest) = rest.split_once('`')?;
    rest.contains("missing a lib target").then_some(name)
}

/// cargo's errors without what they say of the gathering crate, which nobody has written.
fn without_our_crate(errors: &str) -> String {
    let ours = format!("package `{CRATE_NAME} v1.0.0 (");
    let mut kept = String::with_capacity(errors.len());
    for line in errors.lines() {
        let about_us = line.split_once(&ours).map(|(before, _)| before.trim());
        let line = match about_us {
            Some("required by" | "... required by") => continue,
            Some(before) => before.strip_suffix(" as a dependency of").unwrap_or(line),
            None => line,
        };
        kept.push_str(&line.replace(&format!("package `{CRATE_NAME}`"), "the notebook"));
        kept.push('\n');
    }
    kept
}

/// What cargo's messages say of each crate.
fn gather(messages: &[Value]) -> Record {
    let mut record = Record::default();
    let mut watched = BTreeSet::new();
    for message in messages {
        let is_local = message["package_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("path+") && !id.contains(CRATE_NAME));
        match message["reason"].as_str() {
            Some("compiler-artifact") => {
                if let Some((name, build)) = crate_of(message) {
                    record.crates.entry(name).or_default().insert(build);
                }
                if is_local {
                    watched.extend(sources(message));
                }
            }
            Some("build-script-executed") if is_local => watched.extend(build_inputs(message)),
            _ => {}
        }
    }
    record.watched = watched.into_iter().map(Watched::of).collect();
    record
}

fn files(message: &Value) -> impl Iterator<Item = &Path> {
    message["filenames"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(Path::new)
}

fn has_extension(path: &Path, wanted: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| wanted.contains(&extension))
}

/// A library's name, and what tells its build from others.
fn crate_of(message: &Value) -> Option<(String, String)> {
    let name = message["target"]["name"].as_str()?.replace('-', "_");
    let file = files(message).find(|file| has_extension(file, &["rlib", "so"]))?;
    let stem = file.file_stem()?.to_string_lossy().into_owned();
    let identity = identity::of_file(file).unwrap_or_default();
    (name != CRATE_NAME).then(|| (name, format!("{stem} {identity}")))
}

/// The files of which a crate on this machine is made.
fn sources(message: &Value) -> Vec<PathBuf> {
    let text = |value: &Value| value.as_str().map(PathBuf::from);
    let Some(manifest) = text(&message["manifest_path"]) else {
        return Vec::new();
    };
    let package = manifest.parent().unwrap_or(Path::new("/")).to_owned();
    let mut found = vec![manifest];
    found.extend(text(&message["target"]["src_path"]));
    for file in files(message).filter(|file| has_extension(file, &["rlib", "so"])) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let list = name.strip_prefix("lib").unwrap_or(&name).to_owned() + ".d";
        let list = std::fs::read_to_string(file.with_file_name(list)).unwrap_or_default();
        found.extend(
            list.lines()
                .filter_map(|line| line.strip_suffix(':'))
                .map(|line| package.join(line.replace("\\ ", " "))),
        );
    }
    found
}

/// The files that a build script asks to be run again for.
fn build_inputs(message: &Value) -> Vec<PathBuf> {
    let Some(output) = message["out_dir"]
        .as_str()
        .and_then(|folder| Path::new(folder).parent())
    else {
        return Vec::new();
    };
    let package = message["package_id"]
        .as_str()
        .and_then(|id| id.strip_prefix("path+file://"))
        .and_then(|rest| rest.rsplit_once('#'))
        .map_or_else(PathBuf::new, |(path, _)| path.into());
    std::fs::read_to_string(output.join("output"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            line.strip_prefix("cargo:")
                .map(|rest| rest.trim_start_matches(':'))
        })
        .filter_map(|line| line.strip_prefix("rerun-if-changed="))
        .map(|path| package.join(path))
        .collect()
}

/// Takes the object away from where cargo links the next one: a file that a process has loaded must not be written to.
fn move_object(config: &SessionConfig, messages: &[Value]) -> std::io::Result<PathBuf> {
    let message = messages
        .iter()
        .find(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == CRATE_NAME
        })
        .unwrap_or(&Value::Null);
    let built = files(message)
        .find(|file| has_extension(file, &["so"]))
        .ok_or_else(|| std::io::Error::other("cargo does not say where it is"))?;
    let target = config.crate_dir.join("target/fast");
    std::fs::create_dir_all(&target)?;
    let object = target.join(format!("dependencies-{}.so", unique()));
    std::fs::rename(built, &object)?;
    // cargo's other name for the same file.
    if let (Some(folder), Some(name)) = (built.parent(), built.file_name()) {
        let _ = std::fs::remove_file(folder.join("deps").join(name));
    }
    Ok(object)
}

/// Has the cells' process open the dependencies' object before the cell's.
pub(crate) fn announce(output_dir: &Path, object: Option<&Path>) -> std::io::Result<()> {
    let list = output_dir.join(SHARED_OBJECTS);
    match object {
        Some(object) => {
            let mut line = object.as_os_str().as_encoded_bytes().to_vec();
            line.push(b'\n');
            std::fs::write(list, line)
        }
        None => match std::fs::remove_file(list) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// What cells need to know of how the gathering crate was compiled.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Arguments {
    externs: Vec<String>,
    searches: Vec<String>,
}

/// In the compiler's place for the gathering crate: writes its source, which names every crate, and compiles it.
pub(crate) fn compile_gathering(rustc: &Path, arguments: &[OsString]) -> ExitCode {
    let gathered = Arguments {
        externs: texts(arguments, "--extern"),
        searches: texts(arguments, "-L")
            .into_iter()
            .filter(|value| !value.starts_with("native="))
            .collect(),
    };
    let source = gathering_source(&gathered.externs);
    if let Err(error) = std::fs::write("lib.rs", source)
        .and_then(|()| exchange::write(Path::new(ARGUMENTS), &gathered))
    {
        eprintln!("error: cannot write the gathering crate: {error}");
        return ExitCode::FAILURE;
    }
    let mut command = Command::new(rustc);
    // Only what is compiled elsewhere is in it.
    command.args(arguments).arg("-Cprefer-dynamic");
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => {
            let _ = std::fs::write(GATHERING_FAILED, "");
            ExitCode::FAILURE
        }
    }
}

fn texts(arguments: &[OsString], flag: &str) -> Vec<String> {
    identity::after_flag(arguments, flag)
        .filter_map(|value| value.to_str().map(str::to_owned))
        .collect()
}

fn gathering_source(externs: &[String]) -> String {
    let mut source = String::from("//! Every crate that cells have added.\n#![allow(warnings)]\n");
    for name in externs.iter().filter_map(|value| value.split('=').next()) {
        // `noprelude:name`, as cargo writes for some.
        let name = name.rsplit(':').next().unwrap_or(name);
        source.push_str(&format!("extern crate r#{name} as _;\n"));
    }
    source
}

/// What evcxr wants to know when a cell says `extern crate`: the libraries that cells can name already, in the form of
/// `cargo metadata`. The sysroot's are among them.
pub(crate) fn library_names(config: &SessionConfig) -> Value {
    let mut names: BTreeSet<String> = ["alloc", "core", "proc_macro", "std", "swath", "test"]
        .map(str::to_owned)
        .into();
    if let Some(manifest) = Manifest::read(&config.crate_dir) {
        names.extend(
            manifest
                .dependencies
                .keys()
                .map(|name| name.replace('-', "_")),
        );
    }
    if let Ok(gathered) = exchange::read::<Arguments>(&folder(config).join(ARGUMENTS)) {
        let externs = gathered.externs.iter();
        names.extend(externs.filter_map(|value| Some(value.split_once('=')?.0.to_owned())));
    }
    let package = |name: &String| {
        serde_json::json!({
            "name": name, "id": name, "dependencies": [], "targets": [{ "kind": ["lib"], "name": name }],
        })
    };
    let mut packages: Vec<Value> = names.iter().map(package).collect();
    let needed: Vec<Value> = names
        .iter()
        .map(|name| serde_json::json!({ "name": name }))
        .collect();
    packages.push(serde_json::json!({
        "name": "ctx", "id": "ctx@", "dependencies": needed, "targets": [],
    }));
    serde_json::json!({ "packages": packages, "workspace_members": ["ctx@"] })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\n[package]\nname = \"ctx\"\n\n[profile.dev]\nopt-level = 2\nlto = false\n\n[dependencies]\n\
                            log = \"0.4\"\nswath = { path = \"/s\" }\n";

    #[test]
    fn the_gathering_crate_depends_on_all_but_the_library() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        assert!(manifest.knows_swath() && manifest.has_others());
        assert_eq!(manifest.opt_level, "2");
        let gathering = manifest.gathering();
        assert!(gathering.contains("log = \"0.4\"") && !gathering.contains("/s"));
        assert!(gathering.contains("opt-level = 2\nlto = false"));
        assert!(Manifest::parse(&MANIFEST.replace("= 2", "= \"fast\"")).is_none());
    }

    #[test]
    fn errors_do_not_speak_of_a_crate_that_nobody_wrote() {
        let text = "error: no matching package named `nosuch` found\nlocation searched: crates.io index\n\
                    required by package `swath_dependencies v1.0.0 (/t/cell/dependencies)`\n";
        assert_eq!(
            without_our_crate(text),
            "error: no matching package named `nosuch` found\nlocation searched: crates.io index\n"
        );
        let text = "error: failed to get `a` as a dependency of package `swath_dependencies v1.0.0 (/t)`\n";
        assert_eq!(without_our_crate(text), "error: failed to get `a`\n");
        let text = "error: no version\n    ... required by package `swath_dependencies v1.0.0 (/t)`\n\
                    package `swath_dependencies` depends on `a` with feature `b`\n";
        assert_eq!(
            without_our_crate(text),
            "error: no version\nthe notebook depends on `a` with feature `b`\n"
        );
    }

    #[test]
    fn a_package_without_a_library_is_known_by_cargos_warning() {
        let warning =
            "fff v0.1.0 (/tmp/f) ignoring invalid dependency `empty` which is missing a lib target";
        assert_eq!(without_library(warning), Some("empty"));
        assert_eq!(without_library("unused manifest key: package.x"), None);
    }

    #[test]
    fn every_crate_is_named_once_whatever_its_name() {
        let source =
            gathering_source(&["log=/a/liblog-1.rlib".to_owned(), "gen=/b.rlib".to_owned()]);
        assert!(source.contains("extern crate r#log as _;\nextern crate r#gen as _;\n"));
    }

    #[test]
    fn a_crate_and_its_files_are_read_from_cargos_messages() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libmy_crate-1.rlib");
        std::fs::write(
            folder.path().join("my_crate-1.d"),
            "/t/libmy_crate-1.rlib: src/lib.rs\n\nsrc/lib.rs:\nsrc/a\\ b.rs:\n",
        )
        .unwrap();
        std::fs::write(library.with_extension("identity"), "7").unwrap();
        let record = gather(&[serde_json::json!({
            "reason": "compiler-artifact", "package_id": "path+file:///p#my-crate@1.0.0",
            "manifest_path": "/p/Cargo.toml", "target": { "name": "my-crate", "src_path": "/p/src/lib.rs" },
            "filenames": [library],
        })]);
        assert_eq!(
            record.crates["my_crate"],
            BTreeSet::from(["libmy_crate-1 7".to_owned()])
        );
        let expected = ["/p/Cargo.toml", "/p/src/a b.rs", "/p/src/lib.rs"];
        assert_eq!(
            record.watched,
            expected.map(|path| Watched::of(path.into()))
        );
    }
}
