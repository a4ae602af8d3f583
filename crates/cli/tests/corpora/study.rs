//! What is done with studies of strangers.

use flatleak_study::Study;

/// A study file; what is read can be written and read again.
pub(crate) fn study(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(study) = Study::parse(text)
        && let Ok(written) = study.to_toml()
    {
        assert!(Study::parse(&written).is_ok_and(|again| again == study), "{written}");
    }
}
