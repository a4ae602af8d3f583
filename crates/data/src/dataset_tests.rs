use super::*;
use crate::normalisation::Normalisation;
use crate::raw::Values;

const SHAPE: Shape = Shape { channels: 1, height: 1, width: 2 };

fn pixels(bytes: &[u8], labels: &[u32]) -> Raw {
    let ids = (0..labels.len() as u32).collect();
    Raw { values: Values::Pixels(bytes.to_vec()), labels: labels.to_vec(), groups: None, ids }
}

fn parts(shape: Shape, classes: usize, pool: Raw, test: Raw) -> Parts {
    Parts { shape, classes, groups: Vec::new(), pool, test }
}

fn normalisation(data: &Dataset) -> Normalisation {
    let Scaling::Pixels(found) = &data.scaling else { panic!("not an image set: {:?}", data.scaling) };
    *found
}

fn small(test: &[u8]) -> Dataset {
    let labels: Vec<u32> = test.chunks(2).map(|_| 1).collect();
    let pool = pixels(&[0, 10, 20, 255, 30, 40], &[0, 1, 2]);
    Dataset::from_raw("small", parts(SHAPE, 3, pool, pixels(test, &labels))).unwrap()
}

#[test]
fn the_pool_gets_mean_0_and_deviation_1() {
    let data = small(&[1, 2]);
    let n = data.pool.x.len() as f64;
    let mean = data.pool.x.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let square = data.pool.x.iter().map(|&v| f64::from(v).powi(2));
    assert!(mean.abs() < 1e-7);
    assert!((square.sum::<f64>() / n - 1.0).abs() < 1e-6);

    // By the textbook formula, in f64.
    let scaled = [0, 10, 20, 255, 30, 40].map(|b: u8| f64::from(b) / 255.0);
    let mean = scaled.iter().sum::<f64>() / 6.0;
    let variance = scaled.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 6.0;
    assert!((normalisation(&data).mean - mean).abs() < 1e-15);
    assert!((normalisation(&data).std - variance.sqrt()).abs() < 1e-15);
}

#[test]
fn the_test_split_does_not_affect_normalisation() {
    let (a, b) = (small(&[0, 0]), small(&[255, 255, 7, 9]));
    assert_eq!(a.scaling, b.scaling);
    assert_eq!(a.pool, b.pool);
}

#[test]
fn every_byte_comes_back() {
    let data = small(&[1, 254]);
    for byte in 0..=255 {
        assert_eq!(normalisation(&data).invert(normalisation(&data).apply(byte)), byte);
    }
    assert_eq!(data.pixels(&data.pool, 1).unwrap(), [20, 255]);
    assert_eq!(data.pixels(&data.test, 0).unwrap(), [1, 254]);
    let faint = Normalisation::measure(&[[7; 9999].as_slice(), &[8]].concat());
    assert!((0..=255).all(|byte| faint.invert(faint.apply(byte)) == byte));
}

#[test]
fn a_constant_pool_is_only_centred() {
    let normalisation = Normalisation::measure(&[51; 8]);
    assert_eq!(normalisation.std, 1.0);
    assert!((normalisation.mean - 0.2).abs() < 1e-15);
    assert_eq!(Normalisation::measure(&[]).std, 1.0);
}

#[test]
fn rows_are_consecutive() {
    let data = small(&[1, 2, 3, 4]);
    assert_eq!(data.pool.row(2), &data.pool.x[4..]);
    assert_eq!((data.pool.len(), data.test.len()), (3, 2));
    assert!(!data.pool.is_empty());
}

#[test]
fn the_digest_sees_everything_but_names() {
    let base = small(&[1, 2]);
    let mut renamed = base.clone();
    renamed.name = "other".into();
    renamed.pool.ids[0] = 9;
    assert_eq!(renamed.digest(), base.digest());
    assert_eq!(base.digest_hex().len(), 64);

    let change = |edit: &dyn Fn(&mut Dataset)| {
        let mut changed = base.clone();
        edit(&mut changed);
        changed.digest()
    };
    let digests = [
        base.digest(),
        change(&|d| d.shape.height = 2),
        change(&|d| d.shape.width = 3),
        change(&|d| d.classes = 4),
        change(&|d| d.pool.y[0] = 2),
        change(&|d| d.test.y[0] = 2),
        change(&|d| d.pool.x[0] += 1.0),
        change(&|d| d.test.x[1] += 1.0),
        change(&|d| d.pool.y.swap(0, 1)),
    ];
    for (i, a) in digests.iter().enumerate() {
        assert!(digests[..i].iter().all(|b| a != b), "{i}");
    }
}

