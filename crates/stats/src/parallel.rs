//! A parallel map whose result does not depend on the number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// `f(0), ..., f(n - 1)` on `workers` threads, in order.
///
/// Where the system refuses threads there are fewer, at last the calling one alone. A panic of `f` is passed on.
pub fn map<T: Send>(n: usize, workers: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if workers <= 1 {
        return (0..n).map(f).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mine = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                return mine;
            }
            mine.push((i, f(i)));
        }
    };
    let mut found: Vec<(usize, T)> = std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
        // The first that is refused is the last that is asked for.
        let threads: Vec<_> = (0..workers.min(n)).map_while(spawn).collect();
        let own = if threads.is_empty() { work() } else { Vec::new() };
        let each = threads.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        each.flatten().chain(own).collect()
    });
    found.sort_by_key(|(i, _)| *i);
    found.into_iter().map(|(_, v)| v).collect()
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn the_order_is_kept_for_any_number_of_threads() {
        let wanted: Vec<usize> = (0..100).map(|i| i * i).collect();
        for workers in [0, 1, 2, 7, 200] {
            assert_eq!(map(100, workers, |i| i * i), wanted);
        }
        assert!(map(0, 4, |i| i).is_empty());
    }
}
