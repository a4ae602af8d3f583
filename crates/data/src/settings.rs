//! Settings behind a data set's name.

use std::ops::RangeInclusive;

use crate::error::{Error, SettingError};

/// Keys that any part of the program understands.
const KNOWN: &[&str] = &[
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

/// `+key=value` settings that nobody has used yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    name: String,
    left: Vec<(String, f64)>,
}

impl Settings {
    /// Splits `base+key=value+...`; a `+` that no known key follows belongs to a path.
    pub(crate) fn parse(name: &str) -> Result<(&str, Self), Error> {
        let fail = |problem| Error::Change { name: name.into(), problem };
        let mut base = name;
        let mut left: Vec<(String, f64)> = Vec::new();
        while let Some((before, setting)) = base.rsplit_once('+') {
            let Some((key, value)) = setting.split_once('=') else { break };
            if !KNOWN.contains(&key) {
                return Err(fail(SettingError::Unknown { key: key.into(), known: KNOWN }));
            }
            let no_number = |_| fail(SettingError::NoNumber { key: key.into(), value: value.into() });
            let value: f64 = value.parse().map_err(no_number)?;
            if left.iter().any(|(k, _)| k == key) {
                return Err(fail(SettingError::Twice { key: key.into() }));
            }
            left.push((key.into(), value));
            base = before;
        }
        Ok((base, Self { name: name.into(), left }))
    }

    fn fail(&self, problem: SettingError) -> Error {
        Error::Change { name: self.name.clone(), problem }
    }

    fn take(&mut self, key: &str) -> Option<f64> {
        let at = self.left.iter().position(|(k, _)| k == key)?;
        Some(self.left.remove(at).1)
    }

    /// Whether a key is there that nobody has used yet.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.left.iter().any(|(k, _)| k == key)
    }

    /// The value of a key within a range.
    pub(crate) fn number(&mut self, key: &str, default: f64, range: RangeInclusive<f64>) -> Result<f64, Error> {
        let value = self.take(key).unwrap_or(default);
        if range.contains(&value) {
            return Ok(value);
        }
        let (low, high) = (*range.start(), *range.end());
        Err(self.fail(SettingError::Range { key: key.into(), value, low, high }))
    }

    /// The whole value of a key within a range.
    pub(crate) fn count(&mut self, key: &str, default: usize, range: RangeInclusive<usize>) -> Result<usize, Error> {
        let value = self.number(key, default as f64, *range.start() as f64..=*range.end() as f64)?;
        if value.fract() == 0.0 {
            return Ok(value as usize);
        }
        Err(self.fail(SettingError::NotWhole { key: key.into(), value }))
    }

    /// Refuses what nobody used.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Err(self.fail(SettingError::Unused { key: key.clone() })),
        }
    }
}
