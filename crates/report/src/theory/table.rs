//! The outcome in the terminal.

use flatleak_stats::Interval;
use flatleak_theory::{Along, Contraction, Family, Outcome, Own};

use super::phrases::{ARRIVED, change, headline, nearest, problem, signed};
use crate::sheet::Sheet;
use crate::text::{Text, Tone};

/// Etas of the grid that are shown: the nearest to these, and both ends.
const SHOWN: [f64; 5] = [0.01, 0.1, 1.0, 10.0, 100.0];

/// The outcome for a terminal of so many columns.
pub fn table(o: &Outcome, width: usize) -> Text {
    let mut out = Text::default();
    out.paragraph(Tone::Plain, &headline(o), ("", 0), width);
    out.line(Tone::Plain, "");
    out.paragraph(Tone::Plain, &format!("{}; means over {} draws.", problem(&o.setting), o.draws), ("", 0), width);
    put(&path(o), width, &mut out);
    let worst = o.path.iter().map(|a| a.condition).fold(0.0, f64::max);
    let residual = o.path.iter().map(|a| a.residual).fold(0.0, f64::max);
    let said = format!("worst condition number {worst:.1e}, largest |y - Xw| {residual:.0e}");
    out.paragraph(Tone::Faint, &said, ("", 2), width);
    families(o, width, &mut out);
    attacks(o, width, &mut out);
    descent(o, width, &mut out);
    bridge(o, width, &mut out);
    out
}

/// The path of a problem that was brought along, for a terminal of so many columns.
pub fn own_table(own: &Own, width: usize) -> Text {
    let mut out = Text::default();
    out.line(Tone::Plain, &format!("{} examples in {} dimensions", own.examples, own.dimensions));
    if let Some(d) = own.degenerate {
        out.paragraph(Tone::Plain, &format!("no contraction: {}", d.reason()), ("", 0), width);
    }
    let heads = ["v(eta)", "v'(eta)", "on |f|", "memorized", "condition", "|y - Xw|"];
    let mut sheet = heads.into_iter().fold(Sheet::new("", "eta"), Sheet::figures);
    for p in &own.path {
        let cells = vec![
            format!("{:.5}", p.second_moment),
            format!("{:+.5}", p.slope),
            p.absolute.map_or("-".into(), |a| format!("{a:.4}")),
            format!("{:.4}", p.memorization),
            format!("{:.1e}", p.condition),
            format!("{:.0e}", p.residual),
        ];
        sheet.row(p.eta.map_or("limit".into(), |eta| format!("{eta:.3}")), cells);
    }
    put(&sheet, width, &mut out);
    if let Some(why) = &own.left_out {
        out.line(Tone::Plain, "");
        out.paragraph(Tone::Plain, &format!("on |f|: left out; {why}"), ("", 2), width);
    }
    out
}

fn put(sheet: &Sheet, width: usize, out: &mut Text) {
    out.line(Tone::Plain, "");
    out.extend(sheet.lay_out(width));
}

fn short(e: &Interval) -> String {
    format!("{:.3}", e.mean)
}

fn path(o: &Outcome) -> Sheet {
    let heads = ["v(eta)", "v'(eta)", "sigma", "error", "confidence", "best attack", "memorized"];
    let mut sheet = heads.into_iter().fold(Sheet::new("", "eta"), Sheet::figures);
    for a in shown(&o.path) {
        let rest = [&a.deviation, &a.test_error, &a.confidence, &a.likelihood_ratio, &a.memorization];
        let first = [short(&a.second_moment), format!("{:+.4}", a.slope.mean)];
        let cells = first.into_iter().chain(rest.map(short)).collect();
        sheet.row(a.eta.map_or("limit".into(), |eta| format!("{eta:.2}")), cells);
    }
    sheet
}

fn shown(path: &[Along]) -> Vec<&Along> {
    let near = |eta: f64| {
        let distance = |a: &Along| a.eta.filter(|e| *e > 0.0).map_or(f64::INFINITY, |e| (e / eta).ln().abs());
        path.iter().enumerate().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))).map_or(0, |(k, _)| k)
    };
    let mut rows: Vec<usize> = SHOWN.iter().map(|eta| near(*eta)).collect();
    rows.extend([0, path.len().saturating_sub(1)]);
    rows.sort_unstable();
    rows.dedup();
    rows.into_iter().filter_map(|k| path.get(k)).collect()
}

