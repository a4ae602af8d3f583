//! Changes that work on any data set, by settings behind its name.
//!
//! | key | what it does | groups it marks |
//! |---|---|---|
//! | `label-noise=R` | a share R of the pool gets another label, uniform over the other classes | clean, noisy |
//! | `duplicates=R` | a share R of the pool becomes near-copies (deviation .05) of other pool examples | single, duplicated |
//! | `canaries=N` | N pool examples become standard normal noise with a random label | natural, canary |
//! | `imbalance=R` | class c of C keeps a share R^(c / (C - 1)) of its pool examples | |
//! | `feature-noise=S` | test inputs get normal noise of deviation S, in units of the pool's | |
//!
//! All are drawn by (seed, label-noise or generator, its own number, 0) and applied in the order of this table after scaling.
//! Definitions are this project's own; the last to mark groups wins.

use flatleak_stream::{Purpose, Stream};

use crate::dataset::{Dataset, Split};
use crate::error::Error;
use crate::settings::Settings;

/// Deviation of a near-copy from its original, in units of the pool's.
const NEAR: f64 = 0.05;

/// Applies the changes among the settings.
pub(crate) fn apply(data: &mut Dataset, settings: &mut Settings, seed: u64) -> Result<(), Error> {
    let n = data.pool.len();
    let noise = settings.number("label-noise", 0.0, 0.0..=1.0)?;
    if noise > 0.0 {
        relabel(data, noise, &mut Stream::new(seed, Purpose::LabelNoise, 0, 0));
    }
    let drawn = |which: u64| Stream::new(seed, Purpose::Generator, which, 0);
    let duplicates = settings.number("duplicates", 0.0, 0.0..=0.5)?;
    if duplicates > 0.0 {
        duplicate(data, duplicates, &mut drawn(10));
    }
    let canaries = settings.count("canaries", 0, 0..=n)?;
    if canaries > 0 {
        plant(data, canaries, &mut drawn(11));
    }
    let imbalance = settings.number("imbalance", 1.0, 1e-4..=1.0)?;
    if imbalance < 1.0 {
        thin(data, imbalance, &mut drawn(12));
    }
    let blur = settings.number("feature-noise", 0.0, 0.0..=100.0)?;
    if blur > 0.0 {
        let mut s = drawn(13);
        data.test.x.iter_mut().for_each(|v| *v += (blur * s.normal()) as f32);
    }
    Ok(())
}

/// Another label for a share of the pool.
fn relabel(data: &mut Dataset, share: f64, s: &mut Stream) {
    let n = data.pool.len();
    let picked = pick(s, n, (share * n as f64).round() as usize);
    for &i in &picked {
        let other = s.below(data.classes as u32 - 1);
        let y = &mut data.pool.y[i];
        *y = if other >= *y { other + 1 } else { other };
    }
    mark(data, ["clean", "noisy"], &picked);
}

/// A share of the pool becomes near-copies of other examples.
fn duplicate(data: &mut Dataset, share: f64, s: &mut Stream) {
    let n = data.pool.len();
    let count = (share * n as f64).round() as usize;
    let mut order = pick(s, n, n);
    s.shuffle(&mut order);
    let (copies, originals) = (&order[..count], &order[count..]);
    let mut marked = copies.to_vec();
    for (&copy, &original) in copies.iter().zip(originals) {
        let row: Vec<f32> = data.pool.row(original).iter().map(|v| v + (NEAR * s.normal()) as f32).collect();
        overwrite(&mut data.pool, copy, &row);
        data.pool.y[copy] = data.pool.y[original];
        marked.push(original);
    }
    mark(data, ["single", "duplicated"], &marked);
}

/// Noise with random labels in the place of some examples.
fn plant(data: &mut Dataset, canaries: usize, s: &mut Stream) {
    let picked = pick(s, data.pool.len(), canaries);
    for &i in &picked {
        let row: Vec<f32> = (0..data.shape.features()).map(|_| s.normal() as f32).collect();
        overwrite(&mut data.pool, i, &row);
        data.pool.y[i] = s.below(data.classes as u32);
    }
    mark(data, ["natural", "canary"], &picked);
}

/// Fewer examples of the later classes.
fn thin(data: &mut Dataset, imbalance: f64, s: &mut Stream) {
    let n = data.pool.len() as u32;
    let mut kept = Vec::new();
    for class in 0..data.classes {
        let mut mine: Vec<u32> = (0..n).filter(|&i| data.pool.y[i as usize] as usize == class).collect();
        s.shuffle(&mut mine);
        let share = libm::pow(imbalance, class as f64 / (data.classes - 1) as f64);
        mine.truncate((share * mine.len() as f64).ceil() as usize);
        kept.extend(mine);
    }
    kept.sort_unstable();
    keep(&mut data.pool, &kept);
}

/// `count` of `0..n`, ascending.
fn pick(stream: &mut Stream, n: usize, count: usize) -> Vec<usize> {
    let mut picked: Vec<usize> = stream.permutation(n)[..count].iter().map(|&i| i as usize).collect();
    picked.sort_unstable();
    picked
}

fn overwrite(split: &mut Split, i: usize, row: &[f32]) {
    split.x[i * row.len()..(i + 1) * row.len()].copy_from_slice(row);
}

/// Two groups: the pool examples `marked` form the second, everything else the first.
fn mark(data: &mut Dataset, names: [&str; 2], marked: &[usize]) {
    let mut groups = vec![0; data.pool.len()];
    marked.iter().for_each(|&i| groups[i] = 1);
    data.pool.groups = Some(groups);
    data.test.groups = Some(vec![0; data.test.len()]);
    data.groups = names.map(String::from).to_vec();
}

fn keep(split: &mut Split, kept: &[u32]) {
    let x = kept.iter().flat_map(|&i| split.row(i as usize).iter().copied()).collect();
    let pick = |from: &[u32]| kept.iter().map(|&i| from[i as usize]).collect::<Vec<u32>>();
    *split = Split { x, y: pick(&split.y), groups: split.groups.as_deref().map(pick), ids: pick(&split.ids) };
}
