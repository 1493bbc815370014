//! What is read of blocks, and what is not believed of them.

use super::*;
use chrono::DateTime;

/// Later than all blocks.
const NOW: Timestamp = Timestamp(DateTime::<chrono::Utc>::MAX_UTC);

fn lines(keys: &Keys) -> Vec<String> {
    let mut anchor = Anchor::default();
    let mut lines = Vec::new();
    for place in 1..=3_i64 {
        let head = Head {
            organization: OrganizationId(uuid::Uuid::from_u128(7)),
            log: AuditLog::Access,
            sequence: place * 10,
            hash: vec![place as u8; 32],
        };
        let at = Timestamp(DateTime::from_timestamp(1_800_000_000 + place, 0).unwrap());
        let kept = Kept::from([("ACCESS".to_owned(), 24 + u32::from(place == 2))]);
        lines.push(anchor.next(keys, at, &[head], &kept).unwrap());
        anchor.take(keys, &lines[lines.len() - 1], NOW);
    }
    lines
}

fn read(keys: &Keys, lines: &[&str]) -> (i64, Option<i64>, bool) {
    let mut anchor = Anchor::default();
    lines.iter().for_each(|line| anchor.take(keys, line, NOW));
    (anchor.number(), anchor.broken(), anchor.is_torn())
}

#[test]
fn l3_an_anchor_shows_what_was_done_to_it() {
    let keys = Keys::derive(&[7; 32]);
    let all = lines(&keys);
    let [a, b, c] = [&all[0], &all[1], &all[2]].map(String::as_str);
    assert_eq!(read(&keys, &[a, b, c]), (3, None, false));
    assert_eq!(read(&keys, &[a, c]), (1, Some(2), false), "a block was taken out");
    assert_eq!(read(&keys, &[b, c]), (0, Some(1), false), "the first was taken out");
    assert_eq!(
        read(&keys, &[a, a, b]),
        (1, Some(2), false),
        "a block stands there twice"
    );
    assert_eq!(read(&keys, &[b, a]), (0, Some(1), false), "blocks changed places");
    assert_eq!(
        read(&keys, &[a, &b[..40], b, c]),
        (3, None, false),
        "a server fell while it wrote"
    );
    assert_eq!(read(&keys, &[a, b, &c[..40]]), (2, None, true));
    for at in 0..b.len() {
        let mut forged = b.as_bytes().to_vec();
        forged[at] = if forged[at] == b'1' { b'2' } else { b'1' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(read(&keys, &[a, &forged, c]), (1, Some(2), false), "{forged}");
    }
    let stranger = Keys::derive(&[8; 32]);
    assert_eq!(read(&stranger, &[a, b, c]), (0, None, true));
    let mut cut = Anchor::default();
    cut.take(&keys, a, NOW);
    let mut whole = cut.clone();
    whole.take(&keys, b, NOW);
    let mark = whole.mark("here", Timestamp(DateTime::UNIX_EPOCH));
    assert!(cut.is_cut(&mark) && !whole.is_cut(&mark));
    cut.spoil();
    assert_eq!(cut.broken(), Some(2), "its end was cut off");
}

/// A chain of a year that got a place each day, anchored each evening, and then a last block of this time, by these
/// settings, as it is read in the evening of the last day.
fn with_a_last(at: Timestamp, months: u32) -> Anchor {
    let (keys, organization) = (Keys::derive(&[7; 32]), OrganizationId(uuid::Uuid::from_u128(7)));
    let head = |sequence| Head {
        organization,
        log: AuditLog::Access,
        sequence,
        hash: vec![1; 32],
    };
    let mut anchor = Anchor::default();
    for place in 1..=365 {
        let kept = Kept::from([("ACCESS".to_owned(), 24)]);
        let line = anchor.next(&keys, day(place), &[head(place)], &kept).unwrap();
        anchor.take(&keys, &line, day(365));
    }
    let kept = Kept::from([("ACCESS".to_owned(), months)]);
    let line = anchor.next(&keys, at, &[head(366)], &kept).unwrap();
    anchor.take(&keys, &line, day(365));
    // A block behind it makes the one before it count for what was over.
    let line = anchor.next(&keys, at, &[head(367)], &kept).unwrap();
    anchor.take(&keys, &line, day(365));
    anchor
}

fn day(day: i64) -> Timestamp {
    Timestamp(DateTime::UNIX_EPOCH + Duration::days(20_000 + day))
}

#[test]
fn l3_a_block_of_the_future_makes_nothing_older_than_it_is() {
    let organization = OrganizationId(uuid::Uuid::from_u128(7));
    let known = |anchor: &Anchor| {
        let kept_from = Timestamp(day(365).0.checked_sub_months(Months::new(24)).unwrap());
        anchor.known(organization, AuditLog::Access, kept_from).removable
    };
    let honest = with_a_last(day(365), 24);
    assert_eq!(
        (known(&honest), honest.ahead()),
        (1, None),
        "of a year, nothing is over but what was there before"
    );
    let soon = with_a_last(Timestamp(day(365).0 + SKEW), 24);
    assert_eq!((known(&soon), soon.ahead(), soon.at()), (1, None, Some(day(365))));
    for years in [1, 3, 300] {
        let forged = with_a_last(day(365 + years * 365), 24);
        assert_eq!((known(&forged), forged.ahead()), (1, Some(366)), "{years}");
        assert_eq!((forged.broken(), forged.at()), (None, Some(day(365))));
    }
    // However many there are, none pushes out what was known.
    let (keys, mut forged) = (Keys::derive(&[7; 32]), honest);
    for more in 1..300 {
        let head = Head {
            organization,
            log: AuditLog::Access,
            sequence: 367 + more,
            hash: vec![1; 32],
        };
        let line = forged.next(&keys, day(365 + more * 32), &[head], &Kept::new()).unwrap();
        forged.take(&keys, &line, day(365));
    }
    assert_eq!(known(&forged), 1);
}

#[test]
fn l3_no_block_keeps_a_log_for_less_than_the_law_says() {
    let organization = OrganizationId(uuid::Uuid::from_u128(7));
    for months in [0, 1, 11, 12] {
        let forged = with_a_last(day(365), months);
        let known = forged.known(organization, AuditLog::Access, day(-9_999));
        assert!(known.removable <= 1 + 31 + 7, "{months}: {}", known.removable);
    }
}
