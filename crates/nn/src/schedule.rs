//! In which parts a batch goes through the steps, and which of them share a gradient.
//!
//! A large activation that leaves the second-level cache between the step that writes it and the step that reads it costs more than most
//! steps compute. So a batch goes through runs of steps a few examples at a time. A batch norm ends a run, because it needs the sums of
//! the whole batch before it can begin the next one; linear layers stand alone, whose weights are larger than their activations.

use crate::compile::Step;
use crate::ops::Op;

/// Values of the largest activation of a part: with those beside it, it stays in the second-level cache.
const PART: usize = 1 << 16;

/// One thing to do with a part of a batch; going backwards, the same the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The whole step.
    Run(usize),
    /// The sums of a batch norm.
    Sum(usize),
    /// A batch norm with its statistics known.
    Apply(usize),
}

/// Phases that follow each other part by part.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) phases: Vec<Phase>,
    /// Examples in a part; `None` takes the batch whole.
    part: Option<usize>,
}

impl Phase {
    /// The step that it is of.
    pub(crate) fn step(self) -> usize {
        let (Self::Run(i) | Self::Sum(i) | Self::Apply(i)) = self;
        i
    }
}

impl Segment {
    /// First example and number of examples of each part of a batch.
    pub(crate) fn parts(&self, batch: usize) -> impl Iterator<Item = (usize, usize)> {
        let part = self.part.unwrap_or(batch).max(1);
        (0..batch).step_by(part).map(move |first| (first, part.min(batch - first)))
    }
}

/// The segments of a network in their order.
pub(crate) fn segments(steps: &[Step]) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut current = Vec::new();
    let mut close = |phases: &mut Vec<Phase>, whole: bool| {
        let largest = |phase: &Phase| {
            let i = phase.step();
            steps[i].inputs.max(steps[i].outputs)
        };
        if let Some(most) = phases.iter().map(largest).max() {
            let part = (!whole).then(|| (PART / most.max(1)).max(1));
            out.push(Segment { phases: std::mem::take(phases), part });
        }
    };
    for (i, step) in steps.iter().enumerate() {
        match &step.op {
            Op::BatchNorm(_) => {
                current.push(Phase::Sum(i));
                close(&mut current, false);
                current.push(Phase::Apply(i));
            }
            op => {
                let whole = op.flags().whole;
                if whole {
                    close(&mut current, false);
                }
                current.push(Phase::Run(i));
                if whole {
                    close(&mut current, true);
                }
            }
        }
    }
    close(&mut current, false);
    out
}

/// The batch norms whose output is never written, because all that read it normalise as they read.
pub(crate) fn unwritten(steps: &[Step]) -> Vec<bool> {
    let readers = |k: usize| steps.iter().filter(move |s| reads(s, k));
    let is_norm = |k: usize| matches!(steps[k].op, Op::BatchNorm(_));
    (0..steps.len()).map(|k| is_norm(k) && readers(k).count() > 0 && readers(k).all(|step| step.op.bends())).collect()
}

fn reads(step: &Step, k: usize) -> bool {
    step.source == Some(k) || step.other() == Some(k)
}

/// Where the gradient of each step's output lies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gradients {
    /// The buffer of each step; steps in place have that of the buffer which they change.
    pub(crate) slot: Vec<usize>,
    /// Values per example of each buffer.
    pub(crate) sizes: Vec<usize>,
    /// Another step reads this gradient later: it must not be changed.
    pub(crate) shared: Vec<bool>,
}

/// Gives the gradient of a step's input the place of the output's wherever that is all there is to do.
pub(crate) fn gradients(steps: &[Step]) -> Gradients {
    let mut slot: Vec<Option<usize>> = vec![None; steps.len()];
    let mut out = Gradients { slot: Vec::new(), sizes: Vec::new(), shared: vec![false; steps.len()] };
    for (i, step) in steps.iter().enumerate().rev() {
        if step.in_place() {
            continue;
        }
        let own = *slot[i].get_or_insert_with(|| {
            out.sizes.push(step.outputs);
            out.sizes.len() - 1
        });
        let Some(k) =
            step.source.filter(|_| !step.accumulates[0] && step.op.flags().gradient_in_place && !out.shared[i])
        else {
            continue;
        };
        slot[k] = Some(own);
        if let Some(o) = step.other()
            && !step.accumulates[1]
            && shareable(steps, i, k.max(o), k.min(o))
        {
            slot[o] = Some(own);
            out.shared[k.max(o)] = true;
        }
    }
    out.slot = (0..steps.len())
        .map(|i| slot[if steps[i].in_place() { steps[i].source.unwrap_or(i) } else { i }].unwrap_or(0))
        .collect();
    out
}

/// Whether both inputs of an addition can have its gradient without a copy: the later one only reads it, and nothing adds to it before
/// the later one has.
fn shareable(steps: &[Step], add: usize, late: usize, early: usize) -> bool {
    let only_reads = steps[late].op.flags().only_reads && !reads(&steps[late], early);
    only_reads
        && steps
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != add)
            .all(|(i, s)| !reads(s, late) && (i < late || !reads(s, early)))
}

#[cfg(test)]
mod tests {
    use flatleak_data::Shape;

    use super::*;
    use crate::architecture::Architecture;
    use crate::compile::compile;

    fn steps(preset: &str) -> Vec<Step> {
        let shape = Shape { channels: 3, height: 32, width: 32 };
        compile(&Architecture::preset(preset).unwrap(), shape, 10).unwrap().steps
    }

    #[test]
    fn every_phase_comes_once_and_sums_before_what_needs_them() {
        for preset in ["cnn", "resnet8", "wrn-16-4", "vgg11"] {
            let steps = steps(preset);
            let phases: Vec<Phase> = segments(&steps).iter().flat_map(|s| s.phases.clone()).collect();
            let at = |phase: Phase| phases.iter().position(|p| *p == phase);
            let norms = steps.iter().filter(|s| matches!(s.op, Op::BatchNorm(_))).count();
            assert_eq!(phases.len(), steps.len() + norms);
            for segment in segments(&steps) {
                // The sums of a segment are its last phase, and need all parts before the next.
                let sums = segment.phases.iter().position(|p| matches!(p, Phase::Sum(_)));
                assert!(sums.is_none_or(|k| k + 1 == segment.phases.len()), "{segment:?}");
                assert_eq!(segment.parts(7).map(|(_, n)| n).sum::<usize>(), 7);
            }
            for (i, step) in steps.iter().enumerate() {
                let begins = |i: usize| at(Phase::Run(i)).or(at(Phase::Sum(i)));
                let ends = |i: usize| at(Phase::Run(i)).or(at(Phase::Apply(i)));
                assert!(step.source.is_none_or(|k| ends(k) < begins(i)), "{preset}: step {i}");
            }
        }
    }

    #[test]
    fn blocks_share_gradients_and_need_fewer_buffers() {
        let steps = steps("resnet8");
        let buffers = steps.iter().filter(|s| !s.in_place()).count();
        let plan = gradients(&steps);
        assert!(plan.sizes.len() * 2 <= buffers + 4, "{} buffers for {buffers} outputs", plan.sizes.len());
        assert!(plan.shared.iter().filter(|s| **s).count() == 3, "one for each block");
        for (i, step) in steps.iter().enumerate() {
            assert!(plan.sizes[plan.slot[i]] >= step.outputs);
        }
    }
}
