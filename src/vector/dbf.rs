//! The table of a shapefile as bytes: GDAL tells neither how many of its records are deleted, nor whether its text is
//! what it is said to be.

use std::path::Path;

use crate::raster::gdal_library::c_path;

/// What the bytes of a table say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TableFacts {
    /// Records that are marked as deleted: GDAL counts them, and does not hand them out.
    pub(super) deleted: usize,
    /// Whether some text has letters beyond ASCII.
    pub(super) beyond_ascii: bool,
    /// Whether all text is UTF-8, letters apart that the width of a field has cut.
    pub(super) utf8: bool,
}

/// Reads through a table; `None` when there is none, or when it is none.
pub(super) fn examine(path: &Path) -> Option<TableFacts> {
    let mut file = VirtualFile::open(path)?;
    let header = file.read(32)?;
    let length = usize::from(u16::from_le_bytes([header[8], header[9]]));
    let record = usize::from(u16::from_le_bytes([header[10], header[11]]));
    if length < 33 || record == 0 {
        return None;
    }
    let descriptors = file.read(length - 32)?;
    let mut facts = TableFacts {
        utf8: true,
        ..TableFacts::default()
    };
    let mut texts = Vec::new();
    let mut start = 1;
    for field in descriptors
        .chunks_exact(32)
        .take_while(|field| field[0] != 0x0d)
    {
        let name: Vec<u8> = field[..11]
            .iter()
            .copied()
            .take_while(|&byte| byte != 0)
            .collect();
        facts.look_at(&name);
        let width = usize::from(field[16]);
        if field[11] == b'C' {
            texts.push(start..start + width);
        }
        start += width;
    }
    while let Some(bytes) = file.read(record) {
        if bytes[0] == b'*' {
            facts.deleted += 1;
            continue;
        }
        for text in &texts {
            if let Some(text) = bytes.get(text.clone()) {
                facts.look_at(text.trim_ascii_end());
            }
        }
    }
    Some(facts)
}

impl TableFacts {
    fn look_at(&mut self, text: &[u8]) {
        if text.is_ascii() {
            return;
        }
        self.beyond_ascii = true;
        self.utf8 &= std::str::from_utf8(text)
            .err()
            .is_none_or(|error| error.error_len().is_none());
    }
}

/// A file that GDAL opens, inside archives, too.
struct VirtualFile {
    handle: *mut gdal_sys::VSILFILE,
    buffer: Vec<u8>,
    used: usize,
}

impl VirtualFile {
    fn open(path: &Path) -> Option<Self> {
        // SAFETY: both strings are NUL-terminated and outlive the call.
        let handle = unsafe { gdal_sys::VSIFOpenL(c_path(path).as_ptr(), c"rb".as_ptr()) };
        // Not `then_some`: a value that is not returned is dropped, which would close nothing.
        (!handle.is_null()).then(|| Self {
            handle,
            buffer: Vec::new(),
            used: 0,
        })
    }

    /// The next `count` bytes; `None` when fewer are left.
    fn read(&mut self, count: usize) -> Option<&[u8]> {
        if self.buffer.len() - self.used < count {
            self.buffer.drain(..self.used);
            self.used = 0;
            let kept = self.buffer.len();
            self.buffer.resize(kept + count.max(1 << 16), 0);
            // SAFETY: the buffer has room for as many bytes after those that are kept.
            let read = unsafe {
                gdal_sys::VSIFReadL(
                    self.buffer[kept..].as_mut_ptr().cast(),
                    1,
                    self.buffer.len() - kept,
                    self.handle,
                )
            };
            self.buffer.truncate(kept + read);
        }
        let bytes = self.buffer.get(self.used..self.used + count)?;
        self.used += count;
        Some(bytes)
    }
}

impl Drop for VirtualFile {
    fn drop(&mut self) {
        // SAFETY: the file is open and ours alone.
        unsafe { gdal_sys::VSIFCloseL(self.handle) };
    }
}
