//! Routing policies that pick values from a space.

use std::sync::Arc;

use crate::{
    BoxFuture, Config, Descriptor, Document, Example, Extension, Failure, FromDocument, HostCalls, Instance,
    IntoDocument, Kind, Learns, Outcome, Permission, Picks, Request, Result, SearchAnswer, SearchCalls, SearchDecision,
    SearchQuestion, SearchRequest, Stability, Study, Values,
    document::input_schema,
    extension::{Erased, config_of},
};

/// Picks, per trial, the values that stages run with, and learns from what came of them: a routing policy (the kind is the
/// same) whose decision is values and not an arm.
///
/// A search is a pure function of the outcomes so far, which the host holds and only ever adds to. So a resumed run goes on
/// as if it had not stopped, a study can be given further trials, and a component without a memory is as good as a type
/// linked in.
pub trait SearchPolicy: Config {
    /// Lower-case words joined by hyphens, unique among routing policies.
    const NAME: &'static str;
    /// What the author promises.
    const STABILITY: Stability = Stability::Experimental;

    /// Prepares the policy once.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the configuration makes no sense.
    fn open(self) -> Result<Self> {
        Ok(self)
    }

    /// Checks what the search is about, once, before any decision.
    ///
    /// # Errors
    /// [`Failure::InvalidConfig`] if the policy cannot search that.
    fn check(&self, study: &Study) -> Result<()> {
        let _ = study;
        Ok(())
    }

    /// The values of a trial. Pure: the same outcomes, question and seed give the same values. `known` are the outcomes of the
    /// first trials, in their order, pruned and failed ones among them.
    ///
    /// # Errors
    /// [`Failure::OverBudget`] if nothing is left to try, which ends the search; the policy's own, which fails the trial.
    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values>;

    /// Whether a trial that has reported `question.reports` is to be stopped; never, by default. `known` are the outcomes that
    /// were known when its values were picked.
    ///
    /// # Errors
    /// The policy's own.
    fn stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
        let _ = (study, known, question);
        Ok(false)
    }

    /// Permissions asked for, with reasons.
    fn permissions() -> Vec<Permission> {
        Vec::new()
    }

    /// Worked examples: small, and exact.
    fn examples() -> Vec<Example> {
        Vec::new()
    }
}

/// The erased extension of a search; called by `export_plugin!`.
#[doc(hidden)]
#[must_use]
pub fn extension_of_search<P: SearchPolicy>(version: &'static str) -> Arc<dyn Extension> {
    Erased::of(version, describe::<P>, |config| Ok(Arc::new(Opened(config_of::<P>(config)?.open()?))))
}

fn describe<P: SearchPolicy>(version: &str) -> Descriptor {
    let mut input = <SearchRequest<Outcome> as FromDocument>::schema();
    if let Some(root) = input.as_object_mut() {
        root.insert(Learns::KEY.to_owned(), Learns::Objectives.name().into());
        root.insert(Picks::KEY.to_owned(), Picks::VALUES.into());
    }
    Descriptor {
        kind: Kind::RoutingPolicy,
        name: P::NAME.to_owned(),
        version: version.to_owned(),
        summary: P::SUMMARY.to_owned(),
        config: input_schema::<P>(),
        input,
        output: <SearchAnswer<Outcome> as IntoDocument>::schema(),
        permissions: P::permissions(),
        examples: P::examples(),
        stability: P::STABILITY,
    }
}

/// Holds a study to what every search may rely on.
fn check_study(study: &Study) -> Result<()> {
    let invalid = |what: String| Err(Failure::InvalidConfig(what));
    if study.space.is_empty() || study.goals.is_empty() {
        return invalid("a search needs a space and an objective".to_owned());
    }
    for (at, dimension) in study.space.iter().enumerate() {
        dimension.domain()?;
        let name = &dimension.name;
        if dimension.repeats_a_choice() {
            return invalid(format!("`{name}` of the space: has one choice twice"));
        }
        let earlier = &study.space[..at];
        if earlier.iter().any(|other| other.name == *name) {
            return invalid(format!("there are two dimensions `{name}`"));
        }
        let Some(when) = &dimension.when else { continue };
        match earlier.iter().find(|other| other.name == when.name) {
            None => return invalid(format!("`{name}` depends on `{}`, which is not before it", when.name)),
            Some(other) => {
                if let Some(value) = when.values.iter().find(|value| !other.contains(value)) {
                    return invalid(format!("`{name}` depends on `{}` being {value}, which it never is", when.name));
                }
            }
        }
    }
    Ok(())
}

