//! Failed sign-ins are counted and forgotten; a hash is replaced only while it is the one that was checked.

use consentry::{
    model::digest::Digest,
    store::sign_ins::{Failures, SignInFailure},
};

use super::facts::{World, at};
use crate::{harness::aside::at_once, on_both_engines};

fn failure(subject: &str, milliseconds: i64) -> SignInFailure {
    let held_until = at(milliseconds + 100);
    SignInFailure { subject: Digest::of(subject), at: at(milliseconds), held_until, forget_at: at(milliseconds + 1000) }
}

on_both_engines! {
    async fn failures_add_up_and_are_forgotten_to_the_millisecond(engine) {
        let world = World::new(engine).await;
        let (one, store) = (Digest::of("one"), &world.store);
        assert_eq!(store.sign_in_failures(one, at(0)).await.unwrap(), None);
        store.sign_in_failed(&failure("one", 0)).await.unwrap();
        store.sign_in_failed(&failure("one", 10)).await.unwrap();
        // One that was slow to be counted shortens nothing.
        store.sign_in_failed(&failure("one", 5)).await.unwrap();
        let known = Some(Failures { count: 3, held_until: at(110) });
        assert_eq!(store.sign_in_failures(one, at(20)).await.unwrap(), known);
        assert_eq!(store.sign_in_failures(one, at(1009)).await.unwrap(), known);
        assert_eq!(store.sign_in_failures(one, at(1010)).await.unwrap(), None);
        assert_eq!(store.sign_in_failures(Digest::of("other"), at(20)).await.unwrap(), None);
        store.sign_in_failed(&failure("one", 1010)).await.unwrap();
        let anew = Some(Failures { count: 1, held_until: at(1110) });
        assert_eq!(store.sign_in_failures(one, at(1011)).await.unwrap(), anew);
        store.forget_sign_in_failures(one).await.unwrap();
        assert_eq!(store.sign_in_failures(one, at(1011)).await.unwrap(), None);
    }

    async fn of_fifty_failures_at_once_each_counts(engine) {
        let world = World::new(engine).await;
        let store = world.store.clone();
        at_once(50, move |_| {
            let store = store.clone();
            async move { store.sign_in_failed(&failure("one", 0)).await.unwrap() }
        })
        .await;
        let known = world.store.sign_in_failures(Digest::of("one"), at(1)).await.unwrap();
        assert_eq!(known.map(|known| known.count), Some(50));
    }

    async fn of_fifty_stronger_hashes_one_is_taken(engine) {
        let world = World::new(engine).await;
        let email = "ada@example.com".parse().unwrap();
        let checked = world.store.account_by_email(&email).await.unwrap().unwrap().1.unwrap();
        let (store, account) = (world.store.clone(), world.account);
        let taken = at_once(50, move |number| {
            let (store, checked) = (store.clone(), checked.clone());
            async move { store.strengthen_password(account, &checked, &format!("stronger {number}")).await.unwrap() }
        })
        .await;
        assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
        let hash = world.store.account_by_email(&email).await.unwrap().unwrap().1.unwrap();
        assert!(hash.starts_with("stronger "), "{hash}");
    }
}
