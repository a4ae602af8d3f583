//! Matrices that are read row by row.
//!
//! `ndarray` holds them: it is what Rust programs hand arrays around with, and [`Rows`] is made from and gives its views.

use std::fmt::{Debug, Formatter, Result as Written};
use std::ops::{Index, IndexMut, Range};

use ndarray::{Array2, ArrayView2, Axis};

use crate::error::Error;

/// A matrix (rows, columns) in one piece of memory, row after row: scores (M, N), a signal (M, N), a membership (M, N).
///
/// ```
/// use flatleak_pool::Matrix;
/// let scores = Matrix::from_rows([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]).unwrap();
/// assert_eq!((scores.len(), scores.columns(), &scores[1]), (2, 3, &[0.4, 0.5, 0.6][..]));
/// assert_eq!(scores.rows().view()[[1, 2]], 0.6);
/// assert!(Matrix::from_rows([vec![0.1], vec![]]).is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Matrix<T = f64>(Array2<T>);

/// A view of the rows of a matrix. A row is a slice: what reads one never strides.
pub struct Rows<'a, T = f64>(ArrayView2<'a, T>);

impl<T> Matrix<T> {
    /// The rows given, one by one; no row is a matrix without columns.
    ///
    /// # Errors
    /// Rows of different lengths.
    pub fn from_rows<R: AsRef<[T]>>(rows: impl IntoIterator<Item = R>) -> Result<Self, Error>
    where
        T: Clone,
    {
        let (mut values, mut number, mut columns) = (Vec::new(), 0, None);
        let rows = rows.into_iter();
        for row in rows {
            let row = row.as_ref();
            let expected = *columns.get_or_insert(row.len());
            if row.len() != expected {
                return Err(Error::Size { what: "a row", found: row.len(), expected });
            }
            values.extend_from_slice(row);
            number += 1;
        }
        Ok(Self::of(values, number, columns.unwrap_or(0)))
    }

    /// So many rows, each written by `fill`, which gets its number and the row of default values.
    pub fn with_rows(rows: usize, columns: usize, mut fill: impl FnMut(usize, &mut [T])) -> Self
    where
        T: Clone + Default,
    {
        let mut out = Self::filled(rows, columns, T::default());
        out.iter_mut().enumerate().for_each(|(k, row)| fill(k, row));
        out
    }

    /// One value everywhere.
    pub fn filled(rows: usize, columns: usize, value: T) -> Self
    where
        T: Clone,
    {
        Self(Array2::from_elem((rows, columns), value))
    }

    /// `values` has rows times columns values, or the matrix is empty.
    fn of(values: Vec<T>, rows: usize, columns: usize) -> Self {
        let empty = |_| Array2::from_shape_fn((0, 0), |_| unreachable!("it has no element"));
        Self(Array2::from_shape_vec((rows, columns), values).unwrap_or_else(empty))
    }

    /// What `f` makes of every value.
    pub fn map<U>(&self, f: impl FnMut(&T) -> U) -> Matrix<U> {
        Matrix(self.0.map(f))
    }

    /// A view of all rows.
    pub fn rows(&self) -> Rows<'_, T> {
        Rows(self.0.view())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.nrows()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.0.ncols()
    }

    /// The rows.
    pub fn iter(&self) -> Iter<'_, T> {
        self.rows().into_iter()
    }

    /// The rows, to be written.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut [T]> + ExactSizeIterator {
        self.0.rows_mut().into_iter().map(|row| row.into_slice().unwrap_or_default())
    }

    /// All values, row after row.
    pub fn values(&self) -> &[T] {
        self.0.as_slice().unwrap_or_default()
    }

    /// All values, row after row, to be written.
    pub fn values_mut(&mut self) -> &mut [T] {
        self.0.as_slice_mut().unwrap_or_default()
    }
}

impl<'a, T> Rows<'a, T> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.nrows()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.0.ncols()
    }

    /// A row; `None` behind the last.
    pub fn get(&self, row: usize) -> Option<&'a [T]> {
        (row < self.len()).then(|| self.row(row))
    }

    /// A row.
    ///
    /// # Panics
    /// Behind the last.
    pub fn row(&self, row: usize) -> &'a [T] {
        self.0.index_axis_move(Axis(0), row).to_slice().unwrap_or_default()
    }

    /// The same as a view of `ndarray`.
    pub fn view(&self) -> ArrayView2<'a, T> {
        self.0
    }

    /// Some of the rows, in their order.
    pub fn select(&self, rows: &[usize]) -> Matrix<T>
    where
        T: Clone,
    {
        let values: Vec<T> = rows.iter().flat_map(|&k| self.row(k).iter().cloned()).collect();
        Matrix::of(values, rows.len(), self.columns())
    }

    /// Some of the columns, in their order.
    pub fn of_columns(&self, columns: &[usize]) -> Matrix<T>
    where
        T: Clone,
    {
        let values: Vec<T> = self.into_iter().flat_map(|row| columns.iter().map(|&i| row[i].clone())).collect();
        Matrix::of(values, self.len(), columns.len())
    }
}

