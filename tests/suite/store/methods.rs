//! Refreshing by the rules of the family: no weaker method than before, and for no other resource.

use chrono::TimeDelta;
use consentry::{
    model::client::AuthenticationMethod::{self, ClientSecret, None as Public, PrivateKeyJwt},
    store::families::{Redemption, Rotation},
};

use super::{
    answers::{Answer, present},
    facts::{World, at, audit, start},
    tables::Tables,
};
use crate::{harness::aside::at_once, on_both_engines};

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

/// Two callers at the same moment, of whom one gets its turn before the other; both have looked at the line before.
async fn one_behind_the_other(world: &World, callers: [Rotation; 2]) -> Vec<Answer> {
    let mut tables = Tables::of(&world.database).await;
    tables.hold_families().await;
    let mut running = Vec::new();
    for (waiting, rotation) in (1..).zip(callers) {
        let store = world.store.clone();
        running.push(tokio::spawn(async move { present(&store, &rotation).await }));
        tables.until_waited_for(waiting).await;
    }
    tables.let_go().await;
    let mut answers = Vec::new();
    for caller in running {
        answers.push(caller.await.unwrap());
    }
    answers
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
            // Whether the line moves or stays where it is.
            for repeats in [false, true] {
                let world = World::new(engine).await;
                let family = family(&world, before).await;
                if repeats {
                    let first = refresh(&world, &family, before, [before; 2]);
                    assert_eq!(present(&world.store, &first).await, Answer::Rotated(1));
                }
                let mut tables = Tables::of(&world.database).await;
                let untouched = (tables.families().await, tables.rows().await);
                let answer = present(&world.store, &refresh(&world, &family, now, formerly)).await;
                let case = format!("{before:?} then {now:?}, formerly {formerly:?}, repeats: {repeats}");
                let (expected, now) = match (stands, repeats) {
                    (true, false) => (Answer::Rotated(1), now),
                    (true, true) => (Answer::Repeated(1), now),
                    (false, _) => (Answer::NotStanding, before),
                };
                assert_eq!(answer, expected, "{case}");
                assert_eq!(method(&world).await, [now.as_str()], "{case}: from now on");
                if repeats || !stands {
                    let touched = (tables.families().await, tables.rows().await);
                    assert_eq!(touched, untouched, "{case}: nothing else is written");
                }
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

    async fn a_stronger_repeat_shuts_the_weaker_method_out(engine) {
        for presented in [0, 1] {
            let world = World::new(engine).await;
            let family = family(&world, Public).await;
            let weak = |presented, milliseconds| Rotation {
                at: at(milliseconds),
                presented,
                ..refresh(&world, &family, Public, [Public; 2])
            };
            assert_eq!(present(&world.store, &weak(0, 0)).await, Answer::Rotated(1));
            let strong = Rotation {
                at: at(30_000),
                presented,
                ..refresh(&world, &family, PrivateKeyJwt, [Public, ClientSecret])
            };
            assert_eq!(present(&world.store, &strong).await, Answer::Repeated(1));
            // While the window is open, and when it is over.
            for stolen in [weak(0, 40_000), weak(1, 40_000), weak(0, 121_000), weak(1, 121_000)] {
                assert_eq!(present(&world.store, &stolen).await, Answer::NotStanding, "{stolen:?}");
            }
            let next = Rotation { at: at(121_000), ..strong };
            assert_eq!(present(&world.store, &next).await, Answer::Rotated(2), "it costs the rightful holder nothing");
        }
    }

    /// The weaker one was let through when it was looked at, and has to be looked at again when its turn comes.
    async fn who_waits_behind_a_stronger_method_is_refused(engine) {
        let (grace, none, moment) = (TimeDelta::minutes(2), TimeDelta::zero(), TimeDelta::milliseconds(1));
        for (grace, first, later, expected) in [
            (none, None, none, Answer::Rotated(1)),
            (grace, None, none, Answer::Rotated(1)),
            // To the weaker one, which comes to another node, the window that the stronger one opened is over.
            (grace, None, grace, Answer::Rotated(1)),
            // The stronger one repeats, and a moment later the window is over.
            (grace, Some(at(5) - grace + moment), moment, Answer::Repeated(1)),
        ] {
            let world = World::new(engine).await;
            let family = family(&world, Public).await;
            let weak = Rotation { grace, ..refresh(&world, &family, Public, [Public; 2]) };
            if let Some(at) = first {
                assert_eq!(present(&world.store, &Rotation { at, ..weak.clone() }).await, Answer::Rotated(1));
            }
            let strong = refresh(&world, &family, PrivateKeyJwt, [Public, ClientSecret]);
            let callers = [Rotation { grace, ..strong }, Rotation { at: weak.at + later, ..weak }];
            let answers = one_behind_the_other(&world, callers).await;
            let case = format!("grace {grace}, later {later}, first {first:?}");
            assert_eq!(answers, [expected, Answer::NotStanding], "{case}");
            let mut tables = Tables::of(&world.database).await;
            assert_eq!(tables.counters().await, ["1 0"], "{case}");
            assert_eq!(tables.end_reasons().await, ["-"], "{case}: no theft");
            assert_eq!(method(&world).await, ["private_key_jwt"], "{case}");
        }
    }

    async fn who_waits_behind_a_weaker_method_repeats_and_leaves_its_own(engine) {
        let world = World::new(engine).await;
        let family = family(&world, Public).await;
        let weak = refresh(&world, &family, ClientSecret, [Public; 2]);
        let strong = refresh(&world, &family, PrivateKeyJwt, [Public, ClientSecret]);
        let answers = one_behind_the_other(&world, [weak, strong]).await;
        assert_eq!(answers, [Answer::Rotated(1), Answer::Repeated(1)]);
        assert_eq!(method(&world).await, ["private_key_jwt"]);
    }

    /// Whoever comes first, and whether its turn is to move the line or to repeat.
    async fn of_a_strong_and_a_weak_caller_at_once_the_strong_one_leaves_its_method(engine) {
        let world = World::new(engine).await;
        for round in 0..40 {
            let family = family(&world, Public).await;
            let by = |method, formerly, milliseconds| Rotation {
                at: at(milliseconds),
                ..refresh(&world, &family, method, formerly)
            };
            assert_eq!(present(&world.store, &by(Public, [Public; 2], 0)).await, Answer::Rotated(1));
            // At its last moment the window is open for one of them.
            let moment = |is_late| if is_late { 120_000 } else { 119_999 };
            let strong = by(PrivateKeyJwt, [Public, ClientSecret], moment(round % 2 == 0));
            let weak = by(Public, [Public; 2], moment(round % 4 < 2));
            let callers = [&strong, &weak, &strong, &weak].map(Clone::clone);
            let answers = at_once(callers.len(), |number| {
                let (store, rotation) = (world.store.clone(), callers[number].clone());
                async move { present(&store, &rotation).await }
            })
            .await;
            let answered = |answer: &Answer| matches!(answer, Answer::Rotated(2) | Answer::Repeated(1 | 2));
            assert!(answered(&answers[0]) && answered(&answers[2]), "{answers:?}");
            assert!([1, 3].iter().all(|weak| answered(&answers[*weak]) || answers[*weak] == Answer::NotStanding));
            assert_eq!(present(&world.store, &weak).await, Answer::NotStanding, "round {round}: {answers:?}");
            assert!(world.store.standing_family(family.id, at(120_000)).await.unwrap().is_some());
        }
        assert_eq!(world.database.count("families where authentication_method = 'private_key_jwt'").await, 40);
    }

    async fn a_theft_found_by_a_stronger_method_is_a_theft(engine) {
        let world = World::new(engine).await;
        let family = family(&world, Public).await;
        for (presented, milliseconds) in [(0, 5), (1, 200_000), (2, 400_000)] {
            let turn =
                Rotation { presented, at: at(milliseconds), ..refresh(&world, &family, Public, [Public; 2]) };
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
        let others =
            ["https://other.example", "https://todo.example/mcp", "https://todo.example/", "", "HTTPS://todo.example"];
        for other in others {
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
