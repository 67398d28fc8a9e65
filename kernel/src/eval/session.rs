//! The session's private folder: the tools that evcxr finds first, its crate, and the files shared with `swath-cell`.
//!
//! ```text
//! $TMPDIR/swath-session-<pid>-…/
//!   bin/      cargo, mold, rustc, rustup, swath-cc, swath-cell (all links to swath-cell)
//!   cell/     evcxr's crate
//!   *.json    see `exchange`
//!   help/     of the process that completes and inspects
//!   lock      held by its kernel for life: see `place`
//! ```
//!
//! Somebody may remove it while the kernel runs; it is made anew then, at the same place.

use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use swath_link::environment;
use swath_link::exchange::{self, SessionConfig};
use swath_link::permissions;

use super::interface::EngineOptions;
use super::marked::MARK_ENV;
use super::place::{self, Lock};
use super::shared::lock;
use crate::toolchain::Toolchain;
use crate::umask;

const PREFIX: &str = "swath-session-";

/// What the environment was before it was changed, and where the session's folder is.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) dir: PathBuf,
    pub(crate) user_path: OsString,
    pub(crate) user_library_path: OsString,
    held: Mutex<Option<Lock>>,
    /// Whether the tools were put into the folder.
    written: AtomicBool,
    /// What the user has to be told about the place.
    notes: Mutex<Vec<String>>,
}

static SESSION: OnceLock<Result<Session, String>> = OnceLock::new();

/// Makes the session's folder, puts its tools first on this process' `PATH`, and names its folders in the variables
/// that evcxr and `swath-cell` read. Call it while the process has one thread; an engine that starts without it does
/// it itself.
pub fn prepare_environment() {
    let _ = session();
}

pub(crate) fn session() -> Result<&'static Session, String> {
    SESSION.get_or_init(prepare).as_ref().map_err(Clone::clone)
}

/// Puts this kernel's mark into the environment, which every program that it or its cells start inherits: see `marked`.
/// Call it before there are other threads.
pub fn mark_environment() {
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_nanos();
    // SAFETY: the caller promises that there are no other threads.
    unsafe { std::env::set_var(MARK_ENV, format!("{}-{now}", std::process::id())) };
}

/// Ends every program that this kernel or its cells have started, wherever it has gone.
pub(crate) fn end_programs() {
    super::marked::end_marked(&std::env::var(MARK_ENV).unwrap_or_default());
}

fn prepare() -> Result<Session, String> {
    umask::keep_private();
    let (parent, note) = place::choose()?;
    remove_leftovers(&parent);
    let cannot =
        |error: std::io::Error| format!("cannot make a folder in {}: {error}", parent.display());
    let dir = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .map_err(cannot)?
        .keep();
    let held = Lock::take(&dir).map_err(cannot)?;
    make_folders(&dir)?;
    let user_path = std::env::var_os("PATH").unwrap_or_default();
    // SAFETY: `prepare_environment` is called before other threads exist.
    unsafe {
        // rust-analyzer would prefer them to our tools.
        for tool in ["CARGO", "RUSTC", "RUSTUP"] {
            std::env::remove_var(tool);
        }
        std::env::set_var("PATH", tools_first(&dir, &user_path));
        std::env::set_var("EVCXR_TMPDIR", dir.join("cell"));
        // The kernel reads the user's startup files itself; evcxr must not find them.
        std::env::set_var("EVCXR_CONFIG_DIR", dir.join("cell"));
        std::env::set_var(environment::SESSION, &dir);
        // Compiler and cells have files there, too.
        if place::is_unsafe(&std::env::temp_dir()) {
            std::env::set_var("TMPDIR", &parent);
        }
    }
    Ok(Session {
        dir,
        user_path,
        user_library_path: std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default(),
        held: Mutex::new(Some(held)),
        written: AtomicBool::new(false),
        notes: Mutex::new(note.into_iter().collect()),
    })
}

fn make_folders(dir: &Path) -> Result<(), String> {
    for name in ["bin", "cell/src", "help"] {
        std::fs::create_dir_all(dir.join(name))
            .map_err(|error| format!("cannot make a folder in {}: {error}", dir.display()))?;
    }
    Ok(())
}

/// A search path on which the tools of `dir` come first.
fn tools_first(dir: &Path, user_path: &OsStr) -> OsString {
    let mut path = OsString::from(dir.join("bin"));
    path.push(":");
    path.push(user_path);
    path
}

