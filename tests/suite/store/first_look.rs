//! A first look: the shortest way through every hot step.

use consentry::store::families::{Redeem, Rotate};

use super::facts::{World, at, audit};
use crate::on_both_engines;

on_both_engines! {
    async fn a_code_becomes_a_family_that_refreshes(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        let won = world.store.redeem(&redemption, &audit(at(0))).await.unwrap();
        assert!(matches!(won, Redeem::Won(_)), "{won:?}");
        let again = world.store.redeem(&redemption, &audit(at(0))).await.unwrap();
        assert!(matches!(again, Redeem::Won(_)), "the same request may run twice: {again:?}");
        let first = world.store.rotate(&world.rotation(redemption.id, 0, 1), &audit(at(1))).await.unwrap();
        assert!(matches!(first, Rotate::Rotated { counter: 1, jumped: false, .. }), "{first:?}");
        let repeated = world.store.rotate(&world.rotation(redemption.id, 0, 2), &audit(at(2))).await.unwrap();
        assert!(matches!(repeated, Rotate::Repeated { counter: 1, .. }), "{repeated:?}");
        let mut other = redemption.clone();
        other.redemption = [0; 16];
        let replayed = world.store.redeem(&other, &audit(at(3))).await.unwrap();
        assert!(matches!(replayed, Redeem::Replayed), "{replayed:?}");
        assert!(world.store.standing_family(redemption.id, at(4)).await.unwrap().is_none());
    }
}
