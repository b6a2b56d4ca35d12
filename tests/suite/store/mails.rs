//! Mail that waits: taken by one node at a time, put back, given up by time; and swept when nothing in it is worth
//! sending.

use std::collections::HashSet;

use consentry::{
    model::{id::MailId, link::LinkPurpose},
    store::{
        links::MakeLink,
        mails::{MailTaking, MailsWaiting},
        sweep::Sweep,
    },
};

use super::{
    facts::{World, at, start},
    links::{new_link, new_mail},
};
use crate::{harness::aside::at_once, on_both_engines};

/// Lets a mail wait, as a link does.
async fn enqueue(world: &World, number: usize) -> MailId {
    let mut mail = new_mail(None);
    mail.sealed = format!("sealed {number}").into_bytes();
    let link = new_link(&format!("{number}"), LinkPurpose::SignUp, None, &format!("{number}@example.com"));
    assert_eq!(world.store.make_link(&link, Some(&mail), None).await.unwrap(), MakeLink::Made);
    mail.id
}

fn taking(milliseconds: i64, mails_max: u32) -> MailTaking {
    MailTaking { at: at(milliseconds), until: at(milliseconds + 100), mails_max }
}

on_both_engines! {
    async fn what_is_taken_is_left_to_whoever_took_it(engine) {
        let world = World::new(engine).await;
        let id = enqueue(&world, 0).await;
        assert_eq!(world.store.mails_waiting(at(0)).await.unwrap(), MailsWaiting { kept: 1, waiting: 1, due: 1 });
        let taken = world.store.take_mails(&taking(0, 10)).await.unwrap();
        assert_eq!((taken.len(), taken[0].id, taken[0].attempts), (1, id, 1));
        assert_eq!((taken[0].sealed.as_slice(), taken[0].created_at, taken[0].expires_at), (&b"sealed 0"[..], start(), at(877)));
        assert!(world.store.take_mails(&taking(99, 10)).await.unwrap().is_empty());
        assert_eq!(world.store.mails_waiting(at(99)).await.unwrap(), MailsWaiting { kept: 1, waiting: 1, due: 0 });
        // Whoever took it said nothing: it is killed, perhaps.
        let again = world.store.take_mails(&taking(100, 10)).await.unwrap();
        assert_eq!((again.len(), again[0].attempts), (1, 2));
        // It comes back late, and is in nobody's way.
        world.store.put_back_mail(&taken[0], at(101)).await.unwrap();
        assert!(world.store.take_mails(&taking(150, 10)).await.unwrap().is_empty());
        world.store.put_back_mail(&again[0], at(160)).await.unwrap();
        assert!(world.store.take_mails(&taking(159, 10)).await.unwrap().is_empty());
        assert_eq!(world.store.take_mails(&taking(160, 10)).await.unwrap().len(), 1);
        world.store.remove_mail(id).await.unwrap();
        assert_eq!(world.store.mails_waiting(at(161)).await.unwrap(), MailsWaiting { kept: 0, waiting: 0, due: 0 });
    }

    async fn of_many_nodes_each_takes_its_own(engine) {
        let world = World::new(engine).await;
        for number in 0..40 {
            enqueue(&world, number).await;
        }
        let taken = at_once(50, |_| {
            let store = world.store.clone();
            async move { store.take_mails(&taking(1, 3)).await.unwrap() }
        })
        .await
        .concat();
        let distinct: HashSet<_> = taken.iter().map(|mail| mail.id).collect();
        assert_eq!(distinct.len(), taken.len(), "none is taken twice");
        let left = world.store.take_mails(&taking(1, 100)).await.unwrap();
        assert_eq!(taken.len() + left.len(), 40, "none is lost");
        assert!(taken.iter().chain(&left).all(|mail| mail.attempts == 1));
    }

    async fn what_has_expired_is_not_sent_and_leaves(engine) {
        let world = World::new(engine).await;
        enqueue(&world, 0).await;
        let mut never = new_mail(None);
        never.due_at = never.expires_at;
        let link = new_link("never", LinkPurpose::ResetPassword, None, "nobody@example.com");
        world.store.make_link(&link, Some(&never), None).await.unwrap();
        let waiting = MailsWaiting { kept: 2, waiting: 1, due: 1 };
        assert_eq!(world.store.mails_waiting(at(876)).await.unwrap(), waiting, "the other is for nobody");
        assert!(world.store.take_mails(&taking(877, 10)).await.unwrap().is_empty());
        let sweep = |by| Sweep {
            families_expired_by: start(),
            sessions_expired_by: by,
            clients_unused_since: start() - chrono::TimeDelta::days(1),
            offers_unseen_since: start(),
            assertions_expired_by: start(),
            rows_max: 10,
        };
        assert_eq!(world.store.sweep(&sweep(at(876))).await.unwrap(), 0);
        assert_eq!(world.store.sweep(&sweep(at(877))).await.unwrap(), 4, "two mails and their links");
    }

    async fn mail_waits_through_a_restart(engine) {
        let mut world = World::new(engine).await;
        let id = enqueue(&world, 0).await;
        world.store.close().await;
        world.store = world.database.open().await;
        assert_eq!(world.store.take_mails(&taking(1, 10)).await.unwrap()[0].id, id);
        world.store.close().await;
        world.store = world.database.open().await;
        assert_eq!(world.store.take_mails(&taking(101, 10)).await.unwrap()[0].id, id);
    }
}