/// What a view cannot be read as rows for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the values of a row do not stand side by side: give the array row by row")]
pub struct NoRows;

impl<'a, T> TryFrom<ArrayView2<'a, T>> for Rows<'a, T> {
    type Error = NoRows;

    fn try_from(view: ArrayView2<'a, T>) -> Result<Self, NoRows> {
        let is_row_by_row = view.ncols() <= 1 || view.strides()[1] == 1;
        is_row_by_row.then_some(Self(view)).ok_or(NoRows)
    }
}

impl<T> Clone for Rows<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Rows<'_, T> {}

impl<T: PartialEq> PartialEq for Rows<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Debug> Debug for Rows<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        f.debug_list().entries(*self).finish()
    }
}

impl<T: Debug> Debug for Matrix<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        Debug::fmt(&self.rows(), f)
    }
}

impl<T> Default for Matrix<T> {
    fn default() -> Self {
        Self::of(Vec::new(), 0, 0)
    }
}

impl<T> Index<usize> for Rows<'_, T> {
    type Output = [T];

    fn index(&self, row: usize) -> &[T] {
        self.row(row)
    }
}

impl<T> Index<usize> for Matrix<T> {
    type Output = [T];

    fn index(&self, row: usize) -> &[T] {
        self.rows().row(row)
    }
}

impl<T> IndexMut<usize> for Matrix<T> {
    fn index_mut(&mut self, row: usize) -> &mut [T] {
        let columns = self.columns();
        &mut self.values_mut()[row * columns..][..columns]
    }
}

impl<'a, T> IntoIterator for Rows<'a, T> {
    type Item = &'a [T];
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        Iter { rows: self, left: 0..self.len() }
    }
}

impl<'a, T> IntoIterator for &'a Matrix<T> {
    type Item = &'a [T];
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.rows().into_iter()
    }
}

/// Rows, one after the other.
pub struct Iter<'a, T> {
    rows: Rows<'a, T>,
    left: Range<usize>,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self { rows: self.rows, left: self.left.clone() }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a [T];

    fn next(&mut self) -> Option<&'a [T]> {
        self.left.next().map(|k| self.rows.row(k))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left.next_back().map(|k| self.rows.row(k))
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_by_their_places() {
        let m = Matrix::with_rows(3, 2, |k, row| row.copy_from_slice(&[10 * k, 10 * k + 1]));
        assert_eq!(m.values(), [0, 1, 10, 11, 20, 21]);
        assert_eq!(m.rows().select(&[2, 0, 2]).values(), [20, 21, 0, 1, 20, 21]);
        assert_eq!(m.rows().of_columns(&[1]).values(), [1, 11, 21]);
        assert_eq!(m.iter().rev().collect::<Vec<_>>(), [[20, 21], [10, 11], [0, 1]]);
        assert_eq!((m.rows().get(2), m.rows().get(3)), (Some(&[20, 21][..]), None));
    }

    #[test]
    fn rows_without_columns_stay_rows() {
        let mut none = Matrix::<f64>::from_rows([[], [], []]).unwrap();
        assert_eq!((none.len(), none.columns(), none.iter().count(), none.iter_mut().count()), (3, 0, 3, 3));
        assert!(none[2].is_empty() && Matrix::<f64>::default().is_empty());
        let ragged = Matrix::from_rows([vec![1], vec![1, 2]]);
        assert_eq!(ragged, Err(Error::Size { what: "a row", found: 2, expected: 1 }));
    }

    #[test]
    fn only_views_whose_rows_are_slices_are_rows() {
        let m = Matrix::with_rows(3, 4, |k, row| row.iter_mut().enumerate().for_each(|(i, v)| *v = 4 * k + i));
        let mut part = m.rows().view();
        part.slice_axis_inplace(Axis(0), (1..).into());
        part.slice_axis_inplace(Axis(1), (1..3).into());
        let part = Rows::try_from(part).unwrap();
        assert_eq!(part.into_iter().collect::<Vec<_>>(), [[5, 6], [9, 10]]);
        assert_eq!(part.select(&[1]).values(), [9, 10]);
        assert_eq!(Rows::try_from(m.rows().view().reversed_axes()), Err(NoRows));
    }
}
