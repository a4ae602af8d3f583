//! Archives of strangers, looked through before anything of them is written.

use std::path::Path;

use flate2::read::GzDecoder;
use tar::EntryType;

use crate::budget::{OverBudget, room_in};
use crate::error::Error;
use crate::files::open;
use crate::shelf::failed;

/// Most files of an archive: ImageNet has 1.3 million.
const MOST_FILES: usize = 1 << 22;
/// Most bytes of what archives say beside files, such as a long name.
const MOST_SAID: u64 = 1 << 20;

/// Refuses an archive that unpacks to more than half of the room in a folder, or says more beside its files than there is to say: the `tar`
/// crate takes names into memory, however long they are.
pub(crate) fn check(archive: &Path, to: &Path) -> Result<(), Error> {
    let over = |e: OverBudget| Error::file(archive, e);
    let unfit = |problem| Error::NotASet { path: archive.into(), problem };
    let mut tar = tar::Archive::new(GzDecoder::new(open(archive).map_err(failed(archive))?));
    let mut total = 0u64;
    for (count, entry) in tar.entries().map_err(failed(archive))?.raw(true).enumerate() {
        let entry = entry.map_err(failed(archive))?;
        let size = entry.header().entry_size().map_err(failed(archive))?;
        let said = [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader, EntryType::XGlobalHeader];
        if said.contains(&entry.header().entry_type()) && size > MOST_SAID {
            return Err(unfit("has a name that is longer than any"));
        }
        if count == MOST_FILES {
            return Err(unfit("holds more files than any data set"));
        }
        total = total.saturating_add(size);
        room_in(to, "its files", total).map_err(over)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn archive(entries: &[(EntryType, u64)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(&file, flate2::Compression::fast()));
        for (kind, size) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_path("a.csv").unwrap();
            header.set_entry_type(*kind);
            header.set_size(*size);
            header.set_cksum();
            tar.append(&header, std::io::repeat(b'a').take(*size)).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();
        file
    }

    #[test]
    fn what_is_said_beside_files_is_short() {
        let dir = tempfile::tempdir().unwrap();
        for kind in [EntryType::GNULongName, EntryType::XHeader] {
            let long = archive(&[(kind, MOST_SAID + 1), (EntryType::Regular, 3)]);
            assert!(matches!(check(long.path(), dir.path()), Err(Error::NotASet { .. })));
            check(archive(&[(kind, 300), (EntryType::Regular, 3)]).path(), dir.path()).unwrap();
        }
    }

    #[test]
    fn more_than_there_is_room_for_is_refused_by_what_is_claimed() {
        let dir = tempfile::tempdir().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_path("a.csv").unwrap();
        header.set_size(1 << 50);
        header.set_cksum();
        let mut gzip = flate2::write::GzEncoder::new(&file, flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, header.as_bytes()).unwrap();
        gzip.finish().unwrap();
        let error = check(file.path(), dir.path()).unwrap_err().to_string();
        assert!(error.contains("bytes of disk in") && error.contains("for its files"), "{error}");
    }
}
