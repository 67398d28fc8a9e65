//! The names of the environment variables that Swath reads or sets.

use std::time::Duration;

// Set by the front process for the programs that it starts; cells do not see those of the first group.

/// Says that a process is a child of the kernel, and by its value which one: [`CELLS`] or [`HELP`].
pub const CHILD: &str = "SWATH_CHILD";
/// The value of [`CHILD`] for the process in which the cells run.
pub const CELLS: &str = "1";
/// The value of [`CHILD`] for the process that completes and inspects.
pub const HELP: &str = "help";
/// The descriptor that standard output of cells goes to.
pub const STDOUT_FD: &str = "SWATH_STDOUT_FD";
/// The descriptor that standard error of cells goes to.
pub const STDERR_FD: &str = "SWATH_STDERR_FD";
/// The descriptor of the socket for [messages](crate::message).
pub const SIDE_FD: &str = "SWATH_SIDE_FD";
/// The descriptor of the counter that says that the child is ended on purpose.
pub const END_FD: &str = "SWATH_END_FD";
/// The user's `LD_LIBRARY_PATH`, which the child puts back.
pub const USER_LIBRARY_PATH: &str = "SWATH_USER_LD_LIBRARY_PATH";
/// What is hidden from users' code and from the programs that it starts.
pub const PLUMBING: [&str; 6] = [
    CHILD,
    STDOUT_FD,
    STDERR_FD,
    SIDE_FD,
    END_FD,
    USER_LIBRARY_PATH,
];

/// The library's shared object, for the child.
pub const LIBRARY: &str = "SWATH_LIBRARY";
/// The toolchain whose standard library cells use, for the process that completes.
pub const TOOLCHAIN: &str = "SWATH_TOOLCHAIN";
/// The session's folder, for `swath-cell`.
pub const SESSION: &str = "SWATH_SESSION";
/// The kernel to which a process belongs: every program that a kernel or its cells start inherits it.
pub const KERNEL: &str = "SWATH_KERNEL";
/// Set in the second start of `swath`, whose loader knows the library's folders.
pub const FORWARDED: &str = "SWATH_FORWARDED";

// What a person may set.

/// The folder with the library (`scripts/build-dylib.sh`), in place of the installed one.
pub const LIB_DIR: &str = "SWATH_LIB_DIR";
/// After so many seconds an interrupted cell that goes on is killed; see [`patience`].
pub const KILL_AFTER: &str = "SWATH_KILL_AFTER";
/// `1` has every cell go through the real cargo.
pub const PLAIN_CARGO: &str = "SWATH_PLAIN_CARGO";
/// `1` compiles every cell with all items, needed or not.
pub const KEEP_ITEMS: &str = "SWATH_KEEP_ITEMS";
/// `1` says on standard error how long steps take.
pub const TRACE: &str = "SWATH_TRACE";
/// `debug` says more on standard error.
pub const LOG: &str = "SWATH_LOG";
/// A folder with data sets and weights that others have fetched, which is read in place.
pub const MIRROR: &str = "SWATH_MIRROR";
/// Set to anything but `0`: nothing is downloaded.
pub const OFFLINE: &str = "SWATH_OFFLINE";
/// The file of the history.
pub const HISTORY: &str = "SWATH_HISTORY";
/// Whether startup files are read.
pub const STARTUP_FILES: &str = "SWATH_STARTUP_FILES";
/// The device that the library computes on.
pub const DEVICE: &str = "SWATH_DEVICE";
/// Takes a Vulkan device without trying whether it computes rightly.
pub const UNCHECKED_DEVICE: &str = "SWATH_UNCHECKED_DEVICE";
/// The folder for fetched data.
pub const CACHE: &str = "SWATH_CACHE";
/// The folder in which weights of encoders are looked for before they are fetched.
pub const WEIGHTS: &str = "SWATH_WEIGHTS";
/// The file with EfficientNet-Lite0's ImageNet weights.
pub const EFFICIENTNET_LITE0: &str = "SWATH_EFFICIENTNET_LITE0";
/// `1`: folders that every user of the machine can write to are used all the same (file systems without permissions).
pub const OPEN_FOLDERS: &str = "SWATH_OPEN_FOLDERS";
/// The Python that fetches and unpacks data sets and weights.
pub const PYTHON: &str = "SWATH_PYTHON";

/// Whether folders that every user of the machine can write to are used all the same.
#[must_use]
pub fn takes_open_folders() -> bool {
    std::env::var_os(OPEN_FOLDERS).is_some_and(|value| value == "1")
}

/// How long an interrupted cell may go on before it is killed, unless [`KILL_AFTER`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an interrupted cell may go on before its process is killed: [`KILL_AFTER`], or 5 seconds.
#[must_use]
pub fn patience() -> Duration {
    patience_of(std::env::var(KILL_AFTER).ok().as_deref())
}

fn patience_of(seconds: Option<&str>) -> Duration {
    seconds
        .and_then(|text| text.parse().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .unwrap_or(PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_a_number_of_seconds_or_five() {
        assert_eq!(patience_of(Some("0.5")), Duration::from_millis(500));
        for odd in [None, Some(""), Some("soon"), Some("-1"), Some("NaN")] {
            assert_eq!(patience_of(odd), PATIENCE, "{odd:?}");
        }
    }
}
