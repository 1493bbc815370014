//! What stands before several servers: each new connection goes to one that says it is ready at that moment, in turns, and
//! stays there. It repeats nothing: what a server does not answer is not answered.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// A balancer on this machine. It ends with its runtime.
pub struct Balancer {
    /// Its address.
    pub address: SocketAddr,
    carried: Arc<[AtomicUsize]>,
}

impl Balancer {
    /// Before these servers.
    pub async fn before(servers: &[String]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let carried: Arc<[AtomicUsize]> = servers.iter().map(|_| AtomicUsize::new(0)).collect();
        let (servers, counts): (Arc<[String]>, _) = (servers.into(), carried.clone());
        tokio::spawn(async move {
            for turn in 0.. {
                let Ok((client, _)) = listener.accept().await else {
                    return;
                };
                tokio::spawn(carry(client, servers.clone(), counts.clone(), turn));
            }
        });
        Self { address, carried }
    }

    /// How many connections each server got.
    pub fn carried(&self) -> Vec<usize> {
        self.carried.iter().map(|count| count.load(Ordering::SeqCst)).collect()
    }
}

async fn carry(mut client: TcpStream, servers: Arc<[String]>, counts: Arc<[AtomicUsize]>, turn: usize) {
    // Nothing is asked of a server before there is something to ask.
    let mut first = [0; 1];
    if !client.peek(&mut first).await.is_ok_and(|read| read > 0) {
        return;
    }
    // One of them is ready, or will be.
    for attempt in 0..6_000 {
        let place = (turn + attempt) % servers.len();
        // Asked last, so that hardly any time goes by before the request is there.
        if let Ok(mut server) = TcpStream::connect(&servers[place]).await
            && is_ready(&servers[place]).await
        {
            counts[place].fetch_add(1, Ordering::SeqCst);
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a server wants requests.
async fn is_ready(address: &str) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        std::io::Result::Ok(head)
    };
    asking.await.is_ok_and(|head| &head == b"HTTP/1.1 200")
}
