//! Class-balanced subsets.

use flatleak_stream::Stream;

/// Positions of `wanted` examples, drawn so that the classes are as even as possible, in ascending order.
///
/// `labels` holds one class per example. Each class gives min(its size, L) examples with the largest L that
/// does not exceed `wanted`; the rest, less than one per class, goes to classes drawn at random among those
/// that have more to give. Within a class every subset is equally likely. All positions come back when
/// `wanted` is not below their number, without a draw.
///
/// ```
/// use flatleak_stream::{Purpose, Stream};
/// let mut stream = Stream::new(0, Purpose::Subset, 0, 0);
/// let positions = flatleak_data::balanced(&[0, 0, 0, 0, 1, 2, 2], 5, &mut stream);
/// assert_eq!(positions.len(), 5);
/// assert!(positions.contains(&4) && positions.contains(&5) && positions.contains(&6));
/// ```
pub fn balanced(labels: &[u32], wanted: usize, stream: &mut Stream) -> Vec<u32> {
    if wanted >= labels.len() {
        return (0..labels.len() as u32).collect();
    }
    let mut members: Vec<Vec<u32>> = Vec::new();
    // Classes in ascending order, by sorting rather than by indexing: a label may be any number.
    let mut order: Vec<u32> = (0..labels.len() as u32).collect();
    order.sort_by_key(|&position| labels[position as usize]);
    for group in order.chunk_by(|&a, &b| labels[a as usize] == labels[b as usize]) {
        members.push(group.to_vec());
    }

    let level = level(&members, wanted);
    let mut extra = wanted - taken(&members, level);
    let mut classes: Vec<u32> = (0..members.len() as u32).collect();
    stream.shuffle(&mut classes);
    let mut chosen = Vec::with_capacity(wanted);
    for class in classes {
        let group = &mut members[class as usize];
        stream.shuffle(group);
        let mut take = group.len().min(level);
        if extra > 0 && group.len() > level {
            take += 1;
            extra -= 1;
        }
        chosen.extend_from_slice(&group[..take]);
    }
    chosen.sort_unstable();
    chosen
}

/// Examples taken when no class gives more than `level`.
fn taken(members: &[Vec<u32>], level: usize) -> usize {
    members.iter().map(|group| group.len().min(level)).sum()
}

/// The largest level that takes at most `wanted`, by bisection.
fn level(members: &[Vec<u32>], wanted: usize) -> usize {
    let (mut low, mut high) = (0, wanted + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if taken(members, middle) <= wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_stream::Purpose;

    fn draw(labels: &[u32], wanted: usize, seed: u64) -> Vec<u32> {
        balanced(labels, wanted, &mut Stream::new(seed, Purpose::Subset, 0, 0))
    }

    fn counts(labels: &[u32], positions: &[u32]) -> Vec<usize> {
        let top = labels.iter().max().map_or(0, |&l| l as usize);
        let mut counts = vec![0; top + 1];
        for &p in positions {
            counts[labels[p as usize] as usize] += 1;
        }
        counts
    }

    #[test]
    fn even_classes_differ_by_at_most_one() {
        let labels: Vec<u32> = (0..300).map(|i| i % 10).collect();
        for wanted in [1, 7, 10, 99, 200, 299] {
            let positions = draw(&labels, wanted, 3);
            assert_eq!(positions.len(), wanted);
            assert!(positions.windows(2).all(|w| w[0] < w[1]));
            let counts = counts(&labels, &positions);
            let spread = counts.iter().max().unwrap() - counts.iter().min().unwrap();
            assert!(spread <= 1, "{wanted}: {counts:?}");
        }
    }

    #[test]
    fn small_classes_are_taken_whole() {
        let mut labels = vec![0u32; 100];
        labels.extend([1; 3]);
        labels.extend([2; 50]);
        assert_eq!(counts(&labels, &draw(&labels, 43, 0)), [20, 3, 20]);
    }

    #[test]
    fn a_draw_repeats_and_depends_on_the_seed() {
        let labels: Vec<u32> = (0..200).map(|i| i % 4).collect();
        assert_eq!(draw(&labels, 50, 1), draw(&labels, 50, 1));
        assert_ne!(draw(&labels, 50, 1), draw(&labels, 50, 2));
    }

    #[test]
    fn every_example_is_equally_likely() {
        let labels: Vec<u32> = (0..20).map(|i| i % 4).collect();
        let mut hits = [0u32; 20];
        for seed in 0..4000 {
            for p in draw(&labels, 6, seed) {
                hits[p as usize] += 1;
            }
        }
        // Expected 1,200 each, standard deviation 29.
        assert!(hits.iter().all(|h| (1070..1330).contains(h)), "{hits:?}");
    }

    #[test]
    fn everything_or_nothing() {
        assert_eq!(draw(&[5, 1, 3], 3, 0), [0, 1, 2]);
        assert_eq!(draw(&[5, 1, 3], 9, 0), [0, 1, 2]);
        assert!(draw(&[5, 1, 3], 0, 0).is_empty());
        assert!(draw(&[], 0, 0).is_empty());
    }

    #[test]
    fn a_golden_draw_does_not_move() {
        let labels: Vec<u32> = (0..30).map(|i| i % 3).collect();
        assert_eq!(draw(&labels, 7, 0), GOLDEN);
    }
    const GOLDEN: [u32; 7] = [2, 3, 5, 7, 21, 24, 28];
}
