//! What a document must pass before the parser sees it: the parser recurses with the nesting and allocates with the
//! tokens, so both are counted first in one pass over the bytes. And the parser's errors, rewritten.

use async_graphql::{
    Pos, ServerError,
    parser::{self, parse_query, types::ExecutableDocument},
};

use crate::api::codes::{RequestCode, request_error};

/// Largest document in bytes (decisions, "Limits").
pub const MAX_DOCUMENT_BYTES: usize = 32 * 1024;
/// Most tokens. The standard introspection query has about 250, a Relay page of many fragments about 1,000.
pub const MAX_TOKENS: usize = 2_000;
/// Deepest nesting of braces, brackets and parentheses together; the parser's own limit is checked only after it recursed.
pub const MAX_BRACKETS: usize = 64;
/// Longest name in bytes. Validation errors name names, and compare them with those of the schema.
pub const MAX_NAME_BYTES: usize = 128;
/// Longest text of a syntax error in characters.
pub const MAX_MESSAGE: usize = 300;

/// Counts bytes, tokens, nesting and the length of names. Says nothing about syntax.
///
/// # Errors
/// `QUERY_TOO_COMPLEX` for whatever goes past a limit.
pub fn scan(document: &str) -> Result<(), ServerError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(too_complex(format!(
            "The document is larger than {MAX_DOCUMENT_BYTES} bytes."
        )));
    }
    let mut rest = document.as_bytes();
    let mut tokens = 0_usize;
    let mut open = 0_usize;
    let mut closable = true;
    while let Some(&first) = rest.first() {
        let width = match first {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            b'#' => {
                let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
                continue;
            }
            b'{' | b'[' | b'(' => {
                open += 1;
                1
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                1
            }
            b'"' => string_width(rest, &mut closable),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => name_width(rest)?,
            b'-' | b'0'..=b'9' => run(rest, |byte| {
                matches!(byte, b'-' | b'+' | b'.') || byte.is_ascii_alphanumeric()
            }),
            b'.' => run(rest, |byte| byte == b'.'),
            _ => 1,
        };
        tokens += 1;
        if tokens > MAX_TOKENS {
            return Err(too_complex(format!("The document has more than {MAX_TOKENS} tokens.")));
        }
        if open > MAX_BRACKETS {
            return Err(too_complex(format!(
                "The document nests more than {MAX_BRACKETS} brackets."
            )));
        }
        rest = rest.get(width..).unwrap_or_default();
    }
    Ok(())
}

/// Parses a scanned document.
///
/// # Errors
/// `GRAPHQL_PARSE_FAILED` with "Syntax error at line 1, column 2: …"; `GRAPHQL_VALIDATION_FAILED` where the parser also
/// judges names; `OPERATION_RESOLUTION_FAILURE` for a document of fragments only. No text quotes the document.
pub fn parse(document: &str) -> Result<ExecutableDocument, ServerError> {
    parse_query(document).map_err(|error| rewritten(&error))
}

fn rewritten(error: &parser::Error) -> ServerError {
    use parser::Error;
    let at = error.positions().next();
    let invalid = |message: &str| request_error(RequestCode::ValidationFailed, message, at);
    match error {
        Error::Syntax { message, start, .. } => {
            let text = syntax_text(message, *start);
            request_error(RequestCode::ParseFailed, text, Some(*start))
        }
        Error::MultipleOperations { .. } => {
            invalid("An operation without a name must be the only one of its document.")
        }
        Error::OperationDuplicated { .. } => invalid("Two operations of the document have the same name."),
        Error::FragmentDuplicated { .. } => invalid("Two fragments of the document have the same name."),
        Error::MissingOperation => request_error(
            RequestCode::OperationResolutionFailure,
            "The document has no operation.",
            None,
        ),
        Error::RecursionLimitExceeded => too_complex("The document is nested too deep.".to_owned()),
        _ => request_error(RequestCode::ParseFailed, "The document is not GraphQL.", at),
    }
}

/// The parser draws the offending line over four lines of text; only its last line, the rules it waited for, is kept.
fn syntax_text(message: &str, at: Pos) -> String {
    let wanted = message
        .lines()
        .last()
        .and_then(|line| line.trim().strip_prefix("= "))
        .unwrap_or("unexpected text");
    let wanted = wanted.replace("EOI", "the end of the document").replace('_', " ");
    let text = format!(
        "Syntax error at line {}, column {}: {}",
        at.line,
        at.column,
        wanted.trim()
    );
    let mut text: String = text.chars().take(MAX_MESSAGE - 1).collect();
    text.push('.');
    text
}

fn too_complex(message: String) -> ServerError {
    request_error(RequestCode::QueryTooComplex, message, None)
}

fn run(rest: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len())
}

fn name_width(rest: &[u8]) -> Result<usize, ServerError> {
    let width = run(rest, |byte| byte == b'_' || byte.is_ascii_alphanumeric());
    if width > MAX_NAME_BYTES {
        return Err(too_complex(format!(
            "The document has a name of more than {MAX_NAME_BYTES} characters."
        )));
    }
    Ok(width)
}

