//! Numbers in messages.

/// A number as people write it, whatever its size.
pub(crate) fn number(v: f64) -> String {
    let size = v.abs();
    if v != 0.0 && v.is_finite() && !(1e-4..1e7).contains(&size) { format!("{v:e}") } else { v.to_string() }
}
