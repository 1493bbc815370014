//! Letters to a mail server. Connections are kept for the next letter, and only those on which everything that was asked
//! has been answered: a connection that is given up half-way would pass one letter's answer off as another's.

use std::{
    error::Error as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use lettre::{
    message::Mailbox,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        extension::ClientId,
    },
};
use tokio::time::{Instant, timeout};

use super::{Letter, Mailer, Undelivered, message::message};
use crate::kernel::{
    Clock,
    config::{Protection, SmtpServer},
};

/// How many connections wait for the next letter: as many as jobs run at once.
const MOST_IDLE: usize = 2;

/// How long a connection waits; servers close theirs after five minutes.
const IDLE: Duration = Duration::from_secs(60);

/// A mail server.
pub struct Smtp {
    server: SmtpServer,
    tls: Option<TlsParameters>,
    hello: ClientId,
    from: Mailbox,
    clock: Arc<dyn Clock>,
    idle: Mutex<Vec<(Instant, AsyncSmtpConnection)>>,
}

impl Smtp {
    /// Readies the way to a server, without connecting yet.
    ///
    /// # Errors
    /// If its name or its certificate authority can't be used.
    pub fn new(server: SmtpServer, from: Mailbox, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let tls = match server.protection {
            Protection::None => None,
            Protection::Implicit | Protection::StartTls => {
                let mut tls = TlsParameters::builder(server.host.clone());
                if let Some(authority) = &server.authority {
                    tls = tls.add_root_certificate(Certificate::from_pem(authority)?);
                }
                Some(tls.build_rustls()?)
            }
        };
        Ok(Self {
            tls,
            hello: ClientId::Domain(from.email.domain().to_owned()),
            server,
            from,
            clock,
            idle: Mutex::default(),
        })
    }

    async fn deliver(&self, letter: Letter) -> Result<(), Undelivered> {
        let message = message(letter, &self.from, self.clock.now())?;
        let mut connection = match self.waiting().await {
            Some(connection) => connection,
            // Whatever a server says before it has seen a letter is not the letter's fault.
            None => self
                .connect()
                .await
                .map_err(|error| Undelivered::Later(reason(&error)))?,
        };
        match connection.send(message.envelope(), &message.formatted()).await {
            Ok(_) => {
                self.keep(connection);
                Ok(())
            }
            Err(error) if error.is_permanent() => Err(Undelivered::Never(reason(&error))),
            Err(error) => Err(Undelivered::Later(reason(&error))),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let SmtpServer { host, port, .. } = &self.server;
        let implicit = self
            .tls
            .clone()
            .filter(|_| self.server.protection == Protection::Implicit);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), None, &self.hello, implicit, None).await?;
        if let Some(tls) = self
            .tls
            .clone()
            .filter(|_| self.server.protection == Protection::StartTls)
        {
            connection.starttls(tls, &self.hello).await?;
        }
        if let Some((user, password)) = &self.server.credentials {
            let credentials = Credentials::new(user.clone(), password.to_string());
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await?;
        }
        Ok(connection)
    }

    /// A connection that waited and says that it is still good, each within a tenth of the time that there is.
    async fn waiting(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (since, mut connection) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            let patience = self.server.timeout / 10;
            if since.elapsed() < IDLE && timeout(patience, connection.test_connected()).await == Ok(true) {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push((Instant::now(), connection));
        }
    }
}

impl Mailer for Smtp {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), Undelivered>> {
        async move {
            // An attempt that runs out of time takes its connection with it.
            let sent = timeout(self.server.timeout, self.deliver(letter)).await;
            sent.unwrap_or_else(|_| Err(Undelivered::Later("TIMEOUT".to_owned())))
        }
        .boxed()
    }
}

/// What went wrong, without a word of the server's own: it likes to repeat the address.
fn reason(error: &Error) -> String {
    match error.status() {
        Some(status) => {
            let said = error.source().map(ToString::to_string).unwrap_or_default();
            let enhanced = said.split_whitespace().next().filter(|word| is_enhanced(word));
            let parts = [Some(format!("SMTP {status}")), enhanced.map(str::to_owned)];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        None if is_handshake(error) => "TLS".to_owned(),
        None if error.is_client() => "UNSUPPORTED".to_owned(),
        None => "CONNECTION".to_owned(),
    }
}

/// Whether it is the handshake that failed, which comes as an error of reading somewhere below.
fn is_handshake(error: &Error) -> bool {
    let mut below = error.source();
    while let Some(cause) = below {
        if let Some(reading) = cause.downcast_ref::<std::io::Error>() {
            return reading.kind() == std::io::ErrorKind::InvalidData;
        }
        below = cause.source();
    }
    error.is_tls()
}

/// Whether it is a status code of RFC 3463, such as `5.1.1`.
fn is_enhanced(word: &str) -> bool {
    let numbers: Vec<&str> = word.split('.').collect();
    let is_number = |text: &&str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.len() == 3 && numbers.iter().all(is_number)
}
