//! Connections as the HTTP library gets them: bounded in time, and with what was read of them already.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::mpsc::UnboundedReceiver,
    time::{Sleep, sleep},
};

use super::door::{Guest, Place};

/// How long a connection lives, at most: whoever sends a request byte by byte, or does not read the answer, is cut off.
const LIFETIME: Duration = Duration::from_secs(30);

/// What comes in by the door.
pub struct Guests {
    /// Where it listens.
    pub address: SocketAddr,
    /// As they come.
    pub guests: UnboundedReceiver<Guest>,
}

impl Listener for Guests {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.guests.recv().await {
                // One that the runtime does not take is closed.
                Some(guest) => {
                    if let Ok(accepted) = Connection::new(guest) {
                        return accepted;
                    }
                }
                // The door is shut; the server ends.
                None => std::future::pending().await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A connection that ends when its time is over.
pub struct Connection {
    stream: TcpStream,
    /// What was read of it already and is to be read again.
    ahead: Vec<u8>,
    deadline: Pin<Box<Sleep>>,
    _place: Place,
}

impl Connection {
    fn new(guest: Guest) -> io::Result<(Connection, SocketAddr)> {
        let Guest { stream, from, read: ahead, place } = guest;
        stream.set_nonblocking(true)?;
        // Answers are small and whole.
        stream.set_nodelay(true)?;
        let stream = TcpStream::from_std(stream)?;
        Ok((Connection { stream, ahead, deadline: Box::pin(sleep(LIFETIME)), _place: place }, from))
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        connection.is_over(context)?;
        if !connection.ahead.is_empty() {
            let count = connection.ahead.len().min(buffer.remaining());
            buffer.put_slice(&connection.ahead[..count]);
            connection.ahead.drain(..count);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut connection.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let connection = self.get_mut();
        connection.is_over(context)?;
        Pin::new(&mut connection.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        connection.is_over(context)?;
        Pin::new(&mut connection.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
