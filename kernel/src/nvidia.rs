//! NVIDIA's run-time compiler and headers, as NVIDIA's own wheels put them into the environment that Swath's wheel is in:
//! `pip install 'swath_cuda-VERSION-py3-none-manylinux_2_28_x86_64.whl[cuda13]'`.
//!
//! The wheels of CUDA 13 make one folder of the usual shape, `nvidia/cu13`. Those of CUDA 12 make one for each part, which are
//! put together here by links, since the library looks in one place.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Where things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nvidia {
    /// What `CUDA_PATH` has to be: `include/` is below it.
    pub(crate) cuda_path: PathBuf,
    /// The folder with NVRTC.
    pub(crate) libraries: PathBuf,
}

/// Looks beside the installation in which `lib_dir` is. `links` is a folder of this user where links may be made.
pub(crate) fn find(lib_dir: &Path, links: &Path) -> Option<Nvidia> {
    // PREFIX/lib/swath/VERSION/lib-swath
    let packages = lib_dir.ancestors().nth(3)?;
    let mut pythons: Vec<PathBuf> = std::fs::read_dir(packages)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_python(path))
        .collect();
    pythons.sort();
    pythons
        .iter()
        .map(|python| python.join("site-packages/nvidia"))
        .find_map(|nvidia| thirteen(&nvidia).or_else(|| twelve(&nvidia, links)))
}

fn is_python(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.starts_with("python3"))
}

fn holds_nvrtc(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|files| {
        files.flatten().any(|file| {
            file.file_name()
                .to_string_lossy()
                .starts_with("libnvrtc.so")
        })
    })
}

fn thirteen(nvidia: &Path) -> Option<Nvidia> {
    let folder = nvidia.join("cu13");
    let is_whole = holds_nvrtc(&folder.join("lib")) && folder.join("include/cuda_fp16.h").is_file();
    is_whole.then(|| Nvidia {
        libraries: folder.join("lib"),
        cuda_path: folder,
    })
}

fn twelve(nvidia: &Path, links: &Path) -> Option<Nvidia> {
    let libraries = nvidia.join("cuda_nvrtc/lib");
    let runtime = nvidia.join("cuda_runtime/include");
    let parallel = nvidia.join("cuda_cccl/include");
    // What `mma.h` includes came with the compiler until 12.8, and comes with the other headers since.
    let compiler = nvidia.join("cuda_nvcc/include/crt");
    let holds_all = holds_nvrtc(&libraries)
        && runtime.join("cuda_fp16.h").is_file()
        && parallel.is_dir()
        && (runtime.join("crt").is_dir() || compiler.is_dir());
    if !holds_all {
        return None;
    }
    let headers = headers(&runtime, &parallel, &compiler).ok()?;
    let name: String = Sha256::digest(nvidia.as_os_str().as_encoded_bytes())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let cuda_path = links.join(format!("cuda12-{name}"));
    if !is_current(&cuda_path, &headers) {
        join(&cuda_path, &headers).ok()?;
    }
    Some(Nvidia {
        cuda_path,
        libraries,
    })
}

/// What each entry of the folder `include` leads to.
type Headers = BTreeMap<OsString, PathBuf>;

fn headers(runtime: &Path, parallel: &Path, compiler: &Path) -> std::io::Result<Headers> {
    let mut headers = Headers::new();
    for entry in std::fs::read_dir(runtime)? {
        let entry = entry?;
        headers.insert(entry.file_name(), entry.path());
    }
    headers.insert("cccl".into(), parallel.to_owned());
    headers
        .entry("crt".into())
        .or_insert_with(|| compiler.to_owned());
    Ok(headers)
}

/// Whether every header is linked: an update of the wheels may have brought others.
fn is_current(cuda_path: &Path, headers: &Headers) -> bool {
    let include = cuda_path.join("include");
    headers.iter().all(|(name, header)| {
        std::fs::read_link(include.join(name)).is_ok_and(|target| target == *header)
    })
}

