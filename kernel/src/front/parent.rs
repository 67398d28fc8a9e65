//! Ends the kernel when the process that started it is gone (a killed Jupyter server), so that none is left behind.

use std::time::Duration;

/// The process to watch: `JPY_PARENT_PID` as Jupyter gives it, where it is our parent.
///
/// Polled, because a parent-death signal is bound to the *thread* of the parent that started us, and because
/// Jupyter starts kernels from short-lived threads.
pub(crate) async fn wait_until_gone() {
    let Some(parent) = std::env::var("JPY_PARENT_PID")
        .ok()
        .and_then(|pid| pid.parse::<u32>().ok())
    else {
        return std::future::pending().await;
    };
    if parent <= 1 || std::os::unix::process::parent_id() != parent {
        return std::future::pending().await;
    }
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
