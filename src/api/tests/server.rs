//! The server over real sockets. Limits are set short; what is asserted is what happens, not when.

use std::{io, net::SocketAddr, sync::atomic::Ordering, time::Duration};

use axum::{Extension, routing::get};
use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::*;
use crate::api::{
    health::Ready,
    server::{PeerAddress, ServerSettings, Stopped, serve},
};

/// Longer than anything takes here unless it hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
pub(super) const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(3_600);

pub(super) struct Served {
    pub(super) address: SocketAddr,
    pub(super) ready: Ready,
    pub(super) demo: Demo,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) stopped: JoinHandle<Stopped>,
}

/// Limits that never strike, for the tests of one of them.
pub(super) fn patient() -> ServerSettings {
    ServerSettings {
        header_read_timeout: LONG,
        idle_limit: LONG,
        stall_limit: LONG,
        announce: Duration::ZERO,
        drain: PATIENCE,
        ..ServerSettings::default()
    }
}

pub(super) async fn served(settings: ServerSettings) -> Outcome<Served> {
    let demo = Demo::new(true)?;
    let peer = get(|Extension(PeerAddress(peer)): Extension<PeerAddress>| async move { peer.to_string() });
    let big = get(|| async { "x".repeat(8 * 1024 * 1024) });
    let routes = Router::new()
        .route("/graphql", graphql_http::route(demo.clone()))
        .route("/peer", peer)
        .route("/big", big);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let ready = Ready::default();
    ready.set(true);
    let (stop, stopping) = oneshot::channel();
    let stopped = tokio::spawn({
        let (router, ready) = (layers().around(routes), ready.clone());
        async move {
            serve(listener, router, settings, ready, async {
                let _ = stopping.await;
            })
            .await
        }
    });
    Ok(Served {
        address,
        ready,
        demo,
        stop,
        stopped,
    })
}

pub(super) fn graphql(document: &str) -> String {
    let body = serde_json::json!({ "query": document }).to_string();
    let length = body.len();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Sends bytes and reads until the server closes.
pub(super) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Outcome<String> {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(bytes).await?;
    read_to_close(&mut socket).await
}

pub(super) async fn read_to_close(socket: &mut TcpStream) -> Outcome<String> {
    let mut all = Vec::new();
    match timeout(PATIENCE, socket.read_to_end(&mut all)).await? {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error.into()),
        _ => Ok(String::from_utf8_lossy(&all).into_owned()),
    }
}

