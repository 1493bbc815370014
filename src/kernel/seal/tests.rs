//! What is sealed opens where it was sealed and nowhere else, and no bit of it can be changed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{BlindIndex, Broken, Cell, DataKey, KeyRing, KeyService, Purpose, Sealed, bound, parts, seal_value};
use crate::kernel::{OrganizationId, Random, ServiceId, mask::Kind, personal::Personal};

fn key(byte: u8) -> DataKey {
    DataKey(Zeroizing::new([byte; 32]))
}

fn organization(number: u128) -> OrganizationId {
    OrganizationId(uuid::Uuid::from_u128(number))
}

/// A place of a value: whose, what for, the key's version, and its cell.
type Whose<'a> = (OrganizationId, Purpose, i32, Cell<'a>);

fn sealed(random: &Random, whose: &Whose<'_>, plain: &[u8]) -> Sealed {
    let (organization, purpose, version, cell) = whose;
    seal_value(
        &key(7),
        (*organization, *purpose, *version),
        random.bytes(),
        cell,
        plain,
    )
    .unwrap()
}

fn opened(whose: &Whose<'_>, value: &Sealed) -> Result<Vec<u8>, Broken> {
    let (organization, purpose, version, cell) = whose;
    let (found, text) = parts(value)?;
    if found != *version {
        return Err(Broken::KeyUnknown);
    }
    Ok(key(7)
        .open(&bound(*organization, *purpose, *version, cell), text)?
        .to_vec())
}

#[test]
fn i5_ten_thousand_values_that_are_swapped_do_not_open() {
    // case: B5
    let random = Random::seeded(5);
    let rows: Vec<[u8; 16]> = (0..200).map(|_| random.bytes()).collect();
    let columns = ["value#fld_1", "value#fld_2"];
    let mut values = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let cell = Cell {
            table: if number % 3 == 0 {
                "ticket_value"
            } else {
                "second_factor"
            },
            column: columns[number % 2],
            row,
        };
        let purpose = if number % 5 == 0 {
            Purpose::SecondFactor
        } else {
            Purpose::FieldValue
        };
        let version = 1 + i32::from(number % 7 == 0);
        let whose = (organization(1 + u128::from(number % 4 == 0)), purpose, version, cell);
        values.push((whose, sealed(&random, &whose, b"010-1234-5678")));
    }
    let mut refused = 0;
    while refused < 10_000 {
        let one = usize::try_from(random.below(200)).unwrap();
        let other = usize::try_from(random.below(200)).unwrap();
        if one == other {
            assert_eq!(opened(&values[one].0, &values[one].1).unwrap(), b"010-1234-5678");
            continue;
        }
        assert!(opened(&values[one].0, &values[other].1).is_err(), "{one} {other}");
        refused += 1;
    }
}

#[test]
fn i5_a_value_is_bound_to_each_part_of_its_place() {
    let random = Random::seeded(6);
    let cell = Cell {
        table: "ticket_value",
        column: "phone",
        row: b"row",
    };
    let here = (organization(1), Purpose::FieldValue, 1, cell);
    let value = sealed(&random, &here, b"secret");
    let elsewhere = [
        (organization(2), Purpose::FieldValue, 1, cell),
        (organization(1), Purpose::SecondFactor, 1, cell),
        (organization(1), Purpose::FieldValue, 2, cell),
        (
            organization(1),
            Purpose::FieldValue,
            1,
            Cell {
                table: "ticket",
                ..cell
            },
        ),
        (organization(1), Purpose::FieldValue, 1, Cell { column: "mail", ..cell }),
        (organization(1), Purpose::FieldValue, 1, Cell { row: b"raw", ..cell }),
        // Lengths are told: nothing moves over from one part to the next.
        (
            organization(1),
            Purpose::FieldValue,
            1,
            Cell {
                column: "phoner",
                row: b"ow",
                ..cell
            },
        ),
    ];

    assert_eq!(opened(&here, &value).unwrap(), b"secret");
    for place in &elsewhere {
        assert!(opened(place, &value).is_err(), "{place:?}");
        let text = parts(&value).unwrap().1;
        let (organization, purpose, version, cell) = place;
        let forged = key(7).open(&bound(*organization, *purpose, *version, cell), text);
        assert_eq!(forged.unwrap_err(), Broken::Forged, "{place:?}");
    }
    let text = parts(&value).unwrap().1;
    assert_eq!(
        key(8).open(&bound(here.0, here.1, 1, &cell), text).unwrap_err(),
        Broken::Forged
    );
}

