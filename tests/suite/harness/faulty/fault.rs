//! Everything that can be wrong, one at a time. Each line says who was hurt by it, or would be, with the id of the
//! report or the section of the rule among the facts about assistants.

/// Writes the enum and both of its lists from one table, so that no fault can be left out of a list.
macro_rules! faults {
    ($($(#[$doc:meta])+ $fault:ident => $check:literal,)+) => {
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
        }
    };
}

faults! {
    /// The server writes its issuer with a slash at the end, and the resource names it without. Hurt strict clients of
    /// four servers (A1): they compare every byte.
    IssuerWithSlash => "discovery.issuer",
    /// The server writes the name it has inside the house, such as behind a proxy. Hurt whoever compares (A1, 4.1).
    IssuerOther => "discovery.issuer",
    /// The metadata does not say S256. Hurt every owner whose server was then "unsupported" (4.1, hard refusals).
    NoS256 => "metadata.pkce",
    /// There is no metadata. Hurt those whose clients found nothing, or guessed addresses (A2, A3).
    NoMetadata => "discovery.server_metadata",
    /// The metadata is good and called HTML. Hurt clients that read by content type; the conformance tool refuses it
    /// too (4.2).
    MetadataAsHtml => "discovery.content_type",
    /// The metadata stands behind a redirect. Hurts clients that follow none: the document is to be answered with 200,
    /// and the conformance tool says so too (4.2).
    MetadataRedirects => "discovery.redirects",
    /// The issuer has a path, and the document does not stand where the RFC inserts it. Hurt connectors of two servers
    /// under a path (A2). The server is then under a path.
    NotAtInsertedPath => "discovery.every_form",
    /// OpenID is advertised and there is neither an ID token nor user info. Hurt who linked an account: the first link
    /// died of a missing profile id (D5, 4.1).
    HalfOpenId => "discovery.openid",
    /// The metadata leaves out `none`. Hurt clients that take a document only where it is listed (B4).
    NoNone => "metadata.auth_methods",
    /// The metadata leaves out the response types, which RFC 8414 requires. Hurt typed readers, and the conformance
    /// tool refuses it (4.2).
    NoResponseTypes => "metadata.response_types",
    /// `iss` is promised and never comes. Hurt everybody: the answer is rejected (4.1, what RFC 9207 means).
    IssMissing => "authorize.iss",
    /// `iss` is promised and comes with codes alone. Hurts people who said no: the answer is rejected, and they get a
    /// vague error (4.1, A4).
    IssMissingOnErrors => "authorize.iss",
    /// `iss` is another than the metadata's. Hurt everybody: it is what a mix-up attack looks like (4.1).
    IssOther => "authorize.iss",
    /// The browser is sent to a twin of the redirect URI's host. Hurts people whose client, known under two hosts,
    /// waits on the other one (C6).
    RedirectHostAltered => "authorize.redirect",
    /// `state` comes back cut, as if a column were too short. A wrong one fails the sign-in (section 2), and looks to
    /// people like the assistant's own lost state (C2).
    StateAltered => "authorize.state",
    /// A refusal stays on a page of the server, though there is a good redirect URI. Hurt people who then were told
    /// nothing but that something went wrong (A4).
    ErrorNotRedirected => "authorize.error",
    /// Token requests in JSON are refused. Hurt every plugin whose manifest says `application/json` (section 1).
    JsonRefused => "token.json",
    /// Token requests as forms are refused. Hurts everybody who reads RFC 6749, actions and connectors alike (section
    /// 3).
    FormRefused => "token.form",
    /// The token endpoint says no with a page. Hurt owners who were left with "Something went wrong" (A4).
    TokenErrorIsHtml => "token.errors",
    /// The token endpoint says no with 200. Hurt clients that look for the token in it (A4, B8).
    TokenErrorIs200 => "token.errors",
    /// No refresh token comes. Hurt people after the first hour: "User is missing credentials" (D1).
    NoRefreshToken => "token.refresh_token",
    /// No `expires_in` comes. Hurt clients that cannot tell when to refresh (section 3, section 8 number 10).
    NoExpiresIn => "token.expires_in",
    /// No `token_type` comes, which RFC 6749 requires. Hurt typed readers, and the conformance tool refuses it (4.2).
    TokenTypeMissing => "token.type",
    /// Tokens come without `no-store`. Hurt whoever has a cache between, and the conformance tool refuses it (4.2).
    TokenCacheable => "token.cache",
    /// The token is for somebody else's API. Hurt owners whose API refused the token their own server gave (D4, D5).
    WrongAudience => "audience.token",
    /// The token is born expired. Hurt people who were signed out at once (D5).
    TokenExpired => "token.expiry",
    /// The metadata names keys that are not there. Hurt APIs that check signatures, which is all they should (D5).
    KeysGone => "keys.fetch",
    /// Tokens are signed with another key than the one published under that name. Hurt the same APIs (D5).
    SignedByAnotherKey => "token.signature",
    /// Programs get a bot filter's page. Hurt owners behind one: the assistant's probes got 403 (A3, 4.1 user agents).
    RefusedByUserAgent => "reach.bot_filter",
    /// Pages elsewhere may not read the documents. Hurt clients that run in a browser (section 1, CORS; section 7).
    NoCors => "discovery.cors",
    /// A refresh token is dead once it was used, and so is the whole connection when it comes again. Hurt people whose
    /// answer got lost (D3). Refreshes side by side die of it too.
    LostAnswerKills => "refresh.lost_answer",
    /// Two refreshes with one token at the same time end the connection; one after the other does not. Hurt clients
    /// with several workers, after about an hour (D3).
    ParallelRefreshKills => "refresh.parallel",
    /// No refresh token is taken back. Hurt people monthly, as when clients were deleted under them (B7, D1).
    RefreshRefused => "refresh.works",
    /// The server's clock is an hour behind. Hurts whoever judges its tokens, or signs assertions for it, by a right
    /// one; nobody among the reports, where such a clock would hardly have been noticed.
    ClockWrong => "reach.clock",
    /// The API says 401 without a challenge. Hurt clients that begin there (4.1, linking; 4.2, the API's duties).
    NoChallenge => "discovery.challenge",
    /// The API's document speaks of another resource. Hurt clients that hold it against what was typed (D4).
    ResourceOther => "discovery.resource_metadata",
    /// The manifest's description for people is longer than allowed. Hurts plugins: it is not taken (section 1).
    ManifestTooLong => "manifest.rules",
    /// The manifest's legal page belongs to another domain. Hurts plugins on a host that is not their owner's (section
    /// 1, C5).
    ManifestForeignDomain => "manifest.domains",
    /// The manifest still has the sample's verification token. Hurts owners at "Verify tokens" (section 2, step 4).
    ManifestPlaceholderToken => "manifest.verification_token",
    /// Registration refuses members it does not know. Hurt clients that must say `application_type` (4.2, B5).
    RegistrationRefusesUnknown => "registration.works",
    /// Registration keeps the first redirect URI alone. Hurt clients that register several at once (B5, B6, section 5).
    RegistrationDropsCallbacks => "registration.redirect_uris",
    /// The API refuses the tokens that were just issued for it. Hurt owners who could not see why (D5).
    ApiRefusesToken => "api.accepts",
}
