//! What hostile files can do: be refused. Under 4 GB of address space and within a minute, by a message and an exit code of their own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

mod common;
use common::{code, npy, words};
#[allow(dead_code, reason = "not every test uses everything")]
mod pages {
    include!("../../data/tests/pages/mod.rs");
}
use pages::{INT32, PLAIN, column, page};

/// The program under a limit of its address space in kB, with an end. It leaves no temporary files.
fn within(space: u32, arguments: &[&str], home: &Path) -> Output {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -v {space}; exec timeout 60 \"$@\""));
    command.args(["sh", env!("CARGO_BIN_EXE_flatleak")]).args(arguments).current_dir(home);
    command.env("FLATLEAK_DATA", home.join("cache")).env("TMPDIR", temporary.path());
    let output = command.output().unwrap();
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{arguments:?} leaves {left:?}: {}", words(&output));
    output
}

/// Under 4 GB.
fn limited(arguments: &[&str], home: &Path) -> Output {
    within(4_000_000, arguments, home)
}

/// Refused as data that cannot be read, with these words.
fn refused(arguments: &[&str], home: &Path, exits: &[i32], said: &str) {
    let output = limited(arguments, home);
    let text = words(&output);
    assert!(exits.contains(&code(&output)), "{arguments:?}: {text}");
    assert!(text.contains(said) && !text.contains("panicked"), "{arguments:?}: {text}");
}

fn put(dir: &Path, name: &str, bytes: &[u8]) -> String {
    let path: PathBuf = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn pipes_and_devices_are_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    for name in ["pipe", "x.csv", "x.parquet", "run/study.toml", "done/results.json"] {
        std::fs::create_dir_all(Path::new(&at(name)).parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(at(name)).status().unwrap().success());
    }
    let (pipe, csv, parquet) = (at("pipe"), at("x.csv"), at("x.parquet"));
    let mask = put(dir.path(), "m.npy", &npy("|u1", &[8, 40], &[1; 320]));
    let outputs = put(dir.path(), "o.npy", &npy("|u1", &[8, 40], &[1; 320]));
    for arguments in [
        &["compare", &pipe][..],
        &["audit", "--table", &pipe],
        &["audit", "--table", &parquet],
        &["audit", "--logits", &pipe, "--membership", &mask],
        &["audit", "--phi", &outputs, "--membership", &pipe],
        &["audit", "--phi", &outputs, "--membership", &mask, "--labels", &pipe],
        &["theory", "--problem", &pipe],
        &["data", "info", &csv],
        &["data", "info", &parquet],
        &["data", "import", &csv, "--name", "own"],
        &["report", &at("done")],
    ] {
        refused(arguments, dir.path(), &[2, 3], "it is a pipe and no regular file");
    }
    refused(&["audit", "--phi", "/dev/zero", "--membership", &mask], dir.path(), &[3], "it is a device");
    refused(&["compare", "/dev/zero"], dir.path(), &[2, 3], "it is a device");
}

