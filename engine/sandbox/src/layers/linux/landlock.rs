//! Landlock: rights to files, ports and signals, held by the kernel whatever the tree looks like.

use super::PROXY_PORT;
use super::fault::{Attempt, Fault};
use super::programs::Executables;
use super::root::{Shown, Tree};
use crate::Cage;
use crate::LayerName::Landlock;
use ::landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use std::path::Path;

/// What has to be there. What later kernels know beside it is used where it is known.
const LEAST: ABI = ABI::V1;
/// The newest that this is written for.
const KNOWN: ABI = ABI::V6;

const READ: BitFlags<AccessFs> = ::landlock::make_bitflags!(AccessFs::{ReadFile | ReadDir});

/// Fails where the kernel has none, before anything relies on it.
pub(super) fn require() -> Result<(), Fault> {
    let made = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))
        .and_then(Ruleset::create);
    made.map(drop).attempt(Landlock, "asking the kernel for it")
}

/// Holds the process to what was shown to it.
pub(super) fn restrict(tree: &Tree, shown: &Shown, cage: &Cage, executables: &Executables) -> Result<(), Fault> {
    let made = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))
        .map(|ruleset| ruleset.set_compatibility(CompatLevel::BestEffort))
        .and_then(|ruleset| ruleset.handle_access(AccessFs::from_all(KNOWN)))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(KNOWN)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(KNOWN)))
        .and_then(Ruleset::create)
        .attempt(Landlock, "asking the kernel for it")?;
    let mut rules = Rules(Some(made));

    let execute = if executables.all { AccessFs::Execute.into() } else { BitFlags::EMPTY };
    // No devices anywhere; and in the host's folders no pipe, which holds up whoever opens it.
    let write = AccessFs::from_write(KNOWN) & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);

    rules.allow(Path::new("/"), true, AccessFs::ReadDir.into())?;
    for (path, folder) in tree.mounts().filter(|(path, _)| *path != Path::new("/dev")) {
        rules.allow(path, folder, READ | execute)?;
    }
    rules.allow(Path::new("/dev"), true, READ | AccessFs::WriteFile | AccessFs::IoctlDev | AccessFs::Truncate)?;
    rules.allow(Path::new("/proc"), true, READ)?;
    let kept = write & !(AccessFs::MakeFifo | AccessFs::MakeSock);
    for private in &shown.private {
        // A right to a folder is one to all below it, and what is granted may be below it.
        let host_below = shown.write.iter().any(|(path, _)| path.starts_with(private));
        let write = if host_below { kept } else { write };
        rules.allow(Path::new(private), true, READ | write | execute)?;
    }
    for (path, folder) in &shown.read {
        rules.allow(path, *folder, READ | execute)?;
    }
    for (path, folder) in &shown.write {
        rules.allow(path, *folder, READ | kept | execute)?;
    }
    for (path, folder) in executables.real() {
        rules.allow(path, folder, READ | AccessFs::Execute)?;
    }
    if cage.network {
        rules.connect(PROXY_PORT)?;
    }
    rules.restrict()
}

/// The rules as they are added.
struct Rules(Option<RulesetCreated>);

impl Rules {
    fn allow(&mut self, path: &Path, folder: bool, access: BitFlags<AccessFs>) -> Result<(), Fault> {
        let access = if folder { access } else { access & AccessFs::from_file(KNOWN) };
        let what = || format!("allowing {}", path.display());
        let file = PathFd::new(path).attempt(Landlock, what())?;
        self.with(|ruleset| ruleset.add_rule(PathBeneath::new(file, access)), &what())
    }

    fn connect(&mut self, port: u16) -> Result<(), Fault> {
        self.with(|ruleset| ruleset.add_rule(NetPort::new(port, AccessNet::ConnectTcp)), "allowing the proxy's port")
    }

    fn with(
        &mut self,
        add: impl FnOnce(RulesetCreated) -> Result<RulesetCreated, ::landlock::RulesetError>,
        what: &str,
    ) -> Result<(), Fault> {
        if let Some(ruleset) = self.0.take() {
            self.0 = Some(add(ruleset).attempt(Landlock, what)?);
        }
        Ok(())
    }

    fn restrict(self) -> Result<(), Fault> {
        let status = match self.0 {
            Some(ruleset) => ruleset.restrict_self().attempt(Landlock, "restricting the process")?.ruleset,
            None => RulesetStatus::NotEnforced,
        };
        if status == RulesetStatus::NotEnforced {
            return Err(Fault::new(Landlock, "the kernel does not have it, or it is switched off"));
        }
        Ok(())
    }
}
