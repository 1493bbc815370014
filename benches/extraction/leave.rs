//! Tickets that came by an import, as they do, entries of the audit log, and their way out as workbooks.

use std::time::{Duration, Instant};

use orgdesk::operate;
use serde_json::{Value, json};

use crate::{
    client::post,
    place::{self, MOVER, PATIENCE, Place, text},
    server::Server,
    usage::Used,
    workbook::Book,
};

/// The columns that leave: those that the import fills in, and each ticket's number in place of the customer's consent.
const COLUMNS: [&str; 15] = [
    "@number",
    "@receivedAt",
    "@processedAt",
    "@channel",
    "@status",
    "@processing",
    "@externalReference",
    "category",
    "mail",
    "subject",
    "content",
    "name",
    "phone",
    "typeOne",
    "account",
];

/// The columns of the audit log: all there are.
const ENTRY: [&str; 14] = [
    "occurredAt",
    "log",
    "sequence",
    "action",
    "outcome",
    "reasonCode",
    "actorKind",
    "actor",
    "address",
    "target",
    "targetReference",
    "subjects",
    "changes",
    "request",
];

/// A list that leaves.
#[derive(Clone, Copy, Debug)]
pub enum List<'s> {
    /// The tickets of a service: values of three columns are opened and masked.
    Tickets(&'s str),
    /// The audit log: what stands in the database stands in the file.
    Entries,
}

impl List<'_> {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tickets(_) => "tickets",
            Self::Entries => "entries of the audit log",
        }
    }

    fn input(self) -> Value {
        match self {
            Self::Tickets(service) => json!({ "list": { "tickets": { "serviceId": service } }, "columns": COLUMNS }),
            // Of one action, or the entries that the benchmark itself leaves would be counted.
            Self::Entries => json!({ "list": { "auditEntries": { "action": [ENTERED] } }, "columns": ENTRY }),
        }
    }
}

/// What the entries tell of.
const ENTERED: &str = "COMPANY_UPDATE";

/// How often it is asked how far something is.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// What an extraction took.
#[derive(Debug)]
pub struct Left {
    /// Its ID.
    pub extraction: String,
    /// From when the server began on it to its end.
    pub wall: Duration,
    pub used: Used,
    /// The size of the file.
    pub bytes: u64,
    /// The server's resident memory before, and how much more it was at most.
    pub idle: u64,
    pub extra: u64,
}

/// A service with so many tickets, received in the last hundred days; its ID.
pub async fn filled(place: &Place, rows: u32) -> String {
    let service = place.desk("desk", 0).await;
    let template = place.template(&service).await;
    let book = Book::make(&template, rows);
    let (import, version) = place.looked_through(&service, &book).await;
    let import = place.confirmed(&import, version).await;
    place.brought(&import, rows).await;
    operate::add_agent(&place.app, MOVER, "desk", "owner", true)
        .await
        .expect("a place in the service");
    let received = match place.url.starts_with("sqlite") {
        true => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-' || (number + 1) || ' minutes')",
        false => "now() - (number + 1) * interval '1 minute'",
    };
    place.run(&format!("UPDATE ticket SET received_at = {received}")).await;
    service
}

/// Fills the audit log with so many entries of the last hundred days, each as long as the one that adding a
/// service has left.
pub async fn logged(place: &Place, rows: u32) {
    let (id, at) = match place.url.starts_with("sqlite") {
        true => (
            "randomblob(16)",
            "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-' || (n + 1) || ' minutes')",
        ),
        false => ("gen_random_uuid()", "now() - (n + 1) * interval '1 minute'"),
    };
    let same = "log, outcome, reason, actor_kind, actor_id, actor_name, address, request_id, target_id, target_label, service_id,
        subjects, changes, previous_hash, hash, organization_id";
    place
        .run(&format!(
            "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {rows}),
                one AS (SELECT * FROM audit_entry WHERE action = 'SERVICE_CREATE'
                    AND organization_id = (SELECT id FROM organization WHERE domain = '{MOVER}') LIMIT 1)
             INSERT INTO audit_entry (id, occurred_at, sequence, action, {same})
             SELECT {id}, {at}, 1000000 + n, '{ENTERED}', {same} FROM one, series"
        ))
        .await;
}

/// The same installation with a server that has done nothing yet.
pub async fn restarted(mut place: Place) -> Place {
    let token = operate::access_token(&place.app, MOVER, "owner")
        .await
        .expect("a token");
    let query = json!({ "query": "{ viewer { permissions } }" });
    let first = post("/graphql", Some(&token), &query);
    let variables = place::variables(&place.url, place.folder.path());
    place.server = Server::with(variables, &first).await;
    place
}

/// Has a list leave.
pub async fn leave(place: &Place, list: List<'_>, rows: u32) -> Left {
    let idle = place.server.resident();
    let ((extraction, wall), used) = place.watched(made(place, list.input())).await;
    let row = &extraction["extraction"];
    assert_eq!(
        (&row["state"], &row["rowCount"]),
        (&json!("READY"), &json!(rows)),
        "{row}"
    );
    Left {
        extraction: text(&row["id"]),
        wall,
        bytes: row["byteSize"].as_u64().expect("a size"),
        idle,
        extra: used.server_peak.saturating_sub(idle),
        used,
    }
}

/// Asks for an extraction and waits for its end; how long the server was at work on it.
async fn made(place: &Place, input: Value) -> (Value, Duration) {
    let request = ("extractionRequest", "extraction { id }");
    let made = place.deed(MOVER, request, json!({ "input": input })).await;
    let id = text(&made["extraction"]["id"]);
    let query = "query E($id: ID!) { extraction(id: $id) { id state rowCount byteSize failure { code } } }";
    let (asked, mut begun) = (Instant::now(), None);
    loop {
        let seen = place.data_of(MOVER, query, json!({ "id": id })).await;
        match seen["extraction"]["state"].as_str() {
            Some("REQUESTED") => {}
            Some("RUNNING") => {
                begun.get_or_insert_with(Instant::now);
            }
            _ => return (seen, begun.unwrap_or(asked).elapsed()),
        }
        assert!(asked.elapsed() < PATIENCE, "{seen}");
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// The file of an extraction.
pub async fn file(place: &Place, extraction: &str) -> Vec<u8> {
    let query = "query F($id: ID!) { extraction(id: $id) { job { file { url } } } }";
    let seen = place.data_of(MOVER, query, json!({ "id": extraction })).await;
    let url = text(&seen["extraction"]["job"]["file"]["url"]);
    let path = url.strip_prefix("https://desk.example.com");
    let path = path.expect("an address of the service");
    // It comes in pieces.
    let answer = reqwest::get(format!("http://{}{path}", place.address())).await;
    let answer = answer.and_then(reqwest::Response::error_for_status);
    answer.expect("a file").bytes().await.expect("a file").to_vec()
}