/// Removes folders of kernels that were killed.
fn remove_leftovers(temporary: &Path) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_session = name.to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_session && place::is_abandoned(&entry.path()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl Session {
    /// What the user has not been told yet.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notes))
    }

    pub(crate) fn note(&self, text: String) {
        lock(&self.notes).push(text);
    }

    /// Makes the folder anew when somebody has removed it or what is in it; a look that costs nothing when not.
    pub(crate) fn heal(&self, options: &EngineOptions) -> Result<(), String> {
        if !self.written.load(Ordering::Relaxed) {
            // evcxr has not been started yet, which writes everything.
            return Ok(());
        }
        let is_whole = lock(&self.held)
            .as_ref()
            .is_some_and(|held| held.is_in(&self.dir))
            && self.dir.join("cell/src").is_dir()
            && self.help_dir().is_dir()
            && std::fs::symlink_metadata(self.dir.join("bin/cargo")).is_ok()
            && exchange::config_path(&self.dir).is_file();
        if is_whole {
            return Ok(());
        }
        self.make_anew(options)
            .map_err(|reason| place::trouble(&self.dir, &reason).unwrap_or(reason))?;
        self.note(format!(
            "the session's folder {} was removed by somebody, and was made anew; nothing is lost",
            self.dir.display()
        ));
        Ok(())
    }

    fn make_anew(&self, options: &EngineOptions) -> Result<(), String> {
        let gone = |error: std::io::Error| {
            format!(
                "the session's folder {} was removed and cannot be made again ({error}): make its parent writable, or set \
                 TMPDIR to another folder and restart the kernel",
                self.dir.display()
            )
        };
        // Its name is known by now: somebody else may have been quicker.
        permissions::private_folder(&self.dir).map_err(gone)?;
        let mut held = lock(&self.held);
        if !held.as_ref().is_some_and(|held| held.is_in(&self.dir)) {
            *held = Some(Lock::take(&self.dir).map_err(gone)?);
        }
        drop(held);
        self.write_tools(options)
    }

    /// Links the tools and writes the settings for `swath-cell`.
    pub(crate) fn write_tools(&self, options: &EngineOptions) -> Result<(), String> {
        make_folders(&self.dir)?;
        self.write_settings(options)?;
        self.written.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The folder of the process that completes and inspects.
    pub(crate) fn help_dir(&self) -> PathBuf {
        self.dir.join("help")
    }

    fn write_settings(&self, options: &EngineOptions) -> Result<(), String> {
        let dir = &self.dir;
        let tool = match &options.cell_tool {
            Some(tool) => tool.clone(),
            None => beside_this_program("swath-cell")?,
        };
        let rustc = options.toolchain.join("bin/rustc");
        if !rustc.is_file()
            && let Err(reason) = Toolchain::find(&options.lib_dir)
        {
            return Err(reason);
        }
        for needed in [
            &tool,
            &rustc,
            &options.lib_dir.join("libswath.so"),
            &options.lib_dir.join("libswath.rmeta"),
        ] {
            if !needed.exists() {
                return Err(format!(
                    "{} does not exist: run `swath doctor`, or install again",
                    needed.display()
                ));
            }
        }
        for name in ["cargo", "mold", "rustc", "rustup", "swath-cc", "swath-cell"] {
            let link = dir.join("bin").join(name);
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(&tool, &link)
                .map_err(|error| format!("cannot link {}: {error}", link.display()))?;
        }
        let mold = self.find_tool("mold");
        let config = SessionConfig {
            lib_dir: options.lib_dir.clone(),
            cargo: options.toolchain.join("bin/cargo"),
            rustc,
            rustup: self.find_tool("rustup"),
            linker: linker(
                &options.toolchain,
                mold.as_deref(),
                self.find_tool("ld").as_deref(),
            ),
            mold,
            // rustc calls it `cc`, and brings no other along.
            c_linker: (self.find_tool("cc").is_none() && cfg!(target_arch = "x86_64"))
                .then(|| dir.join("bin/swath-cc")),
            crate_dir: dir
                .join("cell")
                .canonicalize()
                .unwrap_or_else(|_| dir.join("cell")),
            umask: umask::of_user(),
            plain_cargo: std::env::var_os(environment::PLAIN_CARGO)
                .is_some_and(|value| value == "1"),
        };
        exchange::write(&exchange::config_path(dir), &config)
            .map_err(|error| format!("cannot write to {}: {error}", dir.display()))
    }

    fn find_tool(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.user_path)
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    }

    /// Where the child finds the standard library and what else the user's programs need.
    pub(crate) fn child_library_path(&self, options: &EngineOptions) -> OsString {
        let mut path = OsString::from(target_library_dir(&options.toolchain));
        path.push(":");
        path.push(&options.lib_dir);
        for folder in crate::natives::library_folders(&options.lib_dir) {
            path.push(":");
            path.push(folder);
        }
        if !self.user_library_path.is_empty() {
            path.push(":");
            path.push(&self.user_library_path);
        }
        path
    }

    pub(crate) fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The program that becomes the process of the cells, and the helping one.
///
/// # Errors
/// As of [`this_program`].
pub(crate) fn cells_program(options: &EngineOptions) -> Result<PathBuf, String> {
    match &options.program {
        Some(program) => Ok(program.clone()),
        None => this_program(),
    }
}

/// This program's file.
///
/// # Errors
/// When it was replaced or removed since it started: the system says so at the end of the path.
fn this_program() -> Result<PathBuf, String> {
    let program = std::env::current_exe()
        .map_err(|error| format!("this program does not find itself: {error}"))?;
    match program.as_os_str().as_bytes().strip_suffix(b" (deleted)") {
        Some(path) if !program.exists() => Err(format!(
            "{} was replaced while this kernel ran: restart the kernel",
            Path::new(OsStr::from_bytes(path)).display()
        )),
        _ => Ok(program),
    }
}

fn beside_this_program(name: &str) -> Result<PathBuf, String> {
    Ok(this_program()?.with_file_name(name))
}

fn host_dir(toolchain: &Path) -> PathBuf {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    toolchain.join("lib/rustlib").join(host)
}

fn target_library_dir(toolchain: &Path) -> PathBuf {
    host_dir(toolchain).join("lib")
}

/// The quickest linker there is; the toolchain brings one along.
fn linker(toolchain: &Path, mold: Option<&Path>, system: Option<&Path>) -> Vec<String> {
    let bundled = host_dir(toolchain).join("bin/rust-lld");
    if let Some(mold) = mold {
        return vec![mold.display().to_string()];
    }
    if bundled.is_file() {
        return vec![
            bundled.display().to_string(),
            "-flavor".to_owned(),
            "gnu".to_owned(),
        ];
    }
    system
        .map(|path| vec![path.display().to_string()])
        .unwrap_or_default()
}
