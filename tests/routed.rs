//! A routed pipeline that asks a server of this machine: what the tests of routes in the real program share.

use std::{
    path::Path,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jackfield_claims::bank::Bank;
use jackfield_plugin_api::Random;
use jackfield_services::{PolicyStateFile, SavedPolicyState};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::{
    model_server::{Asked, ModelServer, Reply},
    support::Pipeline,
};

/// What the stage `ask` is routed by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// By a reward, in contexts.
    Thompson,
    /// As that, with Gaussian posteriors.
    Gaussian,
    /// By two objectives, in contexts.
    Pareto,
    /// By failures: the first model fails for good every third time.
    Fallback,
    /// In turn, whatever comes of it.
    RoundRobin,
}

/// Those that learn from what comes of their decisions.
pub const POLICIES: [Policy; 4] = [Policy::Thompson, Policy::Pareto, Policy::Fallback, Policy::Gaussian];

impl Policy {
    /// The route, with the policy from the plugin of this alias, or from the program itself.
    fn route(self, alias: &str) -> String {
        match self {
            Self::Thompson => format!(
                r#"{{ use = "{alias}thompson", with = {{ discount = 0.99 }}, context = "input.topic", reward = "check.prob_true", models = ["cheap", "middle", "dear"], in_flight = 8, state = "ask" }}"#
            ),
            Self::Gaussian => format!(
                r#"{{ use = "{alias}thompson", with = {{ likelihood = "gaussian" }}, context = "input.topic", reward = "check.prob_true", models = ["cheap", "middle", "dear"], in_flight = 8, state = "ask" }}"#
            ),
            Self::Pareto => format!(
                r#"{{ use = "{alias}pareto", with = {{ preference = {{ prob_true = 0.6, longest = 0.4 }}, trials = 3, epsilon = 0.2 }}, context = "input.topic", maximize = ["check.prob_true"], minimize = ["length.longest"], models = ["cheap", "middle", "dear"], in_flight = 8, state = "ask" }}"#
            ),
            Self::Fallback => format!(
                r#"{{ use = "{alias}fallback", with = {{ failures = 2, probe_after = 5 }}, models = ["frail", "middle"], in_flight = 8, state = "ask" }}"#
            ),
            Self::RoundRobin => format!(
                r#"{{ use = "{alias}round-robin", models = ["cheap", "middle", "dear"], in_flight = 8, state = "ask" }}"#
            ),
        }
    }
}

/// The paraphrase that a claim is put in, in a bank of one.
const BANK: &str = r#"
version = "routed-1"
system = "Judge."
answer_schema = '{"type": "object"}'
user_template = "Answer."
paraphrases = ["{CLAIM}"]
"#;

/// A pipeline over so many claims: the stage `ask` puts each to one of several models, the stage `check` has a judge say how
/// good the answer was, from 0 to 1, and the stage `length` counts its words.
pub fn pipeline(server: &ModelServer, policy: Policy, alias: &str, claims: usize) -> Pipeline {
    let model = |name: &str| {
        let address = server.address;
        format!(
            "[model.{name}]\nuse = \"openai\"\nwith = {{ base_url = \"http://{address}/v1\", name = \"{name}\" }}\nretry = {{ attempts = 1 }}\nconcurrency = 64\n"
        )
    };
    let models = ["cheap", "middle", "dear", "frail", "judge"].map(model).concat();
    let slot = "claim = \"input.claim\", prompt_version = \"input.version\", template = \"input.template\", prompt_sha256 = \"input.prompt\", replicate = \"input.replicate\"";
    let route = policy.route(alias);
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "routed"
seed = 5
max_in_flight = 64

[input]
use = "jsonl"
path = "claims.jsonl"
id = "id"

{models}
[stages.ask]
use = "claim-sample"
in = {{ {slot} }}
with = {{ bank = "bank.toml" }}
route = {route}

[stages.check]
use = "claim-sample"
in = {{ {slot}, temperature = "ask.prob_true" }}
with = {{ bank = "bank.toml" }}
model = "judge"

[stages.length]
use = "reply-length"
in = {{ replies = [{{ text = "ask.label" }}] }}
with = {{ unit = "words" }}
"#
    ))
    .with("bank.toml", BANK)
    .with("claims.jsonl", claims_of(claims))
}

