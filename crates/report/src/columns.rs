//! Tables of single examples: columns by name, rendered by [`parquet`](crate::parquet) and [`csv`](crate::csv).

use std::collections::BTreeMap;

use flatleak_attack::Attack;
use flatleak_verdict::{Detail, FAMILY};

/// Values of one column; absent ones are NaN or `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Counts and indices.
    Integers(Vec<i64>),
    /// Integers of which some are not known.
    Known(Vec<Option<i64>>),
    /// Numbers; NaN is written as missing.
    Numbers(Vec<f64>),
    /// Names.
    Text(Vec<String>),
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(v) => v.len(),
            Self::Known(v) => v.len(),
            Self::Numbers(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A table: columns of equal length by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names and values, in their order.
    pub columns: Vec<(&'static str, Column)>,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, c)| c.len())
    }
}

/// The label of an example, where it is known.
pub(crate) fn label_of(detail: &Detail, example: usize) -> Option<u32> {
    detail.labels.as_ref().map(|labels| labels[example])
}

/// What examples are called: `k` is the place of a recipe among the details, `i` that of a pool example.
pub struct Names<'a> {
    /// Name of the class with a label.
    pub class: &'a dyn Fn(u32) -> String,
    /// Place of a pool example in the source: file or row.
    pub source: &'a dyn Fn(usize, usize) -> String,
    /// Group of a pool example, where groups are known.
    pub group: &'a dyn Fn(usize) -> Option<String>,
    /// Label of a held-out example, where it is known.
    pub test_label: &'a dyn Fn(usize, usize) -> Option<u32>,
}

impl Names<'_> {
    /// Name of a class; empty where the label is not known.
    pub(crate) fn class_of(&self, label: Option<u32>) -> String {
        label.map_or(String::new(), |label| (self.class)(label))
    }
}

/// Columns of rates of right calls, each with its limits: the attack of headlines first.
const CALLS: [(Attack, [&str; 3]); 4] = [
    (FAMILY[0], ["right_calls", "right_calls_low", "right_calls_high"]),
    (FAMILY[1], ["right_calls_lira", "right_calls_lira_low", "right_calls_lira_high"]),
    (FAMILY[2], ["right_calls_rmia", "right_calls_rmia_low", "right_calls_rmia_high"]),
    (FAMILY[3], ["right_calls_confidence", "right_calls_confidence_low", "right_calls_confidence_high"]),
];

/// How exposed every pool example is, and how much memorized: `recipe, index, label, class, source, group`, by attack the rate of right
/// membership calls with its interval where it was run, `memorization` with its interval, `soft`, and the held-out examples that it helps
/// most. `index` counts from 0 in the source, rows of `source` from 1.
pub fn exposure(details: &[Detail], names: &Names<'_>) -> Table {
    let mut texts: [Vec<String>; 5] = Default::default();
    let (mut index, mut label) = (Vec::new(), Vec::new());
    let mut calls: Vec<[Vec<f64>; 3]> = CALLS.iter().map(|_| Default::default()).collect();
    let mut numbers: [Vec<f64>; 5] = Default::default();
    for (k, d) in details.iter().enumerate() {
        let helped = helped(d);
        for i in 0..d.ids.len() {
            index.push(i64::from(d.ids[i]));
            let label_here = label_of(d, i);
            label.push(label_here.map(i64::from));
            let class = |t| names.class_of((names.test_label)(k, t));
            let helps = helped.get(&(i as u32)).map_or(String::new(), |all| listed(all, class));
            let group = (names.group)(i).unwrap_or_default();
            let own = [d.recipe.clone(), names.class_of(label_here), (names.source)(k, i), group, helps];
            texts.iter_mut().zip(own).for_each(|(column, text)| column.push(text));
            for (columns, (attack, _)) in calls.iter_mut().zip(&CALLS) {
                let found = d.exposure.iter().find(|(a, _)| a == attack).map(|(_, e)| e[i]);
                let values = found.map_or([f64::NAN; 3], |e| [e.mean, e.low, e.high]);
                columns.iter_mut().zip(values).for_each(|(column, v)| column.push(v));
            }
            let soft = d.soft.as_ref().map_or(f64::NAN, |s| s[i]);
            let memorized = [d.memorization[i], d.intervals[i].low, d.intervals[i].high, d.standard_errors[i], soft];
            numbers.iter_mut().zip(memorized).for_each(|(column, value)| column.push(value));
        }
    }
    let [recipe, class, source, group, helps] = texts;
    let text = |name, column| (name, Column::Text(column));
    let mut columns = vec![text("recipe", recipe), ("index", Column::Integers(index)), ("label", Column::Known(label))];
    columns.extend([text("class", class), text("source", source), text("group", group)]);
    for (values, (_, names)) in calls.into_iter().zip(CALLS) {
        columns.extend(names.into_iter().zip(values).map(|(name, v)| (name, Column::Numbers(v))));
    }
    let names =
        ["memorization", "memorization_low", "memorization_high", "memorization_standard_error", "soft_memorization"];
    columns.extend(names.into_iter().zip(numbers).map(|(name, values)| (name, Column::Numbers(values))));
    columns.push(text("helps", helps));
    Table { columns }
}

