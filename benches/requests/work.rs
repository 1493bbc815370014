//! The five works: what is asked of the service, and the same of the hand-written handler.

use chrono::{DateTime, Datelike, Duration, FixedOffset, Utc};
use orgdesk::kernel::{Clock, Month, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::{
    client::{self, Request, post},
    data::{DataSet, Organization},
    server::Server,
};

/// One of the works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    Organization,
    Services,
    Entries,
    Agents,
    Edit,
}

/// Which of the two servers is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Service,
    HandWritten,
}

const ORGANIZATION: &str = "query { organization { id name domain timeZone } }";

const SERVICES: &str = "query ($from: Month!, $to: Month!) { organization { name services(first: 10) { nodes {
    id code name status contract { id status items { code userCount } }
    charges(from: $from, to: $to) { month total { amount } lines { kind itemCode amount { amount } } } } } } }";

const ENTRIES: &str = "query ($after: String, $filter: AuditEntryFilter) {
    auditEntries(first: 50, after: $after, filter: $filter) {
      nodes { id occurredAt action outcome address actor { name } target { label } }
      pageInfo { hasNextPage endCursor } } }";

const AGENTS: &str = "query ($filter: AgentFilter) { agents(first: 50, filter: $filter) {
    nodes { id role member { id name login } service { id code } } pageInfo { hasNextPage } } }";

/// What half of an organization's agents are called.
const NAME: &str = "상담";

const EDIT: &str = "mutation ($id: ID!, $input: ContractUpdateInput!) { contractUpdate(id: $id, input: $input) {
    contract { id version editedOn items { code userCount } } userErrors { code } } }";

/// The kinds of entries that are looked for, two of eight.
const ACTIONS: [&str; 2] = ["SERVICE_UPDATE", "CONTRACT_UPDATE"];

impl Work {
    pub const ALL: [Self; 5] = [
        Self::Organization,
        Self::Services,
        Self::Entries,
        Self::Agents,
        Self::Edit,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Organization => "(a) one organization",
            Self::Services => "(b) services, contracts, 12 months, lines",
            Self::Entries => "(c) 50 entries of the audit log",
            Self::Agents => "(d) 50 agents by name",
            Self::Edit => "(e) a contract edit",
        }
    }

    /// What every answer holds.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Organization => "\"timeZone\":",
            Self::Services => "\"lines\":",
            Self::Entries | Self::Agents => "\"hasNextPage\":true",
            Self::Edit => "\"userErrors\":[]",
        }
    }
}

fn graphql(token: &str, query: &str, variables: &Value) -> Request {
    let body = json!({ "query": query, "variables": variables });
    post("/graphql", Some(token), &body)
}

/// The request for an organization's own data, also the first that a new server gets.
pub fn organization(side: Side, of: &Organization) -> Request {
    match side {
        Side::Service => graphql(&of.token, ORGANIZATION, &Value::Null),
        Side::HandWritten => post("/organization", None, &json!({ "organization": of.id })),
    }
}

fn services(side: Side, of: &Organization) -> Request {
    let (from, to) = months();
    match side {
        Side::Service => graphql(
            &of.token,
            SERVICES,
            &json!({ "from": from.to_string(), "to": to.to_string() }),
        ),
        Side::HandWritten => {
            let body = json!({ "organization": of.id, "from": from, "to": to });
            post("/services", None, &body)
        }
    }
}

/// A year of closed months: the older half of the 24.
fn months() -> (Month, Month) {
    let seoul = FixedOffset::east_opt(9 * 3600).expect("an offset");
    let today = SystemClock.now().0.with_timezone(&seoul);
    let now = today.year() * 12 + today.month0().cast_signed();
    let month = |back| Month::from_index(now - back).expect("a month");
    (month(23), month(12))
}

fn span() -> (Timestamp, Timestamp) {
    let day = |back| Timestamp(SystemClock.now().0 - Duration::days(back));
    (day(500), day(140))
}

fn entries_of_service(of: &Organization, after: Option<&str>) -> Request {
    let (from, to) = span();
    let span = json!({ "from": from.to_text(), "to": to.to_text() });
    let filter = json!({ "action": ACTIONS, "occurredAt": span });
    graphql(&of.token, ENTRIES, &json!({ "after": after, "filter": filter }))
}

