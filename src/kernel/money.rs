//! Amounts of money: exact, in won and thousandths of one, which unit prices have.

use std::fmt;

use async_graphql::{Enum, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};

use super::at_hand::{Asked, AtHand, Way, choice, shown};

/// An exact decimal number in a string. Both parts have one sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decimal {
    whole: i64,
    thousandths: i16,
}

impl Decimal {
    /// Back from how it is written; `None` for any other text.
    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let is_written = (1..=3).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
        let thousandths: i16 = format!("{part:0<3}").parse().ok().filter(|_| is_written)?;
        let sign = if whole.starts_with('-') { -1 } else { 1 };
        let read = Self {
            whole: whole.parse().ok()?,
            thousandths: sign * thousandths,
        };
        (read.to_string() == text).then_some(read)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.whole < 0 || self.thousandths < 0 {
            "-"
        } else {
            ""
        };
        write!(f, "{sign}{}", self.whole.unsigned_abs())?;
        match self.thousandths.unsigned_abs() {
            0 => Ok(()),
            part => f.write_str(format!(".{part:03}").trim_end_matches('0')),
        }
    }
}

/// An exact decimal number in a string, such as `"1250000"` or `"1.5"`.
#[Scalar(name = "Decimal", specified_by_url = "https://www.w3.org/TR/xmlschema-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        Self::parse(text).ok_or_else(|| InputValueError::custom("This is no decimal number."))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

/// The currencies that are charged in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
#[graphql(name = "CurrencyCode")]
pub enum Currency {
    /// South Korean won. It has no minor unit: 1 is one won.
    #[graphql(name = "KRW")]
    Krw,
}

/// An amount of money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, SimpleObject)]
pub struct Money {
    /// How much, in the currency's main unit; negative where it is given back.
    pub amount: Decimal,
    /// The ISO 4217 code.
    pub currency_code: Currency,
}

impl Money {
    /// Whole won.
    pub fn won(amount: i64) -> Self {
        Self::of(amount, 0)
    }

    /// Back from [`Money::won`]; 0 for an amount that is no whole number.
    pub fn whole_won(&self) -> i64 {
        match self.amount.thousandths {
            0 => self.amount.whole,
            _ => 0,
        }
    }

    /// Thousandths of a won, as unit prices have them, without needless zeros.
    pub fn thousandths(amount: i64) -> Self {
        // A remainder of a division by a thousand is small.
        Self::of(amount / 1_000, i16::try_from(amount % 1_000).unwrap_or(0))
    }

    fn of(whole: i64, thousandths: i16) -> Self {
        Self {
            amount: Decimal { whole, thousandths },
            currency_code: Currency::Krw,
        }
    }
}

impl AtHand for Money {
    fn write(field: &str, _: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "amount" => shown(|money: &Self| money.amount),
            "currencyCode" => choice(|money: &Self| money.currency_code),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_amounts_are_written_exactly_and_read_back() {
        let won = |amount| (Money::won(amount), amount.to_string());
        let part = |amount, text: &str| (Money::thousandths(amount), text.to_owned());
        for (money, text) in [
            won(0),
            won(1_250_000),
            won(-70),
            won(i64::MAX),
            won(i64::MIN),
            part(1_500, "1.5"),
            part(-1_050, "-1.05"),
            part(-5, "-0.005"),
            part(5, "0.005"),
            part(2_000, "2"),
            part(i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(money.amount.to_string(), text);
            assert_eq!(Decimal::parse(&text), Some(money.amount), "{text}");
        }
        assert_eq!(
            [Money::won(-7), Money::thousandths(7_500)].map(|money| money.whole_won()),
            [-7, 0]
        );
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1.2345",
            "1.-2",
            "1.+2",
            "a",
            "9223372036854775808",
            "+5",
            "007",
            "-0",
            "1.50",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
