//! Which user of this machine is at the other end of a connection.
//!
//! ZeroMQ signs messages and asks nobody who listens: whoever connects to the port of `iopub` on `127.0.0.1` hears everything
//! that the cells show. So a connection of another user of this machine is not taken. The system tells whose a socket of this
//! machine is, at the other end of a TCP connection as well: by its socket diagnosis (`sock_diag(7)`, which `ss` uses), and
//! where that is missing by `/proc/net/tcp`. Connections from other machines have no user here; Jupyter makes them only where
//! it was told to listen beyond the loopback.

use std::io::BufRead;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use swath_link::permissions::user;

/// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
const BY_FAMILY: u16 = 20;
/// A cookie that fits any socket (`INET_DIAG_NOCOOKIE`).
const ANY_COOKIE: [u8; 8] = [0xff; 8];
/// `TCP_LISTEN` of `net/tcp_states.h`.
const LISTENS: u8 = 10;
/// How often the tables are looked through for a connection that must be there: they may change meanwhile.
const LOOKS: usize = 3;

/// The users who may connect: this one, root, and whoever has written the connection file, as a server that starts kernels for
/// others does.
#[derive(Clone, Debug)]
pub(crate) struct Users(Vec<u32>);

impl Users {
    /// The users who may connect by this connection file.
    pub(crate) fn of(connection_file: &Path) -> Self {
        let mut users = vec![0, user()];
        users.extend(std::fs::metadata(connection_file).map(|found| found.uid()));
        Self(users)
    }

    #[cfg(test)]
    pub(crate) fn only(user: u32) -> Self {
        Self(vec![user])
    }

    pub(crate) fn may(&self, user: u32) -> bool {
        self.0.contains(&user)
    }

    /// Why a TCP connection is not taken; `None` when it is.
    pub(crate) fn refuse(&self, ours: SocketAddr, theirs: SocketAddr) -> Option<String> {
        let (ours, theirs) = (plain(ours), plain(theirs));
        for _ in 0..LOOKS {
            match owner(theirs, ours) {
                Some(user) if self.may(user) => return None,
                Some(user) => return Some(format!("the user {user} is not the kernel's")),
                // Another machine, or one of this machine's name spaces whose sockets are not seen here.
                None if !theirs.ip().is_loopback() => return None,
                None => {}
            }
        }
        // Where our own end is not told either, the system tells nothing at all.
        owner(ours, theirs)
            .is_some()
            .then(|| "the system does not say whose it is, or it is over".to_owned())
    }
}

/// IPv4 within IPv6 is in the tables of either: sockets are told apart by their addresses, which are compared as IPv4.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The user of the socket of this machine that is bound to `local` and connected to `remote`.
fn owner(local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    diagnosed(local, remote).or_else(|| listed(local, remote))
}

/// Asks the system's socket diagnosis.
fn diagnosed(local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let request = question(local, remote);
    let mut answer = [0_u8; 512];
    // SAFETY: a socket of our own; the buffers live through the calls, and their lengths are given.
    let length = unsafe {
        let socket = libc::socket(
            libc::AF_NETLINK,
            libc::SOCK_RAW | libc::SOCK_CLOEXEC,
            libc::NETLINK_SOCK_DIAG,
        );
        if socket < 0 {
            return None;
        }
        let socket = OwnedFd::from_raw_fd(socket);
        let sent = libc::send(
            socket.as_raw_fd(),
            request.as_ptr().cast(),
            request.len(),
            0,
        );
        if usize::try_from(sent) != Ok(request.len()) {
            return None;
        }
        // The answer is there when `send` has returned; whoever has none does not wait for it.
        libc::recv(
            socket.as_raw_fd(),
            answer.as_mut_ptr().cast(),
            answer.len(),
            libc::MSG_DONTWAIT,
        )
    };
    user_in(answer.get(..usize::try_from(length).ok()?)?)
}

