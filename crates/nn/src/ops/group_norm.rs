//! Group norms.

use std::fmt;

use flatleak_kernel::norm;

use super::op::{At, Flags, Forward, Keeps, Named, Operation, ParameterGradient, Planned, Ranges, Written};
use crate::misfit::Misfit;

/// `group-norm G`: channels in G groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupNorm {
    /// G.
    pub groups: usize,
}

impl Written for GroupNorm {
    const WORD: &'static str = "group-norm";
    const FORMS: &'static [&'static str] = &["group-norm G"];
    type Op = Self;

    fn read(words: &[&str]) -> Option<Self> {
        let [groups] = words else { return None };
        Some(Self { groups: groups.parse().ok()? })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}", self.groups)
    }

    fn plan(&self, at: &mut At, _: usize) -> Result<Option<Planned<Self>>, Misfit> {
        let (channels, groups) = (at.channels()?, self.groups);
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(Misfit::Groups { channels, groups });
        }
        if at.size == groups {
            return Err(Misfit::SingleValue);
        }
        Ok(Some(Planned { op: self.clone(), weight: channels, bias: channels, state: 0 }))
    }
}

impl Operation for GroupNorm {
    const FLAGS: Flags = Flags { whole: true, both: true, ..Flags::NONE };

    fn keeps(&self) -> Keeps {
        // Mean and scale of every group.
        Keeps { statistics: 2 * self.groups, ..Keeps::default() }
    }

    fn tensors(&self, at: &Ranges) -> Vec<Named> {
        vec![Named::constant("weight", &at.weight, 1.0), Named::constant("bias", &at.bias, 0.0)]
    }

    fn forward(&self, to: Forward<'_>) {
        norm::group_forward(to.y, to.x.values, (to.weight, to.bias), to.statistics, (to.n, self.groups));
    }

    fn backward_parameters(&self, to: ParameterGradient<'_>) {
        let sizes = (to.n, self.groups);
        norm::group_backward(to.dx, (to.dw, to.db), (to.x.values, to.dy), to.weight, to.statistics, sizes);
    }
}
