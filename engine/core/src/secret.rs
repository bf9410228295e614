use crate::Failure;
use std::time::Duration;

pub use secrecy::{ExposeSecret, SecretString};

/// Where the values of secrets come from. A run that was granted a name looks the value up when the script asks for it,
/// once; what comes of the value is taken out of everything that leaves the run.
pub trait SecretSource: Send + Sync {
    /// The value of a secret.
    ///
    /// # Errors
    /// `not_found` for a name that nobody gave a value, `unavailable` where the value cannot be had now.
    fn secret(&self, name: &str) -> Result<SecretString, Failure>;
}

/// Where the values of environment variables come from: the library does not read the environment by itself.
pub trait Variables: Send + Sync {
    /// The value of a variable; `None` where it is not set.
    fn variable(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String> + Send + Sync> Variables for F {
    fn variable(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// Runs a program that prints a secret, for a host whose configuration names one: the library starts none by itself.
pub trait SecretCommand: Send + Sync {
    /// What the program prints on its standard output.
    ///
    /// # Errors
    /// `unavailable`, saying why: it cannot be started, takes longer, fails, or prints no text.
    fn output(&self, program: &[String], timeout: Duration) -> Result<SecretString, Failure>;
}
