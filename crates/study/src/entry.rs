//! One `[[recipe]]` of a study file.

use std::collections::BTreeMap;

use flatleak_nn::methods::Sgd;
use flatleak_nn::{Base, Defences, Optimizer, Recipe, Schedule, Transform};
use serde::{Deserialize, Serialize};
use toml::de::DeTable;
use toml::{Table, Value};

use crate::error::{Error, Place, Suggestion};
use crate::study::MOST_RECIPES;

/// The optimizer of a recipe that names none.
const SGD: Optimizer = Optimizer::Sgd(Sgd {});

/// What holds for every recipe that does not say.
#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Train {
    pub(crate) epochs: Option<usize>,
    pub(crate) batch: Option<usize>,
    pub(crate) lr: Option<f64>,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) warmup: Option<usize>,
    pub(crate) momentum: Option<f64>,
    pub(crate) nesterov: Option<bool>,
    pub(crate) weight_decay: Option<f64>,
    pub(crate) augment: Option<Vec<Transform>>,
}

// Parameters of optimizers and defences stand beside these keys: see `split`.
#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    name: String,
    optimizer: Option<String>,
    base: Option<String>,
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
pub(crate) enum Epochs {
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
pub(crate) type Numbers = BTreeMap<String, f64>;

/// Keys of parameters and defences.
fn number_keys() -> Vec<&'static str> {
    let parameters =
        Optimizer::ALL.iter().flat_map(|o| o.parameters()).chain(Base::ALL.iter().flat_map(|b| b.parameters()));
    let mut all: Vec<&str> = parameters.map(|p| p.key).chain(Defences::all().iter().map(|d| d.key)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A recipe's table in a study file.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The file's text.
    pub(crate) text: &'a str,
    /// Place in the list of recipes.
    pub(crate) index: usize,
}

impl Source<'_> {
    /// Where a key of the recipe stands. Only errors ask: the file is read once more.
    fn place(self, key: &str) -> Place {
        let start = DeTable::parse(self.text).ok().and_then(|file| {
            let recipes = file.get_ref().get("recipe")?.get_ref().as_array()?;
            let table = recipes.get(self.index)?.get_ref().as_table()?;
            table.keys().find(|own| own.get_ref().as_ref() == key).map(|own| own.span().start)
        });
        Place::of(self.text, start.unwrap_or(0))
    }
}

/// The name that errors call a recipe by.
fn called(table: &Table) -> String {
    table.get("name").and_then(Value::as_str).unwrap_or("?").to_owned()
}

