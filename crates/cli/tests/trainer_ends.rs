//! How commands that train models end: stopped, killed, failed, and with what they leave.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

mod common;
use common::{code, flatleak, npy, results, words};

const N: usize = 40;
const T: usize = 20;
const CLASSES: usize = 10;

/// A study with one recipe for each name, each with the same command: `train.sh` with this text. Logits of model k lie ready as `ak.npy` and `bk.npy`.
fn study(dir: &Path, names: &[&str], script: &str) {
    for (model, (name, n)) in (0..6).flat_map(|model| [(model, ("a", N)), (model, ("b", T))]) {
        let value = |k: usize| ((k * 37 + model * 11) % 23) as f32 / 4.0;
        let values: Vec<u8> = (0..n * CLASSES).flat_map(|k| value(k).to_le_bytes()).collect();
        std::fs::write(dir.join(format!("{name}{model}.npy")), npy("<f4", &[n, CLASSES], &values)).unwrap();
    }
    std::fs::write(dir.join("train.sh"), script).unwrap();
    let recipes: String = names
        .iter()
        .map(|name| {
            format!("[[recipe]]\nname = '{name}'\ntrainer = 'sh train.sh {{index}} {{mask}} {{out}} {{data}}'\n")
        })
        .collect();
    std::fs::write(dir.join("study.toml"), format!("models = 6\npool = {N}\ntest = {T}\ndata = 'digits'\n{recipes}"))
        .unwrap();
}

fn compare(dir: &Path) -> Command {
    let mut command = flatleak();
    command.current_dir(dir).args(["compare", "study.toml", "--workers", "2", "--out", "out"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Trains at once.
const DONE: &str = "cp a$1.npy \"$3/logits.npy\"; cp b$1.npy \"$3/test_logits.npy\"\n";

/// Waits until a file is there.
fn await_file(path: &Path) {
    let end = Instant::now() + Duration::from_secs(60);
    while !path.exists() {
        assert!(Instant::now() < end, "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A line is added to `beat` ten times a second by each process that lives: does it grow no more?
fn is_silent(beat: &Path) -> bool {
    let length = || std::fs::metadata(beat).unwrap().len();
    let before = length();
    std::thread::sleep(Duration::from_millis(600));
    length() == before
}

/// A command that works for ever, and with it a process that it started and that ignores requests to end.
const ENDLESS: &str = "(trap '' INT TERM HUP; while :; do echo x >> beat; sleep 0.1; done) &\nwait\n";

fn signal(name: &str, to: &str) {
    assert!(Command::new("kill").args([name, "--", to]).status().unwrap().success());
}

fn begun(dir: &Path) -> Child {
    // A group of its own, as a shell gives it: the terminal's Ctrl-C reaches all of it.
    let child = compare(dir).process_group(0).spawn().unwrap();
    await_file(&dir.join("beat"));
    child
}

#[test]
fn ctrl_c_ends_all_that_a_command_started_and_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path(), &["a"], ENDLESS);
    let child = begun(dir.path());
    signal("-INT", &format!("-{}", child.id()));
    let said = child.wait_with_output().unwrap();
    assert!(is_silent(&dir.path().join("beat")));
    assert_eq!(code(&said), 5, "{}", words(&said));
    assert!(words(&said).contains("interrupted; the same command continues in out"), "{}", words(&said));
}

/// Whoever ends flatleak may end its commands at the same time.
#[test]
fn a_command_that_is_stopped_with_flatleak_has_not_failed() {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path(), &["a"], "echo $$ >> pids; touch beat; exec sleep 60\n");
    let child = begun(dir.path());
    signal("-TERM", &child.id().to_string());
    for pid in std::fs::read_to_string(dir.path().join("pids")).unwrap().lines() {
        // It may have ended already.
        Command::new("kill").args(["-TERM", pid]).stderr(Stdio::null()).status().unwrap();
    }
    let said = child.wait_with_output().unwrap();
    assert_eq!(code(&said), 5, "{}", words(&said));
}

#[test]
fn nothing_outlives_a_flatleak_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path(), &["a"], ENDLESS);
    let mut child = begun(dir.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while !is_silent(&dir.path().join("beat")) {
        assert!(Instant::now() < end, "still there");
    }
}

/// A command may need a while to end; the next run starts at once.
#[test]
fn the_next_run_waits_for_the_commands_of_one_that_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let first = "trap 'sleep 2; echo late > \"$3/logits.npy\"; exit' TERM\ntouch beat; while :; do sleep 0.1; done\n";
    study(
        dir.path(),
        &["a"],
        &format!("if [ ! -e killed ]; then\n{first}fi\n[ ! -e \"$3/logits.npy\" ] || exit 8\n{DONE}"),
    );
    let mut child = begun(dir.path());
    std::fs::write(dir.path().join("killed"), "").unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let said = compare(dir.path()).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
}

#[test]
fn a_command_whose_supervisor_is_killed_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("if [ $1 != 0 ]; then\n{DONE}exit\nfi\necho x >> beat\nsleep 0.5\nkill -9 $PPID\n{ENDLESS}");
    study(dir.path(), &["a"], &script);
    let said = compare(dir.path()).output().unwrap();
    assert!(is_silent(&dir.path().join("beat")));
    assert!(code(&said) == 1 && words(&said).contains("watches over it was killed"), "{}", words(&said));
}

