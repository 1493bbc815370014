//! The rules: which places of a text stay. A place is a character that tells something, or a `*` that hides one already:
//! since it counts as what it hides, the same places stay when a mask is masked again.

use unicode_segmentation::UnicodeSegmentation as _;

use super::hangul::{is_hangul, is_syllable};

/// What hides.
const STAR: &str = "*";

/// A text by its characters as people see them.
pub(super) struct Text<'t> {
    characters: Vec<&'t str>,
    /// Where its places are, as numbers of characters.
    places: Vec<usize>,
}

/// For each place of a text whether it stays.
pub(super) type Kept = Vec<bool>;

impl<'t> Text<'t> {
    pub(super) fn of(value: &'t str) -> Self {
        let characters: Vec<&str> = value.graphemes(true).collect();
        let is_place = |character: &str| !is_separator(character);
        let mut places: Vec<usize> = (0..characters.len())
            .filter(|number| is_place(characters[*number]))
            .collect();
        // A text of separators alone tells something by them.
        if places.is_empty() {
            places = (0..characters.len())
                .filter(|number| !is_space(characters[*number]))
                .collect();
        }
        Self { characters, places }
    }

    /// Whether anything is hidden, or would be if it was not already.
    pub(super) fn hides(&self, kept: &Kept) -> bool {
        let hidden = |(place, kept): (&usize, &bool)| !*kept || is_loose(self.characters[*place]);
        self.places.is_empty() || self.places.iter().zip(kept).any(hidden)
    }

    pub(super) fn masked(&self, kept: &Kept) -> String {
        let mut shown: Vec<&str> = self.characters.clone();
        for (place, kept) in self.places.iter().zip(kept) {
            if !*kept || is_loose(shown[*place]) {
                shown[*place] = STAR;
            }
        }
        shown.concat()
    }

    fn place(&self, number: usize) -> &'t str {
        self.places.get(number).map_or("", |place| self.characters[*place])
    }

    fn len(&self) -> usize {
        self.places.len()
    }

    fn keep(&self, keep: impl Fn(usize) -> bool) -> Option<Kept> {
        Some((0..self.len()).map(keep).collect())
    }

    /// Whether there is nothing but digits (or what hides them) and separators, and between so many of them.
    fn is_number(&self, least: usize, most: usize) -> bool {
        let is_digit = |number| is_digit(self.place(number));
        (least..=most).contains(&self.len()) && (0..self.len()).all(is_digit)
    }
}

