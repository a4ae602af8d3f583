//! The study file, its validation and its identity
