// Schemas that the contract fixes. Made from jackfield-plugin-api by tests/packages.rs.

export const COMPLETION_REQUEST = {
  "$defs": {
    "Capture": {"additionalProperties":false,"description":"Which hidden states to answer with: those of the residual stream. Layer 0 is the embeddings, layer n what the n-th block\nhands on.","properties":{"layers":{"description":"The layers, in this order; all of them without it.","items":{"format":"uint32","minimum":0,"type":"integer"},"type":["array","null"]},"positions":{"description":"The positions in the prompt, in this order: from 0 at its first token, or from -1 at its last. The last alone\nwithout it.","items":{"format":"int64","type":"integer"},"type":["array","null"]}},"type":"object"},
    "Component": {"description":"Where in a block an edit acts: on what the component adds to the residual stream.","oneOf":[{"const":"attention-output","description":"The output projection of attention.","type":"string"},{"const":"mlp-down","description":"The down projection of the MLP.","type":"string"}]},
    "Edit": {"additionalProperties":false,"description":"An edit: takes a direction out of what a component of a layer adds to the residual stream.","properties":{"component":{"$ref":"#/$defs/Component","description":"The component."},"direction":{"additionalProperties":false,"description":"A tensor that holds the direction, a unit vector: of shape `[d]`, or `[rows, d]`.","properties":{"$tensor":{"pattern":"^[0-9a-f]{64}$","type":"string"},"dtype":{"enum":["f32"]},"shape":{"items":{"minimum":0,"type":"integer"},"maxItems":8,"type":"array"}},"required":["$tensor","shape","dtype"],"type":"object","x-tensor":{}},"layer":{"description":"The block, from 0.","format":"uint32","minimum":0,"type":"integer"},"row":{"default":0,"description":"Which row of the tensor, where it has several.","format":"uint32","minimum":0,"type":"integer"},"row_normalization":{"$ref":"#/$defs/RowNormalization","default":"none","description":"How the norms of the rows are treated."},"weight":{"description":"How much of it to take out: 0 leaves everything as it is, 1 takes all of it.","format":"double","type":"number"}},"required":["component","layer","direction","weight"],"type":"object"},
    "LogProbs": {"additionalProperties":false,"description":"Which log-probabilities to answer with.","properties":{"distribution":{"default":false,"description":"Whether to answer with the whole distribution at each position, as a tensor.","type":"boolean"},"on":{"$ref":"#/$defs/LogProbsOn","default":{"first":1},"description":"Of which tokens."},"top":{"default":0,"description":"How many of the likeliest tokens to list at each position; none by default.","format":"uint32","minimum":0,"type":"integer"}},"type":"object"},
    "LogProbsOn": {"description":"Of which tokens log-probabilities are asked.","oneOf":[{"additionalProperties":false,"description":"Of the first tokens, this many, that the model itself answers with.","properties":{"first":{"format":"uint32","minimum":0,"type":"integer"}},"required":["first"],"type":"object"},{"additionalProperties":false,"description":"Of this reply, read as if the model had generated it (teacher forcing).","properties":{"reply":{"type":"string"}},"required":["reply"],"type":"object"}]},
    "Message": {"description":"A message of a conversation.","properties":{"content":{"description":"The text.","type":"string"},"role":{"$ref":"#/$defs/Role","description":"The author."}},"required":["role","content"],"type":"object"},
    "Role": {"description":"The author of a message.","oneOf":[{"const":"system","description":"Instructs the model how to behave.","type":"string"},{"const":"user","description":"Asks the model.","type":"string"},{"const":"assistant","description":"The model, in an earlier answer.","type":"string"}]},
    "RowNormalization": {"description":"How an edit treats the norms of the weight matrix's rows. A component adds `y = W x`; under the edit it adds `y'`. With\n`W_i` the rows of `W`, `n_i` their norms, `v` the unit direction, `w` the weight, and `a` the sum of `v_i W_i / n_i` over\nall rows:","oneOf":[{"const":"none","description":"`y' = y - w v (v.y)`: what is added along the direction is subtracted, all of it with a weight of 1.","type":"string"},{"const":"pre","description":"`y'_i = y_i - w n_i v_i (a.x)`: the rows are normalised before the direction is taken out of them, and get their norms\nback after it. Part of the direction is left.","type":"string"},{"const":"full","description":"As `pre`, times `s_i = 1 / sqrt(1 - 2 w v_i (W_i.a) / n_i + w^2 v_i^2 |a|^2)`: each row has the norm that it had,\nexactly. Part of the direction is left.","type":"string"}]}
  },
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "description": "A prompt for a model. Equal requests have equal answers within a cache's lifetime, so whoever wants several\nanswers to one prompt numbers them by `replicate`.",
  "properties": {
    "cached": {"description":"Whether the answer may come from the model's cache, and go there. True by default.","type":"boolean"},
    "capture": {"anyOf":[{"$ref":"#/$defs/Capture"},{"type":"null"}],"description":"Hidden states to answer with, for models that offer `capture`. With `max_tokens` 0, the model generates no text."},
    "edits": {"description":"Edits to run under, for models that offer `edits`. They hold for this request alone: nothing is mutated.","items":{"$ref":"#/$defs/Edit"},"type":"array"},
    "embed": {"description":"Whether to answer with a vector that stands for the prompt, for models that offer `embed`.","type":"boolean"},
    "logprobs": {"anyOf":[{"$ref":"#/$defs/LogProbs"},{"type":"null"}],"description":"Log-probabilities to answer with, for models that offer `logprobs`. With `max_tokens` 0, they are those of the tokens\nthat the model would answer with."},
    "max_tokens": {"description":"The most tokens of an answer; the server's default without it.","format":"uint32","minimum":0,"type":["integer","null"]},
    "messages": {"description":"The conversation so far; at least one message.","items":{"$ref":"#/$defs/Message"},"type":"array"},
    "replicate": {"default":0,"description":"Number of this answer among several to the same prompt. Added to the stage's own replicates.","format":"uint32","minimum":0,"type":"integer"},
    "schema": {"description":"JSON Schema (2020-12) of the answer; servers that support schemas are asked to follow it. The answer is free text without one."},
    "seed": {"description":"Seed of sampling, for servers that take one. A local model that is given none draws from the request itself and the\nseed in its configuration, never from the stage or the item: equal requests are answered once.","format":"uint64","minimum":0,"type":["integer","null"]},
    "stop": {"description":"Texts that end the answer.","items":{"type":"string"},"type":"array"},
    "temperature": {"description":"Temperature of sampling, 0 to 2; the server's default without it.","format":"double","type":["number","null"]},
    "tokenize": {"description":"Whether to answer with the tokens of the prompt, as the model reads them, for models that offer `tokenize`.","type":"boolean"},
    "validate": {"description":"Whether the host validates the answer against `schema`: one that does not fit is sent back once, with the error, and\nfails as `invalid-output` if that does not help. True by default.","type":"boolean"}
  },
  "required": ["messages"],
  "title": "CompletionRequest",
  "type": "object"
};

