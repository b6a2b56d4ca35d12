//! Everything that can be wrong, one at a time. Each line says who was hurt by it, or would be, with the id of the
//! report or the section of the rule among the facts about assistants.

use super::Standing::{self, Unseen, Warning, Wrong};

/// Writes the enum and what belongs to each from one table, so that no fault can be left out of anything.
macro_rules! faults {
    ($($(#[$doc:meta])+ $fault:ident => $check:literal [$connector:ident, $plugin:ident] $cure:literal,)+) => {
        /// One thing that is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault { $($(#[$doc])+ $fault,)+ }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$fault,)+];

            /// The check that must find it.
            pub fn check(self) -> &'static str {
                match self { $(Self::$fault => $check,)+ }
            }

            /// How it must stand for a connector, and for a plugin.
            pub fn standing(self) -> [Standing; 2] {
                match self { $(Self::$fault => [$connector, $plugin],)+ }
            }

            /// What its owner has to do, in words that the cure must have.
            pub fn cure(self) -> &'static str {
                match self { $(Self::$fault => $cure,)+ }
            }
        }
    };
}

/// What a fault cannot but bring with it, and why. Nothing else may be found beside it.
pub const FOLLOWING: &[(Fault, &str, &str)] = &[
    (
        Fault::LostAnswerKills,
        "refresh.parallel",
        "who ends a connection for a token that comes twice ends it just as well for two that come at once",
    ),
    (Fault::NoCors, "metadata.cors", "who lets pages elsewhere read nothing lets them ask for no tokens either"),
];

