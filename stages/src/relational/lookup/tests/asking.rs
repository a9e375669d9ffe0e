//! What comes of a request, however the service behaves.

use std::time::{Duration, Instant};

use vardelta_engine::contract::lookup::Answer;
use vardelta_testservice::Act;

use super::{ask, asker, facts, folder, query, reason, service, short};

const FIVE: [&str; 5] = ["BRCA1", "BRCA2", "EGFR", "NOTAGENE", "TP53"];
const WELL: [&str; 5] = ["BRCA1=672", "BRCA2=675", "EGFR=1956", "NOTAGENE=absent", "TP53=7157"];

#[test]
fn answers_are_matched_by_their_keys() {
    let (service, folder) = (service(), folder());
    let mut asker = asker(&query(&service, "", ""), folder.path());
    let (told, figures) = ask(&mut asker, &FIVE);
    assert_eq!(short(&told), WELL, "the service answers in another order");
    let Answer::Found { values, until_s, .. } = &told[4].1 else { panic!("{told:?}") };
    assert_eq!((values, until_s), (&facts(7157, "tumor protein p53"), &None));
    assert_eq!((figures.answered, figures.absent, figures.requests), (4, 1, 1));
    assert_eq!(service.asked()[0].keys, FIVE, "sorted");
}

#[test]
fn batches_are_of_one_size_and_cover_all_keys() {
    let (service, folder) = (service(), folder());
    let mut asker = asker(&query(&service, "batch = 10\nconcurrency = 3", ""), folder.path());
    let keys: Vec<String> = (0..95).map(|number| format!("GENE{number:03}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (_, figures) = ask(&mut asker, &keys);
    assert_eq!((figures.answered, figures.requests), (95, 10));
    let mut batches: Vec<Vec<String>> = service.asked().into_iter().map(|asked| asked.keys).collect();
    batches.sort();
    assert!(batches.iter().take(9).all(|batch| batch.len() == 10));
    assert_eq!(batches.concat(), keys);
}

#[test]
fn passing_trouble_costs_a_retry() {
    let (service, folder) = (service(), folder());
    // What is done first, and what must not have been taken for an answer.
    for act in [
        Act::Status(500, None),
        Act::Status(502, None),
        Act::Status(503, None),
        Act::Status(503, Some("0.1".into())),
        Act::Status(429, Some("0.2".into())),
        Act::Status(429, Some("1".into())),
        Act::Status(429, Some("date+1".into())),
        Act::Status(429, None),
        Act::Reset,
        Act::Truncated,
        Act::Cut,
        Act::Invalid,
        Act::Error,
        Act::OtherKey,
    ] {
        service.reset();
        service.script([act.clone()]);
        let mut asker = asker(&query(&service, "", ""), folder.path());
        let (told, figures) = ask(&mut asker, &FIVE);
        assert_eq!(short(&told), WELL, "{act:?}");
        assert_eq!(figures.requests, 2, "{act:?}");
        assert_eq!(service.asked().len(), 2, "{act:?}");
    }
}

#[test]
fn lasting_trouble_is_a_failure_and_never_absent() {
    let (service, folder) = (service(), folder());
    for (act, word) in [
        (Act::Status(500, None), "500"),
        (Act::Status(503, None), "503"),
        (Act::Status(401, None), "401"),
        (Act::Reset, ""),
        (Act::Truncated, ""),
        (Act::Cut, "no whole JSON"),
        (Act::Invalid, "no whole JSON"),
        (Act::Error, "API rate limit exceeded"),
        (Act::OtherKey, "NOSUCH"),
    ] {
        // A host of its own each time: the breaker remembers.
        let service = super::service();
        service.otherwise(Some(act.clone()));
        let mut asker = asker(&query(&service, "retries = 1", ""), folder.path());
        let (told, figures) = ask(&mut asker, &FIVE);
        assert_eq!(figures.failed, 5, "{act:?}: {told:?}");
        assert!(reason(&told[0].1).contains(word), "{act:?}: {told:?}");
        assert!(reason(&told[0].1).starts_with("127.0.0.1:"), "it says which host: {told:?}");
        // And well again, in a run that follows.
        service.otherwise(None);
        drop(asker);
    }
    drop(service);
}

#[test]
fn nothing_outlives_its_deadline() {
    let folder = folder();
    for act in [
        Act::Silent(20_000),
        Act::Drip(300),
        Act::Status(429, Some("20".into())),
        Act::Status(503, Some("date+30".into())),
    ] {
        let service = service();
        service.otherwise(Some(act.clone()));
        let mut asker =
            asker(&query(&service, "deadline = \"700ms\"", "").replacen("deadline = \"5s\"\n", "", 1), folder.path());
        let begun = Instant::now();
        let (told, figures) = ask(&mut asker, &FIVE);
        assert!(begun.elapsed() < Duration::from_secs(10), "{act:?}: {:?}", begun.elapsed());
        assert_eq!(figures.failed, 5, "{act:?}: {told:?}");
        if let Act::Status(..) = act {
            let Answer::Failed { next_try_s, .. } = &told[0].1 else { panic!("{told:?}") };
            assert!(next_try_s.is_some(), "the service said when: {told:?}");
        }
    }
}

#[test]
fn a_body_has_bounds() {
    let folder = folder();
    for act in [Act::Huge(1_000_000_000), Act::Bomb(50_000_000)] {
        let service = service();
        service.otherwise(Some(act.clone()));
        let mut asker = asker(&query(&service, "response_bytes_max = 1_000_000\nbatch = 1", ""), folder.path());
        let (told, _) = ask(&mut asker, &["TP53"]);
        assert!(reason(&told[0].1).contains("response_bytes_max"), "{act:?}: {told:?}");
    }
}

#[test]
fn a_batch_that_is_too_long_is_halved_from_then_on() {
    let (service, folder) = (service(), folder());
    service.script([Act::Most(3)]);
    let mut asker = asker(&query(&service, "batch = 16\nconcurrency = 1", ""), folder.path());
    let keys: Vec<String> = (0..32).map(|number| format!("GENE{number:02}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (_, figures) = ask(&mut asker, &keys);
    assert_eq!(figures.answered, 32);
    let sizes: Vec<usize> = service.asked().iter().map(|asked| asked.keys.len()).collect();
    let refused = sizes.iter().filter(|size| **size > 3).count();
    assert!(refused <= 1 + 2 + 4, "the second batch is asked for in what was learned: {sizes:?}");
    assert!(sizes[sizes.len() - 8..].iter().all(|size| *size == 2), "{sizes:?}");
}

#[test]
fn a_poison_key_is_found_and_costs_only_itself() {
    let folder = folder();
    for status in [400, 422, 500] {
        let service = service();
        service.script([Act::Poison(status, "GENE07".into())]);
        let mut asker = asker(&query(&service, "batch = 64\nconcurrency = 1", ""), folder.path());
        let keys: Vec<String> = (0..64).map(|number| format!("GENE{number:02}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let (told, figures) = ask(&mut asker, &keys);
        assert_eq!((figures.answered, figures.failed), (63, 1), "{status}");
        assert!(reason(&told[7].1).contains(&status.to_string()), "{told:?}");
        assert!(figures.requests <= 3 + 2 * 6, "{status}: {} requests", figures.requests);
    }
}

#[test]
fn what_a_whole_answer_lacks_is_what_the_file_says() {
    let (service, folder) = (service(), folder());
    for (missing, expected) in [("absent", "TP53=absent"), ("failed", "TP53=failed: its answer lacks the key")] {
        service.reset();
        service.script([Act::Half]);
        let mut asker = asker(&query(&service, &format!("missing = \"{missing}\""), ""), folder.path());
        let (told, _) = ask(&mut asker, &["BRCA1", "TP53"]);
        assert_eq!(short(&told), ["BRCA1=672", expected]);
    }
}

#[test]
fn redirects_keep_the_body_and_compression_is_undone() {
    let (service, folder) = (service(), folder());
    let mut asker = asker(&query(&service, "", ""), folder.path());
    service.script([Act::Redirect(307), Act::Gzip]);
    let (told, figures) = ask(&mut asker, &FIVE);
    assert_eq!(short(&told), WELL);
    assert_eq!(figures.requests, 2);
    assert!(service.asked()[1].target.starts_with("/moved"));
    service.script([Act::Redirect(302)]);
    let (told, _) = ask(&mut asker, &["KRAS"]);
    assert!(reason(&told[0].1).contains("drops the body"), "{told:?}");
}

#[test]
fn keys_in_addresses_and_rows_by_name() {
    let (service, folder) = (service(), folder());
    let columns = "[columns]\nentrez_id = { path = \"$.entrezgene\", type = \"int64\" }";
    let many = format!(
        "key = \"gene\"\nurl = \"{}?ids={{keys}}\"\nrows = \"$.genes[*]\"\nanswer_key = \"$~\"\nrate_per_s = 1000\n{columns}",
        service.url("/genes")
    );
    let (told, _) = ask(&mut asker(&many, folder.path()), &["HLA-A,x&y", "TP53"]);
    assert_eq!(short(&told), ["HLA-A,x&y=absent", "TP53=7157"]);
    let form = format!(
        "key = \"gene\"\nurl = \"{}\"\nmethod = \"POST\"\nbody = \"db=gene&ids={{keys}}\"\nrows = \"$.genes[*]\"\nanswer_key = \"$~\"\n\
         headers = {{ Content-Type = \"application/x-www-form-urlencoded\" }}\nrate_per_s = 1000\n{columns}",
        service.url("/genes")
    );
    let (told, _) = ask(&mut asker(&form, folder.path()), &["BRAF", "TP53"]);
    assert_eq!(short(&told), ["BRAF=673", "TP53=7157"]);
    let one = format!("key = \"gene\"\nurl = \"{}{{key}}\"\nrate_per_s = 1000\n{columns}", service.url("/gene/"));
    let (told, figures) = ask(&mut asker(&one, folder.path()), &["NOT A/GENE", "TP53"]);
    assert_eq!(short(&told), ["NOT A/GENE=absent", "TP53=7157"], "404 says that it is not known");
    assert_eq!((figures.absent, figures.requests), (1, 2));
}

#[test]
fn a_secret_goes_to_the_service_and_nowhere_else() {
    let (service, folder) = (service(), folder());
    let more = "headers = { Authorization = { env = \"TEST_TOKEN\", prefix = \"Bearer \" } }\n\
                parameters = { api_key = { env = \"TEST_TOKEN\" }, tool = \"vardelta\", other = { env = \"UNSET\", optional = true } }";
    let toml = query(&service, more, "[cache]\ndisk = \"api\"");
    let (told, _) = ask(&mut asker(&toml, folder.path()), &["TP53"]);
    assert_eq!(short(&told), ["TP53=7157"]);
    let asked = service.asked();
    assert_eq!(asked[0].authorization.as_deref(), Some("Bearer s3cret-t0ken-9417"));
    assert_eq!(asked[0].target, "/query?api_key=s3cret-t0ken-9417&tool=vardelta");
    // Neither in the tier nor in what distinguishes answers.
    let file = std::fs::read(folder.path().join("api/answers.sqlite")).expect("a tier");
    assert!(!file.windows(6).any(|bytes| bytes == b"s3cret"), "the tier holds the secret");
    let without = query(&service, "", "");
    let print = |toml: &str| super::plan(toml).expect("a plan").fingerprint;
    assert_ne!(print(&toml), print(&without), "`tool` is public");
    assert_eq!(print(&query(&service, "headers = { Authorization = { env = \"TEST_TOKEN\" } }", "")), print(&without));
}
