//! What is done with problems of strangers.

use std::io::Cursor;

use flatleak_data::{ArrayError, values};
use flatleak_theory::{Problem, own};

/// Most examples and dimensions of a problem that is solved here: it is about sizes, not about time.
const MOST: usize = 32;

/// A problem of one's own, as `theory --problem` takes it.
pub(crate) fn problem(bytes: &[u8]) {
    let array = |name: &str| {
        values::with_reader(Cursor::new(bytes), name, |v| Ok::<_, ArrayError>((v.shape().to_vec(), v.all()?)))
    };
    let (Ok((shape, x)), Ok((_, y)), Ok((sizes, sigma))) = (array("x"), array("y"), array("sigma")) else {
        return;
    };
    let &[n, d] = shape.as_slice() else { return };
    if n.max(d).max(sigma.len() / d.max(1)) > MOST {
        return;
    }
    let Ok(problem) = Problem::new(&x, &y, d) else {
        return;
    };
    let found = if sizes.len() == 1 { Ok((problem, sigma)) } else { problem.in_eigenbasis(&sigma) };
    if let Ok((problem, spectrum)) = found {
        let _ = own(&problem, &spectrum, &[0.0, 1.0], 1);
    }
}
