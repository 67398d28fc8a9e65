use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::checksum::{self, Sums};
use super::http::{self, Head, Places, Request};
use super::progress::Progress;
use super::{DataError, disk};
use crate::display::units::file_size;
use crate::report::{Notice, Report};
use crate::{Result, session};

/// How often a transfer is tried anew when nothing more arrives.
const TRIES: u32 = 5;
/// How often an address is tried that never answered: without a network there is nothing to wait for.
const TRIES_WITHOUT_ANSWER: u32 = 2;
/// Longer than this no server is waited for.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// A file to download: resumed where it stopped, tried again after failures that pass, checked, and put into place only
/// when it is whole.
///
/// What has arrived lies beside the target as `NAME.part` and stays there when the transfer is interrupted or fails; the
/// next one goes on from there if the server still has the same file (by `ETag` or `Last-Modified`). The request goes
/// through Python's `urllib`, so `https_proxy`, `no_proxy` and the machine's certificates apply.
///
/// ```no_run
/// use swath::data::Download;
/// let file = Download::new("https://zenodo.org/records/7711810/files/EuroSAT_RGB.zip")
///     .md5("f46e308c4d50d4bf32fedad2d3d62f3b")
///     .to("EuroSAT_RGB.zip")?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "`.to(path)` downloads it"]
pub struct Download {
    address: String,
    bytes: Option<u64>,
    md5: Option<String>,
    sha256: Option<String>,
    reserve: u64,
    pause: Duration,
    silence: Duration,
    quiet: bool,
    doing: &'static str,
}

/// A downloaded file.
#[derive(Clone, Debug)]
pub struct Downloaded {
    /// Where it is.
    pub path: PathBuf,
    /// The address that gave it, after redirections; the one that was asked where the file was there before.
    pub address: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 sum in hexadecimal, whatever the publisher gives.
    pub sha256: String,
    report: Report,
}

