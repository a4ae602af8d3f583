//! The page as a whole: what stands in it whatever the results are.
#![allow(clippy::unwrap_used)] // a failed set-up is a failed test

use std::collections::BTreeSet;

use flatleak_report::explorer::{Example, Explorer, Exposed, Helped};
use flatleak_report::{html, json};
use flatleak_results::{Document, Estimate, Listing};

const TEXT: &str = include_str!("version1.json");

fn document() -> Document {
    json::parse(TEXT).unwrap()
}

/// The same recipes again under other names.
fn many(copies: usize) -> Document {
    let mut d = document();
    let first = d.recipes.clone();
    let settings = d.study.recipes.clone();
    for k in 1..copies {
        d.recipes.extend(first.iter().cloned().map(|mut r| {
            r.name = format!("{}-{k}", r.name);
            r
        }));
        d.study.recipes.extend(settings.iter().cloned().map(|mut r| {
            r.name = format!("{}-{k}", r.name);
            r
        }));
        for f in &mut d.frontiers {
            let more: Vec<_> = f.points.iter().take(first.len()).cloned().collect();
            f.points.extend(more.into_iter().map(|mut p| {
                p.recipe = format!("{}-{k}", p.recipe);
                p
            }));
        }
    }
    d
}

/// Values of an attribute, in order.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// Anchors are unique and found, figures have their numbers, nothing comes from outside.
fn check(page: &str) {
    let ids = attributes(page, "id");
    let distinct: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(
        ids.len(),
        distinct.len(),
        "{:?}",
        ids.iter().filter(|id| ids.iter().filter(|x| x == id).count() > 1).collect::<Vec<_>>()
    );
    for link in attributes(page, "href") {
        let anchor = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leaves the page"));
        assert!(distinct.contains(&anchor), "{link}");
    }
    for source in attributes(page, "src") {
        assert!(source.starts_with("data:image/png;base64,"), "{source}");
    }
    let figures = page.matches("<figure class=\"plot").count();
    let blocks: Vec<&str> = page
        .split("<script type=\"application/json\" class=\"data\">")
        .skip(1)
        .map(|r| r.split("</script>").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), figures);
    for block in blocks {
        let rows: serde_json::Value = serde_json::from_str(block).unwrap();
        assert!(rows.as_array().is_some_and(|rows| rows.iter().all(serde_json::Value::is_object)));
    }
    // Every table has a name for its downloads.
    assert_eq!(page.matches("<table").count(), page.matches("<table ").count());
    for table in page.split("<table ").skip(1) {
        let tag = table.split('>').next().unwrap();
        assert!(tag.contains("id=\"") && tag.contains("data-name=\""), "{tag}");
    }
    // Askama writes quotes in attributes as references.
    assert!(page.contains("content=\"default-src &#39;none&#39;;"), "the policy");
    let shown = page.split("<script>").next().unwrap();
    assert!(!shown.contains("NaN") && shown.contains("</main>"));
}

#[test]
fn parts_stand_in_the_order_of_a_reader() {
    let page = html::render(&document(), &|_| None).unwrap();
    check(&page);
    let parts = ["answer", "numbers", "advice", "exposed", "why", "details", "run", "glossary"];
    let places: Vec<usize> =
        parts.iter().map(|id| page.find(&format!("<section id=\"{id}\" class=\"part\"")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn few_and_many_recipes_and_long_names_are_shown() {
    let mut one = document();
    let name = one.recipes[0].name.clone();
    one.recipes.truncate(1);
    one.comparisons.clear();
    one.frontiers.clear();
    one.figures.retain(|f| f.recipe == name);
    check(&html::render(&one, &|_| None).unwrap());
    let none = html::render(&Document { recipes: Vec::new(), figures: Vec::new(), ..one.clone() }, &|_| None).unwrap();
    check(&none);
    let copies = 40usize.div_ceil(document().recipes.len());
    let page = html::render(&many(copies), &|_| None).unwrap();
    check(&page);
    assert!(page.contains("class=\"key h3 f1\"") || page.contains("h3 f1"), "further recipes have other forms");
    let mut long = document();
    long.recipes[0].name = "x<y>\"'&".repeat(40);
    check(&html::render(&long, &|_| None).unwrap());
}

fn explorer(classes: u32) -> Explorer {
    let estimate = |mean: f64| Estimate { mean, low: mean - 0.1, high: mean };
    let exposed = |k: u32| Exposed {
        calls: vec![Some(estimate(0.9)), None],
        memorization: estimate(0.5),
        helps: vec![Helped { test: k, class: "</td><script>alert(1)</script>".into(), influence: -0.25 }],
    };
    let d = document();
    Explorer {
        recipes: d.recipes.iter().map(|r| r.name.clone()).collect(),
        attacks: vec!["strongest".into(), "rmia".into()],
        pool: 1600,
        examples: (0..classes)
            .map(|k| Example {
                index: k,
                class: format!("class <{k}> \u{202e}"),
                group: None,
                source: format!("train/{k}/\"quoted\".png"),
                picture: Some("iVBORw0KGgo=".into()),
                recipes: d.recipes.iter().map(|r| (r.name.clone(), exposed(k))).collect(),
            })
            .collect(),
    }
}

#[test]
fn examples_are_listed_with_their_places_unless_redacted() {
    let mut d = document();
    let dataset = d.study.datasets[0].name.clone();
    d.listings.push(Listing { dataset, file: "examples.json".into(), blake3: String::new() });
    let bytes = serde_json::to_vec(&explorer(1000)).unwrap();
    let read = |file: &str| (file == "examples.json").then(|| bytes.clone());
    let page = html::render(&d, &read).unwrap();
    check(&page);
    assert_eq!(page.matches("<tr data-index=").count(), 1000);
    assert!(page.contains("train/7/&#34;quoted&#34;.png") && page.contains("place in the source"), "places");
    assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'));
    assert!(page.contains("90 %") && page.contains("−0.25"));
    d.redact();
    let page = html::render(&d, &read).unwrap();
    assert!(!page.contains("train/7/") && page.contains("nothing is shown of single examples"));
    // A listing that is damaged or gone is left out.
    d.redacted = false;
    assert!(html::render(&d, &|_| Some(b"{".to_vec())).unwrap().contains("Single examples are not shown here"));
}
