//! The TOML form, read and written.

use flatleak_nn::{Architecture, Recipe};
use flatleak_results::Relevant;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::entry::{Source, Train, closest, expand, split, written};
use crate::error::{Error, Place};
use crate::study::{DEFAULT_DATA, MOST_RECIPES, Study};

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

impl Model {
    fn architecture(self) -> Result<Architecture, Error> {
        match (self.preset, self.layers) {
            (Some(_), Some(_)) => Err(Error::TwoNetworks),
            (preset, None) => Ok(Architecture::scaled(preset.as_deref().unwrap_or("mlp"), self.width.unwrap_or(1.0))?),
            (None, Some(_)) if self.width.is_some() => Err(Error::WidthBesideLayers),
            (None, Some(layers)) => Ok(Architecture::custom(layers.iter().map(String::as_str))?),
        }
    }
}

/// The recipes of a file, or the main job's where it has none.
fn recipes(tables: Vec<Table>, train: &Train, text: &str) -> Result<Vec<Recipe>, Error> {
    let tables = if tables.is_empty() {
        let twice = train.epochs.unwrap_or(80).saturating_mul(2);
        let named = |name: &str, optimizer: &str| {
            Table::from_iter([("name", name), ("optimizer", optimizer)].map(|(k, v)| (k.to_owned(), Value::from(v))))
        };
        let mut longer = named("sgd-2x", "sgd");
        longer.insert("epochs".into(), Value::Integer(twice as i64));
        vec![named("sgd", "sgd"), longer, named("sam", "sam")]
    } else {
        tables
    };
    let mut recipes = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let source = Source { text, index };
        for single in expand(table, source)? {
            let (entry, given) = split(single, source)?;
            recipes.extend(entry.resolve(&given, train, source)?);
            if recipes.len() > MOST_RECIPES {
                return Err(Error::Recipes { found: recipes.len(), most: MOST_RECIPES });
            }
        }
    }
    Ok(recipes)
}

impl Default for Study {
    fn default() -> Self {
        // The empty file is valid: `parse` of it is pinned by a test.
        Self::parse("").unwrap_or_else(|_| Self {
            name: String::new(),
            seed: 0,
            models: 0,
            data: Vec::new(),
            pool: None,
            test: None,
            queries: 1,
            noise: Vec::new(),
            relevant: Relevant::default(),
            architecture: Architecture { name: String::new(), layers: Vec::new() },
            recipes: Vec::new(),
        })
    }
}

impl Study {
    /// Reads a study file and fills in every default.
    ///
    /// # Errors
    /// TOML that does not parse, unknown keys, values out of range.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|e| unread(e, text))?;
        let data = match file.data {
            None => vec![DEFAULT_DATA.to_owned()],
            Some(Names::One(name)) => vec![name],
            Some(Names::Many(names)) => names,
        };
        let architecture = file.model.architecture()?;
        let relevant = match file.relevant {
            None => Relevant::default(),
            Some(Relevance::Table(given)) => given,
            Some(Relevance::Text(text)) => text.parse()?,
        };
        let recipes = recipes(file.recipe, &file.train, text)?;
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
        Ok(toml::to_string(&file)?)
    }
}

/// A file that the parser refuses; of an unknown key, what its message says apart.
fn unread(source: toml::de::Error, text: &str) -> Error {
    let message = source.message().to_owned();
    let start = source.span().map_or(0, |span| span.start);
    let Some(mut quoted) = message.strip_prefix("unknown field").map(|rest| rest.split('`').skip(1).step_by(2)) else {
        return Error::Parse { source };
    };
    let Some(key) = quoted.next().map(str::to_owned) else { return Error::Parse { source } };
    let known: Vec<String> = quoted.map(str::to_owned).collect();
    let suggestion = closest(&key, known.iter().map(String::as_str));
    Error::UnknownOutside { at: Place::of(text, start), key, known, suggestion }
}

#[cfg(test)]
mod tests {
    use flatleak_nn::defences::{LabelSmoothing, LabelsOnly, Mixup};
    use flatleak_nn::methods::{Gsam, Sam};
    use flatleak_nn::{AdamSettings, Base, Optimizer};

    use super::*;

    #[test]
    fn lists_of_values_make_as_many_recipes_as_can_be_run() {
        let sweep = |values: usize| {
            let list = (1..=values).map(|k| format!("{k}.0")).collect::<Vec<_>>().join(",");
            let keys = ["lr", "rho", "momentum", "weight_decay"].map(|key| format!("{key} = [{list}]\n"));
            Study::parse(&format!("[[recipe]]\nname = 'a'\noptimizer = 'sam'\n{}", keys.concat()))
        };
        // 10^12 of them would be made before the first is looked at.
        assert!(matches!(sweep(1000).unwrap_err(), Error::Recipes { found: 1_000_000.., .. }));
        let many = "[[recipe]]\nname = 'a'\n".repeat(MOST_RECIPES + 1);
        assert!(matches!(Study::parse(&many).unwrap_err(), Error::Recipes { .. }));
    }

