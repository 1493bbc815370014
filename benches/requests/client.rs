//! A client that costs little beside what it measures: HTTP/1.1 on kept connections, requests made beforehand, answers
//! read to their end and hardly looked at.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The bytes of a request.
pub type Request = Arc<[u8]>;

/// A request with a JSON body.
pub fn post(path: &str, token: Option<&str>, body: &impl serde::Serialize) -> Request {
    text(path, token, &serde_json::to_string(body).expect("a body"))
}

/// A request whose body is called JSON, whatever it is.
pub fn text(path: &str, token: Option<&str>, body: &str) -> Request {
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         {token}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
    .into()
}

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends a request and reads its answer: the status and the body.
    pub async fn ask(&mut self, request: &[u8]) -> std::io::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut seen = 0;
        let head = loop {
            self.more().await?;
            let from = seen;
            seen = self.buffer.len().saturating_sub(3);
            if let Some(at) = self.buffer[from..].windows(4).position(|four| four == b"\r\n\r\n") {
                break from + at + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head]).expect("a head of text");
        let status = text.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length
            .and_then(|(_, value)| value.trim().parse().ok())
            .expect("a length");
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        Ok((status, &self.buffer[head..]))
    }

    async fn more(&mut self) -> std::io::Result<()> {
        self.buffer.reserve(32 * 1024);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Asks once on a connection of its own.
pub async fn ask(address: SocketAddr, request: &[u8]) -> serde_json::Value {
    let mut connection = Connection::open(address).await.expect("a connection");
    let (status, body) = connection.ask(request).await.expect("an answer");
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
    serde_json::from_slice(body).expect("JSON")
}

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// Each request again and again.
    For(Duration),
    /// Each request once.
    Through,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Load {
    /// How long each request took, sorted.
    pub latencies: Vec<Duration>,
    pub wall: Duration,
}

impl Load {
    /// The time within which this part of the requests was answered.
    pub fn percentile(&self, part: f64) -> Duration {
        let place = (self.latencies.len() as f64 * part) as usize;
        self.latencies.get(place).copied().unwrap_or_default()
    }
}

/// Asks on as many connections as there are lists of requests, each connection one after the other. Every answer must
/// hold `sign`.
pub async fn load(address: SocketAddr, requests: &[Vec<Request>], until: Until, sign: &'static str) -> Load {
    let begin = Instant::now();
    let tasks = requests.iter().cloned().map(|requests| async move {
        let mut connection = Connection::open(address).await.expect("a connection");
        let mut latencies = Vec::with_capacity(65_536);
        loop {
            for request in &requests {
                let sent = Instant::now();
                let (status, body) = connection.ask(request).await.expect("an answer");
                latencies.push(sent.elapsed());
                let text = std::str::from_utf8(body).expect("text");
                assert!(status == 200 && text.contains(sign), "{status} {text}");
                if matches!(until, Until::For(time) if begin.elapsed() >= time) {
                    return latencies;
                }
            }
            if matches!(until, Until::Through) {
                return latencies;
            }
        }
    });
    let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut all = Load::default();
    for task in tasks {
        all.latencies.extend(task.await.expect("a connection's task"));
    }
    all.wall = begin.elapsed();
    all.latencies.sort_unstable();
    all
}
