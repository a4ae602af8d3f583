//! The power fails after every step that an import does to the disk: the data set is whole or absent, and one that it replaces is there until
//! the new one is.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flatleak_data::cache::{self, CACHE_VAR};
use flatleak_data::{Error, Request, open};
use flatleak_disk::journal::{Names, Operation, Wreck, record};

/// A table of flowers.
fn table(path: &Path, rows: usize) -> PathBuf {
    let kind = |i: usize| if i.is_multiple_of(2) { "rose" } else { "aster" };
    let rows: String = (0..rows).map(|i| format!("{i},{},{}\n", 7 * i % 5, kind(i))).collect();
    fs::write(path, format!("width,height,label\n{rows}")).unwrap();
    path.to_owned()
}

/// Examples of the imported set, or why there are none.
fn examples() -> Result<usize, Error> {
    let data = open(&Request::new("flowers"))?;
    Ok(data.pool.len() + data.test.len())
}

/// Lays out every wreck of these steps in the cache.
fn wrecks(cache: &Path, before: &[(PathBuf, Vec<u8>)], steps: &[Operation], mut look: impl FnMut(&str)) {
    for cut in 0..=steps.len() {
        for names in [Names::Kept, Names::Lost] {
            fs::remove_dir_all(cache).unwrap();
            Wreck::after(cache, before, &steps[..cut]).lay_out(names, cache).unwrap();
            let last = cut.checked_sub(1).map(|k| &steps[k]);
            look(&format!("cut {cut} of {}, names {names:?}, after {last:?}", steps.len()));
        }
    }
}

#[test]
fn an_import_is_whole_or_absent_after_every_cut() {
    // The cache is named by a variable of the process, so the test runs in one of its own.
    if std::env::var_os("FLATLEAK_TEST_POWER").is_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut own = Command::new(std::env::current_exe().unwrap());
        own.args(["--exact", "an_import_is_whole_or_absent_after_every_cut"]);
        let own = own.env("FLATLEAK_TEST_POWER", "1").env(CACHE_VAR, dir.path().join("cache")).output().unwrap();
        let said = String::from_utf8_lossy(&own.stdout).into_owned() + &String::from_utf8_lossy(&own.stderr);
        assert!(own.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let cache = cache::directory().unwrap();
    fs::create_dir_all(&cache).unwrap();
    let above = cache.parent().unwrap();
    let (small, large) = (table(&above.join("small.csv"), 40), table(&above.join("large.csv"), 60));
    let import = |from: &Path, replaces: bool| cache::import_own("flowers", from, replaces).unwrap();

    let (_, steps) = record(&cache, || import(&small, false));
    let mut seen = [0, 0];
    wrecks(&cache, &[], &steps, |what| {
        match examples() {
            Ok(n) => assert_eq!(n, 40, "{what}"),
            Err(Error::Unknown { name, .. }) => assert_eq!(name, "flowers"),
            Err(other) => panic!("{what}: {other}"),
        }
        seen[usize::from(examples().is_ok())] += 1;
        // What was cut is no hindrance.
        import(&small, true);
        assert_eq!(examples().ok(), Some(40), "{what}");
    });
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");

    let inside =
        |name: &str| (PathBuf::from("flowers").join(name), fs::read(cache.join("flowers").join(name)).unwrap());
    let before = [inside("small.csv"), inside("checksums.txt")];
    let (_, steps) = record(&cache, || import(&large, true));
    let mut found = Vec::new();
    wrecks(&cache, &before, &steps, |what| found.push(examples().unwrap_or_else(|e| panic!("{what}: {e}"))));
    assert!(found.contains(&40) && found.last() == Some(&60), "{found:?}");
    assert!(found.iter().all(|n| [40, 60].contains(n)), "{found:?}");
}
