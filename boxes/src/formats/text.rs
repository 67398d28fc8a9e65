//! Files as text, and text as files.

use std::path::Path;

use super::FormatError;
use super::remark::{Remark, RemarkKind};

/// The text of a file, and what a person should know about how it was read.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) remark: Option<Remark>,
}

/// The text of a file, its byte order mark taken off. UTF-8, or UTF-16 with its mark; other bytes are taken as ISO-8859-1,
/// which every byte is a letter of, and said so.
pub(super) fn text_of(path: &Path) -> Result<Text, FormatError> {
    if path.is_dir() {
        return Err(FormatError::Folder {
            path: path.to_owned(),
        });
    }
    let bytes = std::fs::read(path).map_err(|source| FormatError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    })?;
    text_from(path, bytes)
}

/// [`text_of`] of bytes that were read already.
pub(super) fn text_from(path: &Path, bytes: Vec<u8>) -> Result<Text, FormatError> {
    if let Some(kind) = picture(&bytes) {
        return Err(FormatError::Image {
            path: path.to_owned(),
            kind,
        });
    }
    let sound = |text: String| Text { text, remark: None };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return Ok(sound(utf_16(rest, u16::from_le_bytes))),
        [0xfe, 0xff, rest @ ..] => return Ok(sound(utf_16(rest, u16::from_be_bytes))),
        _ => {}
    }
    if bytes.contains(&0) {
        return Err(FormatError::NotText {
            path: path.to_owned(),
        });
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.starts_with('\u{feff}') => {
            Ok(sound(text.trim_start_matches('\u{feff}').to_owned()))
        }
        Ok(text) => Ok(sound(text)),
        Err(error) => {
            let text: String = error
                .as_bytes()
                .iter()
                .map(|&byte| char::from(byte))
                .collect();
            let what = "the text is not UTF-8 and was read as ISO-8859-1";
            let remark = Remark::new(RemarkKind::Assumed, what)
                .next("check the class names, and save the file as UTF-8 where they are wrong");
            Ok(Text {
                text,
                remark: Some(remark),
            })
        }
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The kind of picture that begins with these bytes.
pub(super) fn picture(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 8] = [
        (b"\x89PNG", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "BigTIFF"),
        (b"MM\0+", "BigTIFF"),
        (b"\0\0\0\x0cjP  ", "JPEG 2000"),
        (b"GIF8", "GIF"),
    ];
    let found = KINDS.iter().find(|(start, _)| bytes.starts_with(start));
    found.map(|(_, kind)| *kind)
}

/// The first characters of a text, for messages.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Writes a file under another name first, so that a full disk or a crash leaves the old one whole.
pub(super) fn write_text(path: &Path, text: &str) -> Result<(), FormatError> {
    let io = |source| FormatError::Io {
        path: path.to_owned(),
        doing: "write",
        source,
    };
    // What a link points to is replaced, not the link.
    let target = match std::fs::canonicalize(path) {
        Ok(pointed) if path.is_symlink() => pointed,
        _ => path.to_owned(),
    };
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let staged = target.with_file_name(name);
    write_and_rename(&staged, &target, text).map_err(|source| {
        let _ = std::fs::remove_file(&staged);
        io(source)
    })
}

/// The new file has the permissions of the one it replaces, and is on the disk before it has its name.
fn write_and_rename(staged: &Path, target: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(staged)?;
    file.write_all(text.as_bytes())?;
    if let Ok(replaced) = std::fs::metadata(target)
        && replaced.is_file()
    {
        file.set_permissions(replaced.permissions())?;
    }
    file.sync_all()?;
    std::fs::rename(staged, target)?;
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Some file systems refuse to flush a folder; the rename itself has succeeded then.
    if let Ok(folder) = std::fs::File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}
