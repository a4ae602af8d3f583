//! Exit codes and what leads to them.

/// Anything that no other code covers.
pub(crate) const OTHER: u8 = 1;
/// Wrong arguments or study, output of another study.
pub(crate) const USAGE: u8 = 2;
/// Input data unreadable or inconsistent.
pub(crate) const DATA: u8 = 3;
/// A recipe diverged; the others are reported.
pub(crate) const DIVERGED: u8 = 4;
/// Interrupted, can be resumed.
pub(crate) const INTERRUPTED: u8 = 5;
/// A gate was exceeded, or could not be measured.
pub(crate) const GATE: u8 = 6;
/// Output cannot be written.
pub(crate) const OUTPUT: u8 = 7;
/// Two workers published different bytes for one model.
pub(crate) const BITS: u8 = 8;

/// A failure with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl ToString) -> Self {
        Self { code, message: message.to_string() }
    }
}

impl From<flatleak_study::Error> for Failure {
    fn from(e: flatleak_study::Error) -> Self {
        Self::new(USAGE, e)
    }
}

impl From<flatleak_nn::Error> for Failure {
    fn from(e: flatleak_nn::Error) -> Self {
        Self::new(USAGE, e)
    }
}

impl From<flatleak_data::Error> for Failure {
    fn from(e: flatleak_data::Error) -> Self {
        let code = match e {
            flatleak_data::Error::Taken { .. } => USAGE,
            flatleak_data::Error::Disk(_) => OUTPUT,
            _ => DATA,
        };
        Self::new(code, e)
    }
}

impl From<flatleak_store::Error> for Failure {
    fn from(e: flatleak_store::Error) -> Self {
        use flatleak_store::Error;
        let code = match &e {
            Error::Io { .. } => OUTPUT,
            Error::Data(_) | Error::NoRun(_) => DATA,
            Error::OtherStudy { .. } | Error::Busy(_) | Error::Study(_) | Error::Engine(_) | Error::Pool(_) => USAGE,
            Error::Import { .. } | Error::NoLogits(_) | Error::Staged { .. } => DATA,
            Error::BitsDiffer(_) => BITS,
            Error::Occupied(_) | Error::Missing(_) | Error::Encode { .. } => OTHER,
        };
        Self::new(code, e)
    }
}

impl From<flatleak_disk::Error> for Failure {
    fn from(e: flatleak_disk::Error) -> Self {
        Self::new(OUTPUT, e)
    }
}

impl From<flatleak_work::Error> for Failure {
    fn from(e: flatleak_work::Error) -> Self {
        use flatleak_work::Error;
        let code = match &e {
            Error::Disk(_) => OUTPUT,
            Error::Unreadable { .. } | Error::Damaged { .. } => DATA,
            Error::Unlike(_) | Error::Racy { .. } => USAGE,
            Error::Encode { .. } => OTHER,
        };
        Self::new(code, e)
    }
}

impl From<flatleak_run::Error> for Failure {
    fn from(e: flatleak_run::Error) -> Self {
        use flatleak_run::Error;
        match e {
            Error::Store(e) => e.into(),
            Error::Work(e) => e.into(),
            e @ (Error::Engine(_) | Error::Pool(_)) => Self::new(USAGE, e),
            e @ (Error::Trainer { .. } | Error::Several { .. }) => Self::new(OTHER, e),
            e @ Error::BitsDiffer { .. } => Self::new(BITS, e),
        }
    }
}

impl From<flatleak_verdict::Error> for Failure {
    fn from(e: flatleak_verdict::Error) -> Self {
        let code = if matches!(e, flatleak_verdict::Error::Stopped) { INTERRUPTED } else { OTHER };
        Self::new(code, e)
    }
}

impl From<flatleak_explain::Error> for Failure {
    fn from(e: flatleak_explain::Error) -> Self {
        Self::new(OTHER, e)
    }
}

impl From<flatleak_report::Error> for Failure {
    fn from(e: flatleak_report::Error) -> Self {
        Self::new(OTHER, e)
    }
}

impl From<flatleak_theory::Error> for Failure {
    fn from(e: flatleak_theory::Error) -> Self {
        let code = if matches!(e, flatleak_theory::Error::Stopped) { INTERRUPTED } else { USAGE };
        Self::new(code, e)
    }
}

impl From<flatleak::AuditError> for Failure {
    fn from(e: flatleak::AuditError) -> Self {
        match e {
            flatleak::AuditError::Verdict(e) => e.into(),
            e @ flatleak::AuditError::Target { .. } => Self::new(USAGE, e),
            e => Self::new(DATA, e),
        }
    }
}

impl From<flatleak::Error> for Failure {
    fn from(e: flatleak::Error) -> Self {
        use flatleak::Error;
        match e {
            Error::Study(e) => e.into(),
            Error::Engine(e) => e.into(),
            Error::Data(e) => e.into(),
            Error::Store(e) => e.into(),
            Error::Disk(e) => e.into(),
            Error::Run(e) => e.into(),
            Error::Work(e) => e.into(),
            Error::Verdict(e) => e.into(),
            Error::Explain(e) => e.into(),
            Error::Report(e) => e.into(),
            Error::Audit(e) => e.into(),
            e @ (Error::StudyFile { .. }
            | Error::InStudy { .. }
            | Error::Unfit { .. }
            | Error::SameData { .. }
            | Error::FewerThanALook { .. }
            | Error::NoPart { .. }
            | Error::FolderOfStudy(_)
            | Error::OtherResults(_)) => Self::new(USAGE, e),
            e @ Error::Cancelled(_) => Self::new(INTERRUPTED, e),
            e @ (Error::NotPrepared(_)
            | Error::ModelsMissing { .. }
            | Error::NoResults { .. }
            | Error::Results { .. }
            | Error::ResultsOfAnother { .. }
            | Error::DamagedPicture(_)
            | Error::Unreadable { .. }
            | Error::Incomplete(_)
            | Error::NoPool(_)) => Self::new(DATA, e),
            e @ Error::AllDiverged => Self::new(DIVERGED, e),
            e @ Error::Interrupted { .. } => Self::new(INTERRUPTED, e),
            e @ (Error::Picture(_) | Error::NoBrowser { .. } | Error::Browser { .. }) => Self::new(OUTPUT, e),
        }
    }
}
