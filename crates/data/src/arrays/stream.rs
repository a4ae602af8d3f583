//! An array of any size, read front to back.
//!
//! Nothing is allocated by what a header claims: values are read into the caller's slices.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};

use crate::arrays::element::Kind;
use crate::arrays::error::ArrayError;
use crate::budget::{self, Budget, OverBudget, product};

/// Most places on an axis beside an empty one: whoever goes over the axis goes nowhere, but takes its time.
const MOST_HOLLOW: usize = 1 << 24;
/// Bytes of a text in memory beside its letters.
const OF_TEXT: u64 = 48;
/// Bytes of an array in Fortran order that are held while it is turned.
const TURNED_AT_ONCE: usize = 1 << 25;

/// A shape along which nobody goes for ever without finding a value.
pub(crate) fn not_hollow(shape: Vec<usize>) -> Result<Vec<usize>, ArrayError> {
    if shape.contains(&0) && shape.iter().any(|size| *size > MOST_HOLLOW) {
        return Err(ArrayError::Hollow { shape, most: MOST_HOLLOW });
    }
    Ok(shape)
}

/// An array that is being read, in C order.
pub struct Values<'a> {
    shape: Vec<usize>,
    kind: Kind,
    /// Values that are left.
    left: usize,
    from: Box<dyn Read + 'a>,
    bytes: Vec<u8>,
}

impl<'a> Values<'a> {
    /// The values of an array that `from` begins with.
    pub(crate) fn new(shape: Vec<usize>, kind: Kind, from: Box<dyn Read + 'a>) -> Result<Self, ArrayError> {
        let shape = not_hollow(shape)?;
        let count = shape.iter().try_fold(1usize, |n, s| n.checked_mul(*s));
        // As bytes and as doubles, both of which are signed where files are searched.
        let fits = |n: &usize| n.checked_mul(kind.size().max(8)).is_some_and(|bytes| i64::try_from(bytes).is_ok());
        let Some(left) = count.filter(fits) else { return Err(ArrayError::Shape { shape }) };
        Ok(Self { shape, kind, left, from, bytes: Vec::new() })
    }

    /// Size of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The type of the values, as NumPy names it: `<f4`.
    pub fn dtype(&self) -> String {
        self.kind.name()
    }

    /// Relative error of a value that was rounded to this type; 0 for integers.
    pub fn rounding(&self) -> f64 {
        self.kind.rounding()
    }

    /// Whether values are whole numbers, or booleans, by their type.
    pub fn is_whole(&self) -> bool {
        self.kind.is_whole()
    }

    /// Whether values are text, which [`Values::words`] reads.
    pub fn is_text(&self) -> bool {
        self.kind.is_text()
    }

    /// All that is left, as text.
    ///
    /// # Errors
    /// Values that are numbers, or no text; a file that ends before its shape is filled; more than can be held.
    pub fn words(&mut self) -> Result<Vec<String>, ArrayError> {
        let wanted = self.left * self.kind.size();
        let of_each = 2 * self.kind.size() as u64 + OF_TEXT;
        budget::memory("its text", of_each.checked_mul(self.left as u64))?;
        let mut bytes = Vec::new();
        self.from.by_ref().take(wanted as u64).read_to_end(&mut bytes)?;
        if bytes.len() < wanted {
            return Err(self.cut_short());
        }
        self.left = 0;
        self.kind.words(&bytes).ok_or_else(|| ArrayError::Type { dtype: self.dtype() })
    }

    /// The same values under other axes, of which there have to be as many values; otherwise nothing changes.
    pub fn reshape(&mut self, shape: Vec<usize>) {
        if product(&shape) == product(&self.shape) {
            self.shape = shape;
        }
    }

