//! The program from outside: resume after kill -9, workers, exit codes.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

mod common;
use common::{code, flatleak, results, small, words};

#[test]
fn workers_do_not_matter_and_a_run_extends() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    assert_eq!(code(&small(&one).args(["--workers", "1"]).output().unwrap()), 0);
    assert_eq!(code(&small(&two).args(["--workers", "2"]).output().unwrap()), 0);
    assert_eq!(results(&one), results(&two));
    let weights = one.join("models/sam/0001/weights.safetensors");
    let before = std::fs::metadata(&weights).unwrap().modified().unwrap();
    let more = small(&one).args(["--models", "8"]).output().unwrap();
    assert_eq!(code(&more), 2, "--models twice is refused");
    let mut extended = flatleak();
    extended.args(["compare", "--models", "8", "--pool", "60", "--epochs", "2", "--out"]).arg(&one);
    assert_eq!(code(&extended.output().unwrap()), 0);
    assert_eq!(std::fs::metadata(&weights).unwrap().modified().unwrap(), before);
    let extended = results(&one);
    assert_eq!(extended["recipes"][0]["models"], 8);
    let explain = &extended["explain"];
    assert_eq!(explain["memorization"].as_array().unwrap().len(), 3);
    assert!(explain["memorization"].as_array().unwrap().iter().all(|m| m["identity"]["holds"] == true));
    for link in explain["link"].as_array().unwrap() {
        assert!((-1.0..=1.0).contains(&link["correlation"]["mean"].as_f64().unwrap()));
    }
}

#[test]
fn models_are_added_until_it_is_settled_or_the_most_is_reached() {
    let dir = tempfile::tempdir().unwrap();
    let (out, plain) = (dir.path().join("until"), dir.path().join("plain"));
    let until = |more: &[&str]| {
        let mut command = flatleak();
        command.args(["compare", "--pool", "60", "--epochs", "1", "--until", "relevant", "--out"]).arg(&out).args(more);
        command.output().unwrap()
    };
    let done = until(&["--models", "30"]);
    assert_eq!(code(&done), 0);
    let found = results(&out);
    // Sixty examples settle nothing: looks at 16 and 24, and 32 are more than was allowed.
    assert_eq!(found["recipes"][0]["models"], 24);
    let note = found["notes"][0].as_str().unwrap();
    assert!(note.contains("looks at 16, 24 models") && note.ends_with("no further look is planned"), "{note}");
    let alpha = found["family"]["alpha"].as_f64().unwrap();
    assert!((alpha - 0.05 * 4.0 / 128.0).abs() < 1e-12);
    // The same models looked at once give the same estimates, and narrower intervals.
    let mut once = flatleak();
    once.args(["compare", "--pool", "60", "--epochs", "1", "--models", "24", "--out"]).arg(&plain);
    assert_eq!(code(&once.output().unwrap()), 0);
    let once = results(&plain);
    let at = |d: &serde_json::Value, k: &str| d["comparisons"][0]["points"][0]["difference"][k].as_f64().unwrap();
    assert_eq!(at(&found, "mean"), at(&once, "mean"));
    assert!(at(&found, "low") < at(&once, "low") && at(&found, "high") > at(&once, "high"));
    // A budget that is spent ends it after the first look; results are those of that look.
    let short = until(&["--budget", "0.01s"]);
    assert_eq!(code(&short), 0);
    let found = results(&out);
    assert_eq!(found["recipes"][0]["models"], 16);
    assert!(found["notes"][0].as_str().unwrap().contains("budget of time"));
    for wrong in [
        &["--budget", "0h"][..],
        &["--budget", "2"],
        &["--relevant", "auc=0"],
        &["--relevant", "tpr=50%"],
        &["--quick"],
        &["--models", "8"],
    ] {
        assert_eq!(code(&until(wrong)), 2, "{wrong:?}");
    }
}

