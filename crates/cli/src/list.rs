//! `flatleak list`.

use std::fmt::Write;
use std::process::ExitCode;

use flatleak_nn::defences::Description;
use flatleak_nn::{Architecture, Defences, Network, Optimizer, PRESETS, Shape};

use flatleak_report::text::{Text, Tone};

use crate::arguments::What;
use crate::exit::Failure;
use crate::voice::{say, show, width};

pub(crate) fn run(what: What) -> Result<ExitCode, Failure> {
    let mut out = String::new();
    match what {
        What::Attacks => {
            show(&attacks(width()));
            return Ok(ExitCode::SUCCESS);
        }
        What::Architectures => {
            // The published sizes; what reads tables has no image, and networks that shrink 32 times need one of 32.
            let shape = Shape { channels: 3, height: 32, width: 32 };
            let _ = writeln!(out, "for 3x32x32 and 10 classes, one forward pass of one example\n");
            let _ = writeln!(out, "{:<14}{:>12}{:>16}{:>8}", "name", "parameters", "multiply-adds", "layers");
            for name in PRESETS {
                let architecture = Architecture::preset(name)?;
                let network = Network::compile(&architecture, shape, 10)?;
                let (d, work, layers) = (network.parameters(), network.multiply_adds(), architecture.layers.len());
                let _ = writeln!(out, "{name:<14}{d:>12}{work:>16}{layers:>8}");
            }
            let _ = writeln!(
                out,
                "\n[model] in a study file takes `preset`, perhaps with `width = 0.5`, or `layers = [ ... ]`:"
            );
            for name in ["mlp", "cnn", "resnet8"] {
                let layers = Architecture::preset(name)?.layers;
                let texts: Vec<String> = layers.iter().map(ToString::to_string).collect();
                let _ = writeln!(out, "\n{name}\n  {}", texts.join(", "));
            }
        }
        What::Optimizers => {
            for optimizer in Optimizer::ALL {
                let cost = optimizer.gradients_per_step();
                let plural = if cost == 1.0 { "" } else { "s" };
                let _ =
                    writeln!(out, "{:<14}{cost:.2} gradient{plural} a step; {}", optimizer.name(), optimizer.source());
                let own = optimizer.own_base().map_or(&[][..], |base| base.parameters());
                for p in optimizer.parameters().iter().chain(own) {
                    let _ = writeln!(out, "    {:<14}{:<8} {}", p.key, p.default, p.about);
                }
            }
            let _ = writeln!(
                out,
                "\nbase = \"adam\" or \"adamw\" in a recipe puts any of them over Adam; a list, as rho = [0.05, 0.1], stands for several recipes"
            );
        }
        What::Defences => {
            for Description { key, range: (low, high), about, source, .. } in Defences::all() {
                let _ = writeln!(out, "{key:<20}{low} to {high}: {about} ({source})");
            }
            let _ = writeln!(
                out,
                "\nin a recipe, as label_smoothing = 0.1, with any optimizer; shadows always have the target's; what is published in several ways is trained once. Also: weight_decay (L2), measure_at = [10, 20] (early stopping), optimizer = \"dp-sgd\""
            );
        }
        What::Data => {
            for entry in flatleak_data::catalogue() {
                let _ = writeln!(out, "{:<22}{} ({}; {})", entry.name, entry.what, entry.size, entry.licence);
            }
            for r in flatleak_data::cache::remotes() {
                let _ = writeln!(out, "{:<22}{} ({}; {})", r.name, r.what, r.size, r.licence);
            }
            for own in flatleak_data::cache::imported() {
                let _ =
                    writeln!(out, "{:<22}imported ({})", own.name, own.size.unwrap_or_else(|| "size not noted".into()));
            }
        }
    }
    say(&out);
    Ok(ExitCode::SUCCESS)
}

/// Every attack: name, what it needs, what it does and where it comes from.
fn attacks(width: usize) -> Text {
    let mut out = Text::default();
    for attack in flatleak_verdict::attacks() {
        let same = attack.same_roc_as(true).map_or(String::new(), |a| format!("; same ROC as {a}"));
        let shadows = if attack.uses_shadows() { "by shadows" } else { "of the target alone" };
        out.line(Tone::Strong, &attack.name());
        out.paragraph(Tone::Plain, &format!("{}; {shadows}{same}", attack.about()), ("    ", 4), width);
        out.paragraph(Tone::Faint, attack.source(), ("    ", 4), width);
    }
    out
}
