//! The header of a saved model (`.swath`): a safetensors file with a JSON text of ours among its metadata.
//!
//! The library reads all of it; here is what says which type loads the file, which the front process asks without the
//! library.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

/// The key of the safetensors metadata that holds the JSON.
pub const KEY: &str = "swath";

/// The key in a checkpoint of a training, which is no bundle.
pub const CHECKPOINT: &str = "swath-training";

/// No header of a bundle comes near this; a length beyond it is that of some other file.
const LONGEST_HEADER: u64 = 64 << 20;

/// What a bundle says about itself before all else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// What the model is for; bundles from before there was a choice say nothing.
    #[serde(default)]
    pub task: Option<String>,
}

/// The metadata in the header of a safetensors file.
#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<String, String>,
}

/// The header of a bundle; `None` for a file that is no bundle or cannot be read, of which loading says what is wrong.
#[must_use]
pub fn read_header(path: &Path) -> Option<Header> {
    // Opening a pipe would wait for somebody to write.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut file = std::fs::File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return None;
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    let all: Metadata = serde_json::from_slice(&header).ok()?;
    serde_json::from_str(all.metadata.get(KEY)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that begins as bundles do.
    fn bundle(own: &str) -> Vec<u8> {
        let tensor = serde_json::json!({ "dtype": "F32", "shape": [1], "data_offsets": [0, 4] });
        let header = serde_json::json!({ "__metadata__": { KEY: own }, "w": tensor }).to_string();
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes
    }

    #[test]
    fn the_task_is_read_and_files_that_are_no_bundles_have_no_header() {
        let folder = tempfile::tempdir().unwrap();
        let read = |bytes: &[u8]| {
            let path = folder.path().join("model.swath");
            std::fs::write(&path, bytes).unwrap();
            read_header(&path)
        };
        let boxes = bundle(r#"{"format":1,"task":"detection","bands":3}"#);
        let header = read(&boxes).unwrap();
        assert_eq!(header.task.as_deref(), Some("detection"));
        assert_eq!(read(&bundle("{}")), Some(Header { task: None }));
        assert_eq!(read(&boxes[..20]), None);
        assert_eq!(read(&bundle("no JSON")), None);
        assert_eq!(read(&[0xff; 64]), None);
        assert_eq!(read(b""), None);
        assert_eq!(read_header(folder.path()), None);
        assert_eq!(read_header(Path::new("nowhere.swath")), None);
    }
}
