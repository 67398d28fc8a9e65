//! Spectral indices by name.

/// A spectral index: what it is made of and who made it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpectralIndex {
    /// Its short name, such as `ndvi`.
    pub name: &'static str,
    /// Its whole name.
    pub title: &'static str,
    /// Its expression: `blue`, `green`, `red`, `rededge`, `nir`, `swir1` (about 1.6 µm) and `swir2` (about 2.2 µm) are bands
    /// that show these.
    pub expression: &'static str,
    /// Whether its numbers hold for reflectance from 0 to 1 only: values stored otherwise, such as 0 to 10,000, give another
    /// result.
    pub of_reflectance: bool,
    /// Where it is from.
    pub source: &'static str,
}

impl SpectralIndex {
    /// The indices that are known by name.
    ///
    /// ```
    /// use swath::raster::SpectralIndex;
    /// let ndvi = SpectralIndex::named("NDVI").unwrap();
    /// assert_eq!(ndvi.expression, "(nir - red) / (nir + red)");
    /// assert!(SpectralIndex::ALL.iter().any(|index| index.name == "nbr"));
    /// ```
    pub const ALL: &'static [Self] = &[
        Self {
            name: "ndvi",
            title: "normalized difference vegetation index",
            expression: "(nir - red) / (nir + red)",
            of_reflectance: false,
            source: "Rouse et al. 1974, Monitoring vegetation systems in the Great Plains with ERTS",
        },
        Self {
            name: "gndvi",
            title: "green normalized difference vegetation index",
            expression: "(nir - green) / (nir + green)",
            of_reflectance: false,
            source: "Gitelson, Kaufman, Merzlyak 1996, doi:10.1016/S0034-4257(96)00072-7",
        },
        Self {
            name: "ndre",
            title: "normalized difference red edge index",
            expression: "(nir - rededge) / (nir + rededge)",
            of_reflectance: false,
            source: "Barnes et al. 2000, Coincident detection of crop water stress, nitrogen status and canopy density",
        },
        Self {
            name: "ndwi",
            title: "normalized difference water index (of open water)",
            expression: "(green - nir) / (green + nir)",
            of_reflectance: false,
            source: "McFeeters 1996, doi:10.1080/01431169608948714",
        },
        Self {
            name: "ndmi",
            title: "normalized difference moisture index (the NDWI of Gao, with a band at 1.6 µm)",
            expression: "(nir - swir1) / (nir + swir1)",
            of_reflectance: false,
            source: "Gao 1996, doi:10.1016/S0034-4257(96)00067-3; Wilson and Sader 2002, doi:10.1016/S0034-4257(01)00318-2",
        },
        Self {
            name: "mndwi",
            title: "modified normalized difference water index",
            expression: "(green - swir1) / (green + swir1)",
            of_reflectance: false,
            source: "Xu 2006, doi:10.1080/01431160600589179",
        },
        Self {
            name: "ndbi",
            title: "normalized difference built-up index",
            expression: "(swir1 - nir) / (swir1 + nir)",
            of_reflectance: false,
            source: "Zha, Gao, Ni 2003, doi:10.1080/01431160304987",
        },
        Self {
            name: "ndsi",
            title: "normalized difference snow index",
            expression: "(green - swir1) / (green + swir1)",
            of_reflectance: false,
            source: "Hall, Riggs, Salomonson 1995, doi:10.1016/0034-4257(95)00137-P",
        },
        Self {
            name: "nbr",
            title: "normalized burn ratio",
            expression: "(nir - swir2) / (nir + swir2)",
            of_reflectance: false,
            source: "Key and Benson 2006, Landscape assessment, FIREMON",
        },
        Self {
            name: "bsi",
            title: "bare soil index",
            expression: "((swir1 + red) - (nir + blue)) / ((swir1 + red) + (nir + blue))",
            of_reflectance: false,
            source: "Rikimaru, Roy, Miyatake 2002, Tropical forest cover density mapping",
        },
        Self {
            name: "evi",
            title: "enhanced vegetation index",
            expression: "2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)",
            of_reflectance: true,
            source: "Huete et al. 2002, doi:10.1016/S0034-4257(02)00096-2",
        },
        Self {
            name: "evi2",
            title: "enhanced vegetation index of two bands",
            expression: "2.5 * (nir - red) / (nir + 2.4 * red + 1)",
            of_reflectance: true,
            source: "Jiang et al. 2008, doi:10.1016/j.rse.2008.06.006",
        },
        Self {
            name: "savi",
            title: "soil adjusted vegetation index (L = 0.5)",
            expression: "1.5 * (nir - red) / (nir + red + 0.5)",
            of_reflectance: true,
            source: "Huete 1988, doi:10.1016/0034-4257(88)90106-X",
        },
        Self {
            name: "msavi",
            title: "modified soil adjusted vegetation index (MSAVI2)",
            expression: "(2 * nir + 1 - sqrt((2 * nir + 1) ** 2 - 8 * (nir - red))) / 2",
            of_reflectance: true,
            source: "Qi et al. 1994, doi:10.1016/0034-4257(94)90134-1",
        },
        Self {
            name: "awei",
            title: "automated water extraction index (without shadows, AWEInsh)",
            expression: "4 * (green - swir1) - (0.25 * nir + 2.75 * swir2)",
            of_reflectance: true,
            source: "Feyisa et al. 2014, doi:10.1016/j.rse.2013.08.029",
        },
        Self {
            name: "exg",
            title: "excess green index (of pictures in red, green and blue)",
            expression: "(2 * green - red - blue) / (red + green + blue)",
            of_reflectance: false,
            source: "Woebbecke et al. 1995, doi:10.13031/2013.27838",
        },
        Self {
            name: "vari",
            title: "visible atmospherically resistant index",
            expression: "(green - red) / (green + red - blue)",
            of_reflectance: false,
            source: "Gitelson et al. 2002, doi:10.1016/S0034-4257(01)00289-9",
        },
    ];

    /// The index of this name, whatever its capitals.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = name.trim().to_lowercase();
        Self::ALL.iter().find(|index| index.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::Program;
    use super::*;

    /// Values worked out by hand from the papers' formulas, for blue 0.05, green 0.08, red 0.06, red edge 0.2, near infrared
    /// 0.4, short-wave infrared 0.25 and 0.15.
    #[test]
    fn every_index_is_its_formula() {
        for (name, expected) in [
            ("ndvi", 0.34 / 0.46),
            ("gndvi", 0.32 / 0.48),
            ("ndre", 0.2 / 0.6),
            ("ndwi", -0.32 / 0.48),
            ("ndmi", 0.15 / 0.65),
            ("mndwi", -0.17 / 0.33),
            ("ndbi", -0.15 / 0.65),
            ("ndsi", -0.17 / 0.33),
            ("nbr", 0.25 / 0.55),
            ("bsi", (0.31 - 0.45) / (0.31 + 0.45)),
            ("evi", 2.5 * 0.34 / (0.4 + 0.36 - 0.375 + 1.0)),
            ("evi2", 2.5 * 0.34 / (0.4 + 0.144 + 1.0)),
            ("savi", 1.5 * 0.34 / 0.96),
            ("msavi", (1.8 - (3.24f64 - 2.72).sqrt()) / 2.0),
            ("awei", 4.0 * -0.17 - (0.1 + 0.4125)),
            ("exg", (0.16 - 0.11) / 0.19),
            ("vari", 0.02 / 0.09),
        ] {
            let index = SpectralIndex::named(name).unwrap();
            let program = Program::parse(index.expression).unwrap();
            let inputs: Vec<Vec<f64>> = program
                .names
                .iter()
                .map(|named| {
                    vec![match named.name.as_str() {
                        "blue" => 0.05,
                        "green" => 0.08,
                        "red" => 0.06,
                        "rededge" => 0.2,
                        "nir" => 0.4,
                        "swir1" => 0.25,
                        "swir2" => 0.15,
                        other => panic!("{other}"),
                    }]
                })
                .collect();
            let mut results = [0.0];
            program.evaluate(&inputs, &mut results);
            assert!(
                (results[0] - expected).abs() < 1e-12,
                "{name}: {}",
                results[0]
            );
        }
        let names: Vec<&str> = SpectralIndex::ALL.iter().map(|index| index.name).collect();
        assert_eq!(names.len(), 17, "an index without a value above: {names:?}");
        assert_eq!(
            SpectralIndex::named(" NdVi ").map(|index| index.name),
            Some("ndvi")
        );
    }
}
