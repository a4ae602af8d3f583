//! Runs that are stopped, resumed, and given checkpoints that are not theirs.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flatleak_data::{Dataset, Request, open};
use flatleak_nn::Network;
use flatleak_run::{Checkpoints, Event, Manner, Plan, Role, Summary, Supervision, execute};
use flatleak_store::Workshop;
use flatleak_study::Study;
use flatleak_work::{Board, Folder, Worker};

/// One run of each: averages, noise, a base with two means, random pictures and masks, and one that is measured early and published in two ways.
const STUDY: &str = "models = 6\npool = 60\ntest = 20\ndata = ['digits']\n[train]\nepochs = 3\nbatch = 8\n\
    [[recipe]]\nname = 'swa'\noptimizer = 'swa'\naverage_from = 0.3\n\
    [[recipe]]\nname = 'dp'\noptimizer = 'dp-sat'\ndelta = 0.01\n\
    [[recipe]]\nname = 'look'\noptimizer = 'looksam'\nbase = 'adam'\n\
    [[recipe]]\nname = 'random'\noptimizer = 'sam'\naugment = ['crop 1', 'mirror']\nmixup = 1\ndropout = 0.2\n\
    [[recipe]]\nname = 'early'\nmeasure_at = [1, 2, 3]\ntemperature = [0, 2]\n";

const EVERY_STEP: Checkpoints = Checkpoints::Every(Duration::ZERO);

struct Problem {
    study: Study,
    data: Dataset,
    network: Network,
}

impl Problem {
    fn new(text: &str) -> Self {
        let study = Study::parse(text).unwrap();
        let data = open(&Request { pool: Some(60), test: Some(20), ..Request::new("digits") }).unwrap();
        let network = Network::compile(&study.architecture, data.shape, data.classes).unwrap();
        Self { study, data, network }
    }

    /// Trains until `is_enough` says so of an event.
    fn run(
        &self,
        to: &Path,
        checkpoints: Checkpoints,
        mut is_enough: impl FnMut(&Event) -> bool,
    ) -> (Summary, Vec<Event>) {
        let Self { study, data, network } = self;
        let dir = Workshop::open(to, study, data).unwrap();
        let supervision = Supervision::None;
        let supervision = &supervision;
        let board = Board::open(Arc::new(Folder::new(to)), Worker::this(), Duration::from_secs(30)).unwrap();
        let board = &Mutex::new(board);
        let plan = Plan { study, data, network, dir: &dir, supervision, checkpoints, board, binary: "" };
        let manner = Manner { workers: 2, role: Role::Complete };
        let (stop, mut events) = (AtomicBool::new(false), Vec::new());
        let summary = execute(plan, manner, &stop, |event| {
            stop.fetch_or(is_enough(&event), Ordering::Relaxed);
            events.push(event);
        });
        (summary.unwrap(), events)
    }

    /// What a run without an interruption and without checkpoints leaves.
    fn whole(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let (summary, _) = self.run(folder.path(), Checkpoints::Off, |_| false);
        assert!(!summary.stopped && summary.diverged.is_empty());
        models(folder.path())
    }
}

/// All files below `models`.
fn models(run: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![run.join("models")]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(run).unwrap().to_owned(), fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn checkpoints(run: &Path) -> Vec<PathBuf> {
    if !run.join("models").exists() {
        return Vec::new();
    }
    let named = |path: &PathBuf| path.to_string_lossy().contains("checkpoint");
    models(run).into_iter().map(|(path, _)| run.join(path)).filter(named).collect()
}

#[test]
fn runs_that_are_stopped_again_and_again_have_the_same_bytes() {
    let problem = Problem::new(STUDY);
    let wanted = problem.whole();
    let names = |name: &str| wanted.iter().filter(|(path, _)| path.ends_with(name)).count();
    assert_eq!((names("weights.safetensors"), names("signals.safetensors"), wanted.len()), (60, 60, 120));
    for every in [EVERY_STEP, Checkpoints::Every(Duration::from_secs(3600))] {
        let folder = tempfile::tempdir().unwrap();
        let (mut resumed, mut stops) = (0, 0);
        // The second epoch that is done, of whichever model.
        while {
            let mut epochs = 0;
            let (summary, events) = problem.run(folder.path(), every, |event| {
                epochs += usize::from(matches!(event, Event::Epoch { .. }));
                epochs > 1
            });
            resumed += events.iter().filter(|e| matches!(e, Event::Resumed { .. })).count();
            assert!(!events.iter().any(|e| matches!(e, Event::SetAside { .. } | Event::Unsaved { .. })), "{events:?}");
            summary.stopped
        } {
            stops += 1;
        }
        assert!(stops > 5 && resumed > 5, "{stops} stops, {resumed} resumed");
        assert!(models(folder.path()) == wanted);
    }
}

/// A run of one recipe that was stopped in its first epochs, with its checkpoints.
fn stopped(problem: &Problem) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let (summary, _) = problem.run(folder.path(), EVERY_STEP, |event| matches!(event, Event::Epoch { .. }));
    assert!(summary.stopped);
    let found = checkpoints(folder.path());
    assert!(!found.is_empty() && found.len() <= 2, "{found:?}");
    (folder, found)
}

