//! Layer lists as written in a study file.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::presets;

/// One layer as written in a study file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// `linear N`: fully connected with N outputs; `linear` alone has one output per class.
    Linear(Option<usize>),
    /// `conv N [1x1] [stride S] [no-bias]`: convolution with N output channels, 3x3 unless it says 1x1, padded so that stride 1 keeps the
    /// size.
    Conv {
        /// Output channels.
        channels: usize,
        /// Side of the kernel, 1 or 3.
        kernel: usize,
        /// Step between windows.
        stride: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// `batch-norm`.
    BatchNorm,
    /// `group-norm G`: channels in G groups.
    GroupNorm(usize),
    /// `relu`.
    Relu,
    /// `tanh`.
    Tanh,
    /// `gelu`, exact.
    Gelu,
    /// `dropout P`, here in thousandths.
    Dropout(u16),
    /// `max-pool`: 2x2, stride 2.
    MaxPool,
    /// `average-pool`: 2x2, stride 2.
    AveragePool,
    /// `global-pool`: the mean over all pixels; what follows is a vector.
    GlobalPool,
    /// `flatten`: image to vector.
    Flatten,
    /// `split`: keeps what is here for the next `add`.
    Split,
    /// `shortcut LAYER`: a layer on what the last `split` keeps.
    Shortcut(Box<Layer>),
    /// `add`: adds what the last `split` keeps.
    Add,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear(None) => f.write_str("linear"),
            Self::Linear(Some(n)) => write!(f, "linear {n}"),
            Self::Conv { channels, kernel, stride, bias } => {
                write!(f, "conv {channels}")?;
                if *kernel != 3 {
                    write!(f, " {kernel}x{kernel}")?;
                }
                if *stride != 1 {
                    write!(f, " stride {stride}")?;
                }
                if *bias { Ok(()) } else { f.write_str(" no-bias") }
            }
            Self::BatchNorm => f.write_str("batch-norm"),
            Self::GroupNorm(groups) => write!(f, "group-norm {groups}"),
            Self::Relu => f.write_str("relu"),
            Self::Tanh => f.write_str("tanh"),
            Self::Gelu => f.write_str("gelu"),
            Self::Dropout(thousandths) => write!(f, "dropout {}", f64::from(*thousandths) / 1000.0),
            Self::MaxPool => f.write_str("max-pool"),
            Self::AveragePool => f.write_str("average-pool"),
            Self::GlobalPool => f.write_str("global-pool"),
            Self::Flatten => f.write_str("flatten"),
            Self::Split => f.write_str("split"),
            Self::Shortcut(layer) => write!(f, "shortcut {layer}"),
            Self::Add => f.write_str("add"),
        }
    }
}

impl FromStr for Layer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let words: Vec<&str> = text.split_whitespace().collect();
        parse(&words).ok_or_else(|| Error::UnknownLayer { found: text.to_owned(), known: FORMS.to_vec() })
    }
}

fn parse(words: &[&str]) -> Option<Layer> {
    let (kind, rest) = words.split_first()?;
    if *kind == "shortcut" {
        let inner = parse(rest)?;
        let fits = !matches!(inner, Layer::Shortcut(_) | Layer::Split | Layer::Add);
        return fits.then(|| Layer::Shortcut(Box::new(inner)));
    }
    if *kind == "conv" {
        return conv(rest);
    }
    let number = match rest {
        [] => None,
        [one] => Some(*one),
        _ => return None,
    };
    Some(match (*kind, number) {
        ("linear", None) => Layer::Linear(None),
        ("linear", Some(n)) => Layer::Linear(Some(n.parse().ok()?)),
        ("group-norm", Some(n)) => Layer::GroupNorm(n.parse().ok()?),
        ("dropout", Some(p)) => Layer::Dropout(thousandths(p.parse().ok()?)?),
        ("batch-norm", None) => Layer::BatchNorm,
        ("relu", None) => Layer::Relu,
        ("tanh", None) => Layer::Tanh,
        ("gelu", None) => Layer::Gelu,
        ("max-pool", None) => Layer::MaxPool,
        ("average-pool", None) => Layer::AveragePool,
        ("global-pool", None) => Layer::GlobalPool,
        ("flatten", None) => Layer::Flatten,
        ("split", None) => Layer::Split,
        ("add", None) => Layer::Add,
        _ => return None,
    })
}

