//! ROC curves of membership scores.

use crate::curve::OperatingPoint;
use crate::error::Error;

/// The scores of one target, ranked: its ROC curve in counts.
///
/// The rule behind every method is "member when score >= threshold". Equal scores are one step of the curve,
/// so no order among ties is invented (Fawcett 2006); -0 equals 0. One sort of the n scores serves all methods,
/// and [`rebuild`](Self::rebuild) reuses its memory for the next target.
///
/// The default ranking is empty, a buffer to be rebuilt; its measures are NaN.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// Scores as integers that sort descending, members first; sorted within each class.
    keys: Vec<u64>,
    /// Distinct scores, descending, with the counts at or above each. The point (0, 0) is not stored.
    vertices: Vec<Vertex>,
    members: usize,
    non_members: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Vertex {
    score: f64,
    true_positives: usize,
    false_positives: usize,
}

/// The integer whose ascending order is the descending order of the score.
pub(crate) fn key_of(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits(); // -0 + 0 is 0
    let ascending = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    !ascending
}

/// The score behind a key.
pub(crate) fn score_of(key: u64) -> f64 {
    let ascending = !key;
    f64::from_bits(if ascending >> 63 == 1 { ascending & !(1 << 63) } else { !ascending })
}

/// Walks down two sorted classes at once and leaves one vertex for each distinct key.
///
/// The order of members and non-members is a coin flip to the branch predictor, so the common part of the walk
/// has no branch on it: every key is written, and a repeated one overwrites its predecessor.
fn merge(inside: &[u64], outside: &[u64], vertices: &mut Vec<Vertex>) {
    vertices.resize(inside.len() + outside.len(), Vertex::default());
    let (mut tp, mut fp, mut used) = (0, 0, 0);
    // No key equals it before the first is seen.
    let mut last = inside[0].min(outside[0]).wrapping_sub(1);
    let mut write = |key: u64, tp: usize, fp: usize| {
        used += usize::from(key != last);
        last = key;
        vertices[used - 1] = Vertex { score: score_of(key), true_positives: tp, false_positives: fp };
    };
    while tp < inside.len() && fp < outside.len() {
        let (a, b) = (inside[tp], outside[fp]);
        tp += usize::from(a <= b);
        fp += usize::from(b <= a);
        write(a.min(b), tp, fp);
    }
    for (i, &key) in inside.iter().enumerate().skip(tp) {
        write(key, i + 1, fp);
    }
    for (i, &key) in outside.iter().enumerate().skip(fp) {
        write(key, inside.len(), i + 1);
    }
    vertices.truncate(used);
}

impl Ranking {
    /// Ranks `scores`, n values of any scale, higher = member; `member` says which are (n flags).
    ///
    /// # Errors
    /// Different lengths, a NaN score, no members or no non-members. Infinite scores are ranked as such.
    pub fn new(scores: &[f64], member: &[bool]) -> Result<Self, Error> {
        let mut ranking = Self::default();
        ranking.rebuild(scores, member)?;
        Ok(ranking)
    }

