//! Fully connected layer, `y = x W + b`: x `[B, I]`, W `[I, O]`, b `[O]`, y `[B, O]`.

use crate::dispatch::dispatch;
use crate::{Mat, gemm};

/// Writes `y = x W + b`.
pub fn forward(y: &mut [f32], x: &[f32], w: &[f32], bias: &[f32], batch: usize) {
    let (outputs, inputs) = (bias.len(), w.len() / bias.len().max(1));
    gemm(y, Mat::new(x, batch, inputs), Mat::new(w, inputs, outputs), false);
    add_bias(&mut y[..batch * outputs], bias);
}

/// Adds `bias` to every row of `y`.
pub(crate) fn add_bias(y: &mut [f32], bias: &[f32]) {
    dispatch(
        #[inline(always)]
        || {
            for row in y.chunks_exact_mut(bias.len()) {
                for (v, b) in row.iter_mut().zip(bias) {
                    *v += b;
                }
            }
        },
    );
}

/// Writes `dw = x' dy` and `db = sum over the batch of dy`; adds nothing to what was there.
pub fn backward_parameters(dw: &mut [f32], db: &mut [f32], x: &[f32], dy: &[f32], batch: usize) {
    db.fill(0.0);
    sum_parameters((dw, db), (x, dy), batch, false);
}

/// Adds `x' dy` to `dw` and the sum over the batch of `dy` to `db`.
pub fn add_parameters(dw: &mut [f32], db: &mut [f32], x: &[f32], dy: &[f32], batch: usize) {
    sum_parameters((dw, db), (x, dy), batch, true);
}

/// Writes `dw` or adds to it; adds to `db`.
fn sum_parameters((dw, db): (&mut [f32], &mut [f32]), (x, dy): (&[f32], &[f32]), batch: usize, add: bool) {
    let (outputs, inputs) = (db.len(), dw.len() / db.len().max(1));
    gemm(dw, Mat::new(x, batch, inputs).t(), Mat::new(dy, batch, outputs), add);
    accumulate_rows(db, &dy[..batch * outputs]);
}

/// Adds every row of `dy` to `db`, in row order.
pub(crate) fn accumulate_rows(db: &mut [f32], dy: &[f32]) {
    dispatch(
        #[inline(always)]
        || {
            for row in dy.chunks_exact(db.len()) {
                for (d, g) in db.iter_mut().zip(row) {
                    *d += g;
                }
            }
        },
    );
}

/// Writes `dx = dy W'`.
pub fn backward_input(dx: &mut [f32], w: &[f32], dy: &[f32], batch: usize, outputs: usize) {
    let inputs = w.len() / outputs.max(1);
    gemm(dx, Mat::new(dy, batch, outputs), Mat::new(w, inputs, outputs).t(), false);
}
