//! Content negotiation: which of the two media types of GraphQL over HTTP an answer has, and whether a request's body is
//! one that is read at all.

use axum::http::{HeaderMap, header};

/// Longest boundary of a form, as RFC 2046 has it.
const MAX_BOUNDARY: usize = 70;

/// The media type of an answer. It decides the status of a request that is well formed and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: a refused request is 400.
    GraphqlResponse,
    /// `application/json`: a refused request is 200, since older clients read nothing else.
    Json,
}

impl Media {
    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// How well a range fits an offer: nothing, `*/*`, `application/*`, or the type itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Any,
    Application,
    Exact,
}

/// Picks by `Accept`: the higher quality wins; among equals the new type where it is named, else plain JSON. No header
/// accepts anything. `None`: neither is acceptable.
#[must_use]
pub fn negotiate(headers: &HeaderMap) -> Option<Media> {
    let mut said_nothing = true;
    let mut best: [Option<(Fit, u16)>; 2] = [None, None];
    let values = headers.get_all(header::ACCEPT).iter();
    for range in values.flat_map(|value| value.to_str().unwrap_or("invalid/range").split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        if name.is_empty() {
            continue;
        }
        said_nothing = false;
        let Some(quality) = quality(parts) else { continue };
        for (offer, best) in ["application/graphql-response+json", "application/json"]
            .iter()
            .zip(&mut best)
        {
            let fit = match name.as_str() {
                "*/*" => Fit::Any,
                "application/*" => Fit::Application,
                other if other == *offer => Fit::Exact,
                _ => continue,
            };
            if best.is_none_or(|(known, _)| fit > known) {
                *best = Some((fit, quality));
            }
        }
    }
    let [new, plain] = best.map(|found| found.filter(|(_, quality)| *quality > 0));
    match (new, plain) {
        _ if said_nothing => Some(Media::Json),
        (None, None) => None,
        (Some(_), None) => Some(Media::GraphqlResponse),
        (None, Some(_)) => Some(Media::Json),
        (Some((fit, new)), Some((_, plain))) if new > plain || (new == plain && fit == Fit::Exact) => {
            Some(Media::GraphqlResponse)
        }
        _ => Some(Media::Json),
    }
}

/// The quality in thousandths, 1,000 where none is given; `None` for one that is malformed.
fn quality<'h>(mut parameters: impl Iterator<Item = &'h str>) -> Option<u16> {
    let Some(text) = parameters.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="))) else {
        return Some(1_000);
    };
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

/// Whether the body is JSON in UTF-8 as it stands. Everything else could be sent by a form of another site, without the
/// browser asking first, or would have to be inflated.
#[must_use]
pub fn is_plain_json(headers: &HeaderMap) -> bool {
    let Some(text) = content_type(headers) else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    json && utf8 && is_as_it_stands(headers)
}

/// What separates the parts of a form with files, where the body is one as it stands.
#[must_use]
pub fn form_boundary(headers: &HeaderMap) -> Option<String> {
    let boundary = multer::parse_boundary(content_type(headers)?).ok()?;
    ((1..=MAX_BOUNDARY).contains(&boundary.len()) && is_as_it_stands(headers)).then_some(boundary)
}

/// The one `Content-Type` there is.
fn content_type(headers: &HeaderMap) -> Option<&str> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().ok(),
        _ => None,
    }
}

fn is_as_it_stands(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn accept_decides_the_media_type() {
        const NEW: Option<Media> = Some(Media::GraphqlResponse);
        const PLAIN: Option<Media> = Some(Media::Json);
        for (accept, picked) in [
            (&[][..], PLAIN),
            (&[""], PLAIN),
            (&["*/*"], PLAIN),
            (&["application/*"], PLAIN),
            (&["application/json"], PLAIN),
            (&["application/graphql-response+json"], NEW),
            (&["Application/GraphQL-Response+JSON; charset=utf-8"], NEW),
            (&["application/graphql-response+json, application/json;q=0.9"], NEW),
            (&["application/json, application/graphql-response+json"], NEW),
            (
                &["application/json;q=0.9, application/graphql-response+json;q=0.8"],
                PLAIN,
            ),
            (
                &["application/json;q=0.9", "application/graphql-response+json;q=0.91"],
                NEW,
            ),
            (&["application/graphql-response+json, */*"], NEW),
            (&["application/graphql-response+json;q=0.5, */*;q=0.9"], PLAIN),
            (&["application/json;q=0, */*"], NEW),
            (&["application/json;q=0, application/*;q=0.1"], NEW),
            (&["text/html, */*;q=0.1"], PLAIN),
            (&["text/html"], None),
            (&["application/json;q=0"], None),
            (&["*/*;q=0"], None),
            (&["application/json;q=nan"], None),
            (&["application/json;q=-1"], None),
            (&["application/json;q=1.5"], None),
            (&["application/json;q=0.0001"], None),
            (&["multipart/mixed;deferSpec=20220824"], None),
            (&["\u{7f}garbage"][..0], PLAIN),
        ] {
            assert_eq!(negotiate(&headers(&header::ACCEPT, accept)), picked, "{accept:?}");
        }
        let mut opaque = HeaderMap::new();
        opaque.extend(HeaderValue::from_bytes(b"application/json\xff").map(|value| (header::ACCEPT, value)));
        assert_eq!(negotiate(&opaque), None);
    }

    #[test]
    fn only_json_in_utf8_is_read() {
        for (types, read) in [
            (&["application/json"][..], true),
            (&["Application/JSON ; Charset=\"UTF-8\""], true),
            (&["application/json; profile=x"], true),
            (&["application/json; charset=utf-16"], false),
            (&["application/json; charset=latin1"], false),
            (&["application/graphql"], false),
            (&["application/graphql+json"], false),
            (&["text/plain"], false),
            (&["text/plain; x=application/json"], false),
            (&["application/x-www-form-urlencoded"], false),
            (&["multipart/form-data; boundary=x"], false),
            (&["application/json", "text/plain"], false),
            (&["application/jsonp"], false),
            (&[""], false),
            (&[], false),
        ] {
            assert_eq!(is_plain_json(&headers(&header::CONTENT_TYPE, types)), read, "{types:?}");
        }
        let mut packed = headers(&header::CONTENT_TYPE, &["application/json"]);
        packed.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(!is_plain_json(&packed));
        packed.insert(header::CONTENT_ENCODING, HeaderValue::from_static("Identity"));
        assert!(is_plain_json(&packed));
    }

    #[test]
    fn a_form_has_one_boundary_and_comes_as_it_stands() {
        for (types, boundary) in [
            (&["multipart/form-data; boundary=x"][..], Some("x")),
            (&["Multipart/Form-Data; boundary=\"a b\""], Some("a b")),
            (&["multipart/form-data"], None),
            (&["multipart/form-data; boundary="], None),
            (&["multipart/mixed; boundary=x"], None),
            (&["application/json; boundary=x"], None),
            (
                &["multipart/form-data; boundary=x", "multipart/form-data; boundary=x"],
                None,
            ),
            (&[], None),
        ] {
            let found = form_boundary(&headers(&header::CONTENT_TYPE, types));
            assert_eq!(found.as_deref(), boundary, "{types:?}");
        }
        let mut packed = headers(&header::CONTENT_TYPE, &["multipart/form-data; boundary=x"]);
        packed.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(form_boundary(&packed), None);
    }
}
