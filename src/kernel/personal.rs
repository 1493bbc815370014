//! Personal data in memory. A value shows itself masked; in clear it is there for sealing and for whoever brings a token of
//! the decision that he may see it. The decision itself is here too, whole: what an area does is gather its facts.

use std::{fmt, net::IpAddr};

use zeroize::Zeroizing;

use super::{MemberId, ServiceId, Timestamp, address::Network, mask::Kind};

/// A value that tells something of somebody. It prints as `***`, does not serialize, is no GraphQL type and is not
/// copied; its memory is wiped.
pub struct Personal {
    service: ServiceId,
    kind: Kind,
    clear: Zeroizing<String>,
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What somebody sent for a value that he may have seen masked only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// The value, or its mask: nothing is to be changed.
    Same,
    /// A mask of something else: it must never be stored.
    Masked,
    /// Another value.
    New,
}

impl Personal {
    /// A value of a service's people.
    pub fn new(service: ServiceId, kind: Kind, clear: String) -> Self {
        Self {
            service,
            kind,
            clear: Zeroizing::new(clear),
        }
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The value as everybody may see it who may see it at all.
    pub fn masked(&self) -> String {
        self.kind.mask(&self.clear)
    }

    /// The value in clear, for whoever may see those of its service; `None` where the token is another service's.
    pub fn reveal(&self, token: &Unmasking) -> Option<&str> {
        (token.service == self.service).then_some(&*self.clear)
    }

    /// What `text`, which came back from somebody, is to this value.
    pub fn compare(&self, text: &str) -> Sent {
        if text == self.clear.as_str() || text == self.masked() {
            Sent::Same
        } else if self.kind.is_masked(text) {
            Sent::Masked
        } else {
            Sent::New
        }
    }

    /// What `text` is that somebody sent where there is no value yet.
    pub fn compare_new(&self, text: &str) -> Sent {
        if self.kind.is_masked(text) {
            Sent::Masked
        } else {
            Sent::New
        }
    }

    /// In clear, for sealing and for the index.
    pub(super) fn clear(&self) -> &str {
        &self.clear
    }

    /// The same kind of value with this text.
    pub(super) fn filled(self, text: &str) -> Self {
        Self::new(self.service, self.kind, text.to_owned())
    }
}

/// That somebody may see the personal data of one service in clear, as of the instant when it was decided. It can't be
/// made but by [`decide`], nor copied, and is to be used at once: a grant may go.
#[derive(Debug)]
pub struct Unmasking {
    service: ServiceId,
    by: MemberId,
}

impl Unmasking {
    /// Of which service.
    pub fn service(&self) -> ServiceId {
        self.service
    }

    /// Who may.
    pub fn by(&self) -> MemberId {
        self.by
    }
}

/// A grant, as far as the decision has to know.
#[derive(Debug, Clone)]
pub struct Granted<'a> {
    /// To whom.
    pub member: MemberId,
    /// The e-mail address that it was given to.
    pub email: &'a str,
    /// From where it holds.
    pub networks: &'a [Network],
    /// For which services; `None` for all.
    pub services: Option<&'a [ServiceId]>,
    /// Until when it holds; that instant not included.
    pub valid_until: Timestamp,
    /// Whether it was not taken back.
    pub is_active: bool,
}

/// Who wants to see, and what.
#[derive(Debug, Clone)]
pub struct Asking<'a> {
    /// Who.
    pub member: MemberId,
    /// His address now.
    pub email: &'a str,
    /// From where; `None` where that is not known.
    pub address: Option<IpAddr>,
    /// Of which service.
    pub service: ServiceId,
    /// Whether he may see the data masked, by his place in the service.
    pub has_right: bool,
    /// When.
    pub now: Timestamp,
}

/// Why data stay masked: the first of these that holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, async_graphql::Enum)]
#[graphql(name = "PiiMaskReason")]
pub enum Masked {
    /// He has no place in the service that lets him see its data at all.
    NoRight,
    /// He has no grant.
    NoGrant,
    /// His grant was revoked.
    Revoked,
    /// His grant has expired.
    Expired,
    /// His e-mail address is not the one any more that was granted.
    EmailDiffers,
    /// The service is not in the grant's scope.
    OutOfScope,
    /// The request comes from an address that the grant does not name, or from an unknown one.
    AddressNotAllowed,
}

/// Whether somebody may see a service's personal data in clear: only if all of it holds.
///
/// # Errors
/// Why not.
pub fn decide(grant: Option<&Granted<'_>>, asking: &Asking<'_>) -> Result<Unmasking, Masked> {
    let grant = grant.filter(|grant| grant.member == asking.member);
    let is_inside = |grant: &Granted<'_>| {
        let address = asking.address;
        address.is_some_and(|address| grant.networks.iter().any(|network| network.contains(address)))
    };
    let reason = match grant {
        _ if !asking.has_right => Masked::NoRight,
        None => Masked::NoGrant,
        Some(grant) if !grant.is_active => Masked::Revoked,
        Some(grant) if asking.now >= grant.valid_until => Masked::Expired,
        Some(grant) if !same_address(grant.email, asking.email) => Masked::EmailDiffers,
        Some(grant)
            if grant
                .services
                .is_some_and(|services| !services.contains(&asking.service)) =>
        {
            Masked::OutOfScope
        }
        Some(grant) if !is_inside(grant) => Masked::AddressNotAllowed,
        Some(_) => {
            return Ok(Unmasking {
                service: asking.service,
                by: asking.member,
            });
        }
    };
    Err(reason)
}

