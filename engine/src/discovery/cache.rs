//! The metadata cache: what was read of definition files, so that listing a thousand of them opens one.
//!
//! A record holds as long as the file looks the same (times, size, inode) and it is younger than its time to live. The
//! file is JSON: a cache that is truncated, corrupted or of another version is none, and the next save replaces it.

#![allow(clippy::disallowed_methods, reason = "the cache file is the host's own, named by it")]

use crate::config::Caching;
use crate::definition::Summary;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Of which build a cache is: what is read of a file may differ in the next one.
const VERSION: &str = concat!("skills metadata 1, ", env!("CARGO_PKG_VERSION"));

/// How long a file has to be unchanged before what was read of it is kept: a change within the clock's own step would
/// not show.
const SETTLED: Duration = Duration::from_millis(50);

/// What a file looks like from outside: modified, changed (each seconds and nanoseconds), size, device, inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp(i64, i64, i64, i64, u64, u64, u64);

/// What was read of a file, and when (in seconds since 1970); no summary for a file that is no definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record(Stamp, u64, Option<Summary>);

#[derive(Deserialize)]
struct Stored {
    version: String,
    records: Vec<(String, Record)>,
}

/// The records of earlier times, and those to be kept.
#[derive(Debug, Default)]
pub(super) struct Cache {
    file: Option<PathBuf>,
    records: HashMap<String, Record>,
    time_to_live: u64,
    most_bytes: u64,
    now: Duration,
    changed: bool,
}

impl Stamp {
    pub(super) fn of(metadata: &cap_std::fs::Metadata) -> Stamp {
        use cap_std::fs::MetadataExt as _;
        Stamp(
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
            metadata.size(),
            metadata.dev(),
            metadata.ino(),
        )
    }

    /// The device and the inode, which are the same for the same file.
    pub(super) fn identity(&self) -> (u64, u64) {
        (self.5, self.6)
    }

    fn is_settled(&self, now: Duration) -> bool {
        let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(self.2), u32::try_from(self.3)) else { return true };
        Duration::new(seconds, nanoseconds) + SETTLED <= now
    }
}

impl Cache {
    /// The cache of a file; an empty one that keeps nothing where there is no file, or the settings want none.
    pub(super) fn open(file: Option<&Path>, settings: &Caching) -> Cache {
        let most_bytes = settings.max_cache_size_mb << 20;
        let time_to_live = settings.metadata_cache_ttl.as_secs();
        let (Some(file), true) = (file, most_bytes > 0 && time_to_live > 0) else { return Cache::default() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let records = read(file, most_bytes).unwrap_or_default();
        Cache { file: Some(file.to_owned()), records, time_to_live, most_bytes, now, changed: false }
    }

    /// What is known of a file, where that still holds. `Some(None)`: that it is no definition.
    pub(super) fn get(&self, path: &str, stamp: &Stamp) -> Option<Option<&Summary>> {
        let Record(known, _, summary) = self.records.get(path).filter(|record| self.is_fresh(record))?;
        (known == stamp).then_some(summary.as_ref())
    }

    /// Keeps what was read of a file.
    pub(super) fn put(&mut self, path: &str, stamp: Stamp, summary: Option<&Summary>) {
        if self.file.is_some() && stamp.is_settled(self.now) {
            self.records.insert(path.to_owned(), Record(stamp, self.now.as_secs(), summary.cloned()));
            self.changed = true;
        }
    }

    /// Writes the records where any is new, the newest first and as many as there is room for. A cache that cannot be
    /// written is only missed.
    pub(super) fn save(self) {
        let Some(file) = self.file.as_deref().filter(|_| self.changed) else { return };
        if let Err(error) = self.write(file) {
            tracing::debug!(file = %file.display(), %error, "the metadata cache was not written");
        }
    }

    fn is_fresh(&self, record: &Record) -> bool {
        let now = self.now.as_secs();
        // One from the future is from a clock that was set back.
        record.1 <= now && now - record.1 < self.time_to_live
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        let mut records: Vec<(&String, &Record)> =
            self.records.iter().filter(|(_, record)| self.is_fresh(record)).collect();
        records.sort_unstable_by_key(|(path, record)| (std::cmp::Reverse(record.1), *path));
        let most = usize::try_from(self.most_bytes).unwrap_or(usize::MAX);
        let mut out = format!("{{\"version\":{},\"records\":[", serde_json::Value::from(VERSION)).into_bytes();
        let mut first = true;
        for record in records {
            let before = out.len();
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            serde_json::to_writer(&mut out, &record)?;
            if out.len() + b"]}".len() > most {
                out.truncate(before);
                break;
            }
        }
        out.extend_from_slice(b"]}");
        replace(file, &out)
    }
}

fn read(file: &Path, most_bytes: u64) -> Option<HashMap<String, Record>> {
    let metadata = std::fs::metadata(file).ok()?;
    if !metadata.is_file() || metadata.len() > most_bytes {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
    std::fs::File::open(file).ok()?.take(most_bytes).read_to_end(&mut bytes).ok()?;
    let stored: Stored = serde_json::from_slice(&bytes).ok()?;
    (stored.version == VERSION).then(|| stored.records.into_iter().collect())
}

/// Writes a file beside the old one and moves it in its place, so that nobody ever reads half of it.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", uuid::Uuid::new_v4().simple()));
    let beside = PathBuf::from(beside);
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&beside)?.write_all(bytes)?;
        std::fs::rename(&beside, file)
    };
    let written = write();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}
