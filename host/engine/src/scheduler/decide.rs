//! Decisions, as values: functions of what is known, without effects. The scheduler acts on them.

use std::time::Duration;

use jackfield_pipeline::Policy;
use jackfield_plugin_api::{Document, Failure, FailureKind, Random, Result as CallResult};
use jackfield_services::jittered_backoff;

/// The longest delay, whatever is asked for and allowed, so that no clock overflows.
const LONGEST_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What is done with the answers of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchDecision {
    /// Each call has its answer.
    AnswerEachCall,
    /// The batch failed as a whole: each call is made again by itself, so that only the call to blame fails.
    CallEachAlone,
}

/// What is done with the answers of a batch.
pub(super) fn decide_batch(results: &[CallResult<Document>]) -> BatchDecision {
    if results.len() > 1 && failed_as_one(results) {
        BatchDecision::CallEachAlone
    } else {
        BatchDecision::AnswerEachCall
    }
}

/// Whether a batch failed as a whole: a panic, a trap, a limit.
fn failed_as_one(results: &[CallResult<Document>]) -> bool {
    let mut failures = results.iter().map(|result| result.as_ref().err());
    let Some(Some(first)) = failures.next() else { return false };
    matches!(first.kind(), FailureKind::Internal | FailureKind::OverBudget | FailureKind::InvalidOutput)
        && failures.all(|failure| failure == Some(first))
}

/// What is known of a call that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailedCall<'a> {
    pub(super) failure: &'a Failure,
    /// The failure is that there was no answer in time.
    pub(super) timed_out: bool,
    /// How often it was made, this time included.
    pub(super) attempt: u32,
    /// That of its stage.
    pub(super) policy: &'a Policy,
    /// Its stage is still wanted: nothing has stopped its item since.
    pub(super) is_wanted: bool,
    /// Its route has another arm for it.
    pub(super) has_next_arm: bool,
    /// No new work is begun.
    pub(super) is_draining: bool,
    /// A model has no more of its budget, or of memory.
    pub(super) is_exhausted: bool,
}

/// What is done about a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureDecision {
    /// It is left to a later session, as if it had not been made.
    LeaveOpen,
    /// It is made again, after this delay.
    Retry(Duration),
    /// It is made again with the next arm of its route.
    NextArm,
    /// It has failed for good.
    Fail,
}

/// What is done about a call that failed. The delay before a further try is drawn from `jitter`.
pub(super) fn decide_failure(call: FailedCall<'_>, jitter: &mut Random) -> FailureDecision {
    let FailedCall { failure, policy, attempt, .. } = call;
    let is_worth_the_wait = failure.retry_after().is_none_or(|wait| wait <= policy.longest_wait);
    let heals = failure.kind().is_retryable() || call.timed_out;
    // What the budget, or memory, did not allow is asked for again when the run goes on, whatever it was stopped for.
    let was_refused = failure.kind() == FailureKind::OverBudget && call.is_exhausted;
    if call.is_draining && (heals || was_refused) {
        FailureDecision::LeaveOpen
    } else if heals && is_worth_the_wait && attempt < policy.attempts && call.is_wanted {
        FailureDecision::Retry(retry_delay(policy.backoff, attempt, failure, jitter))
    } else if call.has_next_arm && call.is_wanted && !call.is_draining {
        FailureDecision::NextArm
    } else {
        FailureDecision::Fail
    }
}

/// The back-off, and before it the delay that the failure asks for, if it does.
fn retry_delay(base: Duration, attempt: u32, failure: &Failure, jitter: &mut Random) -> Duration {
    let drawn = jittered_backoff(base, attempt, jitter);
    failure.retry_after().map_or(drawn, |after| after.min(LONGEST_DELAY) + drawn)
}

/// What is done about a batch whose deadline has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeadlineDecision {
    /// It has as much time left.
    Wait(Duration),
    /// It has run out of time.
    Expire,
}

