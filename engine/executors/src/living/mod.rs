//! Programs that stay, as sessions.

mod answers;
mod known;
mod parse;
mod protocol;
mod reader;
mod resident;
mod shell;

pub use known::{Known, known, reads_code};
pub use parse::completeness;
pub use protocol::{Pattern, Protocol};
pub use resident::Resident;
pub use shell::Shell;
