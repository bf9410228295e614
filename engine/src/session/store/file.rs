//! One session in one SQLite file: its manifest, and the parts of its namespace by their digests.

use super::claim::{Claim, Refused};
use super::record::{self, MOST_OF_MANIFEST, Manifest, Part, PartDigest, Record, VERSION};
use super::{Inner, remove_if_there};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};
use skills_core::{ErrorKind, Failure, Lost, Snapshot};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Tells the file of a session from other SQLite files: `skis`.
const APPLICATION: i64 = 0x736b_6973;

/// How long to wait for another process that looks at the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the manifest is signed for.
const PURPOSE: &[u8] = b"skills session";

/// How many bytes of a file nothing may stand in before it is made smaller.
const SLACK: i64 = 4 << 20;

const TABLES: [&str; 2] = [
    "CREATE TABLE session (id INTEGER PRIMARY KEY CHECK (id = 1), manifest BLOB NOT NULL, signature BLOB NOT NULL) STRICT",
    "CREATE TABLE parts (digest BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT",
];

/// A session that this process has, and nobody else as long as this lives.
#[derive(Debug)]
pub(crate) struct SessionFile {
    store: Arc<Inner>,
    path: PathBuf,
    claim: Claim,
    connection: Option<Connection>,
    last: Option<Manifest>,
    /// What the namespace was cut into when it was written last.
    parts: Vec<Part>,
}

/// What was kept of a session.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) record: Record,
    pub(crate) snapshot: Snapshot,
}

impl SessionFile {
    pub(super) fn claim(store: &Arc<Inner>, path: PathBuf, name: &str) -> Result<SessionFile, Failure> {
        let claim = Claim::new(&path.with_extension("lock")).map_err(|refused| match refused {
            Refused::Taken(process) => {
                let process = process.map_or(String::new(), |id| format!(" (process {id})"));
                let message = format!("another process{process} has the session `{name}`");
                Failure::new(ErrorKind::Unavailable, message).with_help("close it there, or open one with another name")
            }
            Refused::Failed(error) => failed(&path, error),
        })?;
        Ok(SessionFile { store: Arc::clone(store), path, claim, connection: None, last: None, parts: Vec::new() })
    }

    /// The file, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is there of the session; `None` where it is new.
    ///
    /// # Errors
    /// `permission_denied` for what is not as this user's key signed it, `unavailable` for what cannot be read or has
    /// another version, `output_limit` for what is larger than the store's limit.
    pub(crate) fn load(&mut self, owner: &str, name: &str) -> Result<Option<Saved>, Failure> {
        self.connect(false)?;
        let generation = self.claim.generation();
        let nothing = |path: &Path| match generation > 0 && path.exists() {
            true => Err(emptied(path)),
            false => Ok(None),
        };
        let Some(connection) = self.connection.as_mut() else { return nothing(&self.path) };
        let reading = connection.transaction().map_err(|error| failed(&self.path, error))?;
        let Some(manifest) = manifest(&reading, &self.store, &self.path)? else { return nothing(&self.path) };
        if (manifest.record.name.as_str(), manifest.record.owner.as_str()) != (name, owner) {
            let whose = format!("it is the session `{}` of `{}`", manifest.record.name, manifest.record.owner);
            return Err(tampered(&self.path, &whose));
        }
        if manifest.generation < generation {
            return Err(tampered(&self.path, "it is an older copy of the session"));
        }
        if manifest.size > self.store.limits.session {
            return Err(too_large(&self.path, manifest.size, self.store.limits.session, "a session"));
        }
        let bytes = namespace(&reading, &manifest, &self.path)?;
        drop(reading);
        let snapshot = Snapshot {
            language: manifest.record.language,
            format: manifest.format.clone(),
            bytes,
            lost: manifest.lost.clone(),
        };
        let record = manifest.record.clone();
        self.last = Some(manifest);
        Ok(Some(Saved { record, snapshot }))
    }

    /// Keeps a session: durable once this returns. A namespace that is as it was is not written again.
    ///
    /// # Errors
    /// `output_limit` where it is larger than the store allows, `unavailable` where it cannot be written.
    pub(crate) fn save(&mut self, record: Record, snapshot: &Snapshot) -> Result<(), Failure> {
        let size = snapshot.bytes.len() as u64;
        if size > self.store.limits.session {
            return Err(too_large(&self.path, size, self.store.limits.session, "a session"));
        }
        let parts = record::cut(&snapshot.bytes, &self.parts);
        let digests: Vec<PartDigest> = parts.iter().map(|part| part.digest).collect();
        let same = self
            .last
            .as_ref()
            .is_some_and(|last| last.parts == digests && last.format == snapshot.format && last.lost == snapshot.lost);
        let before = self.last.as_ref().map_or(self.claim.generation(), |last| last.generation);
        let manifest = Manifest {
            version: VERSION,
            generation: if same { before } else { before + 1 },
            record,
            format: snapshot.format.clone(),
            lost: snapshot.lost.clone(),
            size,
            parts: digests,
        };
        self.connect(true)?;
        self.store.check_total(&self.path, size)?;
        let Some(connection) = self.connection.as_mut() else {
            return Err(failed(&self.path, "it was not opened"));
        };
        let old: HashSet<PartDigest> = self.last.iter().flat_map(|last| last.parts.iter().copied()).collect();
        let written = write(connection, &self.store, &manifest, same, &old, (&snapshot.bytes, &parts));
        written.map_err(|error| failed(&self.path, error))?;
        if !same {
            self.claim.write(manifest.generation).map_err(|error| failed(&self.path, error))?;
        }
        (self.last, self.parts) = (Some(manifest), parts);
        Ok(())
    }

