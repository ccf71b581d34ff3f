//! Whom to believe: the system's certificates or a file, read only when a hub shows a certificate.
//!
//! The system's list is some 140 certificates; parsed it takes 400 KB, which the agent's budget has no room for. So it
//! is read inside the check and dropped after it; a resumed session needs none.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::Arc;

/// rustls' own verification, with roots that are read when they are needed.
#[derive(Debug)]
pub(super) struct Roots {
    pub(super) ca_file: Option<PathBuf>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl Roots {
    fn read(&self) -> Result<RootCertStore, Error> {
        let certificates: Vec<CertificateDer<'static>> = match &self.ca_file {
            Some(file) => {
                let failed = |error| Error::General(format!("{}: {error}", file.display()));
                CertificateDer::pem_file_iter(file)
                    .map_err(failed)?
                    .collect::<Result<_, _>>()
                    .map_err(failed)?
            }
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            let whose = self.ca_file.as_ref().map_or_else(
                || {
                    "this system has (install ca-certificates, or name a file with [hub] ca_file)"
                        .to_owned()
                },
                |file| format!("{} holds", file.display()),
            );
            return Err(Error::General(format!(
                "no certificate to believe: none is what {whose}"
            )));
        }
        Ok(roots)
    }
}

impl ServerCertVerifier for Roots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let roots = Arc::new(self.read()?);
        WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
