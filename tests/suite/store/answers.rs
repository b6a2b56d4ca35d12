//! What the store answers to a presented token, in a form that can be compared.

use consentry::{
    model::id::FamilyId,
    store::{
        Store,
        families::{Rotate, Rotation},
    },
};

use super::facts::{World, audit};

/// [`Rotate`] without the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The row moved to this counter.
    Rotated(i64),
    /// The row jumped ahead to this counter.
    Jumped(i64),
    /// This counter again.
    Repeated(i64),
    /// Theft.
    Replayed,
    /// Nothing there.
    NotStanding,
    /// The assertion was used before.
    AssertionReplayed,
}

impl From<Rotate> for Answer {
    fn from(outcome: Rotate) -> Self {
        match outcome {
            Rotate::Rotated { counter, jumped: false, .. } => Self::Rotated(counter),
            Rotate::Rotated { counter, jumped: true, .. } => Self::Jumped(counter),
            Rotate::Repeated { counter, .. } => Self::Repeated(counter),
            Rotate::Replayed => Self::Replayed,
            Rotate::NotStanding => Self::NotStanding,
            Rotate::AssertionReplayed => Self::AssertionReplayed,
        }
    }
}

/// Presents what a rotation says.
pub async fn present(store: &Store, rotation: &Rotation) -> Answer {
    store.rotate(rotation, &audit(rotation.at)).await.unwrap().into()
}

impl World {
    /// Presents a counter of a family so many milliseconds after the beginning.
    pub async fn present(&self, id: FamilyId, presented: i64, milliseconds: i64) -> Answer {
        present(&self.store, &self.rotation(id, presented, milliseconds)).await
    }
}
