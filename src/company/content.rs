//! What an entry says: facts that are the same in every language, texts in each language, and terms.

use std::collections::HashSet;

use async_graphql::{ComplexObject, Enum, ID, InputObject, SimpleObject};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::check::{business_number, is_link, phone, sanitized};
use crate::{
    kernel::{Code, PictureId, Problem, Result, Tx, mail::is_address},
    organization::check_name,
    picture::{self, Shown},
    service::language,
};

/// The most terms of an entry.
const MOST_TERMS: usize = 10;
/// The longest text of terms, in characters.
const LONGEST_BODY: usize = 100_000;
/// The longest content with all its texts, in bytes of JSON: a page's foot is no library.
const LARGEST: usize = 200_000;

/// What terms are about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Enum)]
#[graphql(name = "CompanyTermsKind")]
pub enum TermsKind {
    /// 이용약관: the terms of use.
    TermsOfUse,
    /// 개인정보처리방침: the privacy policy.
    PrivacyPolicy,
    /// Other terms.
    Other,
}

/// 회사 정보와 저작권: what is said in one language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(name = "CompanyText", input_name = "CompanyTextInput")]
pub struct Text {
    /// The language: a code of help-center languages such as `ko`.
    pub language: String,
    /// 상호: 1 to 100 characters.
    pub company_name: String,
    /// 대표자: 1 to 50 characters.
    pub representative_name: String,
    /// 주소: 1 to 200 characters.
    pub address: String,
    /// 개인정보 보호책임자: at most 50 characters; null where it is not said.
    pub privacy_officer: Option<String>,
    /// 호스팅 제공자: at most 100 characters; null where it is not said.
    pub hosting_provider: Option<String>,
    /// 상표 및 저작권: plain text of at most 300 characters; null where it is not said.
    pub copyright: Option<String>,
}

/// Terms in one language: where they stand, or what they say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(name = "CompanyTermsText", input_name = "CompanyTermsTextInput")]
pub struct TermsText {
    /// The language: a code of help-center languages such as `ko`.
    pub language: String,
    /// What the terms are called, 1 to 50 characters.
    pub name: String,
    /// Where they stand: an `https` address of at most 2,000 characters; null where `body` says it. Exactly one of the two.
    pub url: Option<String>,
    /// What they say: HTML of at most 100,000 characters. What could run or load anything is taken out. Null where `url` leads to it.
    pub body: Option<String>,
}

/// 이용 약관: terms.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(name = "CompanyTerms", input_name = "CompanyTermsInput")]
pub struct Terms {
    /// What they are about.
    pub kind: TermsKind,
    /// Whether a link to them opens a window of its own.
    pub opens_in_new_window: bool,
    /// Their texts, one a language, at least one, at most 50.
    pub texts: Vec<TermsText>,
}

/// What an entry says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromJsonQueryResult, SimpleObject, InputObject)]
#[graphql(name = "CompanyContent", input_name = "CompanyContentInput", complex)]
pub struct Content {
    /// 사업자등록번호: ten digits with a check digit, written `NNN-NN-NNNNN`; null where it is not said.
    pub business_registration_number: Option<String>,
    /// 통신판매업 신고번호: at most 50 characters; null where it is not said.
    pub mail_order_report_number: Option<String>,
    /// 대표번호: a Korean telephone number; null where it is not said.
    pub phone: Option<String>,
    /// 팩스: a Korean telephone number; null where it is not said.
    pub fax: Option<String>,
    /// The e-mail address; null where it is not said.
    pub email: Option<String>,
    /// 로고·상표 이미지: the ID of a picture of `pictureUpload`; null where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[graphql(skip_output)]
    pub logo_id: Option<ID>,
    /// The picture of this ID, as whoever reads the content sees it without asking for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[graphql(skip)]
    pub logo: Option<Shown>,
    /// The texts, one a language, at least one, at most 50. The first stands in for languages that are missing.
    pub texts: Vec<Text>,
    /// The terms in their order, at most 10.
    pub terms: Vec<Terms>,
}

#[ComplexObject]
impl Content {
    /// 로고·상표 이미지: the picture's ID, to be given back as `logoId`; null where there is none.
    async fn logo_reference(&self) -> Option<&str> {
        self.logo_id.as_ref().map(|id| id.as_str())
    }

