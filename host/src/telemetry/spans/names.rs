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
/// How long a call waited for its turn, in seconds.
pub const WAITED: &str = "jackfield.waited";

/// The kind of failure; set together with the span's error.
pub const ERROR_TYPE: &str = "error.type";
/// Host of the model's server.
pub const SERVER_ADDRESS: &str = "server.address";
/// Port of the model's server.
pub const SERVER_PORT: &str = "server.port";

/// What is asked for: `chat`, `text_completion`, `embeddings`. The name of the span is this and the model asked for.
pub const GEN_AI_OPERATION_NAME: &str = "gen_ai.operation.name";
/// Who answers: `openai`, or the name of the plugin.
pub const GEN_AI_PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The model asked for.
pub const GEN_AI_REQUEST_MODEL: &str = "gen_ai.request.model";
/// Most tokens wanted.
pub const GEN_AI_REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// Seed asked for.
pub const GEN_AI_REQUEST_SEED: &str = "gen_ai.request.seed";
/// Temperature asked for.
pub const GEN_AI_REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
/// Share of probability asked for.
pub const GEN_AI_REQUEST_TOP_P: &str = "gen_ai.request.top_p";
/// Texts that end an answer.
pub const GEN_AI_REQUEST_STOP_SEQUENCES: &str = "gen_ai.request.stop_sequences";
/// The model that answered.
pub const GEN_AI_RESPONSE_MODEL: &str = "gen_ai.response.model";
/// Id of the answer.
pub const GEN_AI_RESPONSE_ID: &str = "gen_ai.response.id";
/// Why each answer ended, such as `stop`: a list.
pub const GEN_AI_RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Tokens of the question.
pub const GEN_AI_USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Tokens of the answer.
pub const GEN_AI_USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Tokens of the question that the server had in its own cache.
pub const GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