impl Downloaded {
    /// What was assumed, such as that a file without a published checksum is the right one.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// What became of one request.
enum Attempt {
    /// The whole file is there.
    Whole(Box<Head>),
    /// It may go better next time: why, after how long at least.
    Again {
        reason: String,
        after: Option<Duration>,
        answered: bool,
    },
}

impl Download {
    /// The file at this address (`https://` or `http://`).
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            bytes: None,
            md5: None,
            sha256: None,
            reserve: 0,
            pause: Duration::from_secs(1),
            silence: http::SILENCE,
            quiet: false,
            doing: "downloading",
        }
    }

    /// The length that the publisher gives: any other is an error, and the disk is checked before anything is sent.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// The MD5 sum that the publisher gives, in hexadecimal.
    pub fn md5(mut self, sum: impl Into<String>) -> Self {
        self.md5 = Some(sum.into().to_ascii_lowercase());
        self
    }

    /// The SHA-256 sum that the publisher gives, in hexadecimal.
    pub fn sha256(mut self, sum: impl Into<String>) -> Self {
        self.sha256 = Some(sum.into().to_ascii_lowercase());
        self
    }

    /// How long to wait before the second try; twice as long before each further one. By default one second.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// After how long without a byte a connection is given up. By default one minute.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// Without a line of progress.
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// Room that has to be left beside the file itself, for what is unpacked from it.
    pub(super) fn reserve(mut self, bytes: u64) -> Self {
        self.reserve = bytes;
        self
    }

    /// Downloads the file to `path`, whose folder is made. A file that is there already is checked and taken.
    ///
    /// # Errors
    /// - [`DataError::Transfer`] when the server does not answer or breaks off again and again, [`DataError::Status`] when
    ///   it refuses; what has arrived is kept, and the hint says what to do without a network
    /// - [`DataError::Checksum`], [`DataError::Length`] when the file is not the one that was published: it is removed
    /// - [`DataError::NoSpace`] before the disk is full, [`DataError::Busy`] when another process downloads to the same path
    /// - [`crate::Error::Interrupted`]; the next call goes on
    pub fn to(&self, path: impl AsRef<Path>) -> Result<Downloaded> {
        let path = crate::paths::expanded(path.as_ref()).into_owned();
        http::check_address(&self.address)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut progress = Progress::new(name.clone(), self.quiet);
        if path.is_file() {
            return self.there_already(path, &mut progress);
        }
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        std::fs::create_dir_all(folder).map_err(|error| file_error(folder, error))?;
        // Python looks at folders from its own point of view, which is the same; absolute paths save the doubt.
        let folder = std::path::absolute(folder).map_err(|error| file_error(folder, error))?;
        let beside = |ending: &str| folder.join(format!("{name}{ending}"));
        let files = Files {
            part: beside(".part"),
            head: beside(".part.head"),
            state: beside(".part.json"),
        };
        let lock = files.lock()?;
        let ended = self.transfer(&path, &files, &mut progress);
        let _ = std::fs::remove_file(&files.head);
        // What holds nothing is nothing to go on with.
        if ended.is_err() && files.kept() == 0 {
            let _ = std::fs::remove_file(&files.part);
            let _ = std::fs::remove_file(&files.state);
        }
        drop(lock);
        ended
    }

    fn there_already(&self, path: PathBuf, progress: &mut Progress) -> Result<Downloaded> {
        let sums = self.check(&path, progress)?;
        let mut report = Report::new();
        let text = "the file was there already";
        report.push(Notice::noted(text).about(path.display().to_string()));
        self.finished(path, self.address.clone(), sums, report)
    }

    fn finished(
        &self,
        path: PathBuf,
        address: String,
        sums: Sums,
        mut report: Report,
    ) -> Result<Downloaded> {
        let bytes = std::fs::metadata(&path)
            .map_err(|error| file_error(&path, error))?
            .len();
        if self.md5.is_none() && self.sha256.is_none() {
            let text = "no checksum is published, so the file is taken as it came";
            report.push(
                Notice::assumed(text)
                    .about(path.display().to_string())
                    .next(format!("its SHA-256 is {}", sums.sha256)),
            );
        }
        Ok(Downloaded {
            path,
            address,
            bytes,
            sha256: sums.sha256,
            report,
        })
    }

    fn transfer(&self, path: &Path, files: &Files, progress: &mut Progress) -> Result<Downloaded> {
        if let Some(bytes) = self.bytes {
            let missing = bytes
                .saturating_sub(files.kept())
                .saturating_add(self.reserve);
            disk::check(&files.part, missing)?;
        }
        let mut report = Report::new();
        let mut resumed = false;
        loop {
            let (head, parts) = self.arrive(path, files, progress)?;
            resumed |= parts;
            progress.end("checking");
            match self.check(&files.part, &mut Progress::new("", true)) {
                Ok(sums) => {
                    let kept = std::fs::rename(&files.part, path);
                    kept.map_err(|error| file_error(path, error))?;
                    let _ = std::fs::remove_file(&files.state);
                    let bytes = std::fs::metadata(path).map_or(0, |found| found.len());
                    progress.end(&file_size(bytes));
                    return self.finished(path.to_owned(), head.address, sums, report);
                }
                Err(error) if matches!(error, crate::Error::Interrupted { .. }) => {
                    return Err(error);
                }
                Err(error) => {
                    files.discard();
                    if !resumed {
                        return Err(error);
                    }
                    // Parts of two versions, perhaps: the whole once more.
                    resumed = false;
                    let text =
                        "the parts of the file did not fit together, so it was downloaded anew";
                    report.push(Notice::repaired(text).about(path.display().to_string()));
                }
            }
        }
    }

    /// Tries until the whole file has arrived. Whether it came in several parts is told, too.
    fn arrive(&self, path: &Path, files: &Files, progress: &mut Progress) -> Result<(Head, bool)> {
        let (mut tries, mut answered, mut parts) = (0, false, false);
        loop {
            let kept = files.kept();
            parts |= kept > 0;
            let outcome = self.attempt(path, files, progress)?;
            let (reason, after) = match outcome {
                Attempt::Whole(head) => return Ok((*head, parts)),
                Attempt::Again {
                    reason,
                    after,
                    answered: now,
                } => {
                    answered |= now;
                    (reason, after)
                }
            };
            // What makes progress is no failure.
            tries = match files.kept() > kept {
                true => 0,
                false => tries + 1,
            };
            let most = if answered {
                TRIES
            } else {
                TRIES_WITHOUT_ANSWER
            };
            let wait = self
                .pause
                .saturating_mul(1 << tries.min(10))
                .min(LONGEST_PAUSE);
            let wait = after.map_or(wait, |after| after.max(wait));
            if tries >= most || wait > LONGEST_PAUSE {
                return Err(DataError::Transfer {
                    address: self.address.clone(),
                    reason,
                    path: path.to_owned(),
                    kept: files.kept(),
                }
                .into());
            }
            progress.end(&format!(
                "{reason}; the next try follows in {:.0} s",
                wait.as_secs_f64().ceil()
            ));
            pause(wait, self.doing)?;
        }
    }

    fn attempt(&self, path: &Path, files: &Files, progress: &mut Progress) -> Result<Attempt> {
        let mut request = Request::get(&self.address);
        request.timeout = self.silence;
        let offset = self.resume(files, &mut request);
        progress.begin(offset, self.bytes);
        let places = Places {
            head: &files.head,
            body: &files.part,
            state: &files.state,
            offset,
        };
        let mut head: Option<Head> = None;
        let ended = http::send(&request, &places, self.doing, &mut || {
            if head.is_none() {
                head = http::read_head(&files.head);
                if let Some(head) = &head {
                    progress.expect(head.total().filter(|_| matches!(head.status, 200 | 206)));
                }
            }
            progress.update(files.kept());
        })?;
        let Some(head) = head.or_else(|| http::read_head(&files.head)) else {
            return Ok(Attempt::Again {
                reason: ended
                    .err()
                    .unwrap_or_else(|| "there was no answer".to_owned()),
                after: None,
                answered: false,
            });
        };
        if let Some((needed, free)) = head.too_large() {
            return Err(DataError::NoSpace {
                path: path.to_owned(),
                needed,
                free,
            }
            .into());
        }
        let again = |reason: String| Attempt::Again {
            reason,
            after: head.retry_after(),
            answered: true,
        };
        match (head.status, ended) {
            (200 | 206, Err(reason)) => Ok(again(reason)),
            (200 | 206, Ok(())) => {
                let (kept, total) = (files.kept(), head.total());
                if head.status == 206 && !head.said.is_empty() {
                    files.discard();
                    return Ok(again(
                        "the server sent another part than was asked for".to_owned(),
                    ));
                }
                match total {
                    Some(total) if kept < total => {
                        let reason = format!("the answer ended after {kept} of {total} bytes");
                        Ok(again(reason))
                    }
                    Some(total) if kept > total => {
                        files.discard();
                        Ok(again(format!(
                            "{kept} bytes came where {total} were announced"
                        )))
                    }
                    _ => Ok(Attempt::Whole(Box::new(head))),
                }
            }
            // There is nothing behind what is kept: it is whole, or of another file.
            (416, _) => match head.total() == Some(files.kept()) {
                true => Ok(Attempt::Whole(Box::new(head))),
                false => {
                    files.discard();
                    Ok(again("the server has another file now".to_owned()))
                }
            },
            (status @ (408 | 425 | 429 | 500..=599), _) => Ok(again(format!(
                "the server answered {}",
                status_text(status)
            ))),
            (status, _) => Err(DataError::Status {
                address: self.address.clone(),
                status,
                path: path.to_owned(),
            }
            .into()),
        }
    }

    /// Asks for what is missing of the file whose beginning is there.
    fn resume(&self, files: &Files, request: &mut Request<'_>) -> u64 {
        let kept = files.kept();
        let state = http::read_head(&files.state).filter(|state| state.asked == self.address);
        let Some(state) = state.filter(|_| kept > 0) else {
            return 0;
        };
        match state.validator() {
            Some(validator) => request.headers.push(("If-Range", validator.to_owned())),
            // Nothing tells versions apart but the checksum in the end.
            None if self.md5.is_some() || self.sha256.is_some() => (),
            None => return 0,
        }
        request.headers.push(("Range", format!("bytes={kept}-")));
        kept
    }

    /// Compares a file with what its publisher says of it.
    fn check(&self, path: &Path, progress: &mut Progress) -> Result<Sums> {
        let bytes = std::fs::metadata(path)
            .map_err(|error| file_error(path, error))?
            .len();
        if let Some(expected) = self.bytes.filter(|&expected| expected != bytes) {
            return Err(DataError::Length {
                path: path.to_owned(),
                expected,
                found: bytes,
            }
            .into());
        }
        progress.expect(Some(bytes));
        let sums = checksum::of_file(path, self.md5.is_some(), &mut |done| progress.update(done))?;
        let pairs = [
            (&self.sha256, Some(&sums.sha256)),
            (&self.md5, sums.md5.as_ref()),
        ];
        for (expected, found) in pairs {
            if let (Some(expected), Some(found)) = (expected, found)
                && expected != found
            {
                return Err(DataError::Checksum {
                    path: path.to_owned(),
                    expected: expected.clone(),
                    found: found.clone(),
                }
                .into());
            }
        }
        Ok(sums)
    }
}

