//! Settings behind a data set's name, and changes that work on any data set.
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

use std::ops::RangeInclusive;

use flatleak_stream::{Purpose, Stream};

use crate::dataset::{Dataset, Split};
use crate::error::Error;

/// Keys that any part of the program understands.
const KNOWN: [&str; 11] = [
    "label-noise",
    "duplicates",
    "canaries",
    "imbalance",
    "feature-noise",
    "classes",
    "clusters",
    "dim",
    "zipf",
    "overlap",
    "size",
];

/// Deviation of a near-copy from its original, in units of the pool's.
const NEAR: f64 = 0.05;

/// `+key=value` settings that nobody has used yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    name: String,
    left: Vec<(String, f64)>,
}

impl Settings {
    /// Splits `base+key=value+...`; a `+` that no known key follows belongs to a path.
    pub(crate) fn parse(name: &str) -> Result<(&str, Self), Error> {
        let fail = |problem: String| Error::Change { name: name.into(), problem };
        let mut base = name;
        let mut left: Vec<(String, f64)> = Vec::new();
        while let Some((before, setting)) = base.rsplit_once('+') {
            let Some((key, value)) = setting.split_once('=') else { break };
            if !KNOWN.contains(&key) {
                return Err(fail(format!("no setting `{key}`; there are: {}", KNOWN.join(", "))));
            }
            let value: f64 = value.parse().map_err(|_| fail(format!("{key} = `{value}` is not a number")))?;
            if left.iter().any(|(k, _)| k == key) {
                return Err(fail(format!("{key} is set twice")));
            }
            left.push((key.into(), value));
            base = before;
        }
        Ok((base, Self { name: name.into(), left }))
    }

    fn take(&mut self, key: &str) -> Option<f64> {
        let at = self.left.iter().position(|(k, _)| k == key)?;
        Some(self.left.remove(at).1)
    }

    /// The value of a key within a range.
    pub(crate) fn number(&mut self, key: &str, default: f64, range: RangeInclusive<f64>) -> Result<f64, Error> {
        let value = self.take(key).unwrap_or(default);
        if range.contains(&value) {
            return Ok(value);
        }
        let problem = format!("{key} = {value}, but {} to {} are possible", range.start(), range.end());
        Err(Error::Change { name: self.name.clone(), problem })
    }

    /// The whole value of a key within a range.
    pub(crate) fn count(&mut self, key: &str, default: usize, range: RangeInclusive<usize>) -> Result<usize, Error> {
        let value = self.number(key, default as f64, *range.start() as f64..=*range.end() as f64)?;
        if value.fract() == 0.0 {
            return Ok(value as usize);
        }
        Err(Error::Change { name: self.name.clone(), problem: format!("{key} = {value} must be a whole number") })
    }

    /// Refuses what nobody used.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => {
                let problem = format!("this data set has no setting `{key}`");
                Err(Error::Change { name: self.name.clone(), problem })
            }
        }
    }
}

