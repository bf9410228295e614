#![expect(clippy::disallowed_methods, reason = "the owner of the key's file; the host program names it")]

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use skills_core::{ErrorKind, Failure};
use std::fmt;
use std::io::Write as _;
use std::path::Path;

/// The key of a user, with which what a [`SessionStore`](crate::SessionStore) keeps is signed.
///
/// Whoever has it can make snapshots that are restored, and a snapshot is code.
#[derive(Clone)]
pub struct StoreKey([u8; StoreKey::LENGTH]);

impl StoreKey {
    /// How long a key is, in bytes.
    pub const LENGTH: usize = 32;

    /// A key that is kept somewhere else.
    pub fn from_bytes(bytes: [u8; StoreKey::LENGTH]) -> StoreKey {
        StoreKey(bytes)
    }

    /// The key in a file, which is made, for its owner alone, where there is none.
    ///
    /// # Errors
    /// `unavailable` where it cannot be read or made, `permission_denied` where others can read it.
    pub fn in_file(path: &Path) -> Result<StoreKey, crate::Error> {
        let failed = |error: std::io::Error| {
            Failure::new(ErrorKind::Unavailable, format!("cannot use the key {}: {error}", path.display())).with_help(
                "sessions on disk need a key: name a file that can be read, or in a folder that can be written",
            )
        };
        if !path.try_exists().map_err(failed)? {
            make(path).map_err(failed)?;
        }
        check_mode(path)?;
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let bytes = from_hex(text.trim()).ok_or_else(|| {
            Failure::new(ErrorKind::Unavailable, format!("{} holds no key", path.display()))
                .with_help("move it away: a new key is made, and the sessions that the old one signed are refused")
        })?;
        Ok(StoreKey(bytes))
    }

    /// What signs a text for one purpose.
    pub(super) fn sign(&self, purpose: &[u8], text: &[u8]) -> Vec<u8> {
        self.mac(purpose, text).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
    }

    /// Whether a signature is this key's, in a time that tells nothing of it.
    pub(super) fn signed(&self, purpose: &[u8], text: &[u8], signature: &[u8]) -> bool {
        self.mac(purpose, text).is_some_and(|mac| mac.verify_slice(signature).is_ok())
    }

    /// Always there: a key of any length will do.
    fn mac(&self, purpose: &[u8], text: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(purpose);
        mac.update(&[0]);
        mac.update(text);
        Some(mac)
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(…)")
    }
}

/// Makes the file as a whole: another process finds all of a key, or none.
fn make(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    super::make_folder(folder)?;
    let mut key = [0; StoreKey::LENGTH];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let unfinished = path.with_extension(format!("{}.new", uuid::Uuid::new_v4().simple()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    // A link does not replace what another process has made meanwhile.
    let linked = written.and_then(|()| std::fs::hard_link(&unfinished, path));
    std::fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map(|found| found.permissions().mode()).unwrap_or(0);
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let shown = path.display();
    Err(Failure::new(ErrorKind::PermissionDenied, format!("others can read the key {shown}")).with_help(format!(
        "whoever knows it can make sessions that run as you: move it away, so that a new one is made, or, where nobody \
         has read it, `chmod 600 {shown}`"
    )))
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> Result<(), Failure> {
    Ok(())
}

fn from_hex(text: &str) -> Option<[u8; StoreKey::LENGTH]> {
    let mut key = [0; StoreKey::LENGTH];
    if text.len() != 2 * key.len() || !text.is_ascii() {
        return None;
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/sessions.key");
        let key = StoreKey::in_file(&path).unwrap();
        assert_eq!(StoreKey::in_file(&path).unwrap().0, key.0);
        assert_ne!(StoreKey::in_file(&folder.path().join("other.key")).unwrap().0, key.0);
        let files: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(files.len(), 1, "nothing unfinished is left: {files:?}");
        assert!(!format!("{key:?}").contains(&format!("{:02x}", key.0[0]).repeat(2)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            let error = StoreKey::in_file(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(error.help().unwrap().contains("chmod 600"), "{error:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        for text in ["", "abc", &"é".repeat(32), &"zz".repeat(32)] {
            std::fs::write(&path, text).unwrap();
            #[cfg(unix)]
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            assert_eq!(StoreKey::in_file(&path).unwrap_err().kind(), ErrorKind::Unavailable);
        }
    }

    #[test]
    fn a_signature_holds_for_one_text_and_purpose() {
        let key = StoreKey::from_bytes([7; 32]);
        let signature = key.sign(b"a", b"text");
        assert!(key.signed(b"a", b"text", &signature));
        assert!(!key.signed(b"a", b"texts", &signature) && !key.signed(b"at", b"ext", &signature));
        assert!(!key.signed(b"a", b"text", &signature[..31]) && !key.signed(b"a", b"text", b""));
        assert!(!StoreKey::from_bytes([8; 32]).signed(b"a", b"text", &signature));
    }
}
