//! Looks at a growing pool: how often is a false word said, and what does it cost?
//!
//! `cargo run --release -p flatleak-verdict --example sequential -- REPETITIONS`, Markdown on stdout. Sequences of blocks are drawn whose targets
//! share shadows: D_b = truth + own part of block b + mean over the other blocks d of a part that d gives to all + a part of the pair (b, d).
//! D_b^(-d) follows from the same parts. At every look the variance, the interval and the word are those of the program, and the sequence ends
//! where the question is settled. Two points, one comparison: the second point has a truth of 0 and half of the noise.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use flatleak_results::{Family, Relevant, Verdict, Word};
use flatleak_stats::{LOOKS, Replicates, Student, blocks_needed, moments, parallel, spent_at, wilson};
use flatleak_stream::{Purpose, Stream};

/// One sequence of blocks.
struct Sequence {
    own: Vec<f64>,
    given: Vec<f64>,
    pair: Vec<Vec<f64>>,
}

impl Sequence {
    fn new(noise: f64, stream: &mut Stream) -> Self {
        let most = LOOKS[LOOKS.len() - 1];
        let mut many = |size: f64| (0..most).map(|_| size * stream.normal()).collect::<Vec<f64>>();
        let (own, given) = (many(0.9 * noise), many(0.4 * noise));
        let pair = (0..most).map(|_| many(noise)).collect();
        Self { own, given, pair }
    }

    /// The measures of the first `blocks`, with and without each.
    fn at(&self, blocks: usize, truth: f64) -> Replicates {
        let part = |b: usize, d: usize| self.given[d] + self.pair[b][d];
        let sums: Vec<f64> = (0..blocks).map(|b| (0..blocks).filter(|d| *d != b).map(|d| part(b, d)).sum()).collect();
        let n = blocks as f64 - 1.0;
        let whole = (0..blocks).map(|b| truth + self.own[b] + sums[b] / n).collect();
        let deleted = (0..blocks)
            .map(|d| {
                let left =
                    |b: usize| if b == d { 0.0 } else { truth + self.own[b] + (sums[b] - part(b, d)) / (n - 1.0) };
                (0..blocks).map(left).collect()
            })
            .collect();
        Replicates::new(whole, deleted).unwrap()
    }
}

/// How one sequence ends.
struct End {
    blocks: usize,
    word: Word,
    covered: bool,
}

fn sequence(noise: f64, truth: f64, delta: f64, seed: u64) -> End {
    let mut stream = Stream::new(seed, Purpose::Simulation, 7, 0);
    let points = [(Sequence::new(noise, &mut stream), truth), (Sequence::new(0.5 * noise, &mut stream), 0.0)];
    for &blocks in &LOOKS {
        let level = 1.0 - spent_at(blocks, Family::ALPHA).unwrap() / 2.0;
        let found = points.iter().map(|(s, truth)| (Student::from(&s.at(blocks, *truth)), *truth)).collect::<Vec<_>>();
        let words: Vec<Word> = found.iter().map(|(d, _)| flatleak_verdict::word(*d, delta, level).unwrap()).collect();
        let covered = found.iter().all(|(d, truth)| {
            let i = d.difference(level).unwrap();
            i.low <= *truth && *truth <= i.high
        });
        let narrow = |d: &Student| {
            let i = d.difference(level).unwrap();
            i.high - i.low <= delta
        };
        if found.iter().all(|(d, _)| narrow(d))
            || words.iter().all(|w| Verdict::from(*w).is_settled())
            || matches!(words[0], Word::RelevantlyMore | Word::RelevantlyLess)
            || blocks == 128
        {
            return End { blocks, word: words[0], covered };
        }
    }
    unreachable!("the last look ends every sequence")
}

/// Whether a word is false of a truth.
fn is_false(word: Word, truth: f64, delta: f64) -> bool {
    match word {
        Word::RelevantlyMore => truth < delta,
        Word::More => truth <= 0.0,
        Word::MoreNegligible => truth <= 0.0 || truth > delta,
        Word::Equivalent => truth.abs() >= delta,
        Word::LessNegligible | Word::Less | Word::RelevantlyLess => truth >= 0.0,
        Word::Identical | Word::Open | Word::TooFewModels | Word::Withheld => false,
    }
}

fn main() {
    let repetitions: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let delta = Relevant::default().auc;
    println!(
        "| noise of a block | sized design, blocks | truth | median blocks | of the sized design | of 128 | false words | all intervals cover |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for noise in [0.01, 0.014, 0.018] {
        // The design that a user would size beforehand who knew the error.
        let mut stream = Stream::new(3, Purpose::Simulation, 8, 0);
        let means: Vec<f64> = (0..400).map(|_| Sequence::new(noise, &mut stream).at(32, 0.0).estimate()).collect();
        let sized = blocks_needed(moments::variance(&means, 1).sqrt(), 32, delta, 0.975).unwrap().about.unwrap();
        let mut medians = Vec::new();
        for (k, truth) in [0.0, 0.5 * delta, delta, 2.0 * delta].into_iter().enumerate() {
            let ends = parallel::map(repetitions, 2, |at| sequence(noise, truth, delta, (10_000 * k + at) as u64));
            let mut blocks: Vec<usize> = ends.iter().map(|e| e.blocks).collect();
            blocks.sort_unstable();
            let median = blocks[blocks.len() / 2];
            medians.push(median as f64);
            let share = |n: usize| {
                let e = wilson(n as u64, repetitions as u64, 0.95).unwrap();
                format!("{:.1} % [{:.1}, {:.1}]", 100.0 * e.mean, 100.0 * e.low, 100.0 * e.high)
            };
            println!(
                "| {noise} | {sized} | {truth} | {median} | {:.2} | {:.2} | {} | {} |",
                median as f64 / sized as f64,
                median as f64 / 128.0,
                share(ends.iter().filter(|e| is_false(e.word, truth, delta)).count()),
                share(ends.iter().filter(|e| e.covered).count())
            );
        }
        let mean = moments::mean(&medians);
        println!("| {noise} | {sized} | all four | {mean} | {:.2} | {:.2} | | |", mean / sized as f64, mean / 128.0);
    }
}
