//! Small files in the published formats, written here and opened through the front door.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fs;
use std::io::Write;
use std::path::Path;

use flatleak_data::{Dataset, Error, Request, Scaling, open};

fn opened(path: &Path) -> Result<Dataset, Error> {
    open(&Request::new(path.to_str().unwrap()))
}

fn npy(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), body].concat()
}

fn npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn floats(values: impl Iterator<Item = f64>) -> Vec<u8> {
    values.flat_map(|v| (v as f32).to_le_bytes()).collect()
}

#[test]
fn purchase_with_one_hot_and_with_integer_labels() {
    let dir = tempfile::tempdir().unwrap();
    // Published as 0/1 features of type u1 or f4 with `features` and `labels`.
    let features: Vec<u8> = (0..50 * 6).map(|i| (i * 7 % 11 % 2) as u8).collect();
    let one_hot: Vec<u8> = (0..50 * 5).map(|i| u8::from(i / 5 % 5 == i % 5)).collect();
    let integers: Vec<u8> = (0..50i64).flat_map(|i| (i % 5).to_le_bytes()).collect();
    let (a, b) = (dir.path().join("a.npz"), dir.path().join("b.npz"));
    npz(&a, &[("features", npy("|u1", "(50, 6)", &features)), ("labels", npy("|u1", "(50, 5)", &one_hot))]);
    npz(&b, &[("features", npy("|u1", "(50, 6)", &features)), ("labels", npy("<i8", "(50,)", &integers))]);
    let (a, b) = (opened(&a).unwrap(), opened(&b).unwrap());
    assert_eq!((a.pool.len(), a.test.len(), a.classes, a.shape.features()), (40, 10, 5, 6));
    assert_eq!(a.digest(), b.digest());
    assert_eq!(a.scaling, Scaling::Binary);
    for (i, &id) in a.pool.ids.iter().enumerate() {
        assert_eq!(a.pool.y[i], id % 5);
        assert_eq!(a.pool.row(i)[2], f32::from(features[id as usize * 6 + 2]));
    }
}

#[test]
fn npz_images_groups_and_a_test_set_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("images.npz");
    // Channels last, (N, 2, 2, 3): value = 12 i + 3 pixel + channel.
    let x: Vec<u8> = (0..10 * 12).collect();
    let y: Vec<u8> = (0..10).map(|i| i % 2).collect();
    let parts = |extra: Vec<(&'static str, Vec<u8>)>| {
        let mut all = vec![("x", npy("|u1", "(10, 2, 2, 3)", &x)), ("y", npy("|u1", "(10,)", &y))];
        all.extend(extra);
        all
    };
    npz(&path, &parts(vec![("groups", npy("|u1", "(10,)", &[0, 0, 0, 0, 0, 0, 0, 0, 1, 1]))]));
    let data = opened(&path).unwrap();
    assert_eq!((data.shape.channels, data.shape.height, data.groups.len()), (3, 2, 2));
    let id = data.pool.ids[0] as u8;
    let channel_first = [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11].map(|v| 12 * id + v);
    assert_eq!(data.pixels(&data.pool, 0).unwrap(), channel_first);
    npz(&path, &parts(vec![("x_test", npy("|u1", "(2, 2, 2, 3)", &[9; 24])), ("y_test", npy("|u1", "(2,)", &[1, 0]))]));
    let data = opened(&path).unwrap();
    assert_eq!((data.pool.len(), data.test.y.as_slice()), (10, [1, 0].as_slice()));
}

#[test]
fn what_an_archive_must_not_hold() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.npz");
    let error = |arrays: &[(&str, Vec<u8>)]| {
        npz(&path, arrays);
        opened(&path).unwrap_err().to_string()
    };
    let y = || ("y", npy("|u1", "(2,)", &[0, 1]));
    let x = |body: &[f64]| ("x", npy("<f4", "(2, 2)", &floats(body.iter().copied())));
    assert!(error(&[y()]).contains("has no inputs"));
    assert!(error(&[x(&[1.0; 4])]).contains("has no labels"));
    assert!(error(&[("x", npy("|O", "(2,)", &[0x80])), y()]).contains("never objects or pickles"));
    assert!(error(&[x(&[1.0, 2.0, 3.0, f64::NAN]), y()]).contains("not a finite number"));
    assert!(
        error(&[x(&[1.0; 4]), ("y", npy("<f4", "(2,)", &floats([0.0, 0.5].into_iter())))]).contains("labels[1] = 0.5")
    );
    assert!(
        error(&[x(&[1.0; 4]), ("y", npy("|u1", "(2, 2)", &[1, 1, 0, 1]))]).contains("labels[0] that is not one-hot")
    );
    assert!(error(&[x(&[1.0; 4]), ("y", npy("|u1", "(3,)", &[0, 1, 0]))]).contains("but 3 labels"));
    // Labels far above the number of classes that a network can have.
    let high = [0i64, 70_000].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    assert!(
        error(&[x(&[1.0; 4]), ("y", npy("<i8", "(2,)", &high))]).contains("has 70001 classes in `y`; at most 65535")
    );
    let text = error(&[x(&[1.0; 4]), ("foo", npy("|u1", "(2,)", &[0, 1]))]);
    assert!(text.contains("has no labels, but x, foo: name them one of y, labels"), "{text}");
    let text = error(&[x(&[1.0, 2.0, 3.0, f64::INFINITY]), y()]);
    assert!(text.contains("has `x`[1, 1] = inf, not a finite number: fill it in"), "{text}");
    let text = error(&[("x", npy("|u1", "(2,)", &[1, 2])), y()]);
    assert!(
        text.contains("has `x` of shape [2] (bytes or booleans); (N, D)") && text.contains("numpy.reshape"),
        "{text}"
    );
    let test = ("x_test", npy("|u1", "(1, 2)", &[1, 2]));
    assert!(error(&[x(&[1.0; 4]), y(), test]).contains("has `x_test`, but not its labels: add them"));
    let groups = ("groups", npy("|u1", "(1,)", &[0]));
    assert!(error(&[x(&[1.0; 4]), y(), groups]).contains("has 1 groups, but 2 labels"));
    fs::write(&path, b"PK\x03\x04 nothing").unwrap();
    assert!(opened(&path).unwrap_err().to_string().contains("no .npz archive"));
}

