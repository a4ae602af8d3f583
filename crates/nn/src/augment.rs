//! Random transforms of training images, and fixed views for queries.
//!
//! Images are channel-first, `[C, H, W]`. Padding reflects without repeating the edge (row -1 is row 1).

use std::fmt;
use std::str::FromStr;

use flatleak_data::Shape;
use flatleak_stream::Stream;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// One random transform of a training image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Transform {
    /// Shift by up to so many pixels each way, as cropping a padded image does.
    Crop(usize),
    /// Left-right mirror image, half of the time.
    Mirror,
    /// A square of so many pixels around a random pixel becomes 0, the mean (DeVries & Taylor 2017, arXiv 1708.04552).
    Cutout(usize),
}

impl FromStr for Transform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::Transform { found: text.to_owned() };
        let (word, size) = text.trim().split_once(' ').map_or((text.trim(), None), |(w, s)| (w, Some(s.trim())));
        let size =
            size.map(|s| s.parse::<usize>().ok().filter(|n| (1..=1024).contains(n)).ok_or_else(unknown)).transpose()?;
        match (word, size) {
            ("crop", Some(n)) => Ok(Self::Crop(n)),
            ("mirror", None) => Ok(Self::Mirror),
            ("cutout", Some(n)) => Ok(Self::Cutout(n)),
            _ => Err(unknown()),
        }
    }
}

impl TryFrom<String> for Transform {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Transform> for String {
    fn from(t: Transform) -> Self {
        t.to_string()
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crop(n) => write!(f, "crop {n}"),
            Self::Mirror => f.write_str("mirror"),
            Self::Cutout(n) => write!(f, "cutout {n}"),
        }
    }
}

impl Transform {
    /// Whether images of this shape have room for it: a reflection needs more pixels than it pads.
    pub fn fits(&self, shape: Shape) -> bool {
        match *self {
            Self::Crop(n) => n < shape.height && n < shape.width,
            Self::Mirror => shape.width > 1,
            Self::Cutout(n) => n <= shape.height && n <= shape.width,
        }
    }

    /// Applies the transform to one image in place; `scratch` holds as many values. The number of draws does not depend on
    /// what was drawn.
    pub fn apply(&self, image: &mut [f32], shape: Shape, stream: &mut Stream, scratch: &mut [f32]) {
        match *self {
            Self::Crop(n) => {
                let mut draw = || stream.below(2 * n as u32 + 1) as isize - n as isize;
                let (dy, dx) = (draw(), draw());
                View { mirror: false, dy, dx }.apply(image, shape, scratch);
            }
            Self::Mirror => {
                let mirror = stream.coin();
                View { mirror, dy: 0, dx: 0 }.apply(image, shape, scratch);
            }
            Self::Cutout(n) => {
                let (y, x) = (stream.below(shape.height as u32) as usize, stream.below(shape.width as u32) as usize);
                let span = |at: usize, most: usize| at.saturating_sub(n / 2)..(at + n.div_ceil(2)).min(most);
                for channel in image.chunks_exact_mut(shape.height * shape.width) {
                    for row in span(y, shape.height) {
                        channel[row * shape.width..][span(x, shape.width)].fill(0.0);
                    }
                }
            }
        }
    }
}

/// One fixed view of an image: mirrored or not, then shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Left-right mirror image.
    pub mirror: bool,
    /// Rows that the content moves up.
    pub dy: isize,
    /// Columns that the content moves to the left.
    pub dx: isize,
}

/// Numbers of queries that [`views`] knows.
pub const QUERIES: [usize; 4] = [1, 2, 18, 50];

/// The views of Carlini et al. (2022, arXiv 2112.03570), the plain one first: 1; 2 with the mirror image; 18 with shifts of up to 1
/// pixel; 50 with shifts of up to 2. `None` for another number.
pub fn views(queries: usize) -> Option<Vec<View>> {
    let reach: isize = match queries {
        1 => return Some(vec![View { mirror: false, dy: 0, dx: 0 }]),
        2 => 0,
        18 => 1,
        50 => 2,
        _ => return None,
    };
    let mut all: Vec<View> = [false, true]
        .into_iter()
        .flat_map(|mirror| (-reach..=reach).flat_map(move |dy| (-reach..=reach).map(move |dx| View { mirror, dy, dx })))
        .collect();
    all.sort_by_key(|v| (v.dy, v.dx) != (0, 0) || v.mirror);
    Some(all)
}

