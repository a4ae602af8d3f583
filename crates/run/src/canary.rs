//! Two tiny models by whose bits programs and machines are told apart.

use flatleak_nn::{Architecture, Base, ENGINE_VERSION, Network, Optimizer, Recipe, Shape, Trainer};
use flatleak_stream::{Purpose, Stream};

use crate::error::Error;

/// Pictures that they learn from.
const EXAMPLES: usize = 48;
const CLASSES: usize = 4;
const SHAPE: Shape = Shape { channels: 3, height: 8, width: 8 };
/// A residual network with batch norms, and a dense one: between them they use the operations in which instruction sets differ.
const NETWORKS: [(&str, f64); 2] = [("resnet8", 0.25), ("mlp", 1.0)];

/// BLAKE3 over parameters and logits of the trained models, as 16 hexadecimal digits. Programs of one engine version give the same on all
/// machines that compute the same bits; it takes some milliseconds.
///
/// # Errors
/// Networks that this engine does not know.
pub fn canary() -> Result<String, Error> {
    let mut draws = Stream::new(0, Purpose::Generator, 0, 0);
    let x: Vec<f32> = (0..EXAMPLES * SHAPE.features()).map(|_| draws.uniform(-2.0, 2.0) as f32).collect();
    let y: Vec<u32> = (0..EXAMPLES).map(|i| (i % CLASSES) as u32).collect();
    let members: Vec<u32> = (0..EXAMPLES as u32).filter(|i| i % 3 != 0).collect();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&ENGINE_VERSION.to_le_bytes());
    for (name, width) in NETWORKS {
        let network = Network::compile(&Architecture::scaled(name, width)?, SHAPE, CLASSES)?;
        let optimizer = Optimizer::named("sam").unwrap_or(Optimizer::ALL[0]);
        let recipe = Recipe { epochs: 2, batch: 16, ..Recipe::new("canary", optimizer, Base::Sgd) };
        let mut trainer = Trainer::new(&network, &recipe, network.init(&mut Stream::new(0, Purpose::Init, 0, 0)));
        trainer.run((&x, &y), &members, (0, 0), |_, _| true);
        let logits = trainer.logits(&x);
        for value in trainer.parameters.iter().chain(&logits) {
            hasher.update(&value.to_bits().to_le_bytes());
        }
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_every_time() {
        let first = canary().unwrap();
        assert_eq!(first.len(), 16);
        assert_eq!(canary().unwrap(), first);
    }
}
