//! Which addresses anybody may be reached at, and which only who was named.

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(first: u16, second: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), bits)
}

/// What the registry of special-purpose addresses sets apart.
const SPECIAL_V4: [(Ipv4Net, &str); 16] = [
    (v4(0, 0, 0, 0, 8), "this host"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared by a provider's customers"),
    (v4(127, 0, 0, 0, 8), "this host"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "a relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
];

/// Everything else outside of 2000::/3 is special too.
const SPECIAL_V6: [(Ipv6Net, &str); 12] = [
    // `::`, `::1`, the mapped and the compatible form of IPv4 addresses.
    (v6(0, 0, 16), "this host, or an IPv4 address in another form"),
    (v6(0x0064, 0xff9b, 32), "an IPv4 address in another form"),
    (v6(0x0100, 0, 16), "for discarding"),
    (v6(0x2001, 0, 23), "a tunnel, or reserved"),
    (v6(0x2001, 0x0db8, 32), "for documentation"),
    (v6(0x2002, 0, 16), "an IPv4 address in another form"),
    (v6(0x3fff, 0, 20), "for documentation"),
    (v6(0x5f00, 0, 16), "for segment routing"),
    (v6(0xfc00, 0, 7), "private"),
    (v6(0xfe80, 0, 10), "link-local"),
    (v6(0xfec0, 0, 10), "private"),
    (v6(0xff00, 0, 8), "multicast"),
];

const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

/// What sets an address apart; `None` for one that is anybody's on the internet.
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => SPECIAL_V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, why)| *why),
        IpAddr::V6(address) => (SPECIAL_V6.iter().find(|(net, _)| net.contains(&address)).map(|(_, why)| *why))
            .or_else(|| (!GLOBAL_V6.contains(&address)).then_some("reserved")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_anybodys_is_special() {
        let special_ones = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
            "1::",
        ];
        for address in special_ones {
            assert!(special(address.parse().unwrap()).is_some(), "{address}");
        }
    }

    #[test]
    fn what_is_on_the_internet_is_not() {
        let public = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.167.0.1"];
        for address in public.into_iter().chain(["2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888"]) {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
    }
}
