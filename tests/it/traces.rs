//! Traces, by a server of its own process to a receiver of the test's: what is in them, what never is, and that no request
//! suffers from a receiver that does.

use orgdesk::kernel::{
    App, Traces,
    config::{Sampling, TraceSettings},
};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp},
        cluster::free_port,
        collector::{Collector, Does, resource},
        import_server::orgdesk,
        imports::{self, GOOD, fill, template},
        make,
        progress::follow,
        running::Running,
        socket::{self, patient, watchful},
    },
};

const START: &str = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) {
    tokens { accessToken } userErrors { code } } }";
const SERVICES: &str = include_str!("../../docs/operations/service-list.graphql");
const INVITE: &str = include_str!("../../docs/operations/member-invite.graphql");

/// A caller's trace, and his span in it.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// An address, a number and a name of nobody's. They become a member's, which are kept as they are: those by which files are
/// searched for customers' data are others.
const PERSONAL: (&str, &str, &str) = ("tracekestrel@private-mail.example", "010-8264-1957", "황조롱이추적");

/// Words that stand in headers alone.
const SAID: [&str; 5] = [
    "vendorkestrel",
    "baggagekestrel",
    "agentkestrel",
    "203.0.113.77",
    "cookiekestrel",
];

/// A server that tells a collector of what it does.
struct Server {
    running: Running,
    address: String,
}

