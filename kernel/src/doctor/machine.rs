//! What the machine has: linker, folders, room, limits.

use std::io::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use super::{Finding, on_path};
use crate::eval::{forbids_programs, has_less_than};
use crate::toolchain::Toolchain;

/// What a session and the crates that cells add may need.
const ROOM_FOR_SESSIONS: u64 = 64 << 20;
/// What is written to see whether a quota leaves room.
const TRIAL: usize = 1 << 20;

pub(super) fn linker(toolchain: &Result<Toolchain, String>) -> Finding {
    let own = toolchain.as_ref().ok().and_then(|it| {
        let bundled = it
            .standard_library_folder()?
            .with_file_name("bin")
            .join("rust-lld");
        bundled.is_file().then_some(bundled)
    });
    let linker = ["mold", "ld.lld", "ld"]
        .iter()
        .find_map(|name| on_path(name))
        .or(own);
    let Some(linker) = linker else {
        return Finding::bad(
            "no linker, which every cell needs",
            "apt-get install mold   (or: binutils; or: swath install --with-toolchain, which brings one along)",
        );
    };
    match ["cc", "gcc", "clang"].iter().find_map(|name| on_path(name)) {
        Some(compiler) => Finding::Good(format!("{}, {}", compiler.display(), linker.display())),
        None => Finding::note(
            format!(
                "{}, and no C compiler: crates that cells add link, but not those that compile C themselves",
                linker.display()
            ),
            "apt-get install gcc   (or: conda install -c conda-forge gcc_linux-64)",
        ),
    }
}

pub(super) fn temporary_folder() -> Finding {
    temporary(&std::env::temp_dir())
}

fn temporary(folder: &Path) -> Finding {
    let place = folder.display();
    if let Err(error) = tempfile::tempfile_in(folder) {
        return Finding::bad(
            format!("{place} cannot be written: {error}"),
            "export TMPDIR=<a folder that can>",
        );
    }
    if let Some(why) = swath_link::permissions::unfit_for_private(folder) {
        return Finding::bad(
            format!("{place} {why}: predictions are refused there, and sessions are elsewhere"),
            "export TMPDIR=<a folder of your own>",
        );
    }
    if forbids_programs(folder) {
        return Finding::bad(
            format!("{place} is mounted noexec: compiled cells cannot be loaded from it"),
            "swath install --env TMPDIR <a folder without noexec>",
        );
    }
    if has_less_than(folder, ROOM_FOR_SESSIONS) {
        return Finding::bad(
            format!("{place} has less than {} MB left", ROOM_FOR_SESSIONS >> 20),
            "make room there, or export TMPDIR=<another folder>",
        );
    }
    Finding::Good(place.to_string())
}

/// Whether the folder of data and weights takes more: a quota ends earlier than the disk, and only a file tells.
pub(super) fn room() -> Finding {
    let cache = std::env::var_os("SWATH_CACHE")
        .map(PathBuf::from)
        .or_else(|| Some(dirs::cache_dir()?.join("swath")));
    match cache {
        Some(folder) => room_in(&folder),
        None => Finding::note(
            "there is no home folder for data and weights",
            "export SWATH_CACHE=<a folder>",
        ),
    }
}

fn room_in(cache: &Path) -> Finding {
    let advice = "make room, or export SWATH_CACHE=<a folder elsewhere>";
    let there = cache.ancestors().find(|folder| folder.is_dir());
    let written = tempfile::tempfile_in(there.unwrap_or(Path::new("/"))).and_then(|mut file| {
        file.write_all(&vec![1; TRIAL])?;
        file.sync_all()
    });
    let place = cache.display();
    match written {
        Ok(()) => Finding::Good(format!("{place} takes data and weights")),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EDQUOT | libc::ENOSPC)) => {
            Finding::bad(format!("{place} is full: {error}"), advice)
        }
        Err(error) => Finding::note(
            format!("{place} takes no data and weights: {error}"),
            "export SWATH_CACHE=<a folder that can be written>",
        ),
    }
}

