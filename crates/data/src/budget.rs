//! What reading a file may take of the machine. Every reader asks before it allocates by a size that a file claims, and before it loops
//! over one.
//!
//! A file of a few bytes can claim any size, and an allocation that fails ends the program. What is allowed is therefore what the machine has:
//! a file is refused where it could not be held, and nowhere else.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Most values in one file of bytes: 1 GiB of pixels, which become 4 GiB of f32.
pub const MOST_VALUES: u64 = 1 << 30;

/// What is allowed where the system does not say what it has.
const UNKNOWN: u64 = 1 << 32;

/// Bytes that every machine has.
const SMALL: u64 = 1 << 20;

/// Bytes that reading one file may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Of memory.
    pub memory: u64,
    /// Of the folder of temporary files.
    pub disk: u64,
}

/// What there is a budget of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Memory.
    Memory,
    /// Room in a folder.
    Disk(PathBuf),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Disk(folder) => write!(f, "disk in {}", folder.display()),
        }
    }
}

impl Resource {
    fn mend(&self) -> &'static str {
        match self {
            Self::Memory => "use a smaller file or a machine with more memory",
            Self::Disk(_) => "use a smaller file, or make room there (TMPDIR names another place for temporary files)",
        }
    }
}

/// A file that asks for more than there is, as the end of a sentence that begins with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("needs {wanted} bytes of {resource} for {what}, and at most {allowed} are allowed here: {}", resource.mend())]
pub struct OverBudget {
    /// What the bytes are for.
    pub what: &'static str,
    /// Bytes that it takes at least.
    pub wanted: u64,
    /// Bytes that there may be.
    pub allowed: u64,
    /// What they are of.
    pub resource: Resource,
}

impl Budget {
    /// Half of the memory that is left to this process, and half of the room for temporary files.
    pub fn now() -> Self {
        // A fuzzer asks thousands of times a second, and its inputs have to do the same at every time.
        if cfg!(fuzzing) {
            return Self { memory: UNKNOWN / 2, disk: UNKNOWN / 2 };
        }
        Self { memory: free_memory() / 2, disk: free_disk(&std::env::temp_dir()) / 2 }
    }

    /// Refuses what takes more memory than is allowed. A count that cannot be computed is more than any.
    ///
    /// # Errors
    /// [`OverBudget`].
    pub fn memory(self, what: &'static str, wanted: Option<u64>) -> Result<(), OverBudget> {
        let wanted = wanted.unwrap_or(u64::MAX);
        if wanted <= self.memory {
            return Ok(());
        }
        Err(OverBudget { what, wanted, allowed: self.memory, resource: Resource::Memory })
    }

    /// Refuses what takes more room for temporary files than is allowed.
    ///
    /// # Errors
    /// [`OverBudget`].
    pub fn disk(self, what: &'static str, wanted: Option<u64>) -> Result<(), OverBudget> {
        self.room(what, wanted, &std::env::temp_dir())
    }

    fn room(self, what: &'static str, wanted: Option<u64>, folder: &Path) -> Result<(), OverBudget> {
        let wanted = wanted.unwrap_or(u64::MAX);
        if wanted <= self.disk {
            return Ok(());
        }
        Err(OverBudget { what, wanted, allowed: self.disk, resource: Resource::Disk(folder.into()) })
    }
}

/// Refuses what takes more memory than is allowed now: see [`Budget::memory`]. What is small is not asked for.
///
/// # Errors
/// [`OverBudget`].
pub fn memory(what: &'static str, wanted: Option<u64>) -> Result<(), OverBudget> {
    if wanted.is_some_and(|bytes| bytes <= SMALL) { Ok(()) } else { Budget::now().memory(what, wanted) }
}

/// Refuses to write more than half of the room in a folder.
///
/// # Errors
/// [`OverBudget`].
pub(crate) fn room_in(folder: &Path, what: &'static str, wanted: u64) -> Result<(), OverBudget> {
    Budget { memory: 0, disk: free_disk(folder) / 2 }.room(what, Some(wanted), folder)
}

/// The product of sizes; `None` where it is beyond all numbers.
pub fn product(sizes: &[usize]) -> Option<u64> {
    sizes.iter().try_fold(1u64, |all, &size| all.checked_mul(size as u64))
}

/// Memory that is taken bit by bit, by what cannot be known before it is read.
#[derive(Clone, Debug)]
pub struct Account {
    budget: Budget,
    what: &'static str,
    spent: u64,
}

impl Account {
    /// One from which nothing was taken.
    pub fn new(budget: Budget, what: &'static str) -> Self {
        Self { budget, what, spent: 0 }
    }

    /// Takes so many bytes more.
    ///
    /// # Errors
    /// [`OverBudget`] where the sum is more than is allowed.
    pub fn spend(&mut self, bytes: u64) -> Result<(), OverBudget> {
        self.spent = self.spent.saturating_add(bytes);
        self.budget.memory(self.what, Some(self.spent))
    }
}

/// The bytes of a line such as `MemAvailable:  1234 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Memory that is left: of the machine, of the group of processes and of the address space, whichever is least (proc(5), cgroups(7)).
fn free_memory() -> u64 {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let number = |path: &str| read(path).trim().parse::<u64>().ok();
    let machine = kilobytes(&read("/proc/meminfo"), "MemAvailable:");
    let group = number("/sys/fs/cgroup/memory.max")
        .map(|most| most.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    let taken = kilobytes(&read("/proc/self/status"), "VmSize:").unwrap_or(0);
    let space = address_space(&read("/proc/self/limits")).map(|most| most.saturating_sub(taken));
    [machine, group, space].into_iter().flatten().min().unwrap_or(UNKNOWN)
}

/// The soft limit of the address space in the text of `/proc/self/limits`; none where there is no limit.
fn address_space(limits: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix("Max address space"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(unix)]
fn free_disk(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(UNKNOWN, |found| found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free_disk(_: &Path) -> u64 {
    UNKNOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_is_refused_with_both_numbers() {
        let budget = Budget { memory: 100, disk: 50 };
        assert_eq!(budget.memory("its rows", Some(100)), Ok(()));
        let error = budget.memory("its rows", Some(101)).unwrap_err().to_string();
        assert!(
            error.starts_with("needs 101 bytes of memory for its rows, and at most 100 are allowed here"),
            "{error}"
        );
        let error = budget.disk("turning it", None).unwrap_err();
        assert_eq!((error.wanted, error.allowed), (u64::MAX, 50));
        assert!(error.to_string().contains("TMPDIR"));
        let mut account = Account::new(budget, "its rows");
        assert!(account.spend(60).is_ok() && account.spend(40).is_ok());
        assert_eq!(account.spend(1).unwrap_err().wanted, 101);
        assert!(account.spend(u64::MAX).is_err(), "sums do not wrap");
    }

    #[test]
    fn limits_of_the_system_are_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max cpu time              unlimited            unlimited            seconds   \n\
                      Max address space         4096000000           unlimited            bytes     \n";
        assert_eq!(address_space(limits), Some(4_096_000_000));
        assert_eq!(address_space(&limits.replace("4096000000", "unlimited ")), None);
        assert_eq!(kilobytes("MemTotal: 9 kB\nMemAvailable:     7 kB\n", "MemAvailable:"), Some(7168));
        assert_eq!(product(&[usize::MAX, 2]), None);
        assert_eq!(product(&[3, 0]), Some(0));
        let here = Budget::now();
        assert!(here.memory > 1 << 20 && here.memory < 1 << 50 && here.disk < 1 << 60, "{here:?}");
    }
}
