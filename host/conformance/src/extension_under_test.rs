//! An extension under examination.

use std::sync::Arc;

use jackfield_loader::{Digest, ExtensionEntry, Linkage, sandbox::Limits};
use jackfield_pipeline::output_schema_of_any;
use jackfield_plugin_api::{Descriptor, Document, Failure, FailureKind, Kind, Request, Result};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    Finding, Settings,
    call_runner::{CallRunner, Opened},
    host::{Script, ScriptedHost, SharedByHosts},
    inputs::Sample,
    schema::Schema,
    setup::{Origin, Schemas, candidates, lead_paths_below},
};

/// The most configurations that are tried.
const MAX_SETUPS: usize = 3;

/// A configuration that opens, and inputs to go with it.
pub(super) struct Setup {
    pub(super) config: String,
    pub(super) samples: Vec<Sample>,
    pub(super) instance: Opened,
}

/// A configuration that did not open.
pub(super) struct Refused {
    pub(super) origin: Origin,
    pub(super) failure: Failure,
}

/// An extension under examination.
pub(super) struct ExtensionUnderTest<'a> {
    pub(super) call_runner: CallRunner,
    pub(super) linkage: Linkage,
    pub(super) entry: &'a ExtensionEntry,
    /// Its descriptor when the plugin is loaded once more.
    pub(super) again: Option<&'a Descriptor>,
    /// What a component imports.
    pub(super) imports: &'a [String],
    pub(super) settings: &'a Settings,
    pub(super) config: Schema,
    pub(super) input: Schema,
    pub(super) output: Schema,
    /// The configurations that opened.
    pub(super) setups: Vec<Setup>,
    pub(super) refused: Vec<Refused>,
    /// What all hosts of the examination share.
    pub(super) shared: SharedByHosts,
    /// Where the paths of a configuration lead.
    scratch: TempDir,
}

impl<'a> ExtensionUnderTest<'a> {
    /// Looks for configurations that open.
    pub(super) fn new(
        linkage: Linkage,
        entry: &'a ExtensionEntry,
        again: Option<&'a Descriptor>,
        imports: &'a [String],
        settings: &'a Settings,
    ) -> std::io::Result<Self> {
        let descriptor = &entry.descriptor;
        let call_runner = CallRunner::new(settings.longest, linkage)?;
        let scratch = tempfile::tempdir()?;
        let servers = settings.servers.clone().map(|servers| (servers, Arc::clone(&entry.grants)));
        let shared = SharedByHosts { servers, ..SharedByHosts::default() };
        let config = Schema::of_config(&descriptor.config);
        let input = Schema::new(descriptor.input.clone()).with_tensors(&shared.tensors);
        let (mut setups, mut refused) = (Vec::new(), Vec::new());
        let tried = candidates(
            descriptor,
            settings.config.as_ref(),
            Schemas { config: &config, input: &input },
            scratch.path(),
        );
        for candidate in tried.into_iter().take(MAX_SETUPS) {
            let config = candidate.config.to_string();
            match call_runner.open(&entry.factory, &config, &Limits::default()) {
                Ok(instance) => setups.push(Setup { config, samples: candidate.samples, instance }),
                Err(failure) => refused.push(Refused { origin: candidate.origin, failure }),
            }
        }
        let configs: Vec<Value> =
            setups.iter().filter_map(|setup: &Setup| serde_json::from_str(&setup.config).ok()).collect();
        let output = Schema::new(output_schema_of_any(&descriptor.output, &configs).into_owned());
        Ok(Self {
            call_runner,
            linkage,
            entry,
            again,
            imports,
            settings,
            config,
            input,
            output,
            setups,
            refused,
            shared,
            scratch,
        })
    }

    pub(super) fn descriptor(&self) -> &Arc<Descriptor> {
        &self.entry.descriptor
    }

    pub(super) fn kind(&self) -> Kind {
        self.entry.descriptor.kind
    }

    /// Why nothing can be called, if nothing can.
    pub(super) fn unopened(&self) -> Option<String> {
        if !self.setups.is_empty() {
            return None;
        }
        let why = self.refused.first().map_or_else(String::new, |refused| format!(" ({})", short(&refused.failure)));
        Some(format!("no configuration is known that opens it{why}: give an example, or --config"))
    }

    /// The configuration of an example, ready to be opened.
    pub(super) fn prepared(&self, config: &Value) -> String {
        let mut config = config.clone();
        lead_paths_below(self.scratch.path(), &mut config, &self.config, false);
        config.to_string()
    }

    /// Another instance with the same configuration.
    pub(super) fn open(&self, config: &str) -> Result<Opened> {
        self.call_runner.open(&self.entry.factory, config, &Limits::default())
    }

    /// The host of a batch.
    pub(super) fn host(&self, script: Script, batch: &[Request]) -> Arc<ScriptedHost> {
        ScriptedHost::new(script, &self.shared, batch)
    }

