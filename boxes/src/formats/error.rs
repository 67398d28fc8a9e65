use std::path::PathBuf;

/// What can go wrong with a label file of boxes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The disk or the network said no.
    #[error("cannot {doing} {path:?}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `write`.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// An extension that no format has.
    #[error(
        "boxes are read from .xml (Pascal VOC), .json (COCO), .txt (YOLO) and .csv, {found:?} was found: {path:?}"
    )]
    UnknownKind {
        /// The file.
        path: PathBuf,
        /// Its extension.
        found: String,
    },
    /// A file that does not hold what its format asks for.
    #[error("{path:?}, line {line}: {expected} is expected, {found} was found")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What would do.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A JSON file that is none, or not COCO.
    #[error("{path:?} is not a COCO file: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A JSON file that is none, or no list of COCO results.
    #[error("{path:?} holds no COCO results: {source}")]
    Results {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// Entries of a COCO file that contradict each other.
    #[error("{path:?} contradicts itself: {what}")]
    BrokenReference {
        /// The file.
        path: PathBuf,
        /// Which entry, what it names, and what there is.
        what: String,
    },
    /// A coordinate 0 in a file that is said to count from 1.
    #[error("{path:?}, line {line}: {found} was found where pixels are counted from 1")]
    Origin {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The coordinate.
        found: f64,
    },
    /// The label file is of other images.
    #[error("{path:?} holds {images} images and none is called {wanted:?}; it has {}", some.join(", "))]
    NoImage {
        /// The label file.
        path: PathBuf,
        /// The image that was looked for.
        wanted: String,
        /// Images in the file.
        images: usize,
        /// The first of them.
        some: Vec<String>,
    },
    /// Two images of the same name.
    #[error("{path:?} holds several images called {wanted:?}")]
    SeveralImages {
        /// The label file.
        path: PathBuf,
        /// The image that was looked for.
        wanted: String,
    },
    /// YOLO gives places as shares of an image whose size nobody said.
    #[error("the size of the image is needed to read {path:?}: YOLO gives places as shares of it")]
    SizeNeeded {
        /// The label file.
        path: PathBuf,
    },
    /// A class that has no number or name where the format needs one.
    #[error("class {found:?} is none of {}: {path:?}", classes.join(", "))]
    UnknownClass {
        /// The label file.
        path: PathBuf,
        /// The class.
        found: String,
        /// The classes there are.
        classes: Vec<String>,
    },
}

impl FormatError {
    /// What would help, apart from the message itself.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownKind { .. } => {
                "vector files such as GeoJSON and GeoPackage are read by `Scene::with_boxes`".to_owned()
            }
            Self::Json { .. } => {
                "a COCO file is one object with the lists `images`, `annotations` and `categories`".to_owned()
            }
            Self::Results { .. } => {
                "COCO results are one list: `[{\"image_id\": 1, \"category_id\": 1, \"bbox\": [x, y, width, height], \
                 \"score\": 0.9}, …]`"
                    .to_owned()
            }
            Self::BrokenReference { .. } => {
                "mend the file, or export it again; pycocotools would fail on it or drop boxes silently".to_owned()
            }
            Self::Origin { .. } => "read it with `voc::Origin::Zero`".to_owned(),
            Self::NoImage { .. } | Self::SeveralImages { .. } => {
                "images are told apart by their file names: rename the image, or its entry in the label file".to_owned()
            }
            Self::SizeNeeded { .. } => "give `ReadOptions::size`".to_owned(),
            Self::UnknownClass { .. } => "name every class that the file holds".to_owned(),
            Self::Io { .. } | Self::Syntax { .. } => return None,
        })
    }
}
