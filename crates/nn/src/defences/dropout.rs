//! Dropout.

use super::defence::Defence;
use crate::architecture::Architecture;
use crate::clash::DefenceError;
use crate::methods::Optimizer;
use crate::ops::{self, Layer};
use crate::settings::{Parameter, SettingError, settings};

settings! {
    /// Dropout of inputs of every linear layer that does not read the data (Srivastava et al. 2014).
    pub struct Dropout {
        /// Probability of dropping an input.
        probability: "dropout" =
            Parameter::new(0.0, (0.0, 0.99), "share of the inputs of linear layers that are dropped, the data's apart"),
    }
}

impl Defence for Dropout {
    const SOURCE: &'static str = "Srivastava et al. 2014, JMLR 15";

    fn check(&self) -> Result<(), SettingError> {
        match ops::Dropout::new(self.probability) {
            Some(_) => Ok(()),
            None => Err(SettingError::Fraction { key: "dropout", value: self.probability, parts: 1000 }),
        }
    }

    fn check_beside(&self, optimizer: &Optimizer) -> Result<(), DefenceError> {
        if !optimizer.splits_batches() {
            return Ok(());
        }
        Err(DefenceError::Optimizer {
            defence: "dropout",
            does: "draws one mask for a batch",
            optimizer: optimizer.name(),
            instead: "takes apart",
            advise: true,
        })
    }

    /// Dropout before every linear layer that does not read the data: no parameter more or less, and none where the probability is no
    /// whole number of thousandths, which recipes refuse.
    fn architecture(&self, plain: &Architecture) -> Option<Architecture> {
        let dropped = ops::Dropout::new(self.probability)?;
        let mut layers = Vec::with_capacity(plain.layers.len());
        for (i, layer) in plain.layers.iter().enumerate() {
            let reads_data = plain.layers[..i].iter().all(|l| matches!(l, Layer::Flatten(_)));
            if matches!(layer, Layer::Linear(_)) && !reads_data {
                layers.push(Layer::Dropout(dropped.clone()));
            }
            layers.push(layer.clone());
        }
        Some(Architecture { name: plain.name.clone(), layers })
    }
}

#[cfg(test)]
mod tests {
    use flatleak_data::Shape;

    use super::*;
    use crate::network::Network;
    use crate::presets::PRESETS;

    const DROPPED: Dropout = Dropout { probability: 0.3 };

    #[test]
    fn dropout_stands_before_linear_layers_that_do_not_read_the_data() {
        let texts = |preset: &str| {
            let dropped = DROPPED.architecture(&Architecture::preset(preset).unwrap()).unwrap();
            dropped.layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(texts("mlp"), "flatten, linear 256, relu, dropout 0.3, linear 128, relu, dropout 0.3, linear");
        assert!(
            texts("cnn").contains("flatten, dropout 0.3, linear 128, relu, dropout 0.3, linear"),
            "{}",
            texts("cnn")
        );
        assert!(texts("resnet8").ends_with("global-pool, dropout 0.3, linear"), "{}", texts("resnet8"));
        let shape = Shape { channels: 3, height: 32, width: 32 };
        for preset in PRESETS {
            let plain = Architecture::preset(preset).unwrap();
            let parameters = |a: &Architecture| Network::compile(a, shape, 10).unwrap().parameters();
            assert_eq!(parameters(&plain), parameters(&DROPPED.architecture(&plain).unwrap()), "{preset}");
        }
    }
}
