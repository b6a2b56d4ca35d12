//! What stands between this server and the vaults of clouds: a balancer that answers in their place, somebody they are said to
//! have moved to, and a proxy that has no business with what tells a machine who it is.

use reqwest::StatusCode;

use super::references::{FIRST, Place, SECOND, logs};
use crate::harness::{
    databases::Engine,
    key_vault::{self, KeyVault},
    secret_manager::{self, SecretManager},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balancer_that_answers_in_azures_place_is_waited_for_and_leaves_the_last_good_secret() {
    let vault = KeyVault::start().await;
    let place = Place::new(Engine::Sqlite).await;
    vault.put("registration", "a1", FIRST);
    let reference = format!("azure-kv://{}/registration", key_vault::VAULT);
    // A start has patience with it, as with a vault that does not answer.
    vault.stumble(2);
    let mut serving = place.serve(&reference, &vault.variables(key_vault::CLIENT_SECRET)).await;
    assert_eq!((place.registers(FIRST).await, vault.logins() > 2), (StatusCode::CREATED, true));
    vault.stumble(2);
    vault.put("registration", "a2", SECOND);
    logs(&serving, "a secret cannot be read; the last one is used").await;
    place.second_takes_over().await;
    let log = serving.log();
    let told = "the vault did not tell it: its login gave an answer that cannot be read";
    assert!(log.contains(told) && !log.contains("balancer-7") && !log.contains("does not let this server in"), "{log}");
    serving.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_tells_a_machine_of_azures_who_it_is_is_asked_by_way_of_nobody() {
    let vault = KeyVault::start().await;
    let place = Place::new(Engine::Sqlite).await;
    vault.put("registration", "a1", FIRST);
    let (identity, variables) = vault.machine();
    let reference = format!("azure-kv://{}/registration", key_vault::VAULT);
    let mut serving = place.serve(&reference, &variables).await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    assert!(identity.requests() > 0 && vault.logins() == 0);
    serving.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_google_is_said_to_have_moved_to_is_not_asked() {
    let service = SecretManager::start();
    let place = Place::new(Engine::Sqlite).await;
    service.put("registration", FIRST);
    let reference = format!("gcp-sm://{}/registration", secret_manager::PROJECT);
    let mut serving = place.serve(&reference, &service.variables()).await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    let elsewhere = service.lead_astray(SECOND);
    logs(&serving, "a secret cannot be read; the last one is used").await;
    assert!(serving.log().contains("it answered 307"), "{}", serving.log());
    assert_eq!((place.registers(FIRST).await, elsewhere.connections()), (StatusCode::CREATED, 0));
    serving.stop();
}
