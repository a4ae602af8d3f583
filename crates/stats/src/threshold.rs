//! The best thresholds over the scores of many targets at once.

use crate::error::Error;
use crate::roc::{key_of, score_of};

/// Scores that are looked at; of more, those of every k-th example.
const MOST: usize = 1 << 20;

/// Scores that are counted together, about.
const CHUNK: usize = 128;

/// Chunks at most: where they begin stays in the first-level cache.
const CHUNKS: usize = 512;

/// Scores that are looked at for each chunk's beginning.
const SAMPLED: usize = 4;

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
/// Scores are counted in chunks, whose borders are scores of a sample. Only those chunks are sorted in which a best threshold can lie: what a
/// chunk's members could add at most is not enough in the others.
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
    let sorted = Sorted::new(&entries, groups);
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

    fn with(self, other: Self) -> Self {
        Self([self.0[0] + other.0[0], self.0[1] + other.0[1]])
    }

    fn without(self, other: Self) -> Self {
        Self([self.0[0] - other.0[0], self.0[1] - other.0[1]])
    }

    /// (TPR - FPR) times members times others, of these counts among `all`.
    fn gap(self, all: Self) -> i64 {
        self.0[0] * all.0[1] - self.0[1] * all.0[0]
    }
}

/// Scores in chunks, of which some are sorted.
struct Sorted {
    /// Of the chunks that are sorted, one behind the other, descending in score.
    entries: Vec<Entry>,
    /// By chunk, where its entries are; empty of those that are not sorted, and of those without any.
    ranges: Vec<std::ops::Range<usize>>,
    /// By chunk, the largest gap after one of its scores, less that before it, of all targets.
    rises: Vec<i64>,
    /// Of all targets and then of every group, before each chunk and at the end.
    before: Vec<Vec<Counts>>,
    /// Without a group, at last without none, the chunks in which the best threshold can lie.
    candidates: Vec<Vec<usize>>,
}

/// The largest keys of all chunks but the last, ascending, filled up with the largest of all.
fn borders(entries: &[Entry]) -> [u64; CHUNKS] {
    let chunks = (entries.len() / CHUNK).clamp(1, CHUNKS);
    let stride = (entries.len() / (chunks * SAMPLED)).max(1);
    let mut sample: Vec<u64> = entries.iter().step_by(stride).map(|e| e.key).collect();
    sample.sort_unstable();
    std::array::from_fn(|c| if c + 1 < chunks { sample[(c + 1) * sample.len() / chunks] } else { u64::MAX })
}

/// The chunk of a key: how many borders lie below it. No branch depends on the keys, which come in no order.
fn chunk_of(borders: &[u64; CHUNKS], key: u64) -> usize {
    let mut first = 0;
    let mut half = CHUNKS / 2;
    while half > 0 {
        first += half * usize::from(borders[(first + half - 1) % CHUNKS] < key);
        half /= 2;
    }
    first
}

impl Sorted {
    fn new(entries: &[Entry], groups: usize) -> Self {
        if entries.is_empty() {
            let before = vec![vec![Counts::default()]; 1 + groups];
            let candidates = vec![Vec::new(); 1 + groups];
            return Self { entries: Vec::new(), ranges: Vec::new(), rises: Vec::new(), before, candidates };
        }
        let borders = borders(entries);
        let used = 1 + borders.iter().position(|b| *b == u64::MAX).unwrap_or(CHUNKS - 1);
        let mut before = vec![vec![Counts::default(); used + 1]; 1 + groups];
        let mut chunks = Vec::with_capacity(entries.len());
        for own in entries.chunk_by(|a, b| a.group == b.group) {
            let counts = &mut before[1 + own[0].group as usize];
            for entry in own {
                let chunk = chunk_of(&borders, entry.key);
                counts[chunk + 1].add(entry);
                chunks.push(chunk as u16);
            }
        }
        let (all, own) = before.split_at_mut(1);
        for counts in own {
            let mut sum = Counts::default();
            for (to, all) in counts.iter_mut().zip(&mut all[0]) {
                sum = sum.with(*to);
                *to = sum;
                *all = all.with(sum);
            }
        }
        let (ranges, rises) = (vec![0..0; used], vec![0; used]);
        let mut sorted = Self { entries: Vec::new(), ranges, rises, before, candidates: Vec::new() };
        let mut wanted = vec![false; used];
        for group in (0..groups).map(Some).chain([None]) {
            let found = sorted.can_reach(group);
            found.iter().for_each(|chunk| wanted[*chunk] = true);
            sorted.candidates.push(found);
        }
        sorted.sort(entries, &chunks, &wanted);
        sorted
    }

