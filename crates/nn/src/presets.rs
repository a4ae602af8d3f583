//! Named networks as layer lists.

use std::fmt::Write;

/// Names that [`Architecture::preset`](crate::Architecture::preset) knows.
///
/// - `mlp`: in-256-128-C with ReLU. `purchase-fc`: in-1024-512-256-128-C with tanh (Nasr et al. 2019, arXiv 1812.00910).
/// - `cnn`: 3x3 convolutions with 32 and 64 channels, each with ReLU and 2x2 max-pooling, then 128 and C fully connected.
/// - `vgg11`, `vgg16` with batch norm for 32x32 (Simonyan & Zisserman 2015, arXiv 1409.1556), one linear layer behind the convolutions.
/// - `resnet8`, `resnet20` for 32x32 (He et al. 2016, arXiv 1512.03385, section 4.2), `resnet18` with its stem for 32x32; projections
///   where sizes change (their option B).
/// - `wrn-16-4`, `wrn-28-2` (Zagoruyko & Komodakis 2016, arXiv 1605.07146), without dropout.
pub const PRESETS: &[&str] =
    &["mlp", "purchase-fc", "cnn", "vgg11", "vgg16", "resnet8", "resnet20", "resnet18", "wrn-16-4", "wrn-28-2"];

/// The layers of a preset, joined by `;`, with inner widths times `width`.
pub(crate) fn layers(name: &str, width: f64) -> Option<String> {
    let wide = |n: usize| ((n as f64 * width).round() as usize).max(1);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut put = |text: std::fmt::Arguments<'_>| {
        let _ = write!(out, "{}{text}", if out.is_empty() { "" } else { ";" });
    };
    match name {
        "mlp" => put(format_args!("flatten;linear {};relu;linear {};relu;linear", wide(256), wide(128))),
        "purchase-fc" => {
            put(format_args!("flatten"));
            [1024, 512, 256, 128].into_iter().for_each(|n| put(format_args!("linear {};tanh", wide(n))));
            put(format_args!("linear"));
        }
        "cnn" => {
            [32, 64].into_iter().for_each(|n| put(format_args!("conv {};relu;max-pool", wide(n))));
            put(format_args!("flatten;linear {};relu;linear", wide(128)));
        }
        "vgg11" => vgg(&[&[64], &[128], &[256, 256], &[512, 512], &[512, 512]], wide, put),
        "vgg16" => {
            vgg(&[&[64, 64], &[128, 128], &[256, 256, 256], &[512, 512, 512], &[512, 512, 512]], wide, put);
        }
        "resnet8" => resnet(&[16, 32, 64], 1, wide, put),
        "resnet20" => resnet(&[16, 32, 64], 3, wide, put),
        "resnet18" => resnet(&[64, 128, 256, 512], 2, wide, put),
        "wrn-16-4" => wide_resnet(2, 4, wide, put),
        "wrn-28-2" => wide_resnet(4, 2, wide, put),
        _ => return None,
    }
    Some(out)
}

fn vgg(stages: &[&[usize]], wide: impl Fn(usize) -> usize, mut put: impl FnMut(std::fmt::Arguments<'_>)) {
    for stage in stages {
        stage.iter().for_each(|&n| put(format_args!("conv {};batch-norm;relu", wide(n))));
        put(format_args!("max-pool"));
    }
    put(format_args!("flatten;linear"));
}

fn stride(first: bool) -> &'static str {
    if first { " stride 2" } else { "" }
}

/// Basic blocks: conv, norm, relu, conv, norm, add, relu.
fn resnet(
    widths: &[usize],
    blocks: usize,
    wide: impl Fn(usize) -> usize,
    mut put: impl FnMut(std::fmt::Arguments<'_>),
) {
    put(format_args!("conv {} no-bias;batch-norm;relu", wide(widths[0])));
    for (stage, &n) in widths.iter().enumerate() {
        for block in 0..blocks {
            let (n, shrinks) = (wide(n), stage > 0 && block == 0);
            let s = stride(shrinks);
            put(format_args!("split;conv {n}{s} no-bias;batch-norm;relu;conv {n} no-bias;batch-norm"));
            if shrinks {
                put(format_args!("shortcut conv {n} 1x1{s} no-bias;shortcut batch-norm"));
            }
            put(format_args!("add;relu"));
        }
    }
    put(format_args!("global-pool;linear"));
}

/// Pre-activation blocks: norm, relu, conv, norm, relu, conv, add; where sizes change the shortcut starts behind the first relu.
fn wide_resnet(
    blocks: usize,
    factor: usize,
    wide: impl Fn(usize) -> usize,
    mut put: impl FnMut(std::fmt::Arguments<'_>),
) {
    put(format_args!("conv {} no-bias", wide(16)));
    for (stage, n) in [16, 32, 64].into_iter().enumerate() {
        let n = wide(n * factor);
        for block in 0..blocks {
            let s = stride(stage > 0 && block == 0);
            let body = format!("conv {n}{s} no-bias;batch-norm;relu;conv {n} no-bias");
            if block == 0 {
                put(format_args!("batch-norm;relu;split;{body};shortcut conv {n} 1x1{s} no-bias;add"));
            } else {
                put(format_args!("split;batch-norm;relu;{body};add"));
            }
        }
    }
    put(format_args!("batch-norm;relu;global-pool;linear"));
}