pub(super) async fn read_some(socket: &mut TcpStream, wanted: &str) -> Outcome<String> {
    let mut all = String::new();
    let mut buffer = [0; 4_096];
    while !all.contains(wanted) {
        let read = timeout(PATIENCE, socket.read(&mut buffer)).await??;
        if read == 0 {
            return Err(format!("closed before {wanted}: {all}").into());
        }
        all.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()));
    }
    Ok(all)
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_tells_its_peer() -> Outcome {
    let served = served(patient()).await?;
    let mut socket = TcpStream::connect(served.address).await?;
    for _ in 0..3 {
        socket.write_all(graphql("{ hello }").as_bytes()).await?;
        read_some(&mut socket, r#""maximumQueryCost":5000}}}"#).await?;
    }
    socket.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    let own = socket.local_addr()?.to_string();
    read_some(&mut socket, &own).await?;
    Ok(())
}

// case: E7
#[tokio::test]
async fn who_does_nothing_is_shown_out() -> Outcome {
    let header = ServerSettings {
        header_read_timeout: SHORT,
        ..patient()
    };
    let idle = ServerSettings {
        idle_limit: SHORT,
        ..patient()
    };
    let stall = ServerSettings {
        stall_limit: SHORT,
        ..patient()
    };
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let hello = graphql("{ hello }");
    let cases = [
        (header, &b"POST /graphql HT"[..]),
        (header, b"GET /peer HTTP/1.1\r\nhost: x\r\nx-a: "),
        (header, hello.as_bytes()),
        (idle, b""),
        (idle, b"PRI * HT"),
        (idle, preface),
        (idle, hello.as_bytes()),
        (stall, b""),
        (
            stall,
            b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
        ),
    ];
    let shown_out = cases.map(|(settings, bytes)| async move {
        let served = served(settings).await?;
        let text = exchange(served.address, bytes).await?;
        Ok::<_, Box<dyn Error>>((bytes, text))
    });
    for (bytes, text) in try_join_all(shown_out).await? {
        assert!(bytes != hello.as_bytes() || text.contains("200 OK"), "{text}");
    }
    Ok(())
}

// case: E7
#[tokio::test]
async fn who_takes_no_reply_is_shown_out() -> Outcome {
    let served = served(ServerSettings {
        stall_limit: Duration::from_millis(400),
        ..patient()
    })
    .await?;
    let mut socket = TcpStream::connect(served.address).await?;
    socket.write_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    sleep(Duration::from_millis(1_500)).await;
    assert!(read_to_close(&mut socket).await?.len() < 8 * 1024 * 1024);
    Ok(())
}

#[tokio::test]
async fn heads_are_bounded_and_odd_requests_are_not_confused() -> Outcome {
    let served = served(ServerSettings {
        header_read_timeout: 3 * SHORT,
        ..patient()
    })
    .await?;
    let address = served.address;
    let body = r#"{"query":"mutation{count}"}"#;
    let head =
        |line: &str, headers: &str| format!("{line}\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n\r\n");
    let post = |headers: &str| head("POST /graphql HTTP/1.1", headers);
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let length = body.len();
    let cases = [
        (post(&format!("x-a: {}", "x".repeat(20_000))), &["431"][..]),
        (post(&"x-a: b\r\n".repeat(100)), &["431"]),
        (head("TRACE /graphql HTTP/1.1", "x-a: b"), &["405"]),
        (head("CONNECT /graphql HTTP/1.1", "x-a: b"), &["400", "404", "405"]),
        (head("BREW /graphql HTTP/1.1", "x-a: b"), &["405"]),
        (head("POST //graphql HTTP/1.1", "content-length: 0"), &["404"]),
        (head("POST /%67raphql HTTP/1.1", "content-length: 0"), &["404"]),
        (head("POST /graphql/ HTTP/1.1", "content-length: 0"), &["404"]),
        (head("POST /graphql/../graphql HTTP/1.1", "content-length: 0"), &["404"]),
        (head("POST /graphql HTTP/9.9", "content-length: 0"), &["400", "505"]),
        (head("POST  /graphql HTTP/1.1", "content-length: 0"), &["400"]),
        (
            post(&format!("content-length: {length}\r\ncontent-length: {}", length + 1)) + body,
            &["400"],
        ),
        (post("content-length: -1") + body, &["400"]),
        (post("content-length: 99999999999999999999999") + body, &["400"]),
        (post("transfer-encoding: gzip") + body, &["400"]),
        (post("transfer-encoding: chunked, identity") + &chunked, &["400"]),
        (post("transfer-encoding: chunked") + "zz\r\n" + body, &["400"]),
        (post("transfer-encoding : chunked") + &chunked, &["400"]),
        (format!("POST /graphql HTTP/1.1\r\n host: x\r\n\r\n{body}"), &["400"]),
        ("\0\x01\x02\x03\r\n\r\n".to_owned(), &["400"]),
        ("\x16\x03\x01\x02\0\x01\0\x01\u{fc}".to_owned(), &["400", ""]),
    ];
    let exchanged = cases.map(|(request, statuses)| async move {
        let text = exchange(address, request.as_bytes()).await?;
        Ok::<_, Box<dyn Error>>((request, statuses, text))
    });
    for (request, statuses, text) in try_join_all(exchanged).await? {
        let status = text.split(' ').nth(1).unwrap_or_default();
        assert!(statuses.contains(&status), "{request:.200}\n{text}");
        assert_eq!(
            text.matches("HTTP/1.1 ").count(),
            usize::from(!status.is_empty()),
            "{request:.200}\n{text}"
        );
    }
    assert_eq!(served.demo.counter.load(Ordering::SeqCst), 0);
    let both = post(&format!("content-length: {length}\r\ntransfer-encoding: chunked")) + &chunked;
    let text = exchange(address, both.as_bytes()).await?;
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    let old = format!(
        "POST http://x/graphql HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    assert!(exchange(address, old.as_bytes()).await?.starts_with("HTTP/1.0 200"));
    Ok(())
}

/// One client has no more than its share of the connections, and gets another when one of them ends.
// case: E7
#[tokio::test]
async fn one_address_has_no_more_than_its_share_of_connections() -> Outcome {
    let Served {
        address, stop, stopped, ..
    } = served(ServerSettings {
        max_of_one: Some(2),
        ..patient()
    })
    .await?;
    let ask = |mut stream: TcpStream| async move {
        stream
            .write_all(b"GET /peer HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await?;
        let mut buffer = [0; 12];
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await?;
        // The server closes one that it does not take: nothing comes, or a reset.
        let is_served = read.is_ok_and(|length| buffer[..length].starts_with(b"HTTP/1.1"));
        Ok::<_, Box<dyn std::error::Error>>((is_served, stream))
    };
    let (first, one) = ask(TcpStream::connect(address).await?).await?;
    let (second, two) = ask(TcpStream::connect(address).await?).await?;
    let (third, _) = match ask(TcpStream::connect(address).await?).await {
        Ok(answer) => (answer.0, Some(answer.1)),
        Err(_) => (false, None),
    };
    assert!(first && second && !third);

    drop(one);
    timeout(PATIENCE, async {
        loop {
            if let Ok((true, _)) = ask(TcpStream::connect(address).await?).await {
                return Ok::<_, Box<dyn std::error::Error>>(());
            }
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await??;
    drop(two);
    let _ = stop.send(());
    assert_eq!(stopped.await?.cut_off, 0);
    Ok(())
}
