//! The one spelling of CTI IDs and numbers: whatever a keyboard, a sheet or a letter makes of them, the database sees
//! each in one form only.

use unicode_normalization::UnicodeNormalization as _;

use crate::kernel::{Code, Problem};

/// The longest CTI ID.
const LONGEST_ID: usize = 40;
/// How many digits a CTI number has.
const DIGITS: std::ops::RangeInclusive<usize> = 2..=12;

/// A CTI ID and number that go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The CTI ID as it is shown.
    pub id: String,
    /// The CTI number: digits, zeros in front among them.
    pub number: String,
}

impl Pair {
    /// The CTI ID as it is told apart from others: whatever the case.
    pub fn key(&self) -> String {
        key(&self.id)
    }
}

/// A CTI ID as it is told apart from others.
pub fn key(id: &str) -> String {
    id.to_ascii_lowercase()
}

/// A CTI ID in its one spelling: 1 to 40 letters, digits, dots, hyphens and underscores; `None` for a text in which
/// there is nothing to see.
///
/// # Errors
/// `TOO_LONG` or `INVALID`, at `path`.
pub fn cti_id(path: &str, text: &str) -> Result<Option<String>, Problem> {
    let text = folded(text);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match text.len() {
        0 => Ok(None),
        _ if !text.bytes().all(fits) => Err(Problem::at(path, Code::Invalid).with("rule", "A-Z a-z 0-9 . _ -")),
        1..=LONGEST_ID => Ok(Some(text)),
        _ => Err(Problem::at(path, Code::TooLong).with("max", LONGEST_ID)),
    }
}

/// A CTI number in its one spelling: 2 to 12 digits, with the zeros in front of it; `None` for a text in which there is
/// nothing to see.
///
/// # Errors
/// `INVALID` at `path`.
pub fn cti_number(path: &str, text: &str) -> Result<Option<String>, Problem> {
    let text = folded(text);
    let is_number = DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        0 => Ok(None),
        _ if is_number => Ok(Some(text)),
        _ => Err(Problem::at(path, Code::Invalid).with("rule", "0-9, 2–12")),
    }
}

/// A text without what nobody sees: full-width letters and digits as the usual ones, no spaces of any kind, no
/// zero-width and no control characters.
pub fn folded(text: &str) -> String {
    text.nfkc()
        .filter(|letter| !letter.is_whitespace() && !letter.is_control() && !is_invisible(*letter))
        .collect()
}

/// What takes no room, or only says how to set what follows. A list of Unicode's: Default_Ignorable_Code_Point.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t4_every_way_to_write_a_number_is_one_number() {
        for text in [
            "0042",
            "００４２",
            " 00 42 ",
            "00\u{200b}42",
            "\u{feff}0042",
            "0\u{3000}0\u{a0}42\n",
            "\u{202e}0042\u{202c}",
            "0042\0",
            "00\u{ad}42",
        ] {
            assert_eq!(cti_number("n", text), Ok(Some("0042".to_owned())), "{text:?}");
        }
        for text in ["4", "1234567890123", "12a", "1-2", "+82", "٤٢", "1.0", "1e3"] {
            assert!(cti_number("n", text).is_err(), "{text:?}");
        }
        assert_eq!(cti_number("n", "000000000012"), Ok(Some("000000000012".to_owned())));
        for nothing in ["", "  ", "\u{200b}", "\t\u{3164}"] {
            assert_eq!(cti_number("n", nothing), Ok(None), "{nothing:?}");
            assert_eq!(cti_id("i", nothing), Ok(None), "{nothing:?}");
        }
    }

    #[test]
    fn t4_every_way_to_write_an_id_is_one_id() {
        for text in ["Kim.01", "Ｋｉｍ．０１", " K im.01", "Ki\u{200d}m.01"] {
            assert_eq!(cti_id("i", text), Ok(Some("Kim.01".to_owned())), "{text:?}");
        }
        for (one, other) in [("KIM", "kim"), ("a_B", "A_b")] {
            assert_eq!(key(one), key(other));
        }
        for text in ["김", "a/b", "a@b", "=1+1", "K\u{131}m"] {
            assert!(cti_id("i", text).is_err(), "{text:?}");
        }
        assert!(cti_id("i", &"a".repeat(40)).is_ok());
        assert!(cti_id("i", &"a".repeat(41)).is_err());
    }
}
