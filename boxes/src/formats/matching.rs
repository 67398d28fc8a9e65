//! Which image of a label file belongs to which file: by name, and by folders where names are alike.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use unicode_normalization::UnicodeNormalization as _;

use super::{BoxFile, FormatError, LabeledImage};

/// What an image of a label file is to one of several files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageMatch {
    /// The image of this place in [`BoxFile::images`] is its own.
    Image(usize),
    /// No image has its name.
    Missing,
    /// Several images fit it equally well.
    Several,
    /// The image of this place fits it and another of the files equally well.
    Shared(usize),
}

/// A text in Unicode's composed form (NFC): macOS takes letters and their marks apart in the names of files (NFD), and
/// programs write them together.
#[must_use]
pub fn composed(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_owned(),
        false => text.nfc().collect(),
    }
}

/// The name of an image's file, by whichever system's separators, in one form of Unicode.
struct Name {
    file: String,
    /// Without regard to capitals.
    folded: String,
    /// From the last one outward.
    folders: Vec<String>,
}

impl Name {
    /// `None` for a name that is none.
    fn of(text: &str) -> Option<Self> {
        let text = composed(text.trim());
        let mut parts = text
            .rsplit(['/', '\\'])
            .filter(|part| !["", "."].contains(part));
        let file = parts.next()?.to_owned();
        Some(Self {
            folded: file.to_lowercase(),
            folders: parts.map(str::to_owned).collect(),
            file,
        })
    }

    fn fit(&self, wanted: &Self) -> Option<Fit> {
        Some(Fit {
            alike: self.alike(wanted)?,
            folders: (self.folders.iter().zip(&wanted.folders))
                .take_while(|(own, other)| own == other)
                .count(),
            rest: self.folders.len(),
        })
    }

    /// How much alike the files' own names are; `None` for names of other images.
    fn alike(&self, wanted: &Self) -> Option<u8> {
        let same = |own: &str, wanted: &str| {
            if own == wanted {
                Some(3)
            // An image may be called without its extension, and then have a dot in its name.
            } else if own == stem(wanted) || stem(own) == wanted {
                Some(2)
            } else if stem(own) == stem(wanted) {
                Some(1)
            } else {
                None
            }
        };
        same(&self.file, &wanted.file).or_else(|| same(&self.folded, &wanted.folded).map(|_| 0))
    }
}

/// Without the extension.
fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// How well an image's name fits a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fit {
    /// Of the file's own name: 3 for the same, 2 and 1 but for the extension, 0 but for capitals.
    alike: u8,
    /// Folders that are the same, from the last one outward.
    folders: usize,
    /// Folders that the image's name has.
    rest: usize,
}

impl Fit {
    /// The greater, the better: of equal names the one with most folders in common, and then the one all of whose folders
    /// are.
    fn order(self) -> (u8, usize, bool) {
        (self.alike, self.folders, self.rest == self.folders)
    }
}

/// The images of a label file by their names.
struct Index<'a> {
    names: Vec<Option<Name>>,
    /// By names with and without extension, without regard to capitals.
    places: HashMap<String, Vec<usize>>,
    images: &'a [LabeledImage],
}

/// The images that fit a file.
enum Found {
    None,
    One(usize, Fit),
    Several,
}

impl<'a> Index<'a> {
    fn of(images: &'a [LabeledImage]) -> Self {
        let names: Vec<Option<Name>> = images.iter().map(|image| Name::of(&image.file)).collect();
        let mut places = HashMap::<String, Vec<usize>>::new();
        for (place, name) in names.iter().enumerate() {
            let Some(name) = name else { continue };
            for key in BTreeSet::from([name.folded.as_str(), stem(&name.folded)]) {
                places.entry(key.to_owned()).or_default().push(place);
            }
        }
        Self {
            names,
            places,
            images,
        }
    }

