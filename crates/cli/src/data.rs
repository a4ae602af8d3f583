//! `flatleak data`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use flatleak::sheet;
use flatleak_data::cache::{self, Arrived, Remote};
use flatleak_data::{Dataset, FASHION_MNIST_DIR, FASHION_MNIST_VAR, Request, Scaling, catalogue, open};
use flatleak_disk::{make_folder, replace};
use flatleak_results::{plain, shortened};

use crate::arguments::Data;
use crate::exit::{DATA, Failure, OTHER, OUTPUT, USAGE};
use crate::voice::say;

/// Columns and rows of a contact sheet's classes.
const PER_CLASS: usize = 12;
const MOST_CLASSES: usize = 20;
/// Most characters of the name of a class or group.
const NAME: usize = 64;
/// Classes that are listed.
const MOST_NAMES: usize = 100;

pub(crate) fn run(command: &Data) -> Result<ExitCode, Failure> {
    let text = match command {
        Data::List => list(),
        Data::Info { data, sheet } => info(data, sheet.as_deref())?,
        Data::Fetch { name, from, sha256 } => fetch(name, from.as_deref(), sha256.as_deref())?,
        Data::Verify { name } => format!("{name}: {} files as they were fetched\n", cache::verify(name)?),
        Data::Import { path, name, replace } => arrived(name, &cache::import_own(name, path, *replace)?, ""),
    };
    say(&text);
    Ok(ExitCode::SUCCESS)
}

/// What has come into the cache, and what is gone from it.
fn arrived(name: &str, now: &Arrived, checked: &str) -> String {
    let mut out = format!("{name} is now {}{checked}: {}\n", now.path.display(), now.size);
    if let Some(before) = &now.replaced {
        let _ = writeln!(out, "replaced: {before}");
    }
    for remark in &now.remarks {
        let _ = writeln!(out, "note: {remark}");
    }
    out
}

fn list() -> String {
    let mut out = String::new();
    let mut line = |name: &str, present: &str, what: &str, size: &str, licence: &str| {
        let _ = writeln!(out, "{name:<22}{present:<12}{what}\n{:<34}{size}; {licence}", "");
    };
    for e in catalogue() {
        let folder =
            std::env::var_os(FASHION_MNIST_VAR).map_or_else(|| PathBuf::from(FASHION_MNIST_DIR), PathBuf::from);
        let present = if e.name != "fashion-mnist" || folder.is_dir() { "here" } else { "not here" };
        line(e.name, present, e.what, e.size, e.licence);
    }
    for r in cache::remotes() {
        let present = if cache::find(r.name).is_some() { "here" } else { "to fetch" };
        line(r.name, present, r.what, r.size, r.licence);
    }
    for own in cache::imported() {
        let size = own.size.unwrap_or_else(|| "imported by an earlier program".into());
        let _ = writeln!(out, "{:<22}{:<12}{}\n{:<34}{size}", own.name, "imported", own.path.display(), "");
    }
    if let Some(path) = cache::directory() {
        let _ = writeln!(out, "\nfetched and imported data: {}", path.display());
    }
    out
}

fn info(name: &str, sheet: Option<&Path>) -> Result<String, Failure> {
    let data = open(&Request::new(name))?;
    let mut out = format!("{}\n", plain(&data.name));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "shape     {} (channels x rows x columns), {} classes", data.shape, data.classes);
    for remark in &data.remarks {
        let _ = writeln!(out, "note      {remark}");
    }
    for (what, split) in [("pool", &data.pool), ("test", &data.test)] {
        let counts = counts(&split.y, data.classes);
        let (low, high) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
        let _ = writeln!(out, "{what:<10}{} examples, {low} to {high} a class", split.len());
        let n = split.x.len().max(1) as f64;
        let mean = split.x.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let spread = split.x.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        let _ = writeln!(out, "{:<10}inputs: mean {mean:+.4}, deviation {:.4}", "", spread.sqrt());
    }
    let scaling = match &data.scaling {
        Scaling::Pixels(n) => format!("pixels / 255 by mean {:.4}, deviation {:.4}", n.mean, n.std),
        Scaling::Columns { .. } => "columns standardised on the pool".into(),
        Scaling::Binary => "none: 0 and 1".into(),
    };
    let _ = writeln!(out, "scaling   {scaling}");
    if let (Some(pool), Some(test)) = (&data.pool.groups, &data.test.groups) {
        let (pool, test) = (counts(pool, data.groups.len()), counts(test, data.groups.len()));
        let _ = writeln!(out, "groups    {:<24}{:>8}{:>8}", "", "pool", "test");
        for (i, name) in data.groups.iter().enumerate() {
            let name = shortened(&plain(name), NAME).into_owned();
            let _ = writeln!(out, "{:<10}{name:<24}{:>8}{:>8}", "", pool[i], test[i]);
        }
    }
    classes(&data, &mut out);
    let _ = writeln!(out, "digest    {}", data.digest_hex());
    if let Some(path) = sheet {
        if !sheet::shows(&data) {
            return Err(Failure::new(USAGE, format!("{name} holds no images: leave --sheet away")));
        }
        replace(path, &sheet::png(&contact_sheet(&data), data.shape, false)?)?;
        let _ = writeln!(out, "sheet     {}", path.display());
    }
    Ok(out)
}

