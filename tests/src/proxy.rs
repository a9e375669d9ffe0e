//! A proxy between vardelta and its server that understands just enough of the protocol to cut the connection at the
//! worst moment. Connections must not be encrypted.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The command byte of a statement sent as text.
const COM_QUERY: u8 = 3;
/// Bytes of the longest packet that is looked into.
const PACKET_BYTES: usize = 64;
/// Bytes of a packet's header: three of its length, and its number.
const HEADER_BYTES: usize = 4;

/// How often a COMMIT that is held back is looked after.
const GLANCE: Duration = Duration::from_millis(2);

/// What happens to the connection, once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// Nothing.
    Never,
    /// COMMIT does not reach the server.
    BeforeCommit,
    /// COMMIT reaches the server, and the connection is gone at once.
    WithCommit,
    /// COMMIT reaches the server, which answers; the answer does not come back.
    AfterCommit,
    /// COMMIT is held back until [`Proxy::let_in`], whether or not its sender still lives.
    LateCommit,
    /// The connection is gone after this many bytes of both directions.
    AfterBytes(u64),
}

/// A running proxy.
pub struct Proxy {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    server_port: u16,
    cut: Mutex<Cut>,
    /// Whether nobody is let in after the cut.
    stays_down: AtomicBool,
    bytes: AtomicU64,
    /// Whether what `cut` says has happened, or is happening.
    happened: AtomicBool,
    ended: AtomicBool,
}

impl Proxy {
    /// Starts a proxy for the server at a port. After the cut it lets connections through again, unless it stays down.
    pub fn start(server_port: u16, cut: Cut, stays_down: bool) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        let shared = Arc::new(Shared {
            server_port,
            cut: Mutex::new(cut),
            stays_down: AtomicBool::new(stays_down),
            bytes: AtomicU64::new(0),
            happened: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, &shared))
        };
        Proxy { port, shared, accepting: Some(accepting) }
    }

    /// Whether the cut has happened; of a late COMMIT, whether it is being held back.
    pub fn happened(&self) -> bool {
        self.shared.happened.load(Ordering::SeqCst)
    }

    /// From now on this is what happens, once.
    pub fn cut_next(&self, cut: Cut) {
        *self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner) = cut;
    }

    /// Lets connections through again, and a COMMIT that was held back.
    pub fn let_in(&self) {
        self.shared.stays_down.store(false, Ordering::SeqCst);
    }

    /// Bytes that went through, in both directions.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        if shared.stays_down.load(Ordering::SeqCst) && shared.happened.load(Ordering::SeqCst) {
            continue;
        }
        // A server that is down is for the client to see.
        let Ok(server) = TcpStream::connect(("127.0.0.1", shared.server_port)) else { continue };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let both = Arc::new(Both { client, server, swallows: AtomicBool::new(false) });
        for direction in [to_server, to_client] {
            let (both, shared) = (Arc::clone(&both), Arc::clone(shared));
            thread::spawn(move || {
                // Either side that ends, or fails, ends both.
                let _ = direction(&both, &shared);
                both.cut();
            });
        }
    }
}

/// The two ends of a connection.
struct Both {
    client: TcpStream,
    server: TcpStream,
    /// Whether the server's next words are lost.
    swallows: AtomicBool,
}

impl Both {
    fn cut(&self) {
        let _ = (self.client.shutdown(Shutdown::Both), self.server.shutdown(Shutdown::Both));
    }
}

/// An end of a direction that the cut asks for, as an error.
fn cut_here() -> std::io::Error {
    std::io::Error::other("cut")
}

impl Shared {
    fn cut(&self) -> Cut {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of these bytes may pass; fewer than all at the place of the cut.
    fn let_through(&self, bytes: usize) -> (usize, bool) {
        let before = self.bytes.fetch_add(bytes as u64, Ordering::SeqCst);
        let Cut::AfterBytes(limit) = self.cut() else { return (bytes, false) };
        if self.happened.load(Ordering::SeqCst) || before + (bytes as u64) < limit {
            return (bytes, false);
        }
        self.happened.store(true, Ordering::SeqCst);
        (usize::try_from(limit.saturating_sub(before)).unwrap_or(bytes).min(bytes), true)
    }

    fn send(&self, bytes: &[u8], mut to: &TcpStream) -> std::io::Result<()> {
        let (passing, is_cut) = self.let_through(bytes.len());
        to.write_all(&bytes[..passing])?;
        if is_cut { Err(cut_here()) } else { Ok(()) }
    }

    /// Sends a COMMIT, or what the cut leaves of it.
    fn send_commit(&self, packet: &[u8], both: &Both) -> std::io::Result<()> {
        let cut = self.cut();
        let is_about_commit = !matches!(cut, Cut::Never | Cut::AfterBytes(_));
        if !is_about_commit || self.happened.swap(true, Ordering::SeqCst) {
            return self.send(packet, &both.server);
        }
        match cut {
            Cut::BeforeCommit => return Err(cut_here()),
            Cut::AfterCommit => both.swallows.store(true, Ordering::SeqCst),
            Cut::LateCommit => {
                while self.stays_down.load(Ordering::SeqCst) && !self.ended.load(Ordering::SeqCst) {
                    thread::sleep(GLANCE);
                }
            }
            Cut::Never | Cut::WithCommit | Cut::AfterBytes(_) => {}
        }
        self.send(packet, &both.server)?;
        if cut == Cut::WithCommit { Err(cut_here()) } else { Ok(()) }
    }
}

/// From the client to the server, packet by packet; what is long passes as it comes.
fn to_server(both: &Both, shared: &Shared) -> std::io::Result<()> {
    let (mut waiting, mut passing, mut buffer) = (Vec::new(), 0, [0; 64 * 1024]);
    loop {
        let read = (&both.client).read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        waiting.extend_from_slice(&buffer[..read]);
        while !waiting.is_empty() {
            if passing > 0 {
                let now = passing.min(waiting.len());
                shared.send(&waiting[..now], &both.server)?;
                waiting.drain(..now);
                passing -= now;
                continue;
            }
            if waiting.len() < HEADER_BYTES {
                break;
            }
            let length = HEADER_BYTES + u32::from_le_bytes([waiting[0], waiting[1], waiting[2], 0]) as usize;
            if length > PACKET_BYTES {
                passing = length;
            } else if waiting.len() < length {
                break;
            } else {
                let packet: Vec<u8> = waiting.drain(..length).collect();
                let is_commit = packet.get(HEADER_BYTES) == Some(&COM_QUERY) && packet.ends_with(b"COMMIT");
                if is_commit { shared.send_commit(&packet, both)? } else { shared.send(&packet, &both.server)? }
            }
        }
    }
}

fn to_client(both: &Both, shared: &Shared) -> std::io::Result<()> {
    let mut buffer = [0; 64 * 1024];
    loop {
        let read = (&both.server).read(&mut buffer)?;
        if read == 0 || both.swallows.load(Ordering::SeqCst) {
            return Ok(());
        }
        shared.send(&buffer[..read], &both.client)?;
    }
}
