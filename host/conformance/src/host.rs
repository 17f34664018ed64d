//! A host for tests: it answers by a script, and remembers what it was asked.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{Hash as _, Hasher as _},
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield_loader::sandbox::{Grants, Permission, Server};
use jackfield_plugin_api::{
    BoxFuture, CacheValue, Completion, CompletionRequest, Descriptor, Failure, FailureKind, FinishReason, HostCalls,
    HttpRequest, HttpResponse, Level, Request, Result, TensorElements, TensorReader, TensorRef, Usage, sync::lock,
};

use super::{
    Servers,
    key_value_server::KeyValueServer,
    tensors::{Tensors, references},
    value_generator,
};

/// A page, whatever is fetched.
const PAGE: &str = "<!doctype html><html><head><title>A page</title></head><body><p>Ann: the train leaves at nine. \
                    Bob agreed to buy the tickets by Friday.</p></body></html>";
/// A text, whatever is asked.
const TEXT: &str = "Ann wants to leave at nine. Bob agreed, and buys the tickets by Friday.";

/// The message of a failure that the script makes, so that it differs from those of the extension.
pub(super) const SCRIPTED: &str = "this failure is part of the conformance run";

/// A service of the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Complete,
    CacheGet,
    CachePut,
    /// A server.
    Fetch(String),
}

impl Service {
    /// What the contract calls it.
    pub(super) fn call(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::CacheGet => "cache get",
            Self::CachePut => "cache put",
            Self::Fetch(_) => "fetch",
        }
    }

    /// The permission that it takes.
    pub(super) fn permission(&self) -> String {
        match self {
            Self::Complete => "model".to_owned(),
            Self::CacheGet | Self::CachePut => "cache".to_owned(),
            Self::Fetch(server) => format!("http:{server}"),
        }
    }

    /// Whether the extension asks for it. A plain `http` is a server that the configuration names.
    pub(super) fn is_asked_for(&self, descriptor: &Descriptor) -> bool {
        let asked = Grants::all("", descriptor);
        // What is no server is fetched in vain: whoever may ask any server may try.
        asked.asks(&self.permission().parse().unwrap_or(Permission::Http(Server::Any)))
    }
}

/// What the host does.
#[derive(Clone, Default)]
pub(super) struct Script {
    /// The batch is no longer wanted.
    pub(super) cancelled: bool,
    /// Every call of this service fails with a failure of this kind.
    pub(super) failing_service: Option<(Service, FailureKind)>,
    /// Every address leads to the server of the run that keeps values.
    pub(super) has_key_value_server: bool,
    /// Nothing is granted but what this descriptor asks for.
    pub(super) granted_to: Option<Arc<Descriptor>>,
}

/// What was asked of the hosts of a run.
#[derive(Default)]
pub(super) struct Recorder {
    services: Mutex<BTreeSet<Service>>,
    undeclared_tensors: Mutex<BTreeSet<String>>,
}

impl Recorder {
    pub(super) fn services(&self) -> Vec<Service> {
        lock(&self.services).iter().cloned().collect()
    }

    /// The tensors that were to be opened on behalf of a request that did not name them, by their digests.
    pub(super) fn undeclared_tensors(&self) -> Vec<String> {
        lock(&self.undeclared_tensors).iter().cloned().collect()
    }
}

/// What all hosts of an examination share.
#[derive(Default)]
pub(super) struct SharedByHosts {
    /// What was asked of any of them.
    pub(super) recorder: Arc<Recorder>,
    /// Every tensor that an input named or an extension made.
    pub(super) tensors: Arc<Tensors>,
    pub(super) key_value_server: Arc<KeyValueServer>,
    /// Real servers, and what the extension may do.
    pub(super) servers: Option<(Servers, Arc<Grants>)>,
}

/// The host of one call. Each document has a cache of its own, so that no document's answer depends on another's.
pub(super) struct ScriptedHost {
    script: Script,
    /// What is asked of any host of the examination.
    shared_recorder: Arc<Recorder>,
    /// What is asked of this host alone.
    own_recorder: Arc<Recorder>,
    cache: Mutex<HashMap<(u32, String), CacheValue>>,
    tensors: Arc<Tensors>,
    key_value_server: Arc<KeyValueServer>,
    servers: Option<(Servers, Arc<Grants>)>,
    /// For each request, the digests of the tensors that it named or that were made on its behalf.
    declared_tensors: Mutex<HashMap<u32, HashSet<String>>>,
}

impl ScriptedHost {
    /// The host of a batch.
    pub(super) fn new(script: Script, shared: &SharedByHosts, batch: &[Request]) -> Arc<Self> {
        let named = |request: &Request| -> HashSet<String> {
            let value = serde_json::from_str(&request.document.json).unwrap_or_default();
            references(&value).into_iter().map(|tensor| tensor.sha256).collect()
        };
        Arc::new(Self {
            script,
            shared_recorder: Arc::clone(&shared.recorder),
            own_recorder: Arc::default(),
            cache: Mutex::default(),
            tensors: Arc::clone(&shared.tensors),
            key_value_server: Arc::clone(&shared.key_value_server),
            servers: shared.servers.clone(),
            declared_tensors: Mutex::new((0..).zip(batch.iter().map(named)).collect()),
        })
    }