impl Server {
    fn start(app: &TestApp, collector: &Collector, more: &[(&str, &str)]) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = orgdesk(app, &["serve"], free_port());
        command
            .env("ORGDESK_LISTEN", &address)
            .env("ORGDESK_LOG", "json")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
            .env("OTEL_BSP_SCHEDULE_DELAY", "20")
            .envs(more.iter().copied());
        let running = Running::start(&mut command, &address);
        Self { running, address }
    }

    async fn ask(&self, headers: HeaderMap, query: &str, variables: Value) -> Value {
        let asked = reqwest::Client::new()
            .post(format!("http://{}/graphql", self.address))
            .headers(headers)
            .json(&json!({ "query": query, "variables": variables }));
        let reply = asked.send().await.unwrap();
        reply.json().await.unwrap()
    }

    /// Asks what costs nothing and needs nobody.
    async fn ping(&self, headers: HeaderMap) {
        let answer = self.ask(headers, "{ __typename }", json!({})).await;
        assert_eq!(answer["data"]["__typename"], "Query", "{answer}");
    }

    async fn sign_in(&self, password: &str) -> Value {
        let input = json!({ "organization": "acme", "login": "owner", "password": password });
        self.ask(HeaderMap::new(), START, json!({ "input": input })).await["data"]["sessionStart"].clone()
    }

    /// The lines of its log that have this word.
    fn lines(&self, word: &str) -> Vec<Value> {
        let printed = self.running.printed();
        let lines = printed.lines().filter(|line| line.contains(word));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

both! {
    async fn p3_traces_say_what_was_done_and_how_long_it_took(app) {
        let collector = Collector::start().await;
        let own = [("OTEL_EXPORTER_OTLP_HEADERS", "x-scope=desk"), ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")];
        let server = Server::start(&app, &collector, &own);
        let signed_in = server.sign_in(PASSWORD).await;
        let bearer = format!("Bearer {}", signed_in["tokens"]["accessToken"].as_str().unwrap());

        let asking = headers(&[("authorization", &bearer), ("traceparent", &parent("01"))]);
        let answer = server.ask(asking, SERVICES, json!({ "first": 1 })).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        let input = json!({ "login": "new.one", "name": "New One", "email": "new.one@example.com", "language": "ENGLISH" });
        let invited = server.ask(headers(&[("authorization", &bearer)]), INVITE, json!({ "input": input })).await;
        assert_eq!(invited["data"]["memberInvite"]["userErrors"], json!([]), "{invited}");
        server.ask(HeaderMap::new(), SERVICES, json!({ "first": 1 })).await;

        let listed = collector.wait_for("a query", |seen| seen.trace() == TRACE && seen.span.name == "query ServiceList").await;
        assert_eq!(listed.span.parent_span_id, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7], "it goes on with the caller's");
        for (name, value) in [("http.request.method", "POST"), ("http.route", "/graphql"), ("http.response.status_code", "200"),
            ("graphql.operation.type", "query"), ("graphql.operation.name", "ServiceList"), ("orgdesk.graphql.fields", "services"), ("error.type", "")] {
            assert_eq!(listed.attribute(name), value, "{name}");
        }
        let looked = collector.wait_for("its view", |seen| seen.is_part_of(&listed)).await;
        assert_eq!(looked.span.name, "read");
        let system = if app.admin_url.is_some() { "postgresql" } else { "sqlite" };
        assert_eq!(looked.attribute("db.system.name"), system);
        let [all, own] = [&listed, &looked].map(|seen| seen.attribute("orgdesk.database.statements").parse::<i64>().unwrap());
        assert!(0 < own && own <= all, "{own} of {all}");
        assert!(looked.span.start_time_unix_nano >= listed.span.start_time_unix_nano);
        assert!(looked.span.end_time_unix_nano <= listed.span.end_time_unix_nano);

        let deed = collector.wait_for("a deed", |seen| seen.span.name == "write MEMBER_INVITE").await;
        assert_eq!(deed.attribute("orgdesk.action"), "MEMBER_INVITE");
        let mutation = collector.wait_for("its mutation", |seen| deed.is_part_of(seen)).await;
        assert_eq!(mutation.span.name, "mutation MemberInvite");
        collector.wait_for("signing in", |seen| seen.span.name == "mutation sessionStart" && seen.attribute("graphql.operation.name").is_empty()).await;
        let refused = collector.wait_for("a refusal", |seen| seen.attribute("error.type") == "UNAUTHENTICATED").await;
        assert_eq!((refused.span.name.as_str(), refused.attribute("orgdesk.error.codes")), ("query ServiceList", "UNAUTHENTICATED"));
        let job = collector.wait_for("a job", |seen| seen.span.name == "job invitation-mail").await;
        assert_eq!((job.attribute("orgdesk.job.kind"), job.attribute("orgdesk.job.attempt")), ("invitation-mail", "1"));
        assert_eq!(job.attribute("orgdesk.job.outcome"), "failed", "no mail server listens");
        assert_eq!(job.span.status.as_ref().unwrap().code, 2);

        let came = collector.came();
        let of = resource(&came);
        for (name, value) in [("service.name", "orgdesk"), ("service.version", env!("CARGO_PKG_VERSION")), ("deployment.environment.name", "test")] {
            assert_eq!(of[name], value);
        }
        assert_eq!(of["service.instance.id"].len(), 36, "{of:?}");
        assert!(came.heads[0].starts_with("post /v1/traces ") && came.heads[0].contains("x-scope: desk"), "{}", came.heads[0]);
        assert!(!collector.spans().iter().any(|seen| seen.span.name.contains("health")), "probes are not traced");
        let access = server.lines(TRACE).into_iter().find(|line| line["target"] == "access").expect("the access line");
        assert_eq!((&access["span"]["trace_id"], &access["fields"]["status"]), (&json!(TRACE), &json!(200)), "{access}");
        let failed = server.lines("a job failed");
        assert_eq!(failed[0]["span"]["trace_id"], job.trace(), "{failed:?}");
    }

    async fn p3_nothing_of_anybody_is_in_a_trace(app) {
        let collector = Collector::start().await;
        let server = Server::start(&app, &collector, &[]);
        let signed_in = server.sign_in(PASSWORD).await;
        let token = signed_in["tokens"]["accessToken"].as_str().unwrap().to_owned();
        server.sign_in("kestrel is wrong").await;
        let said = headers(&[
            ("authorization", &format!("Bearer {token}")),
            ("traceparent", &parent("01")),
            ("tracestate", &format!("{}=1", SAID[0])),
            ("baggage", &format!("who={}", SAID[1])),
            ("user-agent", SAID[2]),
            ("x-forwarded-for", SAID[3]),
            ("forwarded", &format!("for={}", SAID[3])),
            ("cookie", SAID[4]),
            ("x-request-id", "tracekestrel-01082641957"),
        ]);
        let (mail, phone, name) = PERSONAL;
        let digits = phone.replace('-', "");
        let input = json!({ "login": "tracekestrel", "name": name, "email": mail, "language": "KOREAN" });
        for (query, variables) in [
            (INVITE.to_owned(), json!({ "input": input })),
            (INVITE.to_owned(), json!({ "input": input })),
            (INVITE.to_owned(), json!({ "input": { "login": mail, "name": phone, "email": name, "language": "KOREAN" } })),
            (format!("{{ members(search: {{ email: \"{mail}\" }}) {{ nodes {{ id }} }} }}"), json!({})),
            (format!("query tracekestrel_{digits} {{ tracekestrel_{digits}: services(first: 1) {{ nodes {{ id }} }} }}"), json!({})),
            (format!("{{ tracekestrel_{digits} }}"), json!({})),
            (format!("{{ node(id: \"{name}\") {{ id }} }}"), json!({})),
            (format!("{{ services(first: \"{phone}\") {{ nodes {{ id }} }} }}"), json!({})),
            (format!("{{ {name} \"{mail}\""), json!({})),
            ("query Q($first: Int) { services(first: $first) { nodes { id } } }".to_owned(), json!({ "first": phone, (digits.clone()): mail })),
            (format!("mutation {{ serviceUpdate(id: \"{mail}\", input: {{ name: \"{name}\", expectedVersion: 1 }}) {{ userErrors {{ code }} }} }}"), json!({})),
        ] {
            server.ask(said.clone(), &query, variables).await;
        }
        let client = reqwest::Client::new();
        for path in [format!("/who/{mail}"), format!("/files/{digits}"), format!("/pictures/{digits}?q={mail}"), format!("/graphql?query={name}")] {
            client.get(format!("http://{}{path}", server.address)).headers(said.clone()).send().await.unwrap();
        }
        let method = reqwest::Method::from_bytes(b"TRACEKESTREL").unwrap();
        client.request(method, format!("http://{}/graphql", server.address)).send().await.unwrap();
        server.ask(headers(&[("authorization", &format!("Bearer {digits}"))]), SERVICES, json!({})).await;
        let job = collector.wait_for("the letter's job", |seen| seen.span.name == "job invitation-mail").await;
        assert_eq!(job.attribute("orgdesk.job.outcome"), "failed");
        let Server { running, .. } = server;
        assert!(running.terminate().success());

        let spans = collector.spans();
        let count = |name: &str| spans.iter().filter(|seen| seen.span.name == name).count();
        assert_eq!((count("mutation MemberInvite"), count("mutation sessionStart")), (3, 2), "a stop sends what is there");
        assert!(count("query services") >= 3 && count("_OTHER /graphql") == 1 && count("query") >= 1);
        let texts = [mail, phone, name, &digits, &token, &token[token.len() - 20..], PASSWORD, "kestrel", "KESTREL", "acme", "owner", "127.0.0.1"];
        for body in &collector.came().bodies {
            for text in texts.iter().chain(&SAID) {
                let is_there = body.windows(text.len()).any(|part| part == text.as_bytes());
                assert!(!is_there, "{text} in {}", String::from_utf8_lossy(body));
            }
        }
    }

    async fn p3_a_receiver_that_fails_hangs_or_dies_harms_no_request(app) {
        let mut collector = Collector::start().await;
        collector.does(Does::Refuse);
        let small = [("OTEL_BSP_MAX_QUEUE_SIZE", "16"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")];
        let server = Server::start(&app, &collector, &small);

        server.ping(HeaderMap::new()).await;
        collector.wait_for_posts(1).await;
        server.ping(HeaderMap::new()).await;
        collector.wait_for_posts(2).await;
        collector.does(Does::Hang);
        server.ping(HeaderMap::new()).await;
        collector.wait_for_posts(3).await;
        let hung = collector.came().bodies.len();
        for _ in 0..100 {
            server.ping(HeaderMap::new()).await;
        }
        assert_eq!(collector.came().bodies.len(), hung, "one batch at a time");
        collector.does(Does::Take);
        collector.die().await;
        for _ in 0..20 {
            server.ping(HeaderMap::new()).await;
        }

        assert_eq!(server.lines("traces do not arrive").len(), 1, "the log says it once in a while");
        assert!(!server.running.printed().contains("panicked"));
        let Server { running, .. } = server;
        assert!(running.terminate().success());
        assert!(collector.spans().len() < 50, "what does not fit into the queue is gone");
    }

    async fn p3_a_caller_who_traces_decides_where_the_sampler_follows_him(app) {
        let collector = Collector::start().await;
        let server = Server::start(&app, &collector, &[("OTEL_TRACES_SAMPLER", "parentbased_always_off"), ("OTEL_SERVICE_NAME", "desk-2")]);

        server.ping(HeaderMap::new()).await;
        server.ping(headers(&[("traceparent", &parent("00").replace(TRACE, &"a".repeat(32)))])).await;
        server.ping(headers(&[("traceparent", &parent("01"))])).await;
        let unsampled = server.lines(&"a".repeat(32)).len();
        let Server { running, .. } = server;
        assert!(running.terminate().success());

        let spans = collector.spans();
        assert!(!spans.is_empty() && spans.iter().all(|seen| seen.trace() == TRACE), "{spans:?}");
        assert_eq!(resource(&collector.came())["service.name"], "desk-2");
        assert_eq!(unsampled, 1, "the log knows a trace that others keep");
    }

    async fn p3_a_caller_does_not_choose_where_the_sampler_heeds_nobody(app) {
        let collector = Collector::start().await;
        let server = Server::start(&app, &collector, &[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.5")]);
        // A ratio goes by the end of the trace's ID: the first would always be among those that are sent, the second never.
        let [low, high] = ["0000000000000001", "ffffffffffffffff"].map(|end| parent("01").replace(&TRACE[16..], end));
        for parent in [&low, &high] {
            for _ in 0..60 {
                server.ping(headers(&[("traceparent", parent)])).await;
            }
        }
        let chosen = [&low, &high].map(|parent| server.lines(&parent[3..35]).len());
        let Server { running, .. } = server;
        assert!(running.terminate().success());

        let sent = collector.spans().iter().filter(|seen| seen.span.name == "query").count();
        assert!((20..=100).contains(&sent), "{sent} of 120");
        assert_eq!(chosen, [0, 0], "the log has traces of its own");
    }

    async fn p3_an_import_shows_its_parts_and_a_subscription_is_one_span(app) {
        let collector = Collector::start().await;
        let settings = TraceSettings {
            endpoint: format!("{}/v1/traces", collector.url).parse().unwrap(),
            headers: HeaderMap::new(),
            timeout: std::time::Duration::from_secs(10),
            sampling: Sampling { follows_caller: true, ratio: 1.0 },
            service_name: None,
        };
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let id = imports::reserved(&app, app.owner(), &desk.id, &fill(&template, &vec![GOOD; 600])).await;
        let traces = Traces::start(Some(&settings), &app.app.random).unwrap();
        let app = watchful(app).changed(|app| App { traces: traces.clone(), ..app });
        let server = socket::Server::start(&app, patient()).await;
        app.go_to("2026-11-11T00:59:59+09:00");
        let mut client = server.let_in(&app.owner().token().await).await;
        follow(&mut client, &id).await;

        app.go_to("2026-11-11T01:00:00+09:00");
        app.run_due().await;
        while client.said().await["type"] != "complete" {}
        server.stop().await;
        traces.end().await;

        let spans = collector.spans();
        let named = |name: &str| spans.iter().filter(|seen| seen.span.name == name).collect::<Vec<_>>();
        let followed = named("subscription jobProgress");
        assert_eq!(followed.len(), 1);
        assert!(!spans.iter().any(|seen| seen.is_part_of(followed[0])), "nothing stands below what may go on for hours");
        assert_ne!(followed[0].attribute("orgdesk.database.statements"), "");
        let run = spans.iter().find(|seen| seen.attribute("orgdesk.job.kind") == "import-run").expect("the import");
        assert_eq!(run.attribute("orgdesk.job.outcome"), "done");
        let parts = spans.iter().filter(|seen| seen.is_part_of(run) && seen.attribute("orgdesk.action") == "IMPORT_PROGRESS");
        assert!(parts.count() > 1, "{:?}", spans.iter().map(|seen| &seen.span.name).collect::<Vec<_>>());
    }
}
