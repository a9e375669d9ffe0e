//! What is shipped for Prometheus and Alertmanager, with a real Prometheus, Alertmanager and Pushgateway, a mailbox and a channel of
//! Slack: pipelines are broken in seven ways, and for each somebody is notified once that it is so, and once that it is over.

mod people;
mod service;
mod shortened;
mod world;

use std::{fs, time::Duration};

use vardelta_tests::{process::may_mount, shared::skipped};

use self::{service::Mood, world::World};

/// Alerts by mail and in the channel, and those in the channel alone.
const CRITICAL: [&str; 2] = ["LowDiskSpace clinic", "PipelineFailed nightly"];
const WARNINGS: [&str; 5] = [
    "DropSetAside clinic",
    "LookupDegraded clinic",
    "RejectShareHigh clinic",
    "SlowProcessing clinic",
    "StaleTables nightly",
];
/// Those that take their time to begin.
const LATE: [&str; 2] = ["SlowProcessing clinic", "StaleTables nightly"];

/// Of an alert nobody was notified, or everybody that should be was, once.
fn is_told(world: &World, state: &str, alert: &str) -> bool {
    let mails = usize::from(CRITICAL.contains(&alert));
    world.told(&format!("{state}: {alert}")) == [1, mails]
}

#[test]
fn seven_ways_to_break_a_pipeline_are_told_once_each_and_once_when_they_are_over() {
    let what = "alerts by a real Prometheus and Alertmanager";
    if !may_mount() {
        return skipped(what, "this user may not mount anything in a namespace of their own");
    }
    let Some(mut world) = World::start(what) else { return };
    let early: Vec<&str> = CRITICAL.into_iter().chain(WARNINGS).filter(|alert| !LATE.contains(alert)).collect();

    // The very first file of all has rejects.
    world.deliver(&["5 . A C 9 PASS .", "x . A C 9 PASS .", "y . A C 9 PASS ."]);
    world.until("there is something to compare with", |world| {
        world.series("vardelta_run_duration_seconds_count{pipeline=\"clinic\"} > 4") == 1
            && world.series("vardelta_last_run_status{pipeline=\"nightly\"} == 1") == 1
    });

    // Five ways at once.
    world.service.is(Mood::Down);
    for pipeline in ["clinic", "nightly"] {
        fs::write(world.bad_file(pipeline), "nonsense\n").expect("a file can be written");
    }
    let filling = world.on_disk("filling");
    fs::write(&filling, World::filling()).expect("a file can be written");
    world.until("all of it is sent", |world| early.iter().all(|alert| is_told(world, "FIRING", alert)));
    world.service.is(Mood::Well);
    for pipeline in ["clinic", "nightly"] {
        fs::remove_file(world.bad_file(pipeline)).expect("a file can be removed");
    }
    fs::remove_file(&filling).expect("a file can be removed");
    world.until("the end of all of it is sent", |world| early.iter().all(|alert| is_told(world, "RESOLVED", alert)));

    // Two more, which take their time.
    world.service.is(Mood::Slow(Duration::from_secs(7)));
    world.is_run_nightly = false;
    world.until("slow runs and old tables are sent", |world| LATE.iter().all(|alert| is_told(world, "FIRING", alert)));
    world.service.is(Mood::Well);
    world.is_run_nightly = true;
    world.until("their end is sent", |world| LATE.iter().all(|alert| is_told(world, "RESOLVED", alert)));

    // Nothing else was sent, and nothing twice.
    world.until("no alert is left", |world| world.series("ALERTS{alertstate=\"firing\"}") == 0);
    let titles = |alerts: &[&str]| {
        let both = |alert: &&str| [format!("FIRING: {alert}"), format!("RESOLVED: {alert}")];
        let mut titles: Vec<String> = alerts.iter().flat_map(both).collect();
        titles.sort();
        titles
    };
    let sorted = |mut titles: Vec<String>| {
        titles.sort();
        titles
    };
    assert_eq!(sorted(world.people.in_slack()), titles(&[&CRITICAL[..], &WARNINGS[..]].concat()));
    assert_eq!(sorted(world.people.by_mail()), titles(&CRITICAL));
    for (title, text) in world.people.in_slack().iter().zip(world.people.texts_in_slack()) {
        assert_eq!(title.starts_with("RESOLVED"), text.starts_with("over: "), "{title}: {text}");
        let pipeline = title.rsplit(' ').next().expect("a pipeline");
        assert!(text.contains(&format!("{pipeline}: ")), "{title}: {text}");
    }
}
