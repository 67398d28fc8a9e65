//! The cells that were run, in one SQLite file per user.
//!
//! The database has its own thread: a slow or locked file (a home folder over the network) never holds up a cell.
//! Without a usable file the history lives in memory.

use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

/// A stored cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The kernel session it ran in.
    pub(crate) session: i64,
    /// Its execution count.
    pub(crate) line: i64,
    /// Its text.
    pub(crate) source: String,
    /// The plain text of its result.
    pub(crate) output: Option<String>,
}

/// What to look up.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    /// The last `n` cells of all sessions.
    Tail {
        /// How many.
        n: usize,
    },
    /// Cells `start..stop` of a session: 0 is this one, -1 the one before, positive numbers count from the first.
    Range {
        /// Which session.
        session: i64,
        /// The first execution count.
        start: i64,
        /// The execution count after the last.
        stop: i64,
    },
    /// Cells that fit a pattern with `*` and `?`, the last `n` of them.
    Search {
        /// The pattern, for the whole cell.
        pattern: String,
        /// Whether equal cells are listed once (their last).
        unique: bool,
        /// How many at most.
        n: Option<usize>,
    },
}

enum Job {
    Store(i64, String),
    Output(i64, String),
    Query(Query, oneshot::Sender<Vec<Entry>>),
    Close(mpsc::Sender<()>),
}

/// A handle to the history's thread.
pub(crate) struct History {
    jobs: mpsc::Sender<Job>,
}

impl History {
    /// The user's history: `SWATH_HISTORY`, or `swath/history.sqlite` in the user's data folder.
    pub(crate) fn open_default() -> Self {
        let path = std::env::var_os(swath_link::environment::HISTORY)
            .map(PathBuf::from)
            .or_else(|| Some(dirs::data_dir()?.join("swath/history.sqlite")));
        Self::open(path)
    }

    /// Opens `path` in the background; `None` keeps the history in memory.
    pub(crate) fn open(path: Option<PathBuf>) -> Self {
        let (jobs, queue) = mpsc::channel();
        let started = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || serve(path.as_deref(), &queue));
        if let Err(error) = started {
            crate::log::warn(&format!("no history: its thread cannot start: {error}"));
        }
        Self { jobs }
    }

    /// Adds a cell.
    pub(crate) fn store(&self, line: u32, source: &str) {
        let _ = self.jobs.send(Job::Store(line.into(), source.to_owned()));
    }

    /// Adds the result of a cell stored before.
    pub(crate) fn store_output(&self, line: u32, output: &str) {
        let _ = self.jobs.send(Job::Output(line.into(), output.to_owned()));
    }

    /// Looks cells up, oldest first.
    pub(crate) async fn query(&self, query: Query) -> Vec<Entry> {
        let (sender, answer) = oneshot::channel();
        let _ = self.jobs.send(Job::Query(query, sender));
        answer.await.unwrap_or_default()
    }

    /// Waits, at most a second, until everything is written.
    pub(crate) fn close(&self) {
        let (sender, closed) = mpsc::channel();
        let _ = self.jobs.send(Job::Close(sender));
        let _ = closed.recv_timeout(Duration::from_secs(1));
    }
}

fn serve(path: Option<&Path>, queue: &mpsc::Receiver<Job>) {
    let opened = path.map_or_else(
        || Err("no data folder".to_owned()),
        |path| open_file(path).map_err(|error| error.to_string()),
    );
    let opened = opened.or_else(|reason| {
        crate::log::warn(&format!("the history is kept in memory only: {reason}"));
        prepare(Connection::open_in_memory()?)
    });
    let (connection, session) = match opened {
        Ok(opened) => opened,
        Err(error) => return crate::log::warn(&format!("no history: {error}")),
    };
    while let Ok(job) = queue.recv() {
        let done = match job {
            Job::Store(line, source) => connection
                .execute(
                    "INSERT OR REPLACE INTO history VALUES (?1, ?2, ?3, NULL)",
                    params![session, line, source],
                )
                .map(drop),
            Job::Output(line, output) => connection
                .execute(
                    "UPDATE history SET output = ?3 WHERE session = ?1 AND line = ?2",
                    params![session, line, output],
                )
                .map(drop),
            Job::Query(query, answer) => {
                run_query(&connection, session, &query).map(|entries| drop(answer.send(entries)))
            }
            Job::Close(closed) => {
                let _ = closed.send(());
                return;
            }
        };
        if let Err(error) = done {
            crate::log::warn(&format!("history: {error}"));
        }
    }
}

fn open_file(path: &Path) -> Result<(Connection, i64), Box<dyn std::error::Error>> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    // For nobody else to read, whatever the mask; its journal gets the same permissions.
    let made = std::fs::File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let found = made.metadata()?;
    if found.is_file()
        && found.uid() == swath_link::permissions::user()
        && found.mode() & 0o077 != 0
    {
        made.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(prepare(Connection::open(path)?)?)
}

