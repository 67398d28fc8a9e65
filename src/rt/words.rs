//! What the variables' values have names for: classes and bands, with which the kernel completes strings.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use swath_link::message::{Names, Words};

use super::store;
use crate::detect::SceneBoxes;
use crate::labels::Classes;
use crate::predict::{Objects, SceneMap};
use crate::scene::Scene;
use crate::session::words;
use crate::train::{Classifier, Detector, Run, Segmenter};

/// So many names of one value are told: nobody picks one of more from a list.
const MOST: usize = 300;

/// What was told last.
static TOLD: Mutex<Option<Words>> = Mutex::new(None);

/// The names that a value has, when it is one of the library's.
fn of_value(value: &dyn Any) -> Option<Names> {
    let classes = |classes: &Classes| {
        let names = classes.names().into_iter().take(MOST);
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let bands = |scene: &Scene| {
        let mut names = scene.raster().band_names();
        names.truncate(MOST);
        names
    };
    let of = |own: &Classes, scene: Option<&Scene>| Names {
        classes: classes(own),
        bands: scene.map(bands).unwrap_or_default(),
    };
    if let Some(scene) = value.downcast_ref::<Scene>() {
        return Some(of(scene.classes(), Some(scene)));
    }
    if let Some(map) = value.downcast_ref::<SceneMap>() {
        return Some(of(map.classes(), Some(map.scene())));
    }
    if let Some(boxes) = value.downcast_ref::<SceneBoxes>() {
        return Some(of(boxes.classes(), Some(boxes.scene())));
    }
    let own = value
        .downcast_ref::<Classes>()
        .or_else(|| value.downcast_ref::<Objects>().map(Objects::classes))
        .or_else(|| value.downcast_ref::<Segmenter>().map(Segmenter::classes))
        .or_else(|| value.downcast_ref::<Detector>().map(Detector::classes))
        .or_else(|| value.downcast_ref::<Classifier>().map(Classifier::classes))
        .or_else(|| Some(value.downcast_ref::<Run<Segmenter>>()?.best().classes()))
        .or_else(|| Some(value.downcast_ref::<Run<Detector>>()?.best().classes()))
        .or_else(|| Some(value.downcast_ref::<Run<Classifier>>()?.best().classes()))?;
    Some(of(own, None))
}

/// The names of all variables and of the files that were opened, when they are others than those that were told last;
/// otherwise none.
pub(super) fn news() -> Option<Words> {
    let mut variables = BTreeMap::new();
    store::each(|name, value| {
        if let Some(words) = of_value(value) {
            variables.insert(name.to_owned(), words);
        }
    });
    // A name that is no text cannot stand in a string of a cell.
    let properties = words::properties().into_iter();
    let properties =
        properties.filter_map(|(file, names)| Some((file.to_str()?.to_owned(), names)));
    let now = Some(Words {
        variables,
        properties: properties.collect(),
    });
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if *told == now {
        return None;
    }
    told.clone_from(&now);
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_library_have_names_and_others_have_none() -> crate::Result<()> {
        let scene = crate::samples::town(1, 256)?.scene()?.only(["car"])?;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            of_value(&scene),
            Some(Names {
                classes: names(&["background", "car"]),
                bands: names(&["red", "green", "blue"]),
            })
        );
        let classes = scene.classes().clone();
        assert_eq!(
            of_value(&classes),
            Some(Names {
                classes: names(&["background", "car"]),
                bands: Vec::new(),
            })
        );
        assert_eq!(of_value(&5), None);
        Ok(())
    }
}
