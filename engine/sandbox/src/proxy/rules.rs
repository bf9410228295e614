//! Which hosts were granted, and what a request may name.

use super::address::special;
use ipnet::IpNet;
use skills_core::Access;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name that a host can have.
const MOST_NAME: usize = 253;

/// A host as a request names it, in its one canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name, in lower case and without a dot at its end.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Host::Address(address) => write!(f, "{address}"),
        }
    }
}

impl Host {
    /// Reads a host. `None` for what is none, and for an address that is not written as addresses are: `0x7f.1`,
    /// `2130706433`, `010.0.0.1`, `[fe80::1%eth0]`.
    pub fn parse(text: &str) -> Option<Host> {
        if let Some(inner) = text.strip_prefix('[') {
            return inner.strip_suffix(']')?.parse().ok().map(|address: Ipv6Addr| Host::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Host::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() || name.len() > MOST_NAME || !name.split('.').all(is_label) {
            return None;
        }
        // What ends in a number is an address to whoever resolves it, whatever it looks like.
        let last = name.rsplit('.').next().unwrap_or_default();
        let digits = |text: &str, radix| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
        let is_number =
            digits(last, 10) || last.strip_prefix("0x").is_some_and(|hex| hex.is_empty() || digits(hex, 16));
        (!is_number).then_some(Host::Name(name))
    }
}

fn is_label(label: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=63).contains(&label.len()) && label.chars().all(inside) && !label.starts_with('-') && !label.ends_with('-')
}

/// Which hosts an entry of a grant is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    Any,
    Name(String),
    /// `*.example.com`: everything below it, and not itself.
    Below(String),
    Net(IpNet),
}

/// Which ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ports {
    /// 80 and 443.
    Web,
    One(u16),
    Any,
}

/// One entry of a grant: `example.com`, `*.example.com:8443`, `10.0.0.0/8:*`, `[::1]:8080`, `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    hosts: Hosts,
    ports: Ports,
}

impl Rule {
    /// Reads an entry; `None` for what is none, which then grants nothing.
    pub fn parse(entry: &str) -> Option<Rule> {
        let entry = entry.trim();
        if let Some(net) = net(entry) {
            return Some(Rule { hosts: Hosts::Net(net), ports: Ports::Web });
        }
        let (host, ports) = match entry.rsplit_once(':') {
            Some((host, "*")) => (host, Ports::Any),
            Some((host, port)) if !port.contains(']') => (host, Ports::One(self::port(port)?)),
            _ => (entry, Ports::Web),
        };
        let hosts = match (host.strip_prefix("*."), net(host)) {
            _ if host == "*" => Hosts::Any,
            (Some(domain), _) => match Host::parse(domain)? {
                Host::Name(name) => Hosts::Below(name),
                Host::Address(_) => return None,
            },
            // Without brackets, where an IPv6 address ends and a port begins is anybody's guess.
            (None, Some(IpNet::V6(_))) if !host.starts_with('[') => return None,
            (None, Some(net)) => Hosts::Net(net),
            (None, None) => match Host::parse(host)? {
                Host::Name(name) => Hosts::Name(name),
                Host::Address(address) => Hosts::Net(IpNet::from(address)),
            },
        };
        Some(Rule { hosts, ports })
    }

    fn is_for_port(&self, port: u16) -> bool {
        match self.ports {
            Ports::Web => matches!(port, 80 | 443),
            Ports::One(one) => one == port,
            Ports::Any => true,
        }
    }

    fn names(&self, host: &str) -> bool {
        match &self.hosts {
            Hosts::Any => true,
            Hosts::Name(name) => name == host,
            Hosts::Below(domain) => host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.')),
            Hosts::Net(_) => false,
        }
    }

    fn holds(&self, address: IpAddr) -> bool {
        matches!(&self.hosts, Hosts::Net(net) if net.contains(&address))
    }
}

/// An address, or a range of them, with or without brackets.
fn net(text: &str) -> Option<IpNet> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let net: IpNet = inner.parse().ok().or_else(|| inner.parse::<IpAddr>().ok().map(IpNet::from))?;
    (inner.len() == text.len() || matches!(net, IpNet::V6(_))).then_some(net)
}

/// A port as it is written: digits only.
pub(super) fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !text.starts_with('0')).then(|| text.parse().ok()).flatten()
}

/// The grant of a run.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    everything: bool,
    rules: Vec<Rule>,
}

impl Rules {
    /// The rules of a grant. An entry that is none grants nothing.
    pub fn new(access: &Access) -> Rules {
        match access {
            Access::Everything => Rules { everything: true, rules: Vec::new() },
            Access::Only(entries) => {
                Rules { everything: false, rules: entries.iter().filter_map(|entry| Rule::parse(entry)).collect() }
            }
            Access::Nothing => Rules::default(),
        }
    }

    /// Whether a host may be asked for, before anything is known of its address.
    pub fn allows_host(&self, host: &Host, port: u16) -> bool {
        match host {
            Host::Name(name) => {
                self.everything || self.rules.iter().any(|rule| rule.is_for_port(port) && rule.names(name))
            }
            Host::Address(address) => self.allows_address(*address, port, false),
        }
    }