#[test]
fn cifar_folders() {
    let dir = tempfile::tempdir().unwrap();
    let record = |head: &[u8], v: u8| [head, &[v; 3072]].concat();
    let batches: Vec<String> =
        (1..=5).map(|i| format!("data_batch_{i}.bin")).chain(["test_batch.bin".into()]).collect();
    for (i, name) in batches.iter().enumerate() {
        let bytes = [record(&[i as u8], 10), record(&[9], 20)].concat();
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let data = opened(dir.path()).unwrap();
    assert_eq!(
        (data.pool.y.as_slice(), data.test.y.as_slice()),
        ([0, 9, 1, 9, 2, 9, 3, 9, 4, 9].as_slice(), [5, 9].as_slice())
    );
    assert_eq!((data.shape.channels, data.shape.height, data.classes), (3, 32, 10));
    let hundred = tempfile::tempdir().unwrap();
    for name in ["train.bin", "test.bin"] {
        fs::write(hundred.path().join(name), [record(&[3, 7], 10), record(&[19, 99], 20)].concat()).unwrap();
    }
    let data = opened(hundred.path()).unwrap();
    assert_eq!((data.pool.y, data.pool.groups.unwrap(), data.groups.len()), (vec![7, 99], vec![3, 19], 20));
    fs::write(hundred.path().join("test.bin"), record(&[3, 100], 0)).unwrap();
    let error = opened(hundred.path()).unwrap_err().to_string();
    assert!(error.contains("test.bin record 0 has label 100"), "{error}");
}

#[test]
fn tables_as_text() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table.csv");
    let rows: String =
        (0..40).map(|i| format!("{i},{},{}\n", i * i % 7, if i % 2 == 0 { "odd" } else { "even" })).collect();
    fs::write(&path, format!("a,b,label\n{rows}")).unwrap();
    let data = opened(&path).unwrap();
    assert_eq!((data.pool.len(), data.test.len(), data.classes), (32, 8, 2));
    let mean: f32 = data.pool.x.iter().step_by(2).sum::<f32>() / 32.0;
    assert!(mean.abs() < 1e-6, "standardised on the pool: {mean}");
    fs::write(&path, "a,b,label\n1,2,0\n3,0\n").unwrap();
    assert!(opened(&path).unwrap_err().to_string().contains("table.csv line 3 has 2 fields"));
    fs::write(&path, "a,label\n1,0\n2,0\n3,0\n4,0\n5,0\n6,0\n").unwrap();
    assert!(opened(&path).unwrap_err().to_string().contains("single class"));
}

fn png(path: &Path, [width, height]: [u32; 2], color: png::ColorType, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(color);
    encoder.write_header().unwrap().write_image_data(bytes).unwrap();
}

/// An 8x8 grey JPEG of value 128 (baseline, one zero coefficient), written by hand from ITU T.81.
fn grey_jpeg() -> Vec<u8> {
    let mut out = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    out.extend([1; 64]);
    out.extend([0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    for class in [0x00, 0x10] {
        // One code of one bit, for the value 0: no difference, end of block.
        out.extend([0xff, 0xc4, 0, 20, class, 1]);
        out.extend([0; 15]);
        out.push(0);
    }
    out.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0b0011_1111, 0xff, 0xd9]);
    out
}