/// The second page: what the first page's last entry and cursor lead to.
async fn entries(service: &Server, of: &Organization) -> (Request, Request) {
    let first = client::ask(service.address, &entries_of_service(of, None)).await;
    let page = &first["data"]["auditEntries"];
    let last = &page["nodes"][49];
    let at: DateTime<Utc> = last["occurredAt"]
        .as_str()
        .and_then(|at| at.parse().ok())
        .expect("an instant");
    let (from, to) = span();
    let body = json!({
        "organization": of.id, "from": from, "to": to, "actions": ACTIONS, "at": at, "id": last["id"],
    });
    let cursor = page["pageInfo"]["endCursor"].as_str();
    (entries_of_service(of, cursor), post("/entries", None, &body))
}

fn agents(side: Side, of: &Organization) -> Request {
    match side {
        Side::Service => {
            let filter = json!({ "nameContains": NAME });
            graphql(&of.token, AGENTS, &json!({ "filter": filter }))
        }
        Side::HandWritten => post("/agents", None, &json!({ "organization": of.id, "name": NAME })),
    }
}

fn edit(side: Side, of: &Organization, contract: usize, version: i32, users: i32) -> Request {
    let contract = of.contracts[contract];
    match side {
        Side::Service => {
            let items = json!([{ "code": "TICKET", "userCount": users }]);
            let input = json!({ "expectedVersion": version, "items": items });
            graphql(&of.token, EDIT, &json!({ "id": contract, "input": input }))
        }
        Side::HandWritten => {
            let body = json!({ "organization": of.id, "contract": contract, "version": version, "users": users });
            post("/edit", None, &body)
        }
    }
}

/// The requests for reading, made once.
pub struct Reads {
    organization: [Vec<Request>; 2],
    services: [Vec<Request>; 2],
    entries: [Vec<Request>; 2],
    agents: [Vec<Request>; 2],
}

impl Reads {
    pub async fn make(data: &DataSet, service: &Server) -> Self {
        let sides = [Side::Service, Side::HandWritten];
        let all = |make: fn(Side, &Organization) -> Request| {
            sides.map(|side| data.organizations.iter().map(|of| make(side, of)).collect())
        };
        let mut entries_of = [Vec::new(), Vec::new()];
        for of in &data.organizations {
            let (service, hand_written) = entries(service, of).await;
            entries_of[0].push(service);
            entries_of[1].push(hand_written);
        }
        Self {
            organization: all(organization),
            services: all(services),
            entries: entries_of,
            agents: all(agents),
        }
    }

    /// Each connection's requests: all organizations, each connection beginning elsewhere.
    pub fn of(&self, work: Work, side: Side, connections: usize) -> Vec<Vec<Request>> {
        let both = match work {
            Work::Organization => &self.organization,
            Work::Services => &self.services,
            Work::Entries => &self.entries,
            Work::Agents => &self.agents,
            Work::Edit => panic!("an edit is no reading"),
        };
        let all = &both[usize::from(side == Side::HandWritten)];
        let from = |connection: usize| {
            let mut own = all.clone();
            own.rotate_left(connection * all.len() / connections);
            own
        };
        (0..connections).map(from).collect()
    }

    /// Both servers must say the same, cursors aside: each has its own.
    pub async fn compare(&self, service: &Server, hand_written: &Server) {
        for (work, requests) in [
            (Work::Organization, &self.organization),
            (Work::Services, &self.services),
            (Work::Entries, &self.entries),
            (Work::Agents, &self.agents),
        ] {
            for (one, other) in requests[0].iter().zip(&requests[1]).take(10) {
                let mut said = [
                    client::ask(service.address, one).await["data"].take(),
                    client::ask(hand_written.address, other).await["data"].take(),
                ];
                for data in &mut said {
                    if let Some(cursor) = data.pointer_mut("/auditEntries/pageInfo/endCursor") {
                        cursor.take();
                    }
                }
                assert_eq!(said[0], said[1], "{work:?}");
            }
        }
    }
}

/// One edit of every contract. An organization's edits stay on one connection, since they wait for each other.
pub fn edits(data: &DataSet, side: Side, connections: usize, version: i32) -> Vec<Vec<Request>> {
    let mut lists = vec![Vec::new(); connections];
    for (place, of) in data.organizations.iter().enumerate() {
        let one = |contract| edit(side, of, contract, version, 50 + version % 50);
        lists[place % connections].extend((0..of.contracts.len()).map(one));
    }
    lists
}
