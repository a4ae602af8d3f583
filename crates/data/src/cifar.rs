//! CIFAR-10 and CIFAR-100, binary version (A. Krizhevsky 2009): records of one or two label bytes and 3 x 32 x 32 pixels, red plane
//! first, row-major.

/// Values of one image.
const PIXELS: usize = 3 * 32 * 32;

/// Which of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One label byte, 10 classes.
    Ten,
    /// A coarse label byte (20 superclasses) and a fine one (100 classes).
    Hundred,
}

impl Kind {
    /// Number of classes.
    pub fn classes(self) -> u32 {
        match self {
            Self::Ten => 10,
            Self::Hundred => 100,
        }
    }

    fn head(self) -> usize {
        match self {
            Self::Ten => 1,
            Self::Hundred => 2,
        }
    }
}

/// Number of superclasses of CIFAR-100.
pub const COARSE: u32 = 20;

/// Records of one or more files, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// (records, 3, 32, 32).
    pub pixels: Vec<u8>,
    /// Class of each record.
    pub labels: Vec<u32>,
    /// Superclass of each record; empty for CIFAR-10.
    pub coarse: Vec<u32>,
}

impl Records {
    /// Appends the records of one file.
    ///
    /// # Errors
    /// No whole number of records, or a label out of range; nothing is appended then.
    pub fn extend(&mut self, bytes: &[u8], kind: Kind) -> Result<(), String> {
        let size = kind.head() + PIXELS;
        if bytes.is_empty() || !bytes.len().is_multiple_of(size) {
            return Err(format!(
                "{} bytes are no whole number of records of {size}: fetch the file again",
                bytes.len()
            ));
        }
        for (index, record) in bytes.chunks_exact(size).enumerate() {
            let label = u32::from(record[kind.head() - 1]);
            if label >= kind.classes() {
                return Err(format!("record {index} has label {label}, but there are {} classes", kind.classes()));
            }
            if kind == Kind::Hundred && u32::from(record[0]) >= COARSE {
                return Err(format!("record {index} has coarse label {}, but there are {COARSE}", record[0]));
            }
        }
        self.pixels.reserve_exact(bytes.len() / size * PIXELS);
        for record in bytes.chunks_exact(size) {
            self.labels.push(u32::from(record[kind.head() - 1]));
            if kind == Kind::Hundred {
                self.coarse.push(u32::from(record[0]));
            }
            self.pixels.extend_from_slice(&record[kind.head()..]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_by_hand() {
        let record = |head: &[u8], v: u8| [head, &[v; PIXELS]].concat();
        let mut ten = Records::default();
        ten.extend(&[record(&[3], 7), record(&[9], 8)].concat(), Kind::Ten).unwrap();
        ten.extend(&record(&[0], 9), Kind::Ten).unwrap();
        assert_eq!((ten.labels.as_slice(), ten.coarse.len()), ([3, 9, 0].as_slice(), 0));
        assert_eq!((ten.pixels[0], ten.pixels[PIXELS], ten.pixels[2 * PIXELS]), (7, 8, 9));
        let mut hundred = Records::default();
        hundred.extend(&record(&[19, 99], 1), Kind::Hundred).unwrap();
        assert_eq!((hundred.labels[0], hundred.coarse[0]), (99, 19));
        let before = hundred.clone();
        for (bytes, word) in [
            (record(&[20, 1], 0), "coarse label 20"),
            (record(&[1, 100], 0), "label 100"),
            (vec![0; 10], "10 bytes"),
            (vec![], "0 bytes"),
        ] {
            assert!(hundred.extend(&bytes, Kind::Hundred).unwrap_err().contains(word));
        }
        assert_eq!(hundred, before);
    }
}
