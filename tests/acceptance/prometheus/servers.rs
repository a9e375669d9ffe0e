//! Prometheus, Alertmanager and the Pushgateway, under way beside a test.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use vardelta_tests::{process::until, project::Project, watching::ask};

/// A server under way; killed when it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a tool on a port of its own and waits until it is ready; `name` is that of its log.
    pub fn start(tool: &Path, project: &Project, name: &str, arguments: &[String]) -> Server {
        Server::run(Command::new(tool).args(arguments), project, name)
    }

    /// The same with whatever else the command is given.
    pub fn run(command: &mut Command, project: &Project, name: &str) -> Server {
        let log = project.path(&format!("{name}.log"));
        let child = command
            .arg("--web.listen-address=127.0.0.1:0")
            .current_dir(project.directory())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a file can be made"))
            .spawn()
            .expect("the tool can be started");
        let mut server = Server { child, address: String::new() };
        until(&format!("{name} says where it listens"), || {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let line = said.lines().find(|line| line.contains("Listening on"));
            let address =
                line.and_then(|line| line.split("address=").nth(1)).and_then(|rest| rest.split_whitespace().next());
            server.address = address.unwrap_or_default().trim_matches('"').to_owned();
            !server.address.is_empty()
        });
        until(&format!("{name} is ready"), || server.get("/-/ready").is_some_and(|(code, _)| code == 200));
        server
    }

    /// Starts a Prometheus that scrapes an address every second, by these rules.
    pub fn prometheus(tool: &Path, project: &Project, target: &str, rules: &Path) -> Server {
        let configuration = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [\"{}\"]\nscrape_configs:\n  - job_name: vardelta\n    static_configs: [{{ targets: [\"{target}\"] }}]\n",
            rules.display()
        );
        let configuration = project.write("prometheus.yml", configuration.as_bytes());
        let arguments = [
            format!("--config.file={}", configuration.display()),
            format!("--storage.tsdb.path={}", project.path("prometheus").display()),
        ];
        Server::start(tool, project, "prometheus", &arguments)
    }

    /// Asks it.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let answer = ask(&self.address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"), "")?;
        Some((answer.code, answer.body))
    }

    /// How many series an expression yields now.
    pub fn series(&self, expression: &str) -> usize {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let (code, body) = self.get(&format!("/api/v1/query?query={encoded}")).expect("an answer");
        assert_eq!(code, 200, "{expression}: {body}");
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        answer["data"]["result"].as_array().expect("a vector").len()
    }
}
