//! What a field is called in each language, and what it offers.

use async_graphql::{InputObject, SimpleObject};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Code, Problem},
    service::{Service, language},
};

/// The most languages, and the most options.
const MOST_TEXTS: usize = 20;
pub(super) const MOST_OPTIONS: usize = 100;
/// The deepest option of 유형; others have one level.
pub(super) const DEEPEST: usize = 5;
const LONGEST_TITLE: usize = 100;
const LONGEST_DESCRIPTION: usize = 500;
const LONGEST_PLACEHOLDER: usize = 100;
const LONGEST_OPTION: usize = 100;

/// What a field is called in one language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(name = "FieldText", input_name = "FieldTextInput")]
pub struct Text {
    /// The language: a code of help-center languages such as `ko`.
    pub language: String,
    /// 필드명: 1 to 100 characters.
    pub title: String,
    /// 설명: at most 500 characters; null where there is none.
    pub description: Option<String>,
    /// 안내 문구: what stands in the empty field, at most 100 characters; null where nothing does.
    pub placeholder: Option<String>,
}

/// What a field is called, one a language.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Texts(pub Vec<Text>);

/// What a field offers, each option as its way from the top: one word, or up to five for 유형.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Options(pub Vec<Vec<String>>);

impl Texts {
    /// The texts without blanks around them, and without empty ones.
    #[must_use]
    pub fn tidied(texts: &[Text]) -> Self {
        let filled = |text: &Option<String>| {
            text.as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let tidy = |text: &Text| Text {
            language: text.language.clone(),
            title: text.title.trim().to_owned(),
            description: filled(&text.description),
            placeholder: filled(&text.placeholder),
        };
        Self(texts.iter().map(tidy).collect())
    }

    /// What is wrong with them, below `input.texts`. The service's main language must be there.
    pub fn problems(&self, service: &Service) -> Vec<Problem> {
        const AT: &str = "input.texts";
        if self.0.len() > MOST_TEXTS {
            return vec![Problem::at(AT, Code::TooMany).with("max", MOST_TEXTS)];
        }
        let main = service.languages.0.first();
        let is_said = main.is_none_or(|main| self.0.iter().any(|text| text.language == *main));
        if self.0.is_empty() || !is_said {
            return vec![Problem::at(AT, Code::Blank)];
        }
        let mut problems = Vec::new();
        for (number, text) in self.0.iter().enumerate() {
            let at = |field: &str| format!("{AT}.{number}.{field}");
            if !language::CODES.contains(&text.language.as_str()) {
                problems.push(Problem::at(&at("language"), Code::UnknownLanguage));
            } else if self.0[..number].iter().any(|other| other.language == text.language) {
                problems.push(Problem::at(&at("language"), Code::Duplicate));
            }
            problems.extend(word(&at("title"), &text.title, LONGEST_TITLE));
            let optional = [
                ("description", &text.description, LONGEST_DESCRIPTION),
                ("placeholder", &text.placeholder, LONGEST_PLACEHOLDER),
            ];
            for (field, said, most) in optional {
                problems.extend(said.as_deref().and_then(|said| word(&at(field), said, most)));
            }
        }
        problems
    }
}

impl Options {
    /// The options without blanks around their words.
    #[must_use]
    pub fn tidied(options: &[Vec<String>]) -> Self {
        let tidy = |way: &Vec<String>| way.iter().map(|word| word.trim().to_owned()).collect();
        Self(options.iter().map(tidy).collect())
    }

    /// What is wrong with them, below `input.options`, of which none has more than `deepest` levels.
    pub fn problems(&self, deepest: usize) -> Vec<Problem> {
        const AT: &str = "input.options";
        match self.0.len() {
            0 => return vec![Problem::at(AT, Code::Blank)],
            1..=MOST_OPTIONS => {}
            _ => return vec![Problem::at(AT, Code::TooMany).with("max", MOST_OPTIONS)],
        }
        let mut problems = Vec::new();
        for (number, way) in self.0.iter().enumerate() {
            let at = format!("{AT}.{number}");
            match way.len() {
                0 => problems.push(Problem::at(&at, Code::Blank)),
                levels if levels > deepest => problems.push(Problem::at(&at, Code::TooMany).with("max", deepest)),
                _ => {}
            }
            for (level, said) in way.iter().enumerate() {
                problems.extend(word(&format!("{at}.{level}"), said, LONGEST_OPTION));
            }
            if self.0[..number].contains(way) {
                problems.push(Problem::at(&at, Code::Duplicate));
            }
        }
        problems
    }
}

/// What is wrong with a text that must not be empty. It may have several lines.
fn word(at: &str, text: &str, most: usize) -> Option<Problem> {
    if text.is_empty() {
        return Some(Problem::at(at, Code::Blank));
    }
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Some(Problem::at(at, Code::Invalid).with("rule", "control characters"));
    }
    (text.chars().count() > most).then(|| Problem::at(at, Code::TooLong).with("max", most))
}
