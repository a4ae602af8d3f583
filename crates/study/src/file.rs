//! The TOML form, read and written.

use flatleak_results::Relevant;
use std::collections::BTreeMap;

use flatleak_nn::{Architecture, Base, Defences, Optimizer, Recipe, Schedule, Transform};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

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
    noise: Option<Vec<f64>>,
    relevant: Option<Relevance>,
    #[serde(default)]
    model: Model,
    #[serde(default)]
    train: Train,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recipe: Vec<Table>,
}

/// As a table, or as the text that the command line takes.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Relevance {
    Text(String),
    Table(Relevant),
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

// Parameters of optimizers and defences stand beside these keys: see `split`.
#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    optimizer: Option<Optimizer>,
    base: Option<Base>,
    epochs: Option<usize>,
    batch: Option<usize>,
    lr: Option<f64>,
    schedule: Option<Schedule>,
    warmup: Option<usize>,
    momentum: Option<f64>,
    nesterov: Option<bool>,
    weight_decay: Option<f64>,
    augment: Option<Vec<Transform>>,
    measure_at: Option<Epochs>,
    trainer: Option<String>,
}

/// One epoch, or several beside the last.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Epochs {
    One(usize),
    Many(Vec<usize>),
}

/// Keys of [`Entry`].
const KEYS: [&str; 14] = [
    "name",
    "optimizer",
    "base",
    "epochs",
    "batch",
    "lr",
    "schedule",
    "warmup",
    "momentum",
    "nesterov",
    "weight_decay",
    "augment",
    "measure_at",
    "trainer",
];

/// Numbers by key.
type Numbers = BTreeMap<String, f64>;

