//! Who asks, and from where.

use std::net::IpAddr;

use chrono::Duration;

use super::{KeyId, MemberId, Role, SessionId, Timestamp, address, audit::ActorKind};

/// For how long a confirmation of one's password holds (NIST 800-63B: reauthentication for what matters).
const CONFIRMED_FOR: Duration = Duration::minutes(5);

/// Who asks.
#[derive(Clone, Debug)]
pub enum Actor {
    /// Somebody who has not signed in.
    Nobody,
    /// A member, by one of his sessions.
    Member(SignedIn),
    /// A partner system, by an organization key.
    Key(Partner),
    /// The service itself, at a job of this name.
    System(&'static str),
    /// Whoever runs the service, at its command line.
    Operator,
}

/// A member who is signed in, as he was when the request began.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub member_id: MemberId,
    /// By which session.
    pub session_id: SessionId,
    /// The login ID.
    pub login: String,
    /// The name.
    pub name: String,
    /// Whether he is the owner.
    pub is_owner: bool,
    /// Whether he is an organization administrator.
    pub is_administrator: bool,
    /// Whether he manages a service.
    pub is_manager: bool,
    /// Whether he has a second factor in use.
    pub has_second_factor: bool,
    /// Whether he has to enroll a second factor before anything else.
    pub must_enroll: bool,
    /// When he last gave his password.
    pub confirmed_at: Timestamp,
}

/// A partner system, with its key as that was when the request began.
#[derive(Clone, Debug)]
pub struct Partner {
    /// By which key.
    pub key_id: KeyId,
    /// What the key is called.
    pub name: String,
    /// Whether it may see services and contracts.
    pub reads_services: bool,
    /// Whether it may add, contract, suspend and terminate services.
    pub manages_services: bool,
    /// Whether it may record usage.
    pub records_usage: bool,
    /// From where it asks: the key may be bound to some addresses.
    pub address: Option<IpAddr>,
    /// When a use of the key was last noted; `None` before the first.
    pub noted_at: Option<Timestamp>,
}

impl Partner {
    /// What its scopes come to. Whoever changes services sees them.
    fn roles(&self) -> Vec<Role> {
        let reading = (self.reads_services || self.manages_services).then_some(Role::ReadingKey);
        let managing = self.manages_services.then_some(Role::ManagingKey);
        let recording = self.records_usage.then_some(Role::RecordingKey);
        let scopes = [reading, managing, recording].into_iter().flatten();
        [Role::Key].into_iter().chain(scopes).collect()
    }
}

impl Actor {
    /// The roles that he has.
    pub fn roles(&self) -> Vec<Role> {
        match self {
            Self::Nobody => vec![Role::Nobody],
            Self::Key(partner) => partner.roles(),
            Self::System(_) => vec![Role::System],
            Self::Operator => vec![Role::Operator],
            Self::Member(member) if member.must_enroll => vec![Role::Enrolling],
            Self::Member(member) => {
                let owner = member.is_owner.then_some(Role::Owner);
                let administrator = member.is_administrator.then_some(Role::Administrator);
                let manager = member.is_manager.then_some(Role::Manager);
                let special = owner.into_iter().chain(administrator).chain(manager);
                special.chain([Role::Member]).collect()
            }
        }
    }

    /// Whether the password was given within the last five minutes. Jobs and operators have none to give; keys neither, and
    /// what needs it is not for them.
    pub fn is_confirmed(&self, now: Timestamp) -> bool {
        match self {
            Self::Member(member) => now.0 - member.confirmed_at.0 <= CONFIRMED_FOR,
            Self::System(_) | Self::Operator => true,
            Self::Nobody | Self::Key(_) => false,
        }
    }

    /// The member, where it is one.
    pub fn member(&self) -> Option<&SignedIn> {
        if let Self::Member(member) = self {
            Some(member)
        } else {
            None
        }
    }

    /// The partner system, where it is one.
    pub fn partner(&self) -> Option<&Partner> {
        if let Self::Key(partner) = self {
            Some(partner)
        } else {
            None
        }
    }

    pub(crate) fn kind(&self) -> ActorKind {
        match self {
            Self::Nobody => ActorKind::Nobody,
            Self::Member(_) => ActorKind::Member,
            Self::Key(_) => ActorKind::Key,
            Self::System(_) => ActorKind::System,
            Self::Operator => ActorKind::Operator,
        }
    }

    pub(crate) fn id(&self) -> Option<String> {
        match self {
            Self::Member(member) => Some(member.member_id.to_string()),
            Self::Key(partner) => Some(partner.key_id.to_string()),
            Self::Nobody | Self::System(_) | Self::Operator => None,
        }
    }

    /// The name as logs and histories keep it.
    pub fn display_name(&self) -> String {
        match self {
            Self::Nobody => String::new(),
            Self::Member(member) => format!("{} ({})", member.name, member.login),
            Self::Key(partner) => partner.name.clone(),
            Self::System(job) => (*job).to_owned(),
            Self::Operator => "operator".to_owned(),
        }
    }
}

/// From where a request came.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The client's address; `None` for jobs and the command line.
    pub address: Option<IpAddr>,
    /// The request's ID, as in the header `X-Request-Id`.
    pub request_id: String,
    /// What the client calls itself, as far as it may be shown; empty where it says nothing.
    pub client: String,
}

impl Origin {
    /// What of a `User-Agent` is kept: one line of at most 200 characters.
    pub fn client_of(user_agent: &str) -> String {
        let visible = user_agent.chars().filter(|letter| !letter.is_control());
        visible.take(200).collect::<String>().trim().to_owned()
    }

    /// The address as text; empty where there is none.
    pub fn address_text(&self) -> String {
        self.address
            .map(|address| address.to_canonical().to_string())
            .unwrap_or_default()
    }

    /// Whom brakes count: the address; of IPv6 the network of 64 bits, in which one subscriber has all the addresses he
    /// wants (RFC 6177). Empty where there is none.
    pub fn network_text(&self) -> String {
        match self.address.map(address::household) {
            Some(network @ IpAddr::V6(_)) => format!("{network}/64"),
            Some(address) => address.to_string(),
            None => String::new(),
        }
    }
}
