//! The envelope of a batch: who, which numbers, when, and the signature over all of it.
//!
//! Reading has a type for each step, so that no batch is decompressed before its signature was checked:
//! bytes -> [`Envelope`] -> [`Verified`] -> [`Batch`].

use super::pack::{Reader, Writer};
use super::{
    AgentId, BATCH_TYPE, BODY_BYTES_MAX, Batch, Decompressor, Epoch, VERSION, WireError, compress,
};
use crate::clock::UnixSeconds;
use crate::signature::{PrivateKey, PublicKey};

/// What an envelope says besides the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whose batch.
    pub agent: AgentId,
    /// Which life of its spool.
    pub epoch: Epoch,
    /// The number of the first record; the others follow without a gap.
    pub sequence: u64,
    /// The agent's clock when it sent this. Not part of a record's identity: a retry has another one.
    pub sent_at_s: UnixSeconds,
}

/// Compresses an encoded batch, signs it and puts it into an envelope: the body of a request.
pub fn seal(key: &PrivateKey, header: &Header, batch: &[u8]) -> Result<Vec<u8>, WireError> {
    let compressed = compress(batch)?;
    let mut signed = Writer::default();
    signed
        .array(6)
        .uint(u64::from(VERSION))
        .bin(&header.agent.0)
        .uint(header.epoch.0)
        .uint(header.sequence)
        .int(header.sent_at_s)
        .bin(&compressed);
    let signed = signed.finish();
    let signature = key.sign(BATCH_TYPE, &signed);
    let mut body = Writer::default();
    body.array(2).bin(&signed).bin(&signature);
    if body.len() > BODY_BYTES_MAX {
        return Err(WireError::Limit {
            what: "a body",
            found: body.len() as u64,
            max: BODY_BYTES_MAX as u64,
        });
    }
    Ok(body.finish())
}

/// An envelope that was read, but not believed yet.
#[derive(Debug)]
pub struct Envelope<'a> {
    header: Header,
    compressed: &'a [u8],
    signed: &'a [u8],
    signature: [u8; 64],
}

/// An envelope whose signature fits the key of the agent it names.
#[derive(Debug)]
pub struct Verified<'a> {
    header: Header,
    compressed: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads a body. Nothing is copied.
    pub fn read(body: &'a [u8]) -> Result<Self, WireError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(WireError::Limit {
                what: "a body",
                found: body.len() as u64,
                max: BODY_BYTES_MAX as u64,
            });
        }
        let mut outer = Reader::new(body);
        outer.array("an envelope", 2)?;
        let signed = outer.bin("the signed part", BODY_BYTES_MAX)?;
        let signature = outer.bytes("the signature of a batch")?;
        outer.end("an envelope")?;

        let mut reader = Reader::new(signed);
        reader.array("the signed part", 6)?;
        let version = reader.uint("the version")?;
        if version != u64::from(VERSION) {
            return Err(WireError::Version(version));
        }
        let header = Header {
            agent: AgentId(reader.bytes("the agent's id")?),
            epoch: Epoch(reader.uint("the epoch")?),
            sequence: reader.uint("the sequence")?,
            sent_at_s: reader.int("the time of sending")?,
        };
        let compressed = reader.bin("a compressed batch", BODY_BYTES_MAX)?;
        reader.end("the signed part")?;
        Ok(Self {
            header,
            compressed,
            signed,
            signature,
        })
    }

    /// Whose key to look up. Believe nothing of it before [`Self::verify`].
    pub fn claimed_agent(&self) -> AgentId {
        self.header.agent
    }

    /// Checks the signature with the key that is pinned for [`Self::claimed_agent`].
    pub fn verify(self, key: &PublicKey) -> Result<Verified<'a>, WireError> {
        key.verify(BATCH_TYPE, self.signed, &self.signature)?;
        Ok(Verified {
            header: self.header,
            compressed: self.compressed,
        })
    }
}

impl Verified<'_> {
    /// What the envelope says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Decompresses and reads the batch. The numbers of its records all fit 64 bits.
    pub fn batch(&self, decompressor: &mut Decompressor) -> Result<Batch, WireError> {
        let batch = Batch::decode(&decompressor.decompress(self.compressed)?)?;
        // i64 is what a database's BIGINT holds.
        let last = self.header.sequence.checked_add(batch.records.len() as u64);
        match last {
            Some(last) if self.header.sequence > 0 && i64::try_from(last).is_ok() => Ok(batch),
            _ => Err(WireError::Value("the sequence")),
        }
    }
}
