//! Class-dependent thresholds learnt on shadows (Song & Mittal 2021, arXiv 2003.10595).

use flatleak_pool::{Matrix, Signal};
use flatleak_stats::{Error, Judged, best_thresholds};

use crate::Lineup;
use crate::definition::{Definition, Meta, attack};
use crate::lineup::Position;

/// Its scores are signals less a threshold of the class.
const fn by_class(name: &'static str) -> Meta {
    Meta { has_class_thresholds: true, ..Meta::by_shadows(name) }
}

attack!(
    /// p_y minus the threshold of its class.
    ConfidencePerClass,
    by_class("confidence-per-class").of("confidence beside a threshold for each class", "Song & Mittal 2021, arXiv 2003.10595"),
    "p_y - t_class, t of best balanced accuracy on shadows (Song & Mittal 2021)",
    Signal::Confidence,
    per_class
);
attack!(
    /// Negative loss minus the threshold of its class.
    LossPerClass,
    by_class("loss-per-class").of("loss beside a threshold for each class", "Song & Mittal 2021, arXiv 2003.10595"),
    "-loss - t_class",
    Signal::LogConfidence,
    per_class
);
attack!(
    /// Negative entropy minus the threshold of its class.
    EntropyPerClass,
    by_class("entropy-per-class").of("entropy beside a threshold for each class", "Song & Mittal 2021, arXiv 2003.10595"),
    "-H(p) - t_class",
    Signal::NegativeEntropy,
    per_class
);
attack!(
    /// Negative modified entropy minus the threshold of its class.
    ModifiedEntropyPerClass,
    by_class("modified-entropy-per-class").of("modified entropy beside a threshold for each class", "Song & Mittal 2021, arXiv 2003.10595"),
    "-Mentr(p, y) - t_class",
    Signal::NegativeModifiedEntropy,
    per_class
);

/// The signal minus the threshold of the example's class. The threshold of a target's class is the observed shadow
/// value t that maximises (TPR + TNR) / 2 of "signal >= t means member" over the shadows' examples of that
/// class; of equals the lowest. Where the shadows have members alone or none, it is 0. The ROC of the difference is this project's own
/// reading.
fn per_class(lineup: &Lineup<'_>) -> Matrix {
    let classes = lineup.labels.map_or(1, |labels| labels.iter().max().map_or(0, |c| *c as usize + 1));
    let positions = lineup.positions();
    // By part of the examples and class, one threshold per block.
    let mut thresholds = vec![Vec::with_capacity(classes); lineup.parts()];
    for (part, thresholds) in thresholds.iter_mut().enumerate() {
        for class in 0..classes {
            thresholds.push(of_class(lineup, &positions, part, class).unwrap_or_default());
        }
    }
    Matrix::with_rows(lineup.seats.len(), lineup.examples(), |k, row| {
        let block = positions[k].index();
        for (i, (score, v)) in row.iter_mut().zip(lineup.seats[k].values).enumerate() {
            *score = v - thresholds[lineup.part(i)][lineup.class(i)].get(block).copied().unwrap_or(0.0);
        }
    })
}

/// The thresholds of one class without each block, from the examples that teach a part.
fn of_class(lineup: &Lineup<'_>, positions: &[Position], part: usize, class: usize) -> Result<Vec<f64>, Error> {
    let mut kept = Vec::new();
    for i in (0..lineup.examples()).filter(|&i| lineup.class(i) == class) {
        lineup.teach(i, |other| kept.extend((other == part).then_some(i)));
    }
    let rows: Vec<(Vec<f64>, Vec<bool>)> =
        lineup.seats.iter().map(|seat| kept.iter().map(|&i| (seat.values[i], seat.member[i])).unzip()).collect();
    let judged = |((scores, member), block): (_, &Position)| Judged { scores, member, group: block.index() };
    let targets: Vec<Judged<'_>> =
        rows.iter().map(|(s, m)| (s.as_slice(), m.as_slice())).zip(positions).map(judged).collect();
    let found = best_thresholds(&targets, lineup.blocks().len())?;
    Ok(found.without.into_iter().map(|t| if t.is_finite() { t } else { 0.0 }).collect())
}
