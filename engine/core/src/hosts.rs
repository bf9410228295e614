mod host;

pub use host::NetworkHost;

use crate::{ErrorKind, Failure};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Hosts that a rule names: `example.com`, `*.example.com`, `10.0.0.0/8`, `[::1]`, `*`, each with `:443` for one port.
///
/// Without a port every port is meant, as by `:*`: what a rule denies, it denies wholly, and what it grants is the same set.
///
/// `*.example.com` is what is below the name, without the name itself. An address in any other form than the usual one
/// (`0x7f.1`, `2130706433`) is no pattern, because what it means depends on who reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPattern {
    part: Part,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Any,
    Name(String),
    Below(String),
    Net(IpAddr, u8),
}

impl HostPattern {
    /// Every host and port.
    pub const ANY: HostPattern = HostPattern { part: Part::Any, port: None };

    /// The pattern of a text.
    ///
    /// # Errors
    /// `invalid_arguments` for what is none, with how to write it.
    pub fn parse(text: &str) -> Result<HostPattern, Failure> {
        let wrong = |why: &str| {
            Failure::new(ErrorKind::InvalidArguments, format!("{text:?} is not a host: {why}")).with_help(
                "write a name, `*.name`, an address, a network such as 10.0.0.0/8, or `*`; with `:443` for one port",
            )
        };
        let text = text.trim();
        if text.contains("://") {
            return Err(wrong("it is a URL"));
        }
        let (host, port) = split_port(text).ok_or_else(|| wrong("its port is none"))?;
        let part = match (host, host.split_once('/')) {
            ("*", _) => Part::Any,
            (_, Some((address, bits))) => {
                let address: IpAddr = address.parse().map_err(|_| wrong("a network begins with an address"))?;
                let bits: u8 = bits.parse().map_err(|_| wrong("a network ends with a number of bits"))?;
                net(address, bits).ok_or_else(|| wrong("the network has more bits than the address"))?
            }
            (host, None) => match host.parse::<IpAddr>() {
                Ok(address) => Part::Net(plain(address), width(plain(address))),
                Err(_) => match host.strip_prefix("*.") {
                    Some(name) => Part::Below(name_of(name).map_err(wrong)?),
                    None => Part::Name(name_of(host).map_err(wrong)?),
                },
            },
        };
        Ok(HostPattern { part, port })
    }

    /// Whether every host and port of another pattern is one of this one.
    pub fn covers(&self, other: &HostPattern) -> bool {
        if self.port.is_some() && self.port != other.port {
            return false;
        }
        match (&self.part, &other.part) {
            (Part::Any, _) => true,
            (Part::Name(own), Part::Name(theirs)) => own == theirs,
            (Part::Below(own), Part::Name(theirs) | Part::Below(theirs)) if own != theirs => below(own, theirs),
            (Part::Below(own), Part::Below(theirs)) => own == theirs,
            (Part::Net(own, bits), Part::Net(theirs, more)) => bits <= more && same_net(*own, *theirs, *bits),
            _ => false,
        }
    }

    /// What is in both patterns.
    pub fn intersection(&self, other: &HostPattern) -> Option<HostPattern> {
        let port = match (self.port, other.port) {
            (Some(own), Some(theirs)) if own != theirs => return None,
            (own, theirs) => own.or(theirs),
        };
        let part = |pattern: &HostPattern| HostPattern { part: pattern.part.clone(), port: None };
        let (own, theirs) = (part(self), part(other));
        let narrower = if own.covers(&theirs) {
            theirs
        } else if theirs.covers(&own) {
            own
        } else {
            return None;
        };
        Some(HostPattern { port, ..narrower })
    }

    /// Whether a host is one of these. A name is never one of a network's: ask again with the addresses that it has.
    pub fn matches(&self, host: &NetworkHost, port: u16) -> bool {
        let part = match host {
            NetworkHost::Name(name) => Part::Name(name.clone()),
            NetworkHost::Address(address) => Part::Net(plain(*address), width(plain(*address))),
        };
        self.covers(&HostPattern { part, port: Some(port) })
    }

