//! Which tensors a call may open, and name in its answer: those that its input, or an answer to one of its host calls,
//! named, and those that it made. Everything else is refused, whether or not it is there.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jackfield_loader::{escape_untrusted, sandbox::size};
use jackfield_plugin_api::{
    Completion, CompletionRequest, Failure, Request, Result, TensorElements, TensorReader, TensorRef, WriteElements,
    checked_shape, sync::lock,
};
use jackfield_store::{
    BlobKey, BlobWriter, Blobs, Elements, HeldTensors, NamedTensor, may_name_tensors, named_tensors,
};

use crate::HeldCompletion;

/// The most tensors that a call may be making at one time: each takes a file, and some memory.
const MOST_UNFINISHED: u64 = 64;

/// The tensors of a call.
pub struct TensorScopes<'a> {
    /// Those that it made.
    held: Arc<HeldTensors>,
    /// Those of the completions that it was given.
    completions: Mutex<Vec<Arc<HeldTensors>>>,
    given: GivenBy<'a>,
    /// The most bytes of tensors that it may make.
    max_bytes: u64,
    /// Where that limit is set: the `stage` or the `model`.
    limit_owner: &'static str,
    /// Bytes of the tensors that it has made or begun.
    made_bytes: AtomicU64,
    /// How many tensors it has begun and not finished.
    unfinished: AtomicU64,
    /// Whether a limit refused it a tensor.
    over_budget: AtomicBool,
    /// What each request of its batch may open, with the number of its elements. Made when something is first asked: most
    /// calls have to do with no tensor.
    scopes: OnceLock<Vec<Mutex<HashMap<BlobKey, u64>>>>,
}

