//! The settings of traces, by the names that OpenTelemetry has for them. Without an endpoint there are none, whatever else
//! is set: those names may stand in the environment of everything that runs on a machine.

use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{Source, listed};

/// Where traces are sent, and how many.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// What spans are posted to, by OTLP over HTTP.
    pub endpoint: Url,
    /// What the receiver wants to see of whoever sends, such as a key: marked as sensitive.
    pub headers: HeaderMap,
    /// How long a batch of spans may take: 10 s where nothing else is said.
    pub timeout: Duration,
    /// Which requests and jobs are traced.
    pub sampling: Sampling,
    /// What the service is called in traces.
    pub service_name: Option<String>,
}

/// Which requests and jobs are traced.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sampling {
    /// Whether a caller who says that he traces, or that he does not, decides for what he asks.
    pub follows_caller: bool,
    /// The part of all others that is traced, 0 to 1.
    pub ratio: f64,
}

/// How long a batch of spans may take where nothing else is said, in milliseconds.
const USUAL_TIMEOUT: u64 = 10_000;

/// The longest that it may take, in milliseconds.
const LONGEST_TIMEOUT: u64 = 60_000;

/// Where to send traces; `None` for nowhere.
pub(super) fn read(source: &Source, faults: &mut Vec<String>) -> Option<TraceSettings> {
    let is_disabled = source
        .get("OTEL_SDK_DISABLED")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if is_disabled || source.get("OTEL_TRACES_EXPORTER") == Some("none") {
        return None;
    }
    let (name, text) = of(source, "ENDPOINT")?;
    if source.get("OTEL_TRACES_EXPORTER").is_some_and(|text| text != "otlp") {
        faults.push("OTEL_TRACES_EXPORTER is otlp or none".to_owned());
    }
    if let Some((name, _)) = of(source, "PROTOCOL").filter(|(_, text)| *text != "http/protobuf") {
        faults.push(format!(
            "{name} must be http/protobuf, which a receiver takes on port 4318"
        ));
    }
    let mut or_fault = |fault: String| faults.push(fault);
    let endpoint = endpoint(text, name.contains("TRACES"));
    if endpoint.is_none() {
        or_fault(format!(
            "{name} is http:// or https:// with a host and without a user, such as http://127.0.0.1:4318"
        ));
    }
    let headers = of(source, "HEADERS").map_or_else(
        || Some(HeaderMap::new()),
        |(name, _)| {
            let headers = headers(source, &name);
            if headers.is_none() {
                or_fault(format!(
                    "{name} is a list of headers, such as Authorization=Bearer%20abc"
                ));
            }
            headers
        },
    );
    let timeout = of(source, "TIMEOUT").map_or(Some(USUAL_TIMEOUT), |(name, text)| {
        let timeout = text.parse().ok().filter(|ms| (1..=LONGEST_TIMEOUT).contains(ms));
        if timeout.is_none() {
            or_fault(format!(
                "{name} is a number of milliseconds from 1 to {LONGEST_TIMEOUT}"
            ));
        }
        timeout
    });
    let sampling = sampling(source).map_err(or_fault).ok();
    Some(TraceSettings {
        endpoint: endpoint?,
        headers: headers?,
        timeout: Duration::from_millis(timeout?),
        sampling: sampling?,
        service_name: source.get("OTEL_SERVICE_NAME").map(str::to_owned),
    })
}

/// What is said for traces, or else for everything that is exported; and under which name.
fn of<'s>(source: &'s Source, what: &str) -> Option<(String, &'s str)> {
    let names = ["TRACES_", ""].map(|signal| format!("OTEL_EXPORTER_OTLP_{signal}{what}"));
    names
        .into_iter()
        .find_map(|name| source.get(&name).map(|text| (name, text)))
}

/// The endpoint of traces as it stands, or that of everything with the path of traces behind it.
fn endpoint(text: &str, is_own: bool) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !is_plain || !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    if !is_own {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Some(url)
}