/// Holds a decision to its study, so that no caller has to.
pub(crate) fn check_values(policy: &str, study: &Study, values: Values) -> Result<Values> {
    match study.check(&values) {
        Ok(()) => Ok(values),
        Err(failure) => {
            let what = failure.message();
            Err(Failure::Internal(format!("the policy `{policy}` picked values that are not of the space: {what}")))
        }
    }
}

struct Opened<P>(P);

impl<P: SearchPolicy> Opened<P> {
    fn answer(&self, request: SearchRequest<Outcome>) -> Result<SearchAnswer<Outcome>> {
        let SearchRequest { study, state: mut known, learn, decide } = request;
        SearchCalls::check(self, &study)?;
        known.extend(learn.iter().cloned());
        let mut decisions = Vec::with_capacity(decide.len());
        for question in &decide {
            decisions.push(if question.reports.is_empty() {
                SearchDecision { values: SearchCalls::suggest(self, &study, &known, question)?, stop: false }
            } else {
                SearchDecision { values: Values::new(), stop: self.0.stop(&study, &known, question)? }
            });
        }
        Ok(SearchAnswer { append: learn, decisions })
    }
}

impl<P: SearchPolicy> Instance for Opened<P> {
    fn call<'a>(&'a self, batch: &'a [Request], _host: &'a dyn HostCalls) -> BoxFuture<'a, Vec<Result<Document>>> {
        Box::pin(async move {
            let answer = |request: &Request| {
                self.answer(SearchRequest::from_document(request.document.clone())?)?.into_document()
            };
            batch.iter().map(answer).collect()
        })
    }

    fn as_search(&self) -> Option<&dyn SearchCalls> {
        Some(self)
    }
}

impl<P: SearchPolicy> SearchCalls for Opened<P> {
    fn check(&self, study: &Study) -> Result<()> {
        check_study(study)?;
        self.0.check(study)
    }

    fn suggest(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
        check_values(P::NAME, study, self.0.suggest(study, known, question)?)
    }

