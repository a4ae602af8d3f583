//! Contact sheets: small pictures in rows, as PNG.

use flatleak_data::{Dataset, Shape};

use crate::error::Error;

/// Pixels that the longer side of an image takes at least.
const LEAST_SIDE: usize = 40;

/// Channel-first bytes of images of one shape, row by row.
pub type Rows = Vec<Vec<Vec<u8>>>;

/// The sheet as a PNG file. Small images are enlarged, and values that use only the lower part of their range are stretched over
/// it; places without an image stay white. `gap` leaves room behind the first column.
pub fn png(rows: &Rows, shape: Shape, gap: bool) -> Result<Vec<u8>, Error> {
    let (h, w) = (shape.height, shape.width);
    let zoom = LEAST_SIDE.div_ceil(h.max(w)).max(1);
    let (tile_h, tile_w) = (zoom * h + 1, zoom * w + 1);
    let room = if gap { tile_w / 3 } else { 0 };
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let (width, height) = (columns * tile_w + 1 + room, rows.len() * tile_h + 1);
    let mut sheet = vec![255; 3 * width * height];
    let top = rows.iter().flatten().flatten().max().copied().unwrap_or(255).max(1);
    for (row, images) in rows.iter().enumerate() {
        for (column, pixels) in images.iter().enumerate() {
            let left = column * tile_w + 1 + if column > 0 { room } else { 0 };
            for p in 0..zoom * h * zoom * w {
                let (y, x) = (p / (zoom * w), p % (zoom * w));
                let at = (row * tile_h + 1 + y) * width + left + x;
                for c in 0..3 {
                    // Grey images repeat their only plane.
                    let plane = if shape.channels >= 3 { c } else { 0 };
                    let value = pixels[(plane * h + y / zoom) * w + x / zoom];
                    sheet[3 * at + c] = (u32::from(value) * 255 / u32::from(top)) as u8;
                }
            }
        }
    }
    Ok(encode(width, height, &sheet)?)
}

/// The largest value of the first hundred pool examples: values that use only the lower part of their range are stretched over it.
pub(crate) fn brightest(data: &Dataset) -> u8 {
    const SEEN: usize = 100;
    let seen = (0..data.pool.len().min(SEEN)).filter_map(|i| data.pixels(&data.pool, i));
    seen.flatten().max().unwrap_or(255).max(1)
}

/// One image as a small PNG file, its longer side at most 32 pixels, each the mean of what it covers.
pub(crate) fn thumbnail(pixels: &[u8], shape: Shape, top: u8) -> Result<Vec<u8>, Error> {
    const SIDE: usize = 32;
    let (h, w) = (shape.height, shape.width);
    let by = h.max(w).div_ceil(SIDE).max(1);
    let (height, width) = (h.div_ceil(by), w.div_ceil(by));
    let mut out = Vec::with_capacity(3 * height * width);
    for p in 0..height * width {
        let (y, x) = (p / width * by, p % width * by);
        for c in 0..3 {
            let plane = if shape.channels >= 3 { c } else { 0 };
            let (mut sum, mut count) = (0u64, 0u64);
            for y in y..(y + by).min(h) {
                for x in x..(x + by).min(w) {
                    sum += u64::from(pixels[(plane * h + y) * w + x]);
                    count += 1;
                }
            }
            out.push((sum * 255 / (count * u64::from(top))).min(255) as u8);
        }
    }
    Ok(encode(width, height, &out)?)
}

fn encode(width: usize, height: usize, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out)
}

/// Whether the data can be shown at all: images, not tables.
pub fn shows(data: &Dataset) -> bool {
    !data.pool.y.is_empty() && data.pixels(&data.pool, 0).is_some()
}
