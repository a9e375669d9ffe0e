//! Redis over TLS: a certificate that the system trusts makes a tier, one that nobody trusts makes a tier that is down.

use std::process::Command;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use vardelta_test_servers::{Certificate, RedisServer};
use vardelta_tests::project::{Project, finish};
use vardelta_testservice::{Options, Service};

use super::asked::{ANSWERED, facts, project};

#[test]
fn an_encrypted_redis_warms_the_next_run_and_an_untrusted_one_is_skipped() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&certificate, cert.pem()).expect("a file can be written");
    std::fs::write(&key, signing_key.serialize_pem()).expect("a file can be written");
    let test = "an_encrypted_redis_warms_the_next_run_and_an_untrusted_one_is_skipped";
    let files = Certificate { certificate: &certificate, key: &key };
    let Some(redis) = RedisServer::start_encrypted(test, files) else { return };
    let service = Service::start(&Options::default()).expect("the service starts");
    let project = || project(&service.url("/query"), "", &format!("redis = \"{}\"", redis.url()));
    let run = |project: &Project, trusted: &dyn Fn(&mut Command)| {
        let mut command = project.command("run", &["--json"]);
        trusted(&mut command);
        finish(&mut command).expect(0).json()["lookups"][0].clone()
    };
    let with_ours = |command: &mut Command| {
        command.env("SSL_CERT_FILE", &certificate);
    };
    // Nobody has signed it whom the system knows.
    let untrusted = project();
    let figures = run(&untrusted, &|command| {
        command.env_remove("SSL_CERT_FILE");
    });
    assert_eq!((&figures["answered"], &figures["redis"]), (&2.into(), &0.into()), "{figures}");
    assert!(figures["tier_errors"].as_u64() > Some(0), "{figures}");
    assert_eq!(facts(&untrusted), ANSWERED);
    assert_eq!(service.asked().len(), 1);

    let first = run(&project(), &with_ours);
    assert_eq!((&first["answered"], &first["tier_errors"]), (&2.into(), &0.into()), "{first}");
    assert_eq!(service.asked().len(), 2);
    let warm = project();
    let second = run(&warm, &with_ours);
    assert_eq!((&second["redis"], &second["requests"]), (&2.into(), &0.into()), "{second}");
    assert_eq!(facts(&warm), ANSWERED);
    assert_eq!(service.asked().len(), 2, "a warm run makes no request");
}
