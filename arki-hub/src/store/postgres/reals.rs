//! `real[]` as `COPY BINARY` takes it: a sample is four of them, and the library writes them value by value.

use std::error::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// Values of one dimension; what is no number is written as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reals<'a>(pub(super) &'a [f32]);

impl ToSql for Reals<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let length = i32::try_from(self.0.len())?;
        // dimensions, whether a value is missing, what the values are, and of the dimension its length and first index
        let head = [1, 0, Type::FLOAT4.oid().cast_signed(), length, 1];
        out.reserve(4 * head.len() + 8 * self.0.len());
        out.extend_from_slice(head.map(i32::to_be_bytes).as_flattened());
        for value in self.0 {
            let [a, b, c, d] = value.to_be_bytes();
            out.extend_from_slice(&[0, 0, 0, 4, a, b, c, d]);
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::FLOAT4_ARRAY
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_library() {
        for values in [vec![], vec![1.5_f32], vec![0.0, -2.25, f32::NAN, f32::MAX]] {
            let (mut own, mut theirs) = (BytesMut::new(), BytesMut::new());
            let ty = Type::FLOAT4_ARRAY;
            Reals(&values).to_sql_checked(&ty, &mut own).unwrap();
            values.to_sql_checked(&ty, &mut theirs).unwrap();
            assert_eq!(own, theirs, "{values:?}");
        }
    }
}
