//! `theory.html`: one file that works offline.

use askama::Template;
use flatleak_stats::Interval;
use flatleak_theory::{Along, Change, Contraction, Descent, Outcome, Placed, Simulated};

use super::phrases::{ARRIVED, change, end, headline, nearest, problem, signed};
use super::plot::{self, Densities, Frame, Map};
use super::table;
use crate::error::Error;
use crate::hue::{DARK, Hue, LIGHT};
use crate::plot::Figure;
use crate::shell;

#[derive(Template)]
#[template(path = "theory.html")]
struct Page<'a> {
    o: &'a Outcome,
    headline: String,
    problem: String,
    end: String,
    densities: Densities,
    policy: String,
    along: Vec<Figure>,
    sweeps: [Figure; 2],
    maps: Vec<Figure>,
    version: &'a str,
}

fn group(a: &Along, k: usize) -> Interval {
    a.groups.get(k).map_or(Interval { mean: 0.0, low: 0.0, high: 0.0 }, |g| g.test_error)
}

impl Page<'_> {
    fn figure(&self, e: &Interval) -> String {
        format!("{:.3} ± {:.3}", e.mean, 0.5 * (e.high - e.low))
    }

    fn signed(&self, e: &Interval) -> String {
        signed(e)
    }

    fn change(&self, changes: &[Change], what: &str) -> String {
        change(changes, what).map_or(String::new(), |c| signed(&c.difference))
    }

    fn eta(&self, eta: &Option<f64>) -> String {
        eta.map_or("∞".into(), |eta| if eta == 0.0 { "0".into() } else { format!("{eta:.3}") })
    }

    fn word(&self, c: &Contraction) -> &'static str {
        table::word(*c)
    }

    fn three(&self, v: &f64) -> String {
        format!("{v:.3}")
    }

    fn small(&self, v: &f64) -> String {
        if *v < 1e-3 { format!("{v:.0e}").replace('-', "−") } else { format!("{v:.4}") }
    }

    fn percent(&self, v: &f64) -> String {
        format!("{:.1} %", 100.0 * v)
    }

    /// The attacks on the pool, each with its etas.
    fn by_attack(&self) -> Vec<Vec<&Simulated>> {
        let mut out: Vec<Vec<&Simulated>> = Vec::new();
        for s in &self.o.simulated {
            match out.iter_mut().find(|rows| rows[0].attack == s.attack) {
                Some(rows) => rows.push(s),
                None => out.push(vec![s]),
            }
        }
        out
    }

    /// What SAM did in the networks that are not plain least squares, at its largest radius.
    fn observations(&self) -> Vec<String> {
        let mut out: Vec<&Descent> = Vec::new();
        for d in self.o.descent.iter().filter(|d| d.rho > 0.0 && d.parameters != "linear") {
            match out.iter_mut().find(|before| before.parameters == d.parameters) {
                Some(before) if before.rho < d.rho => *before = d,
                Some(_) => {}
                None => out.push(d),
            }
        }
        out.into_iter().map(observation).collect()
    }

    /// Where the recipes lie, in words.
    fn reading(&self) -> String {
        let count = |of: fn(&Placed) -> Contraction, which| self.o.placed.iter().filter(|p| of(p) == which).count();
        let one = |name: &str, of: fn(&Placed) -> Contraction| {
            let (helps, hinders) = (count(of, Contraction::Helps), count(of, Contraction::Hinders));
            format!("{name}, a narrower spread would help in {helps} and hinder in {hinders}")
        };
        format!(
            "Of the {} recipes here: for one threshold{}; for the best attack{}.",
            self.o.placed.len(),
            one("", |p| p.confidence_contraction),
            one("", |p| p.likelihood_ratio_contraction)
        )
    }

    fn nearest(&self, d: &Descent) -> String {
        nearest(d)
    }

    /// Where the slider stands at first: the end, where the effect is largest.
    fn last(&self) -> usize {
        self.densities.frames.len().saturating_sub(1)
    }

    fn frame(&self) -> Option<&Frame> {
        self.densities.frames.last()
    }
}

