//! Folders of PNG and JPEG pictures.
//!
//! Decoders: `png` and `zune-jpeg`, each for its one format, instead of a whole imaging library.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::budget::{self, Budget, MOST_VALUES, OverBudget, product};
use crate::error::Error;
use crate::files::{slurp, sorted};
use crate::guard::guarded;
use crate::natural;
use crate::raw::{Raw, Values, Whole};
use crate::reader::{Found, Input, Options, Reader};
use crate::remark::Remark;
use crate::shape::Shape;

/// Reads `train/` and `test/` of folders by class, or folders by class alone.
pub(crate) struct Pictures;

impl Pictures {
    /// `train` and `test` in a folder.
    fn splits(path: &Path) -> [PathBuf; 2] {
        ["train", "test"].map(|name| path.join(name))
    }
}

impl Reader for Pictures {
    fn takes(&self) -> &'static str {
        "a folder with one folder of PNG or JPEG pictures for each class, or with such in `train` and `test`"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        if !input.is_folder() || Self::splits(input.path()).iter().all(|p| p.is_dir()) {
            return Ok(input.is_folder());
        }
        let of_pictures =
            |class: &String| sorted(&input.path().join(class)).is_ok_and(|files| files.iter().any(|p| is_picture(p)));
        Ok(class_names(input.path())?.iter().any(of_pictures))
    }

    fn resizes(&self) -> bool {
        true
    }

    fn read(&self, input: &Input, options: Options) -> Result<Found, Error> {
        let splits = Self::splits(input.path());
        if !splits.iter().all(|p| p.is_dir()) {
            let classes = class_names(input.path())?;
            let whole = by_class(input.path(), "", &classes, options.side)?;
            return Ok(Found::One(Whole { remarks: order(&classes), ..whole }));
        }
        let [train, test] = &splits;
        let (classes, of_test) = (class_names(train)?, class_names(test)?);
        if classes != of_test {
            let one_sided = |a: &[String], b: &[String]| a.iter().filter(|name| !b.contains(name)).cloned().collect();
            let (train, test) = (one_sided(&classes, &of_test), one_sided(&of_test, &classes));
            return Err(input.wrong(Problem::Classes { train, test }));
        }
        let pool = by_class(input.path(), "train", &classes, options.side)?;
        let mut remarks = order(&classes);
        let others: Vec<String> =
            class_names(input.path())?.into_iter().filter(|n| n != "train" && n != "test").collect();
        if !others.is_empty() {
            remarks.push(Remark::Taken { taken: "`train` and `test`".into(), left_out: others });
        }
        Ok(Found::Both(Box::new([Whole { remarks, ..pool }, by_class(input.path(), "test", &classes, options.side)?])))
    }
}

/// What can be wrong with a picture or a folder of them, as the end of a sentence that begins with its path.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Another kind of file.
    #[error("is neither PNG nor JPEG")]
    Unknown,
    /// The decoder panicked.
    #[error("is damaged beyond reading")]
    Damaged,
    /// Fewer pixels than its header says.
    #[error("is cut short")]
    CutShort,
    /// More pixels than are read.
    #[error("has {width} x {height} pixels, more than the limit")]
    TooLarge {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// The `png` crate refused.
    #[error("is a damaged PNG: {0}")]
    Png(#[from] png::DecodingError),
    /// The `zune-jpeg` crate refused.
    #[error("is a damaged JPEG: {0:?}")]
    Jpeg(#[from] DecodeErrors),
    /// A JPEG whose size is unknown.
    #[error("is a JPEG without a header")]
    NoHeader,
    /// A palette where colours should be.
    #[error("has a palette that was not expanded")]
    Palette,
    /// A picture of another size than the first.
    #[error(
        "is {height} x {width}, but {} is {first_height} x {first_width}: give them one size, or set +size=N",
        first.display()
    )]
    Size {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// The first picture.
        first: PathBuf,
        /// Its rows.
        first_height: usize,
        /// Its columns.
        first_width: usize,
    },
    /// More values than are read.
    #[error("and {before} pictures before it have more than {MOST_VALUES} values: set +size=N to shrink them")]
    TooMany {
        /// Pictures before it.
        before: usize,
    },
    /// More memory than is allowed.
    #[error(transparent)]
    Budget(#[from] OverBudget),
    /// The same few bytes, said to be one picture after another.
    #[error(
        "and {before} pictures before it are {packed} bytes, more than {MOST_REPEATED} times the {of_files} of their files: write a repeated picture less often"
    )]
    Repeated {
        /// Pictures before it.
        before: usize,
        /// Bytes of all, each counted as often as it comes.
        packed: u64,
        /// Bytes of the files that they are in.
        of_files: u64,
    },
    /// A JPEG in more parts than there is time for.
    #[error("is a JPEG in {scans} parts of {width} x {height} pixels, more than any encoder writes: save it again")]
    Scans {
        /// Parts.
        scans: usize,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// A folder without pictures.
    #[error("holds no PNG or JPEG pictures")]
    NoPictures,
    /// Classes of one split alone.
    #[error(
        "has not the same class folders in `train` (alone: {}) and `test` (alone: {}): give both the same, empty where there is no picture",
        some(train),
        some(test)
    )]
    Classes {
        /// Those in `train` alone.
        train: Vec<String>,
        /// Those in `test` alone.
        test: Vec<String>,
    },
}

