//! Sending one message: a POST to an address that was judged, without redirects, proxies, cookies or compression, in at
//! most ten seconds. It is signed as Standard Webhooks says: HMAC-SHA256 over `id.timestamp.body`, for each secret.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1,
    header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT},
    rt::{Read, Write},
};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};
use tokio_util::task::AbortOnDropHandle;
use zeroize::Zeroizing;

use super::target::Target;
use crate::kernel::{App, Timestamp};

/// How long is waited for the whole answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of an answer is read, in bytes: enough for a challenge.
const LONGEST_ANSWER: usize = 16 * 1024;

/// A message as it is sent.
pub struct Message {
    /// Where to.
    pub url: String,
    /// What it is known by, also when it comes again.
    pub id: String,
    /// Which delivery it is.
    pub delivery: String,
    /// When.
    pub at: Timestamp,
    /// What it says, as JSON.
    pub body: String,
    /// What it is signed with: the present secret, and during a rotation the previous one.
    pub secrets: Vec<Zeroizing<Vec<u8>>>,
    /// What the answer has to have in it.
    pub challenge: Option<String>,
}

/// Sends a message. The status of the answer, and whether it has the challenge in it that was asked for, if one was.
///
/// # Errors
/// A code that says why there is no answer.
pub async fn send(app: &App, message: &Message) -> Result<(u16, bool), &'static str> {
    match tokio::time::timeout(PATIENCE, post(app, message)).await {
        Ok(came) => came,
        Err(_) => Err("TIMEOUT"),
    }
}

async fn post(app: &App, message: &Message) -> Result<(u16, bool), &'static str> {
    let target = Target::parse(&message.url).ok_or("TARGET_NOT_ALLOWED")?;
    let own = &app.settings.webhook_networks;
    let found = target.resolve(own).await.map_err(|_| "NAME_NOT_FOUND")?;
    if found.is_empty() {
        return Err("TARGET_NOT_ALLOWED");
    }
    let stream = TcpStream::connect(found.as_slice())
        .await
        .map_err(|_| "CONNECTION_FAILED")?;
    if !target.is_secure {
        return converse(TokioIo::new(stream), &target, message).await;
    }
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| "TLS_FAILED")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(target.host.clone()).map_err(|_| "TLS_FAILED")?;
    let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await;
    converse(TokioIo::new(stream.map_err(|_| "TLS_FAILED")?), &target, message).await
}

async fn converse(
    stream: impl Read + Write + Send + Unpin + 'static,
    target: &Target,
    message: &Message,
) -> Result<(u16, bool), &'static str> {
    const BROKEN: &str = "CONNECTION_FAILED";
    let handshake = http1::Builder::new().max_buf_size(64 * 1024).handshake(stream).await;
    let (mut sender, connection) = handshake.map_err(|_| BROKEN)?;
    let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
    let timestamp = message.at.0.timestamp();
    let request = Request::post(&target.path)
        .header(HOST, &target.authority)
        .header(ACCEPT, "*/*")
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, "orgdesk")
        .header(CONNECTION, "close")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures(message, timestamp))
        .header("x-orgdesk-delivery", &message.delivery)
        .body(Full::new(Bytes::from(message.body.clone())))
        .map_err(|_| BROKEN)?;
    let response = sender.send_request(request).await.map_err(|_| BROKEN)?;
    let status = response.status().as_u16();
    let Some(challenge) = &message.challenge else {
        return Ok((status, true));
    };
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    let body = body.map_err(|_| "ANSWER_TOO_LONG")?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).contains(challenge.as_str())))
}

/// `v1,` and the signature in base 64, for each secret.
fn signatures(message: &Message, timestamp: i64) -> String {
    let text = format!("{}.{timestamp}.{}", message.id, message.body);
    let signatures = message.secrets.iter().filter_map(|secret| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(text.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn g9_a_message_is_signed_as_standard_webhooks_says() {
        // The vector of the specification's own libraries.
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let message = Message {
            url: String::new(),
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            delivery: String::new(),
            at: Timestamp(DateTime::from_timestamp(1_614_265_330, 0).unwrap()),
            body: r#"{"test": 2432232314}"#.to_owned(),
            secrets: vec![Zeroizing::new(secret)],
            challenge: None,
        };

        let signed = signatures(&message, 1_614_265_330);

        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
