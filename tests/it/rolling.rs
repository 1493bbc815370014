//! Two servers on one PostgreSQL, each stopped and started anew while many write and read through a balancer: nobody sees
//! a failure, and each write is there once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use orgdesk::kernel::{Clock as _, SystemClock};
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    audit::breaks,
    support::{
        app::TestApp,
        balancer::Balancer,
        cluster::free_port,
        import_server::{number, orgdesk},
        ledger::texts,
        running::Running,
        sink::Sink,
        ticket,
    },
};

/// How many write, and how many read, at the same time.
const WRITERS: usize = 3;
const READERS: usize = 2;
/// How often each server is started anew.
const ROUNDS: usize = 2;

/// What everybody who asks knows.
struct Load {
    url: String,
    token: String,
    desk: String,
    is_over: AtomicBool,
    answered: AtomicUsize,
}

impl Load {
    async fn ask(&self, client: &Client, query: &str, variables: Value) -> Result<Value, String> {
        let body = json!({ "query": query, "variables": variables });
        let sent = client.post(&self.url).bearer_auth(&self.token).json(&body).send().await;
        let answer = sent.map_err(|error| format!("{error:?}"))?;
        let status = answer.status();
        let answer: Value = answer.json().await.map_err(|error| format!("{status} {error:?}"))?;
        if status != 200 || answer.get("errors").is_some() {
            return Err(format!("{status} {answer}"));
        }
        self.answered.fetch_add(1, Ordering::SeqCst);
        Ok(answer["data"].clone())
    }

    /// Writes tickets until it is over: what they are called, and what failed.
    async fn write(&self, client: Client, writer: usize) -> Result<Vec<String>, String> {
        let query = "mutation M($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } userErrors { code field } } }";
        let mut written = Vec::new();
        while !self.is_over.load(Ordering::SeqCst) {
            let name = format!("{writer}-{}", written.len());
            let values = ticket::values(&json!({}));
            let input = json!({ "serviceId": self.desk, "values": values, "externalReference": name });
            let made = self.ask(&client, query, json!({ "input": input })).await?;
            if made["ticketCreate"]["userErrors"] != json!([]) {
                return Err(made.to_string());
            }
            written.push(name);
        }
        Ok(written)
    }

    /// Reads until it is over; what is read never gets less.
    async fn read(&self, client: Client) -> Result<Vec<String>, String> {
        let query = "query Q($id: ID!) { tickets(serviceId: $id, first: 5) { totalCount nodes { number } } }";
        let mut seen = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            let data = self.ask(&client, query, json!({ "id": self.desk })).await?;
            let count = data["tickets"]["totalCount"].as_i64().unwrap_or(-1);
            if count < seen {
                return Err(format!("{count} after {seen}"));
            }
            seen = count;
        }
        Ok(Vec::new())
    }

    /// Waits until so many more were answered, or somebody has failed.
    async fn more(&self, answers: usize) {
        let before = self.answered.load(Ordering::SeqCst);
        while self.answered.load(Ordering::SeqCst) < before + answers && !self.is_over.load(Ordering::SeqCst) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

/// One who opens a connection for each request, or keeps one as long as the server lets him.
fn client(keeps: bool) -> Client {
    let client = Client::builder().no_proxy();
    let client = if keeps {
        client
    } else {
        client.pool_max_idle_per_host(0)
    };
    client.build().unwrap()
}

// case: K9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_servers_are_started_anew_one_by_one_and_nobody_sees_a_failure() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let desk = ticket::desk(&app, "desk").await;
    app.clock.set(SystemClock.now().0);
    let sink = Sink::start();
    let addresses = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    let start = |place: usize| {
        let mut command = orgdesk(&app, &["serve"], sink.port);
        let address = &addresses[place];
        // They ask more than anybody may.
        command.envs([
            ("ORGDESK_LISTEN", address.as_str()),
            ("ORGDESK_COST_BUCKET", "1000000000"),
            ("ORGDESK_COST_REFILL", "1000000000"),
        ]);
        Running::start(&mut command, address)
    };
    let mut servers: Vec<_> = (0..2)
        .map(|place| Some(tokio::task::block_in_place(|| start(place))))
        .collect();
    let balancer = Balancer::before(&addresses).await;
    let load = Arc::new(Load {
        url: format!("http://{}/graphql", balancer.address),
        token: app.someone("acme", "manager").token().await,
        desk: desk.id.clone(),
        is_over: AtomicBool::new(false),
        answered: AtomicUsize::new(0),
    });

    let mut asking = Vec::new();
    for who in 0..WRITERS + READERS {
        let load = load.clone();
        asking.push(tokio::spawn(async move {
            let client = client(who % 2 == 0);
            let ended = if who < WRITERS {
                load.write(client, who).await
            } else {
                load.read(client).await
            };
            if ended.is_err() {
                load.is_over.store(true, Ordering::SeqCst);
            }
            ended
        }));
    }
    for _ in 0..ROUNDS {
        for (place, server) in servers.iter_mut().enumerate() {
            load.more(20).await;
            let stopped = server.take().unwrap();
            let ended = tokio::task::block_in_place(|| stopped.terminate());
            assert!(ended.success(), "{ended}");
            load.more(10).await;
            *server = Some(tokio::task::block_in_place(|| start(place)));
        }
    }
    load.more(20).await;
    load.is_over.store(true, Ordering::SeqCst);
    let ended: Vec<Result<Vec<String>, String>> = join_all(asking).await.into_iter().map(Result::unwrap).collect();

    let failures: Vec<_> = ended.iter().filter_map(|ended| ended.as_ref().err()).collect();
    assert_eq!(failures, Vec::<&String>::new());
    let mut written: Vec<String> = ended.into_iter().flat_map(Result::unwrap).collect();
    let mut there = texts(&app, "SELECT external_id FROM ticket").await;
    written.sort();
    there.sort();
    assert_eq!(there, written, "each once");
    let entries = "SELECT count(*) FROM audit_entry WHERE action = 'TICKET_CREATE' AND outcome = 'DONE'";
    assert_eq!(number(&app, entries).await, written.len());
    assert_eq!(breaks(&app).await, Vec::<String>::new());
    assert!(
        balancer.carried().iter().all(|count| *count > 0),
        "{:?}",
        balancer.carried()
    );
    println!(
        "{} answered, {} written, connections {:?}",
        load.answered.load(Ordering::SeqCst),
        written.len(),
        balancer.carried()
    );
}