/// Some names, or that there are none.
fn some(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.iter().take(8).cloned().collect::<Vec<_>>().join(", ") }
}

/// Most pixels of one picture.
const MAX_PIXELS: usize = 1 << 26;
/// Bytes that decoding a pixel takes: up to eight of the picture, as many unpacked, and coefficients of a JPEG.
const OF_PIXEL: usize = 24;
/// Most parts of a large JPEG; encoders write about ten.
const MAX_SCANS: usize = 128;
/// Bytes that a value takes while pictures become examples: as a byte, twice, and as f32.
const OF_VALUE: u64 = 6;
/// Bytes of a picture and its label beside its values.
const OF_PICTURE: u64 = 128;
/// Pixels that a picture counts as at least: it has a header however small it is.
const FEWEST_PIXELS: u64 = 1 << 8;
/// Most bytes of pictures for each byte of their files, and pixels from which on that counts. A table holds a repeated picture once, and
/// whoever reads it decodes it as often as a row says so.
const MOST_REPEATED: u64 = 64;
const REPEATED_FROM: u64 = 1 << 26;
/// Longest side.
const MAX_SIDE: usize = 1 << 14;

/// One picture, channels last, grey or RGB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// 1 or 3.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// (height, width, channels).
    pub bytes: Vec<u8>,
}

/// Decodes a PNG or JPEG file; transparency is dropped, sixteen bits are cut to eight. A panic of a decoder is an error like any other.
///
/// # Errors
/// What is wrong.
pub fn decode(content: &[u8]) -> Result<Picture, Problem> {
    let picture = guarded(|| {
        if content.starts_with(b"\x89PNG") {
            decode_png(content)
        } else if content.starts_with(&[0xff, 0xd8]) {
            decode_jpeg(content)
        } else {
            Err(Problem::Unknown)
        }
    });
    let picture = picture.unwrap_or(Err(Problem::Damaged))?;
    if picture.bytes.len() != picture.channels * picture.height * picture.width || picture.bytes.is_empty() {
        return Err(Problem::CutShort);
    }
    Ok(picture)
}

fn checked(width: usize, height: usize) -> Result<(), Problem> {
    if width.max(height) > MAX_SIDE || width * height > MAX_PIXELS {
        return Err(Problem::TooLarge { width, height });
    }
    Ok(budget::memory("its pixels", product(&[width, height, OF_PIXEL]))?)
}

fn decode_png(content: &[u8]) -> Result<Picture, Problem> {
    let limits = png::Limits { bytes: 8 * MAX_PIXELS };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(content), limits);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info()?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    checked(width, height)?;
    let size = reader.output_buffer_size().ok_or(Problem::TooLarge { width, height })?;
    let mut bytes = vec![0; size];
    let info = reader.next_frame(&mut bytes)?;
    bytes.truncate(info.buffer_size());
    let (samples, channels) = match info.color_type {
        png::ColorType::Grayscale => (1, 1),
        png::ColorType::GrayscaleAlpha => (2, 1),
        png::ColorType::Rgb => (3, 3),
        png::ColorType::Rgba => (4, 3),
        png::ColorType::Indexed => return Err(Problem::Palette),
    };
    let bytes = bytes.chunks_exact(samples).flat_map(|p| p[..channels].iter().copied()).collect();
    Ok(Picture { channels, height, width, bytes })
}

