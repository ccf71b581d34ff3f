//! A batch: records of one kind, and a few words about the sender.
//!
//! A record is encoded once, when it is recorded, and travels as it is; only the names of a summary are left out
//! once the hub knows them ([`strip_names`]).

use super::pack::{Reader, Writer};
use super::{
    AGENT_VERSION_BYTES_MAX, BATCH_BYTES_MAX, BUCKETS_MAX, HOST_BYTES_MAX, PAYLOAD_TYPE_BYTES_MAX,
    RECORDS_MAX, SAMPLES_MAX, SERIES_MAX, SeriesSet, WireError, column,
};
use crate::chain::PAYLOAD_BYTES_MAX;
use crate::clock::UnixSeconds;
use crate::signature::Signed;
use crate::summary::Stats;

/// 131,072 samples, 5 MB decoded: [`RECORDS_MAX`] summaries of 256 series. Without it a body of zeros could ask for
/// 40 bytes of memory for each of 4 million bytes.
const BATCH_SAMPLES_MAX: usize = 4 * SAMPLES_MAX;

/// What all records of a batch are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Signed events.
    Events = 1,
    /// Summaries of the series.
    Summaries = 2,
}

/// What a sender says about itself with every batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The agent's version.
    pub agent_version: String,
    /// The host's name, as its events have it.
    pub host: String,
    /// Time between two of its passes.
    pub interval_s: u32,
    /// How many summaries were dropped because the spool was full, since the epoch began.
    pub summaries_dropped: u64,
    /// How many records were set aside because they could not be read any more, since the epoch began.
    pub records_set_aside: u64,
}

/// A batch, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who sends.
    pub about: About,
    /// What.
    pub records: Records,
}

/// The records of a batch, in the order of their numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Records {
    /// Signed events. Each still has to be verified: it may have been signed with an earlier key of the agent.
    Events(Vec<Signed>),
    /// Summaries.
    Summaries(Vec<Summary>),
}

impl Records {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Events(events) => events.len(),
            Self::Summaries(summaries) => summaries.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they take in memory, in samples of 40 bytes.
    pub fn samples(&self) -> usize {
        match self {
            Self::Events(events) => {
                let bytes = events.iter().map(|event| event.payload.len());
                bytes.sum::<usize>() / size_of::<Option<Stats>>()
            }
            Self::Summaries(summaries) => summaries.iter().map(|one| one.samples.len()).sum(),
        }
    }
}

/// The series of a host over one or more buckets, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The digest of the names.
    pub digest: [u8; 16],
    /// The names, where they came along; their digest is [`Self::digest`].
    pub names: Option<SeriesSet>,
    /// When the first bucket begins.
    pub start_s: UnixSeconds,
    /// How long a bucket is; 300 as agents send it.
    pub width_s: u32,
    /// How many series; the number of names.
    pub series: usize,
    /// How many buckets; 1 as agents send it.
    pub buckets: usize,
    /// Series by series, bucket by bucket; `None` where nothing was measured.
    pub samples: Vec<Option<Stats>>,
    /// The samples as they came: a record is encoded once, so the same record has the same bytes.
    pub columns: Vec<u8>,
}

impl Summary {
    /// The samples of one series, one a bucket.
    pub fn column(&self, series: usize) -> &[Option<Stats>] {
        let start = series * self.buckets;
        self.samples
            .get(start..start + self.buckets)
            .unwrap_or_default()
    }
}

/// An event as a record.
pub fn encode_event(signed: &Signed) -> Result<Vec<u8>, WireError> {
    limit(
        "the type of an event",
        signed.payload_type.len(),
        PAYLOAD_TYPE_BYTES_MAX,
    )?;
    limit("an event", signed.payload.len(), PAYLOAD_BYTES_MAX)?;
    if signed.signature.len() != 64 {
        return Err(WireError::Value("the signature of an event"));
    }
    let mut writer = Writer::default();
    writer
        .array(3)
        .str(&signed.payload_type)
        .bin(&signed.payload)
        .bin(&signed.signature);
    Ok(writer.finish())
}

/// A summary as a record, with its names. `samples` holds `buckets` samples for each name of `set`.
pub fn encode_summary(
    set: &SeriesSet,
    start_s: UnixSeconds,
    width_s: u32,
    buckets: usize,
    samples: &[Option<Stats>],
) -> Result<Vec<u8>, WireError> {
    limit("the buckets of a summary", buckets, BUCKETS_MAX)?;
    limit("the samples of a summary", samples.len(), SAMPLES_MAX)?;
    if samples.len() != set.names().len() * buckets || samples.is_empty() {
        return Err(WireError::Value("the samples of a summary"));
    }
    let columns = column::encode(samples, buckets, |series| {
        set.names()
            .get(series)
            .is_some_and(|name| name.metric().ends_with("_percent"))
    });
    let mut writer = Writer::default();
    writer.array(7).bin(set.digest());
    set.write(&mut writer);
    writer
        .int(start_s)
        .uint(u64::from(width_s))
        .uint(set.names().len() as u64)
        .uint(buckets as u64)
        .bin(&columns);
    Ok(writer.finish())
}

