//! Passwords that everybody thinks of (NIST 800-63B-4, 3.1.1.2): whole passwords, never parts of them. The list is written
//! down as rules, so that it can be read, takes no memory and is nobody else's: words with the endings that people give
//! them, words twice and three times, walks over the keyboard, counting; and without end the same few characters again and
//! again, and dates. Written out it has tens of thousands of entries.

use std::{collections::HashSet, sync::LazyLock};

use chrono::NaiveDate;

/// The words, one a line; `#` begins a remark.
static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = include_str!("words.txt").lines().filter(|line| !line.starts_with('#'));
    let words = lines.map(|line| line.replace(' ', ""));
    words.flat_map(|word| [typed(&word), word]).collect()
});

/// What people add where a word alone is not enough, beside a year.
const ENDINGS: [&str; 64] = [
    "",
    "0",
    "00",
    "000",
    "007",
    "01",
    "1",
    "11",
    "111",
    "1111",
    "12",
    "123",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "0123456789",
    "123123",
    "123321",
    "1004",
    "2",
    "21",
    "22",
    "23",
    "3",
    "321",
    "4",
    "486",
    "5",
    "7",
    "69",
    "77",
    "777",
    "7777",
    "8",
    "88",
    "888",
    "8282",
    "9",
    "99",
    "999",
    "!",
    "!!",
    "!!!",
    "1!",
    "12!",
    "123!",
    "1234!",
    "!@#",
    "!@#$",
    "!1",
    "!123",
    "@",
    "@1",
    "@123",
    "@1234",
    "#",
    "#1",
    "*",
    ".",
    "?",
];

/// The years that people add.
const YEARS: std::ops::RangeInclusive<u16> = 1990..=2035;

/// How often a word is written down in a row, at most.
const MOST_TIMES: usize = 3;

/// Ways over the keyboard and along the alphabet; each stretch of one, forwards and backwards, is a password.
const WALKS: [&str; 13] = [
    "1234567890123456789012345678901234567890",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1a2b3c4d5e6f7g8h9i0j",
    "a1b2c3d4e5f6g7h8i9j0",
    "!@#$%^&*()!@#$%^&*()",
    "aabbccddeeffgghhiijjkkllmmnnooppqqrrssttuuvvwwxxyyzz",
    "11223344556677889900112233445566778899",
];

/// Whether everybody thinks of this password. It is given in small letters and without spaces.
pub(super) fn is_common(password: &str) -> bool {
    is_walk(password)
        || is_repetition(password)
        || is_date(password)
        || is_word(password)
        || is_word(&without_numerals(password))
}

/// Whether it is a word or a word in a row, with or without an ending.
fn is_word(password: &str) -> bool {
    let years = YEARS.map(|year| year.to_string());
    let endings = ENDINGS.iter().map(|ending| (*ending).to_owned()).chain(years);
    let mut stems = endings.filter_map(|ending| password.strip_suffix(&ending).map(str::to_owned));
    stems.any(|stem| (1..=MOST_TIMES).any(|times| is_row_of(&stem, times)))
}

/// Whether it is one of the words, so many times.
fn is_row_of(text: &str, times: usize) -> bool {
    let word = text
        .get(..text.len() / times)
        .filter(|word| word.len() * times == text.len());
    word.is_some_and(|word| WORDS.contains(word) && word.repeat(times) == text)
}

fn is_walk(password: &str) -> bool {
    let backwards: String = password.chars().rev().collect();
    WALKS
        .iter()
        .any(|walk| walk.contains(password) || walk.contains(&backwards))
}