    fn find(&self, wanted: &str) -> Found {
        let Some(wanted) = Name::of(wanted) else {
            return Found::None;
        };
        let keys = [wanted.folded.as_str(), stem(&wanted.folded)];
        let places: BTreeSet<usize> = keys
            .iter()
            .filter_map(|&key| self.places.get(key))
            .flatten()
            .copied()
            .collect();
        let fit = |place: usize| {
            let name = self.names.get(place)?.as_ref()?;
            Some((place, name.fit(&wanted)?))
        };
        let fits: Vec<(usize, Fit)> = places.into_iter().filter_map(fit).collect();
        let Some(&(place, best)) = fits.iter().max_by_key(|(_, fit)| fit.order()) else {
            return Found::None;
        };
        // Another one that is as good, or whose folders are more like the file's though its own name is less.
        let rival = |&(other, fit): &(usize, Fit)| {
            other != place && (fit.order() == best.order() || fit.folders > best.folders)
        };
        match fits.iter().any(rival) {
            true => Found::Several,
            false => Found::One(place, best),
        }
    }
}

impl LabeledImage {
    /// Whether the label file's name for the image fits a file of this name: alike but for folders, extension, capitals and
    /// Unicode's ways to write a letter. An image without a name fits all.
    #[must_use]
    pub fn is_called(&self, wanted: &str) -> bool {
        match (Name::of(&self.file), Name::of(wanted)) {
            (None, _) => true,
            (Some(own), Some(wanted)) => own.alike(&wanted).is_some(),
            (Some(_), None) => false,
        }
    }
}

impl BoxFile {
    /// The image of this file name or path: of those of the same name, or else of the same name but for the extension, or
    /// else but for capitals too, the one with most folders in common, from the last one outward. The only image when there
    /// is only one ([`LabeledImage::is_called`] tells whether its name fits). Letters are the same however Unicode writes them.
    ///
    /// # Errors
    /// [`FormatError::NoImage`] lists images that there are; [`FormatError::SeveralImages`] when two fit equally.
    pub fn image(&self, path: &Path, wanted: &str) -> Result<&LabeledImage, FormatError> {
        if let [only] = self.images.as_slice() {
            return Ok(only);
        }
        let index = Index::of(&self.images);
        match index.find(wanted) {
            Found::One(place, _) => index.images.get(place),
            Found::None => None,
            Found::Several => {
                return Err(FormatError::SeveralImages {
                    path: path.to_owned(),
                    wanted: wanted.to_owned(),
                });
            }
        }
        .ok_or_else(|| {
            let names = self.images.iter().map(|image| image.file.as_str());
            let named = names.filter(|name| !name.trim().is_empty());
            FormatError::NoImage {
                path: path.to_owned(),
                wanted: wanted.to_owned(),
                images: self.images.len(),
                nameless: self.images.len() - named.clone().count(),
                some: named.take(5).map(str::to_owned).collect(),
            }
        })
    }