/// The width of a text as the parser reads it, so that no bracket hides from the count: three quotes that are never
/// closed are an empty text and the begin of another; a plain text ends with its line. Once three quotes were found
/// unclosed, all later ones are, and they are not looked for again: else a document of such quotes costs its square.
fn string_width(rest: &[u8], closable: &mut bool) -> usize {
    if *closable && let Some(block) = rest.strip_prefix(b"\"\"\"".as_slice()) {
        if let Some(width) = block_width(block) {
            return width + 6;
        }
        *closable = false;
    }
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// Bytes up to the closing quotes of a block text, if it is closed.
fn block_width(block: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(rest) = block.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest.starts_with(b"\"\"\"") {
            return Some(at);
        } else {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::codes::code_of;

    fn tokens(document: &str) -> usize {
        // The limit is found by padding: a document of n tokens passes with MAX_TOKENS - n more and fails with one more.
        (0..=MAX_TOKENS)
            .rev()
            .find(|extra| scan(&format!("{document}\n{}", "!".repeat(*extra))).is_ok())
            .map_or(MAX_TOKENS + 1, |extra| MAX_TOKENS - extra)
    }

    #[test]
    fn tokens_are_counted_as_the_language_has_them() {
        for (document, count) in [
            ("", 0),
            ("  ,,, # a comment { { {\r\n", 0),
            ("{ a }", 3),
            (
                "query Q($a: [Int!]! = -1.5e+3) { a(b: $a) { ...F @skip(if: true) } }",
                34,
            ),
            (r#"{ a(b: "} { \" [", c: """ \""" { " """) }"#, 11),
            ("\"\"\"never closed {", 2),
            ("\"to the end of the line {\n}", 2),
        ] {
            assert_eq!(tokens(document), count, "{document}");
        }
    }

    #[test]
    fn brackets_are_counted_together_and_texts_do_not_hide_them() {
        let deep = "{a(b:[".repeat(21);
        assert!(scan(&deep).is_ok());
        assert!(scan(&format!("{deep}{{a")).is_ok());
        assert!(scan(&format!("{deep}{{a{{a")).is_err());
        let quoted = format!("{{ a(b: \"{}\") }}", "{".repeat(1_000));
        assert!(scan(&quoted).is_ok());
        for hidden in [
            "\"\"\"x\"",
            "\"x\n",
            "\"\"",
            "# \"\"\"\n",
            "\"\\\"\"",
            "\"\"\"\\\"\"\"\"\"\"",
        ] {
            assert!(scan(&format!("{hidden}{}", "{a".repeat(70))).is_err(), "{hidden}");
        }
        // What still hides brackets from the count ends the parser's reading as well.
        let unclosed = format!("{{ a(b: \"\"\" {} ) }}", "[".repeat(2_000));
        assert!(scan(&unclosed).is_ok() && parse(&unclosed).is_err());
    }

    #[test]
    fn limits_are_exact() {
        let bytes = "#".repeat(MAX_DOCUMENT_BYTES);
        assert!(scan(&bytes).is_ok());
        assert!(scan(&format!("{bytes}#")).is_err());
        let name = "n".repeat(MAX_NAME_BYTES);
        assert!(scan(&format!("{{ {name} }}")).is_ok());
        assert!(scan(&format!("{{ {name}n }}")).is_err());
        assert!(scan(&"a ".repeat(MAX_TOKENS)).is_ok());
        assert!(scan(&"a ".repeat(MAX_TOKENS + 1)).is_err());
    }

    #[test]
    fn syntax_errors_say_where_and_never_what_was_written() {
        let secret = "hunter2";
        for document in [
            format!("{{ a(b: \"{secret}\" "),
            secret.to_owned(),
            format!("query {{ {secret}( }}"),
            format!("{{ {secret} }} }}"),
            format!("{{ a(b: 1{secret}) }}"),
            format!("{{ a(b: 1e999{}) }}", "9".repeat(40)),
            format!("\n\n  {{ {secret} ..."),
            "= = = =".to_owned(),
            String::new(),
        ] {
            let Err(error) = parse(&document) else {
                assert!(document.contains("1e999"), "{document}");
                continue;
            };
            assert_eq!(code_of(&error), Some("GRAPHQL_PARSE_FAILED"), "{document}");
            assert!(error.message.starts_with("Syntax error at line "), "{}", error.message);
            assert!(
                !error.message.contains(secret) && !error.message.contains('\n'),
                "{}",
                error.message
            );
            assert!(error.message.chars().count() <= MAX_MESSAGE);
            assert_eq!(error.locations.len(), 1);
        }
    }

    #[test]
    fn the_parser_judges_names_without_naming_them() {
        for (document, code) in [
            ("{ a } { b }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ a } query Secret { b }", "GRAPHQL_VALIDATION_FAILED"),
            ("query Secret { a } query Secret { b }", "GRAPHQL_VALIDATION_FAILED"),
            (
                "{ a } fragment Secret on T { a } fragment Secret on T { b }",
                "GRAPHQL_VALIDATION_FAILED",
            ),
            ("fragment Secret on T { a }", "OPERATION_RESOLUTION_FAILURE"),
        ] {
            let error = parse(document).err();
            assert_eq!(error.as_ref().and_then(code_of), Some(code), "{document}");
            assert!(error.is_some_and(|error| !error.message.contains("Secret")));
        }
    }
}
