//! What all workers of a run must agree in.

use std::time::Duration;

use flatleak_disk::Creation;
use serde::{Deserialize, Serialize};

use crate::depot::Depot;
use crate::error::Error;
use crate::unlike::{SCHEMA, Unlike};

/// The name of the file.
pub const PINS: &str = "run.json";

/// Where programs are noted that were accepted beside the first.
const BINARIES: &str = "work/binaries";

/// What `run.json` says. It is created once, with the run, and never changed. The study itself stands in `study.toml`, to which models and
/// recipes may be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// The form of the file.
    pub schema: u32,
    /// Name of the study.
    pub study: String,
    /// Root seed.
    pub seed: u64,
    /// Digest of the data.
    pub data: String,
    /// Version of the engine: models of another have other bits.
    pub engine_version: u32,
    /// Digest of the program that began the run.
    pub binary: String,
    /// Digest of a tiny model: programs and machines that agree in it are taken to agree in all.
    pub canary: String,
    /// How often workers give a sign of life, in milliseconds.
    pub beat_ms: u64,
}

/// Which programs may work at a run beside the one that began it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Those that were accepted before.
    Known,
    /// The one of this digest too.
    Digest(String),
    /// Whichever trains the same bits.
    Any,
}

impl Pins {
    /// Pins of a run that begins.
    pub fn new(study: &str, seed: u64, data: &str, engine_version: u32) -> Self {
        Self {
            schema: SCHEMA,
            study: study.to_owned(),
            seed,
            data: data.to_owned(),
            engine_version,
            binary: String::new(),
            canary: String::new(),
            beat_ms: 30_000,
        }
    }

    /// How often workers give a sign of life.
    pub fn every(&self) -> Duration {
        Duration::from_millis(self.beat_ms.max(10))
    }

    /// The pins of a run; `None` where it has none.
    ///
    /// # Errors
    /// A store that fails, a file that is damaged.
    pub fn read(depot: &dyn Depot) -> Result<Option<Self>, Error> {
        let Some(bytes) = depot.read(PINS)? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(&bytes).map_err(|source| Error::Damaged { name: PINS.to_owned(), source })?))
    }

    /// Begins a run with these pins, or joins the one that is there; the pins of the run come back.
    ///
    /// # Errors
    /// A store that fails; [`Unlike`] where the run is another's.
    pub fn pin(&self, depot: &dyn Depot, accept: &Accept) -> Result<Self, Error> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|source| Error::Encode { what: PINS, source })?;
        bytes.push(b'\n');
        if depot.read(PINS)?.is_none() && depot.create(PINS, &bytes)? != Creation::Other {
            return Ok(self.clone());
        }
        let there = Self::read(depot)?.unwrap_or_else(|| self.clone());
        self.join(&there, depot, accept)?;
        Ok(there)
    }

    /// Refuses to work at a run with other pins, and notes a program that is accepted.
    fn join(&self, run: &Self, depot: &dyn Depot, accept: &Accept) -> Result<(), Error> {
        if run.schema != self.schema {
            return Err(Unlike::Schema { there: run.schema }.into());
        }
        if run.seed != self.seed {
            return Err(Unlike::Seed { there: run.seed, here: self.seed }.into());
        }
        if run.data != self.data {
            return Err(Unlike::Data { there: run.data.clone(), here: self.data.clone() }.into());
        }
        if run.engine_version != self.engine_version {
            return Err(Unlike::Engine { there: run.engine_version, here: self.engine_version }.into());
        }
        if run.canary != self.canary {
            return Err(Unlike::Canary { there: run.canary.clone(), here: self.canary.clone() }.into());
        }
        let known = |depot: &dyn Depot| Ok::<_, Error>(depot.list(BINARIES)?.contains(&self.binary));
        if run.binary == self.binary || known(depot)? {
            return Ok(());
        }
        let accepted = match accept {
            Accept::Known => false,
            Accept::Digest(digest) => *digest == self.binary,
            Accept::Any => true,
        };
        if !accepted {
            return Err(Unlike::Binary { there: run.binary.clone(), here: self.binary.clone() }.into());
        }
        depot.create(&format!("{BINARIES}/{}", self.binary), b"")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    fn pins() -> Pins {
        Pins { binary: "b1".into(), canary: "c1".into(), ..Pins::new("study", 7, "d1", 5) }
    }

    #[test]
    fn a_run_is_pinned_once_and_others_are_refused() {
        let run = tempfile::tempdir().unwrap();
        let depot = Folder::new(run.path());
        assert!(Pins::read(&depot).unwrap().is_none());
        assert_eq!(pins().pin(&depot, &Accept::Known).unwrap(), pins());
        // The beat is the run's.
        assert_eq!(Pins { beat_ms: 5, ..pins() }.pin(&depot, &Accept::Known).unwrap(), pins());
        let refused = |other: Pins| match other.pin(&depot, &Accept::Known).unwrap_err() {
            Error::Unlike(unlike) => unlike,
            e => panic!("{e}"),
        };
        assert!(matches!(refused(Pins { seed: 8, ..pins() }), Unlike::Seed { there: 7, here: 8 }));
        assert!(matches!(refused(Pins { data: "d2".into(), ..pins() }), Unlike::Data { .. }));
        assert!(matches!(refused(Pins { engine_version: 6, ..pins() }), Unlike::Engine { there: 5, here: 6 }));
        assert!(matches!(refused(Pins { canary: "c2".into(), ..pins() }), Unlike::Canary { .. }));
        assert!(matches!(refused(Pins { schema: 2, ..pins() }), Unlike::Schema { there: 1 }));
        assert_eq!(Pins::read(&depot).unwrap().unwrap(), pins());
    }

    #[test]
    fn another_program_is_accepted_by_its_digest_and_remembered() {
        let run = tempfile::tempdir().unwrap();
        let depot = Folder::new(run.path());
        pins().pin(&depot, &Accept::Known).unwrap();
        let other = Pins { binary: "b2".into(), ..pins() };
        let error = other.pin(&depot, &Accept::Digest("b3".into())).unwrap_err().to_string();
        assert!(error.contains("--accept-binary b2"), "{error}");
        other.pin(&depot, &Accept::Digest("b2".into())).unwrap();
        other.pin(&depot, &Accept::Known).unwrap();
        // Other bits are never accepted.
        assert!(Pins { binary: "b4".into(), canary: "c2".into(), ..pins() }.pin(&depot, &Accept::Any).is_err());
        Pins { binary: "b4".into(), ..pins() }.pin(&depot, &Accept::Any).unwrap();
    }

    #[test]
    fn a_damaged_file_is_named() {
        let run = tempfile::tempdir().unwrap();
        let depot = Folder::new(run.path());
        depot.replace(PINS, b"{\"schema\": 1").unwrap();
        assert!(pins().pin(&depot, &Accept::Any).unwrap_err().to_string().starts_with("run.json is damaged"));
    }
}