#[test]
fn a_failure_does_not_end_the_other_models() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("echo $1 >> tried\nif [ -e broken ] && [ $1 -lt 2 ]; then exit 9; fi\n{DONE}");
    study(dir.path(), &["a"], &script);
    std::fs::write(dir.path().join("broken"), "").unwrap();
    let said = compare(dir.path()).output().unwrap();
    let text = words(&said);
    assert!(code(&said) == 1 && text.contains("ended with exit status: 9"), "{text}");
    assert!(text.contains("1 further models failed; all others are complete"), "{text}");
    let tried = || std::fs::read_to_string(dir.path().join("tried")).unwrap().lines().count();
    assert_eq!(tried(), 6, "each once");
    std::fs::remove_file(dir.path().join("broken")).unwrap();
    let said = compare(dir.path()).output().unwrap();
    assert_eq!((code(&said), tried()), (0, 8), "{}", words(&said));
}

/// What a command left running could write over what it left.
#[test]
fn what_a_command_leaves_running_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    study(
        dir.path(),
        &["a"],
        &format!("{}{DONE}", ENDLESS.replace("wait\n", "").replace("trap '' INT TERM HUP; ", "")),
    );
    let said = compare(dir.path()).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert!(is_silent(&dir.path().join("beat")));
}

#[test]
fn the_same_command_under_two_names_trains_both() {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path(), &["a", "b"], &format!("echo \"$3\" >> trained\n{DONE}"));
    let said = compare(dir.path()).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let trained = std::fs::read_to_string(dir.path().join("trained")).unwrap();
    let of = |recipe: &str| trained.lines().filter(|line| line.contains(&format!("models/{recipe}/"))).count();
    assert_eq!((of("a"), of("b")), (6, 6), "{trained}");
    assert_eq!(results(&dir.path().join("out"))["comparisons"].as_array().unwrap().len(), 1);
}

/// A folder whose name is a placeholder, in one whose name is no text.
#[test]
fn paths_reach_a_command_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path(), &["a"], &format!("set -e\ntest -s \"$2\"; test -s \"$4\"\n{DONE}"));
    let out = dir.path().join(OsStr::from_bytes(b"caf\xe9")).join("{index} {out}'s");
    let said = flatleak().current_dir(dir.path()).args(["compare", "study.toml", "--out"]).arg(&out).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert!(out.join("models/a/0005/trainer/logits.npy").is_file());

    // Nor do such folders stop whoever says where results are.
    let pools = out.with_file_name(OsStr::from_bytes(b"pools\xe9"));
    let ask = |arguments: &[&OsStr]| {
        let said = flatleak().args(arguments).output().unwrap();
        assert_eq!(code(&said), 0, "{arguments:?}: {}", words(&said));
    };
    let text = OsStr::new;
    ask(&[text("explain"), out.as_os_str()]);
    ask(&[text("export"), out.as_os_str(), text("--out"), pools.as_os_str()]);
    let (pool, audit, target) = (pools.join("a"), pools.join("audit"), pools.join("target"));
    ask(&[text("audit"), pool.as_os_str(), text("--out"), audit.as_os_str()]);
    ask(&[text("audit"), pool.as_os_str(), text("--target"), text("1"), text("--out"), target.as_os_str()]);
}

