//! The broken servers themselves: without a fault they pass a whole walk, and with one the wire shows that fault and no
//! other. Whoever looks here (`looking`) is no part of the project's own doctor: it is what the doctor is held against.

mod looking;
mod visitor;
mod walk;

use std::collections::BTreeSet;

use crate::harness::faulty::{FOLLOWING, Fault, Faulty};

use looking::findings;

/// What must be read on the wire of each, beside the name of the check.
fn evidence(fault: Fault) -> &'static str {
    match fault {
        Fault::IssuerWithSlash => "/ is not ",
        Fault::IssuerOther => "http://auth.internal:8080 is not ",
        Fault::NoS256 => "code_challenge_methods_supported: null",
        Fault::NoMetadata => "404 everywhere",
        Fault::MetadataAsHtml | Fault::ChallengeFileIsPage => "text/html",
        Fault::MetadataRedirects => "302 to /moved/metadata.json",
        Fault::NotAtInsertedPath => "404 where it is inserted",
        Fault::HalfOpenId => "no id_token",
        Fault::NoNone => r#"["client_secret_post","client_secret_basic"]"#,
        Fault::NoResponseTypes => "response_types_supported: null",
        Fault::IssMissing => "with a code: None",
        Fault::IssMissingOnErrors => "with an error: None",
        Fault::IssOther => "https://login.example.net",
        Fault::RedirectHostAltered => "http://localhost:8123/callback",
        Fault::StateAltered => "a%2Fb_c-d e+ came back",
        Fault::ErrorNotRedirected => "400 and no redirect",
        Fault::JsonRefused => "The body is not a form.",
        Fault::FormRefused => "The body is not JSON.",
        Fault::TokenErrorIsHtml => "400 text/html",
        Fault::TokenErrorIs200 => "200 application/json",
        Fault::NoRefreshToken => "refresh_token: null",
        Fault::NoExpiresIn => "expires_in: null",
        Fault::TokenTypeMissing => "token_type: null",
        Fault::TokenCacheable | Fault::MetadataWithoutCache => "cache-control: None",
        Fault::WrongAudience => "https://api.example.net",
        Fault::TokenExpired => "expired 10 minutes ago",
        Fault::KeysGone | Fault::DescriptionGone => "404",
        Fault::SignedByAnotherKey => "InvalidSignature",
        Fault::RefusedByUserAgent => "403 to an assistant",
        Fault::NoCors => "access-control-allow-origin: None",
        Fault::LostAnswerKills => "the second time: 400",
        Fault::ParallelRefreshKills => "side by side: [200, 400]",
        Fault::RefreshRefused => "400 invalid_grant",
        Fault::ClockWrong => "60 minutes off",
        Fault::NoTokenEndpoint => "token_endpoint: null",
        Fault::ScopeRequired => "invalid_scope",
        Fault::PkceForced => "invalid_request",
        Fault::ResourceUnknown => "invalid_target",
        Fault::VerifierIgnored | Fault::VerifierOptional | Fault::RedirectUriIgnored | Fault::CodeReusable => "200",
        Fault::TokenIssuerOther => "http://auth.internal:8080",
        Fault::ExpiresInTooLong => "not 86400 seconds",
        Fault::SigningKeyRetired => "no key k1",
        Fault::KidMissing => "no kid",
        Fault::ApiRefusedByUserAgent => "403 of the API to an assistant",
        Fault::RefusedWithoutUserAgent => "403 to nobody",
        Fault::ChallengeLeadsNowhere => "/.well-known/oauth-protected-resource/nowhere",
        Fault::NoResourceMetadata => "404  is not ",
        Fault::RegistrationKnowsOneVendor => "This callback is not on the list.",
        Fault::ClientExpires => "client_secret_expires_at: 1",
        Fault::ApiTakesAnyToken => "200 to a token that is made up",
        Fault::NoChallenge => "401 with None",
        Fault::ResourceOther => "/other is not ",
        Fault::ManifestTooLong => "description_for_human has 169 characters",
        Fault::ManifestForeignDomain => "legal.example.net",
        Fault::ManifestPlaceholderToken => "REPLACE_ME",
        Fault::RegistrationRefusesUnknown => "application_type is not known here.",
        Fault::RegistrationDropsCallbacks => "1 of 3",
        Fault::ApiRefusesToken => "401 to a fresh token",
    }
}

fn following(fault: Fault) -> impl Iterator<Item = &'static str> {
    FOLLOWING.iter().filter(move |(of, ..)| *of == fault).map(|(_, check, _)| *check)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_found_where_nothing_is_wrong() {
    for faulty in [Faulty::sound(), Faulty::sound_under_a_path()] {
        assert_eq!(findings(&faulty).await, Vec::new(), "{}", faulty.issuer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_seen_and_nothing_else() {
    for fault in Fault::ALL {
        let found = findings(&Faulty::with(*fault)).await;
        let checks: BTreeSet<&str> = found.iter().map(|(check, _)| *check).collect();
        let expected: BTreeSet<&str> = following(*fault).chain([fault.check()]).collect();
        assert_eq!(checks, expected, "{fault:?}: {found:?}");
        let is_shown = found.iter().any(|(check, seen)| *check == fault.check() && seen.contains(evidence(*fault)));
        assert!(is_shown, "{fault:?}: {found:?} does not say {}", evidence(*fault));
    }
}

#[test]
fn every_fault_is_listed_once() {
    let names: BTreeSet<String> = Fault::ALL.iter().map(|fault| format!("{fault:?}")).collect();
    assert_eq!((names.len(), Fault::ALL.len()), (64, 64));
}
