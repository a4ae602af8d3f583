//! Keyed random streams for flatleak