#[test]
fn inconsistent_splits_are_refused() {
    let good = || pixels(&[1, 2, 3, 4], &[0, 1]);
    let build = |pool, test| Dataset::from_raw("bad", parts(SHAPE, 2, pool, test));
    assert!(build(good(), good()).is_ok());

    let error = build(good(), pixels(&[], &[])).unwrap_err();
    assert_eq!(error.to_string(), "bad: the test split is empty: at least one example is needed");
    let error = build(pixels(&[1, 2, 3], &[0, 1]), good()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad: pool split has 3 pixels, 2 labels and 2 ids, but 2 pixels an example: make them agree"
    );
    let error = build(good(), pixels(&[1, 2, 3, 4], &[0, 2])).unwrap_err();
    assert_eq!(error.to_string(), "bad: test example 1 has label 2, but labels go from 0 to 1: correct the labels");
    let error = build(pixels(&[1, 2, 3, 4], &[1, 1]), good()).unwrap_err();
    assert_eq!(error.to_string(), "bad: the pool holds a single class: at least 2 are needed");
    let mut no_ids = good();
    no_ids.ids.clear();
    assert!(matches!(build(good(), no_ids), Err(Error::Inconsistent { .. })));
    let nothing = Shape { width: 0, ..SHAPE };
    let error = Dataset::from_raw("bad", parts(nothing, 2, pixels(&[], &[0, 1]), good()));
    assert!(matches!(error, Err(Error::Inconsistent { .. })));
}

#[test]
fn columns_are_standardised_on_the_pool_and_binary_tables_left_alone() {
    let table = |values: &[f32]| Raw { values: Values::Table(values.to_vec()), ..pixels(&[], &[0, 1]) };
    let build = |pool: &[f32], test: &[f32]| Dataset::from_raw("t", parts(SHAPE, 2, table(pool), table(test)));
    let data = build(&[0.0, 5.0, 4.0, 5.0], &[8.0, 6.0, 2.0, 5.0]).unwrap();
    // Column 0: mean 2, deviation 2; column 1 is constant.
    assert_eq!(data.pool.x, [-1.0, 0.0, 1.0, 0.0]);
    assert_eq!(data.test.x, [3.0, 1.0, 0.0, 0.0]);
    assert_eq!(data.pixels(&data.pool, 0), None);
    assert_eq!(build(&[0.0, 1.0, 1.0, 1.0], &[1.0; 4]).unwrap().pool.x, [0.0, 1.0, 1.0, 1.0]);
    let error = build(&[0.0, 1.0, 2.0, f32::NAN], &[1.0; 4]).unwrap_err();
    assert_eq!(error.to_string(), "t: pool example 1, column 1 is not a finite number: correct or drop the row");
}

/// Ids are those of the source, whatever examples were taken of it: files by name where there are names, rows from 1 where there are none.
#[test]
fn an_example_is_placed_in_its_source() {
    let pool = Raw { ids: vec![7, 0, 2], ..pixels(&[0, 10, 20, 255, 30, 40], &[0, 1, 2]) };
    let mut data = Dataset::from_raw("small", parts(SHAPE, 3, pool, pixels(&[1, 2], &[1]))).unwrap();
    let places = |data: &Dataset| [0, 1, 2].map(|i| data.place(i));
    assert_eq!(places(&data), ["row 8", "row 1", "row 3"]);
    // The held-out examples have files of their own.
    data.files = [["a/0.png", "a/1.png", "b/2.png"].map(str::to_owned).to_vec(), vec!["test.png".to_owned()]];
    assert_eq!(places(&data), ["row 8", "a/0.png", "b/2.png"]);
}
