//! `flatleak data`: what is imported, under which names, and what is said of it.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fs;
use std::path::Path;

mod common;
use common::{code, flatleak, words};

/// A grey PNG of 2 x 2 pixels.
fn png(path: &Path, value: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), 2, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[value; 4]).unwrap();
}

#[test]
fn folders_of_pictures_are_imported_and_names_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let data = |arguments: &[&str]| {
        let mut command = flatleak();
        command.arg("data").args(arguments).env("FLATLEAK_DATA", &cache).current_dir(dir.path());
        let said = command.output().unwrap();
        (code(&said), words(&said))
    };
    for (class, value) in [("cat", 10), ("polar bear", 90)] {
        for i in 0..5 {
            png(&dir.path().join("animals").join(class).join(format!("{i}.png")), value + i);
        }
    }
    let (exit, text) = data(&["import", "animals", "--name", "zoo"]);
    assert!(exit == 0 && text.contains("8 pool, 2 test; 1x2x2; 2 classes: cat, polar bear"), "{text}");
    assert!(cache.join("zoo/polar bear/4.png").is_file());
    let (exit, text) = data(&["info", "zoo"]);
    assert!(exit == 0 && text.contains("polar bear"), "{text}");
    let (exit, text) = data(&["list"]);
    assert!(exit == 0 && text.contains("zoo                   imported") && text.contains("2 classes: cat"), "{text}");
    assert_eq!(data(&["verify", "zoo"]), (0, "zoo: 10 files as they were fetched\n".into()));
    fs::write(cache.join("zoo/cat/0.png"), "x").unwrap();
    assert_eq!(data(&["verify", "zoo"]).0, 3);

    // A name that is taken, and what the message says to do.
    let (exit, text) = data(&["import", "animals", "--name", "zoo"]);
    assert!(exit == 2 && text.contains("imported before") && text.contains("add --replace"), "{text}");
    let (exit, text) = data(&["import", "animals", "--name", "zoo", "--replace"]);
    assert!(exit == 0 && text.contains("replaced: 8 pool, 2 test"), "{text}");
    assert_eq!(data(&["verify", "zoo"]).0, 0);
    let (exit, text) = data(&["import", "animals", "--name", "digits"]);
    assert!(exit == 2 && text.contains("that the program brings: take another name"), "{text}");
    let (exit, text) = data(&["import", "animals", "--name", "cifar-10", "--replace"]);
    assert!(exit == 2 && text.contains("flatleak data fetch cifar-10 --from animals"), "{text}");
    assert_eq!(data(&["import", "animals", "--name", "other"]).0, 0);

    // A folder of the same name: which one is taken is said, and how to name the other.
    png(&dir.path().join("zoo/gnu/0.png"), 1);
    png(&dir.path().join("zoo/yak/0.png"), 2);
    let (exit, text) = data(&["info", "zoo"]);
    assert!(exit == 0 && text.contains("polar bear") && text.contains("write ./zoo for what lies there"), "{text}");
    fs::copy(dir.path().join("zoo/gnu/0.png"), dir.path().join("zoo/gnu/1.png")).unwrap();
    for i in 1..6 {
        png(&dir.path().join(format!("zoo/yak/{i}.png")), i);
    }
    let (exit, text) = data(&["info", "./zoo"]);
    assert!(exit == 0 && text.contains("gnu") && !text.contains("polar bear"), "{text}");

    // What cannot be read leaves nothing, and the message names the user's own file.
    fs::write(dir.path().join("animals/cat/9.png"), b"\x89PNG broken").unwrap();
    let (exit, text) = data(&["import", "animals", "--name", "broken"]);
    assert!(exit == 3 && text.contains("animals/cat/9.png is a damaged PNG") && !text.contains("cache"), "{text}");
    assert!(!cache.join("broken").exists() && !cache.join(".broken.part").exists());
}

#[test]
fn archives_of_pictures_keep_their_folders() {
    let dir = tempfile::tempdir().unwrap();
    for (split, n) in [("train", 4), ("test", 2)] {
        for class in ["0", "2", "10"] {
            for i in 0..n {
                png(&dir.path().join("set").join(split).join(class).join(format!("{i}.png")), i);
            }
        }
    }
    let packed = std::process::Command::new("tar").args(["czf", "set.tar.gz", "set"]).current_dir(dir.path()).status();
    if !packed.is_ok_and(|status| status.success()) {
        return;
    }
    let data = |arguments: &[&str]| {
        let mut command = flatleak();
        command.arg("data").args(arguments).env("FLATLEAK_DATA", dir.path().join("cache")).current_dir(dir.path());
        let said = command.output().unwrap();
        (code(&said), words(&said))
    };
    let (exit, text) = data(&["import", "set.tar.gz", "--name", "set"]);
    assert!(exit == 0 && text.contains("12 pool, 6 test; 1x2x2; 3 classes: 0, 2, 10"), "{text}");
    assert!(text.contains("note: class folders are numbered by value"), "{text}");
    assert!(data(&["info", "set"]).1.contains("note      class folders are numbered by value"));
}
