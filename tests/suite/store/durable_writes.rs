//! How often each step makes the disk work: it is what the design promises, and ARCHITECTURE's table.

use chrono::TimeDelta;
use consentry::{
    model::{
        client::AuthenticationMethod::{ClientSecret, None as Public},
        digest::Digest,
        id::{ConsentId, SessionId},
        link::LinkPurpose,
    },
    random,
    store::{
        consents::ConsentGrant,
        families::{Redemption, Rotation},
        people::Followed,
        sessions::NewSession,
    },
};

use super::{
    answers::{
        Answer::{Repeated, Rotated},
        present,
    },
    assertions::using,
    client_keys, documents,
    facts::{World, at, audit, scopes, start},
    links, owner_tokens, registrations,
};
use crate::{on_both_engines, writes};

/// A consent of the world's person to these scopes.
fn consent(world: &World, names: &str) -> ConsentGrant {
    let id = ConsentId(random::id(start()));
    ConsentGrant { id, key: world.consent_key(), scopes: scopes(names), left_out: scopes(""), document: None }
}

on_both_engines! {
    async fn a_code_and_its_refreshes(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        let (_, redeemed) = writes!(world, world.store.redeem(&redemption, &audit(at(0))).await.unwrap());
        assert_eq!(redeemed, 1, "the family and its audit event are one write");
        assert_eq!(writes!(world, world.present(redemption.id, 0, 0).await), (Rotated(1), 1));
        assert_eq!(writes!(world, world.present(redemption.id, 0, 1).await), (Repeated(1), 0));
        assert_eq!(writes!(world, world.present(redemption.id, 1, 2).await), (Repeated(1), 0));
        assert_eq!(writes!(world, world.present(redemption.id, 1, 120_000).await), (Rotated(2), 1));
    }

    async fn a_token_of_an_owners_program(engine) {
        let world = World::new(engine).await;
        let (token, made) = writes!(world, owner_tokens::made(&world, "build").await);
        let (_, shown) = writes!(world, world.store.owner_token(Digest::of("build"), at(1)).await.unwrap());
        let (_, ended) = writes!(world, world.store.end_owner_token(world.account, token.id, &audit(at(2))).await.unwrap());
        // Postgres counts each statement of a step.
        let once = |written| if engine == Engine::Sqlite { written == 1 } else { written > 0 };
        assert!(once(made) && shown == 0 && once(ended), "{made}, {shown}, {ended}");
    }

    async fn a_code_and_its_refreshes_with_assertions(engine) {
        let world = World::new(engine).await;
        let redemption = Redemption { assertion: Some(using("code")), ..world.redemption() };
        let (_, redeemed) = writes!(world, world.store.redeem(&redemption, &audit(at(0))).await.unwrap());
        assert_eq!(redeemed, 1, "the assertion is used in the same write");
        let with = |jti, presented, milliseconds| Rotation {
            assertion: Some(using(jti)),
            ..world.rotation(redemption.id, presented, milliseconds)
        };
        for (jti, presented, milliseconds, answer) in
            [("a", 0, 0, Rotated(1)), ("b", 0, 1, Repeated(1)), ("c", 1, 2, Repeated(1)), ("d", 1, 120_000, Rotated(2))]
        {
            let rotation = with(jti, presented, milliseconds);
            assert_eq!(writes!(world, present(&world.store, &rotation).await), (answer, 1), "{jti}");
        }
        let (outcome, written) = writes!(world, world.store.use_assertion(&using("alone")).await.unwrap());
        assert!(outcome && written == 1);
    }

    async fn a_repeat_by_a_stronger_method(engine) {
        let world = World::new(engine).await;
        let redemption = Redemption { authentication_method: Public, ..world.redemption() };
        world.store.redeem(&redemption, &audit(at(0))).await.unwrap();
        let by = |method| Rotation {
            authentication_method: method,
            formerly: [Public; 2],
            ..world.rotation(redemption.id, 0, 1)
        };
        assert_eq!(writes!(world, present(&world.store, &by(Public)).await), (Rotated(1), 1));
        assert_eq!(writes!(world, present(&world.store, &by(Public)).await), (Repeated(1), 0));
        assert_eq!(writes!(world, present(&world.store, &by(ClientSecret)).await), (Repeated(1), 1), "the method");
        assert_eq!(writes!(world, present(&world.store, &by(ClientSecret)).await), (Repeated(1), 0), "once");
    }

    async fn looking(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        let (family, written) = writes!(world, world.store.standing_family(id, at(1)).await.unwrap());
        assert!(family.is_some() && written == 0);
        let (client, written) = writes!(world, world.store.client(&world.client_id, at(1)).await.unwrap());
        assert!(client.is_some() && written == 0);
    }

    async fn a_consent_that_was_given(engine) {
        let world = World::new(engine).await;
        let given = consent(&world, "todo.read");
        let (consent, written) = writes!(world, world.store.grant_consent(&given, &audit(at(1))).await.unwrap());
        assert_eq!((consent.id, written), (world.consent.id, 0));
    }

    /// Each is one transaction; Postgres counts the statements in it.
    async fn what_is_written_down_of_people_and_clients(engine) {
        let world = World::new(engine).await;
        let once = |written| if engine == Engine::Sqlite { written == 1 } else { written > 0 };
        let wider = consent(&world, "todo.read todo.write todo.share");
        let (_, written) = writes!(world, world.store.grant_consent(&wider, &audit(at(1))).await.unwrap());
        assert!(once(written), "a consent that is widened: {written}");
        let first = documents::grant(&world, documents::document(1));
        let (_, written) = writes!(world, world.store.grant_consent(&first, &audit(at(1))).await.unwrap());
        assert!(once(written), "a first consent, with the client's document: {written}");
        let again = documents::document(2);
        let (client, written) = writes!(world, world.store.keep_document(&again, &audit(at(2))).await.unwrap());
        assert!(once(written), "a document that was read again: {written}");
        let (id, keys) = (client.unwrap().id, client_keys::fetched(documents::KEYS, r#"{"keys":[]}"#, at(3)));
        let ((), written) = writes!(world, world.store.keep_key_set(id, &keys).await.unwrap());
        assert_eq!(written, 1, "a key set that was fetched");
        for expected in [1, 0] {
            let ((), written) = writes!(world, world.store.key_set_fails(id, at(4)).await.unwrap());
            assert_eq!(written, expected, "one that cannot be fetched");
        }
        let client = registrations::dynamic(&world, start());
        let ((), written) = writes!(world, world.store.add_client(&client, &audit(at(5))).await.unwrap());
        assert!(once(written), "a registration: {written}");
    }

    async fn what_people_do_with_their_accounts(engine) {
        let world = World::new(engine).await;
        let once = |written| if engine == Engine::Sqlite { written == 1 } else { written > 0 };
        let link = links::new_link("one", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com");
        let mail = links::new_mail(Some(world.account));
        let (_, written) = writes!(world, world.store.make_link(&link, Some(&mail), None).await.unwrap());
        assert!(once(written), "a link with its mail: {written}");
        let (_, written) = writes!(world, world.store.link(link.digest, at(1)).await.unwrap());
        assert_eq!(written, 0, "a link that is looked at");
        let (_, written) = writes!(world, world.store.reset_password(&links::reset("one"), &audit(at(1))).await.unwrap());
        assert!(once(written), "a password that is reset: {written}");
        let (again, _) = writes!(world, world.store.reset_password(&links::reset("one"), &audit(at(1))).await.unwrap());
        assert!(matches!(again, Followed::LinkGone), "{again:?}");
    }

    async fn signing_in(engine) {
        let world = World::new(engine).await;
        let session = NewSession {
            id: SessionId(random::id(start())),
            digest: Digest::of("cookie"),
            account_id: world.account,
            account_generation: 1,
            session_generation: 1,
            at: start(),
            expires_at: start() + TimeDelta::hours(1),
            address: None,
            user_agent: None,
            factor_at: None,
            replaces: None,
        };
        assert_eq!(writes!(world, world.store.start_session(&session).await.unwrap()), (true, 1));
        let (found, written) = writes!(world, world.store.session(session.digest, at(1)).await.unwrap());
        assert!(found.is_some() && written == 0);
    }
}
