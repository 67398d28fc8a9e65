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
    /// A folder in place of a file.
    #[error("a label file is expected, a folder was found: {path:?}")]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A pattern of several files in place of one.
    #[error("one label file is expected, a pattern for several was found: {path:?}")]
    Pattern {
        /// The pattern.
        path: PathBuf,
    },
    /// A picture in place of a label file.
    #[error("a label file of boxes is expected, a picture ({kind}) was found: {path:?}")]
    Image {
        /// The picture.
        path: PathBuf,
        /// Its format.
        kind: &'static str,
    },
    /// Bytes that are no text.
    #[error("a label file of text is expected, other bytes were found: {path:?}")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// An extension that no format has.
    #[error(
        "boxes are read from .xml (Pascal VOC, CVAT), .json (COCO, labelme), .txt (YOLO, DOTA) and .csv, {found:?} was \
         found: {path:?}"
    )]
    UnknownKind {
        /// The file.
        path: PathBuf,
        /// Its extension.
        found: String,
    },
    /// A format that is known and not read.
    #[error("{path:?} is {format}, which is not read as boxes")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The name of the format.
        format: &'static str,
        /// How its boxes can be had.
        way: &'static str,
    },
    /// JSON of a kind that nobody knows.
    #[error("{path:?} is JSON without boxes of a known kind: it holds {found}")]
    UnknownJson {
        /// The file.
        path: PathBuf,
        /// Its outermost keys, or what else it is.
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
        /// A sound entry of the format, as the next step.
        example: &'static str,
    },
    /// A JSON file that is none, or not what its keys say.
    #[error("{path:?} is not a {format} file: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// The format that it was read as.
        format: &'static str,
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
    /// Entries of a COCO file that contradict each other, so that no box is left.
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
    /// Coordinates on the ground where pixels are expected.
    #[error("the boxes of {path:?} are in degrees ({found}), pixels are expected in this format")]
    Degrees {
        /// The file.
        path: PathBuf,
        /// The columns that say so.
        found: String,
    },
    /// Boxes that are all smaller than one pixel: shares of the image, or degrees.
    #[error(
        "all {boxes} boxes of {path:?} are smaller than a pixel, the first from ({:.6}, {:.6}) to ({:.6}, {:.6}): these \
         are no pixels",
        first[0], first[1], first[2], first[3]
    )]
    NotPixels {
        /// The file.
        path: PathBuf,
        /// How many.
        boxes: usize,
        /// The edges of the first: left, upper, right, lower.
        first: [f64; 4],
    },
    /// The label file is of other images.
    #[error("{path:?} holds {} and none is called {wanted:?}; {}", counted(*images), listed(some, *nameless, *images))]
    NoImage {
        /// The label file.
        path: PathBuf,
        /// The image that was looked for.
        wanted: String,
        /// Images in the file.
        images: usize,
        /// Images without a name.
        nameless: usize,
        /// The first names.
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
    /// A class number of YOLO beyond the names.
    #[error(
        "{path:?}, line {line}: class number {number} has no name, {names_from} names {named}; {count} of the file's lines \
         are of such classes"
    )]
    ClassNumber {
        /// The label file.
        path: PathBuf,
        /// The line of the first, from 1.
        line: usize,
        /// Its number.
        number: usize,
        /// Lines with such numbers.
        count: usize,
        /// The file of the names.
        names_from: String,
        /// The numbers that have names, in words.
        named: String,
    },
    /// Two files that give a class number of YOLO different names.
    #[error("class number {number} of {path:?} is {first} and {second}")]
    NamesDiffer {
        /// The label file.
        path: PathBuf,
        /// The class's number.
        number: usize,
        /// Its name in the first file, with the file.
        first: String,
        /// Its name in the second file, with the file.
        second: String,
    },
    /// A file of class names that cannot be understood.
    #[error("the class names cannot be read from {path:?}: {detail}")]
    Names {
        /// The file of names.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

/// `it has a.png, b.png and 3 more`, with words for images that have no name.
fn listed(some: &[String], nameless: usize, images: usize) -> String {
    if images == 0 {
        return "it has none".to_owned();
    }
    if some.is_empty() {
        return "its images have no names".to_owned();
    }
    let more = images.saturating_sub(some.len() + nameless);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let nameless = match nameless {
        0 => String::new(),
        nameless => format!(", {nameless} without a name"),
    };
    format!("it has {}{more}{nameless}", some.join(", "))
}

fn counted(images: usize) -> String {
    match images {
        1 => "1 image".to_owned(),
        images => format!("{images} images"),
    }
}

impl FormatError {
    /// The same error for an image that goes by another name in messages, such as that of its file alone.
    #[must_use]
    pub fn of_image(mut self, name: &str) -> Self {
        if let Self::NoImage { wanted, .. } | Self::SeveralImages { wanted, .. } = &mut self {
            name.clone_into(wanted);
        }
        self
    }

    /// What would help, apart from the message itself.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        const CLASS_NAMES: &str = "`ReadOptions { class_names: Some(vec![…]), ..ReadOptions::default() }` given to \
                                   `.with_boxes_read(path, class, &options)` says the names";
        Some(match self {
            Self::UnknownKind { .. } => {
                "vector files such as GeoJSON and GeoPackage are read by `Scene::with_boxes`".to_owned()
            }
            Self::Folder { .. } => {
                "boxes are given to one scene from one file: name the label file of the scene's image, or the COCO or CSV \
                 file that lists many images, from which the entry of the scene's image is taken"
                    .to_owned()
            }
            Self::Pattern { .. } => {
                "open each image as a scene and give it its own label file; COCO and CSV hold many images in one file"
                    .to_owned()
            }
            Self::Image { .. } => {
                "a raster of class numbers is given by `.with_label_raster(path, classes)`; boxes are in label files such \
                 as Pascal VOC, COCO, YOLO, CSV, GeoJSON"
                    .to_owned()
            }
            Self::NotText { .. } => {
                "export the boxes as COCO JSON, Pascal VOC, CSV, GeoJSON or GeoPackage".to_owned()
            }
            Self::OtherFormat { way, .. } => (*way).to_owned(),
            Self::UnknownJson { .. } => {
                "COCO has the lists `images`, `annotations` and `categories`, labelme has `shapes`, GeoJSON a `type`: export \
                 the boxes as one of these"
                    .to_owned()
            }
            Self::Syntax { example, .. } => {
                format!("look at that line: {example}; a file that was cut short is exported or copied again")
            }
            Self::Json { source, .. } if source.is_syntax() || source.is_eof() => {
                "the file was cut short or edited by hand: export or copy it again".to_owned()
            }
            Self::Json { format: "COCO", .. } => {
                "a COCO file is one object with the lists `images`, `annotations` and `categories`".to_owned()
            }
            Self::Json { .. } => "export the file again from the labeling program".to_owned(),
            Self::Results { .. } => {
                "COCO results are one list: `[{\"image_id\": 1, \"category_id\": 1, \"bbox\": [x, y, width, height], \
                 \"score\": 0.9}, …]`"
                    .to_owned()
            }
            Self::BrokenReference { .. } => {
                "every `image_id` is the `id` of one entry of `images`, every `category_id` that of one entry of \
                 `categories`: export the file again with all three lists"
                    .to_owned()
            }
            Self::Origin { .. } => "read it with `voc::Origin::Zero`".to_owned(),
            Self::Degrees { .. } => {
                "load the table into QGIS as delimited text in EPSG:4326, export it as GeoPackage or GeoJSON, and give that \
                 to `.with_boxes`: vector files lie where their coordinate reference system says"
                    .to_owned()
            }
            Self::NotPixels { .. } => {
                "shares of the image are multiplied by its width and height first; degrees belong into a GeoJSON or \
                 GeoPackage, which names its coordinate reference system"
                    .to_owned()
            }
            Self::NoImage { nameless, images, .. } if nameless == images && *images > 0 => {
                "give every image of the label file its file name (`file_name` in COCO, `image_path` in a table), or cut the \
                 file to one image"
                    .to_owned()
            }
            Self::NoImage { .. } | Self::SeveralImages { .. } => {
                "images are told apart by their file names: `ReadOptions { image: Some(\"name.png\".into()), \
                 ..ReadOptions::default() }` given to `.with_boxes_read` names the entry, or rename the image or its entry"
                    .to_owned()
            }
            Self::SizeNeeded { .. } => "give `ReadOptions::size`".to_owned(),
            Self::UnknownClass { .. } => "name every class that the file holds".to_owned(),
            Self::ClassNumber { .. } => {
                format!("add the missing names to that file, or {CLASS_NAMES}")
            }
            Self::NamesDiffer { .. } => format!("remove the file that is out of date, or {CLASS_NAMES}"),
            Self::Names { .. } => {
                format!("`names: [tree, car]` is the usual form of a data.yaml; or {CLASS_NAMES}")
            }
            Self::Io { .. } => {
                "check the path, and that the file may be read or its folder written to".to_owned()
            }
        })
    }
}
