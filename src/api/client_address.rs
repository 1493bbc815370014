//! Where a request really came from. Forwarding headers are believed as far as known proxies wrote them, from the
//! right; whatever a client puts in front of that is only text.

use std::net::IpAddr;

use axum::http::HeaderValue;

use crate::kernel::address::Network;

/// The client's address: the peer, or, where the peer is a known proxy, the rightmost forwarded address that is not
/// one. An entry that is no address ends the walk at the last proxy that is known.
pub(crate) fn client_address(peer: IpAddr, forwarded_for: &[&HeaderValue], proxies: &[Network]) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut here = peer.to_canonical();
    let lines = forwarded_for.iter().rev().map(|line| line.to_str().unwrap_or("?"));
    for entry in lines.flat_map(|line| line.rsplit(',')) {
        if !is_proxy(here) {
            break;
        }
        match parse(entry) {
            Some(address) => here = address,
            None => break,
        }
    }
    here
}

/// An entry as proxies write it: an address, perhaps with a port, version 6 perhaps in brackets.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(socket) = entry.parse::<std::net::SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    let inner = entry.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o6_only_known_proxies_are_believed() {
        let proxies: Vec<_> = ["10.0.0.0/8", "2001:db8::/32"]
            .iter()
            .filter_map(|text| Network::parse(text))
            .collect();
        for (peer, lines, client) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.2.3.4", " 198.51.100.1 , 10.9.9.9"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db9::7]:4711"], "2001:db9::7"),
            ("10.0.0.1", &["[2001:db9::7]"], "2001:db9::7"),
            ("10.0.0.1", &["198.51.100.1, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, , 10.0.0.2"], "10.0.0.2"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("2001:db8::1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_static(line)).collect();
            let lines: Vec<_> = lines.iter().collect();
            let found = client_address(peer.parse().unwrap(), &lines, &proxies);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {lines:?}");
        }
    }
}
