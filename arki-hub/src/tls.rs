//! TLS settings, one place: rustls with ring, TLS 1.2 and 1.3.

use crate::config;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;

/// The cryptography that every part uses; also made the process's own, for libraries that ask for it.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    if let Some(installed) = rustls::crypto::CryptoProvider::get_default() {
        return Arc::clone(installed);
    }
    // a second thread that was faster installed the same
    drop(rustls::crypto::ring::default_provider().install_default());
    Arc::new(rustls::crypto::ring::default_provider())
}

/// For connections that the hub opens: the system's roots.
pub fn client() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// For connections that the hub accepts; `None` where none is configured.
pub fn server(tls: &config::Tls) -> Result<Option<ServerConfig>, String> {
    if tls.certificate_file.as_os_str().is_empty() {
        return Ok(None);
    }
    let (certificate, key) = (tls.certificate_file.display(), tls.key_file.display());
    let chain = CertificateDer::pem_file_iter(&tls.certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("cannot read the certificate in {certificate}: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key_file)
        .map_err(|error| format!("cannot read the private key in {key}: {error}"))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("{certificate} and its key do not fit: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(config))
}
