//! The outcome in the terminal.

use std::fmt::Write;

use flatleak_stats::Interval;
use flatleak_theory::{Along, Contraction, Family, Outcome, Own};

use super::phrases::{ARRIVED, change, headline, nearest, problem, signed};
use crate::table::wrap;

/// Etas of the grid that are shown: the nearest to these, and both ends.
const SHOWN: [f64; 5] = [0.01, 0.1, 1.0, 10.0, 100.0];

/// Plain text of at most 100 columns.
pub fn table(o: &Outcome) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(o, &mut out);
    out
}

/// The path of a problem that was brought along, plain text of at most 100 columns.
pub fn own_table(own: &Own) -> String {
    let mut out = format!("{} examples in {} dimensions\n", own.examples, own.dimensions);
    if let Some(d) = own.degenerate {
        out += &wrap(&format!("no contraction: {}", d.reason()), 96).join("\n");
        out.push('\n');
    }
    let heads = ["eta", "v(eta)", "v'(eta)", "on |f|", "memorized", "condition", "|y - Xw|"];
    let _ = writeln!(out, "\n{}", heads.map(|h| format!("{h:>12}")).concat());
    for p in &own.path {
        let eta = p.eta.map_or("limit".into(), |eta| format!("{eta:.3}"));
        let absolute = p.absolute.map_or("-".into(), |a| format!("{a:.4}"));
        let _ = writeln!(
            out,
            "{eta:>12}{:>12.5}{:>+12.5}{absolute:>12}{:>12.4}{:>12.1e}{:>12.0e}",
            p.second_moment, p.slope, p.memorization, p.condition, p.residual
        );
    }
    if let Some(why) = &own.left_out {
        let _ = writeln!(out, "\n{}", wrap(&format!("on |f|: left out; {why}"), 96).join("\n"));
    }
    out
}

fn write(o: &Outcome, out: &mut String) -> std::fmt::Result {
    for line in wrap(&headline(o), 96) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    for line in wrap(&format!("{}; means over {} draws.", problem(&o.setting), o.draws), 96) {
        writeln!(out, "{line}")?;
    }
    path(o, out)?;
    families(o, out)?;
    attacks(o, out)?;
    descent(o, out)?;
    bridge(o, out)
}

fn short(e: &Interval) -> String {
    format!("{:.3}", e.mean)
}

fn path(o: &Outcome, out: &mut String) -> std::fmt::Result {
    let heads = ["eta", "v(eta)", "v'(eta)", "sigma", "error", "confidence", "best attack", "memorized"];
    writeln!(
        out,
        "\n{:>8}{:>9}{:>10}{:>9}{:>9}{:>12}{:>13}{:>11}",
        heads[0], heads[1], heads[2], heads[3], heads[4], heads[5], heads[6], heads[7]
    )?;
    for a in shown(&o.path) {
        let eta = a.eta.map_or("limit".into(), |eta| format!("{eta:.2}"));
        let slope = format!("{:+.4}", a.slope.mean);
        writeln!(
            out,
            "{eta:>8}{:>9}{slope:>10}{:>9}{:>9}{:>12}{:>13}{:>11}",
            short(&a.second_moment),
            short(&a.deviation),
            short(&a.test_error),
            short(&a.confidence),
            short(&a.likelihood_ratio),
            short(&a.memorization),
        )?;
    }
    let worst = o.path.iter().map(|a| a.condition).fold(0.0, f64::max);
    let residual = o.path.iter().map(|a| a.residual).fold(0.0, f64::max);
    writeln!(out, "worst condition number {worst:.1e}, largest |y - Xw| {residual:.0e}")
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

fn families(o: &Outcome, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "\n{:<12}{:>14}{:>25}{:>25}{:>22}",
        "family", "v end / start", "confidence", "best attack", "test error"
    )?;
    for f in &o.families {
        if let Some(d) = f.degenerate {
            writeln!(out, "{:<12}{:>14}  {}", f.family.name(), "1", why(&f.family, d.reason()))?;
            continue;
        }
        let of = |what| change(&f.changes, what).map_or(String::new(), |c| signed(&c.difference));
        let error = change(&f.changes, "test_error").map_or(String::new(), |c| format!("{:+.3}", c.difference.mean));
        writeln!(
            out,
            "{:<12}{:>14}{:>25}{:>25}{error:>22}",
            f.family.name(),
            short(&f.contraction),
            of("confidence"),
            of("likelihood_ratio")
        )?;
    }
    Ok(())
}