    /// Reads the next values.
    ///
    /// # Errors
    /// A file that ends before its shape is filled, or more values than it has.
    pub fn read(&mut self, to: &mut [f64]) -> Result<(), ArrayError> {
        if self.kind.is_text() {
            return Err(ArrayError::Type { dtype: self.dtype() });
        }
        if to.len() > self.left {
            return Err(ArrayError::Left { left: self.left, wanted: to.len() });
        }
        self.bytes.resize(to.len() * self.kind.size(), 0);
        self.from.read_exact(&mut self.bytes).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => self.cut_short(),
            _ => ArrayError::Io(e),
        })?;
        self.kind.widen(&self.bytes, to);
        self.left -= to.len();
        Ok(())
    }

    /// The next `count` values.
    ///
    /// # Errors
    /// As [`Values::read`]; more values than can be held.
    pub fn next(&mut self, count: usize) -> Result<Vec<f64>, ArrayError> {
        budget::memory("its values", product(&[count, 8]))?;
        // As long as the file really is, not as it claims.
        let mut out = Vec::new();
        while out.len() < count {
            let from = out.len();
            out.resize(from + (count - from).min(1 << 16), 0.0);
            self.read(&mut out[from..])?;
        }
        Ok(out)
    }

    /// Reads on to the end without a look at the values.
    ///
    /// # Errors
    /// A file that ends before its shape is filled.
    pub fn skip(&mut self) -> Result<(), ArrayError> {
        let bytes = (self.left * self.kind.size()) as u64;
        let copied = io::copy(&mut self.from.by_ref().take(bytes), &mut io::sink());
        self.left = 0;
        match copied {
            Ok(found) if found == bytes => Ok(()),
            _ => Err(self.cut_short()),
        }
    }

    /// All that is left.
    ///
    /// # Errors
    /// As [`Values::next`].
    pub fn all(&mut self) -> Result<Vec<f64>, ArrayError> {
        self.next(self.left)
    }

    /// Hands the values to `f` and refuses a file that holds more of them than its shape says.
    pub(crate) fn whole<T, E: From<ArrayError>>(mut self, f: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let found = f(&mut self)?;
        if self.left > 0 {
            return Ok(found);
        }
        // An archive says at its end whether what was read is what was written.
        match self.from.read(&mut [0]) {
            Ok(0) => Ok(found),
            Ok(_) => Err(self.trailing().into()),
            Err(cause) => Err(ArrayError::Io(cause).into()),
        }
    }

    /// The same file with its first two axes in each other's place, in C order; one of fewer axes as it is. What is read there is read here.
    ///
    /// # Errors
    /// A file that is longer or shorter than its shape says; no room to turn it in the folder of temporary files.
    pub fn transposed(&mut self) -> Result<Values<'static>, ArrayError> {
        let mut shape = self.shape.clone();
        // A single number has no axis at all.
        shape.resize(shape.len().max(2), 1);
        if self.shape.len() > 1 {
            shape.swap(0, 1);
        }
        // Of the first two axes alone it is Fortran order, of what stands behind them.
        let axes = Axes {
            first: shape[0],
            second: shape[1],
            rest: Vec::new(),
            size: shape[2..].iter().fold(self.kind.size(), |all, size| all.saturating_mul(*size)),
        };
        let mut to = axes.turned(&mut self.from, self.left * self.kind.size()).map_err(|e| e.of(&self.shape))?;
        to.seek(SeekFrom::Start(0)).map_err(no_room)?;
        self.left = 0;
        shape.truncate(self.shape.len());
        Values::new(shape, self.kind, Box::new(BufReader::new(to)))
    }

    fn cut_short(&self) -> ArrayError {
        ArrayError::CutShort { shape: self.shape.clone() }
    }

    fn trailing(&self) -> ArrayError {
        ArrayError::Trailing { shape: self.shape.clone() }
    }

    /// The same values with the last axis running fastest, from a file in which the first does: turned on disk, a block of the second axis
    /// at a time, so that no more than a block is ever held.
    pub(crate) fn turned(mut self) -> Result<Values<'static>, ArrayError> {
        let [first, second, rest @ ..] = self.shape.as_slice() else {
            // One axis runs fastest either way; a block of one column is the array itself.
            self.shape.push(1);
            let mut values = self.turned()?;
            values.shape.pop();
            return Ok(values);
        };
        let axes = Axes { first: *first, second: *second, rest: rest.to_vec(), size: self.kind.size() };
        let bytes = self.left * axes.size;
        let mut to = axes.turned(&mut self.from, bytes).map_err(|e| e.of(&self.shape))?;
        to.seek(SeekFrom::Start(0)).map_err(no_room)?;
        Values::new(self.shape, self.kind, Box::new(BufReader::new(to)))
    }
}

