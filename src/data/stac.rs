use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::http::{self, Places, Request};
use super::progress::Progress;
use super::transfer::{pause, status_text};
use super::{DataError, fetch, pages};
use crate::Result;
use crate::display::fields::titled;
use crate::display::{Output, Show};
use crate::raster::Date;
use crate::report::{Notice, Report};

/// Items that are asked for at a time; both services give at least so many.
const PAGE: usize = 100;
/// How often a page is asked for.
const TRIES: u32 = 4;
/// Pages of one search, whatever the service says of further ones.
const MOST_PAGES: usize = 10_000;
/// The services by name.
const SERVICES: [(&str, &str); 2] = [
    ("earth-search", "https://earth-search.aws.element84.com/v1"),
    (
        "planetary-computer",
        "https://planetarycomputer.microsoft.com/api/stac/v1",
    ),
];
/// Azure's stores, whose addresses the Planetary Computer signs.
const SIGNED_HOSTS: &str = ".blob.core.windows.net/";

/// A search for imagery in a STAC service: by collection, place, date and cloud cover. What it finds is written as an item
/// collection that [`crate::scenes::Scenes::stac`] opens; imagery itself is read from its publisher, a window at a time.
///
/// ```no_run
/// use swath::data::StacSearch;
/// use swath::prelude::*;
/// StacSearch::earth_search()
///     .collection("sentinel-2-l2a")
///     .bbox([85.48, 27.59, 85.56, 27.66])
///     .between("2024-01-01", "2024-03-31")
///     .clouds_below(10.0)
///     .save("banepa.json")?;
/// let scenes = Scenes::stac("banepa.json", "visual")?;
/// # Ok::<(), swath::Error>(())
/// ```
///
/// # Source
/// STAC API 1.0, item search with the query extension: <https://github.com/radiantearth/stac-api-spec>.
#[derive(Clone, Debug)]
#[must_use = "`.save(path)` asks the service"]
pub struct StacSearch {
    api: String,
    collections: Vec<String>,
    bbox: Option<[f64; 4]>,
    from: Option<String>,
    to: Option<String>,
    query: Map<String, Value>,
    limit: usize,
    sign: bool,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct FoundItems {
    /// The item collection, for [`crate::scenes::Scenes::stac`].
    pub path: PathBuf,
    /// Its items.
    pub count: usize,
    /// How many the service has, where it says so.
    pub matched: Option<usize>,
    /// The names of the items' assets: bands and pictures.
    pub assets: Vec<String>,
    report: Report,
}

impl FoundItems {
    /// What was left out, such as items beyond the limit.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl Show for FoundItems {
    fn output(&self) -> Output {
        let of = self
            .matched
            .map_or_else(String::new, |all| format!(" of {all}"));
        titled(
            "FoundItems",
            &[
                ("items", format!("{}{of}", self.count)),
                ("assets", self.assets.join(", ")),
                ("file", self.path.display().to_string()),
            ],
        )
        .with_report(&self.report)
    }
}

crate::show_in_cells!(FoundItems);

impl StacSearch {
    /// Earth Search by Element 84: Sentinel-2 (`sentinel-2-l2a`), Landsat, NAIP and others on AWS. Assets that begin with
    /// `https://` are free; those with `s3://` lie in buckets whose readers pay.
    pub fn earth_search() -> Self {
        Self::at(SERVICES[0].1)
    }

    /// Microsoft's Planetary Computer: Sentinel-2 (`sentinel-2-l2a`), NAIP (`naip`), Landsat and others on Azure. Addresses
    /// are signed for reading, which holds for about an hour: search again afterwards.
    pub fn planetary_computer() -> Self {
        let mut search = Self::at(SERVICES[1].1);
        search.sign = true;
        search
    }