impl View {
    /// Whether images of this shape have room for it.
    pub fn fits(&self, shape: Shape) -> bool {
        self.dy.unsigned_abs() < shape.height
            && self.dx.unsigned_abs() < shape.width
            && (!self.mirror || shape.width > 1)
    }

    /// Replaces one image by its view; `scratch` holds as many values.
    pub fn apply(&self, image: &mut [f32], shape: Shape, scratch: &mut [f32]) {
        if !self.mirror && self.dy == 0 && self.dx == 0 {
            return;
        }
        let (h, w) = (shape.height, shape.width);
        let from = &mut scratch[..image.len()];
        from.copy_from_slice(image);
        for (to, from) in image.chunks_exact_mut(h * w).zip(from.chunks_exact(h * w)) {
            for i in 0..h {
                let row = &from[reflected(i as isize + self.dy, h) * w..][..w];
                for (j, v) in to[i * w..][..w].iter_mut().enumerate() {
                    let column = reflected(j as isize + self.dx, w);
                    *v = row[if self.mirror { w - 1 - column } else { column }];
                }
            }
        }
    }
}

/// The position inside `0..n` that reflection puts at `at`; `at` is less than n away.
fn reflected(at: isize, n: usize) -> usize {
    let last = n as isize - 1;
    let inside = if at < 0 {
        -at
    } else if at > last {
        2 * last - at
    } else {
        at
    };
    inside.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_stream::Purpose;

    const SHAPE: Shape = Shape { channels: 1, height: 2, width: 3 };

    fn view(mirror: bool, dy: isize, dx: isize) -> Vec<f32> {
        let mut image = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        View { mirror, dy, dx }.apply(&mut image, SHAPE, &mut [0.0; 6]);
        image
    }

    #[test]
    fn views_by_hand() {
        assert_eq!(view(true, 0, 0), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        assert_eq!(view(false, 0, 1), [2.0, 3.0, 2.0, 5.0, 6.0, 5.0]);
        assert_eq!(view(false, 0, -2), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        assert_eq!(view(false, 1, 0), [4.0, 5.0, 6.0, 1.0, 2.0, 3.0]);
        for n in QUERIES {
            let all = views(n).unwrap();
            assert_eq!((all.len(), all[0]), (n, View { mirror: false, dy: 0, dx: 0 }));
            assert!((0..n).all(|i| !all[..i].contains(&all[i])));
        }
        assert_eq!(views(3), None);
    }

    #[test]
    fn transforms_keep_what_they_must() {
        let shape = Shape { channels: 2, height: 8, width: 8 };
        let mut s = Stream::new(0, Purpose::Augmentation, 0, 0);
        let image: Vec<f32> = (1..=128).map(|v| v as f32).collect();
        let (mut mirrored, mut zeros) = (0, 0);
        for _ in 0..200 {
            let mut x = image.clone();
            Transform::Mirror.apply(&mut x, shape, &mut s, &mut [0.0; 128]);
            mirrored += usize::from(x != image);
            let mut x = image.clone();
            Transform::Cutout(4).apply(&mut x, shape, &mut s, &mut [0.0; 128]);
            let gone = x.iter().filter(|v| **v == 0.0).count();
            assert!((8..=32).contains(&gone) && gone % 2 == 0, "{gone}");
            zeros += gone;
            let mut x = image.clone();
            Transform::Crop(3).apply(&mut x, shape, &mut s, &mut [0.0; 128]);
            // Both planes move alike.
            assert!(x[..64].iter().zip(&x[64..]).all(|(a, b)| b - a == 64.0));
        }
        assert!((70..130).contains(&mirrored) && zeros < 200 * 32);
    }

    #[test]
    fn names_are_read_back() {
        for text in ["crop 4", "mirror", "cutout 8"] {
            assert_eq!(text.parse::<Transform>().unwrap().to_string(), text);
        }
        for text in ["crop", "mirror 2", "crop 0", "flip", "cutout x"] {
            assert!(text.parse::<Transform>().unwrap_err().to_string().contains(text));
        }
    }
}