fn is_digit(character: &str) -> bool {
    character == STAR || (character.len() == 1 && character.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_space(character: &str) -> bool {
    character.chars().all(char::is_whitespace)
}

/// What stands between the places: spaces and signs, but for the one that hides.
fn is_separator(character: &str) -> bool {
    is_space(character)
        || (character != STAR && character.len() == 1 && character.bytes().all(|byte| byte.is_ascii_punctuation()))
}

/// Whether a character can't stay beside what hides its neighbours: no letter and no digit, such as an emoji, or one that
/// would run together with a `*`.
fn is_loose(character: &str) -> bool {
    let Some(first) = character.chars().next().filter(|_| character != STAR) else {
        return false;
    };
    if character.len() == 1 || ('\u{ac00}'..='\u{d7a3}').contains(&first) && character.len() == 3 {
        return !first.is_alphanumeric();
    }
    let alone = |text: String| text.graphemes(true).count() == 2;
    !first.is_alphanumeric() || !alone(format!("{STAR}{character}")) || !alone(format!("{character}{STAR}"))
}

/// Two at most: nothing. Else the first.
pub(super) fn generic(text: &Text<'_>) -> Kept {
    (0..text.len()).map(|place| place == 0 && text.len() > 2).collect()
}

/// Korean names: the first and, of three and more, the last; others: the first two letters.
pub(super) fn name(text: &Text<'_>) -> Option<Kept> {
    let last = text.len().checked_sub(1)?;
    if is_hangul(text.place(0)) {
        return text.keep(|place| last > 0 && (place == 0 || (last > 1 && place == last)));
    }
    text.keep(|place| place < 2)
}

/// All but the middle block; of numbers with four and four, all but the last.
pub(super) fn phone(text: &Text<'_>) -> Option<Kept> {
    let plain = |character: &&str| is_digit(character) || [" ", "-", ".", "(", ")", "+"].contains(character);
    let is_abroad = text.characters.first() == Some(&"+");
    let is_korean = is_abroad && text.place(0) == "8" && text.place(1) == "2";
    let country = if is_korean { 2 } else { 0 };
    let pluses = text.characters.iter().filter(|character| **character == "+").count();
    let is_number = text.is_number(country + 8, country + 12) && text.characters.iter().all(plain);
    if !is_number || is_abroad != is_korean || pluses > usize::from(is_abroad) {
        return None;
    }
    let digits = text.len() - country;
    let first = text.place(country);
    let second = text.place(country + 1);
    if !is_korean && digits == 8 {
        return text.keep(|place| place < 4);
    }
    let area = match (first, second) {
        ("0", "2") => 2,
        ("2", _) if is_korean => 1,
        ("0", _) => 3,
        _ if is_korean => 2,
        _ => 3,
    };
    text.keep(|place| place < country + area || place + 4 >= text.len())
}

/// The first one to three of the local part, and the domain.
pub(super) fn email(text: &Text<'_>) -> Option<Kept> {
    let at = text.characters.iter().rposition(|character| *character == "@")?;
    let local = text.places.iter().filter(|place| **place < at).count();
    let is_whole = local > 0 && text.places.last().is_some_and(|last| *last > at);
    let shown = match local {
        1 => 0,
        2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    is_whole.then(|| {
        let keep = |(number, place): (usize, &usize)| *place > at || number < shown;
        text.places.iter().enumerate().map(keep).collect()
    })
}

/// All but the last six of thirteen.
pub(super) fn resident_number(text: &Text<'_>) -> Option<Kept> {
    text.is_number(13, 13).then(|| text.keep(|place| place < 7)).flatten()
}

/// The first and the last four of 13 to 19.
pub(super) fn card(text: &Text<'_>) -> Option<Kept> {
    let last = text.len().saturating_sub(4);
    text.is_number(13, 19)
        .then(|| text.keep(|place| place < 4 || place >= last))
        .flatten()
}

/// The last four.
pub(super) fn account(text: &Text<'_>) -> Option<Kept> {
    let last = text.len().saturating_sub(4);
    text.is_number(5, usize::MAX)
        .then(|| text.keep(|place| place >= last))
        .flatten()
}

/// As far as the city, county or district, of which the first three words can have several.
pub(super) fn address(text: &Text<'_>) -> Option<Kept> {
    let mut end = None;
    let mut words = 0;
    for (number, character) in text.characters.iter().enumerate() {
        let next = text.characters.get(number + 1);
        if is_space(character) || next.is_some_and(|next| !is_space(next)) {
            continue;
        }
        words += 1;
        let is_district = ['시', '군', '구']
            .iter()
            .any(|syllable| is_syllable(character, *syllable));
        if words <= 3 && is_district {
            end = Some(number);
        }
    }
    let end = end?;
    Some(text.places.iter().map(|place| *place <= end).collect())
}

/// The year: the first four of eight, or two of six.
pub(super) fn birth(text: &Text<'_>) -> Option<Kept> {
    let is_day = text.is_number(8, 8) || text.is_number(6, 6);
    let year = if text.len() == 8 { 4 } else { 2 };
    is_day.then(|| text.keep(|place| place < year)).flatten()
}

/// The first and the last of seven to nine letters and digits.
pub(super) fn passport(text: &Text<'_>) -> Option<Kept> {
    let last = text.len().saturating_sub(1);
    let fits = (7..=9).contains(&text.len())
        && (0..text.len()).all(|number| {
            let character = text.place(number);
            character == STAR || (character.len() == 1 && character.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        });
    fits.then(|| text.keep(|place| place == 0 || place == last)).flatten()
}

/// The last two of twelve.
pub(super) fn driver(text: &Text<'_>) -> Option<Kept> {
    text.is_number(12, 12).then(|| text.keep(|place| place >= 10)).flatten()
}

/// Version 4: all but the third number. Version 6: all but the last group.
pub(super) fn ip(text: &Text<'_>) -> Option<Kept> {
    let shown: String = text.characters.concat();
    let parts = |sign: char| shown.split(sign).collect::<Vec<_>>();
    let is_hidden = |part: &str, allowed: fn(u8) -> bool| {
        !part.is_empty() && part.bytes().all(|byte| byte == b'*' || allowed(byte))
    };
    let (four, six) = (parts('.'), parts(':'));
    let is_four = four.len() == 4
        && four
            .iter()
            .all(|part| part.len() <= 3 && is_hidden(part, |byte| byte.is_ascii_digit()));
    let is_six = (3..=8).contains(&six.len())
        && six
            .iter()
            .all(|part| part.is_empty() || is_hidden(part, |byte| byte.is_ascii_hexdigit() || byte == b'.'));
    let hidden = if is_four {
        let before: usize = four.iter().take(2).map(|part| part.len() + 1).sum();
        before..before + four.get(2).map_or(0, |part| part.len())
    } else if is_six {
        let last = six.last().map_or(0, |part| part.len());
        shown.len() - last..shown.len()
    } else {
        return None;
    };
    Some(text.places.iter().map(|place| !hidden.contains(place)).collect())
}