    /// Whether an address may be connected to. One that is special has to be named by itself, or by a range, whatever
    /// its name is. `named`: the name that it has was granted.
    pub fn allows_address(&self, address: IpAddr, port: u16, named: bool) -> bool {
        let for_port = || self.rules.iter().filter(|rule| rule.is_for_port(port));
        if for_port().any(|rule| rule.holds(address)) {
            return true;
        }
        let open = named || self.everything || for_port().any(|rule| rule.hosts == Hosts::Any);
        open && special(address).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(entries: &[&str]) -> Rules {
        Rules::new(&Access::Only(entries.iter().map(ToString::to_string).collect()))
    }

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_host_has_one_form() {
        assert_eq!(host("Example.COM."), Host::Name("example.com".into()));
        assert_eq!(host("[0:0::1]").to_string(), "[::1]");
        assert_eq!(host("127.0.0.1").to_string(), "127.0.0.1");
        assert_eq!(host("xn--bcher-kva.example").to_string(), "xn--bcher-kva.example");
        assert_eq!(host("1e100.net").to_string(), "1e100.net");
        let none = [
            "",
            ".",
            "a..b",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "127.0.1",
            "0177.0.0.1",
            "010.0.0.1",
            "127.0.0.1.",
            "1.2.3.4.5",
            "999.1.1.1",
            "a.0x",
            "::1",
            "[::1",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "[127.0.0.1]",
            "a b",
            "a%2eb",
            "bücher.example",
            "a/b",
            "a@b",
            "a:b",
            "a\r\nb",
            "-a.example",
            "a-.example",
            "１２７.0.0.1",
            "localhost\0",
        ];
        for text in none {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
        assert_eq!(Host::parse(&format!("{}.com", "a".repeat(64))), None);
        assert_eq!(Host::parse(&"a.".repeat(200)), None);
    }

    #[test]
    fn names_are_granted_by_name_and_port() {
        let rules = rules(&["example.com", "*.example.org", "api.example.net:8443", "any.example:*"]);
        let allowed = [
            ("example.com", 443),
            ("EXAMPLE.com.", 80),
            ("a.example.org", 443),
            ("a.b.example.org", 80),
            ("api.example.net", 8443),
            ("any.example", 25),
        ];
        for (name, port) in allowed {
            assert!(rules.allows_host(&host(name), port), "{name}:{port}");
        }
        let refused = [
            ("example.com", 22),
            ("www.example.com", 443),
            ("notexample.com", 443),
            ("example.org", 443),
            ("badexample.org", 443),
            ("api.example.net", 443),
            ("example.com.evil.example", 443),
            ("8.8.8.8", 443),
        ];
        for (name, port) in refused {
            assert!(!rules.allows_host(&host(name), port), "{name}:{port}");
        }
    }

    #[test]
    fn special_addresses_have_to_be_named_themselves() {
        let (private, public): (IpAddr, IpAddr) = ("10.1.2.3".parse().unwrap(), "8.8.8.8".parse().unwrap());
        for open in [Rules::new(&Access::Everything), rules(&["*"])] {
            assert!(open.allows_host(&host("example.com"), 443) && open.allows_host(&host("8.8.8.8"), 443));
            assert!(!open.allows_host(&host("10.1.2.3"), 443) && !open.allows_host(&host("[::ffff:8.8.8.8]"), 443));
            assert!(open.allows_address(public, 443, true) && !open.allows_address(private, 443, true));
        }
        assert!(Rules::new(&Access::Everything).allows_address(public, 25, false));
        assert!(!rules(&["*"]).allows_address(public, 25, false));
        let named = rules(&["db.internal:5432", "10.0.0.0/8:5432", "[::1]:8080", "fd00::/8", "127.0.0.1"]);
        assert!(named.allows_address(private, 5432, true) && named.allows_host(&host("10.1.2.3"), 5432));
        assert!(!named.allows_address(private, 443, true), "the port counts for the address too");
        assert!(named.allows_host(&host("[::1]"), 8080) && !named.allows_host(&host("[::1]"), 80));
        assert!(named.allows_host(&host("[fd12::1]"), 443) && named.allows_host(&host("127.0.0.1"), 80));
        assert!(!named.allows_host(&host("[::ffff:127.0.0.1]"), 80), "another form is another address");
        assert!(!named.allows_address("127.0.0.2".parse().unwrap(), 80, true));
    }

    #[test]
    fn what_is_no_entry_grants_nothing() {
        let none = [
            "",
            "*.",
            "*.*",
            "*.1.2.3.4",
            "example.com:",
            "example.com:0",
            "example.com:+80",
            "example.com:99999",
            "10.0.0.0/33",
            "http://example.com",
            "example.com/path",
            "::1:80",
            "[127.0.0.1]:80",
            "0x7f.1",
            "[::1]x",
        ];
        for entry in none {
            // `::1:80` is an address of its own.
            assert!(Rule::parse(entry).is_none() || entry == "::1:80", "{entry:?}");
        }
        assert!(!rules(&["::1:80"]).allows_host(&host("[::1]"), 80));
        assert!(!rules(&none).allows_host(&host("example.com"), 80));
        assert!(!Rules::new(&Access::Nothing).allows_host(&host("example.com"), 80));
    }
}
