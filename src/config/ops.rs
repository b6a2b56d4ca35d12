//! Where those who run the server look at it: `ops_listen`.

use std::net::{IpAddr, SocketAddr};

use super::reader::Reader;

const OPS_LISTEN: &str = "ops_listen";

/// The address of the operations listener, if there is to be one. `listen` is where the world is served.
pub(super) fn read(reader: &mut Reader<'_>, listen: Option<SocketAddr>) -> Option<SocketAddr> {
    let Ok(address) = reader.text(OPS_LISTEN)?.parse::<SocketAddr>() else {
        reader.mistake(OPS_LISTEN, "it is not an address and port", "write 127.0.0.1:9464, or leave it out");
        return None;
    };
    if listen == Some(address) {
        let cure = "choose another port; what it shows is not for everybody";
        reader.mistake(OPS_LISTEN, "it is where the server listens for the world", cure);
        return None;
    }
    if !is_inside(address.ip()) {
        let remark = format!(
            "{address} may be reached from outside, and whoever reaches it reads the metrics without a password; \
             let nobody but the monitoring system through"
        );
        reader.warn(OPS_LISTEN, remark);
    }
    Some(address)
}

/// Whether the address is this machine's, or of a network that the world has no route to. `0.0.0.0` and `[::]` are all
/// addresses, so also the public ones.
fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => four.is_loopback() || four.is_private() || four.is_link_local(),
        IpAddr::V6(six) => six.is_loopback() || six.is_unique_local() || six.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigError, Environment, Sources};

    /// What a command tells of an address: the warnings, or the mistakes.
    fn told(listen: &str, ops_listen: &str) -> Result<Vec<String>, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}/c.db", folder.path().display());
        let variables = [
            ("CONSENTRY_DATABASE_URL", database.as_str()),
            ("CONSENTRY_LISTEN", listen),
            ("CONSENTRY_OPS_LISTEN", ops_listen),
        ];
        let environment: Environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::check(&Sources { environment, ..Sources::default() }).map(|checked| checked.warnings)
    }

    #[test]
    fn addresses_inside_are_taken_in_silence() {
        for address in ["127.0.0.1:9464", "10.1.2.3:9464", "192.168.0.1:1", "[::1]:9464", "[fd00::1]:9464"] {
            assert_eq!(told("127.0.0.1:8080", address), Ok(vec![]), "{address}");
        }
        assert_eq!(told("127.0.0.1:8080", ""), Ok(vec![]), "an empty variable is none");
    }

    #[test]
    fn an_address_that_others_reach_is_taken_with_a_warning() {
        for address in ["0.0.0.0:9464", "[::]:9464", "8.8.8.8:9464", "[2600::1]:9464", "[::ffff:8.8.8.8]:9464"] {
            let warnings = told("127.0.0.1:8080", address).unwrap();
            assert_eq!(warnings.len(), 1, "{address}: {warnings:?}");
            assert!(warnings[0].starts_with("CONSENTRY_OPS_LISTEN: ") && warnings[0].contains(address), "{warnings:?}");
        }
    }

    #[test]
    fn no_address_and_the_public_one_are_mistakes() {
        for (address, problem) in [("9464", "not an address"), ("localhost:9464", "not an address")] {
            let error = told("127.0.0.1:8080", address).unwrap_err();
            assert!(error.0.len() == 1 && error.0[0].problem.contains(problem), "{error}");
        }
        let error = told("127.0.0.1:9464", "127.0.0.1:9464").unwrap_err();
        assert_eq!((error.0.len(), error.0[0].place.as_str()), (1, "CONSENTRY_OPS_LISTEN"), "{error}");
        // `listen` by its default.
        assert!(told("", "127.0.0.1:8080").is_err());
    }
}
