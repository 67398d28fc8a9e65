//! Libraries of other languages that an installation brings along, GDAL above all, and the tables they read.
//!
//! They lie in the library's folder: `lib/`, `lib/gdalplugins/`, `share/gdal/`, `share/proj/`. Without them the library is
//! linked to the system's, and nothing is set. CUDA's parts come from NVIDIA's own packages ([`crate::nvidia`]).

use std::path::{Path, PathBuf};

use crate::nvidia::{self, Nvidia};

/// Where systems keep the certificates of authorities, each in one file. GDAL's own libcurl looks in the first alone.
const CERTIFICATES: [&str; 5] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
];
/// Who has set one of these has said where the certificates are.
const NAMES_OF_CERTIFICATES: [&str; 2] = ["CURL_CA_BUNDLE", "SSL_CERT_FILE"];

/// Where the loader looks for them, before the folders of the user.
pub(crate) fn library_folders(lib_dir: &Path) -> Vec<PathBuf> {
    let brought = Some(lib_dir.join("lib")).filter(|folder| folder.is_dir());
    brought
        .into_iter()
        .chain(cuda(lib_dir).map(|cuda| cuda.libraries))
        .collect()
}

/// Variables of the processes that open the library: another version's tables, which a module or conda may have named, do
/// not fit what was brought along.
pub(crate) fn variables(lib_dir: &Path) -> Vec<(&'static str, PathBuf)> {
    let tables = [
        ("GDAL_DATA", "share/gdal"),
        ("PROJ_DATA", "share/proj"),
        ("PROJ_LIB", "share/proj"),
        ("GDAL_DRIVER_PATH", "lib/gdalplugins"),
    ];
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let certificates = (lib_dir.join("lib").is_dir() && !NAMES_OF_CERTIFICATES.iter().any(is_set))
        .then(|| {
            CERTIFICATES
                .iter()
                .map(PathBuf::from)
                .find(|file| file.is_file())
        })
        .flatten();
    tables
        .into_iter()
        .map(|(name, folder)| (name, lib_dir.join(folder)))
        .filter(|(_, folder)| folder.is_dir())
        .chain(certificates.map(|file| (NAMES_OF_CERTIFICATES[0], file)))
        .chain(cuda(lib_dir).map(|cuda| ("CUDA_PATH", cuda.cuda_path)))
        .collect()
}

/// What NVIDIA's wheels have put beside an installation that brings its libraries along.
fn cuda(lib_dir: &Path) -> Option<Nvidia> {
    let cache = std::env::var_os(swath_link::environment::CACHE)
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(dirs::cache_dir()?.join("swath")))?;
    lib_dir
        .join("lib")
        .is_dir()
        .then(|| nvidia::find(lib_dir, &cache))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_brought_along_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(library_folders(folder.path()).is_empty());
        assert!(variables(folder.path()).is_empty());
        std::fs::create_dir_all(folder.path().join("lib")).unwrap();
        std::fs::create_dir_all(folder.path().join("share/proj")).unwrap();
        assert_eq!(library_folders(folder.path()), [folder.path().join("lib")]);
        let names: Vec<&str> = variables(folder.path())
            .iter()
            .map(|(name, _)| *name)
            // Not every system has certificates.
            .filter(|name| *name != NAMES_OF_CERTIFICATES[0])
            .collect();
        assert_eq!(names, ["PROJ_DATA", "PROJ_LIB"]);
    }
}
