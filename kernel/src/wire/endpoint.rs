//! Where a channel listens: a TCP port, or a Unix socket that only its user can reach.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jupyter_protocol::{ConnectionInfo, Transport};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::users::Users;

/// The room for a path in the address of a Unix socket, its end included.
const SOCKET_PATH: usize = 108;

/// A bound channel, and who may connect to it.
pub(crate) struct Listener {
    socket: Socket,
    users: Users,
}

enum Socket {
    Tcp(TcpListener),
    Ipc(UnixListener),
}

/// A connection that was accepted.
pub(crate) enum Accepted {
    Tcp(TcpStream),
    Ipc(UnixStream),
}

impl Listener {
    /// Binds the channel of this port.
    ///
    /// # Errors
    /// The cause, and what can be done, in one sentence.
    pub(crate) async fn bind(
        info: &ConnectionInfo,
        port: u16,
        channel: &str,
        users: &Users,
    ) -> Result<Self, String> {
        let users = users.clone();
        let socket = match info.transport {
            Transport::TCP => {
                let host = if info.ip == "*" { "0.0.0.0" } else { &info.ip };
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let bound = TcpListener::bind((host, port)).await;
                bound.map(Socket::Tcp).map_err(|error| {
                    format!("the {channel} channel cannot be bound to tcp://{host}:{port}: {error}")
                })?
            }
            Transport::IPC => {
                let path = socket_path(info, port);
                bind_ipc(&path).map(Socket::Ipc).map_err(|reason| {
                    format!(
                        "the {channel} channel cannot be bound to {}: {reason}",
                        path.display()
                    )
                })?
            }
        };
        Ok(Self { socket, users })
    }

    #[cfg(test)]
    pub(crate) fn of_tcp(listener: TcpListener) -> Self {
        Self {
            socket: Socket::Tcp(listener),
            users: Users::only(swath_link::permissions::user()),
        }
    }

    /// The next connection; `Err` with the reason for one of another user of this machine.
    pub(crate) async fn accept(&self) -> std::io::Result<Result<Accepted, String>> {
        let refused = |user: u32| format!("the user {user} is not the kernel's");
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, theirs) = listener.accept().await?;
                if let Some(refusal) = self.users.refuse(stream.local_addr()?, theirs) {
                    return Ok(Err(refusal));
                }
                stream.set_nodelay(true)?;
                Ok(Ok(Accepted::Tcp(stream)))
            }
            Socket::Ipc(listener) => {
                let (stream, _) = listener.accept().await?;
                let user = stream.peer_cred()?.uid();
                Ok(match self.users.may(user) {
                    true => Ok(Accepted::Ipc(stream)),
                    false => Err(refused(user)),
                })
            }
        }
    }
}

/// Jupyter's rule: the path of the connection file's `ip`, a hyphen, the port.
pub(crate) fn socket_path(info: &ConnectionInfo, port: u16) -> PathBuf {
    PathBuf::from(format!("{}-{port}", info.ip))
}

/// A socket that only this user can open, in a folder that only this user can enter where it is ours to make.
fn bind_ipc(path: &Path) -> Result<UnixListener, String> {
    let length = path.as_os_str().as_bytes().len();
    if length >= SOCKET_PATH {
        return Err(format!(
            "the path has {length} bytes, a Unix socket's has at most {}: choose a shorter runtime folder (JUPYTER_RUNTIME_DIR)",
            SOCKET_PATH - 1
        ));
    }
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(folder).map_err(|error| error.to_string())?;
    }
    remove_dead_socket(path)?;
    let listener = UnixListener::bind(path).map_err(|error| error.to_string())?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| error.to_string())?;
    Ok(listener)
}

/// A kernel that was killed leaves its sockets behind; the one that Jupyter starts in its place has the same paths.
fn remove_dead_socket(path: &Path) -> Result<(), String> {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err("something else that is not a socket has this name".to_owned());
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err("another kernel that runs uses it".to_owned());
    }
    std::fs::remove_file(path).map_err(|error| error.to_string())
}

/// Removes the socket files of all channels.
pub(crate) fn remove_ipc_files(info: &ConnectionInfo) {
    if info.transport != Transport::IPC {
        return;
    }
    for port in [
        info.shell_port,
        info.iopub_port,
        info.stdin_port,
        info.control_port,
        info.hb_port,
    ] {
        let _ = std::fs::remove_file(socket_path(info, port));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sockets_are_private_and_those_of_the_dead_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/kernel-1");
        let listener = bind_ipc(&path).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert!(bind_ipc(&path).unwrap_err().contains("another kernel"));
        drop(listener);
        assert!(path.exists(), "as after a kill");
        bind_ipc(&path).unwrap();

        let file = folder.path().join("file");
        std::fs::write(&file, "mine").unwrap();
        assert!(bind_ipc(&file).unwrap_err().contains("not a socket"));
        let long = folder.path().join("x".repeat(120));
        assert!(bind_ipc(&long).unwrap_err().contains("JUPYTER_RUNTIME_DIR"));
    }
}
