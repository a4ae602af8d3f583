//! The verdict table and all sentences, as the book has them.

use flatleak_results::{Doubt, Estimate, Needed, Relevant, Word};
use std::fmt::Write;

use super::*;
use crate::guessing;

const BOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/");

/// A difference that gives a word, in units of the smallest relevant one.
fn limits(word: Word) -> (f64, f64) {
    match word {
        Word::RelevantlyMore => (1.2, 3.0),
        Word::More => (0.2, 3.0),
        Word::MoreNegligible => (0.2, 0.8),
        Word::Identical => (0.0, 0.0),
        Word::Equivalent => (-0.4, 0.8),
        Word::LessNegligible => (-0.8, -0.2),
        Word::Less => (-3.0, -0.2),
        Word::RelevantlyLess => (-3.0, -1.2),
        Word::Open => (-2.0, 3.0),
        Word::TooFewModels | Word::Withheld => (-100.0, 100.0),
    }
}

fn point(metric: &str, relevant: f64, word: Word) -> PointResult {
    let (l, u) = limits(word);
    let sd = 0.5 * (u - l) * relevant / 2.5;
    let reached = word == Word::TooFewModels;
    PointResult {
        metric: metric.parse().unwrap(),
        word,
        difference: Estimate { mean: 0.5 * (l + u) * relevant, low: l * relevant, high: u * relevant },
        level: 0.975,
        p_adjusted: if l > 0.0 || u < 0.0 { 0.01 } else { 0.5 },
        relevant,
        at_most_relevant: u < 1.0,
        detectable: (!reached).then_some(3.3 * sd),
        models_needed: (!reached).then_some(Needed { about: Some(90), low: Some(54), high: Some(180) }),
    }
}

fn both(auc: Word, tpr: Word) -> Vec<PointResult> {
    vec![point("strongest.auc", 0.01, auc), point("strongest.tpr@0.01", 0.02, tpr)]
}

fn said(auc: Word, tpr: Word, conditions: &[Condition]) -> Headline {
    of_comparison(("sgd", "sam"), 32, Pairing::Paired, &both(auc, tpr), conditions)
}

fn doubtful(doubt: Doubt) -> Condition {
    Condition::Doubtful { recipe: "sam".into(), doubt }
}

fn conditions() -> Vec<(&'static str, Condition)> {
    let sam = || "sam".to_owned();
    vec![
        ("candidate did not learn", Condition::DidNotLearn { recipe: sam(), member_accuracy: 0.12, chance: 0.104 }),
        ("baseline did not learn", Condition::DidNotLearn { recipe: "sgd".into(), member_accuracy: 0.1, chance: 0.1 }),
        ("blind attack beats chance", Condition::BlindBeatsChance { recipe: sam() }),
        ("labels alone", Condition::LabelsOnly { recipe: sam() }),
        ("members do worse", Condition::MembersDoWorse { recipe: sam() }),
        ("members not fitted", Condition::Unfitted { recipe: sam(), member_accuracy: 0.93 }),
        ("rows mixed", doubtful(Doubt::RowsMixed { accuracy: 0.104, chance: 0.101, confidence: 0.87, agree: false })),
        (
            "labels in another order",
            doubtful(Doubt::RowsMixed { accuracy: 0.1, chance: 0.101, confidence: 0.9, agree: true }),
        ),
        ("membership inverted", doubtful(Doubt::Inverted { models: Vec::new() })),
        ("membership of one model inverted", doubtful(Doubt::Inverted { models: vec![3] })),
        ("rows of some models in another order", doubtful(Doubt::OtherOrder { models: vec![6, 7] })),
        ("rows of the membership exchanged", doubtful(Doubt::OtherMembership { models: vec![2, 5], rows: vec![5, 2] })),
        ("another scale", doubtful(Doubt::OtherScale { models: vec![3], times: 3.04 })),
        ("rows never filled", doubtful(Doubt::Unfilled { examples: 8, of: 400 })),
        ("doubles", doubtful(Doubt::Duplicates { examples: 12, of: 400 })),
    ]
}

/// The name of a verdict in `results.json`.
fn json(v: Verdict) -> String {
    serde_json::to_string(&v).unwrap().trim_matches('"').to_owned()
}

