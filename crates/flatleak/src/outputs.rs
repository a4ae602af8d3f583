//! What a study leaves behind: results, report, tables, pictures, NumPy archives.

use flatleak_results::{Document, Picture, PictureKind};
use std::path::{Path, PathBuf};

use flatleak_data::{Dataset, files};
use flatleak_explain::pairs::HIGH;
use flatleak_explain::{Design, Influence};
use flatleak_pool::Pool;
use flatleak_report::{columns, csv, html, json, parquet};
use flatleak_store::{INFLUENCE_LIMIT, export_npz, write_atomic};
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
const TABLES: [&str; 4] = ["exposure.csv", "examples.parquet", "influence.parquet", "entropy.parquet"];

/// Names of the files about single examples that were written, one a line, so that a later run can remove them all.
const MANIFEST: &str = "details.txt";

/// Writes everything to `folder`, results last: where they are, the rest is complete. Redacted, files about single examples that an
/// earlier run left are removed.
pub fn write(document: &mut Document, examples: &Examples<'_>, redact: bool, folder: &Path) -> Result<(), Error> {
    remove_details(folder)?;
    document.pictures.clear();
    if redact {
        document.redact();
    } else {
        document.redacted = false;
        details(document, examples, folder)?;
    }
    write_atomic(&folder.join("results.json"), json::render(document)?.as_bytes(), "results")?;
    write_atomic(&folder.join("report.html"), page(document, folder)?.as_bytes(), "report")?;
    Ok(())
}

/// Tables, archives and pictures of single examples, each named in the manifest before it is written.
fn details(document: &mut Document, examples: &Examples<'_>, folder: &Path) -> Result<(), Error> {
    let mut names = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| -> Result<(), Error> {
        names.push(name.to_owned());
        write_atomic(&folder.join(MANIFEST), (names.join("\n") + "\n").as_bytes(), "details")?;
        Ok(write_atomic(&folder.join(name), bytes, "details")?)
    };
    let exposure = columns::exposure(examples.details);
    put(TABLES[0], csv::render(&exposure).as_bytes())?;
    put(TABLES[1], &parquet::render(&exposure)?)?;
    put(TABLES[2], &parquet::render(&columns::influence(examples.details))?)?;
    put(TABLES[3], &parquet::render(&columns::entropy(examples.details))?)?;
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
            let gap = picture.kind == PictureKind::Influential;
            put(&picture.file, &sheet::png(&rows, data.shape, gap)?)?;
            document.pictures.push(picture);
        }
    }
    Ok(())
}

/// One document over the data sets of a study, each of which left its own in one of `folders`; written to `out` where there are several.
pub fn merge(mut documents: Vec<Document>, folders: &[&Path], out: &Path) -> Result<Option<Document>, Error> {
    let several = documents.len() > 1;
    if several {
        for (document, folder) in documents.iter_mut().zip(folders) {
            let inside = folder.strip_prefix(out).unwrap_or(folder).to_string_lossy().into_owned();
            document.pictures.iter_mut().for_each(|p| p.file = format!("{inside}/{}", p.file));
        }
    }
    let Some(document) = flatleak_verdict::merge(documents)? else { return Ok(None) };
    if several {
        write_atomic(&out.join("results.json"), json::render(&document)?.as_bytes(), "summary")?;
        write_atomic(&out.join("report.html"), page(&document, out)?.as_bytes(), "summary-report")?;
    }
    Ok(Some(document))
}

/// Renders a finished run again, perhaps without single examples; results and details stay as they are.
///
/// # Errors
/// No results, a page that cannot be written.
pub fn report(dir: &Path, redact: bool) -> Result<(Document, PathBuf), Error> {
    let mut document = read(dir)?;
    if redact {
        document.redact();
    }
    let target = dir.join("report.html");
    write_atomic(&target, page(&document, dir)?.as_bytes(), "report")?;
    Ok((document, target))
}

/// The results of a finished run.
pub fn read(dir: &Path) -> Result<Document, Error> {
    let path = dir.join("results.json");
    let text = files::text(&path).map_err(|source| Error::NoResults { path: path.clone(), source })?;
    json::parse(&text).map_err(|source| Error::Results { path, source, advice: "" })
}

/// The page, with its pictures from `folder`.
fn page(document: &Document, folder: &Path) -> Result<String, Error> {
    Ok(html::render(document, &|file| files::read(&picture_file(folder, file)?).ok())?)
}

fn archive(recipe: &str) -> String {
    format!("{recipe}.npz")
}

/// Whether a name is one that this program gives a file about single examples: never a path.
fn is_detail(name: &str) -> bool {
    let picture = (name.starts_with("memorized-") || name.starts_with("influential-")) && name.ends_with(".png");
    let known = TABLES.contains(&name) || name.ends_with(".npz") || picture;
    known && !name.contains(['/', '\\']) && Path::new(name).file_name().is_some_and(|f| f == name)
}

/// Removes what an earlier run left about single examples, by its manifest.
fn remove_details(folder: &Path) -> Result<(), Error> {
    let manifest = folder.join(MANIFEST);
    let Ok(text) = files::text(&manifest) else { return Ok(()) };
    let written = text.lines().filter(|name| is_detail(name)).flat_map(|name| [name.to_owned(), format!("{name}.tmp")]);
    for name in written.chain([MANIFEST.to_owned()]) {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Unremovable { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A picture's file inside `folder`, perhaps one folder further down. Results may come from elsewhere: other paths are not followed.
fn picture_file(folder: &Path, file: &str) -> Option<PathBuf> {
    let (inside, name) = file.rsplit_once('/').map_or((None, file), |(inside, name)| (Some(inside), name));
    let plain = |s: &str| !s.is_empty() && !s.starts_with('.') && !s.contains(['/', '\\']);
    let fits = is_detail(name) && inside.is_none_or(plain);
    fits.then(|| inside.map_or_else(|| folder.to_owned(), |i| folder.join(i)).join(name))
}

/// All influences, (T, N); none without held-out outputs or where they are too many to be written.
fn influence_matrix(pool: &Pool, workers: usize) -> Result<Option<Vec<f32>>, Error> {
    let (n, t) = (pool.labels.len(), pool.test_labels.len());
    if pool.test.is_empty() || t == 0 || n.saturating_mul(t).saturating_mul(4) > INFLUENCE_LIMIT {
        return Ok(None);
    }
    let right: Vec<&[u8]> = pool.test.iter().map(|s| s.correct.as_slice()).collect();
    let design = Design::new(&pool.membership)?;
    Ok(Some(Influence::hard(&design, &right)?.sweep(workers, |row| row.values().into_owned()).concat()))
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
    let (mut rows, mut legend) = (Vec::new(), Vec::new());
    for class in 0..data.classes.min(MOST_CLASSES) {
        let mine = order.iter().filter(|&&i| detail.labels[i] as usize == class && detail.memorization[i] >= HIGH.0);
        let shown: Vec<usize> = mine.take(PER_CLASS).copied().collect();
        if !shown.is_empty() {
            legend.push(format!("class {class}"));
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
            legend.push(format!("class {} (influences {})", pool.test_labels[pair.test as usize], all.join(", ")));
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
    let picture = Picture { dataset: data.name.clone(), recipe: recipe.into(), kind, file: file(kind, recipe), rows };
    (!images.is_empty()).then_some((picture, images))
}