#[test]
fn killed_at_every_point_it_resumes_to_the_same_results() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    assert_eq!(code(&small(&whole).output().unwrap()), 0);
    let out = dir.path().join("killed");
    let mut kills = 0;
    let points = ["weights-write", "weights-rename", "signals-write", "signals-rename"];
    let training = points.iter().flat_map(|p| (1..=4).map(move |n| format!("{p}:{n}")));
    let later = ["analysis", "results-write", "report-write", "report-rename"].iter().map(|p| format!("{p}:1"));
    for at in training.chain(later) {
        let _ = std::fs::remove_dir_all(&out);
        let mark = dir.path().join("mark");
        let _ = std::fs::remove_file(&mark);
        let mut child = small(&out)
            .env("FLATLEAK_PAUSE_AT", &at)
            .env("FLATLEAK_PAUSE_MARK", &mark)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while !mark.exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "never came to {at}");
            std::thread::sleep(Duration::from_millis(5));
        }
        // SIGKILL on Unix.
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let complete: Vec<_> = ["sgd", "sgd-2x", "sam"]
            .iter()
            .flat_map(|r| (0..6).map(move |m| format!("models/{r}/{m:04}/weights.safetensors")))
            .map(|name| out.join(name))
            .filter(|p| p.exists())
            .map(|p| (std::fs::metadata(&p).unwrap().modified().unwrap(), p))
            .collect();
        assert_eq!(code(&small(&out).output().unwrap()), 0, "{at}");
        assert_eq!(results(&out), results(&whole), "{at}");
        for (time, path) in complete {
            assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), time, "retrained after {at}: {path:?}");
        }
    }
    println!("{kills} kills");
    assert_eq!(kills, 20);
}

#[test]
fn damage_is_trained_anew() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(code(&small(dir.path()).output().unwrap()), 0);
    let before = results(dir.path());
    for name in ["models/sgd/0000/weights.safetensors", "models/sam/0002/signals.safetensors"] {
        let path = dir.path().join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(code(&small(dir.path()).output().unwrap()), 0);
    assert_eq!(results(dir.path()), before);
}

#[test]
fn mistakes_have_their_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    let study = |text: &str| {
        let path = dir.path().join("study.toml");
        std::fs::write(&path, text).unwrap();
        path
    };
    let check = |command: &mut Command, want: i32, words: &str| {
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), want, "{text}");
        assert!(text.contains(words) && !text.contains("panicked"), "{text}");
    };
    check(small(&run).args(["--seed", "1"]), 2, "seed 0 there, 1 here");
    check(flatleak().arg("compare").arg(study("modles = 4")), 2, "did you mean `models`?");
    check(flatleak().args(["compare", "--models", "7"]), 2, "models = 7");
    check(flatleak().args(["compare", "--pool", "999999"]), 3, "999999");
    check(flatleak().args(["compare", "--data", "no-such-data"]), 3, "no-such-data");
    check(flatleak().args(["compare", "--arch", "resnet9000"]), 2, "resnet9000");
    check(flatleak().args(["report", "/nowhere/at/all"]), 3, "cannot read");
    check(flatleak().args(["compare", "--arch", "vgg11", "--data", "digits"]), 2, "cannot halve an image of 1 x 1");
    let single = "[model]\npreset = 'resnet8'\nwidth = 0.25\n[train]\nbatch = 1\n";
    check(flatleak().arg("compare").arg(study(single)), 2, "batch = 1 with batch norm");
    let wide = "[model]\nlayers = ['flatten', 'linear']\nwidth = 0.5\n";
    check(flatleak().arg("compare").arg(study(wide)), 2, "`width` beside `layers`");
    check(flatleak().arg("compare").arg(study("[model]\nwidth = -1.0\n")), 2, "width = -1");
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    check(small(&file.join("below")).env("LC_ALL", "C"), 7, "cannot create");
    let text =
        "models = 6\npool = 60\n[train]\nepochs = 2\n[[recipe]]\nname = 'ok'\n[[recipe]]\nname = 'wild'\nlr = 1e5\n";
    let out = dir.path().join("diverged");
    check(flatleak().arg("compare").arg(study(text)).arg("--out").arg(&out), 4, "recipe wild diverged");
    assert_eq!(results(&out)["recipes"][0]["name"], "ok");
}

