//! From where a grant may hold: few addresses, never half the world.

use crate::kernel::{Code, Problem, address::Network};

/// How many networks a grant has at most.
const MOST: usize = 10;

/// The widest network of each version, by the bits that stand fast: 256 addresses, or one subnet.
const WIDEST: [u8; 2] = [24, 64];

/// The networks in their one form, and what is wrong with them below `at`.
pub(super) fn read(at: &str, texts: &[String]) -> (Vec<String>, Vec<Problem>) {
    match texts.len() {
        0 => return (Vec::new(), vec![Problem::at(at, Code::Blank)]),
        1..=MOST => {}
        _ => return (Vec::new(), vec![Problem::at(at, Code::TooMany).with("max", MOST)]),
    }
    let (mut networks, mut problems): (Vec<String>, _) = (Vec::new(), Vec::new());
    for (number, text) in texts.iter().enumerate() {
        let path = format!("{at}.{number}");
        let Some(network) = Network::parse(text.trim()).filter(|network| !network.is_mapped()) else {
            problems.push(Problem::at(&path, Code::Invalid).with("rule", "203.0.113.0/24, 2001:db8::/64"));
            continue;
        };
        let widest = WIDEST[usize::from(!network.is_version_4())];
        if network.length() < widest {
            problems.push(Problem::at(&path, Code::NetworkTooWide).with("min", format!("/{widest}")));
        } else if networks.contains(&network.to_string()) {
            problems.push(Problem::at(&path, Code::Duplicate));
        }
        networks.push(network.to_string());
    }
    (networks, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i1_a_grant_holds_from_few_addresses() {
        let codes = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let (_, problems) = read("input.networks", &texts);
            problems.iter().map(|problem| problem.code.name()).collect::<Vec<_>>()
        };
        for (network, code) in [
            ("203.0.113.7", None),
            (" 203.0.113.0/24 ", None),
            ("203.0.113.128/25", None),
            ("203.0.112.0/23", Some("NETWORK_TOO_WIDE")),
            ("0.0.0.0/0", Some("NETWORK_TOO_WIDE")),
            ("2001:db8:1:2::/64", None),
            ("2001:db8::7", None),
            ("2001:db8::/63", Some("NETWORK_TOO_WIDE")),
            ("::/0", Some("NETWORK_TOO_WIDE")),
            ("::ffff:203.0.113.7", Some("INVALID")),
            ("::ffff:203.0.113.0/120", Some("INVALID")),
            ("203.0.113.7/24", Some("INVALID")),
            ("203.0.113", Some("INVALID")),
            ("203.0.113.7:80", Some("INVALID")),
            ("fe80::1%eth0", Some("INVALID")),
            ("example.com", Some("INVALID")),
            ("", Some("INVALID")),
        ] {
            assert_eq!(codes(&[network]).first().copied(), code, "{network}");
        }
        assert_eq!(codes(&[]), ["BLANK"]);
        assert_eq!(codes(&["2001:DB8::7", "2001:db8:0::7"]), ["DUPLICATE"]);
        assert_eq!(codes(&["203.0.113.7"; 11]), ["TOO_MANY"]);
    }
}
