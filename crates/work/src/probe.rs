//! Whether a store can be shared.

use std::sync::Barrier;

use flatleak_disk::Creation;

use crate::depot::Depot;
use crate::error::Error;
use crate::worker::Worker;

/// Writers that race.
const WRITERS: usize = 16;

/// Lets sixteen writers create one name at the same time. Exactly one may be told that it did.
///
/// # Errors
/// A store that fails; [`Error::Racy`] where another number were told so.
pub fn probe(depot: &dyn Depot, worker: &Worker) -> Result<(), Error> {
    let name = format!("work/probe-{}", worker.id);
    let start = Barrier::new(WRITERS);
    let outcomes: Vec<Result<Creation, Error>> = std::thread::scope(|scope| {
        let race = |k: usize| {
            let (start, name, depot) = (&start, name.as_str(), depot);
            move || {
                start.wait();
                depot.create(name, format!("writer {k}").as_bytes())
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|k| scope.spawn(race(k))).collect();
        writers.into_iter().filter_map(|writer| writer.join().ok()).collect()
    });
    let removed = depot.remove(&name);
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    removed?;
    match outcomes.iter().filter(|outcome| **outcome == Creation::New).count() {
        1 => Ok(()),
        won => Err(Error::Racy { address: depot.address(), won, writers: WRITERS }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use std::time::{Duration, SystemTime};

    /// A folder that looks before it writes, and writes then.
    #[derive(Debug)]
    struct Careless(Folder);

    impl Depot for Careless {
        fn address(&self) -> String {
            "careless://here".into()
        }

        fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, Error> {
            if self.0.read(name)?.is_some() {
                return Ok(Creation::Other);
            }
            std::thread::sleep(Duration::from_millis(20));
            self.0.replace(name, bytes)?;
            Ok(Creation::New)
        }

        fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
            self.0.replace(name, bytes)
        }

        fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
            self.0.read(name)
        }

        fn modified(&self, name: &str) -> Result<Option<SystemTime>, Error> {
            self.0.modified(name)
        }

        fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
            self.0.list(folder)
        }

        fn remove(&self, name: &str) -> Result<(), Error> {
            self.0.remove(name)
        }
    }

    #[test]
    fn a_folder_passes_and_a_careless_store_does_not() {
        let run = tempfile::tempdir().unwrap();
        let folder = Folder::new(run.path());
        probe(&folder, &Worker::this()).unwrap();
        let error = probe(&Careless(folder.clone()), &Worker::this()).unwrap_err().to_string();
        assert!(error.starts_with("careless://here lets ") && error.contains("of 16 writers"), "{error}");
        assert!(folder.list("work").unwrap().is_empty(), "nothing is left of either");
    }
}