/// Applies the changes among the settings.
pub(crate) fn apply(data: &mut Dataset, settings: &mut Settings, seed: u64) -> Result<(), Error> {
    let n = data.pool.len();
    let noise = settings.number("label-noise", 0.0, 0.0..=1.0)?;
    if noise > 0.0 {
        let mut s = Stream::new(seed, Purpose::LabelNoise, 0, 0);
        let picked = pick(&mut s, n, (noise * n as f64).round() as usize);
        for &i in &picked {
            let other = s.below(data.classes as u32 - 1);
            let y = &mut data.pool.y[i];
            *y = if other >= *y { other + 1 } else { other };
        }
        mark(data, ["clean", "noisy"], &picked);
    }
    let duplicates = settings.number("duplicates", 0.0, 0.0..=0.5)?;
    if duplicates > 0.0 {
        let mut s = Stream::new(seed, Purpose::Generator, 10, 0);
        let count = (duplicates * n as f64).round() as usize;
        let mut order = pick(&mut s, n, n);
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
    let canaries = settings.count("canaries", 0, 0..=n)?;
    if canaries > 0 {
        let mut s = Stream::new(seed, Purpose::Generator, 11, 0);
        let picked = pick(&mut s, n, canaries);
        for &i in &picked {
            let row: Vec<f32> = (0..data.shape.features()).map(|_| s.normal() as f32).collect();
            overwrite(&mut data.pool, i, &row);
            data.pool.y[i] = s.below(data.classes as u32);
        }
        mark(data, ["natural", "canary"], &picked);
    }
    let imbalance = settings.number("imbalance", 1.0, 1e-4..=1.0)?;
    if imbalance < 1.0 {
        let mut s = Stream::new(seed, Purpose::Generator, 12, 0);
        let mut kept = Vec::new();
        for class in 0..data.classes {
            let mut mine: Vec<u32> = (0..n as u32).filter(|&i| data.pool.y[i as usize] as usize == class).collect();
            s.shuffle(&mut mine);
            let share = libm::pow(imbalance, class as f64 / (data.classes - 1) as f64);
            mine.truncate((share * mine.len() as f64).ceil() as usize);
            kept.extend(mine);
        }
        kept.sort_unstable();
        keep(&mut data.pool, &kept);
    }
    let blur = settings.number("feature-noise", 0.0, 0.0..=100.0)?;
    if blur > 0.0 {
        let mut s = Stream::new(seed, Purpose::Generator, 13, 0);
        data.test.x.iter_mut().for_each(|v| *v += (blur * s.normal()) as f32);
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Request, open};

    fn data(name: &str) -> Dataset {
        open(&Request { pool: Some(400), test: Some(200), ..Request::new(name) }).unwrap()
    }

    fn share(data: &Dataset, group: u32) -> f64 {
        let groups = data.pool.groups.as_ref().unwrap();
        groups.iter().filter(|g| **g == group).count() as f64 / groups.len() as f64
    }

    #[test]
    fn label_noise_changes_the_marked_labels_and_no_other() {
        let (clean, noisy) = (data("digits"), data("digits+label-noise=0.25"));
        assert_eq!(clean.pool.x, noisy.pool.x);
        assert_eq!(clean.test.y, noisy.test.y);
        for (i, group) in noisy.pool.groups.as_ref().unwrap().iter().enumerate() {
            assert_eq!(clean.pool.y[i] != noisy.pool.y[i], *group == 1);
        }
        assert_eq!(share(&noisy, 1), 0.25);
        assert_ne!(clean.digest(), noisy.digest());
    }

    #[test]
    fn duplicates_have_a_near_twin_and_canaries_none() {
        let near = |d: &Dataset, i: usize| {
            (0..d.pool.len())
                .filter(|&j| j != i)
                .map(|j| d.pool.row(i).iter().zip(d.pool.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>())
                .fold(f64::MAX, f64::min)
                / d.shape.features() as f64
        };
        let copied = data("digits+duplicates=0.1");
        assert_eq!(share(&copied, 1), 0.2);
        let groups = copied.pool.groups.clone().unwrap();
        for i in (0..400).filter(|&i| groups[i] == 1) {
            assert!(near(&copied, i) < 4.0 * NEAR * NEAR, "{i}: {}", near(&copied, i));
        }
        let canaries = data("digits+canaries=7");
        assert_eq!(share(&canaries, 1), 7.0 / 400.0);
    }

    #[test]
    fn imbalance_and_feature_noise() {
        let d = data("digits+imbalance=0.1");
        let count = |c: u32| d.pool.y.iter().filter(|y| **y == c).count();
        assert_eq!((count(0), count(9)), (40, 4));
        assert!((1..9).all(|c| count(c) <= count(c - 1)));
        let (plain, blurred) = (data("digits"), data("digits+feature-noise=0.5"));
        assert_eq!(plain.pool, blurred.pool);
        let n = plain.test.x.len() as f64;
        let spread: f64 =
            plain.test.x.iter().zip(&blurred.test.x).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / n;
        assert!((spread.sqrt() - 0.5).abs() < 0.02);
    }

    #[test]
    fn generated_groups_follow_zipf_and_the_control_has_none() {
        let d = open(&Request { pool: Some(20_000), ..Request::new("subpopulations+clusters=4") }).unwrap();
        let total = 1.0 + 0.5 + 1.0 / 3.0 + 0.25;
        for r in 0..4 {
            let want = 1.0 / f64::from(r + 1) / total;
            assert!((share(&d, r) - want).abs() < 0.02, "{r}");
        }
        assert_eq!(d.groups.len(), 4);
        assert_eq!(data("one-cluster").pool.groups, None);
        assert_eq!(data("subpopulations"), data("subpopulations"));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |name: &str| open(&Request::new(name)).unwrap_err().to_string();
        assert!(error("digits+label-nose=1").contains("no setting `label-nose`"));
        assert!(error("digits+label-noise=x").contains("`x` is not a number"));
        assert!(error("digits+label-noise=2").contains("0 to 1 are possible"));
        assert!(error("digits+clusters=2").contains("no setting `clusters`"));
        assert!(error("subpopulations+dim=2.5").contains("whole number"));
        assert!(error("digits+canaries=1+canaries=2").contains("set twice"));
    }
}
