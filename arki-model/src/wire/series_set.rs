//! A list of series names with its digest, so that names travel once and not every five minutes.

use super::pack::{Reader, Writer};
use super::{SERIES_MAX, WireError};
use crate::series::{NAME_BYTES_MAX, SeriesName};
use sha2::{Digest, Sha256};

/// What the digest begins with, so that it is a digest of nothing else.
const DOMAIN: &[u8] = b"arki series set 1\0";

/// The ordered names of the columns of a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesSet {
    names: Vec<SeriesName>,
    digest: [u8; 16],
}

impl SeriesSet {
    /// A set of at most [`SERIES_MAX`] names, in the order of the columns.
    pub fn new(names: Vec<SeriesName>) -> Result<Self, WireError> {
        if names.len() > SERIES_MAX {
            return Err(WireError::Limit {
                what: "the series of a summary",
                found: names.len() as u64,
                max: SERIES_MAX as u64,
            });
        }
        let mut hash = Sha256::new_with_prefix(DOMAIN);
        hash.update(Self::encoded(&names));
        let whole: [u8; 32] = hash.finalize().into();
        let mut digest = [0; 16];
        digest.copy_from_slice(&whole[..16]);
        Ok(Self { names, digest })
    }

    /// The names, in the order of the columns.
    pub fn names(&self) -> &[SeriesName] {
        &self.names
    }

    /// The first half of SHA-256 over the domain and the MessagePack array of the names. 128 bits: nobody can make
    /// another list with the digest of a given one.
    pub fn digest(&self) -> &[u8; 16] {
        &self.digest
    }

    fn encoded(names: &[SeriesName]) -> Vec<u8> {
        let mut writer = Writer::default();
        Self::write_names(names, &mut writer);
        writer.finish()
    }

    fn write_names(names: &[SeriesName], writer: &mut Writer) {
        writer.array(names.len());
        for name in names {
            writer.str(name.as_str());
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        Self::write_names(&self.names, writer);
    }

    /// Reads the list; `None` where it is empty, which says that the digest alone was sent.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, WireError> {
        let count = reader.array_up_to("the series of a summary", SERIES_MAX)?;
        let names: Vec<SeriesName> = (0..count)
            .map(|_| {
                let name = reader.str("the name of a series", NAME_BYTES_MAX)?;
                SeriesName::new(name).map_err(|_| WireError::Value("the name of a series"))
            })
            .collect::<Result<_, _>>()?;
        if names.is_empty() {
            return Ok(None);
        }
        Self::new(names).map(Some)
    }
}
