//! The one database behind SQS, the Scheduler and the clock. An API call is one transaction, committed before it
//! is answered, so a process that is killed loses nothing it accepted. Nothing here waits: a transaction holds the
//! connection for microseconds and never crosses an await.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// More than the number of distinct statements here, so each is compiled once.
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
        // With a write-ahead log and NORMAL a killed process loses nothing; a machine that loses power may lose the last moments.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        connection.execute_batch(include_str!("schema.sql"))?;
        add_sender(&connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Runs `work` in one transaction: what it changed is committed when it gives `Ok`, and undone otherwise.
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

    /// Runs `work`, which only reads.
    pub(crate) fn read<T, E>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        work(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Databases of earlier releases have no column for who sent a message.
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
    fn a_database_of_an_earlier_release_gets_the_column_it_lacks_once() {
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
