//! Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) and group normalisation (Wu & He 2018, arXiv 1803.08494).
//!
//! x, y `[P, C]` with P the pixels of all images of a batch, channels-last; gamma, beta `[C]`.
//! y = (x - mean) / sqrt(var + 1e-5) gamma + beta, with the biased variance, as PyTorch has it. A ReLU may be joined to batch norm. At these
//! sizes memory is what costs: the backward pass works in place and needs the input alone, from which it computes again which
//! outputs were positive. Sums run over blocks of pixels in f32, four at a time, and are added up with compensation, in an order that no vector width changes.

mod batch;
mod group;
pub(crate) mod sizes;

pub use batch::BatchNorm;
pub use group::{group_backward, group_forward};
pub use sizes::EPSILON;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operand::{Operand, sum};
    use flatleak_stream::{Purpose, Stream};

    /// In f64, value by value, over the rows and channels that share their statistics.
    fn naive(
        x: &[f32],
        dy: &[f32],
        gamma: &[f32],
        beta: &[f32],
        share: impl Fn(usize) -> usize,
        sets: usize,
    ) -> [Vec<f64>; 4] {
        let channels = gamma.len();
        let f = |v: f32| f64::from(v);
        let (mut n, mut mean, mut var) = (vec![0.0; sets], vec![0.0; sets], vec![0.0; sets]);
        (0..x.len()).for_each(|i| (n[share(i)] += 1.0, mean[share(i)] += f(x[i])).0);
        (0..sets).for_each(|s| mean[s] /= n[s]);
        (0..x.len()).for_each(|i| var[share(i)] += (f(x[i]) - mean[share(i)]).powi(2));
        let scale: Vec<f64> = (0..sets).map(|s| 1.0 / (var[s] / n[s] + EPSILON).sqrt()).collect();
        let h = |i: usize| (f(x[i]) - mean[share(i)]) * scale[share(i)];
        let y = (0..x.len()).map(|i| h(i) * f(gamma[i % channels]) + f(beta[i % channels])).collect();
        let (mut dg, mut db) = (vec![0.0; channels], vec![0.0; channels]);
        let (mut a, mut b) = (vec![0.0; sets], vec![0.0; sets]);
        for i in 0..x.len() {
            dg[i % channels] += f(dy[i]) * h(i);
            db[i % channels] += f(dy[i]);
            a[share(i)] += f(dy[i]) * f(gamma[i % channels]);
            b[share(i)] += f(dy[i]) * f(gamma[i % channels]) * h(i);
        }
        let dx = (0..x.len())
            .map(|i| {
                let s = share(i);
                scale[s] * (f(dy[i]) * f(gamma[i % channels]) - a[s] / n[s] - h(i) * b[s] / n[s])
            })
            .collect();
        [y, dx, dg, db]
    }

    fn close(got: &[f32], want: &[f64], what: &str) {
        for (g, w) in got.iter().zip(want) {
            assert!((f64::from(*g) - w).abs() < 2e-5 * (1.0 + w.abs()), "{what}: {g} {w}");
        }
    }

    #[test]
    fn both_norms_agree_with_the_naive_ones() {
        let mut s = Stream::new(9, Purpose::Simulation, 0, 0);
        for (images, pixels, channels, groups) in [(3, 5, 6, 3), (2, 100, 20, 4), (7, 1, 33, 1), (2, 9, 16, 16)] {
            // A large common part shows sums that lose digits.
            let x: Vec<f32> = (0..images * pixels * channels).map(|_| (30.0 + s.normal()) as f32).collect();
            let dy: Vec<f32> = x.iter().map(|_| s.normal() as f32).collect();
            let (gamma, beta): (Vec<f32>, Vec<f32>) =
                (0..channels).map(|_| (s.normal() as f32, s.normal() as f32)).unzip();
            let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
            let (mut dg, mut db) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
            let mut norm = BatchNorm::new(channels);
            // The batch in two parts, the first with the odd pixel.
            let cut = x.len() / channels / 2 * channels + channels;
            norm.sum(&x[..cut], true);
            norm.sum(&x[cut..], false);
            norm.finish(&gamma, &beta);
            norm.apply(&mut y[..cut], &x[..cut], false);
            norm.apply(&mut y[cut..], &x[cut..], false);
            norm.sum_gradient(&dy[..cut], &x[..cut], false, true);
            norm.sum_gradient(&dy[cut..], &x[cut..], false, false);
            norm.finish_gradient((&mut dg, &mut db), &gamma);
            norm.apply_gradient(&mut dx, &dy, &x, false);
            let [wy, wdx, wdg, wdb] = naive(&x, &dy, &gamma, &beta, |i| i % channels, channels);
            close(&y, &wy, "batch y");
            close(&dx, &wdx, "batch dx");
            close(&dg, &wdg, "dgamma");
            close(&db, &wdb, "dbeta");
            let mut in_place = dy.clone();
            norm.apply_gradient_in_place(&mut in_place, &x, false);
            assert_eq!(in_place, dx);
            // With a ReLU: the same as one behind the norm.
            let (mut joined, mut behind) = (vec![f32::NAN; x.len()], y.clone());
            norm.apply(&mut joined, &x, true);
            // Readers that apply it themselves see the same bits.
            let mut total = vec![f32::NAN; x.len()];
            let bent = Operand { values: &x, bend: Some(norm.bend(true)) };
            sum(&mut total, bent, Operand::from(&*dy), false);
            assert!(total.iter().zip(&joined).zip(&dy).all(|((t, j), d)| *t == j + d));
            sum(&mut total, Operand::from(&*dy), bent, true);
            assert!(total.iter().zip(&joined).zip(&dy).all(|((t, j), d)| *t == (d + j).max(0.0)));
            crate::activation::relu_forward(&mut behind);
            assert_eq!(joined, behind);
            let mut masked = dy.clone();
            crate::activation::relu_backward(&mut masked, &behind);
            norm.sum_gradient(&dy, &x, true, true);
            norm.finish_gradient((&mut dg, &mut db), &gamma);
            norm.apply_gradient(&mut dx, &dy, &x, true);
            let (mut dg2, mut db2) = (dg.clone(), db.clone());
            norm.sum_gradient(&masked, &x, false, true);
            norm.finish_gradient((&mut dg2, &mut db2), &gamma);
            norm.apply_gradient_in_place(&mut masked, &x, false);
            assert_eq!((&dx, &dg, &db), (&masked, &dg2, &db2));
            let (mean, variance) = (norm.mean.to_vec(), norm.variance.to_vec());
            norm.take((&mean, &variance), (&gamma, &beta));
            norm.apply(&mut dx, &x, false);
            close(&dx, &wy, "evaluation with the batch's own statistics");

            let mut stats = vec![f32::NAN; 2 * images * groups];
            group_forward(&mut y, &x, (&gamma, &beta), &mut stats, (images, groups));
            group_backward(&mut dx, (&mut dg, &mut db), (&x, &dy), &gamma, &stats, (images, groups));
            let share = |i: usize| i / (pixels * channels) * groups + i % channels / (channels / groups);
            let [wy, wdx, wdg, wdb] = naive(&x, &dy, &gamma, &beta, share, images * groups);
            close(&y, &wy, "group y");
            close(&dx, &wdx, "group dx");
            close(&dg, &wdg, "group dgamma");
            close(&db, &wdb, "group dbeta");
        }
    }
}
