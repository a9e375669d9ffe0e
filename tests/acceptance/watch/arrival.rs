//! Files that come slowly, in pieces, by renaming, in place of others, damaged, and with files beside them that vouch for them.

use std::{fs::File, io::Write as _};

use vardelta_tests::{drop_file::Packing, process::until, watching::Watching};

use super::{QUICK, drop_text, project, rows_and_epochs};

#[test]
fn files_are_loaded_when_they_are_whole_and_not_before() {
    let project = project();
    let watching = Watching::start(&project, &QUICK, &[]);
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    watching.until_drops(&[("a", "loaded")]);

    // In pieces, each of which ends within a line; it settles in between.
    let text = drop_text(100..200);
    let path = project.path("drops/b.vcf");
    let mut file = File::create(&path).expect("a file");
    file.write_all(&text.as_bytes()[..text.len() / 2 + 3]).expect("a piece");
    watching.until("half of a file is seen for what it is", "/api/drops", |answer| {
        answer.body.contains("does not end with a newline")
    });
    assert_eq!(rows_and_epochs(&project).0, 10, "nothing of half a file is loaded");
    file.write_all(&text.as_bytes()[text.len() / 2 + 3..]).expect("the rest");
    drop(file);
    watching.until_drops(&[("a", "loaded"), ("b", "loaded")]);
    assert_eq!(rows_and_epochs(&project).0, 110);

    // A name that says that it is being copied is reported once, and never loaded; renamed, it is.
    project.write("drops/c.vcf.part", drop_text(300..310).as_bytes());
    until("it is reported", || watching.stderr().contains("c.vcf.part (still being copied)"));
    std::fs::rename(project.path("drops/c.vcf.part"), project.path("drops/c.vcf")).expect("a rename");
    watching.until_drops(&[("a", "loaded"), ("b", "loaded"), ("c", "loaded")]);
    assert_eq!(watching.stderr().matches("c.vcf.part").count(), 1, "{}", watching.stderr());

    // Another file in its place is a correction; touched alone it is not.
    project.write("drops/a.vcf", drop_text(1..6).as_bytes());
    until("the corrected drop is loaded", || rows_and_epochs(&project).0 == 115);
    let epochs = rows_and_epochs(&project).1;
    let touched = File::options().append(true).open(project.path("drops/b.vcf")).expect("a file");
    let earlier = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    touched.set_modified(earlier).expect("a time");
    until("it has been looked at", || {
        watching.stdout().contains("the same bytes") || watching.stdout().contains("nothing to do")
    });
    assert_eq!(rows_and_epochs(&project), (115, epochs), "the same bytes are no epoch");
}