#[test]
fn shapes_are_believed_as_far_as_they_can_be_held() {
    let dir = tempfile::tempdir().unwrap();
    let mask = put(dir.path(), "m.npy", &npy("|u1", &[8, 40], &[1; 320]));
    let fortran = |shape: &[usize]| {
        let plain = npy("|u1", shape, &[]);
        let at = plain.windows(5).position(|five| five == b"False").unwrap();
        [&plain[..at], b" True", &plain[at + 5..]].concat()
    };
    let (other, memory) = ("models and examples in either order", "bytes of memory for");
    for (name, bytes, as_outputs, as_membership) in [
        ("hollow.npy", fortran(&[0, 1 << 62]), "an empty axis beside one of more than", "an empty axis beside"),
        ("fortran.npy", fortran(&[1 << 40, 2]), "bytes of", "bytes of"),
        ("long.npy", npy("|u1", &[1 << 20, 1 << 30], &[0; 64]), other, memory),
    ] {
        let path = put(dir.path(), name, &bytes);
        refused(&["audit", "--phi", &path, "--membership", &mask], dir.path(), &[3], as_outputs);
        refused(&["audit", "--phi", &mask, "--membership", &path], dir.path(), &[3], as_membership);
    }
    let problem = |shape: &[usize], y: usize, sigma: &[usize]| {
        let file = dir.path().join("problem.npz");
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&file).unwrap());
        for (name, shape) in [("x", shape), ("y", &[y]), ("sigma", sigma)] {
            zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&npy("<f8", shape, &[])).unwrap();
        }
        zip.finish().unwrap();
        file.to_string_lossy().into_owned()
    };
    for (shape, y, sigma, said) in [
        (&[1 << 20, 1 << 20][..], 1 << 20, &[1 << 20][..], "bytes of memory for the problem"),
        (&[2, 1 << 30], 2, &[1 << 30], "bytes of memory for the problem"),
        (&[2, 5000], 2, &[5000, 5000], "at most 4096 are decomposed"),
        (&[2, 3], 1 << 40, &[3], "one label for each"),
        (&[2, 3], 2, &[1 << 29, 1 << 29], "the dimensions of x"),
    ] {
        refused(&["theory", "--problem", &problem(shape, y, sigma)], dir.path(), &[3], said);
    }
}

/// A file of so many bytes that begins and ends so; what is between takes no room.
fn hollow(dir: &Path, name: &str, front: &[u8], size: u64, back: &[u8]) -> String {
    let path = put(dir, name, front);
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(size).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(back).unwrap();
    path
}

/// An archive of one array of so many bytes, all 0: a thousandth of them.
fn bomb(dir: &Path, name: &str, array: &str, shape: &[usize], bytes: u64) -> String {
    let path = dir.join(name);
    let mut zip = zip::ZipWriter::new(BufWriter::new(std::fs::File::create(&path).unwrap()));
    let packing = zip::write::SimpleFileOptions::default().compression_level(Some(1));
    zip.start_file(format!("{array}.npy"), packing).unwrap();
    zip.write_all(&npy("|u1", shape, &[])).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(bytes), &mut zip).unwrap();
    zip.finish().unwrap().into_inner().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < bytes / 100);
    path.to_string_lossy().into_owned()
}

#[test]
fn bombs_are_not_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    let mask = put(home, "m.npy", &npy("|u1", &[8, 40], &[1; 320]));
    let size = 3usize << 29;
    // All that is claimed is there.
    let long = bomb(home, "long.npz", "membership", &[8, size / 8], size as u64);
    refused(&["audit", "--phi", &long, "--membership", &long], home, &[3], "long.npz");
    refused(&["data", "info", &long], home, &[2, 3], "long.npz");
    // More is there than is claimed.
    let more = bomb(home, "more.npz", "membership", &[8, 40], size as u64);
    refused(&["audit", "--phi", &mask, "--membership", &more], home, &[3], "more.npz");
    // Blank lines, and rows of nothing.
    for (name, line) in [("blank.csv.gz", "\n"), ("rows.csv.gz", ",\n,,,\n")] {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"model,example\n").unwrap();
        for _ in 0..128 {
            packed.write_all(line.repeat((1 << 20) / line.len()).as_bytes()).unwrap();
        }
        let table = put(home, name, &packed.finish().unwrap());
        refused(&["audit", "--table", &table], home, &[2, 3], name);
        refused(&["data", "info", &table], home, &[2, 3], name);
    }
}

