//! Requests that bring files: what is read of whom, in which order, and within which bounds.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, body::Bytes};
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::{demo::LARGEST_FILE, *};
use crate::api::{
    graphql_http,
    multipart::{MAX_FILES, MAX_FORM_BYTES, Room},
};

const KEEP: &str = "mutation($files: [Upload!]!) { keep(files: $files) }";

/// A part: its disposition after `form-data; `, and its content.
type Part<'p> = (&'p str, &'p [u8]);

fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        body.extend(format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--x--\r\n");
    body
}

fn ops(content: &[u8]) -> Part<'_> {
    ("name=\"operations\"", content)
}

fn map_of(content: &[u8]) -> Part<'_> {
    ("name=\"map\"", content)
}

fn operations(document: &str, files: usize) -> Vec<u8> {
    let files = vec![json!(null); files];
    json!({ "query": document, "variables": { "files": files } })
        .to_string()
        .into_bytes()
}

fn map(files: usize) -> Vec<u8> {
    let places = (0..files).map(|file| (file.to_string(), json!([format!("variables.files.{file}")])));
    json!(places.collect::<serde_json::Map<_, _>>())
        .to_string()
        .into_bytes()
}

fn send(body: impl Into<Body>, token: &str, header: &str) -> Outcome<Request<Body>> {
    let request = Request::post("/graphql")
        .header("content-type", "multipart/form-data; boundary=x")
        .header(header, "1");
    let request = if token.is_empty() {
        request
    } else {
        request.header("authorization", token)
    };
    Ok(request.body(body.into())?)
}

/// Sends a form as a member.
async fn sent(router: &Router, parts: &[Part<'_>]) -> Outcome<Reply> {
    ask(router, send(form(parts), "Bearer good", "graphql-require-preflight")?).await
}

fn count(counter: &Arc<AtomicUsize>) -> usize {
    counter.load(Ordering::SeqCst)
}

#[tokio::test]
async fn files_arrive_whole_under_their_names() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    let bytes: Vec<u8> = (0..LARGEST_FILE).map(|at| (at % 251) as u8).collect();
    let reply = sent(
        &router,
        &[
            ("name=\"operations\"", &operations(KEEP, 3)),
            ("name=\"map\"", &map(3)),
            ("name=\"1\"; filename=\"로고 \u{1f984}.png\"", b""),
            ("name=\"0\"; filename=\"a\\\"b.png\"", &bytes),
            ("name=\"2\"; filename=\"\"", b"\r\n--y\r\n\0"),
        ],
    )
    .await?;
    let kept = json!({ "keep": [format!("a\"b.png: {LARGEST_FILE}"), "로고 \u{1f984}.png: 0", ": 8"] });
    assert_eq!(reply.json()?.get("data"), Some(&kept), "{}", reply.text);
    assert_eq!(
        count(&demo.visits.paused),
        1,
        "nothing is held while files are on their way"
    );
    assert_eq!((count(&demo.visits.open), count(&demo.visits.left)), (0, 1));
    Ok(())
}

#[tokio::test]
async fn a_file_past_its_limit_is_told_of_in_the_payload_and_not_kept() -> Outcome {
    let demo = Demo::new(true)?;
    let room = Room::of(4 * LARGEST_FILE);
    let route = graphql_http::route_with(demo.clone(), room.clone());
    let router = layers().around(Router::new().route("/graphql", route));
    let big = vec![0; 20 * LARGEST_FILE];
    let reply = sent(
        &router,
        &[
            ("name=\"operations\"", &operations(KEEP, 2)),
            ("name=\"map\"", &map(2)),
            ("name=\"0\"; filename=\"big\"", &big),
            ("name=\"1\"; filename=\"small\"", b"1"),
        ],
    )
    .await?;
    let kept = json!({ "keep": ["big: -1", "small: 1"] });
    assert_eq!(reply.json()?.get("data"), Some(&kept), "{}", reply.text);
    assert_eq!(room.free(), 4 * LARGEST_FILE, "the room is given back");
    Ok(())
}

// case: E4
#[tokio::test]
async fn a_form_without_a_header_that_browsers_ask_for_runs_nothing() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    let parts: [Part<'_>; 3] = [
        ("name=\"operations\"", &operations(KEEP, 1)),
        ("name=\"map\"", &map(1)),
        ("name=\"0\"; filename=\"a\"", b"1"),
    ];
    for (header, status) in [
        ("x-other", 415),
        ("graphql-require-preflight", 200),
        ("apollo-require-preflight", 200),
        ("x-requested-with", 200),
    ] {
        let reply = ask(&router, send(form(&parts), "Bearer good", header)?).await?;
        assert_eq!(reply.status, status, "{header}: {}", reply.text);
    }
    assert_eq!(count(&demo.counter), 3);
    Ok(())
}

