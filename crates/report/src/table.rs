//! The summary in the terminal.

use flatleak_attack::Attack;
use flatleak_results::{
    Comparison, Document, Estimate, Frontier, FrontierPoint, GroupProperty, Measure, Metric, MetricDifference,
    Property, RecipeResult, Side, Spreads,
};
use std::fmt::Write;

use flatleak_verdict::{FEW, HEADLINE, SUMMARY, headline_metric};

use crate::names;
use crate::say::{at_end, label, leaks, outcome, probability, without_outputs};

/// Levels of noise that the summary shows.
const SHOWN_LEVELS: usize = 4;

/// Plain text of at most 100 columns.
pub fn render(d: &Document) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&names::short(d, &names::long(d)), &mut out);
    out
}

fn write(d: &Document, out: &mut String) -> std::fmt::Result {
    if d.study.quick {
        writeln!(out, "not for decisions: a quick run\n")?;
    }
    for line in wrap(&d.headline.sentence, 96) {
        writeln!(out, "{line}")?;
    }
    for data in &d.study.datasets {
        if d.study.datasets.len() > 1 {
            writeln!(out, "\n== {}", data.name)?;
        }
        one(d, &data.name, out)?;
    }
    pooled(d, out)?;
    claims(d, out)?;
    for note in &d.notes {
        let lines = wrap(note, 92);
        for (k, line) in lines.iter().enumerate() {
            writeln!(out, "{}{line}", if k == 0 { "\nnote: " } else { "  " })?;
        }
    }
    for name in &d.diverged {
        writeln!(out, "\nrecipe {name} diverged and is left out")?;
    }
    Ok(())
}

/// The tables of one data set.
fn one(d: &Document, dataset: &str, out: &mut String) -> std::fmt::Result {
    let recipes: Vec<&RecipeResult> = d.recipes.iter().filter(|r| r.dataset == dataset).collect();
    if recipes.is_empty() {
        return Ok(());
    }
    let width = recipes.iter().map(|r| r.name.len() + 1).max().unwrap_or(0).clamp(12, 30);
    writeln!(
        out,
        "\n{:<width$}{:>8}{:>18}{:>18}{:>18}",
        "recipe", "models", "test accuracy", "members", "non-members"
    )?;
    for r in &recipes {
        let test = r.test_accuracy.map_or("-".into(), plus_minus);
        let [member, non] = [r.member_accuracy, r.non_member_accuracy].map(plus_minus);
        writeln!(out, "{:<width$}{:>8}{test:>18}{member:>18}{non:>18}", r.name, r.models)?;
    }
    noise(&recipes, out)?;
    // More columns than a terminal has.
    let many = recipes.len() > FEW;
    if !many && recipes.iter().any(|r| !r.attacks.is_empty()) {
        attacks(d, &recipes, out)?;
    }
    for f in d.frontiers.iter().filter(|f| f.dataset == dataset && many) {
        frontier(f, out)?;
    }
    let mut joint = false;
    for c in d.comparisons.iter().filter(|c| c.dataset == dataset) {
        joint |= !many && !c.points.is_empty();
        if many {
            for (k, line) in wrap(&c.headline.sentence, 94).iter().enumerate() {
                writeln!(out, "{}{line}", if k == 0 { "\n" } else { "  " })?;
            }
        } else {
            comparison(c, out)?;
        }
    }
    if joint {
        writeln!(out, "* intervals that hold together for all comparisons, p corrected for their number")?;
    }
    Ok(())
}