/// Keys of parameters and defences.
fn number_keys() -> Vec<&'static str> {
    let parameters =
        Optimizer::ALL.into_iter().flat_map(Optimizer::parameters).chain(Base::Adam.parameters().iter().copied());
    let mut all: Vec<&str> = parameters.map(|p| p.key).chain(Defences::ALL.iter().map(|d| d.0)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The name that errors call a recipe by.
fn called(table: &Table) -> String {
    table.get("name").and_then(Value::as_str).unwrap_or("?").to_owned()
}

/// A recipe whose values are lists stands for one recipe for each combination, with the values in its name.
fn expand(table: Table) -> Result<Vec<Table>, Error> {
    let name = called(&table);
    let mut all = vec![Table::new()];
    for (key, value) in table {
        let choices = match value {
            Value::Array(choices) if key != "augment" && key != "measure_at" => choices,
            single => {
                all.iter_mut().for_each(|t| drop(t.insert(key.clone(), single.clone())));
                continue;
            }
        };
        if choices.is_empty() || key == "name" {
            return Err(Error::Invalid(format!(
                "recipe `{name}`: `{key}` is a list without a value, or no list can stand there"
            )));
        }
        let with = |t: &Table, choice: &Value| {
            let mut t = t.clone();
            t.insert(key.clone(), choice.clone());
            let suffix = t.remove("suffix").and_then(|s| s.as_str().map(str::to_owned)).unwrap_or_default();
            let shown = choice.as_str().map_or_else(|| choice.to_string(), str::to_owned);
            t.insert("suffix".into(), format!("{suffix}-{key}{shown}").into());
            t
        };
        all = all.iter().flat_map(|t| choices.iter().map(move |choice| with(t, choice))).collect();
    }
    for t in &mut all {
        if let Some(suffix) = t.remove("suffix") {
            t.insert("name".into(), format!("{name}{}", suffix.as_str().unwrap_or_default()).into());
        }
    }
    Ok(all)
}

/// The typed keys of a recipe, and the numbers beside them.
fn split(table: Table) -> Result<(Entry, Numbers), Error> {
    let name = called(&table);
    let numbers = number_keys();
    let (mut typed, mut given) = (Table::new(), Numbers::new());
    for (key, value) in table {
        if KEYS.contains(&key.as_str()) {
            typed.insert(key, value);
            continue;
        }
        if !numbers.contains(&key.as_str()) {
            let known = || KEYS.iter().chain(&numbers).copied();
            return Err(Error::Parse {
                message: format!("unknown field `{key}` of recipe `{name}`"),
                suggestion: closest(&key, known()),
            });
        }
        let switch = value.as_bool().filter(|_| Defences::SWITCHES.contains(&key.as_str()));
        let number =
            value.as_float().or(value.as_integer().map(|v| v as f64)).or(switch.map(|on| f64::from(u8::from(on))));
        let number = number.ok_or_else(|| Error::Invalid(format!("recipe `{name}`: {key} = {value} is no number")))?;
        given.insert(key, number);
    }
    let entry =
        typed.try_into().map_err(|e: toml::de::Error| Error::Invalid(format!("recipe `{name}`: {}", e.message())))?;
    Ok((entry, given))
}

impl Entry {
    /// A recipe that a command trains: what the engine would do has no meaning beside it.
    fn foreign(self, command: String, given: &Numbers) -> Result<Recipe, Error> {
        let set = [
            ("optimizer", self.optimizer.is_some()),
            ("base", self.base.is_some()),
            ("batch", self.batch.is_some()),
            ("lr", self.lr.is_some()),
            ("schedule", self.schedule.is_some()),
            ("warmup", self.warmup.is_some()),
            ("momentum", self.momentum.is_some()),
            ("nesterov", self.nesterov.is_some()),
            ("weight_decay", self.weight_decay.is_some()),
            ("augment", self.augment.is_some()),
            ("measure_at", self.measure_at.is_some()),
        ];
        let named = set.into_iter().filter(|(_, is)| *is).map(|(key, _)| key);
        if let Some(key) = named.chain(given.keys().map(String::as_str)).next() {
            return Err(Error::Invalid(format!(
                "recipe `{}` has `{key}` beside `trainer`: the command decides",
                self.name
            )));
        }
        let plain = Recipe::new(&self.name, Optimizer::Sgd, Base::Sgd, &Numbers::new())?;
        Ok(Recipe { trainer: Some(command), epochs: self.epochs.unwrap_or(1), ..plain })
    }

    /// The recipe, and behind it those that its run gives at earlier epochs.
    fn resolve(mut self, given: Numbers, train: &Train) -> Result<Vec<Recipe>, Error> {
        if let Some(command) = self.trainer.take() {
            return Ok(vec![self.foreign(command, &given)?]);
        }
        let epochs = self.measure_at.take();
        let last = self.native(given, train)?;
        Ok(match epochs {
            None => vec![last],
            Some(Epochs::One(epoch)) => vec![Recipe { measured_at: Some(epoch), ..last }],
            Some(Epochs::Many(all)) => {
                let at = |epoch: usize| Recipe {
                    name: format!("{}-at{epoch}", last.name),
                    measured_at: Some(epoch),
                    ..last.clone()
                };
                let earlier = all.into_iter().filter(|e| *e != last.epochs).map(at);
                std::iter::once(last.clone()).chain(earlier).collect()
            }
        })
    }

    fn native(self, mut given: Numbers, train: &Train) -> Result<Recipe, Error> {
        let mut defences = Defences::default();
        for (key, ..) in Defences::ALL {
            if let Some(value) = given.remove(key) {
                defences.set(key, value);
            }
        }
        let optimizer = self.optimizer.unwrap_or(Optimizer::Sgd);
        let base = self.base.or(optimizer.own_base()).unwrap_or_default();
        let plain = Recipe::new(&self.name, optimizer, base, &given)?;
        Ok(Recipe {
            base,
            defences,
            epochs: self.epochs.or(train.epochs).unwrap_or(plain.epochs),
            batch: self.batch.or(train.batch).unwrap_or(plain.batch),
            // A rate for SGD is none for Adam.
            lr: self.lr.or(train.lr.filter(|_| base == Base::Sgd)).unwrap_or(plain.lr),
            schedule: self.schedule.or(train.schedule).unwrap_or(plain.schedule),
            warmup: self.warmup.or(train.warmup).unwrap_or(plain.warmup),
            momentum: self.momentum.or(train.momentum).unwrap_or(plain.momentum),
            nesterov: self.nesterov.or(train.nesterov).unwrap_or(plain.nesterov),
            weight_decay: self.weight_decay.or(train.weight_decay).unwrap_or(plain.weight_decay),
            augment: self.augment.or_else(|| train.augment.clone()).unwrap_or(plain.augment),
            ..plain
        })
    }
}

/// A recipe as a table that parses back to it.
fn written(r: &Recipe) -> Result<Table, Error> {
    let failed = |e: toml::ser::Error| Error::Invalid(e.to_string());
    if let Some(command) = &r.trainer {
        let entry =
            Entry { name: r.name.clone(), epochs: Some(r.epochs), trainer: Some(command.clone()), ..Entry::default() };
        return Table::try_from(entry).map_err(failed);
    }
    let entry = Entry {
        name: r.name.clone(),
        optimizer: Some(r.optimizer),
        base: (r.base != Base::Sgd).then_some(r.base),
        epochs: Some(r.epochs),
        batch: Some(r.batch),
        lr: Some(r.lr),
        schedule: Some(r.schedule),
        warmup: Some(r.warmup),
        momentum: Some(r.momentum),
        nesterov: Some(r.nesterov),
        weight_decay: Some(r.weight_decay),
        augment: (!r.augment.is_empty()).then(|| r.augment.clone()),
        measure_at: r.measured_at.map(Epochs::One),
        trainer: None,
    };
    let mut table = Table::try_from(entry).map_err(failed)?;
    table.extend(r.parameters.iter().map(|(key, value)| (key.to_owned(), Value::Float(value))));
    let defences = Defences::ALL.iter().map(|(key, ..)| (*key, r.defences.get(key)));
    table.extend(defences.filter(|(_, v)| *v > 0.0).map(|(key, value)| (key.to_owned(), Value::Float(value))));
    Ok(table)
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
        let tables = if file.recipe.is_empty() {
            let twice = file.train.epochs.unwrap_or(80).saturating_mul(2);
            let named = |name: &str, optimizer: &str| {
                Table::from_iter(
                    [("name", name), ("optimizer", optimizer)].map(|(k, v)| (k.to_owned(), Value::from(v))),
                )
            };
            let mut longer = named("sgd-2x", "sgd");
            longer.insert("epochs".into(), Value::Integer(twice as i64));
            vec![named("sgd", "sgd"), longer, named("sam", "sam")]
        } else {
            file.recipe
        };
        let relevant = match file.relevant {
            None => Relevant::default(),
            Some(Relevance::Table(given)) => given,
            Some(Relevance::Text(text)) => text.parse().map_err(|e| Error::Invalid(format!("relevant: {e}")))?,
        };
        let mut recipes = Vec::new();
        for table in tables {
            for single in expand(table)? {
                let (entry, given) = split(single)?;
                recipes.extend(entry.resolve(given, &file.train)?);
            }
        }
        let study = Self {
            name: file.name.unwrap_or_else(|| "sam-against-sgd".into()),
            seed: file.seed.unwrap_or(0),
            models: file.models.unwrap_or(32),
            pool: file.pool,
            test: file.test,
            queries: file.queries.unwrap_or(1),
            noise: file.noise.unwrap_or_default(),
            relevant,
            data,
            architecture,
            recipes,
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
            noise: (!self.noise.is_empty()).then(|| self.noise.clone()),
            relevant: (self.relevant != Relevant::default()).then_some(Relevance::Table(self.relevant)),
            model: Model {
                preset: (!custom).then(|| self.architecture.name.clone()),
                width: None,
                layers: custom.then_some(layers),
            },
            train: Train::default(),
            recipe: self.recipes.iter().map(written).collect::<Result<_, _>>()?,
        };
        toml::to_string(&file).map_err(|e| Error::Invalid(e.to_string()))
    }
}