/// The letters that numerals and signs stand for: `p@ssw0rd` is `password`. Endings stay as they are.
fn without_numerals(password: &str) -> String {
    let end = password.trim_end_matches(|letter: char| !letter.is_alphabetic()).len();
    let (word, ending) = password.split_at(end);
    let letter = |numeral: char| match numeral {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    word.chars().map(letter).chain(ending.chars()).collect()
}

/// Whether at most four characters come again and again, to whatever length.
fn is_repetition(password: &str) -> bool {
    let letters: Vec<char> = password.chars().collect();
    (1..=4).any(|piece| letters.len() >= 2 * piece && letters.iter().skip(piece).eq(&letters[..letters.len() - piece]))
}

/// Whether it is one day, as people write it: eight digits with or without something between them.
fn is_date(password: &str) -> bool {
    let is_between = |letter: char| "-./년월일".contains(letter);
    let digits: String = password.chars().filter(|letter| !is_between(*letter)).collect();
    let is_numeric = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_day = |format| {
        let day = NaiveDate::parse_from_str(&digits, format);
        day.is_ok_and(|day| (1900..2100).contains(&chrono::Datelike::year(&day)))
    };
    is_numeric && ["%Y%m%d", "%d%m%Y", "%m%d%Y"].into_iter().any(is_day)
}

/// Hangul as a keyboard types it that is not switched to Korean (두벌식); other characters as they are.
fn typed(text: &str) -> String {
    const INITIALS: [&str; 19] = [
        "r", "R", "s", "e", "E", "f", "a", "q", "Q", "t", "T", "d", "w", "W", "c", "z", "x", "v", "g",
    ];
    const VOWELS: [&str; 21] = [
        "k", "o", "i", "O", "j", "p", "u", "P", "h", "hk", "ho", "hl", "y", "n", "nj", "np", "nl", "b", "m", "ml", "l",
    ];
    const FINALS: [&str; 28] = [
        "", "r", "R", "rt", "s", "sw", "sg", "e", "f", "fr", "fa", "fq", "ft", "fx", "fv", "fg", "a", "q", "qt", "t",
        "T", "d", "w", "c", "z", "x", "v", "g",
    ];
    let mut keys = String::new();
    for letter in text.chars() {
        // A syllable's number is (initial × 21 + vowel) × 28 + final, from 가 on.
        match (letter as usize).checked_sub(0xac00) {
            Some(syllable) if syllable < 19 * 21 * 28 => {
                keys.push_str(INITIALS[syllable / (21 * 28)]);
                keys.push_str(VOWELS[syllable / 28 % 21]);
                keys.push_str(FINALS[syllable % 28]);
            }
            _ => keys.push(letter),
        }
    }
    keys.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list written out, as far as it has an end.
    fn written_out() -> HashSet<String> {
        let years = YEARS.map(|year| year.to_string());
        let endings: Vec<String> = ENDINGS.iter().map(|ending| (*ending).to_owned()).chain(years).collect();
        let mut list = HashSet::new();
        for (word, times) in WORDS
            .iter()
            .flat_map(|word| (1..=MOST_TIMES).map(move |times| (word, times)))
        {
            list.extend(endings.iter().map(|ending| word.repeat(times) + ending));
        }
        for walk in WALKS {
            let letters: Vec<char> = walk.chars().collect();
            for length in 8..=letters.len() {
                list.extend(
                    letters
                        .windows(length)
                        .map(|stretch| stretch.iter().collect::<String>()),
                );
            }
        }
        list
    }

    // case: D14
    #[test]
    fn a1_the_list_has_thousands_of_passwords_of_every_length_that_is_allowed() {
        let list = written_out();
        let count = |least: usize| list.iter().filter(|entry| entry.chars().count() >= least).count();

        assert!(
            count(8) >= 3_000 && count(15) >= 3_000,
            "{} and {}",
            count(8),
            count(15)
        );
        assert!(
            list.iter()
                .all(|entry| *entry == entry.to_lowercase() && !entry.contains(' '))
        );
        for entry in list.iter().step_by(97) {
            assert!(is_common(entry), "{entry}");
        }
    }

    #[test]
    fn a1_hangul_is_typed_as_on_a_keyboard() {
        for (word, keys) in [
            ("비밀번호", "qlalfqjsgh"),
            ("사랑해", "tkfkdgo"),
            ("안녕하세요", "dkssudgktpdy"),
            ("괜찮아", "rhoscksgdk"),
            ("뚫다", "enfgek"),
            ("abc 1", "abc 1"),
        ] {
            assert_eq!(typed(word), keys, "{word}");
        }
    }

    #[test]
    fn a1_numerals_stand_for_letters_only_before_the_last_letter() {
        assert_eq!(without_numerals("p@$$w0rd123!"), "password123!");
        assert_eq!(without_numerals("1234567"), "1234567");
        assert_eq!(without_numerals("가1나"), "가i나");
    }

    #[test]
    fn a1_what_repeats_and_what_is_a_day_is_common_at_any_length() {
        assert!(
            is_repetition(&"ab1!".repeat(200)) && is_repetition("aaaaaaaaa") && is_repetition("가나가나가나가나가")
        );
        assert!(!is_repetition("abcdeabcde") && !is_repetition("aaaaaaaab"));
        assert!(is_date("19991231") && is_date("31-12-1999") && is_date("12/31/1999") && is_date("1999년12월31일"));
        assert!(!is_date("19991331") && !is_date("00000000") && !is_date("199912312"));
    }
}
