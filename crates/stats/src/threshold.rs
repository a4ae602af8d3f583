//! The best thresholds over the scores of many targets at once.

use crate::error::Error;
use crate::roc::{key_of, score_of};

/// Scores that are looked at; of more, those of every k-th example.
const MOST: usize = 1 << 20;

/// Scores that are counted together.
const CHUNK: usize = 256;

/// One target: its scores, who is a member, and the group that it can be left out with.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Higher = member; NaN where an example is not scored.
    pub scores: &'a [f64],
    /// Who is one.
    pub member: &'a [bool],
    /// From 0.
    pub group: usize,
}

/// The thresholds with which [`best_thresholds`] answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// Over all targets.
    pub all: f64,
    /// Over all targets but those of each group.
    pub without: Vec<f64>,
}

/// The score that, as a threshold, maximises (TPR + TNR) / 2 over all targets (Song & Mittal 2021, arXiv 2003.10595), the lowest of several,
/// and the same without each of `groups` groups. Of more than a million scores, those of every k-th example are looked at. Where a side is
/// empty, the threshold is infinite, and nothing is called a member.
///
/// Values are sorted once. Leaving a group out is then a walk over the counts of chunks, and over the values of those chunks alone in which
/// the best threshold can lie.
///
/// # Errors
/// Different lengths.
pub fn best_thresholds(targets: &[Judged<'_>], groups: usize) -> Result<Thresholds, Error> {
    let total: usize = targets.iter().map(|t| t.scores.len()).sum();
    let stride = total.div_ceil(MOST).max(1);
    let mut entries = Vec::with_capacity(total / stride + targets.len());
    for target in targets {
        let (left, right) = (target.scores.len(), target.member.len());
        if left != right {
            return Err(Error::LengthMismatch { what: "scores and membership labels", left, right });
        }
        let own = target.scores.iter().zip(target.member).step_by(stride).filter(|(s, _)| !s.is_nan());
        entries.extend(own.map(|(&s, &member)| Entry { key: key_of(s), member, group: target.group as u32 }));
    }
    let sorted = Sorted::new(entries, groups);
    Ok(Thresholds { all: sorted.best(None), without: (0..groups).map(|group| sorted.best(Some(group))).collect() })
}

#[derive(Clone, Copy)]
struct Entry {
    /// Ascends as the score descends.
    key: u64,
    member: bool,
    group: u32,
}

/// Members and others.
#[derive(Clone, Copy, Default)]
struct Counts([i64; 2]);

impl Counts {
    fn add(&mut self, entry: &Entry) {
        self.0[usize::from(!entry.member)] += 1;
    }

    fn without(self, other: Self) -> Self {
        Self([self.0[0] - other.0[0], self.0[1] - other.0[1]])
    }

    /// (TPR - FPR) times members times others, of these counts among `all`.
    fn gap(self, all: Self) -> i64 {
        self.0[0] * all.0[1] - self.0[1] * all.0[0]
    }
}

struct Sorted {
    /// Descending in score.
    entries: Vec<Entry>,
    /// Where chunks begin, and the end; equal scores share a chunk.
    starts: Vec<usize>,
    /// Before each start, of all targets and then of every group.
    before: Vec<Vec<Counts>>,
}

impl Sorted {
    fn new(mut entries: Vec<Entry>, groups: usize) -> Self {
        entries.sort_unstable_by_key(|e| e.key);
        let mut starts = vec![0];
        let mut before = vec![vec![Counts::default(); 1 + groups]];
        let mut counts = before[0].clone();
        let mut at = 0;
        while at < entries.len() {
            let last = entries[(at + CHUNK).min(entries.len()) - 1].key;
            let end = at + entries[at..].partition_point(|e| e.key <= last);
            for entry in &entries[at..end] {
                counts[0].add(entry);
                counts[1 + entry.group as usize].add(entry);
            }
            starts.push(end);
            before.push(counts.clone());
            at = end;
        }
        Self { entries, starts, before }
    }

    /// Counts before a chunk, without a group's.
    fn counted(&self, chunk: usize, group: Option<usize>) -> Counts {
        let all = self.before[chunk][0];
        group.map_or(all, |group| all.without(self.before[chunk][1 + group]))
    }

    fn best(&self, group: Option<usize>) -> f64 {
        let chunks = self.starts.len() - 1;
        let all = self.counted(chunks, group);
        if all.0.contains(&0) {
            return f64::INFINITY;
        }
        // The gap at the end of a chunk is reached by one of its scores, or by one before.
        let least = (1..=chunks).map(|c| self.counted(c, group).gap(all)).max().unwrap_or(0);
        let (mut top, mut threshold) = (i64::MIN, f64::INFINITY);
        for chunk in 0..chunks {
            let (mut counts, end) = (self.counted(chunk, group), self.counted(chunk + 1, group));
            if Counts([end.0[0], counts.0[1]]).gap(all) < least {
                continue;
            }
            let own = &self.entries[self.starts[chunk]..self.starts[chunk + 1]];
            let mut kept = own.iter().filter(|e| Some(e.group as usize) != group).peekable();
            while let Some(entry) = kept.next() {
                counts.add(entry);
                let last_of_ties = kept.peek().is_none_or(|next| next.key > entry.key);
                let gap = counts.gap(all);
                if last_of_ties && gap >= top {
                    (top, threshold) = (gap, score_of(entry.key));
                }
            }
        }
        threshold
    }
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::*;
    use crate::Ranking;

    #[test]
    fn thresholds_are_those_of_a_ranking_of_what_is_left() {
        let mut stream = Stream::new(4, Purpose::Simulation, 0, 0);
        for case in 0..120 {
            let groups = 1 + stream.below(4) as usize;
            let n = 4 + stream.below(300) as usize;
            let shift = f64::from(stream.below(4)) * 0.4;
            // Ties, infinities, both zeros and examples that are not scored among them.
            let draw = |stream: &mut Stream, member: bool| match (case % 4, stream.below(12)) {
                (0, _) => f64::from(stream.below(5)) - 2.0,
                (1, 0) => f64::INFINITY,
                (1, 1) => f64::NEG_INFINITY,
                (2, 0) => -0.0,
                (2, 1) => 0.0,
                (3, 0) => f64::NAN,
                _ => stream.normal() + if member { shift } else { 0.0 },
            };
            let rows: Vec<(Vec<f64>, Vec<bool>, usize)> = (0..2 * groups)
                .map(|k| {
                    let member: Vec<bool> = (0..n).map(|i| i % 2 == k % 2).collect();
                    (member.iter().map(|m| draw(&mut stream, *m)).collect(), member, k / 2)
                })
                .collect();
            let targets: Vec<Judged<'_>> =
                rows.iter().map(|(scores, member, group)| Judged { scores, member, group: *group }).collect();
            let found = best_thresholds(&targets, groups).unwrap();
            let wanted = |left_out: Option<usize>| {
                let kept = rows.iter().filter(|(.., group)| Some(*group) != left_out);
                let (scores, member): (Vec<f64>, Vec<bool>) = kept
                    .flat_map(|(s, m, _)| s.iter().copied().zip(m.iter().copied()))
                    .filter(|(s, _)| !s.is_nan())
                    .unzip();
                Ranking::new(&scores, &member).map_or(f64::INFINITY, |r| r.best_threshold())
            };
            assert_eq!(found.all, wanted(None), "case {case}");
            for group in 0..groups {
                assert_eq!(found.without[group], wanted(Some(group)), "case {case}, group {group}");
            }
        }
        let uneven = Judged { scores: &[1.0], member: &[true, false], group: 0 };
        assert!(best_thresholds(&[uneven], 1).is_err());
    }
}
