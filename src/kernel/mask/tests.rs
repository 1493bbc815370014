//! Each rule by its examples, and what holds of all of them for any text.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::Kind;

#[test]
fn i3_each_kind_is_masked_as_the_table_says() {
    for (kind, value, mask) in [
        (Kind::Name, "김", "*"),
        (Kind::Name, "김철", "김*"),
        (Kind::Name, "홍길동", "홍*동"),
        (Kind::Name, "남궁민수", "남**수"),
        (Kind::Name, "홍\u{1100}\u{1175}\u{11af}동", "홍*동"),
        (
            Kind::Name,
            "\u{1112}\u{1169}\u{11bc}길동",
            "\u{1112}\u{1169}\u{11bc}*동",
        ),
        (Kind::Name, "John Smith", "Jo** *****"),
        (Kind::Name, "Li", "**"),
        (Kind::Name, "J", "*"),
        (Kind::Name, "😀😀😀", "***"),
        (Kind::Name, "", ""),
        (Kind::Phone, "010-1234-5678", "010-****-5678"),
        (Kind::Phone, "01012345678", "010****5678"),
        (Kind::Phone, "02-123-4567", "02-***-4567"),
        (Kind::Phone, "02-1234-5678", "02-****-5678"),
        (Kind::Phone, "031-123-4567", "031-***-4567"),
        (Kind::Phone, "1588-1234", "1588-****"),
        (Kind::Phone, "+82-10-1234-5678", "+82-10-****-5678"),
        (Kind::Phone, "+821012345678", "+8210****5678"),
        (Kind::Phone, "+82-2-123-4567", "+82-2-***-4567"),
        (Kind::Phone, "(02) 123-4567", "(02) ***-4567"),
        (Kind::Phone, "123-4567", "1**-****"),
        (Kind::Phone, "+1-415-555-0100", "+1-***-***-****"),
        (Kind::Phone, "0101234567890", "0************"),
        (Kind::Phone, "010-1234-567a", "0**-****-****"),
        (Kind::Email, "a@b.kr", "*@b.kr"),
        (Kind::Email, "ab@b.kr", "a*@b.kr"),
        (Kind::Email, "hong@ex.com", "ho**@ex.com"),
        (Kind::Email, "honggildong@ex.com", "hon********@ex.com"),
        (Kind::Email, "hong.gd@ex.com", "hon*.**@ex.com"),
        (Kind::Email, "honggildong", "h**********"),
        (Kind::Email, "@ex.com", "@e*.***"),
        (Kind::ResidentNumber, "900101-1234567", "900101-1******"),
        (Kind::ResidentNumber, "9001011234567", "9001011******"),
        (Kind::ResidentNumber, "900101-123456", "9*****-******"),
        (Kind::Card, "1234-5678-9012-3456", "1234-****-****-3456"),
        (Kind::Card, "123456789012", "1***********"),
        (Kind::Account, "110-234-567890", "***-***-**7890"),
        (Kind::Account, "1234", "1***"),
        (Kind::Address, "서울시 강남구 테헤란로 123", "서울시 강남구 **** ***"),
        (
            Kind::Address,
            "경기도 성남시 분당구 판교로 1-2",
            "경기도 성남시 분당구 *** *-*",
        ),
        (Kind::Address, "서울시 강남구", "서** ***"),
        (Kind::Address, "서울시 봉은사로 12 친구 집", "서울시 **** ** ** *"),
        (Kind::Address, "제주 어딘가", "제* ***"),
        (Kind::Birth, "1990-01-02", "1990-**-**"),
        (Kind::Birth, "19900102", "1990****"),
        (Kind::Birth, "900102", "90****"),
        (Kind::Birth, "1990", "1***"),
        (Kind::Passport, "M12345678", "M*******8"),
        (Kind::Passport, "M1", "**"),
        (Kind::Driver, "11-12-345678-90", "**-**-******-90"),
        (Kind::Driver, "11-12-345678-9", "1*-**-******-*"),
        (Kind::Ip, "203.0.113.7", "203.0.***.7"),
        (Kind::Ip, "2001:db8::7", "2001:db8::*"),
        (Kind::Ip, "::ffff:203.0.113.7", "::ffff:***.*.***.*"),
        (Kind::Ip, "2001:db8::", "2***:***::"),
        (Kind::Ip, "nowhere", "n******"),
        (Kind::Generic, "가나다라", "가***"),
        (Kind::Generic, "가나", "**"),
        (Kind::Generic, "👨‍👩‍👧가나", "***"),
        (Kind::Generic, "---", "***"),
        (Kind::Generic, "  ", "  "),
    ] {
        assert_eq!(kind.mask(value), mask, "{kind:?} {value}");
    }
}

#[test]
fn i3_what_means_the_same_has_one_normal_form() {
    for (kind, one, other) in [
        (Kind::Phone, "010-1234-5678", "+82 10 1234 5678"),
        (Kind::Phone, "０１０１２３４５６７８", "0082-10-1234-5678"),
        (Kind::Phone, "+82-010-1234-5678", "01012345678"),
        (Kind::Email, " Hong@Ex.com ", "hong@ex.com"),
        (Kind::Name, "홍길동", "홍\u{1100}\u{1175}\u{11af}동"),
        (Kind::Name, "John  Smith", "john smith"),
        (Kind::Card, "1234-5678-9012-3456", "1234567890123456"),
        (Kind::Passport, "m12345678", "M12345678"),
        (Kind::Ip, "::ffff:203.0.113.7", "203.0.113.7"),
        (Kind::Birth, "1990.01.02", "1990-01-02"),
    ] {
        assert_eq!(kind.normal(one), kind.normal(other), "{kind:?} {one} {other}");
    }
    assert_ne!(
        Kind::Phone.normal("+1 010 1234 5678"),
        Kind::Phone.normal("010 1234 5678")
    );
    assert_ne!(Kind::Email.normal("a@b.kr"), Kind::Email.normal("b@b.kr"));
}

/// Any text, and texts of what values are made of.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9*+ .()-]{0,20}",
        "[가-힣\u{1100}-\u{1112}\u{1161}-\u{1175}\u{11a8}-\u{11c2} *]{0,8}",
        "[a-zA-Z*._+@\u{301}\u{200d}\u{1f1f0}\u{1f1f7}👨👩시군구 -]{0,16}",
        "[0-9a-f:.*]{0,24}",
        "[가-힣]{1,4}[시군구도] [가-힣]{1,4}[시군구]? [가-힣0-9 *]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i3_masking_is_idempotent_keeps_the_length_and_hides_something(value in texts()) {
        for kind in Kind::ALL {
            let mask = kind.mask(&value);

            prop_assert_eq!(&kind.mask(&mask), &mask, "{:?} twice", kind);
            prop_assert_eq!(mask.graphemes(true).count(), value.graphemes(true).count(), "{:?}", kind);
            let is_blank = value.chars().all(char::is_whitespace);
            prop_assert!(is_blank || mask.contains('*'), "{:?} hides nothing of {:?}", kind, value);
            prop_assert!(is_blank || kind.is_masked(&mask), "{:?} does not know {:?}", kind, mask);
            prop_assert!(mask != value || value.contains('*') || is_blank, "{:?} shows {:?}", kind, value);
        }
    }

    #[test]
    fn i3_a_mask_shows_no_character_that_the_value_does_not_have_there(value in texts()) {
        for kind in Kind::ALL {
            let mask = kind.mask(&value);
            for (shown, own) in mask.graphemes(true).zip(value.graphemes(true)) {
                prop_assert!(shown == own || shown == "*", "{:?} {:?}", kind, value);
            }
        }
    }
}
