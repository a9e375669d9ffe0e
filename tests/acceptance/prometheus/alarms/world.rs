//! Two pipelines, the three servers of Prometheus, and whoever hears: all real but for the service, the mailbox and the channel.
//!
//! `clinic` is watched, and its state lies on a small disk of its own; `nightly` is run again and again, as a timer would.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use vardelta_tests::{binary::binary, process::until, project::Project, watching::Watching};

use super::{
    super::{servers::Server, tool},
    people::People,
    service::Service,
    shortened,
};

/// The longest that anything may take. It is waited for no longer than it does take.
const PATIENCE: Duration = Duration::from_secs(150);
/// How often a file comes, and the timer runs out.
const BEAT: Duration = Duration::from_secs(2);

/// Where the state of `clinic` lies.
const DISK: &str = "disk";
/// The disk's size in megabytes.
const DISK_MB: usize = 64;

/// All of it.
pub struct World {
    /// What the look-up of `clinic` asks.
    pub service: Service,
    /// Whoever is notified.
    pub people: People,
    /// Whether the timer of `nightly` runs.
    pub is_run_nightly: bool,
    clinic: Project,
    nightly: Project,
    watching: Watching,
    prometheus: Server,
    _servers: [Server; 2],
    delivered: usize,
    beaten: Instant,
}

fn pipeline(name: &str, more: &str) -> String {
    format!(
        r#"
[pipeline]
name = "{name}"
max_reject_share = 1.0
{more}
[stages.calls]
type = "vcf"
path = "drops/*.vcf"

[stages.alleles]
type = "normalize"
input = "calls"

[stages.variants]
type = "table"
input = "alleles"
key = ["chrom", "pos", "ref", "alt"]

[stages.warehouse]
type = "sqlite"
path = "{name}.sqlite"
"#
    )
}

impl World {
    /// Starts everything; `None`, said aloud, where one of the tools is not there.
    pub fn start(what: &str) -> Option<World> {
        let [prometheus, alertmanager, gateway] =
            [tool(what, "prometheus")?, tool(what, "prometheus-alertmanager")?, tool(what, "prometheus-pushgateway")?];
        let service = Service::start();
        let looked_up = format!(
            "tables = [\"variants\", \"facts\"]\n\n[stages.facts]\ntype = \"lookup\"\ninput = \"variants\"\nkey = \"chrom\"\nurl = \"{}\"\n\
             retries = 0\ndeadline = \"30s\"\nrows = \"$\"\n[stages.facts.columns]\nfact = {{ path = \"$.fact\" }}\n",
            service.url()
        );
        let clinic = Project::new(&(pipeline("clinic", &format!("state_dir = \"{DISK}/state\"")) + &looked_up));
        std::fs::create_dir(clinic.path(DISK)).expect("a folder can be made");
        let watching = watch_with_a_small_disk(&clinic);

        let people = People::start(&clinic);
        let alertmanager = Server::run(
            Command::new(alertmanager)
                .arg(format!("--config.file={}", clinic.path("alertmanager.yml").display()))
                .arg(format!("--storage.path={}", clinic.path("alertmanager").display()))
                .arg("--cluster.listen-address=")
                // Whose certificates it trusts.
                .env("SSL_CERT_FILE", clinic.path("certificate.pem")),
            &clinic,
            "alertmanager",
        );
        let gateway = Server::start(&gateway, &clinic, "pushgateway", &[]);
        let pushed = format!("\n[operate]\npush_gateway = \"http://{}\"\n", gateway.address);
        let nightly = Project::new(&(pipeline("nightly", "") + "tables = [\"variants\"]\n" + &pushed));
        nightly.write_drop("first", "", &["1 5 . A C 9 PASS ."]);

        clinic.write("alerts.yml", shortened::rules().as_bytes());
        let configuration = shortened::prometheus(&watching.address(), &gateway.address, &alertmanager.address);
        let configuration = clinic.write("prometheus.yml", configuration.as_bytes());
        let arguments = [
            format!("--config.file={}", configuration.display()),
            format!("--storage.tsdb.path={}", clinic.path("prometheus").display()),
        ];
        let prometheus = Server::start(&prometheus, &clinic, "prometheus", &arguments);
        until("Prometheus has seen that nothing was counted yet", || {
            prometheus.series("vardelta_records_total{pipeline=\"clinic\",outcome=\"rejected\"} == 0") == 1
        });
        Some(World {
            service,
            people,
            is_run_nightly: true,
            clinic,
            nightly,
            watching,
            prometheus,
            _servers: [alertmanager, gateway],
            delivered: 0,
            beaten: Instant::now() - BEAT,
        })
    }

