//! The TOML form, read and written.

use flatleak_nn::{Architecture, Optimizer, Recipe, Schedule, Transform};
use serde::{Deserialize, Serialize};

use crate::{DEFAULT_DATA, Error, Study};

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    seed: Option<u64>,
    models: Option<usize>,
    data: Option<Names>,
    pool: Option<usize>,
    test: Option<usize>,
    queries: Option<usize>,
    #[serde(default)]
    model: Model,
    #[serde(default)]
    train: Train,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recipe: Vec<Entry>,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct Model {
    preset: Option<String>,
    width: Option<f64>,
    layers: Option<Vec<String>>,
}

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(deny_unknown_fields)]
struct Train {
    epochs: Option<usize>,
    batch: Option<usize>,
    lr: Option<f64>,
    schedule: Option<Schedule>,
    warmup: Option<usize>,
    momentum: Option<f64>,
    nesterov: Option<bool>,
    weight_decay: Option<f64>,
    augment: Option<Vec<Transform>>,
}

// Not `flatten`: it would turn off the check for unknown keys.
#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    optimizer: Option<Optimizer>,
    rho: Option<f64>,
    epochs: Option<usize>,
    batch: Option<usize>,
    lr: Option<f64>,
    schedule: Option<Schedule>,
    warmup: Option<usize>,
    momentum: Option<f64>,
    nesterov: Option<bool>,
    weight_decay: Option<f64>,
    augment: Option<Vec<Transform>>,
    trainer: Option<String>,
}

impl Entry {
    fn named(name: &str, optimizer: Optimizer) -> Self {
        Self { name: name.into(), optimizer: Some(optimizer), ..Self::default() }
    }

    /// A recipe that a command trains: what the engine would do has no meaning beside it.
    fn foreign(self, command: String) -> Result<Recipe, Error> {
        let set = [
            ("optimizer", self.optimizer.is_some()),
            ("rho", self.rho.is_some()),
            ("batch", self.batch.is_some()),
            ("lr", self.lr.is_some()),
            ("schedule", self.schedule.is_some()),
            ("warmup", self.warmup.is_some()),
            ("momentum", self.momentum.is_some()),
            ("nesterov", self.nesterov.is_some()),
            ("weight_decay", self.weight_decay.is_some()),
            ("augment", self.augment.is_some()),
        ];
        if let Some((key, _)) = set.into_iter().find(|(_, is)| *is) {
            return Err(Error::Invalid(format!(
                "recipe `{}` has `{key}` beside `trainer`: the command decides",
                self.name
            )));
        }
        let name = self.name.clone();
        let blank = Self { name, epochs: Some(self.epochs.unwrap_or(1)), ..Self::default() };
        Ok(Recipe { trainer: Some(command), ..blank.native(&Train::default()) })
    }

    fn resolve(mut self, train: &Train) -> Result<Recipe, Error> {
        match self.trainer.take() {
            Some(command) => self.foreign(command),
            None => Ok(self.native(train)),
        }
    }

    fn native(self, train: &Train) -> Recipe {
        let optimizer = self.optimizer.unwrap_or(Optimizer::Sgd);
        let default_rho = if optimizer == Optimizer::Sam { 0.1 } else { 0.0 };
        Recipe {
            name: self.name,
            optimizer,
            rho: self.rho.unwrap_or(default_rho),
            epochs: self.epochs.or(train.epochs).unwrap_or(80),
            batch: self.batch.or(train.batch).unwrap_or(64),
            lr: self.lr.or(train.lr).unwrap_or(0.05),
            schedule: self.schedule.or(train.schedule).unwrap_or(Schedule::Cosine),
            warmup: self.warmup.or(train.warmup).unwrap_or(0),
            momentum: self.momentum.or(train.momentum).unwrap_or(0.9),
            nesterov: self.nesterov.or(train.nesterov).unwrap_or(false),
            weight_decay: self.weight_decay.or(train.weight_decay).unwrap_or(5e-4),
            augment: self.augment.or_else(|| train.augment.clone()).unwrap_or_default(),
            trainer: None,
        }
    }
}

