//! Starts evcxr with our child and our tools.

use std::ffi::CString;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use evcxr::{CommandContext, EvalContext};
use swath_link::environment;

use super::channel::ChildEnds;
use super::interface::EngineOptions;
use super::session::{Session, cells_program};
use crate::{permissions, umask};

/// In scope in every cell, without anybody asking.
const PRELUDE: &str = "#[allow(unused_imports)] use swath::prelude::*;";

/// What the child wrote to its own standard error before it was ready.
pub(crate) type StartupText = Arc<Mutex<String>>;

/// Starts evcxr and its child, makes the library known to it, and warms both up.
pub(crate) fn start(
    options: &EngineOptions,
    session: &Session,
    ends: &ChildEnds,
    farewell: &Farewell,
) -> Result<(CommandContext, StartupText), String> {
    permissions::check(&permissions::of_kernel(
        &options.lib_dir,
        &options.toolchain,
    ))?;
    session.write_tools(options)?;
    farewell.take_back();
    let child = child_command(options, session, ends, farewell)?;
    open(child, &options.lib_dir)
}

/// A counter that the child inherits: it is counted up before the child is ended on purpose. A child whose pipe is closed
/// without that ends what cells have started, for this process has died.
#[derive(Debug)]
pub(crate) struct Farewell(OwnedFd);

impl Farewell {
    pub(crate) fn new() -> std::io::Result<Self> {
        // SAFETY: the new descriptor is ours to own.
        unsafe {
            let descriptor = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
            if descriptor < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(Self(OwnedFd::from_raw_fd(descriptor)))
        }
    }

    /// Call it before the child's pipe is closed.
    pub(crate) fn say(&self) {
        let one = 1_u64;
        // SAFETY: eight bytes are read from `one`.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), 8) };
    }

    /// What was said to a child that did not live to hear it.
    fn take_back(&self) {
        let mut count = 0_u64;
        // SAFETY: eight bytes are written to `count`.
        unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), 8) };
    }
}

/// Starts evcxr with `child` for its process, and makes the library known to it.
pub(crate) fn open(
    child: Command,
    lib_dir: &Path,
) -> Result<(CommandContext, StartupText), String> {
    let (mut context, outputs) =
        away_from_evcxr_toml(|| EvalContext::with_subprocess_command(child))
            .map_err(|error| format!("evcxr cannot start: {error}"))?;
    let text = StartupText::default();
    for stream in [outputs.stdout, outputs.stderr] {
        let text = Arc::clone(&text);
        let gather = move || {
            for line in stream {
                let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&line);
                text.push('\n');
            }
        };
        std::thread::Builder::new()
            .name("swath-startup".to_owned())
            .spawn(gather)
            .map_err(|error| format!("a thread cannot start: {error}"))?;
    }
    let mut state = context.state();
    let manifest = format!(
        "{{ path = {:?} }}",
        lib_dir.join("swath-api").display().to_string()
    );
    state
        .add_dep("swath", &manifest)
        .map_err(|error| format!("the library's sources cannot be read: {error}"))?;
    context.eval_with_state(PRELUDE, state).map_err(|error| {
        format!(
            "the library cannot be used: {error}; it may belong to another toolchain: install again"
        )
    })?;
    Ok((CommandContext::with_eval_context(context), text))
}

/// evcxr reads `evcxr.toml` of the working folder when it starts: a wrong one would stop it, and another `tmpdir` would
/// lead it away from our tools. The kernel uses that file in its own way (`magics::startup`).
fn away_from_evcxr_toml<T>(start: impl FnOnce() -> T) -> T {
    let working = std::env::current_dir()
        .ok()
        .filter(|folder| folder.join("evcxr.toml").exists());
    let elsewhere = std::env::var_os("EVCXR_CONFIG_DIR");
    let (Some(working), Some(elsewhere)) = (working, elsewhere) else {
        return start();
    };
    let _ = std::env::set_current_dir(elsewhere);
    let started = start();
    let _ = std::env::set_current_dir(working);
    started
}

