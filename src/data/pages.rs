//! Data sets whose publisher has a page of links for each folder, and no archive.

use std::collections::BTreeSet;

/// The addresses of a page's links that end in one of `endings`, in the page's order. Only those of the page's own host: a
/// page that was changed cannot send a reader elsewhere.
pub(super) fn links(page: &str, text: &str, endings: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for part in text.split("href").skip(1) {
        let Some(value) = value(part) else {
            continue;
        };
        let value = value.replace("&amp;", "&");
        let Some(address) = joined(page, value.trim()) else {
            continue;
        };
        let wanted = endings
            .iter()
            .any(|ending| address.to_ascii_lowercase().ends_with(ending.as_str()));
        if wanted && host(&address) == host(page) && seen.insert(address.clone()) {
            found.push(address);
        }
    }
    found
}

/// The value of an attribute that begins behind its name.
fn value(part: &str) -> Option<&str> {
    let part = part.trim_start().strip_prefix('=')?.trim_start();
    match part.chars().next()? {
        quote @ ('"' | '\'') => part.get(1..)?.split(quote).next(),
        _ => part.split([' ', '>', '\n', '\t']).next(),
    }
}

pub(super) fn host(address: &str) -> Option<&str> {
    address.split_once("://")?.1.split(['/', '?', '#']).next()
}

/// An address as a browser joins it to that of its page; `None` for what is not asked over HTTP.
///
/// # Source
/// RFC 3986, 5.2.
pub(super) fn joined(page: &str, link: &str) -> Option<String> {
    // What follows the path is no path: `datetime=2024-01-01/..` goes nowhere up.
    let (path, behind) = link.split_at(link.find(['?', '#']).unwrap_or(link.len()));
    if path.contains("://") {
        return (path.starts_with("http://") || path.starts_with("https://"))
            .then(|| link.to_owned());
    }
    let link = path;
    let whole = page.split('#').next()?;
    let bare = whole.split('?').next()?;
    if link.is_empty() {
        let before = if behind.starts_with('?') { bare } else { whole };
        return Some(format!("{before}{behind}"));
    }
    let (scheme, rest) = bare.split_once("://")?;
    let host = rest.split('/').next()?;
    if let Some(other) = link.strip_prefix("//") {
        return Some(format!("{scheme}://{other}{behind}"));
    }
    let mut parts: Vec<&str> = match link.starts_with('/') {
        true => Vec::new(),
        false => {
            let mut folders: Vec<&str> = rest.split('/').skip(1).collect();
            folders.pop();
            folders
        }
    };
    for part in link.trim_start_matches('/').split('/') {
        match part {
            "." => (),
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(format!("{scheme}://{host}/{}{behind}", parts.join("/")))
}

/// The name that a file at an address has here: nothing that leads elsewhere.
pub(super) fn file_name(address: &str) -> Option<&str> {
    let path = address.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let plain =
        !name.is_empty() && !name.starts_with('.') && !name.contains(['\\', '\0', '%', ':']);
    plain.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_the_page_s_own_host_are_taken_once() {
        let page = "https://a.org/data/train/sat/index.html";
        let text = "<a href=\"https://a.org/data/train/sat/1.tiff\">1</a> <A HREF='x'><a href='2.tiff'>2</a>\n\
                    <a href=../map/3.tif>3</a> <a href = \"/4.TIFF\">4</a> <a href=\"2.tiff\">again</a>\
                    <a href=\"https://evil.org/5.tiff\"> <a href=\"6.png\"> <a href=\"file:///7.tiff\"> <a href=\"//a.org/8.tif\"";
        let found = links(page, text, &[".tiff".to_owned(), ".tif".to_owned()]);
        assert_eq!(
            found,
            [
                "https://a.org/data/train/sat/1.tiff",
                "https://a.org/data/train/sat/2.tiff",
                "https://a.org/data/train/map/3.tif",
                "https://a.org/4.TIFF",
                "https://a.org/8.tif",
            ]
        );
        for text in ["", "href", "href=", "href=\"", "<a href=\"é"] {
            assert!(links(page, text, &[".tif".to_owned()]).is_empty());
        }
    }

    /// RFC 3986, 5.4: a query is no path, and alone it belongs to the page's own.
    #[test]
    fn queries_stay_as_they_are() {
        let page = "https://a.org/v1/search?limit=1";
        for (link, expected) in [
            ("?page=2", "https://a.org/v1/search?page=2"),
            (
                "/more?datetime=2024-01-01/..",
                "https://a.org/more?datetime=2024-01-01/..",
            ),
            ("../more?box=1/../2#x", "https://a.org/more?box=1/../2#x"),
            (
                "more?to=http://b.org/",
                "https://a.org/v1/more?to=http://b.org/",
            ),
            ("#x", "https://a.org/v1/search?limit=1#x"),
        ] {
            assert_eq!(joined(page, link).as_deref(), Some(expected), "{link}");
        }
    }

    #[test]
    fn names_lead_nowhere_else() {
        assert_eq!(file_name("https://a.org/b/c.tif?x=1"), Some("c.tif"));
        for address in [
            "https://a.org/b/",
            "https://a.org/..",
            "https://a.org/%2e%2e%2fx",
            "https://a.org/.x",
        ] {
            assert_eq!(file_name(address), None, "{address}");
        }
    }
}