fn no_room(cause: io::Error) -> ArrayError {
    ArrayError::NoRoom { place: std::env::temp_dir(), cause }
}

/// Why an array could not be turned.
enum Unturned {
    Budget(OverBudget),
    NoRoom(io::Error),
    CutShort,
    Trailing,
}

impl From<OverBudget> for Unturned {
    fn from(over: OverBudget) -> Self {
        Self::Budget(over)
    }
}

impl Unturned {
    /// That of an array of this shape.
    fn of(self, shape: &[usize]) -> ArrayError {
        match self {
            Self::Budget(over) => over.into(),
            Self::NoRoom(cause) => no_room(cause),
            Self::CutShort => ArrayError::CutShort { shape: shape.to_vec() },
            Self::Trailing => ArrayError::Trailing { shape: shape.to_vec() },
        }
    }
}

/// The axes of an array in Fortran order, and the bytes of a value.
struct Axes {
    first: usize,
    second: usize,
    rest: Vec<usize>,
    size: usize,
}

impl Axes {
    /// Whether there is no value.
    fn is_empty(&self) -> bool {
        self.size == 0 || self.first == 0 || self.second == 0 || self.rest.contains(&0)
    }

    /// Reads the array of so many bytes and writes it in C order to a file of its own.
    fn turned(&self, from: &mut dyn Read, bytes: usize) -> Result<File, Unturned> {
        let budget = Budget::now();
        budget.disk("bringing it into C order", product(&[bytes, 2]))?;
        if bytes > 0 {
            // A place of the second axis is held with all that stands there, and once more as rows.
            budget.memory("bringing it into C order", product(&[bytes / self.second, 2]))?;
        }
        let mut laid = tempfile::tempfile().map_err(Unturned::NoRoom)?;
        // One more than there should be, to notice it.
        let copied = io::copy(&mut from.take(bytes as u64 + 1), &mut laid).map_err(Unturned::NoRoom)?;
        match copied.cmp(&(bytes as u64)) {
            Ordering::Less => Err(Unturned::CutShort),
            Ordering::Greater => Err(Unturned::Trailing),
            Ordering::Equal => self.turn(&mut laid).map_err(Unturned::NoRoom),
        }
    }

    /// Writes the array in C order to a file of its own.
    fn turn(&self, from: &mut File) -> io::Result<File> {
        let Self { first, second, size, .. } = *self;
        let mut to = BufWriter::new(tempfile::tempfile()?);
        if self.is_empty() {
            return to.into_inner().map_err(|e| e.into_error());
        }
        let rest: usize = self.rest.iter().product();
        let together = (TURNED_AT_ONCE / (first * rest * size).max(1)).clamp(1, second.max(1));
        let (mut block, mut row) = (Vec::new(), Vec::new());
        for start in (0..second).step_by(together) {
            let here = together.min(second - start);
            // Of every place on the axes behind, this block's part is one run.
            let run = here * first * size;
            block.resize(rest * run, 0);
            for (k, part) in block.chunks_exact_mut(run.max(1)).enumerate() {
                let offset = ((k * second + start) * first * size) as u64;
                from.seek(SeekFrom::Start(offset))?;
                from.read_exact(part)?;
            }
            for m in 0..first {
                row.clear();
                for n in 0..here {
                    for k in 0..rest {
                        // The last axis fastest: the file counts the axes behind in the other direction.
                        let at = (reversed(k, &self.rest) * here + n) * first + m;
                        row.extend_from_slice(&block[at * size..(at + 1) * size]);
                    }
                }
                let offset = ((m * second + start) * rest * size) as u64;
                to.seek(SeekFrom::Start(offset))?;
                to.write_all(&row)?;
            }
        }
        to.into_inner().map_err(|e| e.into_error())
    }
}

/// Where, with the first of these axes running fastest, the value stands that is at `k` with the last running fastest.
fn reversed(mut k: usize, axes: &[usize]) -> usize {
    let mut at = 0;
    for &axis in axes.iter().rev() {
        at = at * axis + k % axis;
        k /= axis;
    }
    at
}
