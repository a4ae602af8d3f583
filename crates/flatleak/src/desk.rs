//! A process at a run that others may work at too.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flatleak_data::{Dataset, files};
use flatleak_nn::{ENGINE_VERSION, Network};
use flatleak_run::{Checkpoints, Plan, Supervision, canary};
use flatleak_store::{RunDir, Workshop};
use flatleak_study::Study;
use flatleak_work::{Accept, Board, CANCELLED, Depot, Folder, Pins, Worker};

use crate::error::Error;

/// What a process needs to work at a run: its place on the board, and the digest of its program.
pub(crate) struct Desk {
    board: Mutex<Board>,
    binary: String,
}

impl Desk {
    /// At a run of which this process sees to all: it begins the run where nobody did, and works with whichever program trains the same bits.
    pub(crate) fn of_run(dir: &RunDir, supervision: &Supervision) -> Result<Self, Error> {
        let pins = pins(dir.study(), dir.data_digest(), supervision)?;
        Self::at(dir.path(), &pins, &Accept::Any)
    }

    /// At the run in this folder, which is begun with these pins where nobody did.
    pub(crate) fn at(folder: &Path, pins: &Pins, accept: &Accept) -> Result<Self, Error> {
        let depot: Arc<dyn Depot> = Arc::new(Folder::new(folder));
        let every = pins.pin(depot.as_ref(), accept)?.every();
        let board = Board::open(depot, Worker::this(), every)?;
        Ok(Self { board: Mutex::new(board), binary: pins.binary.clone() })
    }

    /// The plan of a study whose models are trained from here, and saved as often as is usual.
    pub(crate) fn plan<'a>(
        &'a self,
        study: &'a Study,
        data: &'a Dataset,
        network: &'a Network,
        dir: &'a Workshop,
        supervision: &'a Supervision,
    ) -> Plan<'a> {
        let checkpoints = Checkpoints::default();
        Plan { study, data, network, dir, supervision, checkpoints, board: &self.board, binary: &self.binary }
    }

    /// Looks at the board.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Board) -> T) -> T {
        look(&mut self.board.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a cancellation back.
    pub(crate) fn resume(&self) -> Result<(), Error> {
        let depot = self.with(|board| Arc::clone(board.depot()));
        if depot.modified(CANCELLED)?.is_some() {
            depot.remove(CANCELLED)?;
        }
        Ok(())
    }
}

/// What workers at this study must agree in, as it is here.
pub(crate) fn pins(study: &Study, digest: &str, supervision: &Supervision) -> Result<Pins, Error> {
    let pins = Pins::new(&study.name, study.seed, digest, ENGINE_VERSION);
    Ok(Pins { binary: binary(supervision), canary: canary()?, ..pins })
}

/// Digest of this program: 16 hexadecimal digits. A process of another program, which has flatleak as a library, is known by the library's version.
fn binary(supervision: &Supervision) -> String {
    let library = || format!("library-{}", env!("CARGO_PKG_VERSION"));
    let Supervision::By(program) = supervision else { return library() };
    files::read(program).map_or_else(|_| library(), |bytes| blake3::hash(&bytes).to_hex()[..16].to_owned())
}
