//! The bearer token of a request, for HTTP and for whatever else carries an `Authorization` header.

use axum::http::{HeaderMap, header};

/// Longest token in bytes that is looked at.
pub const MAX_TOKEN_BYTES: usize = 4_096;

/// What `Authorization` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer<'r> {
    /// No header.
    Absent,
    /// A well-formed token, unchecked otherwise. Not to be logged.
    Token(&'r str),
    /// Another scheme, several headers, or characters that no token has: its sender believes to be signed in, so this is a
    /// bad token and not a missing one.
    Malformed,
}

/// Reads `Authorization: Bearer …`; the scheme in any case, as HTTP has it.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let only = match (all.next(), all.next()) {
        (None, _) => return Bearer::Absent,
        (Some(only), None) => only,
        (Some(_), Some(_)) => return Bearer::Malformed,
    };
    only.to_str().map_or(Bearer::Malformed, of_text)
}

/// Reads the text of such a header, from wherever it comes.
#[must_use]
pub fn of_text(text: &str) -> Bearer<'_> {
    let Some((scheme, token)) = text.split_once(' ') else {
        return Bearer::Malformed;
    };
    let token = token.trim_start_matches(' ');
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let well_formed = !token.is_empty() && token.len() <= MAX_TOKEN_BYTES && token.bytes().all(of_token);
    if scheme.eq_ignore_ascii_case("bearer") && well_formed {
        Bearer::Token(token)
    } else {
        Bearer::Malformed
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_is_taken_or_refused_but_never_guessed() {
        let longest = format!("Bearer {}", "x".repeat(MAX_TOKEN_BYTES));
        let long = format!("{longest}x");
        for (value, expected) in [
            ("Bearer abc.DEF-1_~+/=", Bearer::Token("abc.DEF-1_~+/=")),
            ("bearer abc", Bearer::Token("abc")),
            ("BEARER   abc", Bearer::Token("abc")),
            (&longest, Bearer::Token(longest.get(7..).unwrap_or_default())),
            (&long, Bearer::Malformed),
            ("Bearer", Bearer::Malformed),
            ("Bearer ", Bearer::Malformed),
            ("Bearer a b", Bearer::Malformed),
            ("Bearer a,b", Bearer::Malformed),
            ("Bearer\tabc", Bearer::Malformed),
            ("Basic abc", Bearer::Malformed),
            ("abc", Bearer::Malformed),
            ("", Bearer::Malformed),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(HeaderValue::from_str(value).map(|value| (header::AUTHORIZATION, value)));
            assert_eq!(bearer(&headers), expected, "{value:.40}");
            headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
            assert_eq!(bearer(&headers), Bearer::Malformed);
        }
        assert_eq!(bearer(&HeaderMap::new()), Bearer::Absent);
    }
}
