//! Permissions as options of the command.

use crate::args::Allowances;
use skills::core::HostPattern;
use skills::{Allow, Error, RunOptions};

impl Allowances {
    /// Adds what a person allows to the options of a run.
    pub(crate) fn add_to(&self, options: &mut RunOptions) -> Result<(), Error> {
        let list = |names: &[String]| (!names.is_empty()).then(|| names.to_vec());
        for host in &self.allow_net {
            HostPattern::parse(host)?;
        }
        let allow = &mut options.allow;
        allow.file_read = list(&self.allow_read);
        allow.file_write = list(&self.allow_write);
        allow.network_access = list(&self.allow_net).map(Allow::Only);
        allow.process_spawn = list(&self.allow_run).map(Allow::Only);
        allow.environment = list(&self.allow_env);
        allow.secrets = list(&self.allow_secret);
        options.yes = self.yes;
        Ok(())
    }
}
