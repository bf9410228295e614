//! What a request asks of the proxy, checked, and what of it goes on.

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Method, Request, Uri};
use skills_core::NetworkHost;

/// Where a request wants to go. What is wrong with it, for a person, where it says so in no way that a proxy takes.
pub(super) fn target<B>(request: &Request<B>) -> Result<(NetworkHost, u16), String> {
    let uri = request.uri();
    let authority = uri.authority().ok_or("this is a proxy: it takes CONNECT, and whole http:// addresses")?;
    let (text, default) = if request.method() == Method::CONNECT {
        (authority.as_str(), None)
    } else if uri.scheme() == Some(&Scheme::HTTP) {
        (authority.as_str(), Some(80))
    } else {
        return Err("other than http:// goes by CONNECT".to_owned());
    };
    let headers = request.headers();
    if headers.get_all(HOST).iter().count() > 1 {
        return Err("a request with several hosts".to_owned());
    }
    parse(text, default).ok_or_else(|| format!("`{text}` is not a host, or not written as hosts are"))
}

/// `host:port`, where the port may be left out if there is a default.
fn parse(authority: &str, default: Option<u16>) -> Option<(NetworkHost, u16)> {
    match authority.rsplit_once(':') {
        Some((host, digits)) if !digits.contains(']') => Some((NetworkHost::parse(host)?, NetworkHost::port(digits)?)),
        _ => Some((NetworkHost::parse(authority)?, default?)),
    }
}

/// Drops the headers that are between two neighbours only, and those for the proxy itself.
pub(super) fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = (headers.get_all(CONNECTION).iter())
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let proxy: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with("proxy-")).cloned().collect();
    for name in named.into_iter().chain(proxy).chain([CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE]) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// Turns a request to a proxy into one to the host itself. Its host is the one that was checked, whatever it said.
pub(super) fn rewrite<B>(request: &mut Request<B>, host: &NetworkHost, port: u16) -> Option<()> {
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let path = if request.method() == Method::OPTIONS && path == "/" { PathAndQuery::from_static("*") } else { path };
    *request.uri_mut() = Uri::from(path);
    drop_hop_by_hop(request.headers_mut());
    // The length is that of the body as it was read.
    request.headers_mut().remove(CONTENT_LENGTH);
    let named = if port == 80 { host.to_string() } else { format!("{host}:{port}") };
    named.parse::<Authority>().ok()?;
    request.headers_mut().insert(HOST, HeaderValue::from_str(&named).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(method: Method, uri: &str) -> Result<String, String> {
        let request = Request::builder().method(method).uri(uri).body(()).map_err(|error| error.to_string())?;
        target(&request).map(|(host, port)| format!("{host} {port}"))
    }

    #[test]
    fn a_target_is_a_host_and_a_port() {
        assert_eq!(asks(Method::GET, "http://Example.com/a?b").unwrap(), "example.com 80");
        assert_eq!(asks(Method::POST, "http://example.com:8080/").unwrap(), "example.com 8080");
        assert_eq!(asks(Method::CONNECT, "example.com:443").unwrap(), "example.com 443");
        assert_eq!(asks(Method::CONNECT, "[::1]:443").unwrap(), "::1 443".replace("::1", "[::1]"));
        for uri in ["/path", "https://example.com/", "http://user@example.com/", "http://2130706433/", "http://0x7f.1/"]
        {
            assert!(asks(Method::GET, uri).is_err(), "{uri}");
        }
        for uri in ["example.com", "user@example.com:443", "0177.0.0.1:443", "example.com:0443"] {
            assert!(asks(Method::CONNECT, uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn what_is_between_neighbours_stays_there() {
        let mut request = Request::builder()
            .uri("http://example.com:8080/a?b=c")
            .header("Host", "other.example")
            .header("Connection", "X-Secret, close")
            .header("X-Secret", "1")
            .header("Proxy-Authorization", "Basic eA==")
            .header("Proxy-Connection", "keep-alive")
            .header("Keep-Alive", "1")
            .header("TE", "trailers")
            .header("Upgrade", "websocket")
            .header("Accept", "*/*")
            .body(())
            .unwrap();
        rewrite(&mut request, &NetworkHost::Name("example.com".into()), 8080).unwrap();
        assert_eq!(request.uri(), "/a?b=c");
        let headers: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(headers, [("host", &b"example.com:8080"[..]), ("accept", b"*/*")]);
    }
}
