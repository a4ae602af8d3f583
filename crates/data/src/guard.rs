//! Decoders of others, of which a damaged file may make a panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is within a decoder of others, whose panics are caught and become errors: a hook has nothing to say of them.
pub fn is_decoding() -> bool {
    DECODING.get()
}

/// What `f` finds; nothing where it panics.
pub(crate) fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    let before = DECODING.replace(true);
    let found = catch_unwind(AssertUnwindSafe(f));
    DECODING.set(before);
    found.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nothing_and_the_flag_goes_back() {
        assert_eq!(guarded(|| is_decoding().then_some(1)), Some(Some(1)));
        assert_eq!(guarded(|| -> u8 { std::panic::resume_unwind(Box::new("damaged")) }), None);
        assert!(!is_decoding());
    }
}
