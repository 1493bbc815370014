//! Where a message may go: to hosts of the internet, and of an operator's own networks only where he named them. It is the
//! address that counts, not the name: it is looked up, judged, and connected to as it was judged.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hyper::Uri;

use crate::kernel::address::Network;

/// The ports of the internet that messages go to: any other would make the server a means of trying out others' ports.
const PUBLIC_PORTS: [u16; 2] = [443, 8443];

/// The longest URL, in bytes.
pub const LONGEST: usize = 500;

/// A URL that messages can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether by TLS.
    pub is_secure: bool,
    /// Host and port as they were written.
    pub authority: String,
    /// The host without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query.
    pub path: String,
}

impl Target {
    /// Reads a URL: `https`, or `http` for an operator's own networks; with a host, without a user and without a fragment.
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let is_plain = !authority.as_str().contains('@') && !text.contains('#') && text.len() <= LONGEST;
        (is_plain && !host.is_empty()).then(|| Self {
            is_secure,
            authority: authority.to_string(),
            port: authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            host,
        })
    }

    /// Whether its host is written as an address that nothing may be sent to, or nothing of this form may be sent anywhere.
    /// A name is judged when it is looked up.
    pub fn is_refused(&self, own: &[Network]) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => !self.allows(address, own),
            Err(_) => own.is_empty() && !self.is_for_the_internet(),
        }
    }

    /// Whether a message may be sent to this address: into the operator's own networks, and by TLS to a usual port of the internet.
    pub fn allows(&self, address: IpAddr, own: &[Network]) -> bool {
        let address = address.to_canonical();
        own.iter().any(|network| network.contains(address)) || self.is_for_the_internet() && is_public(address)
    }

    fn is_for_the_internet(&self) -> bool {
        self.is_secure && PUBLIC_PORTS.contains(&self.port)
    }

    /// The addresses of its host that a message may be sent to.
    ///
    /// # Errors
    /// If the name is not found.
    pub async fn resolve(&self, own: &[Network]) -> std::io::Result<Vec<SocketAddr>> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        Ok(found.filter(|found| self.allows(found.ip(), own)).collect())
    }
}

/// Whether an address is one of the internet: of none of the networks that IANA's registries of special purposes name.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_4(address),
        IpAddr::V6(address) => is_public_6(address),
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0
        || a == 10
        || a == 127
        || a >= 224
        || (a, b) == (169, 254)
        || (a, b) == (192, 168)
        || a == 172 && (16..=31).contains(&b)
        || a == 100 && (64..=127).contains(&b)
        || a == 198 && (18..=19).contains(&b)
        || [[192, 0, 0], [192, 0, 2], [192, 88, 99], [198, 51, 100], [203, 0, 113]].contains(&[a, b, c]);
    !is_special
}

/// Of version 6 only what is routed, and nothing that has an address of version 4 in it.
fn is_public_6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_routed = (0x2000..=0x3fff).contains(&a);
    let is_special = a == 0x2001 && (b < 0x0200 || b == 0x0db8) || a == 0x2002 || (0x3ff0..=0x3fff).contains(&a);
    is_routed && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(texts: &[&str]) -> Vec<Network> {
        texts.iter().filter_map(|text| Network::parse(text)).collect()
    }

    #[test]
    fn g9_only_the_internet_is_public() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:200::1",
            "2001:4860::1",
            "3fef:ffff::1",
            "2400::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn g9_a_target_is_judged_by_its_address() {
        let secure = Target::parse("https://hooks.example.com/in?x=1").unwrap();
        assert_eq!(
            (secure.host.as_str(), secure.port, secure.path.as_str()),
            ("hooks.example.com", 443, "/in?x=1")
        );
        assert!(!secure.is_refused(&[]), "a name is judged when it is looked up");
        for text in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest",
            "https://10.1.2.3:8443/",
            "http://8.8.8.8/",
            "http://hooks.example.com/",
            "https://hooks.example.com:22/",
            "https://8.8.8.8:6379/",
            "https://[fd00:ec2::254]/",
            "https://0.0.0.0/",
        ] {
            assert!(Target::parse(text).unwrap().is_refused(&[]), "{text}");
        }
        assert!(!Target::parse("https://8.8.8.8:8443/").unwrap().is_refused(&[]));
        let here = own(&["127.0.0.0/8", "10.0.0.0/8"]);
        for text in [
            "http://127.0.0.1:9000/",
            "https://10.1.2.3/",
            "http://[::ffff:127.0.0.1]/",
            "http://internal/",
        ] {
            assert!(!Target::parse(text).unwrap().is_refused(&here), "{text}");
        }
        assert!(Target::parse("https://192.168.0.1/").unwrap().is_refused(&here));
        assert!(!secure.allows("::ffff:192.168.0.1".parse().unwrap(), &here));
        assert!(
            !Target::parse("http://hooks.example.com/")
                .unwrap()
                .allows("8.8.8.8".parse().unwrap(), &here),
            "nothing leaves without TLS"
        );
    }

    #[test]
    fn g9_what_is_no_url_for_messages_is_none() {
        for text in [
            "",
            "hooks.example.com",
            "//hooks.example.com",
            "ftp://hooks.example.com",
            "file:///etc/passwd",
            "https://",
            "https:///x",
            "https://user:pw@hooks.example.com/",
            "https://127.0.0.1@hooks.example.com/",
            "https://hooks.example.com/#x",
            "https://hooks.example.com/a b",
            "https://hooks.example.com/\0",
            "gopher://x",
            "javascript:alert(1)",
        ] {
            assert_eq!(Target::parse(text), None, "{text}");
        }
        assert_eq!(
            Target::parse(&format!("https://hooks.example.com/{}", "x".repeat(500))),
            None
        );
    }

    #[tokio::test]
    async fn g9_names_of_this_machine_lead_nowhere_unless_allowed() {
        let target = Target::parse("https://localhost/").unwrap();
        assert_eq!(target.resolve(&[]).await.unwrap(), []);
        assert!(!target.resolve(&own(&["127.0.0.0/8", "::1"])).await.unwrap().is_empty());
    }
}