    /// [`new`](Self::new) in the memory of an older ranking, which is left unchanged if there is an error.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn rebuild(&mut self, scores: &[f64], member: &[bool]) -> Result<(), Error> {
        if scores.len() != member.len() {
            let (left, right) = (scores.len(), member.len());
            return Err(Error::LengthMismatch { what: "scores and membership labels", left, right });
        }
        if let Some(index) = scores.iter().position(|s| s.is_nan()) {
            return Err(Error::NanScore { index });
        }
        let members = member.iter().filter(|&&m| m).count();
        let non_members = member.len() - members;
        if members == 0 || non_members == 0 {
            return Err(Error::OneClass { members, non_members });
        }
        (self.members, self.non_members) = (members, non_members);
        // Two sorts of plain integers and a merge beat one sort of (score, member) pairs.
        self.keys.resize(scores.len(), 0);
        let mut next = [members, 0];
        for (&score, &is_member) in scores.iter().zip(member) {
            let class = usize::from(is_member);
            self.keys[next[class]] = key_of(score);
            next[class] += 1;
        }
        let (inside, outside) = self.keys.split_at_mut(members);
        inside.sort_unstable();
        outside.sort_unstable();
        merge(inside, outside, &mut self.vertices);
        Ok(())
    }

    /// Number of members.
    pub fn members(&self) -> usize {
        self.members
    }

    /// Number of non-members.
    pub fn non_members(&self) -> usize {
        self.non_members
    }

    /// The area under the curve: the share of (member, non-member) pairs in which the member scores higher,
    /// ties counting half (Mann & Whitney 1947). Counted in integers and divided once.
    pub fn auc(&self) -> f64 {
        let (mut twice, mut tp, mut fp) = (0u64, 0u64, 0u64);
        for v in &self.vertices {
            let (above, now) = (tp, v.true_positives as u64);
            twice += (v.false_positives as u64 - fp) * (above + now);
            (tp, fp) = (now, v.false_positives as u64);
        }
        twice as f64 / (2.0 * self.members as f64 * self.non_members as f64)
    }

    /// max(TPR - FPR) over all thresholds, never below 0 (Yeom et al. 2018, arXiv 1709.01604).
    ///
    /// The maximum is taken with the labels at hand, so it is positive on average even for a useless score.
    pub fn advantage(&self) -> f64 {
        // The last vertex, where everything is called a member, has gap 0.
        let best = self.vertices.iter().map(|v| self.gap(v)).max().unwrap_or(0);
        best as f64 / (self.members as f64 * self.non_members as f64)
    }

    /// (TPR - FPR) times members times non-members, exact.
    fn gap(&self, v: &Vertex) -> i64 {
        (v.true_positives * self.non_members) as i64 - (v.false_positives * self.members) as i64
    }

    /// The point with the largest TPR whose realised FPR is at most `fpr` (Carlini et al. 2022, arXiv
    /// 2112.03570); of several with that TPR, the one with the fewest false positives.
    ///
    /// At FPR 0 the members above every non-member count; where a non-member leads, or `fpr` is negative or
    /// NaN, nothing is called a member and the TPR is 0.
    pub fn tpr_at(&self, fpr: f64) -> OperatingPoint {
        // The quotient, not a floored product: 1 of 1000 must pass at 0.001, and division is correctly rounded.
        let within = self.vertices.partition_point(|v| v.false_positives as f64 / self.non_members as f64 <= fpr);
        let tp = within.checked_sub(1).map_or(0, |last| self.vertices[last].true_positives);
        if tp == 0 {
            return self.point(None);
        }
        let first = self.vertices[..within].partition_point(|v| v.true_positives < tp);
        self.point(self.vertices.get(first))
    }

    /// The point of a given threshold. A NaN threshold calls nothing a member.
    pub fn at_threshold(&self, threshold: f64) -> OperatingPoint {
        let above = self.vertices.partition_point(|v| v.score >= threshold);
        let vertex = above.checked_sub(1).map(|last| &self.vertices[last]);
        let mut point = self.point(vertex);
        point.threshold = vertex.map(|_| threshold);
        point
    }

    /// The point at which the `rank` highest scores are called members, and those equal to the last of them.
    pub fn at_rank(&self, rank: usize) -> OperatingPoint {
        let above = self.vertices.partition_point(|v| v.true_positives + v.false_positives < rank);
        self.point(self.vertices.get(above).filter(|_| rank > 0))
    }

    fn point(&self, vertex: Option<&Vertex>) -> OperatingPoint {
        let (true_positives, false_positives) = vertex.map_or((0, 0), |v| (v.true_positives, v.false_positives));
        OperatingPoint {
            tpr: true_positives as f64 / self.members as f64,
            realised_fpr: false_positives as f64 / self.non_members as f64,
            true_positives,
            false_positives,
            threshold: vertex.map(|v| v.score),
        }
    }

    /// The vertices (FPR, TPR) from (0, 0) to (1, 1), both rising.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let steps = self.vertices.iter().map(|v| self.point(Some(v)));
        std::iter::once((0.0, 0.0)).chain(steps.map(|p| (p.realised_fpr, p.tpr))).collect()
    }

    /// (TPR + TNR) / 2 of the rule score >= `threshold`.
    pub fn balanced_accuracy_at(&self, threshold: f64) -> f64 {
        self.at_threshold(threshold).balanced_accuracy()
    }

    /// The score that, as a threshold, maximises (TPR + TNR) / 2 (Song & Mittal 2021, arXiv 2003.10595); the
    /// lowest of several.
    ///
    /// Learn it on shadows: on the target's own labels it is optimistic.
    pub fn best_threshold(&self) -> f64 {
        // Vertices descend and `max_by_key` returns the last maximum, hence the lowest score. The empty rule
        // never wins: the lowest score of all does as well.
        self.vertices.iter().max_by_key(|v| self.gap(v)).map_or(f64::NAN, |v| v.score)
    }
}
