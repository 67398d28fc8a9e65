//! Published weights by name: official addresses with checksums, a cache, and a folder for machines without network.
//!
//! A file is looked for in the folder that `SWATH_WEIGHTS` names, in `weights` of the folder that `SWATH_MIRROR` names
//! ([`crate::data::mirror`]), then in `weights` of the cache ([`crate::data::cache_dir`]), and then fetched from its address, by Python (`SWATH_PYTHON`, otherwise `python3`). Its
//! checksum is checked every time: the eight hexadecimal digits in torchvision's file names are the first of the file's
//! SHA-256 sum.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{ModelError, ResNetKind};
use crate::display::{Output, Show, escape};
use crate::{Result, cache, data, session};

/// Weights that someone has published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedWeights {
    /// The name to ask for, such as `torchvision/resnet50`.
    pub name: &'static str,
    /// What they are weights of, and what they were trained on.
    pub about: &'static str,
    /// The official address.
    pub address: &'static str,
    /// The first eight digits of the file's SHA-256 sum: all that its official name tells and that is checked. They find a
    /// damaged or mistaken file; they would not stop someone who forges one.
    pub sha256: &'static str,
}

impl PublishedWeights {
    /// The file's name, which is the end of its address.
    #[must_use]
    pub fn file(&self) -> &'static str {
        self.address.rsplit('/').next().unwrap_or(self.address)
    }
}

const fn torchvision(
    name: &'static str,
    about: &'static str,
    address: &'static str,
    sha256: &'static str,
) -> PublishedWeights {
    PublishedWeights {
        name,
        about,
        address,
        sha256,
    }
}

/// The addresses in torchvision 0.29's source.
const ALL: [PublishedWeights; 10] = [
    torchvision(
        "torchvision/resnet18",
        "ResNet-18, ImageNet",
        "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        "f37072fd",
    ),
    torchvision(
        "torchvision/resnet34",
        "ResNet-34, ImageNet",
        "https://download.pytorch.org/models/resnet34-b627a593.pth",
        "b627a593",
    ),
    torchvision(
        "torchvision/resnet50",
        "ResNet-50, ImageNet (version 1)",
        "https://download.pytorch.org/models/resnet50-0676ba61.pth",
        "0676ba61",
    ),
    torchvision(
        "torchvision/resnet50-v2",
        "ResNet-50, ImageNet (version 2)",
        "https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
        "11ad3fa6",
    ),
    torchvision(
        "torchvision/resnet101",
        "ResNet-101, ImageNet (version 1)",
        "https://download.pytorch.org/models/resnet101-63fe2227.pth",
        "63fe2227",
    ),
    torchvision(
        "torchvision/resnet101-v2",
        "ResNet-101, ImageNet (version 2)",
        "https://download.pytorch.org/models/resnet101-cd907fc2.pth",
        "cd907fc2",
    ),
    torchvision(
        "torchvision/deeplabv3-resnet50",
        "DeepLabV3 on ResNet-50, COCO with the 20 classes of VOC",
        "https://download.pytorch.org/models/deeplabv3_resnet50_coco-cd0a2569.pth",
        "cd0a2569",
    ),
    torchvision(
        "torchvision/deeplabv3-resnet101",
        "DeepLabV3 on ResNet-101, COCO with the 20 classes of VOC",
        "https://download.pytorch.org/models/deeplabv3_resnet101_coco-586e9e4e.pth",
        "586e9e4e",
    ),
    torchvision(
        "torchvision/retinanet-resnet50",
        "RetinaNet on ResNet-50 and FPN, COCO",
        "https://download.pytorch.org/models/retinanet_resnet50_fpn_coco-eeacb38b.pth",
        "eeacb38b",
    ),
    torchvision(
        "torchvision/faster-rcnn-resnet50",
        "Faster R-CNN on ResNet-50 and FPN, COCO",
        "https://download.pytorch.org/models/fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
        "258fb6c6",
    ),
];

/// Every entry. It shows itself as a table in a notebook: `Catalog`.
#[must_use]
pub fn all() -> &'static [PublishedWeights] {
    &ALL
}

/// The whole catalog, to look at.
#[derive(Clone, Copy, Debug)]
pub struct Catalog;

impl Show for Catalog {
    fn output(&self) -> Output {
        let text: Vec<String> = ALL
            .iter()
            .map(|entry| format!("{}: {} ({})", entry.name, entry.about, entry.address))
            .collect();
        let rows: String = ALL
            .iter()
            .map(|entry| {
                let [name, about, address] = [entry.name, entry.about, entry.address].map(escape);
                format!("<tr><td><code>{name}</code></td><td>{about}</td><td>{address}</td></tr>")
            })
            .collect();
        Output::styled(text.join("\n"), format!("<table>{rows}</table>"))
    }
}