/// The files of a transfer that runs.
struct Files {
    part: PathBuf,
    head: PathBuf,
    state: PathBuf,
}

impl Files {
    fn kept(&self) -> u64 {
        std::fs::metadata(&self.part).map_or(0, |found| found.len())
    }

    /// Two processes never write into one file. The lock ends with the process, however that ends.
    fn lock(&self) -> Result<File> {
        let io = |error| file_error(&self.part, error);
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        let file = options.open(&self.part).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(DataError::Busy {
                path: self.part.clone(),
            }
            .into()),
            // Some network file systems have no locks.
            Err(std::fs::TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                Ok(file)
            }
            Err(std::fs::TryLockError::Error(error)) => Err(io(error).into()),
        }
    }

    /// Empties the part, which stays locked.
    fn discard(&self) {
        let _ = std::fs::remove_file(&self.state);
        if let Ok(file) = OpenOptions::new().write(true).open(&self.part) {
            let _ = file.set_len(0);
        }
    }
}

fn file_error(path: &Path, error: std::io::Error) -> DataError {
    DataError::File(crate::FileError::new(path.to_owned(), error))
}

/// Waits, but not for one who wants to stop.
pub(super) fn pause(wait: Duration, doing: &'static str) -> Result<()> {
    let ends = std::time::Instant::now() + wait;
    loop {
        session::check_interrupt(doing)?;
        let left = ends.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// `404 (not found)`.
pub(super) fn status_text(status: u16) -> String {
    let words = match status {
        401 => "not authorized",
        403 => "forbidden",
        404 => "not found",
        408 => "too slow",
        410 => "gone",
        429 => "too many requests",
        451 => "not available for legal reasons",
        500 => "internal error",
        502 => "bad gateway",
        503 => "unavailable",
        504 => "gateway timeout",
        _ => return status.to_string(),
    };
    format!("{status} ({words})")
}
