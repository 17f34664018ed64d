//! The routing policy `{{name}}`, and the analyzer `slot-machine`, whose arms pay more or less often.

use std::collections::BTreeMap;

use jackfield_plugin_api::prelude::*;

/// What was learned.
#[derive(Clone, Debug, Default, Document)]
pub struct Learned {
    /// By context, and by name of the arm.
    #[serde(default)]
    pub contexts: BTreeMap<String, BTreeMap<String, Seen>>,
}

/// What is known of an arm.
#[derive(Clone, Debug, Default, Document)]
pub struct Seen {
    /// How many rewards came.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

/// Picks the arm with the greatest mean reward so far, and now and then any arm.
///
/// An arm without a reward comes first. One that failed counts as one with the reward 0.
#[derive(Config)]
pub struct Greedy {
    /// How likely any arm is picked.
    #[config(default = 0.1)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub epsilon: f64,
}

impl RoutingPolicy for Greedy {
    const NAME: &'static str = "{{name}}";
    const LEARNS: Learns = Learns::Reward;
    type State = Learned;

    fn open(self) -> Result<Self> {
        share("epsilon", self.epsilon)?;
        Ok(self)
    }

    fn decide(&self, state: &Learned, question: &Question) -> Result<Decision> {
        let known = state.contexts.get(&question.context);
        let mean = |arm: &Arm| {
            let seen = known?.get(&arm.name).filter(|seen| seen.count > 0)?;
            Some(seen.sum / seen.count as f64)
        };
        let scores: Vec<Option<f64>> = question.arms.iter().map(mean).collect();
        // Of those that nothing is known of, the one that was picked least for items that are not done.
        let waiting = |arm: usize| {
            let of_it = |one: &PendingDecision| one.context == question.context && one.arm == question.arms[arm].name;
            question.pending.iter().filter(|one| of_it(one)).count()
        };
        let untried = (0..scores.len()).filter(|arm| scores[*arm].is_none());
        if let Some(arm) = untried.min_by_key(|arm| waiting(*arm)) {
            return Ok(Decision { arm: arm as u32, scores });
        }
        let mut random = Random::new(question.seed);
        let arm = if random.next_f64() < self.epsilon {
            random.below(scores.len() as u64) as usize
        } else {
            let mut best = 0;
            for arm in 1..scores.len() {
                if scores[arm] > scores[best] {
                    best = arm;
                }
            }
            best
        };
        Ok(Decision { arm: arm as u32, scores })
    }

    fn learn(&self, state: &mut Learned, outcome: &Outcome) -> Result<()> {
        let failed = outcome.failed().map(|arm| (arm, 0.0));
        let arms = state.contexts.entry(outcome.context.clone()).or_default();
        for (arm, reward) in failed.chain(outcome.used().zip(outcome.reward)) {
            let seen = arms.entry(arm.to_owned()).or_default();
            seen.count += 1;
            seen.sum += reward;
        }
        Ok(())
    }

    fn examples() -> Vec<Example> {
        let learned =
            json!({ "contexts": { "": { "a": { "count": 2, "sum": 1.0 }, "b": { "count": 1, "sum": 0.75 } } } });
        let arms = json!([{ "name": "a", "with": {} }, { "name": "b", "with": {} }]);
        vec![Example {
            summary: "Without chance, the greatest mean is picked".to_owned(),
            config: json!({ "epsilon": 0.0 }),
            input: json!({ "state": learned, "arms": arms, "decide": [{ "seed": 0 }] }),
            output: json!({ "state": learned, "decisions": [{ "arm": 1, "scores": [0.5, 0.75] }] }),
        }]
    }
}

/// Holds an option to its range.
fn share(name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Failure::InvalidConfig(format!("`{name}`: {value} lies outside 0 to 1")))
}

/// What `slot-machine` reads.
#[derive(Document)]
pub struct Turn {
    /// What is played for: anything.
    pub turn: Value,
}

/// What `slot-machine` answers.
#[derive(Document)]
pub struct Win {
    /// 1 for a win, else 0.
    pub reward: u32,
}

/// Wins now and then.
#[derive(Config)]
pub struct SlotMachine {
    /// How likely it wins.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub pays: f64,
}

impl Analyzer for SlotMachine {
    const NAME: &'static str = "slot-machine";
    type Input = Turn;
    type Output = Win;