// case: E6
#[tokio::test]
async fn forms_out_of_order_are_refused_and_run_nothing() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    let (one, two, many) = (
        operations(KEEP, 1),
        operations(KEEP, 2),
        operations(KEEP, MAX_FILES + 1),
    );
    let (first, second): (Part<'_>, Part<'_>) = (
        ("name=\"0\"; filename=\"a\"", b"1"),
        ("name=\"1\"; filename=\"b\"", b"2"),
    );
    let batch = [b"[", one.as_slice(), b"]"].concat();
    let query = operations("{ hello }", 1);
    let count_only = operations("mutation { count }", 1);
    let endless = vec![b'a'; 100 * 1024];
    let wide = json!({ "0": vec!["variables.files.0"; 1_000] }).to_string();
    let (map_one, map_two, map_many) = (map(1), map(2), map(MAX_FILES + 1));
    let text = |text: &'static str| text.as_bytes();
    for (what, parts, status) in [
        ("no parts", vec![], 400),
        ("no map", vec![ops(&one)], 400),
        ("no file", vec![ops(&one), map_of(&map_one)], 400),
        ("map first", vec![map_of(&map_one), ops(&one), first], 400),
        ("file first", vec![first, ops(&one), map_of(&map_one)], 400),
        (
            "operations twice",
            vec![ops(&one), ops(&one), map_of(&map_one), first],
            400,
        ),
        ("one of two", vec![ops(&two), map_of(&map_two), first], 400),
        ("a file twice", vec![ops(&two), map_of(&map_two), first, first], 400),
        ("one too many", vec![ops(&one), map_of(&map_one), first, second], 400),
        ("no JSON", vec![ops(b"{"), map_of(&map_one), first], 400),
        ("a batch", vec![ops(&batch), map_of(&map_one), first], 400),
        ("an empty map", vec![ops(&one), map_of(text("{}")), first], 400),
        ("a map that is a list", vec![ops(&one), map_of(text("[]")), first], 400),
        (
            "a map of texts",
            vec![ops(&one), map_of(text(r#"{"0":"variables.files.0"}"#)), first],
            400,
        ),
        ("no place", vec![ops(&one), map_of(text(r#"{"0":[]}"#)), first], 400),
        ("many places", vec![ops(&one), map_of(wide.as_bytes()), first], 413),
        (
            "two places",
            vec![
                ops(&two),
                map_of(text(r#"{"0":["variables.files.0","variables.files.1"]}"#)),
                first,
            ],
            400,
        ),
        (
            "one place twice",
            vec![
                ops(&one),
                map_of(text(r#"{"0":["variables.files.0"],"1":["variables.files.0"]}"#)),
                first,
                second,
            ],
            400,
        ),
        (
            "a place that is not there",
            vec![ops(&one), map_of(text(r#"{"0":["variables.files.7"]}"#)), first],
            400,
        ),
        (
            "a place outside",
            vec![ops(&one), map_of(text(r#"{"0":["query"]}"#)), first],
            400,
        ),
        (
            "a place in a place",
            vec![ops(&one), map_of(text(r#"{"0":["variables.files.0.content"]}"#)), first],
            400,
        ),
        ("too many files", vec![ops(&many), map_of(&map_many)], 400),
        ("a query", vec![ops(&query), map_of(&map_one), first], 400),
        (
            "a mutation without files",
            vec![ops(&count_only), map_of(&map_one), first],
            400,
        ),
        (
            "a head without end",
            vec![
                ops(&one),
                map_of(&map_one),
                ("name=\"0\"; filename=\"", &endless),
                first,
            ],
            400,
        ),
        (
            "large operations",
            vec![
                ops(&[one.as_slice(), &vec![b' '; 256 * 1024]].concat()),
                map_of(&map_one),
                first,
            ],
            413,
        ),
    ] {
        let mut body = form(&parts);
        if what == "a head without end" {
            let long = [b"X: ", endless.as_slice(), b"\r\n\r\n"].concat();
            body = form(&parts[..2]);
            body.truncate(body.len() - 4);
            body.extend([b"\r\n".as_slice(), &long].concat());
        }
        let reply = ask(&router, send(body, "Bearer good", "graphql-require-preflight")?).await?;
        assert_eq!(reply.status, status, "{what}: {}", reply.text);
        let code = if status == 413 {
            "PAYLOAD_TOO_LARGE"
        } else {
            "BAD_REQUEST"
        };
        assert_eq!(reply.codes(), [code], "{what}: {}", reply.text);
        assert!(reply.text.len() < 300, "{}", reply.text);
    }
    assert_eq!((count(&demo.counter), count(&demo.visits.open)), (0, 0));
    Ok(())
}

/// A body of a form's beginning and files without end, with a count of the bytes that were taken of it.
fn endless(beginning: &[Part<'_>]) -> (Body, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let mut begun = form(beginning);
    begun.truncate(begun.len() - b"--x--\r\n".len());
    begun.extend(b"--x\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a\"\r\n\r\n");
    let rest = stream::repeat(Bytes::from_static(&[b'y'; 8_192]));
    let counter = Arc::clone(&taken);
    let all = stream::iter([Bytes::from(begun)]).chain(rest).map(move |bytes| {
        counter.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok::<_, std::io::Error>(bytes)
    });
    (Body::from_stream(all), taken)
}

#[tokio::test]
async fn nobody_and_bad_tokens_send_no_files() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    let (ops, map) = (operations(KEEP, 1), map(1));
    let beginning: [Part<'_>; 2] = [("name=\"operations\"", &ops), ("name=\"map\"", &map)];
    for (token, most) in [("", 0), ("Basic eA==", 0), ("Bearer stale", 32 * 1024)] {
        let (body, taken) = endless(&beginning);
        let reply = ask(&router, send(body, token, "graphql-require-preflight")?).await?;
        assert_eq!((reply.status, reply.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]));
        assert!(count(&taken) <= most, "{} bytes of {token:?}", count(&taken));
    }
    assert_eq!((count(&demo.counter), count(&demo.visits.paused)), (0, 0));
    Ok(())
}

// case: E5
#[tokio::test]
async fn what_has_no_end_is_cut_off_at_the_limit_of_forms() -> Outcome {
    let demo = Demo::new(true)?;
    let room = Room::of(4 * LARGEST_FILE);
    let route = graphql_http::route_with(demo.clone(), room.clone());
    let router = layers().around(Router::new().route("/graphql", route));
    let (ops, map) = (operations(KEEP, 1), map(1));
    let (body, taken) = endless(&[("name=\"operations\"", &ops), ("name=\"map\"", &map)]);
    let reply = ask(&router, send(body, "Bearer good", "graphql-require-preflight")?).await?;
    assert_eq!(
        (reply.status, reply.codes()),
        (413, vec!["PAYLOAD_TOO_LARGE".to_owned()])
    );
    assert!(count(&taken) <= MAX_FORM_BYTES + 64 * 1024, "{}", count(&taken));
    let announced = send(
        Body::from(vec![b'x'; MAX_FORM_BYTES + 1]),
        "Bearer good",
        "graphql-require-preflight",
    )?;
    assert_eq!(ask(&router, announced).await?.status, 413);
    assert_eq!((count(&demo.counter), count(&demo.visits.open)), (0, 0));
    assert_eq!(room.free(), 4 * LARGEST_FILE);
    Ok(())
}

#[tokio::test]
async fn files_of_all_requests_share_one_room() -> Outcome {
    let demo = Demo::new(true)?;
    let room = Room::of(LARGEST_FILE);
    let route = graphql_http::route_with(demo.clone(), room.clone());
    let router = layers().around(Router::new().route("/graphql", route));
    let bytes = vec![0; LARGEST_FILE / 2 + 1];
    let both: [Part<'_>; 4] = [
        ("name=\"operations\"", &operations(KEEP, 2)),
        ("name=\"map\"", &map(2)),
        ("name=\"0\"; filename=\"a\"", &bytes),
        ("name=\"1\"; filename=\"b\"", &bytes),
    ];
    let reply = sent(&router, &both).await?;
    assert_eq!((reply.status, reply.codes()), (503, vec!["OVERLOADED".to_owned()]));
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(room.free(), LARGEST_FILE);
    Ok(())
}

#[tokio::test]
async fn json_can_not_pass_for_a_file() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    for file in [
        json!("#__graphql_file__:0"),
        json!("#__graphql_file__:x"),
        json!({ "name": "a", "content": null }),
        json!(null),
    ] {
        let body = json!({ "query": KEEP, "variables": { "files": [file] } }).to_string();
        let reply = ask(
            &router,
            post(body, |request| request.header("authorization", "Bearer good"))?,
        )
        .await?;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{}", reply.text);
    }
    assert_eq!(count(&demo.counter), 0);
    Ok(())
}
