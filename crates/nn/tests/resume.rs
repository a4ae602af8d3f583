//! A model that is trained on from a checkpoint has the bits that it has without an interruption.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use std::collections::BTreeMap;

use flatleak_nn::{
    Architecture, Base, Kept, Moment, Network, Optimizer, Outcome, PRESETS, Place, Recipe, Shape, Trainer, Unfit,
    Values,
};
use flatleak_stream::{Purpose, Stream};

const EXAMPLES: u32 = 26;
/// Model and seed of all streams.
const KEY: (u64, u64) = (3, 5);
/// Checkpoints of a run that are tried, and of a run on a network that is a deeper one of its kind.
const TRIED: usize = 10;
const TRIED_DEEP: usize = 2;
const DEEP: [&str; 6] = ["purchase-fc", "vgg16", "resnet20", "resnet18", "wrn-16-4", "wrn-28-2"];

/// What is left of a model when its process is gone.
#[derive(Clone)]
struct Saved {
    place: Vec<u64>,
    kept: BTreeMap<String, Values>,
}

fn saved(trainer: &mut Trainer<'_>) -> Saved {
    let checkpoint = trainer.checkpoint();
    let copy = |own: &Kept<'_>| match own {
        Kept::Single(own) => Values::Single(own.to_vec()),
        Kept::Double(own) => Values::Double(own.to_vec()),
    };
    let kept = checkpoint.kept.iter().map(|(name, own)| (name.clone(), copy(own))).collect();
    Saved { place: checkpoint.place.words(), kept }
}

/// How a model ended: bits of parameters and running statistics, of its outputs, and of the mean loss of every epoch.
#[derive(Debug, PartialEq)]
struct End {
    arena: Vec<u32>,
    logits: Vec<u32>,
    losses: BTreeMap<usize, u64>,
}

struct Problem {
    network: Network,
    recipe: Recipe,
    x: Vec<f32>,
    y: Vec<u32>,
    members: Vec<u32>,
}

impl Problem {
    fn new(network: Network, recipe: Recipe) -> Self {
        let mut s = Stream::new(1, Purpose::Simulation, 0, 0);
        let x = (0..EXAMPLES as usize * network.features()).map(|_| s.normal() as f32).collect();
        let y = (0..EXAMPLES).map(|_| s.below(3)).collect();
        Self { network, recipe, x, y, members: (0..EXAMPLES).filter(|i| i % 3 != 0).collect() }
    }

    fn begin(&self) -> Trainer<'_> {
        let start = self.network.init(&mut Stream::new(KEY.0, Purpose::Init, KEY.1, 0));
        Trainer::new(&self.network, &self.recipe, start)
    }

    /// A trainer that knows nothing of the model but what was saved.
    fn resumed(&self, from: &Saved) -> Trainer<'_> {
        let mut trainer = Trainer::new(&self.network, &self.recipe, vec![0.0; self.network.arena()]);
        let place = Place::of_words(&from.place).unwrap();
        trainer.resume(place, self.members.len(), |name| from.kept.get(name).cloned()).unwrap();
        trainer
    }

    /// Trains on until the moment that `stop` names, or to the end; `look` sees every moment.
    fn run(
        &self,
        trainer: &mut Trainer<'_>,
        losses: &mut BTreeMap<usize, u64>,
        mut look: impl FnMut(&mut Trainer<'_>) -> bool,
    ) -> Outcome {
        trainer.run((&self.x, &self.y), &self.members, KEY, |trainer, moment| {
            if let Moment::Epoch { epoch, loss } = moment {
                losses.insert(epoch, loss.to_bits());
            }
            look(trainer)
        })
    }

    fn end(&self, mut trainer: Trainer<'_>, mut losses: BTreeMap<usize, u64>) -> End {
        let outcome = self.run(&mut trainer, &mut losses, |_| true);
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect();
        let logits = bits(&trainer.logits(&self.x));
        End { arena: bits(&trainer.parameters), logits, losses }
    }

    /// The end without an interruption, and what was saved at every moment.
    fn whole(&self) -> (End, Vec<Saved>) {
        let (mut moments, mut losses) = (Vec::new(), BTreeMap::new());
        let mut trainer = self.begin();
        let outcome = self.run(&mut trainer, &mut losses, |trainer| {
            moments.push(saved(trainer));
            true
        });
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect();
        let logits = bits(&trainer.logits(&self.x));
        (End { arena: bits(&trainer.parameters), logits, losses }, moments)
    }
}

