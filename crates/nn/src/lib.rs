//! Networks, recipes and the training of one model.
//!
//! An [`Architecture`] is data: a list of [`Layer`]s. [`Network`] compiles it against an input shape into
//! offsets on one flat parameter arena; [`Recipe`] says how to train; [`Trainer`] owns everything that one
//! model needs (parameters, gradients, momentum, workspace) and allocates nothing per step. [`tensors`]
//! names the parameters as PyTorch does.
//!
//! ```
//! use flatleak_nn::{Architecture, Network, Shape};
//! let shape = Shape { channels: 1, height: 28, width: 28 };
//! let network = Network::compile(&Architecture::preset("mlp").unwrap(), shape, 10).unwrap();
//! assert_eq!(network.parameters(), 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10);
//! ```

pub mod accounting;
mod apart;
mod architecture;
mod augment;
mod base;
mod batch;
mod clash;
mod compile;
pub mod defences;
mod error;
mod lowrank;
pub mod methods;
mod network;
mod noise;
mod passes;
mod presets;
mod recipe;
mod schedule;
mod settings;
pub mod tensors;
mod train;
mod workspace;

pub use architecture::{Architecture, Layer};
pub use augment::{QUERIES, Transform, View, views};
pub use base::{AdamSettings, Base};
pub use clash::{DefenceError, Why};
pub use defences::Defences;
pub use error::{Error, Problem};
pub use flatleak_data::Shape;
pub use flatleak_kernel::instruction_set;
pub use methods::Optimizer;
pub use network::Network;
pub use noise::add_noise;
pub use presets::PRESETS;
pub use recipe::{PLACEHOLDERS, Recipe, Schedule};
pub use settings::{Parameter, SettingError};
pub use train::{Outcome, Trainer};
pub use workspace::Workspace;

/// Version of everything that decides a trained model's bits. Raised whenever the golden digests change.
pub const ENGINE_VERSION: u32 = 4;
