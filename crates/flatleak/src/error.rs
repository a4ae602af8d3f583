//! What keeps a study from its results.

use std::io;
use std::path::PathBuf;

use flatleak_data::Shape;

use crate::audit_error::AuditError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A study that cannot be run.
    #[error(transparent)]
    Study(#[from] flatleak_study::Error),
    /// A network or recipe that cannot be trained.
    #[error(transparent)]
    Engine(#[from] flatleak_nn::Error),
    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] flatleak_data::Error),
    /// A run directory that cannot be used.
    #[error(transparent)]
    Store(#[from] flatleak_store::Error),
    /// Output that cannot be written.
    #[error(transparent)]
    Disk(#[from] flatleak_disk::Error),
    /// Training that failed.
    #[error(transparent)]
    Run(#[from] flatleak_run::Error),
    /// What workers share.
    #[error(transparent)]
    Work(#[from] flatleak_work::Error),
    /// A folder that no worker can work at.
    #[error("{} is no run to work at: `flatleak compare STUDY --out {} --prepare` makes it one", .0.display(), .0.display())]
    NotPrepared(PathBuf),
    /// A run that somebody cancelled.
    #[error("{} was cancelled; `flatleak cancel {} --undo` lets workers go on", .0.display(), .0.display())]
    Cancelled(PathBuf),
    /// A run whose models are not all there.
    #[error(
        "{missing} models are missing in {}: {}{}; `flatleak work {}` trains them, `flatleak status {}` says where they are",
        folder.display(), first.join(", "), if *missing > first.len() { ", ..." } else { "" }, folder.display(), folder.display()
    )]
    ModelsMissing {
        /// The run's folder.
        folder: PathBuf,
        /// How many.
        missing: usize,
        /// The first of them.
        first: Vec<String>,
    },
    /// Parts of a run that do not belong together.
    #[error("{} is no part of the run in {}: {why}", part.display(), run.display())]
    NoPart {
        /// The part.
        part: PathBuf,
        /// The run.
        run: PathBuf,
        /// What differs.
        why: flatleak_work::Unlike,
    },
    /// An analysis that failed.
    #[error(transparent)]
    Verdict(#[from] flatleak_verdict::Error),
    /// An explanation that failed.
    #[error(transparent)]
    Explain(#[from] flatleak_explain::Error),
    /// A report that cannot be written.
    #[error(transparent)]
    Report(#[from] flatleak_report::Error),
    /// Pools that cannot be audited.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A picture that cannot be encoded.
    #[error("cannot encode a picture: {0}")]
    Picture(#[from] png::EncodingError),
    /// A study file that cannot be read.
    #[error("cannot read the study {}: {source}", path.display())]
    StudyFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A study file that says what cannot be run.
    #[error("{}: {source}", path.display())]
    InStudy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: flatleak_study::Error,
    },
    /// Something that does not fit the examples of a data set.
    #[error("{what} does not fit {data}, whose examples are {shape}")]
    Unfit {
        /// What.
        what: String,
        /// The data set.
        data: String,
        /// Shape of its examples.
        shape: Shape,
    },
    /// The same examples under two names.
    #[error("data sets {first} and {second} hold the same examples: name one of them")]
    SameData {
        /// The first name.
        first: String,
        /// The second.
        second: String,
    },
    /// Fewer models than the first look has.
    #[error("--until looks at {first} models first: --models has to be at least that")]
    FewerThanALook {
        /// Models of the first look.
        first: usize,
    },
    /// The caller asked to stop.
    #[error("interrupted; the same command continues in {}", folder.display())]
    Interrupted {
        /// The run's folder.
        folder: PathBuf,
    },
    /// Nothing is left to analyse.
    #[error("every recipe diverged: lower the learning rate")]
    AllDiverged,
    /// A folder without results.
    #[error("cannot read {}: {source}; is this a finished run?", path.display())]
    NoResults {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Results that are damaged or of another program.
    #[error("{}: {source}{advice}", path.display())]
    Results {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        source: flatleak_report::Error,
        /// What to do, as a clause.
        advice: &'static str,
    },
    /// Results in the folder of another study.
    #[error("{} holds the results of another study than `{study}`, whose folder this is: remove the file, or run `flatleak compare` again", path.display())]
    ResultsOfAnother {
        /// The file.
        path: PathBuf,
        /// Name of the study of the folder.
        study: String,
    },
    /// A picture that is not the one that was written.
    #[error("{} was damaged or changed after it was written: run `flatleak explain` on the folder to make it again, or report with --redact", .0.display())]
    DamagedPicture(PathBuf),
    /// No browser that prints.
    #[error("cannot print {}: no Chromium is installed (tried {tried}). Install one, for example `apt install chromium`, or name it in FLATLEAK_CHROMIUM; any browser prints the page by hand", page.display())]
    NoBrowser {
        /// Names that were tried.
        tried: String,
        /// The page.
        page: PathBuf,
    },
    /// A browser that did not print.
    #[error("{name} did not print the page: {why}")]
    Browser {
        /// Its name.
        name: String,
        /// What it says.
        why: String,
    },
    /// Input that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A run in which no recipe is complete.
    #[error("no recipe in {} is complete", .0.display())]
    Incomplete(PathBuf),
    /// A folder without a pool.
    #[error("{} holds no pool", .0.display())]
    NoPool(PathBuf),
    /// An output folder that belongs to a study.
    #[error("{} is the folder of a study; choose another --out", .0.display())]
    FolderOfStudy(PathBuf),
    /// An output folder with the results of something else.
    #[error("{} holds other results; choose another --out", .0.display())]
    OtherResults(PathBuf),
}