/// Where the tensors that a call begins with are named.
enum GivenBy<'a> {
    /// In the documents of its requests.
    Requests(&'a [Request]),
    /// In the edits of a completion request.
    Edits(&'a CompletionRequest),
}

impl<'a> TensorScopes<'a> {
    /// Those of a stage's call.
    pub fn of_stage(blobs: &Arc<Blobs>, requests: &'a [Request], max_bytes: u64) -> Self {
        Self::new(Arc::new(HeldTensors::of(blobs)), GivenBy::Requests(requests), max_bytes, "stage")
    }

    /// Those of a model's call. What it makes is held beyond the call, for those who are to have its answer.
    pub(crate) fn of_model(held: &Arc<HeldTensors>, request: &'a CompletionRequest, max_bytes: u64) -> Self {
        Self::new(Arc::clone(held), GivenBy::Edits(request), max_bytes, "model")
    }

    fn new(held: Arc<HeldTensors>, given: GivenBy<'a>, max_bytes: u64, limit_owner: &'static str) -> Self {
        Self {
            held,
            completions: Mutex::default(),
            given,
            max_bytes,
            limit_owner,
            made_bytes: AtomicU64::new(0),
            unfinished: AtomicU64::new(0),
            over_budget: AtomicBool::new(false),
            scopes: OnceLock::new(),
        }
    }

    /// Whether a limit on tensors refused the call one.
    pub(crate) fn was_over_budget(&self) -> bool {
        self.over_budget.load(Ordering::Relaxed)
    }

    /// Notes whether a limit refused a tensor.
    fn note_refusal<T>(&self, outcome: Result<T>) -> Result<T> {
        if matches!(outcome, Err(Failure::OverBudget(_))) {
            self.over_budget.store(true, Ordering::Relaxed);
        }
        outcome
    }

    fn scope(&self, index: u32) -> Result<&Mutex<HashMap<BlobKey, u64>>> {
        let scopes = self.scopes.get_or_init(|| match &self.given {
            // What cannot be read names nothing; the plugin says what it thinks of it.
            GivenBy::Requests(requests) => requests
                .iter()
                .map(|request| scope_of(named_tensors(&request.document.json).unwrap_or_default()))
                .collect(),
            GivenBy::Edits(request) => {
                let named = request.edits.iter().filter_map(|edit| NamedTensor::of(&edit.direction).ok());
                vec![scope_of(named)]
            }
        });
        let scope = scopes.get(index as usize);
        scope.ok_or_else(|| Failure::Internal(format!("asked on behalf of request {index} of {}", scopes.len())))
    }

    /// Whether the request at `index` may open and name a tensor; otherwise what is wrong, as the end of a sentence.
    fn check_allowed(&self, index: u32, named: NamedTensor) -> Result<(), String> {
        let scope = self.scope(index).map_err(|failure| failure.message().to_owned())?;
        match lock(scope).get(&named.key) {
            Some(count) if *count == named.count => Ok(()),
            Some(count) => Err(format!("names a tensor of {count} elements with a shape that has {}", named.count)),
            None => Err("names a tensor that was not given to it".to_owned()),
        }
    }

    /// Opens a tensor for the request at `index`.
    pub fn open(&self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'static>> {
        let named = NamedTensor::of(tensor)
            .map_err(|wrong| Failure::InvalidInput(format!("not a reference of a tensor: {wrong}")))?;
        self.check_allowed(index, named).map_err(Failure::InvalidInput)?;
        Ok(TensorElements::Shared(self.held.blobs().open(named)?))
    }

    /// Counts a tensor that is to be made, before anything of it is made. Returns its length in bytes.
    fn reserve_bytes(&self, shape: &[u64]) -> Result<u64> {
        let bytes = checked_shape(shape)?.saturating_mul(4);
        let within_limit = |made: u64| made.checked_add(bytes).filter(|total| *total <= self.max_bytes);
        self.made_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within_limit).map(|_| bytes).map_err(|made| {
            let (total, limit) = (size(made.saturating_add(bytes)), size(self.max_bytes));
            let limit_owner = self.limit_owner;
            Failure::OverBudget(format!(
                "makes tensors of {total} in one call, beyond its limit of {limit}; `limits = {{ tensors = \"…\" }}` in its \
                 {limit_owner} allows more"
            ))
        })
    }

    /// Lets the request at `index` open and name a tensor that it made.
    fn allow_made(&self, index: u32, made: &TensorRef) -> Result<()> {
        if let Ok(named) = NamedTensor::of(made) {
            lock(self.scope(index)?).insert(named.key, named.count);
        }
        Ok(())
    }

    /// Keeps a tensor that the request at `index` made.
    pub fn keep(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        self.note_refusal(self.keep_within_limits(index, shape, elements))
    }

    fn keep_within_limits(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        self.scope(index)?;
        let bytes = self.reserve_bytes(shape)?;
        let wrong = elements.count().filter(|count| count.checked_mul(4) != Some(bytes));
        if let Some(wrong) = wrong {
            return Err(Failure::InvalidInput(format!("a tensor of shape {shape:?} does not have {wrong} elements")));
        }
        let elements = match elements {
            TensorElements::Shared(elements) => Elements::Shared(elements),
            TensorElements::Lent(elements) => Elements::Lent(elements),
            remote => Elements::Shared(TensorReader::new(shape.to_vec(), remote)?.into_shared()?),
        };
        let made = self.held.put(shape, elements)?;
        self.allow_made(index, &made)?;
        Ok(made)
    }

    /// Begins a tensor of the request at `index`, which is written as it grows.
    pub fn create(&self, index: u32, shape: &[u64]) -> Result<Box<dyn WriteElements + '_>> {
        self.note_refusal(self.create_within_limits(index, shape))
    }

    fn create_within_limits(&self, index: u32, shape: &[u64]) -> Result<Box<dyn WriteElements + '_>> {
        self.scope(index)?;
        self.reserve_bytes(shape)?;
        let tensor = UnfinishedTensor { scopes: self, index, writer: Some(self.held.writer(shape)) };
        // Counted in any case: what is refused is dropped, and counted off.
        if self.unfinished.fetch_add(1, Ordering::Relaxed) >= MOST_UNFINISHED {
            return Err(Failure::OverBudget(format!("makes more than {MOST_UNFINISHED} tensors at one time")));
        }
        Ok(Box::new(tensor))
    }

    /// Checks that the request at `index` may name what its answer names, and keeps that for good: the answer is about to be
    /// recorded.
    pub fn admit_answer(&self, index: u32, json: &str) -> Result<(), String> {
        if !may_name_tensors(json) {
            return Ok(());
        }
        let named = named_tensors(json).map_err(|wrong| escape_untrusted(&wrong).into_owned())?;
        named.iter().try_for_each(|named| self.check_allowed(index, *named))?;
        self.held.name(named);
        Ok(())
    }

    /// Checks that the request at `index` may name what the edits of its completion request name.
    pub fn check_edits(&self, index: u32, request: &CompletionRequest) -> Result<()> {
        for edit in &request.edits {
            let wrong = |what: String| Failure::InvalidInput(format!("an edit of a completion request {what}"));
            let named = NamedTensor::of(&edit.direction);
            let named = named.map_err(|what| wrong(format!("has no reference of a tensor: {what}")))?;
            self.check_allowed(index, named).map_err(wrong)?;
        }
        Ok(())
    }

    /// Checks that a model may name what its completion names.
    pub(crate) fn check_completion(&self, completion: &Completion) -> Result<(), String> {
        for tensor in tensors_of(completion) {
            let named = NamedTensor::of(tensor).map_err(|what| format!("has no reference of a tensor: {what}"))?;
            self.check_allowed(0, named)?;
        }
        Ok(())
    }

    /// Lets the request at `index` open what a completion names, until the end of the call.
    pub fn allow_completion(&self, index: u32, held: &HeldCompletion) -> Result<()> {
        let mut named = tensors_of(&held.completion).filter_map(|tensor| NamedTensor::of(tensor).ok()).peekable();
        if named.peek().is_some() {
            let mut scope = lock(self.scope(index)?);
            scope.extend(named.map(|named| (named.key, named.count)));
            lock(&self.completions).push(Arc::clone(&held.tensors));
        }
        Ok(())
    }
}

