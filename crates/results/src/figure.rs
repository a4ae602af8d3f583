//! What a report draws.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;

/// What the report draws for one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Figure {
    /// Data set.
    pub dataset: String,
    /// Recipe name.
    pub recipe: String,
    /// Mean ROC curves of the headline attacks.
    pub roc: Vec<RocFigure>,
    /// Edges of the phi bins.
    pub phi_edges: Vec<f64>,
    /// Density of phi over members.
    pub phi_member: Vec<f64>,
    /// Density of phi over non-members.
    pub phi_non_member: Vec<f64>,
}

/// One mean ROC curve with a pointwise band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct RocFigure {
    /// Attack name.
    pub attack: String,
    /// FPR grid.
    pub fpr: Vec<f64>,
    /// Mean TPR over targets with its 95 % interval over blocks.
    pub tpr: Vec<Estimate>,
}
