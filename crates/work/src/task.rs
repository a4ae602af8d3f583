//! What is to be done, and how often it was tried.

use std::fmt::{self, Display, Formatter};

/// Digits of a model's number in names.
const DIGITS: usize = 4;

/// One model of the recipes that share a run, called after the first of them: `sgd.0003`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Task {
    /// The recipe.
    pub recipe: String,
    /// Number of the model, from 0.
    pub model: usize,
}

impl Task {
    /// A model of a recipe.
    pub fn new(recipe: impl Into<String>, model: usize) -> Self {
        Self { recipe: recipe.into(), model }
    }

    /// The task of this name; `None` where it is no name of a task.
    pub fn parse(name: &str) -> Option<Self> {
        let (recipe, model) = name.rsplit_once('.')?;
        let is_number = model.len() >= DIGITS && model.bytes().all(|b| b.is_ascii_digit());
        (is_number && !recipe.is_empty()).then_some(())?;
        Some(Self::new(recipe, model.parse().ok()?))
    }
}

impl Display for Task {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:0DIGITS$}", self.recipe, self.model)
    }
}

/// One try at a task: `sgd.0003.1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attempt {
    /// The task.
    pub task: Task,
    /// Its number, from 1.
    pub number: u32,
}

impl Attempt {
    /// The attempt of this name; `None` where it is no name of an attempt.
    pub fn parse(name: &str) -> Option<Self> {
        let (task, number) = name.rsplit_once('.')?;
        number.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
        Some(Self { task: Task::parse(task)?, number: number.parse().ok().filter(|n| *n > 0)? })
    }
}

impl Display for Attempt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.task, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for (recipe, model, name) in [("sgd", 3, "sgd.0003.1"), ("a.b-1.5", 12345, "a.b-1.5.12345.1")] {
            let attempt = Attempt { task: Task::new(recipe, model), number: 1 };
            assert_eq!(attempt.to_string(), name);
            assert_eq!(Attempt::parse(name), Some(attempt));
        }
        for other in ["", "sgd", "sgd.0003", "sgd.3.1", "sgd.0003.0", "sgd.0003.x", ".0003.1", "sgd.0003.1.json"] {
            assert_eq!(Attempt::parse(other), None, "{other}");
        }
    }
}
