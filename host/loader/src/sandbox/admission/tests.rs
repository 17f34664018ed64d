use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use super::*;

fn clock() -> Arc<QueueClock> {
    QueueClock::within_current()
}

/// A call that is about to begin.
type Beginning = Pin<Box<dyn Future<Output = Result<Admitted>>>>;

fn begin(admission: &Arc<Admission>, demand: Demand, memory: u64) -> Beginning {
    let admission = Arc::clone(admission);
    Box::pin(async move { admission.begin(demand, memory, &clock()).await })
}

fn now<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

#[track_caller]
fn admitted(beginning: &mut Beginning) -> Admitted {
    now(beginning).expect("it may begin").expect("it fits")
}

#[test]
fn as_many_compute_as_there_are_workers_and_who_waits_for_the_host_does_not_count() {
    let admission = Admission::new(2, 1000, 0);
    let mut calls: Vec<_> = (0..4).map(|_| begin(&admission, Demand::Stage, 10)).collect();
    let (first, second) = (admitted(&mut calls[0]), admitted(&mut calls[1]));
    assert!(now(&mut calls[2]).is_none() && now(&mut calls[3]).is_none());
    // It asks the host, and another goes on in its place.
    drop(first.turn);
    let third = admitted(&mut calls[2]);
    let clock = clock();
    let mut answered = Box::pin(admission.go_on(&clock));
    assert!(now(&mut answered).is_none() && clock.is_queueing());
    // Those that were answered go before those that have not begun.
    drop(second);
    let turn = now(&mut answered).expect("its turn");
    assert!(now(&mut calls[3]).is_none() && !clock.is_queueing());
    drop(turn);
    drop((admitted(&mut calls[3]), third));
}

#[test]
fn memory_is_never_more_than_the_total_and_who_asks_for_much_is_not_passed() {
    let admission = Admission::new(8, 100, 0);
    let small = admitted(&mut begin(&admission, Demand::Stage, 40));
    let mut large = begin(&admission, Demand::Stage, 70);
    let mut small_again = begin(&admission, Demand::Stage, 10);
    assert!(now(&mut large).is_none() && now(&mut small_again).is_none(), "in their order");
    assert!(admission.is_short());
    drop(small);
    let large = admitted(&mut large);
    drop((admitted(&mut small_again), large));
    assert_eq!((admission.peak(), admission.lock().reserved, admission.is_short()), (80, 0, false));
    let refused = now(&mut begin(&admission, Demand::Stage, 101)).expect("at once").expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "invalid-config: its instance may take 101 B of memory, and all of them together 100 B"
    );
}

#[test]
fn a_model_that_a_call_waits_for_finds_room_however_many_calls_there_are() {
    let admission = Admission::new(1, 100, 30);
    let mut calls: Vec<_> = (0..5).map(|_| begin(&admission, Demand::Stage, 20)).collect();
    let mut holding = Vec::new();
    for call in &mut calls[..3] {
        let Admitted { turn, memory } = admitted(call);
        // It asks for its model, and holds its memory.
        drop(turn);
        holding.push(memory);
    }
    assert!(now(&mut calls[3]).is_none(), "the rest is kept back");
    let mut models: Vec<_> = (0..3).map(|_| begin(&admission, Demand::Model, 30)).collect();
    for model in &mut models {
        drop(admitted(model));
    }
    drop(holding);
    drop(admitted(&mut calls[3]));
}

#[test]
fn a_call_that_is_given_up_leaves_nothing_behind() {
    let admission = Admission::new(1, 100, 0);
    let first = admitted(&mut begin(&admission, Demand::Stage, 60));
    let (mut second, mut third) = (begin(&admission, Demand::Stage, 60), begin(&admission, Demand::Stage, 60));
    assert!(now(&mut second).is_none() && now(&mut third).is_none());
    // One is given up in the queue, the other when its turn has come and it does not know yet.
    drop(second);
    drop(first);
    drop(third);
    let state = admission.lock();
    assert_eq!((state.computing, state.reserved), (0, 0));
}

#[test]
fn who_has_computed_for_long_goes_behind_those_that_came_before() {
    let admission = Admission::new(1, 100, 0);
    let long = admitted(&mut begin(&admission, Demand::Stage, 50));
    let mut fresh = begin(&admission, Demand::Stage, 50);
    let mut large = begin(&admission, Demand::Stage, 90);
    assert!(now(&mut fresh).is_none() && now(&mut large).is_none() && admission.has_waiting());
    let Admitted { turn, memory } = long;
    drop(turn);
    let clock = clock();
    let mut aside = Box::pin(admission.let_others(&clock));
    assert!(now(&mut aside).is_none());
    drop(admitted(&mut fresh));
    // The next in the order waits for the memory of the one that was set aside: that one goes on.
    assert!(now(&mut large).is_none());
    let turn = now(&mut aside).expect("its turn");
    drop((turn, memory));
    drop(admitted(&mut large));
}

#[test]
fn a_policy_takes_no_workers_turn() {
    let admission = Admission::new(1, 100, 10);
    let call = admitted(&mut begin(&admission, Demand::Stage, 90));
    let policy = admitted(&mut begin(&admission, Demand::Policy, 10));
    assert!(policy.turn.is_none() && call.turn.is_some());
}
