//! The machine and the date, for the record.

use flatleak_results::Machine;
use std::time::{SystemTime, UNIX_EPOCH};

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Where this process runs, with so many worker threads.
pub fn describe(workers: usize) -> Machine {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|l| l.strip_prefix("model name")).and_then(|l| l.split_once(": "));
    Machine {
        cpu: model.map_or("unknown processor", |(_, name)| name.trim()).to_owned(),
        cores: cores(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        instruction_set: flatleak_nn::instruction_set().to_owned(),
        workers,
    }
}

/// Today's date in UTC, by the civil-from-days algorithm (Hinnant 2013).
pub fn date() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() / 86_400) as i64 + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    format!("{:04}-{month:02}-{day:02}", year_of_era + era * 400 + i64::from(month <= 2))
}
