//! What is Hangul, composed or not.

use unicode_normalization::UnicodeNormalization as _;

/// Whether a character, as people see it, is a Hangul syllable or letter.
pub(super) fn is_hangul(character: &str) -> bool {
    character
        .chars()
        .next()
        .is_some_and(|letter| matches!(letter, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'))
}

/// Whether a character is this syllable, composed or not.
pub(super) fn is_syllable(character: &str, syllable: char) -> bool {
    character.nfc().eq([syllable])
}
