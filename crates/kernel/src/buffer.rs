//! Memory for activations and packed operands.

use std::ops::{Deref, DerefMut};

/// A cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Values that start on a cache line, so that vectors do not cross two. Large buffers ask for huge pages where the system has them: passes
/// over activations touch many pages once.
#[derive(Debug, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// So many values, all 0.
    pub fn new(len: usize) -> Self {
        let n = len.div_ceil(16);
        let mut lines = Vec::with_capacity(n);
        huge_pages(&mut lines);
        lines.resize(n, Line([0.0; 16]));
        Self { lines, len }
    }
}

/// Asks for huge pages for the untouched memory of `lines`; that the system refuses is no failure.
#[cfg(target_os = "linux")]
fn huge_pages(lines: &mut Vec<Line>) {
    const PAGE: usize = 2 << 20;
    let (start, bytes) = (lines.as_mut_ptr() as usize, lines.capacity() * size_of::<Line>());
    let (first, last) = (start.next_multiple_of(PAGE), (start + bytes) / PAGE * PAGE);
    if first < last {
        // SAFETY: the range lies inside memory that `lines` owns, and the advice changes how it is mapped, not what it holds.
        unsafe {
            libc::madvise(first as *mut libc::c_void, last - first, libc::MADV_HUGEPAGE);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn huge_pages(_: &mut Vec<Line>) {}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a line is exactly 16 consecutive f32, and there are at least `len` of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, borrowed exclusively through `self`.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_a_line_and_holds_zeros_up_to_its_length() {
        for len in [0, 1, 16, 17, 3 << 20] {
            let mut b = Buffer::new(len);
            assert_eq!((b.len(), b.as_ptr() as usize % 64), (len, 0));
            assert!(b.iter().all(|v| *v == 0.0));
            if let Some(last) = b.last_mut() {
                *last = 1.0;
            }
            assert_eq!(b.iter().sum::<f32>(), if len > 0 { 1.0 } else { 0.0 });
        }
        assert!(Buffer::default().is_empty());
    }
}
