//! Batches that are not as the data has them.

use flatleak_kernel::sweep;
use flatleak_stream::Stream;

use crate::defences::Mixing;
use crate::network::Network;
use crate::recipe::Recipe;

/// Rows that are not as the data has them: augmented, mixed, or both.
pub(crate) struct Changed<'a> {
    recipe: &'a Recipe,
    rows: Vec<f32>,
    scratch: Vec<f32>,
    in_order: Vec<u32>,
    /// Of the batch at hand.
    mixing: Option<Mixing>,
}

impl<'a> Changed<'a> {
    pub(crate) fn new(network: &Network, recipe: &'a Recipe) -> Self {
        let mixes = recipe.defences.mixes();
        let features = if mixes || !recipe.augment.is_empty() { network.features() } else { 0 };
        Self {
            recipe,
            rows: vec![0.0; recipe.batch * features],
            scratch: vec![0.0; if mixes { recipe.batch * features } else { features }],
            in_order: (0..recipe.batch as u32).collect(),
            mixing: None,
        }
    }

    /// Draws pairs, where there are any; the second labels and the weight of the first for the loss.
    pub(crate) fn mix(&mut self, labels: &[u32], stream: &mut Stream) -> Option<(Vec<u32>, f32)> {
        self.mixing = self.recipe.defences.mixing(labels.len(), stream);
        let mixing = self.mixing.as_ref()?;
        let second = mixing.partners.iter().map(|&k| labels[k as usize]).collect();
        Some((second, mixing.weight))
    }

    /// The rows of a batch and their places, where they differ from the data's.
    pub(crate) fn rows(
        &mut self,
        x: &[f32],
        batch: &[u32],
        network: &Network,
        stream: &mut Stream,
    ) -> Option<(&[f32], &[u32])> {
        if self.rows.is_empty() {
            return None;
        }
        let (features, shape) = (network.features(), network.shape());
        for (row, &k) in self.rows.chunks_exact_mut(features).zip(batch) {
            row.copy_from_slice(&x[k as usize * features..][..features]);
            for transform in &self.recipe.augment {
                transform.apply(row, shape, stream, &mut self.scratch[..features]);
            }
        }
        if let Some(Mixing { partners, weight }) = &self.mixing {
            let used = batch.len() * features;
            self.scratch[..used].copy_from_slice(&self.rows[..used]);
            for (row, &k) in self.rows.chunks_exact_mut(features).zip(partners) {
                sweep::mix(row, *weight, &self.scratch[k as usize * features..][..features], 1.0 - weight);
            }
        }
        Some((&self.rows, &self.in_order[..batch.len()]))
    }
}
