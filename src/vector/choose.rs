//! Which layer of a file is read.

use std::path::Path;

use super::VectorError;
use super::class::folded;
use crate::host::Step;
use crate::report::Notice;

/// What a layer can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Rows without geometries: styles of QGIS, attribute tables.
    Rows,
    /// Areas, by what the layer says or by what was found in it.
    Areas,
    /// Geometries, none of which is an area.
    Others,
}

/// What is known about a layer before it is read.
#[derive(Clone, Debug)]
pub(super) struct LayerFacts {
    pub(super) name: String,
    /// `None` where the format does not tell without reading everything.
    pub(super) features: Option<usize>,
    pub(super) holds: Holds,
    /// GDAL's word for its geometries.
    pub(super) geometry: String,
    pub(super) properties: Vec<String>,
}

impl LayerFacts {
    fn has(&self, property: &str) -> bool {
        self.properties
            .iter()
            .any(|name| folded(name) == folded(property))
    }

    /// `buildings (4 features, Polygon)`.
    fn described(&self) -> String {
        let count = match self.features {
            Some(1) => "1 feature, ".to_owned(),
            Some(count) => format!("{count} features, "),
            None => String::new(),
        };
        format!("{} ({count}{})", self.name, self.geometry)
    }
}

/// The number of the layer to read, and what is to be said about the choice. The layer that is named, whatever it holds;
/// otherwise, among those with geometries and features: the only one with the property that is asked for, or the only one
/// with areas. GDAL's own programs take the first or all, geopandas the first with a warning: a guess, where the layers
/// are of different things. With a buffer, layers of lines and points are meant where there are any.
pub(super) fn choose(
    path: &Path,
    layers: &[LayerFacts],
    named: Option<&str>,
    asked: &[&str],
    buffered: bool,
) -> Result<(usize, Option<Notice>), VectorError> {
    let list = || {
        let spatial = layers.iter().filter(|layer| layer.holds != Holds::Rows);
        spatial.map(LayerFacts::described).collect::<Vec<_>>()
    };
    if let Some(named) = named {
        let same = |layer: &LayerFacts| layer.name == named;
        let alike = |layer: &LayerFacts| layer.name.to_lowercase() == named.to_lowercase();
        let found = layers.iter().position(same);
        return match found.or_else(|| layers.iter().position(alike)) {
            Some(index) => Ok((index, None)),
            None => Err(VectorError::NoLayer {
                path: path.to_owned(),
                layer: named.to_owned(),
                layers: list(),
            }),
        };
    }
    let spatial: Vec<usize> = (0..layers.len())
        .filter(|&index| layers[index].holds != Holds::Rows)
        .collect();
    let filled: Vec<usize> = spatial
        .iter()
        .copied()
        .filter(|&index| layers[index].features != Some(0))
        .collect();
    let Some(&first) = filled.first().or(spatial.first()) else {
        // Tables alone: reading the first says that it has no geometries.
        return Ok((0, None));
    };
    if filled.len() < 2 {
        return Ok((first, None));
    }
    let others = |chosen: usize| {
        let others = filled.iter().filter(|&&index| index != chosen);
        let others: Vec<String> = others.map(|&index| layers[index].described()).collect();
        others.join(", ")
    };
    let step = Step::OtherLayer.to_string();
    let with_property: Vec<usize> = filled
        .iter()
        .copied()
        .filter(|&index| !asked.is_empty() && asked.iter().all(|name| layers[index].has(name)))
        .collect();
    let that_hold = |holds: Holds| -> Vec<usize> {
        let all = filled.iter().copied();
        all.filter(|&index| layers[index].holds == holds).collect()
    };
    let others_than_areas = match buffered {
        true => that_hold(Holds::Others),
        false => Vec::new(),
    };
    let (areas, what) = match others_than_areas.is_empty() {
        true => (that_hold(Holds::Areas), "areas"),
        false => (others_than_areas, "lines or points"),
    };
    let both: Vec<usize> = areas
        .iter()
        .copied()
        .filter(|index| with_property.contains(index))
        .collect();
    let layer_of = format!("layer of {what}");
    for (chosen, which) in [(&with_property, "layer"), (&both, layer_of.as_str())] {
        if let [chosen] = chosen[..] {
            let text = format!(
                "of several layers {} is read, the only {which} with the property {:?}; not read: {}",
                layers[chosen].described(),
                asked.join(", "),
                others(chosen)
            );
            return Ok((chosen, Some(Notice::assumed(text).next(step.as_str()))));
        }
    }
    if let [chosen] = areas[..] {
        let text = format!(
            "of several layers {} is read, the only one with {what}; not read: {}",
            layers[chosen].described(),
            others(chosen)
        );
        return Ok((chosen, Some(Notice::noted(text).next(step.as_str()))));
    }
    if areas.is_empty() {
        return Err(VectorError::NoAreas {
            path: path.to_owned(),
            layers: list(),
        });
    }
    Err(VectorError::SeveralLayers {
        path: path.to_owned(),
        layers: list(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str, features: usize, holds: Holds, properties: &[&str]) -> LayerFacts {
        LayerFacts {
            name: name.to_owned(),
            features: Some(features),
            holds,
            geometry: format!("{holds:?}"),
            properties: properties.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn chosen(layers: &[LayerFacts], asked: &str) -> Result<(usize, Option<Notice>), String> {
        choose(Path::new("city.gpkg"), layers, None, &[asked], false)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_property_decides_before_areas_and_tables_never_count() {
        let layers = [
            layer("layer_styles", 3, Holds::Rows, &["kind"]),
            layer("aoi", 1, Holds::Areas, &["id"]),
            layer("buildings", 4, Holds::Areas, &["kind"]),
            layer("trees", 9, Holds::Others, &["species"]),
            layer("drafts", 0, Holds::Areas, &["kind"]),
        ];
        let (index, notice) = chosen(&layers, "kind").unwrap();
        assert_eq!(index, 2);
        let notice = notice.unwrap().to_string();
        assert!(
            notice.contains("aoi (1 feature, Areas)") && notice.contains("layer("),
            "{notice}"
        );
        assert!(
            !notice.contains("layer_styles") && !notice.contains("drafts"),
            "{notice}"
        );
        // A property of points: the error about points is the right one, not a class for the areas.
        assert_eq!(chosen(&layers, "species").unwrap().0, 3);
        let error = chosen(&layers, "roof").unwrap_err();
        assert!(
            error.contains("aoi") && error.contains("buildings (4 features"),
            "{error}"
        );
        assert_eq!(chosen(&layers[..2], "roof").unwrap(), (1, None));
        let one_area = [layers[1].clone(), layers[3].clone()];
        assert!(
            chosen(&one_area, "roof")
                .unwrap()
                .1
                .unwrap()
                .to_string()
                .contains("trees")
        );
        let none = [layers[3].clone(), layer("paths", 2, Holds::Others, &[])];
        assert!(
            chosen(&none, "roof")
                .unwrap_err()
                .contains("paths (2 features")
        );
        // With a buffer it is the lines that are meant.
        let mixed = [
            layers[1].clone(),
            layers[2].clone(),
            layer("paths", 2, Holds::Others, &[]),
        ];
        let chosen = choose(Path::new("a.gpkg"), &mixed, None, &[], true).unwrap();
        assert_eq!(chosen.0, 2);
        assert!(
            chosen
                .1
                .unwrap()
                .to_string()
                .contains("the only one with lines or points")
        );
        let chosen = choose(Path::new("a.gpkg"), &mixed[..1], None, &[], true).unwrap();
        assert_eq!(chosen.0, 0);
        assert!(choose(Path::new("a.gpkg"), &none, None, &[], true).is_err());
    }
}
