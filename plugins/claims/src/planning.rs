//! What to ask about a claim.

use std::sync::OnceLock;

use jackfield_plugin_api::prelude::*;
use serde_json::json;

use crate::{
    bank::Bank,
    record::{Amounts, Claim, Execution, Plan, Slot},
    seed::{self, Origin},
    worklist::{self, Sampling},
};

/// The variable that holds a seed for the bootstrap, unless the configuration gives one.
const SEED_VARIABLE: &str = "JACKFIELD_BOOTSTRAP_SEED";

/// Plans which paraphrases of a claim a model is asked, and how often.
///
/// The plan depends on the claim, the model and the bank alone. With a cache (`store`) it answers with an earlier
/// execution that asked the same; then there is nothing left to ask. Give it the model of `claim-sample`, which it does
/// not call.
#[derive(Config)]
pub struct ClaimPlan {
    /// The prompt bank: a TOML file with `version`, `system`, `answer_schema`, `user_template` and `paraphrases`.
    pub bank: TextFile,
    /// K: paraphrase slots.
    #[config(default = 8)]
    #[schemars(range(min = 1, max = 10_000))]
    pub slots: usize,
    /// R: answers to a slot.
    #[config(default = 2)]
    #[schemars(range(min = 1, max = 1_000))]
    pub replicates: usize,
    /// T: templates of the bank that are used; as many as there are slots, or the whole bank, by default.
    #[schemars(range(min = 1))]
    pub templates: Option<usize>,
    /// B: draws of the final bootstrap.
    #[config(default = 5000)]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub draws: u32,
    /// Seed of the bootstrap; by default that of the variable `JACKFIELD_BOOTSTRAP_SEED`, or one derived from the plan.
    pub seed: Option<u64>,
    /// Temperature of sampling, 0 to 2; the server's default without it.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
    /// The most tokens of an answer.
    #[config(default = Some(800))]
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u32>,
    /// The bank, read once.
    #[serde(skip)]
    read: ReadOnce,
}

/// A prompt bank that is read when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct ReadOnce(OnceLock<Bank>);

impl ReadOnce {
    /// The bank of this file.
    pub(crate) fn bank(&self, file: &TextFile) -> Result<&Bank> {
        if let Some(bank) = self.0.get() {
            return Ok(bank);
        }
        let bank = Bank::from_toml(&file.text)
            .map_err(|error| Failure::InvalidConfig(format!("the prompt bank `{}`: {error}", file.path)))?;
        Ok(self.0.get_or_init(|| bank))
    }
}

impl ClaimPlan {
    fn bank(&self) -> Result<&Bank> {
        self.read.bank(&self.bank)
    }

    /// The seed, unless it is to be derived, and where it comes from.
    fn seed(&self) -> Result<(Option<u64>, Origin)> {
        let environment = std::env::var(SEED_VARIABLE).ok();
        seed::choose(self.seed, environment.as_deref())
            .map_err(|error| Failure::InvalidConfig(format!("`{SEED_VARIABLE}`: {error}")))
    }
}

/// The extension and the model's own name, of `openai/qwen2.5-7b`.
pub(crate) fn provider_and_model(host: &Host<'_>) -> Result<(String, String)> {
    let label = host.model_name().ok_or_else(|| {
        Failure::InvalidConfig("the stage needs to know its model: give it `model = \"name\"`".to_owned())
    })?;
    Ok(match label.split_once('/') {
        Some((provider, model)) => (provider.to_owned(), model.to_owned()),
        None => (label.clone(), label),
    })
}

impl Analyzer for ClaimPlan {
    const NAME: &'static str = "claim-plan";
    const STABILITY: Stability = Stability::Beta;
    type Input = Claim;
    type Output = Plan;

    fn open(self) -> Result<Self> {
        let bank = self.bank()?;
        if self.templates.is_some_and(|templates| templates > bank.size()) {
            let size = bank.size();
            return Err(Failure::InvalidConfig(format!("`templates` is more than the bank has, which is {size}")));
        }
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let of = |name: &str, reason: &str| Permission { name: name.to_owned(), reason: reason.to_owned() };
        vec![
            of("cache", "to find an earlier execution that asked the same, where the stage has a `store`"),
            of(&format!("env:{SEED_VARIABLE}"), "to let the machine give a seed for the bootstrap"),
        ]
    }

