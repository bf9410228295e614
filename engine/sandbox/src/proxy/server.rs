//! Serves connections to the proxy.

use super::dial::{Refusal, dial};
use super::meter::{Meter, Metered};
use super::request::{drop_hop_by_hop, rewrite, target};
use super::rules::Rules;
use super::{Bounds, Resolver};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

type Body = BoxBody<Bytes, hyper::Error>;

/// What all connections of one confined process share.
pub(super) struct Gate {
    rules: Rules,
    bounds: Bounds,
    resolver: Arc<dyn Resolver>,
    on_denied: Box<dyn Fn(&str) + Send + Sync>,
    left: Arc<AtomicU64>,
}

impl Gate {
    pub(super) fn new(
        rules: Rules,
        bounds: Bounds,
        resolver: Arc<dyn Resolver>,
        on_denied: Box<dyn Fn(&str) + Send + Sync>,
    ) -> Arc<Gate> {
        let left = Arc::new(AtomicU64::new(bounds.bytes));
        Arc::new(Gate { rules, bounds, resolver, on_denied, left })
    }
}

/// How long to wait after the listener failed, as it does where the host has no descriptors left.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections for as long as it is polled; those that are open end with it.
pub(super) async fn accept(listener: TcpListener, gate: Arc<Gate>) {
    let places = Arc::new(Semaphore::new(gate.bounds.connections));
    let mut open = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        while open.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let gate = Arc::clone(&gate);
                open.spawn(async move {
                    connection(stream, gate).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// What belongs to one connection, and ends with it.
struct Connection {
    gate: Arc<Gate>,
    meter: Arc<Meter>,
    tunnel: Mutex<Option<(OnUpgrade, Metered)>>,
    tasks: Mutex<JoinSet<()>>,
}

async fn connection(stream: TcpStream, gate: Arc<Gate>) {
    let meter = Meter::new(&gate.left);
    let (tunnel, tasks) = (Mutex::default(), Mutex::new(JoinSet::new()));
    let connection = Arc::new(Connection { gate: Arc::clone(&gate), meter: Arc::clone(&meter), tunnel, tasks });
    let io = TokioIo::new(Metered { stream, meter: Arc::clone(&meter) });
    let service = service_fn(|request| answer(Arc::clone(&connection), request));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(gate.bounds.connect)
        .max_buf_size(gate.bounds.head.max(8 << 10))
        .serve_connection(io, service)
        .with_upgrades();
    let work = async {
        drop(served.await);
        let tunnel = connection.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((upgrade, mut there)) = tunnel
            && let Ok(here) = upgrade.await
        {
            drop(tokio::io::copy_bidirectional(&mut TokioIo::new(here), &mut there).await);
        }
    };
    tokio::select! {
        () = work => {}
        () = meter.idle(gate.bounds.idle) => {}
    }
}

async fn answer(connection: Arc<Connection>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(match respond(&connection, request).await {
        Ok(response) => response,
        Err((status, text)) => {
            let mut response = Response::new(Full::from(text + "\n").map_err(|never| match never {}).boxed());
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            response
        }
    })
}

async fn respond(
    connection: &Connection,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, (StatusCode, String)> {
    let gate = &connection.gate;
    let (host, port) = target(&request).map_err(|why| (StatusCode::BAD_REQUEST, why))?;
    let dialled = dial((&host, port), &gate.rules, &*gate.resolver, &gate.bounds, &connection.meter).await;
    let there = dialled.map_err(|refusal| match refusal {
        Refusal::Denied { what, allow } => {
            let text = format!("{what}: allow it with --allow-net {allow}");
            (gate.on_denied)(&text);
            (StatusCode::FORBIDDEN, text)
        }
        Refusal::Unreachable(why) => (StatusCode::BAD_GATEWAY, why),
    })?;
    if request.method() == Method::CONNECT {
        let upgrade = hyper::upgrade::on(&mut request);
        *connection.tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some((upgrade, there));
        return Ok(Response::new(Empty::new().map_err(|never| match never {}).boxed()));
    }
    let invalid = (StatusCode::BAD_REQUEST, "the request cannot be passed on".to_owned());
    rewrite(&mut request, &host, port).ok_or(invalid)?;
    let failed = |error: hyper::Error| (StatusCode::BAD_GATEWAY, format!("{host}, port {port}, failed: {error}"));
    let client = hyper::client::conn::http1::Builder::new()
        .max_buf_size(gate.bounds.head.max(8 << 10))
        .handshake(TokioIo::new(there));
    let (mut sender, work) = client.await.map_err(failed)?;
    connection.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move { drop(work.await) });
    let mut response = sender.send_request(request).await.map_err(failed)?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err((StatusCode::BAD_GATEWAY, format!("{host}, port {port}, wants another protocol")));
    }
    if response.headers().contains_key(TRANSFER_ENCODING) {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    drop_hop_by_hop(response.headers_mut());
    Ok(response.map(BodyExt::boxed))
}
