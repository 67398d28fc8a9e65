//! The environment in the kernelspec: what the kernel needs when the shell's own environment is empty, as after
//! `module purge` on a cluster.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::toolchain::Toolchain;

/// Variables that are kept as they are when they are set at install and the toolchain stays where it is: they are of one
/// user, or of one machine.
const OF_ONE_USER: [&str; 4] = [
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUST_SRC_PATH",
    "SSL_CERT_FILE",
];
/// Variables that are kept as they are when they are set at install.
const KEPT: [&str; 5] = [
    "GDAL_DATA",
    "GDAL_DRIVER_PATH",
    "PROJ_LIB",
    "PROJ_DATA",
    "CUDA_PATH",
];

/// Where every system has its basic tools.
const SYSTEM_PATH: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// The variables, from the environment that `read` gives. Without a toolchain the installation has its own, which it finds
/// by itself, and nothing of the home of the one who installs is named.
pub(super) fn kernel_environment(
    toolchain: Option<&Toolchain>,
    library: &Path,
    read: &dyn Fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let mut env = vec![("PATH".to_owned(), search_path(toolchain, read))];
    // What was brought along is found by the kernel itself.
    let own = library.parent().unwrap_or(library);
    let gdal = linked_folder(library, "libgdal").filter(|folder| !folder.starts_with(own));
    let mut libraries: Vec<String> = gdal
        .iter()
        .filter(|folder| !is_system(folder))
        .map(|folder| folder.display().to_string())
        .collect();
    libraries.extend(read("LD_LIBRARY_PATH").filter(|value| !value.is_empty()));
    if !libraries.is_empty() {
        env.push(("LD_LIBRARY_PATH".to_owned(), libraries.join(":")));
    }
    let of_one_user: &[&str] = if toolchain.is_some() {
        &OF_ONE_USER
    } else {
        &[]
    };
    for name in of_one_user.iter().chain(&KEPT).copied() {
        env.extend(
            read(name)
                .filter(|value| !value.is_empty())
                .map(|value| (name.to_owned(), value)),
        );
    }
    // A GDAL of conda or of a module looks for its tables where it was built, unless it is told.
    if let Some(prefix) = gdal
        .as_deref()
        .filter(|folder| !is_system(folder))
        .and_then(Path::parent)
    {
        for (name, folder) in [("GDAL_DATA", "share/gdal"), ("PROJ_DATA", "share/proj")] {
            let known = env
                .iter()
                .any(|(known, _)| known == name || name == "PROJ_DATA" && known == "PROJ_LIB");
            if !known && prefix.join(folder).is_dir() {
                env.push((name.to_owned(), prefix.join(folder).display().to_string()));
            }
        }
    }
    env
}

/// The toolchain's own tools, then the user's path (which Jupyter fills in), then the linker's folder and the system's.
fn search_path(toolchain: Option<&Toolchain>, read: &dyn Fn(&str) -> Option<String>) -> String {
    let mut folders: Vec<String> = Vec::new();
    folders.extend(toolchain.map(|it| it.sysroot.join("bin").display().to_string()));
    folders.push("${PATH}".to_owned());
    if toolchain.is_some() {
        let now = read("PATH").unwrap_or_default();
        for tool in ["cc", "gcc", "clang", "ld", "mold", "ld.lld"] {
            folders.extend(
                now.split(':')
                    .find(|folder| !folder.is_empty() && Path::new(folder).join(tool).is_file())
                    .map(str::to_owned),
            );
        }
    }
    folders.extend(SYSTEM_PATH.map(str::to_owned));
    let mut unique: Vec<String> = Vec::new();
    for folder in folders {
        if !unique.contains(&folder) {
            unique.push(folder);
        }
    }
    unique.join(":")
}

fn is_system(folder: &Path) -> bool {
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64"]
        .iter()
        .any(|system| folder.starts_with(system))
}

/// The folder from which the loader takes the library `name` that `library` needs.
pub(crate) fn linked_folder(library: &Path, name: &str) -> Option<PathBuf> {
    let output = Command::new("ldd").arg(library).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(name))?;
    let path = Path::new(line.split("=> ").nth(1)?.split_whitespace().next()?);
    path.is_absolute()
        .then(|| path.parent().map(Path::to_owned))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain() -> Toolchain {
        Toolchain {
            sysroot: PathBuf::from("/tools/rust"),
            version: "rustc 1.95.0".to_owned(),
        }
    }

    #[test]
    fn an_empty_environment_still_has_the_toolchain_and_the_systems_tools() {
        let env = kernel_environment(Some(&toolchain()), Path::new("/nowhere.so"), &|_| None);
        assert_eq!(
            env,
            [(
                "PATH".to_owned(),
                "/tools/rust/bin:${PATH}:/usr/local/bin:/usr/bin:/bin".to_owned()
            )]
        );
    }

    #[test]
    fn homes_and_gdals_tables_are_recorded_when_they_are_set() {
        let read = |name: &str| match name {
            "CARGO_HOME" => Some("/scratch/me/cargo".to_owned()),
            "GDAL_DATA" => Some("/apps/gdal/share".to_owned()),
            "LD_LIBRARY_PATH" => Some("/apps/gdal/lib".to_owned()),
            "PROJ_LIB" => Some(String::new()),
            _ => None,
        };
        let env = kernel_environment(Some(&toolchain()), Path::new("/nowhere.so"), &read);
        let value = |name: &str| {
            env.iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(value("CARGO_HOME"), Some("/scratch/me/cargo"));
        assert_eq!(value("GDAL_DATA"), Some("/apps/gdal/share"));
        assert_eq!(value("LD_LIBRARY_PATH"), Some("/apps/gdal/lib"));
        assert_eq!(value("PROJ_LIB"), None);
        // Nothing of the home of the one who installs, when others use it.
        let env = kernel_environment(None, Path::new("/nowhere.so"), &read);
        assert!(!env.iter().any(|(name, _)| name == "CARGO_HOME"));
        assert_eq!(env[0].1, "${PATH}:/usr/local/bin:/usr/bin:/bin");
    }
}
