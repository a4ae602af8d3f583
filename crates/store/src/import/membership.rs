//! Who was trained on what, in the forms in which people have it.

use flatleak_data::budget;
use flatleak_data::values::{Source, Values};
use flatleak_pool::Membership;

use super::axes::{Look, Sizes};
use super::side::{Side, plain, side};
use crate::error::Error;
use crate::problem::{ImportError, OutputsError};

/// A membership with the way in which it was taken, where that is not plain.
pub(super) struct Mask {
    pub(super) membership: Membership,
    pub(super) notes: Vec<String>,
}

/// Values of a mask.
enum Form {
    /// Words such as `train` and `test`.
    Words,
    /// A member has this value, the others another.
    Bits { member: f64 },
    /// Each row has the positions of its members, filled up with -1.
    Positions,
}

/// A membership of which it is known what it looks like.
pub(super) struct Seen<'a> {
    from: Source<'a>,
    look: Look,
    shape: [usize; 2],
    form: Form,
}

/// Looks at a membership: (M, N) of 0 and 1, of booleans, of -1 and 1, of 0 and 255, of text such as `train` and `test`; the same with the
/// axes swapped; or (M, K), the positions of each model's members, filled up with -1.
///
/// # Errors
/// [`Error::Import`]: anything else, with what would be right.
pub(super) fn look(from: Source<'_>) -> Result<Seen<'_>, Error> {
    let found = || -> Result<Seen<'_>, ImportError> {
        let look = Look::new(from, "membership")?;
        let (&[rows, columns] | &[rows, columns, 1]) = look.shape.as_slice() else {
            return Err(look.unfit("(models, examples)").into());
        };
        if rows == 0 || columns == 0 {
            return Err(look.unfit("(models, examples)").into());
        }
        let form = if look.is_text { Form::Words } else { from.with("membership", form)? };
        Ok(Seen { from, look, shape: [rows, columns], form })
    };
    found().map_err(|problem| Error::import(from.place(), problem))
}