    /// Waits until something is so, while files come and the timer runs.
    #[track_caller]
    pub fn until(&mut self, what: &str, holds: impl Fn(&World) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(
                started.elapsed() < PATIENCE,
                "{what}: not within {PATIENCE:?}\nSlack: {:#?}\nmails: {:#?}\nPrometheus: {:?}\n{}",
                self.people.in_slack(),
                self.people.by_mail(),
                self.prometheus.get("/api/v1/alerts"),
                self.watching.stderr()
            );
            self.beat();
            std::thread::sleep(Duration::from_millis(50));
        }
        eprintln!("{what}: after {:.1} s", started.elapsed().as_secs_f64());
    }

    /// What happens anyway, from time to time: a file comes for `clinic` once the one before is loaded, and `nightly` is run.
    fn beat(&mut self) {
        if self.beaten.elapsed() < BEAT {
            return;
        }
        self.beaten = Instant::now();
        let is_loaded = |name: &str| self.watching.states().get(name).is_some_and(|state| state == "loaded");
        if self.delivered == 0 || is_loaded(&format!("d{}", self.delivered)) {
            self.deliver(&["6 . A C 9 PASS ."]);
        }
        if self.is_run_nightly {
            // Whether it is good is for the alerts to tell.
            let _ = self.nightly.vardelta("run", &[]);
        }
    }

    /// Delivers a file with these records, on a chromosome of its own, whose fact nobody has looked up yet.
    pub fn deliver(&mut self, records: &[&str]) {
        self.delivered += 1;
        let records: Vec<String> = records.iter().map(|record| format!("{} {record}", self.delivered)).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        self.clinic.write_drop(&format!("d{}", self.delivered), "", &records);
    }

    /// How many series an expression yields in Prometheus now.
    pub fn series(&self, expression: &str) -> usize {
        self.prometheus.series(expression)
    }

    /// A file that is none, among those of a pipeline.
    pub fn bad_file(&self, pipeline: &str) -> PathBuf {
        let project = if pipeline == "clinic" { &self.clinic } else { &self.nightly };
        project.path("drops/bad.vcf")
    }

    /// A file on the small disk, as the watching process sees it.
    pub fn on_disk(&self, name: &str) -> PathBuf {
        let folder = self.clinic.path(DISK);
        let folder = folder.strip_prefix("/").unwrap_or(&folder);
        Path::new("/proc").join(self.watching.child().id().to_string()).join("root").join(folder).join(name)
    }

    /// What takes all of the disk but some megabytes.
    pub fn filling() -> Vec<u8> {
        vec![1; (DISK_MB - 12) << 20]
    }

    /// How many messages there are of this title, by the channel and by mail.
    pub fn told(&self, title: &str) -> [usize; 2] {
        [self.people.in_slack(), self.people.by_mail()]
            .map(|titles| titles.iter().filter(|told| *told == title).count())
    }
}

/// Starts `watch`, with a disk that only it sees.
fn watch_with_a_small_disk(project: &Project) -> Watching {
    let script = format!(
        "mount -t tmpfs -o size={DISK_MB}m disk {DISK} && exec \"$0\" watch pipeline.toml --listen 127.0.0.1:0 --settle 50ms --every 200ms"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]).arg(binary()).current_dir(project.directory());
    Watching::run(&mut command, project)
}
