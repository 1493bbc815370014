//! What a configuration may say, and that every fault of one is told at once.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;

fn source(pairs: &[(&str, &str)]) -> Result<Source, Vec<String>> {
    Source::read(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

// case: K15
#[test]
fn p4_a_broken_configuration_is_refused_with_every_fault_at_once() {
    let broken = source(&[
        ("DATABASE_URL", "mysql://x"),
        ("ORGDESK_LISTEN", "nowhere"),
        ("ORGDESK_METRICS_LISTEN", "everywhere"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "tempo:4317"),
        ("ORGDESK_SECRET", "c2hvcnQ="),
        ("ORGDESK_ORGANIZATION_URL", "http://example.com"),
        ("ORGDESK_LOG", "xml"),
        ("ORGDESK_INTROSPECTION", "maybe"),
    ]);
    let faults = Settings::for_service(&broken.unwrap()).unwrap_err();
    assert_eq!(faults.len(), 13, "{faults:#?}");
    for word in [
        "PUBLIC_URL",
        "MAIL_FROM",
        "SMTP_URL",
        "DATABASE_URL",
        "ORGDESK_LISTEN must",
        "ORGDESK_METRICS_LISTEN",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "SECRET",
        "KEY_RING",
        "{domain}",
        "https://",
        "ORGDESK_LOG",
        "INTROSPECTION",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(word)), "{word}: {faults:#?}");
    }
    assert_eq!(
        source(&[("ORGDESK_LISTN", "x")]).unwrap_err(),
        ["ORGDESK_LISTN is no setting of Orgdesk"]
    );
    let weak = STANDARD.encode([7_u8; 32]);
    assert!(secret_of(&source(&[("ORGDESK_SECRET", &weak)]).unwrap()).is_err());
}

