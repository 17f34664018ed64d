//! A library has statics of its own, its `tracing`, `log` and panic hook among them: all three are pointed at the host.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::{
        Mutex, Once,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing_core::{
    Dispatch, Event, LevelFilter, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::abi::LogSink;
use crate::{Level, sync::lock};

/// Forwards everything at `level` or above to `sink`, from now on. The first call counts.
pub(super) fn forward_to(sink: LogSink, level: Level) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let forward = Forward { sink, level, next: AtomicU64::new(1), spans: Mutex::default() };
        let _ = tracing_core::dispatcher::set_global_default(Dispatch::new(forward));
        if log::set_boxed_logger(Box::new(LogCrate { sink })).is_ok() {
            log::set_max_level(match level {
                Level::Error => log::LevelFilter::Error,
                Level::Warn => log::LevelFilter::Warn,
                Level::Info => log::LevelFilter::Info,
                Level::Debug => log::LevelFilter::Debug,
                Level::Trace => log::LevelFilter::Trace,
            });
        }
        // The panic itself is caught at the edge and becomes a failure: here it is only noted where it happened.
        std::panic::set_hook(Box::new(move |panic| {
            (sink.0)(Level::Debug as u8, "panic".into(), panic.to_string().as_str().into());
        }));
    });
}

struct LogCrate {
    sink: LogSink,
}

impl log::Log for LogCrate {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            (self.sink.0)(record.level() as u8 - 1, record.target().into(), record.args().to_string().as_str().into());
        }
    }

    fn flush(&self) {}
}

/// A subscriber that writes an event and the spans around it as one line.
struct Forward {
    sink: LogSink,
    level: Level,
    next: AtomicU64,
    spans: Mutex<BTreeMap<u64, Span>>,
}

struct Span {
    text: String,
    references: usize,
}

thread_local! {
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn rank(level: &tracing_core::Level) -> u8 {
    match *level {
        tracing_core::Level::ERROR => 0,
        tracing_core::Level::WARN => 1,
        tracing_core::Level::INFO => 2,
        tracing_core::Level::DEBUG => 3,
        tracing_core::Level::TRACE => 4,
    }
}

impl Forward {
    fn with_spans<T>(&self, work: impl FnOnce(&mut BTreeMap<u64, Span>) -> T) -> T {
        work(&mut lock(&self.spans))
    }
}

impl Subscriber for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        rank(metadata.level()) <= self.level as u8
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match self.level {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        })
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut text = attributes.metadata().name().to_owned();
        attributes.record(&mut Line(&mut text));
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.with_spans(|spans| spans.insert(id, Span { text, references: 1 }));
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        self.with_spans(|spans| {
            if let Some(span) = spans.get_mut(&id.into_u64()) {
                values.record(&mut Line(&mut span.text));
            }
        });
    }

    fn record_follows_from(&self, _id: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        let entered = ENTERED.with_borrow(Clone::clone);
        self.with_spans(|spans| {
            for span in entered.iter().filter_map(|id| spans.get(id)) {
                let _ = write!(line, "{}: ", span.text);
            }
        });
        event.record(&mut Line(&mut line));
        let metadata = event.metadata();
        (self.sink.0)(rank(metadata.level()), metadata.target().into(), line.as_str().into());
    }

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            if let Some(at) = entered.iter().rposition(|entered| *entered == id.into_u64()) {
                entered.remove(at);
            }
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.with_spans(|spans| {
            if let Some(span) = spans.get_mut(&id.into_u64()) {
                span.references += 1;
            }
        });
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.with_spans(|spans| match spans.get_mut(&id.into_u64()) {
            Some(span) if span.references > 1 => {
                span.references -= 1;
                false
            }
            Some(_) => spans.remove(&id.into_u64()).is_some(),
            None => false,
        })
    }
}

/// Writes fields after what the line holds: the message as it is, others as ` name=value`.
struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = if field.name() == "message" {
            write!(self.0, "{value:?}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
    }
}
