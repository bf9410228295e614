//! One file for each command.

mod completions;
mod create;
mod doctor;
mod info;
mod list;
mod run;
mod schema;
mod upgrade;
mod validate;
mod version;

use crate::args::Command;
use crate::exit::Stop;

/// Does what the command line says.
pub(crate) fn dispatch(command: Command) -> Result<(), Stop> {
    match command {
        Command::List(args) => list::list(&args),
        Command::Info(args) => info::info(&args),
        Command::Run(args) => run::run(&args),
        Command::Validate(args) => validate::validate(&args),
        Command::Upgrade(args) => upgrade::upgrade(&args),
        Command::Schema(args) => schema::schema(&args),
        Command::Create(args) => create::create(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Version(args) => version::version(&args),
    }
}