    /// Requests of a stage that is called as the extension is.
    pub(super) fn requests(&self, samples: &[Sample]) -> Vec<Request> {
        let stage: Arc<str> = self.descriptor().name.as_str().into();
        let request = |sample: &Sample| match self.kind() {
            Kind::CacheBackend => sample.within_our_keys().request(&stage),
            // Chance follows from the request: equal requests are answered once.
            Kind::Model => {
                let mut request = sample.request(&stage);
                request.context.seed = Digest::of(request.document.json.as_bytes()).number();
                request
            }
            _ => sample.request(&stage),
        };
        samples.iter().map(request).collect()
    }

    /// Calls an instance with some inputs as one batch.
    pub(super) fn call(&self, instance: &Opened, samples: &[Sample]) -> Vec<Result<Document>> {
        self.call_with(instance, samples, Script::default())
    }

    pub(super) fn call_with(&self, instance: &Opened, samples: &[Sample], script: Script) -> Vec<Result<Document>> {
        let batch = self.requests(samples);
        let host = self.host(script, &batch);
        self.call_runner.call(instance, batch, host)
    }

    /// Calls with some inputs as one batch; if it fails as a whole, each alone, so that the one that fails is found.
    pub(super) fn call_each(&self, instance: &Opened, samples: &[Sample], script: &Script) -> Vec<Result<Document>> {
        let results = self.call_with(instance, samples, script.clone());
        let as_a_whole = results.iter().all(|result| is_internal(result) && *result == results[0]);
        if !as_a_whole || samples.len() < 2 {
            return results;
        }
        let alone = samples.iter().map(|sample| {
            let mut results = self.call_with(instance, std::slice::from_ref(sample), script.clone());
            results.swap_remove(0)
        });
        alone.collect()
    }

    /// What is wrong with an answer to `what`: a failure of the extension's own, or something that does not fit its schema.
    pub(super) fn fault(&self, what: &str, result: &Result<Document>) -> Option<Finding> {
        match result {
            Err(failure) if failure.kind() == FailureKind::Internal => Some(Finding::new(
                "an answer, or a failure that says what is wrong with the input",
                format!("{} for {what}", short(failure)),
                "answer `invalid-input` where the input cannot be worked on; let nothing panic or trap",
            )),
            Err(_) => None,
            Ok(document) => self.misfit(document).map(|misfit| {
                Finding::new(
                    "an answer that fits the output schema",
                    format!("{misfit}, for {what}"),
                    "answer what the output schema says, or widen the schema",
                )
            }),
        }
    }

    /// How an answer breaks the output schema.
    pub(super) fn misfit(&self, document: &Document) -> Option<String> {
        for tensor in &document.tensors {
            let wanted = tensor.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length));
            if wanted != Some(tensor.data.len() as u64) {
                let (name, count) = (&tensor.name, tensor.data.len());
                return Some(format!("tensor `{name}` holds {count} elements, not {:?}", tensor.shape));
            }
        }
        if !document.tensors.is_empty() && self.output.text["x-tensors"] != true {
            return Some(
                "tensors come with it, which the schema does not say (`\"x-tensors\": true` at its root)".to_owned(),
            );
        }
        match serde_json::from_str::<Value>(&document.json) {
            Ok(value) => {
                let fault = self.output.fault(&value).map(|fault| excerpt(&fault));
                fault.or_else(|| self.shared.tensors.missing_tensor(&value))
            }
            Err(error) => Some(format!("{} is not valid JSON: {error}", excerpt(&document.json))),
        }
    }

    /// Whether an extension cannot do its work here, as what it needs is unreachable: every answer is such a failure.
    pub(super) fn is_unreachable<T>(&self, results: &[Result<T>]) -> Option<Failure> {
        let is_unreachable = |failure: &Failure| {
            matches!(
                failure.kind(),
                FailureKind::Unavailable
                    | FailureKind::RateLimited
                    | FailureKind::InvalidConfig
                    | FailureKind::OverBudget
            )
        };
        let failures: Option<Vec<&Failure>> = results.iter().map(|result| result.as_ref().err()).collect();
        failures?.first().filter(|failure| is_unreachable(failure)).map(|failure| (*failure).clone())
    }
}

pub(super) fn is_internal(result: &Result<Document>) -> bool {
    result.as_ref().is_err_and(|failure| failure.kind() == FailureKind::Internal)
}

/// Whether two answers are the same, byte for byte.
pub(super) fn same(one: &Result<Document>, other: &Result<Document>) -> bool {
    let (Ok(one), Ok(other)) = (one, other) else { return one == other };
    let bits = |document: &Document| -> Vec<(String, Vec<u64>, Vec<u32>)> {
        let tensors = document.tensors.iter();
        tensors.map(|t| (t.name.clone(), t.shape.clone(), t.data.iter().map(|x| x.to_bits()).collect())).collect()
    };
    one.json == other.json && bits(one) == bits(other)
}

/// A failure in a line.
pub(super) fn short(failure: &Failure) -> String {
    excerpt(&failure.to_string())
}

/// An answer in a line.
pub(super) fn shown(result: &Result<Document>) -> String {
    match result {
        Ok(document) => excerpt(&document.json),
        Err(failure) => short(failure),
    }
}

/// The beginning of a text, on one line.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 200;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST).chain(['…']).collect() }
}
