#![expect(clippy::disallowed_methods, reason = "the owner of the decision store's file; the host program names it")]

use rusqlite::{Connection, OpenFlags, Row, params};
use skills_core::{Decision, DecisionScope, DecisionStore, ErrorKind, Failure, Operation};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Tells a decision store from other SQLite files: `skil`.
const APPLICATION: i64 = 0x736b_696c;
/// The form of its table.
const VERSION: i64 = 1;
/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

const TABLE: &str = "CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    operation TEXT NOT NULL, name TEXT NOT NULL, allowed INTEGER NOT NULL, scope TEXT NOT NULL, place TEXT NOT NULL,
    digest TEXT NOT NULL, call TEXT NOT NULL, reason TEXT, at INTEGER NOT NULL,
    UNIQUE (operation, name, scope, place, call)
) STRICT";

/// Decisions in a SQLite file, which only its owner can read. Several processes may use it at once.
///
/// The file is made when the first decision is kept. One that is damaged, or that a newer version wrote, is an error:
/// nothing is trusted by mistake.
#[derive(Debug)]
pub struct SqliteDecisions {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl SqliteDecisions {
    /// The decisions of a file, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> SqliteDecisions {
        SqliteDecisions { path: path.into(), connection: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the open file; `None` where there is none and none is wanted.
    fn with<T>(
        &self,
        create: bool,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Failure> {
        let mut held = self.lock();
        if held.is_none() {
            if !create && !self.path.try_exists().map_err(|error| self.failure(error))? {
                return Ok(None);
            }
            *held = Some(self.open(create)?);
        }
        match held.as_ref() {
            Some(connection) => work(connection).map(Some).map_err(|error| self.failure(error)),
            None => Ok(None),
        }
    }

    fn open(&self, create: bool) -> Result<Connection, Failure> {
        if create {
            self.make().map_err(|error| self.failure(error))?;
        }
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let path = self.path.canonicalize().map_err(|error| self.failure(error))?;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| self.failure(error))?;
        let (application, version) = prepare(&connection).map_err(|error| self.failure(error))?;
        if application != APPLICATION || !(1..=VERSION).contains(&version) {
            let why = match application == APPLICATION && version > VERSION {
                true => format!("it is of version {version}, and this program reads version {VERSION}"),
                false => "it is not a decision store".to_owned(),
            };
            return Err(self.failure(why));
        }
        Ok(connection)
    }

    /// Makes the folder and the file, for its owner alone.
    fn make(&self) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        options.open(&self.path).map(drop)
    }

    fn failure(&self, error: impl std::fmt::Display) -> Failure {
        let message = format!("cannot use the decisions in {}: {error}", self.path.display());
        Failure::new(ErrorKind::Unavailable, message)
            .with_help("nothing is trusted until it can be read: repair it, or move it away and decide anew")
    }
}

/// Checks the file, and makes the table in an empty one. Gives its application and version.
fn prepare(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    connection.busy_timeout(PATIENCE)?;
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let tables = "SELECT count(*) FROM sqlite_schema";
    if number(tables)? == 0 && number("PRAGMA application_id")? == 0 {
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        // Another process may have been quicker.
        if number(tables)? == 0 {
            connection.execute_batch(TABLE)?;
            connection
                .execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}"))?;
        }
        connection.execute_batch("COMMIT")?;
    }
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?;
    if found != "ok" {
        return Err(rusqlite::Error::ToSqlConversionFailure(found.into()));
    }
    Ok((number("PRAGMA application_id")?, number("PRAGMA user_version")?))
}

impl DecisionStore for SqliteDecisions {
    fn all(&self) -> Result<Vec<Decision>, Failure> {
        let query =
            "SELECT operation, name, allowed, scope, place, digest, call, reason, at FROM decisions ORDER BY id DESC";
        let rows = self.with(false, |connection| {
            connection.prepare(query)?.query_map([], decision)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        Ok(rows.unwrap_or_default())
    }

    fn record(&self, decision: &Decision) -> Result<(), Failure> {
        let Some(place) = decision.place.to_str() else {
            return Err(self.failure(format!("the path {} is not UTF-8", decision.place.display())));
        };
        let at = i64::try_from(decision.at).unwrap_or(i64::MAX);
        let insert =
            "INSERT OR REPLACE INTO decisions (operation, name, allowed, scope, place, digest, call, reason, at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.with(true, |connection| {
            connection.execute(
                insert,
                params![
                    decision.operation.as_str(),
                    decision.name,
                    decision.allowed,
                    decision.scope.as_str(),
                    place,
                    decision.digest,
                    decision.call.as_deref().unwrap_or_default(),
                    decision.reason,
                    at
                ],
            )
        })?;
        Ok(())
    }

