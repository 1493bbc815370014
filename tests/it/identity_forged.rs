//! 외부 인증: tokens that no provider wrote, or that were written for something else. None lets anybody in, none is
//! answered otherwise than the others, and none makes the service ask anywhere but where the keys are.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use orgdesk::operate::{self, Algorithm};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        provider::{Key, Provider, prove_addresses},
    },
};

const EXCHANGE: &str = "mutation M($input: SessionExchangeInput!) { sessionExchange(input: $input) {
    tokens { accessToken } userErrors { code field message availableAt } } }";

/// From an address of its own, so that no brake stops it before it is looked at.
async fn exchange(app: &TestApp, number: usize, organization: &str, token: &str) -> Answer {
    let address = [127, 9, (number / 200) as u8, (number % 200) as u8];
    let input = json!({ "organization": organization, "token": token });
    app.ask_from(address, "en", None, EXCHANGE, json!({ "input": input }))
        .await
}

fn is_in(answer: &Answer) -> bool {
    answer.json["data"]["sessionExchange"]["tokens"]["accessToken"].is_string()
}

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn keyed(name: &str, algorithm: hmac::Algorithm, key: &[u8], claims: &Value) -> String {
    let header = json!({ "alg": name, "kid": "k-1", "typ": "JWT" }).to_string();
    let text = format!("{}.{}", part(&header), part(&claims.to_string()));
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

type Forged = Vec<(String, String)>;

/// Wrong algorithms, and signatures of other keys.
fn signatures(key: &Key, other: &Key, claims: &Value, forged: &mut Forged) {
    let mut add = |what: &str, token: String| forged.push((what.to_owned(), token));
    let real = key.token(claims);
    let parts: Vec<_> = real.split('.').collect();
    let head = key.header();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let text = format!("{}.{}", part(&with(&head, "alg", json!(none)).to_string()), parts[1]);
        add("no algorithm, no signature", format!("{text}."));
        add("no algorithm, old signature", format!("{text}.{}", parts[2]));
    }
    let public = key.public();
    let modulus = URL_SAFE_NO_PAD.decode(public["n"].as_str().unwrap()).unwrap();
    let public = public.to_string();
    let hashes = [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ];
    for (name, algorithm) in hashes {
        for secret in [modulus.as_slice(), public.as_bytes(), b"", b"secret", b"orgdesk"] {
            add(
                &format!("{name} with {} bytes that all know", secret.len()),
                keyed(name, algorithm, secret, claims),
            );
        }
    }
    for name in [
        "RS384", "RS512", "PS256", "ES256", "EdDSA", "HS256", "rs256", "RS256 ", "RS1",
    ] {
        add(
            &format!("our signature called {name}"),
            key.forge(&with(&head, "alg", json!(name)), &claims.to_string()),
        );
    }
    add("no alg", key.forge(&without(&head, "alg"), &claims.to_string()));
    add(
        "alg is a list",
        key.forge(&with(&head, "alg", json!(["RS256"])), &claims.to_string()),
    );
    add("another key of this name", other.token(claims));
    add(
        "PSS under the name of PKCS #1",
        Key::new("k-1", Algorithm::Ps256).forge(&head, &claims.to_string()),
    );
    let swapped = part(&with(claims, "sub", json!("u-2")).to_string());
    add(
        "claims swapped under an old signature",
        format!("{}.{swapped}.{}", parts[0], parts[2]),
    );
    for length in [0, 1, 42, 341] {
        add(
            "a cut signature",
            format!("{}.{}.{}", parts[0], parts[1], &parts[2][..length]),
        );
    }
    add(
        "a signature of zeros",
        format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode([0; 256])),
    );
    add("two parts", format!("{}.{}", parts[0], parts[1]));
    add("four parts", format!("{real}.{}", parts[2]));
    add("five parts", format!("{real}.{}.{}", parts[2], parts[1]));
    add("padded", format!("{real}="));
    add("with a space", format!("{real} "));
    for place in (0..real.len()).step_by(61) {
        let mut bytes = real.clone().into_bytes();
        bytes[place] = if bytes[place] == b'Q' { b'g' } else { b'Q' };
        add(&format!("byte {place} changed"), String::from_utf8(bytes).unwrap());
    }
    for text in ["", ".", "..", "...", "x", "\0", "a.b.c", "가.나.다", "null", "{}"] {
        add(&format!("{text:?}"), text.to_owned());
    }
    add(
        "16 KB and a byte",
        format!("{real}{}", "A".repeat(16 * 1024 + 1 - real.len())),
    );
}