/// Makes the folder aside and puts it in place: other kernels may start at this moment.
fn join(cuda_path: &Path, headers: &Headers) -> std::io::Result<()> {
    let folder = cuda_path.parent().unwrap_or(cuda_path);
    std::fs::create_dir_all(folder)?;
    let aside = tempfile::Builder::new()
        .prefix(".cuda12-")
        .tempdir_in(folder)?;
    let new = aside.path().join("new");
    std::fs::create_dir_all(new.join("include"))?;
    for (name, header) in headers {
        symlink(header, new.join("include").join(name))?;
    }
    if cuda_path.exists() {
        std::fs::rename(cuda_path, aside.path().join("old"))?;
    }
    match std::fs::rename(&new, cuda_path) {
        // Somebody was quicker, and has made the same.
        Err(_) if is_current(cuda_path, headers) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, path.to_str().unwrap()).unwrap();
    }

    /// An environment with the layout of NVIDIA's wheels: `nvidia-cuda-*` 13.0 or `nvidia-cuda-*-cu12` 12.4.
    fn environment(prefix: &Path, files: &[&str]) -> PathBuf {
        for name in files {
            file(
                &prefix
                    .join("lib/python3.12/site-packages/nvidia")
                    .join(name),
            );
        }
        prefix.join("lib/swath/0.1.0/lib-swath")
    }

    #[test]
    fn the_wheels_of_cuda_13_are_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            "cu13/lib/libnvrtc.so.13",
            "cu13/lib/libnvrtc-builtins.so.13.5",
            "cu13/include/cuda_fp16.h",
            "cu13/include/cccl/nv/target",
        ];
        let lib_dir = environment(folder.path(), &files);
        let nvidia = folder.path().join("lib/python3.12/site-packages/nvidia");
        let found = Nvidia {
            cuda_path: nvidia.join("cu13"),
            libraries: nvidia.join("cu13/lib"),
        };
        assert_eq!(find(&lib_dir, Path::new("/nowhere")), Some(found));
        std::fs::remove_file(nvidia.join(files[0])).unwrap();
        assert_eq!(find(&lib_dir, Path::new("/nowhere")), None);
    }

    #[test]
    fn the_wheels_of_cuda_12_are_put_together() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            "cuda_nvrtc/lib/libnvrtc.so.12",
            "cuda_runtime/include/cuda_fp16.h",
            "cuda_nvcc/include/crt/mma.h",
            "cuda_cccl/include/nv/target",
        ];
        let lib_dir = environment(folder.path(), &files);
        let links = folder.path().join("home/cache");
        let found = find(&lib_dir, &links).unwrap();
        assert!(found.libraries.ends_with("nvidia/cuda_nvrtc/lib"));
        for (name, part) in [
            ("cuda_fp16.h", files[1]),
            ("crt/mma.h", files[2]),
            ("cccl/nv/target", files[3]),
        ] {
            let text = std::fs::read_to_string(found.cuda_path.join("include").join(name)).unwrap();
            assert!(text.ends_with(part), "{text}");
        }
        // Found again as it is, and made anew when an update has brought another header.
        assert_eq!(find(&lib_dir, &links), Some(found.clone()));
        environment(folder.path(), &["cuda_runtime/include/new.h"]);
        assert_eq!(find(&lib_dir, &links), Some(found.clone()));
        assert!(found.cuda_path.join("include/new.h").is_file());
        assert_eq!(std::fs::read_dir(&links).unwrap().count(), 1);
        // As since 12.9: with the other headers.
        environment(folder.path(), &["cuda_runtime/include/crt/mma.h"]);
        assert_eq!(find(&lib_dir, &links), Some(found.clone()));
        let text = std::fs::read_to_string(found.cuda_path.join("include/crt/mma.h")).unwrap();
        assert!(text.contains("cuda_runtime"), "{text}");
        // A folder that cannot be written is as if there were none.
        let file = folder.path().join("a-file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(find(&lib_dir, &file), None);
    }

    #[test]
    fn without_them_nothing_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(&environment(folder.path(), &[]), folder.path()), None);
        assert_eq!(find(Path::new("/"), folder.path()), None);
    }
}