#[test]
fn i5_every_flipped_bit_of_two_hundred_values_is_found() {
    // case: B6
    let random = Random::seeded(7);
    for number in 0..200_usize {
        let row: [u8; 16] = random.bytes();
        let cell = Cell {
            table: "ticket_value",
            column: "phone",
            row: &row,
        };
        let here = (organization(1), Purpose::FieldValue, 1, cell);
        let plain = "가".repeat(number % 9);
        let value = sealed(&random, &here, plain.as_bytes());
        assert_eq!(opened(&here, &value).unwrap(), plain.as_bytes());
        for bit in 0..value.0.len() * 8 {
            let mut forged = value.clone();
            forged.0[bit / 8] ^= 1 << (bit % 8);
            assert!(opened(&here, &forged).is_err(), "{number} {bit}");
        }
        for length in 0..value.0.len() {
            let cut = Sealed(value.0[..length].to_vec());
            assert!(opened(&here, &cut).is_err(), "{number} {length}");
        }
    }
}

#[test]
fn i5_the_same_value_is_never_sealed_alike() {
    // case: B11
    let random = Random::seeded(8);
    let cell = Cell {
        table: "ticket_value",
        column: "phone",
        row: b"row",
    };
    let here = (organization(1), Purpose::FieldValue, 1, cell);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let value = sealed(&random, &here, b"010-1234-5678");
        assert!(!value.0.windows(4).any(|part| part == b"1234"));
        assert!(seen.insert(value.0[..17].to_vec()));
    }
}

#[test]
fn i5_a_ring_of_weak_or_odd_keys_is_refused_without_telling_any() {
    // case: B7
    let good = |seed| STANDARD.encode(Random::seeded(seed).bytes::<32>());
    let secret = Random::seeded(3).bytes::<32>();
    let (one, two) = (good(1), good(2));
    for (text, word) in [
        (String::new(), "no key"),
        ("one".to_owned(), "name:key"),
        (format!("One:{one}"), "small letters"),
        (format!(":{one}"), "small letters"),
        ("one:!".to_owned(), "base 64"),
        (format!("one:{}", STANDARD.encode([0; 32])), "random"),
        (format!("one:{}", STANDARD.encode([1; 16])), "random"),
        (format!("one:{one},one:{two}"), "twice"),
        (format!("one:{one}\ntwo:{one}"), "twice"),
        (format!("one:{}", good(3)), "secret"),
    ] {
        let fault = KeyRing::parse(&text, &secret).unwrap_err();
        assert!(fault.contains(word), "{text}: {fault}");
        assert!(!fault.contains(&one) && !fault.contains(&two), "{fault}");
    }
    let ring = KeyRing::parse(&format!("two:{two}\n\none:{one}\n"), &secret).unwrap();
    assert_eq!(
        (ring.current(), format!("{ring:?}")),
        ("two", "[\"two\", \"one\"]".to_owned())
    );
}

#[tokio::test]
async fn i5_a_wrapped_key_opens_with_its_ring_and_for_its_use_only() {
    let text = |name: &str, seed| format!("{name}:{}", STANDARD.encode(Random::seeded(seed).bytes::<32>()));
    let old = KeyRing::parse(&text("old", 1), b"").unwrap();
    let both = KeyRing::parse(&format!("{},{}", text("new", 2), text("old", 1)), b"").unwrap();
    let wrong = KeyRing::parse(&text("old", 9), b"").unwrap();

    let wrapped = old.wrap(&[7; 32], b"here", [1; 12]).await.unwrap();

    assert_eq!(*old.unwrap("old", &wrapped, b"here").await.unwrap(), [7; 32]);
    assert_eq!(*both.unwrap("old", &wrapped, b"here").await.unwrap(), [7; 32]);
    assert_eq!(both.unwrap("new", &wrapped, b"here").await.unwrap_err(), Broken::Forged);
    assert_eq!(old.unwrap("old", &wrapped, b"there").await.unwrap_err(), Broken::Forged);
    assert_eq!(
        wrong.unwrap("old", &wrapped, b"here").await.unwrap_err(),
        Broken::Forged
    );
    assert_eq!(
        old.unwrap("new", &wrapped, b"here").await.unwrap_err(),
        Broken::KeyUnknown
    );
    assert_eq!(old.unwrap("old", b"", b"here").await.unwrap_err(), Broken::Form);
}

#[test]
fn f3_a_blind_index_finds_what_means_the_same_in_its_own_column_only() {
    // case: B12
    let value = |kind, text: &str| Personal::new(ServiceId(uuid::Uuid::nil()), kind, text.to_owned());
    let (own, other) = (BlindIndex::with(key(1)), BlindIndex::with(key(2)));
    let phone = value(Kind::Phone, "010-1234-5678");
    let token = own.token("ticket_value", "fld_1", &phone);

    assert_eq!(token.len(), 16);
    assert_eq!(
        token,
        own.token("ticket_value", "fld_1", &value(Kind::Phone, "+82 10 1234 5678"))
    );
    assert_ne!(
        token,
        own.token("ticket_value", "fld_1", &value(Kind::Phone, "010-1234-5679"))
    );
    assert_ne!(token, own.token("ticket_value", "fld_2", &phone));
    assert_ne!(token, own.token("ticket", "fld_1", &phone));
    assert_ne!(
        token,
        own.token("ticket_value", "fld_1", &value(Kind::Account, "01012345678"))
    );
    assert_ne!(token, other.token("ticket_value", "fld_1", &phone));
}
