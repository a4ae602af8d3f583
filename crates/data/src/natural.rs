//! Names in the order that people give them: numbers in them count by their value.

use std::cmp::Ordering;

/// Compares runs of digits by value and everything else as text: `2` before `10`, `class 9` before `class 10`.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let ((of_left, after_left), (of_right, after_right)) = (digits(left), digits(right));
            (left, right) = (after_left, after_right);
            of_left.len().cmp(&of_right.len()).then_with(|| of_left.cmp(of_right))
        } else {
            (left, right) = (&left[x.len_utf8()..], &right[y.len_utf8()..]);
            x.cmp(&y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    // Leading zeros alone: as text, so that no two names are equal.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The number that a text begins with, without leading zeros, and what comes after it.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    (run.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_by_value() {
        let mut names = ["b", "10", "a10", "2", "a9", "01", "1", "a", "99999999999999999999999", "0"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["0", "01", "1", "2", "10", "99999999999999999999999", "a", "a9", "a10", "b"]);
        assert_eq!(natural("x", "x"), Ordering::Equal);
    }
}