export const COMPLETION = {
  "$defs": {
    "Captured": {"description":"Hidden states of a prompt.","properties":{"hidden_states":{"additionalProperties":false,"description":"The hidden states, of shape `[positions, layers, d]`.","properties":{"$tensor":{"pattern":"^[0-9a-f]{64}$","type":"string"},"dtype":{"enum":["f32"]},"shape":{"items":{"minimum":0,"type":"integer"},"maxItems":8,"type":"array"}},"required":["$tensor","shape","dtype"],"type":"object","x-tensor":{"shape":["positions","layers","d"]}},"layers":{"description":"The layers, in order.","items":{"format":"uint32","minimum":0,"type":"integer"},"type":"array"},"positions":{"description":"The positions in the prompt, from 0, in order.","items":{"format":"uint32","minimum":0,"type":"integer"},"type":"array"}},"required":["hidden_states","layers","positions"],"type":"object"},
    "FinishReason": {"description":"Why an answer ended.","oneOf":[{"const":"stop","description":"It was complete.","type":"string"},{"const":"length","description":"It reached `max_tokens` or the model's own limit.","type":"string"},{"const":"other","description":"Something else, such as a filter that cut it.","type":"string"}]},
    "LikelyToken": {"description":"A token that was likely.","properties":{"logprob":{"description":"Its log-probability.","format":"double","type":"number"},"token":{"$ref":"#/$defs/Token","description":"The token."}},"required":["token","logprob"],"type":"object"},
    "Token": {"description":"A token.","properties":{"id":{"description":"Its number in the vocabulary.","format":"uint32","minimum":0,"type":"integer"},"text":{"description":"Its text; a part of a character is written as U+FFFD.","type":"string"}},"required":["id","text"],"type":"object"},
    "TokenLogProb": {"description":"A token of a sequence, and what was likely in its place.","properties":{"logprob":{"description":"Its log-probability, given all before it; none if it cannot come.","format":"double","type":["number","null"]},"token":{"$ref":"#/$defs/Token","description":"The token."},"top":{"description":"The likeliest tokens in its place, the likeliest first, as many as were asked for.","items":{"$ref":"#/$defs/LikelyToken"},"type":"array"}},"required":["token","logprob"],"type":"object"},
    "TokenLogProbs": {"description":"Log-probabilities of a sequence of tokens. Natural logarithms; a token that cannot come has none.","properties":{"distribution":{"additionalProperties":false,"description":"The whole distribution at each position, of shape `[positions, vocabulary]`, if it was asked for; negative infinity\nfor a token that cannot come.","properties":{"$tensor":{"pattern":"^[0-9a-f]{64}$","type":"string"},"dtype":{"enum":["f32"]},"shape":{"items":{"minimum":0,"type":"integer"},"maxItems":8,"type":"array"}},"required":["$tensor","shape","dtype"],"type":["object","null"],"x-tensor":{"shape":["logprob_positions","vocabulary"]}},"tokens":{"description":"The tokens, in order.","items":{"$ref":"#/$defs/TokenLogProb"},"type":"array"}},"required":["tokens"],"type":"object"},
    "Usage": {"description":"Tokens of a call.","properties":{"cache_write":{"description":"Those of `input` that the server put into its own cache of prompts.","format":"uint64","minimum":0,"type":"integer"},"cached_input":{"description":"Those of `input` that the server read from its own cache of prompts.","format":"uint64","minimum":0,"type":"integer"},"input":{"description":"Tokens read.","format":"uint64","minimum":0,"type":"integer"},"output":{"description":"Tokens written.","format":"uint64","minimum":0,"type":"integer"},"reasoning":{"description":"Those of `output` that the model thought in.","format":"uint64","minimum":0,"type":"integer"}},"required":["input","output"],"type":"object"}
  },
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "description": "An answer.",
  "properties": {
    "cached": {"default":false,"description":"Whether no call was made for it. Set by the host; a model leaves it.","type":"boolean"},
    "captured": {"anyOf":[{"$ref":"#/$defs/Captured"},{"type":"null"}],"description":"The hidden states that were asked for."},
    "embedding": {"additionalProperties":false,"description":"The vector that was asked for, of shape `[d]`.","properties":{"$tensor":{"pattern":"^[0-9a-f]{64}$","type":"string"},"dtype":{"enum":["f32"]},"shape":{"items":{"minimum":0,"type":"integer"},"maxItems":8,"type":"array"}},"required":["$tensor","shape","dtype"],"type":["object","null"],"x-tensor":{"shape":["embedding"]}},
    "finish": {"$ref":"#/$defs/FinishReason","default":"stop","description":"Why it ended."},
    "logprobs": {"anyOf":[{"$ref":"#/$defs/TokenLogProbs"},{"type":"null"}],"description":"The log-probabilities that were asked for."},
    "model": {"description":"The model, as the server calls it.","type":["string","null"]},
    "reasoning": {"description":"What the model thought before it answered, where it says that apart from the answer.","type":["string","null"]},
    "text": {"description":"The text; JSON if the request had a schema that the answer was validated against.","type":"string"},
    "tokens": {"description":"The tokens of the prompt, if they were asked for.","items":{"$ref":"#/$defs/Token"},"type":["array","null"]},
    "usage": {"anyOf":[{"$ref":"#/$defs/Usage"},{"type":"null"}],"description":"Tokens, as the server counts them. Absent where it does not: the host then counts."},
    "usd": {"default":0.0,"description":"What its tokens cost in USD, whether or not it was cached. Set by the host; a model leaves it.","format":"double","type":"number"}
  },
  "required": ["text","finish","cached","usd"],
  "title": "Completion",
  "type": "object"
};