#[test]
fn the_cti_log_is_kept_for_90_days_or_for_as_many_as_are_said() {
    let days = |text: &str| cti_log_days(&source(&[("ORGDESK_CTI_LOG_DAYS", text)]).unwrap());

    assert_eq!(cti_log_days(&source(&[]).unwrap()), Ok(90));
    assert_eq!((days("7"), days("3650")), (Ok(7), Ok(3_650)));
    for wrong in ["6", "3651", "-90", "many", "70000"] {
        assert!(days(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn o3_a_bucket_is_named_as_a_whole_or_not_at_all() {
    let whole = [
        ("ORGDESK_STORAGE", "s3"),
        ("ORGDESK_STORAGE_BUCKET", "orgdesk-pictures"),
        ("ORGDESK_STORAGE_REGION", "ap-northeast-2"),
        ("ORGDESK_STORAGE_ACCESS_KEY", "AKEXAMPLE"),
        ("ORGDESK_STORAGE_SECRET_KEY", "secret/of+example"),
    ];
    let with =
        |more: &[(&'static str, &'static str)]| service(&[whole.as_slice(), more].concat()).map(|all| all.storage);
    let is_in_path = |more: &[(&'static str, &'static str)]| match with(more) {
        Ok(Storage::Bucket(bucket)) => bucket.has_path_style,
        other => panic!("{other:?}"),
    };
    assert_eq!(service(&[]).unwrap().storage, Storage::Folder);
    assert_eq!(service(&[]).unwrap().picture_quota, 200 * 1024 * 1024);
    assert_eq!(
        service(&[("ORGDESK_PICTURE_QUOTA_MIB", "1")]).unwrap().picture_quota,
        1024 * 1024
    );
    assert!(!is_in_path(&[]));
    assert!(is_in_path(&[("ORGDESK_STORAGE_ENDPOINT", "https://s3.example.com")]));
    assert!(!is_in_path(&[
        ("ORGDESK_STORAGE_ENDPOINT", "http://127.0.0.1:9000"),
        ("ORGDESK_STORAGE_PATH_STYLE", "off")
    ]));
    for (name, value) in [
        ("ORGDESK_STORAGE_ENDPOINT", "http://s3.example.com"),
        ("ORGDESK_STORAGE_ENDPOINT", "https://user:password@s3.example.com"),
        ("ORGDESK_STORAGE_ENDPOINT", "https://s3.example.com/bucket"),
        ("ORGDESK_STORAGE_ENDPOINT", "https://s3.example.com/"),
        ("ORGDESK_STORAGE_ENDPOINT", "s3.example.com"),
        ("ORGDESK_STORAGE_BUCKET", "Pictures"),
        ("ORGDESK_STORAGE_BUCKET", "../x"),
        ("ORGDESK_STORAGE_REGION", ""),
        ("ORGDESK_STORAGE_ACCESS_KEY", "a b"),
        ("ORGDESK_STORAGE_SECRET_KEY", ""),
        ("ORGDESK_STORAGE_SECRET_KEY_FILE", "/nowhere"),
        ("ORGDESK_STORAGE_PATH_STYLE", "yes"),
        ("ORGDESK_PICTURE_QUOTA_MIB", "0"),
        ("ORGDESK_PICTURE_QUOTA_MIB", "much"),
    ] {
        let faults = with(&[(name, value)]).unwrap_err();
        let setting = name.trim_end_matches("_FILE");
        assert!(
            faults.len() == 1 && faults[0].contains(setting),
            "{name}={value}: {faults:?}"
        );
    }
    let faults = service(&[("ORGDESK_STORAGE", "s3")])
        .map(|all| all.storage)
        .unwrap_err();
    assert_eq!(faults.len(), 4, "bucket, region and both keys: {faults:?}");
    let faults =
        service(&[("ORGDESK_STORAGE_BUCKET", "x"), ("ORGDESK_STORAGE_PATH_STYLE", "on")]).map(|all| all.storage);
    assert_eq!(faults.unwrap_err().len(), 2);
    assert_eq!(
        service(&[("ORGDESK_STORAGE", "ftp")])
            .map(|all| all.storage)
            .unwrap_err()
            .len(),
        1
    );
    assert!(!format!("{:?}", with(&[])).contains("secret/of"));
}

#[test]
fn i5_the_keys_that_data_are_sealed_under_have_no_default_and_are_not_the_secret() {
    // case: B7
    let secret = STANDARD.encode((0..32).collect::<Vec<u8>>());
    for (ring, word) in [
        (String::new(), "ORGDESK_KEY_RING or ORGDESK_KEY_RING_FILE is needed"),
        (format!("one:{secret}"), "needs one of its own"),
        (format!("one:{}", STANDARD.encode([0_u8; 32])), "random"),
    ] {
        let faults = service(&[("ORGDESK_KEY_RING", &ring)]).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains(word), "{word}: {faults:?}");
        assert!(!faults[0].contains(&secret), "{faults:?}");
    }
}

#[test]
fn an_origin_is_scheme_and_host_and_nothing_else() {
    for right in [
        "https://app.example.com",
        "https://app.example.com:8443",
        "http://localhost:5173",
    ] {
        assert!(is_origin(right), "{right}");
    }
    for wrong in "null * https:// http://example.com https://a.example/ https://*.example.com HTTPS://a".split(' ') {
        assert!(!is_origin(wrong), "{wrong}");
    }
}

#[test]
fn p4_the_demo_does_not_listen_beyond_this_machine() {
    let open = source(&[("ORGDESK_LISTEN", "0.0.0.0:80")]).unwrap();
    assert!(Settings::for_demo(&open, Zeroizing::new(vec![1; 32]), KeyRing::default()).is_err());
}

/// The settings of a service that real people use, with these instead of its own.
fn service(changes: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let secret = STANDARD.encode((0..32).collect::<Vec<u8>>());
    let ring = format!("test:{}", STANDARD.encode((32..64).collect::<Vec<u8>>()));
    let mut pairs = BTreeMap::from([
        ("ORGDESK_SECRET", secret.as_str()),
        ("ORGDESK_KEY_RING", ring.as_str()),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "Orgdesk <no-reply@example.com>"),
        ("ORGDESK_SMTP_URL", "smtps://mail.example.com"),
    ]);
    pairs.extend(changes.iter().copied());
    let pairs: Vec<_> = pairs.into_iter().collect();
    Settings::for_service(&source(&pairs).unwrap())
}

#[test]
fn a3_a_mail_server_is_named_by_an_address_that_says_how_it_is_reached() {
    for (url, host, port, protection, credentials) in [
        (
            "smtps://mail.example.com",
            "mail.example.com",
            465,
            Protection::Implicit,
            None,
        ),
        (
            "smtp://mail.example.com",
            "mail.example.com",
            587,
            Protection::StartTls,
            None,
        ),
        (
            "smtp://mail.example.com:25?tls=required",
            "mail.example.com",
            25,
            Protection::StartTls,
            None,
        ),
        (
            "smtp://127.0.0.1:1025?tls=none",
            "127.0.0.1",
            1025,
            Protection::None,
            None,
        ),
        ("smtp://[::1]:1025/?tls=none", "::1", 1025, Protection::None, None),
        ("smtp://LOCALHOST?tls=none", "localhost", 25, Protection::None, None),
        (
            "smtps://me%40example.com:p%40ss%20w%C3%B6rd@10.0.0.7:2465",
            "10.0.0.7",
            2465,
            Protection::Implicit,
            Some(("me@example.com", "p@ss wörd")),
        ),
    ] {
        let server = service(&[("ORGDESK_SMTP_URL", url)]).unwrap().mail.server.unwrap();
        let found = server
            .credentials
            .as_ref()
            .map(|(user, password)| (user.as_str(), password.as_str()));
        assert_eq!(
            (server.host.as_str(), server.port, server.protection, found),
            (host, port, protection, credentials),
            "{url}"
        );
        assert_eq!(server.timeout.as_secs(), 30);
        assert!(!format!("{server:?}").contains("p@ss"), "{server:?}");
    }
}

#[test]
fn a3_an_address_that_says_too_little_or_too_much_is_refused() {
    for url in [
        "mail.example.com",
        "https://mail.example.com",
        "smtp://",
        "smtp:mail.example.com",
        "smtps://mail.example.com/path",
        "smtps://mail.example.com#x",
        "smtps://mail.example.com?tls=none",
        "smtp://mail.example.com?tls=opportunistic",
        "smtp://mail.example.com?tls=none",
        "smtp://10.0.0.7:25?tls=none",
        "smtp://127.0.0.1.example.com?tls=none",
        "smtp://127.0.0.1?tls=none&x=1",
        "smtps://user@mail.example.com",
        "smtps://:password@mail.example.com",
        "smtps://user:%FF@mail.example.com",
        "smtps://mail.example.com:99999",
        "smtps://mail%00.example.com",
        "smtps://[mail]",
    ] {
        let faults = service(&[("ORGDESK_SMTP_URL", url)]).unwrap_err();
        assert!(
            faults.len() == 1 && faults[0].starts_with("ORGDESK_SMTP_URL "),
            "{url}: {faults:?}"
        );
        assert!(!faults[0].contains("%FF"), "a fault does not repeat a password");
    }
    for from in [
        "nobody",
        "Orgdesk",
        "a@example.com, b@example.com",
        "Orgdesk <no-reply@localhost>",
        "Orgdesk\r\nBcc: x@example.com <no-reply@example.com>",
    ] {
        let faults = service(&[("ORGDESK_MAIL_FROM", from)]).unwrap_err();
        assert!(
            faults.len() == 1 && faults[0].starts_with("ORGDESK_MAIL_FROM "),
            "{from}: {faults:?}"
        );
    }
    for url in [
        "desk.example.com",
        "http://desk.example.com",
        "https://desk.example.com/",
        "https://desk.example.com/x",
    ] {
        let faults = service(&[("ORGDESK_PUBLIC_URL", url)]).unwrap_err();
        assert!(
            faults.len() == 1 && faults[0].starts_with("ORGDESK_PUBLIC_URL "),
            "{url}: {faults:?}"
        );
    }
}

#[test]
fn a3_a_certificate_authority_must_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.pem");
    let nonsense = folder.path().join("nonsense.pem");
    std::fs::write(
        &nonsense,
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for file in [absent, nonsense, empty] {
        let faults = service(&[("ORGDESK_SMTP_CA_FILE", file.to_str().unwrap())]).unwrap_err();
        assert!(
            faults.len() == 1 && faults[0].starts_with("ORGDESK_SMTP_CA_FILE "),
            "{faults:?}"
        );
    }
}

#[test]
fn a3_whoever_serves_people_needs_a_mail_server_and_the_demo_does_not() {
    let needed = ["ORGDESK_PUBLIC_URL", "ORGDESK_MAIL_FROM", "ORGDESK_SMTP_URL"];
    let faults = service(&needed.map(|name| (name, ""))).unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:?}");
    for name in needed {
        assert!(
            faults
                .iter()
                .any(|fault| fault.starts_with(&format!("{name} is needed"))),
            "{faults:?}"
        );
    }

    let demo = |pairs| Settings::for_demo(&source(pairs).unwrap(), Zeroizing::new(vec![1; 32]), KeyRing::default());
    let plain = demo(&[]).unwrap();
    assert!(plain.mail.server.is_none());
    assert_eq!(plain.public_url, "http://127.0.0.1:8080");
    let moved = demo(&[
        ("ORGDESK_LISTEN", "127.0.0.1:9090"),
        ("ORGDESK_SMTP_URL", "smtp://127.0.0.1?tls=none"),
    ])
    .unwrap();
    assert!(moved.mail.server.is_some());
    assert_eq!(moved.public_url, "http://127.0.0.1:9090");
    assert_eq!(demo(&[("ORGDESK_SMTP_URL", "x")]).unwrap_err().len(), 1);
}
