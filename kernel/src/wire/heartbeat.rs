//! The heartbeat: an echo, on a thread of its own, so that it beats whatever the others do.
//!
//! There is no zeromq behind this gate: a beat has no signature, so whatever stood behind would be spoken to by strangers,
//! and an echo that goes through one socket for all waits for all.

use std::sync::Arc;

use super::endpoint::Listener;
use super::gate::{self, Channel, Peer};
use super::outgoing::Packet;
use super::users::Users;
use super::zmtp::{self, Limits, Pool, Refusal};

/// A beat is a few bytes.
const LIMITS: Limits = Limits {
    message: 4096,
    frames: 8,
};
/// Whoever does not read its echoes is gone.
const UNREAD: usize = 1 << 20;

struct Heartbeat;

impl Channel for Heartbeat {
    fn name(&self) -> &'static str {
        "heartbeat"
    }

    /// Not REP: a ROUTER has no request-reply state that a lost peer can break.
    fn socket_type(&self) -> &'static str {
        "ROUTER"
    }

    fn peer_types(&self) -> &'static [&'static str] {
        &["REQ", "DEALER", "ROUTER"]
    }

    fn limits(&self, _known: bool) -> Limits {
        LIMITS
    }

    async fn message(&self, peer: &Arc<Peer>, frames: Vec<Vec<u8>>) -> Result<(), Refusal> {
        if peer.outgoing.queued() > UNREAD {
            return Err(Refusal::Ended);
        }
        peer.outgoing.send(Packet::new(zmtp::message(&frames)));
        Ok(())
    }
}

/// Starts the thread.
///
/// # Errors
/// When the socket cannot be bound or there can be no more threads.
pub(crate) async fn start(
    info: &jupyter_protocol::ConnectionInfo,
    users: &Users,
    pool: Arc<Pool>,
) -> Result<(), String> {
    let (info, users) = (info.clone(), users.clone());
    let (bound, waits) = tokio::sync::oneshot::channel();
    let serve = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return drop(bound.send(Err(error.to_string()))),
        };
        runtime.block_on(async {
            match Listener::bind(&info, info.hb_port, "heartbeat", &users).await {
                Ok(listener) => {
                    gate::serve(listener, Arc::new(Heartbeat), pool);
                    let _ = bound.send(Ok(()));
                    std::future::pending::<()>().await;
                }
                Err(reason) => drop(bound.send(Err(reason))),
            }
        });
    };
    std::thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(serve)
        .map_err(|error| format!("the heartbeat's thread cannot start: {error}"))?;
    waits
        .await
        .unwrap_or_else(|_| Err("the heartbeat's thread has ended".to_owned()))
}
