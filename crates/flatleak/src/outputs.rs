//! What a study leaves behind: results, report, tables, pictures, NumPy archives.

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;
use flatleak_results::{Document, Listing, Picture, PictureKind};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use flatleak_data::{Dataset, files};
use flatleak_disk::{remove, replace, unfinished};
use flatleak_explain::pairs::HIGH;
use flatleak_explain::{Design, Influence};
use flatleak_pool::Pool;
use flatleak_report::explorer::Explorer;
use flatleak_report::{Form, columns, csv, json, parquet};
use flatleak_store::{DATA_FILE, INFLUENCE_LIMIT, Stated, export_npz};
use flatleak_verdict::Detail;

use crate::error::Error;
use crate::sheet;

/// Most memorized examples shown per class, and classes shown.
const PER_CLASS: usize = 8;
const MOST_CLASSES: usize = 10;
/// Held-out examples shown with their supporters, and supporters shown.
const TARGETS: usize = 6;
const SUPPORTERS: usize = 5;

/// Single examples of the recipes of a study, behind its results.
pub struct Examples<'a> {
    /// By recipe.
    pub details: &'a [Detail],
    /// Their pools.
    pub pools: &'a [&'a Pool],
    /// Their data, where it is known.
    pub data: Option<&'a Dataset>,
    /// Threads.
    pub workers: usize,
}

/// Files about single examples, beside pictures and archives: what `--redact` leaves out.
const TABLES: [&str; 5] = ["exposure.csv", "examples.parquet", "influence.parquet", "entropy.parquet", "examples.json"];

/// The page as it was printed.
const PAPER: &str = "report.pdf";

/// A sign that files about single examples were written here; what it says is for people alone.
const SIGN: &str = "details.txt";
const SIGN_TEXT: &str = "This folder holds tables, archives and pictures about single training examples.\nflatleak explain --redact removes them.\n";

/// Writes everything to `folder`, results last: where they are, the rest is complete. Redacted, files about single examples that an
/// earlier run left are removed.
pub fn write(document: &mut Document, examples: &Examples<'_>, redact: bool, folder: &Path) -> Result<(), Error> {
    remove_details(folder, examples.data.is_some())?;
    document.pictures.clear();
    document.listings.clear();
    if redact {
        document.redact();
    } else {
        document.redacted = false;
        details(document, examples, folder)?;
    }
    replace(&folder.join("results.json"), json::sealed(document)?.as_bytes())?;
    Ok(replace(&folder.join("report.html"), page(document, folder)?.as_bytes())?)
}

/// Tables, archives and pictures of single examples, after the sign that there are any.
fn details(document: &mut Document, examples: &Examples<'_>, folder: &Path) -> Result<(), Error> {
    let put = |name: &str, bytes: &[u8]| replace(&folder.join(name), bytes);
    put(SIGN, SIGN_TEXT.as_bytes())?;
    let names = &names(examples);
    let names = names.view();
    let exposure = columns::exposure(examples.details, &names);
    put(TABLES[0], csv::render(&exposure).as_bytes())?;
    put(TABLES[1], &parquet::render(&exposure)?)?;
    put(TABLES[2], &parquet::render(&columns::influence(examples.details))?)?;
    put(TABLES[3], &parquet::render(&columns::entropy(examples.details))?)?;
    listing(document, examples, &names, folder)?;
    // What came as an archive is not written as one again.
    let Some(data) = examples.data else { return Ok(()) };
    for (pool, detail) in examples.pools.iter().zip(examples.details) {
        let influence = influence_matrix(pool, examples.workers)?;
        put(&archive(&pool.recipe), &export_npz(pool, &detail.memorization, influence.as_deref())?)?;
    }
    if !sheet::shows(data) {
        return Ok(());
    }
    for (detail, pool) in examples.details.iter().zip(examples.pools) {
        for (picture, rows) in [memorized(data, detail), influential(data, pool, detail)].into_iter().flatten() {
            let bytes = sheet::png(&rows, data.shape, picture.kind == PictureKind::Influential)?;
            put(&picture.file, &bytes)?;
            document.pictures.push(Picture { blake3: checksum(&bytes), ..picture });
        }
    }
    Ok(())
}

