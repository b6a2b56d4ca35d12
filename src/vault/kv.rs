//! The key-value engine (version 2) of HashiCorp Vault and OpenBao, by the crate `vaultrs`.
//!
//! How a vault is reached, and who this server is to it, is said in the variables its own tools use: `VAULT_ADDR`,
//! `VAULT_CACERT`, `VAULT_NAMESPACE`, and `VAULT_TOKEN`; or, for a role of its own (AppRole), `VAULT_ROLE_ID` and
//! `VAULT_SECRET_ID_FILE`, with `VAULT_APPROLE_MOUNT` where that is not `approle`.

use std::{collections::BTreeMap, fs, path::Path};

use tokio::sync::Mutex;
use url::Url;
use vaultrs::{
    auth::approle,
    client::{VaultClient, VaultClientSettingsBuilder},
    error::ClientError,
    kv2, token,
};
use zeroize::Zeroizing;

use super::{
    error::SecretError,
    file,
    reach::{Environment, TIMEOUT, address, given, reason},
    reference::{SecretRef, VaultPath},
};

type Entry = BTreeMap<String, serde_json::Value>;

/// What a vault has let this server in by, kept from one reading to the next.
#[derive(Default)]
pub(super) struct Kv {
    token: Mutex<Option<Zeroizing<String>>>,
}

impl Kv {
    /// Reads a field. A token that was kept is prolonged by being used; one that is not good any more is replaced once.
    pub(super) async fn read(
        &self,
        environment: &Environment,
        place: &VaultPath,
        reference: &SecretRef,
    ) -> Result<Zeroizing<String>, SecretError> {
        let access = Access::read(environment)?;
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref() {
            let client = access.client(token)?;
            // A token that cannot be prolonged any more may still be good; one that is not even known is not.
            let renewed = token::renew_self(&client, None).await;
            let told = entry(&client, place).await;
            if !(is_forbidden(&renewed) && is_forbidden(&told)) {
                return field(told, place, reference);
            }
            *kept = None;
        }
        let token = access.token(environment).await?;
        let told = entry(&access.client(&token)?, place).await;
        *kept = Some(token);
        field(told, place, reference)
    }
}

fn is_forbidden<T>(told: &Result<T, ClientError>) -> bool {
    matches!(told, Err(ClientError::APIError { code: 403, .. }))
}

async fn entry(client: &VaultClient, place: &VaultPath) -> Result<Entry, ClientError> {
    kv2::read(client, &place.mount, &place.path).await
}

fn field(
    told: Result<Entry, ClientError>,
    place: &VaultPath,
    reference: &SecretRef,
) -> Result<Zeroizing<String>, SecretError> {
    match told {
        Ok(mut entry) => match entry.remove(&place.field) {
            Some(serde_json::Value::String(text)) => Ok(Zeroizing::new(text)),
            _ => Err(SecretError::NotThere(reference.clone())),
        },
        Err(ClientError::APIError { code: 403, .. }) => Err(SecretError::Denied(reference.clone())),
        // An entry that was deleted is told as one without data.
        Err(ClientError::APIError { code: 404, .. } | ClientError::ResponseDataEmptyError) => {
            Err(SecretError::NotThere(reference.clone()))
        }
        Err(error) => Err(unavailable(&error)),
    }
}

/// How a vault is reached.
struct Access {
    address: Url,
    authority: Option<reqwest::Certificate>,
    namespace: Option<String>,
}

impl Access {
    fn read(environment: &Environment) -> Result<Self, SecretError> {
        let address = address(environment, "VAULT_ADDR")?;
        let address = address.ok_or_else(|| SecretError::NotSet("VAULT_ADDR".to_owned()))?;
        let authority = match given(environment, "VAULT_CACERT") {
            None => None,
            Some(path) => {
                let pem = fs::read(path)
                    .map_err(|_| SecretError::Settings { variable: "VAULT_CACERT", problem: "cannot be read" })?;
                let problem = "is no certificate in PEM";
                let certificate = reqwest::Certificate::from_pem(&pem)
                    .map_err(|_| SecretError::Settings { variable: "VAULT_CACERT", problem })?;
                Some(certificate)
            }
        };
        let namespace = given(environment, "VAULT_NAMESPACE").map(str::to_owned);
        if !namespace.as_deref().is_none_or(is_plain) {
            return Err(SecretError::Settings { variable: "VAULT_NAMESPACE", problem: "is no name" });
        }
        Ok(Self { address, authority, namespace })
    }

