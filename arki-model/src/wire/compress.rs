//! zstd with a cap: decompressed in steps, never more than the caller's limit, whatever the frame claims.

use super::{BATCH_BYTES_MAX, BODY_BYTES_MAX, WireError};
use std::fmt;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// Level 3, zstd's own default: on batches of 60 series level 9 saves 1 % of the bytes for five times the work.
const LEVEL: i32 = 3;

/// 4 MiB: no frame of a batch needs to look further back than a batch is long; a frame that asks for more memory is
/// refused.
const WINDOW_LOG_MAX: u32 = 22;

/// The first room for a result, in bytes; doubled when it is full. A batch of 60 series has 1 KiB.
const ROOM_BYTES: usize = 8 * 1024;

/// Compresses a batch.
pub fn compress(batch: &[u8]) -> Result<Vec<u8>, WireError> {
    limit("a batch", batch.len(), BATCH_BYTES_MAX)?;
    zstd::bulk::compress(batch, LEVEL).map_err(|error| WireError::Compression(error.to_string()))
}

/// Decompresses batches, one after the other, with one context.
pub struct Decompressor(Decoder<'static>);

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decompressor")
    }
}

impl Decompressor {
    /// A context; some 100 KB, and at most a window of 4 MiB while it works.
    pub fn new() -> Result<Self, WireError> {
        let mut decoder = Decoder::new().map_err(|error| refused(&error))?;
        decoder
            .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
            .map_err(|error| refused(&error))?;
        Ok(Self(decoder))
    }

    /// The batch in exactly one frame.
    pub fn decompress(&mut self, compressed: &[u8]) -> Result<Vec<u8>, WireError> {
        limit("a compressed batch", compressed.len(), BODY_BYTES_MAX)?;
        self.decompress_up_to(compressed, BATCH_BYTES_MAX)
    }

    /// The content of exactly one frame, at most `bytes_max` of it. The caller has limited `compressed`.
    pub fn decompress_up_to(
        &mut self,
        compressed: &[u8],
        bytes_max: usize,
    ) -> Result<Vec<u8>, WireError> {
        self.0.reinit().map_err(|error| refused(&error))?;
        let mut input = InBuffer::around(compressed);
        let mut out = vec![0; ROOM_BYTES.min(bytes_max + 1)];
        let mut filled = 0;
        loop {
            let (before, start) = (input.pos(), filled);
            let mut output = OutBuffer::around_pos(out.as_mut_slice(), filled);
            let left = self
                .0
                .run(&mut input, &mut output)
                .map_err(|error| refused(&error))?;
            filled = output.pos();
            if left == 0 {
                break;
            }
            if filled == out.len() {
                // One byte more than the limit, so that a batch of just that size is told from a longer one.
                if filled > bytes_max {
                    limit("decompressed content", filled, bytes_max)?;
                }
                out.resize((filled * 2).min(bytes_max + 1), 0);
            } else if input.pos() == before && filled == start {
                return Err(WireError::Truncated("compressed content"));
            }
        }
        limit("decompressed content", filled, bytes_max)?;
        if input.pos() < compressed.len() {
            return Err(WireError::Trailing("compressed content"));
        }
        out.truncate(filled);
        Ok(out)
    }
}

fn refused(error: &std::io::Error) -> WireError {
    WireError::Compression(error.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back_with_one_context() {
        let mut decompressor = Decompressor::new().unwrap();
        for length in [0, 1, ROOM_BYTES, ROOM_BYTES + 1, 300_000, BATCH_BYTES_MAX] {
            let batch: Vec<u8> = (0..length).map(|n| (n * n / 7) as u8).collect();
            let compressed = compress(&batch).unwrap();
            assert!(
                decompressor.decompress(&compressed).unwrap() == batch,
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit_and_the_context_works_on() {
        // 1 GiB of zeros is 34 KB; 64 MiB take the same way through the loop.
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap();
        assert!(bomb.len() < 10_000);
        let mut decompressor = Decompressor::new().unwrap();
        let said = decompressor.decompress(&bomb).unwrap_err();
        assert!(
            matches!(said, WireError::Limit { .. } | WireError::Compression(_)),
            "{said}"
        );
        assert!(compress(&vec![0; BATCH_BYTES_MAX + 1]).is_err());
        let just_over = zstd::bulk::compress(&vec![0; BATCH_BYTES_MAX + 1], 3).unwrap();
        assert!(decompressor.decompress(&just_over).is_err());
        let good = compress(b"batch").unwrap();
        assert_eq!(decompressor.decompress(&good).unwrap(), b"batch");
    }

    #[test]
    fn torn_and_trailing_frames_are_refused() {
        let mut decompressor = Decompressor::new().unwrap();
        let good = compress(&[7; 3000]).unwrap();
        for length in 0..good.len() {
            assert!(
                decompressor.decompress(&good[..length]).is_err(),
                "{length}"
            );
        }
        let two = [good.clone(), good].concat();
        assert_eq!(
            decompressor.decompress(&two),
            Err(WireError::Trailing("compressed content"))
        );
    }
}