/// The classes that have names, with their examples.
fn classes(data: &Dataset, out: &mut String) {
    let Some(names) = &data.class_names else { return };
    let (pool, test) = (counts(&data.pool.y, data.classes), counts(&data.test.y, data.classes));
    let _ = writeln!(out, "classes   {:<24}{:>8}{:>8}", "", "pool", "test");
    for (class, name) in names.iter().enumerate().take(MOST_NAMES) {
        let name = shortened(&plain(name), NAME).into_owned();
        let _ = writeln!(out, "{class:>8}  {name:<24}{:>8}{:>8}", pool[class], test[class]);
    }
    if names.len() > MOST_NAMES {
        let _ = writeln!(out, "{:<10}and {} more", "", names.len() - MOST_NAMES);
    }
}

fn counts(numbers: &[u32], most: usize) -> Vec<usize> {
    let mut out = vec![0; most];
    for n in numbers {
        out[*n as usize] += 1;
    }
    out
}

/// The first pool images of every class, one class a row.
fn contact_sheet(data: &Dataset) -> sheet::Rows {
    let split = &data.pool;
    (0..data.classes.min(MOST_CLASSES))
        .map(|class| {
            let mine = (0..split.len()).filter(|&i| split.y[i] as usize == class).take(PER_CLASS);
            mine.filter_map(|i| data.pixels(split, i)).collect()
        })
        .collect()
}

fn fetch(name: &str, from: Option<&str>, sha256: Option<&str>) -> Result<String, Failure> {
    let remote = Remote::named(name).ok_or_else(|| {
        let known = cache::remotes().iter().map(|r| r.name).collect::<Vec<_>>().join(", ");
        Failure::new(USAGE, format!("nothing to fetch under the name {name}; there are: {known}"))
    })?;
    let Some(from) = from.or(remote.url) else {
        let how = format!(
            "{name} has no address without an account: {}, then `flatleak data fetch {name} --from PATH`",
            remote.by_hand
        );
        return Err(Failure::new(DATA, how));
    };
    let pinned = sha256.or(remote.sha256.filter(|_| remote.url == Some(from)));
    let now = if from.starts_with("https://") || from.starts_with("http://") {
        let file = download(name, from)?;
        let now = cache::import(name, &file, pinned);
        // Kept only to be resumed; it is complete now, or wrong.
        let _ = flatleak_disk::remove(&file);
        now?
    } else {
        cache::import(name, Path::new(from.strip_prefix("file://").unwrap_or(from)), pinned)?
    };
    let checked = if pinned.is_some() {
        " (SHA-256 as expected)"
    } else {
        " (no SHA-256 is known for it: its content was read, not checked)"
    };
    Ok(arrived(name, &now, checked))
}

/// Downloads with curl, which most machines have: TLS in the program would cost every user its build. A broken download is
/// resumed.
fn download(name: &str, url: &str) -> Result<PathBuf, Failure> {
    let cache =
        cache::directory().ok_or_else(|| Failure::new(OUTPUT, format!("set {} to a directory", cache::CACHE_VAR)))?;
    make_folder(&cache)?;
    let ending = url.rsplit('/').next().unwrap_or(name);
    let file = cache.join(format!(".{name}-{ending}"));
    let mut curl = Command::new("curl");
    curl.args(["--fail", "--location", "--progress-bar", "--continue-at", "-", "--output"]).arg(&file).arg(url);
    match curl.status() {
        Ok(status) if status.success() => Ok(file),
        Ok(status) => {
            Err(Failure::new(DATA, format!("cannot download {url} (curl: {status}); the same command resumes it")))
        }
        Err(e) => Err(Failure::new(
            OTHER,
            format!("cannot run curl ({e}): download {url} by hand, then `flatleak data fetch {name} --from PATH`"),
        )),
    }
}
