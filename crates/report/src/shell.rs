//! What every page stands in: style, scripts, and the policy that lets nothing else in.
//!
//! `sha2` is there for the policy: a page names the digests of its own scripts (Content Security Policy Level 3, section 2.3.1), so that no
//! other script runs in it, whatever a name or a note says.

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Downloads, sorting, filters and legends, of every page.
pub(crate) const PAGE: &str = concat!(
    include_str!("../templates/script/document.js"),
    include_str!("../templates/script/files.js"),
    include_str!("../templates/script/picture.js"),
    include_str!("../templates/script/values.js"),
    include_str!("../templates/script/zoom.js"),
    include_str!("../templates/script/figures.js"),
    include_str!("../templates/script/tables.js"),
    include_str!("../templates/script/filters.js"),
    include_str!("../templates/script/places.js"),
);
/// The slider of the theory page.
pub(crate) const THEORY: &str = include_str!("../templates/theory.js");

/// The content security policy of a page with these scripts: no network at all, pictures from the page alone.
pub(crate) fn policy(scripts: &[&str]) -> String {
    let digest = |script: &&str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes())));
    let scripts = scripts.iter().map(digest).collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src {scripts}; base-uri 'none'; form-action 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of the text is that of `printf 'doSomething();' | openssl dgst -sha256 -binary | openssl base64`.
    #[test]
    fn the_policy_names_the_scripts() {
        let expected = "'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='";
        assert!(policy(&["doSomething();"]).contains(&format!("script-src {expected};")));
        // A browser ends a script where it reads this, whatever follows.
        assert!([PAGE, THEORY].iter().all(|script| !script.contains("</script")));
    }
}
