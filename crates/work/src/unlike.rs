//! What keeps a process from working at a run.

/// The form of `run.json`.
pub(crate) const SCHEMA: u32 = 1;

/// What differs between a run and who wants to work at it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unlike {
    /// The form of `run.json`.
    #[error("run.json has form {there}, and this program knows {SCHEMA}: use the program that began the run")]
    Schema {
        /// Of the run.
        there: u32,
    },
    /// The seed.
    #[error("the run has seed {there}, not {here}; choose another --out")]
    Seed {
        /// Of the run.
        there: u64,
        /// Here.
        here: u64,
    },
    /// The data.
    #[error("the run's data have the digest {there}, those here {here}: use the same data, or choose another --out")]
    Data {
        /// Of the run.
        there: String,
        /// Here.
        here: String,
    },
    /// The engine.
    #[error(
        "the run was begun with engine {there}, and this program has {here}: use that program, or choose another --out"
    )]
    Engine {
        /// Of the run.
        there: u32,
        /// Here.
        here: u32,
    },
    /// The canary.
    #[error(
        "this program trains other bits here than the run was begun with (a small model has the digest {here}, not {there}): \
         use the program that began the run, on a machine of its kind"
    )]
    Canary {
        /// Of the run.
        there: String,
        /// Here.
        here: String,
    },
    /// The program.
    #[error(
        "the run was begun with the program {there}, and this is {here}; both train the same bits: \
         work with the former, or accept the latter by --accept-binary {here}"
    )]
    Binary {
        /// Of the run.
        there: String,
        /// Here.
        here: String,
    },
}
