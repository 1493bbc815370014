//! A system of an organization's that takes messages: a small HTTP server on this machine.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What a receiver answers.
#[derive(Debug, Clone)]
pub enum Says {
    /// 200, with the message itself: a challenge comes back.
    Echo,
    /// This status and no body.
    Status(u16),
    /// Come there instead.
    Elsewhere(String),
    /// Nothing: it hangs up.
    Nothing,
}

/// One message as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The first line and the headers, in small letters.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Received {
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        let found = self
            .head
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("{name}: {}", self.head))
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver, as long as this value lives.
pub struct Receiver {
    /// Where it is.
    pub url: String,
    says: Arc<Mutex<Says>>,
    taken: Arc<Mutex<Vec<Received>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Listens.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/in?from=orgdesk", listener.local_addr().unwrap());
        let (says, taken) = (Arc::new(Mutex::new(Says::Echo)), Arc::default());
        let task = tokio::spawn(serve(listener, Arc::clone(&says), Arc::clone(&taken)));
        Self { url, says, taken, task }
    }

    /// From now on it answers this.
    pub fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// The messages that came since the last time.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.taken.lock().unwrap())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, says: Arc<Mutex<Says>>, taken: Arc<Mutex<Vec<Received>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let says = says.lock().unwrap().clone();
        if let Some(received) = converse(stream, says).await {
            taken.lock().unwrap().push(received);
        }
    }
}

async fn converse(mut stream: TcpStream, says: Says) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    // Names of headers are compared in small letters; what was signed is not.
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let mut body = vec![0; length?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    let answer = match says {
        Says::Echo => format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Says::Status(status) => format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        Says::Elsewhere(url) => {
            format!("HTTP/1.1 307 There\r\nlocation: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        Says::Nothing => String::new(),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    Some(Received { head, body })
}