/// What follows `conv`: channels, then options in any order.
fn conv(words: &[&str]) -> Option<Layer> {
    let (channels, mut rest) = words.split_first()?;
    let channels = channels.parse().ok()?;
    let (mut kernel, mut stride, mut bias) = (3, 1, true);
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        match *word {
            "1x1" => kernel = 1,
            "3x3" => kernel = 3,
            "no-bias" => bias = false,
            "stride" => {
                let (n, after) = rest.split_first()?;
                stride = n.parse().ok().filter(|n| *n >= 1)?;
                rest = after;
            }
            _ => return None,
        }
    }
    Some(Layer::Conv { channels, kernel, stride, bias })
}

/// The forms of layers.
const FORMS: [&str; 16] = [
    "linear N",
    "linear",
    "conv N [1x1] [stride S] [no-bias]",
    "batch-norm",
    "group-norm G",
    "relu",
    "tanh",
    "gelu",
    "dropout P",
    "max-pool",
    "average-pool",
    "global-pool",
    "flatten",
    "split",
    "shortcut LAYER",
    "add",
];

fn unknown(preset: &str) -> Error {
    Error::UnknownPreset { found: preset.to_owned(), known: presets::PRESETS }
}

/// A network as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Preset name, or `custom`.
    pub name: String,
    /// Layers in order; the last gives the logits.
    pub layers: Vec<Layer>,
}

impl Architecture {
    /// One of [`PRESETS`](crate::PRESETS).
    ///
    /// # Errors
    /// A name that is none of them.
    pub fn preset(name: &str) -> Result<Self, Error> {
        let text = presets::layers(name, 1.0).ok_or_else(|| unknown(name))?;
        Self::custom(text.split(';')).map(|a| Self { name: name.to_owned(), ..a })
    }

    /// A preset with all inner widths times `width`, rounded to at least 1; a `custom` network unless `width` is 1.
    ///
    /// # Errors
    /// An unknown name; a width that is not positive, or above 64.
    pub fn scaled(name: &str, width: f64) -> Result<Self, Error> {
        if width == 1.0 {
            return Self::preset(name);
        }
        if !(width > 0.0 && width <= 64.0) {
            return Err(Error::Width(width));
        }
        let text = presets::layers(name, width).ok_or_else(|| unknown(name))?;
        Self::custom(text.split(';'))
    }

    /// A network from layer texts.
    ///
    /// # Errors
    /// A text that is no layer.
    pub fn custom<'a>(layers: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let layers = layers.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { name: "custom".to_owned(), layers })
    }
}

/// A probability of dropout in thousandths, where rounding changes nothing.
pub(crate) fn thousandths(probability: f64) -> Option<u16> {
    let exact = probability * 1000.0;
    let whole = exact.round();
    ((1.0..1000.0).contains(&whole) && (exact - whole).abs() <= 1e-9).then_some(whole as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::PRESETS;

    #[test]
    fn texts_read_back() {
        for text in [
            "conv 8",
            "conv 8 1x1 stride 2 no-bias",
            "group-norm 4",
            "dropout 0.25",
            "shortcut conv 16 1x1 no-bias",
            "shortcut batch-norm",
            "linear",
            "gelu",
        ] {
            assert_eq!(text.parse::<Layer>().unwrap().to_string(), text);
        }
        assert_eq!("conv 8 no-bias stride 2 3x3".parse::<Layer>().unwrap().to_string(), "conv 8 stride 2 no-bias");
        for wrong in [
            "conv",
            "conv x",
            "conv 8 stride",
            "conv 8 stride 0",
            "conv 8 5x5",
            "dropout 1",
            "dropout 0.0004",
            "dropout 0.9999",
            "shortcut add",
            "relu 3",
        ] {
            assert!(wrong.parse::<Layer>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_preset_is_a_layer_list_and_scales() {
        for name in PRESETS {
            let whole = Architecture::preset(name).unwrap();
            let texts: Vec<String> = whole.layers.iter().map(ToString::to_string).collect();
            assert_eq!(Architecture::custom(texts.iter().map(String::as_str)).unwrap().layers, whole.layers);
            assert_ne!(Architecture::scaled(name, 0.5).unwrap().layers, whole.layers);
        }
        assert!(Architecture::preset("resnet9000").is_err() && Architecture::scaled("mlp", 0.0).is_err());
    }
}
