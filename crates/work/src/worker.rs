//! Who works.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Environment variables in which engines say which job a process belongs to, each with the engine's name.
const JOBS: [(&str, &str); 6] = [
    ("slurm", "SLURM_JOB_ID"),
    ("hyperqueue", "HQ_JOB_ID"),
    ("kubernetes", "JOB_COMPLETION_INDEX"),
    ("pbs", "PBS_JOBID"),
    ("lsf", "LSB_JOBID"),
    ("aws-batch", "AWS_BATCH_JOB_ID"),
];

/// Workers of this process so far.
static WORKERS: AtomicU64 = AtomicU64::new(0);

/// A process that works at a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// A name that no other has.
    pub id: String,
    /// The machine's name.
    pub host: String,
    /// The running system in which process numbers mean something: its boot, and the name space of its processes. Empty where unknown.
    #[serde(default)]
    pub system: String,
    /// Number of the process.
    pub pid: u32,
    /// When the process was started, in ticks since the boot; 0 where unknown.
    #[serde(default)]
    pub started: u64,
    /// The job of an engine, with the engine's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

impl Worker {
    /// A worker of this process. Two calls give two workers.
    pub fn this() -> Self {
        let pid = std::process::id();
        let host = host();
        // Names of files come from it.
        let harmless: String = host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
        let unique = RandomState::new().hash_one((pid, WORKERS.fetch_add(1, Ordering::Relaxed)));
        Self {
            id: format!("{harmless}-{pid}-{:08x}", unique >> 32),
            host,
            system: system(),
            pid,
            started: started(pid).unwrap_or(0),
            job: JOBS.iter().find_map(|(engine, key)| Some(format!("{engine} {}", std::env::var(key).ok()?))),
        }
    }

    /// Whether this machine knows that the process has ended. A process of another machine, or of an unknown one, may always live.
    pub fn is_gone(&self) -> bool {
        !self.system.is_empty() && self.system == system() && started(self.pid) != Some(self.started)
    }
}

/// The machine's name; `unknown` where it has none.
fn host() -> String {
    let named = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = named.or_else(|| std::env::var("HOSTNAME").ok()).map(|name| name.trim().to_owned());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// The boot and the name space of processes (proc(5), namespaces(7)); empty on systems without them.
fn system() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let space = fs::read_link("/proc/self/ns/pid");
    boot.ok().zip(space.ok()).map_or(String::new(), |(boot, space)| format!("{} {}", boot.trim(), space.display()))
}

/// When a process was started, in ticks since the boot: field 22 of its `stat` (proc(5)), which follows the name in brackets.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    // A process that has ended and was not waited for yet does nothing any more.
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then_some(())?;
    fields.nth(18)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_known_on_their_own_machine() {
        let this = Worker::this();
        assert!(!this.is_gone() && this.started > 0);
        assert_ne!(this.id, Worker::this().id);
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Worker { pid: child.id(), started: started(child.id()).unwrap(), ..Worker::this() };
        assert!(!other.is_gone());
        child.kill().unwrap();
        // Before it is waited for, too: it ends in a moment.
        while !other.is_gone() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.wait().unwrap();
        assert!(other.is_gone());
        // A number that was given away again, and a process elsewhere.
        assert!(Worker { started: this.started + 1, ..this.clone() }.is_gone());
        assert!(!Worker { system: "another boot".into(), ..other }.is_gone());
    }
}
