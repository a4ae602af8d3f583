//! Data sets that must be fetched.

/// A data set that must be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Name to ask for.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Examples, shape and classes.
    pub size: &'static str,
    /// Licence of the data.
    pub licence: &'static str,
    /// Where its publisher keeps it; `None` where there is no address that needs no account or is known to last.
    pub url: Option<&'static str>,
    /// SHA-256 of that file, once checked against the real one; none has been.
    pub sha256: Option<&'static str>,
    /// How to get it by hand.
    pub by_hand: &'static str,
    /// Files that are kept; an npz of any name where empty.
    pub(crate) files: &'static [&'static str],
}

const REMOTES: [Remote; 5] = [
    Remote {
        name: "cifar-10",
        what: "CIFAR-10, binary version (Krizhevsky 2009)",
        size: "50,000 pool, 10,000 test; 32x32 colour; 10 classes",
        licence: "none stated by its authors",
        url: Some("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"),
        sha256: None,
        by_hand: "download cifar-10-binary.tar.gz from its authors' page",
        files: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
            "test_batch.bin",
        ],
    },
    Remote {
        name: "cifar-100",
        what: "CIFAR-100, binary version (Krizhevsky 2009); groups are the 20 superclasses",
        size: "50,000 pool, 10,000 test; 32x32 colour; 100 classes",
        licence: "none stated by its authors",
        url: Some("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"),
        sha256: None,
        by_hand: "download cifar-100-binary.tar.gz from its authors' page",
        files: &["train.bin", "test.bin"],
    },
    Remote {
        name: "purchase-100",
        what: "Purchase-100 (Shokri et al. 2017)",
        size: "197,324 rows; 600 binary columns; 100 classes",
        licence: "not stated",
        url: None,
        sha256: None,
        by_hand: "get the npz with arrays `features` and `labels`",
        files: &[],
    },
    Remote {
        name: "texas-100",
        what: "Texas-100 hospital discharges (Shokri et al. 2017)",
        size: "67,330 rows; 6,169 binary columns; 100 classes",
        licence: "not stated",
        url: None,
        sha256: None,
        by_hand: "get the npz with arrays `features` and `labels`",
        files: &[],
    },
    Remote {
        name: "eyepacs",
        what: "EyePACS diabetic retinopathy photographs, resized to 64x64 (+size=N for another)",
        size: "35,126 images; 5 levels",
        licence: "competition rules",
        url: None,
        sha256: None,
        by_hand: "log in at kaggle.com/c/diabetic-retinopathy-detection, accept its rules, unpack train.zip and trainLabels.csv into one folder",
        files: &[],
    },
];

/// All data sets that must be fetched before they can be opened.
pub fn remotes() -> &'static [Remote] {
    &REMOTES
}

impl Remote {
    /// The data set of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        REMOTES.iter().find(|r| r.name == name)
    }
}
