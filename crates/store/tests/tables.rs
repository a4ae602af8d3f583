//! Tables as people write them: taken where the meaning is clear, else refused with a mend that works.
//!
//! `tables/make.py` writes what is in `tables/taken/` with the libraries themselves. All of it is one pool, which `tables/*.npy` hold.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};

use flatleak_data::values::Source;
use flatleak_pool::{Pool, Wanted};
use flatleak_store::{Arrays, Error, Given, HeldOut, Imported, Terms, from_arrays, from_table};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables")
}

/// The pool as arrays.
fn reference() -> Pool {
    let at = |name: &str| folder().join(name);
    let (outputs, labels, membership) = (at("logits.npy"), at("labels.npy"), at("membership.npy"));
    let found = from_arrays(&Arrays {
        recipe: "r",
        given: Given::Logits,
        wanted: &Wanted::default(),
        terms: Terms::Flags,
        outputs: Source::File(&outputs),
        labels: Some(Source::File(&labels)),
        membership: Source::File(&membership),
        test: None,
        features: None,
    });
    found.unwrap().pool
}

fn read(path: &Path) -> Result<Imported, Error> {
    from_table(path, "r", &Wanted::default())
}

/// A table as text.
fn text(content: &str) -> Result<Imported, Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    read(file.path())
}

/// What a refusal says, with `FILE` for the file.
fn said(error: &Error) -> String {
    let Error::Import { path, .. } = error else { panic!("no file: {error}") };
    error.to_string().replace(&*path.to_string_lossy(), "FILE")
}

fn same(name: &str, found: &Pool, wanted: &Pool) {
    assert_eq!((&found.labels, &found.membership), (&wanted.labels, &wanted.membership), "{name}");
    // Log-probabilities and probabilities are rounded when they are written.
    let close = |a: &[f32], b: &[f32]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-5 * b.abs().max(1.0))
    };
    for (model, (a, b)) in found.pool.iter().zip(&wanted.pool).enumerate() {
        let rounded = ["names_4", "prob"].iter().any(|start| name.starts_with(start));
        assert!(
            if rounded { close(&a.phi, &b.phi) } else { a == b },
            "{name}: model {model}: {:?} for {:?}",
            a.phi,
            b.phi
        );
    }
}

