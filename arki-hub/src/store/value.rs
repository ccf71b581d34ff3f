//! Values, rows and steps: the little that the hub's SQL needs and both databases have.
//!
//! Times are Unix seconds on this side; PostgreSQL keeps them as `timestamptz`, SQLite as integers. Parameters
//! are written `$1`, `$2`, … in both.

use super::StoreError;
use arki_model::clock::UnixSeconds;

/// One value that is bound to a statement or read from a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number, or a time in Unix seconds.
    Int(i64),
    /// A number.
    Real(f64),
    /// Text, or a JSON document.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_owned())
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}
impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// `values![a, b]`: the parameters of a statement.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::store::Value::from($value)),*] };
}

/// One row of an answer. A column that is not what the code expects is an error, not a panic: the database
/// may have been changed by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn wrong(&self, column: usize, expected: &str) -> StoreError {
        let found = self.0.get(column);
        StoreError::Content(format!("column {column} holds {found:?}, not {expected}"))
    }

    /// A whole number.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            _ => Err(self.wrong(column, "a whole number")),
        }
    }

    /// A time, in Unix seconds.
    pub fn time(&self, column: usize) -> Result<UnixSeconds, StoreError> {
        self.int(column)
    }

    /// A whole number or time, or nothing.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    /// A number.
    pub fn real(&self, column: usize) -> Result<f64, StoreError> {
        match self.0.get(column) {
            Some(Value::Real(value)) => Ok(*value),
            _ => Err(self.wrong(column, "a number")),
        }
    }

    /// A number or nothing.
    pub fn maybe_real(&self, column: usize) -> Result<Option<f64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.real(column).map(Some),
        }
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value.clone()),
            _ => Err(self.wrong(column, "text")),
        }
    }

    /// Text or nothing.
    pub fn maybe_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self.0.get(column) {
            Some(Value::Bytes(value)) => Ok(value.clone()),
            _ => Err(self.wrong(column, "bytes")),
        }
    }

    /// Bytes or nothing.
    pub fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.bytes(column).map(Some),
        }
    }

    /// Exactly `N` bytes.
    pub fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        self.bytes(column)?
            .try_into()
            .map_err(|_| self.wrong(column, "bytes of that length"))
    }
}

/// One statement of a transaction.
#[derive(Debug, Clone)]
pub struct Step {
    /// The statement.
    pub sql: &'static str,
    /// Its parameters.
    pub values: Vec<Value>,
    /// The rows that it must change at least, or the whole transaction is undone.
    pub at_least: u64,
}

impl Step {
    /// A statement that may change any number of rows.
    pub fn new(sql: &'static str, values: impl Into<Vec<Value>>) -> Self {
        Self {
            sql,
            values: values.into(),
            at_least: 0,
        }
    }

    /// A statement that must change a row: the transaction stands or falls with it.
    pub fn must(sql: &'static str, values: impl Into<Vec<Value>>) -> Self {
        Self {
            at_least: 1,
            ..Self::new(sql, values)
        }
    }
}