/// What examples are called: by the data where they are known, else by number and row.
fn names<'a>(examples: &'a Examples<'a>) -> Called<'a> {
    let data = examples.data;
    Called {
        class: Box::new(move |label| data.map_or_else(|| label.to_string(), |d| d.class_name(label as usize))),
        source: Box::new(move |k, i| {
            let row = || format!("row {}", u64::from(examples.details[k].ids[i]) + 1);
            data.map_or_else(row, |d| d.place(i))
        }),
        group: Box::new(move |i| {
            let group = data?.pool.groups.as_ref()?.get(i).copied()?;
            data?.groups.get(group as usize).cloned()
        }),
        test_label: Box::new(move |k, t| {
            examples.pools[k].test_labels.as_ref().and_then(|labels| labels.get(t).copied())
        }),
    }
}

/// Owner of what [`columns::Names`] borrows.
struct Called<'a> {
    class: Box<dyn Fn(u32) -> String + 'a>,
    source: Box<dyn Fn(usize, usize) -> String + 'a>,
    group: Box<dyn Fn(usize) -> Option<String> + 'a>,
    test_label: Box<dyn Fn(usize, usize) -> Option<u32> + 'a>,
}

impl Called<'_> {
    fn view(&self) -> columns::Names<'_> {
        columns::Names { class: &self.class, source: &self.source, group: &self.group, test_label: &self.test_label }
    }
}

/// The examples that the page lists.
fn listing(
    document: &mut Document,
    examples: &Examples<'_>,
    names: &columns::Names<'_>,
    folder: &Path,
) -> Result<(), Error> {
    let shown = examples.data.filter(|data| sheet::shows(data));
    let top = shown.map_or(1, sheet::brightest);
    let picture = |i: usize| {
        let data = shown?;
        let png = sheet::thumbnail(&data.pixels(&data.pool, i)?, data.shape, top).ok()?;
        Some(STANDARD.encode(png))
    };
    let Some(explorer) = Explorer::of(examples.details, names, &picture) else { return Ok(()) };
    let bytes = json::render(&explorer)?.into_bytes();
    let file = TABLES[4].to_owned();
    replace(&folder.join(&file), &bytes)?;
    let dataset = document.study.datasets.first().map_or(String::new(), |d| d.name.clone());
    document.listings.push(Listing { dataset, file, blake3: checksum(&bytes) });
    Ok(())
}

/// One document over the data sets of a study, each of which left its own in one of `folders`; written to `out` where there are several.
pub fn merge(mut documents: Vec<Document>, folders: &[&Path], out: &Path) -> Result<Option<Document>, Error> {
    let several = documents.len() > 1;
    if several {
        for (document, folder) in documents.iter_mut().zip(folders) {
            let inside = folder.strip_prefix(out).unwrap_or(folder).to_string_lossy().into_owned();
            document.pictures.iter_mut().for_each(|p| p.file = format!("{inside}/{}", p.file));
            document.listings.iter_mut().for_each(|l| l.file = format!("{inside}/{}", l.file));
        }
    }
    let Some(document) = flatleak_verdict::merge(documents)? else { return Ok(None) };
    if several {
        replace(&out.join("results.json"), json::sealed(&document)?.as_bytes())?;
        replace(&out.join("report.html"), page(&document, out)?.as_bytes())?;
    }
    Ok(Some(document))
}

/// Renders a finished run again to `out` in each of these forms, perhaps without single examples; results and details stay as they are. The files
/// stand in the order of the forms.
///
/// # Errors
/// No results, or not those of the run; pictures that are not what they were, a file that cannot be written.
pub fn report(dir: &Path, out: &Path, redact: bool, forms: &[Form]) -> Result<(Document, Vec<PathBuf>), Error> {
    let mut document = read(dir)?;
    if redact {
        document.redact();
    }
    let mut files = Vec::new();
    for form in forms {
        let file = out.join(form.file());
        replace(&file, rendered(*form, &document, dir)?.as_bytes())?;
        files.push(file);
    }
    Ok((document, files))
}