fn prepare(connection: Connection) -> rusqlite::Result<(Connection, i64)> {
    connection.busy_timeout(Duration::from_secs(3))?;
    // The last cells may be lost in a power cut; no cell waits for a disk.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS sessions (session INTEGER PRIMARY KEY AUTOINCREMENT, started TEXT DEFAULT CURRENT_TIMESTAMP);
         CREATE TABLE IF NOT EXISTS history (session INTEGER, line INTEGER, source TEXT, output TEXT, PRIMARY KEY (session, line));",
    )?;
    connection.execute("INSERT INTO sessions DEFAULT VALUES", [])?;
    let session = connection.last_insert_rowid();
    Ok((connection, session))
}

fn run_query(connection: &Connection, current: i64, query: &Query) -> rusqlite::Result<Vec<Entry>> {
    let as_limit = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut entries = match query {
        // This session's cells count as the latest: other kernels of the user may run at the same time.
        Query::Tail { n } => select(
            connection,
            "SELECT session, line, source, output FROM history \
             ORDER BY session = ?2 DESC, session DESC, line DESC LIMIT ?1",
            params![as_limit(*n), current],
        )?,
        Query::Range {
            session,
            start,
            stop,
        } => {
            let session = if *session <= 0 {
                current.saturating_add(*session)
            } else {
                *session
            };
            select(
                connection,
                "SELECT session, line, source, output FROM history WHERE session = ?1 AND line >= ?2 AND line < ?3 ORDER BY line DESC",
                params![session, start, stop],
            )?
        }
        Query::Search { pattern, unique, n } => {
            // With MAX in a grouped selection, SQLite takes the other columns from the row of the maximum.
            let found = if *unique {
                "(SELECT session, line, source, output, MAX(session * 1000000 + line) FROM history WHERE source GLOB ?1 GROUP BY source)"
            } else {
                "history WHERE source GLOB ?1"
            };
            let sql = format!(
                "SELECT session, line, source, output FROM {found} ORDER BY session DESC, line DESC LIMIT ?2"
            );
            select(
                connection,
                &sql,
                params![glob(pattern), n.map_or(-1, as_limit)],
            )?
        }
    };
    entries.reverse();
    Ok(entries)
}

/// SQLite's GLOB knows `[` classes, the protocol's patterns do not.
fn glob(pattern: &str) -> String {
    pattern.replace('[', "[[]")
}

fn select(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(params, |row| {
        Ok(Entry {
            session: row.get(0)?,
            line: row.get(1)?,
            source: row.get(2)?,
            output: row.get(3)?,
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.source.as_str()).collect()
    }

    async fn filled(path: &Path) -> History {
        let history = History::open(Some(path.to_owned()));
        for (line, source) in (1..).zip(["let a = 1;", "a + 1", "let b = 2;", "a + 1"]) {
            history.store(line, source);
        }
        history.store_output(2, "2");
        history
    }

    #[tokio::test]
    async fn tail_range_and_search_find_what_was_stored() {
        let folder = tempfile::tempdir().unwrap();
        let history = filled(&folder.path().join("h.sqlite")).await;
        let tail = history.query(Query::Tail { n: 3 }).await;
        assert_eq!(sources(&tail), ["a + 1", "let b = 2;", "a + 1"]);
        assert_eq!(tail[0].output.as_deref(), Some("2"));
        let range = history
            .query(Query::Range {
                session: 0,
                start: 2,
                stop: 4,
            })
            .await;
        assert_eq!(sources(&range), ["a + 1", "let b = 2;"]);
        let search = |unique, n| Query::Search {
            pattern: "a*".to_owned(),
            unique,
            n,
        };
        assert_eq!(history.query(search(false, None)).await.len(), 2);
        let unique = history.query(search(true, None)).await;
        assert_eq!((sources(&unique), unique[0].line), (vec!["a + 1"], 4));
        assert_eq!(history.query(search(false, Some(1))).await.len(), 1);
        assert!(
            history
                .query(Query::Search {
                    pattern: "[ab]*".to_owned(),
                    unique: false,
                    n: None
                })
                .await
                .is_empty()
        );
    }

    #[tokio::test]
    async fn an_earlier_session_is_found_by_a_negative_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/folder/h.sqlite");
        filled(&path).await.close();
        let second = History::open(Some(path));
        second.store(1, "second");
        let earlier = second
            .query(Query::Range {
                session: -1,
                start: 1,
                stop: 2,
            })
            .await;
        assert_eq!(
            (sources(&earlier), earlier[0].session),
            (vec!["let a = 1;"], 1)
        );
        assert_eq!(
            sources(&second.query(Query::Tail { n: 2 }).await),
            ["a + 1", "second"]
        );
    }

    #[tokio::test]
    async fn the_tail_ends_with_this_sessions_cells_whatever_other_kernels_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.sqlite");
        let mine = filled(&path).await;
        assert_eq!(mine.query(Query::Tail { n: 9 }).await.len(), 4);
        let other = History::open(Some(path));
        other.store(1, "of another kernel");
        assert_eq!(other.query(Query::Tail { n: 9 }).await.len(), 5);
        let tail = mine.query(Query::Tail { n: 3 }).await;
        assert_eq!(sources(&tail), ["a + 1", "let b = 2;", "a + 1"]);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_opened_leaves_the_history_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("not-a-folder"), "").unwrap();
        let history = History::open(Some(folder.path().join("not-a-folder/h.sqlite")));
        history.store(1, "kept");
        assert_eq!(
            sources(&history.query(Query::Tail { n: 9 }).await),
            ["kept"]
        );
    }
}
