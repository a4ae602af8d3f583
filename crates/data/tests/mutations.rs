//! Readers of untrusted bytes under mutation: whatever the input, a value or an error, never a panic.
//!
//! The short run is part of every test; ten million inputs a reader:
//! `FLATLEAK_MUTATIONS=10000000 cargo test --release -p flatleak-data --test mutations`. Decoders of others run for
//! `FLATLEAK_MUTATION_SECONDS` each, behind their limits, with panics caught and counted.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test")]

use std::io::Write;

use flatleak_data::records::{self, Head, Kind, RecordError};
use flatleak_data::{cifar, csv, idx, npy, npz, parquet, pictures, values};
use flatleak_stream::{Purpose, Stream};

fn inputs() -> u64 {
    std::env::var("FLATLEAK_MUTATIONS").ok().and_then(|v| v.parse().ok()).unwrap_or(30_000)
}

/// Flips, inserts, deletes, repeats and overwrites with numbers that break sizes.
fn mutate(s: &mut Stream, bytes: &mut Vec<u8>) {
    for _ in 0..1 + s.below(4) {
        let at = s.below(bytes.len() as u32 + 1) as usize;
        match s.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << s.below(8),
            1 if at < bytes.len() => bytes[at] = s.next_u32() as u8,
            2 => bytes.insert(at, s.next_u32() as u8),
            3 if at < bytes.len() => {
                bytes.remove(at);
            }
            4 => bytes.truncate(at),
            5 => {
                let end = (at + s.below(16) as usize).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = s.below(bytes.len() as u32 + 1) as usize;
                bytes.splice(to..to, piece);
            }
            _ => {
                let value = [0u32, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff][s.below(6) as usize];
                for (to, v) in bytes[at..].iter_mut().zip(value.to_le_bytes()) {
                    *to = v;
                }
            }
        }
    }
}

fn survive(which: u64, seeds: &[Vec<u8>], mut read: impl FnMut(&[u8]) -> bool) {
    survive_for(which, seeds, inputs(), std::time::Duration::MAX, &mut read);
}

fn survive_for(
    which: u64,
    seeds: &[Vec<u8>],
    inputs: u64,
    limit: std::time::Duration,
    read: &mut dyn FnMut(&[u8]) -> bool,
) {
    let start = std::time::Instant::now();
    let mut s = Stream::new(77, Purpose::Simulation, which, 0);
    let (mut good, mut all, mut bytes) = (0u64, 0u64, Vec::new());
    for seed in seeds {
        assert!(read(seed), "an unchanged input must be read");
    }
    while all < inputs && start.elapsed() < limit {
        all += 1;
        bytes.clone_from(&seeds[s.below(seeds.len() as u32) as usize]);
        mutate(&mut s, &mut bytes);
        good += u64::from(read(&bytes));
    }
    // Mutation that never gets past the header, or never breaks anything, tests nothing.
    assert!(good > 0 && good < all, "{good} of {all}");
    println!("{all} inputs, of which {good} were read, in {:.0} s", start.elapsed().as_secs_f64());
}

/// Runs a third-party decoder for the wanted time, or over a few inputs.
fn survive_foreign(which: u64, seeds: &[Vec<u8>], mut read: impl FnMut(&[u8]) -> bool) {
    let seconds = std::env::var("FLATLEAK_MUTATION_SECONDS").ok().and_then(|v| v.parse().ok());
    let (most, limit) = seconds.map_or((3000, 3600), |seconds| (u64::MAX, seconds));
    survive_for(which, seeds, most, std::time::Duration::from_secs(limit), &mut read);
}

/// Pictures with noise in them, so that their compressed data has something to say.
fn png_of(color: png::ColorType, channels: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 9, 7);
    encoder.set_color(color);
    let mut s = Stream::new(5, Purpose::Simulation, 0, 0);
    let pixels: Vec<u8> = (0..9 * 7 * channels).map(|_| s.below(60) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    out
}

#[test]
fn png_survives() {
    survive_foreign(5, &[png_of(png::ColorType::Rgba, 4), png_of(png::ColorType::Grayscale, 1)], |b| {
        pictures::decode(b).is_ok()
    });
}

#[test]
fn jpeg_survives() {
    let seeds = [include_bytes!("fixtures/colour.jpg").to_vec(), include_bytes!("fixtures/progressive.jpg").to_vec()];
    survive_foreign(6, &seeds, |b| pictures::decode(b).is_ok());
}

/// Inputs on which the decoder itself panics, one per place, kept from long runs: an error here, like any damaged file.
#[test]
fn kept_inputs_are_errors() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kept");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(parquet::parse(bytes).is_err());
        seen += 1;
    }
    assert!(seen >= 4, "{seen} kept inputs");
}

#[test]
fn parquet_survives() {
    let seeds = [include_bytes!("fixtures/plain.parquet").to_vec(), include_bytes!("fixtures/snappy.parquet").to_vec()];
    survive_foreign(7, &seeds, |b| parquet::parse(b.to_vec()).is_ok());
}

