//! What Prometheus is told, by a server of its own process: what the server did, and nothing of anybody.

use serde_json::json;

use crate::{
    both,
    support::{cluster::free_port, import_server::orgdesk, running::Running},
};

both! {
    async fn p3_prometheus_is_told_what_a_server_does_at_an_address_of_its_own(app) {
        let [desk, metrics] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
        let mut command = orgdesk(&app, &["serve"], free_port());
        let command = command.env("ORGDESK_LISTEN", &desk).env("ORGDESK_METRICS_LISTEN", &metrics);
        let _server = Running::start(command, &desk);
        let client = reqwest::Client::new();
        let ask = async |address: &str, path: &str| {
            let reply = client.get(format!("http://{address}{path}")).send().await.unwrap();
            (reply.status().as_u16(), reply.text().await.unwrap())
        };
        assert_eq!(ask(&desk, "/metrics").await.0, 404, "not where everybody is");
        assert_eq!(ask(&desk, "/who/홍길동").await.0, 404);
        let question = json!({ "query": "{ services(first: 1) { nodes { id } } }" });
        client.post(format!("http://{desk}/graphql")).json(&question).send().await.unwrap();

        let (status, told) = ask(&metrics, "/metrics").await;

        assert_eq!(status, 200, "{told}");
        for line in [
            "orgdesk_http_requests_total{route=\"none\",status=\"404\"} 2",
            "orgdesk_http_request_duration_seconds_count{route=\"/graphql\"} 1",
            "orgdesk_graphql_errors_total{code=\"UNAUTHENTICATED\"} 1",
            "orgdesk_http_requests_in_flight 0",
            "orgdesk_sockets 0",
            "orgdesk_database_up 1",
            "orgdesk_jobs{state=\"dead\"} 0",
            "# EOF",
        ] {
            assert!(told.lines().any(|own| own == line), "{line}\n{told}");
        }
        for name in ["orgdesk_build_info{version=", "orgdesk_database_connections{pool=\"writing\",state=\"idle\"}", "orgdesk_resident_memory_bytes "] {
            assert!(told.lines().any(|line| line.starts_with(name)), "{name}\n{told}");
        }
        assert!(!told.contains("홍길동") && !told.contains("/who") && !told.contains("services"), "{told}");
        assert_eq!(ask(&metrics, "/graphql").await.0, 404, "the API is not there");
    }
}