/// Four small IDX files; returns the directory.
fn idx(dir: &Path) -> std::path::PathBuf {
    let to = dir.join("idx");
    std::fs::create_dir_all(&to).unwrap();
    for (split, n) in [("train", 80u32), ("t10k", 20)] {
        let mut images = vec![0, 0, 8, 3];
        images.extend([n, 4, 4].iter().flat_map(|v| v.to_be_bytes()));
        images.extend((0..n * 16).map(|i| (i * 37 % 251) as u8));
        std::fs::write(to.join(format!("{split}-images-idx3-ubyte")), images).unwrap();
        let mut labels = vec![0, 0, 8, 1];
        labels.extend(n.to_be_bytes());
        labels.extend((0..n).map(|i| (i % 3) as u8));
        std::fs::write(to.join(format!("{split}-labels-idx1-ubyte")), labels).unwrap();
    }
    to
}

#[test]
fn damaged_idx_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let data = idx(dir.path());
    let run = |words: &str, want: i32| {
        let mut command = flatleak();
        command.args(["compare", "--models", "6", "--epochs", "1", "--data"]).arg(&data);
        let output = command.arg("--out").arg(dir.path().join("run")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), want, "{text}");
        assert!(text.contains(words) && !text.contains("panicked"), "{text}");
        assert!(want == 0 || !dir.path().join("run/results.json").exists());
    };
    let images = data.join("train-images-idx3-ubyte");
    let whole = std::fs::read(&images).unwrap();
    std::fs::write(&images, &whole[..whole.len() - 5]).unwrap();
    run("train-images-idx3-ubyte", 3);
    let mut magic = whole.clone();
    magic[2] = 9;
    std::fs::write(&images, magic).unwrap();
    run("train-images-idx3-ubyte", 3);
    std::fs::write(&images, &whole).unwrap();
    run("", 0);
}

/// A file system of one megabyte, where the machine lets a test mount one: the run stops with code 7, leaves no half
/// artefact, and goes on once there is room.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = |size: &str, options: &str| {
        let all = format!("{options}size={size}");
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", &all, "tmpfs"])
            .arg(&disk)
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !mount("3m", "") {
        println!("skipped: this machine does not let a test mount a file system");
        return;
    }
    let out = disk.join("run");
    let output = small(&out).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let left: Vec<_> = walk(&disk).into_iter().filter(|p| p.extension().is_some_and(|e| e == "tmp")).collect();
    let complete = walk(&disk).into_iter().filter(|p| p.ends_with("weights.safetensors")).count();
    let roomy = mount("64m", "remount,");
    let resumed = small(&out).output().unwrap();
    let found = (code(&resumed) == 0).then(|| results(&out));
    Command::new("umount").arg(&disk).status().unwrap();
    assert_eq!(code(&output), 7, "{text}");
    assert!(text.contains("No space left"), "{text}");
    assert!(left.is_empty() && complete > 0, "{left:?} {complete}");
    assert!(roomy);
    let whole = dir.path().join("whole");
    assert_eq!(code(&small(&whole).output().unwrap()), 0);
    assert_eq!(found, Some(results(&whole)));
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] }).collect()
}

