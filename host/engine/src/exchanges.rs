//! What the calls of a batch asked of models, until it is recorded.

use std::{collections::VecDeque, sync::Arc};

use jackfield_plugin_api::{CompletionRequest, Context};
use jackfield_store::ExchangeRecord;

/// The most exchanges of a batch that are kept, and the most bytes of their texts. Beyond them, the oldest go.
const MOST_EXCHANGES: usize = 1000;
const MOST_BYTES: usize = 32 << 20;

/// Exchanges of the calls of a batch.
#[derive(Default)]
pub(super) struct Exchanges {
    /// How many were begun.
    pub(super) begun: u32,
    kept: VecDeque<Kept>,
    bytes: usize,
}

/// An exchange of a call.
struct Kept {
    item: Arc<str>,
    element: u32,
    replicate: u32,
    bytes: usize,
    exchange: ExchangeRecord,
}

impl Kept {
    fn is_of(&self, context: &Context) -> bool {
        (self.element, self.replicate) == (context.element, context.replicate) && self.item == context.item
    }
}

impl Exchanges {
    /// Adds what has ended on behalf of a call.
    pub(super) fn add(&mut self, context: &Context, exchange: ExchangeRecord) {
        let answer = exchange.answer.as_ref().map_or(0, |answer| answer.text.len());
        let bytes = text_bytes(&exchange.request) + answer;
        self.bytes += bytes;
        let Context { item, element, replicate, .. } = context;
        self.kept.push_back(Kept { item: Arc::clone(item), element: *element, replicate: *replicate, bytes, exchange });
        // The last one stays, however long it is.
        while self.kept.len() > 1 && (self.kept.len() > MOST_EXCHANGES || self.bytes > MOST_BYTES) {
            self.bytes -= self.kept.pop_front().map_or(0, |oldest| oldest.bytes);
        }
    }

    /// Takes those of a call, in the order in which they were asked. Their numbers count from 0, gaps where some were not kept.
    pub(super) fn take(&mut self, context: &Context) -> Vec<ExchangeRecord> {
        if self.kept.is_empty() {
            return Vec::new();
        }
        let is_alone = self.kept.iter().all(|kept| kept.is_of(context));
        let (taken, left): (VecDeque<Kept>, VecDeque<Kept>) =
            std::mem::take(&mut self.kept).into_iter().partition(|kept| kept.is_of(context));
        self.kept = left;
        self.bytes = self.kept.iter().map(|kept| kept.bytes).sum();
        let mut exchanges: Vec<ExchangeRecord> = taken.into_iter().map(|kept| kept.exchange).collect();
        exchanges.sort_by_key(|exchange| exchange.seq);
        if !is_alone {
            // Numbers of the batch say nothing about the call.
            exchanges.iter_mut().zip(0..).for_each(|(exchange, seq)| exchange.seq = seq);
        }
        exchanges
    }
}

fn text_bytes(request: &CompletionRequest) -> usize {
    request.messages.iter().map(|message| message.content.len()).sum()
}
