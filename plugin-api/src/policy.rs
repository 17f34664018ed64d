//! The kind `routing-policy`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Arm, BoxFuture, Config, Decision, Descriptor, Document, Example, Extension, Failure, FromDocument, HostCalls,
    Instance, IntoDocument, Kind, Learns, Outcome, Permission, PolicyAnswer, PolicyCalls, PolicyQuestion,
    PolicyRequest, PolicyState, Question, Request, Result, Stability,
    document::input_schema,
    extension::{Erased, config_of},
};

/// Picks, for each item, the arm that a stage runs with, and learns from the outcome.
///
/// A policy is a pure function of its state, which the host holds. The host can therefore store, restore and show what was
/// learned, a resumed run learns again from the outcomes of its first part, and a component, which has no memory, serves as
/// well as a type that is linked in. The outcomes of the last few decisions are not known when the next one is asked for: a
/// question lists those decisions.
pub trait RoutingPolicy: Config {
    /// Lower-case words joined by hyphens, unique among routing policies.
    const NAME: &'static str;
    /// What the author promises.
    const STABILITY: Stability = Stability::Experimental;
    /// What an outcome has to carry for the policy to learn.
    const LEARNS: Learns;
    /// What the policy has learned; by default nothing. Its JSON has sorted keys (no hash maps) and is ordered by context and
    /// by name of the arm: it is stored, shown, compared, and used again with other arms.
    type State: Serialize + DeserializeOwned + JsonSchema + Clone + Default + Send + Sync + 'static;

    /// Prepares the policy once.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the configuration makes no sense.
    fn open(self) -> Result<Self> {
        Ok(self)
    }

    /// Checks the arms once, before any decision about them.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the configuration does not fit the arms.
    fn check(&self, arms: &[Arm]) -> Result<()> {
        let _ = arms;
        Ok(())
    }

    /// Picks an arm. Pure: the same state, question and seed give the same decision.
    fn decide(&self, state: &Self::State, question: &Question) -> Result<Decision>;

    /// Picks another arm after one failed for good: not one that `question.tried` lists. Picks none by default.
    fn decide_again(&self, state: &Self::State, question: &Question) -> Result<Option<Decision>> {
        let _ = (state, question);
        Ok(None)
    }

    /// Learns from one outcome. Outcomes come in the order of the items, one for every item that was decided about. An outcome
    /// whose reward or objectives never came is not an error.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] for an outcome that cannot be learned from; the state is then as it was.
    fn learn(&self, state: &mut Self::State, outcome: &Outcome) -> Result<()>;

    /// Permissions asked for, with reasons.
    fn permissions() -> Vec<Permission> {
        Vec::new()
    }

    /// Worked examples: small, and exact.
    fn examples() -> Vec<Example> {
        Vec::new()
    }
}

/// The erased extension of a routing policy; called by `export_plugin!`.
#[doc(hidden)]
#[must_use]
pub fn extension_of_policy<P: RoutingPolicy>(version: &'static str) -> Arc<dyn Extension> {
    Erased::of(version, describe::<P>, |config| Ok(Arc::new(Opened(Arc::new(config_of::<P>(config)?.open()?)))))
}

fn describe<P: RoutingPolicy>(version: &str) -> Descriptor {
    let mut input = <PolicyRequest<P::State> as FromDocument>::schema();
    if let Some(root) = input.as_object_mut() {
        root.insert(Learns::KEY.to_owned(), P::LEARNS.name().into());
    }
    Descriptor {
        kind: Kind::RoutingPolicy,
        name: P::NAME.to_owned(),
        version: version.to_owned(),
        summary: P::SUMMARY.to_owned(),
        config: input_schema::<P>(),
        input,
        output: <PolicyAnswer<P::State> as IntoDocument>::schema(),
        permissions: P::permissions(),
        examples: P::examples(),
        stability: P::STABILITY,
    }
}

struct Opened<P>(Arc<P>);

impl<P: RoutingPolicy> Opened<P> {
    fn with(&self, state: P::State) -> Learned<P> {
        Learned { policy: Arc::clone(&self.0), state }
    }