    #[test]
    fn the_empty_file_is_the_main_job_and_survives_a_round_trip() {
        let study = Study::parse("").unwrap();
        let names: Vec<&str> = study.recipes.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["sgd", "sgd-2x", "sam"]);
        assert_eq!((study.recipes[1].epochs, study.models), (160, 32));
        assert_eq!(study.recipes[2].optimizer, Optimizer::Sam(Sam { rho: 0.1 }));
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
        assert_eq!((last.epochs, last.optimizer), (20, Optimizer::Gsam(Gsam { rho: 0.2, alpha: 0.3, rho_min: 0.01 })));
        let adam = &study.recipes[5];
        assert_eq!((adam.base, adam.lr), (Base::Adam(AdamSettings { beta2: 0.999, ..AdamSettings::default() }), 0.001));
        assert_eq!(adam.defences.mixup, Some(Mixup { a: 0.3 }));
        assert_eq!(adam.defences.label_smoothing, Some(LabelSmoothing { share: 0.1 }));
        assert_eq!(Study::parse(&study.to_toml().unwrap()).unwrap(), study);
    }

    #[test]
    fn one_run_is_published_in_several_ways() {
        let text = "[[recipe]]\nname = 'sgd'\n[[recipe]]\nname = 'warm'\ntemperature = [2, 4.0]\n[[recipe]]\nname = 'labels'\n\
            labels_only = true\n[[recipe]]\nname = 'dropped'\ndropout = 0.5\n[[recipe]]\nname = 'top'\ndropout = 0.5\ntop_k = 3\n";
        let study = Study::parse(text).unwrap();
        assert_eq!(study.runs(), [vec![0, 1, 2, 3], vec![4, 5]]);
        assert_eq!(study.recipes[1].name, "warm-temperature2");
        assert_eq!(study.recipes[3].defences.labels_only, Some(LabelsOnly));
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
            ("modles = 3", vec!["unknown key `modles`, line 1, column 1: did you mean `models`?"]),
            ("[train]\nepoch = 3", vec!["unknown key `epoch`, line 2, column 1: did you mean `epochs`?"]),
            ("[train]\n  zzz = 3", vec!["unknown key `zzz`, line 2, column 3; known here: epochs, batch"]),
            (
                "[[recipe]]\nname = 'a'\nzzzzzzzz = 1",
                vec!["unknown key `zzzzzzzz` in recipe `a`, line 3, column 1; `flatleak"],
            ),
            ("seed = -1", vec!["line 1"]),
            (
                "[[recipe]]\nname = 'a'\n epochs = 'ten'",
                vec!["recipe `a`, line 3, column 2: epochs = \"ten\": invalid type", "usize"],
            ),
            ("[[recipe]]\nname = 'a'\nepochs = -3", vec!["recipe `a`, line 3, column 1: epochs = -3: invalid value"]),
            ("[[recipe]]\nname = 7", vec!["line 2, column 1: name = 7: invalid type"]),
            ("[[recipe]]\nname = 'a'\n[[recipe]]\nlr = 0.1", vec!["recipe 2 has no name: add name ="]),
            ("[train]\nlr = 0.0", vec!["lr = 0, but a number above 0"]),
            ("[train]\nlr = nan", vec!["lr = NaN, but a number above 0"]),
            ("[train]\nlr = inf", vec!["lr = inf, but"]),
            ("[train]\nmomentum = 1.0", vec!["momentum = 1, but a number from 0 to below 1"]),
            ("[train]\nweight_decay = -0.1", vec!["weight_decay = -0.1, but a number from 0"]),
            ("[train]\nepochs = 0", vec!["epochs = 0, but 1 to 100000"]),
            ("models = 0", vec!["models = 0, but an even number from 6"]),
            ("pool = 0", vec!["pool = 0, but at least 20"]),
            ("pool = 1", vec!["pool = 1, but at least 20"]),
            ("test = 0", vec!["test = 0, but at least 1"]),
            ("queries = 0", vec!["queries = 0, but 1, 2, 18"]),
            ("noise = [nan]", vec!["noise = NaN", "above 0"]),
            ("[[recipe]]\nname = 'a'\nmeasure_at = []", vec!["`a`", "measure_at", "leave it out"]),
            ("[[recipe]]\nname = 'a'\nmeasure_at = 0", vec!["measure_at = 0, but 1 to 79"]),
            (
                "[[recipe]]\nname = 'a'\n[[recipe]]\nname = 'b'\n  rh0 = 1",
                vec!["unknown key `rh0` in recipe `b`, line 5, column 3: did you mean `rho`?"],
            ),
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
            (
                "[[recipe]]\nname = 'a'\noptimizer = 'sma'",
                vec!["line 3", "unknown variant `sma`", "did you mean `sam`?"],
            ),
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
