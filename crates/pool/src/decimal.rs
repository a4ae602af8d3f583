//! Parameters that are part of names.

use std::fmt::{Display, Formatter, Result as Written};
use std::str::FromStr;

/// A decimal of at most three places, from 0 to 1,000,000: a parameter that is compared, hashed and written without rounding.
///
/// ```
/// use flatleak_pool::Decimal;
/// let t: Decimal = "2.50".parse().unwrap();
/// assert_eq!((t.to_string().as_str(), t.value()), ("2.5", 2.5));
/// assert!("0.0001".parse::<Decimal>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    thousandths: u32,
}

/// Text that is no [`Decimal`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no decimal between 0 and 1000000 with at most three places")]
pub struct NoDecimal(String);

impl Decimal {
    /// 1.
    pub const ONE: Self = Self::thousandths(1000);

    /// So many thousandths.
    pub const fn thousandths(thousandths: u32) -> Self {
        Self { thousandths }
    }

    /// The number.
    pub fn value(self) -> f64 {
        f64::from(self.thousandths) / 1000.0
    }
}

impl Display for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        write!(f, "{}", self.value())
    }
}

impl FromStr for Decimal {
    type Err = NoDecimal;

    fn from_str(text: &str) -> Result<Self, NoDecimal> {
        let wrong = || NoDecimal(text.into());
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(places) || whole.is_empty() && places.is_empty() || whole.len() > 7 {
            return Err(wrong());
        }
        let places = places.trim_end_matches('0');
        if places.len() > 3 {
            return Err(wrong());
        }
        let number = |t: &str| if t.is_empty() { Ok(0) } else { t.parse::<u32>().map_err(|_| wrong()) };
        let thousandths = u64::from(number(whole)?) * 1000 + u64::from(number(&format!("{places:0<3}"))?);
        if thousandths > 1_000_000_000 {
            return Err(wrong());
        }
        Ok(Self::thousandths(thousandths as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        let read = |text: &str| text.parse::<Decimal>().map(|d| d.thousandths).ok();
        for (text, wanted) in
            [("2", 2000), ("0.3", 300), (".5", 500), ("1.", 1000), ("0.125", 125), ("1000000", 1_000_000_000)]
        {
            assert_eq!(read(text), Some(wanted), "{text}");
            let again: Decimal = text.parse().unwrap();
            assert_eq!(again.to_string().parse(), Ok(again));
        }
        for text in ["", ".", "-1", "1e3", "0.0001", "1000000.001", "99999999", "NaN", "1,5", " 1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
