use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name that a host can have.
const MOST_NAME: usize = 253;

/// A host as a request names it, in its one canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkHost {
    /// A name, in lower case and without a dot at its end.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for NetworkHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetworkHost::Name(name) => f.write_str(name),
            NetworkHost::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            NetworkHost::Address(address) => write!(f, "{address}"),
        }
    }
}

impl NetworkHost {
    /// Reads a host, as a program names it. `None` for what is none, and for an address that is not written as addresses are: `0x7f.1`,
    /// `2130706433`, `010.0.0.1`, `[fe80::1%eth0]`.
    pub fn parse(text: &str) -> Option<NetworkHost> {
        if let Some(inner) = text.strip_prefix('[') {
            return inner.strip_suffix(']')?.parse().ok().map(|address: Ipv6Addr| NetworkHost::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(NetworkHost::Address(address.into()));
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
        (!is_number).then_some(NetworkHost::Name(name))
    }

    /// A port as it is written: digits only.
    pub fn port(text: &str) -> Option<u16> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !text.starts_with('0')).then(|| text.parse().ok()).flatten()
    }
}

fn is_label(label: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=63).contains(&label.len()) && label.chars().all(inside) && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> NetworkHost {
        NetworkHost::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_host_has_one_form() {
        assert_eq!(host("Example.COM."), NetworkHost::Name("example.com".into()));
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
            assert_eq!(NetworkHost::parse(text), None, "{text:?}");
        }
        assert_eq!(NetworkHost::parse(&format!("{}.com", "a".repeat(64))), None);
        assert_eq!(NetworkHost::parse(&"a.".repeat(200)), None);
    }
}
