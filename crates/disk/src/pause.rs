//! Points at which a test may stop the program, to kill it there.

use std::sync::atomic::{AtomicU64, Ordering};

static HITS: AtomicU64 = AtomicU64::new(0);

/// Waits for ever when the environment asks for it: `FLATLEAK_PAUSE_AT=<name>:<n>` stops the n-th passage (from 1)
/// of the point `name` and creates the file `FLATLEAK_PAUSE_MARK`, so that a test can kill the process exactly
/// there. Without the variable this is one look-up of the environment.
pub fn pause_point(name: &str) {
    let Ok(wanted) = std::env::var("FLATLEAK_PAUSE_AT") else { return };
    let (point, count) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if point != name || HITS.fetch_add(1, Ordering::SeqCst) + 1 != count.parse().unwrap_or(1) {
        return;
    }
    if let Ok(mark) = std::env::var("FLATLEAK_PAUSE_MARK") {
        // Without the mark the test times out, which is its report.
        let _ = std::fs::write(mark, name);
    }
    loop {
        std::thread::park();
    }
}
