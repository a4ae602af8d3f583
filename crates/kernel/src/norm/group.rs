//! Group normalisation.

use super::sizes::EPSILON;

/// Group normalisation of `images` images: channels in `groups` of equal size, each normalised over its own channels and pixels.
/// `statistics` `[images, groups, 2]` receives mean and scale.
pub fn group_forward(
    y: &mut [f32],
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    statistics: &mut [f32],
    (images, groups): (usize, usize),
) {
    let (channels, size) = (gamma.len(), x.len() / images);
    let width = channels / groups;
    for image in 0..images {
        let (x, y) = (&x[image * size..][..size], &mut y[image * size..][..size]);
        for group in 0..groups {
            let columns = group * width..(group + 1) * width;
            let values = || x.chunks_exact(channels).flat_map(|row| &row[columns.clone()]).map(|v| f64::from(*v));
            let n = (size / groups) as f64;
            let mean = values().sum::<f64>() / n;
            let scale = 1.0 / (values().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n + EPSILON).sqrt();
            statistics[2 * (image * groups + group)..][..2].copy_from_slice(&[mean as f32, scale as f32]);
            for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                for c in columns.clone() {
                    y[c] = (x[c] - mean as f32) * scale as f32 * gamma[c] + beta[c];
                }
            }
        }
    }
}

/// Writes `dx`, `dgamma` and `dbeta` of [`group_forward`].
pub fn group_backward(
    dx: &mut [f32],
    (dgamma, dbeta): (&mut [f32], &mut [f32]),
    (x, dy): (&[f32], &[f32]),
    gamma: &[f32],
    statistics: &[f32],
    (images, groups): (usize, usize),
) {
    let (channels, size) = (gamma.len(), x.len() / images);
    let width = channels / groups;
    dgamma.fill(0.0);
    dbeta.fill(0.0);
    for image in 0..images {
        let (x, dy) = (&x[image * size..][..size], &dy[image * size..][..size]);
        let dx = &mut dx[image * size..][..size];
        for group in 0..groups {
            let columns = group * width..(group + 1) * width;
            let [mean, scale] = [0, 1].map(|k| statistics[2 * (image * groups + group) + k]);
            let (mut sum, mut product) = (0f64, 0f64);
            for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
                for c in columns.clone() {
                    let h = (x[c] - mean) * scale;
                    dbeta[c] += dy[c];
                    dgamma[c] += dy[c] * h;
                    sum += f64::from(dy[c] * gamma[c]);
                    product += f64::from(dy[c] * gamma[c] * h);
                }
            }
            let n = (size / groups) as f64;
            let (sum, product) = ((sum / n) as f32, (product / n) as f32);
            let rows = dx.chunks_exact_mut(channels).zip(x.chunks_exact(channels)).zip(dy.chunks_exact(channels));
            for ((dx, x), dy) in rows {
                for c in columns.clone() {
                    let h = (x[c] - mean) * scale;
                    dx[c] = scale * (dy[c] * gamma[c] - sum - h * product);
                }
            }
        }
    }
}
