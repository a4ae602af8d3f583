//! The power fails after every step that a study does to the disk: it resumes to the same results, and what was there before stays.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flatleak::{Compare, Listener, compare, outputs, prepare};
use flatleak_disk::journal::{Names, Operation, Wreck, record};

fn study(out: &Path, models: usize) -> Compare {
    Compare {
        out: Some(out.to_owned()),
        data: vec!["digits".into()],
        recipes: vec!["sgd".into()],
        models: Some(models),
        pool: Some(24),
        epochs: Some(1),
        workers: 1,
        ..Compare::default()
    }
}

fn run(out: &Path, models: usize) {
    let asked = study(out, models);
    let stop = AtomicBool::new(false);
    compare(&asked, &prepare(&asked).unwrap(), &mut Listener { hear: &mut |_| {}, stop: &stop }).unwrap();
}

/// All that a folder holds, without what is of one run alone.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Artefacts, tables and archives of a run: the files whose bytes do not depend on when it ran.
fn lasting(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let of_time = ["results.json", "report.html"];
    let hidden = |path: &Path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    content(folder)
        .into_iter()
        // What workers tell each other has times and numbers of processes.
        .filter(|(path, _)| of_time.iter().all(|n| !path.ends_with(n)) && !hidden(path) && !path.starts_with("work"))
        .collect()
}

/// Of the steps in which workers tell each other what they do, one in so many is cut behind. They are hints, which no model rests on.
const HINTS: usize = 8;

/// Whether a wreck behind so many steps is looked at.
fn is_looked_at(root: &Path, steps: &[Operation], cut: usize) -> bool {
    let is_hint = |step: &Operation| step.path().strip_prefix(root).unwrap_or(step.path()).starts_with("work");
    cut.is_multiple_of(HINTS) || !is_hint(&steps[cut - 1])
}

/// Wrecks that are looked at side by side: most of the time is spent waiting for the disk.
const TOGETHER: usize = 4;

/// Every wreck of these steps, and what it is called.
fn wrecks(root: &Path, before: &[(PathBuf, Vec<u8>)], steps: &[Operation], look: impl Fn(&Path, &str) + Sync) {
    let cuts: Vec<usize> = (0..=steps.len()).filter(|cut| is_looked_at(root, steps, *cut)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(&cut) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
            for names in [Names::Kept, Names::Lost] {
                let dir = tempfile::tempdir().unwrap();
                let to = dir.path().join("wreck");
                Wreck::after(root, before, &steps[..cut]).lay_out(names, &to).unwrap();
                // Whoever worked there is dead, which is not to be seen while the test lives: without its last sign of life nobody waits for more.
                let _ = fs::remove_dir_all(to.join("work/beats"));
                let last = cut.checked_sub(1).map(|k| &steps[k]);
                look(&to, &format!("cut {cut} of {}, names {names:?}, after {last:?}", steps.len()));
            }
        }
    };
    std::thread::scope(|scope| (0..TOGETHER).for_each(|_| drop(scope.spawn(work))));
}

#[test]
fn a_study_resumes_after_every_cut() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    fs::create_dir(&out).unwrap();
    let ((), steps) = record(&out, || run(&out, 6));
    let whole = lasting(&out);
    assert!(steps.len() > 60, "{}", steps.len());
    let complete = AtomicUsize::new(0);
    wrecks(&out, &[], &steps, |wreck, what| {
        // Results that are there are whole.
        if wreck.join("results.json").exists() {
            outputs::read(wreck).unwrap_or_else(|e| panic!("{what}: {e}"));
            complete.fetch_add(1, Ordering::Relaxed);
        }
        run(wreck, 6);
        assert!(lasting(wreck) == whole, "{what}");
    });
    assert!(complete.into_inner() > 0);
}

#[test]
fn a_study_that_grows_keeps_its_models_through_every_cut() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    run(&out, 6);
    let before = content(&out);
    let models: Vec<_> = before.iter().filter(|(path, _)| path.starts_with("models")).cloned().collect();
    assert!(!models.is_empty());
    let ((), steps) = record(&out, || run(&out, 8));
    let whole = lasting(&out);
    // The last steps, of tables and results, are those of the first study.
    wrecks(&out, &before, &steps, |wreck, what| {
        for (path, bytes) in &models {
            assert!(fs::read(wreck.join(path)).is_ok_and(|found| found == *bytes), "{what}: {}", path.display());
        }
        if what.contains("Rename") {
            run(wreck, 8);
            assert!(lasting(wreck) == whole, "{what}");
        }
    });
}