/// The same record of a summary without its names, and the digest that stands for them.
pub fn strip_names(record: &[u8]) -> Result<([u8; 16], Vec<u8>), WireError> {
    let mut reader = Reader::new(record);
    reader.array("a summary", 7)?;
    let digest = reader.bytes("the digest of the names")?;
    SeriesSet::read(&mut reader)?;
    let mut writer = Writer::default();
    writer.array(7).bin(&digest).array(0).raw(reader.rest());
    Ok((digest, writer.finish()))
}

fn decode_event(reader: &mut Reader<'_>) -> Result<Signed, WireError> {
    reader.array("an event", 3)?;
    Ok(Signed {
        payload_type: reader
            .str("the type of an event", PAYLOAD_TYPE_BYTES_MAX)?
            .to_owned(),
        payload: reader.bin("an event", PAYLOAD_BYTES_MAX)?.to_vec(),
        signature: reader.bytes::<64>("the signature of an event")?.to_vec(),
    })
}

fn decode_summary(reader: &mut Reader<'_>) -> Result<Summary, WireError> {
    reader.array("a summary", 7)?;
    let digest = reader.bytes("the digest of the names")?;
    let names = SeriesSet::read(reader)?;
    let start_s = reader.int("the start of a summary")?;
    // A year that has four digits, so that whatever stores it can add to it.
    if !(0..=253_402_300_799).contains(&start_s) {
        return Err(WireError::Value("the start of a summary"));
    }
    let width_s = reader.uint_up_to("the width of a bucket", 86_400)? as u32;
    let series = reader.uint_up_to("the series of a summary", SERIES_MAX as u64)? as usize;
    let buckets = reader.uint_up_to("the buckets of a summary", BUCKETS_MAX as u64)? as usize;
    limit("the samples of a summary", series * buckets, SAMPLES_MAX)?;
    // As long as it can be: an exponent a series, four varints of nine bytes a sample.
    let columns = reader.bin("the columns of a summary", series + series * buckets * 36)?;
    let names_fit = names
        .as_ref()
        .is_none_or(|set| *set.digest() == digest && set.names().len() == series);
    if width_s == 0 || series == 0 || buckets == 0 || !names_fit {
        return Err(WireError::Value("the shape of a summary"));
    }
    Ok(Summary {
        digest,
        names,
        start_s,
        width_s,
        series,
        buckets,
        samples: column::decode(columns, series, buckets)?,
        columns: columns.to_vec(),
    })
}

impl Batch {
    /// Encodes a batch of records that are encoded already; at most [`RECORDS_MAX`] and [`BATCH_BYTES_MAX`].
    pub fn encode<R: AsRef<[u8]>>(
        kind: Kind,
        about: &About,
        records: &[R],
    ) -> Result<Vec<u8>, WireError> {
        limit("the records of a batch", records.len(), RECORDS_MAX)?;
        limit("the host", about.host.len(), HOST_BYTES_MAX)?;
        limit(
            "the agent's version",
            about.agent_version.len(),
            AGENT_VERSION_BYTES_MAX,
        )?;
        let mut writer = Writer::default();
        writer
            .array(3)
            .uint(kind as u64)
            .array(5)
            .str(&about.agent_version)
            .str(&about.host)
            .uint(u64::from(about.interval_s))
            .uint(about.summaries_dropped)
            .uint(about.records_set_aside)
            .array(records.len());
        for record in records {
            writer.raw(record.as_ref());
        }
        limit("a batch", writer.len(), BATCH_BYTES_MAX)?;
        Ok(writer.finish())
    }

    /// Reads a batch. Whoever calls this has checked who sent it ([`super::Verified::batch`]).
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        limit("a batch", bytes.len(), BATCH_BYTES_MAX)?;
        let mut reader = Reader::new(bytes);
        reader.array("a batch", 3)?;
        let kind = reader.uint("the kind of a batch")?;
        reader.array("what a sender says about itself", 5)?;
        let about = About {
            agent_version: reader
                .str("the agent's version", AGENT_VERSION_BYTES_MAX)?
                .to_owned(),
            host: reader.str("the host", HOST_BYTES_MAX)?.to_owned(),
            interval_s: reader.uint_up_to("the interval", u64::from(u32::MAX))? as u32,
            summaries_dropped: reader.uint("the dropped summaries")?,
            records_set_aside: reader.uint("the records set aside")?,
        };
        let count = reader.array_up_to("the records of a batch", RECORDS_MAX)?;
        let records = match kind {
            1 => Records::Events(
                (0..count)
                    .map(|_| decode_event(&mut reader))
                    .collect::<Result<_, _>>()?,
            ),
            2 => Records::Summaries(decode_summaries(&mut reader, count)?),
            _ => return Err(WireError::Value("the kind of a batch")),
        };
        reader.end("a batch")?;
        Ok(Self { about, records })
    }
}

/// All summaries of a batch together hold no more samples than [`BATCH_SAMPLES_MAX`].
fn decode_summaries(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Summary>, WireError> {
    let mut samples = 0;
    let mut summaries = Vec::with_capacity(count);
    for _ in 0..count {
        let summary = decode_summary(reader)?;
        samples += summary.samples.len();
        limit("the samples of a batch", samples, BATCH_SAMPLES_MAX)?;
        summaries.push(summary);
    }
    Ok(summaries)
}

fn limit(what: &'static str, found: usize, max: usize) -> Result<(), WireError> {
    if found > max {
        return Err(WireError::Limit {
            what,
            found: found as u64,
            max: max as u64,
        });
    }
    Ok(())
}
