//! How outputs were given, so that advice speaks of what is there.

use super::given::Given;

/// What outputs are given by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Terms {
    /// Flags that name files.
    #[default]
    Flags,
    /// Arrays of one archive or folder, by their names.
    Names,
    /// Columns of a table.
    Columns,
    /// Arguments of a function of Python.
    Arguments,
}

impl Terms {
    /// One value per class of these.
    pub(crate) fn by_class(self, given: Given) -> String {
        match self {
            Self::Columns => format!("columns `{0}_0`, `{0}_1` and on", Self::word(given)),
            _ => self.single(given),
        }
    }

    /// One value of these for the second of two classes.
    pub(crate) fn second(self, given: Given) -> String {
        match self {
            Self::Columns => format!("a column `{}_1`", Self::word(given)),
            _ => format!("{} of one column", self.single(given)),
        }
    }

    /// One value of these for the label.
    pub(crate) fn single(self, given: Given) -> String {
        let name = given.name();
        match self {
            Self::Flags => format!("--{name}"),
            Self::Names => format!("an array `{name}`"),
            Self::Columns => format!("a column `{name}`"),
            Self::Arguments => format!("`{name}=`"),
        }
    }

    /// What a column of one class begins with.
    fn word(given: Given) -> &'static str {
        if given == Given::Probabilities { "probability" } else { "logit" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_speaks_of_what_is_given() {
        assert_eq!(Terms::Flags.by_class(Given::Probabilities), "--probabilities");
        assert_eq!(Terms::Names.single(Given::Loss), "an array `loss`");
        assert_eq!(Terms::Columns.by_class(Given::Logits), "columns `logit_0`, `logit_1` and on");
        assert_eq!(Terms::Columns.second(Given::Probabilities), "a column `probability_1`");
        assert_eq!(Terms::Arguments.second(Given::Logits), "`logits=` of one column");
    }
}
