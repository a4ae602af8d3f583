//! What `--dry-run` says.

use flatleak::Estimate;
use flatleak_report::Sheet;
use flatleak_report::text::{Text, Tone};
use serde_json::json;

use crate::options::MessageFormat;
use crate::times::time;
use crate::voice::{say_event, show, width};

/// Says what a study will take.
pub(crate) fn tell(estimate: &Estimate, format: MessageFormat) {
    match format {
        MessageFormat::Json => say_event("plan", &json!(estimate)),
        MessageFormat::Human => show(&told(estimate, width())),
    }
}

fn told(e: &Estimate, width: usize) -> Text {
    let mut out = Text::default();
    let mut sheet = Sheet::new("", "recipe").figures("models").figures("on disk").words("settings");
    for r in &e.recipes {
        let with = r.trained_with.as_ref().map_or(String::new(), |leader| format!("; trained with {leader}"));
        sheet.row(r.name.clone(), vec![r.models.to_string(), r.complete.to_string(), format!("{}{with}", r.settings)]);
    }
    out.extend(sheet.lay_out(width));
    let all: usize = e.recipes.iter().map(|r| r.models).sum();
    let complete: usize = e.recipes.iter().map(|r| r.complete).sum();
    let left = if e.seconds > 0.0 {
        format!("about {} of training with {} workers", time(e.seconds), e.workers)
    } else {
        "nothing is left to train".into()
    };
    let there = match (&e.refused, complete) {
        (Some(why), _) => format!("{why}: this study cannot go on there, choose another --out"),
        (None, 0) => "nothing of this study yet".into(),
        (None, _) => {
            format!("{complete} of {all} models are there, and {}", if e.results { "results" } else { "no results" })
        }
    };
    for (what, said) in [
        ("data", format!("{}: {} of {} pool examples a model, {} held out", e.data, e.members, e.pool, e.test)),
        ("network", format!("{} parameters: {}", e.parameters, e.layers.join(", "))),
        ("relevant", e.relevant.clone()),
        ("time", format!("{left}; analysis comes on top")),
        ("disk", format!("about {}", size(e.disk))),
        ("memory", format!("about {}", size(e.memory))),
        ("output", e.folder.display().to_string()),
        ("there", there),
    ] {
        out.paragraph(Tone::Plain, &said, (&format!("{what:<10}"), 10), width);
    }
    out.line(Tone::Strong, "\nthe study, every value written out");
    for line in e.settings.lines() {
        out.paragraph(Tone::Plain, line, ("", 4), width);
    }
    out
}

/// Bytes in MB or GB.
fn size(bytes: f64) -> String {
    if bytes < 1e10 { format!("{:.0} MB", (bytes / 1e6).ceil()) } else { format!("{:.0} GB", (bytes / 1e9).ceil()) }
}