    fn stop(&self, study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
        self.0.stop(study, known, question)
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::{Condition, Dimension, Goal, LinkedInSearch, SearchByDocuments, SearchState, step_value};

    /// Picks the number of the trial, or of the outcomes known where that is less.
    #[derive(Deserialize, JsonSchema)]
    struct Count {}

    impl Config for Count {
        const SUMMARY: &'static str = "Counts";
    }

    impl SearchPolicy for Count {
        const NAME: &'static str = "count";

        fn suggest(&self, _study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<Values> {
            Ok([("x".to_owned(), json!(known.len() as u64 + 100 * question.trial))].into())
        }

        fn stop(&self, _study: &Study, known: &[Outcome], question: &SearchQuestion) -> Result<bool> {
            Ok(question.reports.len() > known.len())
        }
    }

    fn study(max: f64) -> Study {
        let dimension =
            Dimension { name: "x".into(), min: Some(0.0), max: Some(max), integer: true, ..Dimension::default() };
        Study { space: vec![dimension], goals: vec![Goal { name: "y".into(), minimize: true }], reports: 2 }
    }

    fn states(study: &Study) -> [Box<dyn SearchState>; 2] {
        let linked = LinkedInSearch::new(study, Arc::new(Opened(Count {}))).expect("fits");
        let ask = |request: SearchRequest| {
            let request = serde_json::from_value(serde_json::to_value(request).expect("JSON")).expect("a request");
            let answer = Opened(Count {}).answer(request)?;
            Ok(serde_json::from_value(serde_json::to_value(answer).expect("JSON")).expect("an answer"))
        };
        [Box::new(linked), Box::new(SearchByDocuments::new("count", study, ask).expect("fits"))]
    }

    #[test]
    fn in_either_form_a_search_knows_what_it_was_told_and_stops_by_what_it_knew() {
        for mut state in states(&study(1000.0)) {
            let question = |trial| SearchQuestion { trial, seed: 1, ..SearchQuestion::default() };
            assert_eq!(state.suggest(&question(0)).expect("values")["x"], 0);
            for trial in 0..3 {
                state.learn(Outcome { trial: Some(trial), ..Outcome::default() });
            }
            assert_eq!(state.suggest(&question(3)).expect("values")["x"], 303);
            let reported = SearchQuestion { reports: vec![0.5; 2], ..question(4) };
            assert_eq!((state.stop(1, &reported), state.stop(3, &reported)), (Ok(true), Ok(false)));
            assert_eq!(state.suggest(&question(4)).expect("values")["x"], 403);
            assert_eq!(state.known().len(), 3);
        }
    }

    #[test]
    fn values_outside_the_space_are_a_fault_of_the_policy() {
        for mut state in states(&study(50.0)) {
            let failure =
                state.suggest(&SearchQuestion { trial: 1, ..SearchQuestion::default() }).expect_err("outside");
            let message =
                "internal: the policy `count` picked values that are not of the space: 100 is not a value of `x`";
            assert_eq!(failure.to_string(), message);
        }
    }

    #[test]
    fn a_study_that_is_none_is_refused() {
        let message = |change: fn(&mut Study)| {
            let mut study = study(10.0);
            change(&mut study);
            SearchCalls::check(&Opened(Count {}), &study).expect_err("refused").to_string()
        };
        let messages = [
            message(|study| study.goals.clear()),
            message(|study| study.space[0].min = None),
            message(|study| study.space[0].min = Some(f64::NAN)),
            message(|study| study.space[0].max = Some(0.5)),
            message(|study| study.space[0].log = true),
            message(|study| study.space.push(study.space[0].clone())),
            message(|study| study.space[0].when = Some(Condition { name: "z".into(), values: vec![json!(1)] })),
            message(|study| {
                let when = Some(Condition { name: "x".into(), values: vec![json!(11)] });
                study.space.push(Dimension {
                    name: "y".into(),
                    choices: vec![json!(true)],
                    when,
                    ..Dimension::default()
                });
            }),
            message(|study| {
                study.space[0] =
                    Dimension { name: "y".into(), choices: vec![json!(1), json!(1)], ..Dimension::default() }
            }),
        ];
        let expected = [
            "a search needs a space and an objective",
            "`x` of the space: has one end of a range, and needs both",
            "`x` of the space: `min` is not at most `max`",
            "`x` of the space: is of integers, but an end or the step of its range is not an integer",
            "`x` of the space: `log` needs a range above 0",
            "there are two dimensions `x`",
            "`x` depends on `z`, which is not before it",
            "`y` depends on `x` being 11, which it never is",
            "`y` of the space: has one choice twice",
        ];
        assert_eq!(messages, expected.map(|message| format!("invalid-config: {message}")));
    }

    #[test]
    fn a_space_holds_its_values_and_no_others() {
        let range = |min, max, log, step, integer| Dimension {
            name: "x".into(),
            min: Some(min),
            max: Some(max),
            log,
            step,
            integer,
            ..Dimension::default()
        };
        let float = range(0.1, 0.7, false, Some(0.2), false);
        assert!([0.1, 0.3, 0.5, 0.7].iter().all(|value| float.contains(&json!(value))));
        assert!([0.0, 0.2, 0.9].iter().all(|value| !float.contains(&json!(value))));
        assert_eq!((step_value(0.1, 0.2, 1), step_value(1e15, 0.25, 3)), (0.3, 1e15 + 0.75));
        let even = range(2.0, 9.0, false, Some(2.0), true);
        assert!(
            even.contains(&json!(8))
                && !even.contains(&json!(9))
                && !even.contains(&json!(4.0))
                && !even.contains(&json!("4"))
        );
        assert!(range(1.0, 8.0, true, None, true).contains(&json!(7)));
        let when = Some(Condition { name: "kind".into(), values: vec![json!("a")] });
        let kind = Dimension { name: "kind".into(), choices: vec![json!("a"), json!("b")], ..Dimension::default() };
        let study = Study { space: vec![kind, Dimension { when, ..float }], ..study(1.0) };
        let check = |values: serde_json::Value| {
            let values: Values = serde_json::from_value(values).expect("values");
            study.check(&values).map_err(|failure| failure.message().to_owned())
        };
        assert_eq!(check(json!({"kind": "a", "x": 0.3})), Ok(()));
        assert_eq!(check(json!({"kind": "b"})), Ok(()));
        assert_eq!(check(json!({"kind": "a"})), Err("there is no value of `x`".to_owned()));
        assert_eq!(
            check(json!({"kind": "b", "x": 0.3})),
            Err("there is a value of `x`, whose condition does not hold".to_owned())
        );
        assert_eq!(check(json!({"kind": "b", "y": 0.3})), Err("there is no dimension `y`".to_owned()));
    }
}
