//! The certificate of `--https`: the user's own files, or one that is made here and kept in the cache folder.
//!
//! ```text
//! https = true                           →  node_modules/.rekindle/https/{certificate,key}.pem, made once
//! https = { key = "k.pem", cert = … }    →  these
//! ```

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use chrono::{Datelike, Duration, NaiveDate, Utc};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd};
use rekindle_compile::files::file;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use rekindle_config::Https;

/// Browsers refuse certificates that are valid for longer than 398 days.
const VALID_DAYS: i64 = 365;
/// One that is about to expire is made anew.
const RENEW_DAYS: i64 = 30;

#[derive(Debug, Error)]
pub enum CertificateError {
    #[error("the file {} of server.https cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("the file {} of server.https contains no {what} in PEM format", path.display())]
    Empty { path: PathBuf, what: &'static str },
    #[error("the key and the certificate of server.https cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    #[error("cannot make a certificate for --https: {0}")]
    NotMade(String),
}

/// What turns connections into TLS ones. `names` are the names and addresses the server is reached by.
pub fn tls(https: &Https, cache_dir: &Path, names: &[String]) -> Result<Arc<ServerConfig>, CertificateError> {
    let (certificates, key) = match https {
        Https::Generated => kept_or_made(&cache_dir.join("https"), names)?,
        Https::Files { key, cert } => (read_certificates(cert)?, read_key(key)?),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let pem = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(CertificateError::Empty { path: path.to_owned(), what: "certificate" }),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_slice(&read(path)?)
        .map_err(|_| CertificateError::Empty { path: path.to_owned(), what: "private key" })
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    file::read(path).map_err(|error| CertificateError::Unreadable { path: path.to_owned(), error })
}

/// The certificate of an earlier start, if it is for these names and still good for a while. A user who has told the browser to
/// trust it is not asked again.
fn kept_or_made(folder: &Path, names: &[String]) -> Result<Pair, CertificateError> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    let paths = ["certificate.pem", "key.pem", "about.txt"].map(|name| folder.join(name));
    let [certificate, key, about] = &paths;
    let today = Utc::now().date_naive();
    if file::read_text(about).is_ok_and(|about| is_good(&about, &names, today))
        && let (Ok(certificates), Ok(key)) = (read_certificates(certificate), read_key(key))
    {
        return Ok((certificates, key));
    }
    let until = today + Duration::days(VALID_DAYS);
    let (certificate_pem, key_pem) =
        make(&names, today, until).map_err(|error| CertificateError::NotMade(error.to_string()))?;
    let pair = (
        CertificateDer::pem_slice_iter(certificate_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CertificateError::NotMade(error.to_string()))?,
        PrivateKeyDer::from_pem_slice(key_pem.as_bytes())
            .map_err(|error| CertificateError::NotMade(error.to_string()))?,
    );
    // If the cache cannot be written, the next start makes another certificate, which the browser does not trust yet.
    let _ = keep(folder, &paths, &[&certificate_pem, &key_pem, &format!("{until}\n{}\n", names.join("\n"))]);
    Ok(pair)
}

fn is_good(about: &str, names: &[String], today: NaiveDate) -> bool {
    let mut lines = about.lines();
    let until = lines.next().and_then(|date| date.parse::<NaiveDate>().ok());
    until.is_some_and(|until| until - today > Duration::days(RENEW_DAYS)) && lines.eq(names.iter().map(String::as_str))
}

fn make(names: &[String], from: NaiveDate, until: NaiveDate) -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, "rekindle development server");
    let day = |date: NaiveDate| date_time_ymd(date.year(), date.month() as u8, date.day() as u8);
    // Clocks of other machines may be behind.
    params.not_before = day(from - Duration::days(1));
    params.not_after = day(until);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn keep(folder: &Path, paths: &[PathBuf; 3], texts: &[&str; 3]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // Without this file the pair is not looked at: it must not vouch for one that is half written.
    let _ = fs::remove_file(&paths[2]);
    for (path, text) in paths.iter().zip(texts) {
        let _ = fs::remove_file(path);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?.write_all(text.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_kept_for_the_same_names() {
        let folder = tempfile::tempdir().unwrap();
        let make = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            kept_or_made(folder.path(), &names).unwrap().0
        };
        let first = make(&["localhost", "127.0.0.1"]);
        assert_eq!(first, make(&["127.0.0.1", "localhost"]));
        assert_ne!(first, make(&["127.0.0.1", "localhost", "my.test"]));
    }

    #[test]
    fn one_that_expires_soon_is_not_kept() {
        let names = ["localhost".to_owned()];
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(is_good("2026-06-01\nlocalhost\n", &names, day("2026-04-01")));
        assert!(!is_good("2026-06-01\nlocalhost\n", &names, day("2026-05-20")));
        assert!(!is_good("2026-06-01\nlocalhost\nother\n", &names, day("2026-04-01")));
        assert!(!is_good("", &names, day("2026-04-01")));
    }

    #[test]
    fn files_that_are_no_pair_say_which() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("empty.pem"), "").unwrap();
        let https = |key: &str, cert: &str| Https::Files { key: path(key), cert: path(cert) };
        let said = |https: &Https| match tls(https, folder.path(), &[]) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert!(said(&https("gone.pem", "empty.pem")).contains("empty.pem of server.https contains no certificate"));
        tls(&Https::Generated, folder.path(), &["localhost".to_owned()]).map(drop).unwrap();
        assert!(said(&https("gone.pem", "https/certificate.pem")).contains("gone.pem of server.https cannot be read"));
        assert_eq!(said(&https("https/key.pem", "https/certificate.pem")), "");
    }
}
