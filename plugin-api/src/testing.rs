//! A host for unit tests: no Jackfield around the plugin.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as TaskContext, Poll, Waker},
    time::Duration,
};

use serde_json::Value;

use crate::{
    Arm, BoxFuture, CacheCalls, CacheEntry, CacheSize, CacheValue, Completion, CompletionRequest, Context, Document,
    ElementType, Failure, FromDocument as _, Host, HostCalls, HttpRequest, HttpResponse, Instance, IntoDocument as _,
    Kind, Level, PolicyAnswer, PolicyByDocuments, PolicyRequest, PolicyState, Request, Result, Tensor, TensorElements,
    TensorReader, TensorRef, element_count, host_calls::missing_service, linked_extension, sync::lock,
};

type Answers<Q, A> = Box<dyn Fn(&Q) -> Result<A> + Send + Sync>;

/// The host's side of the calls, with what a test gives it. It records what was logged and requested.
#[derive(Default)]
pub struct FakeHost {
    model: Option<Answers<CompletionRequest, Completion>>,
    server: Option<Answers<HttpRequest, HttpResponse>>,
    cache: Option<Mutex<HashMap<String, CacheValue>>>,
    tensors: Mutex<HashMap<String, Arc<[f32]>>>,
    cancelled: AtomicBool,
    asked: Mutex<Vec<CompletionRequest>>,
    logged: Mutex<Vec<(Level, String)>>,
}

impl fmt::Debug for FakeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeHost").field("asked", &self.asked).field("logged", &self.logged).finish_non_exhaustive()
    }
}

impl FakeHost {
    /// With a model that answers prompts.
    #[must_use]
    pub fn with_model(
        mut self,
        model: impl Fn(&CompletionRequest) -> Result<Completion> + Send + Sync + 'static,
    ) -> Self {
        self.model = Some(Box::new(model));
        self
    }

    /// With a server that answers HTTP requests.
    #[must_use]
    pub fn with_server(
        mut self,
        server: impl Fn(&HttpRequest) -> Result<HttpResponse> + Send + Sync + 'static,
    ) -> Self {
        self.server = Some(Box::new(server));
        self
    }

    /// With a cache, empty to begin with.
    #[must_use]
    pub fn with_cache(mut self) -> Self {
        self.cache = Some(Mutex::default());
        self
    }

    /// Adds a tensor that plugins can open from now on, and returns its reference.
    ///
    /// # Panics
    /// If there are not as many elements as the shape says.
    #[track_caller]
    pub fn add_tensor(&self, shape: &[u64], elements: &[f32]) -> TensorRef {
        assert_eq!(element_count(shape), Some(elements.len() as u64), "the elements of a tensor of shape {shape:?}");
        // A hash that is not SHA-256, for which a plugin's tests would need another crate: here it is a name and no more.
        let bits: Vec<u64> = elements.iter().map(|element| u64::from(element.to_bits())).collect();
        let words = (1..=4).map(|word| format!("{:016x}", hash(word, shape.iter().chain(&bits))));
        let sha256: String = words.collect();
        lock(&self.tensors).insert(sha256.clone(), elements.into());
        TensorRef { sha256, shape: shape.to_vec(), dtype: ElementType::F32 }
    }

    /// The elements of a tensor that was added, or that an extension made.
    #[must_use]
    pub fn tensor(&self, tensor: &TensorRef) -> Option<Arc<[f32]>> {
        lock(&self.tensors).get(&tensor.sha256).cloned()
    }

    /// Reports from now on that answers are no longer wanted.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    /// Each request for a completion so far.
    #[must_use]
    pub fn requests(&self) -> Vec<CompletionRequest> {
        lock(&self.asked).clone()
    }

    /// Each log line so far.
    #[must_use]
    pub fn logged(&self) -> Vec<(Level, String)> {
        lock(&self.logged).clone()
    }
}

/// The FNV-1a hash of some numbers.
fn hash<'a>(seed: u64, numbers: impl Iterator<Item = &'a u64>) -> u64 {
    numbers.fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, number| {
        number.to_le_bytes().iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    })
}

impl HostCalls for FakeHost {
    fn log(&self, level: Level, _target: &str, message: &str) {
        lock(&self.logged).push((level, message.to_owned()));
    }

