//! Defences beside each other, and their losses against PyTorch (`tests/make_losses.py`).

use super::*;
use crate::methods::Sgd;

fn numbers_by_key(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

fn set(pairs: &[(&str, f64)]) -> Defences {
    Defences::take(&mut numbers_by_key(pairs)).unwrap()
}

#[test]
fn a_strength_of_0_is_without() {
    assert_eq!(set(&[("mixup", 0.0), ("hamp_entropy", 0.0), ("labels_only", 0.0)]), Defences::default());
    let some = set(&[("mixup", 0.5), ("hamp", 0.25), ("hamp_entropy", 0.0), ("top_k", 3.0)]);
    assert_eq!(some.values(), [("mixup", 0.5), ("hamp", 0.25), ("top_k", 3.0)]);
    assert_eq!(some.in_training().values(), [("mixup", 0.5), ("hamp", 0.25)]);
    // What is no defence stays.
    let mut given = numbers_by_key(&[("rho", 0.1), ("mixup", 0.5)]);
    Defences::take(&mut given).unwrap();
    assert_eq!(given, numbers_by_key(&[("rho", 0.1)]));
}

#[test]
fn what_is_published_says_as_much_as_it_should() {
    let softmax = |z: &[f32]| {
        let all: f64 = z.iter().map(|z| f64::from(*z).exp()).sum();
        z.iter().map(|z| f64::from(*z).exp() / all).collect::<Vec<f64>>()
    };
    let z = [0.5f32, 3.0, -1.0, 2.5, 60.0, 60.0, -60.0, 0.0];
    let publish = |d: Defences, random: &[f32]| {
        let mut out = z;
        d.publish(&mut out, 4, random);
        out
    };
    assert_eq!(publish(set(&[("temperature", 1.0)]), &[]), z);
    assert_eq!(publish(set(&[("top_k", 4.0)]), &[]), z);
    let warm = publish(set(&[("temperature", 2.0)]), &[]);
    assert!(warm.iter().zip(&z).all(|(a, b)| *a == b / 2.0));
    let top = publish(set(&[("top_k", 2.0)]), &[]);
    for (found, own) in top.chunks(4).map(softmax).zip(z.chunks(4).map(softmax)) {
        let mut order: Vec<usize> = (0..4).collect();
        order.sort_by(|a, b| own[*b].total_cmp(&own[*a]));
        let rest = (own[order[2]] + own[order[3]]) / 2.0;
        for (rank, &j) in order.iter().enumerate() {
            let wanted = if rank < 2 { own[j] } else { rest };
            assert!((found[j] / wanted - 1.0).abs() < 1e-5, "{}, not {wanted}", found[j]);
        }
    }
    assert_eq!(publish(set(&[("labels_only", 1.0)]), &[]), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    let random = [1.0, 2.0, 3.0, 4.0, 0.1, 0.4, 0.3, 0.2];
    let swapped = publish(set(&[("hamp_outputs", 1.0)]), &random);
    assert_eq!(swapped, [2.0, 4.0, 1.0, 3.0, 0.4, 0.3, 0.1, 0.2]);
}

/// Gradients with respect to logits beside PyTorch's (`tests/make_losses.py`).
#[test]
fn losses_and_gradients_are_pytorchs() {
    let f: serde_json::Value = serde_json::from_str(include_str!("../../tests/losses.json")).unwrap();
    let numbers = |v: &serde_json::Value| v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
    let labels: Vec<u32> = numbers(&f["labels"]).into_iter().map(|v| v as u32).collect();
    let logits: Vec<f32> = f["logits"].as_array().unwrap().iter().flat_map(numbers).map(|v| v as f32).collect();
    let smooth = set(&[("label_smoothing", 0.1)]);
    for (case, defences, epoch) in [
        ("cross-entropy", Defences::default(), 0),
        ("label-smoothing", smooth, 0),
        ("mixup", set(&[("mixup", 1.0)]), 0),
        ("confidence-penalty", set(&[("confidence_penalty", 0.3)]), 0),
        ("relaxloss-descent", set(&[("relaxloss", 0.5)]), 1),
        ("relaxloss-ascent", set(&[("relaxloss", 8.0)]), 1),
        ("relaxloss-flatten", set(&[("relaxloss", 8.0)]), 0),
        ("relaxloss-flatten-upper", set(&[("relaxloss", 8.0), ("relaxloss_upper", 0.3)]), 0),
        ("hamp", set(&[("hamp", 0.6), ("hamp_entropy", 0.05)]), 0),
    ] {
        let wanted = &f["cases"][case];
        let mixed = (case == "mixup").then(|| {
            let order = numbers(&wanted["parameters"]["permutation"]);
            (order.into_iter().map(|k| labels[k as usize]).collect(), 0.3)
        });
        let objective = defences.objective(5, epoch, mixed);
        let (mut found, mut losses) = (logits.clone(), vec![0.0; 7]);
        let loss = flatleak_kernel::loss::gradient(&mut found, &labels, 5, &objective, &mut losses);
        // HAMP's divergence is the cross entropy less the entropy of its targets.
        let constant = if case == "hamp" { 0.6 * 5f64.ln() } else { 0.0 };
        let value = wanted["value"].as_f64().unwrap();
        assert!((loss - constant - value).abs() < 1e-5, "{case}: {loss}, not {value}");
        let gradient = wanted["gradient"].as_array().unwrap().iter().flat_map(numbers);
        for (at, (a, b)) in found.iter().zip(gradient).enumerate() {
            assert!((f64::from(*a) - b).abs() < 1e-6, "{case} at {at}: {a}, not {b}");
        }
        assert!(
            (losses.iter().sum::<f64>() / 7.0 - f["cases"]["cross-entropy"]["value"].as_f64().unwrap()).abs() < 1e-5
        );
    }
}

#[test]
fn what_excludes_each_other_is_refused() {
    let with = |pairs: &[(&str, f64)]| {
        let defences = Defences::take(&mut numbers_by_key(pairs))?;
        defences.check(&Optimizer::Sgd(Sgd {})).map(|()| defences)
    };
    assert!(with(&[("mixup", 0.2), ("label_smoothing", 0.1), ("confidence_penalty", 0.1)]).is_ok());
    for (pairs, what) in [
        ([("relaxloss", 1.0), ("hamp", 0.5)], "exclude"),
        ([("relaxloss", 1.0), ("mixup", 0.5)], "exclude"),
        ([("relaxloss", 1.0), ("label_smoothing", 0.5)], "both set the targets"),
        ([("labels_only", 1.0), ("top_k", 2.0)], "does not publish"),
        ([("labels_only", 0.5), ("mixup", 2.0)], "whole number"),
        ([("hamp_entropy", 1.0), ("mixup", 0.5)], "without hamp"),
        ([("label_smoothing", 1.5), ("mixup", 0.5)], "out of range"),
    ] {
        assert!(with(&pairs).unwrap_err().to_string().contains(what), "{pairs:?}");
    }
}
