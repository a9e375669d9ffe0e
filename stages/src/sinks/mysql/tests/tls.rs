//! Encrypted connections: certificates that hold and certificates that do not, and servers that want or lack TLS.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use vardelta_test_servers::{Flavor, Options, private};

use crate::sinks::mysql::tests::*;

/// Certificates made for one test.
struct Certificates {
    directory: tempfile::TempDir,
}

impl Certificates {
    /// Two authorities, and the certificate that the first one has given to a server with this name.
    fn new(name: &str) -> Certificates {
        let directory = tempfile::tempdir().unwrap();
        let authority = |file: &str| {
            let mut params = CertificateParams::new([]).unwrap();
            params.distinguished_name.push(DnType::CommonName, file);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
            std::fs::write(directory.path().join(file), authority.pem()).unwrap();
            authority
        };
        let (trusted, _) = (authority("ca.pem"), authority("other-ca.pem"));
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &trusted).unwrap();
        std::fs::write(directory.path().join("server.pem"), certificate.pem()).unwrap();
        std::fs::write(directory.path().join("server-key.pem"), key.serialize_pem()).unwrap();
        Certificates { directory }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// A server's arguments.
    fn arguments(&self) -> Vec<String> {
        let file = |option: &str, file: &str| format!("--ssl-{option}={}", self.path(file).display());
        vec![
            file("ca", "ca.pem"),
            file("cert", "server.pem"),
            file("key", "server-key.pem"),
            "--require-secure-transport=ON".into(),
        ]
    }
}

/// A database of a server that ends with the process.
fn own(test: &str, flavor: Flavor, arguments: Vec<String>) -> Option<Db> {
    let server = private(test, flavor, &Options { arguments, ..Options::default() })?;
    let server: &'static Server = Box::leak(Box::new(server));
    Some(Db::new(server, &server.new_database()))
}

impl Db {
    fn by(&self, host: &str, tls: Tls, authorities: Option<PathBuf>) -> Db {
        let url = self.server.url(&self.name).replacen("127.0.0.1", host, 1);
        Db {
            settings: Settings { tls, tls_ca: authorities, ..settings(&url) },
            server: self.server,
            name: self.name.clone(),
        }
    }

    /// How the connection is encrypted; nothing when it is not.
    fn cipher(&self) -> String {
        let mut link = super::super::link::Link::connect(&self.settings, Access::Write).unwrap();
        let said = by_hand::query(&mut link.conn, "show session status like 'Ssl_cipher'");
        said[0].rsplit('|').next().unwrap().to_owned()
    }

    /// The error of a connection that is refused, reported at once.
    #[track_caller]
    fn refused(&self, words: &[&str]) {
        let error = error_of(self.connect(Access::Write));
        assert_eq!(error.kind, SinkErrorKind::Unavailable, "{error}");
        let said = format!("{error} {}", error.hint.as_deref().unwrap_or_default());
        words.iter().for_each(|words| assert!(said.contains(words), "{said}"));
        assert!(Server::secrets().iter().all(|secret| !said.contains(secret)), "{said}");
    }
}

#[test]
fn a_certificate_is_verified_or_there_is_no_connection() {
    let test = "a_certificate_is_verified_or_there_is_no_connection";
    for flavor in Flavor::ALL {
        let certificates = Certificates::new("localhost");
        let Some(db) = own(test, flavor, certificates.arguments()) else { continue };
        let (trusted, other) = (Some(certificates.path("ca.pem")), Some(certificates.path("other-ca.pem")));
        for (host, tls, authorities) in [
            ("localhost", Tls::VerifyIdentity, &trusted),
            ("localhost", Tls::VerifyCa, &trusted),
            ("127.0.0.1", Tls::VerifyCa, &trusted),
            ("127.0.0.1", Tls::Required, &None),
            ("127.0.0.1", Tls::Preferred, &None),
        ] {
            assert_ne!(db.by(host, tls, authorities.clone()).cipher(), "", "{flavor} {host} {tls:?}");
        }
        // A whole load, by LOAD DATA and by INSERT.
        let verified = db.by("localhost", Tls::VerifyIdentity, trusted.clone());
        verified.load(1, &[(Op::Insert, "a", Some(1))]);
        verified.by_insert().load(2, &[(Op::Insert, "b", Some(2))]);
        assert_eq!(db.query("select * from t order by name"), ["a|1|1", "b|2|2"]);

        let by = |host, tls, authorities: &Option<PathBuf>| db.by(host, tls, authorities.clone());
        by("127.0.0.1", Tls::VerifyIdentity, &trusted).refused(&["not valid for name", "`tls = \"verify_ca\"`"]);
        for tls in [Tls::VerifyCa, Tls::VerifyIdentity] {
            by("localhost", tls, &other).refused(&["UnknownIssuer", "`tls_ca`"]);
            by("localhost", tls, &None).refused(&["UnknownIssuer", "`tls_ca`"]);
        }
        by("localhost", Tls::VerifyCa, &Some(certificates.path("none.pem"))).refused(&["none.pem", "cannot be read"]);
        let key = certificates.path("server-key.pem");
        by("localhost", Tls::VerifyCa, &Some(key)).refused(&["no certificate in PEM form"]);
        // MariaDB calls it a wrong password.
        let code = if flavor == Flavor::MySql { "(error 3159)" } else { "(error 1045)" };
        by("localhost", Tls::Off, &None).refused(&[code, "`tls = \"required\"`"]);
    }
}

