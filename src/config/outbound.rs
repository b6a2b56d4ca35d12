//! What may be fetched from, beyond public hosts with public certificates: `outbound_allow`, `outbound_ca_file`. The
//! craft of that name does the fetching; it and this file do not know each other.

use std::{fs, net::IpAddr};

use ipnet::IpNet;
use reqwest::{Client, tls::Certificate};

use super::reader::Reader;

const ALLOW: &str = "outbound_allow";
const CA_FILE: &str = "outbound_ca_file";

/// What may be fetched from, beyond public hosts with public certificates.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    /// Address ranges that are allowed although they are special.
    pub allow: Vec<IpNet>,
    /// Authorities that are trusted beside the system's.
    pub authorities: Vec<Certificate>,
    /// The same, as they stand in the file.
    pub authorities_pem: Option<Vec<u8>>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Outbound> {
    // Both are read before either is missed, so that all mistakes are told.
    let allow = read_ranges(reader, ALLOW, "lets strangers make this server fetch from every host it can reach");
    let authorities = read_authorities(reader);
    let (authorities, authorities_pem) = authorities?;
    Some(Outbound { allow: allow?, authorities, authorities_pem })
}

/// A list of address ranges; `everything` says what one does that has every address in it.
pub(super) fn read_ranges(reader: &mut Reader<'_>, key: &str, everything: &str) -> Option<Vec<IpNet>> {
    let list = reader.text(key).unwrap_or_default();
    let texts: Vec<_> = list.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    let mut ranges = Vec::with_capacity(texts.len());
    for text in &texts {
        match range(text) {
            Ok(range) if range.prefix_len() == 0 => {
                reader.warn(key, format!("{range} {everything}"));
                ranges.push(range);
            }
            Ok(range) => ranges.push(range),
            Err((problem, cure)) => reader.mistake(key, problem, cure),
        }
    }
    // Whoever wrote one wrong is told; the others are not taken alone.
    (ranges.len() == texts.len()).then_some(ranges)
}

/// An address, or a range that begins where its length says. An IPv4 address in the clothes of IPv6 is what callers and
/// hosts are never called here, so it is undressed, or it would match nobody without a word.
fn range(text: &str) -> Result<IpNet, (String, String)> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_canonical().into());
    }
    let Ok(range) = text.parse::<IpNet>() else {
        let problem = format!("{text} is no range of addresses");
        return Err((problem, "write 10.20.0.0/16, fd00:1234::/32 or a single address".to_owned()));
    };
    if range != range.trunc() {
        let cure = format!("write {}, or {} for this address alone", range.trunc(), range.addr());
        return Err((format!("{text} does not begin where the range does"), cure));
    }
    Ok(undressed(range).unwrap_or(range))
}

/// The IPv4 range that a range within `::ffff:0:0/96` stands for.
fn undressed(range: IpNet) -> Option<IpNet> {
    let IpNet::V6(range) = range else { return None };
    let address = range.addr().to_ipv4_mapped()?;
    IpNet::new(address.into(), range.prefix_len().checked_sub(96)?).ok()
}

fn read_authorities(reader: &mut Reader<'_>) -> Option<(Vec<Certificate>, Option<Vec<u8>>)> {
    let Some(path) = reader.text(CA_FILE) else { return Some((Vec::new(), None)) };
    let cure = "name a file with certificates in PEM (-----BEGIN CERTIFICATE-----)";
    let pem = match fs::read(&path) {
        Ok(pem) => pem,
        Err(error) => {
            reader.mistake(CA_FILE, format!("{path} cannot be read ({error})"), cure);
            return None;
        }
    };
    let authorities = Certificate::from_pem_bundle(&pem).ok().filter(|authorities| are_understood(authorities));
    if authorities.is_none() {
        reader.mistake(CA_FILE, format!("{path} holds a certificate that is damaged"), cure);
    }
    let authorities = authorities?;
    if authorities.is_empty() {
        reader.mistake(CA_FILE, format!("{path} holds no certificate"), cure);
        return None;
    }
    Some((authorities, Some(pem)))
}