/// What may be said of a verdict, whatever else stands beside it.
fn check(h: &Headline, auc: Word, tpr: Word) {
    let text = &h.sentence;
    let opening = text.split(':').next().unwrap();
    let planned = text.contains("models per recipe can detect");
    match h.verdict {
        Verdict::Withheld => {
            assert!(opening.ends_with("is withheld") && !text.contains("AUC") && !planned, "{text}");
        }
        Verdict::TooFewModels => assert!(text == "Too few models for any verdict on sam against sgd.", "{text}"),
        v => {
            // Both points are in the sentence, with their words.
            assert!(text.contains("AUC ") && text.contains("TPR @ 1 % FPR "), "{text}");
            assert_eq!(planned, v.is_open() && [auc, tpr].contains(&Word::Open), "{text}");
            assert!(
                !(opening.contains(" more ") && opening.contains(" less "))
                    || matches!(v, Verdict::Open | Verdict::Mixed),
                "{text}"
            );
            let shown = [auc, tpr].iter().any(|w| w.direction() != Direction::Neither);
            let size = matches!(v, Verdict::RelevantlyMore | Verdict::RelevantlyLess) || v == Verdict::Open && shown;
            assert_eq!(opening.contains("relevantly"), size, "{text}");
            if v.says_more() {
                assert!(auc.says_more() || tpr.says_more());
                assert!(auc.direction() != Direction::Down && tpr.direction() != Direction::Down);
            }
            if v.says_less() {
                assert!(auc.says_less() || tpr.says_less());
                assert!(![auc, tpr].contains(&Word::Open) && !auc.says_more() && !tpr.says_more(), "{text}");
            }
        }
    }
    assert!(text.ends_with('.') && !text.contains("..") && !text.contains("  "), "{text}");
}

/// Every cell of words at two points, without and with every condition, as the book's table has it.
#[test]
fn the_table_of_the_book_is_what_is_said() {
    let mut table = String::from("| AUC \\ TPR |");
    Word::ALL.iter().for_each(|w| write!(table, " {} |", serde_json::to_string(w).unwrap().trim_matches('"')).unwrap());
    writeln!(table, "\n|---|{}", "---|".repeat(Word::ALL.len())).unwrap();
    let mut cells = 0;
    for auc in Word::ALL {
        write!(table, "| {} |", serde_json::to_string(&auc).unwrap().trim_matches('"')).unwrap();
        for tpr in Word::ALL {
            let plain = said(auc, tpr, &[]);
            check(&plain, auc, tpr);
            write!(table, " {} |", json(plain.verdict)).unwrap();
            for (_, condition) in conditions() {
                let under = said(auc, tpr, std::slice::from_ref(&condition));
                check(&under, auc, tpr);
                let wanted = match plain.verdict {
                    Verdict::TooFewModels => Verdict::TooFewModels,
                    _ if condition.withholds() => Verdict::Withheld,
                    v => v,
                };
                assert_eq!(under.verdict, wanted, "{auc:?} {tpr:?} {condition:?}");
                let back: Headline = serde_json::from_str(&serde_json::to_string(&under).unwrap()).unwrap();
                assert_eq!(back, under);
                // That it fits its members badly stands beside "less" alone.
                let beside = under.sentence.contains("to fit less lowers leakage by itself");
                let fits = matches!(condition, Condition::Unfitted { .. });
                assert_eq!(beside, fits && under.verdict.says_less(), "{}", under.sentence);
                cells += 1;
            }
            cells += 1;
        }
        table.push('\n');
    }
    assert_eq!(cells, 1600);
    let book = std::fs::read_to_string(format!("{BOOK}verdicts.md")).unwrap();
    assert!(book.contains(&table), "the table of book/verdicts.md is not this one:\n{table}");
}

/// A page of sentences, each said once in a section.
struct Page(String);

impl Page {
    fn section(&mut self, title: &str, lines: impl IntoIterator<Item = String>) {
        writeln!(self.0, "\n## {title}\n").unwrap();
        let mut before: Vec<String> = Vec::new();
        for line in lines {
            if !before.contains(&line) {
                writeln!(self.0, "- {line}").unwrap();
                before.push(line);
            }
        }
    }
}

fn shown(h: &Headline) -> String {
    format!("`{}` {}", json(h.verdict), h.sentence)
}

/// All sentences, as book/sentences.md has them; FLATLEAK_BLESS=1 writes that file.
#[test]
fn the_sentences_of_the_book_are_those_that_are_said() {
    let mut page = Page(
        "# What flatleak can say\n\nWritten by a test from the code that says it; the same test fails where this page and the code differ. Figures are made up.\n".into(),
    );
    two_recipes(&mut page);
    two_baselines(&mut page);
    one_pool(&mut page);
    let Page(out) = page;
    let path = format!("{BOOK}sentences.md");
    if std::env::var_os("FLATLEAK_BLESS").is_some() {
        std::fs::write(&path, &out).unwrap();
    }
    let book = std::fs::read_to_string(&path).unwrap_or_default();
    let first = out.lines().zip(book.lines()).find(|(a, b)| a != b);
    assert!(out == book, "book/sentences.md differs (FLATLEAK_BLESS=1 writes it): {first:?}");
}

