//! What a configuration may say, and that every fault of one is told at once.

use super::*;

fn source(pairs: &[(&str, &str)]) -> Result<Source, Vec<String>> {
    Source::read(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

#[test]
fn p4_a_broken_configuration_is_refused_with_every_fault_at_once() {
    let broken = source(&[
        ("DATABASE_URL", "mysql://x"),
        ("ORGDESK_LISTEN", "nowhere"),
        ("ORGDESK_SECRET", "c2hvcnQ="),
        ("ORGDESK_ORGANIZATION_URL", "http://example.com"),
        ("ORGDESK_LOG", "xml"),
        ("ORGDESK_INTROSPECTION", "maybe"),
    ]);
    let faults = Settings::for_service(&broken.unwrap()).unwrap_err();
    assert_eq!(faults.len(), 7, "{faults:#?}");
    for word in [
        "DATABASE_URL",
        "LISTEN",
        "SECRET",
        "{domain}",
        "https://",
        "ORGDESK_LOG",
        "INTROSPECTION",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(word)), "{word}: {faults:#?}");
    }
    // case: K15
    assert_eq!(
        source(&[("ORGDESK_LISTN", "x")]).unwrap_err(),
        ["ORGDESK_LISTN is no setting of Orgdesk"]
    );
    let weak = STANDARD.encode([7_u8; 32]);
    assert!(secret_of(&source(&[("ORGDESK_SECRET", &weak)]).unwrap()).is_err());
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
    assert!(Settings::for_demo(&open, Zeroizing::new(vec![1; 32])).is_err());
}