#[test]
fn data_is_fetched_verified_and_never_half_there() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let data = |args: &[&str]| {
        let output = flatleak().arg("data").args(args).env("FLATLEAK_DATA", &cache).output().unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (code(&output), text(&output.stdout) + &text(&output.stderr))
    };
    let folder = dir.path().join("cifar");
    std::fs::create_dir(&folder).unwrap();
    let records: Vec<u8> = (0..40u8).flat_map(|i| [vec![i % 20, i % 3], vec![i; 3072]].concat()).collect();
    std::fs::write(folder.join("train.bin"), &records).unwrap();
    let from = format!("file://{}", folder.display());
    let (exit, text) = data(&["fetch", "cifar-100", "--from", &from]);
    assert!(exit == 3 && text.contains("no test.bin"), "{text}");
    assert!(!cache.join("cifar-100").exists() && !cache.join(".cifar-100.part").exists());
    std::fs::write(folder.join("test.bin"), &records[..3074 * 10]).unwrap();
    let (exit, text) = data(&["fetch", "cifar-100", "--from", &from]);
    assert!(exit == 0 && text.contains("no SHA-256 is known"), "{text}");
    assert_eq!(data(&["verify", "cifar-100"]).0, 0);
    let (exit, text) = data(&["info", "cifar-100", "--sheet", dir.path().join("sheet.png").to_str().unwrap()]);
    assert!(exit == 0 && text.contains("40 examples") && text.contains("superclass 3"), "{text}");
    assert!(std::fs::read(dir.path().join("sheet.png")).unwrap().starts_with(b"\x89PNG"));
    std::fs::write(cache.join("cifar-100/test.bin"), &records[..3074 * 9]).unwrap();
    let (exit, text) = data(&["verify", "cifar-100"]);
    assert!(exit == 3 && text.contains("is expected"), "{text}");

    let table = dir.path().join("mine.csv");
    std::fs::write(&table, (0..30).map(|i| format!("{i},{}\n", i % 2)).collect::<String>()).unwrap();
    assert_eq!(data(&["import", table.to_str().unwrap(), "--name", "mine"]).0, 0);
    assert!(data(&["info", "mine"]).1.contains("24 examples"));
    let zeros = "0".repeat(64);
    let (exit, text) = data(&["fetch", "purchase-100", "--from", table.to_str().unwrap(), "--sha256", &zeros]);
    assert!(exit == 3 && text.contains(&zeros) && !cache.join("purchase-100").exists(), "{text}");
    assert_eq!(data(&["fetch", "texas-100"]).0, 3);
    assert_eq!(data(&["import", table.to_str().unwrap(), "--name", "../up"]).0, 3);
    let list = data(&["list"]).1;
    assert!(list.contains("cifar-100             here") && list.contains("cifar-10              to fetch"), "{list}");
}

#[test]
fn several_data_sets_are_reported_apart_and_together() {
    let dir = tempfile::tempdir().unwrap();
    let run = || {
        let mut c = flatleak();
        c.args(["compare", "--models", "6", "--epochs", "2", "--pool", "80", "--data", "digits"]);
        c.args(["--data", "subpopulations+clusters=3", "--data", "fashion-mnist-small", "--out"]).arg(dir.path());
        c.output().unwrap()
    };
    let output = run();
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("== digits") && text.contains("3 data sets"), "{text}");
    let all = results(dir.path());
    let recipes = all["recipes"].as_array().unwrap();
    assert_eq!(recipes.len(), 9);
    let groups = all["explain"]["groups"].as_array().unwrap();
    assert_eq!(groups.iter().filter(|g| g["recipe"] == "sam").count(), 3);
    assert_eq!(all["study"]["datasets"][2]["pool"], 80);
    let pooled = all["pooled"].as_array().unwrap();
    assert!(pooled.iter().any(|p| p["metric"] == "rmia.auc" && p["datasets"] == 3));
    let page = std::fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(page.contains("Over all data sets") && page.contains("Data set: digits"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 5, "three folders, results and report");
    assert_eq!(code(&run()), 0);
    assert_eq!(results(dir.path()), all);
}

