//! The sockets of zeromq, where no stranger can reach them: behind the [gate](super::gate).
//!
//! zeromq reserves whatever length a frame's header names, and its `send` waits for a peer that does not read. So it listens
//! at a Unix socket in a folder of mode 0700 whose name is removed as soon as it is bound: this process alone has the way to
//! it. Every peer that has shown the key has one connection there, as a DEALER: what it sends goes through after its
//! signature has been checked, and what comes back is always read.

use std::fs::{File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use swath_link::permissions;
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::zmtp::{self, GREETING, PeerReader, Refusal};

/// What is gathered before it is written or taken.
const BUFFER: usize = 64 << 10;

/// What the socket says to one peer.
pub(crate) type Said = PeerReader<BufReader<OwnedReadHalf>>;
/// The way of one peer's messages to the socket. Dropping it is the end of them; those before it are read all the same.
pub(crate) type Way = BufWriter<OwnedWriteHalf>;

/// Where a socket of zeromq can be reached.
#[derive(Debug)]
pub(crate) struct Door {
    path: PathBuf,
    _socket: File,
    /// The folder of the socket, where the system does not reach a socket whose name is gone.
    _folder: Option<TempDir>,
}

impl Door {
    /// Binds a private socket, in the first folder that will do.
    ///
    /// # Errors
    /// Why none will, and what can be done, in one sentence.
    pub(crate) fn open() -> Result<(UnixListener, Self), String> {
        let mut folders = vec![std::env::temp_dir(), PathBuf::from("/tmp")];
        folders.extend(dirs::runtime_dir());
        folders.push(PathBuf::from("/dev/shm"));
        let mut refused = None;
        for folder in folders {
            if let Some(why) = permissions::unfit_for_private(&folder) {
                refused.get_or_insert(format!("{}, which {why}", folder.display()));
                continue;
            }
            match Self::open_in(&folder) {
                Ok(opened) => return Ok(opened),
                Err(error) => {
                    refused.get_or_insert(format!("{}: {error}", folder.display()));
                }
            }
        }
        Err(format!(
            "no socket can be bound in {}; set TMPDIR to a folder that can be written",
            refused.unwrap_or_default()
        ))
    }

    fn open_in(parent: &Path) -> std::io::Result<(UnixListener, Self)> {
        let folder = tempfile::Builder::new()
            .prefix("swath-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path)?;
        let socket = File::options()
            .read(true)
            .custom_flags(libc::O_PATH)
            .open(&path)?;
        let hidden = PathBuf::from(format!("/proc/self/fd/{}", socket.as_raw_fd()));
        let works = std::os::unix::net::UnixStream::connect(&hidden).is_ok();
        let door = Self {
            path: if works { hidden } else { path },
            _socket: socket,
            // Removed here where it is not needed: nothing is left of a kernel that is killed.
            _folder: (!works).then_some(folder),
        };
        Ok((listener, door))
    }

    /// Connects as a DEALER with this identity, and shakes hands.
    pub(crate) async fn connect(&self, identity: &[u8]) -> Result<(Said, Way), Refusal> {
        let failed = |error: std::io::Error| Refusal::Behind(error.to_string());
        let stream = UnixStream::connect(&self.path).await.map_err(failed)?;
        let (input, mut output) = stream.into_split();
        let hello = [&GREETING[..], &zmtp::ready("DEALER", identity)].concat();
        output.write_all(&hello).await.map_err(failed)?;
        let mut said = PeerReader::new(BufReader::with_capacity(BUFFER, input));
        said.greeting().await?;
        said.hello().await?;
        Ok((said, BufWriter::with_capacity(BUFFER, output)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_reached_by_nobody_else_and_leaves_nothing_behind() {
        let parent = tempfile::tempdir().unwrap();
        let (listener, door) = Door::open_in(parent.path()).unwrap();
        let left = std::fs::read_dir(parent.path()).unwrap().count();
        assert_eq!(left, 0, "its folder is gone while it is open");
        let _trial = listener.accept().unwrap();
        let _client = std::os::unix::net::UnixStream::connect(&door.path).unwrap();
        listener.accept().unwrap();
        let long = parent.path().join("x".repeat(120));
        std::fs::create_dir(&long).unwrap();
        assert!(Door::open_in(&long).is_err(), "too long for a socket");
        assert_eq!(std::fs::read_dir(&long).unwrap().count(), 0);
    }
}
