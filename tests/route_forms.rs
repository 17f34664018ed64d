//! Routing policies linked in, as native libraries and as components: the same decisions, outcomes and state.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    model_server::ModelServer,
    routed::{POLICIES, Policy, command, decided, kept, pipeline, server, table},
    support::{Pipeline, fixture, jackfield, run_command, same_outcome},
};

/// How a policy comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Linked,
    Native,
    Component,
}

/// Claims that a run asks about.
const CLAIMS: usize = 90;

/// The pipeline with the policy in this form: a file is locked, and a native one allowed as well.
fn in_form(server: &ModelServer, policy: Policy, form: Form, pipeline_before: Option<Pipeline>) -> Pipeline {
    let (alias, file, allowed) = match form {
        Form::Linked => ("", "", ""),
        Form::Native => ("mine/", "jackfield_routes.so", "allow_native = true\n"),
        Form::Component => ("mine/", "jackfield_routes.wasm", ""),
    };
    let fresh = pipeline(server, policy, alias, CLAIMS);
    let mut text = fs::read_to_string(fresh.path().join("pipeline.toml")).expect("read");
    if !file.is_empty() {
        let path = fixture(file);
        text.push_str(&format!("\n[plugins.mine]\npath = {:?}\n{allowed}", path.to_str().expect("UTF-8")));
    }
    let pipeline = pipeline_before.unwrap_or(fresh).with("pipeline.toml", text);
    // What was locked before was another form.
    let _ = fs::remove_file(pipeline.path().join("jackfield.lock"));
    if !file.is_empty() {
        run_command(jackfield().current_dir(pipeline.path()).args(["plugins", "lock"])).expect_code(0);
    }
    pipeline
}

/// What is the same in all forms: decisions and outcomes without scores, and the state that the run began with.
fn record(run: &Path) -> (Vec<Value>, Vec<Vec<Option<f64>>>, Vec<String>) {
    let mut scores = Vec::new();
    let mut decisions = decided(run);
    for decision in &mut decisions {
        let own = decision.as_object_mut().and_then(|decision| decision.remove("scores")).expect("scores");
        scores.push(serde_json::from_value(own).expect("numbers"));
    }
    (decisions, scores, table(run, "route_starts"))
}

/// The greatest difference between scores; none if they do not correspond.
fn farthest(one: &[Vec<Option<f64>>], other: &[Vec<Option<f64>>]) -> Option<f64> {
    let mut most = 0.0_f64;
    for (one, other) in one.iter().zip(other) {
        if one.len() != other.len() {
            return None;
        }
        for pair in one.iter().zip(other) {
            match pair {
                (Some(one), Some(other)) => most = most.max((one - other).abs()),
                (None, None) => {}
                _ => return None,
            }
        }
    }
    (one.len() == other.len()).then_some(most)
}

#[test]
fn a_policy_decides_and_learns_the_same_in_every_form() {
    let server = server(std::time::Duration::from_millis(3));
    for policy in POLICIES {
        let linked = in_form(&server, policy, Form::Linked, None);
        let expected = run_command(&mut command(&linked, &[])).expect_code(0);
        let (decisions, scores, starts) = record(&expected.folder());
        assert_eq!(decisions.len(), CLAIMS, "{policy:?}");
        let used = |arm: &str| expected.json()["routes"]["ask"]["arms"][arm].as_u64().unwrap_or(0);
        let arms: u64 =
            ["cheap", "middle", "dear", "frail"].map(used).into_iter().filter(|count| *count > 0).count() as u64;
        assert!(arms >= 2, "{policy:?} always picks the same: nothing is compared");
        for form in [Form::Native, Form::Component] {
            let pipeline = in_form(&server, policy, form, None);
            let run = run_command(&mut command(&pipeline, &[])).expect_code(0);
            let (own, own_scores, own_starts) = record(&run.folder());
            assert_eq!(own, decisions, "{policy:?} {form:?}");
            assert_eq!(own_starts, starts, "{policy:?} {form:?}");
            // Sums, means and counts are the same in every form, to the last bit.
            assert_eq!(kept(&pipeline), kept(&linked), "{policy:?} {form:?}");
            same_outcome(&expected.folder(), &run.folder());
            let apart = farthest(&own_scores, &scores).unwrap_or_else(|| panic!("{policy:?} {form:?}: other scores"));
            // A Beta draw takes a logarithm or an exponential now and then, whose last bit a component may have otherwise.
            let most = if (policy, form) == (Policy::Thompson, Form::Component) { 1e-12 } else { 0.0 };
            eprintln!("{policy:?} {form:?}: scores are {apart:e} apart");
            assert!(apart <= most, "{policy:?} {form:?}: scores are {apart} apart");
            if apart == 0.0 {
                assert_eq!(table(&run.folder(), "routes"), table(&expected.folder(), "routes"), "{policy:?} {form:?}");
            }
        }
    }
}

#[test]
fn turns_are_taken_in_every_form_whatever_is_in_flight() {
    let server = server(std::time::Duration::from_millis(3));
    let mut expected = None;
    for form in [Form::Linked, Form::Native, Form::Component] {
        let pipeline = in_form(&server, Policy::RoundRobin, form, None);
        let run = run_command(&mut command(&pipeline, &[])).expect_code(0);
        let used = ["cheap", "middle", "dear"].map(|arm| run.json()["routes"]["ask"]["arms"][arm].as_u64());
        assert_eq!(used, [Some(CLAIMS as u64 / 3); 3], "{form:?}");
        let decisions = record(&run.folder()).0;
        assert_eq!(*expected.get_or_insert(decisions.clone()), decisions, "{form:?}");
    }
}

#[test]
fn what_one_form_has_learned_another_goes_on_with() {
    let server = server(std::time::Duration::from_millis(3));
    for policy in [Policy::Thompson, Policy::Pareto] {
        let mut same = in_form(&server, policy, Form::Linked, None);
        let mut mixed = in_form(&server, policy, Form::Linked, None);
        for form in [Form::Native, Form::Component, Form::Linked] {
            same = in_form(&server, policy, Form::Linked, Some(same));
            mixed = in_form(&server, policy, form, Some(mixed));
            let expected = run_command(&mut command(&same, &[])).expect_code(0).folder();
            let run = run_command(&mut command(&mixed, &[])).expect_code(0).folder();
            assert_eq!(record(&run).0, record(&expected).0, "{policy:?} {form:?}");
            assert_eq!(table(&run, "route_starts"), table(&expected, "route_starts"), "{policy:?} {form:?}");
            assert_eq!(kept(&mixed), kept(&same), "{policy:?} {form:?}");
        }
        assert_eq!(kept(&mixed).2, 3 * CLAIMS as u64);
    }
}
