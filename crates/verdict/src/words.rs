//! Words for differences: at one operating point, and for both together (own; book/methods/words.md#words-at-one-point).

use crate::error::Error;
use flatleak_results::{Direction, Verdict, Word};
use flatleak_stats::{Interval, Student};

/// Three estimates of one t: the difference, by how much it exceeds delta, and by how much it exceeds -delta.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tested {
    pub(crate) difference: Student,
    pub(crate) above: Student,
    pub(crate) below: Student,
}

/// A word with the interval that it follows from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) word: Word,
    pub(crate) interval: Interval,
    /// Whether the difference is shown to lie below delta, whatever else is open.
    pub(crate) at_most_delta: bool,
}

impl Tested {
    /// Against a delta that is a number.
    pub(crate) fn against(difference: Student, delta: f64) -> Self {
        Self { difference, above: difference.shifted(-delta), below: difference.shifted(delta) }
    }

    /// The word at a level.
    pub(crate) fn at(&self, level: f64) -> Result<Said, Error> {
        let interval = self.difference.difference(level)?;
        let (above, below) = (self.above.real(level)?, self.below.real(level)?);
        let (l, u) = (interval.low, interval.high);
        let at_most_delta = above.high < 0.0 || (l == 0.0 && u == 0.0);
        let word = if !self.difference.has_enough_units() {
            Word::TooFewModels
        } else if l == 0.0 && u == 0.0 {
            Word::Identical
        } else if l > 0.0 {
            match (above.low >= 0.0, above.high <= 0.0) {
                (true, _) => Word::RelevantlyMore,
                (_, true) => Word::MoreNegligible,
                _ => Word::More,
            }
        } else if u < 0.0 {
            match (below.high <= 0.0, below.low >= 0.0) {
                (true, _) => Word::RelevantlyLess,
                (_, true) => Word::LessNegligible,
                _ => Word::Less,
            }
        } else if at_most_delta && below.low > 0.0 {
            Word::Equivalent
        } else {
            Word::Open
        };
        Ok(Said { word, interval, at_most_delta })
    }
}

/// A word, and whether the difference is shown to be no relevant one upwards.
pub(crate) type AtPoint = (Word, bool);

/// One verdict from the words at all points, each with whether its upper limit lies below delta: "less" at one point is no "less" while the
/// other may hide a relevant "more"; "more" at one point stands while the other does not say less (book/methods/words.md#both-points-together).
pub(crate) fn joined(points: &[AtPoint]) -> Verdict {
    let any = |f: &dyn Fn(Word) -> bool| points.iter().any(|(w, _)| f(*w));
    let all = |f: &dyn Fn(Word) -> bool| points.iter().all(|(w, _)| f(*w));
    if points.is_empty() || any(&|w| w == Word::TooFewModels) {
        return Verdict::TooFewModels;
    }
    let points_at = |d: Direction| any(&|w: Word| w.direction() == d);
    match (points_at(Direction::Up), points_at(Direction::Down)) {
        (true, true) => Verdict::Mixed,
        (true, false) if any(&|w| w == Word::RelevantlyMore) => Verdict::RelevantlyMore,
        (true, false) if any(&Word::says_more) => Verdict::More,
        (true, false) if all(&Word::is_small) => Verdict::MoreNegligible,
        (false, true) if any(&Word::says_less) => {
            if !points.iter().all(|(word, at_most_delta)| word.says_less() || word.is_small() || *at_most_delta) {
                Verdict::LessInPart
            } else if any(&|w| w == Word::RelevantlyLess) {
                Verdict::RelevantlyLess
            } else {
                Verdict::Less
            }
        }
        (false, true) if all(&Word::is_small) => Verdict::LessNegligible,
        (false, false) if all(&|w| w == Word::Identical) => Verdict::Identical,
        (false, false) if all(&Word::is_small) => Verdict::Equivalent,
        _ => Verdict::Open,
    }
}

