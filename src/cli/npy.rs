//! Arrays for NumPy, written in pieces: pixels as they were read, for programs that compare or go on with them.
//!
//! The format is NumPy's own, version 1.0: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::staged::StagedFile;

/// A `.npy` file that takes its name when it is complete. What is not written is 0.
#[derive(Debug)]
pub(super) struct Npy {
    staged: StagedFile,
    file: File,
    /// Bytes before the first value.
    header: u64,
}

impl Npy {
    /// A file for an array in C order. `kind` is NumPy's name of the type, such as `<f4` or `|u1`; `bytes` is the size of
    /// one value.
    pub(super) fn create(
        path: &Path,
        kind: &str,
        bytes: usize,
        shape: &[usize],
    ) -> io::Result<Self> {
        let staged = StagedFile::new(path, "new")?;
        let mut file = File::create(staged.path())?;
        let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
        let about = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sides}), }}");
        // Magic, version and length take ten bytes, the line's end one; all of it a multiple of 64.
        let padded = (10 + about.len() + 1).next_multiple_of(64) - 11;
        let length = u16::try_from(padded + 1).map_err(io::Error::other)?;
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&length.to_le_bytes())?;
        file.write_all(format!("{about:padded$}\n").as_bytes())?;
        let header = 10 + u64::from(length);
        let values: usize = shape.iter().product();
        file.set_len(header + (values * bytes) as u64)?;
        Ok(Self {
            staged,
            file,
            header,
        })
    }

    /// Writes values from the byte `at` of the array on.
    pub(super) fn write_at(&mut self, at: usize, values: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.header + at as u64))?;
        self.file.write_all(values)
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> io::Result<()> {
        self.staged.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.save(f, numpy.array([[0, 0, 0], [0, 7, 9]], "uint8"))` writes these 134 bytes (NumPy 2.4).
    #[test]
    fn the_bytes_are_those_of_numpy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.npy");
        let mut array = Npy::create(&path, "|u1", 1, &[2, 3]).unwrap();
        array.write_at(4, &[7, 9]).unwrap();
        array.finish().unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(bytes.len(), 128 + 6);
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert!(
            bytes[10..].starts_with(b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3")
        );
        assert_eq!(bytes[127], b'\n');
        assert_eq!(&bytes[128..], [0, 0, 0, 0, 7, 9]);
    }
}