/// The results of a finished run.
///
/// # Errors
/// No results, damaged ones, or those of another study than the folder's.
pub fn read(dir: &Path) -> Result<Document, Error> {
    let path = dir.join("results.json");
    let text = files::text(&path).map_err(|source| Error::NoResults { path: path.clone(), source })?;
    let document = json::parse(&text).map_err(|source| Error::Results { path: path.clone(), source, advice: "" })?;
    match Stated::read(dir)? {
        Some(stated) if !is_of(&document, &stated) => Err(Error::ResultsOfAnother { path, study: stated.study.name }),
        _ => Ok(document),
    }
}

/// Whether results are those of the study that lies beside them; further models and recipes leave a study what it is.
fn is_of(document: &Document, stated: &Stated) -> bool {
    let Stated { study, digest } = stated;
    let recipe = |name: &str| study.recipes.iter().any(|r| r.name == name);
    document.study.name == study.name
        && document.study.seed == study.seed
        && document.study.datasets.iter().all(|d| d.digest == *digest)
        && document.study.recipes.iter().all(|r| recipe(&r.name))
}

/// The page.
fn page(document: &Document, folder: &Path) -> Result<String, Error> {
    rendered(Form::Html, document, folder)
}

/// A form of the results; the page with its pictures and listings from `folder`, where one that is not there is left out.
fn rendered(form: Form, document: &Document, folder: &Path) -> Result<String, Error> {
    let mut beside = HashMap::new();
    let pictures = document.pictures.iter().map(|p| (p.file.as_str(), p.blake3.as_str()));
    let listings = document.listings.iter().map(|l| (l.file.as_str(), l.blake3.as_str()));
    for (file, digest) in pictures.chain(listings).filter(|_| form == Form::Html) {
        let Some(path) = file_beside(folder, file) else { continue };
        let Ok(bytes) = files::read(&path) else { continue };
        if !digest.is_empty() && digest != checksum(&bytes) {
            return Err(Error::DamagedPicture(path));
        }
        beside.insert(file, bytes);
    }
    Ok(form.render(document, &|file| beside.get(file).cloned())?)
}