const ONE: &str =
    "models = 6\npool = 60\ntest = 20\ndata = ['digits']\n[train]\nepochs = 400\n[[recipe]]\nname = 'a'\n";

#[test]
fn what_is_no_checkpoint_of_the_model_is_set_aside_and_told() {
    let problem = Problem::new(ONE);
    let wanted = problem.whole();
    let (_kept, others) = stopped(&Problem::new(&ONE.replace("name = 'a'", "name = 'a'\nlr = 0.01")));
    type Spoil = fn(&Path, &Path);
    let spoils: [Spoil; 6] = [
        |path, _| {
            let mut bytes = fs::read(path).unwrap();
            let at = bytes.len() - 5;
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
        },
        |path, _| fs::write(path, &fs::read(path).unwrap()[..1000]).unwrap(),
        |path, _| fs::write(path, "").unwrap(),
        |path, other| {
            fs::copy(other, path).unwrap();
        },
        // Of another model of the same recipe.
        |path, _| {
            let own = path.parent().unwrap();
            let beside = own.parent().unwrap().join("0005");
            fs::create_dir_all(&beside).unwrap();
            fs::rename(path, beside.join(path.file_name().unwrap())).unwrap();
        },
        |path, _| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
    ];
    for (k, spoil) in spoils.into_iter().enumerate() {
        let (folder, found) = stopped(&problem);
        spoil(&found[0], &others[0]);
        let (summary, events) = problem.run(folder.path(), Checkpoints::default(), |_| false);
        assert!(!summary.stopped);
        let aside = events.iter().find_map(|e| if let Event::SetAside { path, .. } = e { Some(path) } else { None });
        assert!(aside.is_some_and(|path| path.to_string_lossy().ends_with(".unusable")), "{k}: {aside:?}");
        assert!(models(folder.path()) == wanted, "{k}");
    }
}

#[test]
fn a_checkpoint_behind_the_epoch_of_a_missing_model_is_of_no_use() {
    let problem = Problem::new(&ONE.replace("name = 'a'", "name = 'a'\nmeasure_at = [1, 400]"));
    let wanted = problem.whole();
    let folder = tempfile::tempdir().unwrap();
    let mut epochs = 0;
    problem.run(folder.path(), EVERY_STEP, |event| {
        epochs += usize::from(matches!(event, Event::Epoch { .. }));
        epochs > 20
    });
    let lost =
        models(folder.path()).into_iter().map(|(path, _)| path).filter(|path| path.ends_with("weights.safetensors"));
    lost.for_each(|path| fs::remove_file(folder.path().join(path)).unwrap());
    assert!(!checkpoints(folder.path()).is_empty());
    let (_, events) = problem.run(folder.path(), Checkpoints::default(), |_| false);
    assert!(!events.iter().any(|e| matches!(e, Event::Resumed { .. } | Event::SetAside { .. })), "{events:?}");
    assert!(models(folder.path()) == wanted);
}

#[test]
fn none_are_written_where_none_are_wanted_and_failures_end_no_run() {
    let problem = Problem::new(ONE);
    let folder = tempfile::tempdir().unwrap();
    let (summary, _) = problem.run(folder.path(), Checkpoints::Off, |event| matches!(event, Event::Epoch { .. }));
    assert!(summary.stopped && checkpoints(folder.path()).is_empty());
    // A folder in the place of the checkpoint, once training has begun.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("models/a/0000/checkpoint.safetensors");
    let (mut blocked, mut unsaved) = (false, false);
    let (summary, _) = problem.run(folder.path(), EVERY_STEP, |event| {
        if !blocked && matches!(event, Event::Epoch { recipe: 0, model: 0 }) {
            blocked = true;
            while fs::create_dir(&path).is_err() {
                // It may be under another name just now.
                let _ = fs::remove_file(&path);
            }
        }
        unsaved |= matches!(event, Event::Unsaved { recipe: 0, model: 0, why } if why.contains("cannot rename to"));
        false
    });
    assert!(unsaved && !summary.stopped);
    assert!(models(folder.path()) == problem.whole());
}
