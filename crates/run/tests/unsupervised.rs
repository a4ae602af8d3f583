//! Commands of a program that has no supervisor.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flatleak_data::{Request, open};
use flatleak_nn::Network;
use flatleak_run::{Checkpoints, Error, Manner, Plan, Role, Summary, Supervision, TrainerError, execute};
use flatleak_store::Workshop;
use flatleak_study::Study;
use flatleak_work::{Board, Folder, Worker};

/// Six models that a shell script trains, until it ends or a file `beat` in the folder has come.
fn run(script: &str, supervision: &Supervision) -> (tempfile::TempDir, Result<Summary, Error>) {
    let folder = tempfile::tempdir().unwrap();
    let (path, beat) = (folder.path().join("train.sh"), folder.path().join("beat"));
    std::fs::write(&path, script).unwrap();
    let text = format!(
        "models = 6\ndata = ['digits']\npool = 40\ntest = 10\n[[recipe]]\nname = 'a'\ntrainer = 'sh \"{}\" \"{}\" {{mask}} {{out}}'",
        path.display(),
        beat.display()
    );
    let study = Study::parse(&text).unwrap();
    let data = open(&Request { pool: Some(40), test: Some(10), ..Request::new("digits") }).unwrap();
    let network = Network::compile(&study.architecture, data.shape, data.classes).unwrap();
    let dir = Workshop::open(&folder.path().join("run"), &study, &data).unwrap();
    let depot = Arc::new(Folder::new(dir.path()));
    let board = &Mutex::new(Board::open(depot, Worker::this(), Duration::from_secs(30)).unwrap());
    let checkpoints = Checkpoints::default();
    let plan =
        Plan { study: &study, data: &data, network: &network, dir: &dir, supervision, checkpoints, board, binary: "" };
    let manner = Manner { workers: 2, role: Role::Complete };
    let stop = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        let run = scope.spawn(|| execute(plan, manner, &stop, |_| {}));
        while !beat.exists() && !run.is_finished() {
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
        run.join().unwrap()
    });
    (folder, ended)
}

#[test]
fn a_stopped_run_ends_all_that_its_commands_started() {
    let (folder, ended) = run("(while :; do echo x >> \"$1\"; sleep 0.1; done) &\nwait\n", &Supervision::None);
    assert!(ended.unwrap().stopped);
    let length = || std::fs::metadata(folder.path().join("beat")).unwrap().len();
    let before = length();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(length(), before);
}

#[test]
fn a_supervisor_that_says_nothing_is_an_error() {
    let (_folder, ended) = run("", &Supervision::By("true".into()));
    // None of the models is trained, and each was tried.
    let failures = ended.unwrap().failures;
    assert_eq!(failures.len(), 6);
    for failure in failures {
        let Error::Trainer { problem, .. } = failure else { panic!("{failure:?}") };
        assert!(matches!(*problem, TrainerError::Lost), "{problem}");
    }
}
