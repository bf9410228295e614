//! The secrets that the configuration names.

#![expect(clippy::disallowed_methods, reason = "only resolves links; files are opened through cap-std")]

use crate::config::SecretPlace;
use crate::{ReadError, SkillFiles};
use skills_core::{ErrorKind, ExposeSecret as _, Failure, SecretCommand, SecretSource, SecretString, Variables};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The longest value of a secret, in bytes: a long key fits many times.
const MOST_BYTES: u64 = 64 << 10;

/// How long a program may take to print one. A person may have to touch a key for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// No environment at all.
pub(crate) struct NoVariables;

impl Variables for NoVariables {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

/// Gives the secrets that the configuration names.
pub(crate) struct Configured {
    pub(crate) places: BTreeMap<String, SecretPlace>,
    pub(crate) variables: Arc<dyn Variables>,
    pub(crate) command: Option<Arc<dyn SecretCommand>>,
}

impl SecretSource for Configured {
    fn secret(&self, name: &str) -> Result<SecretString, Failure> {
        let Some(place) = self.places.get(name) else {
            let message = format!("there is no secret `{name}`");
            let help = format!(
                r#"name it in the user's configuration: "secrets": {{"{name}": {{"env": "VARIABLE"}}}}, or "file", or "command""#
            );
            return Err(Failure::new(ErrorKind::NotFound, message).with_help(help));
        };
        let lacks =
            |why: String| Failure::new(ErrorKind::Unavailable, format!("the secret `{name}` cannot be had: {why}"));
        let value = match place {
            SecretPlace::Variable(variable) => (self.variables.variable(variable).map(SecretString::from))
                .ok_or_else(|| lacks(format!("the environment variable {variable} is not set")))?,
            SecretPlace::File(path) => {
                read(path).map_err(|why| lacks(format!("the file {} cannot be read: {why}", path.display())))?
            }
            SecretPlace::Command(program) => {
                let Some(command) = &self.command else {
                    return Err(lacks("the host program runs no commands for secrets".to_owned()));
                };
                command.output(program, PATIENCE).map_err(|failure| lacks(failure.message))?
            }
        };
        let text = value.expose_secret();
        // Files and programs end their text with a line end, which is nobody's secret.
        let value = match place {
            SecretPlace::Variable(_) => text,
            _ => text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text)),
        };
        if value.is_empty() {
            return Err(lacks("it is empty".to_owned()));
        }
        if value.len() as u64 > MOST_BYTES {
            return Err(lacks(format!("it has more than {MOST_BYTES} bytes")));
        }
        Ok(SecretString::from(value))
    }
}

/// The text of a file, which may be a link: that is how containers are given theirs.
fn read(path: &Path) -> Result<SecretString, String> {
    let path = std::fs::canonicalize(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ReadError::Missing.to_string(),
        _ => error.to_string(),
    })?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(ReadError::NotAFile.to_string());
    };
    let files = SkillFiles::folder(folder).map_err(|error| error.to_string())?;
    let bytes = files.read(Path::new(name), MOST_BYTES + 2).map_err(|error| error.to_string())?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SecretString::from(text)),
        Err(_) => Err("it is not UTF-8".to_owned()),
    }
}