    /// A client of our own inside the library's: one that follows no redirects, which would take the token along.
    fn client(&self, token: &str) -> Result<VaultClient, SecretError> {
        let settings = VaultClientSettingsBuilder::default()
            .address(self.address.as_str().trim_end_matches('/'))
            .ca_certs(Vec::new())
            .identity(None)
            .timeout(Some(TIMEOUT))
            .token(token)
            .verify(true)
            .namespace(self.namespace.clone())
            .build()
            .map_err(|error| SecretError::Unavailable(error.to_string()))?;
        let mut client = VaultClient::new(settings).map_err(|error| unavailable(&error))?;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .tls_certs_merge(self.authority.clone());
        client.http.http = http.build().map_err(|error| unavailable(&error))?;
        Ok(client)
    }

    /// A token that was given, or one for this server's role.
    async fn token(&self, environment: &Environment) -> Result<Zeroizing<String>, SecretError> {
        if let Some(token) = given(environment, "VAULT_TOKEN") {
            return plain("VAULT_TOKEN", Zeroizing::new(token.to_owned()));
        }
        let missing = || SecretError::Refused("it was told neither a token nor a role".to_owned());
        let role = given(environment, "VAULT_ROLE_ID").ok_or_else(missing)?;
        let path = given(environment, "VAULT_SECRET_ID_FILE").ok_or_else(missing)?;
        let secret = Zeroizing::new(file::read(Path::new(path))?.trim().to_owned());
        let mount = given(environment, "VAULT_APPROLE_MOUNT").unwrap_or("approle");
        if !is_plain(mount) {
            return Err(SecretError::Settings { variable: "VAULT_APPROLE_MOUNT", problem: "is no name" });
        }
        match approle::login(&self.client("")?, mount, role, &secret).await {
            Ok(auth) => plain("VAULT_ROLE_ID", Zeroizing::new(auth.client_token)),
            Err(ClientError::APIError { code: code @ (400 | 401 | 403 | 404), .. }) => {
                Err(SecretError::Refused(format!("it answered the login of the role with {code}")))
            }
            Err(error) => Err(unavailable(&error)),
        }
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The library takes for granted that a token can stand in a header.
fn plain(variable: &'static str, token: Zeroizing<String>) -> Result<Zeroizing<String>, SecretError> {
    if is_plain(&token) { Ok(token) } else { Err(SecretError::Settings { variable, problem: "leads to no token" }) }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> SecretError {
    SecretError::Unavailable(match error.downcast_ref() {
        Some(ClientError::APIError { code, .. }) => format!("it answered {code}"),
        _ => reason(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(variables: &[(&str, &str)]) -> Result<Access, SecretError> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Access::read(&owned.collect())
    }

    #[test]
    fn how_a_vault_is_reached_must_be_said() {
        assert!(matches!(access(&[]), Err(SecretError::NotSet(_))));
        assert!(access(&[("VAULT_ADDR", "https://vault.example:8200")]).is_ok());
        let given = [("VAULT_ADDR", "https://vault.example"), ("VAULT_CACERT", "/nowhere.pem")];
        assert!(matches!(access(&given), Err(SecretError::Settings { variable: "VAULT_CACERT", .. })));
        let given = [("VAULT_ADDR", "https://vault.example"), ("VAULT_NAMESPACE", "a b")];
        assert!(matches!(access(&given), Err(SecretError::Settings { variable: "VAULT_NAMESPACE", .. })));
    }
}
