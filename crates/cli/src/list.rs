//! `flatleak list`.

use std::fmt::Write;
use std::process::ExitCode;

use flatleak_nn::{Architecture, Network, PRESETS, Shape};

use crate::arguments::What;
use crate::exit::Failure;
use crate::progress::say;

pub(crate) fn run(what: What) -> Result<ExitCode, Failure> {
    let mut out = String::new();
    match what {
        What::Attacks => {
            for attack in flatleak_verdict::attacks() {
                let same = attack.same_roc_as().map_or(String::new(), |a| format!("same ROC as {}", a.name()));
                let shadows = if attack.uses_shadows() { "shadows" } else { "-" };
                let _ = writeln!(out, "{:<32}{shadows:<10}{same}", attack.name());
            }
        }
        What::Architectures => {
            let shape = Shape { channels: 1, height: 28, width: 28 };
            let _ = writeln!(out, "{:<8}{:>12}{:>16}   for 1x28x28, 10 classes", "name", "parameters", "multiply-adds");
            for name in PRESETS {
                let architecture = Architecture::preset(name)?;
                let network = Network::compile(&architecture, shape, 10)?;
                let layers = architecture.layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let (d, work) = (network.parameters(), network.multiply_adds());
                let _ = writeln!(out, "{name:<8}{d:>12}{work:>16}   {layers}");
            }
        }
        What::Data => {
            for entry in flatleak_data::catalogue() {
                let _ = writeln!(out, "{:<22}{} ({}; {})", entry.name, entry.what, entry.size, entry.licence);
            }
            for r in flatleak_data::cache::remotes() {
                let _ = writeln!(out, "{:<22}{} ({}; {})", r.name, r.what, r.size, r.licence);
            }
        }
    }
    say(&out);
    Ok(ExitCode::SUCCESS)
}