    fn progress(&self, _index: u32, _done: u64, _total: Option<u64>, _note: &str) {}

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    fn complete<'a>(&'a self, _index: u32, request: CompletionRequest) -> BoxFuture<'a, Result<Completion>> {
        Box::pin(async move {
            let model = self.model.as_ref().ok_or_else(|| missing_service("model", "model"))?;
            lock(&self.asked).push(request.clone());
            model(&request)
        })
    }

    fn model_name(&self) -> Option<String> {
        self.model.as_ref().map(|_| "fake".to_owned())
    }

    fn cache_get<'a>(&'a self, _index: u32, key: &'a str) -> BoxFuture<'a, Result<Option<CacheValue>>> {
        Box::pin(async move {
            let cache = self.cache.as_ref().ok_or_else(|| missing_service("cache", "store"))?;
            Ok(lock(cache).get(key).cloned())
        })
    }

    fn cache_put<'a>(
        &'a self,
        _index: u32,
        key: &'a str,
        value: CacheValue,
        _ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let cache = self.cache.as_ref().ok_or_else(|| missing_service("cache", "store"))?;
            lock(cache).insert(key.to_owned(), value);
            Ok(())
        })
    }

    fn fetch<'a>(&'a self, _index: u32, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async move {
            let Some(server) = &self.server else {
                return Err(Failure::InvalidConfig("this host makes no HTTP requests".to_owned()));
            };
            server(&request)
        })
    }

    fn open_tensor<'a>(&'a self, _index: u32, tensor: &TensorRef) -> Result<TensorElements<'a>> {
        match self.tensor(tensor) {
            Some(elements) => Ok(TensorElements::Shared(elements)),
            None => Err(Failure::InvalidInput(format!("there is no tensor {}", tensor.sha256))),
        }
    }

    fn keep_tensor(&self, _index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        let elements = TensorReader::new(shape.to_vec(), elements)?;
        Ok(self.add_tensor(shape, &elements.to_elements()?))
    }
}

/// Opens an extension of this crate with a configuration and has it answer one document, as a host that it is linked into
/// does, in a stage that is called as the extension is. Tensors neither come with the document nor go with the answer: see [`call_with`].
///
/// # Errors
/// The failure of `open` or of the call; [`Failure::Internal`] where there is no such extension.
pub fn call(kind: Kind, name: &str, config: Value, input: Value, host: &FakeHost) -> Result<Value> {
    let context = Context { stage: name.into(), ..test_context() };
    call_with(kind, name, &config, Document::new(input.to_string()), &context, host).map(|(answer, _)| answer)
}

/// A host without a model, a cache or a server, outside any run: for calls that need nothing of their host.
#[must_use]
pub fn no_host() -> Host<'static> {
    static HOST: LazyLock<(FakeHost, Context)> = LazyLock::new(|| (FakeHost::default(), test_context()));
    Host::new(&HOST.0, &HOST.1, 0)
}

/// The context of a document outside any run; seed 0.
#[must_use]
pub fn test_context() -> Context {
    Context { stage: "".into(), item: "".into(), element: 0, replicate: 0, seed: 0 }
}

/// As [`call`], with tensors and a context.
///
/// # Errors
/// As those of [`call`]; [`Failure::Internal`] if the extension waits for something other than the host.
pub fn call_with(
    kind: Kind,
    name: &str,
    config: &Value,
    document: Document,
    context: &Context,
    host: &FakeHost,
) -> Result<(Value, Vec<Tensor>)> {
    let request = Request { document, context: context.clone() };
    let document = answer(&*open(kind, name, config)?, request, host)?;
    let json = serde_json::from_str(&document.json).map_err(|error| Failure::InvalidOutput(error.to_string()))?;
    Ok((json, document.tensors))
}

fn open(kind: Kind, name: &str, config: &Value) -> Result<Arc<dyn Instance>> {
    match linked_extension(kind, name) {
        Some(extension) => extension.open(&config.to_string()),
        None => Err(Failure::Internal(format!("no {kind} `{name}` is linked in"))),
    }
}

fn answer(instance: &dyn Instance, request: Request, host: &FakeHost) -> Result<Document> {
    let batch = [request];
    let mut answer = instance.call(&batch, host);
    // The fake host answers at once, so everything is ready at once.
    let Poll::Ready(mut answers) = answer.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) else {
        return Err(Failure::Internal("waits for something other than the host".to_owned()));
    };
    answers.pop().unwrap_or_else(|| Err(Failure::Internal("answered nothing".to_owned())))
}

/// A cache backend of this crate that was opened, and a host for it. Every operation answers at once.
pub struct OpenedCache<'a> {
    instance: Arc<dyn Instance>,
    host: &'a FakeHost,
}

impl fmt::Debug for OpenedCache<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedCache").field("host", self.host).finish_non_exhaustive()
    }
}

