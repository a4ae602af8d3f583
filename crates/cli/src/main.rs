//! The flatleak program.
fn main() {}
