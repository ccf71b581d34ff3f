//! One record, and how records are found again in a file that may be torn or damaged.

use std::ops::Range;

/// The longest payload: a summary of 4,096 series whose names are as long as they usually are takes 200 KB.
pub const PAYLOAD_BYTES_MAX: usize = 512 * 1024;
/// length, number, tag, CRC of the payload, CRC of the header.
pub(super) const HEADER_BYTES: usize = 4 + 8 + 8 + 4 + 4;

/// A whole record inside a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: u64,
    pub(super) tag: u64,
    /// Where it begins, header included.
    pub(super) start: usize,
    /// Where its payload is.
    pub(super) payload: Range<usize>,
}

/// What reading a file came to.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The whole records, in order.
    pub(super) found: Vec<Found>,
    /// How many records (at least) were damaged.
    pub(super) damaged: u64,
    /// Where a record that was never finished begins, if the file ends in one.
    pub(super) torn_at: Option<usize>,
}

/// Encodes a record.
pub(super) fn encode(number: u64, tag: u64, payload: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEADER_BYTES + payload.len());
    record.extend((payload.len() as u32).to_le_bytes());
    record.extend(number.to_le_bytes());
    record.extend(tag.to_le_bytes());
    record.extend(crc32fast::hash(payload).to_le_bytes());
    record.extend(crc32fast::hash(&record).to_le_bytes());
    record.extend(payload);
    record
}

struct Header {
    length: usize,
    number: u64,
    tag: u64,
    crc: u32,
}

/// The header at the beginning of `bytes`, if there is a believable one.
fn header(bytes: &[u8]) -> Option<Header> {
    let (summed, rest) = bytes.split_at_checked(HEADER_BYTES - 4)?;
    let (length, fields) = summed.split_first_chunk()?;
    let (number, fields) = fields.split_first_chunk()?;
    let (tag, fields) = fields.split_first_chunk()?;
    let (crc, _) = fields.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    let own_crc = u32::from_le_bytes(*rest.first_chunk()?);
    // The length first: it refuses most offsets without summing.
    (length <= PAYLOAD_BYTES_MAX && crc32fast::hash(summed) == own_crc).then(|| Header {
        length,
        number: u64::from_le_bytes(*number),
        tag: u64::from_le_bytes(*tag),
        crc: u32::from_le_bytes(*crc),
    })
}

/// Finds all records of a file, from `start` on; numbers only grow.
pub(super) fn scan(bytes: &[u8], start: usize) -> Scan {
    let mut scan = Scan::default();
    let mut at = start;
    let mut last = 0;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        match header(rest) {
            Some(header) if header.number > last => {
                let payload = at + HEADER_BYTES..at + HEADER_BYTES + header.length;
                let Some(content) = bytes.get(payload.clone()) else {
                    scan.torn_at = Some(at);
                    return scan;
                };
                last = header.number;
                let (begin, end) = (at, payload.end);
                at = end;
                if crc32fast::hash(content) == header.crc {
                    scan.found.push(Found {
                        number: header.number,
                        tag: header.tag,
                        start: begin,
                        payload,
                    });
                } else {
                    scan.damaged += 1;
                }
            }
            _ => {
                let next = (at + 1..bytes.len()).find(|&next| {
                    let rest = bytes.get(next..).unwrap_or_default();
                    header(rest).is_some_and(|header| header.number > last)
                });
                let Some(next) = next else {
                    // Too short for a header, or pages that were never written: nothing that counted.
                    let blank = rest.iter().all(|&byte| byte == 0);
                    if rest.len() < HEADER_BYTES || blank {
                        scan.torn_at = Some(at);
                    } else {
                        scan.damaged += 1;
                    }
                    return scan;
                };
                scan.damaged += 1;
                at = next;
            }
        }
    }
    scan
}
