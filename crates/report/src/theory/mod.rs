//! The outcome of `flatleak theory`: terminal [`table`] and [`html`] page.

mod page;
mod phrases;
mod plot;
mod table;

pub use page::html;
pub use table::{own_table, table};
