//! The layers.
//!
//! One is a file of this folder, whole, and a line of the list below; the order of the lines is that of messages. `split`, `shortcut` and
//! `add` join layers, and `compile` takes them apart.

pub(crate) mod add;
pub(crate) mod op;

use std::fmt;
use std::str::FromStr;

use flatleak_stream::Stream;

use self::add::Sum;
use self::op::{
    At, Flags, Forward, InputGradient, Keeps, Named, Operation, ParameterGradient, Planned, Ranges, Written,
};
use crate::error::Error;
use crate::misfit::Misfit;

/// What a layer compiles to.
type Compiled<L> = <L as Written>::Op;

/// Makes the modules, and [`Layer`] and [`Op`] of their types.
macro_rules! layers {
    ($(mod $file:ident: $name:ident;)*) => {
        $(pub(crate) mod $file; pub use $file::$name;)*

        /// One layer as written in a study file.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Layer {
            $(#[doc = concat!("[`", stringify!($name), "`].")] $name($name),)*
            /// `split`: keeps what is here for the next `add`.
            Split,
            /// `shortcut LAYER`: a layer on what the last `split` keeps.
            Shortcut(Box<Layer>),
            /// `add`: adds what the last `split` keeps.
            Add,
        }

        impl Layer {
            /// The forms of all.
            fn forms() -> Vec<&'static str> {
                [$($name::FORMS,)* &["split", "shortcut LAYER", "add"]].concat()
            }

            fn read(word: &str, rest: &[&str]) -> Option<Self> {
                match word {
                    $(_ if word == $name::WORD => $name::read(rest).map(Self::$name),)*
                    "split" if rest.is_empty() => Some(Self::Split),
                    "add" if rest.is_empty() => Some(Self::Add),
                    "shortcut" => {
                        let (word, rest) = rest.split_first()?;
                        let inner = Self::read(word, rest)?;
                        (!inner.joins()).then(|| Self::Shortcut(Box::new(inner)))
                    }
                    _ => None,
                }
            }

            /// Whether it works on the buffer that it reads.
            pub(crate) fn in_place(&self) -> bool {
                match self {
                    $(Self::$name(_) => Compiled::<$name>::FLAGS.in_place,)*
                    _ => false,
                }
            }

            /// The operation at a place, which moves on; `None` where there is nothing to compute.
            pub(crate) fn plan(&self, at: &mut At, classes: usize) -> Result<Option<Planned<Op>>, Misfit> {
                match self {
                    $(Self::$name(layer) => Ok(layer.plan(at, classes)?.map(|planned| planned.map(Op::$name))),)*
                    // The caller has taken these apart.
                    Self::Split | Self::Shortcut(_) | Self::Add => Ok(None),
                }
            }
        }

        impl fmt::Display for Layer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name(layer) => {
                        f.write_str($name::WORD)?;
                        layer.write(f)
                    })*
                    Self::Split => f.write_str("split"),
                    Self::Shortcut(layer) => write!(f, "shortcut {layer}"),
                    Self::Add => f.write_str("add"),
                }
            }
        }

        /// What a layer does to activations, with its sizes.
        #[derive(Clone, Debug)]
        pub(crate) enum Op {
            $($name(Compiled<$name>),)*
            Add(Sum),
        }

        // One branch for each, so that nothing is boxed: these are called for every part of every batch.
        impl Op {
            pub(crate) fn flags(&self) -> Flags {
                match self { $(Self::$name(_) => Compiled::<$name>::FLAGS,)* Self::Add(_) => Sum::FLAGS }
            }

            pub(crate) fn keeps(&self) -> Keeps {
                match self { $(Self::$name(op) => op.keeps(),)* Self::Add(op) => op.keeps() }
            }

            pub(crate) fn scratch(&self) -> usize {
                match self { $(Self::$name(op) => op.scratch(),)* Self::Add(op) => op.scratch() }
            }

            pub(crate) fn multiply_adds(&self) -> usize {
                match self { $(Self::$name(op) => Operation::multiply_adds(op),)* Self::Add(op) => op.multiply_adds() }
            }

            pub(crate) fn bends(&self) -> bool {
                match self { $(Self::$name(op) => Operation::bends(op),)* Self::Add(op) => op.bends() }
            }

            pub(crate) fn tensors(&self, at: &Ranges) -> Vec<Named> {
                match self { $(Self::$name(op) => op.tensors(at),)* Self::Add(op) => op.tensors(at) }
            }

            pub(crate) fn draw(&self, values: &mut [f32], stream: &mut Stream) {
                match self { $(Self::$name(op) => op.draw(values, stream),)* Self::Add(op) => op.draw(values, stream) }
            }

            pub(crate) fn prepare_forward(&self, prepared: &mut [f32], weight: &[f32]) {
                match self {
                    $(Self::$name(op) => Operation::prepare_forward(op, prepared, weight),)*
                    Self::Add(_) => {}
                }
            }

            pub(crate) fn prepare_backward(&self, prepared: &mut [f32], weight: &[f32]) {
                match self {
                    $(Self::$name(op) => Operation::prepare_backward(op, prepared, weight),)*
                    Self::Add(_) => {}
                }
            }

            pub(crate) fn forward(&self, to: Forward<'_>) {
                match self { $(Self::$name(op) => Operation::forward(op, to),)* Self::Add(_) => {} }
            }

            pub(crate) fn forward_in_place(&self, x: &mut [f32]) {
                match self { $(Self::$name(op) => op.forward_in_place(x),)* Self::Add(_) => {} }
            }

            pub(crate) fn backward_parameters(&self, to: ParameterGradient<'_>) {
                match self { $(Self::$name(op) => Operation::backward_parameters(op, to),)* Self::Add(_) => {} }
            }

            pub(crate) fn finish_parameters(&self, dw: &mut [f32], sums: &[f32]) {
                match self { $(Self::$name(op) => Operation::finish_parameters(op, dw, sums),)* Self::Add(_) => {} }
            }

            pub(crate) fn backward_input(&self, to: InputGradient<'_>) {
                match self { $(Self::$name(op) => Operation::backward_input(op, to),)* Self::Add(_) => {} }
            }

            pub(crate) fn backward_in_place(&self, dy: &mut [f32], y: &[f32], values: &[f32]) {
                match self { $(Self::$name(op) => op.backward_in_place(dy, y, values),)* Self::Add(_) => {} }
            }
        }
    };
}