crate::show_in_cells!(Catalog);

/// Torchvision's ImageNet weights (version 1) of a ResNet.
#[must_use]
pub fn imagenet(kind: ResNetKind) -> &'static PublishedWeights {
    match kind {
        ResNetKind::Resnet18 => &ALL[0],
        ResNetKind::Resnet34 => &ALL[1],
        ResNetKind::Resnet50 => &ALL[2],
        ResNetKind::Resnet101 => &ALL[4],
    }
}

/// The entry of this name.
///
/// # Errors
/// [`ModelError::UnknownWeights`] lists the names.
pub fn named(name: &str) -> Result<&'static PublishedWeights> {
    ALL.iter().find(|entry| entry.name == name).ok_or_else(|| {
        ModelError::UnknownWeights {
            name: name.to_owned(),
            names: ALL.iter().map(|entry| entry.name.to_owned()).collect(),
        }
        .into()
    })
}

/// The file of published weights, fetched if it is not on this machine; give it to a network, as in
/// [`crate::models::Unet::weights`].
///
/// # Errors
/// [`ModelError::Fetch`] without network, with what to do instead; [`ModelError::WeightsChecksum`] for a file that is not
/// the published one.
pub fn fetch(weights: &PublishedWeights) -> Result<PathBuf> {
    let cache = data::cache_dir().join("weights");
    let given = std::env::var_os(swath_link::environment::WEIGHTS).map(PathBuf::from);
    let mirrored = data::mirror_folder().map(|folder| folder.join("weights"));
    let known: Vec<&Path> = (given.as_deref().into_iter())
        .chain(mirrored.as_deref())
        .collect();
    find_or_fetch(weights, &known, &cache)
}

/// Fetches weights and keeps a copy of the file in `folder`, which other users read when `SWATH_MIRROR` names it.
///
/// # Errors
/// As [`fetch`]; [`crate::FileError::Io`] when the folder cannot be written.
pub fn mirror(weights: &PublishedWeights, folder: impl AsRef<Path>) -> Result<PathBuf> {
    let folder = crate::paths::expanded(folder.as_ref()).join("weights");
    let there = folder.join(weights.file());
    if there.is_file() {
        check(weights, &there)?;
        return Ok(there);
    }
    data::copy_file(&fetch(weights)?, &folder)
}

fn find_or_fetch(weights: &PublishedWeights, known: &[&Path], cache: &Path) -> Result<PathBuf> {
    for folder in known.iter().copied().chain([cache]) {
        let path = folder.join(weights.file());
        if path.is_file() {
            // Eight digits of a sum find a mistake; they would not stop who forges a file.
            let variables = match folder == cache {
                true => swath_link::environment::CACHE,
                false => "SWATH_WEIGHTS or SWATH_MIRROR",
            };
            cache::trusted(&path, variables)
                .map_err(|error| ModelError::File(crate::FileError::new(path.clone(), error)))?;
            check(weights, &path)?;
            return Ok(path);
        }
    }
    data::check_online(weights.name)?;
    let io = |source| ModelError::File(crate::FileError::new(cache.to_owned(), source));
    if cache.starts_with(cache::cache_dir()) {
        cache::prepare().map_err(io)?;
    }
    cache::make_folder(cache).map_err(io)?;
    // A folder of its own, so that a file cut short never lies in the cache under its name.
    let folder = cache::private_in(cache).map_err(io)?;
    let partial = folder.path().join(weights.file());
    session::display(&Output::text(format!(
        "Fetching {} ({}) from {}",
        weights.name, weights.about, weights.address
    )));
    download(weights, &partial, cache)?;
    check(weights, &partial)?;
    let path = cache.join(weights.file());
    cache::publish(&partial, &path).map_err(io)?;
    Ok(path)
}

fn check(weights: &PublishedWeights, path: &Path) -> Result<()> {
    let found = data::sha256(path)?;
    if found.starts_with(weights.sha256) {
        return Ok(());
    }
    Err(ModelError::WeightsChecksum {
        path: path.to_owned(),
        expected: weights.sha256.to_owned(),
        found,
    }
    .into())
}

const SCRIPT: &str = "import socket, sys, urllib.request\n\
    socket.setdefaulttimeout(60)\n\
    try: urllib.request.urlretrieve(sys.argv[1], sys.argv[2])\n\
    except Exception as error: sys.exit(f'{type(error).__name__}: {error}')";

