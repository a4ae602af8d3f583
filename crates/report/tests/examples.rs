//! Single examples by hand: which come first on the page, and what stands in every column of `exposure.csv`.
#![allow(clippy::unwrap_used)] // a failed set-up is a failed test

use flatleak_explain::pairs::{Pair, Pairs};
use flatleak_report::columns::{Names, exposure};
use flatleak_report::csv;
use flatleak_report::explorer::Explorer;
use flatleak_stats::Interval;
use flatleak_verdict::{Detail, FAMILY};

fn interval(mean: f64) -> Interval {
    Interval { mean, low: mean - 0.25, high: mean + 0.125 }
}

fn pair(train: u32, test: u32, influence: f32) -> Pair {
    let interval = interval(f64::from(influence));
    Pair { train, test, influence, standard_error: 0.1, interval, p_value: 0.5, q_value: 1.0 }
}

/// Three examples, the rows 11, 21 and 31 of their source: rates of right calls of the attack of headlines, and memorization.
fn detail(recipe: &str, calls: [f64; 3], memorization: [f64; 3]) -> Detail {
    Detail {
        recipe: recipe.into(),
        ids: vec![10, 20, 30],
        labels: Some(vec![1, 0, 1]),
        memorization: memorization.to_vec(),
        standard_errors: vec![0.5; 3],
        intervals: memorization.map(interval).to_vec(),
        soft: None,
        exposure: vec![(FAMILY[0], calls.map(interval).to_vec()), (FAMILY[2], [0.5; 3].map(interval).to_vec())],
        pairs: None,
    }
}

/// The last example helps four held-out ones, of which three are told.
fn details() -> [Detail; 2] {
    let first = detail("a", [0.5, 0.75, 0.75], [0.0, 0.25, 0.5]);
    let per_test = vec![vec![pair(2, 0, 0.25), pair(0, 0, 0.125)], vec![pair(2, 1, 0.5)], vec![pair(2, 2, 0.25)]];
    let per_test = per_test.into_iter().chain([vec![pair(2, 3, 0.125)]]).collect();
    let pairs = Pairs { per_test, overall: Vec::new(), high: 0, discovered: None, entropy: vec![None; 4] };
    [Detail { pairs: Some(pairs), ..first }, detail("b", [1.0, 0.25, 0.25], [0.0, 0.0, 0.0])]
}

fn with_names<T>(act: impl FnOnce(&Names<'_>) -> T) -> T {
    act(&Names {
        class: &|label| ["cat", "dog, large"][label as usize].into(),
        source: &|_, i| ["x/1.png", "=2.png", "row 31"][i].into(),
        group: &|i| (i == 1).then(|| "rare".into()),
        test_label: &|_, test| (test < 3).then_some(test as u32 % 2),
    })
}

#[test]
fn the_most_exposed_come_first_and_keep_what_is_known_of_them() {
    let picture = |i: usize| (i == 0).then(|| "c2VjcmV0".to_owned());
    let found = with_names(|names| Explorer::of(&details(), names, &picture)).unwrap();
    assert_eq!((found.recipes, found.pool), (vec!["a".to_owned(), "b".into()], 3));
    assert_eq!(found.attacks, [FAMILY[0].name(), FAMILY[2].name()]);
    // By the largest rate under any recipe (1, .75, .75), then by memorization (0, .25, .5).
    assert_eq!(found.examples.iter().map(|e| e.index).collect::<Vec<_>>(), [10, 30, 20]);
    let [first, second, third] = &found.examples[..] else { panic!("three examples") };
    assert_eq!((&*first.class, &*first.source, first.picture.as_deref()), ("dog, large", "x/1.png", Some("c2VjcmV0")));
    assert_eq!((&*third.class, third.group.as_deref(), third.picture.as_deref()), ("cat", Some("rare"), None));
    let calls = first.recipes["b"].calls[0].unwrap();
    assert_eq!([calls.mean, calls.low, calls.high], [1.0, 0.75, 1.125]);
    let memorization = second.recipes["a"].memorization;
    assert_eq!([memorization.mean, memorization.low, memorization.high], [0.5, 0.25, 0.625]);
    let helps = &second.recipes["a"].helps;
    let told: Vec<_> = helps.iter().map(|h| (h.test, h.class.as_str(), h.influence)).collect();
    assert_eq!(told, [(1, "dog, large", 0.5), (0, "cat", 0.25), (2, "cat", 0.25)], "the three strongest");
    assert!(second.recipes["b"].helps.is_empty());
}

#[test]
fn recipes_over_other_examples_and_runs_without_attacks_are_left_out() {
    let [a, b] = details();
    let other = Detail { ids: vec![1, 2, 3], ..b.clone() };
    let found = with_names(|names| Explorer::of(&[a, other], names, &|_| None)).unwrap();
    assert_eq!(found.recipes, ["a"]);
    assert!(found.examples.iter().all(|e| e.recipes.len() == 1));
    let free = Detail { exposure: Vec::new(), ..b };
    assert_eq!(with_names(|names| Explorer::of(&[free], names, &|_| None)), None);
    assert_eq!(with_names(|names| Explorer::of(&[], names, &|_| None)), None);
}

#[test]
fn exposure_has_names_places_calls_of_every_attack_and_what_is_helped() {
    let text = with_names(|names| csv::render(&exposure(&details(), names)));
    let lines: Vec<&str> = text.lines().collect();
    let attack = |name: &str| format!("right_calls{name},right_calls{name}_low,right_calls{name}_high");
    let calls = ["", "_lira", "_rmia", "_confidence"].map(attack).join(",");
    let memorization = "memorization,memorization_low,memorization_high,memorization_standard_error,soft_memorization";
    assert_eq!(lines[0], format!("recipe,index,label,class,source,group,{calls},{memorization},helps"));
    // Of attacks that were not run, and of soft memorization without confidences, nothing is written.
    let (rmia, none) = ("0.5,0.25,0.625", ",,");
    let helped = "test 1 (dog, large) +0.500; test 0 (cat) +0.250; test 2 (cat) +0.250";
    let expected = [
        format!(
            "a,10,1,\"dog, large\",x/1.png,,0.5,0.25,0.625,{none},{rmia},{none},0,-0.25,0.125,0.5,,test 0 (cat) +0.125"
        ),
        format!("a,20,0,cat,'=2.png,rare,0.75,0.5,0.875,{none},{rmia},{none},0.25,0,0.375,0.5,,"),
        format!("a,30,1,\"dog, large\",row 31,,0.75,0.5,0.875,{none},{rmia},{none},0.5,0.25,0.625,0.5,,\"{helped}\""),
        format!("b,10,1,\"dog, large\",x/1.png,,1,0.75,1.125,{none},{rmia},{none},0,-0.25,0.125,0.5,,"),
    ];
    assert_eq!(lines[1..5], expected);
    assert_eq!(lines.len(), 7);
}
