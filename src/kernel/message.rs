//! What people read, from one catalogue for both languages. Codes never change with the language; messages do.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use sea_orm::entity::prelude::*;
use unic_langid::LanguageIdentifier;

/// A language that messages, labels and letters come in.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, async_graphql::Enum, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "Language")]
pub enum Language {
    /// Korean, where the caller asks for nothing else.
    #[default]
    Korean,
    /// English.
    English,
}

impl Language {
    /// The tag of `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    /// The best match of an `Accept-Language` header; Korean where nothing matches.
    pub fn accepted(header: &str) -> Self {
        let mut best = (0.0_f32, Self::Korean);
        for range in header.split(',').take(20) {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(Some(1.0), |text| text.parse().ok());
            let language = match tag.split('-').next() {
                Some("en") => Self::English,
                Some("ko" | "*") => Self::Korean,
                _ => continue,
            };
            if let Some(weight) = weight.filter(|weight| *weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// A word that a message speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// The same in every language, such as a number.
    Same(String),
    /// Each language's own.
    Own {
        /// In Korean.
        korean: &'static str,
        /// In English.
        english: &'static str,
    },
}

impl Word {
    fn of(&self, language: Language) -> &str {
        match (self, language) {
            (Self::Same(word), _) => word,
            (Self::Own { korean, .. }, Language::Korean) => korean,
            (Self::Own { english, .. }, Language::English) => english,
        }
    }
}

type Catalogue = FluentBundle<FluentResource>;

fn catalogue(language: Language, text: &str) -> Catalogue {
    let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut catalogue = FluentBundle::new_concurrent(vec![tag]);
    catalogue.set_use_isolating(false);
    // A faulty line would only lose its own message, and a test reads every message of both languages.
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    catalogue.add_resource_overriding(resource);
    catalogue
}

static KOREAN: LazyLock<Catalogue> = LazyLock::new(|| catalogue(Language::Korean, include_str!("messages/ko.ftl")));
static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| catalogue(Language::English, include_str!("messages/en.ftl")));

/// The text of `key` with its words filled in; the key itself where the catalogue lacks it.
pub fn text(language: Language, key: &str, words: &[(&'static str, Word)]) -> String {
    let catalogue: &Catalogue = match language {
        Language::Korean => &KOREAN,
        Language::English => &ENGLISH,
    };
    let Some(pattern) = catalogue.get_message(key).and_then(|message| message.value()) else {
        return key.to_owned();
    };
    let mut arguments = FluentArgs::new();
    for (name, word) in words {
        arguments.set(*name, word.of(language));
    }
    catalogue
        .format_pattern(pattern, Some(&arguments), &mut Vec::new())
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::error::Code;

    #[test]
    fn g2_every_code_has_a_message_in_both_languages() {
        let top = [
            "UNAUTHENTICATED",
            "FORBIDDEN",
            "CONFIRMATION_REQUIRED",
            "STORAGE_UNAVAILABLE",
            "THROTTLED",
            "INTERNAL",
        ];
        for key in Code::ALL.iter().map(|code| code.name()).chain(top) {
            let words = [
                "min", "max", "rule", "item", "other", "services", "version", "holder", "sheet", "column",
            ];
            let words = words.map(|word| (word, Word::Same("7".to_owned())));
            let korean = text(Language::Korean, key, &words);
            let english = text(Language::English, key, &words);
            assert!(
                korean.chars().any(|letter| ('가'..='힣').contains(&letter)),
                "{key}: {korean}"
            );
            assert!(
                english.is_ascii() && english.ends_with('.') && english != key,
                "{key}: {english}"
            );
            assert!(
                !korean.contains('{') && !english.contains('{'),
                "{key}: {korean} {english}"
            );
        }
    }

    #[test]
    fn the_language_is_the_best_that_is_accepted() {
        for (header, language) in [
            ("", Language::Korean),
            ("en", Language::English),
            ("en-GB,ko;q=0.9", Language::English),
            ("fr, en;q=0.3, ko;q=0.8", Language::Korean),
            ("de", Language::Korean),
            ("en;q=0", Language::Korean),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
