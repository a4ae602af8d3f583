//! Networks, recipes and the training of one model: [`Architecture`], [`Network`], [`Recipe`], [`Trainer`].
//!
//! An [`Architecture`] is data: a list of [`Layer`]s. [`Network`] compiles it against an input shape into offsets on one flat parameter
//! arena; [`Recipe`] says how to train, by an [`Optimizer`] over a [`Base`] and with [`Defences`]; [`Trainer`] owns everything that one
//! model needs and allocates nothing per step. [`tensors`] names the parameters as PyTorch does. Every layer, optimizer and defence is one
//! file of [`ops`], [`methods`] or [`defences`], and one line of the list there.
//!
//! ```
//! use flatleak_nn::methods::Sam;
//! use flatleak_nn::{Architecture, Base, Network, Optimizer, Outcome, Recipe, Shape, Trainer};
//! use flatleak_stream::{Purpose, Stream};
//!
//! // Two classes of points, to the left and to the right.
//! let (x, y) = ([-1.0, 0.5, 1.2, 0.3, -0.8, -0.4, 0.9, -0.6], [0, 1, 0, 1]);
//! let shape = Shape { channels: 1, height: 1, width: 2 };
//! let architecture = Architecture::custom(["flatten", "linear 8", "relu", "linear"])?;
//! let network = Network::compile(&architecture, shape, 2)?;
//! let sam = Optimizer::Sam(Sam { rho: 0.05 });
//! let recipe = Recipe { epochs: 200, batch: 2, ..Recipe::new("sam", sam, Base::Sgd) };
//! recipe.check()?;
//!
//! let start = network.init(&mut Stream::new(0, Purpose::Init, 0, 0));
//! let mut trainer = Trainer::new(&network, &recipe, start);
//! let outcome = trainer.run((&x, &y), &[0, 1, 2, 3], (0, 0), |_, _| true);
//! assert!(matches!(outcome, Outcome::Done(loss) if loss < 0.1));
//! let right = trainer.logits(&x).chunks(2).zip(y).filter(|(z, y)| (z[1] > z[0]) == (*y == 1)).count();
//! assert_eq!(right, 4);
//! # Ok::<(), flatleak_nn::Error>(())
//! ```

pub mod accounting;
mod apart;
mod architecture;
mod augment;
mod base;
mod batch;
mod checkpoint;
mod clash;
mod command;
mod compile;
pub mod defences;
mod error;
mod lowrank;
pub mod methods;
mod misfit;
mod network;
mod noise;
pub mod ops;
mod passes;
mod place;
mod presets;
mod recipe;
mod schedule;
mod settings;
pub mod tensors;
mod train;
mod workspace;

pub use architecture::Architecture;
pub use augment::{QUERIES, Transform, View, views};
pub use base::{AdamSettings, Base};
pub use checkpoint::{Checkpoint, Kept, Unfit, Values};
pub use clash::{DefenceError, Why};
pub use command::{Command, CommandError, Filled, Placeholder};
pub use defences::Defences;
pub use error::{Error, Problem};
pub use flatleak_data::Shape;
pub use flatleak_kernel::instruction_set;
pub use methods::Optimizer;
pub use misfit::Misfit;
pub use network::Network;
pub use noise::add_noise;
pub use ops::Layer;
pub use place::Place;
pub use presets::PRESETS;
pub use recipe::{DEFAULT_BATCH, Recipe, Schedule};
pub use settings::{Parameter, SettingError};
pub use train::{Moment, Outcome, Trainer};
pub use workspace::Workspace;

/// Version of everything that decides a trained model's bits. Raised whenever the golden digests change.
pub const ENGINE_VERSION: u32 = 4;
