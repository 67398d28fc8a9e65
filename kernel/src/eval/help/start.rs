//! Starts the helping process, and writes to it.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use swath_link::{environment, exchange};

use super::messages::{CrateFiles, Message};
use crate::eval::interface::EngineOptions;
use crate::eval::session::{Session, cells_program};
use crate::permissions;

/// A running helping process.
pub(super) struct Process {
    child: Child,
    /// To the thread that writes: a process that does not read must not stop who asks it.
    lines: Sender<String>,
}

impl Process {
    pub(super) fn tell(&self, message: &Message) {
        if let Ok(line) = serde_json::to_string(message) {
            // When its end is closed, the process has ended, which whoever reads its answers notices.
            let _ = self.lines.send(line);
        }
    }

    pub(super) fn end(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn start(
    options: &EngineOptions,
    session: &Session,
) -> Result<(Process, ChildStdout), String> {
    // It asks the toolchain's cargo, which is not run where others could have changed it.
    permissions::check(&permissions::of_kernel(
        &options.lib_dir,
        &options.toolchain,
    ))?;
    let mut child = command(options, session)?
        .spawn()
        .map_err(|error| error.to_string())?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("a pipe is missing".to_owned());
    };
    let (lines, to_write) = channel();
    std::thread::Builder::new()
        .name("swath-questions".to_owned())
        .spawn(move || write_lines(&to_write, input))
        .map_err(|error| error.to_string())?;
    Ok((Process { child, lines }, output))
}

fn write_lines(lines: &Receiver<String>, mut input: ChildStdin) {
    for line in lines {
        if writeln!(input, "{line}")
            .and_then(|()| input.flush())
            .is_err()
        {
            return;
        }
    }
}

fn command(options: &EngineOptions, session: &Session) -> Result<Command, String> {
    let mut command = Command::new(cells_program(options)?);
    let dir = session.help_dir();
    std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let quiet = std::env::var_os(environment::TRACE).is_none();
    command
        .env(environment::CHILD, environment::HELP)
        .env(environment::TOOLCHAIN, &options.toolchain)
        .env("CARGO", options.toolchain.join("bin/cargo"))
        .env("RUSTC", options.toolchain.join("bin/rustc"))
        .env("PATH", &session.user_path)
        // rust-analyzer makes folders there and does not come to remove them when the kernel ends: they go with the session's.
        .env("TMPDIR", &dir)
        // Nothing is fetched when a kernel starts: what the standard library itself depends on is not looked into.
        .env("CARGO_NET_OFFLINE", "true")
        // No settings and no workspace of whoever has put them into the folder above the session's.
        .env(exchange::CARGO_LOOKS_NO_HIGHER, &session.dir)
        .env_remove("EVCXR_TMPDIR")
        .env_remove(environment::SESSION)
        .env_remove("RUSTUP_TOOLCHAIN")
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(if quiet {
            Stdio::null()
        } else {
            Stdio::inherit()
        });
    // SAFETY: the closure only makes system calls that are safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            // Ctrl-C in a terminal is for the cells.
            libc::setpgid(0, 0);
            Ok(())
        });
    }
    Ok(command)
}

/// The cells' crate as it is now; before there is one, a crate that uses the library alone.
pub(super) fn crate_files(options: &EngineOptions, session: &Session) -> CrateFiles {
    let folder = session.dir.join("cell");
    let library = options.lib_dir.join("swath-api").display().to_string();
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_else(|_| {
        format!(
            "[package]\nname = \"ctx\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
             [dependencies]\nswath = {{ path = {library:?} }}\n"
        )
    });
    // The same sources, and beside them those of Burn, which cells link to without compiling them.
    let with_burn = options.lib_dir.join("swath-help/swath");
    CrateFiles {
        manifest: match with_burn.is_dir() {
            true => manifest.replace(
                &format!("{library:?}"),
                &format!("{:?}", with_burn.display().to_string()),
            ),
            false => manifest,
        },
        lock: std::fs::read_to_string(folder.join("Cargo.lock")).ok(),
    }
}
