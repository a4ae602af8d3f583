//! The optimizers: names, parameters, costs, sources.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The optimizer of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Stochastic gradient descent as PyTorch defines it.
    Sgd,
    /// Sharpness-aware minimisation over SGD (Foret et al. 2021, arXiv 2010.01412, eq. 2 and algorithm 1).
    Sam,
    /// Gradient mixed from w and w + eps (own: book/methods/training.md#unified-family).
    Mixed,
    /// Weighted SAM, decoupled (Yue et al. 2023, arXiv 2305.15817).
    Wsam,
    /// The same with one base step.
    WsamCoupled,
    /// Away from flat minima: a defence of this project's own.
    Sharpreg,
    /// Adaptive SAM (Kwon et al. 2021, arXiv 2102.11600).
    Asam,
    /// The same with the norm of its filter as the size of a convolution's weight, the paper's other operator.
    AsamFilter,
    /// The same with the size of every parameter, biases too, and nothing added.
    AsamAll,
    /// Surrogate-gap guided SAM (Zhuang et al. 2022, arXiv 2203.08065).
    Gsam,
    /// LookSAM (Liu et al. 2022, arXiv 2203.02714).
    Looksam,
    /// Friendly SAM (Li et al. 2024, arXiv 2403.12350).
    FriendlySam,
    /// Efficient SAM (Du et al. 2022, arXiv 2110.03141).
    Esam,
    /// SAM on chunks of the batch (Foret et al. 2021, section 4.1).
    MSam,
    /// Stochastic weight averaging (Izmailov et al. 2018, arXiv 1803.05407).
    Swa,
    /// Differentially private SGD (Abadi et al. 2016, arXiv 1607.00133).
    DpSgd,
    /// Differentially private sharpness-aware training (Park et al. 2023, arXiv 2306.05651).
    DpSat,
    /// Adam (Kingma & Ba 2015, arXiv 1412.6980).
    Adam,
    /// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101).
    Adamw,
}

/// What takes the step, given a gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// SGD with momentum.
    #[default]
    Sgd,
    /// Adam, weight decay added to the gradient.
    Adam,
    /// AdamW.
    Adamw,
}

/// A parameter of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Key in a study file.
    pub key: &'static str,
    /// Value where the study gives none.
    pub default: f64,
    /// Least and largest value.
    pub range: (f64, f64),
    /// What it is.
    pub about: &'static str,
}

const fn parameter(key: &'static str, default: f64, range: (f64, f64), about: &'static str) -> Parameter {
    Parameter { key, default, range, about }
}

const RHO: Parameter = parameter("rho", 0.1, (0.0, 1e6), "radius of the perturbation");
const ADAM: [Parameter; 3] = [
    parameter("beta1", 0.9, (0.0, 0.999_999), "decay of the mean gradient"),
    parameter("beta2", 0.999, (0.0, 0.999_999), "decay of the mean square"),
    parameter("epsilon", 1e-8, (0.0, 1.0), "what is added to the root"),
];
const PRIVATE: [Parameter; 4] = [
    parameter("clip", 1.0, (1e-6, 1e6), "largest norm of an example's gradient"),
    parameter("noise", 1.0, (0.0, 1e6), "deviation of the noise in units of clip"),
    parameter("delta", 1e-5, (1e-300, 0.1), "delta at which epsilon is stated"),
    parameter("budget", 0.0, (0.0, 1e6), "largest epsilon; a study that exceeds it is refused, 0 is without"),
];

impl Optimizer {
    /// Every optimizer.
    pub const ALL: [Self; 19] = [
        Self::Sgd,
        Self::Sam,
        Self::Mixed,
        Self::Wsam,
        Self::WsamCoupled,
        Self::Sharpreg,
        Self::Asam,
        Self::AsamFilter,
        Self::AsamAll,
        Self::Gsam,
        Self::Looksam,
        Self::FriendlySam,
        Self::Esam,
        Self::MSam,
        Self::Swa,
        Self::DpSgd,
        Self::DpSat,
        Self::Adam,
        Self::Adamw,
    ];