    fn answer(&self, request: PolicyRequest<P::State>) -> Result<PolicyAnswer<P::State>> {
        let arms: Arc<[Arm]> = request.arms.into();
        if !arms.is_empty() {
            self.0.check(&arms)?;
        }
        let mut learned = self.with(request.state.unwrap_or_default());
        for outcome in &request.learn {
            learned.learn(outcome)?;
        }
        let mut decisions = Vec::with_capacity(request.decide.len());
        for asked in request.decide {
            let PolicyQuestion { context, tried, pending, seed } = asked;
            let pending = pending.into_iter().map(Arc::new).collect();
            let question = Question { context, arms: Arc::clone(&arms), tried, pending, seed };
            decisions.push(if request.again {
                learned.decide_again(&question)?
            } else {
                Some(learned.decide(&question)?)
            });
        }
        Ok(PolicyAnswer { state: learned.state, decisions })
    }
}

impl<P: RoutingPolicy> Instance for Opened<P> {
    fn call<'a>(&'a self, batch: &'a [Request], _host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let answer = |request: &Request| {
                let request = PolicyRequest::from_document(request.document.clone())?;
                self.answer(request)?.into_document()
            };
            batch.iter().map(answer).collect()
        })
    }

    fn as_policy(&self) -> Option<&dyn PolicyCalls> {
        Some(self)
    }
}

impl<P: RoutingPolicy> PolicyCalls for Opened<P> {
    fn new_state(&self) -> Box<dyn PolicyState> {
        Box::new(self.with(P::State::default()))
    }

    fn restore(&self, snapshot: &Value) -> Result<Box<dyn PolicyState>> {
        let state = P::State::deserialize(snapshot)
            .map_err(|error| Failure::InvalidInput(format!("not a state of the policy `{}`: {error}", P::NAME)))?;
        Ok(Box::new(self.with(state)))
    }

    fn check(&self, arms: &[Arm]) -> Result<()> {
        self.0.check(arms)
    }
}

struct Learned<P: RoutingPolicy> {
    policy: Arc<P>,
    state: P::State,
}

/// Checks a decision against its question, so that no caller has to.
pub(crate) fn check_decision(policy: &str, decision: Decision, question: &Question) -> Result<Decision> {
    let count = question.arms.len();
    let fault = |what: String| Err(Failure::Internal(format!("the policy `{policy}` {what}")));
    if decision.arm as usize >= count {
        return fault(format!("picked arm {} of {count}", decision.arm));
    }
    if question.tried.contains(&decision.arm) {
        return fault(format!("picked arm {} again, which failed", decision.arm));
    }
    if !decision.scores.is_empty() && decision.scores.len() != count {
        return fault(format!("gave {} scores of {count} arms", decision.scores.len()));
    }
    Ok(decision)
}

impl<P: RoutingPolicy> PolicyState for Learned<P> {
    fn decide(&self, question: &Question) -> Result<Decision> {
        if question.arms.is_empty() {
            return Err(Failure::InvalidInput("there are no arms to pick from".to_owned()));
        }
        if !question.tried.is_empty() {
            let why = "a first decision is asked for, and an arm was tried: such a question is asked with `again`";
            return Err(Failure::InvalidInput(why.to_owned()));
        }
        check_decision(P::NAME, self.policy.decide(&self.state, question)?, question)
    }

    fn decide_again(&self, question: &Question) -> Result<Option<Decision>> {
        self.policy
            .decide_again(&self.state, question)?
            .map(|decision| check_decision(P::NAME, decision, question))
            .transpose()
    }

    fn learn(&mut self, outcome: &Outcome) -> Result<()> {
        self.policy.learn(&mut self.state, outcome)
    }