    /// Another service, by the address of its landing page.
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            api: address.into().trim_end_matches('/').to_owned(),
            collections: Vec::new(),
            bbox: None,
            from: None,
            to: None,
            query: Map::new(),
            limit: 100,
            sign: false,
        }
    }

    /// A service by its name (`earth-search`, `planetary-computer`) or address.
    pub fn service(name: &str) -> Self {
        match name {
            "planetary-computer" => Self::planetary_computer(),
            name => Self::at(Self::named(name).map_or(name, |(_, address)| address)),
        }
    }

    pub(super) fn named(name: &str) -> Option<(&'static str, &'static str)> {
        SERVICES.into_iter().find(|(known, _)| *known == name)
    }

    /// Searches in this collection; called again, in several.
    pub fn collection(mut self, name: impl Into<String>) -> Self {
        self.collections.push(name.into());
        self
    }

    /// Only what touches this rectangle: west, south, east, north in degrees. A west that lies east of the east crosses the
    /// antimeridian.
    pub fn bbox(mut self, bounds: [f64; 4]) -> Self {
        self.bbox = Some(bounds);
        self
    }

    /// Only what was taken between two dates (`2024-06-01`, whole days in UTC, both included) or times (RFC 3339). An empty
    /// word leaves that end open.
    pub fn between(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.from = Some(from.into()).filter(|text| !text.is_empty());
        self.to = Some(to.into()).filter(|text| !text.is_empty());
        self
    }

    /// Only what has less cloud cover than this, in percent (`eo:cloud_cover`).
    pub fn clouds_below(self, percent: f64) -> Self {
        self.property_query("eo:cloud_cover", json!({ "lt": percent }))
    }

    /// Only items whose property is this word or number.
    pub fn property(self, name: &str, value: impl Into<Value>) -> Self {
        self.property_query(name, json!({ "eq": value.into() }))
    }

    fn property_query(mut self, name: &str, condition: Value) -> Self {
        self.query.insert(name.to_owned(), condition);
        self
    }

    /// The most items to take, 100 unless said otherwise.
    pub fn limit(mut self, items: usize) -> Self {
        self.limit = items;
        self
    }

    /// Whether addresses in Azure's stores are signed, as the Planetary Computer's are.
    pub fn signed(mut self, sign: bool) -> Self {
        self.sign = sign;
        self
    }

    /// Asks the service, page after page, and writes the item collection.
    ///
    /// # Errors
    /// [`DataError::Search`] for a rectangle, date or limit that cannot be, and when the service does not understand or
    /// answers with something else; [`DataError::NothingFound`]; [`DataError::Unanswered`] without a network.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<FoundItems> {
        let path = crate::paths::expanded(path.as_ref()).into_owned();
        let folder = tempfile::tempdir()
            .map_err(|error| crate::FileError::new(std::env::temp_dir(), error))?;
        let asked = self.body()?;
        let (mut report, mut items, mut seen) = (Report::new(), Vec::new(), BTreeSet::new());
        let (mut matched, mut again, mut progress) = (None, 0, Progress::new("searching", false));
        let address = format!("{}/search", self.api);
        let mut next = Some((address.clone(), Some(asked.clone())));
        let mut asked_for: BTreeSet<String> = BTreeSet::new();
        // Why what follows was not asked for.
        let mut unasked = None;
        while let Some((address, body)) = next.take() {
            let key = format!(
                "{address} {}",
                body.as_ref().map(Value::to_string).unwrap_or_default()
            );
            if !asked_for.insert(key) || asked_for.len() > MOST_PAGES {
                return Err(self
                    .wrong("it names the same page again and again".to_owned())
                    .into());
            }
            let page = ask(&address, body.as_ref(), folder.path())?;
            let features = page.get("features").and_then(Value::as_array);
            let Some(features) = features else {
                return Err(self.wrong("its answer has no `features`".to_owned()).into());
            };
            matched = matched.or_else(|| count_of(&page));
            let before = items.len();
            for item in features {
                let key = |name: &str| {
                    item.get(name)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                if !seen.insert((key("collection"), key("id"))) {
                    again += 1;
                } else if items.len() < self.limit {
                    items.push(item.clone());
                }
            }
            progress.end(&format!("{} items", items.len()));
            let link = next_link(&page, &asked, &address);
            if items.len() >= self.limit {
                let more = link.is_some()
                    || seen.len() > items.len()
                    || matched.is_some_and(|all| all > items.len());
                if more {
                    let of = matched.map_or_else(String::new, |all| format!(" of {all}"));
                    let text = format!("{}{of} items were taken", items.len());
                    report.push(Notice::left_out(text).next("`limit` takes more"));
                }
                break;
            }
            next = match link {
                Some(Ok(link)) if items.len() > before => Some(link),
                // A page of nothing has no other behind it.
                Some(Ok(_)) if features.is_empty() => None,
                Some(Ok(_)) => {
                    unasked = Some("a page had known items alone".to_owned());
                    None
                }
                Some(Err(href)) => {
                    unasked = Some(format!(
                        "the next page is not at the service's own address, but at {href}"
                    ));
                    None
                }
                None => None,
            };
        }
        if items.is_empty() {
            return Err(DataError::NothingFound {
                api: self.api.clone(),
                asked: asked.to_string(),
            }
            .into());
        }
        let missing = matched.map_or(0, |all| all.saturating_sub(items.len()));
        // A service that counts, and whose count has come, has no more, whatever its links say.
        let early = missing > 0 || matched.is_none() && unasked.is_some();
        if items.len() < self.limit && early {
            let of = matched.map_or_else(String::new, |all| format!(" of {all}"));
            let why = unasked.map_or_else(String::new, |why| format!(": {why}"));
            let notice = Notice::left_out(format!("only {}{of} items came{why}", items.len()))
                .next("search shorter spans of time or smaller rectangles, one after another");
            report.push(match missing {
                0 => notice,
                missing => notice.count(missing),
            });
        }
        if again > 0 {
            let text = format!("{again} items came twice and count once");
            report.push(Notice::left_out(text).count(again));
        }
        if self.sign {
            self.sign(&mut items, folder.path(), &mut report)?;
        }
        let assets: BTreeSet<String> = items
            .iter()
            .filter_map(|item| item.get("assets")?.as_object())
            .flat_map(|assets| assets.keys().cloned())
            .collect();
        paid(&items, &mut report);
        let count = items.len();
        let collection = json!({
            "type": "FeatureCollection",
            "numberMatched": matched,
            "numberReturned": count,
            "search": { "api": self.api, "asked": asked },
            "links": [],
            "features": items,
        });
        fetch::write(&path, collection.to_string().as_bytes())?;
        Ok(FoundItems {
            path,
            count,
            matched,
            assets: assets.into_iter().collect(),
            report,
        })
    }

    fn wrong(&self, reason: String) -> DataError {
        DataError::Search {
            api: self.api.clone(),
            reason,
        }
    }

    /// What is asked.
    fn body(&self) -> Result<Value, DataError> {
        http::check_address(&self.api)?;
        if self.limit == 0 {
            return Err(self.wrong("a limit of 0 finds nothing".to_owned()));
        }
        let mut body = Map::new();
        if self.collections.is_empty() {
            let known = "sentinel-2-l2a, naip, landsat-c2-l2";
            return Err(self.wrong(format!(
                "no collection was named; both services have {known}"
            )));
        }
        body.insert("collections".to_owned(), json!(self.collections));
        if let Some(bounds) = self.bbox {
            let [west, south, east, north] = bounds;
            let longitudes = [west, east].iter().all(|x| (-180.0..=180.0).contains(x));
            let latitudes = -90.0 <= south && south < north && north <= 90.0;
            if !longitudes || !latitudes || west == east {
                return Err(self.wrong(format!(
                    "the rectangle {bounds:?} is not west, south, east, north in degrees"
                )));
            }
            body.insert("bbox".to_owned(), json!(bounds));
        }
        if self.from.is_some() || self.to.is_some() {
            let ends = [(&self.from, "T00:00:00Z"), (&self.to, "T23:59:59Z")];
            let mut times = Vec::new();
            for (text, time) in ends {
                times.push(match text {
                    Some(text) => self.time(text, time)?,
                    None => "..".to_owned(),
                });
            }
            if let [from, to] = times.as_slice()
                && from != ".."
                && to != ".."
                && from > to
            {
                return Err(self.wrong(format!("{from} lies after {to}")));
            }
            body.insert("datetime".to_owned(), json!(times.join("/")));
        }
        if !self.query.is_empty() {
            body.insert("query".to_owned(), Value::Object(self.query.clone()));
        }
        body.insert("limit".to_owned(), json!(self.limit.min(PAGE)));
        Ok(Value::Object(body))
    }

    fn time(&self, text: &str, of_day: &str) -> Result<String, DataError> {
        let date = text.get(..10).unwrap_or_default();
        // Names of files write dates in more ways than RFC 3339.
        let is_date = Date::parse(date).is_some_and(|day| day.to_string() == date);
        match text.get(10..) {
            Some("") if is_date => Ok(format!("{date}{of_day}")),
            Some(rest) if is_date && rest.starts_with('T') && rest.len() >= 9 => {
                Ok(text.to_owned())
            }
            _ => Err(self.wrong(format!("{text:?} is no date such as 2024-06-01"))),
        }
    }

    /// Adds the Planetary Computer's signature for reading to addresses in Azure's stores, one for each collection.
    fn sign(&self, items: &mut [Value], folder: &Path, report: &mut Report) -> Result<()> {
        let base = self.api.replace("/api/stac/v1", "/api/sas/v1");
        let mut ends = BTreeSet::new();
        let collections: BTreeSet<String> = items
            .iter()
            .filter_map(|item| Some(item.get("collection")?.as_str()?.to_owned()))
            .collect();
        for collection in collections {
            let answer = ask(&format!("{base}/token/{collection}"), None, folder)?;
            let Some(token) = answer.get("token").and_then(Value::as_str) else {
                return Err(self
                    .wrong(format!("it gave no signature for {collection}"))
                    .into());
            };
            ends.extend(
                answer
                    .get("msft:expiry")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            let own = items
                .iter_mut()
                .filter(|item| item.get("collection").and_then(Value::as_str) == Some(&collection));
            for item in own {
                let assets = item.get_mut("assets").and_then(Value::as_object_mut);
                for asset in assets.into_iter().flat_map(|assets| assets.values_mut()) {
                    if let Some(Value::String(href)) = asset.get_mut("href")
                        && href.contains(SIGNED_HOSTS)
                        && !href.contains('?')
                    {
                        href.push('?');
                        href.push_str(token);
                    }
                }
            }
        }
        if let Some(end) = ends.first() {
            let text = format!("addresses are signed until {end}");
            report.push(Notice::noted(text).next("search again afterwards"));
        }
        Ok(())
    }
}

