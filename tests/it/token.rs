//! Access tokens that somebody else wrote: none of them lets anybody in.

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    both,
    support::app::{BEGIN, instant},
};

const VIEWER: &str = "{ viewer { member { login } } }";

/// The key that the service signs with, of this secret.
fn key_of(secret: &[u8]) -> Ed25519KeyPair {
    let mut seed = [0; 32];
    Hkdf::<Sha256>::new(Some(b"orgdesk"), secret)
        .expand(b"access tokens", &mut seed)
        .unwrap();
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn signed(key: &Ed25519KeyPair, header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", part(&header.to_string()), part(&claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn keyed(algorithm: hmac::Algorithm, name: &str, key: &[u8], claims: &Value) -> String {
    let text = format!(
        "{}.{}",
        part(&json!({ "alg": name, "typ": "at+jwt" }).to_string()),
        part(&claims.to_string())
    );
    let tag = hmac::sign(&hmac::Key::new(algorithm, key), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn with(value: &Value, name: &str, new: Value) -> Value {
    let mut value = value.clone();
    value[name] = new;
    value
}

fn without(value: &Value, name: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove(name);
    value
}

fn claims_of(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

both! {
    // case: D9
    async fn a1_a_forged_token_lets_nobody_in(app) {
        let real = app.owner().token().await;
        let rival = claims_of(&app.rival().token().await);
        let colleague = claims_of(&app.administrator().token().await);
        let secret: Vec<u8> = (0..32).collect();
        let ours = key_of(&secret);
        let public = ours.public_key().as_ref().to_vec();
        let theirs = key_of(&[9; 32]);
        let claims = claims_of(&real);
        let head = json!({ "typ": "at+jwt", "alg": "EdDSA" });
        let parts: Vec<_> = real.split('.').collect();
        let now = instant(BEGIN).timestamp();
        let mut forged: Vec<(String, String)> = Vec::new();
        let mut add = |what: &str, token: String| forged.push((what.to_owned(), token));

        for none in ["none", "None", "NONE", ""] {
            let text = format!("{}.{}", part(&json!({ "alg": none, "typ": "at+jwt" }).to_string()), parts[1]);
            add("no algorithm, no signature", format!("{text}."));
            add("no algorithm, old signature", format!("{text}.{}", parts[2]));
        }
        for (algorithm, name) in [(hmac::HMAC_SHA256, "HS256"), (hmac::HMAC_SHA384, "HS384"), (hmac::HMAC_SHA512, "HS512")] {
            for (what, key) in [("public key", public.as_slice()), ("empty key", &[]), ("word", b"secret"), ("master secret", &secret)] {
                add(&format!("{name} with the {what}"), keyed(algorithm, name, key, &claims));
            }
        }
        for name in ["RS256", "ES256", "PS256", "EdDSA ", "eddsa", "Ed448", "HS256"] {
            add(&format!("our signature called {name}"), signed(&ours, &with(&head, "alg", json!(name)), &claims));
        }
        for typ in [json!("JWT"), json!("rt+jwt"), json!("at+JWT"), json!(null), json!(1), json!(["at+jwt"])] {
            add(&format!("typ {typ}"), signed(&ours, &with(&head, "typ", typ), &claims));
        }
        add("no typ", signed(&ours, &without(&head, "typ"), &claims));
        add("no alg", signed(&ours, &without(&head, "alg"), &claims));
        for (name, value) in [
            ("kid", json!("../../../dev/null")), ("kid", json!("' UNION SELECT 'k' --")), ("kid", json!("1")),
            ("jku", json!("https://evil.example.com/keys")), ("x5u", json!("https://evil.example.com/cert")),
            ("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(theirs.public_key().as_ref()) })),
            ("x5c", json!(["AAAA"])), ("crit", json!(["exp"])), ("b64", json!(false)), ("zip", json!("DEF")),
        ] {
            add(&format!("own key named by {name}"), signed(&theirs, &with(&head, name, value), &claims));
        }
        for name in ["iss", "aud", "sub", "org", "sid", "iat", "exp"] {
            add(&format!("no {name}"), signed(&ours, &head, &without(&claims, name)));
            for wrong in [json!(null), json!(true), json!({}), json!(["x"]), json!("x"), json!(-1.5)] {
                add(&format!("{name} is {wrong}"), signed(&ours, &head, &with(&claims, name, wrong)));
            }
        }
        add("expired", signed(&ours, &head, &with(&claims, "exp", json!(now))));
        add("expired long ago", signed(&ours, &head, &with(&claims, "exp", json!(0))));
        add("from the future", signed(&ours, &head, &with(&claims, "iat", json!(now + 6))));
        add("expiry as text", signed(&ours, &head, &with(&claims, "exp", json!((now + 600).to_string()))));
        add("other secret", signed(&theirs, &head, &claims));
        for (name, source) in [("org", &rival), ("sid", &rival), ("sub", &rival), ("sub", &colleague), ("sid", &colleague)] {
            add(&format!("another's {name}"), signed(&ours, &head, &with(&claims, name, source[name].clone())));
        }
        add("another organization's session and member", signed(&ours, &head, &with(&rival, "org", claims["org"].clone())));
        add("claims swapped under an old signature", format!("{}.{}.{}", parts[0], part(&with(&claims, "sub", rival["sub"].clone()).to_string()), parts[2]));
        for length in [0, 1, 42, 85] {
            add("truncated signature", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..length]));
        }
        add("zero signature", format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode([0; 64])));
        add("two parts", format!("{}.{}", parts[0], parts[1]));
        add("four parts", format!("{real}.{}", parts[2]));
        add("padded", format!("{real}="));
        add("five parts", format!("{}.{}.{}.{}.{}", parts[0], parts[1], parts[2], parts[1], parts[2]));
        add("empty parts", "..".to_owned());
        add("long claims", signed(&ours, &head, &with(&claims, "more", json!("x".repeat(3_000)))));
        add("a megabyte", format!("{real}{}", "A".repeat(1_000_000)));
        add("a refresh token", "rt_00000000000000000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned());
        for place in (0..real.len()).step_by(9) {
            let mut bytes = real.clone().into_bytes();
            bytes[place] = if bytes[place] == b'Q' { b'g' } else { b'Q' };
            add(&format!("byte {place} changed"), String::from_utf8(bytes).unwrap());
        }

        assert!(forged.len() > 100);
        for (what, token) in &forged {
            let answer = app.ask(Some(token), VIEWER, json!({})).await;
            assert_eq!(answer.status, 401, "{what}: {}", answer.text);
            assert_eq!(answer.code(), "UNAUTHENTICATED", "{what}: {}", answer.text);
        }
        let answer = app.ask(Some(&signed(&ours, &head, &claims)), VIEWER, json!({})).await;
        assert_eq!(answer.json["data"]["viewer"]["member"]["login"], "owner", "what is signed right is let in: {}", answer.text);
    }
}
