//! How much of a server sockets may take: of one member, of one organization, from one address, and of one who does not read.

use std::{io, time::Duration};

use orgdesk::api::socket::{PROTOCOL, SocketSettings};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpSocket, time::timeout};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{
    both,
    support::{
        app::TestApp,
        progress::{give_up, job, waiting_import},
        socket::{Client, Heard, PROGRESS, Server, patient, watchful},
    },
};

/// As [`Server::connect`] says it: the status of a refusal.
async fn status(server: &Server) -> Result<Client, u16> {
    let opened = server.connect(&[("sec-websocket-protocol", PROTOCOL)]).await;
    opened.map_err(|refusal| refusal.status().as_u16())
}

/// What becomes of a socket of whoever has this token: `None` where he is let in.
async fn close_code(server: &Server, token: &str) -> Option<u16> {
    let mut client = server.open().await;
    client.init(token).await;
    match client.hear().await {
        Heard::Closed(code, _) => Some(code),
        Heard::Said(_) => None,
    }
}

/// What an event cost, as it says itself.
fn counted(said: &Value) -> i64 {
    said["payload"]["extensions"]["cost"]["actualQueryCost"]
        .as_i64()
        .unwrap()
}

both! {
    async fn g7_a_member_and_an_organization_have_so_many_sockets(app) {
        let few = SocketSettings { most_of_member: 2, most_of_organization: 3, ..patient() };
        let server = Server::start(&app, few).await;
        let (owner, again) = (app.owner().token().await, app.owner().token().await);
        let (admin, member, rival) = (app.administrator().token().await, app.member().token().await, app.rival().token().await);
        let one = server.let_in(&owner).await;
        let _two = server.let_in(&again).await;

        assert_eq!(close_code(&server, &again).await, Some(4429), "a third of one member, whatever his session");
        let _three = server.let_in(&admin).await;
        assert_eq!(close_code(&server, &member).await, Some(4429), "a fourth of one organization");
        let _elsewhere = server.let_in(&rival).await;
        drop(one);
        while server.sockets.count() > 3 {
            tokio::task::yield_now().await;
        }
        let _next = server.let_in(&member).await;
    }

    async fn g7_a_server_and_an_address_have_so_many_sockets(app) {
        let few = SocketSettings { most: 2, most_strangers_of_address: 2, ..patient() };
        let server = Server::start(&app, few).await;
        let (mut one, two) = (status(&server).await.unwrap(), status(&server).await.unwrap());

        assert_eq!(status(&server).await.err(), Some(429), "a third that nobody knows");
        one.init(&app.owner().token().await).await;
        assert_eq!(one.said().await["type"], "connection_ack");
        let mut three = status(&server).await.unwrap();
        three.init(&app.owner().token().await).await;
        assert_eq!(three.said().await["type"], "connection_ack");
        assert_eq!(status(&server).await.err(), Some(503), "a third that is known");
        let mut late = two;
        late.init(&app.administrator().token().await).await;
        assert_eq!(late.hear().await.code(), 1013, "nor of those who wait");
        drop(three);
        while server.sockets.count() > 1 {
            tokio::task::yield_now().await;
        }
        assert!(status(&server).await.is_ok());
    }

    async fn g7_strangers_take_no_place_of_callers_and_make_room_for_each_other(app) {
        let few = SocketSettings { most: 2, most_strangers: 2, ..patient() };
        let server = Server::start(&app, few).await;
        let token = app.owner().token().await;
        let mut known = server.let_in(&token).await;
        let (mut oldest, mut older) = (server.open().await, server.open().await);

        let mut also = server.let_in(&token).await;

        assert_eq!(oldest.hear().await.code(), 4408, "whoever has waited the longest makes room");
        for client in [&mut known, &mut also, &mut older] {
            client.say(json!({ "type": "ping" })).await;
            assert_eq!(client.said().await["type"], "pong");
        }
    }

    async fn g7_a_member_and_an_organization_have_so_many_subscriptions(app) {
        let id = waiting_import(&app).await;
        let few = SocketSettings { most_operations_of_member: 2, most_operations_of_organization: 3, ..patient() };
        let server = Server::start(&app, few).await;
        let (owner, admin, rival) = (app.owner().token().await, app.administrator().token().await, app.rival().token().await);
        let mut one = server.let_in(&owner).await;
        let mut two = server.let_in(&owner).await;
        let mut other = server.let_in(&admin).await;
        let begin = async |client: &mut Client, name: &str| {
            client.subscribe(name, PROGRESS, json!({ "id": id })).await;
            let said = client.said().await;
            said["payload"][0]["extensions"]["code"].as_str().unwrap_or(said["type"].as_str().unwrap()).to_owned()
        };

        assert_eq!((begin(&mut one, "a").await, begin(&mut two, "a").await), ("next".into(), "next".into()));
        assert_eq!(begin(&mut two, "b").await, "TOO_MANY_SUBSCRIPTIONS", "a third of one member, on whichever socket");
        assert_eq!(begin(&mut other, "a").await, "next");
        assert_eq!(begin(&mut other, "b").await, "TOO_MANY_SUBSCRIPTIONS", "a fourth of one organization");
        one.say(json!({ "type": "complete", "id": "a" })).await;
        one.say(json!({ "type": "ping" })).await;
        assert_eq!(one.said().await["type"], "pong");
        assert_eq!(begin(&mut other, "b").await, "next", "what was completed has left its place");
        drop(two);
        while server.sockets.count() > 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(begin(&mut one, "a").await, "next", "and so has whoever is gone");
        let mut elsewhere = server.let_in(&rival).await;
        assert_eq!(begin(&mut elsewhere, "a").await, "BAD_USER_INPUT", "others have their own");
    }

    // case: E11
    async fn g5_each_event_of_a_subscription_comes_out_of_its_callers_bucket(app) {
        let app = watchful(app.server_spending(1_000, 1).await);
        let id = waiting_import(&app).await;
        let server = Server::start(&app, SocketSettings { most_idle: u32::MAX, ..patient() }).await;
        let (owner, admin) = (app.owner().token().await, app.administrator().token().await);
        let mut poor = server.let_in(&admin).await;
        poor.subscribe("1", PROGRESS, json!({ "id": id })).await;
        let first = poor.said().await;
        let left = |said: &Value| said["payload"]["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"].as_i64().unwrap();
        assert_eq!((counted(&first), left(&first)), (2, 1_000 - 10 - 2), "{first}");
        let mut rich = server.let_in(&owner).await;
        rich.subscribe("1", PROGRESS, json!({ "id": id })).await;
        let before = left(&rich.said().await);
        // Whoever gives up at once has paid.
        let mut given_up = 0;
        loop {
            poor.subscribe("2", PROGRESS, json!({ "id": id })).await;
            poor.say(json!({ "type": "complete", "id": "2" })).await;
            poor.say(json!({ "type": "ping" })).await;
            let said = loop {
                let said = poor.said().await;
                if said["type"] != "next" {
                    break said;
                }
            };
            if said["type"] == "error" {
                assert_eq!(said["payload"][0]["extensions"]["code"], "THROTTLED", "{said}");
                assert_eq!(poor.said().await["type"], "pong");
                break;
            }
            given_up += 1;
            assert!(given_up <= 500, "it costs nothing to begin");
        }
        assert!(given_up >= 400, "{given_up}");

        give_up(&app, &id).await;

        let last = rich.said().await;
        assert_eq!(job(&last)["state"], "CANCELED", "{last}");
        assert!(left(&last) <= before - 2, "{last}");
        poor.say(json!({ "type": "ping" })).await;
        assert_eq!(poor.said().await["type"], "pong", "who has no points left is not told yet");
        app.wait(chrono::Duration::seconds(30));
        let told = poor.said().await;
        assert_eq!(job(&told)["state"], "CANCELED", "{told}");
    }

    async fn g7_a_socket_has_so_many_subscriptions_each_with_an_id_of_its_own(app) {
        let id = waiting_import(&app).await;
        let few = SocketSettings { most_operations: 2, ..patient() };
        let server = Server::start(&app, few).await;
        let mut client = server.let_in(&app.owner().token().await).await;
        for name in ["a", "b"] {
            client.subscribe(name, PROGRESS, json!({ "id": id })).await;
            assert_eq!(client.said().await["id"], name);
        }

        client.subscribe("c", PROGRESS, json!({ "id": id })).await;
        assert_eq!(client.refusal().await, "error TOO_MANY_SUBSCRIPTIONS");
        client.say(json!({ "type": "complete", "id": "a" })).await;
        client.subscribe("a", PROGRESS, json!({ "id": id })).await;
        assert_eq!(client.said().await["type"], "next");
        client.say(json!({ "type": "complete", "id": "nobody's" })).await;
        client.subscribe("b", PROGRESS, json!({ "id": id })).await;

        assert_eq!(client.hear().await.code(), 4409);
        while app.app.watches.count() > 0 || server.sockets.count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    // case: E11
    async fn g7_messages_that_begin_nothing_are_of_a_number(app) {
        let few = SocketSettings { most_idle: 4, idle_back: Duration::from_secs(3_600), most_operations: 0, ..patient() };
        let server = Server::start(&app, few).await;
        let token = app.owner().token().await;
        let begin = json!({ "type": "subscribe", "id": "1", "payload": { "query": PROGRESS } }).to_string();
        for (message, answer) in [
            (Message::text(r#"{"type":"ping"}"#), Some("pong")),
            (Message::text(r#"{"type":"pong"}"#), None),
            (Message::text(r#"{"type":"complete","id":"nobody's"}"#), None),
            (Message::text(begin), Some("error")),
            (Message::Ping(Vec::new().into()), None),
            (Message::Pong(Vec::new().into()), None),
        ] {
            for is_known in [true, false] {
                if !is_known && answer == Some("error") {
                    continue;
                }
                let mut client = if is_known { server.let_in(&token).await } else { server.open().await };
                for _ in 0..5 {
                    client.send(message.clone()).await;
                }
                for _ in 0..if answer.is_some() { 4 } else { 0 } {
                    assert_eq!(client.said().await["type"], answer.unwrap(), "{message:?}");
                }
                assert_eq!(client.hear().await.code(), 4429, "{message:?}");
            }
        }
    }

    // case: E11
    async fn g5_sockets_and_subscriptions_come_out_of_the_callers_bucket(app) {
        let app = app.server_spending(5_000, 1).await;
        let server = Server::start(&app, patient()).await;
        let token = app.member().token().await;
        let mut client = server.let_in(&token).await;
        let dear = json!({ "query": "{ services(first: 100) { nodes { contract { status } } } }" });
        let post = || reqwest::Client::new().post(format!("http://{}/graphql", server.address)).bearer_auth(&token).json(&dear).send();
        while post().await.unwrap().status() == 200 {}

        let mut told = Vec::new();
        while told.last().is_none_or(|last| last != "error THROTTLED") && told.len() < 200 {
            client.subscribe("1", PROGRESS, json!({ "id": "imp_x" })).await;
            told.push(client.refusal().await);
        }

        assert_eq!(told.pop().as_deref(), Some("error THROTTLED"));
        assert!(told.iter().all(|one| one == "error FORBIDDEN"), "{told:?}");
        assert_eq!(close_code(&server, &token).await, Some(4429));
        assert_eq!(close_code(&server, &app.owner().token().await).await, None, "others have theirs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_whoever_does_not_read_is_cut_off() {
    let app = TestApp::on_sqlite().await;
    let impatient = SocketSettings {
        send_within: Duration::from_millis(200),
        most_idle: u32::MAX,
        ..patient()
    };
    let token = app.owner().token().await;
    never_read(&Server::start(&app, impatient).await, Some(&token)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_a_stranger_stays_no_longer_by_not_reading() {
    let app = TestApp::on_sqlite().await;
    let hasty = SocketSettings {
        init_within: Duration::from_millis(200),
        send_within: Duration::from_secs(3_600),
        most_idle: u32::MAX,
        ..patient()
    };
    never_read(&Server::start(&app, hasty).await, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_whoever_does_not_read_keeps_nobody_else_from_looking() {
    let app = TestApp::on_sqlite().await;
    let app = watchful(app.server_spending(10_000_000, 1).await);
    let id = waiting_import(&app).await;
    let stubborn = SocketSettings {
        send_within: Duration::from_secs(3_600),
        most_idle: u32::MAX,
        ..patient()
    };
    let server = Server::start(&app, stubborn).await;
    let mut deaf = deaf(&server, Some(&app.administrator().token().await)).await;
    // Wherever it stands still, some of these have just begun: good ones, and ones that are refused.
    let about = |number: usize| {
        let query = ["subscription { nothing }", PROGRESS][number % 2];
        let payload = json!({ "query": query, "variables": { "id": id } });
        let begin = json!({ "type": "subscribe", "id": number.to_string(), "payload": payload });
        let end = json!({ "type": "complete", "id": number.saturating_sub(15).to_string() });
        let texts = [begin.to_string(), end.to_string()];
        let pings = vec![r#"{"type":"ping"}"#.to_owned(); 30];
        texts
            .iter()
            .chain(&pings)
            .flat_map(|text| frame(text))
            .collect::<Vec<u8>>()
    };
    for number in 0..20_000 {
        let about = about(number);
        match timeout(Duration::from_secs(2), deaf.0.get_mut().write_all(&about)).await {
            Ok(sent) => sent.unwrap(),
            Err(_) => break,
        }
    }
    let mut client = server.let_in(&app.owner().token().await).await;

    client.subscribe("1", PROGRESS, json!({ "id": id })).await;
    assert_eq!(client.said().await["type"], "next");
    give_up(&app, &id).await;

    assert_eq!(job(&client.said().await)["state"], "CANCELED");
    assert_eq!(client.said().await["type"], "complete");
    drop(deaf);
}

/// A frame as clients write it: final, of text, masked with zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81];
    match u8::try_from(length).ok().filter(|length| *length < 126) {
        Some(short) => frame.push(0x80 | short),
        None => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// A client that takes little before it reads, as whoever has this token or as nobody.
async fn deaf(server: &Server, token: Option<&str>) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let stream = socket.connect(server.address).await.unwrap();
    let mut request = format!("ws://{}/graphql", server.address)
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", PROTOCOL.parse().unwrap());
    let (socket, _) = client_async(request, stream).await.unwrap();
    let mut client = Client(socket);
    if let Some(token) = token {
        client.init(token).await;
        client.said().await;
    }
    client
}

/// Asks for signs of life without end and reads none, as whoever has this token or as nobody, until the socket is closed.
async fn never_read(server: &Server, token: Option<&str>) {
    let mut client = deaf(server, token).await;
    let many = frame(r#"{"type":"ping"}"#).repeat(1_000);

    let mut end: Option<io::Error> = None;
    for _ in 0..5_000 {
        if let Err(error) = client.0.get_mut().write_all(&many).await {
            end = Some(error);
            break;
        }
    }

    assert!(end.is_some(), "it was never cut off");
    while server.sockets.count() > 0 {
        tokio::task::yield_now().await;
    }
}
