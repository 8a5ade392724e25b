//! How many may be connected. When all slots are taken, a connection that does nothing with its own is closed for another.
//!
//! ```text
//! 1,000 connections that send their heads a byte at a time, and a browser  ──►  the oldest of them goes, the browser stays
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

/// A client that has not finished reading an answer after this long may be disconnected for others.
const SLOW: Duration = Duration::from_secs(10);

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It has not asked for anything yet.
    Nothing,
    /// It rests between two requests.
    Resting,
    /// It takes an answer.
    Taking,
    /// It waits for an answer, or is a socket.
    Working,
}

#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    places: usize,
    taken: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    last: u64,
    connections: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    doing: Activity,
    since: Instant,
    /// Requests of HTTP/2 that are being answered.
    requests: usize,
    task: Option<AbortHandle>,
}

/// One connection's place, until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    room: Arc<ConnectionLimit>,
    number: u64,
}

/// A request of HTTP/2 that is being answered.
pub(crate) struct RunningRequest<'p>(&'p ConnectionSlot);

impl ConnectionLimit {
    pub fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { places, taken: Mutex::default() })
    }

    /// A place for a connection, if one is free or some other connection can be closed for it.
    pub fn enter(self: &Arc<Self>) -> Option<ConnectionSlot> {
        let mut taken = self.taken();
        if taken.connections.len() >= self.places {
            let (_, _, number) = taken.connections.iter().filter_map(|(&number, one)| one.rank(number)).min()?;
            let gone = taken.connections.remove(&number)?;
            gone.task.inspect(AbortHandle::abort);
        }
        taken.last += 1;
        let number = taken.last;
        let connection = Connection { doing: Activity::Nothing, since: Instant::now(), requests: 0, task: None };
        taken.connections.insert(number, connection);
        Some(ConnectionSlot { room: self.clone(), number })
    }

    /// The task of a connection that has entered.
    pub fn note_task(&self, number: u64, task: AbortHandle) {
        if let Some(connection) = self.taken().connections.get_mut(&number) {
            connection.task = Some(task);
        }
    }

    fn taken(&self) -> MutexGuard<'_, Connections> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// How early the connection has to make room for others: the lowest rank goes first. `None` if it may stay.
    fn rank(&self, number: u64) -> Option<(usize, Instant, u64)> {
        self.task.as_ref()?;
        let rank = match self.doing {
            Activity::Nothing => 0,
            Activity::Resting => 1,
            Activity::Taking if self.since.elapsed() > SLOW => 2,
            Activity::Taking | Activity::Working => return None,
        };
        Some((rank, self.since, number))
    }
}

impl ConnectionSlot {
    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn is(&self, doing: Activity) {
        self.with(|connection| (connection.doing, connection.since) = (doing, Instant::now()));
    }

    pub fn asked(&self) -> RunningRequest<'_> {
        self.with(|connection| {
            connection.requests += 1;
            connection.doing = Activity::Working;
        });
        RunningRequest(self)
    }

    fn with(&self, change: impl FnOnce(&mut Connection)) {
        if let Some(connection) = self.room.taken().connections.get_mut(&self.number) {
            change(connection);
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.room.taken().connections.remove(&self.number);
    }
}

impl Drop for RunningRequest<'_> {
    fn drop(&mut self) {
        self.0.with(|connection| {
            connection.requests = connection.requests.saturating_sub(1);
            if connection.requests == 0 {
                // The answers are on their way, and HTTP/2 does not tell when the client has read them.
                (connection.doing, connection.since) = (Activity::Taking, Instant::now());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place whose connection runs until it is sent away.
    fn enter(room: &Arc<ConnectionLimit>, doing: Activity) -> Option<tokio::task::JoinHandle<()>> {
        let place = room.enter()?;
        place.is(doing);
        let number = place.number();
        let task = tokio::spawn(async move {
            let _place = place;
            std::future::pending().await
        });
        room.note_task(number, task.abort_handle());
        Some(task)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_nothing_makes_room_the_longest_first() {
        let room = ConnectionLimit::new(3);
        let resting = enter(&room, Activity::Resting).unwrap();
        let working = enter(&room, Activity::Working).unwrap();
        tokio::time::advance(Duration::from_millis(1)).await;
        let slow = enter(&room, Activity::Nothing).unwrap();
        let first = enter(&room, Activity::Working).unwrap();
        assert!(slow.await.unwrap_err().is_cancelled());
        let second = enter(&room, Activity::Taking).unwrap();
        assert!(resting.await.unwrap_err().is_cancelled());
        assert!(enter(&room, Activity::Working).is_none());
        tokio::time::advance(SLOW + Duration::from_millis(1)).await;
        assert!(enter(&room, Activity::Working).is_some());
        assert!(second.await.unwrap_err().is_cancelled());
        assert!(!working.is_finished() && !first.is_finished());
    }

    #[tokio::test]
    async fn a_place_is_free_when_its_connection_ends() {
        let room = ConnectionLimit::new(1);
        let place = room.enter().unwrap();
        assert!(room.enter().is_none(), "its task is not known yet");
        drop(place);
        assert!(room.enter().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_of_http2_works_as_long_as_one_request_does() {
        let room = ConnectionLimit::new(1);
        let place = room.enter().unwrap();
        room.note_task(place.number(), tokio::spawn(std::future::pending::<()>()).abort_handle());
        let (first, second) = (place.asked(), place.asked());
        drop(first);
        tokio::time::advance(SLOW * 2).await;
        assert!(room.enter().is_none());
        drop(second);
        tokio::time::advance(SLOW * 2).await;
        assert!(room.enter().is_some());
    }
}