    /// Sorts the wanted chunks.
    fn sort(&mut self, entries: &[Entry], chunks: &[u16], wanted: &[bool]) {
        let mut end = 0;
        for (chunk, range) in self.ranges.iter_mut().enumerate() {
            let Counts([members, others]) = self.before[0][chunk + 1].without(self.before[0][chunk]);
            let size = if wanted[chunk] { (members + others) as usize } else { 0 };
            *range = end..end + size;
            end += size;
        }
        let mut next: Vec<usize> = self.ranges.iter().map(|range| range.start).collect();
        self.entries = vec![Entry { key: 0, member: false, group: 0 }; end];
        for (entry, &chunk) in entries.iter().zip(chunks).filter(|(_, chunk)| wanted[**chunk as usize]) {
            let at = &mut next[chunk as usize];
            self.entries[*at] = *entry;
            *at += 1;
        }
        let all = self.counted(wanted.len(), None);
        for (range, rise) in self.ranges.iter().zip(&mut self.rises) {
            let own = &mut self.entries[range.clone()];
            own.sort_unstable_by_key(|e| e.key);
            let mut gap = 0;
            for entry in own {
                gap += if entry.member { all.0[1] } else { -all.0[0] };
                *rise = gap.max(*rise);
            }
        }
    }

    /// What the gap without a group rises by at most within a sorted chunk, about.
    ///
    /// With `a` others and `b` members left of A and B, and t true and f false positives within the chunk of which t', f' are the group's:
    /// a (t - t') - b (f - f') <= a/A (A t - B f) + max(0, a B/A - b) f + b f'.
    fn rise(&self, chunk: usize, group: usize, left: Counts) -> f64 {
        let all = self.counted(self.ranges.len(), None);
        let [[a, b], [whole_a, whole_b]] = [left, all].map(|Counts([b, a])| [a as f64, b as f64]);
        let within = |of: usize| self.before[of][chunk + 1].without(self.before[of][chunk]).0[1] as f64;
        a / whole_a * self.rises[chunk] as f64
            + (a * whole_b / whole_a - b).max(0.0) * within(0)
            + b * within(1 + group)
    }

    /// Counts before a chunk, without a group's.
    fn counted(&self, chunk: usize, group: Option<usize>) -> Counts {
        let all = self.before[0][chunk];
        group.map_or(all, |group| all.without(self.before[1 + group][chunk]))
    }

    /// The chunks in which the best threshold without a group can lie; none where a side is empty.
    fn can_reach(&self, group: Option<usize>) -> Vec<usize> {
        let whole = &self.before[0];
        let left: Vec<Counts> = match group {
            None => whole.clone(),
            Some(group) => whole.iter().zip(&self.before[1 + group]).map(|(all, own)| all.without(*own)).collect(),
        };
        let all = left[left.len() - 1];
        if all.0.contains(&0) {
            return Vec::new();
        }
        // The gap at the end of a chunk is reached by one of its scores, or by one before.
        let least = left[1..].iter().map(|c| c.gap(all)).max().unwrap_or(0);
        let most = left.windows(2).map(|ends| Counts([ends[1].0[0], ends[0].0[1]]).gap(all));
        most.enumerate().filter(|(_, most)| *most >= least).map(|(chunk, _)| chunk).collect()
    }

    fn best(&self, group: Option<usize>) -> f64 {
        let all = self.counted(self.before[0].len() - 1, group);
        let (mut top, mut threshold) = (i64::MIN, f64::INFINITY);
        let gone = group.map_or(u32::MAX, |group| group as u32);
        let candidates = &self.candidates[group.unwrap_or(self.candidates.len() - 1)];
        let mut least = candidates.iter().map(|c| self.counted(c + 1, group).gap(all)).max().unwrap_or(0);
        for &chunk in candidates {
            let mut gap = self.counted(chunk, group).gap(all);
            // A bound with room for rounding, which is far below one step of the gap.
            if group
                .is_some_and(|group| (gap as f64 + self.rise(chunk, group, all)) * (1.0 + 1e-9) + 1.0 < least as f64)
            {
                continue;
            }
            let own = &self.entries[self.ranges[chunk].clone()];
            // Whether one of the tied scores is left.
            let mut is_left = false;
            for (at, entry) in own.iter().enumerate() {
                if entry.group != gone {
                    gap += if entry.member { all.0[1] } else { -all.0[0] };
                    is_left = true;
                }
                let last_of_ties = own.get(at + 1).is_none_or(|next| next.key > entry.key);
                if last_of_ties {
                    if is_left && gap >= top {
                        (top, threshold) = (gap, score_of(entry.key));
                    }
                    is_left = false;
                }
            }
            least = least.max(top);
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
            // Some of more than one chunk.
            let n = 4 + stream.below(if case % 8 == 0 { 3000 } else { 300 }) as usize;
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