#[test]
fn descriptions_are_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    let mask = put(home, "m.npy", &npy("|u1", &[8, 40], &[1; 320]));
    // Gigabytes of header: claimed alone, and there.
    let length = (3u64 << 30).to_le_bytes();
    let short = put(home, "short.safetensors", &length);
    let long = hollow(home, "long.safetensors", &length, 5 << 30, &[]);
    for path in [&short, &long] {
        refused(&["audit", "--phi", path, "--membership", &mask], home, &[3], "safetensors");
        refused(&["audit", "--phi", &mask, "--membership", path], home, &[3], "safetensors");
    }
    let end = [&(3u32 << 30).to_le_bytes()[..], b"PAR1"].concat();
    let described = hollow(home, "described.parquet", b"PAR1", 4 << 30, &end);
    let rows = put(home, "rows.parquet", &column(INT32, 0, i64::MAX, &[page(&[], 0, 0, PLAIN)]));
    let heads = (0..64).map(|_| page(&[], i64::from(i32::MAX), i64::from(i32::MAX), PLAIN));
    let pages = put(home, "pages.parquet", &column(INT32, 0, 1 << 20, &heads.collect::<Vec<_>>()));
    for path in [&described, &rows, &pages] {
        refused(&["audit", "--table", path], home, &[3], ".parquet");
        refused(&["data", "info", path], home, &[3], ".parquet");
    }
}

/// A PNG that says how large it is, and no more.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgba);
    // Without a first row, nobody asks how many there are.
    let mut row = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    row.write_all(&[0; 64]).unwrap();
    encoder.write_header().unwrap().write_chunk(png::chunk::IDAT, &row.finish().unwrap()).unwrap();
    out
}

#[test]
fn pictures_are_as_large_as_they_say() {
    let dir = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        for i in 0..8 {
            put(dir.path(), &format!("set/{class}/{i}.png"), &png(1 << 14, 1 << 12));
        }
    }
    refused(&["data", "info", "set"], dir.path(), &[3], "set/a/0.png");
    let output = within(2_000_000, &["data", "info", "set"], dir.path());
    assert!(code(&output) == 3 && words(&output).contains("bytes of memory for its pixels"), "{}", words(&output));
    // What is there is as large as it says, and one alone could be held.
    let mut whole = Vec::new();
    let side = 1 << 12;
    let mut writer = png::Encoder::new(&mut whole, side, side).write_header().unwrap();
    writer.write_image_data(&vec![0; (side * side) as usize]).unwrap();
    writer.finish().unwrap();
    for class in ["a", "b"] {
        for i in 0..8 {
            put(dir.path(), &format!("whole/{class}/{i}.png"), &whole);
        }
    }
    let output = within(1_500_000, &["data", "info", "whole"], dir.path());
    let said = "bytes of memory for this picture and those before it";
    assert!(code(&output) == 3 && words(&output).contains(said), "{}", words(&output));
}

#[test]
fn documents_are_as_deep_as_documents_are() {
    let dir = tempfile::tempdir().unwrap();
    let study = put(dir.path(), "deep.toml", format!("a = {}", "[".repeat(1 << 20)).as_bytes());
    refused(&["compare", &study], dir.path(), &[2], "deep.toml");
    put(dir.path(), "done/results.json", "[".repeat(1 << 20).as_bytes());
    refused(&["report", "done"], dir.path(), &[3], "results.json");
    let header = [&(1u64 << 24).to_le_bytes()[..], "[".repeat(1 << 24).as_bytes()].concat();
    let tensors = put(dir.path(), "deep.safetensors", &header);
    refused(&["audit", "--phi", &tensors, "--membership", &tensors], dir.path(), &[3], "deep.safetensors");
    // One line that does not end, packed.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"model,example\n").unwrap();
    for _ in 0..64 {
        packed.write_all(&vec![b'1'; 1 << 20]).unwrap();
    }
    let table = put(dir.path(), "line.csv.gz", &packed.finish().unwrap());
    refused(&["audit", "--table", &table], dir.path(), &[3], "line.csv.gz");
    // Damaged where a decoder of others panics: not a word of it.
    let arrow = include_bytes!("../../data/tests/fixtures/lists.feather");
    for at in (0..arrow.len()).step_by(97) {
        let mut bytes = arrow.to_vec();
        bytes[at] ^= 0x41;
        let table = put(dir.path(), "damaged.feather", &bytes);
        let said = limited(&["audit", "--table", &table], dir.path());
        assert!(code(&said) == 3 && !words(&said).contains("panicked"), "{at}: {}", words(&said));
    }
}