/// Augmentation changes what is learnt, queries only what the attacks see: from one run to the other the weights stay and the
/// signals are made anew.
#[test]
fn augmentation_and_query_views() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let study = dir.path().join("study.toml");
    let run = |text: &str| {
        std::fs::write(&study, format!("models = 6\npool = 80\ndata = 'digits'\n{text}")).unwrap();
        let output = flatleak().args(["-q", "compare"]).arg(&study).arg("--out").arg(&out).output().unwrap();
        (code(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let train = "[train]\nepochs = 2\nbatch = 32\naugment = ['crop 1', 'mirror', 'cutout 3']\n";
    assert_eq!(run(train), (0, String::new()));
    let weights = out.join("models/sam/0001/weights.safetensors");
    let time = || std::fs::metadata(&weights).unwrap().modified().unwrap();
    let (before, plain) = (time(), results(&out));
    assert_eq!(run(&format!("queries = 18\n{train}")).0, 0);
    assert_eq!(time(), before);
    let wide = results(&out);
    assert_eq!((&wide["study"]["queries"], &plain["study"]["queries"]), (&18.into(), &1.into()));
    assert_eq!(
        wide["recipes"][0]["test_accuracy"], plain["recipes"][0]["test_accuracy"],
        "accuracy is of the plain view"
    );
    assert_ne!(wide["recipes"][0]["attacks"], plain["recipes"][0]["attacks"]);
    assert_eq!(run(train).0, 0);
    assert_eq!(results(&out), plain);
    let (exit, text) = run("[train]\nepochs = 2\naugment = ['crop 1']\n");
    assert!(exit == 2 && text.contains("other settings"), "{text}");
    let (exit, text) = run("[train]\naugment = ['crop 8']\n");
    assert!(exit == 2 && text.contains("augment `crop 8` does not fit digits"), "{text}");
}

#[test]
fn one_run_is_measured_at_several_epochs() {
    let dir = tempfile::tempdir().unwrap();
    let study = "models = 6\npool = 60\ntest = 30\ndata = 'fashion-mnist-small+canaries=20'\n[[recipe]]\nname = 'sgd'\nepochs = 3\nmeasure_at = [1, 2]\n\
        [[recipe]]\nname = 'private'\noptimizer = 'dp-sgd'\nepochs = 1\nbatch = 10\n";
    std::fs::write(dir.path().join("s.toml"), study).unwrap();
    let run = || flatleak().current_dir(dir.path()).args(["compare", "s.toml", "--out", "o"]).output().unwrap();
    let said = run();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let whole = |out: &std::path::Path| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(out.join("results.json")).unwrap()).unwrap()
    };
    let found = whole(&dir.path().join("o"));
    let recipes = found["recipes"].as_array().unwrap();
    let at: Vec<(&str, u64)> =
        recipes.iter().map(|r| (r["name"].as_str().unwrap(), r["checkpoint"].as_u64().unwrap())).collect();
    assert_eq!(at, [("sgd", 3), ("sgd-at1", 1), ("sgd-at2", 2), ("private", 1)]);
    let settings = found["study"]["recipes"][3]["settings"].as_str().unwrap();
    assert!(settings.contains("epsilon") && settings.contains("while the seed is secret"), "{settings}");
    assert_eq!(found["timings"]["trained"], 24);
    // No attack shows more than what is guaranteed, canaries in the pool or not.
    let epsilon: f64 = settings.split("epsilon ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    for attack in recipes[3]["attacks"].as_array().unwrap() {
        let shown = attack["nominal_epsilon"].as_f64().unwrap();
        assert!((0.0..epsilon).contains(&shown), "{}: {shown} of {epsilon}", attack["name"]);
    }
    // Shadows of every recipe against targets of every recipe; where they are the same it is the attack itself.
    let crossed = found["mismatch"].as_array().unwrap();
    assert_eq!(crossed.len(), 2 * 4 * 4);
    for recipe in recipes {
        let own = |c: &&serde_json::Value| c["shadows"] == recipe["name"] && c["targets"] == recipe["name"];
        for cell in crossed.iter().filter(own) {
            let attack = recipe["attacks"].as_array().unwrap().iter().find(|a| a["name"] == cell["attack"]).unwrap();
            let (a, b) = (attack["auc"]["mean"].as_f64().unwrap(), cell["auc"].as_f64().unwrap());
            assert!((a - b).abs() < 1e-12, "{cell}");
        }
    }
    // The longer run is the shorter one's continuation.
    let weights =
        |recipe: &str| std::fs::read(dir.path().join(format!("o/models/{recipe}/0000/weights.safetensors"))).unwrap();
    assert_ne!(weights("sgd-at1"), weights("sgd-at2"));
    // What is missing of a run is made again by that run, what is there is kept.
    std::fs::remove_dir_all(dir.path().join("o/models/sgd-at2/0000")).unwrap();
    let (kept, before) = (weights("sgd"), std::fs::read(dir.path().join("o/results.json")).unwrap());
    let said = run();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let again = whole(&dir.path().join("o"));
    assert_eq!((&again["timings"]["trained"], &again["timings"]["reused"]), (&1.into(), &23.into()));
    assert_eq!(again["recipes"], found["recipes"]);
    assert!(weights("sgd") == kept && !before.is_empty());

    let over = study.replace("batch = 10", "batch = 10\nbudget = 0.1");
    std::fs::write(dir.path().join("s.toml"), over).unwrap();
    let said = flatleak().current_dir(dir.path()).args(["compare", "s.toml", "--out", "p"]).output().unwrap();
    assert!(code(&said) == 2 && words(&said).contains("above budget = 0.1"), "{}", words(&said));
    assert!(!dir.path().join("p").exists(), "refused before anything is trained");
}
