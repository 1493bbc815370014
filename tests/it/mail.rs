//! Letters through a real mail server: they arrive whole, with one recipient each, and over TLS where it is asked for.

use std::sync::Arc;

use orgdesk::{
    kernel::{
        Language, Letter, Mailer, Recipient, SystemClock, Timestamp, Undelivered,
        config::{Protection, SmtpServer},
        mail::{is_address, smtp::Smtp},
    },
    member::letter::{self, Invitation},
    operate::{self, Person},
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    both,
    support::{
        app::instant,
        mail_server::{Certificate, MailServer},
    },
};

/// A token as long as they are, and a link to go with it, longer than a line of a letter.
const LINK: &str = "https://desk.example.com/invitation#Zm9v-YmFy_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ej0";

/// A mailer of Orgdesk on the way to a server.
pub fn mailer(server: SmtpServer) -> Smtp {
    let from = "Orgdesk 알림 <no-reply@example.com>".parse().unwrap();
    Smtp::new(server, from, Arc::new(SystemClock)).unwrap()
}

/// An invitation of a job with this ID.
pub fn invitation(language: Language, job: &str, name: &str, email: &str) -> Letter {
    let about = Invitation {
        organization: "행복 상담 & <b>파트너</b>",
        inviter: "김운영",
        login: "agent.lee",
        link: LINK,
        expires_at: Timestamp(instant("2026-11-17T01:00:00Z")),
        zone: chrono_tz::Asia::Seoul,
    };
    let to = Recipient {
        name: name.to_owned(),
        email: email.to_owned(),
    };
    letter::invitation(language, job, to, &about).unwrap()
}

