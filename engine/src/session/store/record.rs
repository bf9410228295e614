//! What is signed: everything of a session but its namespace, and the digests of what the namespace is cut into.

use crate::Isolation;
use crate::session::budget::Spent;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use skills_core::{Grants, Language, Lost};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::sync::LazyLock;

/// The form of the manifest and of the file that it stands in.
pub(super) const VERSION: u32 = 1;

/// The least, the usual and the largest part that a namespace is cut into, in bytes.
const PARTS: (usize, usize, usize) = (16 << 10, 64 << 10, 256 << 10);

/// The most bytes that a manifest may have: one that names the parts of a few gigabytes.
pub(super) const MOST_OF_MANIFEST: i64 = 16 << 20;

/// What is kept of a session beside its namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Its name.
    pub(crate) name: String,
    /// Whose it is.
    pub(crate) owner: String,
    /// The skill that it is one of, by its qualified name.
    pub(crate) skill: Option<String>,
    /// The language of its namespace.
    pub(crate) language: Language,
    /// Where it ran: a namespace from a worker is code that nobody trusts.
    pub(crate) isolation: Isolation,
    /// What it could reach.
    pub(crate) grants: Grants,
    /// How many evaluations it has seen.
    pub(crate) evaluations: u64,
    /// What is spent of its budget.
    pub(crate) spent: Spent,
    /// When it was opened first, in milliseconds since 1970.
    pub(crate) opened: u64,
    /// When it was saved, likewise.
    pub(crate) saved: u64,
}

/// The digest of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct PartDigest(pub(super) [u8; 32]);

impl PartDigest {
    pub(super) fn of(part: &[u8]) -> PartDigest {
        PartDigest(Sha256::digest(part).into())
    }
}

impl From<PartDigest> for String {
    fn from(digest: PartDigest) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest.0)
    }
}

impl TryFrom<String> for PartDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<PartDigest, &'static str> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).map_err(|_| "no digest")?;
        bytes.try_into().map(PartDigest).map_err(|_| "no digest")
    }
}

/// All that is signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) version: u32,
    /// Counts the namespaces that were written: a file with a lower number than was written last is an old copy.
    pub(super) generation: u64,
    pub(super) record: Record,
    /// The form of the namespace, by the language.
    pub(super) format: String,
    pub(super) lost: Vec<Lost>,
    /// How long the namespace is, in bytes.
    pub(super) size: u64,
    pub(super) parts: Vec<PartDigest>,
}

/// A part of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it stands.
    pub(super) range: Range<usize>,
    pub(super) digest: PartDigest,
    /// What it is compared by with what stands there the next time: thirteen times as quick as the digest.
    quick: u128,
}

/// How many parts that were there before are looked for at a place.
const LOOKAHEAD: usize = 4;

/// Cuts a namespace where its content says, so that a change of one place changes few parts. What was there `before` is known
/// again, and is neither cut nor digested once more.
pub(super) fn cut(bytes: &[u8], before: &[Part]) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut at, mut next) = (0, 0);
    let mut places: Option<HashMap<PartDigest, usize>> = None;
    while at < bytes.len() {
        let stands = |place: &usize| {
            let (part, length) = (&before[*place], before[*place].range.len());
            // The last one ends where the namespace ended, and not where its content says.
            let ends = *place + 1 < before.len() || at + length == bytes.len();
            ends && bytes.get(at..at + length).is_some_and(|there| quick(there) == part.quick)
        };
        let part = match (next..before.len().min(next + LOOKAHEAD)).find(stands) {
            Some(place) => {
                next = place + 1;
                Part { range: at..at + before[place].range.len(), ..before[place].clone() }
            }
            None => {
                let part = first(bytes, at);
                let places = places.get_or_insert_with(|| before.iter().map(|part| part.digest).zip(0..).collect());
                next = places.get(&part.digest).map_or(next, |place| place + 1);
                part
            }
        };
        at = part.range.end;
        parts.push(part);
    }
    parts
}

/// The part that begins somewhere.
fn first(bytes: &[u8], at: usize) -> Part {
    let (least, usual, most) = PARTS;
    let rest = &bytes[at..];
    let length = fastcdc::v2020::FastCDC::new(rest, least, usual, most).next().map_or(rest.len(), |part| part.length);
    let there = &rest[..length];
    Part { range: at..at + length, digest: PartDigest::of(there), quick: quick(there) }
}

/// Tells one part from another. Nobody outside of this process knows the seed, so nobody can write two that look the same.
fn quick(part: &[u8]) -> u128 {
    static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    xxhash_rust::xxh3::xxh3_128_with_seed(part, *SEED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(parts: &[Part]) -> Vec<PartDigest> {
        parts.iter().map(|part| part.digest).collect()
    }

    fn noise(length: u32) -> Vec<u8> {
        (0..length).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 7).to_le_bytes()).collect()
    }

    #[test]
    fn the_parts_are_the_whole_and_a_change_is_local() {
        let bytes = noise(2_000_000);
        let before = cut(&bytes, &[]);
        let whole: Vec<u8> = before.iter().flat_map(|part| &bytes[part.range.clone()]).copied().collect();
        assert_eq!(whole, bytes);
        let mut changed = bytes.clone();
        changed.splice(1_000_000..1_000_000, *b"something new");
        let parts = digests(&before);
        let fresh = cut(&changed, &[]).iter().filter(|part| !parts.contains(&part.digest)).count();
        assert!(parts.len() > 50 && fresh <= 4, "{fresh} of {}", parts.len());
        assert!(cut(b"", &before).is_empty());
    }

    #[test]
    fn what_was_there_before_is_cut_as_it_would_be_without() {
        let bytes = noise(500_000);
        let mut before = cut(&bytes, &[]);
        let (mut now, mut state) = (bytes, 7_usize);
        let mut random = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % most
        };
        for _ in 0..60 {
            let from = random(now.len());
            let to = (from + random(300_000)).min(now.len());
            match random(5) {
                0 => now.truncate(now.len() - random(1000)),
                1 => now.extend((0..random(50_000)).map(|n| (n * n) as u8)),
                2 => drop(now.drain(from..to)),
                3 => drop(now.splice(from..from, vec![7; to - from])),
                _ => now[from] ^= 1,
            }
            let parts = cut(&now, &before);
            assert_eq!(digests(&parts), digests(&cut(&now, &[])), "the same parts, wherever they were known from");
            for part in &parts {
                assert_eq!(PartDigest::of(&now[part.range.clone()]), part.digest);
            }
            before = parts;
        }
    }
}
