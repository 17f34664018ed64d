//! Names of attributes: those of OpenTelemetry where it has one, `jackfield.*` otherwise. The `gen_ai.*` ones follow the
//! semantic conventions for generative AI, v1.37 and later.

/// What the span is the time of: `run`, `item`, `stage` or `model`. Set on every span.
pub const KIND: &str = "jackfield.span.kind";
/// Id of the run. Set on every span, as an attribute of the resource.
pub const RUN: &str = "jackfield.run";
/// Name of the pipeline.
pub const PIPELINE: &str = "jackfield.pipeline";
/// Id of the item.
pub const ITEM: &str = "jackfield.item";
/// Name of the stage.
pub const STAGE: &str = "jackfield.stage";
/// The extension that a stage runs, such as `decisions`.
pub const EXTENSION: &str = "jackfield.extension";
/// How it ended: `ok`, or the kind of failure.
pub const OUTCOME: &str = "jackfield.outcome";
/// Tries it took.
pub const ATTEMPTS: &str = "jackfield.attempts";
/// Calls made together, in one batch.
pub const BATCH: &str = "jackfield.batch";
/// Where an answer came from: `hit`, `miss`.
pub const CACHE: &str = "jackfield.cache";
/// Name of the model in the pipeline, such as `writer`.
pub const MODEL: &str = "jackfield.model";
/// What a call cost, in US dollars.
pub const USD: &str = "jackfield.usd";

/// What is asked for: `chat`, `text_completion`, `embeddings`. The name of the span is this and the model asked for.
pub const GEN_AI_OPERATION_NAME: &str = "gen_ai.operation.name";
/// Who answers: `openai`, or the name of the plugin.
pub const GEN_AI_PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The model asked for.
pub const GEN_AI_REQUEST_MODEL: &str = "gen_ai.request.model";
/// Why each answer ended, such as `stop`: a list.
pub const GEN_AI_RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Tokens of the question.
pub const GEN_AI_USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Tokens of the answer.
pub const GEN_AI_USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