fn child_command(
    options: &EngineOptions,
    session: &Session,
    ends: &ChildEnds,
    farewell: &Farewell,
) -> Result<Command, String> {
    let program = cells_program(options)?;
    let descriptors = [
        ends.stdout.as_raw_fd(),
        ends.stderr.as_raw_fd(),
        ends.side.as_raw_fd(),
        farewell.0.as_raw_fd(),
    ];
    let mut command = Command::new(program);
    command
        .env(environment::CHILD, environment::CELLS)
        .env(environment::LIBRARY, options.lib_dir.join("libswath.so"))
        .env(environment::STDOUT_FD, descriptors[0].to_string())
        .env(environment::STDERR_FD, descriptors[1].to_string())
        .env(environment::SIDE_FD, descriptors[2].to_string())
        .env(environment::END_FD, descriptors[3].to_string())
        .env(environment::USER_LIBRARY_PATH, &session.user_library_path)
        .env("LD_LIBRARY_PATH", session.child_library_path(options))
        .envs(crate::natives::variables(&options.lib_dir))
        .env("PATH", &session.user_path)
        .env_remove("EVCXR_TMPDIR")
        .env_remove("EVCXR_CONFIG_DIR")
        .env_remove(environment::SESSION);
    // evcxr starts the same command again when the child has died; the folder may be gone by then.
    let folders = Folders::of(&options.working_dir);
    let mask = umask::of_user();
    // SAFETY: the closure only makes system calls that are safe between fork and exec.
    unsafe {
        command.pre_exec(move || {
            umask::give_back(mask);
            folders.enter();
            prepare_child(&descriptors)
        });
    }
    Ok(command)
}

/// The signal that tells the child that this process has gone: it ends, and with it the programs that cells have started
/// (`src/rt/signals.rs`). Before it listens, the signal ends it alone.
fn front_is_gone_signal() -> i32 {
    libc::SIGRTMIN() + 6
}

/// The folders in which cells can run, best first.
struct Folders {
    wanted: CString,
    home: CString,
}

impl Folders {
    fn of(wanted: &Path) -> Self {
        let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
        Self {
            wanted: text(wanted),
            home: text(&dirs::home_dir().unwrap_or_else(|| PathBuf::from("/"))),
        }
    }

    /// Enters the wanted folder; without it the present one, which may be the same under another name; without that
    /// one the home folder.
    fn enter(&self) {
        let mut present = [0; 4096];
        // SAFETY: system calls on texts that end in zero, and on a buffer whose length is given.
        unsafe {
            let is_there = libc::chdir(self.wanted.as_ptr()) == 0
                || !libc::getcwd(present.as_mut_ptr(), present.len()).is_null()
                || libc::chdir(self.home.as_ptr()) == 0;
            if !is_there {
                libc::chdir(c"/".as_ptr());
            }
        }
    }
}

/// Where cells run when the folder in which the kernel was started is gone; `None` when it is there.
pub(crate) fn other_folder(wanted: &Path) -> Option<PathBuf> {
    if wanted.is_dir() {
        return None;
    }
    let present = std::env::current_dir().ok();
    Some(
        present
            .or_else(dirs::home_dir)
            .unwrap_or_else(|| PathBuf::from("/")),
    )
}

/// Runs in the child before it becomes the program.
fn prepare_child(descriptors: &[RawFd]) -> std::io::Result<()> {
    // SAFETY: plain system calls on numbers.
    unsafe {
        for descriptor in descriptors {
            if libc::fcntl(*descriptor, libc::F_SETFD, 0) < 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        // Ctrl-C in a terminal must not reach it besides our own interrupt, and it must not outlive the front process.
        libc::setpgid(0, 0);
        libc::prctl(libc::PR_SET_PDEATHSIG, front_is_gone_signal());
    }
    Ok(())
}