/// The known key nearest to the unknown one that the parser's message quotes.
fn nearest(message: &str) -> Option<String> {
    let mut quoted = message.strip_prefix("unknown field")?.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    closest(unknown, quoted)
}

/// The known name nearest to an unknown one, where it is near at all.
fn closest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
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
        assert_eq!((study.recipes[1].epochs, study.recipes[2].parameters.get("rho"), study.models), (160, 0.1, 32));
        assert_eq!(Study::parse(&study.to_toml().unwrap()).unwrap(), study);
        let foreign = Study::parse("[[recipe]]\nname = 'a'\ntrainer = 'x {mask} {out}'").unwrap();
        assert_eq!(Study::parse(&foreign.to_toml().unwrap()).unwrap(), foreign);
        let noisy = Study::parse("noise = [0.1, 0.5]").unwrap();
        assert_eq!(Study::parse(&noisy.to_toml().unwrap()).unwrap(), noisy);
        let strict = Study::parse("relevant = 'auc=.02,tpr=5%'").unwrap();
        assert_eq!((strict.relevant.auc, strict.relevant.tpr, strict.relevant.accuracy), (0.02, 0.05, 0.01));
        assert_eq!(Study::parse(&strict.to_toml().unwrap()).unwrap(), strict);
        assert_eq!(Study::parse("[relevant]\nauc = 0.02\ntpr = 0.05").unwrap(), strict);
        for wrong in ["relevant = 'auc=0'", "[relevant]\ntpr = 0.5", "relevant = 3"] {
            assert!(Study::parse(wrong).is_err(), "{wrong}");
        }
        let custom = Study::parse("[model]\nlayers = ['flatten', 'linear 5', 'tanh', 'linear']").unwrap();
        assert_eq!(Study::parse(&custom.to_toml().unwrap()).unwrap(), custom);
    }

    #[test]
    fn lists_stand_for_several_recipes() {
        let text = "[train]\nlr = 0.2\n[[recipe]]\nname = 'sgd'\n[[recipe]]\nname = 'gsam'\noptimizer = 'gsam'\nrho = [0.05, 0.2]\n\
            alpha = 0.3\nepochs = [10, 20]\n[[recipe]]\nname = 'a'\noptimizer = 'sam'\nbase = 'adam'\nmixup = 0.3\nlabel_smoothing = 0.1\n";
        let study = Study::parse(text).unwrap();
        let names: Vec<&str> = study.recipes.iter().map(|r| r.name.as_str()).collect();
        let swept = ["gsam-epochs10-rho0.05", "gsam-epochs10-rho0.2", "gsam-epochs20-rho0.05", "gsam-epochs20-rho0.2"];
        assert_eq!(names, [&["sgd"][..], &swept, &["a"]].concat());
        let last = &study.recipes[4];
        assert_eq!((last.epochs, last.parameters.get("rho"), last.parameters.get("alpha")), (20, 0.2, 0.3));
        assert_eq!(last.parameters.get("rho_min"), 0.01);
        let adam = &study.recipes[5];
        assert_eq!((adam.base, adam.lr, adam.parameters.get("beta2")), (Base::Adam, 0.001, 0.999));
        assert_eq!((adam.defences.mixup, adam.defences.label_smoothing), (0.3, 0.1));
        assert_eq!(Study::parse(&study.to_toml().unwrap()).unwrap(), study);
    }

    #[test]
    fn one_run_is_published_in_several_ways() {
        let text = "[[recipe]]\nname = 'sgd'\n[[recipe]]\nname = 'warm'\ntemperature = [2, 4.0]\n[[recipe]]\nname = 'labels'\n\
            labels_only = true\n[[recipe]]\nname = 'dropped'\ndropout = 0.5\n[[recipe]]\nname = 'top'\ndropout = 0.5\ntop_k = 3\n";
        let study = Study::parse(text).unwrap();
        assert_eq!(study.runs(), [vec![0, 1, 2, 3], vec![4, 5]]);
        assert_eq!((study.recipes[1].name.as_str(), study.recipes[3].defences.labels_only), ("warm-temperature2", 1.0));
        assert_ne!(study.identity(&study.recipes[0], ""), study.identity(&study.recipes[1], ""));
        assert_eq!(Study::parse(&study.to_toml().unwrap()).unwrap(), study);
    }

    #[test]
    fn one_run_is_measured_at_several_epochs() {
        let text = "[[recipe]]\nname = 'sgd'\nmeasure_at = [10, 20, 80]\n[[recipe]]\nname = 'b'\nrho = 0.1\noptimizer = 'sam'\nmeasure_at = 5\n";
        let study = Study::parse(text).unwrap();
        let found: Vec<(&str, usize)> = study.recipes.iter().map(|r| (r.name.as_str(), r.checkpoint())).collect();
        assert_eq!(found, [("sgd", 80), ("sgd-at10", 10), ("sgd-at20", 20), ("b", 5)]);
        assert_eq!(study.runs(), [vec![0, 1, 2], vec![3]]);
        assert_eq!(Study::parse(&study.to_toml().unwrap()).unwrap(), study);
        let late = Study::parse("[[recipe]]\nname = 'a'\nepochs = 5\nmeasure_at = [7]").unwrap_err().to_string();
        assert!(late.contains("measure_at = 7") && late.contains("1 to 4"), "{late}");
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
            ("noise = [0.1, -0.2]", vec!["noise = -0.2", "above 0"]),
            ("noise = [0.1, 0.1]", vec!["noise = 0.1", "different"]),
            ("[train]\naugment = ['crop']", vec!["unknown transform `crop`"]),
            ("[[recipe]]\nname = 'a'\ntrainer = 'x {mask}'", vec!["`a`", "lacks {out}"]),
            ("[[recipe]]\nname = 'a'\ntrainer = 'x {mask} {out} {gpu}'", vec!["{gpu}", "{index}"]),
            ("[[recipe]]\nname = 'a'\ntrainer = 'x'\nrho = 1", vec!["`rho` beside `trainer`"]),
            ("[[recipe]]\nname = 'a'\nk = 3", vec!["`k` is no parameter of sgd", "has none"]),
            ("[[recipe]]\nname = 'a'\noptimizer = 'sam'\nrho = -1", vec!["rho = -1", "radius"]),
            ("[[recipe]]\nname = 'a'\noptimizer = 'sma'", vec!["unknown variant `sma`", "`sam`"]),
            ("[[recipe]]\nname = 'a'\noptimizer = 'sam'\nrho = []", vec!["`rho` is a list"]),
            ("[[recipe]]\nname = 'a'\nhamp = 0.5\nrelaxloss = 1", vec!["exclude each other"]),
            ("[[recipe]]\nname = 'a'\noptimizer = 'adam'\nbase = 'sgd'", vec!["base = sgd beside"]),
            ("[[recipe]]\nname = 'a'\noptimizer = 'm-sam'\nmixup = 0.1", vec!["mixup", "takes apart"]),
            ("[[recipe]]\nname = 'a'\noptimizer = 'm-sam'\ndropout = 0.1", vec!["dropout", "takes apart"]),
            ("[[recipe]]\nname = 'a'\noptimizer = 'dp-sgd'\nrelaxloss = 1", vec!["relaxloss", "dp-sgd"]),
            ("[[recipe]]\nname = 'a'\nlabels_only = true\ntop_k = 2", vec!["top_k", "does not publish"]),
            ("[[recipe]]\nname = 'a'\ntop_k = 2.5", vec!["top_k = 2.5", "whole"]),
            ("[[recipe]]\nname = 'a'\ndropout = 0.0004", vec!["dropout = 0.0004", "thousandths"]),
            ("[[recipe]]\nname = 'a'\nmixup = true", vec!["mixup = true is no number"]),
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