/// Opens a cache backend of this crate, as a host that it is linked into does.
///
/// # Errors
/// The failure of `open`; [`Failure::Internal`] where there is no such backend.
pub fn cache<'a>(name: &str, config: &Value, host: &'a FakeHost) -> Result<OpenedCache<'a>> {
    Ok(OpenedCache { instance: open(Kind::CacheBackend, name, config)?, host })
}

/// The result of an operation that waits for nothing but the host.
fn at_once<T>(mut operation: BoxFuture<'_, Result<T>>) -> Result<T> {
    match operation.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(Failure::Internal("waits for something other than the host".to_owned())),
    }
}

impl OpenedCache<'_> {
    fn calls(&self) -> Result<&dyn CacheCalls> {
        self.instance.as_cache().ok_or_else(|| Failure::Internal("it is not a cache backend".to_owned()))
    }

    /// See [`CacheBackend::get`](crate::CacheBackend::get).
    ///
    /// # Errors
    /// The backend's own failure.
    pub fn get(&self, key: &str) -> Result<Option<CacheValue>> {
        at_once(self.calls()?.get(key, self.host))
    }

    /// See [`CacheBackend::put`](crate::CacheBackend::put).
    ///
    /// # Errors
    /// The backend's own failure.
    pub fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        at_once(self.calls()?.put(key, value.into(), ttl, self.host))
    }

    /// See [`CacheBackend::remove`](crate::CacheBackend::remove).
    ///
    /// # Errors
    /// The backend's own failure.
    pub fn remove(&self, key: &str) -> Result<()> {
        at_once(self.calls()?.remove(key, self.host))
    }

    /// See [`CacheBackend::clear`](crate::CacheBackend::clear).
    ///
    /// # Errors
    /// The backend's own failure.
    pub fn clear(&self, prefix: &str) -> Result<u64> {
        at_once(self.calls()?.clear(prefix, self.host))
    }

    /// See [`CacheBackend::size`](crate::CacheBackend::size).
    ///
    /// # Errors
    /// The backend's own failure.
    pub fn size(&self, prefix: &str) -> Result<CacheSize> {
        at_once(self.calls()?.size(prefix, self.host))
    }

    /// See [`CacheBackend::list`](crate::CacheBackend::list).
    ///
    /// # Errors
    /// The backend's own failure.
    pub fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<CacheEntry>> {
        at_once(self.calls()?.list(prefix, after, limit, self.host))
    }

    /// See [`CacheBackend::is_durable`](crate::CacheBackend::is_durable).
    ///
    /// # Errors
    /// [`Failure::Internal`] if it is not a cache backend.
    pub fn is_durable(&self) -> Result<bool> {
        Ok(self.calls()?.is_durable())
    }
}

/// A routing policy of this crate that has learned nothing so far, checked against the arms, as a host that it is linked
/// into holds it.
///
/// # Errors
/// The failure of `open` or of `check`; [`Failure::Internal`] where there is no such policy.
pub fn policy(name: &str, config: &Value, arms: &[Arm]) -> Result<Box<dyn PolicyState>> {
    let instance = open(Kind::RoutingPolicy, name, config)?;
    let Some(calls) = instance.as_policy() else {
        return Err(Failure::Internal(format!("`{name}` is not a routing policy")));
    };
    calls.check(arms)?;
    Ok(calls.new_state())
}

/// As [`policy`], as a host holds a policy in a component or a native library: every call is a document that carries the
/// state there and back.
///
/// # Errors
/// As those of [`policy`].
pub fn policy_by_documents(name: &str, config: &Value, arms: &[Arm]) -> Result<Box<dyn PolicyState>> {
    let instance = open(Kind::RoutingPolicy, name, config)?;
    let ask = move |request: PolicyRequest| {
        let request = Request { document: request.into_document()?, context: test_context() };
        PolicyAnswer::from_document(answer(&*instance, request, &FakeHost::default())?)
    };
    Ok(Box::new(PolicyByDocuments::new(name, arms, None, ask)?))
}

/// Runs the worked examples of an extension of this crate.
///
/// # Panics
/// If there is no such extension, or the output of an example differs.
#[track_caller]
pub fn check_examples(kind: Kind, name: &str, host: &FakeHost) {
    let extension = linked_extension(kind, name).unwrap_or_else(|| panic!("no {kind} `{name}` is linked in"));
    for example in &extension.descriptor().examples {
        let found = call(kind, name, example.config.clone(), example.input.clone(), host);
        assert_eq!(found.as_ref(), Ok(&example.output), "example `{}`", example.summary);
    }
}
