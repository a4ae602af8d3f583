//! Who was trained on what, in the words that people use.

use std::collections::HashMap;

use flatleak_data::records::{Field, Place, Spot};

use super::super::side::{Side, plain, side as side_of};
use super::problem::RowsError;

/// Most different words of a column.
const MOST_WORDS: usize = 64;

/// A word as it is told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Word {
    Number(i128),
    Text(String),
}

/// What stands in a column of membership.
#[derive(Debug, Default)]
pub(super) struct Words {
    known: HashMap<Word, u8>,
    all: Vec<(Word, String, Place)>,
}

impl Words {
    /// The number of a word; nothing where there is none or where there are too many to be words.
    pub(super) fn number(&mut self, field: Field<'_>, place: Place) -> Option<u8> {
        let word = match (field.whole(), field.text()) {
            (Some(v), _) => Word::Number(v),
            (None, Some(text)) => Word::Text(plain(text)),
            (None, None) if field.is_missing() => return None,
            (None, None) => Word::Text(field.to_string()),
        };
        if let Some(number) = self.known.get(&word) {
            return Some(*number);
        }
        let number = self.all.len() as u8;
        if self.all.len() < MOST_WORDS {
            self.known.insert(word.clone(), number);
            self.all.push((word, field.to_string(), place));
            return Some(number);
        }
        None
    }

    /// All words in their order, for a message.
    pub(super) fn told(&self) -> Vec<String> {
        let mut told: Vec<String> = self.all.iter().map(|(_, text, _)| text.clone()).collect();
        told.sort_unstable();
        told
    }

    /// What each says.
    pub(super) fn sides(&self, column: &str, split: bool) -> Result<Vec<Side>, RowsError> {
        let numbers: Vec<i128> =
            self.all.iter().filter_map(|(word, ..)| if let Word::Number(v) = word { Some(*v) } else { None }).collect();
        let all_of = |known: &[i128]| numbers.iter().all(|v| known.contains(v));
        // Signs and bytes are read where no other number stands beside them.
        let member = if all_of(&[0, 1]) || all_of(&[-1, 1]) {
            Some(1)
        } else if all_of(&[0, 255]) {
            Some(255)
        } else {
            None
        };
        let side = |(word, text, place): &(Word, String, Place)| {
            let spot = || Spot { place: *place, column: column.into() };
            match word {
                Word::Number(_) if split => Err(RowsError::SplitNumber { spot: spot(), found: text.clone() }),
                Word::Number(v) if member == Some(*v) => Ok(Side::In),
                Word::Number(0 | -1) if member.is_some() => Ok(Side::Out),
                other => {
                    let known = if let Word::Text(word) = other { side_of(word) } else { None };
                    known.ok_or_else(|| RowsError::Member { spot: spot(), found: text.clone(), all: self.told() })
                }
            }
        };
        let mut sides = self.all.iter().map(side).collect::<Result<Vec<_>, _>>()?;
        // Of train and val alone, val is what was not trained on: without it nobody would be out.
        if !sides.contains(&Side::Out) {
            sides.iter_mut().filter(|side| **side == Side::HeldOut).for_each(|side| *side = Side::Out);
        }
        Ok(sides)
    }

    /// What each was taken for, for a note.
    pub(super) fn taken(&self, sides: &[Side]) -> String {
        let said = |side: &Side| match side {
            Side::In => "in",
            Side::Out => "out",
            Side::HeldOut => "held out",
        };
        let both = self.all.iter().zip(sides);
        let mut all: Vec<String> = both.map(|((_, text, _), side)| format!("{text} = {}", said(side))).collect();
        all.sort_unstable();
        all.join(", ")
    }
}

/// Yes or no.
pub(super) fn bit(field: Field<'_>) -> Option<bool> {
    match (field.whole(), field.text().map(plain).as_deref()) {
        (Some(0), _) | (None, Some("false" | "no")) => Some(false),
        (Some(1), _) | (None, Some("true" | "yes")) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(words: &[&str], split: bool) -> Result<Vec<Side>, RowsError> {
        let mut all = Words::default();
        words.iter().zip(0..).for_each(|(word, n)| {
            all.number(Field::Written(word), Place::Line(n));
        });
        all.sides("member", split)
    }

    #[test]
    fn words_of_membership() {
        let both = [Side::In, Side::Out];
        for words in [
            ["1", "0"],
            ["1.0", "0.0"],
            ["True", "FALSE"],
            ["yes", "No"],
            ["IN", "out"],
            ["member", "non-member"],
            ["Member", "Non Member"],
            ["train", "test"],
            ["1", "-1"],
            ["255", "0"],
        ] {
            assert_eq!(sides(&words, false).unwrap(), both, "{words:?}");
        }
        assert_eq!(sides(&["train", "test", "val"], true).unwrap(), vec![Side::In, Side::Out, Side::HeldOut]);
        assert_eq!(sides(&["val", "train"], true).unwrap(), [Side::Out, Side::In]);
        assert_eq!(sides(&["0", "held-out"], false).unwrap(), vec![Side::Out, Side::HeldOut]);
    }

    #[test]
    fn what_says_nothing_is_refused_with_all_that_was_found() {
        let error = sides(&["train", "test", "extra"], true).unwrap_err().to_string();
        assert!(
            error.starts_with("line 2, column `member`: `extra` does not say") && error.contains("`test`, `train`")
        );
        for words in
            [&["1", "2"][..], &["0", "1", "2"], &["0.5", "1"], &["a", "b"], &["0", "1", "255"], &["-1", "0", "1"]]
        {
            assert!(sides(words, false).is_err(), "{words:?}");
        }
        assert!(sides(&["0", "1"], true).unwrap_err().to_string().contains("name the column `member`"));
    }
}
