//! How data sets come into the cache.

use std::path::{Component, Path, PathBuf};

use flatleak_disk::{Placed, Stage};

use crate::archive;
use crate::budget::room_in;
use crate::error::Error;
use crate::files::{open, sorted};
use crate::place::{CACHE_VAR, directory};
use crate::raw::Whole;
use crate::reader::Options;
use crate::readers;
use crate::remark::Remark;
use crate::remote::Remote;
use crate::shelf::{CHECKSUMS, NOTE, all_files, blake3_of, failed, find, is_hidden, legal, listed, noted, sha256_of};

/// Levels of folders in a data set: splits, and classes in them.
const DEEPEST: usize = 3;
/// Names of data sets that the program brings, as the catalogue has them.
const BUILT_IN: [&str; 6] =
    ["fashion-mnist-small", "fashion-mnist", "digits", "letter", "subpopulations", "one-cluster"];

/// A data set that is in the cache now.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// Where it lies.
    pub path: PathBuf,
    /// Examples, shape and classes.
    pub size: String,
    /// What was in its place before, and is gone.
    pub replaced: Option<String>,
    /// What is worth saying of how it was read.
    pub remarks: Vec<Remark>,
}

/// Puts a data set of the user's own into the cache under a name: see [`import`]. A name that is taken is refused; one that an import took
/// is replaced only where `replaces` is set.
///
/// # Errors
/// As [`import`]; a name that is taken.
pub fn import_own(name: &str, from: &Path, replaces: bool) -> Result<Arrived, Error> {
    let taken = |what: &str, mend: String| Err(Error::Taken { name: name.into(), what: what.into(), mend });
    if Remote::named(name).is_some() {
        let mend = format!("run `flatleak data fetch {name} --from {}`, or take another name", from.display());
        return taken("a known data set that is fetched", mend);
    }
    if BUILT_IN.contains(&name) {
        return taken("a data set that the program brings", "take another name".into());
    }
    if !replaces && let Some(path) = find(name) {
        return Err(taken_by_import(name, &path));
    }
    bring(name, from, None, replaces)
}

/// Puts a data set into the cache from a file or folder on this machine: a folder with its files, a `.tar.gz` of it, or one file
/// that a reader knows. What lies there under this name is replaced.
///
/// `sha256` is what the source file must hash to, in hexadecimal.
///
/// # Errors
/// A name that cannot be one, a source that lacks a file, a wrong checksum, content that no reader takes. Nothing is left in the
/// cache then.
pub fn import(name: &str, from: &Path, sha256: Option<&str>) -> Result<Arrived, Error> {
    bring(name, from, sha256, true)
}

/// Puts a data set into the cache; where the name is taken and nothing is to be replaced, the one that came first stays.
fn bring(name: &str, from: &Path, sha256: Option<&str>, replaces: bool) -> Result<Arrived, Error> {
    if !legal(name) {
        return Err(Error::Name { name: name.into() });
    }
    let cache = directory().ok_or(Error::NoCache { variable: CACHE_VAR })?;
    if let Some(expected) = sha256 {
        let found = sha256_of(from)?;
        if !found.eq_ignore_ascii_case(expected) {
            return Err(Error::Checksum { path: from.into(), expected: expected.to_lowercase(), found });
        }
    }
    let before = find(name).map(|path| noted(name).unwrap_or_else(|| path.display().to_string()));
    let path = cache.join(name);
    let stage = Stage::beside(&path)?;
    let (size, remarks) = assemble(name, from, &stage)?;
    match stage.publish(replaces)? {
        Placed::Taken => Err(taken_by_import(name, &path)),
        Placed::New | Placed::Replaced => Ok(Arrived { path, size, replaced: before, remarks }),
    }
}

/// The name has an imported set already.
fn taken_by_import(name: &str, path: &Path) -> Error {
    Error::Taken {
        name: name.into(),
        what: format!("a data set that was imported before, {}", path.display()),
        mend: "take another name, or add --replace".into(),
    }
}