/// A tensor that a request has begun.
struct UnfinishedTensor<'s> {
    scopes: &'s TensorScopes<'s>,
    index: u32,
    /// None once it is finished.
    writer: Option<BlobWriter<'s>>,
}

impl Drop for UnfinishedTensor<'_> {
    fn drop(&mut self) {
        self.scopes.unfinished.fetch_sub(1, Ordering::Relaxed);
    }
}

impl WriteElements for UnfinishedTensor<'_> {
    fn write(&mut self, elements: &[f32]) -> Result<()> {
        match &mut self.writer {
            Some(writer) => self.scopes.note_refusal(writer.write(elements).map_err(Failure::from)),
            None => Err(already_finished()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<TensorRef> {
        let made = self.writer.take().ok_or_else(already_finished)?.finish();
        let made = self.scopes.note_refusal(made.map_err(Failure::from))?;
        self.scopes.allow_made(self.index, &made)?;
        Ok(made)
    }
}

fn already_finished() -> Failure {
    Failure::InvalidInput("the tensor is finished".to_owned())
}

/// The tensors that a completion names.
pub(crate) fn tensors_of(completion: &Completion) -> impl Iterator<Item = &TensorRef> {
    let captured = completion.captured.iter().map(|captured| &captured.hidden_states);
    let distribution = completion.logprobs.iter().filter_map(|logprobs| logprobs.distribution.as_ref());
    captured.chain(distribution).chain(&completion.embedding)
}

fn scope_of(named: impl IntoIterator<Item = NamedTensor>) -> Mutex<HashMap<BlobKey, u64>> {
    Mutex::new(named.into_iter().map(|named| (named.key, named.count)).collect())
}