    /// 로고·상표 이미지: what is shown; null where there is none.
    #[graphql(name = "logo")]
    async fn shown_logo(&self) -> Option<&Shown> {
        self.logo.as_ref()
    }
}

/// How the audit log shows a content: by its hash. The content itself is kept, unchanged, among the versions.
pub(super) fn as_digest<S: Serializer>(content: &Content, serializer: S) -> Result<S::Ok, S::Error> {
    let bytes = serde_json::to_vec(content).map_err(serde::ser::Error::custom)?;
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    serializer.serialize_str(&format!("sha256:{hash}"))
}

impl Content {
    /// The content as it is kept: numbers in their one form, texts trimmed, terms without anything that runs.
    pub(super) fn tidied(&self) -> Self {
        let trimmed = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let number = |text: &Option<String>, form: fn(&str) -> Option<String>| {
            trimmed(text).map(|text| form(&text).unwrap_or(text))
        };
        Self {
            business_registration_number: number(&self.business_registration_number, business_number),
            mail_order_report_number: trimmed(&self.mail_order_report_number),
            phone: number(&self.phone, phone),
            fax: number(&self.fax, phone),
            email: trimmed(&self.email),
            logo_id: self.logo_id.clone(),
            logo: None,
            texts: self
                .texts
                .iter()
                .map(|text| Text {
                    language: text.language.clone(),
                    company_name: text.company_name.trim().to_owned(),
                    representative_name: text.representative_name.trim().to_owned(),
                    address: text.address.trim().to_owned(),
                    privacy_officer: trimmed(&text.privacy_officer),
                    hosting_provider: trimmed(&text.hosting_provider),
                    copyright: trimmed(&text.copyright),
                })
                .collect(),
            terms: self.terms.iter().map(Terms::tidied).collect(),
        }
    }

    /// Looks up the logo, so that the content says by itself what to show. Answers which it is.
    pub(super) async fn find_logo(&mut self, tx: &Tx, problems: &mut Vec<Problem>) -> Result<Option<PictureId>> {
        let Some(id) = &self.logo_id else { return Ok(None) };
        let picture = tx.seek::<picture::Entity>(id).await?;
        if picture.is_none() {
            problems.push(Problem::at("input.content.logoId", Code::NotFound));
        }
        self.logo = picture.as_ref().map(Shown::from);
        Ok(picture.map(|picture| picture.id))
    }

    /// All that is wrong with a tidied content, below `input.content`.
    pub(super) fn problems(&self) -> Vec<Problem> {
        const AT: &str = "input.content";
        let mut problems = Vec::new();
        let formed = [
            (
                "businessRegistrationNumber",
                &self.business_registration_number,
                "NNN-NN-NNNNN",
            ),
            ("phone", &self.phone, "02-1234-5678"),
            ("fax", &self.fax, "02-1234-5678"),
            ("email", &self.email, "name@domain"),
        ];
        for (field, value, form) in formed {
            let fits = value.as_deref().is_none_or(|text| match field {
                "businessRegistrationNumber" => business_number(text).is_some(),
                "email" => is_address(text),
                _ => phone(text).is_some(),
            });
            if !fits {
                problems.push(Problem::at(&format!("{AT}.{field}"), Code::Invalid).with("rule", form));
            }
        }
        let report = &self.mail_order_report_number;
        problems.extend(check_text(
            &format!("{AT}.mailOrderReportNumber"),
            report.as_deref(),
            50,
        ));
        let languages = self.texts.iter().map(|text| text.language.as_str());
        problems.extend(check_languages(&format!("{AT}.texts"), languages));
        for (place, text) in self.texts.iter().enumerate() {
            problems.extend(text.problems(&format!("{AT}.texts.{place}")));
        }
        if self.terms.len() > MOST_TERMS {
            problems.push(Problem::at(&format!("{AT}.terms"), Code::TooMany).with("max", MOST_TERMS));
        }
        for (place, terms) in self.terms.iter().take(MOST_TERMS).enumerate() {
            problems.extend(terms.problems(&format!("{AT}.terms.{place}")));
        }
        let size = serde_json::to_vec(self).map_or(usize::MAX, |bytes| bytes.len());
        if problems.is_empty() && size > LARGEST {
            problems.push(Problem::at(AT, Code::TooLong).with("max", LARGEST));
        }
        problems
    }
}