fn decode_jpeg(content: &[u8]) -> Result<Picture, Problem> {
    let options = DecoderOptions::default().set_max_width(MAX_SIDE).set_max_height(MAX_SIDE).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(content), options);
    decoder.decode_headers()?;
    let info = decoder.info().ok_or(Problem::NoHeader)?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    checked(width, height)?;
    // Behind the header, two such bytes stand nowhere else. Every part goes over all pixels, however little it says of them.
    let scans = content.windows(2).filter(|two| *two == [0xff, 0xda]).count();
    if scans > MAX_SCANS && scans.saturating_mul(width * height) > MAX_SCANS * (1 << 20) {
        return Err(Problem::Scans { scans, width, height });
    }
    let (channels, space) = if info.components == 1 { (1, ColorSpace::Luma) } else { (3, ColorSpace::RGB) };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let bytes = decoder.decode()?;
    Ok(Picture { channels, height, width, bytes })
}

impl Picture {
    /// The same picture with three channels, or with its first alone.
    fn with_channels(self, channels: usize) -> Self {
        let pixels = self.bytes.chunks_exact(self.channels.max(1));
        let bytes = pixels.flat_map(|p| (0..channels).map(move |c| p[c.min(p.len() - 1)])).collect();
        Self { channels, bytes, ..self }
    }

    /// `side` x `side` pixels, each the mean of the pixels that it covers (at least the nearest one).
    #[must_use]
    pub fn resized(&self, side: usize) -> Self {
        let mut bytes = Vec::with_capacity(side * side * self.channels);
        let range = |i: usize, n: usize| {
            let (from, to) = (i * n / side, (i + 1) * n / side);
            from..to.max(from + 1)
        };
        for i in 0..side {
            for j in 0..side {
                for c in 0..self.channels {
                    let (mut sum, mut count) = (0u64, 0u64);
                    for y in range(i, self.height) {
                        for x in range(j, self.width) {
                            sum += u64::from(self.bytes[(y * self.width + x) * self.channels + c]);
                            count += 1;
                        }
                    }
                    bytes.push(((sum + count / 2) / count) as u8);
                }
            }
        }
        Self { channels: self.channels, height: side, width: side, bytes }
    }

    fn planes(&self) -> impl Iterator<Item = u8> + '_ {
        (0..self.channels).flat_map(move |c| self.bytes.iter().skip(c).step_by(self.channels).copied())
    }
}

/// Whether a file's name says that it is a picture.
fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|e| ["png", "jpg", "jpeg"].contains(&e.as_str()))
}

/// A picture's place and class.
pub(crate) struct Labelled {
    pub(crate) path: PathBuf,
    pub(crate) label: u32,
}

/// Pictures in one directory per class of a part of a folder; classes by the names in `classes`.
fn by_class(folder: &Path, part: &str, classes: &[String], side: Option<usize>) -> Result<Whole, Error> {
    let mut list = Vec::new();
    for (label, class) in (0..).zip(classes) {
        let files = sorted(&folder.join(part).join(class))?.into_iter().filter(|p| is_picture(p));
        list.extend(files.map(|path| Labelled { path, label }));
    }
    Ok(Whole { classes: Some(classes.to_vec()), ..read(folder, &list, side)? })
}

/// What is to be said of the order of classes: where it is not that of their names as text.
fn order(classes: &[String]) -> Vec<Remark> {
    if classes.is_sorted() { Vec::new() } else { vec![Remark::Order { folders: classes.to_vec() }] }
}

/// Names of the folders in a folder, numbers in them by value.
fn class_names(folder: &Path) -> Result<Vec<String>, Error> {
    let folders = sorted(folder)?.into_iter().filter(|p| p.is_dir());
    let names = folders.filter_map(|p| p.file_name().map(|n| n.to_string_lossy().into_owned()));
    // What begins with a dot is a program's own, such as a notebook's copies.
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort_by(|a, b| natural::order(a, b));
    Ok(names)
}

/// All pictures of a list, of one size each or resized to `side`; their files are said relative to `folder`.
pub(crate) fn read(folder: &Path, list: &[Labelled], side: Option<usize>) -> Result<Whole, Error> {
    let mut album = Album::new(side);
    for Labelled { path, label } in list {
        let content = slurp(path)?;
        album.begin(content.len() as u64);
        album.add(path, &content, *label)?;
    }
    let whole = album.whole().ok_or_else(|| Error::file(folder, Problem::NoPictures))?;
    let name = |l: &Labelled| l.path.strip_prefix(folder).unwrap_or(&l.path).to_string_lossy().into_owned();
    Ok(Whole { files: list.iter().map(name).collect(), ..whole })
}

