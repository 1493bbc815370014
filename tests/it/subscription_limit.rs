//! How much of a server sockets may take: of one member, of one organization, from one address, and of one who does not read.

use std::{io, time::Duration};

use orgdesk::api::socket::{PROTOCOL, SocketSettings};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpSocket};
use tokio_tungstenite::{client_async, tungstenite::client::IntoClientRequest};

use crate::{
    both,
    support::{
        app::TestApp,
        imports::{self, GOOD, fill, template},
        make,
        socket::{Client, Heard, PROGRESS, Server, patient},
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
        let few = SocketSettings { most: 4, most_strangers: 2, ..patient() };
        let server = Server::start(&app, few).await;
        let (mut one, two) = (status(&server).await.unwrap(), status(&server).await.unwrap());

        assert_eq!(status(&server).await.err(), Some(429), "a third that nobody knows");
        one.init(&app.owner().token().await).await;
        assert_eq!(one.said().await["type"], "connection_ack");
        let mut three = status(&server).await.unwrap();
        three.init(&app.owner().token().await).await;
        assert_eq!(three.said().await["type"], "connection_ack");
        let _four = status(&server).await.unwrap();
        assert_eq!(status(&server).await.err(), Some(503), "a fifth in all");
        drop(two);
        while server.sockets.count() > 3 {
            tokio::task::yield_now().await;
        }
        assert!(status(&server).await.is_ok());
    }

    async fn g7_a_socket_has_so_many_subscriptions_each_with_an_id_of_its_own(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let id = imports::reserved(&app, app.owner(), &desk.id, &fill(&template, &[GOOD])).await;
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

/// Asks for signs of life without end and reads none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_whoever_does_not_read_is_cut_off() {
    let app = TestApp::on_sqlite().await;
    let impatient = SocketSettings {
        send_within: Duration::from_millis(200),
        ..patient()
    };
    let server = Server::start(&app, impatient).await;
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
    client.init(&app.owner().token().await).await;
    client.said().await;
    let mut ping = Vec::new();
    let text = br#"{"type":"ping"}"#;
    // A frame as clients write it: final, of text, masked with zeros.
    ping.extend([0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0]);
    ping.extend(text);
    let many = ping.repeat(1_000);

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
