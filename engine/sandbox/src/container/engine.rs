use super::caps::Holds;
use super::config::{self, ContainerOptions};
use super::pump;
use crate::Cage;
use bollard::Docker;
use bollard::container::AttachContainerResults;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, InspectContainerOptions, KillContainerOptions, RemoveContainerOptionsBuilder,
    StartContainerOptions, StatsOptionsBuilder, WaitContainerOptions,
};
use futures_util::StreamExt as _;
use skills_core::{CapStatus, ErrorKind, Failure};
use std::future::Future;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long the engine may take for one answer, in seconds.
const ANSWER: u64 = 30;

/// How long the engine may take to say that it is there.
const PING: Duration = Duration::from_secs(2);

/// How long the removal of a container may hold up whoever is done with it.
const REMOVAL: Duration = Duration::from_secs(5);

/// A container engine that has answered.
#[derive(Debug, Clone)]
pub struct Containers {
    options: Arc<ContainerOptions>,
    docker: Docker,
    holds: Holds,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerEnd {
    /// The exit code of its process: 128 and the signal where one ended it.
    pub code: Option<i64>,
    /// Whether the kernel ended it for its memory.
    pub out_of_memory: bool,
}

/// A running container. It is removed when this is dropped.
#[derive(Debug)]
pub struct Container {
    docker: Docker,
    id: String,
}

/// The one thread that speaks with container engines, for the whole process.
fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let build =
        || Builder::new_multi_thread().worker_threads(1).thread_name("skills-container").enable_all().build().ok();
    (RUNTIME.get_or_init(build).as_ref()).ok_or_else(|| {
        Failure::new(ErrorKind::Unavailable, "the thread that speaks with the container engine did not start")
    })
}

/// Waits for a future of the runtime's, on a thread that may belong to another runtime.
fn wait<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Result<T, Failure> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    runtime()?.spawn(async move { drop(sender.send(future.await)) });
    receiver.recv().map_err(|_| Failure::new(ErrorKind::Internal, "the thread of the container engine ended"))
}

impl Containers {
    /// Speaks with the engine at the socket of the options.
    ///
    /// # Errors
    /// `unavailable` where none answers, or where it does not have the image.
    pub fn connect(options: ContainerOptions) -> Result<Containers, Failure> {
        let socket = options.socket.display().to_string();
        let lacks = |why: String| {
            Failure::new(ErrorKind::Unavailable, format!("no container engine answers at {socket}: {why}"))
                .with_help("start Docker, or leave `--isolation container` out: `worker` confines without an engine")
        };
        let docker = Docker::connect_with_unix(&socket, ANSWER, bollard::API_DEFAULT_VERSION)
            .map_err(|error| lacks(error.to_string()))?;
        let image = options.image.clone();
        let asked = docker.clone();
        let found = wait(async move {
            match tokio::time::timeout(PING, asked.ping()).await {
                Ok(answer) => answer.map_err(|error| error.to_string())?,
                Err(_) => return Err("it does not answer".to_owned()),
            };
            // What it does not say that it holds, it does not.
            let info = asked.info().await.unwrap_or_default();
            let holds = Holds {
                memory: info.memory_limit == Some(true),
                cpu: info.cpu_cfs_quota == Some(true),
                processes: info.pids_limit == Some(true),
            };
            Ok((asked.inspect_image(&image).await, holds))
        })?;
        match found.map_err(lacks)? {
            (Ok(_), holds) => Ok(Containers { options: Arc::new(options), docker, holds }),
            (Err(error), _) => {
                let image = &options.image;
                let message = format!("the container engine does not have the image `{image}`: {error}");
                Err(Failure::new(ErrorKind::Unavailable, message)
                    .with_help(format!("fetch it once: docker pull {image}")))
            }
        }
    }

    /// What each limit is worth for an interpreter in a container, of which `local` is what it holds by itself.
    pub fn caps(&self, local: Vec<CapStatus>) -> Vec<CapStatus> {
        self.holds.caps(local)
    }

