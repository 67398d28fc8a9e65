//! One HTTP request, through Python's own client: it has the certificates and the proxies of the machine at hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DataError, python};
use crate::Result;

const SCRIPT: &str = include_str!("request.py");

/// After how long without a byte an answer is given up.
pub(super) const SILENCE: Duration = Duration::from_mins(1);

/// What is asked for.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) address: &'a str,
    pub(super) headers: Vec<(&'static str, String)>,
    /// A body to send, in JSON: with one it is a POST.
    pub(super) send: Option<String>,
    pub(super) timeout: Duration,
}

impl<'a> Request<'a> {
    pub(super) fn get(address: &'a str) -> Self {
        Self {
            address,
            headers: Vec::new(),
            send: None,
            timeout: SILENCE,
        }
    }

    pub(super) fn post(address: &'a str, body: String) -> Self {
        Self {
            headers: vec![("Content-Type", "application/json".to_owned())],
            send: Some(body),
            ..Self::get(address)
        }
    }
}

/// Where the parts of an answer go.
#[derive(Debug)]
pub(super) struct Places<'a> {
    /// What the server said, before any of the body.
    pub(super) head: &'a Path,
    /// Receives the body from `offset` on.
    pub(super) body: &'a Path,
    /// Says whose body it is, once it has any of it.
    pub(super) state: &'a Path,
    pub(super) offset: u64,
}

#[derive(Serialize)]
struct Job<'a> {
    address: &'a str,
    method: &'a str,
    headers: BTreeMap<&'a str, &'a str>,
    send: Option<&'a str>,
    timeout: f64,
    head: &'a Path,
    body: &'a Path,
    state: &'a Path,
    offset: u64,
}

/// What a server said before the body.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Head {
    /// The address that was asked.
    pub(super) asked: String,
    /// The address that answered, after redirections.
    pub(super) address: String,
    pub(super) status: u16,
    headers: BTreeMap<String, String>,
    /// The beginning of an answer that was not asked for.
    #[serde(default)]
    pub(super) said: String,
    /// Bytes that do not fit on the disk, and those that would.
    needed: Option<u64>,
    #[serde(default)]
    free: u64,
}

impl Head {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// What tells this version of the file from others: a strong `ETag`, otherwise the date of the last change (RFC 9110
    /// 13.1.5: a weak one must not be sent with `If-Range`).
    pub(super) fn validator(&self) -> Option<&str> {
        self.header("etag")
            .filter(|tag| tag.starts_with('"'))
            .or_else(|| self.header("last-modified"))
    }

    /// The length of the whole file, where the server says it.
    pub(super) fn total(&self) -> Option<u64> {
        match self.status {
            206 | 416 => self
                .header("content-range")?
                .rsplit('/')
                .next()?
                .parse()
                .ok(),
            _ => self.header("content-length")?.parse().ok(),
        }
    }

    /// Seconds that the server asks to wait. A date is not understood, which is rare (RFC 9110 10.2.3).
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?
            .parse()
            .ok()
            .map(Duration::from_secs)
    }

    /// Bytes that do not fit on the disk, and those that would.
    pub(super) fn too_large(&self) -> Option<(u64, u64)> {
        self.needed.map(|needed| (needed, self.free))
    }
}

pub(super) fn read_head(path: &Path) -> Option<Head> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Only what is asked over HTTP: no files of this machine under the name of an address.
pub(super) fn check_address(address: &str) -> Result<(), DataError> {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"));
    if rest.is_some_and(|rest| {
        !rest.is_empty() && !address.contains(|c: char| c.is_control() || c == ' ')
    }) {
        return Ok(());
    }
    Err(DataError::Address {
        address: address.to_owned(),
    })
}

/// Sends a request; `Err(reason)` when there was no answer or it broke off. What the server said, if it did, is in
/// `places.head` in either case.
pub(super) fn send(
    request: &Request<'_>,
    places: &Places<'_>,
    doing: &'static str,
    watch: &mut dyn FnMut(),
) -> Result<Result<(), String>> {
    check_address(request.address)?;
    let agent = concat!("swath/", env!("CARGO_PKG_VERSION"));
    // What is unpacked on the way could not be gone on with.
    let mut headers = BTreeMap::from([("User-Agent", agent), ("Accept-Encoding", "identity")]);
    headers.extend(
        request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    );
    let job = Job {
        address: request.address,
        method: if request.send.is_some() {
            "POST"
        } else {
            "GET"
        },
        headers,
        send: request.send.as_deref(),
        timeout: request.timeout.as_secs_f64(),
        head: places.head,
        body: places.body,
        state: places.state,
        offset: places.offset,
    };
    super::check_online(request.address)?;
    let job = serde_json::to_string(&job).map_err(|error| DataError::Transfer {
        address: request.address.to_owned(),
        reason: format!("the request cannot be written: {error}"),
        path: places.body.to_owned(),
        kept: 0,
    })?;
    let _ = std::fs::remove_file(places.head);
    // Isolated: a `json.py` in the current folder is none of ours.
    let ended = python::run_watched(["-I", "-c", SCRIPT, &job], doing, watch)?;
    Ok(ended.map_err(|said| {
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        last.unwrap_or("no reason given").to_owned()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&str, &str)]) -> Head {
        let headers: BTreeMap<_, _> = headers.iter().copied().collect();
        let text =
            serde_json::json!({"asked": "a", "address": "b", "status": status, "headers": headers});
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn weak_tags_are_not_for_parts() {
        let both = [
            ("etag", "W/\"1\""),
            ("last-modified", "Sat, 01 Jan 2022 00:00:00 GMT"),
        ];
        assert_eq!(head(200, &both).validator(), Some(both[1].1));
        assert_eq!(head(200, &[("etag", "\"1\"")]).validator(), Some("\"1\""));
        assert_eq!(head(200, &both[..1]).validator(), None);
    }

    #[test]
    fn lengths_are_those_of_the_whole() {
        let part = [("content-range", "bytes 5-9/10"), ("content-length", "5")];
        assert_eq!(head(206, &part).total(), Some(10));
        assert_eq!(
            head(416, &[("content-range", "bytes */10")]).total(),
            Some(10)
        );
        assert_eq!(head(206, &[("content-range", "bytes 5-9/*")]).total(), None);
        assert_eq!(head(200, &part[1..]).total(), Some(5));
    }

    #[test]
    fn only_http_is_asked() {
        assert!(check_address("https://example.org/a b").is_err());
        for address in [
            "file:///etc/passwd",
            "ftp://a/b",
            "https://",
            "a.zip",
            "http://a\nb",
        ] {
            let error = check_address(address).unwrap_err().to_string();
            assert!(error.contains("http"), "{error}");
        }
        assert!(check_address("http://127.0.0.1:1/a").is_ok());
    }
}
