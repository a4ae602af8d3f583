//! How a membership matrix is read: which models are related, and what that does to the shadows of a target.
//!
//! Models that never share an example are of different classes ([`classes`]). Within a class, related models, such as a model and its
//! complement, form a block: none of them may be a shadow of another. Blocks come from exact groups ([`groups`]) and from correlations
//! ([`relations`]). What kind of design the class is ([`dispersion`]) decides whether leaving the block out is enough, or shadows must be cut
//! as well ([`cut`]). The rules stand in the book (book/methods/membership.md#reading-a-membership), with what is this project's own marked there.

mod classes;
mod counts;
pub(crate) mod cut;
mod dispersion;
mod groups;
mod relations;

use counts::{counts, informative};
use dispersion::Dispersion;

use crate::rows::Rows;
use crate::units::BlockId;

/// What kind of design the models of a class form, which decides what can be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// Every example is in equally many models of each block, as in complementary pairs and folds: what a block leaves behind tells nothing
    /// of its rows, not even by its number.
    Balanced,
    /// Every example is in a number of models that was fixed beforehand, and no models are related: rows depend on one another through that
    /// number.
    Fixed,
    /// Examples were drawn at different rates, so that the number of models that hold an example already tells who is a member.
    Mixed,
    /// Examples are in more equally many models than rows drawn one by one would have them, and some models are related: leaving blocks out
    /// may not free a score of its target's membership, which says so.
    Entangled,
    /// Rows that are as good as drawn one by one.
    Independent,
}

/// Models that share data, directly or through others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) design: Design,
    /// Blocks of the class.
    pub(crate) blocks: Vec<BlockId>,
    /// Examples that some of its models hold and some lack, (N).
    pub(crate) informative: Vec<bool>,
    /// Blocks whose first model holds each example, (N).
    pub(crate) held: Vec<usize>,
}

/// What is read from a matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Block of each model, numbered in the order of their first models.
    pub(crate) blocks: Vec<BlockId>,
    /// Class of each block; references, who hold all or nothing, have none.
    pub(crate) class: Vec<Option<usize>>,
    pub(crate) classes: Vec<Class>,
}

impl Reading {
    /// Reads a matrix.
    pub(crate) fn new(rows: Rows<'_, bool>) -> Self {
        let sets = classes::find(rows);
        let mut first: Vec<usize> = (0..rows.len()).collect();
        for models in &sets {
            relations::join(&mut first, models, rows);
        }
        let blocks: Vec<BlockId> = classes::numbered(&first).into_iter().map(BlockId::new).collect();
        Self::of_blocks(rows, &sets, &blocks)
    }

    /// Reads a matrix whose blocks are known.
    pub(crate) fn with_blocks(rows: Rows<'_, bool>, blocks: &[BlockId]) -> Self {
        Self::of_blocks(rows, &classes::find(rows), blocks)
    }

    fn of_blocks(rows: Rows<'_, bool>, sets: &[Vec<usize>], blocks: &[BlockId]) -> Self {
        let mut class = vec![None; blocks.iter().max().map_or(0, |b| b.index() + 1)];
        let mut classes = Vec::with_capacity(sets.len());
        for (number, models) in sets.iter().enumerate() {
            models.iter().for_each(|&k| class[blocks[k].index()] = Some(number));
            classes.push(Class::new(rows, models, blocks));
        }
        Self { blocks: blocks.to_vec(), class, classes }
    }

    /// The same over some of the examples, in their order.
    pub(crate) fn of_examples(&self, examples: &[usize]) -> Self {
        fn pick<T: Copy>(all: &[T], examples: &[usize]) -> Vec<T> {
            examples.iter().map(|&i| all[i]).collect()
        }
        let of = |c: &Class| Class {
            design: c.design,
            blocks: c.blocks.clone(),
            informative: pick(&c.informative, examples),
            held: pick(&c.held, examples),
        };
        Self { classes: self.classes.iter().map(of).collect(), ..self.clone() }
    }

    /// The class of a block; `None` for a reference.
    pub(crate) fn class_of(&self, block: BlockId) -> Option<&Class> {
        self.class[block.index()].map(|number| &self.classes[number])
    }
}

impl Class {
    fn new(rows: Rows<'_, bool>, models: &[usize], blocks: &[BlockId]) -> Self {
        let informative = informative(rows, models);
        let mut members: Vec<(BlockId, Vec<usize>)> = Vec::new();
        for &k in models {
            match members.iter_mut().find(|(block, _)| *block == blocks[k]) {
                Some((_, own)) => own.push(k),
                None => members.push((blocks[k], vec![k])),
            }
        }
        let examples: Vec<usize> = (0..informative.len()).filter(|&i| informative[i]).collect();
        let firsts: Vec<usize> = members.iter().map(|(_, own)| own[0]).collect();
        let held = counts(rows, &firsts);
        let balanced = members.iter().all(|(_, own)| {
            let inside = |i: usize| own.iter().filter(|&&k| rows[k][i]).count();
            examples.first().is_none_or(|&first| examples.iter().all(|&i| inside(i) == inside(first)))
        });
        let alike = || {
            members.iter().all(|(_, own)| own.iter().all(|&k| examples.iter().all(|&i| rows[k][i] == rows[own[0]][i])))
        };
        let numbers: Vec<usize> = examples.iter().map(|&i| held[i]).collect();
        let share = |&k: &usize| examples.iter().filter(|&&i| rows[k][i]).count() as f64 / examples.len() as f64;
        let design = if balanced {
            Design::Balanced
        } else {
            match dispersion::judge(&numbers, &firsts.iter().map(share).collect::<Vec<f64>>()) {
                Dispersion::Under if alike() => Design::Fixed,
                Dispersion::Under => Design::Entangled,
                Dispersion::Over => Design::Mixed,
                Dispersion::Chance => Design::Independent,
            }
        };
        let blocks = members.into_iter().map(|(block, _)| block).collect();
        Self { design, blocks, informative, held }
    }
}