/// Whole data sets through the front door: pictures in Parquet, archives with text and with splits.
#[test]
fn data_sets_survive() {
    let dir = tempfile::tempdir().unwrap();
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources");
    let seed = |name: &str| std::fs::read(fixtures.join(name)).unwrap();
    let read = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        flatleak_data::open(&flatleak_data::Request::new(path.to_str().unwrap())).is_ok()
    };
    // Through files, which take a hundred times as long as memory.
    let inputs = inputs() / 100;
    let pictures = [seed("hub.parquet"), seed("jpeg.parquet"), seed("named.parquet")];
    survive_for(10, &pictures, inputs, std::time::Duration::MAX, &mut |b| read("a.parquet", b));
    let archives = [seed("medmnist.npz"), seed("words.npz"), seed("fortran.npz")];
    survive_for(11, &archives, inputs, std::time::Duration::MAX, &mut |b| read("a.npz", b));
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn idx_survives() {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2], [7u8; 8].as_slice()].concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3];
    survive(0, &[images.clone(), gzipped(&images), labels.clone(), gzipped(&labels)], |b| {
        idx::images(b).is_ok() | idx::labels(b).is_ok()
    });
}

#[test]
fn cifar_survives() {
    let record = [&[1u8, 2], [9u8; 3072].as_slice()].concat();
    survive(1, &[record[1..].to_vec(), record], |b| {
        let read = |kind| cifar::Records::default().extend(b, kind).is_ok();
        read(cifar::Kind::Ten) | read(cifar::Kind::Hundred)
    });
}

#[test]
fn npy_and_npz_survive() {
    let array = |descr: &str, shape: &str, body: &[u8]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), body].concat()
    };
    let seeds = [array("<f4", "(2, 1)", &[0; 8]), array("|u1", "(3,)", &[1, 2, 3]), array(">i8", "()", &[0; 8])];
    survive(2, &seeds, |b| npy::parse(b).is_ok());
    let zipped = |method| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in ["x", "y"].iter().zip(&seeds) {
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            zip.start_file(format!("{name}.npy"), options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let archives = [zipped(zip::CompressionMethod::Stored), zipped(zip::CompressionMethod::Deflated)];
    survive(3, &archives, |b| npz::archive(b, &["x", "y"]).is_ok_and(|a| !a.is_empty()));
    // The reader of arrays of any size, on all of them and on tensors.
    let header = br#"{"x":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"y":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}"#;
    let tensors = [&(header.len() as u64).to_le_bytes(), header.as_slice(), &[0; 16]].concat();
    let turned = String::from_utf8_lossy(&seeds[0][10..]).replace("False", "True ");
    let turned = [&seeds[0][..10], turned.as_bytes()].concat();
    let all = [seeds.as_slice(), archives.as_slice(), &[tensors, turned]].concat();
    let read = |b: &[u8]| values::with_reader(std::io::Cursor::new(b), "x", |v| v.all()).is_ok();
    survive(8, &all, read);
}

#[test]
fn csv_survives() {
    let seeds = ["a,b,label,group\n1,2.5,x,1\n3,-4e5,y,2\n", "1;2;0\n3;4;1\n", "\"q\",1\nz,2\n"];
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|s| s.as_bytes().to_vec()).collect();
    survive(4, &seeds, |b| std::str::from_utf8(b).is_ok_and(|t| csv::parse(t).is_ok()));
}

#[test]
fn records_survive() {
    let seeds = ["model,example,member,phi\n0,0,1,2.5\n0,1,0,-1e3\n", "a;b\ntrue;false\n\n1;\"2\"\n"];
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|s| s.as_bytes().to_vec()).collect();
    survive(9, &seeds, |b| {
        let all = |heads: &[Head]| Ok::<_, RecordError>((heads.len(), (0..heads.len()).collect()));
        records::text_rows(b, all, |_, _, _| Ok(())).is_ok()
    });
}

/// Binary tables, through a file as they come.
fn survive_file(which: u64, seeds: &[Vec<u8>]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    survive_foreign(which, seeds, |b| {
        std::fs::write(file.path(), b).unwrap();
        let all = |heads: &[Head]| {
            let read = heads.iter().enumerate().filter(|(_, head)| !matches!(head.kind, Kind::Other(_)));
            Ok::<_, RecordError>(((), read.map(|(at, _)| at).collect()))
        };
        records::read(file.path(), all, |(), _, _| Ok(())).is_ok()
    });
}

#[test]
fn parquet_records_survive() {
    survive_file(
        10,
        &[
            include_bytes!("fixtures/lists.parquet").to_vec(),
            include_bytes!("fixtures/snappy.parquet").to_vec(),
            include_bytes!("fixtures/hadoop_lz4_compressed.parquet").to_vec(),
        ],
    );
}

#[cfg(feature = "arrow")]
#[test]
fn arrow_records_survive() {
    survive_file(
        11,
        &[
            include_bytes!("fixtures/lists.feather").to_vec(),
            include_bytes!("fixtures/lists_zstd.feather").to_vec(),
            include_bytes!("fixtures/lists.arrows").to_vec(),
        ],
    );
}
