//! `flatleak export` and `flatleak plan`: what goes to other programs.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use flatleak::{Finished, runs_in};
use flatleak_disk::replace;
use flatleak_pool::{Membership, Wanted};
use flatleak_store::npy_of_mask;

use crate::arguments::ExportLayout;
use crate::exit::{Failure, USAGE};
use crate::voice::{remark, say};

/// Writes the pools of every recipe of a finished run, a folder per recipe, and per data set where there are several.
pub(crate) fn export(dir: &Path, layout: ExportLayout, out: &Path) -> Result<ExitCode, Failure> {
    let layout = match layout {
        ExportLayout::MiLira2021 => flatleak_store::ExportLayout::MiLira2021,
        ExportLayout::Npz => flatleak_store::ExportLayout::Npz,
    };
    let runs = runs_in(dir)?;
    for run in &runs {
        let to = out.join(run.strip_prefix(dir).unwrap_or(Path::new("")));
        let found = Finished::open(run, &Wanted::default())?;
        found.left_out.iter().for_each(|part| remark(&part.to_string()));
        for folder in found.export(layout, &to)? {
            say(&format!("{}\n", folder.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the blocked design: `membership.npy` (M, N), and `plan.csv` with the block, seed and number of members of every model.
pub(crate) fn plan(models: usize, pool: usize, seed: u64, out: &Path) -> Result<ExitCode, Failure> {
    let design = Membership::complementary(seed, models, pool).map_err(|e| Failure::new(USAGE, e))?;
    let rows: Vec<&[bool]> = (0..models).map(|m| design.row(m)).collect();
    replace(&out.join("membership.npy"), &npy_of_mask(&rows))?;
    let mut table = String::from("model,block,seed,members\n");
    for m in 0..models {
        let _ = writeln!(table, "{m},{},{},{}", design.block(m), seed + m as u64, design.members(m).len());
    }
    replace(&out.join("plan.csv"), table.as_bytes())?;
    say(&format!(
        "{models} models on halves of {pool} examples: {}\ntrain each on the examples of its row, then `flatleak audit --logits ... --labels ... --membership {}`\n",
        out.display(),
        out.join("membership.npy").display()
    ));
    Ok(ExitCode::SUCCESS)
}
