//! Sending spans: OTLP over HTTP with protobuf, one post for each batch, by the HTTP and TLS that the service has already.
//! What does not arrive is gone: no request waits for a receiver, and nothing is piled up for one that is away.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1,
    header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, USER_AGENT},
    rt::{Read, Write},
};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use prost::Message;
use tokio::{net::TcpStream, runtime::Handle};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};
use tokio_util::task::AbortOnDropHandle;
use url::{Position, Url};

use crate::kernel::config::TraceSettings;

/// How often at most the log says that spans do not arrive.
const SAY_EVERY: Duration = Duration::from_secs(300);

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Sends batches of spans, one at a time.
pub(super) struct Otlp {
    receiver: Arc<Receiver>,
    runtime: Handle,
    resource: ResourceAttributesWithSchema,
    losses: Mutex<Losses>,
}

/// What did not arrive.
#[derive(Default)]
struct Losses {
    /// Spans since the log last said so.
    spans: usize,
    said_at: Option<Instant>,
    /// Whether the last batch was lost.
    is_away: bool,
}

/// Who takes spans.
struct Receiver {
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    tls: Option<TlsConnector>,
}

impl Otlp {
    /// To be called within the runtime that is to send.
    pub(super) fn new(settings: &TraceSettings) -> anyhow::Result<Self> {
        let tls = (settings.endpoint.scheme() == "https").then(connector).transpose()?;
        Ok(Self {
            receiver: Arc::new(Receiver {
                url: settings.endpoint.clone(),
                headers: settings.headers.clone(),
                timeout: settings.timeout,
                tls,
            }),
            runtime: Handle::try_current()?,
            resource: ResourceAttributesWithSchema::default(),
            losses: Mutex::default(),
        })
    }

    fn tell(&self, sent: &anyhow::Result<()>, count: usize) {
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(error) = sent else {
            if std::mem::take(&mut losses.is_away) {
                tracing::info!("traces arrive again");
            }
            return;
        };
        losses.spans += count;
        losses.is_away = true;
        if losses.said_at.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            losses.said_at = Some(Instant::now());
            let spans = std::mem::take(&mut losses.spans);
            tracing::warn!(error = format!("{error:#}"), spans, "traces do not arrive and are lost");
        }
    }
}

impl SpanExporter for Otlp {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let body = Bytes::from(request.encode_to_vec());
        let receiver = self.receiver.clone();
        // This is called by a thread outside the runtime, which has no sockets.
        let sent = self.runtime.spawn(async move {
            let sent = tokio::time::timeout(receiver.timeout, receiver.post(body)).await;
            sent.unwrap_or_else(|_| bail!("no answer within {:?}", receiver.timeout))
        });
        let sent = sent.await.map_err(anyhow::Error::from).flatten();
        self.tell(&sent, count);
        sent.map_err(|error| OTelSdkError::InternalFailure(format!("{error:#}")))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp").finish_non_exhaustive()
    }
}

fn connector() -> anyhow::Result<TlsConnector> {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(tls)))
}

impl Receiver {
    async fn post(&self, body: Bytes) -> anyhow::Result<()> {
        let host = self.url.host_str().context("no host")?.trim_matches(['[', ']']);
        let port = self.url.port_or_known_default().context("no port")?;
        let stream = TcpStream::connect((host, port)).await.context("it can't be reached")?;
        match &self.tls {
            None => self.converse(TokioIo::new(stream), body).await,
            Some(tls) => {
                let name = ServerName::try_from(host.to_owned())?;
                let stream = tls.connect(name, stream).await?;
                self.converse(TokioIo::new(stream), body).await
            }
        }
    }

    async fn converse(&self, stream: impl Read + Write + Send + Unpin + 'static, body: Bytes) -> anyhow::Result<()> {
        let (mut sender, connection) = http1::handshake(stream).await?;
        let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
        let mut request = Request::post(&self.url[Position::BeforePath..Position::AfterQuery])
            .header(HOST, &self.url[Position::BeforeHost..Position::AfterPort])
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(USER_AGENT, "orgdesk")
            .header(CONNECTION, "close")
            .body(Full::new(body))?;
        request.headers_mut().extend(self.headers.clone());
        let response = sender.send_request(request).await?;
        let status = response.status();
        ensure!(status.is_success(), "it answered {status}");
        let rest = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        rest.map(|_| ()).map_err(|error| anyhow::anyhow!(error))
    }
}