    /// Which image belongs to each of several files, by their paths, even where there is one image alone: as
    /// [`BoxFile::image`], and no image belongs to two files. Of two files that an image fits, it is that of the one that it
    /// fits better. A path that is there twice is one file.
    ///
    /// ```
    /// use swath_boxes::formats::{BoxFile, ImageMatch, LabeledImage};
    /// let named = |file: &str| LabeledImage { file: file.to_owned(), ..LabeledImage::default() };
    /// let file = BoxFile { images: vec![named("b/1.png"), named("a/1.png")], ..BoxFile::default() };
    /// let found = file.images_of(&["/data/a/1.png", "/data/b/1.png", "/data/b/2.png"]);
    /// assert_eq!(found, [ImageMatch::Image(1), ImageMatch::Image(0), ImageMatch::Missing]);
    /// ```
    #[must_use]
    pub fn images_of<P: AsRef<str>>(&self, wanted: &[P]) -> Vec<ImageMatch> {
        let index = Index::of(&self.images);
        let found: Vec<Found> = wanted.iter().map(|one| index.find(one.as_ref())).collect();
        // For each image, how well it fits best, and which files it fits so.
        let mut of = HashMap::<usize, ((u8, usize, bool), BTreeSet<&str>)>::new();
        for (found, path) in found.iter().zip(wanted) {
            let &Found::One(place, fit) = found else {
                continue;
            };
            let (best, paths) = of.entry(place).or_insert((fit.order(), BTreeSet::new()));
            if fit.order() > *best {
                *best = fit.order();
                paths.clear();
            }
            if fit.order() == *best {
                paths.insert(path.as_ref());
            }
        }
        let matched = |found: &Found| match *found {
            Found::None => ImageMatch::Missing,
            Found::Several => ImageMatch::Several,
            Found::One(place, fit) => match of.get(&place) {
                Some((best, _)) if *best > fit.order() => ImageMatch::Missing,
                Some((_, paths)) if paths.len() > 1 => ImageMatch::Shared(place),
                _ => ImageMatch::Image(place),
            },
        };
        found.iter().map(matched).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(names: &[&str]) -> BoxFile {
        let image = |name: &&str| LabeledImage {
            file: (*name).to_owned(),
            ..LabeledImage::default()
        };
        BoxFile {
            images: names.iter().map(image).collect(),
            ..BoxFile::default()
        }
    }

    fn found(names: &[&str], wanted: &[&str]) -> Vec<ImageMatch> {
        file(names).images_of(wanted)
    }

    use ImageMatch::{Image, Missing, Several, Shared};

    /// COCO's `file_name` and DeepForest's `image_path` may have folders: then these count.
    #[test]
    fn images_of_one_name_are_told_apart_by_their_folders() {
        assert_eq!(
            found(&["a/1.png", "b/1.png"], &["/x/b/1.png", "/x/a/1.tif"]),
            [Image(1), Image(0)]
        );
        assert_eq!(
            found(&["p\\a\\1.png", "./q/a/1.png"], &["/x/q/a/1.png"]),
            [Image(1)]
        );
        // Neither folder is the file's.
        assert_eq!(found(&["a/1.png", "b/1.png"], &["/x/c/1.png"]), [Several]);
        // An image without a folder may be anywhere.
        assert_eq!(
            found(&["1.png", "a/1.png"], &["/x/b/1.png", "/x/a/1.png"]),
            [Image(0), Image(1)]
        );
        // Better by name, worse by folder: nobody knows.
        assert_eq!(found(&["b/1.png", "a/1.PNG"], &["/x/a/1.png"]), [Several]);
        assert_eq!(found(&["1.png", "1.png"], &["1.png"]), [Several]);
    }

    #[test]
    fn no_image_belongs_to_two_files() {
        assert_eq!(
            found(
                &["1.jpg", "2.jpg"],
                &["/x/a/1.png", "/x/b/1.png", "/x/a/2.png"]
            ),
            [Shared(0), Shared(0), Image(1)]
        );
        // The folder says of which one it is.
        assert_eq!(
            found(&["a/1.jpg", "2.jpg"], &["/x/a/1.png", "/x/b/1.png"]),
            [Image(0), Missing]
        );
        // So does the extension.
        assert_eq!(
            found(&["1.jpg"], &["/x/1.png", "/x/1.jpg"]),
            [Missing, Image(0)]
        );
        // Twice the same file is one.
        assert_eq!(
            found(&["1.jpg"], &["/x/1.png", "/x/1.png"]),
            [Image(0), Image(0)]
        );
        assert_eq!(found(&["1.jpg"], &["/x/2.jpg"]), [Missing]);
        assert_eq!(found(&["", ""], &["/x/2.jpg"]), [Missing]);
        assert_eq!(found(&["a"], &["", "/"]), [Missing, Missing]);
    }

    /// U+0075 U+0308 and U+00FC are canonically equivalent (Unicode Standard Annex 15).
    #[test]
    fn letters_are_the_same_however_unicode_writes_them() {
        let (apart, together) = ("u\u{308}bung.png", "\u{fc}bung.png");
        assert_eq!(composed(apart), together);
        assert_eq!(found(&["a.png", apart], &[together]), [Image(1)]);
        assert_eq!(found(&["a.png", together], &[apart]), [Image(1)]);
        assert_eq!(
            found(&["\u{dc}/1.png", "b/1.png"], &["/x/U\u{308}/1.png"]),
            [Image(0)]
        );
        assert!(file(&[apart]).images[0].is_called(together));
    }

    #[test]
    fn dots_in_names_are_no_extensions() {
        assert_eq!(found(&["tile.1", "tile.2"], &["tile.1.tif"]), [Image(0)]);
        assert_eq!(
            found(&["tile.1.png", "tile.2.png"], &["tile.2.tif"]),
            [Image(1)]
        );
    }
}
