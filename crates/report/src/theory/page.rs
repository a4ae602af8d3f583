//! `theory.html`: one file that works offline.

use askama::Template;
use flatleak_stats::Interval;
use flatleak_theory::{Along, Change, Contraction, Descent, Outcome, Placed, Simulated};

use super::phrases::{ARRIVED, change, end, headline, nearest, problem, signed};
use super::plot::{self, Densities, Frame, Map};
use super::table;
use crate::error::Error;

#[derive(Template)]
#[template(path = "theory.html")]
struct Page<'a> {
    o: &'a Outcome,
    headline: String,
    problem: String,
    end: String,
    densities: Densities,
    advantages: String,
    moments: String,
    memorized: String,
    errors: String,
    group_errors: String,
    sweep_auc: String,
    sweep_error: String,
    maps: Vec<(&'static str, String)>,
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

/// The whole page; `version` is that of the program.
///
/// # Errors
/// When the template fails, which no outcome does.
pub fn html(o: &Outcome, version: &str) -> Result<String, Error> {
    let groups = o.path.first().is_some_and(|a| !a.groups.is_empty());
    Ok(Page {
        o,
        headline: headline(o),
        problem: problem(&o.setting),
        end: end(&o.path),
        densities: plot::densities(&o.shown, o.setting.label_noise),
        advantages: plot::along(
            &o.path,
            "advantage of the attack",
            &[(2, |a| a.confidence), (0, |a| a.likelihood_ratio)],
        ),
        moments: plot::along(&o.path, "v: second moment of outputs", &[(0, |a| a.second_moment)]),
        memorized: plot::along(&o.path, "mean memorization", &[(3, |a| a.memorization)]),
        errors: plot::along(&o.path, "test error", &[(4, |a| a.test_error)]),
        group_errors: if groups {
            plot::along(&o.path, "test error by group", &[(0, |a| group(a, 0)), (2, |a| group(a, 1))])
        } else {
            String::new()
        },
        sweep_auc: plot::sweep(&o.sweep, "AUC of the confidence attack", |p| p.auc),
        sweep_error: plot::sweep(&o.sweep, "test error", |p| p.test_error),
        maps: if o.placed.is_empty() {
            Vec::new()
        } else {
            vec![
                ("One threshold on phi", plot::map(&o.placed, Map::Threshold)),
                ("The best attack on phi", plot::map(&o.placed, Map::LikelihoodRatio)),
            ]
        },
        version,
    }
    .render()?)
}