/// Held-out examples that a training example helps, at most so many.
const HELPED: usize = 3;

/// By training example, held-out ones with the influence on them.
pub(crate) type Helping = BTreeMap<u32, Vec<(usize, f64)>>;

/// By training example, the held-out ones that it helps most among the pairs that were kept, with the influence; the strongest first.
pub(crate) fn helped(d: &Detail) -> Helping {
    let mut out = Helping::new();
    for p in d.pairs.iter().flat_map(|p| &p.per_test).flatten() {
        out.entry(p.train).or_default().push((p.test as usize, f64::from(p.influence)));
    }
    for all in out.values_mut() {
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(HELPED);
    }
    out
}

fn listed(all: &[(usize, f64)], class: impl Fn(usize) -> String) -> String {
    all.iter()
        .map(|(t, v)| {
            let class = class(*t);
            let class = if class.is_empty() { class } else { format!(" ({class})") };
            format!("test {t}{class} {v:+.3}")
        })
        .collect::<Vec<_>>()
        .join("; ")
}

/// The influential pairs that were kept, per recipe and held-out example, strongest first: `recipe, test, rank, train, train_label,
/// influence` with its interval and standard error, `p_value, q_value, memorization` of the training example.
pub fn influence(details: &[Detail]) -> Table {
    let mut recipe = Vec::new();
    let mut integers: [Vec<i64>; 3] = Default::default();
    let mut label = Vec::new();
    let mut numbers: [Vec<f64>; 7] = Default::default();
    for d in details {
        for (rank, p) in d.pairs.iter().flat_map(|p| &p.per_test).flat_map(|row| row.iter().enumerate()) {
            let i = p.train as usize;
            recipe.push(d.recipe.clone());
            let whole = [i64::from(p.test), rank as i64 + 1, i64::from(d.ids[i])];
            label.push(label_of(d, i).map(i64::from));
            integers.iter_mut().zip(whole).for_each(|(c, v)| c.push(v));
            let real = [
                f64::from(p.influence),
                p.interval.low,
                p.interval.high,
                p.standard_error,
                p.p_value,
                p.q_value,
                d.memorization[i],
            ];
            numbers.iter_mut().zip(real).for_each(|(c, v)| c.push(v));
        }
    }
    let whole = ["test", "rank", "train"];
    let real = ["influence", "low", "high", "standard_error", "p_value", "q_value", "memorization"];
    let mut columns = vec![("recipe", Column::Text(recipe))];
    columns.extend(whole.into_iter().zip(integers).map(|(name, values)| (name, Column::Integers(values))));
    columns.push(("train_label", Column::Known(label)));
    columns.extend(real.into_iter().zip(numbers).map(|(name, values)| (name, Column::Numbers(values))));
    Table { columns }
}

/// Influence entropy of every held-out example: `recipe, test, entropy, supporters`, missing where no influence is positive.
pub fn entropy(details: &[Detail]) -> Table {
    let (mut recipe, mut test) = (Vec::new(), Vec::new());
    let (mut entropy, mut supporters) = (Vec::new(), Vec::new());
    for d in details {
        for (j, e) in d.pairs.iter().flat_map(|p| p.entropy.iter().enumerate()) {
            recipe.push(d.recipe.clone());
            test.push(j as i64);
            entropy.push(e.unwrap_or(f64::NAN));
            supporters.push(e.map_or(f64::NAN, f64::exp));
        }
    }
    Table {
        columns: vec![
            ("recipe", Column::Text(recipe)),
            ("test", Column::Integers(test)),
            ("entropy", Column::Numbers(entropy)),
            ("supporters", Column::Numbers(supporters)),
        ],
    }
}
