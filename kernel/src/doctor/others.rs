//! Whether other users of the machine could change what runs in cells, or what they are told.

use std::path::{Path, PathBuf};

use super::Finding;
use crate::permissions::{of_cache, of_command, of_kernel};
use crate::toolchain::Toolchain;

/// Whether other users could change what runs in cells.
pub(super) fn permissions(lib_dir: &Path, toolchain: &Result<Toolchain, String>) -> Finding {
    let sysroot = toolchain.as_ref().map(|it| it.sysroot.clone());
    let mut found = of_kernel(lib_dir, &sysroot.unwrap_or_default());
    found.extend(of_command());
    match found.first() {
        None => Finding::Good("nobody else can change program, library and toolchain".to_owned()),
        Some(finding) => Finding::bad(finding.told(), finding.remedy()),
    }
}

/// Whether other users could change what is fetched and computed once.
pub(super) fn cache() -> Finding {
    let named = std::env::var_os(swath_link::environment::CACHE).filter(|it| !it.is_empty());
    let folder = named
        .map(PathBuf::from)
        .or_else(|| Some(dirs::cache_dir()?.join("swath")));
    let Some(folder) = folder else {
        return Finding::note(
            "there is no home folder: data, weights and statistics are kept among temporary files",
            "export SWATH_CACHE=<a folder of your own>",
        );
    };
    match of_cache(&folder) {
        Some(finding) => Finding::bad(
            format!("{}: it is not used", finding.open),
            finding.remedy(),
        ),
        None => Finding::Good(folder.display().to_string()),
    }
}