    /// Whether it names no host in particular.
    pub fn is_any(&self) -> bool {
        self.part == Part::Any
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Part::Any => f.write_str("*")?,
            Part::Name(name) => f.write_str(name)?,
            Part::Below(name) => write!(f, "*.{name}")?,
            Part::Net(IpAddr::V6(address), 128) if self.port.is_some() => write!(f, "[{address}]")?,
            Part::Net(IpAddr::V6(address), bits) if self.port.is_some() => write!(f, "[{address}/{bits}]")?,
            Part::Net(address, bits) if *bits == width(*address) => write!(f, "{address}")?,
            Part::Net(address, bits) => write!(f, "{address}/{bits}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The host without its brackets, and the port; `None` for a port that is none, and for brackets around anything but an
/// address or a network of IPv6.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let port = |text: &str| if text == "*" { Some(None) } else { NetworkHost::port(text).map(Some) };
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        host.split('/').next()?.parse::<Ipv6Addr>().ok()?;
        return match rest.strip_prefix(':') {
            Some(text) => Some((host, port(text)?)),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match text.split_once(':') {
        // More than one colon: an address of IPv6.
        Some((host, rest)) if !rest.contains(':') => Some((host, port(rest)?)),
        _ => Some((text, None)),
    }
}

fn name_of(name: &str) -> Result<String, &'static str> {
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or(name);
    match NetworkHost::parse(name) {
        Some(NetworkHost::Name(name)) => Ok(name),
        Some(NetworkHost::Address(_)) => Err("an address has no hosts below it"),
        None if !name.is_ascii() => Err("write it in its ASCII form, which begins with `xn--`"),
        // What an old resolver takes for an address is not a name.
        None if last.starts_with(|c: char| c.is_ascii_digit()) => Err("it is an address in an unusual form"),
        None => Err("it has a character that no host name has, or is too long"),
    }
}

fn below(parent: &str, name: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}

/// An address of IPv4 that is written as one of IPv6 is that address.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn net(address: IpAddr, bits: u8) -> Option<Part> {
    let canonical = plain(address);
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
    let bits = if canonical.is_ipv4() && address.is_ipv6() { bits.checked_sub(96)? } else { bits };
    (bits <= width(canonical)).then_some(Part::Net(canonical, bits))
}

fn same_net(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let bits = u32::from(bits);
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for (wide, narrow) in [
            ("*", "example.com:443"),
            ("Example.com.", "example.com:80"),
            ("*.example.com", "a.b.example.com"),
            ("*.example.com", "*.b.example.com"),
            ("10.0.0.0/8", "10.1.2.3:80"),
            ("10.0.0.0/8", "10.1.0.0/16"),
            ("127.0.0.1", "::ffff:127.0.0.1"),
            ("::/0", "[::1]:80"),
        ] {
            assert!(pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
            assert_eq!(pattern(wide).intersection(&pattern(narrow)), Some(pattern(narrow)), "{wide} {narrow}");
        }
    }

    #[test]
    fn a_pattern_covers_nothing_else() {
        for (one, other) in [
            ("*.example.com", "example.com"),
            ("*.example.com", "badexample.com"),
            ("example.com:443", "example.com:80"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("0.0.0.0/0", "example.com"),
            ("0.0.0.0/0", "::1"),
        ] {
            assert!(!pattern(one).covers(&pattern(other)), "{one} {other}");
            assert_eq!(pattern(one).intersection(&pattern(other)), None, "{one} {other}");
        }
        assert!(!pattern("example.com:443").covers(&pattern("example.com")), "one port is not all");
        assert_eq!(
            pattern("*.a.org").intersection(&pattern("*:443")).map(|p| p.to_string()),
            Some("*.a.org:443".to_owned())
        );
    }

    #[test]
    fn what_a_program_names_is_compared_whole() {
        let matches = |text: &str, host: &str, port| pattern(text).matches(&NetworkHost::parse(host).unwrap(), port);
        assert!(matches("*.example.com:443", "API.example.com", 443));
        assert!(!matches("*.example.com:443", "api.example.com", 80));
        assert!(matches("127.0.0.0/8", "127.1.2.3", 80));
        assert!(matches("[::1]:80", "[::1]", 80) && !matches("[::1]:80", "[::1]", 81));
        assert!(matches("*", "example.com", 80) && matches("*", "127.0.0.1", 80));
        assert!(!matches("0.0.0.0/0", "example.com", 80));
    }

    #[test]
    fn without_a_port_every_port_is_meant() {
        for text in ["example.com", "example.com:*", "*", "*.com"] {
            for port in [22, 80, 443, 65535] {
                assert!(pattern(text).matches(&NetworkHost::Name("example.com".into()), port), "{text} {port}");
            }
        }
        assert_eq!(pattern("example.com:*"), pattern("example.com"));
        assert_eq!(pattern("[::1]:*").to_string(), "::1");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let none = [
            "",
            "https://a.org",
            "a b",
            "a..b",
            "a.org:",
            "a.org:0",
            "a.org:+80",
            "a.org:99999",
            "a.org/path",
            "10.0.0.0/33",
            "bücher.de",
            "1.2.3",
            "0x7f.1",
            "-a",
            "*.",
            "*.*",
            "*.1.2.3.4",
            "[127.0.0.1]:80",
            "[::1]x",
        ];
        for text in none {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
        assert_eq!(pattern("[fe80::1/64]:80").to_string(), "[fe80::1/64]:80");
        // An address of its own, and no port.
        assert!(!pattern("::1:80").matches(&NetworkHost::parse("[::1]").unwrap(), 80));
    }
}
