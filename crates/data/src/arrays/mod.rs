//! Arrays as files hold them, for data sets and for outputs alike: `.npy`, `.npz`, safetensors.

pub(crate) mod element;
pub(crate) mod error;
pub mod npy;
pub mod npz;
mod safetensors;
mod stream;
pub mod values;