    /// Whether the request at this index named the tensor, or it was made on its behalf.
    pub(super) fn has_declared(&self, index: u32, tensor: &TensorRef) -> bool {
        let declared = lock(&self.declared_tensors);
        declared.get(&index).is_some_and(|digests| digests.contains(&tensor.sha256))
    }

    /// What is asked of this host alone.
    pub(super) fn own_recorder(&self) -> Arc<Recorder> {
        Arc::clone(&self.own_recorder)
    }

    /// Records a call. Fails if the script says so.
    fn record_call(&self, service: Service) -> Result<()> {
        for recorder in [&self.shared_recorder, &self.own_recorder] {
            lock(&recorder.services).insert(service.clone());
        }
        if let Some(descriptor) = &self.script.granted_to
            && !service.is_asked_for(descriptor)
        {
            return Err(Failure::InvalidConfig(format!("`{}` was not granted", service.permission())));
        }
        match &self.script.failing_service {
            Some((failing, kind)) if failing.call() == service.call() => Err(Failure::new(*kind, SCRIPTED)),
            _ => Ok(()),
        }
    }
}

/// An answer that depends on what is asked, and on nothing else.
fn completion(request: &CompletionRequest) -> Completion {
    let text = request.schema.as_ref().map_or_else(
        || TEXT.to_owned(),
        |schema| {
            let mut hasher = std::hash::DefaultHasher::new();
            serde_json::to_string(request).unwrap_or_default().hash(&mut hasher);
            value_generator::fitting_value(schema, hasher.finish()).to_string()
        },
    );
    let read: usize = request.messages.iter().map(|message| message.content.len()).sum();
    let usage = Usage::new(read as u64 / 4 + 1, text.len() as u64 / 4 + 1);
    let model = Some("mock".to_owned());
    Completion { text, finish: FinishReason::Stop, usage: Some(usage), model, ..Completion::default() }
}

/// Host and port of an address.
fn server(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase()
}

impl HostCalls for ScriptedHost {
    fn log(&self, _level: Level, _target: &str, _message: &str) {}

    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}

    fn cancelled(&self) -> bool {
        self.script.cancelled
    }

    fn complete<'a>(&'a self, _index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        Box::pin(async move {
            self.record_call(Service::Complete)?;
            Ok(completion(&request))
        })
    }

    // Named as the bundled model that needs no server, so that an example can be declared for it.
    fn model_name(&self) -> Option<String> {
        Some("mock".to_owned())
    }

    fn cache_get<'a>(&'a self, index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        Box::pin(async move {
            self.record_call(Service::CacheGet)?;
            let cache = lock(&self.cache);
            Ok(cache.get(&(index, key.to_owned())).cloned())
        })
    }

    fn cache_put<'a>(
        &'a self,
        index: u32,
        key: &'a str,
        value: CacheValue,
        _ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.record_call(Service::CachePut)?;
            lock(&self.cache).insert((index, key.to_owned()), value);
            Ok(())
        })
    }

    fn fetch<'a>(&'a self, _index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async move {
            self.record_call(Service::Fetch(server(&request.url)))?;
            if self.script.has_key_value_server {
                let unreachable = || Failure::Unavailable(SCRIPTED.to_owned());
                let body = self.key_value_server.answer(&request.body).ok_or_else(unreachable)?;
                return Ok(HttpResponse { status: 200, headers: Vec::new(), body });
            }
            if let Some((Servers(ask), grants)) = &self.servers {
                return ask(Arc::clone(grants), request).await;
            }
            let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
            Ok(HttpResponse { status: 200, headers, body: PAGE.as_bytes().to_vec() })
        })
    }

    fn open_tensor<'a>(&'a self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        if !self.has_declared(index, tensor) {
            for recorder in [&self.shared_recorder, &self.own_recorder] {
                lock(&recorder.undeclared_tensors).insert(tensor.sha256.clone());
            }
            let why = format!("the request names no tensor {}", tensor.sha256);
            return Err(Failure::InvalidInput(why));
        }
        let none = || Failure::InvalidInput(format!("tensor {} does not have shape {:?}", tensor.sha256, tensor.shape));
        self.tensors.elements(tensor).map(TensorElements::Shared).ok_or_else(none)
    }

    fn keep_tensor(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        let tensor = self.tensors.keep_made(shape, TensorReader::new(shape.to_vec(), elements)?.into_shared()?)?;
        let mut declared = lock(&self.declared_tensors);
        declared.entry(index).or_default().insert(tensor.sha256.clone());
        Ok(tensor)
    }
}

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn a_server_is_the_authority_of_an_address() {
        assert_eq!(server("https://API.example.org/v1?q=http://other"), "api.example.org");
        assert_eq!(server("http://you@example.org:8080#top"), "example.org:8080");
        assert_eq!(server("example.org"), "example.org");
    }
}