    fn open(self) -> Result<Self> {
        share("pays", self.pays)?;
        Ok(self)
    }

    async fn analyze(&self, _turn: Turn, host: &Host<'_>) -> Result<Win> {
        Ok(Win { reward: u32::from(host.random().next_f64() < self.pays) })
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            summary: "One that always pays".to_owned(),
            config: json!({ "pays": 1 }),
            input: json!({ "turn": 1 }),
            output: json!({ "reward": 1 }),
        }]
    }
}

export_plugin!(policies: Greedy);
export_plugin!(SlotMachine);

#[cfg(test)]
mod tests {
    use jackfield_plugin_api::{
        Kind, PolicyState,
        prelude::*,
        testing::{FakeHost, call, check_examples, policy_by_documents},
    };

    fn greedy(arms: &[&str], epsilon: f64) -> Box<dyn PolicyState> {
        policy_by_documents("{{name}}", &json!({ "epsilon": epsilon }), &arms_of(arms)).expect("opens")
    }

    fn arms_of(names: &[&str]) -> Vec<Arm> {
        names.iter().map(|name| Arm { name: (*name).to_owned(), with: json!({}) }).collect()
    }

    fn question(arms: &[&str], context: &str, seed: u64) -> Question {
        Question {
            context: context.to_owned(),
            arms: arms_of(arms).into(),
            tried: Vec::new(),
            pending: Vec::new(),
            seed,
        }
    }

    fn outcome(arm: &str, failed: bool, reward: Option<f64>) -> Outcome {
        Outcome { attempts: vec![Attempt { arm: arm.to_owned(), failed }], reward, ..Outcome::default() }
    }

    #[test]
    fn examples_hold() {
        check_examples(Kind::RoutingPolicy, "{{name}}", &FakeHost::default());
        check_examples(Kind::Analyzer, "slot-machine", &FakeHost::default());
    }

    #[test]
    fn an_arm_without_a_reward_comes_first_and_then_the_best() {
        let arms = ["a", "b"];
        let mut policy = greedy(&arms, 0.0);
        assert_eq!(policy.decide(&question(&arms, "", 0)).unwrap().arm, 0);
        policy.learn(&outcome("a", false, Some(0.9))).unwrap();
        assert_eq!(policy.decide(&question(&arms, "", 0)).unwrap().arm, 1);
        policy.learn(&outcome("b", false, Some(0.2))).unwrap();
        let best = Decision { arm: 0, scores: vec![Some(0.9), Some(0.2)] };
        assert_eq!(policy.decide(&question(&arms, "", 0)), Ok(best));
        // What is learned in one context is not known in another.
        assert_eq!(policy.decide(&question(&arms, "other", 0)).unwrap().scores, [None, None]);
    }

    #[test]
    fn chance_picks_any_arm_and_follows_the_seed() {
        let arms = ["a", "b", "c"];
        let mut policy = greedy(&arms, 1.0);
        for arm in arms {
            policy.learn(&outcome(arm, false, Some(0.5))).unwrap();
        }
        let decided = |seed: u64| policy.decide(&question(&arms, "", seed)).unwrap().arm;
        let picked: Vec<u32> = (0..50).map(decided).collect();
        assert!((0..3).all(|arm| picked.contains(&arm)));
        assert_eq!((0..50).map(decided).collect::<Vec<_>>(), picked);
    }

    #[test]
    fn a_failure_counts_as_nothing_won() {
        let mut policy = greedy(&["a", "b"], 0.0);
        policy.learn(&outcome("a", true, None)).unwrap();
        policy.learn(&outcome("b", false, None)).unwrap();
        assert_eq!(policy.snapshot(), Ok(json!({ "contexts": { "": { "a": { "count": 1, "sum": 0.0 } } } })));
    }

    #[test]
    fn an_option_out_of_its_range_is_refused() {
        let opened = policy_by_documents("{{name}}", &json!({ "epsilon": 2 }), &arms_of(&["a"]));
        assert!(matches!(opened.err(), Some(Failure::InvalidConfig(why)) if why.contains("`epsilon`: 2 lies outside")));
    }

    #[test]
    fn a_machine_that_never_pays() {
        let played =
            call(Kind::Analyzer, "slot-machine", json!({ "pays": 0 }), json!({ "turn": 1 }), &FakeHost::default());
        assert_eq!(played, Ok(json!({ "reward": 0 })));
    }
}