fn header<'a>(letter: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = letter["headers"].as_array().unwrap();
    let named = headers.iter().filter(|header| header[0] == name);
    named.map(|header| header[1].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a3_a_letter_arrives_whole_in_both_languages() {
    let Some(server) = MailServer::plain() else { return };
    let mailer = mailer(server.way());

    let sent = [
        invitation(Language::Korean, "job_1", "이상담", "lee@example.com"),
        invitation(
            Language::English,
            "job_2",
            "Lee, \"Kim\" <x@example.net>",
            "o'hara+desk@example.co.kr",
        ),
    ];
    for letter in &sent {
        mailer.send(letter.clone()).await.unwrap();
    }

    let came = server.letters();
    assert_eq!(came.len(), 2);
    for (letter, sent) in came.iter().zip(&sent) {
        assert_eq!(letter["recipients"], json!([sent.to.email]));
        assert_eq!(letter["to"], json!([[sent.to.name, sent.to.email]]));
        assert_eq!(letter["sender"], json!([["Orgdesk 알림", "no-reply@example.com"]]));
        assert_eq!(letter["from"], "no-reply@example.com");
        assert_eq!(letter["subject"], sent.subject.as_str());
        assert_eq!(letter["message_id"], format!("<{}@example.com>", sent.message_id));
        assert_eq!(letter["text"], sent.text.as_str(), "the text is what was written");
        assert_eq!(letter["html"], sent.html.as_str(), "the HTML is what was written");
        assert!(letter["text"].as_str().unwrap().lines().any(|line| line == LINK));
        for name in [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "MIME-Version",
            "Content-Type",
        ] {
            assert_eq!(header(letter, name).len(), 1, "{name}");
        }
        assert_eq!(header(letter, "Auto-Submitted"), ["auto-generated"]);
        assert_eq!(header(letter, "Bcc").len() + header(letter, "Cc").len(), 0);
        let raw = raw(letter);
        let (head, body) = raw.split_once("\r\n\r\n").unwrap();
        assert!(raw.is_ascii(), "any server can pass it on");
        assert!(raw.split("\r\n").all(|line| !line.contains(['\r', '\n'])), "{raw}");
        assert!(head.split("\r\n").all(|line| line.len() < 100), "{head}");
        assert!(body.split("\r\n").all(|line| line.len() <= 78), "{body}");
    }
    assert_eq!(came[0]["peer"], came[1]["peer"], "both went over one connection");
    assert_eq!(
        came[0]["hello"], "example.com",
        "it does not tell the name of the machine"
    );
}

fn raw(letter: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let bytes = STANDARD.decode(letter["raw"].as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Texts that have begun headers, recipients or commands elsewhere.
const HOSTILE: [&str; 9] = [
    "Lee\r\nBcc: all@example.com",
    "Lee\nBcc: all@example.com",
    "Lee\rBcc: all@example.com",
    "Lee\r\n\r\nHello",
    "Lee\r\n.\r\nMAIL FROM:<x@example.com>",
    "Lee\0",
    "Lee\u{85}Bcc: all@example.com",
    "Lee\u{7f}",
    "Lee\u{b}x",
];

#[tokio::test]
async fn a3_no_name_or_subject_begins_another_header() {
    // case: J3
    let Some(server) = MailServer::plain() else { return };
    let mailer = mailer(server.way());
    let refused = Err(Undelivered::Never("UNSENDABLE".to_owned()));
    let letter = |name: &str| invitation(Language::English, "job_1", name, "lee@example.com");

    for text in HOSTILE {
        assert_eq!(mailer.send(letter(text)).await, refused, "{text:?}");
        let subject = Letter {
            subject: text.to_owned(),
            ..letter("Lee")
        };
        assert_eq!(mailer.send(subject).await, refused, "{text:?}");
        let message_id = Letter {
            message_id: text.to_owned(),
            ..letter("Lee")
        };
        assert_eq!(mailer.send(message_id).await, refused, "{text:?}");
    }
    assert_eq!(server.letters(), Vec::<Value>::new());

    // What only looks like something else arrives as what it is, for one recipient.
    let long = "가".repeat(100);
    let odd = [
        "=?utf-8?q?Bcc=3A_all=40example.com?=",
        "=?utf-8?b?DQpCY2M6IGFsbEBleGFtcGxlLmNvbQ==?=",
        "a@example.net, b@example.net",
        "<x@example.net>",
        "\"quoted\\\" name\"",
        "Group: a@example.net;",
        "(comment)",
        "Subject: x",
        "x\u{2028}y \u{202e}z 👩‍👩‍👧 é",
        &long,
    ];
    for (place, name) in odd.iter().enumerate() {
        let letter = Letter {
            subject: format!("About {name}"),
            ..letter(name)
        };
        assert_eq!(mailer.send(letter).await, Ok(()), "{name}");

        let came = server.letters();
        let letter = &came[place];
        assert_eq!(letter["recipients"], json!(["lee@example.com"]), "{name}");
        // Some programs read an encoded word between quotes too: such a name is left out.
        let shown = if name.contains("=?") { "" } else { *name };
        assert_eq!(letter["to"], json!([[shown, "lee@example.com"]]), "{name}");
        assert_eq!(letter["subject"], format!("About {name}"), "{name}");
        assert_eq!(header(letter, "Bcc").len() + header(letter, "Cc").len(), 0, "{name}");
        assert_eq!(header(letter, "To").len(), 1, "{name}");
    }
}

/// What is no address of one recipient.
fn no_addresses() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "@",
        "lee",
        "lee@",
        "@example.com",
        "lee@localhost",
        "lee@example",
        "\"a b\"@x",
        "\"a b\"@example.com",
        "\"a\"@example.com",
        "a b@example.com",
        "a@example.com,b@example.com",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "a@b@example.com",
        "Lee <lee@example.com>",
        "<lee@example.com>",
        "lee@example.com>",
        "lee(comment)@example.com",
        "lee@[127.0.0.1]",
        "lee@127.0.0.1:25 x.y",
        "lee..kim@example.com",
        ".lee@example.com",
        "lee.@example.com",
        "lee@.example.com",
        "lee@example..com",
        "lee@example.com.",
        "lee@-example.com",
        "lee@example-.com",
        "lee@exa_mple.com",
        "이@example.com",
        "lee@예시.kr",
        "lee@example.com\r\nRCPT TO:<x@example.com>",
        "lee@example.com\nBcc: x@example.com",
        "lee\r\n@example.com",
        "lee\0@example.com",
        "lee@example.com\0",
        "lee@example.com ",
        " lee@example.com",
        "lee\t@example.com",
        "lee\\@example.com",
    ]
    .map(str::to_owned)
    .into();
    texts.extend(HOSTILE.iter().map(|text| format!("{text}@example.com")));
    texts.push(format!("{}@example.com", "a".repeat(65)));
    texts.push(format!("lee@{}.com", "a".repeat(64)));
    texts.push(format!("lee@{}com", "a.".repeat(124)));
    texts.push(format!("{}@example.com", "a".repeat(1_000_000)));
    texts.push(format!("lee@{}com", "example.".repeat(125_000)));
    texts
}

#[tokio::test]
async fn a3_what_is_not_one_plain_address_is_not_written_to() {
    // case: J3
    let Some(server) = MailServer::plain() else { return };
    let mailer = mailer(server.way());

    for text in no_addresses() {
        let short: String = text.chars().take(60).collect();
        assert!(!is_address(&text), "{short:?}");
        let letter = invitation(Language::English, "job_1", "Lee", &text);
        let sent = mailer.send(letter).await;
        assert_eq!(sent, Err(Undelivered::Never("UNSENDABLE".to_owned())), "{short:?}");
    }
    assert_eq!(server.letters(), Vec::<Value>::new());

    let good = [
        "lee@example.com",
        "a+b_c-d.e'f@xn--9n2bp8q.co.kr",
        "=?x?=@a.b",
        "1@1.2.3",
    ];
    for text in good {
        let letter = invitation(Language::English, "job_1", "Lee", text);
        assert_eq!(mailer.send(letter).await, Ok(()), "{text}");
    }
    let came: Vec<Value> = server
        .letters()
        .iter()
        .map(|letter| letter["recipients"].clone())
        .collect();
    assert_eq!(came, good.map(|text| json!([text])));
}

both! {
    // case: J3
    async fn a3_what_is_not_one_plain_address_is_refused_at_input(app) {
        let password_hash = operate::hash_password(&app.app, crate::support::app::PASSWORD).await.unwrap();
        let add = async |name: &str, email: &str| {
            let person = Person {
                login: "newcomer".to_owned(),
                name: name.to_owned(),
                email: email.to_owned(),
                password_hash: password_hash.clone(),
                is_administrator: false,
            };
            operate::add_member(&app.app, "acme", person).await.map_err(|error| error.to_string())
        };

        for text in no_addresses() {
            let refused = add("Lee", &text).await.unwrap_err();
            assert!(refused.starts_with("email: "), "{refused}");
        }
        for name in HOSTILE.iter().filter(|name| name.chars().any(char::is_control)) {
            let refused = add(name, "lee@example.com").await.unwrap_err();
            assert!(refused.starts_with("name: "), "{name:?}: {refused}");
        }
        let refused = add(&"가".repeat(350_000), "lee@example.com").await.unwrap_err();
        assert!(refused.starts_with("name: "), "{refused}");
        add("Lee", "lee@example.com").await.unwrap();

        assert_eq!(app.letters(), Vec::<Letter>::new(), "whoever is added without an invitation gets no letter");
    }
}

/// The way to a server with TLS that believes in this certificate.
fn protected(server: &MailServer, protection: Protection, certificate: Option<&Certificate>) -> SmtpServer {
    SmtpServer {
        protection,
        authority: certificate.map(Certificate::pem),
        ..server.way()
    }
}

const WAYS: [(&str, Protection); 2] = [("implicit", Protection::Implicit), ("starttls", Protection::StartTls)];

#[tokio::test]
async fn a3_a_letter_goes_over_tls() {
    let certificate = Certificate::of("IP:127.0.0.1");
    for (name, protection) in WAYS {
        let Some(server) = certificate.server(name, &[]) else {
            return;
        };
        let mailer = mailer(protected(&server, protection, Some(&certificate)));

        for job in ["job_1", "job_2"] {
            let letter = invitation(Language::English, job, "Lee", "lee@example.com");
            assert_eq!(mailer.send(letter).await, Ok(()), "{name}");
        }

        let came = server.letters();
        assert_eq!(came.len(), 2);
        assert!(came.iter().all(|letter| letter["protected"] == json!(true)), "{name}");
        assert_eq!(came[0]["peer"], came[1]["peer"], "{name}");
    }
}

#[tokio::test]
async fn a3_no_letter_goes_where_tls_is_not_what_it_should_be() {
    // case: J2
    let (right, other) = (Certificate::of("IP:127.0.0.1"), Certificate::of("DNS:mail.example.net"));
    let letter = || invitation(Language::English, "job_1", "Lee", "lee@example.com");
    let later = |code: &str| Err(Undelivered::Later(code.to_owned()));

    for (name, protection) in WAYS {
        let Some(server) = right.server(name, &[]) else { return };
        let unknown = mailer(protected(&server, protection, None));
        assert_eq!(
            unknown.send(letter()).await,
            later("TLS"),
            "{name}: nobody vouches for it"
        );
        assert_eq!(server.letters().len(), 0, "{name}");

        let Some(server) = other.server(name, &[]) else { return };
        let misnamed = mailer(protected(&server, protection, Some(&other)));
        assert_eq!(misnamed.send(letter()).await, later("TLS"), "{name}: it is another's");
        assert_eq!(server.letters().len(), 0, "{name}");
    }

    let Some(bare) = MailServer::plain() else { return };
    let without = mailer(protected(&bare, Protection::StartTls, Some(&right)));
    assert_eq!(without.send(letter()).await, later("UNSUPPORTED"), "it has no STARTTLS");
    let nonsense = mailer(protected(&bare, Protection::Implicit, Some(&right)));
    assert_eq!(nonsense.send(letter()).await, later("TLS"), "it speaks no TLS");
    assert_eq!(bare.letters().len(), 0);
}

#[tokio::test]
async fn a3_the_server_is_told_user_and_password_over_tls_only() {
    let certificate = Certificate::of("IP:127.0.0.1");
    let Some(server) = certificate.server("starttls", &["--authenticate"]) else {
        return;
    };
    let letter = || invitation(Language::English, "job_1", "Lee", "lee@example.com");
    let with = |password: &str| {
        let credentials = Some(("orgdesk".to_owned(), Zeroizing::new(password.to_owned())));
        mailer(SmtpServer {
            credentials,
            ..protected(&server, Protection::StartTls, Some(&certificate))
        })
    };

    let wrong = with("guess").send(letter()).await;
    assert_eq!(
        wrong,
        Err(Undelivered::Later("SMTP 535 5.7.8".to_owned())),
        "the letter is not at fault"
    );
    assert_eq!(server.letters().len(), 0);
    assert_eq!(with("p@ss word").send(letter()).await, Ok(()));
    let came = server.letters();
    assert_eq!(
        (&came[0]["user"], &came[0]["protected"]),
        (&json!("orgdesk"), &json!(true))
    );
}