/// Assets that readers pay for.
fn paid(items: &[Value], report: &mut Report) {
    let paying = |item: &&Value| {
        let assets = item.get("assets").and_then(Value::as_object);
        let mut hrefs = assets
            .into_iter()
            .flat_map(|assets| assets.values())
            .filter_map(|asset| asset.get("href")?.as_str());
        hrefs.any(|href| href.starts_with("s3://"))
    };
    let count = items.iter().filter(paying).count();
    if count > 0 {
        let text = format!(
            "{count} items have assets at s3:// addresses, where the reader may have to pay"
        );
        let next = "read them as /vsis3/ with AWS credentials and AWS_REQUEST_PAYER=requester";
        report.push(Notice::noted(text).count(count).next(next));
    }
}

fn count_of(page: &Value) -> Option<usize> {
    let matched = page
        .get("numberMatched")
        .or_else(|| page.pointer("/context/matched"));
    usize::try_from(matched?.as_u64()?).ok()
}

/// A page: its address, and a body where it is asked for by a POST.
type Page = (String, Option<Value>);

/// The next page, or the link to it as it stands where that leads elsewhere.
fn next_link(page: &Value, asked: &Value, here: &str) -> Option<std::result::Result<Page, String>> {
    let links = page.get("links")?.as_array()?;
    let link = links
        .iter()
        .find(|link| link.get("rel").and_then(Value::as_str) == Some("next"))?;
    let href = link.get("href")?.as_str()?;
    // Another host could be anybody's.
    let own = |address: &String| pages::host(address) == pages::host(here);
    let Some(address) = pages::joined(here, href).filter(own) else {
        return Some(Err(href.to_owned()));
    };
    let method = link.get("method").and_then(Value::as_str).unwrap_or("GET");
    if !method.eq_ignore_ascii_case("POST") {
        return Some(Ok((address, None)));
    }
    let own = link.get("body").cloned().unwrap_or_else(|| json!({}));
    let merged = match (link.get("merge").and_then(Value::as_bool), asked, &own) {
        (Some(true), Value::Object(asked), Value::Object(own)) => {
            let mut all = asked.clone();
            all.extend(own.clone());
            Value::Object(all)
        }
        _ => own,
    };
    Some(Ok((address, Some(merged))))
}