export const CONTRAST_SET = {
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "description": "What a direction is extracted from: the hidden states of a model (its residual stream) at one position of each prompt\nof two sets. Layer 0 is the embeddings, layer n what the n-th block of the model hands on.",
  "properties": {
    "negative": {"additionalProperties":false,"description":"Hidden states of the prompts that do not.","properties":{"$tensor":{"pattern":"^[0-9a-f]{64}$","type":"string"},"dtype":{"enum":["f32"]},"shape":{"items":{"minimum":0,"type":"integer"},"maxItems":8,"type":"array"}},"required":["$tensor","shape","dtype"],"type":"object","x-tensor":{"shape":["negative_prompts","layers","d"]}},
    "positive": {"additionalProperties":false,"description":"Hidden states of the prompts that have what is looked for.","properties":{"$tensor":{"pattern":"^[0-9a-f]{64}$","type":"string"},"dtype":{"enum":["f32"]},"shape":{"items":{"minimum":0,"type":"integer"},"maxItems":8,"type":"array"}},"required":["$tensor","shape","dtype"],"type":"object","x-tensor":{"shape":["positive_prompts","layers","d"]}}
  },
  "required": ["positive","negative"],
  "title": "ContrastSet",
  "type": "object"
};

export const DIRECTIONS = {
  "$defs": {
    "LayerDirection": {"additionalProperties":true,"description":"What is known of the direction of a layer. An extractor may add more, under names of its own. No number is NaN: one that\nis undefined is absent.","properties":{"cos_means":{"description":"Cosine between the means, -1 to 1.","format":"double","type":["number","null"]},"degenerate":{"description":"Whether the layer does not have a direction: the sets are alike in it. Its direction is the zero vector, and must\nnot be used.","type":"boolean"},"norm_difference":{"description":"Norm of the difference of the means.","format":"double","type":"number"},"norm_mean_negative":{"description":"Norm of the mean of the negative prompts.","format":"double","type":"number"},"norm_mean_positive":{"description":"Norm of the mean of the positive prompts.","format":"double","type":"number"},"silhouette":{"description":"Mean silhouette of the prompts with the two sets as clusters, -1 to 1: 1 for sets far apart, 0 for sets that overlap.","format":"double","type":["number","null"]}},"required":["degenerate","norm_mean_positive","norm_mean_negative","norm_difference"],"type":"object"}
  },
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "description": "A direction a layer.",
  "properties": {
    "directions": {"additionalProperties":false,"description":"A unit vector a layer; the zero vector where a layer is degenerate.","properties":{"$tensor":{"pattern":"^[0-9a-f]{64}$","type":"string"},"dtype":{"enum":["f32"]},"shape":{"items":{"minimum":0,"type":"integer"},"maxItems":8,"type":"array"}},"required":["$tensor","shape","dtype"],"type":"object","x-tensor":{"shape":["layers","d"]}},
    "layers": {"description":"What is known of each, in order of the layers.","items":{"$ref":"#/$defs/LayerDirection"},"type":"array"}
  },
  "required": ["directions","layers"],
  "title": "Directions",
  "type": "object"
};