/// `name=value` with commas between, the values percent-encoded.
fn headers(source: &Source, name: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for entry in listed(source, name) {
        let (name, value) = entry.split_once('=')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        let value: Vec<u8> = percent_decode_str(value.trim()).collect();
        let mut value = HeaderValue::from_bytes(&value).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Some(headers)
}

fn sampling(source: &Source) -> Result<Sampling, String> {
    let sampler = source.get("OTEL_TRACES_SAMPLER").unwrap_or("parentbased_always_on");
    let own = sampler.strip_prefix("parentbased_");
    let ratio = match own.unwrap_or(sampler) {
        "always_on" => Some(1.0),
        "always_off" => Some(0.0),
        "traceidratio" => {
            let ratio = source.get("OTEL_TRACES_SAMPLER_ARG").map_or(Ok(1.0), str::parse);
            let ratio = ratio.ok().filter(|ratio| (0.0..=1.0).contains(ratio));
            Some(ratio.ok_or("OTEL_TRACES_SAMPLER_ARG is a number from 0 to 1, such as 0.1")?)
        }
        _ => None,
    };
    let follows_caller = own.is_some();
    let ratio = ratio.ok_or(
        "OTEL_TRACES_SAMPLER is one of always_on, always_off, traceidratio, and these three with parentbased_ before",
    )?;
    Ok(Sampling { follows_caller, ratio })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Option<TraceSettings>, Vec<String>> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut faults = Vec::new();
        let settings = read(&Source::read(pairs)?, &mut faults);
        if faults.is_empty() { Ok(settings) } else { Err(faults) }
    }

    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const OWN: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    #[test]
    fn p3_traces_are_off_unless_an_endpoint_is_named() {
        let here = (ALL, "http://127.0.0.1:4318");
        for off in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "desk"), ("OTEL_TRACES_SAMPLER", "xray")],
            &[here, ("OTEL_SDK_DISABLED", "TRUE")],
            &[here, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert!(settings(off).unwrap().is_none(), "{off:?}");
        }
        assert!(settings(&[here]).unwrap().is_some());
    }

    #[test]
    fn p3_the_endpoint_of_traces_is_taken_as_it_stands() {
        for (pairs, url) in [
            (&[(ALL, "http://tempo:4318")][..], "http://tempo:4318/v1/traces"),
            (&[(ALL, "https://a.example/otlp/")], "https://a.example/otlp/v1/traces"),
            (&[(ALL, "http://a:1"), (OWN, "http://b:2/in")], "http://b:2/in"),
        ] {
            assert_eq!(settings(pairs).unwrap().unwrap().endpoint.as_str(), url);
        }
    }

    #[test]
    fn p3_every_fault_of_traces_is_told_at_once() {
        let faults = settings(&[
            (ALL, "tempo:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "10"),
        ]);
        let faults = faults.unwrap_err();
        assert_eq!(faults.len(), 6, "{faults:#?}");
        for url in ["ftp://a/", "http://user:secret@a/", "http://a/#b", "http:///"] {
            let faults = settings(&[(OWN, url)]).unwrap_err();
            assert!(
                faults.len() == 1 && faults[0].starts_with(OWN) && !faults[0].contains("secret"),
                "{faults:?}"
            );
        }
        assert!(
            settings(&[("ORGDESK_OTEL_SERVICE_NAME", "a")]).is_err(),
            "these have no prefix"
        );
    }

    #[test]
    fn p3_headers_are_read_as_the_specification_writes_them_and_not_shown() {
        let here = (ALL, "http://127.0.0.1:4318");
        let settings = settings(&[
            here,
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc, x-scope=1"),
        ]);
        let settings = settings.unwrap().unwrap();
        assert_eq!(settings.headers["authorization"], "Bearer abc");
        assert_eq!(settings.headers["x-scope"], "1");
        assert!(!format!("{settings:?}").contains("abc"));
    }

    #[test]
    fn p3_samplers_are_those_of_the_specification() {
        let here = (ALL, "http://127.0.0.1:4318");
        for (sampler, argument, follows_caller, ratio) in [
            ("", "", true, 1.0),
            ("always_on", "0.5", false, 1.0),
            ("always_off", "", false, 0.0),
            ("traceidratio", "0.25", false, 0.25),
            ("parentbased_always_off", "", true, 0.0),
            ("parentbased_traceidratio", "", true, 1.0),
        ] {
            let pairs = [
                here,
                ("OTEL_TRACES_SAMPLER", sampler),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ];
            let sampling = settings(&pairs).unwrap().unwrap().sampling;
            assert_eq!(sampling, Sampling { follows_caller, ratio }, "{sampler}");
        }
    }
}
