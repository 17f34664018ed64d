//! The analyzer `claim-plan`: what to ask about a claim.

use jackfield_plugin_api::prelude::*;
use serde_json::json;

use crate::{
    bank::Bank,
    bank_file::{ParsedBank, example_bank},
    execution::FEWEST_ANSWERS,
    names::{ModelLabel, execution_cache_name},
    record::{Amounts, Claim, Execution, Plan, Slot},
    seed::{self, Origin},
    worklist::{self, Call, Sampling},
};

/// The variable that holds a seed for the bootstrap, unless the configuration gives one.
const SEED_VARIABLE: &str = "JACKFIELD_BOOTSTRAP_SEED";

/// Plans which paraphrases of a claim a model is asked, and how often.
///
/// The plan depends on the claim, the model and the bank alone. With a cache (`store`) it answers with an earlier
/// execution that asked the same; then there is nothing left to ask. Give it the model of `claim-sample`, which it does
/// not call.
#[derive(Config)]
#[schemars(extend("x-needs" = "model"))]
pub struct ClaimPlan {
    /// The prompt bank: a TOML file with `version`, `system`, `answer_schema`, `user_template` and `paraphrases`.
    pub bank: TextFile,
    /// K: paraphrase slots. With `replicates` they have to make three answers at least, the fewest that are estimated from.
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
    /// The bank, parsed once.
    #[serde(skip)]
    parsed_bank: ParsedBank,
}

impl Analyzer for ClaimPlan {
    const NAME: &'static str = "claim-plan";
    const STABILITY: Stability = Stability::Beta;
    type Input = Claim;
    type Output = Plan;

    fn open(self) -> Result<Self> {
        let bank = self.parsed_bank.get(&self.bank)?;
        let answers = self.slots.saturating_mul(self.replicates);
        if answers < FEWEST_ANSWERS {
            let (slots, replicates) = (self.slots, self.replicates);
            return Err(Failure::InvalidConfig(format!(
                "`slots` = {slots} times `replicates` = {replicates} asks for too few answers: an estimate takes \
                 {FEWEST_ANSWERS}, so raise one of them"
            )));
        }
        if self.templates.is_some_and(|templates| templates > bank.size()) {
            let size = bank.size();
            return Err(Failure::InvalidConfig(format!("`templates` is more than the bank has, which is {size}")));
        }
        Ok(self)
    }

    fn permissions() -> Vec<Permission> {
        let model = "to know its name, on which the plan depends";
        let cache = "to find an earlier execution that asked the same, where the stage has a `store`";
        let variable = "to let the machine give a seed for the bootstrap";
        vec![
            Permission { name: "model".to_owned(), reason: model.to_owned() },
            Permission { name: "cache".to_owned(), reason: cache.to_owned() },
            Permission { name: format!("env:{SEED_VARIABLE}"), reason: variable.to_owned() },
        ]
    }

    fn examples() -> Vec<Example> {
        let slot = |template: usize, prompt: &str, replicate: u32| {
            json!({
                "claim": "Tea is wet.", "prompt_version": "example-1", "template": template, "prompt_sha256": prompt,
                "replicate": replicate, "temperature": null, "max_tokens": 800,
            })
        };
        let (first, second) = (
            "71711e49dbec31857b874fa900c0e32997281cf4901716f55bb76cc00eb8cea4",
            "5a774a884ecca1675b7ba9d60561bd980cbe9999643ccbf07f191e004e73a940",
        );
        let slots = [slot(1, first, 0), slot(1, first, 1), slot(0, second, 0), slot(0, second, 1)];
        vec![Example {
            summary: "two wordings of a claim, each put twice to the model `mock`".to_owned(),
            config: json!({ "bank": example_bank(), "slots": 2, "replicates": 2, "seed": 7 }),
            input: json!({ "claim": "Tea is wet." }),
            output: json!({
                "claim": "Tea is wet.", "model": "mock", "provider": "mock", "prompt_version": "example-1",
                "sampling": { "K": 2, "R": 2, "T": 2 }, "imbalance_ratio": 1.0, "draws": 5000, "seed": 7,
                "seed_origin": "given", "found": null, "slots": slots,
                "run_key": "0b71056456cdd99d0fdd884ff71a8a793ca45f3eaba6b80c38baf5a268111a1d",
            }),
        }]
    }

