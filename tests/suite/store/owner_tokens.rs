//! Tokens of owners' programs: when they stand, what ends them, and how many there are.

use chrono::TimeDelta;
use consentry::{
    model::{digest::Digest, id::OwnerTokenId, owner_token::OwnerToken},
    random,
    store::{
        owner_tokens::{MakeOwnerToken, NewOwnerToken, OwnerTokenUse},
        people::{Deletion, PasswordChange},
    },
};

use super::{
    facts::{World, at, audit, new_account, start},
    sweep::sweep,
};
use crate::on_both_engines;

/// A token of the world's account as it is now, which ends after ten seconds.
async fn new_token(world: &World, text: &str) -> NewOwnerToken {
    let (account, _) = world.store.account(world.account).await.unwrap().unwrap();
    let token = OwnerToken {
        id: OwnerTokenId(random::id(start())),
        name: format!("The {text}"),
        scopes: "plugins:read log:read".parse().unwrap(),
        created_at: at(0),
        expires_at: at(10_000),
        last_used_at: None,
    };
    let generations = (account.generation, account.session_generation);
    NewOwnerToken { token, account_id: account.id, generations, digest: Digest::of(text), standing_max: 3 }
}

/// Makes one for the world's account.
pub async fn made(world: &World, text: &str) -> OwnerToken {
    let new = new_token(world, text).await;
    assert_eq!(world.store.make_owner_token(&new, &audit(at(0))).await.unwrap(), MakeOwnerToken::Made);
    new.token
}

async fn stands(world: &World, text: &str, milliseconds: i64) -> bool {
    world.store.owner_token(Digest::of(text), at(milliseconds)).await.unwrap().is_some()
}

on_both_engines! {
    async fn a_token_stands_until_its_end(engine) {
        let world = World::new(engine).await;
        let token = made(&world, "build").await;
        let found = world.store.owner_token(Digest::of("build"), at(9_999)).await.unwrap().unwrap();
        assert_eq!((&found.token, found.account.id), (&token, world.account));
        assert!(!stands(&world, "build", 10_000).await, "it has ended");
        assert!(!stands(&world, "other", 1).await);
        assert_eq!(world.store.owner_tokens(world.account, at(1)).await.unwrap(), [token]);
        assert_eq!(world.store.owner_tokens(world.account, at(10_000)).await.unwrap(), []);
    }

    async fn only_its_owner_ends_it_and_once(engine) {
        let world = World::new(engine).await;
        let token = made(&world, "build").await;
        let other = new_account("grace@example.com");
        world.store.add_account(&other, &audit(at(0))).await.unwrap();
        assert!(!world.store.end_owner_token(other.id, token.id, &audit(at(1))).await.unwrap());
        assert!(stands(&world, "build", 1).await);
        assert!(world.store.end_owner_token(world.account, token.id, &audit(at(1))).await.unwrap());
        assert!(!stands(&world, "build", 1).await);
        assert!(!world.store.end_owner_token(world.account, token.id, &audit(at(2))).await.unwrap());
        let told = world.database.count("audit_events where action like 'account.api_token%'").await;
        assert_eq!(told, 2, "one that was made and one that was ended");
    }

    async fn what_ends_sessions_ends_tokens(engine) {
        let world = World::new(engine).await;
        made(&world, "first").await;
        world.store.sign_out_everywhere(world.account, &audit(at(1))).await.unwrap();
        assert!(!stands(&world, "first", 2).await, "signed out everywhere");
        made(&world, "second").await;
        let change = PasswordChange {
            account_id: world.account,
            verified: world.store.account(world.account).await.unwrap().unwrap().1,
            password_hash: "another".into(),
            session: Digest::of("here"),
            mail: None,
        };
        assert!(world.store.change_password(&change, &audit(at(2))).await.unwrap());
        assert!(!stands(&world, "second", 3).await, "another password");
        made(&world, "third").await;
        world.store.disable_account(world.account, &audit(at(4))).await.unwrap();
        assert!(!stands(&world, "third", 5).await, "disabled");
        assert_eq!(
            world.store.make_owner_token(&new_token(&world, "late").await, &audit(at(5))).await.unwrap(),
            MakeOwnerToken::NotStanding
        );
        world.store.enable_account(world.account, &audit(at(6))).await.unwrap();
        assert!(!stands(&world, "third", 7).await, "what has ended does not come back");
        let deletion = Deletion { account_id: world.account, verified: None, mail: None };
        assert!(world.store.delete_account(&deletion, &audit(at(8))).await.unwrap());
        assert_eq!(world.database.count("owner_tokens").await, 0);
    }

    /// Whoever was let in before a password was changed does not make, after it, what it was to end.
    async fn what_ends_tokens_ends_those_being_made(engine) {
        let world = World::new(engine).await;
        let being_made = new_token(&world, "raced").await;
        world.store.sign_out_everywhere(world.account, &audit(at(1))).await.unwrap();
        let told = world.store.make_owner_token(&being_made, &audit(at(2))).await.unwrap();
        assert_eq!(told, MakeOwnerToken::NotStanding);
        assert_eq!(world.database.count("owner_tokens").await, 0);
        made(&world, "anew").await;
        assert!(stands(&world, "anew", 3).await);
    }

    async fn there_are_only_so_many_at_a_time(engine) {
        let world = World::new(engine).await;
        let mut tried = Vec::new();
        for text in ["1", "2", "3", "4", "5", "6"] {
            let (store, new) = (world.store.clone(), new_token(&world, text).await);
            tried.push(tokio::spawn(async move { store.make_owner_token(&new, &audit(at(0))).await.unwrap() }));
        }
        let mut count = 0;
        for tried in tried {
            count += usize::from(tried.await.unwrap() == MakeOwnerToken::Made);
        }
        assert_eq!(count, 3, "however many are asked for at once");
        let later = NewOwnerToken { digest: Digest::of("later"), ..new_token(&world, "later").await };
        let again = world.store.make_owner_token(&later, &audit(at(10_000))).await.unwrap();
        assert_eq!(again, MakeOwnerToken::Made, "those that have ended do not count");
    }

    async fn uses_are_noted_and_what_has_ended_is_swept(engine) {
        let world = World::new(engine).await;
        let token = made(&world, "build").await;
        let noted = async |milliseconds| {
            let at = at(milliseconds);
            let used = OwnerTokenUse { id: token.id, at, unless_after: at - TimeDelta::seconds(1) };
            world.store.note_owner_token_uses(&[used]).await.unwrap();
            world.store.owner_tokens(world.account, start()).await.unwrap()[0].last_used_at
        };
        assert_eq!(noted(100).await, Some(at(100)));
        assert_eq!(noted(1_000).await, Some(at(100)), "another node has noted it lately");
        assert_eq!(noted(1_200).await, Some(at(1_200)));
        world.store.sweep(&sweep(at(9_999), 100)).await.unwrap();
        assert_eq!(world.database.count("owner_tokens").await, 1);
        world.store.sweep(&sweep(at(10_000), 100)).await.unwrap();
        assert_eq!(world.database.count("owner_tokens").await, 0);
    }
}
