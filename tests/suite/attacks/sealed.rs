//! Rows 55 and 56: whoever can write the database moves what is sealed to where it says something else, changes a bit of
//! it, or cuts it. The functions that open it are those that use it.

use std::mem::discriminant;

use consentry::{model::key::Purpose, random, registry::webhooks, tokens::webhook::WebhookSecret};

use crate::{
    harness::kept::{Kept, Slot},
    on_both_engines,
};

/// Asks of every column whether any of the changed bytes open.
async fn none_opens(kept: &mut Kept, changes: impl Fn(&[u8]) -> Vec<Vec<u8>>) {
    let mut seen = Vec::new();
    for (slot, sealed) in kept.slots.clone() {
        // One row of each column: the others are alike.
        if seen.contains(&discriminant(&slot)) {
            continue;
        }
        seen.push(discriminant(&slot));
        for changed in changes(&sealed) {
            assert!(!kept.would_open(slot, &changed).await, "{slot:?} {changed:?}");
        }
        assert!(kept.would_open(slot, &sealed).await, "{slot:?} as it was");
    }
}

on_both_engines! {
    async fn a_ciphertext_moved_to_another_row_column_or_table_opens_nothing(engine) {
        let mut kept = Kept::new(engine).await;
        for (to, own) in kept.slots.clone() {
            for (from, sealed) in kept.slots.clone() {
                kept.tables.put(to.write(), to.row(), &sealed).await;
                assert_eq!(kept.opens(to).await, from == to, "{from:?} moved to {to:?}");
            }
            kept.tables.put(to.write(), to.row(), &own).await;
            assert!(kept.opens(to).await, "{to:?} as it was");
        }
    }

    async fn no_bit_of_a_sealed_column_can_be_flipped(engine) {
        let mut kept = Kept::new(engine).await;
        let flipped = |sealed: &[u8]| {
            let flip = |bit: usize| {
                let mut changed = sealed.to_vec();
                changed[bit / 8] ^= 1 << (bit % 8);
                changed
            };
            (0..sealed.len() * 8).map(flip).collect()
        };
        none_opens(&mut kept, flipped).await;
    }

    async fn a_cut_ciphertext_opens_nothing(engine) {
        let mut kept = Kept::new(engine).await;
        let cut = |sealed: &[u8]| {
            let heads = (0..sealed.len()).map(|length| sealed[..length].to_vec());
            let tails = (1..sealed.len()).map(|length| sealed[length..].to_vec());
            let longer = [[sealed, &[0]].concat(), [&[0], sealed].concat(), [sealed, sealed].concat()];
            heads.chain(tails).chain(longer).collect()
        };
        none_opens(&mut kept, cut).await;
    }

    /// Version 0.1 sealed both secrets of a webhook for one place.
    async fn what_was_sealed_for_both_columns_alike_still_opens_until_it_is_sealed_anew(engine) {
        let mut kept = Kept::new(engine).await;
        let (id, ring) = (kept.it.world.plugin.id, kept.server().keyring.current());
        let former = [b"plugin_webhooks secret ".as_slice(), id.0.as_bytes()].concat();
        let secret = WebhookSecret::new(random::bytes());
        let sealed = ring.sealing(Purpose::SealData).unwrap();
        let sealed = sealed.seal_for(&former, secret.bytes(), kept.server().clock.now(), random::bytes()).unwrap();
        for slot in [Slot::Secret(id), Slot::OldSecret(id)] {
            kept.tables.put(slot.write(), slot.row(), &sealed).await;
            assert!(kept.opens(slot).await, "{slot:?}");
        }
        // The present one goes on as the old one, sealed for its own column now.
        let version = kept.it.webhook().await.version;
        webhooks::end_old_secret(&kept.it.registry(), id, version).await.unwrap();
        webhooks::renew_secret(&kept.it.registry(), &ring, (id, version + 1)).await.unwrap();
        assert!(kept.opens(Slot::OldSecret(id)).await);
        let told = kept.it.host.messages().pop().unwrap();
        let header = |name: &str| {
            let found = told.0.lines().find_map(|line| line.split_once(": ").filter(|(known, _)| known.eq_ignore_ascii_case(name)));
            found.unwrap().1.to_owned()
        };
        let signed = secret.sign(&header("webhook-id"), header("webhook-timestamp").parse().unwrap(), &told.1);
        assert_eq!(header("webhook-signature"), signed);
        let old = kept.tables.bytes(Slot::OldSecret(id).read(), id.0).await;
        kept.tables.put(Slot::Secret(id).write(), id.0, &old).await;
        assert!(!kept.opens(Slot::Secret(id)).await, "moved to the other column");
    }
}
