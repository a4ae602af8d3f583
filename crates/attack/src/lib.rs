//! Membership inference from signals and membership.
//!
//! [`Attack`] names an attack, [`Lineup`] holds the models that take part, and [`Attack::score`] gives every model
//! of the lineup, as target, one score per example: higher means member. Targets are scored
//! *leave-one-block-out*: the shadows of a target are all models of the lineup outside its block, because its
//! complement was trained on exactly the data that the target lacks and mirrors its outputs. Nothing here
//! knows of networks or files.
//!
//! ```
//! use flatleak_attack::{Attack, Lineup, Seat};
//! use flatleak_pool::BlockId;
//! let members = [[true, false], [false, true], [false, true], [true, false]];
//! let values = [[2.0, 0.1], [0.2, 1.9], [0.1, 2.2], [1.8, 0.3]];
//! let seats = (0..4).map(|m| Seat { block: BlockId::new(m / 2), member: &members[m], values: &values[m], population: &[] });
//! let lineup = Lineup::new(seats.collect(), Some(&[0, 0])).unwrap();
//! let scores = Attack::LIRA.score(&lineup);
//! assert!(scores[0][0] > scores[0][1] && scores[1][1] > scores[1][0]);
//! ```

mod definition;
mod families;
pub mod learned;
mod lineup;
mod means;
mod name;
mod order;
mod shadows;
mod shrinkage;
mod tile;

pub use definition::Centre;
pub use families::*;
pub use lineup::{Error, Lineup, Position, Seat};
pub use name::NoAttack;