fn download(weights: &PublishedWeights, target: &Path, cache: &Path) -> Result<()> {
    let failed = |reason: String| ModelError::Fetch {
        name: weights.name.to_owned(),
        address: weights.address.to_owned(),
        reason,
        folder: cache.to_owned(),
    };
    let arguments = ["-c", SCRIPT, weights.address].map(OsStr::new);
    let ended = data::python::run(
        arguments.into_iter().chain([target.as_os_str()]),
        "fetching weights",
    )?;
    ended.map_err(|said| failed(said.lines().last().unwrap_or("no reason given").to_owned()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hint;

    const NOWHERE: PublishedWeights = PublishedWeights {
        name: "nobody/nothing",
        about: "nothing",
        // The sum of an empty file; port 9 refuses.
        address: "http://127.0.0.1:9/nothing-e3b0c442.pth",
        sha256: "e3b0c442",
    };

    #[test]
    fn a_file_in_the_given_folder_is_used_and_checked() {
        let (given, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = given.path().join(NOWHERE.file());
        std::fs::write(&path, b"").unwrap();
        let find = || find_or_fetch(&NOWHERE, &[given.path()], cache.path());
        assert_eq!(find().unwrap(), path);
        std::fs::write(&path, b"something else").unwrap();
        let error = find().unwrap_err().to_string();
        assert!(
            error.contains("e3b0c442") && error.contains("nothing-e3b0c442.pth"),
            "{error}"
        );
    }

    #[test]
    fn processes_of_two_users_fetch_weights_at_once_and_all_have_them_whole() {
        use std::io::{Read as _, Write as _};
        let test = "models::catalog::tests::processes_of_two_users_fetch_weights_at_once_and_all_have_them_whole";
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let found = {
            use sha2::Digest as _;
            let sum = sha2::Sha256::digest(&bytes);
            format!("{:02x}{:02x}{:02x}{:02x}", sum[0], sum[1], sum[2], sum[3])
        };
        if let Ok(address) = std::env::var("SWATH_TEST_ADDRESS") {
            let weights = PublishedWeights {
                address: Box::leak(format!("{address}/shared-{found}.pth").into_boxed_str()),
                sha256: Box::leak(found.into_boxed_str()),
                ..NOWHERE
            };
            let path = find_or_fetch(&weights, &[], &data::cache_dir().join("weights")).unwrap();
            assert_eq!(std::fs::read(path).unwrap(), bytes);
        } else {
            let place = crate::cache_trial_tests::Place::new();
            // What a process that was killed leaves.
            place.leave(
                &format!("weights/.under-way-x/shared-{found}.pth"),
                &bytes[..1000],
            );
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            let served = bytes.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let served = served.clone();
                    std::thread::spawn(move || {
                        let mut stream = stream;
                        let _ = stream.read(&mut [0; 4096]);
                        let head = format!(
                            "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n",
                            served.len()
                        );
                        let _ = stream.write_all(head.as_bytes());
                        for part in served.chunks(20_000) {
                            let _ = stream.write_all(part);
                            std::thread::sleep(std::time::Duration::from_millis(20));
                        }
                    });
                }
            });
            let children = place.start(test, 6, &[("SWATH_TEST_ADDRESS", &address)]);
            let path = place.cache().join(format!("weights/shared-{found}.pth"));
            crate::cache_trial_tests::all_pass(children, &[(path, bytes)]);
        }
    }

    #[test]
    fn weights_that_anybody_could_have_put_there_are_not_taken() {
        use std::os::unix::fs::PermissionsExt as _;
        let (given, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(given.path().join(NOWHERE.file()), b"").unwrap();
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(given.path(), open).unwrap();
        let error = find_or_fetch(&NOWHERE, &[given.path()], cache.path()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("every user") && text.contains("SWATH_WEIGHTS"),
            "{text}"
        );
    }

    #[test]
    fn without_network_the_error_says_where_to_put_the_file() {
        let cache = tempfile::tempdir().unwrap();
        let error = find_or_fetch(&NOWHERE, &[], cache.path()).unwrap_err();
        assert!(error.to_string().contains("nobody/nothing"), "{error}");
        let hint = error.hint().unwrap();
        assert!(
            hint.contains(NOWHERE.address) && hint.contains("SWATH_WEIGHTS"),
            "{hint}"
        );
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
    }

    #[test]
    fn checksums_are_those_in_torchvisions_file_names() {
        for entry in all() {
            assert!(
                entry.file().ends_with(&format!("-{}.pth", entry.sha256)),
                "{entry:?}"
            );
            assert_eq!(named(entry.name).unwrap(), entry);
        }
        assert!(
            named("torchvision/vgg16")
                .unwrap_err()
                .to_string()
                .contains("resnet18")
        );
    }
}
