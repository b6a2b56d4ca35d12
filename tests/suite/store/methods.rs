//! Refreshing by the rules of the family: no weaker method than before, and for no other resource.

use consentry::{
    model::client::AuthenticationMethod::{self, ClientSecret, None as Public, PrivateKeyJwt},
    store::families::{Redemption, Rotation},
};

use super::{
    answers::{Answer, present},
    facts::{World, at, audit, start},
    tables::Tables,
};
use crate::on_both_engines;

async fn family(world: &World, method: AuthenticationMethod) -> Redemption {
    let redemption = Redemption { authentication_method: method, ..world.redemption() };
    world.store.redeem(&redemption, &audit(start())).await.unwrap();
    redemption
}

/// A first refresh by a method, where the family may have had these so far.
fn refresh(
    world: &World,
    family: &Redemption,
    method: AuthenticationMethod,
    formerly: [AuthenticationMethod; 2],
) -> Rotation {
    Rotation { authentication_method: method, formerly, ..world.rotation(family.id, 0, 5) }
}

async fn method(world: &World) -> Vec<String> {
    Tables::of(&world.database).await.lines("select authentication_method from families").await
}

on_both_engines! {
    async fn a_method_is_kept_or_was_one_of_the_former_ones(engine) {
        for (before, now, formerly, stands) in [
            (Public, Public, [Public; 2], true),
            (Public, PrivateKeyJwt, [Public, ClientSecret], true),
            (ClientSecret, PrivateKeyJwt, [Public, ClientSecret], true),
            (PrivateKeyJwt, PrivateKeyJwt, [Public, ClientSecret], true),
            // A stolen token of a client that proves itself, presented by somebody who cannot.
            (PrivateKeyJwt, Public, [Public; 2], false),
            (PrivateKeyJwt, ClientSecret, [Public, ClientSecret], false),
            (ClientSecret, Public, [Public; 2], false),
            // The client's document stopped offering the stronger one.
            (PrivateKeyJwt, Public, [PrivateKeyJwt, Public], true),
            (PrivateKeyJwt, ClientSecret, [Public, PrivateKeyJwt], true),
        ] {
            let world = World::new(engine).await;
            let family = family(&world, before).await;
            let mut tables = Tables::of(&world.database).await;
            let untouched = tables.families().await;
            let answer = present(&world.store, &refresh(&world, &family, now, formerly)).await;
            let case = format!("{before:?} then {now:?}, formerly {formerly:?}");
            if stands {
                assert_eq!(answer, Answer::Rotated(1), "{case}");
                assert_eq!(method(&world).await, [now.as_str()], "{case}: from now on");
            } else {
                assert_eq!(answer, Answer::NotStanding, "{case}");
                assert_eq!(tables.families().await, untouched, "{case}");
                assert_eq!(method(&world).await, [before.as_str()], "{case}");
            }
        }
    }

    async fn who_became_stronger_stays_so(engine) {
        let world = World::new(engine).await;
        let family = family(&world, Public).await;
        let stronger = refresh(&world, &family, PrivateKeyJwt, [Public, ClientSecret]);
        assert_eq!(present(&world.store, &stronger).await, Answer::Rotated(1));
        let weaker = refresh(&world, &family, Public, [Public; 2]);
        assert_eq!(present(&world.store, &weaker).await, Answer::NotStanding, "not even to repeat");
        assert_eq!(present(&world.store, &stronger).await, Answer::Repeated(1));
    }

    async fn a_repeat_leaves_the_method_as_it_is(engine) {
        let world = World::new(engine).await;
        let family = family(&world, Public).await;
        assert_eq!(present(&world.store, &refresh(&world, &family, Public, [Public; 2])).await, Answer::Rotated(1));
        let stronger = refresh(&world, &family, PrivateKeyJwt, [Public, ClientSecret]);
        assert_eq!(present(&world.store, &stronger).await, Answer::Repeated(1));
        assert_eq!(method(&world).await, ["none"], "a repeat writes nothing");
    }

    async fn a_theft_found_by_a_stronger_method_is_a_theft(engine) {
        let world = World::new(engine).await;
        let family = family(&world, Public).await;
        for (presented, milliseconds) in [(0, 5), (1, 200_000), (2, 400_000)] {
            let turn = Rotation { authentication_method: Public, formerly: [Public; 2], ..world.rotation(family.id, presented, milliseconds) };
            assert_eq!(present(&world.store, &turn).await, Answer::Rotated(presented + 1));
        }
        let mut stolen = refresh(&world, &family, PrivateKeyJwt, [Public, ClientSecret]);
        stolen.at = at(600_000);
        assert_eq!(present(&world.store, &stolen).await, Answer::Replayed);
        assert_eq!(method(&world).await, ["none"]);
    }

    async fn only_the_familys_resource_may_be_named(engine) {
        let world = World::new(engine).await;
        let family = family(&world, ClientSecret).await;
        let mut tables = Tables::of(&world.database).await;
        let untouched = (tables.families().await, tables.rows().await);
        for other in ["https://other.example", "https://todo.example/mcp", "https://todo.example/", "", "HTTPS://todo.example"] {
            let mut named = world.rotation(family.id, 0, 5);
            named.resource = Some(other.into());
            assert_eq!(present(&world.store, &named).await, Answer::NotStanding, "{other:?}");
            assert_eq!((tables.families().await, tables.rows().await), untouched, "{other:?}: nothing is written");
        }
        let mut named = world.rotation(family.id, 0, 5);
        named.resource = Some("https://todo.example".into());
        assert_eq!(present(&world.store, &named).await, Answer::Rotated(1));
        assert_eq!(present(&world.store, &named).await, Answer::Repeated(1));
        named.resource = Some("https://other.example".into());
        assert_eq!(present(&world.store, &named).await, Answer::NotStanding, "nor for a repeat");
        // A superseded token for another resource is no theft yet: it is not this line's to judge.
        let mut late = world.rotation(family.id, 0, 900_000);
        late.resource = Some("https://other.example".into());
        assert_eq!(present(&world.store, &late).await, Answer::NotStanding);
        assert!(world.store.standing_family(family.id, late.at).await.unwrap().is_some());
    }

    async fn a_resource_registered_in_capitals_is_named_in_its_canonical_spelling(engine) {
        let world = World::new(engine).await;
        let family = family(&world, ClientSecret).await;
        let database = &world.database;
        for table in ["resources set identifier", "families set resource", "consents set resource"] {
            database.execute(&format!("update {table} = 'HTTPS://Todo.example/'")).await;
        }
        let mut named = world.rotation(family.id, 0, 5);
        named.resource = Some("https://todo.example".into());
        assert_eq!(present(&world.store, &named).await, Answer::Rotated(1));
    }
}