#[test]
fn what_libraries_write_is_one_pool() {
    let wanted = reference();
    let mut names: Vec<_> =
        std::fs::read_dir(folder().join("taken")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() > 80, "{}", names.len());
    let mut refused = Vec::new();
    for path in names {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match read(&path) {
            Ok(found) => same(&name, &found.pool, &wanted),
            Err(problem) => refused.push(problem.to_string()),
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn what_was_seen_is_said() {
    let first = |name: &str| read(&folder().join("taken").join(name)).unwrap().notes.swap_remove(0);
    assert_eq!(
        first("pandas_index.csv"),
        "(M=4, N=6, C=3) logits from the columns logit_0 to logit_2; models from model, 0 to 3; examples from example, 0 to 5; \
         membership from member, 0 = out, 1 = in; labels from label; unused: a column without a name"
    );
    let text = read(&folder().join("taken/text_shuffled.csv")).unwrap().notes;
    assert!(text[0].contains("models from model, seed9 to seed12; examples from example, img_098.png to img_103.png"));
    assert_eq!(text[1], "labels in the order of their names: cat = 0, dog = 1, emu = 2");
    let extra = first("extra_index.parquet");
    for unused in ["day (", "when (date", "path", "tags (list", "box", "nothing", "__index_level_0__"] {
        assert!(extra.contains(unused), "{unused}: {extra}");
    }
    assert!(first("split.csv").contains("membership from split, test = out, train = in;"));
    assert!(first("class_names.csv").contains("logits from the columns logit_cat to logit_emu"));
    assert!(first("fixed_list.parquet").starts_with("(M=4, N=6, C=3) logits from the column logits;"));
}

/// Two models, four examples, two classes.
const GOOD: &str = "model,example,member,label,logit_0,logit_1
0,0,1,0,1.5,-1
0,1,0,1,0.5,2
0,2,1,1,-1,0.25
0,3,0,0,3,1
1,0,0,0,1,0
1,1,1,1,-2,2
1,2,0,1,0,0.5
1,3,1,0,2,-1
";

/// Each field of a column in turn.
fn column(content: &str, name: &str, field: impl Fn(usize, &str) -> String) -> String {
    let mut at = 0;
    let lines = content.lines().enumerate().map(|(row, line)| {
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        match row {
            0 => at = fields.iter().position(|found| found == name).unwrap(),
            _ => fields[at] = field(row - 1, &fields[at]),
        }
        fields.join(",")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Without a column.
fn without(content: &str, name: &str) -> String {
    let at = content.lines().next().unwrap().split(',').position(|found| found == name).unwrap();
    let lines = content.lines().map(|line| {
        let fields: Vec<&str> = line.split(',').enumerate().filter(|(k, _)| *k != at).map(|(_, field)| field).collect();
        fields.join(",")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// With a column behind the others.
fn with(content: &str, name: &str, field: impl Fn(usize) -> String) -> String {
    let lines = content.lines().enumerate().map(|(row, line)| match row {
        0 => format!("{line},{name}"),
        _ => format!("{line},{}", field(row - 1)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Lines but one, from 1.
fn drop_line(content: &str, number: usize) -> String {
    content.lines().enumerate().filter(|(k, _)| k + 1 != number).map(|(_, line)| format!("{line}\n")).collect()
}

/// A table that is refused, what the refusal says, and the table that its mend makes.
struct Case {
    given: String,
    says: &'static [&'static str],
    mended: String,
}

fn case(given: impl Into<String>, says: &'static [&'static str], mended: impl Into<String>) -> Case {
    Case { given: given.into(), says, mended: mended.into() }
}

fn all(cases: &[Case]) {
    for Case { given, says, mended } in cases {
        let Err(problem) = text(given).map_err(|e| said(&e)) else { panic!("taken: {given}") };
        assert!(problem.starts_with("FILE "), "{problem}");
        for word in *says {
            assert!(problem.contains(word), "no {word:?} in: {problem}");
        }
        if let Err(again) = text(mended) {
            panic!("the mend of {problem:?} gives {again}: {mended}");
        }
    }
}

#[test]
fn names_that_do_not_fit_are_refused_and_mended() {
    let renamed = |from: &str, to: &str| GOOD.replacen(from, to, 1);
    let three = with(GOOD, "logit_2", |_| "0".into());
    let labelled = |content: &str| content.to_owned();
    all(&[
        case(
            renamed("member", "membr"),
            &["no column for who is a member", "name one `member` (is it `membr`?)", "`logit_0`"],
            GOOD,
        ),
        case(renamed("model", "modle"), &["no column for the model", "is it `modle`?"], GOOD),
        case(renamed("model", "shadow_model"), &["is it `shadow_model`?"], GOOD),
        case(without(GOOD, "example"), &["no column for the example", "`model`, `member`"], GOOD),
        case(without(GOOD, "label"), &["no column for the label", "name one `label`"], GOOD),
        case(
            with(GOOD, "seed", |_| "7".into()),
            &["could be the model: `model`, `seed`"],
            with(GOOD, "old_seed", |_| "7".into()),
        ),
        case(with(GOOD, "split", |_| "train".into()), &["`member`, `split`", "keep one"], GOOD),
        case(
            with(GOOD, "y", |_| "1".into()),
            &["could be the label: `label`, `y`"],
            with(GOOD, "old_y", |_| "1".into()),
        ),
        case(with(GOOD, "logit_00", |_| "1".into()), &["output of class 0: `logit_0`, `logit_00`"], GOOD),
        case(
            with(GOOD, "logit_3", |_| "0".into()),
            &["`logit_0` to `logit_3`, but none for class 2"],
            labelled(&three),
        ),
        case(
            GOOD.replacen("logit_1", "logit_2", 1).replacen("logit_0", "logit_1", 1),
            &["the label is `0`, but the columns are of the classes `1`, `2`", "write the labels as these names"],
            column(&GOOD.replacen("logit_1", "logit_2", 1).replacen("logit_0", "logit_1", 1), "label", |_, old| {
                (old.parse::<i32>().unwrap() + 1).to_string()
            }),
        ),
        case(
            with(GOOD, "loss", |_| "1".into()),
            &["several kinds of outputs: `logit_0`, `loss`"],
            with(GOOD, "old_loss", |_| "1".into()),
        ),
        case(GOOD.replacen("logit_0,logit_1", "lgoit_0,lgoit_1", 1), &["has no outputs", "is it `lgoit_0`?"], GOOD),
        case(
            without(GOOD, "logit_1").replacen("logit_0", "proba", 1),
            &[
                "has one number for each row in `proba`",
                "`confidence`",
                "`probability_1` where it is of the second class",
            ],
            column(&without(GOOD, "logit_1"), "logit_0", |k, _| format!("0.{}", k + 1)).replacen(
                "logit_0",
                "confidence",
                1,
            ),
        ),
        case(
            without(GOOD, "logit_1").replacen("logit_0", "logit", 1),
            &["in `logit`", "`logit_1` where it is of the second class", "give its negative as `logit_1`"],
            without(GOOD, "logit_0"),
        ),
        case(GOOD.lines().skip(1).collect::<Vec<_>>().join("\n"), &["no line of names"], GOOD),
        case("", &["is empty"], GOOD),
        case(GOOD.lines().next().unwrap(), &["has no row of an example within the pool"], GOOD),
        case(GOOD.replace(',', " "), &["single column", "commas, semicolons or tabs"], GOOD),
    ]);
}

#[test]
fn fields_that_do_not_fit_are_refused_and_mended() {
    let set =
        |name: &str, row: usize, to: &str| column(GOOD, name, |k, old| if k == row { to.into() } else { old.into() });
    // Without the example of line 4 in every model.
    let left_out = drop_line(&drop_line(GOOD, 8), 4);
    all(&[
        case(set("member", 2, ""), &["line 4, column `member`: nothing stands there"], &left_out),
        case(set("member", 2, "NA"), &["line 4, column `member`: nothing"], GOOD),
        case(set("logit_1", 2, "nan"), &["line 4, column `logit_1`: nothing stands there"], &left_out),
        case(set("logit_1", 2, "high"), &["line 4, column `logit_1`: `high` is no number"], GOOD),
        case(set("label", 0, ""), &["line 2, column `label`: nothing"], GOOD),
        case(set("member", 0, "maybe"), &["line 2, column `member`: `maybe`", "`0`, `1`"], GOOD),
        case(set("member", 0, "2"), &["line 2, column `member`: `2`"], GOOD),
        case(GOOD.replacen("member", "split", 1), &["line 2, column `split`", "0 can be train or test"], GOOD),
        case(
            drop_line(GOOD, 4),
            &["no row for model 0, example 2: 7 rows are there", "2 models x 4 examples need 8"],
            &left_out,
        ),
        case(format!("{GOOD}0,0,1,0,1.5,-1\n"), &["model 0, example 0 twice, in line 2 and line 10"], GOOD),
        case(
            GOOD.lines().chain(GOOD.lines().skip(1)).collect::<Vec<_>>().join("\n"),
            &["twice, in line 2 and line 10", "as views in a column `query`"],
            with(&GOOD.lines().chain(GOOD.lines().skip(1)).collect::<Vec<_>>().join("\n"), "query", |k| {
                (k / 8).to_string()
            }),
        ),
        case(
            column(GOOD, "example", |k, _| k.to_string()),
            &["no row for model 0, example 4", "a number of their own in every row"],
            GOOD,
        ),
        case(set("label", 0, "0.5"), &["line 2, column `label`: `0.5` names no", "write a whole number or text"], GOOD),
        case(set("label", 0, "1"), &["example 0 with the label 1 in line 2 and 0 in line 6"], GOOD),
        case(
            column(GOOD, "label", |_, old| (old.parse::<i32>().unwrap() + 1).to_string()),
            &["count from 1: write each less 1"],
            GOOD,
        ),
        case(
            column(GOOD, "label", |_, old| if old == "0" { "-1".into() } else { old.into() }),
            &["write 0 for -1 and 1 for 1"],
            GOOD,
        ),
        case(
            with(
                &column(GOOD, "label", |_, old| if old == "0" { "cat".into() } else { "dog".into() }),
                "logit_2",
                |_| "0".into(),
            ),
            &["has 2 labels (`cat`, `dog`) for outputs of 3 classes", "or number the labels from 0"],
            with(GOOD, "logit_2", |_| "0".into()),
        ),
        case(
            column(GOOD, "label", |_, old| if old == "0" { "cat".into() } else { "dog".into() }).replacen(
                "logit_0,logit_1",
                "logit_cat,logit_fox",
                1,
            ),
            &["line 3, column `label`: the label is `dog`, but the columns are of the classes `cat`, `fox`"],
            column(GOOD, "label", |_, old| if old == "0" { "cat".into() } else { "dog".into() }).replacen(
                "logit_0,logit_1",
                "logit_cat,logit_dog",
                1,
            ),
        ),
        case(format!("{GOOD}1,4,1,0,2\n"), &["line 10 has 5 fields, the first line 6"], GOOD),
        case(
            GOOD.replace(',', ";").replacen("1.5", "1,5", 1),
            &["`1,5` with a comma in line 2, column `logit_0`", "write all numbers with a point"],
            GOOD.replace(',', ";"),
        ),
    ]);
}

#[test]
fn lists_and_probabilities_that_do_not_fit_are_refused_and_mended() {
    let listed = |field: &dyn Fn(usize) -> String| {
        with(&without(&without(GOOD, "logit_0"), "logit_1"), "logits", |k| format!("\"{}\"", field(k)))
    };
    let good = listed(&|_| "[0.5, 2]".into());
    let chances = |first: &str| {
        let probabilities = GOOD.replacen("logit_0,logit_1", "p_0,p_1", 1);
        let both = column(&probabilities, "p_0", |k, _| if k == 3 { first.into() } else { "0.25".into() });
        column(&both, "p_1", |_, _| "0.75".into())
    };
    all(&[
        case(
            listed(&|k| if k == 3 { "[0.5]".into() } else { "[0.5, 2]".into() }),
            &["line 5, column `logits`: 1 numbers stand there, in the first row 2"],
            &good,
        ),
        case(
            listed(&|k| if k == 3 { "[0.5, nan]".into() } else { "[0.5, 2]".into() }),
            &["line 5, column `logits`: nothing stands there"],
            &good,
        ),
        case(
            listed(&|k| if k == 3 { "[0.5 ... 2]".into() } else { "[0.5, 2]".into() }),
            &["`[0.5 ... 2]` is no list of numbers"],
            &good,
        ),
        case(listed(&|_| "[]".into()), &["line 2, column `logits`: nothing stands there"], &good),
        case(listed(&|_| "[1]".into()), &["one number for each row in `logits`"], &good),
        case(listed(&|_| "0.5".into()), &["one number for each row in `logits`"], &good),
        case(
            chances("7"),
            &["line 5 (model 0, example 3) has the probability 7", "are these logits?"],
            chances("7").replacen("p_0,p_1", "logit_0,logit_1", 1),
        ),
        case(chances("0.5"), &["line 5 (model 0, example 3) has probabilities that sum to 1.25"], chances("0.25")),
    ]);
}

/// Forms that leave no doubt, beside the same table written out.
#[test]
fn what_is_clear_is_taken() {
    let phi = |content: &str| {
        let found = text(content).unwrap();
        let all: Vec<f32> = found.pool.pool.iter().flat_map(|s| s.phi.clone()).collect();
        (found.pool.labels, all)
    };
    let alike = |a: &str, b: &str| {
        let ((labels, left), (wanted, right)) = (phi(a), phi(b));
        assert_eq!(labels, wanted, "{a}");
        assert!(left.iter().zip(&right).all(|(a, b)| (a - b).abs() < 1e-5), "{a}: {left:?} {right:?}");
    };
    // The second of two classes alone.
    alike(&without(GOOD, "logit_0"), &column(GOOD, "logit_0", |_, _| "0".into()));
    let chances = column(&without(GOOD, "logit_0"), "logit_1", |k, _| format!("0.{}", k + 1));
    let both = with(&chances.replacen("logit_1", "p_1", 1), "p_0", |k| format!("0.{}", 9 - k - 1));
    let both = column(&both, "p_0", |k, _| format!("{:.1}", 1.0 - (k + 1) as f64 / 10.0));
    alike(&chances.replacen("logit_1", "prob_1", 1), &both);
    assert!(text(&without(GOOD, "logit_0")).unwrap().notes.iter().any(|note| note.contains("second class's logit")));
    // Classes that count from 1, in the columns and in the labels; of the last there is no example.
    let from_one = GOOD.replacen("logit_0,logit_1", "logit_1,logit_2", 1);
    let from_one = column(&from_one, "label", |_, old| (old.parse::<i32>().unwrap() + 1).to_string());
    alike(&from_one, GOOD);
    alike(&with(&from_one, "logit_3", |_| "-1".into()), &with(GOOD, "logit_2", |_| "-1".into()));
    // A class by name of which there is no example.
    let named = column(GOOD, "label", |_, old| if old == "0" { "cat".into() } else { "dog".into() });
    let named = with(&named.replacen("logit_0,logit_1", "logit_cat,logit_dog", 1), "logit_emu", |_| "-1".into());
    alike(&named, &with(GOOD, "logit_2", |_| "-1".into()));
    assert!(text(&named).unwrap().notes.iter().any(|note| note.contains("no example is of emu")));
    // A figure over classes is none.
    let figure = said(&text(&named.replacen("logit_emu", "logit_max", 1)).unwrap_err());
    assert!(figure.contains("`logit_max`") && figure.contains("figure over classes"), "{figure}");
}

/// Advice speaks of columns, and works.
#[test]
fn advice_for_a_table_speaks_of_its_columns() {
    let probabilities = GOOD.replacen("logit_0,logit_1", "p_0,p_1", 1);
    let wrong = said(&text(&column(&probabilities, "p_0", |_, _| "-2".into())).unwrap_err());
    assert!(wrong.contains("as columns `logit_0`, `logit_1` and on") && !wrong.contains("--"), "{wrong}");
    let even = column(&column(GOOD, "logit_0", |_, _| "0.25".into()), "logit_1", |_, _| "0.75".into());
    let wrong = said(&text(&even).unwrap_err());
    assert!(wrong.contains("give it as columns `probability_0`, `probability_1` and on"), "{wrong}");
    // The logarithm of the second class's probability is no logit.
    let logs = column(&without(GOOD, "logit_0"), "logit_1", |k, _| format!("-0.{}", k + 1));
    let wrong = said(&text(&logs).unwrap_err());
    assert!(wrong.contains("a column `probability_1`, or a logit as columns `logit_0`, `logit_1`"), "{wrong}");
    assert!(text(&with(&logs, "logit_0", |_| "0".into())).is_ok());
}

/// A folder of parts of text is one table, whatever part a row is in.
#[test]
fn parts_of_text_are_one_table() {
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = GOOD.lines().collect();
    let part = |name: &str, rows: &[&str]| {
        std::fs::write(dir.path().join(name), [&lines[..1], rows].concat().join("\n")).unwrap();
    };
    part("part-00000.csv", &lines[5..]);
    part("part-00001.csv", &lines[1..5]);
    std::fs::write(dir.path().join("part-00002.csv"), "").unwrap();
    std::fs::write(dir.path().join("_SUCCESS"), "").unwrap();
    let (found, wanted) = (read(dir.path()).unwrap(), text(GOOD).unwrap());
    assert_eq!((found.pool.labels, found.pool.membership), (wanted.pool.labels, wanted.pool.membership));
    assert_eq!(found.pool.pool, wanted.pool.pool);
    // The same row again is told by where it stands in all of them.
    part("part-00003.csv", &lines[1..2]);
    let twice = said(&read(dir.path()).unwrap_err());
    assert!(twice.contains("twice, in row 4 and row 8"), "{twice}");
    std::fs::write(dir.path().join("part-00003.csv"), "model,example,loss\n0,0,1\n").unwrap();
    assert!(said(&read(dir.path()).unwrap_err()).contains("`part-00003.csv` with other columns"));
    std::fs::write(dir.path().join("notes.txt"), "parts").unwrap();
    assert!(said(&read(dir.path()).unwrap_err()).contains("CSV files alone"));
}

#[test]
fn names_that_look_like_numbers_stay_apart() {
    // As digits of hashes do: as numbers they would be the same.
    let hashes = ["1e3", "1000", "01000", "10e2"];
    let found = text(&column(GOOD, "example", |k, _| hashes[k % 4].into())).unwrap();
    assert_eq!(found.pool.examples(), 4);
    assert!(found.notes[0].contains("examples from example, 1000 to 01000"), "{}", found.notes[0]);
}

#[test]
fn formats_that_are_no_tables_are_told_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for (content, says) in [
        (&b"PK\x03\x04xl/workbook"[..], "an Excel workbook"),
        (b"FEA1....", "Feather file of version 1"),
        (b"\x80\x04\x95.", "a pickle, which is never read"),
        (b"\x93NUMPY\x01\0", "--logits"),
        (b"{\"model\": 0}", "read_json"),
        (b"RDX3\nX\n\0\0\0\x03", "write.csv(get(load(FILE)[1])"),
        (b"X\n\0\0\0\x03", "write.csv(readRDS(FILE)"),
        (b"\xff\xfem\0o\0", "UTF-16"),
        (b"\x28\xb5\x2f\xfd\0", "zstd -d"),
        (b"\0\x01\x02\xff", "neither text nor Parquet nor Arrow"),
        (b"PAR1 nothing PAR1", "no readable Parquet file"),
        (b"ARROW1\0\0 nothing ARROW1", "cut short"),
    ] {
        let path = dir.path().join("t");
        std::fs::write(&path, content).unwrap();
        let problem = said(&read(&path).unwrap_err());
        assert!(problem.contains(says), "no {says:?} in {problem}");
    }
}

#[test]
fn held_out_examples_have_words_or_a_column() {
    let split = with(&without(GOOD, "member"), "split", |k| {
        (if k % 4 == 3 { "val" } else { ["train", "test"][(k + k / 4) % 2] }).into()
    });
    let column = with(GOOD, "held_out", |k| (if k % 4 == 3 { "yes" } else { "no" }).into());
    for content in [&split, &column] {
        let found = text(content).unwrap();
        assert_eq!((found.pool.examples(), found.pool.test_labels.as_deref()), (3, Some(&[0][..])));
        assert!(found.notes[0].contains("1 held-out examples"), "{}", found.notes[0]);
    }
    // A column of its own may count the held-out examples from 0 too.
    let again: String = (0..2).map(|model| format!("{model},0,0,1,2,-1,1\n")).collect();
    let both = format!("{}\n{again}", with(GOOD, "held_out", |_| "0".into()));
    let found = text(&both).unwrap();
    assert_eq!(found.pool.labels.as_deref(), Some(&[0, 1, 1, 0][..]));
    assert_eq!(found.pool.test_labels.as_deref(), Some(&[1][..]));
    let problem = said(&text(&split.replacen("val", "train", 1)).unwrap_err());
    assert!(problem.contains("example 3 is held out there, but belongs to the pool in line 5"), "{problem}");
}

#[test]
fn views_and_single_outputs_stay_what_they_were() {
    let mut rows = String::from("query;confidence;model;example;member;label\n");
    for (k, line) in GOOD.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        for query in [1, 0] {
            rows.push_str(&format!("{query};0,{}5;{}\n", k + query, fields[..4].join(";")));
        }
    }
    let found = text(&rows).unwrap();
    let confidence: Vec<f64> = (0..8).map(|k| f64::from(k) / 10.0 + 0.05).collect();
    let bytes: Vec<u8> =
        (0..8).flat_map(|k| [confidence[k], (k + 1) as f64 / 10.0 + 0.05]).flat_map(f64::to_le_bytes).collect();
    let membership = [1, 0, 1, 0, 0, 1, 0, 1];
    let wanted = from_arrays(&Arrays {
        recipe: "r",
        given: Given::Confidence,
        wanted: &Wanted::default(),
        terms: Terms::Flags,
        outputs: Source::Memory { descr: "<f8", shape: &[2, 4, 2], bytes: &bytes },
        labels: Some(Source::Memory { descr: "|u1", shape: &[4], bytes: &[0, 1, 1, 0] }),
        membership: Source::Memory { descr: "|u1", shape: &[2, 4], bytes: &membership },
        test: None::<HeldOut<'_>>,
        features: None,
    });
    let wanted = wanted.unwrap().pool;
    assert_eq!((found.pool.queries(), &found.pool.pool), (2, &wanted.pool));
    assert!(found.notes[0].starts_with("(M=2, N=4, Q=2) confidence from the column confidence"));
}
