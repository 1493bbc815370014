//! Masks: what of a personal value is shown to whoever may not see it whole. There is one algorithm for each kind, since
//! two rules for one value would show together what each of them hides. A mask is as long as its value, counted in
//! characters as people see them; separators stay; and masking a mask changes nothing.

mod hangul;
mod rule;
#[cfg(test)]
mod tests;

use async_graphql::Enum;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

use rule::Text;

/// Counts the versions of the algorithms: what was masked with another one does not show the same places.
pub const VERSION: i32 = 1;

/// What kind of thing a personal value is, and so how it is masked and compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "PersonalKind")]
pub enum Kind {
    /// 이름: 홍길동 → 홍*동, John Smith → Jo** *****.
    Name,
    /// 전화번호: 010-1234-5678 → 010-****-5678.
    Phone,
    /// 이메일: hong@example.com → ho**@example.com.
    Email,
    /// 주민등록번호 or 외국인등록번호: 900101-1234567 → 900101-1******.
    ResidentNumber,
    /// 카드번호: 1234-5678-9012-3456 → 1234-****-****-3456.
    Card,
    /// 계좌번호: 110-234-567890 → ***-***-**7890.
    Account,
    /// 주소: 서울시 강남구 테헤란로 123 → 서울시 강남구 **** ***.
    Address,
    /// 생년월일: 1990-01-02 → 1990-**-**.
    Birth,
    /// 여권번호: M12345678 → M*******8.
    Passport,
    /// 운전면허번호: 11-12-345678-90 → **-**-******-90.
    Driver,
    /// IP 주소: 203.0.113.7 → 203.0.***.7.
    Ip,
    /// Anything else: 가나다라 → 가***.
    Generic,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Phone,
        Self::Email,
        Self::ResidentNumber,
        Self::Card,
        Self::Account,
        Self::Address,
        Self::Birth,
        Self::Passport,
        Self::Driver,
        Self::Ip,
        Self::Generic,
    ];

    /// Its name in what tokens of the blind index are bound to.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::ResidentNumber => "resident number",
            Self::Card => "card",
            Self::Account => "account",
            Self::Address => "address",
            Self::Birth => "birth",
            Self::Passport => "passport",
            Self::Driver => "driver",
            Self::Ip => "ip",
            Self::Generic => "generic",
        }
    }

    /// The mask of a value. What does not look like its kind is masked as [`Kind::Generic`]; so is what its kind's rule
    /// would leave as it is.
    pub fn mask(self, value: &str) -> String {
        let mut shown = value.to_owned();
        // What hides a digit may make a number of what was none, of which more is hidden. Each round hides more or is the
        // last, and so masking the mask changes nothing.
        loop {
            let mask = self.mask_once(&shown);
            if mask == shown {
                return mask;
            }
            shown = mask;
        }
    }

    fn mask_once(self, value: &str) -> String {
        let text = Text::of(value);
        let kept = match self {
            Self::Name => rule::name(&text),
            Self::Phone => rule::phone(&text),
            Self::Email => rule::email(&text),
            Self::ResidentNumber => rule::resident_number(&text),
            Self::Card => rule::card(&text),
            Self::Account => rule::account(&text),
            Self::Address => rule::address(&text),
            Self::Birth => rule::birth(&text),
            Self::Passport => rule::passport(&text),
            Self::Driver => rule::driver(&text),
            Self::Ip => rule::ip(&text),
            Self::Generic => None,
        };
        let kept = kept.filter(|kept| text.hides(kept));
        text.masked(&kept.unwrap_or_else(|| rule::generic(&text)))
    }

    /// Whether a text is a mask, whatever of: it hides something, and masking it changes nothing.
    pub fn is_masked(self, text: &str) -> bool {
        text.contains('*') && self.mask(text) == text
    }

    /// The form in which values are compared: what is written in several ways and means one thing is one text.
    pub fn normal(self, value: &str) -> String {
        let plain: String = value.nfkc().collect::<String>().to_lowercase();
        let only = |keep: fn(char) -> bool| plain.chars().filter(|letter| keep(*letter)).collect::<String>();
        match self {
            Self::Phone => national(&plain),
            Self::ResidentNumber | Self::Card | Self::Account | Self::Birth => only(|letter| letter.is_ascii_digit()),
            Self::Passport | Self::Driver => only(char::is_alphanumeric),
            Self::Ip => match plain.trim().parse::<std::net::IpAddr>() {
                Ok(address) => address.to_canonical().to_string(),
                Err(_) => plain.trim().to_owned(),
            },
            Self::Name | Self::Email | Self::Address | Self::Generic => {
                plain.split_whitespace().collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// The digits of a telephone number, a Korean one as it is dialled at home: +82 10, 0082-10 and 010 are one.
fn national(plain: &str) -> String {
    let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
    let is_abroad = plain.trim_start().starts_with('+');
    let korean = if is_abroad {
        digits.strip_prefix("82")
    } else {
        digits.strip_prefix("0082")
    };
    match korean {
        Some(rest) if rest.starts_with('0') => rest.to_owned(),
        Some(rest) => format!("0{rest}"),
        None if is_abroad => format!("+{digits}"),
        None => digits,
    }
}
