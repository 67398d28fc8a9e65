//! Words as a shell reads them.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

/// A word that a shell takes for itself, whatever is in it.
pub(crate) fn quoted(word: impl AsRef<OsStr>) -> String {
    let bytes = word.as_ref().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(plain) => text.to_owned(),
        Ok(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
        // Bash's own way for what no line can hold.
        _ => {
            let mut word = "$'".to_owned();
            for byte in bytes {
                match byte {
                    b'\'' | b'\\' => {
                        word.push('\\');
                        word.push(char::from(*byte));
                    }
                    b' '..=b'~' => word.push(char::from(*byte)),
                    // Writing to a String cannot fail.
                    _ => drop(write!(word, "\\x{byte:02x}")),
                }
            }
            word + "'"
        }
    }
}

/// A path in a line of `#SBATCH`, where `%` begins a pattern unless `patterns` says that it is meant so.
pub(crate) fn directive(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_@%+=:,./-[]*()".contains(letter);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_reads_what_was_meant() {
        let words: Vec<&OsStr> = [
            "plain/path.tif",
            "",
            "tiles/*.tif",
            "it's $HOME",
            "{stem}",
            "split = 'train'",
            "a\nb\tc",
            "~/x",
            "ü",
            "#",
            "!!",
            "\\",
            "a=b",
        ]
        .map(OsStr::new)
        .into_iter()
        .chain([OsStr::from_bytes(b"\xff'\\\x01")])
        .collect();
        for word in words {
            let script = format!("printf %s {}", quoted(word));
            let told = std::process::Command::new("bash")
                .args(["-c", &script])
                .output();
            let told = told.expect("bash");
            assert_eq!(told.stdout, word.as_bytes(), "{script}");
        }
    }
}