#[test]
fn a_server_without_tls_gets_plain_text_only_where_that_is_said() {
    let test = "a_server_without_tls_gets_plain_text_only_where_that_is_said";
    for flavor in Flavor::ALL {
        let arguments = match flavor {
            Flavor::MariaDb => vec!["--skip-ssl".into()],
            Flavor::MySql => vec!["--tls-version=".into()],
        };
        let Some(db) = own(test, flavor, arguments) else { continue };
        let authorities = Certificates::new("localhost");
        for tls in [Tls::Required, Tls::VerifyCa, Tls::VerifyIdentity] {
            let verified = Some(authorities.path("ca.pem")).filter(|_| tls.verifies());
            db.by("localhost", tls, verified).refused(&["the server offers no TLS", "`tls = \"off\"`"]);
        }
        assert_eq!(db.by("127.0.0.1", Tls::Preferred, None).cipher(), "");
        assert_eq!(db.by("127.0.0.1", Tls::Off, None).cipher(), "");
        assert_eq!(db.open().take_notices(), [""; 0], "what stays on this machine need not be encrypted");
    }
    for (url, is_local) in [
        ("mysql://u@127.0.0.1/d", true),
        ("mysql://u@[::1]/d", true),
        ("mysql://u@localhost/d", true),
        ("mysql://u@db.example.org/d", false),
        ("mysql://u@192.0.2.7/d", false),
    ] {
        assert_eq!(settings(url).is_local(), is_local, "{url}");
    }
}

#[test]
fn the_certificates_that_mysql_makes_for_itself() {
    let test = "the_certificates_that_mysql_makes_for_itself";
    let Some(db) = own(test, Flavor::MySql, Vec::new()) else { return };
    let authority = db.server.data().join("ca.pem");
    assert_ne!(db.by("localhost", Tls::VerifyCa, Some(authority.clone())).cipher(), "");
    db.by("localhost", Tls::VerifyIdentity, Some(authority)).refused(&["not valid for name", "verify_ca"]);
    db.by("localhost", Tls::VerifyCa, None).refused(&["UnknownIssuer", "ca.pem"]);
}

/// The same database by its socket.
fn by_socket(db: &Db, socket: &Path) -> Db {
    let (options, location) = read_url(&db.server.url(&db.name), Some(&socket.to_owned())).unwrap();
    Db { settings: Settings { options, location, ..db.settings.clone() }, server: db.server, name: db.name.clone() }
}

#[test]
fn a_socket_stands_for_host_and_port() {
    on_each("a_socket_stands_for_host_and_port", |db| {
        for tls in [Tls::Preferred, Tls::Off, Tls::Required] {
            let mut here = by_socket(&db, &db.server.socket());
            here.settings.tls = tls;
            assert_eq!(here.cipher(), "", "{tls:?}");
        }
        let here = by_socket(&db, &db.server.socket());
        here.load(1, &[(Op::Insert, "a", Some(1))]);
        assert_eq!(db.query("select * from t"), ["a|1|1"]);
        let nowhere = by_socket(&db, Path::new("/nonexistent/s"));
        let error = error_of(nowhere.connect(Access::Write));
        assert!(error.message.contains("/nonexistent/s") && error.hint.is_some(), "{error}");
    });
}

/// Passes one connection on to a server, and keeps what the client says.
fn listen_in(server: &Server) -> (u16, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), server.port);
    let heard = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", behind)).unwrap();
        let (mut answers, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let back = std::thread::spawn(move || std::io::copy(&mut answers, &mut to_client));
        let (mut heard, mut bytes) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = client.read(&mut bytes) {
            heard.extend_from_slice(&bytes[..count]);
            server.write_all(&bytes[..count]).unwrap();
        }
        let _ = server.shutdown(std::net::Shutdown::Both);
        let _ = back.join();
        heard
    });
    (port, heard)
}

#[test]
fn the_password_is_encrypted_where_nothing_else_is() {
    let test = "the_password_is_encrypted_where_nothing_else_is";
    let Some(db) = own(test, Flavor::MySql, Vec::new()) else { return };
    let user = |name: &str, plugin: &str, port: u16| {
        by_hand::run(
            &mut db.server.root(),
            &[
                &format!("create user {name} identified with {plugin} by 'hush:hush'"),
                &format!("grant all on `vardelta\\_%`.* to {name}"),
            ],
        );
        let url = db.server.url_at(port, &db.name).replacen("loader", name, 1);
        Db { settings: Settings { tls: Tls::Off, ..settings(&url) }, server: db.server, name: db.name.clone() }
    };
    // The server does not know the user yet, so it wants the password itself: encrypted by the server's public key.
    let (port, heard) = listen_in(db.server);
    assert_eq!(user("caching", "caching_sha2_password", port).cipher(), "");
    let heard = heard.join().unwrap();
    assert!(contains(&heard, b"caching") && contains(&heard, b"Ssl_cipher"), "all of it is heard");
    assert!(Server::secrets().iter().all(|secret| !contains(&heard, secret.as_bytes())));
    let url = db.server.url(&db.name).replacen("loader:", "caching:x", 1);
    Db { settings: Settings { tls: Tls::Off, ..settings(&url) }, server: db.server, name: db.name.clone() }
        .refused(&["(error 1045)", "Check user and password"]);
    user("older", "sha256_password", db.server.port).refused(&["sha256_password", "caching_sha2_password"]);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_server_without_a_key_for_passwords_wants_tls() {
    let test = "a_server_without_a_key_for_passwords_wants_tls";
    let arguments = vec!["--caching-sha2-password-private-key-path=none.pem".into()];
    let Some(db) = own(test, Flavor::MySql, arguments) else { return };
    db.by("localhost", Tls::Off, None).refused(&["(error 1045)", "`tls = \"required\"`"]);
    assert_ne!(db.by("localhost", Tls::Required, None).cipher(), "");
}
