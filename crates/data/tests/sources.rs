//! Data sets as their libraries write them (`fixtures/make_sources.py`): what is taken, what is left out and said, what is refused; and that
//! whoever does what a refusal says succeeds.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use flatleak_data::{Dataset, Error, Remark, Request, open};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources").join(name)
}

fn opened(path: &Path) -> Result<Dataset, Error> {
    open(&Request::new(path.to_str().unwrap()))
}

fn read(name: &str) -> Dataset {
    opened(&fixture(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn refused(name: &str) -> String {
    let error = opened(&fixture(name)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(name), "the file is named: {text}");
    text
}

fn said(data: &Dataset) -> Vec<String> {
    data.remarks.iter().map(ToString::to_string).collect()
}

/// A text table of this test.
fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn index_columns_are_left_out_and_said() {
    let plain = read("range.parquet");
    assert_eq!((plain.shape.features(), plain.remarks.len()), (2, 0), "a range that was not written is no column");
    for (name, column) in [
        ("index.csv", "column `1` numbers"),
        ("reread.csv", "column `Unnamed: 0` numbers"),
        ("shuffled.csv", "column `1` numbers"),
        ("filtered.parquet", "column `__index_level_0__` numbers"),
        ("named.parquet", "column `sample` numbers"),
        ("polars.csv", "column `index` numbers"),
        ("id.csv", "column `id` numbers"),
    ] {
        let data = read(name);
        assert_eq!(data.shape.features(), 2, "{name}");
        let said = said(&data);
        assert!(said.len() == 1 && said[0].starts_with(column), "{name}: {said:?}");
    }
    assert_eq!(read("index.csv").digest(), plain.digest());
    assert_eq!(read("named.parquet").digest(), plain.digest());
}

#[test]
fn what_only_looks_like_an_index_is_read_and_said() {
    let data = read("other_id.csv");
    assert_eq!(data.shape.features(), 3);
    assert!(said(&data)[0].starts_with("column `id` does not count the rows and is read"), "{:?}", said(&data));
    let data = read("week.csv");
    assert_eq!(data.shape.features(), 2);
    assert!(said(&data)[0].starts_with("column `week` counts the rows and is read"), "{:?}", said(&data));
    // What the remark says to do.
    let text = fs::read_to_string(fixture("week.csv")).unwrap();
    let without: String = text.lines().map(|l| format!("{}\n", l.split_once(',').unwrap().1)).collect();
    let (_folder, path) = written("week.csv", &without);
    let data = opened(&path).unwrap();
    assert_eq!((data.shape.features(), data.remarks.len()), (1, 0));
}

#[test]
fn columns_of_text_and_dates_are_left_out_and_said() {
    for name in ["text.csv", "text.parquet"] {
        let data = read(name);
        assert_eq!(data.shape.features(), 2, "{name}: a number and a truth");
        assert_eq!(data.remarks, [Remark::NoNumbers { columns: vec!["name".into(), "day".into()] }], "{name}");
        assert_eq!(data.class_names.as_deref(), Some(&["aster".to_owned(), "rose".into()][..]));
        let truth = data.pool.ids.iter().position(|id| *id == 3).unwrap_or(0);
        let wild = |i: usize| data.pool.row(i)[1] > 0.0;
        assert_eq!(wild(truth), data.pool.ids[truth].is_multiple_of(3), "{name}");
    }
    assert_eq!(read("text.csv").digest(), read("text.parquet").digest());
    let (_folder, path) = written("t.csv", "name,label\nann,0\nbob,1\ncy,0\n");
    let error = opened(&path).unwrap_err().to_string();
    assert!(error.contains("`name` cannot be a feature: add a column of numbers"), "{error}");
    let rows: String = (0..12).map(|i| format!("x{i},{},{}\n", i * i, i % 2)).collect();
    let (_folder, path) = written("t.csv", &format!("name,age,label\n{rows}"));
    opened(&path).unwrap();
}

#[test]
fn a_value_that_is_not_there_is_refused_with_its_place() {
    assert!(refused("missing.csv").contains("line 9, column 2: no value (``): fill it in, or take the row"));
    assert!(refused("missing.parquet").contains("row 7, column `a`: no value"));
    // The row is out.
    assert_eq!(read("filled.csv").pool.len(), 24);
}

#[test]
fn labels_that_are_measured_are_refused() {
    for name in ["diabetes.csv", "diabetes.parquet"] {
        let text = refused(name);
        assert!(text.contains("column `target` holds") && text.contains("below and above a limit"), "{text}");
    }
    assert!(refused("diabetes.csv").contains("different values in 60 examples"));
    // Below and above the median.
    assert_eq!(read("diabetes_classes.csv").classes, 2);
    let text = refused("measured.npz");
    assert!(text.contains("labels[0] = ") && text.contains("numpy.digitize"), "{text}");
    // Whole numbers that nearly every row has alone, and the mend: the column of the classes gets the name.
    let rows = |n: usize| (0..n).map(|i| format!("{},{},{}\n", i * 7 % 5, i % 3, i * 13 % 601)).collect::<String>();
    let (_folder, path) = written("t.csv", &format!("a,kind,price\n{}", rows(600)));
    let text = opened(&path).unwrap_err().to_string();
    assert!(text.contains("column `price` holds 600 different values in 600 examples"), "{text}");
    let (_folder, path) = written("t.csv", &format!("a,label,price\n{}", rows(600)));
    assert_eq!(opened(&path).unwrap().classes, 3);
    // Nothing says which column is the label: the last is, and that is said, with what makes it another.
    let (_folder, path) = written("t.csv", "kind,a\n0,1\n1,0\n0,1\n1,0\n1,1\n0,0\n");
    let data = opened(&path).unwrap();
    assert!(said(&data)[0].starts_with("the label is the last column, `a`: call"), "{:?}", said(&data));
    let (_folder, path) = written("t.csv", "label,a\n0,1\n1,0\n0,1\n1,0\n1,1\n0,0\n");
    assert_eq!(opened(&path).unwrap().remarks, []);
    // Points in a plane: y is a coordinate beside a label.
    let rows: String = (0..12).map(|i| format!("{},{},{}\n", i * i % 7, i * i % 5, i % 2)).collect();
    let (_folder, path) = written("t.csv", &format!("x,y,label\n{rows}"));
    let data = opened(&path).unwrap();
    assert!(data.pool.ids.iter().zip(&data.pool.y).all(|(id, y)| *y == id % 2));
    assert!(said(&data)[0].starts_with("the label is column `label`, and column `y` is read"), "{:?}", said(&data));
    let (_folder, path) = written("t.csv", &format!("x,height,label\n{rows}"));
    assert_eq!(opened(&path).unwrap().remarks, []);
}

#[test]
fn labels_of_signs_and_from_one_are_classes_and_said() {
    for name in ["signs.csv", "signs.parquet", "fortran.npz"] {
        let data = read(name);
        assert_eq!(data.classes, 2, "{name}");
        assert_eq!(said(&data), ["labels `-1`, `1` are classes 0 to 1"], "{name}");
        assert!(data.pool.ids.iter().zip(&data.pool.y).all(|(id, y)| *y == id % 2), "{name}");
        assert_eq!(data.class_name(0), "-1");
    }
    let data = read("from_one.csv");
    assert_eq!((data.classes, said(&data)), (3, vec!["labels `1`, `2`, `3` are classes 0 to 2".to_owned()]));
}

#[test]
fn arrays_of_scikit_learn_keras_and_medmnist() {
    // pandas hands out arrays in Fortran order: the same values, and -1 and 1 in the place of 0 and 1.
    assert_eq!(read("fortran.npz").digest(), read("c.npz").digest());
    assert_eq!(read("hot.npz").digest(), read("column.npz").digest());
    let iris = read("sklearn.npz");
    assert_eq!((iris.pool.len(), iris.test.len(), iris.shape.features(), iris.classes), (120, 30, 4, 3));
    assert_eq!(iris.class_names.as_deref(), Some(&["setosa".to_owned(), "versicolor".into(), "virginica".into()][..]));
    let words = read("words.npz");
    assert_eq!(words.class_names.as_deref(), Some(&["aster".to_owned(), "rose".into()][..]));
    assert!(words.pool.ids.iter().zip(&words.pool.y).all(|(id, y)| *y == 1 - id % 2));
    let keras = read("keras.npz");
    assert_eq!((keras.pool.len(), keras.test.len(), keras.shape.to_string()), (30, 12, "1x4x4".to_owned()));
    let med = read("medmnist.npz");
    assert_eq!((med.pool.len(), med.test.len(), med.shape.to_string(), med.classes), (30, 12, "1x4x4".to_owned(), 3));
    assert!(med.pixels(&med.pool, 0).is_some());
    let said = said(&med);
    assert!(said.len() == 1 && said[0].contains("`val_images`, `val_labels` left out"), "{said:?}");
}

#[test]
fn pickles_are_refused_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.npz");
    fs::write(&path, b"\x80\x04\x95\x00\x00 a pickle").unwrap();
    let error = opened(&path).unwrap_err().to_string();
    assert!(error.contains("is a pickle, and pickles are never read"), "{error}");
}

#[test]
fn pictures_in_parquet() {
    let data = read("hub.parquet");
    assert_eq!((data.pool.len(), data.test.len(), data.shape.to_string()), (12, 3, "3x5x4".to_owned()));
    assert_eq!(data.class_names.as_deref(), Some(&["cat".to_owned(), "dog".into(), "emu".into()][..]));
    assert!(data.pool.ids.iter().zip(&data.pool.y).all(|(id, y)| *y == id % 3));
    let jpeg = read("jpeg.parquet");
    assert_eq!((jpeg.shape.to_string(), jpeg.classes), ("3x6x6".to_owned(), 3));
    assert_eq!(jpeg.class_name(2), "emu");
    // A folder with its splits, as it lies in a repository.
    let folder = read("hub");
    assert_eq!((folder.pool.len(), folder.test.len(), folder.class_name(1)), (12, 6, "dog".to_owned()));
    assert!(said(&folder)[0].contains("`validation-00000-of-00001.parquet` left out"), "{:?}", said(&folder));
    let small = open(&Request::new(format!("{}+size=2", fixture("hub.parquet").display()))).unwrap();
    assert_eq!(small.shape.to_string(), "3x2x2");
    assert!(refused("paths.parquet").contains("row 0, column `image`: no bytes of a picture"));
    assert!(refused("unlabelled.parquet").contains("row 0, column `label`: `-1` is no label"));
}

#[test]
fn sizes_are_for_pictures() {
    let with = |name: &str, size: usize| open(&Request::new(format!("{}+size={size}", fixture(name).display())));
    for name in ["index.csv", "index.csv", "text.parquet", "medmnist.npz"] {
        let text = with(name, 8).unwrap_err().to_string();
        assert!(text.contains("leave it out"), "{name}: {text}");
        read(name);
    }
    let text = with("hub.parquet", 0).unwrap_err().to_string();
    assert!(text.contains("size = 0, but 1 to 1024"), "{text}");
    with("hub.parquet", 1).unwrap();
}

fn png(path: &Path, value: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), 2, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[value; 4]).unwrap();
}

