//! [`Value`] to and from PostgreSQL's binary forms. Times are `timestamptz` there and Unix seconds here.

use super::super::{Row, Value};
use std::error::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, WrongType, accepts, to_sql_checked};

/// PostgreSQL counts from 2000-01-01T00:00:00Z.
const EPOCH_S: i64 = 946_684_800;

/// Unix seconds as PostgreSQL's microseconds; what lies outside of its range is refused by the caller's checks.
pub(super) fn microseconds(unix_s: i64) -> i64 {
    unix_s.saturating_sub(EPOCH_S).saturating_mul(1_000_000)
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(value), &Type::INT8) => value.to_sql(ty, out),
            (Self::Int(value), &Type::INT4) => i32::try_from(*value)?.to_sql(ty, out),
            (Self::Int(value), &Type::INT2) => i16::try_from(*value)?.to_sql(ty, out),
            (Self::Int(value), &Type::TIMESTAMPTZ) => microseconds(*value).to_sql(&Type::INT8, out),
            (Self::Real(value), &Type::FLOAT8) => value.to_sql(ty, out),
            (Self::Text(value), &Type::TEXT | &Type::VARCHAR) => value.as_str().to_sql(ty, out),
            (Self::Text(value), &Type::JSONB) => {
                out.extend_from_slice(&[1]); // the version of the binary form
                value.as_str().to_sql(&Type::TEXT, out)
            }
            (Self::Bytes(value), &Type::BYTEA) => value.to_sql(ty, out),
            _ => Err(Box::new(WrongType::new::<Self>(ty.clone()))),
        }
    }

    // which values fit is seen in `to_sql`
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value as it is read.
struct Read(Value);

impl<'a> FromSql<'a> for Read {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let value = match *ty {
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Value::Int(i16::from_sql(ty, raw)?.into()),
            Type::TIMESTAMPTZ => {
                let microseconds = i64::from_sql(&Type::INT8, raw)?;
                Value::Int(microseconds.div_euclid(1_000_000) + EPOCH_S)
            }
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Value::Real(f32::from_sql(ty, raw)?.into()),
            Type::JSONB => {
                let text = raw.get(1..).ok_or("an empty document")?;
                Value::Text(std::str::from_utf8(text)?.to_owned())
            }
            Type::BYTEA => Value::Bytes(raw.to_owned()),
            _ => Value::Text(String::from_sql(&Type::TEXT, raw)?),
        };
        Ok(Self(value))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    accepts!(
        INT8,
        INT4,
        INT2,
        TIMESTAMPTZ,
        FLOAT8,
        FLOAT4,
        JSONB,
        BYTEA,
        TEXT,
        VARCHAR,
        NAME
    );
}

pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let values = (0..row.len()).map(|i| row.try_get::<_, Read>(i).map(|read| read.0));
    values.collect::<Result<_, _>>().map(Row)
}