#[test]
fn folders_of_pictures() {
    let dir = tempfile::tempdir().unwrap();
    for split in ["train", "test"] {
        for (class, v) in [("cat", 50), ("dog", 100)] {
            for i in 0..2u8 {
                let path = dir.path().join(split).join(class).join(format!("{i}.png"));
                png(&path, [2, 2], png::ColorType::Grayscale, &[v + i; 4]);
            }
        }
    }
    let data = opened(dir.path()).unwrap();
    assert_eq!((data.shape.channels, data.pool.y.as_slice(), data.classes), (1, [0, 0, 1, 1].as_slice(), 2));
    assert_eq!(data.pixels(&data.pool, 3).unwrap(), [101; 4]);
    // One colour picture makes all of them colour; alpha is dropped.
    png(&dir.path().join("train/dog/2.png"), [2, 2], png::ColorType::Rgba, &[1, 2, 3, 9].repeat(4));
    assert!(opened(dir.path()).is_err(), "the test set is grey");
    png(&dir.path().join("test/dog/2.png"), [2, 2], png::ColorType::Rgba, &[1, 2, 3, 9].repeat(4));
    let data = opened(dir.path()).unwrap();
    assert_eq!(data.pixels(&data.pool, 4).unwrap(), [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    assert_eq!(data.pixels(&data.pool, 0).unwrap(), [50; 12]);
    png(&dir.path().join("train/dog/3.png"), [3, 2], png::ColorType::Grayscale, &[7; 6]);
    let error = opened(dir.path()).unwrap_err().to_string();
    assert!(error.contains("3.png is 2 x 3") && error.contains("+size=N"), "{error}");
    let resized = open(&Request::new(format!("{}+size=1", dir.path().display()))).unwrap();
    assert_eq!(resized.shape.features(), 3);
    fs::write(dir.path().join("train/dog/3.png"), b"\x89PNG broken").unwrap();
    assert!(opened(dir.path()).unwrap_err().to_string().contains("3.png is a damaged PNG"));
}

#[test]
fn eyepacs_is_resized() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10).map(|i| format!("{i}_left")).collect();
    let table: String = names.iter().enumerate().map(|(i, n)| format!("{n},{}\n", i % 5)).collect();
    fs::write(dir.path().join("trainLabels.csv"), format!("image,level\n{table}")).unwrap();
    for (i, name) in names.iter().enumerate() {
        if i == 0 {
            fs::write(dir.path().join(format!("{name}.jpeg")), grey_jpeg()).unwrap();
        } else {
            png(&dir.path().join(format!("{name}.png")), [3, 2], png::ColorType::Rgb, &[i as u8; 18]);
        }
    }
    let at = format!("{}+size=2", dir.path().display());
    let first = open(&Request::new(at.as_str())).unwrap();
    assert_eq!((first.pool.len(), first.test.len(), first.classes, first.shape.features()), (8, 2, 5, 12));
    let grey = first.pool.ids.iter().position(|id| *id == 0).map(|i| first.pixels(&first.pool, i).unwrap());
    assert!(grey.is_none_or(|p| p == [128; 12]));
    assert_eq!(open(&Request::new(at.as_str())).unwrap(), first);
    fs::remove_file(dir.path().join("3_left.png")).unwrap();
    assert!(open(&Request::new(at.as_str())).unwrap_err().to_string().contains("3_left.jpeg, named by the table"));
    fs::write(dir.path().join("trainLabels.csv"), "image,level\nx,9\n").unwrap();
    assert!(open(&Request::new(at)).unwrap_err().to_string().contains("line 2"));
}

#[test]
fn tables_as_parquet() {
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
    use parquet::file::writer::SerializedFileWriter;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table.parquet");
    let write = |bad: bool| {
        let schema = "message t { REQUIRED INT32 a; REQUIRED DOUBLE b; REQUIRED BYTE_ARRAY label (UTF8); }";
        let schema = std::sync::Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
        let file = fs::File::create(&path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, std::sync::Arc::default()).unwrap();
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&(0..20).collect::<Vec<_>>(), None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let values: Vec<f64> = (0..20).map(|i| if bad && i == 7 { f64::NAN } else { f64::from(i * i) }).collect();
        column.typed::<DoubleType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let labels: Vec<ByteArray> = (0..20).map(|i| ByteArray::from(if i % 2 == 0 { "yes" } else { "no" })).collect();
        column.typed::<ByteArrayType>().write_batch(&labels, None, None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
        writer.close().unwrap();
    };
    write(false);
    let data = opened(&path).unwrap();
    assert_eq!((data.pool.len(), data.test.len(), data.shape.features(), data.classes), (16, 4, 2, 2));
    assert!(data.pool.ids.iter().zip(&data.pool.y).all(|(id, y)| *y == 1 - id % 2));
    write(true);
    let error = opened(&path).unwrap_err().to_string();
    assert!(error.contains("row 7, column `b`"), "{error}");
    fs::write(&path, b"PAR1 nothing PAR1").unwrap();
    assert!(opened(&path).unwrap_err().to_string().contains("table.parquet"));
}

/// Sixty thousand images in less than half a second and less than twice their size beside them: measured by
/// `cargo run --release -p flatleak-data --example load`; here only that the whole set opens.
#[test]
fn the_full_set_opens_where_it_is_installed() {
    if Path::new(flatleak_data::FASHION_MNIST_DIR).is_dir() {
        let data = open(&Request::new("fashion-mnist")).unwrap();
        assert_eq!((data.pool.len(), data.test.len()), (60_000, 10_000));
    }
}
