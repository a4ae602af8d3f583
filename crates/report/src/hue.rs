//! One colour and one form a recipe, the same in every figure and key of a page.
//!
//! Neighbours in [`LIGHT`] and in [`DARK`], and all pairs of either, are told apart by whoever sees all colours and by whoever lacks the
//! pigment for green, the commonest of the severe deficiencies: their differences (CIEDE2000; Sharma, Wu & Dalal 2005, Color Research &
//! Application 30, 21) are at least 15 as seen and as simulated (Machado, Oliveira & Fernandes 2009, IEEE Transactions on Visualization and
//! Computer Graphics 15, 1291, table 1, deuteranomaly of severity 1). Every colour has a contrast of 3 with its ground at least (WCAG 2.2,
//! criterion 1.4.11). Further recipes share colours and differ in form: the mark of a point, the dashes of a line.

use std::fmt::{self, Display, Formatter};

/// Colours on a light ground.
pub(crate) const LIGHT: [&str; 10] =
    ["#2d69c3", "#699669", "#ff5a1e", "#c369ff", "#963c00", "#1e3c1e", "#f05aa5", "#000fb4", "#b40f69", "#4b2d4b"];
/// Colours on a dark ground.
pub(crate) const DARK: [&str; 10] =
    ["#a5c3ff", "#87b496", "#fff000", "#c300ff", "#a5b43c", "#4b870f", "#a578a5", "#2dffe1", "#f0f0c3", "#0f8769"];
/// Forms of marks and lines.
pub(crate) const FORMS: usize = 4;

/// A recipe's colour and form, as classes of the style sheet: `h3 f1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hue {
    colour: usize,
    form: usize,
}

impl Hue {
    /// That of the recipe at a place among all.
    pub(crate) fn of(place: usize) -> Self {
        Self { colour: place % LIGHT.len(), form: place / LIGHT.len() % FORMS }
    }

    /// A point of a figure in its form: circle, square, diamond, triangle.
    pub(crate) fn mark(self, (x, y): (f64, f64), r: f64) -> String {
        match self.form {
            0 => format!("<circle class='dot' cx='{x:.1}' cy='{y:.1}' r='{r}'/>"),
            1 => {
                let (left, top, side) = (x - 0.9 * r, y - 0.9 * r, 1.8 * r);
                format!("<rect class='dot' x='{left:.1}' y='{top:.1}' width='{side:.1}' height='{side:.1}'/>")
            }
            2 => {
                let d = 1.3 * r;
                format!("<path class='dot' d='M{x:.1} {:.1}l{d:.1} {d:.1}l-{d:.1} {d:.1}l-{d:.1} -{d:.1}Z'/>", y - d)
            }
            _ => {
                let d = 1.2 * r;
                format!("<path class='dot' d='M{x:.1} {:.1}l{d:.1} {:.1}h-{:.1}Z'/>", y - d, 2.0 * d, 2.0 * d)
            }
        }
    }
}

impl Display for Hue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "h{} f{}", self.colour, self.form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linear light of a colour (IEC 61966-2-1).
    fn linear(hex: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| {
            let v = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// What whoever lacks the pigment for green sees (Machado et al. 2009, table 1).
    fn without_green(c: [f64; 3]) -> [f64; 3] {
        let rows = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]];
        rows.map(|m| m.iter().zip(c).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0))
    }

    /// CIELAB under D65 of linear sRGB.
    fn lab(c: [f64; 3]) -> [f64; 3] {
        let rows =
            [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]];
        let xyz = rows.map(|m: [f64; 3]| m.iter().zip(c).map(|(a, b)| a * b).sum::<f64>());
        let f = |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
        let [x, y, z] = [f(xyz[0] / 0.95047), f(xyz[1]), f(xyz[2] / 1.08883)];
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// CIEDE2000 (Sharma et al. 2005, equations 2 to 22).
    fn ciede2000([l1, a1, b1]: [f64; 3], [l2, a2, b2]: [f64; 3]) -> f64 {
        let chroma = 0.5 * (a1.hypot(b1) + a2.hypot(b2));
        let g = 0.5 * (1.0 - (chroma.powi(7) / (chroma.powi(7) + 25f64.powi(7))).sqrt());
        let (a1, a2) = (a1 * (1.0 + g), a2 * (1.0 + g));
        let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
        let (h1, h2) = (b1.atan2(a1).to_degrees().rem_euclid(360.0), b2.atan2(a2).to_degrees().rem_euclid(360.0));
        let turn = if c1 * c2 == 0.0 { 0.0 } else { (h2 - h1 + 180.0).rem_euclid(360.0) - 180.0 };
        let dh = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();
        let (lm, cm) = (0.5 * (l1 + l2), 0.5 * (c1 + c2));
        let hm = match (h1 - h2).abs() {
            _ if c1 * c2 == 0.0 => h1 + h2,
            apart if apart <= 180.0 => 0.5 * (h1 + h2),
            _ if h1 + h2 < 360.0 => 0.5 * (h1 + h2 + 360.0),
            _ => 0.5 * (h1 + h2 - 360.0),
        };
        let cos = |degrees: f64| degrees.to_radians().cos();
        let t = 1.0 - 0.17 * cos(hm - 30.0) + 0.24 * cos(2.0 * hm) + 0.32 * cos(3.0 * hm + 6.0)
            - 0.2 * cos(4.0 * hm - 63.0);
        let off = (lm - 50.0) * (lm - 50.0);
        let (sl, sc, sh) = (1.0 + 0.015 * off / (20.0 + off).sqrt(), 1.0 + 0.045 * cm, 1.0 + 0.015 * cm * t);
        let theta = 30.0 * (-((hm - 275.0) / 25.0).powi(2)).exp();
        let rt = -2.0 * (cm.powi(7) / (cm.powi(7) + 25f64.powi(7))).sqrt() * (2.0 * theta).to_radians().sin();
        let (l, c, h) = ((l2 - l1) / sl, (c2 - c1) / sc, dh / sh);
        (l * l + c * c + h * h + rt * c * h).sqrt()
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let light = |c: [f64; 3]| 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] + 0.05;
        light(a).max(light(b)) / light(a).min(light(b))
    }

    /// Pairs 1, 7, 17 and 25 of the authors' test data (Sharma et al. 2005, table 1).
    #[test]
    fn the_difference_is_that_of_the_paper() {
        for (a, b, expected) in [
            ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
            ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
            ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
            ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ] {
            assert!((ciede2000(a, b) - expected).abs() < 1e-4, "{a:?} {b:?}: {}", ciede2000(a, b));
        }
    }

    #[test]
    fn all_colours_are_told_apart_with_and_without_green() {
        for (colours, ground) in [(LIGHT, "#ffffff"), (DARK, "#14171b")] {
            for (i, a) in colours.iter().enumerate() {
                assert!(contrast(linear(a), linear(ground)) >= 3.0, "{a} on {ground}");
                for b in &colours[..i] {
                    for see in [|c| c, without_green] {
                        let apart = ciede2000(lab(see(linear(a))), lab(see(linear(b))));
                        assert!(apart >= 15.0, "{a} {b} {apart:.1}");
                    }
                }
            }
        }
    }

    #[test]
    fn forty_recipes_look_different() {
        let all: Vec<String> = (0..40).map(|k| Hue::of(k).to_string()).collect();
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), 40);
        let marks: std::collections::BTreeSet<String> =
            (0..FORMS).map(|k| Hue::of(10 * k).mark((0.0, 0.0), 3.0)).collect();
        assert_eq!(marks.len(), FORMS);
    }
}
