//! What the table and the page both say.

use flatleak_stats::Interval;
use flatleak_theory::{Along, Change, Descent, Outcome, Setting};

/// Largest error on labels of 1 up to which training counts as having arrived at an interpolating solution.
pub(super) const ARRIVED: f64 = 0.05;

/// Three digits with a sign, and a true minus.
pub(super) fn signed(e: &Interval) -> String {
    format!("{:+.3} [{:+.3}, {:+.3}]", e.mean, e.low, e.high).replace('-', "−")
}

pub(super) fn change<'a>(changes: &'a [Change], what: &str) -> Option<&'a Change> {
    changes.iter().find(|c| c.what == what)
}

/// Where the path ends, in words.
pub(super) fn end(path: &[Along]) -> String {
    match path.last().and_then(|a| a.eta) {
        Some(eta) => format!("eta = {eta}"),
        None => "the limit".into(),
    }
}

/// The problem in words.
pub(super) fn problem(s: &Setting) -> String {
    use flatleak_theory::Family;
    let family = match s.family {
        Family::PowerLaw { decay: 1.0 } => "eigenvalues falling as 1/j".into(),
        Family::PowerLaw { decay } => format!("eigenvalues falling as 1/j^{decay}"),
        Family::Spiked { spikes, floor } => format!("{spikes} large eigenvalues, the others {floor} of them"),
        Family::Isotropic => "all eigenvalues equal".into(),
        Family::Subgroups { minority, distance } => {
            format!("a minority of {:.0} % with a feature of its own at distance {distance}", 100.0 * minority)
        }
    };
    let teacher = match (s.family, s.teacher_noise) {
        (Family::Subgroups { .. }, _) => String::new(),
        (_, None) => ", classes at random".into(),
        (_, Some(0.0)) => ", classes by a linear teacher without noise".into(),
        (_, Some(noise)) => format!(", classes by a linear teacher with noise {noise} of its signal"),
    };
    format!(
        "{} examples in {} dimensions, {family}{teacher}, noise {} on the fitted labels",
        s.examples, s.dimensions, s.label_noise
    )
}

/// What the model says, in one or two sentences.
pub(super) fn headline(o: &Outcome) -> String {
    if let Some(d) = o.degenerate {
        return format!("No contraction in this problem: {}.", d.reason());
    }
    let (Some(v), Some(conf), Some(best), Some(error)) = (
        change(&o.changes, "second_moment"),
        change(&o.changes, "confidence"),
        change(&o.changes, "likelihood_ratio"),
        change(&o.changes, "test_error"),
    ) else {
        return String::new();
    };
    let moves = |c: &Change| {
        let Interval { mean, low, high } = c.difference;
        if low > 0.0 {
            format!("rises by {mean:.3} [{low:.3}, {high:.3}], in {} of {} draws", c.rises, o.draws)
        } else if high < 0.0 {
            let [mean, low, high] = [-mean, -high, -low];
            format!("falls by {mean:.3} [{low:.3}, {high:.3}], in {} of {} draws", c.falls, o.draws)
        } else {
            format!("is not shown to change, {}", signed(&c.difference))
        }
    };
    let closing = if v.difference.high < 0.0 && error.difference.low > 0.0 {
        ": in this problem flatness narrows the outputs without making the classifier better."
    } else {
        "."
    };
    format!(
        "From the solution that gradient descent finds to the flattest ({}), the second moment of outputs on unseen examples {}. The advantage of the \
         confidence attack {}; that of the best attack {}. The test error {}{closing}",
        end(&o.path),
        moves(v),
        moves(conf),
        moves(best),
        moves(error),
    )
}

/// The eta that comes nearest, or that it lies at the end of the path or beyond.
pub(super) fn nearest(d: &Descent) -> String {
    format!("{}{:.2}", if d.nearest_is_last { "≥" } else { "" }, d.nearest_eta)
}
