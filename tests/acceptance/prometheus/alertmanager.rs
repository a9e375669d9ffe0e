//! Six pipelines, each broken in its own way, under the shipped rules and routes in a real Prometheus and Alertmanager: the right
//! alert comes once, where it belongs, and is resolved once. Only times and limits are others, since nobody waits an hour.

use std::path::Path;

use vardelta_tests::{
    mail_sink::MailSink,
    process::{signal, until},
    project::Project,
    watching::Watching,
    web_sink::WebSink,
};

use super::{servers::Server, shipped, text_of, tool};

/// The pipelines, and what each is broken by.
const ALERTS: [(&str, &str, &str); 6] = [
    ("failing", "critical", "failing: the last run failed"),
    ("full", "critical", "are free where its state lies"),
    ("slow", "warning", "slow: runs take"),
    ("rejecting", "warning", "of the last hour's records were rejected"),
    ("asking", "warning", "asked for got no answer"),
    ("wording", "warning", "a vocabulary has a term that vardelta does not know"),
];

/// The shipped rules with windows of seconds instead of hours. What is of other pipelines' speed and disk is left out.
fn rules(disk_limit: &str) -> String {
    let mut rules = text_of("alerts.yml");
    let of_slow = |name: &str| format!("vardelta_run_duration_seconds_{name}{{pipeline=\"slow\"}}");
    for (shipped, here) in [
        ("vardelta_run_duration_seconds_sum[", format!("{}[", of_slow("sum"))),
        ("vardelta_run_duration_seconds_count[", format!("{}[", of_slow("count"))),
        ("[7d] offset 1h", "[2m] offset 10s".into()),
        ("[1h]", "[10s]".into()),
        (") > 60\n", ") > 0\n".into()),
        (
            "expr: vardelta_disk_free_bytes < 10e9\n        for: 5m",
            format!("expr: vardelta_disk_free_bytes{{pipeline=\"full\"}} < {disk_limit}"),
        ),
    ] {
        assert!(rules.contains(shipped), "the shipped rules have `{shipped}`");
        rules = rules.replace(shipped, &here);
    }
    rules
}

/// The shipped routes to sinks of ours, without waiting for minutes.
fn routes(project: &Project, slack: &WebSink, mail: &MailSink) -> String {
    let webhook = project.write("slack_webhook", slack.url("/services/x").as_bytes());
    let password = project.write("smtp_password", b"hush");
    let mut routes = text_of("alertmanager.yml");
    for (shipped, here) in [
        ("/etc/alertmanager/slack_webhook", webhook.display().to_string()),
        ("/etc/alertmanager/smtp_password", password.display().to_string()),
        ("\"smtp.example.org:587\"", format!("\"127.0.0.1:{}\"\n  smtp_require_tls: false", mail.port())),
        ("group_wait: 30s", "group_wait: 1s".into()),
        ("group_interval: 5m", "group_interval: 2s".into()),
    ] {
        assert!(routes.contains(shipped), "the shipped routes have `{shipped}`");
        routes = routes.replace(shipped, &here);
    }
    routes
}

fn pipeline(name: &str) -> String {
    let (lookup, table) = match name {
        "asking" => (
            "[stages.facts]\ntype = \"lookup\"\ninput = \"variants\"\nkey = \"chrom\"\nurl = \"http://127.0.0.1:9/facts?q={key}\"\nretries = \
             0\ndeadline = \"1s\"\nrows = \"$\"\n[stages.facts.columns]\nfact = { path = \"$.fact\" }\n",
            ", \"facts\"",
        ),
        _ => ("", ""),
    };
    format!(
        "[pipeline]\nname = \"{name}\"\nmax_reject_share = 1.0\n[stages.calls]\ntype = \"vcf\"\npath = \"{name}/*.vcf\"\ninfo = [\"CLNSIG\"]\n\
         [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n[stages.classified]\ntype = \"select\"\ninput = \"alleles\"\n\
         [stages.classified.columns]\nchrom = \"chrom\"\npos = \"pos\"\nref = \"ref\"\nalt = \"alt\"\nclinical_rank = \"clinvar_rank(info_clnsig)\"\n\
         [stages.variants]\ntype = \"table\"\ninput = \"classified\"\nkey = [\"chrom\", \"pos\", \"ref\", \"alt\"]\n{lookup}\
         [stages.warehouse]\ntype = \"sqlite\"\npath = \"{name}.sqlite\"\ntables = [\"variants\"{table}]\n[operate.health]\ndisk_free_gb = 0\n"
    )
}