/// `nlmsghdr`, then `inet_diag_req_v2`: the one socket with these ends.
fn question(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let family = match local.ip() {
        IpAddr::V4(_) => libc::AF_INET,
        IpAddr::V6(_) => libc::AF_INET6,
    };
    let mut bytes = Vec::with_capacity(72);
    bytes.extend(72_u32.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend((libc::NLM_F_REQUEST as u16).to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([family as u8, libc::IPPROTO_TCP as u8, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(local.port().to_be_bytes());
    bytes.extend(remote.port().to_be_bytes());
    for address in [local.ip(), remote.ip()] {
        match address {
            IpAddr::V4(it) => {
                bytes.extend(it.octets());
                bytes.extend([0; 12]);
            }
            IpAddr::V6(it) => bytes.extend(it.octets()),
        }
    }
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(ANY_COOKIE);
    bytes
}

/// The user in an answer: `nlmsghdr` of 16 bytes, then `inet_diag_msg`, whose second byte is the state and whose last but one
/// word the user.
fn user_in(answer: &[u8]) -> Option<u32> {
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    // Where there is no such connection, the system tells of who listens at that port.
    if *answer.get(17)? == LISTENS {
        return None;
    }
    let word = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    (kind == BY_FAMILY).then(|| word(16 + 64)).flatten()
}

/// Looks it up in the tables of `/proc`.
fn listed(local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let wanted = (in_table(local), in_table(remote));
    let mapped = (in_table(mapped(local)), in_table(mapped(remote)));
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .find_map(|table| {
            let file = std::fs::File::open(table).ok()?;
            let lines = std::io::BufReader::new(file).lines().map_while(Result::ok);
            lines.skip(1).find_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let ends = (words.get(1)?, words.get(2)?);
                let fits = |wanted: &(String, String)| *ends.0 == wanted.0 && *ends.1 == wanted.1;
                (fits(&wanted) || fits(&mapped))
                    .then(|| words.get(7)?.parse().ok())
                    .flatten()
            })
        })
}

fn mapped(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(it) => IpAddr::V6(Ipv4Addr::to_ipv6_mapped(&it)),
        other => other,
    };
    SocketAddr::new(ip, address.port())
}

/// An address as the tables write it: words of four bytes as this machine's numbers, in capitals.
fn in_table(address: SocketAddr) -> String {
    let bytes: Vec<u8> = match address.ip() {
        IpAddr::V4(it) => it.octets().to_vec(),
        IpAddr::V6(it) => it.octets().to_vec(),
    };
    let words = bytes.chunks_exact(4).map(|word| {
        let number = u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
        format!("{number:08X}")
    });
    format!("{}:{:04X}", words.collect::<String>(), address.port())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn ends(bound: &str) -> Option<(TcpStream, TcpStream)> {
        let listener = TcpListener::bind(bound).ok()?;
        let there = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Some((listener.accept().unwrap().0, there))
    }

    #[test]
    fn the_system_says_whose_the_other_end_is() {
        // Not every machine has IPv6.
        let pairs: Vec<_> = ["127.0.0.1:0", "[::1]:0"]
            .into_iter()
            .filter_map(ends)
            .collect();
        assert!(!pairs.is_empty(), "no loopback");
        for (here, _there) in &pairs {
            let (ours, theirs) = (here.local_addr().unwrap(), here.peer_addr().unwrap());
            assert_eq!(owner(theirs, ours), Some(user()), "{ours}");
            assert_eq!(listed(theirs, ours), Some(user()), "{ours}");
            assert_eq!(Users::only(user()).refuse(ours, theirs), None);
            let other = Users::only(user() + 1);
            let refusal = other.refuse(ours, theirs).unwrap();
            assert!(refusal.contains("is not the kernel's"), "{refusal}");
        }
    }

    #[test]
    fn who_speaks_ipv4_to_an_ipv6_socket_is_found() {
        let listener = TcpListener::bind("[::]:0").expect("IPv6, also where no address is set");
        let port = listener.local_addr().unwrap().port();
        let _there = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let here = listener.accept().unwrap().0;
        let (ours, theirs) = (here.local_addr().unwrap(), here.peer_addr().unwrap());
        assert!(Users::only(user() + 1).refuse(ours, theirs).is_some());
        assert_eq!(Users::only(user()).refuse(ours, theirs), None);
    }

    #[test]
    fn a_connection_that_is_nowhere_is_refused_on_the_loopback_alone() {
        let (here, there) = ends("127.0.0.1:0").unwrap();
        let ours = here.local_addr().unwrap();
        let nobody = "127.0.0.1:1".parse().unwrap();
        assert_eq!(owner(nobody, ours), None);
        // Nothing is known of our own end of it either.
        assert_eq!(Users::only(user()).refuse(ours, nobody), None);
        let elsewhere = "192.0.2.1:4000".parse().unwrap();
        assert_eq!(Users::only(user()).refuse(ours, elsewhere), None);
        drop((here, there));
    }

    #[test]
    fn addresses_look_as_in_the_tables() {
        let text = |it: &str| in_table(it.parse().unwrap());
        assert_eq!(text("127.0.0.1:8080"), "0100007F:1F90");
        assert_eq!(text("[::1]:80"), "00000000000000000000000001000000:0050");
    }

    #[test]
    fn answers_that_are_cut_off_or_errors_are_none() {
        assert_eq!(user_in(&[]), None);
        assert_eq!(user_in(&[0; 20]), None);
        let mut error = vec![0; 88];
        error[4] = 2;
        assert_eq!(user_in(&error), None);
        let mut answer = vec![0; 88];
        answer[4] = 20;
        answer[80..84].copy_from_slice(&7_u32.to_ne_bytes());
        assert_eq!(user_in(&answer), Some(7));
        answer[17] = LISTENS;
        assert_eq!(
            user_in(&answer),
            None,
            "who listens is not who has connected"
        );
    }
}