#[test]
fn a_damaged_file_is_set_aside_while_others_go_on_and_loaded_when_it_is_replaced() {
    let project = project();
    let mut watching = Watching::start(&project, &QUICK, &[]);
    let whole = Packing::Bgzf.pack(drop_text(1..2_000).as_bytes());
    project.write("drops/cut.vcf.gz", &whole[..whole.len() - 28]);
    project.write("drops/nonsense.vcf", b"this is no VCF\n");
    project.write("drops/rejected.vcf", drop_text(1..3).replace("\t2\t", "\tx\t").as_bytes());
    project.write("drops/good.vcf", drop_text(5_000..5_010).as_bytes());
    let states = [("cut", "set_aside"), ("good", "loaded"), ("nonsense", "set_aside"), ("rejected", "set_aside")];
    watching.until_drops(&states);
    assert_eq!(rows_and_epochs(&project).0, 10);
    let drops = watching.get("/api/drops").json();
    for (name, reason) in [("cut", "end-of-file block"), ("nonsense", "nonsense.vcf"), ("rejected", "max_reject_share")]
    {
        let drop = drops.as_array().expect("a list").iter().find(|drop| drop["name"] == name).expect(name);
        assert!(drop["reason"].as_str().is_some_and(|why| why.contains(reason)), "{drop}");
        assert!(drop["next_try"].as_str().is_some_and(|time| time.ends_with('Z')), "{drop}");
    }
    assert!(watching.stderr().contains("drop `cut` is set aside (attempt 1)"), "{}", watching.stderr());

    // The ledger keeps it, so another process knows it.
    assert!(watching.end("TERM").success());
    let connection = rusqlite::Connection::open(project.path("watched.sqlite")).expect("a database");
    let aside = "SELECT COUNT(*) FROM vardelta_set_aside WHERE drop_name = 'cut' AND attempts = 1";
    assert_eq!(connection.query_row(aside, [], |row| row.get::<_, u32>(0)), Ok(1));
    drop(connection);
    let watching = Watching::start(&project, &QUICK, &[]);
    watching.until_drops(&states);
    let drops = watching.get("/api/drops").json();
    let cut = drops.as_array().expect("a list").iter().find(|drop| drop["name"] == "cut").expect("cut");
    assert_eq!(cut["attempts"], 1, "it is not tried before its time: {cut}");

    project.write("drops/cut.vcf.gz", &whole);
    std::fs::remove_file(project.path("drops/nonsense.vcf")).expect("it can be removed");
    watching.until_drops(&[("cut", "loaded"), ("good", "loaded"), ("rejected", "set_aside")]);
    assert_eq!(rows_and_epochs(&project).0, 2_009);
    until("the ledger knows it", || {
        let connection = rusqlite::Connection::open(project.path("watched.sqlite")).expect("a database");
        connection.query_row("SELECT COUNT(*) FROM vardelta_set_aside", [], |row| row.get::<_, u32>(0)) == Ok(1)
    });
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_mark_or_a_checksum_beside_a_file_says_that_it_is_complete() {
    let project = project();
    // Nothing settles by itself within this test.
    let arguments = ["--settle", "10m", "--every", "100ms", "--listen", "127.0.0.1:0"];
    let watching = Watching::start(&project, &arguments, &[]);
    project.write("drops/marked.vcf", drop_text(1..11).as_bytes());
    project.write("drops/summed.vcf", drop_text(20..30).as_bytes());
    project.write("drops/waiting.vcf", drop_text(30..40).as_bytes());
    watching.until_drops(&[("marked", "waiting"), ("summed", "waiting"), ("waiting", "waiting")]);
    project.write("drops/marked.vcf.done", b"");
    watching.until_drops(&[("marked", "loaded"), ("summed", "waiting"), ("waiting", "waiting")]);
    project.write("drops/summed.vcf.md5", b"00000000000000000000000000000000  summed.vcf\n");
    let sum = std::process::Command::new("md5sum").arg(project.path("drops/summed.vcf")).output().expect("md5sum");
    // It is copied as well: first nothing fits, then it does.
    project.write("drops/summed.vcf.md5", &sum.stdout);
    watching.until_drops(&[("marked", "loaded"), ("summed", "loaded"), ("waiting", "waiting")]);
    assert_eq!(rows_and_epochs(&project).0, 20);
}

#[test]
fn several_pipelines_are_watched_by_one_process_and_its_log_is_for_programs() {
    let project = project();
    let json = format!("{}\n[operate]\nlog = \"json\"\n", super::PIPELINE);
    project.write("pipeline.toml", json.as_bytes());
    let other = json.replace("watched", "second").replace("drops/", "others/");
    project.write("other.toml", other.as_bytes());
    std::fs::create_dir(project.path("others")).expect("a folder");
    project.vardelta("watch", &["pipeline.toml"]).expect(2).says(&["two of the pipelines are called `watched`"]);

    let arguments = [&["other.toml"][..], &QUICK].concat();
    let mut watching = Watching::start(&project, &arguments, &[]);
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    project.write("others/b.vcf", drop_text(1..6).as_bytes());
    project.write("others/bad.vcf", b"nonsense\n");
    watching.until_drops(&[("a", "loaded"), ("b", "loaded"), ("bad", "set_aside")]);
    let second = watching.get("/api/drops?pipeline=second").json();
    assert!(second.as_array().is_some_and(|drops| drops.iter().all(|drop| drop["pipeline"] == "second")), "{second}");
    assert_eq!(watching.get("/api/graph?pipeline=second").json()["pipeline"], "second");
    let metrics = watching.get("/metrics").body;
    for name in ["watched", "second"] {
        assert!(metrics.contains(&format!("vardelta_epoch{{pipeline=\"{name}\"}} 1\n")), "{metrics}");
    }
    assert!(watching.end("TERM").success());

    let lines: Vec<serde_json::Value> = watching
        .stderr()
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("ending vardelta"))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    let aside = of("set_aside");
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(
        (&aside[0]["pipeline"], &aside[0]["drop"], &aside[0]["stage"], &aside[0]["attempts"], &aside[0]["status"]),
        (&"second".into(), &"bad".into(), &"calls".into(), &1.into(), &"waiting".into())
    );
    assert_eq!(of("committed").len(), 2);
}