    async fn analyze(&self, input: Claim, host: &Host<'_>) -> Result<Plan> {
        let claim = input.claim.trim().to_owned();
        if claim.is_empty() {
            return Err(Failure::InvalidInput("the claim is empty".to_owned()));
        }
        let bank = self.parsed_bank.get(&self.bank)?;
        let ModelLabel { provider, model } = ModelLabel::of_stage(host)?;
        let templates = self.templates.unwrap_or(self.slots.min(bank.size()));
        let sampling = Sampling { slots: self.slots, replicates: self.replicates, templates };
        let work = worklist::plan(&claim, &model, bank.version(), bank.size(), sampling)
            .map_err(|error| Failure::InvalidConfig(error.to_string()))?;
        let slots: Vec<Slot> = work.calls.iter().map(|call| self.slot(bank, &claim, *call)).collect();
        let (seed, seed_origin) = self.seed()?;
        let key = json!({
            "claim": claim, "model": model, "provider": provider, "prompt_version": bank.version(),
            "prompts": distinct_prompts(&slots), "max_tokens": self.max_tokens, "temperature": self.temperature,
            "K": self.slots, "R": self.replicates, "T": templates, "B": self.draws, "seed": seed,
        });
        let mut plan = Plan {
            claim,
            model,
            provider,
            prompt_version: bank.version().to_owned(),
            sampling: Amounts { slots: self.slots, replicates: self.replicates, templates },
            imbalance_ratio: work.imbalance(),
            draws: self.draws,
            seed,
            seed_origin: seed_origin.name().to_owned(),
            run_key: seed::hex_sha256(&key.to_string()),
            found: None,
            slots,
        };
        if let Some(earlier) = earlier_execution(&plan.run_key, host).await? {
            plan.found = Some(earlier);
            plan.slots.clear();
        }
        Ok(plan)
    }
}

impl ClaimPlan {
    /// The seed, unless it is to be derived, and where it comes from.
    fn seed(&self) -> Result<(Option<u64>, Origin)> {
        let environment = std::env::var(SEED_VARIABLE).ok();
        seed::choose(self.seed, environment.as_deref())
            .map_err(|error| Failure::InvalidConfig(format!("`{SEED_VARIABLE}`: {error}")))
    }

    /// A call of the work list with all that it takes to make it.
    fn slot(&self, bank: &Bank, claim: &str, call: Call) -> Slot {
        let prompt = bank.prompt(call.template, claim).expect("a work list holds templates of its bank only");
        Slot {
            claim: claim.to_owned(),
            prompt_version: bank.version().to_owned(),
            template: call.template,
            prompt_sha256: prompt.sha256(),
            replicate: call.replicate as u32,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
        }
    }
}

/// The digests of the prompts, sorted, each once.
fn distinct_prompts(slots: &[Slot]) -> Vec<&str> {
    let mut prompts: Vec<&str> = slots.iter().map(|slot| slot.prompt_sha256.as_str()).collect();
    prompts.sort_unstable();
    prompts.dedup();
    prompts
}

/// The execution of an earlier run that asked the same, marked as such.
async fn earlier_execution(run_key: &str, host: &Host<'_>) -> Result<Option<Execution>> {
    let name = execution_cache_name(run_key);
    let Some(mut execution) = host.cache_get_json::<Execution>(&name).await? else { return Ok(None) };
    execution.from_run_cache = true;
    execution.summary.push_str(", from the run cache");
    Ok(Some(execution))
}