/// Puts a data set together on a stage; its size, and what is to be said of it.
fn assemble(name: &str, from: &Path, stage: &Stage) -> Result<(String, Vec<Remark>), Error> {
    let part = stage.path();
    let wanted = Remote::named(name).map_or(&[][..], |r| r.files);
    let text = from.to_string_lossy();
    if from.is_dir() {
        copy(from, Path::new(""), stage, wanted, DEEPEST)?;
    } else if text.ends_with(".tar.gz") || text.ends_with(".tgz") {
        unpack(from, stage, wanted)?;
        out_of_one(stage)?;
    } else {
        let base = from.file_name().ok_or_else(|| Error::NoDirectory { path: from.into() })?;
        copy_file(from, Path::new(base), stage)?;
    }
    if let Some(missing) = wanted.iter().find(|w| !part.join(w).exists()) {
        return Err(Error::MissingFile { directory: from.into(), expected: (*missing).into() });
    }
    let (files, folders) = listed(part)?;
    let whole = if let ([one], true) = (&files[..], folders.is_empty()) { one.as_path() } else { part };
    // Errors name what the user gave, not a copy that is gone.
    let [pool, test] = readers::open(whole, 0, Options::default()).map_err(|e| e.at(part, from))?;
    let size = described(&pool, &test);
    let mut sums = format!("{NOTE}{size}\n");
    for file in all_files(part)? {
        let base = file.strip_prefix(part).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        sums += &format!("{}  {base}\n", blake3_of(&file)?);
    }
    stage.write(Path::new(CHECKSUMS), &mut sums.as_bytes())?;
    Ok((size, pool.remarks))
}

/// Examples, shape and classes in words.
fn described(pool: &Whole, test: &Whole) -> String {
    let labels = pool.raw.labels.iter().chain(&test.raw.labels);
    let classes = labels.max().map_or(0, |label| *label as usize + 1);
    let (pool_size, test_size) = (pool.raw.labels.len(), test.raw.labels.len());
    let names = pool.classes.as_ref().map_or_else(String::new, |names| {
        let more = if names.len() > 8 { ", ..." } else { "" };
        format!(": {}{more}", names.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", "))
    });
    format!("{pool_size} pool, {test_size} test; {}; {classes} classes{}", pool.shape, names.replace(['\n', '\r'], " "))
}

/// Copies the data files of a folder, and its folders, as many levels deep; only the wanted files where any are named.
fn copy(from: &Path, inside: &Path, stage: &Stage, wanted: &[&str], levels: usize) -> Result<(), Error> {
    let (files, folders) = listed(from)?;
    for file in files {
        let Some(base) = file.file_name() else { continue };
        if wanted.is_empty() || wanted.iter().any(|w| base == *w) {
            copy_file(&file, &inside.join(base), stage)?;
        }
    }
    if !wanted.is_empty() || folders.is_empty() {
        return Ok(());
    }
    if levels == 0 {
        return Err(Error::NotASet { path: from.into(), problem: "has folders deeper than any data set" });
    }
    for folder in folders {
        let Some(base) = folder.file_name() else { continue };
        let inner = inside.join(base);
        stage.folder(&inner)?;
        copy(&folder, &inner, stage, wanted, levels - 1)?;
    }
    Ok(())
}

fn copy_file(from: &Path, inside: &Path, stage: &Stage) -> Result<(), Error> {
    let mut file = open(from).map_err(failed(from))?;
    let size = file.metadata().map_err(failed(from))?.len();
    room_in(stage.path(), "its copy", size).map_err(|e| Error::file(from, e))?;
    stage.write(inside, &mut file)?;
    Ok(())
}

/// What lies in the only folder of a folder comes out of it: archives mostly hold one.
fn out_of_one(stage: &Stage) -> Result<(), Error> {
    for _ in 0..DEEPEST {
        let (files, folders) = listed(stage.path())?;
        let ([only], true) = (&folders[..], files.is_empty()) else { return Ok(()) };
        let aside = Path::new(".inner");
        stage.rename(only, aside)?;
        for path in sorted(&stage.path().join(aside))? {
            if let Some(base) = path.file_name() {
                stage.rename(&path, Path::new(base))?;
            }
        }
        stage.remove_folder(aside)?;
    }
    Ok(())
}

