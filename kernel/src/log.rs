//! Messages to the kernel's own stderr, which Jupyter shows in the terminal or the server's log.
//! `SWATH_LOG=debug` shows more.

use std::io::Write;
use std::sync::OnceLock;

fn debug_wanted() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| {
        std::env::var(swath_link::environment::LOG).is_ok_and(|level| level == "debug")
    })
}

/// Something went wrong and the kernel goes on.
pub(crate) fn warn(text: &str) {
    // Nobody may be reading: a closed stderr must not end the kernel.
    let _ = writeln!(std::io::stderr(), "[swath] {text}");
}

/// Detail for whoever looks for a fault.
pub(crate) fn debug(text: &str) {
    if debug_wanted() {
        warn(text);
    }
}