impl Seen<'_> {
    /// Both axes of a mask; `None` where it lists positions.
    pub(super) fn axes(&self) -> Option<[usize; 2]> {
        (!matches!(self.form, Form::Positions)).then_some(self.shape)
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Import`]: words without a meaning, another shape than the outputs', positions beyond the examples or twice.
    pub(super) fn read(&self, sizes: Option<Sizes>) -> Result<Mask, Error> {
        let (rows, notes) = self.rows(sizes).map_err(|problem| Error::import(self.from.place(), problem))?;
        self.mask(rows, notes)
    }

    /// Reads a mask of as many models as examples, of which it is known whether it is turned.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn read_square(&self, rows: Vec<Vec<bool>>, is_turned: bool) -> Result<Mask, Error> {
        if !is_turned {
            return self.mask(rows, Vec::new());
        }
        let turned = (0..rows.len()).map(|i| rows.iter().map(|row| row[i]).collect()).collect();
        self.mask(turned, vec![TURNED.into()])
    }

    fn mask(&self, rows: Vec<Vec<bool>>, notes: Vec<String>) -> Result<Mask, Error> {
        let membership = Membership::from_rows(rows);
        let membership = membership.map_err(|problem| Error::import(self.from.place(), ImportError::from(problem)))?;
        Ok(Mask { membership, notes })
    }

    /// Its rows as they stand.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn rows_of(&self, sizes: Sizes) -> Result<Vec<Vec<bool>>, Error> {
        let rows = self.rows(Some(sizes)).map_err(|problem| Error::import(self.from.place(), problem))?;
        Ok(rows.0)
    }

    fn rows(&self, sizes: Option<Sizes>) -> Result<(Vec<Vec<bool>>, Vec<String>), ImportError> {
        let Self { from, look, shape: [rows, columns], form } = self;
        // As bits on end, in rows, and turned.
        let of_row = budget::product(&[*columns, 4]).and_then(|all| all.checked_add(64));
        budget::memory("its rows", of_row.and_then(|row| row.checked_mul(*rows as u64)))?;
        let bits = match *form {
            Form::Words => from.with("membership", |found| words(found.words()?))?,
            Form::Bits { member } => from.with("membership", |found| {
                let mut out = Vec::new();
                for _ in 0..*rows {
                    out.extend(found.next(*columns)?.into_iter().map(|v| v == member));
                }
                Ok::<_, ImportError>(out)
            })?,
            Form::Positions => {
                let of = sizes.filter(|s| s.models == *rows).ok_or_else(|| OutputsError::Positions {
                    found: look.shape.clone(),
                    models: sizes.map_or(0, |s| s.models),
                })?;
                let rows = from.with("membership", |found| positions(found, of.examples))?;
                return Ok((rows, vec!["the membership lists the positions of each model's members".into()]));
            }
        };
        arranged(bits, *columns, sizes, look)
    }
}

/// What is said of a membership that has examples before models.
const TURNED: &str = "the membership is of shape (examples, models) and was turned";

/// What the values are.
fn form(found: &mut Values<'_>) -> Result<Form, ImportError> {
    let columns = found.shape().get(1).copied().unwrap_or(1);
    let rows = found.shape().iter().product::<usize>() / columns.max(1);
    let mut distinct: Vec<f64> = Vec::new();
    let mut are_positions = true;
    for model in 0..rows {
        for value in found.next(columns)? {
            if value.is_nan() {
                return Err(OutputsError::Bit { value, model }.into());
            }
            are_positions &= value.fract() == 0.0 && (-1.0..4e9).contains(&value);
            if distinct.len() < 3 && !distinct.contains(&value) {
                distinct.push(value);
            }
        }
    }
    distinct.sort_by(f64::total_cmp);
    match distinct.as_slice() {
        [0.0 | 1.0 | -1.0 | 255.0] | [0.0, 1.0 | 255.0] | [-1.0, 1.0] => {
            // One value alone: nobody, or everybody.
            let member = distinct.last().copied().filter(|v| *v != 0.0 && *v != -1.0);
            Ok(Form::Bits { member: member.unwrap_or(1.0) })
        }
        &[low, high] => Err(OutputsError::TwoValues { low, high }.into()),
        _ if are_positions => Ok(Form::Positions),
        _ => Err(OutputsError::Values { some: distinct }.into()),
    }
}

/// Words as bits.
fn words(all: Vec<String>) -> Result<Vec<bool>, ImportError> {
    let mut distinct: Vec<&String> = all.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let bit = |word: &String| {
        // A third word is no matter of in and out.
        let known = member(word).filter(|_| distinct.len() < 3);
        known.ok_or_else(|| OutputsError::Word { word: word.clone() }.into())
    };
    all.iter().map(bit).collect()
}

/// Whether a word calls an example a member.
fn member(word: &str) -> Option<bool> {
    match plain(word).as_str() {
        "1" => Some(true),
        "0" => Some(false),
        word => side(word).map(|side| side == Side::In),
    }
}

/// Bits as rows of models, whichever axis they stand on.
fn arranged(
    bits: Vec<bool>,
    columns: usize,
    sizes: Option<Sizes>,
    look: &Look,
) -> Result<(Vec<Vec<bool>>, Vec<String>), ImportError> {
    let rows: Vec<Vec<bool>> = bits.chunks(columns).map(<[bool]>::to_vec).collect();
    match sizes {
        Some(s) if (s.models, s.examples) == (columns, rows.len()) && s.models != s.examples => {
            let turned = (0..columns).map(|m| rows.iter().map(|row| row[m]).collect()).collect();
            Ok((turned, vec![TURNED.into()]))
        }
        Some(s) if (s.models, s.examples) != (rows.len(), columns) => {
            Err(OutputsError::Membership { found: look.shape.clone(), models: s.models, examples: s.examples }.into())
        }
        _ => Ok((rows, Vec::new())),
    }
}

/// Rows of positions as rows of bits.
fn positions(found: &mut Values<'_>, examples: usize) -> Result<Vec<Vec<bool>>, ImportError> {
    let &[models, each, ..] = found.shape() else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for model in 0..models {
        let mut row = vec![false; examples];
        for value in found.next(each)?.into_iter().filter(|v| *v >= 0.0) {
            let place = row.get_mut(value as usize).ok_or(OutputsError::Position { value, labels: examples })?;
            if std::mem::replace(place, true) {
                return Err(OutputsError::PositionTwice { value, model }.into());
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { models: 2, examples: 4, queries: 1, columns: 1, swapped: false };

    fn rows(descr: &str, shape: &[usize], bytes: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let found = look(Source::Memory { descr, shape, bytes })?.read(Some(SIZES))?;
        Ok((0..2).map(|m| found.membership.row(m).iter().map(|v| u8::from(*v)).collect()).collect())
    }

    #[test]
    fn forms_of_a_membership() {
        let wanted = vec![vec![1, 0, 0, 1], vec![0, 1, 1, 0]];
        let plain = [1u8, 0, 0, 1, 0, 1, 1, 0];
        assert_eq!(rows("|b1", &[2, 4], &plain).unwrap(), wanted);
        assert_eq!(rows("|u1", &[2, 4], &plain.map(|v| v * 255)).unwrap(), wanted);
        assert_eq!(rows("|i1", &[2, 4], &plain.map(|v| if v == 1 { 1 } else { 255 })).unwrap(), wanted);
        assert_eq!(rows("|u1", &[4, 2], &[1, 0, 0, 1, 0, 1, 1, 0]).unwrap(), wanted);
        assert_eq!(rows("|u1", &[2, 4, 1], &plain).unwrap(), wanted);
        assert_eq!(rows("|i1", &[2, 3], &[3, 0, 255, 1, 2, 255]).unwrap(), wanted);
        let text: Vec<u8> = plain.iter().flat_map(|v| if *v == 1 { *b"train" } else { *b"test\0" }).collect();
        assert_eq!(rows("|S5", &[2, 4], &text).unwrap(), wanted);
        // The words of tables.
        let text: Vec<u8> = plain.iter().flat_map(|v| if *v == 1 { *b"Seen\0\0" } else { *b"unseen" }).collect();
        assert_eq!(rows("|S6", &[2, 4], &text).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_membership_is_refused_with_what_would_be() {
        let wrong = |descr: &str, shape: &[usize], bytes: &[u8]| rows(descr, shape, bytes).unwrap_err().to_string();
        assert!(wrong("|u1", &[2, 4], &[1, 2, 2, 1, 2, 1, 1, 2]).contains("membership == 2"));
        assert!(wrong("|u1", &[2, 3], &[0, 1, 0, 0, 1, 1]).contains("[2, 3]"));
        assert!(wrong("|u1", &[2, 3], &[0, 1, 4, 0, 1, 3]).contains("position 4"));
        assert!(wrong("|u1", &[2, 3], &[0, 1, 1, 2, 1, 3]).contains("twice"));
        assert!(wrong("|u1", &[3, 2], &[0, 1, 2, 2, 1, 3]).contains("positions"));
        assert!(wrong("<f4", &[1, 3], &[0.1f32, 0.2, 0.3].map(f32::to_le_bytes).concat()).contains("0.1"));
        assert!(wrong("|S3", &[1, 2], b"catdog").contains("`cat`"));
        assert!(wrong("|u1", &[8], &[0; 8]).contains("(models, examples)"));
    }
}