impl Text {
    fn problems(&self, at: &str) -> Vec<Problem> {
        let needed = [
            ("companyName", &self.company_name, 100),
            ("representativeName", &self.representative_name, 50),
            ("address", &self.address, 200),
        ];
        let free = [
            ("privacyOfficer", &self.privacy_officer, 50),
            ("hostingProvider", &self.hosting_provider, 100),
            ("copyright", &self.copyright, 300),
        ];
        let needed = needed.into_iter().filter_map(|(field, text, max)| {
            let path = format!("{at}.{field}");
            if text.is_empty() {
                Some(Problem::at(&path, Code::Blank))
            } else {
                check_text(&path, Some(text), max)
            }
        });
        let free = free
            .into_iter()
            .filter_map(|(field, text, max)| check_text(&format!("{at}.{field}"), text.as_deref(), max));
        needed.chain(free).collect()
    }
}

impl Terms {
    fn tidied(&self) -> Self {
        let text = |text: &TermsText| TermsText {
            language: text.language.clone(),
            name: text.name.trim().to_owned(),
            url: text.url.as_deref().map(|url| url.trim().to_owned()),
            // What is too long is refused as it is, unread.
            body: text.body.as_ref().map(|body| {
                if body.chars().count() > LONGEST_BODY {
                    body.clone()
                } else {
                    sanitized(body)
                }
            }),
        };
        Self {
            texts: self.texts.iter().take(51).map(text).collect(),
            ..*self
        }
    }

    fn problems(&self, at: &str) -> Vec<Problem> {
        let languages = self.texts.iter().map(|text| text.language.as_str());
        let mut problems = check_languages(&format!("{at}.texts"), languages);
        for (place, text) in self.texts.iter().enumerate() {
            let at = format!("{at}.texts.{place}");
            let name = check_name(&format!("{at}.name"), &text.name);
            problems.extend(name.or_else(|| check_text(&format!("{at}.name"), Some(&text.name), 50)));
            match (&text.url, &text.body) {
                (Some(url), None) if is_link(url) => {}
                (Some(_), None) => {
                    problems.push(Problem::at(&format!("{at}.url"), Code::Invalid).with("rule", "https://…"));
                }
                (None, Some(body)) if body.chars().count() > LONGEST_BODY => {
                    problems.push(Problem::at(&format!("{at}.body"), Code::TooLong).with("max", LONGEST_BODY));
                }
                (None, Some(body)) if body.contains('\0') => {
                    problems.push(Problem::at(&format!("{at}.body"), Code::Invalid).with("rule", "NUL"));
                }
                (None, Some(body)) if !body.trim().is_empty() => {}
                (None, _) => problems.push(Problem::at(&format!("{at}.body"), Code::Blank)),
                (Some(_), Some(_)) => problems.push(Problem::at(&at, Code::Invalid).with("rule", "url | body")),
            }
        }
        problems
    }
}

/// What is wrong with a line of text that may be absent.
fn check_text(path: &str, text: Option<&str>, max: usize) -> Option<Problem> {
    let text = text?;
    if text.chars().any(char::is_control) {
        return Some(Problem::at(path, Code::Invalid).with("rule", "control characters"));
    }
    (text.chars().count() > max).then(|| Problem::at(path, Code::TooLong).with("max", max))
}

/// Each language is a help center's, and is there once.
fn check_languages<'t>(path: &str, languages: impl Iterator<Item = &'t str>) -> Vec<Problem> {
    let languages: Vec<_> = languages.collect();
    match languages.len() {
        0 => return vec![Problem::at(path, Code::Blank)],
        51.. => return vec![Problem::at(path, Code::TooMany).with("max", 50)],
        _ => {}
    }
    let mut known = HashSet::new();
    let mut problems = Vec::new();
    for (place, name) in languages.into_iter().enumerate() {
        let path = format!("{path}.{place}.language");
        if !language::CODES.contains(&name) {
            problems.push(Problem::at(&path, Code::UnknownLanguage));
        } else if !known.insert(name) {
            problems.push(Problem::at(&path, Code::Duplicate));
        }
    }
    problems
}
