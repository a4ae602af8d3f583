//! Attacks and statistics over pools to typed results