fn claims_of(count: usize) -> String {
    let bank = Bank::from_toml(BANK).expect("a bank");
    let line = |number: usize| {
        let claim = format!("Claim {number}");
        let prompt = bank.prompt(0, &claim).expect("a prompt").sha256();
        let topic = ["finance", "health", "travel"][number % 3];
        let line = json!({
            "id": format!("{number:04}"), "topic": topic, "claim": claim, "version": bank.version(), "template": 0,
            "prompt": prompt, "replicate": 0,
        });
        format!("{line}\n")
    };
    (0..count).map(line).collect()
}

/// A server for such a pipeline. What it says depends on the claim and the model alone; when, on chance: an answer takes up to
/// `longest`.
pub fn server(longest: Duration) -> ModelServer {
    ModelServer::start(Duration::ZERO, move |asked| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
        let wait = longest.mul_f64(Random::new(now ^ asked.number as u64).next_f64());
        Reply::After(wait, Box::new(answer(asked)))
    })
}

fn answer(asked: &Asked) -> Reply {
    let model = asked.body["model"].as_str().unwrap_or_default();
    let said = asked.body["messages"][1]["content"].as_str().unwrap_or_default();
    let claim: u64 = said.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let chance = Random::new(claim.wrapping_mul(31) ^ model.len() as u64).next_f64();
    let (belief, tokens) = match model {
        "judge" => (asked.body["temperature"].as_f64().unwrap_or(0.0), 5),
        "cheap" => (chance * 0.6, 10),
        "middle" => (0.2 + chance * 0.6, 25),
        "frail" if claim.is_multiple_of(3) || (40..60).contains(&claim) => return Reply::error(400, ""),
        _ => (0.4 + chance * 0.6, 90),
    };
    // As many words as it is said to have tokens.
    let label = "so ".repeat(tokens);
    let content = json!({ "prob_true": belief, "label": label }).to_string();
    Reply::json(
        200,
        &json!({
            "model": model,
            "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": content } }],
            "usage": { "prompt_tokens": 50, "completion_tokens": tokens, "total_tokens": 50 + tokens },
        }),
    )
}

/// `jackfield run` on it, as a command.
pub fn command(pipeline: &Pipeline, more: &[&str]) -> Command {
    let mut command = pipeline.command();
    command.args(["--jobs", "2"]).args(more);
    command
}

/// A table of a run's record, as it stands there: a line a row, numbers with all their digits.
pub fn table(run: &Path, name: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(run.join("store.sqlite")).expect("the record");
    let mut query = db.prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2")).expect("a table");
    // What is in a row, without its checksum.
    let columns = query.column_count() - 1;
    let rows = query.query_map([], |row| {
        let cells: Result<Vec<Cell>, _> = (0..columns).map(|column| row.get(column)).collect();
        Ok(format!("{:?}", cells?))
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// What was decided about each item and came of it, by item.
pub fn decided(run: &Path) -> Vec<Value> {
    let db = jackfield_store::Db::open(&run.join("store.sqlite")).expect("the record");
    let mut all = Vec::new();
    db.each_outcome(0, |record| {
        all.push(json!({ "item": record.item, "outcome": record.outcome, "scores": record.scores }));
        Ok(())
    })
    .expect("outcomes");
    all
}

/// What the route keeps: the file without the runs' names, which no two runs share.
pub fn kept(pipeline: &Pipeline) -> (String, String, u64, Vec<u64>) {
    let SavedPolicyState { policy, state, outcomes, runs, .. } =
        PolicyStateFile::at(&pipeline.path().join(".jackfield/routes/ask.json")).read().expect("read");
    let state = state.map_or_else(String::new, |state| state.to_string());
    // The names of two runs of the same second come in any order.
    let mut counts: Vec<u64> = runs.into_values().collect();
    counts.sort_unstable();
    (policy, state, outcomes, counts)
}
