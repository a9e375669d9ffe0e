//! The HTTP server of `watch --listen`: threads of its own that read the [`Board`] and load nothing.
//!
//! `router.rs` has the list of addresses and is where pages are mounted; `auth.rs` decides who may see anything at all; `door.rs` and
//! `listener.rs` keep slow and many clients from mattering, and `probes.rs` answers at the door what is asked most often.

mod api;
mod auth;
mod door;
mod listener;
mod page;
mod pages;
mod probes;
mod query;
mod recent;
mod reply;
mod router;
mod served;
mod written;

use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs as _},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use vardelta_engine::error::{RunError, RunErrorKind};

use self::{auth::Gate, door::Door, listener::Guests, recent::Pages, served::Served, written::Written};
use crate::live::Board;

/// The environment variable that holds the token where no file does.
const TOKEN_VARIABLE: &str = "VARDELTA_TOKEN";
/// Characters of a token, at the least: fewer can be guessed.
const TOKEN_CHARACTERS_MIN: usize = 16;
/// Threads that wait for the database at the same time.
const WAITING_THREADS: usize = 4;
/// How long the server has for answers under way when it ends.
const FAREWELL: Duration = Duration::from_millis(500);

/// Where the server listens, and who may ask.
pub struct Address {
    /// The listening socket.
    listener: TcpListener,
    /// Where that is.
    pub address: SocketAddr,
    token: Option<String>,
}

fn usage(message: String) -> RunError {
    RunError::new(RunErrorKind::Usage, message)
}

/// Takes an address (`127.0.0.1:9464`, `localhost:0`, `:9464` for every address of the machine) to serve on. On an address that
/// other machines reach a token must be given.
///
/// # Errors
/// With the kind `usage` where the address is none, or foreign without a token; where it is taken already.
pub fn bind(listen: &str, token_file: Option<&Path>) -> Result<Address, RunError> {
    let token = token(token_file)?;
    let whole = if listen.starts_with(':') { format!("0.0.0.0{listen}") } else { listen.to_owned() };
    let unknown = |why: String| {
        usage(format!("`--listen {listen}` is no address: {why}"))
            .with_hint("Write an address and a port, such as `127.0.0.1:9464`.")
    };
    let addresses: Vec<SocketAddr> = whole.to_socket_addrs().map_err(|error| unknown(error.to_string()))?.collect();
    let Some(first) = addresses.first() else { return Err(unknown("the name has no address".into())) };
    if token.is_none() && addresses.iter().any(|address| !address.ip().is_loopback()) {
        return Err(usage(format!("{first} can be reached from other machines, and no token is given"))
            .with_hint(
                "Listen on 127.0.0.1, or give a token of 16 characters or more with `--token-file FILE` or in VARDELTA_TOKEN.",
            ));
    }
    let failed = |error: std::io::Error| {
        RunError::new(RunErrorKind::Usage, format!("cannot listen on {first}: {error}"))
            .with_hint("Choose another port; with port 0 the system chooses one.")
            .caused_by(error)
    };
    let listener = TcpListener::bind(&addresses[..]).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Address { listener, address, token })
}

/// The token that clients must show, if there is to be one.
fn token(file: Option<&Path>) -> Result<Option<String>, RunError> {
    let (text, place) = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                usage(format!("the token cannot be read from {}: {error}", file.display()))
                    .with_hint("Write the token into the file, on a line by itself.")
            })?;
            (text, file.display().to_string())
        }
        None => match std::env::var(TOKEN_VARIABLE) {
            Ok(text) => (text, TOKEN_VARIABLE.to_owned()),
            Err(_) => return Ok(None),
        },
    };
    let token = text.trim();
    if token.chars().count() < TOKEN_CHARACTERS_MIN || !token.chars().all(|letter| letter.is_ascii_graphic()) {
        return Err(usage(format!(
            "the token in {place} is not one of {TOKEN_CHARACTERS_MIN} or more letters, digits and signs"
        ))
        .with_hint("Make one with `openssl rand -hex 32`."));
    }
    Ok(Some(token.to_owned()))
}

/// The server's threads. They end when it is dropped.
pub struct Server {
    door: Option<Door>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Begins to serve.
///
/// # Errors
/// When the system gives no thread or no random numbers.
pub fn start(address: Address, board: Arc<Board>) -> Result<Server, RunError> {
    let failed = |what: &str| {
        let message = format!("cannot serve on {}: {what}", address.address);
        RunError::new(RunErrorKind::Sink, message)
    };
    let gate = Gate::new(address.token.clone()).map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(WAITING_THREADS)
        .thread_keep_alive(Duration::from_secs(10))
        .build()
        .map_err(|error| failed(&error.to_string()))?;
    let listener = address.listener.try_clone().map_err(|error| failed(&error.to_string()))?;
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (health, readyz, livez) = (Written::default(), Written::default(), Written::default());
    let served = Arc::new(Served { board, gate, pages: Pages::default(), health, readyz, livez });
    let router = router::router(Arc::clone(&served));
    let (door, guests) = tokio::sync::mpsc::unbounded_channel();
    let guests = Guests { address: address.address, guests };
    let thread = std::thread::Builder::new().name("http".into()).spawn(move || {
        runtime.block_on(async move {
            // A router by itself is built again for every connection, which costs more than the answer.
            let serving = axum::serve(guests, router.into_make_service());
            tokio::select! {
                // It only ends by being dropped.
                _ = serving.into_future() => {}
                _ = stopped => {}
            }
        });
        // Answers that wait for a database are not waited for.
        runtime.shutdown_timeout(FAREWELL);
    });
    let thread = thread.map_err(|error| failed(&error.to_string()))?;
    let mut server = Server { door: None, stop: Some(stop), thread: Some(thread) };
    server.door = Some(Door::open(listener, served, door).map_err(|error| failed(&error.to_string()))?);
    Ok(server)
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.door.take());
        if let Some(stop) = self.stop.take() {
            // A server that has ended by itself hears nothing.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
