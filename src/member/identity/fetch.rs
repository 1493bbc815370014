//! Going out, to addresses that an operator named and nowhere else: one GET over TLS, without redirects, proxies,
//! cookies or compression, at most five seconds and 256 KB. Without TLS on this machine only, for providers that run
//! beside the service.

use std::{net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request, StatusCode, Uri,
    body::Bytes,
    client::conn::http1,
    header::{ACCEPT, CONNECTION, HOST, USER_AGENT},
    rt::{Read, Write},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};
use tokio_util::task::AbortOnDropHandle;

/// How long is waited for the whole answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 256 * 1024;

/// The longest address, in bytes.
const LONGEST_ADDRESS: usize = 500;

/// An address that may be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    is_secure: bool,
    authority: String,
    host: String,
    port: u16,
    path: String,
}

impl Address {
    /// Reads an address: `https`, or `http` on this machine; with a host, without a user and without a fragment.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_secure = uri.scheme_str()? == "https";
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let may = is_secure || uri.scheme_str()? == "http" && is_here;
        let is_plain = !authority.as_str().contains('@') && !text.contains('#') && text.len() <= LONGEST_ADDRESS;
        (may && is_plain && !host.is_empty()).then(|| Self {
            is_secure,
            authority: authority.to_string(),
            host,
            port: authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }
}

/// What stands at an address.
///
/// # Errors
/// If it does not answer well, in words for an operator.
pub(super) async fn get(url: &str) -> anyhow::Result<Bytes> {
    let address = Address::parse(url).context("not an address to fetch from")?;
    let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    patiently(PATIENCE, ask(&address, roots)).await
}

async fn patiently<T>(patience: Duration, answer: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let answer = tokio::time::timeout(patience, answer).await;
    answer.unwrap_or_else(|_| bail!("no answer within {patience:?}"))
}

async fn ask(address: &Address, roots: RootCertStore) -> anyhow::Result<Bytes> {
    let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await?;
    // Whatever a resolver says of `localhost`: without TLS nothing leaves this machine.
    let found: Vec<_> = found.filter(|at| address.is_secure || at.ip().is_loopback()).collect();
    let stream = TcpStream::connect(found.as_slice()).await?;
    if !address.is_secure {
        return converse(TokioIo::new(stream), address).await;
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(address.host.clone())?;
    let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await?;
    converse(TokioIo::new(stream), address).await
}

async fn converse(stream: impl Read + Write + Send + Unpin + 'static, address: &Address) -> anyhow::Result<Bytes> {
    let (mut sender, connection) = http1::Builder::new().max_buf_size(64 * 1024).handshake(stream).await?;
    let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
    let request = Request::get(&address.path)
        .header(HOST, &address.authority)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, "orgdesk")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    ensure!(response.status() == StatusCode::OK, "it answered {}", response.status());
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    Ok(body.map_err(|error| anyhow::anyhow!(error))?.to_bytes())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio::{
        io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
        net::TcpListener,
    };
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{ServerConfig, pki_types::CertificateDer},
    };

    use super::*;

