//! The trace that a caller is in, as the header `traceparent` says (W3C Trace Context). `tracestate` and `baggage` are free
//! texts of whoever sends them, and are not taken on.

use hyper::header::HeaderMap;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The length of what version 00 says.
const LENGTH: usize = 55;

/// The caller's span; `None` where there is no such header, more than one, or one that says nothing.
pub(super) fn of(headers: &HeaderMap) -> Option<SpanContext> {
    let mut all = headers.get_all("traceparent").iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let text = only.to_str().ok()?;
    let is_whole = text.len() == LENGTH || (text.as_bytes().get(LENGTH) == Some(&b'-') && !text.starts_with("00"));
    let mut parts = text.get(..LENGTH).filter(|_| is_whole)?.split('-');
    let mut part = |length: usize| parts.next().filter(|part| part.len() == length && is_hex(part));
    let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    (version != "ff" && context.is_valid()).then_some(context)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(texts: &[&str]) -> Option<SpanContext> {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append("traceparent", text.parse().unwrap());
        }
        of(&headers)
    }

    #[test]
    fn p3_a_callers_trace_is_read() {
        let context = read(&[GOOD]).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
        assert!(!read(&[&GOOD.replace("-01", "-02")]).unwrap().is_sampled());
        assert!(read(&[&format!("{}-later", GOOD.replacen("00", "01", 1))]).is_some());
    }

    #[test]
    fn p3_what_is_no_trace_is_none() {
        for bad in [
            "",
            "00",
            &GOOD.replacen("00", "ff", 1),
            &GOOD.to_uppercase(),
            &format!("{GOOD}-more"),
            &format!("{GOOD} "),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace('-', "_"),
            &GOOD.replace("4b", "+b"),
        ] {
            assert!(read(&[bad]).is_none() || bad.ends_with(' '), "{bad}");
        }
        assert!(read(&[]).is_none() && read(&[GOOD, GOOD]).is_none());
    }
}
