//! The policy `fixed`, which always picks the same arm.

use jackfield_plugin_api::prelude::*;

/// Always picks the same arm.
#[derive(Clone, Debug, Config)]
pub struct Fixed {
    /// Name of the arm, or its index in the list, counted from 0.
    pub arm: String,
}

/// What `fixed` learns: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Document)]
pub struct NoState {}

impl Fixed {
    fn index(&self, arms: &[Arm]) -> Option<u32> {
        let named = arms.iter().position(|arm| arm.name == self.arm);
        let index = named.or_else(|| self.arm.parse().ok().filter(|&index| index < arms.len()))?;
        u32::try_from(index).ok()
    }

    fn unknown_arm(&self, arms: &[Arm]) -> Failure {
        let names: Vec<_> = arms.iter().map(|arm| format!("`{}`", arm.name)).collect();
        Failure::InvalidConfig(format!("no arm `{}` (there are: {})", self.arm, names.join(", ")))
    }
}

impl RoutingPolicy for Fixed {
    const NAME: &'static str = "fixed";
    const STABILITY: Stability = Stability::Beta;
    const LEARNS: Learns = Learns::Nothing;
    type State = NoState;

    fn check(&self, arms: &[Arm]) -> Result<()> {
        self.index(arms).map(|_| ()).ok_or_else(|| self.unknown_arm(arms))
    }

    fn decide(&self, _state: &NoState, question: &Question) -> Result<Decision> {
        self.index(&question.arms).map(Decision::for_arm).ok_or_else(|| self.unknown_arm(&question.arms))
    }

    fn learn(&self, _state: &mut NoState, _outcome: &Outcome) -> Result<()> {
        Ok(())
    }

    fn examples() -> Vec<Example> {
        let arms = json!([{ "name": "alpha=0.2", "with": { "alpha": 0.2 } }, { "name": "alpha=0.5", "with": { "alpha": 0.5 } }]);
        vec![Example {
            summary: "the arm of this name".to_owned(),
            config: json!({ "arm": "alpha=0.5" }),
            input: json!({ "arms": arms, "decide": [{ "seed": 0 }, { "seed": 1 }] }),
            output: json!({ "state": {}, "decisions": [{ "arm": 1 }, { "arm": 1 }] }),
        }]
    }
}