impl Study {
    /// Reads a study file and fills in every default.
    ///
    /// # Errors
    /// TOML that does not parse, unknown keys, values out of range.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|e| {
            let suggestion = nearest(e.message());
            Error::Parse { message: e.to_string(), suggestion }
        })?;
        let data = match file.data {
            None => vec![DEFAULT_DATA.to_owned()],
            Some(Names::One(name)) => vec![name],
            Some(Names::Many(names)) => names,
        };
        let architecture = match (file.model.preset, file.model.layers) {
            (Some(_), Some(_)) => {
                return Err(Error::Invalid("[model] has both `preset` and `layers`: give one".into()));
            }
            (preset, None) => {
                Architecture::scaled(preset.as_deref().unwrap_or("mlp"), file.model.width.unwrap_or(1.0))?
            }
            (None, Some(_)) if file.model.width.is_some() => {
                return Err(Error::Invalid(
                    "[model] has `width` beside `layers`: write the widths into the layers".into(),
                ));
            }
            (None, Some(layers)) => Architecture::custom(layers.iter().map(String::as_str))?,
        };
        let recipes = if file.recipe.is_empty() {
            let twice = file.train.epochs.unwrap_or(80).saturating_mul(2);
            vec![
                Entry::named("sgd", Optimizer::Sgd),
                Entry { epochs: Some(twice), ..Entry::named("sgd-2x", Optimizer::Sgd) },
                Entry::named("sam", Optimizer::Sam),
            ]
        } else {
            file.recipe
        };
        let study = Self {
            name: file.name.unwrap_or_else(|| "sam-against-sgd".into()),
            seed: file.seed.unwrap_or(0),
            models: file.models.unwrap_or(32),
            pool: file.pool,
            test: file.test,
            queries: file.queries.unwrap_or(1),
            data,
            architecture,
            recipes: recipes.into_iter().map(|r| r.resolve(&file.train)).collect::<Result<_, _>>()?,
        };
        study.check()?;
        Ok(study)
    }

    /// The study as TOML with every value written out; parses back to itself.
    ///
    /// # Errors
    /// Values that TOML cannot hold, such as a seed above 2^63.
    pub fn to_toml(&self) -> Result<String, Error> {
        let custom = self.architecture.name == "custom";
        let layers = self.architecture.layers.iter().map(ToString::to_string).collect();
        let file = File {
            name: Some(self.name.clone()),
            seed: Some(self.seed),
            models: Some(self.models),
            data: Some(Names::Many(self.data.clone())),
            pool: self.pool,
            test: self.test,
            queries: Some(self.queries),
            model: Model {
                preset: (!custom).then(|| self.architecture.name.clone()),
                width: None,
                layers: custom.then_some(layers),
            },
            train: Train::default(),
            recipe: self
                .recipes
                .iter()
                .map(|r| match &r.trainer {
                    Some(command) => Entry {
                        name: r.name.clone(),
                        epochs: Some(r.epochs),
                        trainer: Some(command.clone()),
                        ..Entry::default()
                    },
                    None => Entry {
                        name: r.name.clone(),
                        optimizer: Some(r.optimizer),
                        rho: Some(r.rho),
                        epochs: Some(r.epochs),
                        batch: Some(r.batch),
                        lr: Some(r.lr),
                        schedule: Some(r.schedule),
                        warmup: Some(r.warmup),
                        momentum: Some(r.momentum),
                        nesterov: Some(r.nesterov),
                        weight_decay: Some(r.weight_decay),
                        augment: (!r.augment.is_empty()).then(|| r.augment.clone()),
                        trainer: None,
                    },
                })
                .collect(),
        };
        toml::to_string(&file).map_err(|e| Error::Invalid(e.to_string()))
    }
}

/// The known key nearest to the unknown one that the parser's message quotes.
fn nearest(message: &str) -> Option<String> {
    let mut quoted = message.strip_prefix("unknown field")?.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().div_ceil(2))
        .map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_file_is_the_main_job_and_survives_a_round_trip() {
        let study = Study::parse("").unwrap();
        let names: Vec<&str> = study.recipes.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["sgd", "sgd-2x", "sam"]);
        assert_eq!((study.recipes[1].epochs, study.recipes[2].rho, study.models), (160, 0.1, 32));
        assert_eq!(Study::parse(&study.to_toml().unwrap()).unwrap(), study);
        let foreign = Study::parse("[[recipe]]\nname = 'a'\ntrainer = 'x {mask} {out}'").unwrap();
        assert_eq!(Study::parse(&foreign.to_toml().unwrap()).unwrap(), foreign);
        let custom = Study::parse("[model]\nlayers = ['flatten', 'linear 5', 'tanh', 'linear']").unwrap();
        assert_eq!(Study::parse(&custom.to_toml().unwrap()).unwrap(), custom);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, words) in [
            ("modles = 3", vec!["modles", "did you mean `models`?", "line 1"]),
            ("[train]\nepoch = 3", vec!["did you mean `epochs`?"]),
            ("[[recipe]]\nname = 'a'\nrh0 = 1", vec!["did you mean `rho`?"]),
            ("models = 7", vec!["models = 7", "even"]),
            ("models = -2", vec!["line 1"]),
            ("pool = 3", vec!["pool = 3"]),
            ("[train]\nlr = -1.0", vec!["lr = -1", "sgd"]),
            ("[train]\nbatch = 0", vec!["batch = 0"]),
            ("[[recipe]]\nname = 'a'\n[[recipe]]\nname = 'a'", vec!["two recipes are named `a`"]),
            ("[[recipe]]\nname = '../a'", vec!["letters"]),
            ("[model]\npreset = 'mpl'", vec!["unknown architecture `mpl`", "mlp"]),
            ("queries = 3", vec!["queries = 3", "1, 2, 18"]),
            ("[train]\naugment = ['crop']", vec!["unknown transform `crop`"]),
            ("[[recipe]]\nname = 'a'\ntrainer = 'x {mask}'", vec!["`a`", "lacks {out}"]),
            ("[[recipe]]\nname = 'a'\ntrainer = 'x {mask} {out} {gpu}'", vec!["{gpu}", "{index}"]),
            ("[[recipe]]\nname = 'a'\ntrainer = 'x'\nrho = 1", vec!["`rho` beside `trainer`"]),
            ("data = []", vec!["no data set"]),
            ("data = ['a', 'a']", vec!["`a` twice"]),
        ] {
            let error = Study::parse(text).unwrap_err().to_string();
            for word in words {
                assert!(error.contains(word), "{text}: {error}");
            }
        }
    }
}
