//! Tables of single examples: columns by name, rendered by [`parquet`](crate::parquet) and [`csv`](crate::csv).

use flatleak_verdict::Detail;

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
fn label_of(detail: &Detail, example: usize) -> Option<i64> {
    detail.labels.as_ref().map(|labels| i64::from(labels[example]))
}

/// How exposed every pool example is, and how much memorized: `recipe, index, label, memorization` with its interval, `soft`, and where
/// an attack was run the rate of right membership calls with its interval. `index` is the place in the source.
pub fn exposure(details: &[Detail]) -> Table {
    let mut recipe = Vec::new();
    let (mut index, mut label) = (Vec::new(), Vec::new());
    let mut numbers: [Vec<f64>; 8] = Default::default();
    for d in details {
        for i in 0..d.ids.len() {
            recipe.push(d.recipe.clone());
            index.push(i64::from(d.ids[i]));
            label.push(label_of(d, i));
            let calls = d.exposure.as_ref().map_or([f64::NAN; 3], |e| [e[i].mean, e[i].low, e[i].high]);
            let soft = d.soft.as_ref().map_or(f64::NAN, |s| s[i]);
            let memorized = [d.memorization[i], d.intervals[i].low, d.intervals[i].high, d.standard_errors[i], soft];
            for (column, value) in numbers.iter_mut().zip(calls.into_iter().chain(memorized)) {
                column.push(value);
            }
        }
    }
    let names = [
        "right_calls",
        "right_calls_low",
        "right_calls_high",
        "memorization",
        "memorization_low",
        "memorization_high",
        "memorization_standard_error",
        "soft_memorization",
    ];
    let mut columns =
        vec![("recipe", Column::Text(recipe)), ("index", Column::Integers(index)), ("label", Column::Known(label))];
    columns.extend(names.into_iter().zip(numbers).map(|(name, values)| (name, Column::Numbers(values))));
    Table { columns }
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
            label.push(label_of(d, i));
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
