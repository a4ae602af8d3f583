use std::fs;
use std::path::Path;

use super::*;

fn request(name: &str, pool: Option<usize>, test: Option<usize>, seed: u64) -> Request {
    Request { name: name.into(), pool, test, seed }
}

fn per_class(labels: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; 10];
    for &label in labels {
        counts[label as usize] += 1;
    }
    counts
}

fn images(count: u8, side: u8) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, side, 0, 0, 0, side];
    bytes.extend((0..u32::from(count) * u32::from(side).pow(2)).map(|i| (i * 7) as u8));
    bytes
}

fn labels(values: &[u8]) -> Vec<u8> {
    [&[0, 0, 8, 1, 0, 0, 0, values.len() as u8][..], values].concat()
}

/// A directory with 6 pool and 4 test images of 2x2 in 3 classes.
fn quartet() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    write("train-images-idx3-ubyte", images(6, 2));
    write("train-labels-idx1-ubyte", labels(&[0, 1, 0, 1, 0, 1]));
    write("t10k-images-idx3-ubyte", images(4, 2));
    write("t10k-labels-idx1-ubyte", labels(&[0, 1, 2, 1]));
    folder
}

fn open_path(path: &Path) -> Result<Dataset, Error> {
    open(&Request::new(path.to_str().unwrap()))
}

#[test]
fn the_embedded_subset_is_balanced_and_pinned() {
    let data = open(&Request::new("fashion-mnist-small")).unwrap();
    assert_eq!((data.pool.len(), data.test.len(), data.classes), (4000, 2000, 10));
    assert_eq!(data.shape.to_string(), "1x28x28");
    assert_eq!(per_class(&data.pool.y), [400; 10]);
    assert_eq!(per_class(&data.test.y), [200; 10]);
    assert_eq!(data.digest_hex(), EMBEDDED);
    assert!(data.pool.ids.iter().copied().eq(0..4000));
}
const EMBEDDED: &str = "ab4cc18979f7464fd9373ea728024b365b16622b91ff411d7e55ba76e515919a";

#[test]
fn the_embedded_folder_opens_as_a_path_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("embedded");
    assert_eq!(open_path(&folder).unwrap().digest_hex(), EMBEDDED);
}

#[test]
fn subsets_are_balanced_repeatable_and_in_order() {
    let draw = |seed| open(&request("fashion-mnist-small", Some(1005), Some(100), seed)).unwrap();
    let (a, b, c) = (draw(1), draw(1), draw(2));
    assert_eq!(a, b);
    assert_ne!(a.pool.ids, c.pool.ids);
    assert_ne!(a.test.ids, c.test.ids);
    assert_eq!((a.pool.len(), a.test.len()), (1005, 100));
    assert!(per_class(&a.pool.y).iter().all(|count| (100..=101).contains(count)));
    assert_eq!(per_class(&a.test.y), [10; 10]);
    assert!(a.pool.ids.windows(2).all(|w| w[0] < w[1]));

    // The rows are those of the whole set, and normalisation is learnt on the subset alone.
    let whole = open(&Request::new("fashion-mnist-small")).unwrap();
    for (i, &id) in a.pool.ids.iter().enumerate() {
        assert_eq!(a.pool.y[i], whole.pool.y[id as usize]);
    }
    let last = a.pool.len() - 1;
    assert_eq!(a.pixels(&a.pool, last), whole.pixels(&whole.pool, a.pool.ids[last] as usize));
    assert_ne!(a.scaling, whole.scaling);
}

#[test]
fn pool_and_test_draws_are_independent() {
    let both = open(&request("fashion-mnist-small", Some(50), Some(50), 4)).unwrap();
    let pool = open(&request("fashion-mnist-small", Some(50), None, 4)).unwrap();
    assert_eq!(both.pool, pool.pool);
    assert_eq!(pool.test.len(), 2000);
}

#[test]
fn classes_do_not_shrink_with_the_subset() {
    let data = open(&request("fashion-mnist-small", Some(3), Some(1), 0)).unwrap();
    assert_eq!((data.pool.len(), data.classes), (3, 10));
}

#[test]
fn a_directory_opens_whole() {
    let folder = quartet();
    let data = open_path(folder.path()).unwrap();
    assert_eq!((data.pool.len(), data.test.len(), data.classes), (6, 4, 3), "a class of the test split counts");
    assert_eq!(data.name, folder.path().to_str().unwrap());
    assert_eq!(data.pixels(&data.pool, 1).unwrap(), [28, 35, 42, 49]);

    // `test` stands for `t10k`.
    for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        let name = |stem: &str| folder.path().join(format!("{stem}-{kind}"));
        fs::rename(name("t10k"), name("test")).unwrap();
    }
    assert_eq!(open_path(folder.path()).unwrap(), data);
}

