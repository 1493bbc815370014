//! What the letters say: each thing that the reader needs, in the reader's language, and nothing that a name brings along.

use super::*;
use crate::kernel::config::Source;

const TOKEN: &str = "Zm9vYmFyLXRva2VuLXRva2VuLXRva2Vu";
const LANGUAGES: [Language; 2] = [Language::Korean, Language::English];

/// A name that is markup wherever it is not escaped.
const NAME: &str = "<b>\"김&이\"</b>";

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse().unwrap())
}

fn to() -> Recipient {
    Recipient {
        name: NAME.to_owned(),
        email: "lee@example.com".to_owned(),
    }
}

fn settings() -> Settings {
    let pairs = [("ORGDESK_PUBLIC_URL", "https://desk.example.com")];
    let source = Source::read(
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter(),
    );
    Settings::for_demo(
        &source.unwrap(),
        zeroize::Zeroizing::new(vec![1; 32]),
        Default::default(),
    )
    .unwrap()
}

fn invited(language: Language) -> Letter {
    let about = Invitation {
        organization: NAME,
        inviter: NAME,
        login: "agent.lee",
        link: &invitation_link(&settings(), TOKEN),
        expires_at: at("2026-11-17T20:00:00Z"),
        zone: chrono_tz::Asia::Seoul,
    };
    invitation(language, "job_1", to(), &about).unwrap()
}

fn reset(language: Language) -> Letter {
    let about = PasswordReset {
        organization: NAME,
        login: "agent.lee",
        link: &password_reset_link(&settings(), TOKEN),
        expires_at: at("2026-11-17T20:00:00Z"),
        zone: chrono_tz::America::New_York,
    };
    password_reset(language, "job_1", to(), &about).unwrap()
}

fn told(language: Language, event: Event, address: Option<&str>) -> Letter {
    let about = Notice {
        event,
        organization: NAME,
        login: "agent.lee",
        at: at("2026-11-17T20:00:00Z"),
        address,
        zone: chrono_tz::Asia::Seoul,
    };
    notice(language, "job_1", to(), &about).unwrap()
}

const EVENTS: [Event; 5] = [
    Event::PasswordChanged,
    Event::EmailChanged,
    Event::SecondFactorAdded,
    Event::SecondFactorRemoved,
    Event::OwnershipTransferred,
];

/// Every letter there is.
fn letters() -> Vec<(Language, Letter)> {
    let of = |language| {
        let notices = EVENTS.map(|event| told(language, event, Some("192.0.2.7")));
        [invited(language), reset(language)]
            .into_iter()
            .chain(notices)
            .map(move |letter| (language, letter))
    };
    LANGUAGES.into_iter().flat_map(of).collect()
}

#[test]
fn a4_a_link_begins_with_the_configured_address_and_ends_with_the_token() {
    // case: D7
    let settings = settings();
    let links = [invitation_link(&settings, TOKEN), password_reset_link(&settings, TOKEN)];

    assert_eq!(
        links,
        [
            format!("https://desk.example.com/invitation#{TOKEN}"),
            format!("https://desk.example.com/password-reset#{TOKEN}"),
        ]
    );
    for language in LANGUAGES {
        for (letter, link) in [invited(language), reset(language)].iter().zip(&links) {
            assert!(letter.text.lines().any(|line| line == link), "{}", letter.text);
            assert!(letter.html.contains(&format!("href=\"{link}\"")), "{}", letter.html);
            assert_eq!(
                letter.html.matches(link.as_str()).count(),
                2,
                "it can also be read and copied"
            );
        }
    }
}

#[test]
fn a4_no_token_stands_where_subjects_are_shown() {
    // case: D7
    for (_, letter) in letters() {
        assert!(!letter.subject.contains(TOKEN) && !letter.message_id.contains(TOKEN));
        assert!(!format!("{letter:?}").contains(TOKEN), "nor in the log");
        assert!(!format!("{:?}", letter.to).contains("lee@"), "nor the address");
    }
}

#[test]
fn a4_a_name_is_no_markup() {
    for (_, letter) in letters() {
        assert!(
            !letter.html.contains(NAME) && !letter.html.contains("<b>"),
            "{}",
            letter.html
        );
        assert!(letter.html.contains("&#60;b&#62;"), "{}", letter.html);
        assert!(letter.text.contains(NAME), "{}", letter.text);
        assert!(letter.subject.contains(NAME), "{}", letter.subject);
    }
}

#[test]
fn a4_a_letter_says_everything_in_its_own_language() {
    let is_korean = |text: &str| text.chars().any(|letter| ('가'..='힣').contains(&letter));
    for (language, letter) in letters() {
        for text in [&letter.text, &letter.html] {
            assert!(text.contains("agent.lee"), "{text}");
            assert_eq!(
                is_korean(&text.replace(NAME, "").replace("김&#38;이", "")),
                language == Language::Korean,
                "{text}"
            );
            assert!(!text.contains("{{") && !text.contains("{%"), "{text}");
        }
        assert_eq!(letter.html.contains("lang=\"ko\""), language == Language::Korean);
        assert_eq!(letter.html.contains("lang=\"en\""), language == Language::English);
        assert_eq!(letter.to, to());
    }
}

#[test]
fn a4_an_instant_is_told_in_the_organizations_zone_with_its_offset() {
    for language in LANGUAGES {
        let (invited, reset) = (invited(language), reset(language));
        for text in [&invited.text, &invited.html] {
            assert!(text.contains("2026-11-18 05:00 +09:00 (Asia/Seoul)"), "{text}");
        }
        for text in [&reset.text, &reset.html] {
            assert!(text.contains("2026-11-17 15:00 -05:00 (America/New_York)"), "{text}");
        }
    }
}

#[test]
fn a5_a_notice_says_what_happened_when_and_from_where() {
    for language in LANGUAGES {
        let mut subjects = std::collections::BTreeSet::new();
        for event in EVENTS {
            let known = told(language, event, Some("192.0.2.7"));
            let unknown = told(language, event, None);
            for text in [&known.text, &known.html] {
                assert!(
                    text.contains("192.0.2.7") && text.contains("2026-11-18 05:00 +09:00"),
                    "{text}"
                );
                assert!(text.contains(event.title(language)), "{text}");
            }
            assert!(!unknown.text.contains("192.0.2.7"));
            assert!(
                known.text.lines().count() == unknown.text.lines().count() + 1,
                "{}",
                known.text
            );
            subjects.insert(known.subject);
        }
        assert_eq!(subjects.len(), EVENTS.len(), "each has a subject of its own");
    }
}

#[test]
fn a4_the_html_needs_nothing_from_elsewhere_and_runs_nothing() {
    for (_, letter) in letters() {
        let html = letter.html.replace("https://desk.example.com/", "");
        for word in [
            "http:", "https:", "<script", "<img", "<link", "<form", "<style", "url(", "@import", " onclick",
        ] {
            assert!(!html.contains(word), "{word}: {html}");
        }
    }
}