    fn revoke(&self, place: &Path) -> Result<usize, Failure> {
        let below: Vec<PathBuf> =
            self.all()?.into_iter().map(|decision| decision.place).filter(|own| own.starts_with(place)).collect();
        let mut gone = 0;
        for place in below {
            let delete = |connection: &Connection| {
                connection.execute("DELETE FROM decisions WHERE place = ?1", [place.to_string_lossy()])
            };
            gone += self.with(false, delete)?.unwrap_or(0);
        }
        Ok(gone)
    }
}

fn decision(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let unknown = |column: usize, text: String| {
        let why = format!("`{text}` means nothing here").into();
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why)
    };
    let (operation, scope): (String, String) = (row.get(0)?, row.get(3)?);
    let call: String = row.get(6)?;
    Ok(Decision {
        operation: Operation::from_name(&operation).ok_or_else(|| unknown(0, operation))?,
        name: row.get(1)?,
        allowed: row.get(2)?,
        scope: DecisionScope::from_name(&scope).ok_or_else(|| unknown(3, scope))?,
        place: PathBuf::from(row.get::<_, String>(4)?),
        digest: row.get(5)?,
        call: (!call.is_empty()).then_some(call),
        reason: row.get(7)?,
        at: u64::try_from(row.get::<_, i64>(8)?).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(place: &str, allowed: bool) -> Decision {
        Decision {
            operation: Operation::Run,
            name: String::new(),
            allowed,
            scope: DecisionScope::Skill,
            place: place.into(),
            digest: "d".into(),
            call: None,
            reason: Some("read it".into()),
            at: 7,
        }
    }

    #[test]
    fn decisions_survive_and_the_newer_one_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/decisions.db");
        let store = SqliteDecisions::new(&path);
        assert_eq!(store.all().unwrap(), []);
        assert!(!path.exists(), "looking makes no file");
        store.record(&decision("/a/b.json", true)).unwrap();
        store.record(&decision("/a/b.json", false)).unwrap();
        store.record(&decision("/a/c.json", true)).unwrap();
        let again = SqliteDecisions::new(&path);
        assert_eq!(again.all().unwrap(), [decision("/a/c.json", true), decision("/a/b.json", false)]);
        assert_eq!(again.revoke(Path::new("/a")).unwrap(), 2);
        assert_eq!(store.all().unwrap(), []);
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_trusted_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.db");
        let refused = |part: &str| {
            let store = SqliteDecisions::new(&path);
            for error in [store.all().map(drop), store.record(&decision("/a", true))] {
                let error = error.unwrap_err();
                assert_eq!(error.kind, ErrorKind::Unavailable);
                assert!(error.message.contains(part), "{error}");
            }
        };
        std::fs::write(&path, "this is no database, and long enough to be taken for one".repeat(20)).unwrap();
        refused("not a database");
        std::fs::remove_file(&path).unwrap();
        SqliteDecisions::new(&path).record(&decision("/a", true)).unwrap();
        Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
        refused("version 2");
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
        refused("not a decision store");
        let store = |change: &str| {
            std::fs::remove_file(&path).unwrap();
            let unread = Decision { reason: None, ..decision("/a", true) };
            SqliteDecisions::new(&path).record(&unread).unwrap();
            Connection::open(&path).unwrap().execute_batch(change).unwrap();
        };
        store("PRAGMA application_id = 1");
        refused("not a decision store");
        // Every row can still be read, and one of them is what its table cannot hold.
        store(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'reason TEXT', 'reason TEXT NOT NULL') WHERE name = 'decisions'",
        );
        refused("NULL value in decisions.reason");
    }
}
