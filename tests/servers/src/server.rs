//! One server: its directory, its process, and databases in it.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use mysql::{Conn, Opts, OptsBuilder, prelude::Queryable};

use crate::{Flavor, binaries, database_name, guard::guarded};

/// The user that vardelta connects as in tests. It has the rights that the README asks for, on databases whose names
/// begin with `vardelta_`, and no others.
pub const USER: &str = "loader";
/// A password that must never be printed, with a character that a URL has to encode.
const PASSWORD: &str = "hush:hush";
/// The same as a URL writes it.
const PASSWORD_IN_URL: &str = "hush%3Ahush";

/// The rights that a load needs.
const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES";

/// How long a server may take to start, to recover after a kill included.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// Ends the server and removes its directory when standard input ends, which it does when the test process ends.
/// Arguments: the directory to remove, then the server's command line.
const SUPERVISOR: &str = r#"directory=$1; shift; "$@" </dev/null >/dev/null 2>&1 & echo $!; cat >/dev/null; kill -9 $! 2>/dev/null; wait; [ -z "$directory" ] || rm -rf "$directory""#;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether the server takes `LOAD DATA LOCAL`.
    pub local_infile: bool,
    /// More arguments for the server.
    pub arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options { local_infile: true, arguments: Vec::new() }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Which one it is.
    pub flavor: Flavor,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its data directory, socket and log are in here.
    directory: PathBuf,
    command: Vec<String>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    supervisor: Child,
    pid: u32,
}

impl Server {
    /// Makes a data directory and starts a server on it.
    ///
    /// # Errors
    /// When none is installed or it does not start, with the end of its log.
    pub fn start(flavor: Flavor, options: &Options) -> Result<Server, String> {
        let binary = binaries::find(flavor)?;
        let directory = tempfile::Builder::new().prefix("vardelta-server-").tempdir().map_err(text)?.keep();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(text)?.port();
        let server = Server {
            flavor,
            port,
            command: command(flavor, binary, &directory, port, options),
            directory,
            running: Mutex::new(None),
        };
        server.initialize(binary)?;
        server.launch()?;
        server.make_user().map_err(|error| format!("{flavor}: {error}"))?;
        Ok(server)
    }