fn why(family: &Family, reason: &str) -> String {
    if matches!(family, Family::Isotropic) {
        "no contraction: every metric picks the same interpolator".into()
    } else {
        reason.into()
    }
}

fn attacks(o: &Outcome, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "\n{:<32}{:>8}{:>14}{:>14}{:>28}",
        "attack on drawn examples", "eta", "closed form", "simulated", "difference, 95 %"
    )?;
    for a in &o.agreement {
        let name = format!("{} ({})", a.attack, a.premise);
        let eta = format!("{}", a.eta);
        writeln!(
            out,
            "{name:<32}{eta:>8}{:>14.3}{:>14.3}{:>28}",
            a.closed_form,
            a.simulated.mean,
            signed(&a.difference)
        )?;
    }
    if o.simulated.is_empty() {
        return writeln!(
            out,
            "no attack with shadows: without noise on the labels their outputs on members are one point"
        );
    }
    writeln!(
        out,
        "\n{:<32}{:>8}{:>26}{:>30}",
        format!("{} linear models attacked", o.models),
        "eta",
        "AUC, 95 %",
        "minus that at eta 0"
    )?;
    for s in &o.simulated {
        let auc = format!("{:.3} [{:.3}, {:.3}]", s.auc.mean, s.auc.low, s.auc.high);
        let difference = if s.eta > 0.0 { signed(&s.difference) } else { String::new() };
        let row = format!("{:<32}{:>8}{auc:>26}{difference:>30}", s.attack, s.eta);
        writeln!(out, "{}", row.trim_end())?;
    }
    Ok(())
}

fn descent(o: &Outcome, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "\n{:<11}{:<26}{:>8}{:>9}{:>10}{:>8}{:>26}",
        "written as", "trained with", "from w_0", "best eta", "from it", "v / v_0", "v / v_0, minus SGD's"
    )?;
    for d in &o.descent {
        let rate = if d.decays { "" } else { ", fixed rate" };
        let how = if d.rho > 0.0 { format!("{} {}{rate}", d.optimizer, d.rho) } else { d.optimizer.clone() };
        let eta = nearest(d);
        let how = if d.residual < ARRIVED { how } else { format!("{how} *") };
        let against = d.against_sgd.as_ref().map_or(String::new(), |a| signed(&a.second_moment));
        writeln!(
            out,
            "{:<11}{how:<26}{:>8.4}{eta:>9}{:>10.4}{:>8.3}{against:>26}",
            d.parameters, d.from_minimum_norm, d.from_nearest, d.relative_second_moment.mean,
        )?;
    }
    if o.descent.iter().any(|d| d.residual >= ARRIVED) {
        writeln!(out, "* has not arrived: some label is missed by {ARRIVED} or more")?;
    }
    for what in &o.left_out {
        writeln!(out, "left out: {what}")?;
    }
    Ok(())
}

/// The answer in a word.
pub(super) fn word(c: Contraction) -> &'static str {
    match c {
        Contraction::Helps => "helps",
        Contraction::Hinders => "hinders",
        Contraction::Open => "open",
    }
}

fn bridge(o: &Outcome, out: &mut String) -> std::fmt::Result {
    if o.placed.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:<24}{:>16}{:>14}{:>22}{:>22}",
        "trained networks", "gap / sigma", "tau / sigma", "narrower, threshold", "narrower, best attack"
    )?;
    for p in &o.placed {
        writeln!(
            out,
            "{:<24}{:>16.3}{:>14.3}{:>22}{:>22}",
            p.recipe,
            p.gap.mean,
            p.ratio.mean,
            word(p.confidence_contraction),
            word(p.likelihood_ratio_contraction)
        )?;
    }
    for s in &o.steps {
        let contraction = s.contraction.as_ref().map_or("not defined".into(), signed);
        writeln!(out, "{} against {}: ln(sigma / gap) {contraction}", s.candidate, s.baseline)?;
    }
    Ok(())
}
