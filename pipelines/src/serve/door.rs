//! Who comes in: a thread of its own takes connections, one after the other, as many as there are places for. It answers plain probes
//! itself ([`probes`]) and hands everybody else on to the HTTP library.

use std::{
    io::Read as _,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{JoinHandle, sleep},
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;

use super::{
    probes::{self, REQUEST_BYTES_MAX},
    served::Served,
};

/// Connections at the same time. One more is closed at once.
const CONNECTIONS_MAX: usize = 64;
/// How long to wait where the system has no room for a connection.
const PAUSE: Duration = Duration::from_millis(200);
/// How long to wait for what a client says first, while others wait too. A probe says it with its connection or right after.
const WORD_WITHIN: Duration = Duration::from_millis(2);

/// A connection that wants more than a probe does.
pub struct Guest {
    /// The connection.
    pub stream: TcpStream,
    /// Where it comes from.
    pub from: SocketAddr,
    /// What was read of it and is not answered.
    pub read: Vec<u8>,
    /// Its place, which is free again when this is dropped.
    pub place: Place,
}

/// One of the places that connections have.
pub struct Place(Arc<AtomicUsize>);

impl Place {
    /// `None` where all are taken.
    fn take(taken: &Arc<AtomicUsize>) -> Option<Place> {
        let place = Place(Arc::clone(taken));
        (taken.fetch_add(1, Ordering::AcqRel) < CONNECTIONS_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The thread. Ends when it is dropped.
pub struct Door {
    address: SocketAddr,
    is_shut: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    /// Opens it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn open(listener: TcpListener, served: Arc<Served>, guests: UnboundedSender<Guest>) -> std::io::Result<Door> {
        let (address, is_shut) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&is_shut);
        let thread = std::thread::Builder::new().name("http-door".into()).spawn(move || {
            let taken = Arc::new(AtomicUsize::new(0));
            loop {
                let accepted = listener.accept();
                if seen.load(Ordering::Acquire) {
                    return;
                }
                match accepted {
                    Ok((stream, from)) => {
                        let guest = Place::take(&taken).and_then(|place| receive(stream, from, place, &served));
                        // Where nobody takes it the server ends.
                        let _ = guest.map(|guest| guests.send(guest));
                    }
                    // No file handle is left, or the client is gone again.
                    Err(_) => sleep(PAUSE),
                }
            }
        })?;
        Ok(Door { address, is_shut, thread: Some(thread) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.is_shut.store(true, Ordering::Release);
        // It waits for somebody to come. Where nobody can, because the address is gone, it is left to end with the process.
        let has_come = TcpStream::connect_timeout(&self.address, PAUSE).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| has_come) {
            let _ = thread.join();
        }
    }
}

/// Hears what a client says first and answers it, if that is a plain probe; else, and where more may come, the client is a guest.
fn receive(mut stream: TcpStream, from: SocketAddr, place: Place, served: &Served) -> Option<Guest> {
    let mut bytes = [0; REQUEST_BYTES_MAX];
    stream.set_read_timeout(Some(WORD_WITHIN)).ok()?;
    let count = match stream.read(&mut bytes) {
        Ok(0) => return None,
        Ok(count) => count,
        // It takes its time.
        Err(_) => 0,
    };
    let answered = probes::answer(&bytes[..count], &mut stream, served).ok()?;
    let read = bytes[answered.bytes..count].to_vec();
    (!answered.is_last).then_some(Guest { stream, from, read, place })
}
