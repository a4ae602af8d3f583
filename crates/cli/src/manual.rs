//! `flatleak completions` and `flatleak man`: made of the arguments themselves.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use flatleak_disk::replace;

use crate::arguments::Arguments;
use crate::exit::{Failure, OTHER};
use crate::voice::{hand_over, say};

/// Prints the completion script of a shell.
pub(crate) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), "flatleak", &mut script);
    hand_over(&script);
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for the program and one per command.
pub(crate) fn pages(out: &Path) -> Result<ExitCode, Failure> {
    let mut whole = Arguments::command();
    // Arguments that all commands share stand in every page.
    whole.build();
    let mut said = String::new();
    for command in pages_of(&whole) {
        // The whole name: `flatleak-data-info`.
        let name = command.get_display_name().unwrap_or("flatleak").to_owned();
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(|e| Failure::new(OTHER, e))?;
        let file = out.join(format!("{name}.1"));
        replace(&file, &page)?;
        said += &format!("{}\n", file.display());
    }
    say(&said);
    Ok(ExitCode::SUCCESS)
}

/// A command and those below it.
fn pages_of(command: &clap::Command) -> Vec<clap::Command> {
    let below = command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help");
    std::iter::once(command.clone()).chain(below.flat_map(pages_of)).collect()
}
