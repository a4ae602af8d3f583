//! The order in which people put names: numbers inside text by their value.

use std::cmp::Ordering;

/// Natural order: `9` before `10`, `img2` before `img10`; equal numbers written differently by their text.
///
/// ```
/// let mut folders = ["10", "2", "1", "img10", "img9"];
/// folders.sort_by(|a, b| flatleak_data::natural::order(a, b));
/// assert_eq!(folders, ["1", "2", "10", "img9", "img10"]);
/// ```
pub fn order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let ((x, after_x), (y, after_y)) = (piece(left), piece(right));
        let found = match (number(x), number(y)) {
            (Some(x), Some(y)) => x.len().cmp(&y.len()).then(x.cmp(y)),
            _ => x.cmp(y),
        };
        if found != Ordering::Equal {
            return found;
        }
        (left, right) = (after_x, after_y);
    }
    left.len().cmp(&right.len()).then(a.cmp(b))
}

/// The digits, or the rest up to the next digit, that text begins with, and what stands behind.
fn piece(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

/// A number's digits without leading zeros.
fn number(text: &str) -> Option<&str> {
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_value() {
        let sorted = ["", "a", "a1", "a01", "a2b1", "a2b10", "a10", "b", "äß"];
        let mut shuffled = ["b", "a10", "a01", "äß", "a2b10", "", "a1", "a2b1", "a"];
        shuffled.sort_by(|a, b| order(a, b));
        let mut expected = sorted;
        expected[2..4].sort_unstable();
        assert_eq!(shuffled, expected);
        assert_eq!(order("7", "7"), Ordering::Equal);
    }
}