    /// Name in study files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Sam => "sam",
            Self::Mixed => "mixed",
            Self::Wsam => "wsam",
            Self::WsamCoupled => "wsam-coupled",
            Self::Sharpreg => "sharpreg",
            Self::Asam => "asam",
            Self::AsamFilter => "asam-filter",
            Self::AsamAll => "asam-all",
            Self::Gsam => "gsam",
            Self::Looksam => "looksam",
            Self::FriendlySam => "friendly-sam",
            Self::Esam => "esam",
            Self::MSam => "m-sam",
            Self::Swa => "swa",
            Self::DpSgd => "dp-sgd",
            Self::DpSat => "dp-sat",
            Self::Adam => "adam",
            Self::Adamw => "adamw",
        }
    }

    /// Its own parameters, `rho` among them.
    pub fn parameters(self) -> Vec<Parameter> {
        let alpha = |default, range, about| parameter("alpha", default, range, about);
        match self {
            Self::Sgd => vec![],
            Self::Sam => vec![RHO],
            Self::Mixed => vec![RHO, alpha(0.5, (-10.0, 10.0), "weight of the perturbed gradient")],
            Self::Wsam | Self::WsamCoupled => {
                vec![RHO, parameter("gamma", 0.5, (0.0, 0.99), "weight of sharpness; alpha = gamma / (1 - gamma)")]
            }
            Self::Sharpreg => vec![RHO, alpha(-0.5, (-10.0, 0.0), "weight of the perturbed gradient, below 0")],
            Self::AsamAll => vec![Parameter { default: 2.0, ..RHO }],
            Self::Asam | Self::AsamFilter => {
                vec![Parameter { default: 0.5, ..RHO }, parameter("eta", 0.01, (0.0, 1e3), "what is added to sizes")]
            }
            Self::Gsam => vec![
                RHO,
                parameter("rho_min", 0.01, (0.0, 1e6), "radius at learning rate 0"),
                alpha(0.4, (0.0, 10.0), "weight of the orthogonal part that is taken off"),
            ],
            Self::Looksam => vec![
                RHO,
                parameter("k", 5.0, (1.0, 1e6), "steps between two perturbed gradients"),
                alpha(0.7, (0.0, 10.0), "weight of the kept direction"),
            ],
            Self::FriendlySam => vec![
                RHO,
                parameter("sigma", 1.0, (0.0, 10.0), "share of the mean gradient that is taken off"),
                parameter("lambda", 0.9, (0.0, 1.0), "decay of the mean gradient"),
            ],
            Self::Esam => vec![
                RHO,
                parameter("beta", 0.6, (1e-3, 1.0), "share of the tensors that are perturbed"),
                parameter("gamma", 0.5, (1e-3, 1.0), "share of the batch in the second pass"),
            ],
            Self::MSam => vec![RHO, parameter("m", 16.0, (1.0, 65536.0), "examples of a chunk")],
            Self::Swa => {
                vec![parameter(
                    "average_from",
                    0.75,
                    (0.0, 1.0),
                    "share of training after which parameters are averaged",
                )]
            }
            Self::DpSgd => PRIVATE.to_vec(),
            Self::DpSat => std::iter::once(RHO).chain(PRIVATE).collect(),
            Self::Adam | Self::Adamw => vec![],
        }
    }

    /// Where it is defined.
    pub fn source(self) -> &'static str {
        match self {
            Self::Sgd => "as PyTorch",
            Self::Sam => "Foret et al. 2021, arXiv 2010.01412",
            Self::Mixed => "own family: alpha 0 is sgd, 1 is sam",
            Self::Wsam | Self::WsamCoupled => "Yue et al. 2023, arXiv 2305.15817",
            Self::Sharpreg => "own: mixed with alpha below 0",
            Self::Asam => "Kwon et al. 2021, arXiv 2102.11600, element-wise as in its authors' code",
            Self::AsamFilter => "Kwon et al. 2021, arXiv 2102.11600, filter-wise",
            Self::AsamAll => "github.com/davda54/sam, adaptive = True",
            Self::Gsam => "Zhuang et al. 2022, arXiv 2203.08065",
            Self::Looksam => "Liu et al. 2022, arXiv 2203.02714",
            Self::FriendlySam => "Li et al. 2024, arXiv 2403.12350",
            Self::Esam => "Du et al. 2022, arXiv 2110.03141",
            Self::MSam => "Foret et al. 2021, arXiv 2010.01412, section 4.1",
            Self::Swa => "Izmailov et al. 2018, arXiv 1803.05407",
            Self::DpSgd => "Abadi et al. 2016, arXiv 1607.00133",
            Self::DpSat => "Park et al. 2023, arXiv 2306.05651",
            Self::Adam => "Kingma & Ba 2015, arXiv 1412.6980",
            Self::Adamw => "Loshchilov & Hutter 2019, arXiv 1711.05101",
        }
    }

    /// Whether it looks at gradients around the parameters.
    pub fn is_sharpness_aware(self) -> bool {
        self.parameters().iter().any(|p| p.key == "rho")
    }

    /// Whether it looks at parts of a batch, so that examples must not depend on each other.
    pub fn splits_batches(self) -> bool {
        matches!(self, Self::Esam | Self::MSam) || self.is_private()
    }

    /// Whether it clips and adds noise, and draws its batches by Poisson sampling.
    pub fn is_private(self) -> bool {
        matches!(self, Self::DpSgd | Self::DpSat)
    }

    /// The base step that the name stands for, where it stands for one.
    pub fn own_base(self) -> Option<Base> {
        match self {
            Self::Adam => Some(Base::Adam),
            Self::Adamw => Some(Base::Adamw),
            _ => None,
        }
    }
}

impl Base {
    /// Its own parameters.
    pub fn parameters(self) -> &'static [Parameter] {
        if self == Self::Sgd { &[] } else { &ADAM }
    }
}

/// Values of an optimizer's parameters by key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parameters(BTreeMap<String, f64>);

impl Parameters {
    /// The values of `optimizer` over `base`: those given, and defaults for the rest.
    ///
    /// # Errors
    /// A key that is no parameter of either, a value out of its range; as a fragment.
    pub fn resolve(optimizer: Optimizer, base: Base, given: &BTreeMap<String, f64>) -> Result<Self, String> {
        let mut known = optimizer.parameters();
        known.extend(base.parameters());
        if let Some(key) = given.keys().find(|key| known.iter().all(|p| p.key != key.as_str())) {
            let all: Vec<&str> = known.iter().map(|p| p.key).collect();
            let has = if all.is_empty() { "has none".into() } else { format!("has {}", all.join(", ")) };
            return Err(format!("`{key}` is no parameter of {}, which {has}", optimizer.name()));
        }
        let mut values = BTreeMap::new();
        for Parameter { key, default, range: (low, high), about } in known {
            let value = given.get(key).copied().unwrap_or(default);
            if !(low..=high).contains(&value) {
                return Err(format!("{key} = {value} is out of range: {about}, {low} to {high}"));
            }
            values.insert(key.to_owned(), value);
        }
        Ok(Self(values))
    }

    /// A value; 0 where the optimizer has no such parameter.
    pub fn get(&self, key: &str) -> f64 {
        self.0.get(key).copied().unwrap_or(0.0)
    }

    /// All of them by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(key, value)| (key.as_str(), *value))
    }
}
