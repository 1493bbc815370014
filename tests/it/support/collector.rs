//! A receiver of traces on this machine, as Tempo or Jaeger is one: OTLP over HTTP with protobuf.

use std::{collections::HashMap, sync::Arc, time::Duration};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// How long is waited for spans: a debug build on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a collector does with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It takes it.
    Take,
    /// It answers 503.
    Refuse,
    /// It reads it and never answers.
    Hang,
}

/// What came.
#[derive(Debug, Clone, Default)]
pub struct Came {
    /// The heads of the posts, in small letters.
    pub heads: Vec<String>,
    /// Their bodies, whatever was answered.
    pub bodies: Vec<Vec<u8>>,
}

/// A span with its attributes at hand.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The span.
    pub span: Span,
    /// Its attributes as text, lists with commas.
    pub attributes: HashMap<String, String>,
}

impl Seen {
    /// An attribute; empty where there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// The ID of its trace, as logs write it.
    pub fn trace(&self) -> String {
        hex(&self.span.trace_id)
    }

    /// Whether it is a part of another.
    pub fn is_part_of(&self, other: &Self) -> bool {
        self.span.parent_span_id == other.span.span_id && self.span.trace_id == other.span.trace_id
    }
}

/// A collector, as long as this value lives.
#[derive(Debug)]
pub struct Collector {
    /// What an operator writes into `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub url: String,
    does: watch::Sender<Does>,
    came: watch::Receiver<Came>,
    task: JoinHandle<()>,
}

impl Collector {
    /// Listens, and takes what comes.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (does, doing) = watch::channel(Does::Take);
        let (coming, came) = watch::channel(Came::default());
        let task = tokio::spawn(serve(listener, doing, Arc::new(coming)));
        Self { url, does, came, task }
    }

    /// From now on it does this.
    pub fn does(&self, does: Does) {
        self.does.send_replace(does);
    }

    /// Dies: nobody listens there any more.
    pub async fn die(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// What came until now.
    pub fn came(&self) -> Came {
        self.came.borrow().clone()
    }

    /// The spans that came until now.
    pub fn spans(&self) -> Vec<Seen> {
        spans(&self.came())
    }

    /// Waits for a span such as this.
    ///
    /// # Panics
    /// When none comes for a minute.
    pub async fn wait_for(&self, what: &str, is: impl Fn(&Seen) -> bool) -> Seen {
        let mut came = self.came.clone();
        let there = came.wait_for(|came| spans(came).iter().any(&is));
        let there = tokio::time::timeout(PATIENCE, there)
            .await
            .map(|there| there.map(|_| ()));
        let all = self.spans();
        let names: Vec<_> = all.iter().map(|seen| &seen.span.name).collect();
        assert!(there.is_ok(), "no span of {what}: {names:?}");
        all.iter().find(|seen| is(seen)).unwrap().clone()
    }

    /// Waits until this many posts came.
    ///
    /// # Panics
    /// When they do not for a minute.
    pub async fn wait_for_posts(&self, count: usize) {
        let mut came = self.came.clone();
        let there = came.wait_for(|came| came.bodies.len() >= count);
        let there = tokio::time::timeout(PATIENCE, there).await.is_ok();
        assert!(there, "{count} posts");
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The attributes of whoever sent the first batch.
pub fn resource(came: &Came) -> HashMap<String, String> {
    let first = ExportTraceServiceRequest::decode(&came.bodies[0][..]).unwrap();
    attributes(&first.resource_spans[0].resource.as_ref().unwrap().attributes)
}

fn spans(came: &Came) -> Vec<Seen> {
    let batches = came
        .bodies
        .iter()
        .map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap());
    let scopes = batches
        .flat_map(|batch| batch.resource_spans)
        .flat_map(|of| of.scope_spans);
    let seen = |span: Span| Seen {
        attributes: attributes(&span.attributes),
        span,
    };
    scopes.flat_map(|scope| scope.spans).map(seen).collect()
}

fn attributes(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |pair: &KeyValue| {
        let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
        (pair.key.clone(), value.map(text_of).unwrap_or_default())
    };
    attributes.iter().map(text).collect()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        Value::BoolValue(truth) => truth.to_string(),
        Value::ArrayValue(list) => {
            let texts = list.values.iter().filter_map(|value| value.value.as_ref().map(text_of));
            texts.collect::<Vec<_>>().join(",")
        }
        other => panic!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn serve(listener: TcpListener, doing: watch::Receiver<Does>, coming: Arc<watch::Sender<Came>>) {
    // They end with this task.
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        open.spawn(converse(stream, doing.clone(), Arc::clone(&coming)));
    }
}

async fn converse(mut stream: TcpStream, doing: watch::Receiver<Does>, coming: Arc<watch::Sender<Came>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    let does = *doing.borrow();
    coming.send_modify(|came| {
        came.heads.push(head);
        came.bodies.push(body);
    });
    let status = match does {
        Does::Take => "200 OK",
        Does::Refuse => "503 Busy",
        Does::Hang => std::future::pending().await,
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
