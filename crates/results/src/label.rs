//! Names as people see them. A name is data: a study, a recipe, a file or a class may be called anything.

use std::borrow::Cow;

/// Most characters of a name where many stand side by side.
pub const LABEL: usize = 40;

/// Whether a character shows nothing and changes how others are shown: controls, line and paragraph separators, marks of direction and of no
/// width, tags (Unicode 16, general categories Cc, Cf, Zl and Zp).
pub fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}'
    ) || c.is_control()
}

/// Names that some systems keep for devices, with any ending.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Whether no file can be called so on some systems, because a device is.
///
/// ```
/// use flatleak_results::is_device;
/// assert!(is_device("NUL.txt") && is_device("con") && !is_device("console"));
/// ```
pub fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device))
}

/// Text in which every hidden character is written out, as `\u{1b}`; a name stays on its line, and two that differ still do.
///
/// ```
/// use flatleak_results::plain;
/// assert_eq!(plain("sgd"), "sgd");
/// assert_eq!(plain("a\u{1b}[31m\u{202e}b\nc"), "a\\u{1b}[31m\\u{202e}b\\u{a}c");
/// ```
pub fn plain(text: &str) -> Cow<'_, str> {
    written_out(text, is_hidden)
}

/// The same of text in several lines, which keeps them.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    written_out(text, |c| c != '\n' && is_hidden(c))
}

fn written_out(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// A name of at most so many characters: of a longer one the beginning and the end, where names of one kind differ, around an ellipsis.
///
/// ```
/// use flatleak_results::shortened;
/// assert_eq!(shortened("sgd", 9), "sgd");
/// assert_eq!(shortened("gsam-epochs10-rho0.05", 9), "gsam…0.05");
/// ```
pub fn shortened(name: &str, most: usize) -> Cow<'_, str> {
    // As many bytes are at least as many characters.
    if name.len() <= most || name.chars().nth(most).is_none() {
        return Cow::Borrowed(name);
    }
    let (head, tail) = (most / 2, most.saturating_sub(most / 2 + 1));
    let end = name.char_indices().nth(head).map_or(name.len(), |(at, _)| at);
    let start = tail.checked_sub(1).and_then(|k| name.char_indices().nth_back(k)).map_or(name.len(), |(at, _)| at);
    Cow::Owned(format!("{}…{}", &name[..end], &name[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_ends_and_their_width() {
        for most in 1..8 {
            for name in ["", "a", "äöüß", "abcdefg", "abcdefgh", "日本語日本語日本語日本語"] {
                let short = shortened(name, most);
                let count = name.chars().count();
                assert_eq!(short.chars().count(), count.min(most), "{name} {most}");
                assert_eq!(short.contains('…'), count > most);
            }
        }
        assert_eq!(shortened(&"x".repeat(10_000), LABEL).chars().count(), LABEL);
    }

    #[test]
    fn lines_are_kept_where_they_are_lines() {
        assert_eq!(plain_lines("a\nb\tc\r\u{9b}"), "a\nb\\u{9}c\\u{d}\\u{9b}");
        for c in ['\u{7f}', '\u{85}', '\u{200e}', '\u{2066}', '\u{2029}', '\u{e0041}', '\0'] {
            assert!(!plain(&format!("x{c}y")).contains(c), "{c:?}");
        }
        assert_eq!(plain("größer als 日本 ≥ 🙂"), "größer als 日本 ≥ 🙂");
    }
}
