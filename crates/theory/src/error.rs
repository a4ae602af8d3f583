//! Why a problem is outside the theory.

/// Why something could not be computed. Every message is complete in itself.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// An array of another size than the problem.
    #[error("{what} has {found} values, not {expected}")]
    Size {
        /// The array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that fits.
        expected: usize,
    },
    /// An infinite or undefined number.
    #[error("{what} {index} is {value}, not a finite number: leave it out or repair it")]
    NotFinite {
        /// The kind of value.
        what: &'static str,
        /// Its position.
        index: usize,
        /// The value.
        value: f64,
    },
    /// As many examples as dimensions, or more.
    #[error(
        "{examples} examples in {dimensions} dimensions leave no interpolator to choose: the theory needs more dimensions than \
         examples; the nearest valid form is a ridge, or plain least squares as in the sweep"
    )]
    TooManyExamples {
        /// Number of examples, n.
        examples: usize,
        /// Number of dimensions, d.
        dimensions: usize,
    },
    /// Rows of X that depend on each other.
    #[error(
        "the {examples} examples are linearly dependent to working precision (condition number of X G^-1 X' {condition:.1e}): remove \
         duplicates, take data that vary in more directions, or use a ridge above 0"
    )]
    RankDeficient {
        /// Number of examples.
        examples: usize,
        /// Estimated condition number; infinite where the factorisation broke down.
        condition: f64,
    },
    /// A metric or covariance with an eigenvalue that is not allowed.
    #[error("{what} has the eigenvalue {eigenvalue:e}: {needed}")]
    NotPositive {
        /// The matrix.
        what: &'static str,
        /// Its smallest eigenvalue; NaN where only a factorisation failed.
        eigenvalue: f64,
        /// What it has to be.
        needed: &'static str,
    },
    /// A matrix that differs from its transpose.
    #[error("{what} is not symmetric: entries ({row}, {column}) and ({column}, {row}) differ")]
    NotSymmetric {
        /// The matrix.
        what: &'static str,
        /// Row of an entry that differs.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// Labels other than signs where a formula needs signs.
    #[error(
        "label {index} is {value}, but the attacks on the signed margin need labels of +1 and -1; for other labels the residual y - f is the \
         nearest statistic, 0 on every member"
    )]
    NotSigns {
        /// Position of the label.
        index: usize,
        /// The label.
        value: f64,
    },
    /// A parameter outside its domain.
    #[error("{what} is {value}, {needed}")]
    Parameter {
        /// The parameter.
        what: &'static str,
        /// The value.
        value: f64,
        /// What it has to be.
        needed: &'static str,
    },
    /// A decomposition that did not converge.
    #[error("the {0} did not converge: check the input for huge values")]
    NoConvergence(&'static str),
    /// A family that cannot be read.
    #[error("cannot read the family {text:?}: {what}")]
    Family {
        /// What was given.
        text: String,
        /// What is wrong with it.
        what: String,
    },
    /// The work was stopped from outside.
    #[error("stopped")]
    Stopped,
    /// A statistic that could not be computed.
    #[error(transparent)]
    Stats(#[from] flatleak_stats::Error),
    /// An attack that could not be run.
    #[error(transparent)]
    Attack(#[from] flatleak_attack::Error),
    /// A design that is not possible.
    #[error(transparent)]
    Pool(#[from] flatleak_pool::Error),
}

/// `Ok` when every value is finite, else the first that is not.
pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<(), Error> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}

/// `Ok` when there are as many as there should be.
pub(crate) fn check_size(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Size { what, found, expected }) }
}

/// `Ok` when the value passes.
pub(crate) fn check_parameter(what: &'static str, value: f64, fits: bool, needed: &'static str) -> Result<(), Error> {
    if fits { Ok(()) } else { Err(Error::Parameter { what, value, needed }) }
}