#[test]
fn a_command_goes_on_from_what_it_left() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "echo attempt of $1\nif [ -e \"$3/checkpoint\" ]; then echo from \"$(cat \"$3/checkpoint\")\"; \
         if [ -e \"$3/logits.npy\" ]; then echo stale; exit 8; fi\nelse\n\
         echo epoch 7 > \"$3/checkpoint\"; cp a$1.npy \"$3/logits.npy\"; mkfifo \"$3/test_logits.npy\"; [ $1 != 0 ] || exit 3; rm \"$3/test_logits.npy\"\nfi\n{DONE}"
    );
    study(dir.path(), &["a"], &script);
    let said = compare(dir.path()).output().unwrap();
    assert!(code(&said) == 1 && words(&said).contains("ended with exit status: 3"), "{}", words(&said));
    let said = compare(dir.path()).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let folder = dir.path().join("out/models/a/0000/trainer");
    let log = std::fs::read_to_string(folder.join("log.txt")).unwrap();
    assert_eq!(log, "attempt of 0\n\n--- next attempt ---\nattempt of 0\nfrom epoch 7\n");
    let mut left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["checkpoint", "log.txt", "logits.npy", "mask.npy", "test_logits.npy"]);
}

fn left(script: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path(), &["a"], script);
    compare(dir.path()).output().unwrap()
}

#[test]
fn what_is_no_file_of_logits_is_named() {
    let either = |rest: &str| format!("{DONE}rm \"$3/logits.npy\"\n{rest}");
    for (script, wanted) in [
        (either(""), "left no logits.npy"),
        (either("mkfifo \"$3/logits.npy\""), "left logits.npy, which is a pipe"),
        (either("mkdir \"$3/logits.npy\""), "left logits.npy, which is a folder"),
        (either("ln -s \"$PWD/a$1.npy\" \"$3/logits.npy\""), "left logits.npy, which is a link"),
        (either("ln -s nowhere \"$3/logits.npy\""), "left logits.npy, which is a link"),
        (either("head -c 300 a$1.npy > \"$3/logits.npy\""), "left logits.npy, which is cut short"),
        (either("echo 1 2 3 > \"$3/logits.npy\""), "left logits.npy, which is neither"),
        (
            format!("{DONE}rm \"$3/test_logits.npy\"; mkfifo \"$3/test_logits.npy\""),
            "left test_logits.npy, which is a pipe",
        ),
    ] {
        let said = left(&script);
        assert!(code(&said) == 1 && words(&said).contains(wanted), "{script}{}", words(&said));
    }
}

#[test]
fn the_last_words_of_a_command_are_shown() {
    let said =
        left("for k in 1 2 3 4 5 6; do echo line $k; done\nprintf '\\033[31mToo \\007big\\033[0m\\n' >&2\nexit 1\n");
    let words = words(&said);
    assert_eq!(code(&said), 1);
    assert!(
        words.contains("log.txt, at its end:\n      line 3\n") && words.contains("line 6\n      Too big\n"),
        "{words:?}"
    );
    assert!(!words.contains("line 2"));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path(), &["a"], "");
    let text = std::fs::read_to_string(dir.path().join("study.toml")).unwrap();
    std::fs::write(dir.path().join("study.toml"), text.replace("sh train.sh", "./no-such-program")).unwrap();
    let said = compare(dir.path()).output().unwrap();
    let wanted = "cannot be started: ./no-such-program: No such file";
    assert!(code(&said) == 1 && words(&said).contains(wanted), "{}", words(&said));
}

#[test]
fn a_command_that_cannot_be_read_is_refused_with_the_study() {
    let dir = tempfile::tempdir().unwrap();
    study(dir.path(), &["a"], "");
    let text = std::fs::read_to_string(dir.path().join("study.toml")).unwrap();
    for (command, wanted) in [
        ("sh \"train.sh {mask} {out}", "opens the quote \" at character 4"),
        ("", "names no program"),
        (
            "sh train.sh {mask} {out} {sed}",
            "{sed} at character 26; there are {index}, {mask}, {seed}, {data}, {out}; did you mean `{seed}`?",
        ),
    ] {
        let other = text.replace("sh train.sh {index} {mask} {out} {data}", command);
        std::fs::write(dir.path().join("study.toml"), other).unwrap();
        let said = compare(dir.path()).output().unwrap();
        assert!(code(&said) == 2 && words(&said).contains(wanted), "{}", words(&said));
        assert!(words(&said).contains("line 7, column 1: recipe `a`: trainer = "), "{}", words(&said));
        assert!(!dir.path().join("out").exists());
    }
}
