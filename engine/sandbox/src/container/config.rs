use crate::Cage;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, ResourcesUlimits};
use skills_core::{ErrorKind, Failure};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Where the container engine is, and what containers are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerOptions {
    /// The engine's Unix socket.
    pub socket: PathBuf,
    /// The image. It has to be there already: nothing is downloaded. It has to bring the C library that the worker executable
    /// is linked with; Debian's and Ubuntu's do.
    pub image: String,
}

impl ContainerOptions {
    /// Docker's own socket, and a small image with glibc.
    pub const SOCKET: &'static str = "/var/run/docker.sock";
    /// The default image.
    pub const IMAGE: &'static str = "debian:12-slim";
}

impl Default for ContainerOptions {
    fn default() -> ContainerOptions {
        ContainerOptions { socket: ContainerOptions::SOCKET.into(), image: ContainerOptions::IMAGE.to_owned() }
    }
}

/// Names the containers of this engine, for whoever lists them.
pub(super) const LABEL: &str = "skills.worker";

/// Processes and threads of a container whose limits say nothing of them: enough for an interpreter's own.
const PROCESSES: u64 = 64;

/// What the private temporary folder holds where the limits say nothing of it.
const DISK: u64 = 64 << 20;

/// Who runs in a container that user 0 asks for.
const OTHER: u32 = 1000;

/// What a process that serves an interpreter takes beside what its script holds.
const OVERHEAD: u64 = 64 << 20;

/// What is to be created for a cage: `command` runs in it, and `needs` are what the command itself reads.
///
/// # Errors
/// `unavailable` for what this tier does not offer: hosts of the network.
pub(super) fn body(
    options: &ContainerOptions,
    cage: &Cage,
    cpu_percent: Option<u64>,
    command: Vec<String>,
    needs: &[PathBuf],
) -> Result<ContainerCreateBody, Failure> {
    if cage.network {
        return Err(Failure::new(ErrorKind::Unavailable, "a container has no network that is limited to hosts")
            .with_help("run it with `--isolation worker`, where granted hosts are reached through a proxy"));
    }
    let read_only: BTreeSet<&PathBuf> =
        needs.iter().chain(&cage.needs).chain(&cage.read).filter(|path| !cage.write.contains(path)).collect();
    let mounts = (read_only.into_iter().map(|path| bind(path, true)))
        .chain(cage.write.iter().map(|path| bind(path, false)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let disk = cage.disk.unwrap_or(DISK);
    let memory = cage.memory.map(|memory| signed(memory.saturating_add(OVERHEAD)));
    let mut ulimits = vec![limit("core", 0), limit("nofile", 256)];
    ulimits.extend(cage.file_size.map(|most| limit("fsize", signed(most))));
    let host = HostConfig {
        mounts: Some(mounts),
        readonly_rootfs: Some(true),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), format!("rw,nosuid,nodev,noexec,mode=1777,size={disk}"))])),
        shm_size: Some(signed(disk.min(1 << 20))),
        network_mode: Some("none".to_owned()),
        ipc_mode: Some("private".to_owned()),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        memory,
        // The same as the memory: no swap beside it.
        memory_swap: memory,
        // A processor is 10^9.
        nano_cpus: cpu_percent.map(|percent| signed(percent.saturating_mul(10_000_000))),
        pids_limit: Some(signed(cage.processes.unwrap_or(PROCESSES))),
        ulimits: Some(ulimits),
        init: Some(false),
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        ..HostConfig::default()
    };
    let directory = cage.directory.as_deref().filter(|directory| granted(directory, cage)).unwrap_or(Path::new("/tmp"));
    Ok(ContainerCreateBody {
        image: Some(options.image.clone()),
        entrypoint: Some(command),
        cmd: Some(Vec::new()),
        env: Some(["HOME=/tmp", "LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin"].map(String::from).to_vec()),
        user: Some(user(cage)),
        working_dir: Some(text(directory)?),
        labels: Some(HashMap::from([(LABEL.to_owned(), std::process::id().to_string())])),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        tty: Some(false),
        network_disabled: Some(true),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    })
}

fn granted(path: &Path, cage: &Cage) -> bool {
    cage.read.iter().chain(&cage.write).any(|folder| path.starts_with(folder))
}

/// The caller's own user, so that granted folders are readable. Where that is user 0, another one unless what is granted opens to
/// nobody else: without a capability and with nothing of the image writable, user 0 is who owns those files and no more.
fn user(cage: &Cage) -> String {
    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    let granted = cage.read.iter().map(|path| (path, 0o5)).chain(cage.write.iter().map(|path| (path, 0o7)));
    match uid.is_root() && granted.into_iter().all(|(path, needs)| opens_to_others(path, needs)) {
        true => format!("{OTHER}:{OTHER}"),
        false => format!("{}:{}", uid.as_raw(), gid.as_raw()),
    }
}

