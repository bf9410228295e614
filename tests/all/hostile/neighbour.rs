//! A network namespace beside the host's, with listeners that no case may reach.

use super::world::random;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::mpsc;

/// Listeners in a network namespace of their own, which a pair of virtual interfaces joins to the host's.
pub(super) struct Neighbour {
    pub(super) address: Ipv4Addr,
    pub(super) tcp: u16,
    pub(super) udp: u16,
    listener: TcpListener,
    socket: UdpSocket,
    /// The thread that the namespace belongs to ends with this.
    _keep: mpsc::Sender<()>,
}

impl Neighbour {
    /// Makes it, or says why that cannot be done here: it takes the right to make interfaces.
    pub(super) fn new() -> Result<Neighbour, String> {
        let (send, made) = mpsc::channel();
        let (keep, ended) = mpsc::channel::<()>();
        let host = std::process::id();
        std::thread::spawn(move || {
            let _ = send.send(Neighbour::inside(host));
            // The namespace goes with its last thread and its last socket, and the interfaces with it.
            let _ = ended.recv();
        });
        let (address, link, host_side, listener, socket) = made.recv().map_err(|error| error.to_string())??;
        ip(&["addr", "add", &format!("{host_side}/30"), "dev", &link])?;
        ip(&["link", "set", &link, "up"])?;
        let tcp = listener.local_addr().map_err(|error| error.to_string())?.port();
        let udp = socket.local_addr().map_err(|error| error.to_string())?.port();
        // It can be reached from here, or nothing would be shown by nothing arriving.
        std::net::TcpStream::connect((address, tcp)).map_err(|error| format!("cannot be reached: {error}"))?;
        let neighbour = Neighbour { address, tcp, udp, listener, socket, _keep: keep };
        neighbour.reached();
        Ok(neighbour)
    }

    /// The part that runs on a thread of the new namespace.
    fn inside(host: u32) -> Result<(Ipv4Addr, String, Ipv4Addr, TcpListener, UdpSocket), String> {
        let whole = |error: std::io::Error| error.to_string();
        // SAFETY: a network namespace of its own leaves this thread all memory and all descriptors that it shares.
        unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNET) }
            .map_err(|error| error.to_string())?;
        let noise = u64::from_str_radix(&random()[..8], 16).unwrap_or(0);
        let (third, fourth) = ((noise >> 8) as u8, (noise as u8) & 0xfc);
        let (near, far) = (Ipv4Addr::new(10, 213, third, fourth | 1), Ipv4Addr::new(10, 213, third, fourth | 2));
        let (inner, outer) = (format!("hn{noise:08x}"), format!("hh{noise:08x}"));
        ip(&["link", "add", &inner, "type", "veth", "peer", "name", &outer, "netns", &host.to_string()])?;
        ip(&["addr", "add", &format!("{far}/30"), "dev", &inner])?;
        ip(&["link", "set", &inner, "up"])?;
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(whole)?;
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(whole)?;
        listener.set_nonblocking(true).map_err(whole)?;
        socket.set_nonblocking(true).map_err(whole)?;
        Ok((far, outer, near, listener, socket))
    }

    /// Whether something has arrived since this was asked last.
    pub(super) fn reached(&self) -> bool {
        let mut any = false;
        while self.listener.accept().is_ok() {
            any = true;
        }
        while self.socket.recv_from(&mut [0; 64]).is_ok() {
            any = true;
        }
        any
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}
