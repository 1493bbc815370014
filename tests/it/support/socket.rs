//! A client of graphql-transport-ws, and a server that listens for it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use orgdesk::{
    api::{
        health::Ready,
        server::{self, ServerSettings},
        socket::{PROTOCOL, SocketSettings, Sockets},
    },
    kernel::{App, Watches},
    serve,
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::Response},
};

use super::app::TestApp;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// The live progress of work.
pub const PROGRESS: &str = "subscription P($id: ID!) { jobProgress(id: $id) { state doneCount totalCount failedCount message file { url } expiresAt } }";

/// Limits of which no test has to wait for.
pub fn patient() -> SocketSettings {
    SocketSettings {
        look_every: Duration::from_millis(20),
        ..SocketSettings::default()
    }
}

/// The same installation, whose watched rows are looked at every few milliseconds.
pub fn watchful(app: TestApp) -> TestApp {
    app.changed(|app| App {
        watches: Arc::new(Watches::every(Duration::from_millis(5))),
        ..app
    })
}

/// A server of a test on a port of its own.
pub struct Server {
    pub address: SocketAddr,
    pub sockets: Sockets,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Starts one.
    pub async fn start(app: &TestApp, settings: SocketSettings) -> Self {
        let sockets = Sockets::new(settings);
        let ready = Ready::default();
        let router = serve::routes_with(&app.app, ready.clone(), None, &sockets, serve::layers(&app.app)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn({
            let sockets = sockets.clone();
            async move {
                let limits = ServerSettings {
                    announce: Duration::ZERO,
                    ..ServerSettings::default()
                };
                let stop = async move {
                    let _ = stopped.await;
                };
                let ended = server::serve(listener, router, limits, ready, stop).await;
                sockets.stopped().await;
                drop(ended.hard_stop);
            }
        });
        Self {
            address,
            sockets,
            stop,
            serving,
        }
    }

    /// Stops it, and waits for its end.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.serving).await.unwrap().unwrap();
    }

    /// Asks for a socket with these headers more; the refusal of HTTP where there is none.
    pub async fn connect(&self, headers: &[(&'static str, &str)]) -> Result<Client, Box<Response<Option<Vec<u8>>>>> {
        let mut request = format!("ws://{}/graphql", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match timeout(PATIENCE, client_async(request, stream)).await.unwrap() {
            Ok((socket, response)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], PROTOCOL);
                Ok(Client(socket))
            }
            Err(Error::Http(response)) => Err(response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a socket on which nothing was said yet.
    pub async fn open(&self) -> Client {
        let opened = self.connect(&[("sec-websocket-protocol", PROTOCOL)]).await;
        opened.unwrap_or_else(|refusal| panic!("{refusal:?}"))
    }

    /// Opens a socket as whoever has this token.
    pub async fn let_in(&self, token: &str) -> Client {
        let mut client = self.open().await;
        client.init(token).await;
        assert_eq!(client.hear().await, Heard::Said(json!({ "type": "connection_ack" })));
        client
    }
}

/// What is heard.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// A message.
    Said(Value),
    /// The end, with its code and reason; code 0 where the connection is gone without one.
    Closed(u16, String),
}

impl Heard {
    /// The code of the end.
    pub fn code(&self) -> u16 {
        match self {
            Self::Closed(code, _) => *code,
            Self::Said(said) => panic!("{said}"),
        }
    }
}

/// A client's end of a socket.
pub struct Client(pub WebSocketStream<TcpStream>);

impl Client {
    /// Says something.
    pub async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends any message of WebSocket.
    pub async fn send(&mut self, message: Message) {
        timeout(PATIENCE, self.0.send(message)).await.unwrap().unwrap();
    }

    /// Begins as whoever has this token.
    pub async fn init(&mut self, token: &str) {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
    }

    /// Begins an operation.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// What is heard next, signs of life aside.
    pub async fn hear(&mut self) -> Heard {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("nothing is heard") {
                Some(Ok(Message::Text(text))) => return Heard::Said(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Heard::Closed(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Heard::Closed(0, String::new()),
            }
        }
    }

    /// The message that is heard next.
    pub async fn said(&mut self) -> Value {
        match self.hear().await {
            Heard::Said(said) => said,
            closed => panic!("{closed:?}"),
        }
    }

    /// The events of an operation to its end, each the field's value.
    pub async fn events(&mut self, id: &str, field: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let said = self.said().await;
            assert_eq!(said["id"], id, "{said}");
            match said["type"].as_str().unwrap() {
                "complete" => return events,
                "next" => {
                    assert_eq!(said["payload"].get("errors"), None, "{said}");
                    events.push(said["payload"]["data"][field].clone());
                }
                _ => panic!("{said}"),
            }
        }
    }

    /// The code of the first error of the message that is heard next, with its kind: `error FORBIDDEN`.
    pub async fn refusal(&mut self) -> String {
        let said = self.said().await;
        let errors = match said["type"].as_str().unwrap() {
            "error" => &said["payload"],
            _ => &said["payload"]["errors"],
        };
        let code = errors[0]["extensions"]["code"].as_str();
        format!(
            "{} {}",
            said["type"].as_str().unwrap(),
            code.unwrap_or_else(|| panic!("{said}"))
        )
    }
}
