//! Networks as data.

use crate::error::Error;
use crate::ops::Layer;
use crate::presets;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::PRESETS;

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
