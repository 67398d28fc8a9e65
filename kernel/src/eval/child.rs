//! The child role of the program: the process in which the cells run.

#![expect(
    clippy::print_stderr,
    reason = "the child process has no other way to say why it ends"
)]

use std::path::Path;

use swath_link::environment;

use super::help::process;
use super::terminal;
use crate::loader::Library;

/// Becomes the process in which the cells run, or one of the helping ones, and never returns, when the environment
/// says so. The first line of `main` calls it.
pub(crate) fn run_if_child() {
    match std::env::var(environment::CHILD).as_deref() {
        Ok(environment::CELLS) => run_cells(),
        Ok(environment::HELP) => process::run(),
        _ => {}
    }
}

fn run_cells() -> ! {
    let library = std::env::var_os(environment::LIBRARY).unwrap_or_default();
    let reason = match Library::open(Path::new(&library)) {
        Ok(library) => {
            terminal::pretend(library);
            // SAFETY: the function has this signature in the library (`src/rt/child.rs`).
            match unsafe { library.symbol::<extern "C" fn() -> !>(c"swath_child_main") } {
                Ok(main) => main(),
                Err(reason) => reason,
            }
        }
        Err(reason) => reason,
    };
    eprintln!(
        "swath: the library {} cannot be used: {reason}",
        Path::new(&library).display()
    );
    std::process::exit(1);
}
