//! What a trained model depends on.

use flatleak_nn::{Base, ENGINE_VERSION, Recipe};

use crate::study::Study;

impl Study {
    /// Hash of everything that decides the models of one recipe: data, network, seed, recipe and engine version,
    /// but not the recipe's name, the number of models or where results go. Hexadecimal.
    pub fn identity(&self, recipe: &Recipe, data_digest: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut part = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        part(&ENGINE_VERSION.to_string());
        part(data_digest);
        part(&self.seed.to_string());
        for layer in &self.architecture.layers {
            part(&layer.to_string());
        }
        let Recipe {
            name: _,
            optimizer,
            base,
            defences,
            epochs,
            batch,
            lr,
            schedule,
            warmup,
            momentum,
            nesterov,
            weight_decay,
            augment,
            measured_at,
            trainer,
        } = recipe;
        // The form in which there was no other optimizer, so that models from before are still known.
        let (name, rho) = (joined(optimizer.name()), optimizer.radius().unwrap_or(0.0));
        part(&format!("{name} {rho:?} {epochs} {batch} {lr:?} {schedule:?} {warmup}"));
        part(&format!("{momentum:?} {nesterov} {weight_decay:?}"));
        for transform in augment {
            part(&transform.to_string());
        }
        for (key, value) in recipe.values().into_iter().filter(|(key, _)| *key != "rho") {
            part(&format!("{key} {value:?}"));
        }
        if *base != Base::Sgd {
            part(&format!("base {}", joined(base.name())));
        }
        for (key, value) in defences.values() {
            part(&format!("defence {key} {value:?}"));
        }
        if let Some(epoch) = measured_at {
            part(&format!("measured at {epoch}"));
        }
        if let Some(command) = trainer {
            part("trainer");
            part(command);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Hash of everything that decides how a recipe's models are trained: recipes that are measured at different epochs of one run, or publish
    /// its models in different ways, share it.
    pub fn training_identity(&self, recipe: &Recipe, data_digest: &str) -> String {
        self.identity(&trained(recipe), data_digest)
    }

    /// Recipes by index whose models come from one run, measured at different epochs or published in different ways; by their first.
    pub fn runs(&self) -> Vec<Vec<usize>> {
        let whole = |r: usize| self.told_apart(&trained(&self.recipes[r]));
        let mut out: Vec<(String, Vec<usize>)> = Vec::new();
        for r in 0..self.recipes.len() {
            let identity = whole(r);
            match out.iter_mut().find(|(other, _)| *other == identity) {
                Some((_, run)) => run.push(r),
                None => out.push((identity, vec![r])),
            }
        }
        out.into_iter().map(|(_, run)| run).collect()
    }

    /// What the models of some recipes, by index, depend on beside their numbers: names and identities of the recipes.
    pub fn identity_of_run(&self, recipes: &[usize], data_digest: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        for recipe in recipes.iter().filter_map(|r| self.recipes.get(*r)) {
            hasher.update(recipe.name.as_bytes());
            hasher.update(self.identity(recipe, data_digest).as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// What tells the runs of a study apart. A command learns of its recipe's name, which is in the path of the folder that it writes to, and two
    /// calls of it need not train the same model: each recipe with a command is a run of its own.
    pub(crate) fn told_apart(&self, recipe: &Recipe) -> String {
        let name = recipe.trainer.as_ref().map_or("", |_| &recipe.name);
        format!("{} {name}", self.identity(recipe, ""))
    }

    /// First eight digits of a hash over data, network, seed and recipes with their names: the study's folder.
    pub fn short_hash(&self, data_digest: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        for recipe in &self.recipes {
            hasher.update(recipe.name.as_bytes());
            hasher.update(self.identity(recipe, data_digest).as_bytes());
        }
        hasher.finalize().to_hex()[..8].to_owned()
    }
}

/// A recipe without what matters behind training alone.
fn trained(recipe: &Recipe) -> Recipe {
    Recipe { measured_at: None, defences: recipe.defences.in_training(), ..recipe.clone() }
}

/// A name as one capitalised word: `dp-sgd` is `DpSgd`.
fn joined(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_depends_on_training_alone() {
        let study = Study::default();
        let base = study.identity(&study.recipes[0], "d");
        let mut more = study.clone();
        more.models = 64;
        more.recipes[0].name = "other".into();
        assert_eq!(base, more.identity(&more.recipes[0], "d"));
        assert_ne!(base, study.identity(&study.recipes[0], "e"));
        assert_ne!(base, study.identity(&study.recipes[1], "d"));
        more.seed = 1;
        assert_ne!(base, more.identity(&more.recipes[0], "d"));
    }

    #[test]
    fn one_command_under_two_names_is_two_runs() {
        let command = "trainer = 'x {mask} {out}'";
        let study =
            Study::parse(&format!("[[recipe]]\nname = 'a'\n{command}\n[[recipe]]\nname = 'b'\n{command}\n")).unwrap();
        assert_eq!(study.runs(), [vec![0], vec![1]]);
        study.check_distinct().unwrap();
    }

    /// Models on disk are known by these: as they were when optimizers and defences were numbers by key.
    #[test]
    fn identities_are_those_of_before() {
        let identity = |rest: &str| {
            let text = format!("[train]\nepochs = 3\nbatch = 7\n[[recipe]]\nname = 'a'\n{rest}");
            let study = Study::parse(&text).unwrap();
            study.identity(&study.recipes[0], "digest")[..16].to_owned()
        };
        for (rest, wanted) in [
            ("optimizer = 'wsam-coupled'", "2f92c90f9a3a8ca5"),
            ("optimizer = 'wsam-coupled'\nbase = 'adam'\nbeta1 = 0.8", "fff5eead91f15e1c"),
            ("optimizer = 'gsam'\nbase = 'adamw'\nepsilon = 1e-6\nlr = 0.01\nnesterov = true", "09152417fd552172"),
            ("optimizer = 'dp-sat'", "305981e10f9bb58d"),
            ("warmup = 1\nhamp = 0.6\nhamp_entropy = 0.05", "0aa4c5aa0e5f191a"),
            ("warmup = 1\nrelaxloss = 1\nrelaxloss_upper = 0.4", "e6ccb2aa1589ca29"),
            ("warmup = 1\ntemperature = 3\ntop_k = 2\nmixup = 1", "0d9fa603d1074ee8"),
        ] {
            assert_eq!(identity(rest), wanted, "{rest}");
        }
    }
}
