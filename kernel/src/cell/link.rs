//! Links a cell's object alone. Its undefined symbols are bound when it is loaded, against the library and the
//! standard library that the child has opened for all, so no library needs to be read here.

use std::path::Path;
use std::process::{Command, Stdio};

use swath_link::exchange::SessionConfig;

/// Makes a shared object of one object file; whether that worked.
pub(crate) fn object_alone(config: &SessionConfig, object: &Path, library: &Path) -> bool {
    let [program, flags @ ..] = config.linker.as_slice() else {
        return false;
    };
    Command::new(program)
        .args(flags)
        .args([
            "-shared",
            "--eh-frame-hdr",
            "-z",
            "noexecstack",
            "--build-id=none",
            "-o",
        ])
        .arg(library)
        .arg(object)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
