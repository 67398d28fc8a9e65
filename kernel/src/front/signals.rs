//! Signals to the front process.
//!
//! SIGINT does nothing (`interrupt_mode` is `message`, and a terminal's Ctrl-C reaches the whole group). SIGTERM, SIGHUP,
//! SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM and SIGXCPU, with which terminals, batch systems and limits end programs, end the
//! kernel as a shutdown does: the cells' process is gone and the session's folder is removed. One that whoever started
//! the kernel has had ignored (`nohup`) stays ignored.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end the kernel.
const ENDING: [(&str, libc::c_int); 7] = [
    ("SIGTERM", libc::SIGTERM),
    ("SIGHUP", libc::SIGHUP),
    ("SIGQUIT", libc::SIGQUIT),
    ("SIGUSR1", libc::SIGUSR1),
    ("SIGUSR2", libc::SIGUSR2),
    ("SIGALRM", libc::SIGALRM),
    ("SIGXCPU", libc::SIGXCPU),
];

/// Waits for a signal that ends the kernel; its name.
pub(crate) async fn terminated() -> &'static str {
    let (told, mut telling) = tokio::sync::mpsc::channel(1);
    for (name, number) in ENDING {
        let Some(mut arriving) = listen(number) else {
            continue;
        };
        let told = told.clone();
        tokio::spawn(async move {
            if arriving.recv().await.is_some() {
                let _ = told.send(name).await;
            }
        });
    }
    // Whoever listens to a signal keeps it from ending the process, for good.
    let _interrupt = signal(SignalKind::interrupt());
    match telling.recv().await {
        Some(name) => name,
        None => std::future::pending().await,
    }
}

/// `None` for a signal that is ignored and is to stay so.
fn listen(number: libc::c_int) -> Option<Signal> {
    // SAFETY: all zeros is a valid sigaction, which the call fills.
    let ignored = unsafe {
        let mut present: libc::sigaction = std::mem::zeroed();
        libc::sigaction(number, std::ptr::null(), &raw mut present) == 0
            && present.sa_sigaction == libc::SIG_IGN
    };
    if ignored {
        return None;
    }
    signal(SignalKind::from_raw(number)).ok()
}