/// What is done about a batch with this much time left.
pub(super) const fn decide_deadline(left: Duration) -> DeadlineDecision {
    if left.is_zero() { DeadlineDecision::Expire } else { DeadlineDecision::Wait(left) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_pipeline::OnError;

    fn policy(attempts: u32) -> Policy {
        Policy {
            timeout: None,
            attempts,
            backoff: Duration::from_millis(100),
            longest_wait: Duration::from_secs(120),
            on_error: OnError::Continue,
            concurrency: None,
            batch: 1,
        }
    }

    fn failed<'a>(failure: &'a Failure, policy: &'a Policy) -> FailedCall<'a> {
        FailedCall {
            failure,
            timed_out: false,
            attempt: 1,
            policy,
            is_wanted: true,
            has_next_arm: false,
            is_draining: false,
            is_exhausted: false,
        }
    }

    fn decide(call: FailedCall<'_>) -> FailureDecision {
        decide_failure(call, &mut Random::new(1))
    }

    #[test]
    fn what_can_heal_is_tried_again_and_anything_else_fails() {
        let (unavailable, invalid) = (Failure::Unavailable(String::new()), Failure::InvalidInput(String::new()));
        let (three, one) = (policy(3), policy(1));
        assert!(matches!(decide(failed(&unavailable, &three)), FailureDecision::Retry(_)));
        assert_eq!(decide(failed(&unavailable, &one)), FailureDecision::Fail);
        assert_eq!(decide(failed(&invalid, &three)), FailureDecision::Fail);
        assert!(matches!(
            decide(FailedCall { timed_out: true, ..failed(&invalid, &three) }),
            FailureDecision::Retry(_)
        ));
        assert_eq!(decide(FailedCall { is_wanted: false, ..failed(&unavailable, &three) }), FailureDecision::Fail);
    }

    #[test]
    fn a_wait_that_is_longer_than_is_allowed_is_not_waited_for() {
        let limited =
            |seconds| Failure::RateLimited { message: String::new(), retry_after: Some(Duration::from_secs(seconds)) };
        let policy = Policy { longest_wait: Duration::from_secs(7), ..policy(3) };
        assert!(matches!(decide(failed(&limited(7), &policy)), FailureDecision::Retry(_)));
        assert_eq!(decide(failed(&limited(8), &policy)), FailureDecision::Fail);
        let too_long = limited(8);
        let routed = FailedCall { has_next_arm: true, ..failed(&too_long, &policy) };
        assert_eq!(decide(routed), FailureDecision::NextArm);
    }

    #[test]
    fn another_arm_is_tried_once_a_call_would_fail_for_good() {
        let (unavailable, policy) = (Failure::Unavailable(String::new()), policy(2));
        let call = FailedCall { has_next_arm: true, ..failed(&unavailable, &policy) };
        assert!(matches!(decide(call), FailureDecision::Retry(_)));
        assert_eq!(decide(FailedCall { attempt: 2, ..call }), FailureDecision::NextArm);
        assert_eq!(decide(FailedCall { attempt: 2, is_wanted: false, ..call }), FailureDecision::Fail);
    }

    #[test]
    fn what_could_heal_is_left_to_the_next_session_while_the_run_stops() {
        let policy = policy(3);
        let draining =
            |failure| decide(FailedCall { is_draining: true, has_next_arm: true, ..failed(failure, &policy) });
        let (unavailable, over_budget) = (Failure::Unavailable(String::new()), Failure::OverBudget(String::new()));
        assert_eq!(draining(&unavailable), FailureDecision::LeaveOpen);
        assert_eq!(draining(&over_budget), FailureDecision::Fail);
        let exhausted = FailedCall { is_draining: true, is_exhausted: true, ..failed(&over_budget, &policy) };
        assert_eq!(decide(exhausted), FailureDecision::LeaveOpen);
    }

    #[test]
    fn delays_double_up_to_a_minute_and_one_that_the_failure_names_is_obeyed() {
        let policy = policy(100);
        let unavailable = Failure::Unavailable(String::new());
        let after = Duration::from_secs(5);
        let limited = Failure::RateLimited { message: String::new(), retry_after: Some(after) };
        let mut jitter = Random::new(3);
        for attempt in 1..80 {
            let longest = Duration::from_millis(100 << (attempt - 1).min(16)).min(Duration::from_secs(60));
            let mut delay =
                |failure| match decide_failure(FailedCall { attempt, ..failed(failure, &policy) }, &mut jitter) {
                    FailureDecision::Retry(delay) => delay,
                    other => panic!("{other:?}"),
                };
            assert!(delay(&unavailable) <= longest);
            let named = delay(&limited);
            assert!((after..=after + longest).contains(&named), "{named:?}");
        }
    }

    #[test]
    fn a_batch_failed_as_a_whole_if_all_its_calls_have_one_and_the_same_failure_that_a_plugin_is_to_blame_for() {
        let panicked = || Err(Failure::Internal("panicked".to_owned()));
        let fine = || Ok(Document::new("1"));
        assert_eq!(decide_batch(&[panicked(), panicked()]), BatchDecision::CallEachAlone);
        assert_eq!(decide_batch(&[panicked()]), BatchDecision::AnswerEachCall);
        assert_eq!(decide_batch(&[panicked(), fine()]), BatchDecision::AnswerEachCall);
        assert_eq!(decide_batch(&[fine(), panicked()]), BatchDecision::AnswerEachCall);
        let unfit = || Err(Failure::InvalidInput("unfit".to_owned()));
        assert_eq!(decide_batch(&[unfit(), unfit()]), BatchDecision::AnswerEachCall);
    }
}