/// A recipe whose values are lists stands for one recipe for each combination, with the values in its name.
pub(crate) fn expand(table: Table, source: Source<'_>) -> Result<Vec<Table>, Error> {
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
            return Err(Error::List { at: source.place(&key), recipe: name, key });
        }
        let found = all.len().saturating_mul(choices.len());
        if found > MOST_RECIPES {
            return Err(Error::Recipes { found, most: MOST_RECIPES });
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
pub(crate) fn split(table: Table, source: Source<'_>) -> Result<(Entry, Numbers), Error> {
    let recipe = called(&table);
    let (numbers, defences) = (number_keys(), Defences::all());
    let (mut typed, mut given) = (Table::new(), Numbers::new());
    for (key, value) in table {
        if KEYS.contains(&key.as_str()) {
            typed.insert(key, value);
            continue;
        }
        let at = || source.place(&key);
        if !numbers.contains(&key.as_str()) {
            let suggestion = closest(&key, KEYS.iter().chain(&numbers).copied());
            return Err(Error::UnknownKey { at: at(), key, recipe, suggestion });
        }
        let switch = value.as_bool().filter(|_| defences.iter().any(|d| d.switch && d.key == key));
        let number =
            value.as_float().or(value.as_integer().map(|v| v as f64)).or(switch.map(|on| f64::from(u8::from(on))));
        let Some(number) = number else {
            return Err(Error::NoNumber { at: at(), recipe, value: value.to_string(), key });
        };
        given.insert(key, number);
    }
    if !typed.contains_key("name") {
        return Err(Error::NoName { number: source.index + 1 });
    }
    for (key, value) in &typed {
        // Alone, so that an error is known to be this key's.
        let mut single = Table::from_iter([("name".to_owned(), Value::from(recipe.as_str()))]);
        single.insert(key.clone(), value.clone());
        if let Err(problem) = single.try_into::<Entry>() {
            let (at, key, value) = (source.place(key), key.clone(), value.to_string());
            return Err(Error::Type { at, recipe, key, value, source: problem });
        }
    }
    let whole = |problem| {
        let (at, key) = (source.place("name"), "name".to_owned());
        Error::Type { at, recipe, key, value: String::new(), source: problem }
    };
    let entry: Entry = typed.try_into().map_err(whole)?;
    Ok((entry, given))
}

/// What a name stands for.
fn named<T: Copy>(
    (key, found): (&str, &str),
    all: &[T],
    name: impl Fn(&T) -> &'static str,
    (recipe, source): (&str, Source<'_>),
) -> Result<T, Error> {
    if let Some(known) = all.iter().find(|known| name(known) == found) {
        return Ok(*known);
    }
    let known: Vec<&'static str> = all.iter().map(name).collect();
    let suggestion = closest(found, known.iter().copied());
    Err(Error::UnknownName {
        at: source.place(key),
        recipe: recipe.to_owned(),
        found: found.to_owned(),
        known,
        suggestion,
    })
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
            return Err(Error::BesideTrainer { recipe: self.name, key: key.to_owned() });
        }
        let plain = Recipe::new(&self.name, SGD, Base::Sgd);
        Ok(Recipe { trainer: Some(command), epochs: self.epochs.unwrap_or(1), ..plain })
    }

    /// The recipe, and behind it those that its run gives at earlier epochs.
    pub(crate) fn resolve(mut self, given: &Numbers, train: &Train, source: Source<'_>) -> Result<Vec<Recipe>, Error> {
        if let Some(command) = self.trainer.take() {
            return Ok(vec![self.foreign(command, given)?]);
        }
        let epochs = self.measure_at.take();
        let last = self.native(given, train, source)?;
        Ok(match epochs {
            None => vec![last],
            Some(Epochs::Many(none)) if none.is_empty() => return Err(Error::NoEpochs { recipe: last.name }),
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

    fn native(self, given: &Numbers, train: &Train, source: Source<'_>) -> Result<Recipe, Error> {
        let recipe = (self.name.as_str(), source);
        let optimizer = match &self.optimizer {
            Some(found) => named(("optimizer", found), Optimizer::ALL, Optimizer::name, recipe)?,
            None => SGD,
        };
        let asked =
            self.base.as_ref().map(|found| named(("base", found), &Base::ALL, Base::name, recipe)).transpose()?;
        let plain = Recipe::new(&self.name, optimizer, asked.unwrap_or_default()).with(given)?;
        // One that contradicts the optimizer's name stays, to be refused.
        let base = asked.filter(|asked| asked.name() != plain.base.name()).unwrap_or(plain.base);
        Ok(Recipe {
            base,
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
pub(crate) fn written(r: &Recipe) -> Result<Table, Error> {
    if let Some(command) = &r.trainer {
        let entry =
            Entry { name: r.name.clone(), epochs: Some(r.epochs), trainer: Some(command.clone()), ..Entry::default() };
        return Ok(Table::try_from(entry)?);
    }
    let entry = Entry {
        name: r.name.clone(),
        optimizer: Some(r.optimizer.name().to_owned()),
        base: (r.base != Base::Sgd).then(|| r.base.name().to_owned()),
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
    let mut table = Table::try_from(entry)?;
    let numbers = r.values().into_iter().chain(r.defences.values());
    table.extend(numbers.map(|(key, value)| (key.to_owned(), Value::Float(value))));
    Ok(table)
}

/// The known name nearest to an unknown one, where it is near at all.
pub(crate) fn closest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Suggestion {
    let nearest = known
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().div_ceil(2))
        .map(|(_, known)| known.to_owned());
    Suggestion(nearest)
}
