//! JSON of strangers. `serde_json::Value` takes an object whose first member is called `$serde_json::private::RawValue` for
//! something of its own and reads that member's text as JSON once more, with a depth that begins at nothing: texts in texts
//! make a tree as deep as they are long, and whoever walks it runs out of stack. Here a name is a name, and what is deeper
//! than 128 levels is refused by the parser.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// A value as it stands in the text. Whatever was not written by this service is read as this; heads of tokens are read by
/// the library of tokens, and are too short to be deep.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign(pub Value);

impl<'de> Deserialize<'de> for Foreign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading).map(Self)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Value, E> {
        Ok(Value::Bool(is))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Foreign(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Foreign(member))) = members.next_entry::<String, Foreign>()? {
            object.insert(name, member);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> serde_json::Result<Value> {
        serde_json::from_str(text).map(|Foreign(value)| value)
    }

    #[test]
    fn what_strangers_write_is_read_as_it_stands() {
        for text in [
            "null",
            "true",
            "-7",
            "18446744073709551615",
            "1.5e-3",
            r#""\u00e9\n\"""#,
            "[]",
            r#"{"b":[{"a":{}}, "x", null],"a":1}"#,
        ] {
            assert_eq!(
                read(text).unwrap(),
                serde_json::from_str::<Value>(text).unwrap(),
                "{text}"
            );
        }
        for text in ["", "[1", "{]", "1 2", "\"\u{7}\""] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn e2_no_name_makes_a_text_into_json() {
        // case: E2
        let inner = r#"[[[[]]]]"#;
        let text = format!(r#"{{"$serde_json::private::RawValue":"{inner}"}}"#);
        assert_eq!(read(&text).unwrap()["$serde_json::private::RawValue"], inner);
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(120)).is_ok());
        assert!(read(&deep(129)).is_err());
    }
}