#[test]
fn folders_are_numbered_by_value() {
    let dir = tempfile::tempdir().unwrap();
    for class in 0..12u8 {
        for i in 0..3 {
            png(&dir.path().join(format!("{class}/{i}.png")), class * 20 + i);
        }
    }
    let data = opened(dir.path()).unwrap();
    assert_eq!(data.classes, 12);
    for (i, y) in data.pool.y.iter().enumerate() {
        assert_eq!(u32::from(data.pixels(&data.pool, i).unwrap()[0] / 20), *y);
    }
    assert!(said(&data)[0].contains("by value, not in the order of text: `0`, `1`, `2`"), "{:?}", said(&data));
    // Names of which the order is the same either way need no words.
    for class in 10..12 {
        fs::remove_dir_all(dir.path().join(class.to_string())).unwrap();
    }
    fs::create_dir(dir.path().join(".ipynb_checkpoints")).unwrap();
    let data = opened(dir.path()).unwrap();
    assert_eq!((data.remarks.len(), data.classes, data.class_name(9)), (0, 10, "9".to_owned()));
}

#[test]
fn classes_of_one_split_alone_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (split, classes) in [("train", ["cat", "dog"]), ("test", ["cat", "emu"])] {
        for class in classes {
            png(&dir.path().join(split).join(class).join("0.png"), 9);
        }
    }
    let error = opened(dir.path()).unwrap_err().to_string();
    assert!(error.contains("`train` (alone: dog)") && error.contains("`test` (alone: emu)"), "{error}");
    for folder in ["train/emu", "test/dog"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let data = opened(dir.path()).unwrap();
    assert_eq!((data.pool.y, data.test.y, data.classes), (vec![0, 1], vec![0, 2], 3));
}

#[test]
fn classes_that_are_known_have_names() {
    let name = |set: &str, class: usize| open(&Request::new(set)).unwrap().class_name(class);
    assert_eq!(name("fashion-mnist-small", 9), "Ankle boot");
    assert_eq!(name("letter", 25), "Z");
    assert_eq!(name("digits", 7), "7");
}
