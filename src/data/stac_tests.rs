//! Searches in a STAC service on this machine.

use super::server_tests::{Answer, Asked, Server};
use super::transfer_tests::Folder;
use super::*;
use crate::Hint as _;

/// Found as Earth Search answers a POST: `next` links with a body, `numberMatched`; the second page repeats an item.
fn earth_search(asked: &Asked, at: &str) -> Answer {
    let item = |id: &str, href: &str| {
        serde_json::json!({"type": "Feature", "stac_version": "1.0.0", "id": id, "collection": "sentinel-2-l2a",
            "bbox": [85.0, 27.0, 86.0, 28.0], "geometry": null, "links": [],
            "properties": {"datetime": "2024-01-05T04:56:49Z", "eo:cloud_cover": 1.5},
            "assets": {"visual": {"href": href, "type": "image/tiff"}, "scl": {"href": "https://a.org/scl.tif"}}})
    };
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let (items, next) = match body["next"].as_str() {
        None => (
            vec![
                item("a", "https://a.org/a.tif"),
                item("b", "https://a.org/b.tif"),
            ],
            Some("2"),
        ),
        Some("2") => (
            vec![
                item("b", "https://a.org/b.tif"),
                item("c", "s3://paid/c.tif"),
            ],
            Some("3"),
        ),
        _ => (
            vec![item("d", "https://s.blob.core.windows.net/d.tif")],
            None,
        ),
    };
    let links: Vec<_> = next
        .map(|next| {
            serde_json::json!({"rel": "next", "method": "POST", "href": at, "merge": true, "body": {"next": next}})
        })
        .into_iter()
        .collect();
    let page = serde_json::json!({"type": "FeatureCollection", "numberMatched": 4, "features": items, "links": links});
    Answer::new(200, page.to_string())
}

fn searched(service: &Server) -> StacSearch {
    StacSearch::at(service.at("/api/stac/v1/")).collection("sentinel-2-l2a")
}

/// A service whose pages point to itself.
fn service() -> Server {
    Server::start(|asked, count| {
        let host = asked.header("host").unwrap_or_default().to_owned();
        match (asked.path.as_str(), count) {
            ("/api/stac/v1/search", 1) => Answer::new(503, "busy"),
            ("/api/stac/v1/search", _) => {
                earth_search(asked, &format!("http://{host}/api/stac/v1/search"))
            }
            ("/api/sas/v1/token/sentinel-2-l2a", _) => Answer::new(
                200,
                r#"{"token": "sig=x%2F&se=y", "msft:expiry": "2026-01-01T00:00:00Z"}"#,
            ),
            _ => Answer::new(404, ""),
        }
    })
}

#[test]
fn a_search_follows_its_pages_and_writes_what_scenes_read() {
    let server = service();
    let folder = Folder::new();
    let path = folder.path().with_file_name("found.json");
    let search = searched(&server)
        .bbox([85.0, 27.0, 86.0, 28.0])
        .between("2024-01-01", "2024-01-31")
        .clouds_below(10.0);
    let found = search.save(&path).unwrap();
    assert_eq!((found.count, found.matched), (4, Some(4)));
    assert_eq!(found.assets, ["scl", "visual"]);
    assert!(
        found.report().mentions("1 items came twice") && found.report().mentions("s3://"),
        "{}",
        found.report()
    );
    let asked = server.asked();
    assert_eq!(asked.len(), 4, "three pages, one of them asked for twice");
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"collections": ["sentinel-2-l2a"], "bbox": [85.0, 27.0, 86.0, 28.0],
            "datetime": "2024-01-01T00:00:00Z/2024-01-31T23:59:59Z", "query": {"eo:cloud_cover": {"lt": 10.0}}, "limit": 100})
    );
    let body: serde_json::Value = serde_json::from_str(&asked[3].body).unwrap();
    assert_eq!(
        (&body["next"], &body["limit"]),
        (&"3".into(), &100.into()),
        "merged with what was asked"
    );
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    let collection: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let ids: Vec<_> = collection["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
}

#[test]
fn a_search_takes_no_more_than_its_limit_and_says_so() {
    let server = service();
    let folder = Folder::new();
    let found = searched(&server).limit(3).save(folder.path()).unwrap();
    assert_eq!(found.count, 3);
    assert!(
        found.report().mentions("3 of 4 items were taken"),
        "{}",
        found.report()
    );
}

#[test]
fn addresses_of_azure_are_signed() {
    let server = service();
    let folder = Folder::new();
    let found = searched(&server).signed(true).save(folder.path()).unwrap();
    let text = std::fs::read_to_string(&found.path).unwrap();
    assert!(
        text.contains("https://s.blob.core.windows.net/d.tif?sig=x%2F&se=y"),
        "{text}"
    );
    assert!(text.contains("\"https://a.org/a.tif\""), "others are not");
    assert!(found.report().mentions("signed until 2026-01-01T00:00:00Z"));
}