/// Headers that try to bring a key, or ask for more than is understood.
fn headers(key: &Key, other: &Key, claims: &Value, provider: &Provider, forged: &mut Forged) {
    let evil = format!("{}/evil", provider.issuer);
    let told = claims.to_string();
    let mut add = |what: &str, token: String| forged.push((what.to_owned(), token));
    for (name, value) in [
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("' UNION SELECT 'k' --")),
        ("kid", json!(evil)),
        ("kid", json!("")),
        ("kid", json!("\0")),
        ("kid", json!("K-1")),
        ("kid", json!(1)),
        ("kid", json!(["k-1"])),
    ] {
        add(
            &format!("kid {value}"),
            key.forge(&with(&key.header(), name, value), &told),
        );
    }
    for (name, value) in [
        ("jku", json!(evil)),
        ("x5u", json!(evil)),
        ("jwk", other.public()),
        ("x5c", json!(["AAAA"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ] {
        add(
            &format!("{name} and its key"),
            other.forge(&with(&other.header(), name, value.clone()), &told),
        );
        add(
            &format!("{name} and our key"),
            key.forge(&with(&key.header(), name, value), &told),
        );
    }
    for typ in [json!("at+jwt"), json!("logout+jwt"), json!("JWE"), json!(""), json!(1)] {
        add(
            &format!("typ {typ}"),
            key.forge(&with(&key.header(), "typ", typ), &told),
        );
    }
}

/// Claims that are absent, of a wrong type, or of somebody and something else.
fn claims(key: &Key, claims: &Value, now: i64, forged: &mut Forged) {
    let mut add = |what: &str, claims: Value| forged.push((what.to_owned(), key.token(&claims)));
    for name in ["iss", "aud", "sub", "iat", "exp"] {
        add(&format!("no {name}"), without(claims, name));
        let own = &claims[name];
        for wrong in [
            json!(null),
            json!(true),
            json!({}),
            json!([]),
            json!(-1.5),
            json!({ "0": own }),
            json!([[own]]),
        ] {
            add(&format!("{name} is {wrong}"), with(claims, name, wrong));
        }
    }
    for name in ["iss", "sub", "exp", "iat"] {
        add(&format!("{name} in a list"), with(claims, name, json!([claims[name]])));
    }
    for name in ["exp", "iat", "nbf", "auth_time"] {
        add(&format!("{name} as text"), with(claims, name, json!(now.to_string())));
        add(&format!("{name} is null"), with(claims, name, json!(null)));
        add(
            &format!("{name} with a fraction"),
            with(claims, name, json!(now as f64 + 0.5)),
        );
    }
    for (name, wrong) in [
        ("exp", json!(now - 5)),
        ("exp", json!(0)),
        ("exp", json!(i64::MIN)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(1e300)),
        ("exp", json!(now + 12 * 3_600 + 1)),
        ("iat", json!(now + 6)),
        ("iat", json!(i64::MIN)),
        ("iat", json!(i64::MAX)),
        ("iat", json!(now - 12 * 3_600)),
        ("nbf", json!(now + 6)),
        ("nbf", json!([now])),
        ("auth_time", json!(now + 6)),
        ("sub", json!("")),
        ("sub", json!("x".repeat(256))),
        ("sub", json!("u\0")),
        ("sub", json!("u\n1")),
        ("sub", json!(1)),
        ("aud", json!("orgdesk ")),
        ("aud", json!("Orgdesk")),
        ("aud", json!("another")),
        ("aud", json!(["another"])),
        ("aud", json!(["orgdesk", "another"])),
        ("aud", json!(["orgdesk", 1])),
        ("azp", json!(1)),
        ("iss", json!(format!("{}/", claims["iss"].as_str().unwrap()))),
        ("iss", json!("https://login.example.com")),
        ("iss", json!(claims["iss"].as_str().unwrap().to_uppercase())),
        ("iss", json!("orgdesk")),
    ] {
        add(&format!("{name} is {wrong:.40}"), with(claims, name, wrong));
    }
    let azp = with(
        &with(claims, "aud", json!(["orgdesk", "another"])),
        "azp",
        json!("another"),
    );
    add("for several, and authorized for another", azp);
    add("16 KB of claims", with(claims, "more", json!("x".repeat(16 * 1024))));
    let mut raw = |what: &str, claims: &str| forged.push((what.to_owned(), key.forge(&key.header(), claims)));
    let text = claims.to_string();
    raw("a subject twice", &text.replacen('{', "{\"sub\":\"u-2\",", 1));
    raw("an expiry twice", &text.replacen('{', "{\"exp\":99999999999,", 1));
    raw("claims in a list", &format!("[{text}]"));
    raw("claims as text", "\"claims\"");
    raw("no claims", "");
    raw(
        "claims a thousand deep",
        &format!("{}{}", "[".repeat(1_000), "]".repeat(1_000)),
    );
    raw("claims and more", &format!("{text} {text}"));
}

both! {
    // case: D9
    async fn a9_a_forged_token_lets_nobody_in_and_is_fetched_from_nowhere(app) {
        let (key, other) = (Key::new("k-1", Algorithm::Rs256), Key::other_rsa("k-1"));
        let provider = Provider::start(&[&key]).await;
        let theirs = Provider::start(&[&other]).await;
        operate::set_identity_provider(&app.app, "acme", provider.setting(Algorithm::Rs256)).await.unwrap();
        prove_addresses(&app).await;
        operate::set_identity_provider(&app.app, "rival", theirs.setting(Algorithm::Rs256)).await.unwrap();
        let good = provider.claims(&app, "u-1", "owner@example.com");
        let now = good["iat"].as_i64().unwrap();
        let mut forged = Vec::new();
        signatures(&key, &other, &good, &mut forged);
        headers(&key, &other, &good, &provider, &mut forged);
        claims(&key, &good, now, &mut forged);
        forged.push(("our own access token".to_owned(), app.owner().token().await));
        forged.push(("a refresh token".to_owned(), format!("rt_{}_{}", "0".repeat(26), "A".repeat(43))));
        forged.push(("another organization's provider".to_owned(), other.token(&theirs.claims(&app, "u-1", "owner@example.com"))));
        forged.push(("its key and our issuer".to_owned(), other.token(&good)));
        let nowhere = exchange(&app, 0, "nowhere", &key.token(&good)).await;

        assert!(forged.len() > 150, "{}", forged.len());
        for (number, (what, token)) in forged.iter().enumerate() {
            let answer = exchange(&app, number + 1, "acme", token).await;
            assert_eq!(codes(&answer.json["data"]["sessionExchange"]), ["TOKEN_REFUSED at input.token"], "{what}: {}", answer.text);
            assert_eq!((answer.status, &answer.json), (nowhere.status, &nowhere.json), "{what}");
        }
        let giant = exchange(&app, 999, "acme", &"A".repeat(1_000_000)).await;

        assert_eq!(giant.status, 413, "{}", giant.text);
        assert!(provider.asked().iter().all(|path| path == "/keys"), "{:?}", provider.asked());
        assert_eq!(provider.asked().len(), 1, "the clock stood still");
        assert_eq!(theirs.asked(), Vec::<String>::new());
        let right = exchange(&app, 1_000, "acme", &key.token(&good)).await;
        assert!(is_in(&right), "what is signed right is let in: {}", right.text);
    }

    // case: D9
    async fn a9_a_token_chooses_no_algorithm(app) {
        let keys = [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa].map(|one| Key::new(one.name(), one));
        let provider = Provider::start(&keys.each_ref()).await;
        let mut number = 0;

        for chosen in &keys {
            operate::set_identity_provider(&app.app, "acme", provider.setting(chosen.algorithm())).await.unwrap();
            prove_addresses(&app).await;
            let others = keys.iter().filter(|key| key.id != chosen.id);
            for key in others.chain([chosen]) {
                number += 1;
                let claims = with(&provider.claims(&app, "u-1", "owner@example.com"), "jti", json!(number));
                let answer = exchange(&app, number, "acme", &key.token(&claims)).await;
                let is_chosen = key.id == chosen.id;
                assert!(number > 3 || provider.asked().is_empty(), "nothing is fetched for another algorithm");
                assert_eq!(is_in(&answer), is_chosen, "{} where {} is chosen: {}", key.id, chosen.id, answer.text);
            }
        }
        assert_eq!(provider.asked(), ["/keys"]);
    }

    // case: D9
    async fn a9_a_signature_that_fits_every_text_fits_none(app) {
        let key = Key::new("k-1", Algorithm::Es256);
        let provider = Provider::start(&[&key]).await;
        operate::set_identity_provider(&app.app, "acme", provider.setting(Algorithm::Es256)).await.unwrap();
        prove_addresses(&app).await;
        let real = key.token(&provider.claims(&app, "u-1", "owner@example.com"));
        let signed = real.rsplit_once('.').unwrap().0;

        for (number, signature) in [[0; 64], [0xff; 64]].iter().enumerate() {
            let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
            assert!(!is_in(&exchange(&app, number, "acme", &token).await));
        }
        assert!(is_in(&exchange(&app, 2, "acme", &real).await));
    }

    async fn a9_what_is_no_key_for_this_is_passed_over(app) {
        let (key, other) = (Key::new("k-1", Algorithm::Rs256), Key::other_rsa("k-2"));
        let secret = URL_SAFE_NO_PAD.encode("a secret that everybody reads in the set of keys");
        let provider = Provider::start(&[]).await;
        provider.say(200, json!({ "keys": [
            null, 1, {}, { "kty": "X" }, { "kty": "oct", "k": secret, "kid": "k-1", "alg": "HS256" },
            { "kty": "oct", "k": secret, "kid": "k-3" }, { "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k-1" },
            with(&other.public(), "use", json!("enc")), with(&other.public(), "alg", json!("RS512")),
            with(&other.public(), "alg", json!("RSA-OAEP")), with(&other.public(), "key_ops", json!(["sign"])),
            with(&other.public(), "kid", json!(5)), key.public(),
        ] }));
        operate::set_identity_provider(&app.app, "acme", provider.setting(Algorithm::Rs256)).await.unwrap();
        prove_addresses(&app).await;
        let claims = provider.claims(&app, "u-1", "owner@example.com");
        let raw = URL_SAFE_NO_PAD.decode(&secret).unwrap();
        let symmetric = keyed("HS256", hmac::HMAC_SHA256, &raw, &claims);

        assert!(!is_in(&exchange(&app, 1, "acme", &other.token(&claims)).await), "a key for something else");
        assert!(!is_in(&exchange(&app, 2, "acme", &symmetric).await), "a secret that is public");
        let unnamed = without(&key.header(), "kid");
        assert!(is_in(&exchange(&app, 3, "acme", &key.forge(&unnamed, &claims.to_string())).await), "the only one need not be named");
        assert_eq!(provider.asked(), ["/keys"]);
    }

    async fn a9_where_there_are_several_keys_a_token_names_its_own(app) {
        let (key, other) = (Key::new("k-1", Algorithm::Rs256), Key::other_rsa("k-2"));
        let provider = Provider::start(&[&key, &other]).await;
        operate::set_identity_provider(&app.app, "acme", provider.setting(Algorithm::Rs256)).await.unwrap();
        prove_addresses(&app).await;
        let claims = provider.claims(&app, "u-1", "owner@example.com").to_string();

        let unnamed = exchange(&app, 1, "acme", &key.forge(&without(&key.header(), "kid"), &claims)).await;
        let misnamed = exchange(&app, 2, "acme", &key.forge(&other.header(), &claims)).await;
        let named = exchange(&app, 3, "acme", &key.forge(&key.header(), &claims)).await;

        assert_eq!((is_in(&unnamed), is_in(&misnamed), is_in(&named)), (false, false, true));
    }

    async fn a9_what_a_right_token_may_look_like(app) {
        let key = Key::new("k-1", Algorithm::EdDsa);
        let provider = Provider::start(&[&key]).await;
        operate::set_identity_provider(&app.app, "acme", provider.setting(Algorithm::EdDsa)).await.unwrap();
        prove_addresses(&app).await;
        let good = provider.claims(&app, "u-1", "owner@example.com");
        let now = good["iat"].as_i64().unwrap();
        let several = with(&with(&good, "aud", json!(["another", "orgdesk"])), "azp", json!("orgdesk"));

        for (number, claims) in [
            with(&with(&good, "iat", json!(now - 300)), "exp", json!(now - 4)), with(&good, "iat", json!(now + 5)),
            with(&good, "nbf", json!(now + 5)), with(&good, "exp", json!(now + 12 * 3_600)), with(&good, "aud", json!(["orgdesk"])),
            several, without(&good, "auth_time"), without(&without(&good, "email"), "email_verified"),
            with(&good, "email_verified", json!("true")), with(&good, "more", json!({ "roles": ["owner"] })),
        ].iter().enumerate() {
            // The first one links the subject.
            let claims = with(claims, "jti", json!(number));
            let answer = exchange(&app, number, "acme", &key.token(&claims)).await;
            assert!(is_in(&answer), "{claims}: {}", answer.text);
        }
        let bare = json!({ "alg": "EdDSA", "kid": "k-1", "x5t": "AAAA", "pi.atm": "x" });
        assert!(is_in(&exchange(&app, 100, "acme", &key.forge(&bare, &good.to_string())).await));
    }
}
