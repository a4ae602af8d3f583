//! Labels beside points, none over another.

/// Width of a wide letter of the sans-serif faces that browsers choose, at the size of the style sheet (11).
pub(crate) const LETTER: f64 = 6.3;
/// Height of a line of text.
pub(crate) const LINE: f64 = 13.0;
/// Distance from a point to its label.
const NEAR: f64 = 6.0;
/// Steps outwards that are tried before a label is given up.
const RINGS: usize = 24;
/// From which distance on a line leads from the label to its point.
const LEADS: f64 = 14.0;

/// A rectangle, by its corners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Area {
    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn holds(&self, inner: &Self) -> bool {
        inner.left >= self.left && inner.right <= self.right && inner.top >= self.top && inner.bottom <= self.bottom
    }

    /// The area around a point.
    pub(crate) fn around((x, y): (f64, f64), reach: f64) -> Self {
        Self { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }
    }

    /// The place in it that lies nearest to a point.
    fn nearest(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (x.clamp(self.left, self.right), y.clamp(self.top, self.bottom))
    }
}

/// A label that has its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    /// What it covers.
    pub(crate) area: Area,
    /// From the label to its point, where it does not stand beside it.
    pub(crate) leader: Option<((f64, f64), (f64, f64))>,
}

/// Places for labels of so many letters beside their points inside `frame`, over no other label, no point and nothing of `drawn`. Nearer
/// places come first, and those right of and above the point among them; `None` where there is no room.
pub(crate) fn place(points: &[(f64, f64)], letters: &[usize], frame: &Area, drawn: &[Area]) -> Vec<Option<Placed>> {
    let mut taken: Vec<Area> = points.iter().map(|p| Area::around(*p, 4.0)).chain(drawn.iter().copied()).collect();
    let one = |(point, letters): (&(f64, f64), &usize)| {
        let found = candidates(*point, *letters as f64 * LETTER)
            .find(|area| frame.holds(area) && !taken.iter().any(|t| t.overlaps(area)))?;
        taken.push(found);
        let end = found.nearest(*point);
        let far = (end.0 - point.0).hypot(end.1 - point.1) > LEADS;
        Some(Placed { area: found, leader: far.then_some((end, *point)) })
    };
    points.iter().zip(letters).map(one).collect()
}

/// Areas around a point, the nearest first.
fn candidates((x, y): (f64, f64), width: f64) -> impl Iterator<Item = Area> {
    const AROUND: usize = 16;
    (0..RINGS).flat_map(move |ring| {
        let reach = NEAR + ring as f64 * 7.0;
        (0..AROUND).map(move |k| {
            // From the right over above and below to the left.
            let turn = if k % 2 == 0 { k as f64 / 2.0 } else { -(k as f64 + 1.0) / 2.0 };
            let angle = std::f64::consts::TAU * turn / AROUND as f64;
            let (cx, cy) = (x + reach * angle.cos(), y - reach * angle.sin());
            // The edge that faces the point touches the ring.
            let left = cx - width * 0.5 * (1.0 - angle.cos());
            let top = cy - LINE * 0.5 * (1.0 + angle.sin());
            Area { left, top, right: left + width, bottom: top + LINE }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowded_labels_do_not_touch() {
        let frame = Area { left: 54.0, top: 12.0, right: 342.0, bottom: 420.0 };
        // Thirty-five points along two lines, as recipes that lie close together.
        let points: Vec<(f64, f64)> =
            (0..35).map(|k| (120.0 + 4.0 * f64::from(k), 150.0 + 3.0 * f64::from(k % 7))).collect();
        let letters: Vec<usize> = (0..35).map(|k| 3 + k % 9).collect();
        let placed: Vec<Placed> = place(&points, &letters, &frame, &[]).into_iter().flatten().collect();
        assert_eq!(placed.len(), 35);
        for (i, a) in placed.iter().enumerate() {
            assert!(frame.holds(&a.area));
            assert!(placed[..i].iter().all(|b| !a.area.overlaps(&b.area)), "{i}");
            assert!(points.iter().all(|p| !a.area.overlaps(&Area::around(*p, 3.9))));
        }
        assert!(placed.iter().any(|p| p.leader.is_some()) && placed.iter().any(|p| p.leader.is_none()));
        // One point has its name beside it; no room is no label.
        assert_eq!(place(&[(100.0, 100.0)], &[4], &frame, &[])[0].as_ref().unwrap().leader, None);
        assert_eq!(place(&[(100.0, 100.0)], &[200], &frame, &[]), [None]);
    }

    #[test]
    fn a_label_lies_on_no_line() {
        let frame = Area { left: 54.0, top: 12.0, right: 342.0, bottom: 420.0 };
        let lines = [
            Area { left: 60.0, top: 99.0, right: 300.0, bottom: 101.0 },
            Area { left: 99.0, top: 20.0, right: 101.0, bottom: 400.0 },
        ];
        let placed = place(&[(100.0, 100.0)], &[6], &frame, &lines);
        let label = placed[0].as_ref().unwrap();
        assert!(lines.iter().all(|line| !label.area.overlaps(line)), "{label:?}");
        assert_eq!(label.leader, None, "there is room close by");
    }
}
