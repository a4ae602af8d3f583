//! Normal noise on values.

use flatleak_kernel::normal;
use flatleak_stream::Stream;

/// Adds independent normal draws of a standard deviation to `values`, in f32.
pub fn add_noise(values: &mut [f32], deviation: f64, stream: &mut Stream) {
    let mut bits = [0; 1024];
    for part in values.chunks_mut(bits.len()) {
        stream.fill(&mut bits);
        normal::add(part, deviation as f32, &bits);
    }
}