/// Layer lists beside the presets: norms of groups and dropout.
const LAYERS: [&str; 2] = [
    "conv 4;group-norm 2;relu;conv 4;max-pool;flatten;linear 6;gelu;linear",
    "conv 4;batch-norm;relu;average-pool;flatten;dropout 0.25;linear 6;tanh;dropout 0.5;linear",
];

fn networks() -> Vec<(String, Network)> {
    let thin = PRESETS.iter().map(|name| ((*name).to_owned(), Architecture::scaled(name, 0.05).unwrap()));
    let listed = LAYERS.iter().map(|text| ((*text).to_owned(), Architecture::custom(text.split(';')).unwrap()));
    thin.chain(listed)
        .map(|(name, architecture)| {
            // Five halvings of the image.
            let side = if name.starts_with("vgg") { 32 } else { 8 };
            let shape = Shape { channels: 2, height: side, width: side };
            (name, Network::compile(&architecture, shape, 3).unwrap())
        })
        .collect()
}

/// Six steps an epoch, four epochs; with all that draws random numbers where the optimizer has room for it.
fn recipe(optimizer: Optimizer, base: Base) -> Recipe {
    let plain =
        Recipe { epochs: 4, batch: 3, lr: 0.01, warmup: 1, nesterov: true, ..Recipe::new("test", optimizer, base) };
    let augment = ["crop 1", "mirror", "cutout 2"].map(|text| text.parse().unwrap()).to_vec();
    let mixed = plain.clone().with(&BTreeMap::from([("mixup".to_owned(), 0.4)])).unwrap();
    let all = [Recipe { augment: augment.clone(), ..mixed.clone() }, mixed, Recipe { augment, ..plain.clone() }, plain];
    all.into_iter().find(|recipe| recipe.check().is_ok()).unwrap()
}

/// Every optimizer over both kinds of bases, on every network that it can train.
fn problems() -> Vec<(String, Problem)> {
    let mut all = Vec::new();
    for (name, network) in networks() {
        for optimizer in Optimizer::ALL {
            for base in [Base::named("sgd").unwrap(), Base::named("adamw").unwrap()] {
                let recipe = recipe(*optimizer, base);
                // What stands for a base of its own has it already.
                let doubled = optimizer.own_base().is_some() && base == Base::Sgd;
                if recipe.check().is_err() || doubled {
                    continue;
                }
                let problem = Problem::new(network.clone(), recipe);
                if network.check_batch(&problem.recipe, problem.members.len()).is_ok() {
                    all.push((format!("{} over {}, {name}", optimizer.name(), base.name()), problem));
                }
            }
        }
    }
    all
}

#[test]
fn a_model_has_the_same_bits_from_any_of_its_checkpoints() {
    let mut draw = Stream::new(2, Purpose::Simulation, 0, 0);
    let (mut tried, mut optimizers) = (0usize, Vec::new());
    for (name, problem) in problems() {
        let (wanted, moments) = problem.whole();
        let picked = draw.permutation(moments.len());
        let is_deep = DEEP.iter().any(|deep| name.ends_with(deep));
        for &at in &picked[..if is_deep { TRIED_DEEP } else { TRIED }] {
            let known = moments[at as usize].clone();
            let epoch = known.place[0] as usize;
            let losses = wanted.losses.range(..epoch).map(|(e, l)| (*e, *l)).collect();
            assert!(problem.end(problem.resumed(&known), losses) == wanted, "{name}: moment {at}");
            tried += 1;
        }
        optimizers.push(problem.recipe.optimizer.name());
    }
    assert!(Optimizer::ALL.iter().all(|o| optimizers.contains(&o.name())), "{optimizers:?}");
    println!("{tried} checkpoints of {} runs", optimizers.len());
}

