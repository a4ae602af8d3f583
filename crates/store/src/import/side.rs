//! Words that say where an example stands for a model.

/// A word as it is compared: lower case, with one sign between its parts.
pub(super) fn plain(word: &str) -> String {
    word.trim().to_lowercase().replace([' ', '-', '.', ':'], "_")
}

/// Where an example stands for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// A member.
    In,
    /// None, and of the pool.
    Out,
    /// Of no model's pool.
    HeldOut,
}

const IN: [&str; 13] = [
    "true",
    "yes",
    "t",
    "y",
    "in",
    "member",
    "members",
    "train",
    "training",
    "trained",
    "is_member",
    "in_train",
    "seen",
];
const OUT: [&str; 19] = [
    "false",
    "no",
    "f",
    "n",
    "out",
    "non_member",
    "nonmember",
    "non_members",
    "nonmembers",
    "not_member",
    "not_a_member",
    "test",
    "testing",
    "not_in_train",
    "not_train",
    "untrained",
    "unseen",
    "non_train",
    "not_trained",
];
const HELD_OUT: [&str; 9] =
    ["val", "valid", "validation", "dev", "held_out", "heldout", "hold_out", "holdout", "population"];

/// What a word says, in lower case with one `_` between its parts.
pub(super) fn side(word: &str) -> Option<Side> {
    let all: [(&[&str], Side); 3] = [(&IN, Side::In), (&OUT, Side::Out), (&HELD_OUT, Side::HeldOut)];
    all.into_iter().find(|(words, _)| words.contains(&word)).map(|(_, side)| side)
}