#[test]
fn searches_that_cannot_be_are_told_before_anybody_is_asked() {
    let folder = Folder::new();
    let search = || StacSearch::at("http://127.0.0.1:9");
    let naip = || search().collection("naip");
    for (search, words) in [
        (search(), "no collection"),
        (naip().bbox([85.0, 28.0, 86.0, 27.0]), "rectangle"),
        (naip().bbox([0.0, 0.0, f64::NAN, 1.0]), "rectangle"),
        (naip().bbox([0.0, -91.0, 1.0, 1.0]), "rectangle"),
        (naip().between("June", ""), "no date"),
        (naip().between("2024-13-01", ""), "no date"),
        (naip().between("2024-02-01", "2024-01-01"), "after"),
        (naip().limit(0), "limit"),
        (StacSearch::at("file:///x").collection("a"), "http"),
    ] {
        let error = search.save(folder.path()).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    let error = naip()
        .bbox([179.0, -1.0, -179.0, 1.0])
        .between("2024-01-01", "")
        .save(folder.path())
        .unwrap_err();
    assert!(error.to_string().contains("did not answer"), "{error}");
    assert!(error.hint().unwrap().contains("https_proxy"));
}

#[test]
fn services_that_answer_with_something_else_are_told() {
    let page = |text: &'static str| Server::start(move |_, _| Answer::new(200, text));
    let folder = Folder::new();
    for (text, words) in [
        ("<html>", "no JSON"),
        ("{}", "`features`"),
        ("[]", "`features`"),
        (r#"{"features": []}"#, "found nothing"),
        (
            r#"{"features": [], "links": [{"rel": "next", "href": "http://evil.org/"}]}"#,
            "found nothing",
        ),
    ] {
        let error = searched(&page(text))
            .save(folder.path())
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let server = Server::start(|_, _| Answer::new(400, r#"{"description": "bbox is wrong"}"#));
    let error = searched(&server)
        .save(folder.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("400") && error.contains("bbox is wrong"),
        "{error}"
    );
    // Always the same further page.
    let server = Server::start(|asked, count| {
        let at = format!(
            "http://{}/api/stac/v1/search",
            asked.header("host").unwrap_or_default()
        );
        let page = serde_json::json!({"features": [{"id": count.to_string()}], "links": [{"rel": "next", "href": at}]});
        Answer::new(200, page.to_string())
    });
    let error = searched(&server)
        .save(folder.path())
        .unwrap_err()
        .to_string();
    assert!(error.contains("again and again"), "{error}");
}

/// Two items of the five that there are, and a link to further ones.
fn first_page(next: &str) -> Answer {
    let items = ["a", "b"].map(|id| serde_json::json!({"id": id, "collection": "c"}));
    let page = serde_json::json!({"features": items, "numberMatched": 5, "links": [{"rel": "next", "href": next}]});
    Answer::new(200, page.to_string())
}

/// RFC 8288: the target of a link may be relative, to be resolved as RFC 3986, 5.2 has it.
#[test]
fn relative_links_lead_to_further_pages() {
    for next in ["/api/stac/v1/more?page=2", "more?page=2", "./more?page=2"] {
        let server = Server::start(move |asked, _| match asked.path.as_str() {
            "/api/stac/v1/search" => first_page(next),
            "/api/stac/v1/more?page=2" => {
                let items = ["c", "d", "e"].map(|id| serde_json::json!({"id": id}));
                Answer::new(
                    200,
                    serde_json::json!({"features": items, "links": []}).to_string(),
                )
            }
            _ => Answer::new(404, ""),
        });
        let folder = Folder::new();
        let found = searched(&server).save(folder.path()).unwrap();
        assert_eq!((found.count, found.matched), (5, Some(5)), "{next}");
        assert!(found.report().is_empty(), "{}", found.report());
    }
}

#[test]
fn a_search_that_ends_early_says_so() {
    // Another host could be anybody's; what is no address; a page of known items, whose links are not followed for ever.
    for (next, words) in [
        ("http://other.example/search?page=2", "http://other.example"),
        ("ftp://x", "ftp://x"),
        ("/api/stac/v1/again", "known"),
    ] {
        let server = Server::start(move |asked, _| match asked.path.as_str() {
            "/api/stac/v1/again" => first_page("/api/stac/v1/again?page=3"),
            _ => first_page(next),
        });
        let folder = Folder::new();
        let found = searched(&server).save(folder.path()).unwrap();
        assert_eq!(found.count, 2);
        let report = found.report();
        assert!(
            report.mentions("2 of 5 items came") && report.mentions(words),
            "{next}: {report}"
        );
        let early = report
            .iter()
            .find(|notice| notice.text().contains("2 of 5"));
        assert_eq!(early.unwrap().kind(), crate::report::NoticeKind::LeftOut);
    }
    // A service that does not count.
    let server = Server::start(|_, _| {
        let page = r#"{"features": [{"id": "a"}], "links": [{"rel": "next", "href": "http://other.example/"}]}"#;
        Answer::new(200, page)
    });
    let folder = Folder::new();
    let found = searched(&server).save(folder.path()).unwrap();
    assert!(
        found.report().mentions("other.example"),
        "{}",
        found.report()
    );
    // One that counts more than it hands out.
    let server = Server::start(|_, _| {
        Answer::new(
            200,
            r#"{"features": [{"id": "a"}], "numberMatched": 2, "links": []}"#,
        )
    });
    let found = searched(&server).save(folder.path()).unwrap();
    assert!(
        found.report().mentions("1 of 2 items came"),
        "{}",
        found.report()
    );
}

/// RFC 3339 dates: days that the calendar does not have are none, nor are words around them.
#[test]
fn dates_of_a_search_are_days_of_the_calendar() {
    let folder = Folder::new();
    let search = || StacSearch::at("http://127.0.0.1:9").collection("naip");
    for date in [
        "2024-02-31",
        "2023-02-29",
        "2024-04-31T00:00:00Z",
        "2024-1-01",
        "x2024-01-01",
        "20240101",
        "2024-01-01T99",
    ] {
        let error = search().between(date, "").save(folder.path()).unwrap_err();
        assert!(error.to_string().contains("no date"), "{date}: {error}");
    }
    for date in ["2024-02-29", "2024-02-29T12:00:00Z"] {
        let error = search().between(date, "").save(folder.path()).unwrap_err();
        assert!(
            error.to_string().contains("did not answer"),
            "{date}: {error}"
        );
    }
}