/// Writes a drop of so many records of a chromosome, with as many that are rejected, and this word of ClinVar's.
fn deliver(project: &Project, name: &str, number: usize, (records, bad): (usize, usize), word: &str) {
    let good = (1..=records).map(|at| format!("{number}\t{at}\t.\tA\tC\t9\tPASS\tCLNSIG={word}\n"));
    let bad = (0..bad).map(|_| format!("{number}\tx\t.\tA\tC\t9\tPASS\t.\n"));
    let head = "##fileformat=VCFv4.2\n##INFO=<ID=CLNSIG,Number=.,Type=String,Description=\"x\">\n\
                #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let text: String = std::iter::once(head.to_owned()).chain(good).chain(bad).collect();
    project.write("incoming", text.as_bytes());
    std::fs::rename(project.path("incoming"), project.path(&format!("{name}/d{number}.vcf"))).expect("a rename");
}

#[test]
fn six_broken_pipelines_fire_the_right_alert_once_and_resolve_it() {
    let what = "alerts of a real Prometheus and Alertmanager";
    let (Some(prometheus), Some(alertmanager)) = (tool(what, "prometheus"), tool(what, "prometheus-alertmanager"))
    else {
        return;
    };
    assert!(shipped("alertmanager.yml").is_file());
    let (slack, mail) = (WebSink::start(), MailSink::start());
    let project = Project::new(&pipeline(ALERTS[0].0));
    for (name, ..) in ALERTS {
        std::fs::create_dir(project.path(name)).expect("a folder can be made");
        project.write(&format!("{name}.toml"), pipeline(name).as_bytes());
    }
    let others: Vec<String> = ALERTS[1..].iter().map(|(name, ..)| format!("{name}.toml")).collect();
    let quick = ["--settle", "50ms", "--every", "100ms", "--listen", "127.0.0.1:0"];
    let arguments: Vec<&str> = others.iter().map(String::as_str).chain(quick).collect();
    let watching = Watching::start(&project, &arguments, &[]);

    let configuration = project.write("alertmanager.yml", routes(&project, &slack, &mail).as_bytes());
    let manager_arguments = [
        format!("--config.file={}", configuration.display()),
        format!("--storage.path={}", project.path("alertmanager").display()),
        "--cluster.listen-address=".to_owned(),
    ];
    let manager = Server::start(&alertmanager, &project, "alertmanager", &manager_arguments);
    // A disk has more than a byte.
    let rules_file = project.write("rules.yml", rules("1").as_bytes());
    let server = Server::prometheus(&prometheus, &project, &watching.address(), &rules_file, Some(&manager.address));

    // All is well, and every series begins: a reject, a word and an unanswered key that were there before anybody counted are no
    // increase. Four runs are what slow ones are compared with.
    for number in 1..=4 {
        for (name, ..) in ALERTS {
            let bad = usize::from(name == "rejecting" && number == 1);
            let word = if name == "wording" && number == 1 { "Brand_new" } else { "Benign" };
            deliver(&project, name, number, (3, bad), word);
        }
        let loaded = format!("count(vardelta_epoch == {number}) == {}", ALERTS.len());
        until(&format!("drop {number} of all is loaded and scraped"), || server.series(&loaded) == 1);
    }
    // What began lies behind the windows; only then is anything broken.
    until("the series are older than the windows", || {
        let of_slow = "increase(vardelta_run_duration_seconds_count{pipeline=\"slow\"}[2m] offset 10s) > 0";
        server.series(of_slow) == 1 && server.series("ALERTS{alertstate=\"firing\"}") == 0
    });
    let before = (slack.posted().len(), mail.mails().len());

    project.write("failing/bad.vcf", b"nonsense\n");
    deliver(&project, "slow", 5, (60_000, 0), "Benign");
    deliver(&project, "rejecting", 5, (3, 3), "Benign");
    deliver(&project, "asking", 5, (3, 0), "Benign");
    deliver(&project, "wording", 5, (3, 0), "Brand_new");
    reload(&server, &rules_file, &rules("1e18"));
    let told = |name: &str, state: &str| {
        let title = format!("{state}: {name}");
        slack.posted().iter().filter(|posted| posted.body.contains(&title)).cloned().collect::<Vec<_>>()
    };
    for (name, _, words) in ALERTS {
        until(&format!("{name} fires"), || !told(name, "FIRING").is_empty());
        assert!(told(name, "FIRING")[0].body.contains(words), "{name}: {:?}", told(name, "FIRING"));
    }

    // The trouble ends.
    std::fs::remove_file(project.path("failing/bad.vcf")).expect("it can be removed");
    deliver(&project, "failing", 6, (3, 0), "Benign");
    reload(&server, &rules_file, &rules("1"));
    for (name, severity, _) in ALERTS {
        until(&format!("{name} is resolved"), || !told(name, "RESOLVED").is_empty());
        assert_eq!((told(name, "FIRING").len(), told(name, "RESOLVED").len()), (1, 1), "{name}: {:?}", slack.posted());
        let of = |state: &str| {
            let subject = format!("Subject: {state}: ");
            let is_of = |line: &str| line.starts_with(&subject) && line.trim_end().ends_with(&format!(" {name}"));
            mail.mails().iter().filter(|mail| mail.text.lines().any(is_of)).count()
        };
        let wanted = usize::from(severity == "critical");
        until(&format!("the mails of {name} are there"), || of("RESOLVED") >= wanted);
        assert_eq!((of("FIRING"), of("RESOLVED")), (wanted, wanted), "{name}: {:?}", mail.mails());
    }
    assert_eq!(before, (0, 0), "nothing was told while all was well");
}

