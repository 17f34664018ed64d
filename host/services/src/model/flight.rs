//! Single flight: of equal requests at one time, one is made, and all have its answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_plugin_api::Result;
use tokio::sync::Mutex as AsyncMutex;

use super::key::Key;

/// An answer on its way: whoever holds the lock makes the call.
type Flight<T> = Arc<AsyncMutex<Option<Result<T>>>>;

/// Requests under way.
pub(super) struct Flights<T> {
    under_way: Mutex<HashMap<Key, (Flight<T>, usize)>>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<T: Clone> Flights<T> {
    /// Makes the call, or waits for the one that is under way. The second value tells whether it waited. Where the one
    /// that makes the call is given up, the next takes it over.
    pub(super) async fn one<F: Future<Output = Result<T>>>(
        &self,
        key: Key,
        call: impl FnOnce() -> F,
    ) -> (Result<T>, bool) {
        let seat = self.join(key);
        let mut answer = seat.flight.lock().await;
        if let Some(answer) = &*answer {
            return (answer.clone(), true);
        }
        let made = call().await;
        *answer = Some(made.clone());
        (made, false)
    }

    fn join(&self, key: Key) -> Seat<'_, T> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let (flight, seats) = under_way.entry(key).or_default();
        *seats += 1;
        Seat { flights: self, key, flight: Arc::clone(flight) }
    }
}

/// A seat on a flight; the flight is forgotten with its last one.
struct Seat<'a, T> {
    flights: &'a Flights<T>,
    key: Key,
    flight: Flight<T>,
}

impl<T> Drop for Seat<'_, T> {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, seats)) = under_way.get_mut(&self.key) {
            *seats -= 1;
            if *seats == 0 {
                under_way.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use jackfield_plugin_api::Completion;

    use super::*;

    #[tokio::test]
    async fn a_thousand_equal_requests_make_one_call() {
        let (flights, calls) = (Flights::default(), AtomicU32::new(0));
        let one = || {
            flights.one([1; 32], || async {
                calls.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(Completion { text: "yes".to_owned(), ..Completion::default() })
            })
        };
        let answers = futures::future::join_all((0..1000).map(|_| one())).await;
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(answers.iter().filter(|(_, waited)| *waited).count(), 999);
        assert!(answers.iter().all(|(answer, _)| answer.as_ref().is_ok_and(|answer| answer.text == "yes")));
        assert!(flights.under_way.lock().expect("no panic").is_empty());
    }

    #[tokio::test]
    async fn a_flight_that_is_given_up_is_taken_over() {
        let flights = Flights::default();
        let lost = flights.one([1; 32], || async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(Completion::default())
        });
        let first = tokio::time::timeout(Duration::from_millis(5), lost);
        let second =
            flights.one([1; 32], || async { Ok(Completion { text: "mine".to_owned(), ..Completion::default() }) });
        let (first, (second, waited)) = tokio::join!(first, second);
        assert!(first.is_err());
        assert_eq!(second.expect("an answer").text, "mine");
        assert!(!waited);
    }
}