fn observation(d: &Descent) -> String {
    let network = format!("In the {} network SAM with radius {}", d.parameters, d.rho);
    let Some(against) = d.against_sgd.as_ref().filter(|_| d.residual < ARRIVED) else {
        return format!(
            "{network} did not arrive at an interpolating solution (largest error {:.2}): no statement.",
            d.residual
        );
    };
    let v = &against.second_moment;
    let moved = match (v.high < 0.0, v.low > 0.0) {
        (true, _) => "ends with narrower outputs on unseen examples than SGD from the same start",
        (_, true) => "ends with wider outputs on unseen examples than SGD from the same start",
        _ => "is not shown to end with other outputs on unseen examples than SGD from the same start",
    };
    let nearer = if d.nearest_eta > 0.0 && d.from_nearest < 0.75 * d.from_minimum_norm {
        format!(
            "The path’s solution at eta {} describes the result better (distance {:.2}) than the smallest-norm one ({:.2})",
            nearest(d),
            d.from_nearest,
            d.from_minimum_norm
        )
    } else {
        format!(
            "No eta describes the result much better (distance {:.2} at best) than 0 ({:.2})",
            d.from_nearest, d.from_minimum_norm
        )
    };
    format!("{network} {moved}: v / v₀ differs by {}. {nearer}.", signed(v))
}

/// What moves along eta, a figure each.
fn along(o: &Outcome) -> Vec<Figure> {
    let mut out = vec![
        plot::along(
            &o.path,
            ("fig-advantage", "advantage of the attack", "Advantage of both attacks."),
            &[("confidence attack", 2, |a| a.confidence), ("best attack", 0, |a| a.likelihood_ratio)],
        ),
        plot::along(
            &o.path,
            (
                "fig-moment",
                "v: second moment of outputs",
                "How widely outputs on unseen examples spread. It never rises with eta: that is the theorem.",
            ),
            &[("second moment", 0, |a| a.second_moment)],
        ),
        plot::along(
            &o.path,
            (
                "fig-memorization",
                "mean memorization",
                "How much an example’s own margin rests on having been trained on it.",
            ),
            &[("memorization", 3, |a| a.memorization)],
        ),
        plot::along(
            &o.path,
            (
                "fig-error",
                "test error",
                "Test error. Where it rises, flatness in this sense is no better a classifier.",
            ),
            &[("test error", 4, |a| a.test_error)],
        ),
    ];
    if o.path.first().is_some_and(|a| !a.groups.is_empty()) {
        let curves: [plot::Curve; 2] = [("majority", 0, |a| group(a, 0)), ("minority", 2, |a| group(a, 1))];
        out.push(plot::along(&o.path, ("fig-groups", "test error by group", "Test error of either group."), &curves));
    }
    out
}

/// The whole page; `version` is that of the program.
///
/// # Errors
/// When the template fails, which no outcome does.
pub fn html(o: &Outcome, version: &str) -> Result<String, Error> {
    let auc = (
        "fig-sweep-auc",
        "AUC of the confidence attack",
        "Share of unseen examples with a lower margin than a member.",
    );
    let maps = [Map::Threshold, Map::LikelihoodRatio];
    let maps = if o.placed.is_empty() { Vec::new() } else { maps.map(|m| plot::map(&o.placed, m)).to_vec() };
    Ok(Page {
        o,
        headline: headline(o),
        problem: problem(&o.setting),
        end: end(&o.path),
        densities: plot::densities(&o.shown, o.setting.label_noise),
        policy: shell::policy(&[shell::PAGE, shell::THEORY]),
        along: along(o),
        sweeps: [
            plot::sweep(&o.sweep, auc, |p| p.auc),
            plot::sweep(&o.sweep, ("fig-sweep-error", "test error", "Test error."), |p| p.test_error),
        ],
        maps,
        version,
    }
    .render()?)
}
