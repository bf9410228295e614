//! Limits and permissions as options of the command.

use crate::args::{Allowances, Bounds};
use skills::{Allow, RunOptions};

impl Bounds {
    /// Adds limits and tier to the options of a run.
    pub(crate) fn add_to(&self, options: &mut RunOptions) {
        options.limits.time = self.max_time;
        options.limits.memory = self.max_memory;
        options.limits.operations = self.max_operations;
        options.limits.output = self.max_output;
        options.isolation = self.isolation;
    }
}

impl Allowances {
    /// Adds what a person allows to the options of a run.
    pub(crate) fn add_to(&self, options: &mut RunOptions) {
        let list = |names: &[String]| (!names.is_empty()).then(|| names.to_vec());
        let allow = &mut options.allow;
        allow.file_read = list(&self.allow_read);
        allow.file_write = list(&self.allow_write);
        allow.network_access = list(&self.allow_net).map(Allow::Only);
        allow.process_spawn = list(&self.allow_run).map(Allow::Only);
        allow.environment = list(&self.allow_env);
        allow.secrets = list(&self.allow_secret);
        allow.sessions = list(&self.allow_session);
        options.yes = self.yes;
    }
}
