//! An issuer just real enough for the unit tests of its two neighbours: it signs, publishes, introspects, exchanges and revokes.
//! The journeys against the real server live in `tests/suite`.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

pub(super) const AUDIENCE: &str = "http://localhost:8081";
pub(super) const SERVICE: (&str, &str) = ("svc todo", "s:3cret/+");
pub(super) const CLIENT: (&str, &str) = ("client-1", "csec_0123456789abcdefghijklmnop");

/// The instant at which the tests take place.
pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(super) struct FakeIssuer {
    pub(super) url: String,
    pub(super) inside: Arc<Inside>,
}

pub(super) struct Inside {
    key: EncodingKey,
    url: String,
    jwks: Value,
    pub(super) manifest_content_type: &'static str,
    pub(super) revoked: AtomicBool,
    pub(super) down: AtomicBool,
    pub(super) jwks_fetches: AtomicUsize,
    /// Content type and body of every request to `/token` and `/revoke`.
    pub(super) posts: Mutex<Vec<(String, String, String)>>,
}

impl FakeIssuer {
    /// Starts on a free port of loopback.
    pub(super) fn start() -> Self {
        Self::start_with("application/json")
    }

    pub(super) fn start_with(manifest_content_type: &'static str) -> Self {
        let (listener, url) = free_port();
        let inside = Arc::new(Inside::new(url.clone(), manifest_content_type));
        let data = web::Data::from(Arc::clone(&inside));
        serve(listener, move |cfg| {
            cfg.app_data(data.clone()).default_service(web::to(answer));
        });
        Self { url, inside }
    }

    /// A token as the real issuer would make it, with `changes` laid over its claims.
    pub(super) fn token(&self, changes: &Value) -> String {
        self.inside.token(changes)
    }

    pub(super) fn token_with_header(&self, header: &Header, changes: &Value) -> String {
        self.inside.token_with_header(header, changes)
    }

    pub(super) fn posts(&self) -> Vec<(String, String, String)> {
        self.inside.posts.lock().unwrap().clone()
    }
}

pub(super) fn header() -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("k1".to_owned());
    header
}

/// A listener on a free port of loopback, and the origin it answers under.
pub(super) fn free_port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    (listener, url)
}

/// Serves an app on its own thread, which ends with the test process.
pub(super) fn serve(listener: TcpListener, configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) {
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            HttpServer::new(move || App::new().configure(configure.clone()))
                .workers(1)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run()
                .await
                .unwrap();
        });
    });
}

impl Inside {
    fn new(url: String, manifest_content_type: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pkcs8 = pair.to_pkcs8v1().unwrap();
        let key = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some("k1".to_owned());
        Self {
            key,
            url,
            jwks: json!({ "keys": [jwk] }),
            manifest_content_type,
            revoked: AtomicBool::new(false),
            down: AtomicBool::new(false),
            jwks_fetches: AtomicUsize::new(0),
            posts: Mutex::default(),
        }
    }

    fn token(&self, changes: &Value) -> String {
        self.token_with_header(&header(), changes)
    }

    fn token_with_header(&self, header: &Header, changes: &Value) -> String {
        let mut claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "ada", "client_id": CLIENT.0, "jti": "j",
            "iat": now().timestamp(), "exp": now().timestamp() + 900, "scope": "todo.read todo.write",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        jsonwebtoken::encode(header, &claims, &self.key).unwrap()
    }

    fn manifest(&self) -> Value {
        let mut manifest: Value = serde_json::from_str(include_str!("../../.well-known/ai-plugin.json")).unwrap();
        manifest["auth"]["client_url"] = format!("{}/authorize", self.url).into();
        manifest["auth"]["authorization_url"] = format!("{}/token", self.url).into();
        manifest["auth"]["authorization_content_type"] = self.manifest_content_type.into();
        manifest
    }

    fn exchange(&self, body: &str) -> HttpResponse {
        let refused = body.contains("spent-code") || self.revoked.load(Ordering::SeqCst);
        if refused {
            return HttpResponse::BadRequest().json(json!({
                "error": "invalid_grant", "error_description": "The code or token no longer stands.",
            }));
        }
        let round = self.posts.lock().unwrap().len();
        HttpResponse::Ok().json(json!({
            "access_token": self.token(&json!({ "jti": format!("j{round}") })),
            "token_type": "bearer",
            "expires_in": 900,
            "refresh_token": format!("crt_{round}_0123456789abcdefghijklmnopqrstuvwxyz"),
            "scope": "todo.read todo.write",
        }))
    }
}

async fn answer(request: HttpRequest, body: String, inside: web::Data<Inside>) -> HttpResponse {
    if inside.down.load(Ordering::SeqCst) {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let text = |name: &str| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    if matches!(request.path(), "/token" | "/revoke") {
        let post = (request.path().to_owned(), text("content-type"), body.clone());
        inside.posts.lock().unwrap().push(post);
    }
    match request.path() {
        "/.well-known/ai-plugin.json" => HttpResponse::Ok().json(inside.manifest()),
        "/.well-known/oauth-authorization-server" => HttpResponse::Ok().json(json!({
            "issuer": inside.url,
            "revocation_endpoint": format!("{}/revoke", inside.url),
            "authorization_response_iss_parameter_supported": true,
        })),
        "/.well-known/jwks.json" => {
            inside.jwks_fetches.fetch_add(1, Ordering::SeqCst);
            HttpResponse::Ok().json(&inside.jwks)
        }
        // base64 of `svc+todo:s%3A3cret%2F%2B`, the pair above as RFC 6749 §2.3.1 encodes it.
        "/introspect" if text("authorization") == "Basic c3ZjK3RvZG86cyUzQTNjcmV0JTJGJTJC" => {
            let active = !inside.revoked.load(Ordering::SeqCst) && body.contains("token=ey");
            HttpResponse::Ok().json(json!({ "active": active }))
        }
        "/introspect" => HttpResponse::Unauthorized().finish(),
        "/token" => inside.exchange(&body),
        "/revoke" => {
            inside.revoked.store(true, Ordering::SeqCst);
            HttpResponse::Ok().finish()
        }
        _ => HttpResponse::NotFound().finish(),
    }
}
