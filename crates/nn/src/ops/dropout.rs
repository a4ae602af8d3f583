//! Dropout.

use std::fmt;

use flatleak_kernel::activation;
use flatleak_stream::Stream;

use super::op::{At, Flags, Forward, InputGradient, Keeps, Operation, Planned, Written};
use crate::misfit::Misfit;

/// `dropout P`, here in thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropout {
    /// P.
    pub thousandths: u16,
}

impl Dropout {
    /// The layer of a probability; none where rounding to thousandths would change it.
    pub(crate) fn new(probability: f64) -> Option<Self> {
        let exact = probability * 1000.0;
        let whole = exact.round();
        let fits = (1.0..1000.0).contains(&whole) && (exact - whole).abs() <= 1e-9;
        fits.then_some(Self { thousandths: whole as u16 })
    }

    fn probability(&self) -> f64 {
        f64::from(self.thousandths) / 1000.0
    }
}

impl Written for Dropout {
    const WORD: &'static str = "dropout";
    const FORMS: &'static [&'static str] = &["dropout P"];
    type Op = Self;

    fn read(words: &[&str]) -> Option<Self> {
        let [probability] = words else { return None };
        Self::new(probability.parse().ok()?)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}", self.probability())
    }

    fn plan(&self, _: &mut At, _: usize) -> Result<Option<Planned<Self>>, Misfit> {
        Ok(Some(Planned::plain(self.clone())))
    }
}

impl Operation for Dropout {
    const FLAGS: Flags = Flags { gradient_in_place: true, draws: true, ..Flags::NONE };

    fn keeps(&self) -> Keeps {
        Keeps { values: true, ..Keeps::default() }
    }

    /// 1 / (1 - p) with probability 1 - p, else 0.
    fn draw(&self, values: &mut [f32], stream: &mut Stream) {
        let p = self.probability();
        let scale = (1.0 / (1.0 - p)) as f32;
        for v in values {
            *v = if stream.unit() < p { 0.0 } else { scale };
        }
    }

    fn forward(&self, to: Forward<'_>) {
        to.y.copy_from_slice(to.x.values);
        if to.training {
            activation::masked(to.y, to.values);
        }
    }

    fn backward_input(&self, to: InputGradient<'_>) {
        to.dx.copy_from_slice(to.dy);
        activation::masked(to.dx, to.values);
    }

    fn backward_in_place(&self, dy: &mut [f32], _: &[f32], values: &[f32]) {
        activation::masked(dy, values);
    }
}
