//! Generated data with known atypical groups.

use flatleak_stream::{Purpose, Stream};

use crate::error::Error;
use crate::raw::{Raw, Values, Whole};
use crate::request::Request;
use crate::settings::Settings;
use crate::shape::Shape;

/// Examples of either split where the request does not say how many.
const EXAMPLES: usize = 4000;

/// How the points of a class lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Classes {
    /// Several clusters of Zipf frequencies.
    Mixed,
    /// One cluster: the control in which nothing is atypical.
    Plain,
}

/// Every class a mixture of `clusters` Gaussian clusters in `dim` dimensions; the r-th cluster of every class has
/// frequency proportional to 1 / r^zipf, and r is the group: 1 the most frequent, the last the most atypical.
///
/// Centres are N(0, I), points centre + overlap N(0, I). [`Classes::Plain`] gives each class one cluster, of the variance that
/// the mixture has. Streams: (seed, generator, 0, 0) for the centres, (.., 1, 0)
/// for the pool and (.., 2, 0) for the test set. (own)
pub(crate) fn subpopulations(settings: &mut Settings, request: &Request, of: Classes) -> Result<[Whole; 2], Error> {
    let mixed = of == Classes::Mixed;
    let classes = settings.count("classes", 10, 2..=1000)?;
    let clusters = if mixed { settings.count("clusters", 10, 1..=1000)? } else { 1 };
    let dim = settings.count("dim", 32, 1..=4096)?;
    let zipf = if mixed { settings.number("zipf", 1.0, 0.0..=5.0)? } else { 0.0 };
    let overlap = settings.number("overlap", 0.6, 0.0..=100.0)?;
    let mut stream = Stream::new(request.seed, Purpose::Generator, 0, 0);
    let centres: Vec<f64> = (0..classes * clusters * dim).map(|_| stream.normal()).collect();
    let weights: Vec<f64> = (1..=clusters).map(|r| libm::pow(r as f64, -zipf)).collect();
    let total: f64 = weights.iter().sum();
    let shape = Shape { channels: 1, height: 1, width: dim };
    let split = |which: u64, n: usize| {
        let mut stream = Stream::new(request.seed, Purpose::Generator, which, 0);
        let (mut values, mut labels, mut groups) = (Vec::with_capacity(n * dim), Vec::new(), Vec::new());
        for i in 0..n {
            let class = i % classes;
            let mut at = stream.unit() * total;
            let rank = weights.iter().position(|w| {
                at -= w;
                at < 0.0
            });
            let rank = rank.unwrap_or(clusters - 1);
            let centre = &centres[(class * clusters + rank) * dim..][..dim];
            values.extend(centre.iter().map(|c| (c + overlap * stream.normal()) as f32));
            labels.push(class as u32);
            groups.push(rank as u32);
        }
        let ids = (0..n as u32).collect();
        let raw = Raw { values: Values::Table(values), labels, groups: mixed.then_some(groups), ids };
        Whole { groups: if mixed { names(clusters) } else { Vec::new() }, ..Whole::new(shape, raw) }
    };
    Ok([split(1, request.pool.unwrap_or(EXAMPLES)), split(2, request.test.unwrap_or(EXAMPLES))])
}

fn names(clusters: usize) -> Vec<String> {
    (1..=clusters).map(|r| format!("cluster {r}")).collect()
}