fn checksum(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn archive(recipe: &str) -> String {
    format!("{recipe}.npz")
}

/// Whether a name is one that this program gives a picture of single examples.
fn is_picture(name: &str) -> bool {
    (name.starts_with("memorized-") || name.starts_with("influential-")) && name.ends_with(".png")
}

/// Whether a name is one that this program gives a file about single examples: never a path.
fn is_detail(name: &str, archives: bool) -> bool {
    // The data of a run are what its trainers read, and no part of its report.
    let archive = archives && name.ends_with(".npz") && name != DATA_FILE;
    // Results in another form, and the page on paper, may hold what the results no longer do.
    let form = name == Form::Json.file() || name == PAPER;
    let known = name == SIGN || TABLES.contains(&name) || archive || is_picture(name) || form;
    known && !name.contains(['/', '\\'])
}

/// Removes all that an earlier program left about single examples, by the names and kinds of files: no list in the folder is trusted. In
/// a folder that shows no sign of this program nothing is its own.
fn remove_details(folder: &Path, archives: bool) -> Result<(), Error> {
    if ![SIGN, "results.json", "study.toml"].iter().any(|sign| folder.join(sign).exists()) {
        return Ok(());
    }
    let unreadable = |source| Error::Unreadable { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_folder && is_detail(unfinished(&name).unwrap_or(&name), archives) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// A picture or a listing inside `folder`, perhaps one folder further down. Results may come from elsewhere: other paths are not followed.
fn file_beside(folder: &Path, file: &str) -> Option<PathBuf> {
    let (inside, name) = file.rsplit_once('/').map_or((None, file), |(inside, name)| (Some(inside), name));
    let plain = |s: &str| !s.is_empty() && !s.starts_with('.') && !s.contains(['/', '\\']);
    let fits = (is_picture(name) || name == TABLES[4]) && plain(name) && inside.is_none_or(plain);
    fits.then(|| inside.map_or_else(|| folder.to_owned(), |i| folder.join(i)).join(name))
}

/// All influences, (T, N); none without held-out outputs or where they are too many to be written.
fn influence_matrix(pool: &Pool, workers: usize) -> Result<Option<Vec<f32>>, Error> {
    let (n, t) = (pool.examples(), pool.held_out());
    if pool.test.is_empty() || t == 0 || n.saturating_mul(t).saturating_mul(4) > INFLUENCE_LIMIT {
        return Ok(None);
    }
    let right = pool.test_correct().map_err(flatleak_explain::Error::from)?;
    let design = Design::new(&pool.membership)?;
    Ok(Some(Influence::hard(&design, right.rows())?.sweep(workers, |row| row.values().into_owned()).concat()))
}

fn file(kind: PictureKind, recipe: &str) -> String {
    let what = if kind == PictureKind::Memorized { "memorized" } else { "influential" };
    format!("{what}-{recipe}.png")
}

/// The most memorized training examples of every class.
fn memorized(data: &Dataset, detail: &Detail) -> Option<(Picture, sheet::Rows)> {
    let mut order: Vec<usize> = (0..detail.memorization.len()).collect();
    // Soft memorization tells equal 0/1 ones apart.
    let key = |i: usize| (detail.memorization[i], detail.soft.as_ref().map_or(0.0, |s| s[i]));
    order.sort_by(|&a, &b| {
        let ((x, u), (y, v)) = (key(a), key(b));
        y.total_cmp(&x).then(v.total_cmp(&u)).then(a.cmp(&b))
    });
    let labels = detail.labels.as_ref()?;
    let (mut rows, mut legend) = (Vec::new(), Vec::new());
    for class in 0..data.classes.min(MOST_CLASSES) {
        let mine = order.iter().filter(|&&i| labels[i] as usize == class && detail.memorization[i] >= HIGH.0);
        let shown: Vec<usize> = mine.take(PER_CLASS).copied().collect();
        if !shown.is_empty() {
            legend.push(data.class_name(class));
            rows.push(shown.iter().filter_map(|&i| data.pixels(&data.pool, i)).collect());
        }
    }
    picture(data, &detail.recipe, PictureKind::Memorized, legend, rows)
}

/// The held-out examples with the strongest supporters, each followed by these.
fn influential(data: &Dataset, pool: &Pool, detail: &Detail) -> Option<(Picture, sheet::Rows)> {
    let pairs = detail.pairs.as_ref()?;
    let (mut rows, mut legend, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for pair in &pairs.overall {
        if rows.len() < TARGETS && !seen.contains(&pair.test) {
            seen.push(pair.test);
            let supporters: Vec<_> = pairs.per_test[pair.test as usize].iter().take(SUPPORTERS).collect();
            let mut row: Vec<Vec<u8>> = data.pixels(&data.test, pair.test as usize).into_iter().collect();
            row.extend(supporters.iter().filter_map(|p| data.pixels(&data.pool, p.train as usize)));
            rows.push(row);
            let all: Vec<String> = supporters.iter().map(|p| format!("{:.2}", p.influence)).collect();
            let class = data.class_name(pool.test_labels.as_ref()?[pair.test as usize] as usize);
            legend.push(format!("{class} (influences {})", all.join(", ")));
        }
    }
    picture(data, &detail.recipe, PictureKind::Influential, legend, rows)
}

fn picture(
    data: &Dataset,
    recipe: &str,
    kind: PictureKind,
    rows: Vec<String>,
    images: sheet::Rows,
) -> Option<(Picture, sheet::Rows)> {
    let file = file(kind, recipe);
    let picture =
        Picture { dataset: data.name.clone(), recipe: recipe.into(), kind, file, blake3: String::new(), rows };
    (!images.is_empty()).then_some((picture, images))
}
