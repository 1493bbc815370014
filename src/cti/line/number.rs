//! The one spelling of CTI IDs and numbers: whatever a keyboard, a sheet or a letter makes of them, the database sees
//! each in one form only.

use unicode_normalization::UnicodeNormalization as _;

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
