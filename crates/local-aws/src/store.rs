//! The database of SQS, the Scheduler and the clock. An API call is one transaction, which is committed before the
//! response, so a killed process loses no accepted request. Calls are synchronous: a transaction holds the connection for
//! microseconds and never across an await.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// More than the number of distinct statements in this crate, so that each is compiled only once.
const CACHED_STATEMENTS: usize = 128;

#[derive(Clone)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
}

impl Store {
    /// Opens `file`, or a database in memory.
    pub(crate) fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        // With a write-ahead log and NORMAL, a killed process loses nothing. A power failure may lose the last commits.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        connection.execute_batch(include_str!("schema.sql"))?;
        add_sender(&connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Runs `work` in one transaction. Commits if it returns `Ok`, and rolls back otherwise.
    pub(crate) fn transact<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answer = work(&transaction)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// Runs `work`, which must only read.
    pub(crate) fn read<T, E>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        work(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Adds the column `sender` to `message`, which databases of earlier releases lack.
fn add_sender(connection: &Connection) -> rusqlite::Result<()> {
    let columns = "SELECT 1 FROM pragma_table_info('message') WHERE name = 'sender'";
    if !connection.prepare(columns)?.exists(())? {
        connection.execute_batch("ALTER TABLE message ADD COLUMN sender TEXT")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_an_earlier_release_gets_the_missing_column_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("aws.db");
        let earlier = include_str!("schema.sql").replace("    sender            TEXT,", "");
        Connection::open(&file).unwrap().execute_batch(&earlier).unwrap();
        for _ in 0..2 {
            let store = Store::open(Some(&file)).unwrap();
            store.read(|db| db.prepare("SELECT sender FROM message")?.exists(())).unwrap();
        }
    }
}
