//! The way out of a confined process: a proxy on its loopback interface, which the host answers.
//!
//! A confined process has no network but a loopback interface of its own, and on it one listener, which was passed out to the
//! host. The host serves HTTP CONNECT and plain `http://` there, to the hosts that were granted and to no other:
//!
//! - a host is granted by its name (`example.com`, `*.example.com`), by its address or by a range of addresses (`10.0.0.0/8`), with a
//!   port (`:8443`); without one, every port is meant: [`HostPattern`](skills_core::HostPattern);
//! - a name is looked up once, by the host, and what is connected to is the address that was checked;
//! - addresses that are not anybody's on the internet (private, loopback, link-local, multicast, IPv4 in another form, …) are
//!   refused, also behind a name that was granted, unless an entry names the address or its range;
//! - an address in any form but the usual one (`2130706433`, `0x7f.1`) is no host;
//! - requests are read, checked and written anew, so that both sides agree on where one ends; their host is the one that was checked.
//!
//! What is refused is answered with 403 and what would allow it, and reported. Not checked is what is inside of a tunnel: a host
//! that was granted may serve many names behind one address.

mod address;
mod dial;
mod meter;
mod request;
mod rules;
mod server;

#[cfg(test)]
mod tests;

pub use rules::Rules;

use skills_core::{Access, ErrorKind, Failure};
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// How much one process may use of the proxy.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Connections at once; more wait.
    pub connections: usize,
    /// The longest head of a request, in bytes.
    pub head: usize,
    /// How long a request's head, a look-up and a connection may take, each.
    pub connect: Duration,
    /// How long nothing may pass through a connection.
    pub idle: Duration,
    /// How much may be received from both sides together, in bytes.
    pub bytes: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            connections: 32,
            head: 32 << 10,
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            bytes: 4 << 30,
        }
    }
}

/// The addresses of a name, when they are there.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks names up.
pub trait Resolver: Send + Sync {
    /// The addresses of a name.
    fn resolve(&self, name: &str, port: u16) -> Addresses;
}

/// Looks names up as the host's system does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, name: &str, port: u16) -> Addresses {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) })
    }
}

/// A proxy that is being served. Dropping it ends every connection through it.
#[derive(Debug)]
pub struct Guard(JoinHandle<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves a listener of a confined process, for the hosts that were granted to it. `on_denied` is told what was refused.
///
/// # Errors
/// `unavailable` where the process cannot start a thread for it.
pub fn serve(
    listener: TcpListener,
    allowed: &Access,
    on_denied: impl Fn(&str) + Send + Sync + 'static,
) -> Result<Guard, Failure> {
    serve_with(listener, allowed, Bounds::default(), Arc::new(SystemResolver), on_denied)
}

/// As [`serve`], with bounds and a resolver of one's own.
///
/// # Errors
/// As [`serve`].
pub fn serve_with(
    listener: TcpListener,
    allowed: &Access,
    bounds: Bounds,
    resolver: Arc<dyn Resolver>,
    on_denied: impl Fn(&str) + Send + Sync + 'static,
) -> Result<Guard, Failure> {
    let failed = |why: String| Failure::new(ErrorKind::Unavailable, format!("the proxy cannot be served: {why}"));
    let runtime = runtime().ok_or_else(|| failed("no thread could be started".to_owned()))?;
    let _entered = runtime.enter();
    listener.set_nonblocking(true).map_err(|error| failed(error.to_string()))?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| failed(error.to_string()))?;
    let gate = server::Gate::new(Rules::new(allowed), bounds, resolver, Box::new(on_denied));
    Ok(Guard(runtime.spawn(server::accept(listener, gate))))
}

/// The one thread of the process that serves all proxies.
fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let build = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(16).thread_name("skills-proxy").enable_all().build().ok()
    };
    RUNTIME.get_or_init(build).as_ref()
}