/// Whether a user who owns nothing can use a file or folder: `needs` are the bits of its mode, of which a file's need not say that
/// it can be executed.
fn opens_to_others(path: &Path, needs: u32) -> bool {
    // What is not there is found out by the container engine.
    let Ok(stat) = rustix::fs::stat(path) else { return true };
    let folder = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir();
    let needs = if folder { needs } else { needs & !1 };
    let bits = if stat.st_uid == OTHER { stat.st_mode >> 6 } else { stat.st_mode };
    bits & needs == needs
}

fn bind(path: &Path, read_only: bool) -> Result<Mount, Failure> {
    let path = text(path)?;
    Ok(Mount {
        target: Some(path.clone()),
        source: Some(path),
        typ: Some(MountType::BIND),
        read_only: Some(read_only),
        ..Mount::default()
    })
}

fn limit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}

fn text(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let message = format!("the path {} is not UTF-8, which a container engine needs", path.display());
        Failure::new(ErrorKind::InvalidArguments, message)
    })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test changes the mode of its own folder")]
mod tests {
    use super::*;
    use skills_core::{Access, Grants, Limits};

    fn made(grants: &Grants, limits: &Limits) -> ContainerCreateBody {
        let command = vec!["/opt/skills".to_owned()];
        body(
            &ContainerOptions::default(),
            &Cage::new(grants, limits),
            limits.cpu_percent,
            command,
            &["/opt/skills".into()],
        )
        .unwrap()
    }

    #[test]
    fn a_container_has_nothing_that_was_not_granted() {
        let body = made(Grants::NONE, &Limits::default());
        assert_eq!(body.network_disabled, Some(true));
        assert_ne!(body.user.as_deref(), Some("0:0"));
        let host = body.host_config.unwrap();
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!(host.readonly_rootfs, Some(true));
        assert_eq!(host.cap_drop.unwrap(), ["ALL"]);
        assert_eq!(host.security_opt.unwrap(), ["no-new-privileges"]);
        assert_eq!(host.privileged, None);
        let mounts: Vec<_> = host.mounts.unwrap().into_iter().map(|m| (m.source.unwrap(), m.read_only)).collect();
        assert_eq!(mounts, [("/opt/skills".to_owned(), Some(true))]);
    }

    #[test]
    fn user_0_is_there_only_for_what_is_open_to_nobody_else() {
        use std::os::unix::fs::PermissionsExt as _;
        let own = format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let other = if rustix::process::getuid().is_root() { "1000:1000".to_owned() } else { own.clone() };
        let folder = tempfile::tempdir().unwrap();
        for (mode, read, write) in [(0o700, &own, &own), (0o755, &other, &own), (0o777, &other, &other)] {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            let user = |grants: &Grants| made(grants, &Limits::default()).user.unwrap();
            assert_eq!(user(&Grants { read: vec![folder.path().into()], ..Grants::default() }), *read, "{mode:o}");
            assert_eq!(user(&Grants { write: vec![folder.path().into()], ..Grants::default() }), *write, "{mode:o}");
        }
    }

    #[test]
    fn granted_folders_are_mounted_where_they_are() {
        let grants = Grants { read: vec!["/srv/r".into()], write: vec!["/srv/w".into()], ..Grants::default() };
        let host = made(&grants, &Limits::default()).host_config.unwrap();
        let mounts: Vec<_> = host.mounts.unwrap().into_iter().map(|m| (m.target.unwrap(), m.read_only)).collect();
        let expected = [("/opt/skills", true), ("/srv/r", true), ("/srv/w", false)];
        assert_eq!(mounts, expected.map(|(path, read_only)| (path.to_owned(), Some(read_only))));
    }

    #[test]
    fn limits_are_the_engine_s() {
        let limits = Limits {
            memory: Some(100 << 20),
            processes: Some(9),
            cpu_percent: Some(50),
            disk: Some(1 << 20),
            file_size: Some(5),
            ..Limits::default()
        };
        let host = made(Grants::NONE, &limits).host_config.unwrap();
        assert_eq!((host.memory, host.memory_swap), (Some(164 << 20), Some(164 << 20)));
        assert_eq!(host.pids_limit, Some(9));
        assert_eq!(host.nano_cpus, Some(500_000_000));
        assert!(host.tmpfs.unwrap()["/tmp"].ends_with("size=1048576"));
        let fsize = host.ulimits.unwrap().into_iter().find(|limit| limit.name.as_deref() == Some("fsize"));
        assert_eq!(fsize.unwrap().hard, Some(5));
    }

    #[test]
    fn hosts_cannot_be_granted() {
        let grants = Grants { network: Access::Only(vec!["example.com".into()]), ..Grants::default() };
        let cage = Cage::new(&grants, &Limits::default());
        let failure = body(&ContainerOptions::default(), &cage, None, Vec::new(), &[]).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Unavailable);
    }
}
