//! f32 operations as forward and backward pairs on plain slices, and exponentials and logarithms of f64 for the analysis ([`elementary`]).
//!
//! Every operation of training takes its inputs, outputs and workspace explicitly, allocates nothing and starts no
//! thread; only the matrix product keeps its panels, one set per thread. Activations are row-major with the batch first; images are channels-last, `[B, H, W, C]`, so that
//! a pixel's channels are contiguous and convolutions become matrix products. Weights are stored
//! `[in, out]`: both products of a layer's forward pass and weight gradient then read contiguous rows, where
//! the matrix kernels are fastest.
//!
//! Kernels are written once over `pulp`'s vectors and compiled for AVX-512, AVX2 and a portable path; the widest that
//! the machine has is chosen at run time ([`instruction_set`]). The matrix product and the convolutions are our own because training
//! many small networks is what this project is for: the product reaches 98 % of the multiply-add peak on a machine with one
//! multiply-add unit of full width and 80 to 88 % on one with two, where a general library reached 69 % and MKL 80 %. `unsafe` reads and
//! writes vectors, after checking bounds. `libc` serves to ask Linux for huge pages ([`Buffer`]).
//!
//! ```
//! use flatleak_kernel::{gemm, Mat};
//! let (a, b, mut c) = ([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 0.0, 1.0], [0.0; 4]);
//! gemm(&mut c, Mat::new(&a, 2, 2), Mat::new(&b, 2, 2), false);
//! assert_eq!(c, a);
//! ```

pub mod activation;
pub mod bits;
mod buffer;
pub mod conv;
mod dispatch;
pub mod elementary;
mod exp;
mod gemm;
pub mod linear;
pub mod loss;
pub mod maxpool;
pub mod norm;
pub mod normal;
pub mod operand;
mod pack;
pub mod peak;
pub mod pool;
pub mod sweep;
mod tile;
mod vector;

pub use buffer::Buffer;
pub use dispatch::{SIMD_VAR, instruction_set};
pub use gemm::{Mat, gemm};
