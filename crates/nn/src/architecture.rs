//! Layer lists and presets.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// One layer as written in a study file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// `linear N`: fully connected with N outputs; `linear` alone has one output per class.
    Linear(Option<usize>),
    /// `conv N`: 3x3 convolution, stride 1, padding 1, N output channels.
    Conv(usize),
    /// `relu`.
    Relu,
    /// `tanh`.
    Tanh,
    /// `max-pool`: 2x2, stride 2.
    MaxPool,
    /// `flatten`: image to vector.
    Flatten,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear(None) => f.write_str("linear"),
            Self::Linear(Some(n)) => write!(f, "linear {n}"),
            Self::Conv(n) => write!(f, "conv {n}"),
            Self::Relu => f.write_str("relu"),
            Self::Tanh => f.write_str("tanh"),
            Self::MaxPool => f.write_str("max-pool"),
            Self::Flatten => f.write_str("flatten"),
        }
    }
}

impl FromStr for Layer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownLayer(text.to_owned());
        let mut words = text.split_whitespace();
        let kind = words.next().ok_or_else(unknown)?;
        let size = words.next().map(str::parse::<usize>).transpose().map_err(|_| unknown())?;
        if words.next().is_some() {
            return Err(unknown());
        }
        match (kind, size) {
            ("linear", size) => Ok(Self::Linear(size)),
            ("conv", Some(n)) => Ok(Self::Conv(n)),
            ("relu", None) => Ok(Self::Relu),
            ("tanh", None) => Ok(Self::Tanh),
            ("max-pool", None) => Ok(Self::MaxPool),
            ("flatten", None) => Ok(Self::Flatten),
            _ => Err(unknown()),
        }
    }
}

/// Names that [`Architecture::preset`] knows.
pub const PRESETS: &[&str] = &["mlp", "cnn"];

/// A network as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Preset name, or `custom`.
    pub name: String,
    /// Layers in order; the last gives the logits.
    pub layers: Vec<Layer>,
}

impl Architecture {
    /// `mlp`: in-256-128-C with ReLU. `cnn`: 3x3 convolutions with 32 and 64 channels, each with ReLU and
    /// 2x2 max-pooling, then 128 and C fully connected.
    pub fn preset(name: &str) -> Result<Self, Error> {
        let text = match name {
            "mlp" => "flatten;linear 256;relu;linear 128;relu;linear",
            "cnn" => "conv 32;relu;max-pool;conv 64;relu;max-pool;flatten;linear 128;relu;linear",
            _ => return Err(Error::UnknownPreset(name.to_owned())),
        };
        Self::custom(text.split(';')).map(|a| Self { name: name.to_owned(), ..a })
    }

    /// A network from layer texts.
    pub fn custom<'a>(layers: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let layers = layers.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { name: "custom".to_owned(), layers })
    }
}