    /// Reads a request and answers it; what was asked.
    async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Vec<u8>) -> String {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => asked.push(byte),
                Err(_) => return "nothing".to_owned(),
            }
        }
        // Whoever asked may have hung up before the end.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
        String::from_utf8(asked).unwrap()
    }

    /// What a server on this machine is asked, and what is made of its answer.
    async fn plain(answer: impl Into<Vec<u8>>) -> (String, Result<Bytes, String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/keys?v=1", listener.local_addr().unwrap());
        let answer = answer.into();
        let server = async { serve(listener.accept().await.unwrap().0, answer).await };
        let (asked, got) = tokio::join!(server, get(&url));
        (asked, got.map_err(|error| error.to_string()))
    }

    fn body(length: usize) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        [head.into_bytes(), vec![b'x'; length]].concat()
    }

    #[tokio::test]
    async fn one_plain_question_is_asked() {
        let (asked, got) = plain(body(2)).await;
        assert_eq!(got.unwrap(), "xx");
        let lines: Vec<&str> = asked.trim_end().lines().collect();
        assert_eq!(lines[0], "GET /keys?v=1 HTTP/1.1");
        assert!(lines[1].starts_with("host: 127.0.0.1:"), "{asked}");
        assert_eq!(
            lines[2..],
            ["accept: application/json", "user-agent: orgdesk", "connection: close"]
        );
    }

    #[tokio::test]
    async fn nothing_but_an_answer_is_one() {
        for (answer, word) in [
            (
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                "302",
            ),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"),
            ("HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}", "206"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", ""),
            ("SSH-2.0-OpenSSH\r\n\r\n", ""),
            ("", ""),
        ] {
            let said = plain(answer).await.1.unwrap_err();
            assert!(said.contains(word), "{answer}: {said}");
        }
    }

    #[tokio::test]
    async fn a_long_answer_is_cut_off() {
        let longest = plain(body(LONGEST_ANSWER)).await.1;
        let longer = plain(body(LONGEST_ANSWER + 1)).await.1;
        let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x1_0000], b"\r\n".to_vec()].concat();
        let endless = [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            chunk.repeat(5),
        ]
        .concat();
        let head = format!("HTTP/1.1 200 OK\r\nX-More: {}\r\n\r\n", "x".repeat(LONGEST_ANSWER));

        assert_eq!(longest.unwrap().len(), LONGEST_ANSWER);
        for answer in [longer, plain(endless).await.1, plain(head).await.1] {
            assert!(answer.is_err(), "{:?}", answer.map(|body| body.len()));
        }
    }

    #[tokio::test]
    async fn whoever_says_nothing_is_not_waited_for() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let address = Address::parse(&url).unwrap();

        let got = patiently(Duration::from_millis(20), ask(&address, RootCertStore::empty())).await;

        assert_eq!(got.unwrap_err().to_string(), "no answer within 20ms");
        assert_eq!(PATIENCE, Duration::from_secs(5));
    }

    /// What is made of a server whose certificate is for `localhost`, by somebody who trusts it or not.
    async fn secure(
        host: &str,
        trusts: impl FnOnce(CertificateDer<'static>) -> RootCertStore,
    ) -> anyhow::Result<Bytes> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], signing_key.into())
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = Address::parse(&format!("https://{host}:{port}/keys")).unwrap();
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            match TlsAcceptor::from(Arc::new(tls)).accept(stream).await {
                Ok(stream) => serve(stream, body(2)).await,
                Err(error) => error.to_string(),
            }
        };
        let (_, got) = tokio::join!(server, ask(&address, trusts(cert.der().clone())));
        got
    }

    #[tokio::test]
    async fn a_certificate_must_be_trusted_and_of_the_host() {
        let trusting = |own: CertificateDer<'static>| {
            let mut roots = RootCertStore::empty();
            roots.add(own).unwrap();
            roots
        };
        let public = |_| webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();

        assert_eq!(secure("localhost", trusting).await.unwrap(), "xx");
        for refused in [secure("localhost", public).await, secure("127.0.0.1", trusting).await] {
            let said = refused.unwrap_err().to_string();
            assert!(said.contains("certificate"), "{said}");
        }
    }

    #[test]
    fn an_address_is_one_of_the_web_or_of_this_machine() {
        for right in [
            "https://login.example.com",
            "https://login.example.com:8443/realms/a?b=c",
            "https://10.0.0.1/keys",
            "https://[2001:db8::1]/keys",
            "http://localhost:8080/keys",
            "http://127.0.0.2",
            "http://[::1]:80/",
        ] {
            assert!(Address::parse(right).is_some(), "{right}");
        }
        for wrong in [
            "",
            "https://",
            "https:///keys",
            "login.example.com",
            "//login.example.com/keys",
            "/keys",
            "ftp://login.example.com",
            "file:///etc/passwd",
            "http://login.example.com",
            "http://10.0.0.1",
            "http://[2001:db8::1]",
            "http://localhost.example.com",
            "http://127.0.0.1@login.example.com",
            "https://user:password@login.example.com",
            "https://login.example.com/#x",
            "https://login.example.com/a b",
            "https://login.example.com/\0",
        ] {
            assert_eq!(Address::parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            Address::parse(&format!("https://login.example.com/{}", "x".repeat(500))),
            None
        );
    }
}