fn two_recipes(page: &mut Page) {
    let pairs = || Word::ALL.into_iter().flat_map(|a| Word::ALL.into_iter().map(move |b| (a, b)));
    page.section("Two recipes, every pair of words", pairs().map(|(a, b)| shown(&said(a, b, &[]))));
    let alone = Word::ALL.map(|w| {
        let one = [point("strongest.auc", 0.01, w)];
        shown(&of_comparison(("sgd", "sam"), 32, Pairing::Paired, &one, &[]))
    });
    page.section("Too few non-members for a TPR", alone);
    let far = |about: Option<usize>, high: Option<usize>| {
        let mut points = both(Word::Open, Word::Equivalent);
        points[0].models_needed = Some(Needed { about, low: Some(54), high });
        shown(&of_comparison(("sgd", "sam"), 32, Pairing::Paired, &points, &[]))
    };
    page.section("Far from settled", [far(Some(5000), None), far(None, None), far(Some(30), Some(60))]);
    let other = [Word::More, Word::Open, Word::Equivalent]
        .map(|w| shown(&of_comparison(("sgd", "sam"), 32, Pairing::OtherExamples, &both(w, Word::Open), &[])));
    page.section("Recipes over other examples", other);
    let under = |(_, c): (&str, Condition)| {
        [Word::More, Word::Less, Word::Open].map(|w| shown(&said(w, w, std::slice::from_ref(&c))))
    };
    page.section("Under conditions", conditions().into_iter().flat_map(under));
}

fn two_baselines(page: &mut Page) {
    let comparison = |baseline: &str, (a, b): (Word, Word), conditions: &[Condition]| Comparison {
        baseline: baseline.into(),
        candidate: "sam".into(),
        dataset: "digits".into(),
        pairing: Pairing::Paired,
        models: 32,
        headline: of_comparison((baseline, "sam"), 32, Pairing::Paired, &both(a, b), conditions),
        points: both(a, b),
        conditions: conditions.to_vec(),
        metrics: Vec::new(),
    };
    let one_of_each = [
        (Word::RelevantlyMore, Word::Open),
        (Word::More, Word::Open),
        (Word::MoreNegligible, Word::Equivalent),
        (Word::Identical, Word::Identical),
        (Word::Equivalent, Word::Equivalent),
        (Word::LessNegligible, Word::Equivalent),
        (Word::Less, Word::Equivalent),
        (Word::RelevantlyLess, Word::Less),
        (Word::Less, Word::Open),
        (Word::Open, Word::Equivalent),
        (Word::More, Word::Less),
        (Word::TooFewModels, Word::TooFewModels),
    ];
    let joint = |a: Comparison, b: Comparison| {
        let h = overall(&[a.clone(), b.clone()], &[], None);
        let both = [a.headline.verdict, b.headline.verdict];
        // More and less are said of all baselines or of none.
        assert_eq!(h.verdict.says_more(), both.iter().all(|v| v.says_more()), "{}", h.sentence);
        assert_eq!(h.verdict.says_less(), both.iter().all(|v| v.says_less()), "{}", h.sentence);
        shown(&h)
    };
    let two = one_of_each.iter().flat_map(|a| one_of_each.iter().map(move |b| (a, b)));
    let lines = two.map(|(a, b)| joint(comparison("sgd", *a, &[]), comparison("sgd-2x", *b, &[])));
    page.section("One candidate, two baselines", lines);
    let withheld = conditions().into_iter().map(|(_, c)| {
        let w = (Word::Less, Word::Less);
        joint(comparison("sgd", w, std::slice::from_ref(&c)), comparison("sgd-2x", w, std::slice::from_ref(&c)))
    });
    page.section("The same under conditions", withheld);
}

fn one_pool(page: &mut Page) {
    let (auc, tpr) = (crate::family::Point::Auc, crate::family::Point::Tpr(2));
    let at = |p, low: f64, high: f64| {
        let chance = if p == auc { 0.5 } else { 0.0132 };
        guessing::point(p, Estimate { mean: 0.5 * (low + high), low, high }, 0.975, chance, &Relevant::default())
    };
    let pool = |a: (f64, f64), t: (f64, f64), enough: bool, conditions: &[Condition]| {
        let points = vec![at(auc, a.0, a.1), at(tpr, t.0, t.1)];
        let verdict = condition::under(guessing::verdict(&points, enough), conditions);
        let found = AgainstGuessing { verdict, points };
        format!("`{}` {}", json(found.verdict), against_guessing("sam", &found, conditions))
    };
    let mut lines = vec![
        pool((0.648, 0.670), (0.081, 0.124), true, &[]),
        pool((0.49, 0.53), (0.02, 0.05), true, &[]),
        pool((0.49, 0.53), (0.01, 0.03), true, &[]),
        pool((0.496, 0.504), (0.01, 0.016), true, &[]),
        pool((0.501, 0.507), (0.01, 0.016), true, &[]),
        pool((0.40, 0.45), (0.004, 0.01), true, &[]),
        pool((0.0, 1.0), (0.0, 1.0), false, &[]),
    ];
    lines.extend(conditions().into_iter().map(|(_, c)| pool((0.648, 0.670), (0.081, 0.124), true, &[c])));
    page.section("One pool", lines);
}
