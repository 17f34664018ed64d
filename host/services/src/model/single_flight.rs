//! Single flight: of equal requests at one time, one is made, and all have its answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use jackfield_plugin_api::{Result, sync::lock};
use tokio::sync::Mutex as AsyncMutex;

use super::key::Key;

/// The answer to a request that is under way: whoever holds the lock makes the call, and the others wait for the lock.
type SharedAnswer<T> = Arc<AsyncMutex<Option<Result<T>>>>;

/// Requests under way.
pub(super) struct SingleFlight<T> {
    /// For each request the answer, and how many wait for it or make it. Behind a lock that is never held across a wait.
    under_way: Mutex<HashMap<Key, (SharedAnswer<T>, usize)>>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Makes the call, or waits for the one that is under way. The second value says whether it waited. Where the one that
    /// makes the call is given up, the next takes it over.
    pub(super) async fn run<F: Future<Output = Result<T>>>(
        &self,
        key: Key,
        call: impl FnOnce() -> F,
    ) -> (Result<T>, bool) {
        let waiter = self.join(key);
        let mut answer = waiter.answer.lock().await;
        if let Some(answer) = &*answer {
            return (answer.clone(), true);
        }
        let made = call().await;
        *answer = Some(made.clone());
        (made, false)
    }

    fn join(&self, key: Key) -> Waiter<'_, T> {
        let mut under_way = lock(&self.under_way);
        let (answer, waiters) = under_way.entry(key).or_default();
        *waiters += 1;
        Waiter { single_flight: self, key, answer: Arc::clone(answer) }
    }
}

/// One that waits for the answer to a request, or makes it. The request is forgotten with the last of them.
struct Waiter<'a, T> {
    single_flight: &'a SingleFlight<T>,
    key: Key,
    answer: SharedAnswer<T>,
}

impl<T> Drop for Waiter<'_, T> {
    fn drop(&mut self) {
        let mut under_way = lock(&self.single_flight.under_way);
        let (_, waiters) = under_way.get_mut(&self.key).expect("a request is known as long as somebody waits for it");
        *waiters -= 1;
        if *waiters == 0 {
            under_way.remove(&self.key);
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
        let (single_flight, calls) = (SingleFlight::default(), AtomicU32::new(0));
        let ask = || {
            single_flight.run([1; 32], || async {
                calls.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(Completion { text: "yes".to_owned(), ..Completion::default() })
            })
        };
        let answers = futures::future::join_all((0..1000).map(|_| ask())).await;
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(answers.iter().filter(|(_, waited)| *waited).count(), 999);
        assert!(answers.iter().all(|(answer, _)| answer.as_ref().is_ok_and(|answer| answer.text == "yes")));
        assert!(lock(&single_flight.under_way).is_empty());
    }

    #[tokio::test]
    async fn a_call_that_is_given_up_is_taken_over() {
        let single_flight = SingleFlight::default();
        let lost = single_flight.run([1; 32], || async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(Completion::default())
        });
        let first = tokio::time::timeout(Duration::from_millis(5), lost);
        let second = single_flight
            .run([1; 32], || async { Ok(Completion { text: "mine".to_owned(), ..Completion::default() }) });
        let (first, (second, waited)) = tokio::join!(first, second);
        assert!(first.is_err());
        assert_eq!(second.expect("an answer").text, "mine");
        assert!(!waited);
    }
}
