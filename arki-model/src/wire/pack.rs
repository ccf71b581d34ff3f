//! MessagePack (<https://github.com/msgpack/msgpack/blob/master/spec.md>), read strictly and without recursion.
//!
//! Every length is checked against its limit *and* against what is left before anything is allocated or taken, which
//! is more than a general deserialiser promises. Byte strings and text are borrowed from the input.

use super::WireError;
use rmp::decode::{NumValueReadError, ValueReadError};
use rmp::encode;

/// Reads values one after the other.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The head of an array of exactly `length` values.
    pub(crate) fn array(&mut self, what: &'static str, length: usize) -> Result<(), WireError> {
        match self.array_up_to(what, length)? {
            found if found == length => Ok(()),
            _ => Err(WireError::Value(what)),
        }
    }

    /// The head of an array of at most `max` values. Each takes a byte at least, so that a length that cannot be is
    /// refused before room is made for it.
    pub(crate) fn array_up_to(
        &mut self,
        what: &'static str,
        max: usize,
    ) -> Result<usize, WireError> {
        let found = rmp::decode::read_array_len(&mut self.rest).map_err(|e| told(&e, what))?;
        self.length(what, found, max)
    }

    pub(crate) fn uint(&mut self, what: &'static str) -> Result<u64, WireError> {
        rmp::decode::read_int(&mut self.rest).map_err(|error| told_number(&error, what))
    }

    pub(crate) fn int(&mut self, what: &'static str) -> Result<i64, WireError> {
        rmp::decode::read_int(&mut self.rest).map_err(|error| told_number(&error, what))
    }

    /// An unsigned number of at most `max`.
    pub(crate) fn uint_up_to(&mut self, what: &'static str, max: u64) -> Result<u64, WireError> {
        let found = self.uint(what)?;
        if found > max {
            return Err(WireError::Limit { what, found, max });
        }
        Ok(found)
    }

    pub(crate) fn bin(&mut self, what: &'static str, max: usize) -> Result<&'a [u8], WireError> {
        let found = rmp::decode::read_bin_len(&mut self.rest).map_err(|e| told(&e, what))?;
        let length = self.length(what, found, max)?;
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(bytes)
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn bytes<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], WireError> {
        self.bin(what, N)?
            .try_into()
            .map_err(|_| WireError::Value(what))
    }

    pub(crate) fn str(&mut self, what: &'static str, max: usize) -> Result<&'a str, WireError> {
        let found = rmp::decode::read_str_len(&mut self.rest).map_err(|e| told(&e, what))?;
        let length = self.length(what, found, max)?;
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        std::str::from_utf8(bytes).map_err(|_| WireError::Value(what))
    }

    /// Nothing may follow.
    pub(crate) fn end(self, what: &'static str) -> Result<(), WireError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(WireError::Trailing(what))
        }
    }

    fn length(&self, what: &'static str, found: u32, max: usize) -> Result<usize, WireError> {
        let length = found as usize;
        if length > max {
            return Err(WireError::Limit {
                what,
                found: u64::from(found),
                max: max as u64,
            });
        }
        if length > self.rest.len() {
            return Err(WireError::Truncated(what));
        }
        Ok(length)
    }
}

fn told<E: rmp::decode::RmpReadErr>(error: &ValueReadError<E>, what: &'static str) -> WireError {
    match error {
        ValueReadError::TypeMismatch(_) => WireError::Type(what),
        _ => WireError::Truncated(what),
    }
}

fn told_number<E: rmp::decode::RmpReadErr>(
    error: &NumValueReadError<E>,
    what: &'static str,
) -> WireError {
    match error {
        NumValueReadError::TypeMismatch(_) => WireError::Type(what),
        NumValueReadError::OutOfRange => WireError::Value(what),
        _ => WireError::Truncated(what),
    }
}

/// Writes values one after the other, each in its shortest form.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

/// Why no write fails.
const GROWS: &str = "a vector takes whatever is written to it";

impl Writer {
    pub(crate) fn array(&mut self, length: usize) -> &mut Self {
        encode::write_array_len(&mut self.0, length as u32).expect(GROWS);
        self
    }

    pub(crate) fn uint(&mut self, value: u64) -> &mut Self {
        encode::write_uint(&mut self.0, value).expect(GROWS);
        self
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        encode::write_sint(&mut self.0, value).expect(GROWS);
        self
    }

    pub(crate) fn bin(&mut self, bytes: &[u8]) -> &mut Self {
        encode::write_bin(&mut self.0, bytes).expect(GROWS);
        self
    }

    pub(crate) fn str(&mut self, text: &str) -> &mut Self {
        encode::write_str(&mut self.0, text).expect(GROWS);
        self
    }

    /// Bytes that are MessagePack already.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}
