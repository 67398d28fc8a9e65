//! Sums of files, those that publishers give and the one that we keep, in one reading.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::DataError;
use crate::{Result, session};

/// The sums of a file in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) sha256: String,
    /// Where it was asked for.
    pub(super) md5: Option<String>,
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Reads the whole file; `progress` is told the bytes so far.
pub(super) fn of_file(path: &Path, with_md5: bool, progress: &mut dyn FnMut(u64)) -> Result<Sums> {
    let io = |source| DataError::File(crate::FileError::new(path.to_owned(), source));
    let mut file = std::fs::File::open(path).map_err(io)?;
    let (mut sha256, mut md5) = (Sha256::new(), with_md5.then(Md5::new));
    let (mut buffer, mut done) = (vec![0; 1 << 20], 0);
    loop {
        let count = file.read(&mut buffer).map_err(io)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            break;
        };
        sha256.update(part);
        if let Some(md5) = &mut md5 {
            md5.update(part);
        }
        done += count as u64;
        session::check_interrupt("checking a file")?;
        progress(done);
    }
    Ok(Sums {
        sha256: hexadecimal(&sha256.finalize()),
        md5: md5.map(|md5| hexadecimal(&md5.finalize())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        // "abc": RFC 1321 A.5 and FIPS 180-4's example.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let sums = of_file(&path, true, &mut |_| ()).unwrap();
        assert_eq!(
            sums.md5.as_deref(),
            Some("900150983cd24fb0d6963f7d28e17f72")
        );
        assert_eq!(
            sums.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