export const POLICY_REQUEST = {
  "$defs": {
    "Arm": {"description":"Something a stage can run with: what a policy picks from.","properties":{"name":{"description":"The name, unique among the arms, such as `alpha=0.2` or a model's name. What is learned is kept under it, so that\narms can be added, removed and reordered from run to run.","type":"string"},"with":{"default":null,"description":"The configuration that the arm lays over the stage's own: an object, empty for an arm that is a name alone."}},"required":["name"],"type":"object"},
    "Attempt": {"description":"An attempt of a stage with an arm, for an item.","properties":{"arm":{"description":"Name of the arm.","type":"string"},"failed":{"default":false,"description":"Whether the stage failed for good with it.","type":"boolean"}},"required":["arm"],"type":"object"},
    "Objective": {"description":"One of several measures of an outcome.","properties":{"minimize":{"default":false,"description":"Whether less is better.","type":"boolean"},"name":{"description":"The name, such as `cost`.","type":"string"},"value":{"description":"The value; finite.","format":"double","type":"number"}},"required":["name","value"],"type":"object"},
    "Outcome": {"description":"What came of a decision.","properties":{"attempts":{"description":"The arms that the item was tried with, in order. The last one is what the item used, unless it failed as well. Empty\nwhere values were picked and not an arm.","items":{"$ref":"#/$defs/Attempt"},"type":"array"},"context":{"default":"","description":"The question's context.","type":"string"},"objectives":{"description":"How well the item fared by several measures; empty as `reward` is absent.","items":{"$ref":"#/$defs/Objective"},"type":"array"},"pruned":{"description":"Whether the trial was stopped after its last report. One that is neither pruned nor has objectives failed.","type":"boolean"},"reports":{"description":"What the trial reported before it was done, in order.","items":{"format":"double","type":"number"},"type":"array"},"reward":{"description":"How well the item fared; absent where that never came, or the policy does not learn from it.","format":"double","type":["number","null"]},"trial":{"description":"Number of the trial, where values were picked and not an arm.","format":"uint64","minimum":0,"type":["integer","null"]},"values":{"additionalProperties":true,"description":"The values that were picked; empty where an arm was.","type":"object"}},"type":"object"},
    "PendingDecision": {"description":"A decision whose outcome is not known yet.","properties":{"arm":{"description":"Name of the arm that was picked first.","type":"string"},"context":{"default":"","description":"The question's context.","type":"string"}},"required":["arm"],"type":"object"},
    "PolicyQuestion": {"description":"A question in a document, where the arms stand beside it: see [`Question`].","properties":{"context":{"default":"","description":"See [`Question::context`].","type":"string"},"pending":{"description":"See [`Question::pending`].","items":{"$ref":"#/$defs/PendingDecision"},"type":"array"},"seed":{"description":"See [`Question::seed`].","format":"uint64","minimum":0,"type":"integer"},"tried":{"description":"See [`Question::tried`].","items":{"format":"uint32","minimum":0,"type":"integer"},"type":"array"}},"required":["seed"],"type":"object"}
  },
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "description": "The work of a policy, as a document: it checks the arms, learns from the outcomes, then answers all questions from the\nstate after the last outcome.",
  "properties": {
    "again": {"default":false,"description":"Whether the questions are asked after a failure: an answer may then be that there is no other arm.","type":"boolean"},
    "arms": {"description":"The arms; may be left out of a request that asks nothing.","items":{"$ref":"#/$defs/Arm"},"type":"array"},
    "decide": {"description":"Questions about these arms.","items":{"$ref":"#/$defs/PolicyQuestion"},"type":"array"},
    "learn": {"description":"Outcomes, in the order of the items.","items":{"$ref":"#/$defs/Outcome"},"type":"array"},
    "state": {"description":"What was learned so far, as the last answer gave it; absent or null for nothing."}
  },
  "title": "PolicyRequest",
  "type": "object"
};

export const POLICY_ANSWER = {
  "$defs": {
    "Decision": {"description":"The choice of an arm.","properties":{"arm":{"description":"Index of the arm in the question's list.","format":"uint32","minimum":0,"type":"integer"},"scores":{"description":"What the arms were compared by, one number per arm in the order of the list; null for an arm that was not\ncompared. Finite. For reports alone; empty where the policy compares nothing.","items":{"format":"double","type":["number","null"]},"type":"array"}},"required":["arm"],"type":"object"}
  },
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "description": "What a [`PolicyRequest`] gave.",
  "properties": {
    "decisions": {"description":"One decision per question, in order; null where no arm is left to try.","items":{"anyOf":[{"$ref":"#/$defs/Decision"},{"type":"null"}]},"type":"array"},
    "state": {"description":"What is learned by now."}
  },
  "required": ["state","decisions"],
  "title": "PolicyAnswer",
  "type": "object"
};
