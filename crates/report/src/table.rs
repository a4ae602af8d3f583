//! The summary in the terminal.

use flatleak_results::{ClaimOutcome, Document};

use crate::outline::{Part, outline};
use crate::text::{FEWEST_COLUMNS, Text, Tone};
use crate::{names, words};

/// The summary for a terminal of so many columns, at least [`FEWEST_COLUMNS`]; a word that is longer alone may pass them.
pub fn render(d: &Document, width: usize) -> Text {
    let width = width.max(FEWEST_COLUMNS);
    let d = &*names::short(d, &names::longer(d, width - 16));
    let mut out = Text::default();
    let mut before = None;
    for part in outline(d) {
        let joined = matches!(part, Part::Remark(_) | Part::Claim(..));
        if before.is_some() && !joined {
            out.line(Tone::Plain, "");
        }
        put(&part, width, &mut out);
        before = Some(part);
    }
    out
}

fn put(part: &Part, width: usize, out: &mut Text) {
    match part {
        Part::Answer(verdict, sentence) => {
            let tone = Tone::from(*verdict);
            out.push(Tone::Plain, "Verdict: ");
            out.line(tone, words::verdict(*verdict));
            out.paragraph(Tone::Plain, sentence, ("", 0), width);
        }
        Part::Quick => out.line(Tone::Open, "not for decisions: a quick run"),
        Part::Heading(text) => out.paragraph(Tone::Strong, text, ("== ", 3), width),
        Part::Paragraph(text) => out.paragraph(Tone::Plain, text, ("", 2), width),
        Part::Remark(text) => out.paragraph(Tone::Faint, text, ("", 2), width),
        Part::Sheet(sheet) => out.extend(sheet.lay_out(width)),
        Part::Claim(statement, said) => {
            out.paragraph(Tone::Plain, statement, ("  ", 6), width);
            for (outcome, text) in said {
                out.paragraph(of_claim(*outcome), text, ("      ", 6), width);
            }
        }
        Part::Note(text) => out.paragraph(Tone::Plain, text, ("note: ", 2), width),
    }
}

fn of_claim(outcome: ClaimOutcome) -> Tone {
    match outcome {
        ClaimOutcome::CannotTell => Tone::Plain,
        ClaimOutcome::Supports | ClaimOutcome::Contradicts => Tone::Open,
    }
}
