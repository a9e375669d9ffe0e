//! The password is in no message.

use crate::sinks::mysql::tests::*;

#[test]
fn no_message_holds_the_password() {
    on_each("no_message_holds_the_password", |db| {
        let wrong =
            |url: &str| error_of(PlannedMySql { settings: settings(url), checks: Vec::new() }.connect(Access::Write));
        let address = db.server.url(&db.name);
        let closed = format!("mysql://me:hush%21@127.0.0.1:1/{}", db.name);
        let mut refused = settings(&address);
        refused.tls = Tls::VerifyIdentity;
        let refused = error_of(PlannedMySql { settings: refused, checks: Vec::new() }.connect(Access::Write));
        let unknown = db.server.url("vardelta_no_such");
        let user = address.replacen("mysql://", "mysql://nobody_", 1);
        for error in [wrong(&closed), wrong(&unknown), wrong(&user), refused] {
            let text = format!("{error} {error:?}");
            for secret in Server::secrets().iter().chain(&["hush!", "hush%21"]) {
                assert!(!text.contains(secret), "{text}");
            }
            assert!(error.hint.is_some() && error.message.contains("mysql://"), "{text}");
        }
        let planned = PlannedMySql { settings: settings(&address), checks: Vec::new() };
        let said = format!(
            "{} {:?}",
            planned.location(),
            planned.statements(&[numbers("t")], vardelta_schemas::sql::Dialect::MySql)
        );
        assert!(Server::secrets().iter().all(|secret| !said.contains(secret)), "{said}");
    });
}
