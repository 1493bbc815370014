//! What others send, read from nothing but its bytes: each function takes whatever bytes there are and holds what must be
//! true of what came of them. The fuzz targets (`fuzz/`) and a bounded test (`tests/it/fuzz.rs`) call them; the service
//! itself does not.

use std::{net::IpAddr, str::FromStr as _, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::HeaderValue,
};
use futures_util::stream;

use crate::{
    api::{
        bearer::{self, Bearer},
        client_address::client_address,
        guard,
        multipart::{self, Files, Room, Taken},
    },
    import::sheet::{self, inside},
    kernel::{
        Keys, OrganizationId, ServiceId,
        address::{Network, household},
        id,
        jwt::{self, Kind},
        page::{Cursors, Part},
    },
    organization::key_text,
};

/// The boundary that [`form`] cuts at.
pub const BOUNDARY: &str = "x";
/// The room that [`form`] gives files, in bytes.
const ROOM: usize = 64 * 1024;
/// The largest file that [`form`] takes, in bytes.
const LARGEST: usize = 16 * 1024;

/// A document of GraphQL, as far as it comes before its validation: counted, parsed, measured.
///
/// # Panics
/// When a document passes that is larger or deeper than the guard lets any be.
pub fn document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if guard::scan(&text).is_err() {
        return;
    }
    assert!(
        text.len() <= guard::MAX_DOCUMENT_BYTES,
        "a document of {} bytes",
        text.len()
    );
    match guard::parse(&text) {
        Err(error) => assert!(
            error.message.len() < 1_000,
            "a refusal of {} bytes",
            error.message.len()
        ),
        Ok(document) => {
            let checked = guard::check(&document, None);
            assert!(
                checked.is_err() || document.fragments.len() <= guard::MAX_FRAGMENTS,
                "{} fragments",
                document.fragments.len()
            );
        }
    }
}

/// A request that brings files, in pieces as a network cuts them: the first byte says how large.
///
/// # Panics
/// When it keeps memory of the room that all requests share, or takes more of it than there is.
pub fn form(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let pieces: Vec<_> = rest
        .chunks(usize::from(*first) * 8 + 1)
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        return;
    };
    runtime.block_on(async {
        let body = Body::from_stream(stream::iter(pieces));
        let begun = multipart::begin(body, BOUNDARY.to_owned(), Duration::from_secs(60)).await;
        let Ok((mut parameters, form, places)) = begun else {
            return;
        };
        let room = Room::of(ROOM);
        let mut taken = Taken::nothing(&room);
        let files = Files {
            form,
            places,
            largest: LARGEST,
        };
        let received = files.receive(None, &mut parameters.variables, &mut taken).await;
        drop((received, taken));
        assert_eq!(room.free(), ROOM, "a form keeps what it had of the room");
    });
}

/// A workbook, from its archive to its last row, as the process reads it that is started for it.
///
/// # Panics
/// When more rows come than a file may have.
pub fn workbook(bytes: &[u8]) {
    if let Ok(summary) = inside::look(bytes, |_| ()) {
        assert!(summary.rows <= sheet::MOST_ROWS, "{} rows", summary.rows);
        assert!(
            summary.head.columns.len() <= sheet::MOST_COLUMNS as usize,
            "{} columns",
            summary.head.columns.len()
        );
    }
}

/// Words that stand for something: IDs, cursors, tokens, keys.
///
/// # Panics
/// When one is read that the service has not written, or that it would write otherwise.
pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(id) = id::decode(&text) {
        assert_eq!(id::encode(id), text, "an ID has one text");
    }
    if let Ok(id) = ServiceId::from_str(&text) {
        assert_eq!(id.to_string(), text, "an ID has one text");
    }
    if let Some(id) = key_text::read(&text) {
        assert!(text.contains(&id::encode(id.0)), "a key is of the ID that it names");
    }
    if let Bearer::Token(token) = bearer::of_text(&text) {
        assert!(
            token.len() <= bearer::MAX_TOKEN_BYTES,
            "a token of {} bytes",
            token.len()
        );
    }
    let keys = Keys::derive(b"what nobody who sends these bytes knows");
    for kind in [Kind::Member, Kind::Partner] {
        let claims: Option<serde_json::Value> = jwt::read(&keys, kind, &text);
        assert_eq!(claims, None, "a token that nobody wrote");
    }
    let cursors = Cursors::new(&keys, OrganizationId(uuid::Uuid::from_u128(7)), "order");
    assert!(cursors.read(Some(&text)).is_err(), "a cursor that nobody wrote");
    let place = [
        Part::Text(text.into_owned()),
        Part::Number(i64::try_from(bytes.len()).unwrap_or(i64::MAX)),
    ];
    let read = cursors.read(Some(&cursors.at(place.clone()).sealed()));
    assert!(
        matches!(read, Ok(Some(read)) if read == place),
        "a cursor is read as it was written"
    );
}

/// Addresses: networks, and headers in which proxies say where a request came from, a line of text each.
///
/// # Panics
/// When a network is written otherwise than it is read, or when what no proxy said is believed.
pub fn addresses(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        if let Some(network) = Network::parse(line) {
            assert_eq!(Network::parse(&network.to_string()), Some(network), "{network}");
        }
        if let Ok(address) = line.parse::<IpAddr>() {
            assert_eq!(household(household(address)), household(address), "{address}");
        }
    }
    let lines: Vec<_> = bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let lines: Vec<&HeaderValue> = lines.iter().collect();
    let proxies: Vec<_> = ["10.0.0.0/8", "2001:db8::/32"]
        .iter()
        .filter_map(|text| Network::parse(text))
        .collect();
    let outside = IpAddr::from([203, 0, 113, 9]);
    assert_eq!(
        client_address(outside, &lines, &proxies),
        outside,
        "nobody but a proxy is believed"
    );
    let proxy = IpAddr::from([10, 0, 0, 1]);
    let found = client_address(proxy, &lines, &proxies);
    let is_said = |line: &&HeaderValue| line.to_str().is_ok();
    assert!(found == proxy || lines.iter().any(is_said), "{found} from nowhere");
    assert_eq!(found, found.to_canonical(), "one text for one address");
}