layers! {
    mod linear: Linear;
    mod conv: Conv;
    mod batch_norm: BatchNorm;
    mod group_norm: GroupNorm;
    mod relu: Relu;
    mod tanh: Tanh;
    mod gelu: Gelu;
    mod dropout: Dropout;
    mod max_pool: MaxPool;
    mod average_pool: AveragePool;
    mod global_pool: GlobalPool;
    mod flatten: Flatten;
}

impl Layer {
    /// Whether it joins paths.
    fn joins(&self) -> bool {
        matches!(self, Self::Split | Self::Shortcut(_) | Self::Add)
    }
}

impl FromStr for Layer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let found = words.split_first().and_then(|(word, rest)| Self::read(word, rest));
        found.ok_or_else(|| Error::UnknownLayer { found: text.to_owned(), known: Self::forms() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_back() {
        for text in [
            "conv 8",
            "conv 8 1x1 stride 2 no-bias",
            "group-norm 4",
            "dropout 0.25",
            "shortcut conv 16 1x1 no-bias",
            "shortcut batch-norm",
            "linear",
            "gelu",
        ] {
            assert_eq!(text.parse::<Layer>().unwrap().to_string(), text);
        }
        assert_eq!("conv 8 no-bias stride 2 3x3".parse::<Layer>().unwrap().to_string(), "conv 8 stride 2 no-bias");
        for wrong in [
            "conv",
            "conv x",
            "conv 8 stride",
            "conv 8 stride 0",
            "conv 8 5x5",
            "dropout 1",
            "dropout 0.0004",
            "dropout 0.9999",
            "shortcut add",
            "relu 3",
        ] {
            assert!(wrong.parse::<Layer>().is_err(), "{wrong}");
        }
    }
}
