//! Which hosts were granted.

use super::address::special;
use skills_core::{Access, HostPattern, NetworkHost};
use std::net::IpAddr;

/// The grant of a run.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    everything: bool,
    patterns: Vec<HostPattern>,
}

impl Rules {
    /// The rules of a grant. An entry that is none grants nothing.
    pub fn new(access: &Access) -> Rules {
        match access {
            Access::Everything => Rules { everything: true, patterns: Vec::new() },
            Access::Only(entries) => Rules {
                everything: false,
                patterns: entries.iter().filter_map(|entry| HostPattern::parse(entry).ok()).collect(),
            },
            Access::Nothing => Rules::default(),
        }
    }

    /// Whether a host may be asked for, before anything is known of its address.
    pub fn allows_host(&self, host: &NetworkHost, port: u16) -> bool {
        match host {
            NetworkHost::Name(_) => self.everything || self.patterns.iter().any(|pattern| pattern.matches(host, port)),
            NetworkHost::Address(address) => self.allows_address(*address, port, false),
        }
    }

    /// Whether an address may be connected to. One that is special has to be named by itself, or by a range, whatever
    /// its name is. `named`: the name that it has was granted.
    pub fn allows_address(&self, address: IpAddr, port: u16, named: bool) -> bool {
        let host = NetworkHost::Address(address);
        let matching = || self.patterns.iter().filter(|pattern| pattern.matches(&host, port));
        if matching().any(|pattern| !pattern.is_any()) {
            return true;
        }
        let open = named || self.everything || matching().next().is_some();
        open && special(address).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(entries: &[&str]) -> Rules {
        Rules::new(&Access::Only(entries.iter().map(ToString::to_string).collect()))
    }

    fn host(text: &str) -> NetworkHost {
        NetworkHost::parse(text).unwrap_or_else(|| panic!("{text}"))
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
            ("example.com", 22),
        ];
        for (name, port) in allowed {
            assert!(rules.allows_host(&host(name), port), "{name}:{port}");
        }
        let refused = [
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
        assert!(
            rules(&["*"]).allows_address(public, 25, false) && !rules(&["*:443"]).allows_address(public, 25, false)
        );
        let named = rules(&["db.internal:5432", "10.0.0.0/8:5432", "[::1]:8080", "fd00::/8", "127.0.0.1"]);
        assert!(named.allows_address(private, 5432, true) && named.allows_host(&host("10.1.2.3"), 5432));
        assert!(!named.allows_address(private, 443, true), "the port counts for the address too");
        assert!(named.allows_host(&host("[::1]"), 8080) && !named.allows_host(&host("[::1]"), 80));
        assert!(named.allows_host(&host("[fd12::1]"), 443) && named.allows_host(&host("127.0.0.1"), 80));
        assert!(named.allows_host(&host("[::ffff:127.0.0.1]"), 80), "the same address in another form");
        assert!(!named.allows_host(&host("[::ffff:127.0.0.2]"), 80));
        assert!(!named.allows_address("127.0.0.2".parse().unwrap(), 80, true));
    }

    #[test]
    fn what_is_no_entry_grants_nothing() {
        assert!(!rules(&["http://example.com", "example.com:+80", ""]).allows_host(&host("example.com"), 80));
        assert!(!Rules::new(&Access::Nothing).allows_host(&host("example.com"), 80));
    }
}
