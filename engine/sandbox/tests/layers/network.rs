use crate::support::{Caged, each_user, folder_of, open_folder, own, refused, text};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};

#[test]
fn nothing_of_the_hosts_network_is_reached() {
    each_user(|user| {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for network in [false, true] {
            let said = Caged::new(user)
                .with(|cage| cage.network = network)
                .act(&["tcp", &tcp.local_addr().unwrap().to_string()])
                .act(&["udp", &udp.local_addr().unwrap().to_string()])
                .act(&["tcp", "1.1.1.1:80"])
                .go();
            refused(said.answers[0].clone(), "Permission denied");
            refused(said.answers[2].clone(), "Permission denied");
        }
        tcp.set_nonblocking(true).unwrap();
        assert!(tcp.accept().is_err(), "somebody connected");
        udp.set_nonblocking(true).unwrap();
        assert!(udp.recv(&mut [0; 8]).is_err(), "something arrived");
    });
}

#[test]
fn the_proxys_port_is_reached_where_the_network_is_granted() {
    each_user(|user| {
        let answer = Caged::new(user).with(|cage| cage.network = true).tries(&["tcp", "127.0.0.1:3128"]);
        assert_eq!(answer.as_deref(), Ok("connected"));
        refused(Caged::new(user).tries(&["tcp", "127.0.0.1:3128"]), "Permission denied");
    });
}

#[test]
fn sockets_of_the_hosts_programs_are_not_reached_though_their_folder_is_granted() {
    each_user(|user| {
        let folder = folder_of(user);
        let (stream, datagram) = (folder.path().join("stream"), folder.path().join("datagram"));
        let listener = UnixListener::bind(&stream).unwrap();
        let receiver = UnixDatagram::bind(&datagram).unwrap();
        own(&stream, user);
        own(&datagram, user);
        let name = format!("caged-{}", text(folder.path()));
        let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let said = Caged::new(user)
            .writing(folder.path())
            .act(&["unix", text(&stream)])
            .act(&["pair-to", text(&datagram)])
            .act(&["abstract", &name])
            .go();
        assert_eq!(said.answers.len(), 3);
        for answer in said.answers {
            refused(answer, "Operation not permitted");
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "somebody connected");
        receiver.set_nonblocking(true).unwrap();
        assert!(receiver.recv(&mut [0; 8]).is_err(), "something arrived");
    });
    drop(open_folder());
}
