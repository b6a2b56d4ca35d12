//! What leaves and comes back, and every case of what an identity leads to.

use uuid::Uuid;

use super::*;
use crate::model::{account::Role, id::AccountId};

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn account(email: &str, enabled: bool) -> Account {
    Account {
        reviews: None,
        id: AccountId(Uuid::nil()),
        email: email.parse().unwrap(),
        name: "Ada".into(),
        role: Role::Person,
        generation: 1,
        session_generation: 1,
        enabled,
        email_verified_at: None,
        language: None,
        created_at: time(0),
    }
}

fn shown(email: Option<&str>, email_verified: bool) -> Shown {
    Shown {
        provider: "https://a.example".into(),
        subject: "1".into(),
        email: email.map(|email| email.parse().unwrap()),
        email_verified,
        name: None,
    }
}

#[test]
fn who_left_comes_back_to_the_same_browser_from_the_same_place_in_time() {
    let texts = || ["n".to_owned(), "v".to_owned()];
    let left = Departure::start("a", Waiting::Visit(String::new()), texts(), "browser", time(0));
    let end = |provider, browser, at| left.clone().end(provider, browser, time(at)).map(|left| left.nonce().to_owned());
    assert_eq!(end("a", Some("browser"), 599), Ok("n".to_owned()));
    assert_eq!(end("a", Some("browser"), 600), Err(NotBack::TooLate));
    assert_eq!(end("b", Some("browser"), 1), Err(NotBack::OtherProvider));
    assert_eq!(end("a", Some("another"), 1), Err(NotBack::OtherBrowser));
    assert_eq!(end("a", None, 1), Err(NotBack::OtherBrowser));
}

#[test]
fn an_offer_is_for_one_browser_one_address_and_a_while() {
    let offer = Offer::of(&shown(Some("ada@example.com"), true), "A", "browser", time(0)).unwrap();
    let ada = account("ada@example.com", true);
    assert!(offer.is_for(&ada, Some("browser"), time(899)));
    assert!(!offer.is_for(&ada, Some("browser"), time(900)) && !offer.is_for(&ada, None, time(1)));
    assert!(!offer.is_for(&ada, Some("another"), time(1)));
    assert!(!offer.is_for(&account("grace@example.com", true), Some("browser"), time(1)));
    assert!(Offer::of(&shown(Some("ada@example.com"), false), "A", "browser", time(0)).is_none());
}

#[test]
fn an_address_alone_never_opens_an_account() {
    let (ada, grace, gone) =
        (account("ada@example.com", true), account("grace@example.com", true), account("ada@example.com", false));
    let (verified, nameless) = (shown(Some("ada@example.com"), true), shown(None, false));
    let claims = [shown(Some("ada@example.com"), false), shown(None, true)];
    for address_is_taken in [false, true] {
        for may_make in [false, true] {
            let facts = |shown, linked, signed_in| Facts { shown, linked, signed_in, address_is_taken, may_make };
            assert_eq!(facts(&verified, Some(&ada), None).decide(), Verdict::Enter);
            assert_eq!(facts(&verified, Some(&gone), None).decide(), Verdict::Refuse(Why::Disabled));
            // Whoever is linked is known by their id, whatever became of the address.
            assert_eq!(facts(&nameless, Some(&ada), Some(&grace)).decide(), Verdict::Enter);
            for claimed in &claims {
                for signed_in in [None, Some(&ada), Some(&grace)] {
                    assert_eq!(facts(claimed, None, signed_in).decide(), Verdict::Refuse(Why::Unverified));
                }
            }
            assert_eq!(facts(&verified, None, Some(&ada)).decide(), Verdict::Ask);
            assert_eq!(facts(&verified, None, Some(&grace)).decide(), Verdict::Refuse(Why::OtherAddress));
            let nobody = facts(&verified, None, None).decide();
            match (address_is_taken, may_make) {
                (true, _) => assert_eq!(nobody, Verdict::SignInFirst),
                (false, true) => assert_eq!(nobody, Verdict::Make("ada@example.com".parse().unwrap())),
                (false, false) => assert_eq!(nobody, Verdict::Refuse(Why::NoSignUp)),
            }
        }
    }
}