/// Regular files of an archive in their folders; where any are wanted, only these, without folders.
fn unpack(archive: &Path, stage: &Stage, wanted: &[&str]) -> Result<(), Error> {
    archive::check(archive, stage.path())?;
    let file = open(archive).map_err(failed(archive))?;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for entry in tar.entries().map_err(failed(archive))? {
        let mut entry = entry.map_err(failed(archive))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        // A size that is said twice may be said in two ways.
        room_in(stage.path(), "its files", entry.size()).map_err(|e| Error::file(archive, e))?;
        let path = entry.path().map_err(failed(archive))?.into_owned();
        let Some(inside) = harmless(&path) else { continue };
        let base = inside.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let target = match wanted {
            [] => inside,
            _ if wanted.contains(&base.as_str()) => PathBuf::from(&base),
            _ => continue,
        };
        stage.write(&target, &mut entry)?;
    }
    Ok(())
}

/// A path of an archive that stays below where it is unpacked, without hidden parts and not too deep.
fn harmless(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => {
                let text = name.to_str()?;
                if is_hidden(text) || text.contains(['\\', ':']) || text == CHECKSUMS {
                    return None;
                }
                out.push(text);
            }
            _ => return None,
        }
    }
    (1..=DEEPEST + 2).contains(&out.components().count()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    fn png(path: &Path, value: u8) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = png::Encoder::new(File::create(path).unwrap(), 2, 2);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&[value; 4]).unwrap();
    }

    /// Three classes with pictures in `train` and `test`.
    fn pictures(at: &Path) {
        for (split, n) in [("train", 3), ("test", 1)] {
            for class in ["1", "polar bear", "10"] {
                (0..n).for_each(|i| png(&at.join(split).join(class).join(format!("{i}.png")), 9 * i));
            }
        }
    }

    #[test]
    fn folders_of_pictures_come_whole() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("set");
        let stage = || Stage::beside(&dir.path().join("cache/set")).unwrap();
        pictures(&from);
        fs::create_dir(from.join(".git")).unwrap();
        let first = stage();
        let part = first.path();
        let (size, remarks) = assemble("set", &from, &first).unwrap();
        assert_eq!(size, "9 pool, 3 test; 1x2x2; 3 classes: 1, 10, polar bear");
        assert!(remarks.is_empty(), "text has the same order: {remarks:?}");
        let sums = fs::read_to_string(part.join(CHECKSUMS)).unwrap();
        assert_eq!(
            (sums.lines().count(), sums.lines().next()),
            (13, Some("# 9 pool, 3 test; 1x2x2; 3 classes: 1, 10, polar bear"))
        );
        assert!(sums.lines().any(|line| line.ends_with("  test/polar bear/0.png")) && !part.join(".git").exists());
        assert_eq!(readers::open(part, 0, Options::default()).unwrap()[0].raw.labels, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        // The message names what was given.
        fs::write(from.join("train/1/0.png"), "x").unwrap();
        let error = assemble("set", &from, &stage()).unwrap_err().to_string();
        assert!(error.starts_with(&from.join("train/1/0.png").display().to_string()), "{error}");
        fs::create_dir_all(from.join("a/b/c/d/e")).unwrap();
        let error = assemble("set", &from, &stage()).unwrap_err().to_string();
        assert!(error.contains("deeper") && error.contains("import the folder of the data set alone"), "{error}");
    }

    #[test]
    fn archives_of_pictures_come_whole() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("set.tar.gz");
        let stage = Stage::beside(&dir.path().join("cache/set")).unwrap();
        pictures(&dir.path().join("pictures"));
        let packed = flate2::write::GzEncoder::new(File::create(&from).unwrap(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(packed);
        tar.append_dir_all("deep/set", dir.path().join("pictures")).unwrap();
        tar.into_inner().unwrap().finish().unwrap();
        let (size, _) = assemble("set", &from, &stage).unwrap();
        assert_eq!(size, "9 pool, 3 test; 1x2x2; 3 classes: 1, 10, polar bear");
        assert!(stage.path().join("train/10/2.png").is_file());
        for wrong in ["../up.csv", "/up.csv", ".hidden/x.csv", "a/b/c/d/e/f.csv", "a:b/x.csv", "checksums.txt"] {
            assert_eq!(harmless(Path::new(wrong)), None, "{wrong}");
        }
        assert_eq!(harmless(Path::new("./a/b.csv")), Some(PathBuf::from("a/b.csv")));
    }
}
