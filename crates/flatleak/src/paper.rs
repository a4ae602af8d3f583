//! The page on paper: printed by a Chromium that is on the machine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// Names under which Chromium and its relatives are installed, and a variable that names another.
const NAMES: [&str; 6] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
const VARIABLE: &str = "FLATLEAK_CHROMIUM";

/// Prints a page beside itself, as a PDF of the same name; its path.
///
/// # Errors
/// No Chromium on the machine, or one that printed nothing.
pub fn pdf(page: &Path) -> Result<PathBuf, Error> {
    let unreadable = |source| Error::Unreadable { path: page.to_owned(), source };
    let page = page.canonicalize().map_err(unreadable)?;
    let target = page.with_extension("pdf");
    let named = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty());
    let names: Vec<&str> = named.as_deref().map_or_else(|| NAMES.to_vec(), |name| vec![name]);
    for name in &names {
        match print(name, &page, &target) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Browser { name: (*name).into(), why: source.to_string() }),
            Ok(output) if output.status.success() && is_pdf(&target) => return Ok(target),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let why = said.lines().last().unwrap_or("it printed nothing").to_owned();
                return Err(Error::Browser { name: (*name).into(), why });
            }
        }
    }
    Err(Error::NoBrowser { tried: names.join(", "), page })
}

fn print(name: &str, page: &Path, target: &Path) -> io::Result<std::process::Output> {
    let mut to = std::ffi::OsString::from("--print-to-pdf=");
    to.push(target);
    let mut command = Command::new(name);
    command.args(["--headless=new", "--disable-gpu", "--disable-background-networking", "--no-pdf-header-footer"]);
    // Its sandbox refuses to start for the superuser. The page is this program's own and loads nothing.
    if is_superuser() {
        command.arg("--no-sandbox");
    }
    command.arg(to).arg(page).stdin(Stdio::null()).output()
}

#[cfg(unix)]
fn is_superuser() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

#[cfg(not(unix))]
fn is_superuser() -> bool {
    false
}

fn is_pdf(path: &Path) -> bool {
    flatleak_data::files::read(path).is_ok_and(|bytes| bytes.starts_with(b"%PDF"))
}
