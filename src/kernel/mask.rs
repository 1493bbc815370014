//! 마스킹: what is left of personal data where it is shown or kept without need of the whole. One rule for each kind of
//! data, everywhere: two rules side by side would let somebody put the halves together. What is masked once stays as it
//! is when it is masked again.

/// A telephone number: what lies between the code at its front and the last block is hidden, separators stay
/// (`010-****-5678`, `+82-10-****-5678`); of a number in two blocks, the last one (`1588-****`). What is no number of 8
/// to 12 places after a country code falls to [`generic`].
pub fn phone(number: &str) -> String {
    let (code, national) = match number.strip_prefix("+82") {
        Some(national) => ("+82", national),
        None => ("", number),
    };
    let places = national.chars().filter(|letter| is_place(*letter)).count();
    if !(8..=12).contains(&places) || !national.chars().all(|letter| is_place(letter) || is_separator(letter)) {
        return generic(number);
    }
    let blocks: Vec<usize> = national
        .split(is_separator)
        .map(|block| block.chars().count())
        .filter(|length| *length > 0)
        .collect();
    let (from, to) = match blocks[..] {
        [only] => unwritten(national, only, !code.is_empty()),
        [first, _] => (first, places),
        [first, .., last] => (first, places - last),
        [] => (0, places),
    };
    let mut place = 0;
    let mut masked = code.to_owned();
    for letter in national.chars() {
        let hides = is_place(letter) && (from..to).contains(&place);
        place += usize::from(is_place(letter));
        masked.push(if hides { '*' } else { letter });
    }
    masked
}

/// Anything whose kind is not known: all but the first letter is hidden, and all of what has two or fewer.
pub fn generic(text: &str) -> String {
    let letters = text.chars().count();
    let kept = usize::from(letters > 2);
    let hidden = text.chars().skip(kept).map(|_| '*');
    text.chars().take(kept).chain(hidden).collect()
}

/// Which places are hidden of a number without separators: those between its code and its last four.
fn unwritten(number: &str, places: usize, is_abroad: bool) -> (usize, usize) {
    let code = match (places, is_abroad) {
        // 15881234; but +82 2 123 4567.
        (8, _) if !(is_abroad && number.starts_with('2')) => return (4, 8),
        (12, _) => 4,
        // Without the 0 in front: 212345678, 1012345678.
        (_, true) if number.starts_with('2') => 1,
        (_, true) => 2,
        (9 | 10, false) if number.starts_with("02") => 2,
        (9, false) => 2,
        _ => 3,
    };
    (code, places - 4)
}

fn is_place(letter: char) -> bool {
    letter.is_ascii_digit() || letter == '*'
}

fn is_separator(letter: char) -> bool {
    matches!(letter, '-' | ' ' | '.' | '(' | ')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_their_ends_and_masking_again_changes_nothing() {
        for (number, masked) in [
            ("010-1234-5678", "010-****-5678"),
            ("01012345678", "010****5678"),
            ("0111234567", "011***4567"),
            ("02-123-4567", "02-***-4567"),
            ("021234567", "02***4567"),
            ("0212345678", "02****5678"),
            ("031-123-4567", "031-***-4567"),
            ("1588-1234", "1588-****"),
            ("15881234", "1588****"),
            ("0505-1234-5678", "0505-****-5678"),
            ("050512345678", "0505****5678"),
            ("+82-10-1234-5678", "+82-10-****-5678"),
            ("+821012345678", "+8210****5678"),
            ("+8221234567", "+822***4567"),
            ("(02) 123-4567", "(02) ***-4567"),
            ("+1 415 555 2671", "+**************"),
            ("12345", "1****"),
            ("1", "*"),
            ("", ""),
            ("홍길동", "홍**"),
        ] {
            assert_eq!(phone(number), masked, "{number}");
            assert_eq!(phone(masked), masked, "{number} again");
        }
    }
}
