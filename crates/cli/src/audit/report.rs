//! What is said of a single target.

use std::fmt::Write;

use flatleak::Target;
use flatleak_results::{LABEL, shortened};

/// The table in the terminal, at most 100 columns.
pub(super) fn table(found: &Target) -> String {
    let mut out = String::new();
    for line in flatleak_report::table::wrap(&found.sentence(), 96) {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(
        out,
        "\nmodel {} of {}: {} members, {} others, {} shadows; limits are nominal, over its examples\n",
        found.target,
        shortened(&found.recipe, LABEL),
        found.members,
        found.non_members,
        found.shadows
    );
    let _ = writeln!(out, "{:<30}{:>8}{:>28}{:>28}", "attack", "AUC", "TPR @ 0.1 % FPR", "TPR @ 1 % FPR");
    for attack in &found.attacks {
        let at = |level: f64| {
            let point = attack.tpr_at_fpr.iter().find(|t| t.fpr == level);
            point.map_or(String::new(), |t| {
                format!("{:.2} % [{:.2}, {:.2}]", 100.0 * t.tpr.mean, 100.0 * t.tpr.low, 100.0 * t.tpr.high)
            })
        };
        let _ = writeln!(out, "{:<30}{:>8.4}{:>28}{:>28}", attack.name, attack.auc, at(0.001), at(0.01));
    }
    if let Some(blind) = found.blind {
        let word =
            if blind.beats_chance { "members and non-members differ by themselves" } else { "no sign of unfairness" };
        let _ = writeln!(
            out,
            "\nwithout any output of the model: AUC {:.4}, one-sided p {:.4} ({word})",
            blind.auc, blind.p_value
        );
    }
    out
}