#[test]
fn impossible_sizes_are_refused() {
    let error = open(&request("fashion-mnist-small", Some(4001), None, 0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fashion-mnist-small has 4000 pool examples, but 4001 were asked for: set pool to at most 4000"
    );
    let error = open(&request("fashion-mnist-small", None, Some(9999), 0)).unwrap_err();
    assert!(error.to_string().contains("2000 test examples"));
    let error = open(&request("fashion-mnist-small", None, Some(0), 0)).unwrap_err();
    assert!(matches!(error, Error::Empty { part: Part::Test, .. }));
    let error = open(&request("fashion-mnist-small", Some(1), None, 0)).unwrap_err();
    assert!(matches!(error, Error::OneClass { .. }));
}

#[test]
fn unknown_names_get_the_nearest() {
    let message = |name: &str| open(&Request::new(name)).unwrap_err().to_string();
    assert_eq!(
        message("fashon-mnist"),
        "no data set \"fashon-mnist\": did you mean \"fashion-mnist\"? known names: \
         fashion-mnist-small, fashion-mnist, digits, letter, subpopulations, one-cluster, \
         cifar-10, cifar-100, purchase-100, texas-100, eyepacs; or give a path"
    );
    assert!(message("fashion-mnist-smal").contains("did you mean \"fashion-mnist-small\""));
    assert!(message("").starts_with("no data set \"\": known names"));
    assert!(message("cifar10").contains("did you mean \"cifar-10\""));
    assert!(message("cifar-10").contains("flatleak data fetch cifar-10"));
    assert_eq!(message("./nowhere"), "no directory ./nowhere: check the path");
    assert_eq!(distance("kitten", "sitting"), 3);
    assert_eq!(distance("", "abc"), 3);
}

#[test]
fn a_file_is_not_a_directory() {
    let folder = quartet();
    let error = open_path(&folder.path().join("train-images-idx3-ubyte")).unwrap_err();
    assert!(matches!(error, Error::NoReader { .. }), "{error}");
    assert!(error.to_string().contains("a folder with four IDX files"), "{error}");
}

#[test]
fn an_absent_fashion_mnist_says_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = installed(Some(missing.into())).err().unwrap().to_string();
    assert!(error.contains("apt-get install dataset-fashion-mnist"));
    assert!(error.contains("FLATLEAK_FASHION_MNIST"));
    let empty = installed(Some(folder.path().into())).err().unwrap();
    assert!(matches!(empty, Error::MissingFile { .. }));
}

#[test]
fn fashion_mnist_opens_from_the_named_directory() {
    let splits = installed(Some(quartet().path().into())).unwrap();
    assert_eq!(splits.map(|whole| whole.raw.labels.len()), [6, 4]);
    // Debian's own files, where they are installed.
    if Path::new(FASHION_MNIST_DIR).is_dir() {
        let [pool, test] = installed(Some(OsString::new())).unwrap();
        assert_eq!(per_class(&pool.raw.labels), [6000; 10]);
        assert_eq!(per_class(&test.raw.labels), [1000; 10]);
    }
}

#[test]
fn damaged_quartets_are_refused_by_file() {
    let broken = |file: &str, bytes: Option<Vec<u8>>| {
        let folder = quartet();
        let path = folder.path().join(file);
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let error = open_path(folder.path()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(folder.path().to_str().unwrap()));
        error
    };
    let error = broken("t10k-labels-idx1-ubyte", None);
    assert!(error.to_string().contains("t10k-labels-idx1-ubyte[.gz] or test-labels-idx1-ubyte[.gz]"));
    let error = broken("train-images-idx3-ubyte", Some(labels(&[1, 2])));
    assert!(matches!(error, Error::File { .. }) && error.to_string().contains("magic number"));
    let error = broken("train-labels-idx1-ubyte", Some(labels(&[0, 1])));
    assert!(error.to_string().contains("holds 6 images"));
    assert!(error.to_string().contains("holds 2 labels"));
    let error = broken("t10k-images-idx3-ubyte", Some(images(4, 3)));
    assert!(error.to_string().ends_with("pool images are 1x2x2, but test images 1x3x3: use files of the same set"));
    let error = broken("train-labels-idx1-ubyte", Some(labels(&[0; 6])));
    assert!(matches!(error, Error::OneClass { .. }));
    let error = broken("train-labels-idx1-ubyte", Some(Vec::new()));
    assert!(error.to_string().contains("cut short"));
}

#[test]
fn an_unreadable_file_is_named() {
    let folder = quartet();
    let path = folder.path().join("train-images-idx3-ubyte");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = open_path(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Io { path: named, .. } if named == path));
}

#[test]
fn the_catalogue_opens() {
    assert_eq!(catalogue()[0].name, "fashion-mnist-small");
    // All that need no file on the machine.
    for entry in catalogue().iter().filter(|entry| entry.name != "fashion-mnist") {
        let data = open(&Request::new(entry.name)).unwrap();
        let size = |n: usize| if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) };
        let says = format!("{} pool, {} test", size(data.pool.len()), size(data.test.len()));
        assert!(entry.size.starts_with(&says), "{}: {} against {says}", entry.name, entry.size);
        assert!(entry.size.contains(&format!("{} classes", data.classes)));
    }
}

/// The cache refuses these names; the list stands there because the catalogue asks the cache.
#[test]
fn names_of_the_catalogue_are_not_imported() {
    let somewhere = Path::new("nowhere");
    for name in CATALOGUE.iter().map(|e| e.name).chain(cache::remotes().iter().map(|r| r.name)) {
        let error = cache::import_own(name, somewhere, true).unwrap_err();
        assert!(matches!(error, Error::Taken { .. }), "{error}");
    }
}