faults! {
    /// The server writes its issuer with a slash at the end, and the resource names it without. Hurt strict clients of
    /// four servers (A1): they compare every byte.
    IssuerWithSlash => "discovery.issuer" [Wrong, Warning] "without a slash at the end, http://127.0.0.1",
    /// The server writes the name it has inside the house, such as behind a proxy. Hurt whoever compares (A1, 4.1).
    IssuerOther => "discovery.issuer" [Wrong, Warning] "Set the server's public address to http://127.0.0.1",
    /// The metadata does not say S256. Hurt every owner whose server was then "unsupported" (4.1, hard refusals).
    NoS256 => "metadata.pkce" [Wrong, Warning] "\"code_challenge_methods_supported\": [\"S256\"]",
    /// There is no metadata. Hurt those whose clients found nothing, or guessed addresses (A2, A3).
    NoMetadata => "discovery.server_metadata" [Wrong, Unseen] "/.well-known/oauth-authorization-server.",
    /// The metadata names no token endpoint. Hurts everybody: there is nowhere to go with a code (4.2).
    NoTokenEndpoint => "metadata.endpoints" [Wrong, Warning] "Name token_endpoint in full",
    /// The metadata does not say how long it may be kept. Hurts nobody at once; some keep it for a day, some ask at each
    /// call (4.2, the tool's checks).
    MetadataWithoutCache => "discovery.cache" [Warning, Warning] "Send Cache-Control: max-age=300",
    /// The metadata is good and called HTML. Hurt clients that read by content type; the conformance tool refuses it
    /// too (4.2).
    MetadataAsHtml => "discovery.content_type" [Wrong, Warning] "Content-Type: application/json",
    /// The metadata stands behind a redirect. Hurts clients that follow none: the document is to be answered with 200,
    /// and the conformance tool says so too (4.2).
    MetadataRedirects => "discovery.redirects" [Wrong, Warning] "Answer 200 with the document itself",
    /// The issuer has a path, and the document does not stand where the RFC inserts it. Hurt connectors of two servers
    /// under a path (A2). The server is then under a path.
    NotAtInsertedPath => "discovery.every_form" [Wrong, Warning] "/.well-known/oauth-authorization-server/auth too",
    /// OpenID is advertised and there is neither an ID token nor user info. Hurt who linked an account: the first link
    /// died of a missing profile id (D5, 4.1).
    HalfOpenId => "discovery.openid" [Wrong, Warning] "take away openid-configuration and the scopes openid",
    /// The metadata leaves out `none`. Hurt clients that take a document only where it is listed (B4).
    NoNone => "metadata.auth_methods" [Warning, Unseen] "List \"none\"",
    /// The metadata leaves out the response types, which RFC 8414 requires. Hurt typed readers, and the conformance
    /// tool refuses it (4.2).
    NoResponseTypes => "metadata.response_types" [Wrong, Warning] "\"response_types_supported\": [\"code\"]",
    /// A request without scopes is refused. Hurt people who connected again (C1), and plugins whose scope is empty (C4).
    ScopeRequired => "authorize.scope" [Wrong, Wrong] "for the client's default scopes",
    /// A client that was typed in has to use PKCE. Hurt actions, which send no challenge (C4).
    PkceForced => "authorize.code" [Unseen, Wrong] "let this one client do without PKCE",
    /// The resource that the API names is unknown to the server. Hurt connectors: `invalid_target` (D4).
    ResourceUnknown => "authorize.code" [Wrong, Unseen] "as a resource that tokens are given for",
    /// `iss` is promised and never comes. Hurt everybody: the answer is rejected (4.1, what RFC 9207 means).
    IssMissing => "authorize.iss" [Wrong, Warning] "with every code and every error",
    /// `iss` is promised and comes with codes alone. Hurts people who said no: the answer is rejected, and they get a
    /// vague error (4.1, A4).
    IssMissingOnErrors => "authorize.iss" [Wrong, Warning] "with errors too",
    /// `iss` is another than the metadata's. Hurt everybody: it is what a mix-up attack looks like (4.1).
    IssOther => "authorize.iss" [Wrong, Warning] "the very issuer of the metadata",
    /// The browser is sent to a twin of the redirect URI's host. Hurts people whose client, known under two hosts,
    /// waits on the other one (C6).
    RedirectHostAltered => "authorize.redirect" [Wrong, Wrong] "the redirect URI of the request byte for byte",
    /// `state` comes back cut, as if a column were too short. A wrong one fails the sign-in (section 2), and looks to
    /// people like the assistant's own lost state (C2).
    StateAltered => "authorize.state" [Wrong, Wrong] "Give state back byte for byte",
    /// A refusal stays on a page of the server, though there is a good redirect URI. Hurt people who then were told
    /// nothing but that something went wrong (A4).
    ErrorNotRedirected => "authorize.error" [Wrong, Wrong] "Send the browser to the redirect URI with error",
    /// Token requests in JSON are refused. Hurt every plugin whose manifest says `application/json` (section 1).
    JsonRefused => "token.json" [Unseen, Wrong] "Take token requests as application/json",
    /// Token requests as forms are refused. Hurts everybody who reads RFC 6749, actions and connectors alike (section
    /// 3).
    FormRefused => "token.form" [Wrong, Warning] "Take token requests as application/x-www-form-urlencoded",
    /// The token endpoint says no with a page. Hurt owners who were left with "Something went wrong" (A4).
    TokenErrorIsHtml => "token.errors" [Wrong, Wrong] "never with a page",
    /// The token endpoint says no with 200. Hurt clients that look for the token in it (A4, B8).
    TokenErrorIs200 => "token.errors" [Wrong, Wrong] "Answer 400, or 401 to an unknown client",
    /// No refresh token comes. Hurt people after the first hour: "User is missing credentials" (D1).
    NoRefreshToken => "token.refresh_token" [Wrong, Wrong] "Give a refresh token to every client",
    /// No `expires_in` comes. Hurt clients that cannot tell when to refresh (section 3, section 8 number 10).
    NoExpiresIn => "token.expires_in" [Wrong, Wrong] "Answer expires_in as a number of seconds",
    /// No `token_type` comes, which RFC 6749 requires. Hurt typed readers, and the conformance tool refuses it (4.2).
    TokenTypeMissing => "token.type" [Wrong, Wrong] "\"token_type\": \"Bearer\"",
    /// Tokens come without `no-store`. Hurt whoever has a cache between, and the conformance tool refuses it (4.2).
    TokenCacheable => "token.cache" [Wrong, Wrong] "Cache-Control: no-store",
    /// A code gives tokens to whoever has it, with any verifier. Hurts whose code was stolen (section 7, PKCE).
    VerifierIgnored => "token.pkce" [Wrong, Unseen] "Compare the SHA-256 of code_verifier with the code_challenge",
    /// A code gives tokens to whoever leaves the verifier out, as if none had been asked for. Hurts the same people
    /// (section 7, PKCE).
    VerifierOptional => "token.pkce" [Wrong, Unseen] "and give nothing where it is missing",
    /// A code gives tokens whatever redirect URI is said. Hurts whose code was lured elsewhere (section 7, codes).
    RedirectUriIgnored => "token.redirect_uri" [Unseen, Wrong] "Compare redirect_uri with that of the authorization",
    /// A code gives tokens as often as it comes. Hurts whose code was read in a log (section 7, codes).
    CodeReusable => "token.code_once" [Wrong, Wrong] "Take each code once",
    /// The token names another issuer than the metadata, such as the one inside the house. Hurt owners whose API
    /// compares it (A1, D5).
    TokenIssuerOther => "token.issuer" [Wrong, Wrong] "into iss of tokens",
    /// The token ends long before `expires_in` says. Hurts callers that refresh by it: too late (section 3).
    ExpiresInTooLong => "token.expiry" [Wrong, Wrong] "Say in expires_in what the token's exp says",
    /// The token is for somebody else's API. Hurt owners whose API refused the token their own server gave (D4, D5).
    WrongAudience => "audience.token" [Wrong, Unseen] "the resource of the request, into aud",
    /// The token is born expired. Hurt people who were signed out at once (D5).
    TokenExpired => "token.expiry" [Wrong, Wrong] "Correct how exp is reckoned",
    /// The metadata names keys that are not there. Hurt APIs that check signatures, which is all they should (D5).
    KeysGone => "keys.fetch" [Wrong, Wrong] "Serve the public signing keys at http://127.0.0.1",
    /// Tokens are signed with another key than the one published under that name. Hurt the same APIs (D5).
    SignedByAnotherKey => "token.signature" [Wrong, Wrong] "the very key that signs under that kid",
    /// The key that signs is no longer published, as when it was taken away too early. Hurt the same APIs (D5).
    SigningKeyRetired => "token.signature" [Wrong, Wrong] "keep it published until the last token",
    /// Two keys are published, and the token does not say which is meant. Hurts APIs that do not try them all (D5).
    KidMissing => "token.signature" [Warning, Warning] "Write the kid of the signing key into the token's header",
    /// Programs get a bot filter's page at the API alone. Hurt owners whose people signed in and then saw nothing
    /// (anthropics/claude-ai-mcp 680 and 1061).
    ApiRefusedByUserAgent => "reach.bot_filter" [Wrong, Unseen] "\"Python/3.12 aiohttp/3.13.5\", \"openai-mcp/",
    /// Whoever sends no user agent gets that page. Hurt owners behind such a rule (anthropics/claude-code 47390).
    RefusedWithoutUserAgent => "reach.bot_filter" [Wrong, Wrong] "registration endpoints: none at all.",
    /// Programs get a bot filter's page. Hurt owners behind one: the assistant's probes got 403 (A3, 4.1 user agents).
    RefusedByUserAgent => "reach.bot_filter" [Wrong, Wrong] "\"Python/3.12 aiohttp/3.13.5\", \"openai-mcp/",
    /// Pages elsewhere may not read the documents. Hurt clients that run in a browser (section 1, CORS; section 7).
    NoCors => "discovery.cors" [Warning, Warning] "Access-Control-Allow-Origin: *",
    /// A refresh token is dead once it was used, and so is the whole connection when it comes again. Hurt people whose
    /// answer got lost (D3). Refreshes side by side die of it too.
    LostAnswerKills => "refresh.lost_answer" [Wrong, Wrong] "lead to its successor again",
    /// Two refreshes with one token at the same time end the connection; one after the other does not. Hurt clients
    /// with several workers, after about an hour (D3).
    ParallelRefreshKills => "refresh.parallel" [Wrong, Wrong] "the same successor",
    /// No refresh token is taken back. Hurt people monthly, as when clients were deleted under them (B7, D1).
    RefreshRefused => "refresh.works" [Wrong, Wrong] "for as long as its connection is in use",
    /// The server's clock is an hour behind. Hurts whoever judges its tokens, or signs assertions for it, by a right
    /// one; nobody among the reports, where such a clock would hardly have been noticed.
    ClockWrong => "reach.clock" [Wrong, Wrong] "by a time server",
    /// The API says 401 without a challenge. Hurt clients that begin there (4.1, linking; 4.2, the API's duties).
    NoChallenge => "discovery.challenge" [Wrong, Unseen] "WWW-Authenticate: Bearer resource_metadata=\"http://127.0.0.1",
    /// The challenge names a document that is not there. Hurts clients that believe it, though another is (A2).
    ChallengeLeadsNowhere => "discovery.challenge" [Wrong, Unseen] "/.well-known/oauth-protected-resource/mcp\"",
    /// The API has no document. Hurts everybody who begins there: nobody can tell whose tokens it takes (4.1).
    NoResourceMetadata => "discovery.resource_metadata" [Wrong, Unseen] "Serve protected resource metadata",
    /// The API's document speaks of another resource. Hurt clients that hold it against what was typed (D4).
    ResourceOther => "discovery.resource_metadata" [Wrong, Unseen] "/mcp\" there, byte for byte",
    /// The manifest's description for people is longer than allowed. Hurts plugins: it is not taken (section 1).
    ManifestTooLong => "manifest.rules" [Unseen, Wrong] "Correct each member that is named in ai-plugin.json",
    /// The manifest's legal page belongs to another domain. Hurts plugins on a host that is not their owner's (section
    /// 1, C5).
    ManifestForeignDomain => "manifest.domains" [Unseen, Wrong] "Move what is named to the domain of 127.0.0.1",
    /// The manifest still has the sample's verification token. Hurts owners at "Verify tokens" (section 2, step 4).
    ManifestPlaceholderToken => "manifest.verification_token" [Unseen, Wrong] "the token the store shows",
    /// The description of the API is not where the manifest says. Hurts plugins: there is nothing to call (section 1).
    DescriptionGone => "manifest.description" [Unseen, Wrong] "Serve the OpenAPI document at http",
    /// The proof of the domain is a page, as is everything. Hurts owners who hand their app in (4.1, domain proof).
    ChallengeFileIsPage => "challenge.file" [Warning, Unseen] "the token alone as text/plain",
    /// Registration knows the callbacks of one vendor alone. Hurt the clients of all others (B5).
    RegistrationKnowsOneVendor => "registration.works" [Wrong, Unseen] "Allow these callbacks to be registered: https",
    /// A client that registers is gone after a month. Hurt people monthly (B7).
    ClientExpires => "registration.lifetime" [Wrong, Unseen] "Answer client_secret_expires_at: 0",
    /// Registration refuses members it does not know. Hurt clients that must say `application_type` (4.2, B5).
    RegistrationRefusesUnknown => "registration.works" [Wrong, Unseen] "pass over members that are not known",
    /// Registration keeps the first redirect URI alone. Hurt clients that register several at once (B5, B6, section 5).
    RegistrationDropsCallbacks => "registration.redirect_uris" [Wrong, Unseen] "Keep every redirect URI",
    /// The API refuses the tokens that were just issued for it. Hurt owners who could not see why (D5).
    ApiRefusesToken => "api.accepts" [Wrong, Wrong] "check issuer, signature and audience",
    /// The API takes any token at all. Hurts whoever's data it is, and callers, which never learn when to refresh (4.1,
    /// tokens).
    ApiTakesAnyToken => "api.refuses" [Wrong, Wrong] "401 to a token that is not good",
}
