use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use flatleak_stream::{Purpose, Stream};

use super::*;

const TWO_IMAGES: [u8; 28] = [
    0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, // header: 2 images of 2x3
    1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16,
];
const THREE_LABELS: [u8; 11] = [0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 255];

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn plain_and_gzipped_files_read_alike() {
    for bytes in [TWO_IMAGES.to_vec(), gz(&TWO_IMAGES)] {
        let read = images(&bytes).unwrap();
        assert_eq!((read.count, read.height, read.width), (2, 2, 3));
        assert_eq!(read.pixels, [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]);
    }
    for bytes in [THREE_LABELS.to_vec(), gz(&THREE_LABELS)] {
        assert_eq!(labels(&bytes).unwrap(), [9, 0, 255]);
    }
    let two_members = [gz(&TWO_IMAGES[..20]), gz(&TWO_IMAGES[20..])].concat();
    assert_eq!(images(&two_members), images(&TWO_IMAGES));
}

#[test]
fn a_wrong_magic_number_is_named() {
    let wrong = Problem::Magic { found: 0x0801, expected: 0x0803 };
    assert_eq!(images(&THREE_LABELS), Err(wrong.clone()));
    assert_eq!(
        wrong.to_string(),
        "has the magic number 0x00000801 instead of 0x00000803 (IDX images): is this the right file?"
    );
    assert!(matches!(labels(&TWO_IMAGES), Err(Problem::Magic { .. })));
    assert!(matches!(labels(b"PNG..."), Err(Problem::Magic { .. })));
}

#[test]
fn truncation_anywhere_is_found() {
    for end in 0..TWO_IMAGES.len() {
        for bytes in [TWO_IMAGES[..end].to_vec(), gz(&TWO_IMAGES[..end])] {
            match images(&bytes) {
                Err(Problem::Truncated { expected, found }) => {
                    assert!(found == end as u64 && expected > found);
                }
                other => panic!("{end}: {other:?}"),
            }
        }
    }
    let packed = gz(&TWO_IMAGES);
    for end in 2..packed.len() {
        let outcome = images(&packed[..end]);
        let expected = matches!(outcome, Err(Problem::Truncated { .. } | Problem::Gzip { .. }));
        assert!(expected, "{end}: {outcome:?}");
    }
}

#[test]
fn trailing_bytes_are_found() {
    let longer = [&THREE_LABELS[..], &[0]].concat();
    for bytes in [longer.clone(), gz(&longer)] {
        assert_eq!(labels(&bytes), Err(Problem::Trailing { expected: 11 }));
    }
    let garbage = [&gz(&THREE_LABELS)[..], b"garbage beyond"].concat();
    assert!(matches!(labels(&garbage), Err(Problem::Gzip { .. })));
}

#[test]
fn absurd_and_empty_sizes_are_refused_before_reading() {
    let mut bytes = TWO_IMAGES;
    bytes[4..16].fill(255);
    assert_eq!(images(&bytes), Err(Problem::TooLarge { sizes: vec![u32::MAX; 3] }));
    for axis in 1..4 {
        let mut bytes = TWO_IMAGES;
        bytes[4 * axis..4 * axis + 4].fill(0);
        assert!(matches!(images(&bytes), Err(Problem::Empty { .. })));
    }
    // Within the limit but false: nothing near the promise may be allocated.
    let promise = [0, 0, 8, 1, 0x40, 0, 0, 0, 1];
    assert_eq!(labels(&promise), Err(Problem::Truncated { expected: 8 + MAX_VALUES, found: 9 }));
}

#[test]
fn a_gzip_bomb_stops_at_the_promise() {
    // 64 MiB of zeros behind a header that promises 3 labels.
    let mut bomb = THREE_LABELS[..8].to_vec();
    bomb.resize(64 << 20, 0);
    let bomb = gz(&bomb);
    assert_eq!(labels(&bomb), Err(Problem::Trailing { expected: 11 }));
    // The rest of the stream is never inflated: cutting it off changes nothing.
    assert_eq!(labels(&bomb[..bomb.len() / 2]), Err(Problem::Trailing { expected: 11 }));
}

#[test]
fn a_broken_checksum_is_found() {
    let mut packed = gz(&THREE_LABELS);
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    assert!(matches!(labels(&packed), Err(Problem::Gzip { .. })));
}

#[test]
fn mutated_files_never_panic() {
    let mut stream = Stream::new(1, Purpose::Simulation, 0, 0);
    for original in [TWO_IMAGES.to_vec(), gz(&TWO_IMAGES), gz(&THREE_LABELS)] {
        for _ in 0..3000 {
            let mut bytes = original.clone();
            for _ in 0..1 + stream.below(4) {
                let at = stream.below(bytes.len() as u32) as usize;
                bytes[at] = stream.below(256) as u8;
            }
            bytes.truncate(1 + stream.below(2 * bytes.len() as u32) as usize);
            if let Ok(read) = images(&bytes) {
                assert_eq!(read.pixels.len(), read.count * read.height * read.width);
            }
            let _ = labels(&bytes);
        }
    }
}
