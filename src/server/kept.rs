//! What rows keep sealed, opened from where it stands (`keys::place`).

use super::{Server, keyring::KeyringError};
use crate::keys::{place::Place, seal};

impl Server {
    /// Opens what a row keeps; `None` when it was sealed by nobody here, for another place, or was changed.
    pub(in crate::server) async fn open_kept(
        &self,
        place: Place,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, KeyringError> {
        let ring = self.keyring.knowing(seal::kid_of(sealed), &self.store, self.clock.now()).await?;
        Ok(place.open(&ring, sealed))
    }
}