/// Held-out accuracy under every level of noise.
fn noise(recipes: &[&RecipeResult], out: &mut String) -> std::fmt::Result {
    let Some(first) = recipes.iter().find(|r| !r.noise.is_empty()) else { return Ok(()) };
    write!(out, "\n{:<24}", "test accuracy, noise")?;
    // As many as a terminal has room for; the report has all.
    for n in first.noise.iter().take(SHOWN_LEVELS) {
        write!(out, "{:>18}", n.deviation)?;
    }
    writeln!(out)?;
    for r in recipes {
        write!(out, "{:<24}", r.name)?;
        for n in r.noise.iter().take(SHOWN_LEVELS) {
            write!(out, "{:>18}", plus_minus(n.accuracy))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Recipes by leakage, and what is left of differences at equal accuracy.
fn frontier(f: &Frontier, out: &mut String) -> std::fmt::Result {
    let mut points: Vec<&FrontierPoint> = f.points.iter().collect();
    points.sort_by(|a, b| a.leakage.mean.total_cmp(&b.leakage.mean));
    writeln!(out, "\n{:<28}{:>16}{:>24}{:>30}", "by leakage", "AUC", "attack", "test accuracy beside the best")?;
    for p in points {
        let loss = format!("{:+.4} [{:+.4}, {:+.4}]", p.loss.mean, p.loss.low, p.loss.high);
        let star = if p.pareto { "*" } else { " " };
        let attack = p.attack.trim_start_matches("lira-");
        writeln!(out, "{star} {:<26}{:>16}{attack:>24}{loss:>30}", p.recipe, plus_minus(p.leakage))?;
    }
    writeln!(out, "* no other recipe is at least as accurate and leaks no more")?;
    // Members are all right sooner or later: only held-out accuracy tells epochs apart here.
    for m in f.matched.iter().filter(|m| m.at == Property::TestAccuracy) {
        if let Some(e) = m.difference {
            let found = format!("{:+.4} [{:+.4}, {:+.4}]", e.mean, e.low, e.high);
            writeln!(out, "at equal test accuracy, {HEADLINE} AUC, {} - {}: {found}", m.candidate, m.baseline)?;
        }
    }
    Ok(())
}

/// AUC of the attacks that are shown, by recipe.
fn attacks(d: &Document, recipes: &[&RecipeResult], out: &mut String) -> std::fmt::Result {
    write!(out, "\n{:<24}", "AUC")?;
    for r in recipes {
        write!(out, "{:>18}", r.name)?;
    }
    writeln!(out)?;
    for name in SUMMARY.map(Attack::name) {
        write!(out, "{:<24}", label(d, &name))?;
        for r in recipes {
            let found = r.attack(&name).map_or(String::new(), |a| plus_minus(a.auc));
            write!(out, "{found:>18}")?;
        }
        writeln!(out)?;
    }
    if recipes.iter().any(|r| r.blind.is_some()) {
        blind(recipes, out)?;
    }
    Ok(())
}

/// Whether members and non-members differ by themselves.
fn blind(recipes: &[&RecipeResult], out: &mut String) -> std::fmt::Result {
    write!(out, "{:<24}", "without outputs")?;
    for r in recipes {
        write!(out, "{:>18}", r.blind.as_ref().map_or(String::new(), |b| without_outputs(b, plus_minus)))?;
    }
    writeln!(out)
}

/// The points of one pair on which the headline rests, and what belongs beside them.
fn comparison(c: &Comparison, out: &mut String) -> std::fmt::Result {
    let title = format!("{} - {}", c.candidate, c.baseline);
    writeln!(out, "\n{title:<34}{:>28}{:>10}", "difference, 95 %", "p")?;
    let mut row = |name: &str, e: &Estimate, p: f64, word: &str| {
        let interval = format!("{:+.4} [{:+.4}, {:+.4}]", e.mean, e.low, e.high);
        writeln!(out, "  {name:<32}{interval:>28}{:>10}  {word}", probability(p))
    };
    for p in &c.points {
        row(&format!("{} *", p.metric), &p.difference, p.p_adjusted, leaks(p.word))?;
    }
    let noisy = Metric::Group { property: GroupProperty::Memorization, group: NOISY.into() };
    let shown = |m: &Metric| summarised(m) || *m == noisy || m.is_lost_to_noise();
    // Results of schema version 1 have their points among the metrics alone.
    let is_point = |m: &MetricDifference| c.points.is_empty() && m.p_adjusted.is_some();
    for m in c.metrics.iter().filter(|m| is_point(m) || shown(&m.metric)) {
        row(&m.metric.to_string(), &m.difference, m.p_value, outcome(m))?;
    }
    Ok(())
}

/// The group of examples with wrong labels, where a data set has one.
const NOISY: &str = "noisy";

/// Properties of models that stand in summaries.
fn summarised(metric: &Metric) -> bool {
    matches!(
        metric,
        Metric::Property(Property::TestAccuracy | Property::Variance(Spreads::Confidence, Side::NonMember))
    )
}

/// Differences over all data sets.
fn pooled(d: &Document, out: &mut String) -> std::fmt::Result {
    let auc = headline_metric(Measure::Auc);
    let shown = |m: &Metric| *m == auc || summarised(m);
    let mut title = String::new();
    for p in d.pooled.iter().filter(|p| shown(&p.metric)) {
        let pair = format!("{} - {}, {} data sets", p.candidate, p.baseline, p.datasets);
        if pair != title {
            writeln!(out, "\n{pair:<34}{:>28}{:>10}{:>8}", "random effects, 95 %", "p", "I^2")?;
            title = pair;
        }
        let e = p.difference;
        let interval = format!("{:+.4} [{:+.4}, {:+.4}]", e.mean, e.low, e.high);
        writeln!(
            out,
            "  {:<32}{interval:>28}{:>10}{:>8.2}",
            p.metric.to_string(),
            probability(p.p_value),
            p.heterogeneity
        )?;
    }
    Ok(())
}

/// What the run says about the study's claims.
fn claims(d: &Document, out: &mut String) -> std::fmt::Result {
    if !d.explain.claims.is_empty() {
        writeln!(out, "\nThe study's claims, here")?;
    }
    let mut statement = "";
    for c in &d.explain.claims {
        if c.statement != statement {
            statement = &c.statement;
            for (k, line) in wrap(&format!("({}) {}", c.claim, c.statement), 94).iter().enumerate() {
                writeln!(out, "{}{line}", if k == 0 { "  " } else { "      " })?;
            }
        }
        let which = if d.study.datasets.len() > 1 { format!(", {}", c.dataset) } else { String::new() };
        for line in wrap(&format!("{}{which}: {}", c.candidate, c.sentence), 92) {
            writeln!(out, "      {line}")?;
        }
    }
    Ok(())
}

fn plus_minus(e: Estimate) -> String {
    if let Some((sign, limit)) = at_end(&e) {
        return format!("{:.4} {sign}{limit:.4}", e.mean);
    }
    format!("{:.4} ±{:.4}", e.mean, (e.high - e.low) / 2.0)
}

/// Text in lines of at most so many characters, where its words allow.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}