/// Stopped after every second moment, each time by a process that starts anew.
#[test]
fn a_model_that_is_stopped_again_and_again_has_the_same_bits() {
    for (name, problem) in problems().into_iter().filter(|(name, _)| name.contains("mlp") || name.contains("resnet8")) {
        let (wanted, moments) = problem.whole();
        let (mut losses, mut stops) = (BTreeMap::new(), 0);
        let mut trainer = problem.begin();
        let end = loop {
            let mut left = 2;
            let outcome = problem.run(&mut trainer, &mut losses, |_| {
                left -= 1;
                left > 0
            });
            if outcome != Outcome::Stopped {
                break outcome;
            }
            stops += 1;
            let known = saved(&mut trainer);
            trainer = problem.resumed(&known);
        };
        assert!(matches!(end, Outcome::Done(_)) && stops > moments.len() / 2, "{name}: {end:?}, {stops}");
        assert_eq!(losses, wanted.losses, "{name}");
        let arena: Vec<u32> = trainer.parameters.iter().map(|v| v.to_bits()).collect();
        assert!(arena == wanted.arena, "{name}");
    }
}

/// Nothing is kept for nothing: without any of it the model is another.
#[test]
fn all_that_a_checkpoint_keeps_decides_bits() {
    let ours = |name: &str| name.ends_with(", mlp") || name.contains("dropout") && name.starts_with("sgd over sgd");
    for (name, problem) in problems().into_iter().filter(|(name, _)| ours(name)) {
        let (wanted, moments) = problem.whole();
        // The last epoch but its first step: parameters are averaged from here, and a kept direction was kept a step ago.
        let at = moments.iter().find(|m| m.place[..2] == [3, 3]).unwrap();
        let end = |changed: &Saved| {
            let losses = wanted.losses.range(..3).map(|(e, l)| (*e, *l)).collect();
            problem.end(problem.resumed(changed), losses)
        };
        for kept in at.kept.keys() {
            let mut changed = at.clone();
            match changed.kept.get_mut(kept).unwrap() {
                Values::Single(values) => values.iter_mut().for_each(|v| *v = 0.5 * *v + 0.01),
                Values::Double(values) => values.iter_mut().for_each(|v| *v = 0.5 * *v + 0.01),
            }
            assert!(end(&changed) != wanted, "{name}: {kept}");
        }
        let Recipe { optimizer, defences, augment, .. } = &problem.recipe;
        // The sum of losses, and how far each stream has come that numbers are drawn from.
        let decides = [
            (2, true),
            (3, !augment.is_empty()),
            (6, defences.mixup.is_some()),
            (9, optimizer.is_private() || optimizer.name() == "esam"),
            (12, problem.network.drops()),
        ];
        for (word, _) in decides.into_iter().filter(|(_, is_drawn)| *is_drawn) {
            let mut changed = at.clone();
            changed.place[word] = if word == 2 { 1.0f64.to_bits() } else { at.place[word] + 6 };
            assert!(end(&changed) != wanted, "{name}: word {word} of the place");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let network = networks().swap_remove(0).1;
    let problem = Problem::new(network, recipe(Optimizer::named("looksam").unwrap(), Base::Sgd));
    let (wanted, moments) = problem.whole();
    let known = &moments[8];
    let place = Place::of_words(&known.place).unwrap();
    let resume = |trainer: &mut Trainer<'_>, place: Place, kept: &BTreeMap<String, Values>| {
        trainer.resume(place, problem.members.len(), |name| kept.get(name).cloned())
    };
    let mut trainer = problem.begin();
    for name in known.kept.keys() {
        let refused = Err(Unfit::Values { name: name.clone() });
        let mut kept = known.kept.clone();
        kept.remove(name);
        assert_eq!(resume(&mut trainer, place, &kept), refused);
        kept.insert(name.clone(), Values::Single(vec![0.0; 2]));
        assert_eq!(resume(&mut trainer, place, &kept), refused);
    }
    for other in [Place { epoch: 4, ..place }, Place { done: 7, ..place }] {
        assert!(matches!(resume(&mut trainer, other, &known.kept), Err(Unfit::Place { .. })));
    }
    assert!(problem.end(trainer, BTreeMap::new()) == wanted, "the trainer is as it was");
}
