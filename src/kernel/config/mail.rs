//! The settings of mail: from whom letters come, which server takes them and how well the way to it is protected, and
//! what the links in letters begin with.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use lettre::{Address, message::Mailbox, transport::smtp::client::Certificate};
use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

use super::{Source, is_origin};
use crate::kernel::mail::is_address;

/// From whom letters come, and which server takes them.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The sender that people see.
    pub from: Mailbox,
    /// The server that takes letters; `None` in the demo alone, which keeps them in its data folder.
    pub server: Option<SmtpServer>,
}

/// How the way to a mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// TLS from the first byte.
    Implicit,
    /// TLS by STARTTLS, without which nothing is sent.
    StartTls,
    /// Nothing, on this machine only.
    None,
}

/// A server that takes letters.
#[derive(Clone)]
pub struct SmtpServer {
    /// Its name, which its certificate must have, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is protected.
    pub protection: Protection,
    /// User and password, where it wants them.
    pub credentials: Option<(String, Zeroizing<String>)>,
    /// A certificate authority in PEM that is believed beside the public ones.
    pub authority: Option<Vec<u8>>,
    /// How long the delivery of one letter may take, from connecting to the server's word that it has it.
    pub timeout: Duration,
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpServer")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("protection", &self.protection)
            .finish_non_exhaustive()
    }
}

/// The longest that the delivery of one letter may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Reads the settings of mail; what is needed and absent is a fault, save in the demo.
pub(super) fn read(source: &Source, is_demo: bool, faults: &mut Vec<String>) -> MailSettings {
    for (name, example) in [
        ("MAIL_FROM", "'Orgdesk <no-reply@example.com>'"),
        ("SMTP_URL", "smtps://user:password@mail.example.com"),
    ] {
        if source.get(name).is_none() && !is_demo {
            faults.push(format!("ORGDESK_{name} is needed, such as {example}"));
        }
    }
    let from = source.get("MAIL_FROM").map_or_else(demo_sender, |text| {
        sender(text).unwrap_or_else(|| {
            faults.push("ORGDESK_MAIL_FROM is one address, such as 'Orgdesk <no-reply@example.com>'".to_owned());
            demo_sender()
        })
    });
    let server = source.get("SMTP_URL").and_then(|url| {
        let server = server(url);
        server
            .map_err(|fault| faults.push(format!("ORGDESK_SMTP_URL {fault}")))
            .ok()
    });
    let authority = source.get("SMTP_CA_FILE").and_then(|path| {
        let authority = authority(path);
        authority
            .map_err(|fault| faults.push(format!("ORGDESK_SMTP_CA_FILE {fault}")))
            .ok()
    });
    MailSettings {
        from,
        server: server.map(|server| SmtpServer { authority, ..server }),
    }
}

/// Where people reach this server: `ORGDESK_PUBLIC_URL`, and in the demo where it listens.
pub(super) fn public_url(source: &Source, listen: SocketAddr, is_demo: bool, faults: &mut Vec<String>) -> String {
    match source.get("PUBLIC_URL") {
        Some(url) if is_origin(url) && (is_demo || url.starts_with("https://")) => url.to_owned(),
        None if is_demo => format!("http://{listen}"),
        given => {
            let fault = if given.is_some() {
                "is scheme and host"
            } else {
                "is needed"
            };
            faults.push(format!("ORGDESK_PUBLIC_URL {fault}, such as https://desk.example.com"));
            String::new()
        }
    }
}

fn demo_sender() -> Mailbox {
    Mailbox::new(
        Some("Orgdesk".to_owned()),
        Address::new_dangerous("no-reply", "orgdesk.example"),
    )
}

fn sender(text: &str) -> Option<Mailbox> {
    let sender: Mailbox = text.parse().ok()?;
    let is_plain = !text.chars().any(char::is_control) && is_address(sender.email.as_ref());
    is_plain.then_some(sender)
}

/// `smtps://host` is TLS from the first byte, `smtp://host` STARTTLS, and `smtp://127.0.0.1?tls=none` neither.
fn server(text: &str) -> Result<SmtpServer, String> {
    let form = || "is smtp:// or smtps:// with a host, such as smtps://user:password@mail.example.com".to_owned();
    let url = Url::parse(text).map_err(|_| form())?;
    let is_bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
    // Of this scheme an address comes as it was written, one of IPv6 in brackets.
    let host = url.host_str().filter(|_| is_bare).ok_or_else(form)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    let address = host.parse::<IpAddr>().ok();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    if address.is_none() && !host.bytes().all(allowed) {
        return Err(form());
    }
    let is_here = address.map_or(host == "localhost", |ip| ip.is_loopback());
    let (protection, port) = match (url.scheme(), url.query()) {
        ("smtps", None) => (Protection::Implicit, 465),
        ("smtp", None | Some("tls=required")) => (Protection::StartTls, 587),
        ("smtp", Some("tls=none")) if is_here => (Protection::None, 25),
        ("smtp", Some("tls=none")) => return Err("may be without TLS on this machine only".to_owned()),
        _ => return Err(form()),
    };
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (user, Some(password)) if !user.is_empty() => Some((decoded(user)?, Zeroizing::new(decoded(password)?))),
        _ => return Err("has a user and a password, or neither".to_owned()),
    };
    Ok(SmtpServer {
        host,
        port: url.port().unwrap_or(port),
        protection,
        credentials,
        authority: None,
        timeout: TIMEOUT,
    })
}

/// A part of a URL without its percent signs.
fn decoded(part: &str) -> Result<String, String> {
    let text = percent_decode_str(part).decode_utf8();
    text.map(Cow::into_owned)
        .map_err(|_| "has a user or password that is no UTF-8".to_owned())
}

fn authority(path: &str) -> Result<Vec<u8>, String> {
    let pem = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    match Certificate::from_pem(&pem) {
        Ok(_) if pem.windows(10).any(|part| part == b"-----BEGIN") => Ok(pem),
        _ => Err(format!("{path} is no certificate in PEM")),
    }
}
