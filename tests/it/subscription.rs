//! graphql-transport-ws as its clients know it: who is let in, what is said, and with which code a socket is closed.

use std::time::Duration;

use orgdesk::api::socket::{MAX_MESSAGE_BYTES, PROTOCOL, SocketSettings};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    both,
    support::{
        app::TestApp,
        socket::{PROGRESS, Server, patient},
    },
};

/// The code of a refusal in HTTP, with its status.
async fn refused(server: &Server, headers: &[(&'static str, &str)]) -> (u16, String) {
    let Err(refusal) = server.connect(headers).await else {
        panic!("{headers:?} was let in");
    };
    let body = String::from_utf8(refusal.body().clone().unwrap_or_default()).unwrap();
    let code = body.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next());
    (refusal.status().as_u16(), code.unwrap_or_default().to_owned())
}

both! {
    async fn g7_the_protocol_is_the_only_one_and_pages_of_others_are_sent_away(app) {
        let server = Server::start(&app, patient()).await;
        let host = server.address.to_string();
        let own = format!("http://{host}");

        for protocols in ["graphql-ws", "graphql-transport-wss", "soap, graphql-ws"] {
            assert_eq!(refused(&server, &[("sec-websocket-protocol", protocols)]).await, (400, "BAD_REQUEST".into()), "{protocols}");
        }
        assert_eq!(refused(&server, &[]).await, (400, "BAD_REQUEST".into()));
        for origin in ["https://evil.example.com", "null", "https://app.example.com.evil.com", "http://app.example.com", "https://desk.example.com.evil.com", "https://", ""] {
            let headers = [("sec-websocket-protocol", PROTOCOL), ("origin", origin)];
            assert_eq!(refused(&server, &headers).await, (403, "ORIGIN_NOT_ALLOWED".into()), "{origin}");
        }
        for origin in ["https://app.example.com", "https://desk.example.com", &own] {
            let headers = [("sec-websocket-protocol", "soap, graphql-transport-ws"), ("origin", origin)];
            assert!(server.connect(&headers).await.is_ok(), "{origin}");
        }
    }

    async fn g7_nobody_is_let_in_without_a_good_token(app) {
        let server = Server::start(&app, patient()).await;
        let token = app.owner().token().await;
        let bearer = format!("Bearer {token}");

        for payload in [json!(null), json!({}), json!({ "authorization": token }), json!({ "authorization": "Bearer no.token.ofours" }), json!({ "authorization": "Basic YTpi" })] {
            let mut client = server.open().await;
            client.say(json!({ "type": "connection_init", "payload": payload })).await;
            assert_eq!(client.hear().await.code(), 4403, "{payload}");
        }
        let mut early = server.open().await;
        early.subscribe("1", PROGRESS, json!({ "id": "imp_x" })).await;
        assert_eq!(early.hear().await.code(), 4401);
        let mut alive = server.open().await;
        alive.say(json!({ "type": "ping", "payload": { "a": 1 } })).await;
        assert_eq!(alive.said().await, json!({ "type": "pong" }), "whoever is not known yet may ask for a sign of life");
        alive.say(json!({ "type": "connection_init", "payload": { "Authorization": bearer } })).await;
        assert_eq!(alive.said().await, json!({ "type": "connection_ack" }));
    }

    async fn g7_a_socket_ends_with_its_token(app) {
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&app.owner().token().await).await;
        app.wait(chrono::Duration::minutes(9));
        client.say(json!({ "type": "ping" })).await;
        assert_eq!(client.said().await["type"], "pong");

        app.wait(chrono::Duration::minutes(1));

        assert_eq!(client.hear().await.code(), 4403);
    }

    async fn g7_a_socket_ends_with_its_session(app) {
        let often = SocketSettings { recheck_every: Duration::from_millis(50), ..patient() };
        let server = Server::start(&app, often).await;
        let (ended, other) = (app.owner().token().await, app.administrator().token().await);
        let mut client = server.let_in(&ended).await;
        let mut stays = server.let_in(&other).await;

        app.bearing(&ended).deed("sessionEndAll", json!({})).await;

        assert_eq!(client.hear().await.code(), 4403);
        stays.say(json!({ "type": "ping" })).await;
        assert_eq!(stays.said().await["type"], "pong");
    }

    async fn g7_what_the_protocol_does_not_know_closes_the_socket(app) {
        let server = Server::start(&app, patient()).await;
        let token = app.owner().token().await;
        for (text, code) in [
            ("{}", 4400),
            ("nonsense", 4400),
            (r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#, 4400),
            (r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#, 4400),
            (r#"{"type":"connection_init"}"#, 4429),
        ] {
            let mut client = server.let_in(&token).await;
            client.send(Message::text(text)).await;
            assert_eq!(client.hear().await.code(), code, "{text}");
        }
        let mut client = server.let_in(&token).await;
        client.send(Message::binary(br#"{"type":"ping"}"#.to_vec())).await;
        assert_eq!(client.hear().await.code(), 4400);
    }

    async fn g7_a_message_may_be_so_long_and_no_longer(app) {
        let server = Server::start(&app, patient()).await;
        let token = app.owner().token().await;
        let ping = |length: usize| {
            let around = r#"{"type":"ping","payload":{"a":""}}"#.len();
            Message::text(format!(r#"{{"type":"ping","payload":{{"a":"{}"}}}}"#, "x".repeat(length - around)))
        };
        let mut client = server.let_in(&token).await;
        client.send(ping(MAX_MESSAGE_BYTES)).await;
        assert_eq!(client.said().await["type"], "pong");

        client.send(ping(MAX_MESSAGE_BYTES + 1)).await;

        assert_eq!(client.hear().await.code(), 1009);
        let mut client = server.let_in(&token).await;
        let _ = futures_util::SinkExt::send(&mut client.0, ping(16 * MAX_MESSAGE_BYTES)).await;
        assert!([0, 1009].contains(&client.hear().await.code()), "what is far too long is not read to its end");
    }

    async fn g7_queries_and_mutations_are_sent_with_post_and_subscriptions_are_not(app) {
        let server = Server::start(&app, patient()).await;
        let token = app.owner().token().await;
        let mut client = server.let_in(&token).await;

        for query in ["{ services { totalCount } }", "mutation { sessionEnd { userErrors { code } } }", "{ __schema { queryType { name } } }"] {
            client.subscribe("1", query, json!({})).await;
            assert_eq!(client.refusal().await, "error ONLY_SUBSCRIPTIONS_SERVED", "{query}");
        }
        let posted = app.ask(Some(&token), PROGRESS, json!({ "id": "imp_x" })).await;
        assert_eq!(posted.code(), "SUBSCRIPTION_NOT_SERVED", "{}", posted.text);
        let got = reqwest::get(format!("http://{}/graphql", server.address)).await.unwrap();
        assert_eq!((got.status().as_u16(), &got.headers()["allow"]), (405, &"POST".parse().unwrap()));
    }

    // case: E2
    async fn g7_the_guards_of_requests_stand_before_subscriptions_too(app) {
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&app.owner().token().await).await;
        let mut bomb = String::from("subscription { ...F0 } fragment F28 on Subscription { __typename }");
        for depth in 0..28 {
            bomb += &format!(" fragment F{depth} on Subscription {{ ...F{0} ...F{0} }}", depth + 1);
        }
        let aliases = (0..31).map(|number| format!("a{number}: state ")).collect::<String>();
        let aliases = format!("subscription {{ jobProgress(id: \"imp_x\") {{ {aliases} }} }}");
        let two = "subscription { a: jobProgress(id: \"imp_x\") { state } b: jobProgress(id: \"imp_x\") { state } }";

        for (query, code) in [
            (bomb.as_str(), "QUERY_TOO_COMPLEX"),
            (&aliases, "QUERY_TOO_COMPLEX"),
            ("subscription {", "GRAPHQL_PARSE_FAILED"),
            ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
            (two, "GRAPHQL_VALIDATION_FAILED"),
            (PROGRESS, "BAD_USER_INPUT"),
            ("subscription { jobProgress { state } }", "GRAPHQL_VALIDATION_FAILED"),
            ("", "BAD_REQUEST"),
        ] {
            client.subscribe("1", query, json!({})).await;
            assert_eq!(client.refusal().await, format!("error {code}"), "{query:.60}");
        }
    }

    async fn g7_when_the_server_stops_its_sockets_are_told_to_come_again(app) {
        let server = Server::start(&app, patient()).await;
        let mut known = server.let_in(&app.owner().token().await).await;
        let mut stranger = server.open().await;
        let sockets = server.sockets.clone();
        assert_eq!(sockets.count(), 2);

        sockets.stop();
        let late = refused(&server, &[("sec-websocket-protocol", PROTOCOL)]).await;
        let heard = (known.hear().await.code(), stranger.hear().await.code());
        server.stop().await;

        assert_eq!((late, heard), ((503, "OVERLOADED".into()), (1012, 1012)));
        assert_eq!(sockets.count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_whoever_does_not_begin_or_is_not_heard_of_is_closed() {
    let app = TestApp::on_sqlite().await;
    let hasty = SocketSettings {
        init_within: Duration::from_millis(500),
        silence: Duration::from_millis(300),
        ping_every: Duration::from_millis(50),
        ..patient()
    };
    let server = Server::start(&app, hasty).await;
    let mut silent = server.open().await;
    assert_eq!(silent.hear().await.code(), 4408);
    let token = app.owner().token().await;

    // As long as it reads, a client answers signs of life by itself.
    let mut alive = server.let_in(&token).await;
    let heard = tokio::time::timeout(Duration::from_millis(900), alive.hear()).await;
    assert!(heard.is_err(), "{heard:?}");
    alive.say(json!({ "type": "ping" })).await;
    assert_eq!(alive.said().await["type"], "pong");

    // One that does not is gone by the time it reads again.
    let mut away = server.let_in(&token).await;
    drop(alive);
    while server.sockets.count() > 0 {
        tokio::task::yield_now().await;
    }
    let code = away.hear().await.code();
    assert!([0, 1001].contains(&code), "{code}");
}