/// The word for a difference and the smallest relevant one, at a level.
///
/// # Errors
/// A level outside (0, 1), an estimate or error that is not finite.
pub fn word(difference: Student, delta: f64, level: f64) -> Result<Word, Error> {
    Ok(Tested::against(difference, delta).at(level)?.word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interval [l, u] at `level` as a t on 15 degrees.
    fn tested(l: f64, u: f64, level: f64) -> Tested {
        let half = flatleak_stats::student_t_critical(level, 15.0).unwrap();
        let difference = Student { mean: 0.5 * (l + u), standard_error: 0.5 * (u - l) / half, degrees: 15.0 };
        Tested::against(difference, 0.01)
    }

    #[test]
    fn every_row_of_the_table_and_its_mirror() {
        use Word::*;
        let rows = [
            (0.012, 0.03, RelevantlyMore),
            (0.002, 0.03, More),
            (0.002, 0.008, MoreNegligible),
            (-0.004, 0.008, Equivalent),
            (-0.02, 0.03, Open),
            (-0.012, 0.004, Open),
            (-0.004, 0.012, Open),
            (-0.03, -0.012, RelevantlyLess),
            (-0.03, -0.002, Less),
            (-0.008, -0.002, LessNegligible),
            (0.0, 0.0, Identical),
        ];
        for (l, u, word) in rows {
            let said = tested(l, u, 0.975).at(0.975).unwrap();
            assert_eq!(said.word, word, "[{l}, {u}]");
            assert_eq!(said.at_most_delta, u < 0.01, "[{l}, {u}]");
        }
        let few = Tested::against(Student { mean: 0.1, standard_error: 0.001, degrees: 2.0 }, 0.01);
        assert_eq!(few.at(0.95).unwrap().word, TooFewModels);
        // A variance of exactly 0 with a difference says nothing.
        let still = Tested::against(Student { mean: 0.1, standard_error: 0.0, degrees: 7.0 }, 0.01);
        assert_eq!(still.at(0.95).unwrap().word, Open);
    }

    #[test]
    fn a_relevance_that_the_difference_does_not_bear_out_is_open() {
        // Contrasts have errors of their own: they alone never give a direction.
        let d = Student { mean: 0.02, standard_error: 0.02, degrees: 15.0 };
        let sure = Student { mean: 0.01, standard_error: 0.001, degrees: 15.0 };
        let odd = Tested { difference: d, above: sure, below: sure };
        assert_eq!(odd.at(0.95).unwrap().word, Word::Open);
    }

    #[test]
    fn two_points_together() {
        let under = |w: Word| !matches!(w, Word::RelevantlyMore | Word::More | Word::Open);
        let both = |a: Word, b: Word| joined(&[(a, under(a)), (b, under(b))]);
        // Rows and columns in the order of Word::ALL but "too few models".
        let short = |v: Verdict| match v {
            Verdict::RelevantlyMore => "M",
            Verdict::More => "m",
            Verdict::MoreNegligible => "n",
            Verdict::Identical => "=",
            Verdict::Equivalent => "e",
            Verdict::LessNegligible => "k",
            Verdict::Less => "l",
            Verdict::RelevantlyLess => "L",
            Verdict::LessInPart => "p",
            Verdict::Open => "o",
            Verdict::Mixed => "x",
            _ => "?",
        };
        let table: Vec<String> =
            Word::ALL[..9].iter().map(|a| Word::ALL[..9].iter().map(|b| short(both(*a, *b))).collect()).collect();
        let wanted = [
            "MMMMMxxxM",
            "Mmmmmxxxm",
            "Mmnnnxxxo",
            "Mmn=eklLo",
            "MmneeklLo",
            "xxxkkklLo",
            "xxxllllLp",
            "xxxLLLLLp",
            "Mmooooppo",
        ];
        assert_eq!(table, wanted);
        // An upper limit below delta is enough for "less", though the word beside it is "open".
        assert_eq!(joined(&[(Word::Less, true), (Word::Open, true)]), Verdict::Less);
        assert_eq!(joined(&[(Word::RelevantlyLess, true), (Word::Open, false)]), Verdict::LessInPart);
        for word in Word::ALL {
            assert_eq!(both(word, Word::TooFewModels), Verdict::TooFewModels);
            assert_eq!(joined(&[(word, under(word))]), Verdict::from(word));
        }
    }
}