    fn snapshot(&self) -> Result<Value> {
        serde_json::to_value(&self.state).map_err(|error| Failure::InvalidOutput(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::{Opened, RoutingPolicy, describe};
    use crate::{
        Arm, Attempt, Config, Decision, Failure, Instance as _, Kind, Learns, Outcome, PolicyQuestion, PolicyRequest,
        Question, Result,
    };

    /// Picks what it is told to pick.
    #[derive(Deserialize, JsonSchema)]
    struct Told {
        arm: u32,
        scores: usize,
    }

    impl Config for Told {
        const SUMMARY: &'static str = "Picks what it is told to pick";
    }

    impl RoutingPolicy for Told {
        const NAME: &'static str = "told";
        const LEARNS: Learns = Learns::Reward;
        type State = u32;

        fn check(&self, arms: &[Arm]) -> Result<()> {
            if arms.iter().any(|arm| arm.name == "bad") {
                return Err(Failure::InvalidConfig("a bad arm".to_owned()));
            }
            Ok(())
        }

        fn decide(&self, state: &u32, _question: &Question) -> Result<Decision> {
            Ok(Decision { arm: self.arm + state, scores: vec![Some(1.0); self.scores] })
        }

        fn decide_again(&self, state: &u32, question: &Question) -> Result<Option<Decision>> {
            if question.tried.len() == question.arms.len() {
                return Ok(None);
            }
            self.decide(state, question).map(Some)
        }

        fn learn(&self, state: &mut u32, outcome: &Outcome) -> Result<()> {
            *state += u32::from(outcome.used().is_some());
            Ok(())
        }
    }

    fn told(arm: u32, scores: usize) -> Opened<Told> {
        Opened(Told { arm, scores }.into())
    }

    fn arms(names: &[&str]) -> Vec<Arm> {
        names.iter().map(|&name| Arm { name: name.to_owned(), with: json!({}) }).collect()
    }

    fn question(names: &[&str], tried: &[u32]) -> Question {
        let arms = arms(names).into();
        Question { context: String::new(), arms, tried: tried.to_vec(), pending: Vec::new(), seed: 1 }
    }

    fn used(arm: &str, failed: bool) -> Outcome {
        Outcome { attempts: vec![Attempt { arm: arm.to_owned(), failed }], ..Outcome::default() }
    }

    #[test]
    fn a_decision_that_does_not_fit_its_question_is_a_fault_of_the_policy() {
        let message = |opened: &Opened<Told>, question: &Question| {
            let policy = opened.as_policy().expect("a policy").new_state();
            policy.decide_again(question).expect_err("fits").to_string()
        };
        let two = question(&["a", "b"], &[]);
        assert_eq!(message(&told(2, 0), &two), "internal: the policy `told` picked arm 2 of 2");
        assert_eq!(message(&told(1, 3), &two), "internal: the policy `told` gave 3 scores of 2 arms");
        let tried = question(&["a", "b"], &[1]);
        assert_eq!(message(&told(1, 2), &tried), "internal: the policy `told` picked arm 1 again, which failed");
        let policy = told(0, 0).as_policy().expect("a policy").new_state();
        let none = policy.decide(&question(&[], &[])).expect_err("decided").to_string();
        assert_eq!(none, "invalid-input: there are no arms to pick from");
        assert!(matches!(policy.decide(&tried), Err(Failure::InvalidInput(_))));
    }

    #[test]
    fn a_document_is_learned_from_before_it_is_answered() {
        let request = PolicyRequest {
            state: Some(1),
            arms: arms(&["a", "b", "c"]),
            learn: vec![used("a", false), used("b", true)],
            decide: vec![PolicyQuestion::default(); 2],
            again: false,
        };
        let answer = told(0, 0).answer(request).expect("an answer");
        assert_eq!((answer.state, answer.decisions), (2, vec![Some(Decision::for_arm(2)); 2]));
        let request =
            PolicyRequest { state: None, arms: arms(&["bad"]), learn: Vec::new(), decide: Vec::new(), again: false };
        assert_eq!(told(0, 0).answer(request).expect_err("good"), Failure::InvalidConfig("a bad arm".to_owned()));
    }

    #[test]
    fn what_a_policy_learns_from_stands_in_its_descriptor() {
        let descriptor = describe::<Told>("1.2.3");
        assert_eq!(
            (descriptor.kind, Learns::from_descriptor(&descriptor)),
            (Kind::RoutingPolicy, Some(Learns::Reward))
        );
        assert_eq!(descriptor.input["x-learns"], "reward");
        let mut other = descriptor;
        other.input["x-learns"] = json!("gossip");
        assert_eq!(Learns::from_descriptor(&other), None);
    }

    #[test]
    fn a_snapshot_is_taken_up_where_it_was_left() {
        let opened = told(0, 0);
        let calls = opened.as_policy().expect("a policy");
        let mut policy = calls.new_state();
        policy.learn(&used("a", false)).expect("learned");
        let snapshot = policy.snapshot().expect("a snapshot");
        let restored = calls.restore(&snapshot).expect("restored");
        assert_eq!(restored.snapshot().expect("a snapshot"), snapshot);
        let three = question(&["a", "b", "c"], &[]);
        assert_eq!(restored.decide(&three), Ok(Decision::for_arm(1)));
        assert!(matches!(calls.restore(&json!("x")), Err(Failure::InvalidInput(_))));
    }
}
