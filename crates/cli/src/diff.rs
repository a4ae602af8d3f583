//! `flatleak diff`.

use std::path::Path;
use std::process::ExitCode;

use flatleak::{Diff, Figure, diff, outputs};
use flatleak_report::text::{Text, Tone};
use flatleak_report::{Sheet, words};
use flatleak_results::{Measure, Metric, Property};
use flatleak_verdict::SUMMARY;
use serde_json::json;

use crate::exit::{Failure, USAGE};
use crate::options::MessageFormat;
use crate::voice::{done, text, width};

/// Sets two finished runs side by side.
pub(crate) fn run(first: &Path, second: &Path, format: MessageFormat) -> Result<ExitCode, Failure> {
    let [a, b] = [outputs::read(first)?, outputs::read(second)?];
    let found = diff(&a, &b).map_err(|e| Failure::new(USAGE, e))?;
    let event = json!({ "first": text(first), "second": text(second), "diff": found });
    done(format, event, || told(&found, (first, second), width()));
    Ok(ExitCode::SUCCESS)
}

fn told(d: &Diff, (first, second): (&Path, &Path), width: usize) -> Text {
    let mut out = Text::default();
    for (which, path, verdict) in [("first", first, d.verdicts[0]), ("second", second, d.verdicts[1])] {
        out.paragraph(Tone::Plain, &path.display().to_string(), (&format!("{which:<8}"), 8), width);
        out.push(Tone::Plain, "        ");
        out.line(verdict.into(), words::verdict(verdict));
    }
    for r in &d.recipes {
        let title = format!("{} on {}", r.recipe, r.dataset);
        let models = format!("models: {} and {}", r.models[0], r.models[1]);
        put(&title, Some(models), shown(&r.figures), width, &mut out);
    }
    for c in &d.comparisons {
        let title = format!("{} - {} on {}", c.candidate, c.baseline, c.dataset);
        let said = format!("first: {}; second: {}", words::verdict(c.verdicts[0]), words::verdict(c.verdicts[1]));
        put(&title, Some(said), shown(&c.figures), width, &mut out);
    }
    if !d.settings.is_empty() {
        out.line(Tone::Strong, "\nsettings that differ");
    }
    for s in &d.settings {
        out.paragraph(Tone::Plain, &format!("{}: {}", s.what, s.first), ("  ", 4), width);
        out.paragraph(Tone::Plain, &format!("{}: {}", s.what, s.second), ("  ", 4), width);
    }
    for (which, names) in [("first", &d.only_first), ("second", &d.only_second)] {
        if !names.is_empty() {
            out.paragraph(Tone::Plain, &format!("in the {which} alone: {}", names.join(", ")), ("\n", 2), width);
        }
    }
    for note in &d.notes {
        out.paragraph(Tone::Plain, note, ("note: ", 2), width);
    }
    let why = "Differences are second less first. They have no interval: recipes of one study are compared model by model, with intervals.";
    out.paragraph(Tone::Faint, why, ("\n", 0), width);
    out
}

/// FPR levels that stand in the table.
const SHOWN: [f64; 2] = [0.001, 0.01];

/// Figures that stand in the table; the events have all. Of attacks the first of summaries that both have, by which leakage is told.
fn shown(figures: &[Figure]) -> impl Iterator<Item = &Figure> {
    let of = |name: &str| figures.iter().any(|f| f.metric.attack_name() == Some(name));
    let telling = SUMMARY.map(|attack| attack.name()).into_iter().find(|name| of(name));
    figures.iter().filter(move |f| match &f.metric {
        Metric::Attack { attack, measure } => {
            let shown = matches!(measure, Measure::Auc) || SHOWN.map(Measure::Tpr).contains(measure);
            shown && telling.as_ref() == Some(attack)
        }
        Metric::Property(property) => {
            matches!(property, Property::TestAccuracy | Property::MemberAccuracy | Property::NonMemberAccuracy)
        }
        Metric::Group { .. } => false,
    })
}

fn put<'a>(title: &str, said: Option<String>, figures: impl Iterator<Item = &'a Figure>, width: usize, out: &mut Text) {
    let mut sheet = Sheet::new("", title).figures("first").figures("second").figures("difference");
    for f in figures {
        sheet.row(
            format!("  {}", f.metric),
            vec![words::plus_minus(f.first), words::plus_minus(f.second), signed(f.difference)],
        );
    }
    out.line(Tone::Plain, "");
    out.extend(sheet.lay_out(width));
    if let Some(said) = said {
        out.paragraph(Tone::Plain, &said, ("  ", 4), width);
    }
}

/// Four places; what they do not show has no sign.
fn signed(v: f64) -> String {
    if v.abs() < 0.00005 { "0.0000".into() } else { format!("{v:+.4}") }
}