/// What the job that this runs in may use of the machine: control groups and Slurm end what takes more.
pub(super) fn limits() -> Finding {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let all = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let all = all.lines().filter(|line| line.starts_with("processor"));
    let machine = (
        all.count().max(processors),
        swath_link::limits::memory_of_machine(),
    );
    limited((processors, swath_link::limits::memory()), machine)
}

/// Memory in which windows and networks of the usual size fit.
const ENOUGH_MEMORY: u64 = 4 << 30;

fn limited(
    (processors, memory): (usize, Option<u64>),
    (all_processors, all_memory): (usize, Option<u64>),
) -> Finding {
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    let of = match all_processors > processors {
        true => format!("{processors} of {all_processors} processors"),
        false if processors == 1 => "1 processor".to_owned(),
        false => format!("{processors} processors"),
    };
    let Some(memory) = memory else {
        return Finding::Good(format!("{of}; memory without a limit that is known"));
    };
    let less = all_memory.filter(|all| *all > memory.saturating_add(1 << 20));
    let found = match less {
        Some(all) => format!(
            "{of}, {} of {} of memory: what takes more is ended",
            gigabytes(memory),
            gigabytes(all)
        ),
        None => format!("{of}, {} of memory", gigabytes(memory)),
    };
    match memory < ENOUGH_MEMORY {
        true => Finding::note(
            found,
            "ask for more, on a cluster with --mem 16G   (or: smaller windows and batches)",
        ),
        false => Finding::Good(found),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let finding = temporary(Path::new("/proc/self"));
        assert!(
            matches!(&finding, Finding::Bad(found, _) if found.contains("cannot be written")),
            "{finding:?}"
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(temporary(folder.path()), Finding::Good(_)));
        // Without the sticky bit, others could put files of their own in the place of ours.
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        let finding = temporary(&open);
        assert!(
            matches!(&finding, Finding::Bad(found, mend) if found.contains("/open ") && mend.contains("TMPDIR")),
            "{finding:?}"
        );
    }

    #[test]
    fn a_cache_that_is_not_there_yet_is_judged_by_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            room_in(&folder.path().join("a/b")),
            Finding::Good(_)
        ));
        let finding = room_in(Path::new("/proc/nothing/here"));
        assert!(
            matches!(&finding, Finding::Note(found, _) if found.contains("takes no data")),
            "{finding:?}"
        );
    }

    #[test]
    fn the_limits_of_a_job_are_told() {
        let gib = |count: u64| Some(count << 30);
        for (job, machine, told) in [
            (
                (2, gib(24)),
                (2, gib(24)),
                "2 processors, 25.8 GB of memory",
            ),
            (
                (8, gib(32)),
                (64, gib(512)),
                "8 of 64 processors, 34.4 GB of 549.8 GB of memory: what takes more is ended",
            ),
            (
                (1, None),
                (1, None),
                "1 processor; memory without a limit that is known",
            ),
        ] {
            assert_eq!(limited(job, machine), Finding::Good(told.to_owned()));
        }
        let finding = limited((1, gib(2)), (64, gib(512)));
        assert!(
            matches!(&finding, Finding::Note(found, advice) if found.contains("2.1 GB of 549.8 GB") && advice.contains("--mem")),
            "{finding:?}"
        );
        // Here, too: as many processors as this process has threads for, and memory in gigabytes.
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let here = limits();
        let (_, found, _) = here.parts();
        assert!(
            found.starts_with(&format!("{processors} ")) && found.contains(" GB"),
            "{found}"
        );
    }

    #[test]
    fn a_toolchain_that_brings_a_linker_needs_no_other() {
        let toolchain = Toolchain::from_search_path();
        let finding = linker(&toolchain);
        assert!(!matches!(finding, Finding::Bad(..)), "{finding:?}");
    }
}
