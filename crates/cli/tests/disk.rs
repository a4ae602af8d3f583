//! What the program writes, and where: locks, links, pipes, several programs at once, commands that only read, redaction, damage.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

mod common;
use common::{code, flatleak, results, small, words};

fn does(arguments: &[&str], inside: &Path) -> Output {
    flatleak().args(arguments).current_dir(inside).output().unwrap()
}

/// A finished run in `run`, and the folder around it.
fn finished() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let said = small(&dir.path().join("run")).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    dir
}

/// Every file below a folder, when it was changed and what it holds.
fn state(folder: &Path) -> Vec<(PathBuf, SystemTime, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap().map(Result::unwrap) {
            let (path, about) = (entry.path(), entry.metadata().unwrap());
            if about.is_dir() {
                found.push((path.clone(), about.modified().unwrap(), Vec::new()));
                folders.push(path);
            } else {
                found.push((path.clone(), about.modified().unwrap(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn commands_that_read_a_run_write_nothing_in_it_and_need_no_lock() {
    let dir = finished();
    let run = dir.path().join("run");
    fs::remove_file(run.join("lock")).unwrap();
    let before = state(&run);
    let plain = "theory run --dimensions 24 --examples 8 --draws 4 --models 8 --out theory";
    for line in [
        "explain run --out explained",
        "audit run --out audited",
        "export run --layout npz --out exported",
        "report run --out page",
        plain,
    ] {
        let said = does(&line.split(' ').collect::<Vec<_>>(), dir.path());
        assert_eq!(code(&said), 0, "{line}: {}", words(&said));
        assert!(state(&run) == before, "{line} wrote in the run");
    }
    assert!(dir.path().join("page/report.html").is_file() && dir.path().join("theory/theory.html").is_file());
    // Without --out a theory does not go into the run either.
    let said = does(&plain.split(' ').take(10).collect::<Vec<_>>(), dir.path());
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert!(state(&run) == before && dir.path().join("flatleak-runs/theory-run/theory.html").is_file());
    // What writes in it waits for nobody and says who is there.
    let held = fs::File::create(run.join("lock")).unwrap();
    held.lock().unwrap();
    let said = does(&["explain", "run"], dir.path());
    assert!(code(&said) == 2 && words(&said).contains("another flatleak works in run"), "{}", words(&said));
    let said = does(&["audit", "run", "--out", "audited"], dir.path());
    assert_eq!(code(&said), 0, "{}", words(&said));
}

#[test]
fn links_and_pipes_in_the_way_are_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    fs::create_dir(&run).unwrap();
    let victim = dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, run.join("lock")).unwrap();
    let said = small(&run).output().unwrap();
    assert!(code(&said) == 7 && words(&said).contains("cannot open"), "{}", words(&said));
    fs::remove_file(run.join("lock")).unwrap();
    assert!(Command::new("mkfifo").arg(run.join("lock")).status().unwrap().success());
    let said = small(&run).output().unwrap();
    assert!(code(&said) == 7 && words(&said).contains("it is no regular file"), "{}", words(&said));
    fs::remove_file(run.join("lock")).unwrap();
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    for name in ["results.json", "report.html", "exposure.csv", "study.toml"] {
        fs::copy(run.join(name), dir.path().join("copy")).unwrap();
        fs::remove_file(run.join(name)).unwrap();
        if name == "study.toml" {
            fs::copy(dir.path().join("copy"), run.join(name)).unwrap();
        } else {
            symlink(&victim, run.join(name)).unwrap();
        }
    }
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(!fs::symlink_metadata(run.join("results.json")).unwrap().is_symlink());
}

#[test]
fn many_reports_at_once_are_all_whole() {
    let dir = finished();
    let all: Vec<_> = (0..24)
        .map(|_| {
            let mut c = flatleak();
            c.arg("report").arg(dir.path().join("run")).stdout(Stdio::null()).stderr(Stdio::piped());
            c.spawn().unwrap()
        })
        .collect();
    for one in all {
        let said = one.wait_with_output().unwrap();
        assert_eq!(code(&said), 0, "{}", words(&said));
    }
    let page = fs::read_to_string(dir.path().join("run/report.html")).unwrap();
    assert!(page.trim_end().ends_with("</html>"));
    let left = fs::read_dir(dir.path().join("run"))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|e| e == "tmp"));
    assert_eq!(left.count(), 0);
}

#[test]
fn redaction_trusts_no_list() {
    let is_detail = |name: &str| {
        [".csv", ".parquet", ".png", ".npz"].iter().any(|ending| name.ends_with(ending)) || name.ends_with(".tmp")
    };
    let details = |run: &Path| {
        let names = fs::read_dir(run).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut found: Vec<String> = names.filter(|n| is_detail(n)).collect();
        found.sort();
        found
    };
    let dir = finished();
    let run = dir.path().join("run");
    assert!(details(&run).len() >= 10);
    let whole = dir.path().join("whole");
    assert!(Command::new("cp").arg("-r").args([&run, &whole]).status().unwrap().success());
    for damage in ["", "\0\0\0", "exposure.csv", "../../victim.png\n/etc/passwd", "absent"] {
        assert!(Command::new("rm").arg("-r").arg(&run).status().unwrap().success());
        assert!(Command::new("cp").arg("-r").args([&whole, &run]).status().unwrap().success());
        fs::write(run.join("details.txt"), damage).unwrap();
        if damage == "absent" {
            fs::remove_file(run.join("details.txt")).unwrap();
        }
        // What a killed program left, and what is the user's own.
        fs::write(run.join(".memorized-sam.png.0123456789abcdef.tmp"), "half").unwrap();
        fs::write(run.join("gone.npz"), "of a recipe that is gone").unwrap();
        fs::write(run.join("notes.md"), "mine").unwrap();
        let said = does(&["explain", "run", "--redact", "--no-attacks"], dir.path());
        assert_eq!(code(&said), 0, "{}", words(&said));
        assert_eq!(details(&run), Vec::<String>::new(), "{damage:?}");
        assert!(run.join("notes.md").is_file() && run.join("models").is_dir());
    }
    // A folder without a sign of this program keeps its files.
    let own = dir.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("examples.parquet"), "mine").unwrap();
    let said = does(&["audit", "run", "--out", "own", "--redact"], dir.path());
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert_eq!(fs::read_to_string(own.join("examples.parquet")).unwrap(), "mine");
}

#[test]
fn damaged_or_foreign_results_are_refused() {
    let dir = finished();
    let run = dir.path().join("run");
    let path = run.join("results.json");
    let whole = fs::read(&path).unwrap();
    let report = || does(&["report", "run"], dir.path());
    assert_eq!(code(&report()), 0);
    let before = fs::read(run.join("report.html")).unwrap();
    // Bits all over the file: nothing changes a report in silence. What is only layout may change.
    let mut refused = 0;
    for k in 0..150 {
        let mut bytes = whole.clone();
        let at = (k * 7919 + 13) % (bytes.len() * 8);
        bytes[at / 8] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        let said = report();
        match code(&said) {
            3 => refused += 1,
            0 => assert!(fs::read(run.join("report.html")).unwrap() == before, "bit {at} changed the report"),
            other => panic!("exit {other}: {}", words(&said)),
        }
    }
    assert!(refused > 100, "{refused}");
    // Layout is nobody's content.
    let value: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    fs::write(&path, value.to_string()).unwrap();
    assert_eq!(code(&report()), 0);
    // Another study's.
    let other = dir.path().join("other");
    assert_eq!(code(&small(&other).args(["--seed", "7"]).output().unwrap()), 0);
    fs::copy(other.join("results.json"), &path).unwrap();
    let said = report();
    assert!(code(&said) == 3 && words(&said).contains("holds the results of another study"), "{}", words(&said));
    // A picture that was changed.
    fs::write(&path, &whole).unwrap();
    let picture = results(&run)["pictures"][0]["file"].as_str().unwrap().to_owned();
    let mut bytes = fs::read(run.join(&picture)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(run.join(&picture), bytes).unwrap();
    let said = report();
    assert!(code(&said) == 3 && words(&said).contains("was damaged or changed"), "{}", words(&said));
    assert_eq!(code(&does(&["report", "run", "--redact"], dir.path())), 0, "the advice");
    assert_eq!(code(&does(&["explain", "run", "--no-attacks"], dir.path())), 0, "the other advice");
    assert_eq!(code(&report()), 0);
}

#[test]
fn cached_sets_that_changed_are_not_trained_on() {
    let dir = tempfile::tempdir().unwrap();
    let rows: String = (0..60).map(|i| format!("{i},{},{}\n", 7 * i % 5, i % 2)).collect();
    fs::write(dir.path().join("table.csv"), format!("width,height,label\n{rows}")).unwrap();
    let data = |arguments: &[&str]| {
        flatleak()
            .args(arguments)
            .env("FLATLEAK_DATA", dir.path().join("cache"))
            .current_dir(dir.path())
            .output()
            .unwrap()
    };
    assert_eq!(code(&data(&["data", "import", "table.csv", "--name", "own"])), 0);
    let kept = dir.path().join("cache/own/table.csv");
    let whole = fs::read_to_string(&kept).unwrap();
    let damages: [(&str, &dyn Fn()); 3] = [
        ("checksum is", &|| fs::write(&kept, &whole[..whole.len() - 12]).unwrap()),
        ("did not come with the others", &|| fs::write(kept.with_file_name("more.csv"), "a,label\n1,0\n").unwrap()),
        ("checksums.txt", &|| fs::remove_file(kept.with_file_name("checksums.txt")).unwrap()),
    ];
    for (said, damage) in damages {
        damage();
        let found = data(&["data", "info", "own"]);
        assert!(code(&found) == 3 && words(&found).contains(said), "{said}: {}", words(&found));
        assert_eq!(code(&data(&["data", "import", "table.csv", "--name", "own", "--replace"])), 0);
        assert_eq!(code(&data(&["data", "info", "own"])), 0);
    }
    // Of many imports under one name one wins, the others say so, and what is there is whole.
    let all: Vec<_> = (0..8)
        .map(|_| {
            let mut c = flatleak();
            c.args(["data", "import", "table.csv", "--name", "race"]).env("FLATLEAK_DATA", dir.path().join("cache"));
            c.current_dir(dir.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let codes: Vec<i32> = all.into_iter().map(|mut c| c.wait().unwrap().code().unwrap()).collect();
    assert_eq!(
        (codes.iter().filter(|c| **c == 0).count(), codes.iter().filter(|c| **c == 2).count()),
        (1, 7),
        "{codes:?}"
    );
    assert_eq!(code(&data(&["data", "verify", "race"])), 0);
}

#[test]
fn a_folder_of_cifar_has_all_its_batches() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cifar");
    fs::create_dir(&folder).unwrap();
    let record: Vec<u8> = std::iter::once(1).chain((0..3072).map(|i| (i % 251) as u8)).collect();
    for name in ["data_batch_1.bin", "data_batch_2.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"] {
        fs::write(folder.join(name), record.repeat(20)).unwrap();
    }
    let said = does(&["data", "info", "cifar"], dir.path());
    assert!(code(&said) == 3 && words(&said).contains("no data_batch_3.bin in cifar"), "{}", words(&said));
}

#[test]
fn full_and_closed_disks_are_said() {
    let dir = finished();
    // Root may write anywhere; a file in the place of a folder stops it too.
    fs::write(dir.path().join("file"), "").unwrap();
    for line in [
        "report run --out file/page",
        "audit run --out file/audit",
        "export run --layout npz --out file/npz",
        "explain run --out file/explained",
        "plan --models 8 --pool 20 --out file/plan",
    ] {
        let said = does(&line.split(' ').collect::<Vec<_>>(), dir.path());
        assert!(code(&said) == 7 && words(&said).contains("cannot create file"), "{line}: {}", words(&said));
    }
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    let said = does(&["report", "run", "--out", "closed"], dir.path());
    let is_root = fs::write(closed.join("probe"), "").is_ok();
    assert!(is_root || code(&said) == 7, "{}", words(&said));
}
