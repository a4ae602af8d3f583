//! What is said of a single target.

use flatleak::Target;
use flatleak_report::Sheet;
use flatleak_report::text::{Text, Tone};
use flatleak_results::{LABEL, shortened};

/// The table in a terminal of so many columns.
pub(super) fn table(found: &Target, width: usize) -> Text {
    let mut out = Text::default();
    out.paragraph(Tone::Plain, &found.sentence(), ("", 0), width);
    let of = format!(
        "model {} of {}: {} members, {} others, {} shadows; limits are nominal, over its examples",
        found.target,
        shortened(&found.recipe, LABEL),
        found.members,
        found.non_members,
        found.shadows
    );
    out.line(Tone::Plain, "");
    out.paragraph(Tone::Plain, &of, ("", 0), width);
    out.line(Tone::Plain, "");
    let mut sheet = Sheet::new("", "attack").figures("AUC").figures("TPR @ 0.1 % FPR").figures("TPR @ 1 % FPR");
    for attack in &found.attacks {
        let at = |level: f64| {
            let point = attack.tpr_at_fpr.iter().find(|t| t.fpr == level);
            point.map_or(String::new(), |t| {
                format!("{:.2} % [{:.2}, {:.2}]", 100.0 * t.tpr.mean, 100.0 * t.tpr.low, 100.0 * t.tpr.high)
            })
        };
        sheet.row(attack.name.clone(), vec![format!("{:.4}", attack.auc), at(0.001), at(0.01)]);
    }
    out.extend(sheet.lay_out(width));
    if let Some(blind) = found.blind {
        let word =
            if blind.beats_chance { "members and non-members differ by themselves" } else { "no sign of unfairness" };
        let said =
            format!("without any output of the model: AUC {:.4}, one-sided p {:.4} ({word})", blind.auc, blind.p_value);
        out.line(Tone::Plain, "");
        out.paragraph(Tone::Plain, &said, ("", 0), width);
    }
    out
}