    /// Forgets the session: nothing is left of it.
    pub(crate) fn remove(self) -> Result<(), Failure> {
        let SessionFile { path, claim, connection, .. } = self;
        drop(connection);
        let files = ["db", "db-wal", "db-shm"].map(|extension| path.with_extension(extension));
        let gone = files.iter().try_for_each(|file| remove_if_there(file)).and_then(|()| claim.remove());
        gone.map_err(|error| failed(&path, error))
    }

    fn connect(&mut self, create: bool) -> Result<(), Failure> {
        if self.connection.is_none() {
            self.connection = connect(&self.path, create)?;
        }
        Ok(())
    }
}

/// What a file says of the session in it, for a list: nothing of the namespace is read.
pub(super) fn look(store: &Inner, path: &Path) -> Result<Option<Manifest>, Failure> {
    let found = match connect(path, false)? {
        Some(mut connection) => {
            let reading = connection.transaction().map_err(|error| failed(path, error))?;
            manifest(&reading, store, path)?
        }
        None => None,
    };
    match found {
        None if Claim::written(&path.with_extension("lock")) => Err(emptied(path)),
        found => Ok(found),
    }
}

fn connect(path: &Path, create: bool) -> Result<Option<Connection>, Failure> {
    let failed = |error: &dyn std::fmt::Display| failed(path, error);
    if create {
        super::make_file(path).map_err(|error| failed(&error))?;
    } else if !path.try_exists().map_err(|error| failed(&error))? {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failed(&error))?;
    match prepare(&connection, create) {
        Ok(None) => Ok(Some(connection)),
        Ok(Some(Wrong::Empty)) => Ok(None),
        Ok(Some(Wrong::Version(version))) => Err(other_version(path, version)),
        Ok(Some(Wrong::Tables)) => Err(tampered(path, "it is not a file of a session")),
        Err(error) => Err(failed(&error)),
    }
}

enum Wrong {
    Empty,
    Version(i64),
    Tables,
}

/// Checks the file, and makes the tables in an empty one.
fn prepare(connection: &Connection, create: bool) -> rusqlite::Result<Option<Wrong>> {
    connection.busy_timeout(PATIENCE)?;
    // Nothing in the file is believed: not what its schema would run, nor the sizes of its cells.
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0")?;
    // A log that one large namespace made long does not stay that long.
    connection.query_row(&format!("PRAGMA journal_size_limit = {SLACK}"), [], |_| Ok(()))?;
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let tables = "SELECT count(*) FROM sqlite_schema";
    if number(tables)? == 0 && number("PRAGMA application_id")? == 0 {
        if !create {
            return Ok(Some(Wrong::Empty));
        }
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        let [session, parts] = TABLES;
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {session}; {parts}; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT"
        ))?;
    }
    if number("PRAGMA application_id")? != APPLICATION {
        return Ok(Some(Wrong::Tables));
    }
    let version = number("PRAGMA user_version")?;
    if version != i64::from(VERSION) {
        return Ok(Some(Wrong::Version(version)));
    }
    let mut query = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")?;
    let found = query.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok((found != TABLES).then_some(Wrong::Tables))
}

/// The manifest, where its signature is this user's.
fn manifest(reading: &Transaction<'_>, store: &Inner, path: &Path) -> Result<Option<Manifest>, Failure> {
    let row = reading
        .query_row("SELECT length(manifest), manifest, signature FROM session", [], |row| {
            let long = row.get::<_, i64>(0)? > MOST_OF_MANIFEST;
            Ok((!long).then_some((row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?)))
        })
        .optional()
        .map_err(|error| failed(path, error))?;
    let Some(row) = row else { return Ok(None) };
    let Some((text, signature)) = row else { return Err(tampered(path, "it is larger than any session")) };
    if !store.key.signed(PURPOSE, &text, &signature) {
        return Err(tampered(path, "its signature is not this user's, or it was changed"));
    }
    // Signed, so it is what some version of this program wrote.
    let version = serde_json::from_slice::<serde_json::Value>(&text).ok();
    let version = version.and_then(|manifest| manifest.get("version")?.as_i64());
    if version != Some(i64::from(VERSION)) {
        return Err(other_version(path, version.unwrap_or(0)));
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| failed(path, error))
}

