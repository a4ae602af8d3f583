//! Text that stays text in HTML and SVG.

use flatleak_results::shortened;

/// Most characters of a text in a figure.
const LONGEST: usize = 100;

/// Text for SVG, inside and in attributes, no longer than a figure has room for.
pub(crate) fn escape(text: &str) -> String {
    escape_all(&shortened(text, LONGEST))
}

/// Text for HTML, inside and in attributes, of any length.
pub(crate) fn escape_all(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
