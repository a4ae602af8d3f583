//! Where fetched and imported data lies.

use std::path::PathBuf;

/// Environment variable that names another cache directory.
pub const CACHE_VAR: &str = "FLATLEAK_DATA";

/// The cache directory; `None` where neither the variable nor a home directory is set.
pub fn directory() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(path) = variable(CACHE_VAR) {
        return Some(path);
    }
    let platform = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|h| h.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|h| h.join(".cache")))
    };
    platform.map(|p| p.join("flatleak").join("data"))
}