    fn examples() -> Vec<Example> {
        let slot = |template: usize, prompt: &str| {
            json!({
                "claim": "Tea is wet.", "prompt_version": "example-1", "template": template, "prompt_sha256": prompt,
                "replicate": 0, "temperature": null, "max_tokens": 800,
            })
        };
        let slots = [
            slot(1, "71711e49dbec31857b874fa900c0e32997281cf4901716f55bb76cc00eb8cea4"),
            slot(0, "5a774a884ecca1675b7ba9d60561bd980cbe9999643ccbf07f191e004e73a940"),
        ];
        vec![Example {
            summary: "two wordings of a claim, each put once to the model `mock`".to_owned(),
            config: json!({ "bank": example_bank(), "slots": 2, "replicates": 1, "seed": 7 }),
            input: json!({ "claim": "Tea is wet." }),
            output: json!({
                "claim": "Tea is wet.", "model": "mock", "provider": "mock", "prompt_version": "example-1",
                "sampling": { "K": 2, "R": 1, "T": 2 }, "imbalance_ratio": 1.0, "draws": 5000, "seed": 7,
                "seed_origin": "given", "found": null, "slots": slots,
                "run_key": "1b59d3323b9247a65d53b9126059ae0b6d3adfc25373bf6854c8e2fbd443b507",
            }),
        }]
    }

    async fn analyze(&self, input: Claim, host: &Host<'_>) -> Result<Plan> {
        let claim = input.claim.trim().to_owned();
        if claim.is_empty() {
            return Err(Failure::InvalidInput("the claim is empty".to_owned()));
        }
        let bank = self.bank()?;
        let (provider, model) = provider_and_model(host)?;
        let templates = self.templates.unwrap_or(self.slots.min(bank.size()));
        let sampling = Sampling { slots: self.slots, replicates: self.replicates, templates };
        let work = worklist::plan(&claim, &model, bank.version(), bank.size(), sampling)
            .map_err(|error| Failure::InvalidConfig(error.to_string()))?;
        let slots: Vec<Slot> = work
            .calls
            .iter()
            .filter_map(|call| {
                let prompt = bank.prompt(call.template, &claim)?;
                Some(Slot {
                    claim: claim.clone(),
                    prompt_version: bank.version().to_owned(),
                    template: call.template,
                    prompt_sha256: prompt.sha256(),
                    replicate: call.replicate as u32,
                    temperature: self.temperature,
                    max_tokens: self.max_tokens,
                })
            })
            .collect();
        let (seed, seed_origin) = self.seed()?;
        let mut prompts: Vec<&str> = slots.iter().map(|slot| slot.prompt_sha256.as_str()).collect();
        prompts.sort_unstable();
        prompts.dedup();
        let key = json!({
            "claim": claim, "model": model, "provider": provider, "prompt_version": bank.version(), "prompts": prompts,
            "max_tokens": self.max_tokens, "temperature": self.temperature,
            "K": self.slots, "R": self.replicates, "T": templates, "B": self.draws, "seed": seed,
        });
        let run_key = seed::hex_sha256(&key.to_string());
        let sampling = Amounts { slots: self.slots, replicates: self.replicates, templates };
        let mut plan = Plan {
            claim,
            model,
            provider,
            prompt_version: bank.version().to_owned(),
            sampling,
            imbalance_ratio: work.imbalance(),
            draws: self.draws,
            seed,
            seed_origin: seed_origin.name().to_owned(),
            run_key,
            found: None,
            slots,
        };
        if let Some(found) = self.earlier(&plan.run_key, host).await? {
            plan.found = Some(found);
            plan.slots.clear();
        }
        Ok(plan)
    }
}

impl ClaimPlan {
    /// The execution under this key.
    async fn earlier(&self, run_key: &str, host: &Host<'_>) -> Result<Option<Execution>> {
        let Some(mut found) = host.cache_get_json::<Execution>(&run_name(run_key)).await? else { return Ok(None) };
        found.from_run_cache = true;
        found.summary.push_str(", from the run cache");
        Ok(Some(found))
    }
}

/// A prompt bank for examples, as the host hands a text file over.
pub(crate) fn example_bank() -> serde_json::Value {
    let text = r#"
version = "example-1"
system = "Say how likely the claim is to be true, with one JSON object of this schema."
answer_schema = '{ "type": "object", "required": ["prob_true"], "properties": { "prob_true": { "type": "number", "minimum": 0, "maximum": 1 } } }'
user_template = "Answer now."
paraphrases = ["How likely is this: {CLAIM}", "Is it so? {CLAIM}"]
"#;
    json!({ "path": "bank.toml", "text": text })
}

/// The name of an execution in the run cache.
pub(crate) fn run_name(run_key: &str) -> String {
    format!("run/{run_key}")
}