/// Whether two texts are one e-mail address: whatever the case.
fn same_address(one: &str, other: &str) -> bool {
    !one.is_empty() && one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(chrono::DateTime::from_timestamp(seconds, 0).unwrap())
    }

    fn id(number: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(number)
    }

    /// Seven things that each can hold or not, from addresses of each kind: 128 combinations for each of them.
    #[test]
    fn i2_only_where_everything_holds_is_anything_unmasked() {
        let networks =
            ["203.0.113.0/24", "2001:db8:1:2::/64", "198.51.100.7"].map(|text| Network::parse(text).unwrap());
        let inside = ["203.0.113.9", "::ffff:203.0.113.9", "2001:db8:1:2::9", "198.51.100.7"];
        let outside = ["203.0.114.9", "::ffff:203.0.114.9", "2001:db8:1:3::9", "198.51.100.8"];
        let (mut looked_at, mut unmasked) = (0, 0);
        for kind in 0..inside.len() {
            for bits in 0..128_u32 {
                let holds = |bit: u32| bits & (1 << bit) != 0;
                let services = [ServiceId(id(7))];
                let grant = Granted {
                    member: MemberId(id(if holds(0) { 1 } else { 2 })),
                    email: if holds(1) { "Kim@Example.com" } else { "lee@example.com" },
                    networks: &networks,
                    services: Some(&services),
                    valid_until: at(if holds(3) { 101 } else { 100 }),
                    is_active: holds(4),
                };
                let address = if holds(2) { inside[kind] } else { outside[kind] };
                let asking = Asking {
                    member: MemberId(id(1)),
                    email: "kim@example.com",
                    address: Some(address.parse().unwrap()),
                    service: ServiceId(id(if holds(5) { 7 } else { 8 })),
                    has_right: holds(6),
                    now: at(100),
                };
                let decided = decide(Some(&grant), &asking);
                looked_at += 1;
                unmasked += usize::from(decided.is_ok());
                assert_eq!(decided.is_ok(), bits == 127, "{address} {bits:07b} {decided:?}");
            }
        }
        assert_eq!((looked_at, unmasked), (512, 4));
    }

    #[test]
    fn i2_without_a_grant_or_from_nowhere_nothing_is_unmasked() {
        let networks = [Network::parse("0.0.0.0/0").unwrap(), Network::parse("::/0").unwrap()];
        let grant = Granted {
            member: MemberId(id(1)),
            email: "kim@example.com",
            networks: &networks,
            services: None,
            valid_until: at(200),
            is_active: true,
        };
        let asking = Asking {
            member: MemberId(id(1)),
            email: "kim@example.com",
            address: Some([127, 0, 0, 1].into()),
            service: ServiceId(id(7)),
            has_right: true,
            now: at(100),
        };
        let nowhere = Asking {
            address: None,
            ..asking.clone()
        };

        assert_eq!(decide(Some(&grant), &asking).unwrap().service(), ServiceId(id(7)));
        assert_eq!(decide(Some(&grant), &nowhere).unwrap_err(), Masked::AddressNotAllowed);
        assert_eq!(decide(None, &asking).unwrap_err(), Masked::NoGrant);
        let everywhere = Granted {
            networks: &[],
            ..grant.clone()
        };
        assert_eq!(
            decide(Some(&everywhere), &asking).unwrap_err(),
            Masked::AddressNotAllowed
        );
        let nobody = Granted { email: "", ..grant };
        let unnamed = Asking { email: "", ..asking };
        assert_eq!(decide(Some(&nobody), &unnamed).unwrap_err(), Masked::EmailDiffers);
    }

    #[test]
    fn i2_a_token_opens_the_values_of_its_service_and_nothing_else() {
        let value = |service| Personal::new(ServiceId(id(service)), Kind::Phone, "010-1234-5678".into());
        let token = Unmasking {
            service: ServiceId(id(7)),
            by: MemberId(id(1)),
        };

        assert_eq!(value(7).reveal(&token), Some("010-1234-5678"));
        assert_eq!(value(8).reveal(&token), None);
        assert_eq!(value(7).masked(), "010-****-5678");
        assert_eq!(format!("{} {:?}", value(7), value(7)), "*** ***");
    }

    #[test]
    fn i4_a_mask_that_comes_back_is_known() {
        let value = Personal::new(ServiceId(id(7)), Kind::Name, "홍길동".into());
        for (text, sent) in [
            ("홍길동", Sent::Same),
            ("홍*동", Sent::Same),
            ("김*동", Sent::Masked),
            ("홍**", Sent::Masked),
            ("***", Sent::Masked),
            ("홍길순", Sent::New),
            ("", Sent::New),
        ] {
            assert_eq!(value.compare(text), sent, "{text}");
        }
    }
}
