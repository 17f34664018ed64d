//! What does not fit into memory is refused before it is taken, and never ends the process.

use std::{env, fs, ops::ControlFlow, path::Path, process::Command};

use jackfield_plugin_api::{Failure, FailureKind, MemoryBoundKind, Random, memory_bounds};
use jackfield_transformer::{
    Admission, GenerateRequest, Joining, LoadFault, MemoryBudget, Reply, RequestNeed, RunError, Sampling, Transformer,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::support::{fixture, load};

const LAYERS: usize = 8;
const HIDDEN: usize = 16;
const INNER: usize = 16;
const HEADS: usize = 4;
const HEAD: usize = 64;
const VOCABULARY: usize = 32;
/// Room for so many tokens takes 64 MiB; for the weights, half of one is enough.
const ROOM: usize = 4096;

/// Writes a small model with random weights, whose keys and values are large.
fn write_model(folder: &Path) {
    let config = json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "head_dim": HEAD,
        "vocab_size": VOCABULARY, "max_position_embeddings": 16 * ROOM, "rope_theta": 10000.0, "rms_norm_eps": 1e-5,
        "hidden_act": "silu", "tie_word_embeddings": true, "bos_token_id": 1, "eos_token_id": 2,
    });
    fs::write(folder.join("config.json"), config.to_string()).expect("written");
    let mut tensors = vec![
        ("model.embed_tokens.weight".to_owned(), vec![VOCABULARY, HIDDEN]),
        ("model.norm.weight".to_owned(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        let part = |name: &str, shape: &[usize]| (format!("model.layers.{layer}.{name}.weight"), shape.to_vec());
        tensors.extend([
            part("input_layernorm", &[HIDDEN]),
            part("post_attention_layernorm", &[HIDDEN]),
            part("self_attn.q_proj", &[HEADS * HEAD, HIDDEN]),
            part("self_attn.k_proj", &[HEADS * HEAD, HIDDEN]),
            part("self_attn.v_proj", &[HEADS * HEAD, HIDDEN]),
            part("self_attn.o_proj", &[HIDDEN, HEADS * HEAD]),
            part("mlp.gate_proj", &[INNER, HIDDEN]),
            part("mlp.up_proj", &[INNER, HIDDEN]),
            part("mlp.down_proj", &[HIDDEN, INNER]),
        ]);
    }
    let (mut header, mut data, mut random) = (serde_json::Map::new(), Vec::new(), Random::new(13));
    for (name, shape) in tensors {
        let begin = data.len();
        for _ in 0..shape.iter().product() {
            data.extend((random.next_f64() as f32 - 0.5).to_le_bytes());
        }
        header.insert(name, json!({ "dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()] }));
    }
    let header = serde_json::to_vec(&header).expect("it is JSON");
    let file = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
    fs::write(folder.join("model.safetensors"), file).expect("written");
}

#[test]
fn weights_that_do_not_fit_are_refused_and_those_that_do_are_held_as_long_as_the_model() {
    for name in ["tiny", "tiny.gguf"] {
        let bytes = load(&fixture(name)).architecture().weight_bytes().expect("it can be counted");
        let small = MemoryBudget::new(Some(bytes - 1));
        let error = Transformer::load_within(&fixture(name), &small).expect_err("a byte is missing");
        assert!(matches!(error.fault, LoadFault::MemoryShort(_)), "{error}");
        let message = error.to_string();
        assert!(
            message.contains("its weights do not fit into memory: ") && message.contains(" are needed, and "),
            "{message}"
        );
        assert!(
            message.ends_with("the model may have (`memory`); raise `memory`, or take a smaller model"),
            "{message}"
        );
        assert_eq!(Failure::from(error).kind(), FailureKind::OverBudget);
        assert_eq!(small.held(), 0);
        let ample = MemoryBudget::new(Some(bytes));
        let (model, reservation) = Transformer::load_within(&fixture(name), &ample).expect("it fits");
        assert_eq!((ample.held(), reservation.bytes()), (bytes, bytes));
        drop((model, reservation));
        assert_eq!(ample.held(), 0);
    }
}

fn prompts() -> Vec<Vec<u32>> {
    (0..16).map(|seed| (0..5).map(|index| (seed * 5 + index * 7) % VOCABULARY as u32).collect()).collect()
}

/// Replies of a few tokens, each with room for many.
fn replies(model: &Transformer, prompts: &[Vec<u32>]) -> Result<Vec<Reply>, RunError> {
    let requests: Vec<GenerateRequest<'_>> = prompts
        .iter()
        .map(|prompt| GenerateRequest { prompt, edits: None, most: ROOM - 5, sampling: Sampling::GREEDY, ends: &[] })
        .collect();
    let mut end = |drawn: jackfield_transformer::Drawn<'_>| match drawn.index {
        3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    model.generate(&requests, &mut end).into_iter().collect()
}

/// Computes all replies, as many side by side as fit; and how many that were at the most.
fn admitted(model: &Transformer, budget: &std::sync::Arc<MemoryBudget>) -> (Vec<Reply>, usize, usize) {
    let mut admission = Admission::new(budget, model.architecture(), 1, 16);
    let need = RequestNeed { capacity: ROOM, tokens: 5, logits: 1, ..RequestNeed::default() };
    let (mut all, mut widest, mut warnings) = (Vec::new(), 0, 0);
    let prompts = prompts();
    while all.len() < prompts.len() {
        let mut under_way = Vec::new();
        while all.len() + under_way.len() < prompts.len() && admission.join(&under_way, need, ROOM) == Joining::Joins {
            under_way.push(need);
        }
        assert!(!under_way.is_empty(), "one fits");
        widest = widest.max(under_way.len());
        let together = replies(model, &prompts[all.len()..][..under_way.len()]);
        all.extend(together.unwrap_or_else(|error| panic!("what was reserved is there: {error}")));
        admission.keep(&[]);
        warnings += admission.take_warnings().len();
    }
    (all, widest, warnings)
}

/// Tells the process that it is the one to be limited.
const LIMITED: &str = "JACKFIELD_TEST_LIMITED";

#[test]
fn under_a_limit_on_addresses_a_full_batch_is_halved_and_has_the_same_bits() {
    if env::var_os(LIMITED).is_none() {
        // The limit is one of the whole process, which may run other tests.
        let name = "memory::under_a_limit_on_addresses_a_full_batch_is_halved_and_has_the_same_bits";
        let mut limited = Command::new(env::current_exe().expect("a program"));
        let done = limited.args(["--exact", name, "--nocapture"]).env(LIMITED, "1").output().expect("it runs");
        let output = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success() && output.contains("1 passed"),
            "{:?}\n{output}\n{}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    write_model(folder.path());
    let unlimited = load(folder.path());
    let wanted = replies(&unlimited, &prompts()).expect("there is memory for all");
    drop(unlimited);
    let used = || {
        let bounds = memory_bounds();
        bounds.into_iter().find(|bound| bound.kind == MemoryBoundKind::AddressSpace).map(|bound| bound.used)
    };
    let hard = getrlimit(Resource::As).maximum;
    let limit_to = |bytes: u64| setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum: hard }).expect("set");
    limit_to(1 << 40);
    let used = used().expect("there is a limit now");
    // Five requests of sixteen, and what is left untouched.
    limit_to((used + ((5 * 64 + 16) << 20)) * 16 / 15);
    let budget = MemoryBudget::new(None);
    let (model, _weights) = Transformer::load_within(folder.path(), &budget).expect("the weights are small");
    let refused = replies(&model, &prompts());
    assert!(matches!(refused, Err(RunError::OutOfMemory { .. })), "all at once do not fit, and the process goes on");
    let (found, widest, warnings) = admitted(&model, &budget);
    assert!(found == wanted, "the same bits");
    assert!((2..=5).contains(&widest) && warnings >= 1, "{widest} at once, {warnings} warnings");
}
