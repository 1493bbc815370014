//! What an operator can choose, from environment variables and, where `ORGDESK_CONFIG` names one, a TOML file with
//! the same names in lower case without the prefix. Every fault is reported at once, and none is guessed away.

mod database;
mod limits;
mod listen;
mod logs;
mod mail;
mod secret;
mod source;
mod storage;
mod traces;

use std::{net::SocketAddr, path::PathBuf};

use zeroize::Zeroizing;

use super::{address::Network, seal::KeyRing};
pub use database::database_url;
pub use logs::{AnchorPlace, LogSettings, least_months};
pub use mail::{MailSettings, Protection, SmtpServer};
pub use secret::{key_ring_of, secret_of};
pub use source::Source;
pub use storage::{Bucket, Storage};
pub use traces::{Sampling, TraceSettings};

/// Who may ask for the schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Introspection {
    /// Anybody.
    Public,
    /// Whoever has signed in.
    SignedIn,
    /// Nobody.
    Off,
}

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What an operator chose.
#[derive(Clone)]
pub struct Settings {
    /// `sqlite:PATH` or `postgres://…`, of the role that the service runs as.
    pub database_url: String,
    /// A standby of that PostgreSQL which views may read from, as the same role; `None` for none.
    pub replica_url: Option<String>,
    /// A pooler before that PostgreSQL which transactions go through, as the same role; `None` for none.
    pub pooler_url: Option<String>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to tell the metrics; `None` for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Where traces are sent; `None` for nowhere.
    pub traces: Option<TraceSettings>,
    /// The folder for what the service keeps beside its database.
    pub data: PathBuf,
    /// The address of an organization, with `{domain}` in it.
    pub organization_url: String,
    /// Where people reach this server, without a slash at the end: what every link in a letter begins with.
    pub public_url: String,
    /// From whom letters come, and which server takes them.
    pub mail: MailSettings,
    /// Where files are kept.
    pub storage: Storage,
    /// The most bytes that the pictures of an organization may come to.
    pub picture_quota: u64,
    /// Who may ask for the schema.
    pub introspection: Introspection,
    /// Whether `/graphiql` is served.
    pub has_playground: bool,
    /// How the log is written.
    pub log_format: LogFormat,
    /// The secret that all keys are derived from, at least 32 bytes.
    pub secret: Zeroizing<Vec<u8>>,
    /// The keys that wrap the keys which data are sealed under.
    pub key_ring: KeyRing,
    /// The proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// The origins whose pages may ask from a browser, exactly as browsers write them.
    pub allowed_origins: Vec<String>,
    /// The points of a caller's bucket: what a request costs is taken from it.
    pub cost_bucket: u32,
    /// The points that come back to it in a second.
    pub cost_refill: u32,
    /// The operator's own networks that webhooks may be sent to, beside the internet.
    pub webhook_networks: Vec<Network>,
    /// How many days the CTI log is kept, 7 to 3,650.
    pub cti_log_days: u16,
    /// How the logs are kept.
    pub logs: LogSettings,
    /// The most rows of an extraction, 1 to 100,000.
    pub extraction_rows: u32,
    /// The most days of tickets or of the CTI log in an extraction, 1 to 184.
    pub extraction_days: u32,
    /// Whether this is the demo, with its known password and long-lived tokens.
    pub is_demo: bool,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// The settings of a service that real people use. Nothing secret has a default.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn for_service(source: &Source) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let secret = secret_of(source).unwrap_or_else(|fault| {
            faults.push(fault);
            Zeroizing::default()
        });
        let key_ring = key_ring_of(source, &secret).unwrap_or_else(|fault| {
            faults.push(fault);
            KeyRing::default()
        });
        if source.get("ORGANIZATION_URL").is_none() {
            faults.push("ORGDESK_ORGANIZATION_URL is needed, such as https://{domain}.example.com".to_owned());
        }
        let settings = Self::common(source, (secret, key_ring), false, &mut faults);
        if !settings.organization_url.starts_with("https://") {
            faults.push("ORGDESK_ORGANIZATION_URL must begin with https://".to_owned());
        }
        if faults.is_empty() { Ok(settings) } else { Err(faults) }
    }

    /// The settings of the demo: everything has a default; the secret and the keys were made for its data folder.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn for_demo(source: &Source, secret: Zeroizing<Vec<u8>>, key_ring: KeyRing) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut settings = Self::common(source, (secret, key_ring), true, &mut faults);
        if source.get("INTROSPECTION").is_none() {
            settings.introspection = Introspection::Public;
        }
        if !settings.listen.ip().is_loopback() {
            faults.push("ORGDESK_LISTEN: the demo has a known password and listens on loopback only".to_owned());
        }
        if faults.is_empty() { Ok(settings) } else { Err(faults) }
    }

    fn common(
        source: &Source,
        (secret, key_ring): (Zeroizing<Vec<u8>>, KeyRing),
        is_demo: bool,
        faults: &mut Vec<String>,
    ) -> Self {
        let (listen, metrics_listen) = listen::read(source, faults);
        let traces = traces::read(source, faults);
        let public_url = mail::public_url(source, listen, is_demo, faults);
        let mail = mail::read(source, is_demo, faults);
        let storage = storage::read(source, faults);
        let picture_quota = storage::quota(source, faults);
        let data = data_folder(source);
        let (database_url, replica_url, pooler_url) = database::read(source, faults);
        let organization_url = source
            .get("ORGANIZATION_URL")
            .unwrap_or("https://{domain}.orgdesk.example")
            .to_owned();
        if !organization_url.contains("{domain}") {
            faults.push("ORGDESK_ORGANIZATION_URL must have {domain} in it".to_owned());
        }
        let proxies: Vec<_> = listed(source, "TRUSTED_PROXIES").map(Network::parse).collect();
        if proxies.contains(&None) {
            faults.push("ORGDESK_TRUSTED_PROXIES is a list of addresses and networks, such as 10.0.0.0/8".to_owned());
        }
        let trusted_proxies = proxies.into_iter().flatten().collect();
        let networks: Vec<_> = listed(source, "WEBHOOK_NETWORKS").map(Network::parse).collect();
        if networks.contains(&None) {
            faults.push("ORGDESK_WEBHOOK_NETWORKS is a list of addresses and networks, such as 10.0.0.0/8".to_owned());
        }
        let webhook_networks = networks.into_iter().flatten().collect();
        let allowed_origins: Vec<_> = listed(source, "ALLOWED_ORIGINS").map(str::to_owned).collect();
        if !allowed_origins.iter().all(|origin| is_origin(origin)) {
            faults.push("ORGDESK_ALLOWED_ORIGINS is a list of origins, such as https://app.example.com".to_owned());
        }
        let cti_log_days = cti_log_days(source).unwrap_or_else(|fault| {
            faults.push(fault);
            CTI_LOG_DAYS
        });
        let logs = logs::read(source, faults);
        let (cost_bucket, cost_refill) = limits::cost(source, faults);
        let (extraction_rows, extraction_days) = limits::extraction(source, faults);
        let mut choose = |name: &str, choices: &[&str]| {
            let text = source.get(name).unwrap_or(choices[0]);
            choices.iter().position(|choice| *choice == text).unwrap_or_else(|| {
                faults.push(format!("ORGDESK_{name} is one of {}", choices.join(", ")));
                0
            })
        };
        let introspection = [Introspection::SignedIn, Introspection::Public, Introspection::Off]
            [choose("INTROSPECTION", &["signed-in", "public", "off"])];
        let has_playground = [true, false][choose("PLAYGROUND", &["on", "off"])];
        let log_format = [LogFormat::Text, LogFormat::Json][choose("LOG", &["text", "json"])];
        Self {
            database_url,
            replica_url,
            pooler_url,
            listen,
            metrics_listen,
            traces,
            data,
            organization_url,
            public_url,
            mail,
            storage,
            picture_quota,
            introspection,
            has_playground,
            log_format,
            secret,
            key_ring,
            trusted_proxies,
            allowed_origins,
            cost_bucket,
            cost_refill,
            webhook_networks,
            cti_log_days,
            logs,
            extraction_rows,
            extraction_days,
            is_demo,
        }
    }
}

/// The entries of a list with commas.
fn listed<'s>(source: &'s Source, name: &str) -> impl Iterator<Item = &'s str> {
    source
        .get(name)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

/// Scheme, host and perhaps port, and nothing behind; without TLS on this machine only.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| {
        let rest = text.strip_prefix("http://")?;
        ["localhost", "127.0.0.1"]
            .contains(&rest.split(':').next()?)
            .then_some(rest)
    });
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte);
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(allowed))
}

/// How many days the CTI log is kept where nothing else is said.
const CTI_LOG_DAYS: u16 = 90;

/// Events are taken up to 7 days late: what is kept for a shorter time would be gone before it came.
fn cti_log_days(source: &Source) -> Result<u16, String> {
    let days = source.get("CTI_LOG_DAYS").map_or(Ok(CTI_LOG_DAYS), str::parse);
    days.ok()
        .filter(|days| (7..=3_650).contains(days))
        .ok_or_else(|| "ORGDESK_CTI_LOG_DAYS is a number of days from 7 to 3650".to_owned())
}

/// The data folder; `./data` where nothing else is said.
pub fn data_folder(source: &Source) -> PathBuf {
    PathBuf::from(source.get("DATA").unwrap_or("data"))
}

#[cfg(test)]
mod tests;