/// Pictures of one size that come in one by one.
pub(crate) struct Album {
    side: Option<usize>,
    pictures: Vec<Picture>,
    labels: Vec<u32>,
    /// Where the first comes from.
    first: PathBuf,
    /// Values of all.
    bytes: u64,
    /// Pixels of all before they were resized.
    pixels: u64,
    /// Bytes of all as they are packed, and of the files that they are in.
    packed: u64,
    of_files: u64,
    /// Bytes of labels that are text.
    names: u64,
    /// What was there before the first.
    budget: Budget,
}

impl Album {
    /// An empty one; pictures are resized to `side` where it is set.
    pub(crate) fn new(side: Option<usize>) -> Self {
        Self {
            side,
            pictures: Vec::new(),
            labels: Vec::new(),
            first: PathBuf::new(),
            bytes: 0,
            pixels: 0,
            packed: 0,
            of_files: 0,
            names: 0,
            budget: Budget::now(),
        }
    }

    /// A file of so many bytes, in which the next pictures are.
    pub(crate) fn begin(&mut self, bytes: u64) {
        self.of_files = self.of_files.saturating_add(bytes);
    }

    /// The label of the last picture as text, which its reader keeps; the next picture is refused where it is too much.
    pub(crate) fn named(&mut self, label: &str) {
        self.names = self.names.saturating_add(label.len() as u64);
    }

    /// One more picture, which errors call `path`.
    pub(crate) fn add(&mut self, path: &Path, content: &[u8], label: u32) -> Result<(), Error> {
        let wrong = |problem: Problem| Error::file(path, problem);
        let mut picture = decode(content).map_err(wrong)?;
        self.pixels = self.pixels.saturating_add(((picture.width * picture.height) as u64).max(FEWEST_PIXELS));
        self.packed = self.packed.saturating_add(content.len() as u64);
        let (before, packed, of_files) = (self.pictures.len(), self.packed, self.of_files);
        if self.pixels > REPEATED_FROM && packed > of_files.saturating_mul(MOST_REPEATED) {
            return Err(wrong(Problem::Repeated { before, packed, of_files }));
        }
        if let Some(side) = self.side {
            picture = picture.resized(side);
        }
        match self.pictures.first() {
            None => self.first = path.into(),
            Some(first) if (first.height, first.width) != (picture.height, picture.width) => {
                return Err(wrong(Problem::Size {
                    height: picture.height,
                    width: picture.width,
                    first: self.first.clone(),
                    first_height: first.height,
                    first_width: first.width,
                }));
            }
            Some(_) => {}
        }
        self.bytes += picture.bytes.len() as u64;
        if self.bytes > MOST_VALUES {
            return Err(wrong(Problem::TooMany { before: self.pictures.len() }));
        }
        let held = self.bytes.saturating_mul(OF_VALUE).saturating_add((before as u64 + 1) * OF_PICTURE + self.names);
        self.budget.memory("this picture and those before it", Some(held)).map_err(|e| wrong(e.into()))?;
        self.pictures.push(picture);
        self.labels.push(label);
        Ok(())
    }

    /// All of them as examples, in colour where one is; `None` where there is none.
    pub(crate) fn whole(self) -> Option<Whole> {
        let first = self.pictures.first()?;
        let channels = self.pictures.iter().map(|p| p.channels).max().unwrap_or(1);
        let shape = Shape { channels, height: first.height, width: first.width };
        let mut bytes = Vec::with_capacity(self.labels.len() * shape.features());
        for picture in self.pictures {
            bytes.extend(picture.with_channels(channels).planes());
        }
        Some(Whole::new(shape, Raw::new(Values::Pixels(bytes), self.labels)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resizing_averages_and_repeats() {
        let picture = Picture { channels: 1, height: 2, width: 4, bytes: vec![0, 10, 20, 30, 40, 50, 60, 70] };
        assert_eq!(picture.resized(2).bytes, [5, 25, 45, 65]);
        assert_eq!(picture.resized(1).bytes, [35]);
        let small = Picture { channels: 1, height: 1, width: 1, bytes: vec![9] };
        assert_eq!(small.resized(2).bytes, [9; 4]);
        let grey = small.with_channels(3);
        assert_eq!((grey.channels, grey.bytes), (3, vec![9; 3]));
    }

    #[test]
    fn other_files_are_refused() {
        assert!(decode(b"GIF89a").unwrap_err().to_string().contains("neither"));
        assert!(decode(b"\x89PNG\r\n\x1a\n").is_err());
        assert!(decode(&[0xff, 0xd8, 0xff]).is_err());
    }
}
