//! Codes of authenticators: one-time passwords by the clock (RFC 6238), six digits, a new one every 30 seconds, with
//! HMAC-SHA-1 as authenticators know it. Its weakness against collisions does not matter to a MAC.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;

use crate::kernel::Timestamp;

/// How long a code is shown, in seconds.
const PERIOD: i64 = 30;

/// How many digits a code has.
pub(super) const DIGITS: usize = 6;

/// The bytes of a secret: 160 bits, as long as the hash (RFC 4226, 4).
pub(super) const SECRET: usize = 20;

/// The step whose code this is: that of `now`, the one before or the one after, and later than `last`, so that each code is
/// good once. Each step is looked at, in the same time, whichever fits.
pub(super) fn step_of(secret: &[u8], code: &str, now: Timestamp, last: i64) -> Option<i64> {
    let current = now.0.timestamp().div_euclid(PERIOD);
    let mut found = None;
    for step in [current - 1, current, current + 1] {
        let is_code: bool = code.as_bytes().ct_eq(code_at(secret, step).as_bytes()).into();
        if is_code && step > last {
            found = Some(step);
        }
    }
    found
}

/// What an authenticator reads to show the codes of an account, as a text or as a QR code.
pub(super) fn uri(secret: &str, account: &str) -> String {
    format!(
        "otpauth://totp/Orgdesk:{account}?secret={secret}&issuer=Orgdesk&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
    )
}

/// Base 32 of RFC 4648, of a whole number of five bytes.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for five in bytes.chunks(5) {
        let number = five.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let digits = (0..8).rev().map(|place| (number >> (place * 5)) as usize & 31);
        text.extend(digits.map(|digit| char::from(ALPHABET[digit])));
    }
    text
}

fn code_at(secret: &[u8], step: i64) -> String {
    format!("{:06}", number_at(secret, step) % 1_000_000)
}

/// The number of which a code is the last digits (RFC 4226, 5.3).
fn number_at(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = tag.last().map_or(0, |last| usize::from(last & 15));
    let four = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>());
    u32::from_be_bytes(four.copied().unwrap_or_default()) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"12345678901234567890";

    #[test]
    fn a10_codes_are_those_of_rfc_6238() {
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(number_at(KEY, seconds / PERIOD) % 100_000_000, code, "{seconds}");
        }
        assert_eq!(code_at(KEY, 1_111_111_109 / PERIOD), "081804");
    }

    #[test]
    fn a10_a_code_is_good_one_step_early_and_late_and_only_once() {
        let at = |seconds| Timestamp(chrono::DateTime::from_timestamp(seconds, 0).unwrap());
        let code = code_at(KEY, 100);

        let good: Vec<i64> = (2_900..3_200)
            .filter(|second| step_of(KEY, &code, at(*second), 0) == Some(100))
            .collect();

        assert_eq!((good[0], good[good.len() - 1], good.len()), (2_970, 3_059, 90));
        assert_eq!(step_of(KEY, &code, at(3_000), 99), Some(100));
        assert_eq!(step_of(KEY, &code, at(3_000), 100), None);
        for wrong in ["", "00000", "0000000", &format!("{code} "), "１２３４５６"] {
            assert_eq!(step_of(KEY, wrong, at(3_000), 0), None, "{wrong}");
        }
    }

    #[test]
    fn a10_base_32_is_that_of_rfc_4648() {
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(base32(KEY), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
