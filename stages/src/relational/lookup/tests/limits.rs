//! What is shared by all who ask a host, and time that is given.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use vardelta_engine::contract::lookup::{Answer, Asker};
use vardelta_testservice::Act;

use super::{ask, asker, asker_at, folder, query, reason, service, short};
use crate::relational::lookup::clock::Clock;

/// A clock that only moves when somebody waits or the test says so.
#[derive(Debug)]
struct GivenClock(AtomicU64);

impl Clock for GivenClock {
    fn now_us(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn wait_until(&self, then_us: u64, _: &AtomicBool) {
        self.0.fetch_max(then_us, Ordering::Relaxed);
    }
}

#[test]
fn threads_and_stages_share_a_hosts_rate() {
    let (service, folder) = (service(), folder());
    let options = |name: &str| {
        let toml = query(&service, &format!("batch = 1\nconcurrency = 8\n# {name}"), "");
        toml.replace("rate_per_s = 1000", "rate_per_s = 20")
    };
    std::thread::scope(|scope| {
        for stage in 0..2 {
            let (toml, path) = (options(&stage.to_string()), folder.path());
            scope.spawn(move || {
                let keys: Vec<String> = (0..15).map(|number| format!("GENE{stage}{number:02}")).collect();
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                let (_, figures) = ask(&mut asker(&toml, path), &keys);
                assert_eq!(figures.answered, 15);
            });
        }
    });
    let times: Vec<u64> = service.asked().iter().map(|asked| asked.at_us).collect();
    assert_eq!(times.len(), 30);
    let took_us = times.iter().max().expect("times") - times.iter().min().expect("times");
    // 29 spaces of 50 ms; the first may have come late.
    assert!(took_us >= 1_300_000, "30 requests came in {took_us} µs");
}

#[test]
fn a_pause_holds_for_every_request_to_the_host() {
    let (service, folder) = (service(), folder());
    service.script([Act::Status(429, Some("1.5".into()))]);
    let toml = query(&service, "batch = 1\nconcurrency = 1", "");
    let (_, figures) = ask(&mut asker(&toml, folder.path()), &["BRCA1", "EGFR", "TP53"]);
    assert_eq!((figures.answered, figures.requests), (3, 4));
    let times: Vec<u64> = service.asked().iter().map(|asked| asked.at_us).collect();
    assert!(times[1..].iter().all(|time| *time >= times[0] + 1_400_000), "{times:?}");
}

#[test]
fn a_host_that_fails_is_left_alone_and_comes_back() {
    let (service, folder) = (service(), folder());
    service.otherwise(Some(Act::Status(503, None)));
    let clock = Arc::new(GivenClock(AtomicU64::new(1_800_000_000_000_000)));
    let toml = query(&service, "batch = 1\nconcurrency = 1\nretries = 0", "");
    let mut asker = asker_at(&toml, folder.path(), None, clock.clone());
    let keys: Vec<String> = (0..100).map(|number| format!("GENE{number:03}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (told, figures) = ask(&mut asker, &keys);
    assert_eq!((figures.failed, figures.requests), (100, 5), "five failures open the breaker");
    assert!(reason(&told[50].1).contains("left alone"), "{:?}", told[50]);
    service.otherwise(None);
    let (_, figures) = ask(&mut asker, &["TP53"]);
    assert_eq!(figures.requests, 5, "still open");
    clock.0.fetch_add(31_000_000, Ordering::Relaxed);
    let (told, _) = ask(&mut asker, &["TP53"]);
    assert_eq!(short(&told), ["TP53=7157"], "the probe got through");
    let (_, figures) = ask(&mut asker, &keys[..10]);
    assert_eq!(figures.answered, 11);
}

#[test]
fn a_run_that_is_ended_asks_no_more() {
    let (service, folder) = (service(), folder());
    service.otherwise(Some(Act::Status(503, Some("3".into()))));
    let mut asker = asker(&query(&service, "batch = 1\nconcurrency = 2", ""), folder.path());
    let keys: Vec<Arc<str>> = (0..50).map(|number| Arc::from(format!("GENE{number:02}"))).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while service.asked().is_empty() {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        let mut told = 0;
        asker.ask(&keys, &stop, &mut |_, _: Answer| told += 1).expect("ended");
        assert!(told < 50, "{told}");
    });
    assert!(service.asked().len() <= 3, "{:?}", service.asked().len());
    let figures = asker.figures();
    assert_eq!(figures.wanted, figures.failed + figures.answered, "what was not asked is not counted");
}
