//! Membership inference on signals and membership