fn families(o: &Outcome, width: usize, out: &mut Text) {
    let heads = ["v end / start", "confidence", "best attack", "test error"];
    let mut sheet = heads.into_iter().fold(Sheet::new("", "family"), Sheet::figures);
    let mut degenerate = Vec::new();
    for f in &o.families {
        if let Some(d) = f.degenerate {
            degenerate.push(format!("{}: {}", f.family.name(), why(&f.family, d.reason())));
            continue;
        }
        let of = |what| change(&f.changes, what).map_or(String::new(), |c| signed(&c.difference));
        let error = change(&f.changes, "test_error").map_or(String::new(), |c| format!("{:+.3}", c.difference.mean));
        let cells = vec![short(&f.contraction), of("confidence"), of("likelihood_ratio"), error];
        sheet.row(f.family.name(), cells);
    }
    put(&sheet, width, out);
    for said in degenerate {
        out.paragraph(Tone::Plain, &said, ("", 2), width);
    }
}

fn why(family: &Family, reason: &str) -> String {
    if matches!(family, Family::Isotropic) {
        "no contraction: every metric picks the same interpolator".into()
    } else {
        reason.into()
    }
}

fn attacks(o: &Outcome, width: usize, out: &mut Text) {
    let heads = ["eta", "closed form", "simulated", "difference, 95 %"];
    let mut sheet = heads.into_iter().fold(Sheet::new("", "attack on drawn examples"), Sheet::figures);
    for a in &o.agreement {
        let numbers = [a.closed_form, a.simulated.mean].map(|v| format!("{v:.3}"));
        let cells = std::iter::once(a.eta.to_string()).chain(numbers).chain([signed(&a.difference)]);
        sheet.row(format!("{} ({})", a.attack, a.premise), cells.collect());
    }
    put(&sheet, width, out);
    if o.simulated.is_empty() {
        let said = "no attack with shadows: without noise on the labels their outputs on members are one point";
        out.paragraph(Tone::Plain, said, ("", 2), width);
        return;
    }
    let title = format!("{} linear models attacked", o.models);
    let heads = ["eta", "AUC, 95 %", "minus that at eta 0"];
    let mut sheet = heads.into_iter().fold(Sheet::new("", title), Sheet::figures);
    for s in &o.simulated {
        let auc = format!("{:.3} [{:.3}, {:.3}]", s.auc.mean, s.auc.low, s.auc.high);
        let difference = if s.eta > 0.0 { signed(&s.difference) } else { String::new() };
        sheet.row(s.attack.to_string(), vec![s.eta.to_string(), auc, difference]);
    }
    put(&sheet, width, out);
}

fn descent(o: &Outcome, width: usize, out: &mut Text) {
    let heads = ["from w_0", "best eta", "from it", "v / v_0", "v / v_0, minus SGD's"];
    let mut sheet = heads.into_iter().fold(Sheet::new("", "written as, trained with"), Sheet::figures);
    for d in &o.descent {
        let rate = if d.decays { "" } else { ", fixed rate" };
        let how = if d.rho > 0.0 { format!("{} {}{rate}", d.optimizer, d.rho) } else { d.optimizer.clone() };
        let how = if d.residual < ARRIVED { how } else { format!("{how} *") };
        let against = d.against_sgd.as_ref().map_or(String::new(), |a| signed(&a.second_moment));
        let cells = vec![
            format!("{:.4}", d.from_minimum_norm),
            nearest(d),
            format!("{:.4}", d.from_nearest),
            format!("{:.3}", d.relative_second_moment.mean),
            against,
        ];
        sheet.row(format!("{:<10} {how}", d.parameters.to_string()), cells);
    }
    put(&sheet, width, out);
    if o.descent.iter().any(|d| d.residual >= ARRIVED) {
        out.paragraph(
            Tone::Faint,
            &format!("* has not arrived: some label is missed by {ARRIVED} or more"),
            ("", 2),
            width,
        );
    }
    for what in &o.left_out {
        out.paragraph(Tone::Plain, &format!("left out: {what}"), ("", 2), width);
    }
}

/// The answer in a word.
pub(super) fn word(c: Contraction) -> &'static str {
    match c {
        Contraction::Helps => "helps",
        Contraction::Hinders => "hinders",
        Contraction::Open => "open",
    }
}

fn bridge(o: &Outcome, width: usize, out: &mut Text) {
    if o.placed.is_empty() {
        return;
    }
    let sheet = Sheet::new("", "trained networks").figures("gap / sigma").figures("tau / sigma");
    let mut sheet = sheet.figures("narrower, threshold").figures("narrower, best");
    for p in &o.placed {
        let numbers = [p.gap.mean, p.ratio.mean].map(|v| format!("{v:.3}"));
        let words = [p.confidence_contraction, p.likelihood_ratio_contraction].map(|c| word(c).to_owned());
        sheet.row(p.recipe.clone(), numbers.into_iter().chain(words).collect());
    }
    put(&sheet, width, out);
    for s in &o.steps {
        let contraction = s.contraction.as_ref().map_or("not defined".into(), signed);
        let said = format!("{} against {}: ln(sigma / gap) {contraction}", s.candidate, s.baseline);
        out.paragraph(Tone::Plain, &said, ("", 2), width);
    }
}
