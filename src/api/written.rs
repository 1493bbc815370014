//! Writes answers of the executor as JSON. Parts of them may be written already (`kernel/at_hand/`): these go in as they are.

use async_graphql::{Response, Value};
use serde_json::{Result, to_writer};

use crate::kernel::at_hand;

/// The answer, its members in the order of the specification: errors where there are any, data, extensions where there are.
///
/// # Errors
/// If an error or an extension can't be written as JSON.
pub fn json(response: &Response) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(1_024);
    out.push(b'{');
    if !response.errors.is_empty() {
        put(&mut out, "\"errors\":");
        to_writer(&mut out, &response.errors)?;
        out.push(b',');
    }
    put(&mut out, "\"data\":");
    write(&response.data, &mut out)?;
    if !response.extensions.is_empty() {
        put(&mut out, ",\"extensions\":");
        to_writer(&mut out, &response.extensions)?;
    }
    out.push(b'}');
    Ok(out)
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::List(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (place, (name, member)) in members.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                to_writer(&mut *out, name)?;
                out.push(b':');
                write(member, out)?;
            }
            out.push(b'}');
        }
        plain => match at_hand::text_of(plain) {
            Some(text) => out.extend_from_slice(text),
            None => to_writer(out, plain)?,
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use async_graphql::{ServerError, value};

    use super::*;

    #[test]
    fn an_answer_is_written_as_the_executor_would() {
        let mut response = Response::new(value!({
            "a": null, "b": [1, "\u{7}\"가\\", true, {}, []], "c": { "d": [{ "e": -1.5 }] }
        }));
        let plain = |response: &Response| serde_json::to_string(response).unwrap();
        let own = |response: &Response| String::from_utf8(json(response).unwrap()).unwrap();
        assert_eq!(own(&response), plain(&response));
        response.errors.push(ServerError::new("no", None));
        response.extensions.insert("cost".to_owned(), value!({ "points": 1 }));
        assert_eq!(own(&response), plain(&response));
    }

    #[test]
    fn what_is_written_already_goes_in_as_it_is() {
        let mut response = Response::new(value!({ "list": null }));
        let Value::Object(data) = &mut response.data else {
            panic!("an object")
        };
        data["list"] = Value::Binary(br#"[{"a":1}]"#.as_slice().into());
        assert_eq!(json(&response).unwrap(), br#"{"data":{"list":[{"a":1}]}}"#);
    }
}