    /// The URL of a database, as [`USER`]. It holds a password.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/{database}", self.port)
    }

    /// The same through another port: a proxy's.
    pub fn url_at(&self, port: u16, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{port}/{database}")
    }

    /// What must appear in no output.
    pub fn secrets() -> [&'static str; 2] {
        [PASSWORD, PASSWORD_IN_URL]
    }

    /// The server's Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("s")
    }

    /// The server's process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|running| running.pid)
    }

    /// Makes an empty database and returns its name.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn new_database(&self) -> String {
        let name = database_name();
        self.root().query_drop(format!("CREATE DATABASE {name}")).expect("a database can be made");
        name
    }

    /// Connects as the administrator, to no database.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn root(&self) -> Conn {
        self.try_root().expect("the administrator can connect")
    }

    /// Connects as the administrator to a database.
    ///
    /// # Panics
    /// When the server does not answer or there is no such database.
    pub fn root_in(&self, database: &str) -> Conn {
        let mut connection = self.root();
        connection.query_drop(format!("USE `{database}`")).expect("the database is there");
        connection
    }

    /// Kills the server as a power cut would (SIGKILL). [`Server::start_again`] brings it back.
    pub fn kill(&self) {
        if let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() {
            end(running);
        }
    }

    /// Starts a killed server on the same data, with the same port, and waits until it answers.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&self) {
        self.launch().expect("the server starts again");
    }

    fn try_root(&self) -> mysql::Result<Conn> {
        let options = OptsBuilder::new().user(Some("root")).socket(self.socket().to_str()).prefer_socket(true);
        Conn::new(Opts::from(options))
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn initialize(&self, binary: &Path) -> Result<(), String> {
        let data = format!("--datadir={}", self.data().display());
        let mut command = match self.flavor {
            Flavor::MariaDb => {
                let mut command = Command::new("mariadb-install-db");
                command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
                command
            }
            Flavor::MySql => {
                let mut command = Command::new(binary);
                command.args(["--no-defaults", "--initialize-insecure"]);
                command
            }
        };
        if is_root() {
            command.arg("--user=root");
        }
        let temporary = self.directory.join("tmp");
        fs::create_dir(&temporary).map_err(text)?;
        command.env("TMPDIR", &temporary).arg(data);
        let (succeeded, said) =
            guarded(&self.directory, &command).map_err(|error| format!("{}: {error}", self.flavor))?;
        match succeeded {
            true => Ok(()),
            false => Err(format!("{}: the data directory cannot be made: {said}", self.flavor)),
        }
    }

    fn launch(&self) -> Result<(), String> {
        let mut slot = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(slot.is_none(), "the server is running");
        // A group of its own: Ctrl-C at the test's terminal reaches the server through the pipe alone.
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(&self.directory)
            .args(&self.command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(text)?;
        let mut line = String::new();
        let output = supervisor.stdout.take().ok_or("the supervisor has no output")?;
        BufReader::new(output).read_line(&mut line).map_err(text)?;
        let pid = line.trim().parse().map_err(|_| format!("the supervisor said {line:?}"))?;
        *slot = Some(Running { supervisor, pid });
        drop(slot);
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let failure = match self.try_root() {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if Instant::now() > deadline || !Path::new(&format!("/proc/{pid}")).exists() {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(20).collect();
                let last: Vec<&str> = last.into_iter().rev().collect();
                return Err(format!("{} does not answer ({failure}); its log ends:\n{}", self.flavor, last.join("\n")));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Gives the user the right that `on_delete = "mark"` needs beside the others.
    pub fn allow_views(&self, database: &str) {
        self.allow_also("CREATE VIEW", database);
    }

    /// Gives the user the right to put keys into temporary tables beside the others.
    pub fn allow_temporary_tables(&self, database: &str) {
        self.allow_also("CREATE TEMPORARY TABLES", database);
    }

    /// Gives the user the right to see triggers beside the others.
    pub fn allow_triggers(&self, database: &str) {
        self.allow_also("TRIGGER", database);
    }

    fn allow_also(&self, right: &str, database: &str) {
        // A server looks at one grant alone, the one whose name says most.
        let database = database.replace('_', "\\_");
        let grant = format!("GRANT {RIGHTS}, {right} ON `{database}`.* TO '{USER}'@'%'");
        self.root().query_drop(grant).expect("rights can be granted");
    }

    fn make_user(&self) -> mysql::Result<()> {
        let mut connection = self.try_root()?;
        connection.query_drop(format!("CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'"))?;
        connection.query_drop(format!("GRANT {RIGHTS} ON `vardelta\\_%`.* TO '{USER}'@'%'"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // The directory of a server that was killed and not started again is nobody's; a failure leaves a temporary file.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn command(flavor: Flavor, binary: &Path, directory: &Path, port: u16, options: &Options) -> Vec<String> {
    let mut command = vec![
        binary.display().to_string(),
        "--no-defaults".into(),
        format!("--datadir={}", directory.join("data").display()),
        format!("--socket={}", directory.join("s").display()),
        // A server that starts removes the temporary tables of others that share the directory.
        format!("--tmpdir={}", directory.join("tmp").display()),
        format!("--pid-file={}", directory.join("pid").display()),
        format!("--log-error={}", directory.join("log").display()),
        format!("--port={port}"),
        "--bind-address=127.0.0.1".into(),
        "--skip-name-resolve".into(),
        "--innodb-buffer-pool-size=256M".into(),
        "--innodb-flush-log-at-trx-commit=1".into(),
        "--max-allowed-packet=64M".into(),
        format!("--local-infile={}", u8::from(options.local_infile)),
    ];
    match flavor {
        Flavor::MariaDb => command.push("--innodb-log-file-size=128M".into()),
        Flavor::MySql => {
            command.extend(
                ["--innodb-redo-log-capacity=128M", "--mysqlx=OFF", "--disable-log-bin", "--secure-file-priv="]
                    .map(String::from),
            );
        }
    }
    if is_root() {
        command.push("--user=root".into());
    }
    command.extend(options.arguments.iter().cloned());
    command
}

/// The servers refuse to run as root unless told so.
fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"))
}

/// Kills the server, then lets the supervisor end without removing the directory, which a restart needs.
fn end(mut running: Running) {
    let killed = Command::new("kill").args(["-9", &running.pid.to_string()]).status();
    debug_assert!(killed.is_ok());
    // The supervisor is killed before its pipe closes: it would remove the data.
    let _ = running.supervisor.kill();
    let _ = running.supervisor.wait();
    if let Some(mut pipe) = running.supervisor.stdin.take() {
        let _ = pipe.flush();
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while Path::new(&format!("/proc/{}", running.pid)).exists() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
