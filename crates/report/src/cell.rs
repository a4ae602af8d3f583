//! Cells of tables. What a person reads is rounded; the attributes hold every digit, for sorting and for downloads.

use std::borrow::Borrow;
use std::fmt::Write;

use flatleak_results::Estimate;

use crate::plot::escape_all;
use crate::say;

/// What stands where there is nothing.
const NONE: &str = "<td class=\"none\">–</td>";

/// A number as text.
pub(crate) fn number(v: impl Borrow<f64>, text: impl AsRef<str>) -> String {
    let (v, text) = (v.borrow(), text.as_ref());
    if v.is_finite() { format!("<td data-value=\"{v}\">{}</td>", escape_all(text)) } else { NONE.into() }
}

/// An estimate as text, with its limits.
pub(crate) fn estimate(e: &Estimate, text: &str) -> String {
    let mut out = format!("<td data-value=\"{}\"", e.mean);
    if e.low.is_finite() && e.high.is_finite() {
        // Writing to a String cannot fail.
        let _ = write!(out, " data-low=\"{}\" data-high=\"{}\"", e.low, e.high);
    }
    out + ">" + &escape_all(text) + "</td>"
}

/// A rate in percent with its interval.
pub(crate) fn percent(e: &Estimate) -> String {
    estimate(e, &say::percent(e))
}

/// Four places with the interval.
pub(crate) fn value(e: &Estimate) -> String {
    estimate(e, &say::value(e))
}

/// A difference with its interval.
pub(crate) fn signed(e: &Estimate) -> String {
    estimate(e, &say::signed(e))
}

/// The same where it may be missing.
pub(crate) fn optional(e: Option<&Estimate>, cell: fn(&Estimate) -> String) -> String {
    e.map_or_else(|| NONE.into(), cell)
}

/// A p-value.
pub(crate) fn probability(p: f64) -> String {
    number(p, say::probability(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_keep_every_digit() {
        let e = Estimate { mean: 0.123456789, low: 0.1, high: 0.15 };
        assert_eq!(
            value(&e),
            "<td data-value=\"0.123456789\" data-low=\"0.1\" data-high=\"0.15\">0.1235 ± 0.0250</td>"
        );
        assert_eq!(number(f64::NAN, "x"), NONE);
        assert_eq!(optional(None, percent), NONE);
    }
}
