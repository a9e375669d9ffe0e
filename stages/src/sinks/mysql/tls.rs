//! Encryption of the connection: what is asked of the server, and what it means that a certificate is refused.

use std::{error::Error as _, io, path::Path};

use mysql::{Error, SslOpts, error::tls::TlsError};
use rustls::{CertificateError, Error as Refusal};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};

vardelta_engine::choices! {
    /// How the connection is encrypted.
    pub enum Tls {
        /// Not at all.
        Off = "off",
        /// With TLS where the server offers it, whoever the server is.
        Preferred = "preferred",
        /// With TLS, whoever the server is.
        Required = "required",
        /// With TLS, by a server whose certificate a known authority has signed.
        VerifyCa = "verify_ca",
        /// As `verify_ca`, and the certificate names the host of the `url`.
        VerifyIdentity = "verify_identity",
    }
}

impl Tls {
    /// Whether the server's certificate is looked at.
    pub(super) fn verifies(self) -> bool {
        matches!(self, Tls::VerifyCa | Tls::VerifyIdentity)
    }

    /// What the client is given; `None` for a connection in plain text.
    pub(super) fn options(self, authorities: Option<&Path>) -> Option<SslOpts> {
        let options = SslOpts::default().with_root_cert_path(authorities.map(Path::to_owned));
        match self {
            Tls::Off => None,
            Tls::Preferred | Tls::Required => Some(options.with_danger_accept_invalid_certs(true)),
            Tls::VerifyCa => Some(options.with_danger_skip_domain_validation(true)),
            Tls::VerifyIdentity => Some(options),
        }
    }
}

/// Looks into the file of `tls_ca` before the client does: it would call a missing file a connection that failed, and take a
/// file without certificates for none.
pub(super) fn check_authorities(path: &Path) -> Result<(), SinkError> {
    let refused = |why: String| {
        let message = format!("`tls_ca` of this sink, {}, {why}", path.display());
        SinkError::new(SinkErrorKind::Unavailable, message)
            .with_hint("Name a file with the certificates of the authorities to trust, in PEM form.")
    };
    let bytes = std::fs::read(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
    match String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") {
        true => Ok(()),
        false => Err(refused("holds no certificate in PEM form".into())),
    }
}

/// Why no encrypted connection came about, and what to do; `None` for an error that is not about encryption.
pub(super) fn refusal(error: &Error) -> Option<(String, &'static str)> {
    // The handshake is part of the first write.
    let refusal = match error {
        Error::IoError(error) => error.get_ref()?.downcast_ref::<Refusal>()?,
        Error::CodecError(error) => {
            error.source()?.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<Refusal>()?
        }
        Error::TlsError(TlsError::Tls(refusal)) => refusal,
        Error::TlsError(other) => return Some((other.to_string(), CHECK)),
        _ => return None,
    };
    let hint = match refusal {
        Refusal::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "Name a file with the certificate of the authority that signed it in `tls_ca`; MySQL keeps that of its own \
             authority as `ca.pem` in its data directory."
        }
        Refusal::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "Write one of the certificate's names as the host of the `url`, or set `tls = \"verify_ca\"` if any server of \
             the authority will do."
        }
        Refusal::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => "Renew the server's certificate, or set this machine's clock.",
        Refusal::InvalidCertificate(_)
        | Refusal::AlertReceived(_)
        | Refusal::PeerIncompatible(_)
        | Refusal::NoCertificatesPresented => CHECK,
        // What breaks later is a connection like any other.
        _ => return None,
    };
    Some((format!("no encrypted connection: {refusal}"), hint))
}

const CHECK: &str = "Check `tls` and `tls_ca` in the sink's stage, and the server's certificate.";
