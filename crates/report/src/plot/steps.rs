//! Histograms as outlines.

/// The outline of a histogram: from the base line up and down over its bins. `edges` has one value more than `heights`.
pub(crate) fn outline(edges: &[f64], heights: &[f64]) -> Vec<(f64, f64)> {
    let (Some(&low), Some(&high)) = (edges.first(), edges.last()) else { return Vec::new() };
    let mut points = vec![(low, 0.0)];
    for (edge, h) in edges.windows(2).zip(heights) {
        points.extend([(edge[0], *h), (edge[1], *h)]);
    }
    points.push((high, 0.0));
    points
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_outline_encloses_every_bin() {
        let points = super::outline(&[0.0, 1.0, 3.0], &[2.0, 4.0]);
        assert_eq!(points, [(0.0, 0.0), (0.0, 2.0), (1.0, 2.0), (1.0, 4.0), (3.0, 4.0), (3.0, 0.0)]);
        // The shoelace formula gives the area of the bins.
        let turned = points.iter().cycle().skip(1);
        let twice: f64 = points.iter().zip(turned).map(|((x, y), (u, v))| x * v - u * y).sum();
        assert!((twice.abs() / 2.0 - (2.0 + 8.0)).abs() < 1e-12);
        assert!(super::outline(&[], &[]).is_empty());
    }
}