/// Has it take other rules.
fn reload(server: &Server, file: &Path, text: &str) {
    std::fs::write(file, text).expect("a file can be written");
    signal(&server.child, "HUP");
}

#[test]
fn a_real_pushgateway_keeps_the_last_success_of_a_run_that_failed() {
    let what = "a real Pushgateway";
    let Some(gateway) = tool(what, "prometheus-pushgateway") else { return };
    let project = Project::new("");
    let gateway = Server::start(&gateway, &project, "pushgateway", &[]);
    let text = pipeline("pushed").replace(
        "[operate.health]",
        &format!("[operate]\npush_gateway = \"http://{}\"\n[operate.health]", gateway.address),
    );
    project.write("pipeline.toml", text.as_bytes());
    std::fs::create_dir(project.path("pushed")).expect("a folder can be made");
    deliver(&project, "pushed", 1, (3, 0), "Benign");
    let said = project.vardelta("run", &[]).expect(0);
    assert!(!said.stderr.contains("notice"), "{}", said.stderr);
    let value = |name: &str| -> f64 {
        let (_, body) = gateway.get("/metrics").expect("an answer");
        let line =
            body.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains("pipeline=\"pushed\""));
        let line = line.unwrap_or_else(|| panic!("{name}: {body}"));
        assert!(line.contains("job=\"vardelta\""), "{line}");
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
    };
    let success = value("vardelta_last_success_timestamp_seconds");
    assert_eq!((value("vardelta_last_run_status"), value("vardelta_epoch")), (1.0, 1.0));
    project.write("pushed/bad.vcf", b"nonsense\n");
    project.vardelta("run", &[]).expect(4);
    assert_eq!(value("vardelta_last_run_status"), 0.0);
    assert_eq!(value("vardelta_last_success_timestamp_seconds"), success);
}
