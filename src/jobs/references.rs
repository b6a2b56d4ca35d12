//! Secrets that are kept elsewhere (`vault`), asked for again on a schedule: what was changed there takes over here, and
//! what cannot be read leaves the last good one, with a warning at once and then once an hour.

use std::{sync::Arc, time::Duration};

use crate::{
    server::Server,
    telemetry::metrics,
    vault::{Renewable, Renewal},
};

/// How long a secret that cannot be renewed goes without a further warning.
const SILENCE: Duration = Duration::from_hours(1);

/// Asks for ever.
pub async fn run(server: Arc<Server>) {
    let secrets = &server.secrets;
    let times_of_silence = (SILENCE.as_secs() / secrets.every.as_secs().max(1)).max(1);
    let mut failures = vec![0; secrets.all.len()];
    loop {
        tokio::time::sleep(secrets.every).await;
        renew(&server, &mut failures, times_of_silence).await;
    }
}

/// Asks for each once. `failures` counts the times in a row that one could not be renewed; the first of every
/// `times_of_silence` is told.
pub async fn renew(server: &Server, failures: &mut [u64], times_of_silence: u64) {
    for (secret, failures) in server.secrets.all.iter().zip(failures.iter_mut()) {
        let told = secret.renew(&server.secrets.keepers).await;
        if matches!(told, Renewal::Changed) {
            // Cheap, and the only secret that something else than its user has to be given.
            server.store.renew_password();
        }
        if matches!(told, Renewal::Same | Renewal::Changed) {
            if *failures > 0 {
                tracing::info!(secret.place = secret.place, "a secret can be read again");
            }
            *failures = 0;
        } else {
            *failures += 1;
        }
        if failures.saturating_sub(1).is_multiple_of(times_of_silence) {
            tell(secret, &told, *failures);
        }
    }
    metrics::secrets_not_renewed(failures.iter().filter(|failures| **failures > 0).count());
}

fn tell(secret: &Renewable, told: &Renewal, failures: u64) {
    let (place, reference) = (&secret.place, &secret.reference);
    match told {
        Renewal::Same => {}
        Renewal::Changed => {
            tracing::info!(secret.place = place, secret.reference = %reference, "a secret was changed, and is used from now on");
        }
        Renewal::Unread(error) => {
            let cure = error.cure();
            tracing::warn!(
                secret.place = place,
                secret.reference = %reference,
                failures,
                %error,
                cure,
                "a secret cannot be read; the last one is used"
            );
        }
        Renewal::Unfit(unfit) => {
            let (reason, cure) = (&unfit.problem, &unfit.cure);
            tracing::warn!(
                secret.place = place,
                secret.reference = %reference,
                failures,
                reason,
                cure,
                "a secret will not do; the last one is used"
            );
        }
    }
}
