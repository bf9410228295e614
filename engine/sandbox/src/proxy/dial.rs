//! From a host as it was asked for to a connection: its name is looked up once, and the address that was checked is the
//! one that is connected to.

use super::meter::{Meter, Metered};
use super::rules::Rules;
use super::{Bounds, Resolver};
use skills_core::NetworkHost;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It was not granted; what to say of it, and what would allow it.
    Denied { what: String, allow: String },
    /// There is nobody there, or not in time.
    Unreachable(String),
}

/// Connects to a host, where the rules allow it.
pub(super) async fn dial(
    (host, port): (&NetworkHost, u16),
    rules: &Rules,
    resolver: &dyn Resolver,
    bounds: &Bounds,
    meter: &Arc<Meter>,
) -> Result<Metered, Refusal> {
    if !rules.allows_host(host, port) {
        let what = format!("the host {host}, port {port}, was not granted");
        return Err(Refusal::Denied { what, allow: format!("{host}:{port}") });
    }
    let gone = |why: String| Refusal::Unreachable(format!("{host}, port {port}, {why}"));
    let addresses = match host {
        NetworkHost::Address(address) => vec![SocketAddr::new(*address, port)],
        NetworkHost::Name(name) => match timeout(bounds.connect, resolver.resolve(name, port)).await {
            Ok(found) => found.map_err(|error| gone(format!("was not found: {error}")))?,
            Err(_) => return Err(gone("was not found in time".to_owned())),
        },
    };
    let named = matches!(host, NetworkHost::Name(_));
    let (open, closed): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.into_iter().partition(|address| rules.allows_address(address.ip(), port, named));
    if let (true, Some(address)) = (open.is_empty(), closed.first()) {
        let what = format!("the host {host} has the address {}, which is not one of the internet", address.ip());
        return Err(Refusal::Denied { what, allow: NetworkHost::Address(address.ip()).to_string() });
    }
    let connect = async {
        let mut last = None;
        for address in open.into_iter().take(MOST_ADDRESSES) {
            // The port that was checked, whatever a resolver makes of it.
            match TcpStream::connect(SocketAddr::new(address.ip(), port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last)
    };
    match timeout(bounds.connect, connect).await {
        Ok(Ok(stream)) => Ok(Metered { stream, meter: Arc::clone(meter) }),
        Ok(Err(Some(error))) => Err(gone(format!("cannot be reached: {error}"))),
        Ok(Err(None)) => Err(gone("has no address".to_owned())),
        Err(_) => Err(gone("does not answer".to_owned())),
    }
}
