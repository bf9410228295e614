//! Limits and permissions as options of the command.

use crate::args::{Allowances, Bounds};
use skills::core::HostPattern;
use skills::{Allow, Error, ErrorKind, Isolation, RunOptions};

impl Bounds {
    /// Adds limits and tier to the options of a run.
    pub(crate) fn add_to(&self, options: &mut RunOptions) -> Result<(), Error> {
        options.limits.time = self.max_time;
        options.limits.memory = self.max_memory;
        options.limits.operations = self.max_operations;
        options.limits.output = self.max_output;
        if let Some(tier) = &self.isolation {
            let known = Isolation::from_name(tier).ok_or_else(|| {
                Error::new(ErrorKind::InvalidArguments, format!("`{tier}` is not an isolation tier"))
                    .with_help("use in-process, worker or container")
            })?;
            options.isolation = Some(known);
        }
        Ok(())
    }
}

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
        allow.sessions = list(&self.allow_session);
        options.yes = self.yes;
        Ok(())
    }
}
