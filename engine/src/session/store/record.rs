//! What is signed: everything of a session but its namespace, and the digests of what the namespace is cut into.

use crate::Isolation;
use crate::session::budget::Spent;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use skills_core::{Grants, Language, Lost};

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

/// Cuts a namespace where its content says, so that a change of one place changes few parts.
pub(super) fn cut(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (least, usual, most) = PARTS;
    fastcdc::v2020::FastCDC::new(bytes, least, usual, most).map(|part| &bytes[part.offset..part.offset + part.length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_the_whole_and_a_change_is_local() {
        let bytes: Vec<u8> =
            (0..2_000_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 7).to_le_bytes()).collect();
        let parts: Vec<PartDigest> = cut(&bytes).map(PartDigest::of).collect();
        assert_eq!(cut(&bytes).flatten().copied().collect::<Vec<u8>>(), bytes);
        let mut changed = bytes.clone();
        changed.splice(1_000_000..1_000_000, *b"something new");
        let fresh = cut(&changed).map(PartDigest::of).filter(|part| !parts.contains(part)).count();
        assert!(parts.len() > 50 && fresh <= 4, "{fresh} of {}", parts.len());
        assert_eq!(cut(b"").count(), 0);
    }
}
