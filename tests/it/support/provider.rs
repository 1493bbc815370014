//! An identity provider on this machine: it serves its keys, notes whatever it is asked for, and signs what a test
//! wants signed, right or wrong.

use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair,
    },
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri, header::LOCATION},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use orgdesk::operate::{self, Algorithm};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::RwLock, task::JoinHandle};

use super::{app::TestApp, raw::Raw};

/// A key of a provider.
pub struct Key {
    /// What it is called.
    pub id: String,
    pair: Pair,
}

enum Pair {
    Rsa(&'static RsaKeyPair, Algorithm),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// Two RSA keys are enough for all tests: making one takes a while.
static RSA: LazyLock<[RsaKeyPair; 2]> =
    LazyLock::new(|| [0, 1].map(|_| RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));

impl Key {
    /// A new key; of RSA the first.
    pub fn new(id: &str, algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => Pair::Rsa(&RSA[0], algorithm),
            Algorithm::Es256 => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            Algorithm::EdDsa => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
        };
        Self {
            id: id.to_owned(),
            pair,
        }
    }

    /// The second RSA key.
    pub fn other_rsa(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            pair: Pair::Rsa(&RSA[1], Algorithm::Rs256),
        }
    }

    /// The name of its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match &self.pair {
            Pair::Rsa(_, algorithm) => *algorithm,
            Pair::Ec(_) => Algorithm::Es256,
            Pair::Ed(_) => Algorithm::EdDsa,
        }
    }

    /// The public half as a JWK.
    pub fn public(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match &self.pair {
            Pair::Rsa(pair, _) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                json!({ "kty": "RSA", "n": text(n.big_endian_without_leading_zero()), "e": text(e.big_endian_without_leading_zero()) })
            }
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Pair::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }),
        };
        key["kid"] = json!(self.id);
        key["alg"] = json!(self.algorithm().name());
        key["use"] = json!("sig");
        key
    }

    /// The signature of a text.
    pub fn sign(&self, text: &str) -> Vec<u8> {
        let text = text.as_bytes();
        match &self.pair {
            Pair::Rsa(pair, algorithm) => {
                let padding = if *algorithm == Algorithm::Ps256 {
                    &RSA_PSS_SHA256
                } else {
                    &RSA_PKCS1_SHA256
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), text, &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(text).as_ref().to_vec(),
        }
    }

    /// The signature of a text, as tokens have it.
    pub fn signature(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.sign(text))
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        json!({ "alg": self.algorithm().name(), "kid": self.id, "typ": "JWT" })
    }

    /// A token.
    pub fn token(&self, claims: &Value) -> String {
        self.forge(&self.header(), &claims.to_string())
    }

    /// A token with any header and any claims, signed by this key.
    pub fn forge(&self, header: &Value, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let text = format!("{}.{}", part(&header.to_string()), part(claims));
        format!("{text}.{}", self.signature(&text))
    }
}

/// Everybody who is there has come by a link that lay in his mailbox.
pub async fn prove_addresses(app: &TestApp) {
    let sql = "UPDATE member SET email_proved_at = joined_at";
    Raw::admin(app).await.must(sql).await;
}

/// A running provider.
pub struct Provider {
    /// What it says of itself, and where it is.
    pub issuer: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    asked: Mutex<Vec<String>>,
    says: Mutex<(StatusCode, Value)>,
    gate: RwLock<()>,
}

impl Provider {
    /// A provider with these keys.
    pub async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            asked: Mutex::default(),
            says: Mutex::new((StatusCode::OK, json!({}))),
            gate: RwLock::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let provider = Self { issuer, shared, server };
        provider.publish(keys);
        provider
    }

    /// Has these keys from now on.
    pub fn publish(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        self.say(200, json!({ "keys": keys }));
    }

    /// Says this from now on, whatever it is asked for.
    pub fn say(&self, status: u16, body: Value) {
        *self.shared.says.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), body);
    }

    /// What it was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Where its keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/keys", self.issuer)
    }

    /// Whoever asks is not answered as long as this is held.
    pub async fn hold(&self) -> tokio::sync::RwLockWriteGuard<'_, ()> {
        self.shared.gate.write().await
    }

    /// What an operator says of it.
    pub fn setting(&self, algorithm: Algorithm) -> operate::Provider {
        operate::Provider {
            name: "Company accounts".to_owned(),
            issuer: self.issuer.clone(),
            client_id: "orgdesk".to_owned(),
            jwks_url: Some(self.jwks_url()),
            algorithm,
            links_by_email: true,
            is_enabled: true,
        }
    }

    /// What a token says of somebody who signed in just now.
    pub fn claims(&self, app: &TestApp, subject: &str, email: &str) -> Value {
        let now = app.app.clock.now().0.timestamp();
        json!({ "iss": self.issuer, "aud": "orgdesk", "sub": subject, "iat": now, "exp": now + 300, "auth_time": now,
            "email": email, "email_verified": true, "nonce": "n-1" })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    shared.asked.lock().unwrap().push(uri.to_string());
    let _open = shared.gate.read().await;
    let (status, body) = shared.says.lock().unwrap().clone();
    if status.is_redirection() {
        return (status, [(LOCATION, "/elsewhere")]).into_response();
    }
    (status, axum::Json(body)).into_response()
}
