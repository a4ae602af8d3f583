//! How membership matrices are read, beside a NumPy reading of the same rules (`checks/pools/design.py`): blocks, kinds, what is scored, the
//! shadows of random targets with and without a deleted block, and the AUC of `lira-online-fixed`. A few cases are committed; FLATLEAK_DESIGNS
//! names a folder with more.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use std::path::{Path, PathBuf};

use flatleak_attack::{Attack, Lineup, Seat};
use flatleak_data::values;
use flatleak_pool::{BlockId, Design, Membership};
use flatleak_stats::Ranking;

struct Case {
    rows: Vec<Vec<bool>>,
    phi: Vec<Vec<f64>>,
    path: PathBuf,
}

impl Case {
    fn read(path: &Path) -> Self {
        let all = |name: &str| values::with(path, name, |v| v.all().map(|all| (v.shape().to_vec(), all))).unwrap();
        let (shape, bits) = all("membership");
        let n = shape[1];
        let rows = bits.chunks(n).map(|row| row.iter().map(|v| *v == 1.0).collect()).collect();
        let phi = all("phi").1.chunks(n).map(<[f64]>::to_vec).collect();
        Self { rows, phi, path: path.into() }
    }

    fn array(&self, name: &str) -> Vec<f64> {
        values::with(&self.path, name, |v| v.all()).unwrap()
    }

    fn lineup<'a>(
        &'a self,
        m: &'a Membership,
        labels: &'a [u32],
        without: Option<BlockId>,
    ) -> (Vec<usize>, Lineup<'a>) {
        let models: Vec<usize> = (0..m.models()).filter(|&k| Some(m.block(k)) != without).collect();
        let seat = |&k: &usize| Seat { block: m.block(k), member: m.row(k), values: &self.phi[k], population: &[] };
        let lineup = Lineup::of_design(m, models.iter().map(seat).collect(), Some(labels)).unwrap();
        (models, lineup)
    }
}

/// AUC within strata, NaN where there is no pair.
fn auc(scores: &[f64], m: &Membership, model: usize) -> f64 {
    let strata = m.strata(m.block(model)).unwrap_or_else(|| vec![0; scores.len()]);
    let scored: Vec<usize> = (0..scores.len()).filter(|&i| !scores[i].is_nan()).collect();
    let mut names: Vec<u32> = scored.iter().map(|&i| strata[i]).collect();
    names.sort_unstable();
    names.dedup();
    let (mut won, mut all) = (0.0, 0.0);
    for name in names {
        let own = scored.iter().filter(|i| strata[**i] == name);
        let (values, member): (Vec<f64>, Vec<bool>) = own.map(|&i| (scores[i], m.row(model)[i])).unzip();
        if let Ok(ranking) = Ranking::new(&values, &member) {
            let pairs = (ranking.members() * ranking.non_members()) as f64;
            (won, all) = (won + pairs * ranking.auc(), all + pairs);
        }
    }
    won / all
}

fn check(case: &Case) -> (f64, usize) {
    let name = case.path.display();
    let m = Membership::from_rows(case.rows.clone()).unwrap();
    let blocks: Vec<f64> = (0..m.models()).map(|k| m.block(k).index() as f64).collect();
    assert_eq!(blocks, case.array("blocks"), "{name}: blocks");
    let kind = |k: usize| match m.design(m.block(k)) {
        None => -1.0,
        Some(Design::Balanced) => 0.0,
        Some(Design::Fixed) => 1.0,
        Some(Design::Mixed) => 2.0,
        Some(Design::Independent) => 3.0,
        Some(Design::Entangled) => 4.0,
    };
    assert_eq!((0..m.models()).map(kind).collect::<Vec<_>>(), case.array("kind"), "{name}: kinds");
    let n = m.examples();
    let scored: Vec<f64> = m
        .block_ids()
        .flat_map(|b| (0..n).map(|i| f64::from(u8::from(m.scored(b).is_none_or(|s| s[i])))).collect::<Vec<_>>())
        .collect();
    assert_eq!(scored, case.array("scored"), "{name}: scored");
    let targets: Vec<f64> = (0..m.models()).map(|k| f64::from(u8::from(m.is_target(k)))).collect();
    assert_eq!(targets, case.array("targets"), "{name}: targets");
    if m.blocks() < 2 {
        return (0.0, 0);
    }
    let labels = vec![0; n];
    let (probes, inside, outside, kept) =
        (case.array("probe"), case.array("probe_in"), case.array("probe_out"), case.array("scored_probe"));
    let mut seen = 0;
    for (k, probe) in probes.chunks(3).enumerate() {
        let (target, i) = (probe[0] as usize, probe[1] as usize);
        let without = (probe[2] >= 0.0).then_some(BlockId::new(probe[2] as usize));
        if m.blocks() - usize::from(without.is_some()) < 2 || m.design(m.block(target)).is_none() {
            continue;
        }
        let (models, lineup) = case.lineup(&m, &labels, without);
        let seat = models.iter().position(|&k| k == target).unwrap();
        let at = lineup.positions()[seat];
        assert_eq!(lineup.is_scored(at, i), kept[k] == 1.0, "{name}: probe {k} scored");
        for (found, wanted) in lineup.shadows(seat, i).iter().zip([&inside, &outside]) {
            let found: Vec<usize> = found.iter().map(|&s| models[s]).collect();
            let wanted: Vec<usize> = (0..m.models()).filter(|j| wanted[k * m.models() + j] == 1.0).collect();
            assert_eq!(found, wanted, "{name}: probe {k} shadows");
        }
        seen += 1;
    }
    let (_, lineup) = case.lineup(&m, &labels, None);
    let scores = Attack::LIRA.score(&lineup);
    let mut worst = 0.0f64;
    for (k, wanted) in case.array("auc").into_iter().enumerate().filter(|(k, _)| m.is_target(*k)) {
        let found = auc(&scores[k], &m, k);
        assert_eq!(found.is_nan(), wanted.is_nan(), "{name}: AUC of model {k}: {found}, not {wanted}");
        worst = worst.max(if wanted.is_nan() { 0.0 } else { (found - wanted).abs() });
    }
    assert!(worst < 1e-9, "{name}: AUC off by {worst:e}");
    (worst, seen)
}

#[test]
fn designs_are_read_as_numpy_reads_them() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/designs");
    let folder = std::env::var_os("FLATLEAK_DESIGNS").map_or(committed, PathBuf::from);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "npz"));
    files.sort();
    assert!(files.len() >= 20, "{} cases", files.len());
    let (mut worst, mut probes) = (0.0f64, 0);
    for file in &files {
        let (error, seen) = check(&Case::read(file));
        (worst, probes) = (worst.max(error), probes + seen);
    }
    println!("{} designs, {probes} shadow sets; largest difference of an AUC {worst:.1e}", files.len());
}