    /// Starts a command in a container of its own. Gives the container, a stream that is its standard input and output, and one
    /// to read its standard error from.
    ///
    /// # Errors
    /// `unavailable` with what the engine answered.
    pub fn start(
        &self,
        cage: &Cage,
        cpu_percent: Option<u64>,
        command: Vec<String>,
        needs: &[PathBuf],
    ) -> Result<(Container, UnixStream, UnixStream), Failure> {
        let body = config::body(&self.options, cage, cpu_percent, command, needs)?;
        let pair = || UnixStream::pair().map_err(|error| failed(&error));
        let ((ours, theirs), (errors, their_errors)) = (pair()?, pair()?);
        let docker = self.docker.clone();
        let started = wait(async move {
            let id = docker.create_container(None, body).await?.id;
            // From here on whatever happens removes it.
            let container = Container { docker: docker.clone(), id };
            let attach = AttachContainerOptionsBuilder::default().stream(true).stdin(true).stdout(true).stderr(true);
            let AttachContainerResults { output, input } =
                docker.attach_container(&container.id, Some(attach.build())).await?;
            pump::spawn(theirs, their_errors, output, input)?;
            docker.start_container(&container.id, None::<StartContainerOptions>).await?;
            Ok::<_, bollard::errors::Error>(container)
        })?;
        Ok((started.map_err(|error| failed(&error))?, ours, errors))
    }
}

fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(ErrorKind::Unavailable, format!("the container engine refused: {error}"))
        .with_help("`docker info` shows what the engine can do")
}

impl Container {
    /// Ends it and all its processes.
    pub fn kill(&self) {
        let (docker, id) = (self.docker.clone(), self.id.clone());
        // One that has ended already cannot be killed, which is as good.
        drop(wait(async move { docker.kill_container(&id, None::<KillContainerOptions>).await.is_ok() }));
    }

    /// The processor time that it has used, and the most memory that it held: what the engine counts of it. `None` where the engine
    /// counts nothing, and once it has ended.
    pub fn used(&self) -> Option<(Duration, u64)> {
        let (docker, id) = (self.docker.clone(), self.id.clone());
        let once = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let stats = wait(async move {
            let mut answers = std::pin::pin!(docker.stats(&id, Some(once)));
            tokio::time::timeout(PING, answers.next()).await
        });
        let stats = stats.ok()?.ok()??.ok()?;
        let memory = stats.memory_stats?;
        let cpu = stats.cpu_stats?.cpu_usage?.total_usage?;
        // The newer control groups tell no maximum here, but what it holds now.
        Some((Duration::from_nanos(cpu), memory.max_usage.or(memory.usage)?))
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// `unavailable` where the engine does not answer any more.
    pub fn wait(&self) -> Result<ContainerEnd, Failure> {
        let (docker, id) = (self.docker.clone(), self.id.clone());
        let state = wait(async move {
            // An exit code other than 0 is an error of this stream, and what counts is read below.
            let mut ended = std::pin::pin!(docker.wait_container(&id, None::<WaitContainerOptions>));
            while ended.next().await.is_some() {}
            docker.inspect_container(&id, None::<InspectContainerOptions>).await
        })?;
        let state = state.map_err(|error| failed(&error))?.state.unwrap_or_default();
        Ok(ContainerEnd { code: state.exit_code, out_of_memory: state.oom_killed == Some(true) })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let Ok(runtime) = runtime() else { return };
        let (docker, id) = (self.docker.clone(), self.id.clone());
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let (sender, done) = std::sync::mpsc::sync_channel(1);
        runtime.spawn(async move {
            drop(docker.remove_container(&id, Some(options)).await);
            let _ = sender.send(());
        });
        // A host program that ends at once would leave it behind.
        let _ = done.recv_timeout(REMOVAL);
    }
}
