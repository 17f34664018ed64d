//! What a stage asked of models for an item, and what it was answered, as `jackfield show` writes it.

use jackfield_loader::escape_untrusted;
use jackfield_plugin_api::{Completion, CompletionRequest, Role};
use jackfield_store::{Exchange, TokenCounts};
use serde_json::{Value, json};

use super::block::Pen;
use crate::table::{counted, ms, with_parts};

/// The exchanges of a stage, a block of lines each.
pub(super) fn exchange_lines(exchanges: &[&Exchange], pen: Pen) -> Vec<String> {
    let several_calls = exchanges.iter().any(|exchange| exchange.call != exchanges[0].call);
    exchanges.iter().flat_map(|exchange| lines_of(exchange, several_calls, pen)).collect()
}

fn lines_of(exchange: &Exchange, several_calls: bool, pen: Pen) -> Vec<String> {
    let mut lines = vec![String::new(), format!("  {}", pen.faint(&cost_line(exchange, several_calls)))];
    match serde_json::from_str::<CompletionRequest>(&exchange.request) {
        Ok(request) => {
            for message in &request.messages {
                let role = match message.role {
                    Role::System => "system",
                    Role::User => "user",
                    Role::Assistant => "assistant",
                };
                push_text(&mut lines, role, &message.content, pen);
            }
            lines.extend(settings_line(&request).map(|settings| format!("  {}", pen.faint(&settings))));
        }
        Err(_) => push_text(&mut lines, "request", &exchange.request, pen),
    }
    if let Some(answer) = &exchange.answer {
        let answer: Completion = serde_json::from_str(answer)
            .unwrap_or_else(|_| Completion { text: answer.clone(), ..Completion::default() });
        if let Some(reasoning) = &answer.reasoning {
            push_text(&mut lines, "reasoning", reasoning, pen);
        }
        push_text(&mut lines, "answer", &answer.text, pen);
    }
    if let Some(failure) = &exchange.failure {
        let message = exchange.message.as_deref().unwrap_or_default();
        let told = format!("failed, {}: {}", escape_untrusted(failure), escape_untrusted(message));
        lines.push(format!("  {}", pen.bad(&told)));
    }
    lines
}

/// A text below its heading, a line of it each.
fn push_text(lines: &mut Vec<String>, heading: &str, text: &str, pen: Pen) {
    lines.push(format!("  {}", pen.strong(heading)));
    let of_text = text.lines().map(|line| format!("    {}", escape_untrusted(line)).trim_end().to_owned());
    lines.extend(of_text);
}

/// Which model, where the answer came from, and what it took.
fn cost_line(exchange: &Exchange, several_calls: bool) -> String {
    let mut parts = vec![format!("model {}", escape_untrusted(&exchange.model))];
    if several_calls {
        parts.push(format!("call {}", exchange.call));
    }
    parts.push(match (exchange.source.as_str(), &exchange.tier) {
        ("cache", Some(tier)) => format!("from the cache ({})", escape_untrusted(tier)),
        ("cache", None) => "from the cache".to_owned(),
        ("shared", _) => "the answer to an equal request".to_owned(),
        _ if exchange.tries > 1 => counted(exchange.tries, "call"),
        _ => "1 call".to_owned(),
    });
    let TokenCounts { tokens_in, tokens_out, tokens_cached, tokens_cache_write, tokens_reasoning } = exchange.tokens;
    let read = [(tokens_cached, "cached"), (tokens_cache_write, "to the cache")];
    parts.push(with_parts(counted(tokens_in, "token") + " in", &read));
    parts.push(with_parts(format!("{tokens_out} out"), &[(tokens_reasoning, "reasoning")]));
    parts.push(format!("{:.6} USD", exchange.usd));
    parts.push(ms(exchange.took_us as f64 / 1000.0));
    parts.join(", ")
}

/// What else was asked for, as far as it is not usual.
fn settings_line(request: &CompletionRequest) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(request.schema.as_ref().map(|schema| format!("schema {}", escape_untrusted(&schema.to_string()))));
    parts.extend(request.max_tokens.map(|most| format!("max_tokens {most}")));
    parts.extend(request.temperature.map(|temperature| format!("temperature {temperature}")));
    parts.extend(request.seed.map(|seed| format!("seed {seed}")));
    parts.extend((request.replicate > 0).then(|| format!("replicate {}", request.replicate)));
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The same for a program.
pub(super) fn exchange_json(exchange: &Exchange) -> Value {
    let read = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.as_str().into());
    let TokenCounts { tokens_in, tokens_out, tokens_cached, tokens_cache_write, tokens_reasoning } = exchange.tokens;
    json!({
        "call": exchange.call,
        "position": exchange.seq,
        "model": exchange.model,
        "request": read(&exchange.request),
        "answer": exchange.answer.as_ref().map(read),
        "failure": exchange.failure.as_ref().map(|kind| json!({ "kind": kind, "message": exchange.message })),
        "source": exchange.source,
        "tier": exchange.tier,
        "calls": exchange.tries,
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "tokens_cached": tokens_cached,
        "tokens_cache_write": tokens_cache_write,
        "tokens_reasoning": tokens_reasoning,
        "usd": exchange.usd,
        "took_ms": exchange.took_us as f64 / 1000.0,
    })
}
