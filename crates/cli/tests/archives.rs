//! Archives and folders of arrays, and files that hold code.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};
use std::process::Output;

mod common;
use common::world::{C, M, N, World, alike, aucs, reordered};
use common::{code, flatleak, floats, npy, results, words};

/// Files that hold code are refused with the lines that convert them.
#[test]
fn pickles_are_refused_with_two_lines() {
    let world = World::new(C);
    let plain = world.plain();
    let pickle = [world.put("p.pkl", b"\x80\x04\x95\x10\0\0\0\0\0\0\0stuff"), plain[1].clone(), plain[2].clone()];
    assert!(world.refused("logits", &pickle).contains("pickle.load"));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("archive/data.pkl", zip::write::SimpleFileOptions::default()).unwrap();
    let torch = [world.put("p.pt", &zip.finish().unwrap().into_inner()), plain[1].clone(), plain[2].clone()];
    assert!(world.refused("logits", &torch).contains("torch.load"));
    let explained = flatleak().arg("explain").arg(&torch[0]).output().unwrap();
    assert!(code(&explained) == 3 && words(&explained).contains("torch.load"), "{}", words(&explained));
}

fn archive(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn audit_of(places: &[PathBuf], out: &Path) -> Output {
    flatleak().arg("audit").args(places).arg("--out").arg(out).output().unwrap()
}

/// Archives and folders whose arrays have the names that people give them.
#[test]
fn arrays_are_found_by_their_names() {
    let world = World::new(C);
    let plain = world.plain();
    let (_, out) = world.audit("logits", &plain, &[]);
    let wanted = aucs(&out);
    let [logits, labels, membership] = plain.each_ref().map(|path| std::fs::read(path).unwrap());
    let turned: Vec<u8> = world.member.iter().map(|m| u8::from(*m)).collect();
    let masks = npy("|b1", &[N, M], &reordered(&turned, &[M, N], &[1, 0]));
    let named = |name: &str, arrays: &[(&str, Vec<u8>)]| {
        let dir = world.dir.path().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        arrays.iter().for_each(|(n, bytes)| std::fs::write(dir.join(format!("{n}.npy")), bytes).unwrap());
        dir
    };
    let own = [("logits", logits.clone()), ("labels", labels.clone()), ("membership", membership.clone())];
    let leak_pro = [("shadow_logits", logits.clone()), ("targets", labels.clone()), ("in_indices_masks", masks)];
    let per_model = named("trained", &[("labels", labels.clone()), ("membership", membership.clone())]);
    for (m, model) in world.logits.chunks(N * C).enumerate() {
        let one = archive(&[("logits", npy("<f8", &[N, C], &floats(model)))]);
        std::fs::write(per_model.join(format!("model_{m:04}.npz")), one).unwrap();
    }
    for place in [
        world.put("pool.npz", &archive(&own)),
        world.put("leakpro.npz", &archive(&leak_pro)),
        named("own", &own),
        named("leakpro", &leak_pro),
        per_model.clone(),
    ] {
        let _ = std::fs::remove_dir_all(&out);
        let said = audit_of(std::slice::from_ref(&place), &out);
        assert!(code(&said) == 0 && alike(&aucs(&out), &wanted), "{}: {}", place.display(), words(&said));
    }
    // Two pools are compared, model by model.
    let _ = std::fs::remove_dir_all(&out);
    let said = audit_of(&[world.put("a.npz", &archive(&own)), named("b", &own)], &out);
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert_eq!(results(&out)["comparisons"][0]["pairing"], "paired");
    // What is missing is named.
    let _ = std::fs::remove_dir_all(&out);
    let lacks = audit_of(&[world.put("pool.npz", &archive(&own[..2]))], &out);
    assert!(
        code(&lacks) == 3 && words(&lacks).contains("no membership: call it one of membership"),
        "{}",
        words(&lacks)
    );
    let both = [&own[..], &[("loss", logits.clone())]].concat();
    let several = audit_of(&[world.put("pool.npz", &archive(&both))], &out);
    assert!(code(&several) == 3 && words(&several).contains("(logits, loss)"), "{}", words(&several));
    std::fs::remove_file(per_model.join("model_0003.npz")).unwrap();
    let gap = audit_of(&[per_model], &out);
    assert!(code(&gap) == 3 && words(&gap).contains("membership of 12 models, but outputs of 3"), "{}", words(&gap));
}

/// Names in another case and other words of the field; what is there is named where nothing is found; advice speaks of arrays.
#[test]
fn names_in_any_case_and_of_other_words() {
    let world = World::new(C);
    let plain = world.plain();
    let (_, out) = world.audit("logits", &plain, &[]);
    let wanted = aucs(&out);
    let [logits, labels, membership] = plain.each_ref().map(|path| std::fs::read(path).unwrap());
    let probabilities = npy("<f8", &[M, N, C], &floats(&world.probabilities()));
    let audited = |arrays: &[(&str, &Vec<u8>)]| {
        let arrays: Vec<(&str, Vec<u8>)> = arrays.iter().map(|(name, bytes)| (*name, (*bytes).clone())).collect();
        let _ = std::fs::remove_dir_all(&out);
        audit_of(&[world.put("pool.npz", &archive(&arrays))], &out)
    };
    for arrays in [
        [("Logits", &logits), ("y_true", &labels), ("Membership", &membership)],
        [("probas", &probabilities), ("Y_True", &labels), ("is_member", &membership)],
        [("PROBA", &probabilities), ("label_ids", &labels), ("in_train", &membership)],
    ] {
        let said = audited(&arrays);
        assert!(code(&said) == 0 && alike(&aucs(&out), &wanted), "{}: {}", arrays[0].0, words(&said));
    }
    let folder = world.dir.path().join("cased");
    std::fs::create_dir(&folder).unwrap();
    for (name, bytes) in [("Logits.npy", &logits), ("Labels.npy", &labels), ("KEEP.npy", &membership)] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let _ = std::fs::remove_dir_all(&out);
    let said = audit_of(&[folder], &out);
    assert!(code(&said) == 0 && alike(&aucs(&out), &wanted), "{}", words(&said));
    let refused = |arrays: &[(&str, &Vec<u8>)], parts: &[&str]| {
        let said = audited(arrays);
        let text = words(&said);
        assert!(code(&said) == 3 && !text.contains("--l") && !text.contains("--p"), "{text}");
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    };
    let rest = [("labels", &labels), ("keep", &membership)];
    // Predictions may be logits, probabilities or classes.
    refused(&[("preds", &logits), rest[0], rest[1]], &["the arrays are `preds`, `labels`, `keep`"]);
    refused(&[("logits", &logits), rest[0], ("who", &membership)], &["no membership", "`logits`, `labels`, `who`"]);
    refused(&[("logits", &logits), ("Logits", &logits), rest[0], rest[1]], &["logits and Logits"]);
    refused(&[("logits", &probabilities), rest[0], rest[1]], &["give it as an array `probabilities`"]);
    let turned: Vec<f64> = world.logits.chunks(C).flat_map(|z| [z[1], z[0], z[3], z[2]]).collect();
    let turned = npy("<f8", &[M, N, C], &floats(&turned));
    refused(&[("logits", &turned), rest[0], rest[1]], &["logits[..., [1, 0, 3, 2]]", "an array `loss`"]);
}

/// A folder in which not all models were trained to the end.
#[test]
fn models_of_different_epochs_are_refused() {
    let world = World::new(C);
    world.plain();
    let dir = world.dir.path().join("lira");
    for m in 0..M {
        let folder = dir.join(format!("experiment-{m}_{M}"));
        std::fs::create_dir_all(folder.join("logits")).unwrap();
        let keep: Vec<u8> = world.member[m * N..(m + 1) * N].iter().map(|k| u8::from(*k)).collect();
        std::fs::write(folder.join("keep.npy"), npy("|b1", &[N], &keep)).unwrap();
        let epoch = if m == 4 { 20 } else { 100 };
        let logits = npy("<f8", &[N, 1, 1, C], &floats(&world.logits[m * N * C..(m + 1) * N * C]));
        std::fs::write(folder.join(format!("logits/{epoch:010}.npy")), logits).unwrap();
    }
    std::fs::copy(world.dir.path().join("labels.npy"), dir.join("y_train.npy")).unwrap();
    let out = world.dir.path().join("out");
    let said = audit_of(std::slice::from_ref(&dir), &out);
    assert!(code(&said) == 3 && words(&said).contains("epoch 20 as the last of model 4"), "{}", words(&said));
    // Finished, as the message advises, it is read.
    let logits = dir.join(format!("experiment-4_{M}/logits"));
    std::fs::rename(logits.join("0000000020.npy"), logits.join("0000000100.npy")).unwrap();
    assert_eq!(code(&audit_of(&[dir], &out)), 0);
}
