//! Analyzers that take too much.

use std::hint::{black_box, spin_loop};

use jackfield_plugin_api::prelude::*;
use serde_json::json;

use crate::{Text, bad};

/// Computes for ever.
#[derive(Config)]
pub(crate) struct Loops {
    /// Where.
    #[config(default = Where::Call)]
    pub(crate) at: Where,
}

/// Where a computation goes on for ever.
#[derive(Document, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Where {
    /// While the instance is made.
    Open,
    /// While a call is answered.
    Call,
}

fn for_ever() -> ! {
    loop {
        spin_loop();
    }
}

impl Analyzer for Loops {
    const NAME: &str = "loops";
    type Input = Text;
    type Output = Text;

    fn open(self) -> Result<Self> {
        if self.at == Where::Open {
            for_ever();
        }
        Ok(self)
    }

    async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<Text> {
        if input.is_bad() {
            for_ever();
        }
        Ok(input)
    }

    fn examples() -> Vec<Example> {
        vec![bad(json!({}))]
    }
}

/// Allocates memory.
#[derive(Config)]
pub(crate) struct Hoards {
    /// How much.
    pub(crate) bytes: u64,
}

impl Analyzer for Hoards {
    const NAME: &str = "hoards";
    type Input = Text;
    type Output = Text;

    async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<Text> {
        const AT_A_TIME: usize = 1 << 20;
        let mut hoard: Vec<Vec<u8>> = Vec::new();
        if input.is_bad() {
            for _ in 0..self.bytes.div_ceil(AT_A_TIME as u64) {
                hoard.push(black_box(Vec::with_capacity(AT_A_TIME)));
            }
        }
        black_box(hoard);
        Ok(input)
    }

    fn examples() -> Vec<Example> {
        vec![bad(json!({ "bytes": 1_000_000_000 }))]
    }
}

/// Answers a long text.
#[derive(Config)]
pub(crate) struct Gushes {
    /// How long.
    pub(crate) bytes: usize,
}

impl Analyzer for Gushes {
    const NAME: &str = "gushes";
    type Input = Text;
    type Output = Text;

    async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<Text> {
        Ok(if input.is_bad() { Text { text: "x".repeat(self.bytes) } } else { input })
    }

    fn examples() -> Vec<Example> {
        vec![bad(json!({ "bytes": 70_000_000 }))]
    }
}

/// Calls the host over and over.
#[derive(Config)]
pub(crate) struct Floods {
    /// How often.
    pub(crate) calls: u64,
    /// Which of its functions.
    #[config(default = Call::Log)]
    pub(crate) call: Call,
}

/// A function of the host.
#[derive(Document, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Call {
    /// A line for the log.
    Log,
    /// Word of how far the call has come.
    Progress,
    /// The question whether to stop.
    Cancelled,
}

impl Analyzer for Floods {
    const NAME: &str = "floods";
    type Input = Text;
    type Output = Text;

    async fn analyze(&self, input: Text, host: &Host<'_>) -> Result<Text> {
        let calls = if input.is_bad() { self.calls } else { 0 };
        for number in 0..calls {
            match self.call {
                Call::Log => host.log(Level::Debug, "and again"),
                Call::Progress => host.progress(number, Some(calls), "and again"),
                Call::Cancelled => {
                    let _ = host.cancelled();
                }
            }
        }
        Ok(input)
    }

    fn examples() -> Vec<Example> {
        vec![bad(json!({ "calls": 100_001 }))]
    }
}

/// Calls itself over and over.
#[derive(Config)]
pub(crate) struct Recurses {}

fn deeper(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX { depth } else { black_box(deeper(depth + 1)) - 1 }
}

impl Analyzer for Recurses {
    const NAME: &str = "recurses";
    type Input = Text;
    type Output = Text;

    async fn analyze(&self, input: Text, _host: &Host<'_>) -> Result<Text> {
        if input.is_bad() {
            black_box(deeper(0));
        }
        Ok(input)
    }
}