/// Whether TLS takes them. Tried rather than computed: base64 says nothing of what is inside, and it is looked at only
/// when a client is made.
fn are_understood(authorities: &[Certificate]) -> bool {
    Client::builder().tls_certs_only(authorities.iter().cloned()).build().is_ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::super::{Checked, Config, ConfigError, Environment, ServeConfig, Sources};

    /// A folder with a configuration file, and everything a server needs that is not looked at here.
    struct Place(TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        }

        fn serve(&self, file: &str, variables: &[(&str, &str)]) -> Result<Checked<ServeConfig>, ConfigError> {
            let mut sources = self.sources(file, variables);
            let mut set = |name: &str, value: String| sources.environment.insert(name.to_owned(), value);
            set("CONSENTRY_PUBLIC_URL", "https://a.example".to_owned());
            set("CONSENTRY_MASTER_KEYS", "env:CONSENTRY_KEY".to_owned());
            set("CONSENTRY_KEY", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQAbyd3fABAgM=".to_owned());
            ServeConfig::check(&sources)
        }

        fn sources(&self, file: &str, variables: &[(&str, &str)]) -> Sources {
            let database = format!("sqlite://{}/c.db", self.0.path().display());
            let mut environment: Environment =
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            environment.insert("CONSENTRY_DATABASE_URL".to_owned(), database);
            Sources { file: Some(self.file("c.toml", file)), environment, ..Sources::default() }
        }

        /// What both checks say of a file, since a command shall not pass what the server refuses.
        fn mistake(&self, file: &str) -> String {
            let told = Config::check(&self.sources(file, &[])).unwrap_err();
            assert_eq!(self.serve(file, &[]).unwrap_err(), told);
            assert_eq!(told.0.len(), 1, "{told}");
            told.to_string()
        }
    }

    fn certificate() -> String {
        rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap().cert.pem()
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        let outbound = Place::new().serve("", &[]).unwrap().config.outbound;
        assert!(outbound.allow.is_empty() && outbound.authorities.is_empty());
    }

    #[test]
    fn ranges_come_as_a_list_or_as_an_array() {
        let place = Place::new();
        let expected = ["10.0.0.0/8", "192.168.7.9/32", "fd00::/8", "::1/128"].map(|range| range.parse().unwrap());
        let array = "outbound_allow = [\"10.0.0.0/8\", \"192.168.7.9\", \"fd00::/8\", \"::1\"]";
        assert_eq!(place.serve(array, &[]).unwrap().config.outbound.allow, expected);
        let list = [("CONSENTRY_OUTBOUND_ALLOW", "10.0.0.0/8, 192.168.7.9,fd00::/8,::1,")];
        assert_eq!(place.serve("", &list).unwrap().config.outbound.allow, expected);
    }

    #[test]
    fn an_ipv4_address_is_the_same_in_the_clothes_of_ipv6() {
        let dressed = "[\"::ffff:172.18.0.1\", \"::ffff:10.20.0.0/112\", \"::FFFF:a00:0/104\", \"fd00::/8\"]";
        let file = format!("trusted_proxies = {dressed}\noutbound_allow = {dressed}");
        let config = Place::new().serve(&file, &[]).unwrap().config;
        let ranges = ["172.18.0.1/32", "10.20.0.0/16", "10.0.0.0/8", "fd00::/8"];
        assert_eq!(config.outbound.allow, ranges.map(|range| range.parse().unwrap()));
        for (address, is_one) in [("172.18.0.1", true), ("::ffff:10.20.3.4", true), ("172.18.0.2", false)] {
            assert_eq!(config.trusted_proxies.have(address.parse().unwrap()), is_one, "{address}");
        }
    }

    #[test]
    fn a_wrong_range_is_told_with_its_cure() {
        for (wrong, cure) in [
            ("10.20.30.40/16", "write 10.20.0.0/16, or 10.20.30.40 for this address alone"),
            ("10.0.0.0/33", "10.20.0.0/16"),
            ("10.0/8", "10.20.0.0/16"),
            ("intranet.example", "a single address"),
            ("10.0.0.1:443", "a single address"),
        ] {
            let told = Place::new().mistake(&format!("outbound_allow = [\"10.0.0.0/8\", \"{wrong}\"]"));
            assert!(told.contains("outbound_allow in ") && told.contains(wrong) && told.contains(cure), "{told}");
        }
    }

    #[test]
    fn everything_is_allowed_with_a_warning_only() {
        let checked = Place::new().serve("outbound_allow = \"0.0.0.0/0\"", &[]).unwrap();
        assert!(checked.warnings.iter().any(|warning| warning.contains("every host")), "{:?}", checked.warnings);
    }

    #[test]
    fn authorities_are_read_from_a_file() {
        let place = Place::new();
        let path = place.file("ca.pem", &format!("An authority of ours\n{}{}", certificate(), certificate()));
        let file = format!("outbound_ca_file = \"{}\"", path.display());
        assert_eq!(place.serve(&file, &[]).unwrap().config.outbound.authorities.len(), 2);
    }

    #[test]
    fn a_file_without_authorities_is_told() {
        let place = Place::new();
        let damaged = certificate().replacen("\nMII", "\nMIJ", 1);
        for (text, problem) in [
            ("", "holds no certificate"),
            ("no PEM at all\n", "holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "damaged"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "damaged"),
            (&damaged, "damaged"),
        ] {
            let told = place.mistake(&format!("outbound_ca_file = \"{}\"", place.file("ca.pem", text).display()));
            assert!(told.contains("outbound_ca_file in ") && told.contains(problem), "{told}");
            assert!(told.contains("-----BEGIN CERTIFICATE-----"), "{told}");
        }
        let told = place.mistake("outbound_ca_file = \"no/such/file.pem\"");
        assert!(told.contains("no/such/file.pem cannot be read"), "{told}");
    }
}
