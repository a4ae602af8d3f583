//! Fields of a row, and what they can be read as.

use std::fmt;

/// Characters of a field that a message shows.
const SHOWN: usize = 60;
/// From here on a double does not tell whole numbers apart.
const EXACT: f64 = 9e15;

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a> {
    /// Nothing.
    Missing,
    /// A whole number.
    Integer(i128),
    /// A number.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// Text, where the file says that it is text.
    Text(&'a str),
    /// What a file without types has: it may be a number, a list or text.
    Written(&'a str),
    /// Numbers.
    List(&'a [f64]),
}

/// What a column holds, as far as the file says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Numbers,
    /// True and false.
    Bools,
    /// Text.
    Texts,
    /// Lists of numbers.
    Lists,
    /// The file has no types.
    Written,
    /// Something that is not read, such as `Date`.
    Other(String),
}

/// A column before its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

impl<'a> Field<'a> {
    /// As a number; texts that are none, lists and missing values are no numbers.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Integer(v) => Some(v as f64),
            Self::Number(v) => Some(v),
            Self::Bool(v) => Some(f64::from(u8::from(v))),
            Self::Text(v) | Self::Written(v) => v.trim().parse().ok(),
            Self::Missing | Self::List(_) => None,
        }
    }

    /// As a whole number, exactly. In text it is one only as numbers are written: `3` and `3.0`, but neither `03` nor `1e3`, which may
    /// be parts of names.
    pub fn whole(self) -> Option<i128> {
        let exact = |v: f64| (v.fract() == 0.0 && v.abs() < EXACT).then_some(v as i128);
        match self {
            Self::Integer(v) => Some(v),
            Self::Number(v) => exact(v),
            Self::Bool(v) => Some(i128::from(v)),
            Self::Text(v) | Self::Written(v) => written_whole(v.trim()),
            Self::Missing | Self::List(_) => None,
        }
    }

    /// As text, where it is text.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(v) | Self::Written(v) => Some(v),
            _ => None,
        }
    }

    /// As numbers, which may be written as `[0.1, 0.2]`, `(0.1, 0.2)`, `[0.1 0.2]`, `array([0.1, 0.2])` or `[np.float32(0.1)]`. What is
    /// written goes through `buffer`.
    pub fn list<'b>(self, buffer: &'b mut Vec<f64>) -> Option<&'b [f64]>
    where
        'a: 'b,
    {
        match self {
            Self::List(values) => Some(values),
            Self::Text(text) | Self::Written(text) => {
                buffer.clear();
                let inner = inside(text)?;
                for part in inner.split([',', ' ', '\n', '\r', '\t']).filter(|part| !part.is_empty()) {
                    buffer.push(scalar(part).parse().ok()?);
                }
                Some(buffer)
            }
            _ => None,
        }
    }

    /// Whether there is no value: nothing, or not a number.
    pub fn is_missing(self) -> bool {
        matches!(self, Self::Missing) || matches!(self, Self::Number(v) if v.is_nan())
    }
}

/// A whole number as numbers are written, with or without zeros behind a point.
fn written_whole(text: &str) -> Option<i128> {
    let digits =
        text.split_once('.').map_or(text, |(whole, rest)| if rest.trim_matches('0').is_empty() { whole } else { "" });
    let plain = digits == "0" || !digits.trim_start_matches('-').starts_with('0') && !digits.starts_with('+');
    digits.parse().ok().filter(|_| plain)
}

/// What stands in the brackets of a list.
fn inside(text: &str) -> Option<&str> {
    let text = text.trim();
    let called = ["np.array(", "array(", "tensor("].iter().find_map(|name| text.strip_prefix(name));
    // Behind the list of a call there may be its type.
    let text = called.map_or(text, |rest| rest.rfind(']').map_or(rest, |end| &rest[..=end]));
    let inner = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    inner('[', ']').or_else(|| inner('(', ')'))
}

/// A number without the name of its type, as NumPy 2 writes numbers within lists.
fn scalar(part: &str) -> &str {
    part.strip_prefix("np.float")
        .and_then(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix('(')?.strip_suffix(')'))
        .unwrap_or(part)
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("nothing"),
            Self::Integer(v) => write!(f, "{v}"),
            Self::Number(v) => write!(f, "{v}"),
            Self::Bool(v) => write!(f, "{v}"),
            Self::List(v) => write!(f, "a list of {} numbers", v.len()),
            Self::Text(v) | Self::Written(v) => {
                let shown: String = v.chars().take(SHOWN).collect();
                f.write_str(&shown)?;
                if shown.len() < v.len() { f.write_str("...") } else { Ok(()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_fields_are_numbers_lists_or_text() {
        assert_eq!(Field::Written(" 0.25 ").number(), Some(0.25));
        assert_eq!(Field::Written("zero").number(), None);
        assert_eq!(Field::Written("3.0").whole(), Some(3));
        assert_eq!(Field::Written("9007199254740993").whole(), Some(9_007_199_254_740_993));
        for text in ["03", "1e3", "+3", "3.5", "00", "", "-", ".0"] {
            assert_eq!(Field::Written(text).whole(), None, "{text}");
        }
        assert_eq!((Field::Written("0").whole(), Field::Text("-3.00").whole()), (Some(0), Some(-3)));
        assert_eq!((Field::Number(0.5).whole(), Field::Number(1e17).whole()), (None, None));
        assert!(Field::Number(f64::NAN).is_missing() && !Field::Written("").is_missing());
        assert_eq!(Field::Written(&"x".repeat(100)).to_string().len(), SHOWN + 3);
    }

    #[test]
    fn lists_are_read_as_python_writes_them() {
        let mut buffer = Vec::new();
        let mut list = |text| Field::Written(text).list(&mut buffer).map(<[f64]>::to_vec);
        for text in [
            "[0.5, -1]",
            "(0.5, -1.0)",
            "[ 0.5 -1. ]",
            "[0.5\n -1e0]",
            "array([0.5, -1.], dtype=float32)",
            "tensor([0.5,-1])",
        ] {
            assert_eq!(list(text), Some(vec![0.5, -1.0]), "{text}");
        }
        assert_eq!(list("[np.float32(0.5), np.float64(-1.0)]"), Some(vec![0.5, -1.0]));
        assert_eq!(list("[]"), Some(vec![]));
        for text in ["0.5", "[0.5 ... 1]", "[[0.5], [1]]", "[0.5", "[a]"] {
            assert_eq!(list(text), None, "{text}");
        }
    }
}
