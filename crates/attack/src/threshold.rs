//! Class-dependent thresholds learnt on shadows (Song & Mittal 2021, arXiv 2003.10595).

use crate::Lineup;

/// The signal minus the threshold of the example's class. The threshold of a target's class is the observed shadow
/// value t that maximises (TPR + TNR) / 2 of "signal >= t means member" over the shadows' examples of that
/// class; of equals the lowest. The ROC of the difference is this project's own reading.
pub(crate) fn per_class(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let classes = lineup.labels.iter().max().map_or(0, |c| *c as usize + 1);
    let mut by_class: Vec<Vec<Entry>> = vec![Vec::new(); classes];
    for (seat, block) in lineup.seats.iter().zip(lineup.positions()) {
        for ((&value, &member), &c) in seat.values.iter().zip(seat.member).zip(lineup.labels) {
            by_class[c as usize].push(Entry { value, member, block });
        }
    }
    let blocks = lineup.blocks().len();
    let thresholds: Vec<Vec<f64>> =
        by_class.into_iter().map(|values| Sorted::new(values, blocks).thresholds(blocks)).collect();
    lineup
        .seats
        .iter()
        .zip(lineup.positions())
        .map(|(seat, block)| {
            let score = |(v, &c): (&f64, &u32)| v - thresholds[c as usize][block as usize];
            seat.values.iter().zip(lineup.labels).map(score).collect()
        })
        .collect()
}

/// Values that are counted together.
const CHUNK: usize = 256;

#[derive(Clone, Copy)]
struct Entry {
    value: f64,
    member: bool,
    /// Position of the model's block among the lineup's.
    block: u32,
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

/// The values of one class, sorted once. Leaving a block out is then a walk over the counts of chunks, and over the values of those chunks
/// alone in which the best threshold can lie.
struct Sorted {
    /// Descending.
    values: Vec<Entry>,
    /// Where chunks begin, and the end; equal values share a chunk.
    starts: Vec<usize>,
    /// Before each start, of all models and then of every block.
    before: Vec<Vec<Counts>>,
}

impl Sorted {
    fn new(mut values: Vec<Entry>, blocks: usize) -> Self {
        values.sort_unstable_by(|a, b| b.value.total_cmp(&a.value));
        let mut starts = vec![0];
        let mut before = vec![vec![Counts::default(); 1 + blocks]];
        let mut counts = before[0].clone();
        let mut at = 0;
        while at < values.len() {
            let last = values[(at + CHUNK).min(values.len()) - 1].value;
            let end = at + values[at..].partition_point(|v| v.value >= last);
            for entry in &values[at..end] {
                counts[0].add(entry);
                counts[1 + entry.block as usize].add(entry);
            }
            starts.push(end);
            before.push(counts.clone());
            at = end;
        }
        Self { values, starts, before }
    }

    /// The best threshold without each block; 0 where a side is empty.
    fn thresholds(&self, blocks: usize) -> Vec<f64> {
        (0..blocks).map(|block| self.best(block)).collect()
    }

    /// Counts before a chunk, without a block's.
    fn counted(&self, chunk: usize, block: usize) -> Counts {
        self.before[chunk][0].without(self.before[chunk][1 + block])
    }

    fn best(&self, block: usize) -> f64 {
        let chunks = self.starts.len() - 1;
        let all = self.counted(chunks, block);
        if all.0.contains(&0) {
            return 0.0;
        }
        // The gap at the end of a chunk is reached by one of its values, or by one before.
        let least = (1..=chunks).map(|c| self.counted(c, block).gap(all)).max().unwrap_or(0);
        let (mut top, mut threshold) = (i64::MIN, 0.0);
        for chunk in 0..chunks {
            let (mut counts, end) = (self.counted(chunk, block), self.counted(chunk + 1, block));
            let most = Counts([end.0[0], counts.0[1]]).gap(all);
            if most < least {
                continue;
            }
            let own = &self.values[self.starts[chunk]..self.starts[chunk + 1]];
            let mut kept = own.iter().filter(|v| v.block as usize != block).peekable();
            while let Some(entry) = kept.next() {
                counts.add(entry);
                let last_of_ties = kept.peek().is_none_or(|next| next.value < entry.value);
                let gap = counts.gap(all);
                if last_of_ties && gap >= top {
                    (top, threshold) = (gap, entry.value);
                }
            }
        }
        threshold
    }
}
