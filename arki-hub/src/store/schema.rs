//! The schema's versions. Migrations are only ever appended; each runs once, in order, under a lock.

/// One step of the schema.
#[derive(Debug)]
pub struct Migration {
    /// Counts from 1 without gaps.
    pub version: i64,
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL of any edition; hypertables and policies are laid over it afterwards.
    pub postgres: &'static str,
}

/// All of them, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sqlite: include_str!("../../migrations/sqlite/0001_initial.sql"),
        postgres: include_str!("../../migrations/postgres/0001_initial.sql"),
    },
    Migration {
        version: 2,
        sqlite: include_str!("../../migrations/sqlite/0002_sandbox.sql"),
        postgres: include_str!("../../migrations/postgres/0002_sandbox.sql"),
    },
    Migration {
        version: 3,
        sqlite: include_str!("../../migrations/sqlite/0003_requests.sql"),
        postgres: include_str!("../../migrations/postgres/0003_requests.sql"),
    },
    Migration {
        version: 4,
        sqlite: include_str!("../../migrations/sqlite/0004_hours.sql"),
        postgres: include_str!("../../migrations/postgres/0004_hours.sql"),
    },
];

/// The version that this program knows.
pub const KNOWN: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_one_without_gaps() {
        for (expected, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.version, expected);
        }
    }
}
