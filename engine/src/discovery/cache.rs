//! The metadata cache: what was read of definition files, so that listing a thousand of them opens one.
//!
//! A record holds as long as the file looks the same (times, size, inode) and it is younger than its time to live. Each
//! folder that is searched has a cache file of its own, so that a huge one slows nobody else. Such a file is JSON: one that is
//! truncated, corrupted or of another version is none, and the next save replaces it.

#![allow(clippy::disallowed_methods, reason = "the cache folder is the host's own, named by it")]

use super::verdict::Verdict;
use crate::config::Caching;
use crate::definition::Summary;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Of which build a cache is: what is read of a file may differ in the next one.
const VERSION: &str = concat!("skills metadata 3, ", env!("CARGO_PKG_VERSION"));

/// How long a file has to be unchanged before what was read of it is kept: a change within the clock's own step would
/// not show.
const SETTLED: Duration = Duration::from_millis(50);

/// What a file looks like from outside: modified, changed (each seconds and nanoseconds), size, device, inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp(i64, i64, i64, i64, u64, u64, u64);

/// What was read of a file, and when (in seconds since 1970), and what checking it came to; no summary for a file that is
/// no definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record(Stamp, u64, Option<Summary>, Option<Verdict>);

#[derive(Deserialize)]
struct Stored {
    version: String,
    records: Vec<(String, Record)>,
}

/// Where caches are, one for each folder that is searched.
#[derive(Debug)]
pub(super) struct Caches {
    folder: Option<PathBuf>,
    time_to_live: Duration,
    most_bytes: u64,
    now: Duration,
    saved: bool,
}

/// The records of earlier times of one folder, and those to be kept.
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

    /// The same of what the standard library says.
    pub(super) fn of_ambient(metadata: &std::fs::Metadata) -> Stamp {
        use std::os::unix::fs::MetadataExt as _;
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

    /// Whether a change from now on would show.
    pub(super) fn is_settled(&self, now: Duration) -> bool {
        let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(self.2), u32::try_from(self.3)) else { return true };
        Duration::new(seconds, nanoseconds) + SETTLED <= now
    }
}

impl Caches {
    /// No caches at all.
    pub(super) fn none() -> Caches {
        Caches { folder: None, time_to_live: Duration::ZERO, most_bytes: 0, now: Duration::ZERO, saved: false }
    }

    /// The caches in a folder; none where there is no such folder, or the settings want none.
    pub(super) fn of(folder: Option<&Path>, settings: &Caching) -> Caches {
        let most_bytes = settings.max_cache_size_mb << 20;
        let time_to_live = settings.metadata_cache_ttl;
        let (Some(folder), true) = (folder, most_bytes > 0 && time_to_live.as_secs() > 0) else {
            return Caches::none();
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Caches { folder: Some(folder.to_owned()), time_to_live, most_bytes, now, saved: false }
    }

    /// The cache of a folder that is searched, under the path by which it is searched.
    pub(super) fn open(&self, searched: &Path) -> Cache {
        let Some(folder) = &self.folder else { return Cache::default() };
        let digest = Sha256::digest(searched.as_os_str().as_encoded_bytes());
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let file = folder.join(name);
        let records = read(&file, self.most_bytes).unwrap_or_default();
        let Caches { most_bytes, now, .. } = *self;
        Cache { file: Some(file), records, time_to_live: self.time_to_live.as_secs(), most_bytes, now, changed: false }
    }

    /// Writes a cache where anything in it is new. One that cannot be written is only missed.
    pub(super) fn save(&mut self, cache: Cache) {
        self.saved |= cache.save();
    }

    /// Removes the caches of folders that nobody searched for longer than anything is kept, and the oldest where all
    /// together take more room than one may. Only after one was written: nothing has grown otherwise.
    pub(super) fn tidy(&self) {
        let Some(Ok(found)) = self.folder.as_ref().filter(|_| self.saved).map(std::fs::read_dir) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = (found.flatten())
            .filter_map(|entry| {
                // Whoever named the folder may keep other things in it.
                let is_ours = |name: &str| name.len() >= 32 && name.bytes().take(32).all(|b| b.is_ascii_hexdigit());
                entry.file_name().to_str().filter(|name| is_ours(name))?;
                let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        files.sort_unstable_by(|a, b| b.cmp(a));
        let oldest = UNIX_EPOCH + self.now.saturating_sub(self.time_to_live);
        let mut bytes: u64 = 0;
        for (modified, size, path) in files {
            bytes = bytes.saturating_add(size);
            if modified < oldest || bytes > self.most_bytes {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

impl Cache {
    /// What is known of a file, where that still holds. `Some(None)`: that it is no definition.
    pub(super) fn get(&self, path: &str, stamp: &Stamp) -> Option<Option<(&Summary, Option<&Verdict>)>> {
        let Record(known, _, summary, verdict) = self.records.get(path).filter(|record| self.is_fresh(record))?;
        (known == stamp).then(|| summary.as_ref().map(|summary| (summary, verdict.as_ref())))
    }

    /// The time of the cache, where it keeps anything.
    pub(super) fn keeps(&self) -> Option<Duration> {
        self.file.as_ref().map(|_| self.now)
    }

    /// Keeps what was read of a file.
    pub(super) fn put(&mut self, path: &str, stamp: Stamp, summary: Option<&Summary>, verdict: Option<&Verdict>) {
        if self.file.is_some() && stamp.is_settled(self.now) {
            let record = Record(stamp, self.now.as_secs(), summary.cloned(), verdict.cloned());
            self.records.insert(path.to_owned(), record);
            self.changed = true;
        }
    }

    /// Writes the records where any is new, the newest first and as many as there is room for. Says whether it did.
    fn save(self) -> bool {
        let Some(file) = self.file.as_deref().filter(|_| self.changed) else { return false };
        match self.write(file) {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(file = %file.display(), %error, "the metadata cache was not written");
                false
            }
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