/// One answer in JSON, tried again after failures that pass.
fn ask(address: &str, body: Option<&Value>, folder: &Path) -> Result<Value> {
    let places = Places {
        head: &folder.join("head"),
        body: &folder.join("body"),
        state: &folder.join("state"),
        offset: 0,
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let request = match body {
            Some(body) => Request::post(address, body.to_string()),
            None => Request::get(address),
        };
        let ended = http::send(&request, &places, "searching", &mut || ())?;
        let head = http::read_head(places.head);
        let (reason, after) = match (&head, ended) {
            (None, ended) => (
                ended
                    .err()
                    .unwrap_or_else(|| "there was no answer".to_owned()),
                None,
            ),
            (Some(head), Err(reason)) if head.status == 200 => (reason, None),
            (Some(head), _) if head.status == 200 => {
                let text = std::fs::read(places.body)
                    .map_err(|error| crate::FileError::new(places.body.to_owned(), error))?;
                return serde_json::from_slice(&text).map_err(|error| {
                    DataError::Search {
                        api: address.to_owned(),
                        reason: format!("its answer is no JSON: {error}"),
                    }
                    .into()
                });
            }
            (Some(head), _) if matches!(head.status, 408 | 425 | 429 | 500..=599) => (
                format!("it answered {}", status_text(head.status)),
                head.retry_after(),
            ),
            (Some(head), _) => {
                let said: String = head.said.trim().chars().take(300).collect();
                let said = if said.is_empty() {
                    said
                } else {
                    format!(": {said}")
                };
                return Err(DataError::Search {
                    api: address.to_owned(),
                    reason: format!("it answered {}{said}", status_text(head.status)),
                }
                .into());
            }
        };
        let most = if head.is_some() { TRIES } else { 2 };
        let wait = std::time::Duration::from_secs(1 << tries.min(6)).max(after.unwrap_or_default());
        if tries >= most || wait.as_secs() > 120 {
            return Err(DataError::Unanswered {
                address: address.to_owned(),
                reason,
            }
            .into());
        }
        pause(wait / if cfg!(test) { 50 } else { 1 }, "searching")?;
    }
}