/// Puts the namespace together, each part only where it is what was signed.
fn namespace(reading: &Transaction<'_>, manifest: &Manifest, path: &Path) -> Result<Vec<u8>, Failure> {
    let changed = || tampered(path, "a part of it was changed, or is not there");
    let read = || -> rusqlite::Result<Option<Vec<u8>>> {
        let mut query = reading.prepare("SELECT bytes FROM parts WHERE digest = ?1")?;
        let mut bytes = Vec::new();
        for digest in &manifest.parts {
            let part = query.query_row([&digest.0[..]], |row| row.get::<_, Vec<u8>>(0)).optional()?;
            let Some(part) = part.filter(|part| PartDigest::of(part) == *digest) else { return Ok(None) };
            bytes.extend_from_slice(&part);
            if bytes.len() as u64 > manifest.size {
                return Ok(None);
            }
        }
        Ok(Some(bytes))
    };
    let bytes = read().map_err(|error| failed(path, error))?.ok_or_else(changed)?;
    if bytes.len() as u64 == manifest.size { Ok(bytes) } else { Err(changed()) }
}

fn write(
    connection: &mut Connection,
    store: &Inner,
    manifest: &Manifest,
    same: bool,
    old: &HashSet<PartDigest>,
    (bytes, parts): (&[u8], &[Part]),
) -> rusqlite::Result<()> {
    let text = serde_json::to_vec(manifest).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let signature = store.key.sign(PURPOSE, &text);
    // Where the namespace is as it was, nothing is lost that anybody was promised, even if the machine stops.
    connection.execute_batch(if same { "PRAGMA synchronous = NORMAL" } else { "PRAGMA synchronous = FULL" })?;
    let writing = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !same {
        let wanted: HashMap<PartDigest, &[u8]> =
            parts.iter().map(|part| (part.digest, &bytes[part.range.clone()])).collect();
        let mut insert = writing.prepare_cached("INSERT OR IGNORE INTO parts (digest, bytes) VALUES (?1, ?2)")?;
        for (digest, bytes) in wanted.iter().filter(|(digest, _)| !old.contains(digest)) {
            insert.execute(params![&digest.0[..], bytes])?;
        }
        if old.is_empty() {
            // What is there from before this process knows, if anything, is nobody's.
            let all = writing
                .prepare("SELECT digest FROM parts")?
                .query_map([], |row| row.get::<_, Vec<u8>>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let kept = |digest: &Vec<u8>| {
                digest.as_slice().try_into().is_ok_and(|digest| wanted.contains_key(&PartDigest(digest)))
            };
            let mut delete = writing.prepare_cached("DELETE FROM parts WHERE digest = ?1")?;
            all.iter().filter(|digest| !kept(digest)).try_for_each(|digest| delete.execute([digest]).map(drop))?;
        }
        let mut delete = writing.prepare_cached("DELETE FROM parts WHERE digest = ?1")?;
        old.iter()
            .filter(|digest| !wanted.contains_key(digest))
            .try_for_each(|digest| delete.execute([&digest.0[..]]).map(drop))?;
    }
    writing.execute(
        "INSERT OR REPLACE INTO session (id, manifest, signature) VALUES (1, ?1, ?2)",
        params![text, signature],
    )?;
    writing.commit()?;
    shrink(connection)
}

/// Gives back what a large namespace left behind.
fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let (free, all, size) =
        (number("PRAGMA freelist_count")?, number("PRAGMA page_count")?, number("PRAGMA page_size")?);
    if free * size > SLACK && free * 2 > all {
        // Each step frees a page.
        let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
        let mut steps = vacuum.query([])?;
        while steps.next()?.is_some() {}
        drop(steps);
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

fn failed(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorKind::Unavailable, format!("cannot use the session in {}: {error}", path.display()))
        .with_help("nothing of it was run: make it readable and writable again, or move it away to begin anew")
}

fn tampered(path: &Path, why: &str) -> Failure {
    Failure::new(ErrorKind::PermissionDenied, format!("the session in {} is refused: {why}", path.display()))
        .with_help("nothing of it was run: bring the file back that was there, or move it away to begin anew")
}

fn emptied(path: &Path) -> Failure {
    tampered(path, "there is nothing in it any more")
}

fn other_version(path: &Path, version: i64) -> Failure {
    let message =
        format!("the session in {} is of version {version}, and this program reads version {VERSION}", path.display());
    Failure::new(ErrorKind::Unavailable, message)
        .with_help("use the program that wrote it, or move it away to begin anew")
}

pub(super) fn too_large(path: &Path, size: u64, most: u64, what: &str) -> Failure {
    let message = format!("{size} bytes in {} are more than the {most} that {what} may have", path.display());
    Failure::new(ErrorKind::OutputLimit, message)
        .with_help("delete what is large and no longer needed, or give sessions on disk more room")
}

/// What is said of a session that could not be kept, beside the names that a snapshot lost.
pub(crate) fn unsaved(why: &Failure) -> Lost {
    Lost { name: "*".into(), why: why.message.clone() }
}
