//! Figures as inline SVG, the same for report, audit and theory.
//!
//! Drawn here and not by a plotting library: a figure is a few hundred bytes of paths whose colours are CSS classes, so that the page decides
//! between light, dark and print, and the text of a figure is that of the page. Libraries of Rust that draw (plotters, charming) write
//! colours and fonts into every element, and place labels over each other.
//!
//! Every drawing is 360 units wide. At the 85 mm of a journal's column its letters of 11 units have 7.3 pt.

mod axes;
pub(crate) mod curves;
mod data;
mod escaped;
mod figure;
mod label;
pub(crate) mod rows;
pub(crate) mod scatter;
pub(crate) mod steps;
mod ticks;

pub(crate) use axes::{Axes, LEFT, RIGHT, WIDTH, reach};
pub(crate) use data::{Data, Datum};
pub(crate) use escaped::{escape, escape_all};
pub(crate) use figure::Figure;
pub(crate) use ticks::{Tick, percents, powers, round, signed_percents};
