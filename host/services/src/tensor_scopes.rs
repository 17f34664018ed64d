//! Which tensors a call may open, and name in its answer: those that its input, or an answer to one of its host calls,
//! named, and those that it made. Everything else is refused, whether or not it is there.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jackfield_loader::{escape_untrusted, sandbox::size};
use jackfield_plugin_api::{
    Completion, CompletionRequest, Failure, Request, Result, TensorElements, TensorReader, TensorRef, WriteElements,
    checked_shape,
};
use jackfield_store::{
    BlobKey, BlobWriter, Blobs, Elements, HeldTensors, NamedTensor, may_name_tensors, named_tensors,
};

/// The most tensors that a call may be making at one time: each takes a file, and some memory.
const MOST_IN_THE_MAKING: u64 = 64;

/// The tensors of a call.
pub struct TensorScopes<'a> {
    /// Those that it made.
    held: Arc<HeldTensors>,
    /// Those of the completions that it was given.
    completions: Mutex<Vec<Arc<HeldTensors>>>,
    given: GivenBy<'a>,
    /// What it may make, in bytes, and where that is set.
    most: u64,
    of: &'static str,
    made: AtomicU64,
    /// How many are in the making.
    making: AtomicU64,
    /// Whether a limit refused it a tensor.
    over_budget: AtomicBool,
    /// What each request of its batch may open, with the number of its elements. Made when something is first asked: most
    /// calls have to do with no tensor.
    scopes: OnceLock<Vec<Mutex<HashMap<BlobKey, u64>>>>,
}

/// Where the tensors that a call begins with stand.
enum GivenBy<'a> {
    /// In the documents of its requests.
    Requests(&'a [Request]),
    /// In the edits of a completion request.
    Edits(&'a CompletionRequest),
}

impl<'a> TensorScopes<'a> {
    /// Of a stage's call.
    pub fn of_stage(blobs: &Arc<Blobs>, requests: &'a [Request], most: u64) -> Self {
        Self::new(Arc::new(HeldTensors::of(blobs)), GivenBy::Requests(requests), most, "stage")
    }

    /// Of a model's call. What it makes is held beyond it, for those who are to have its answer.
    pub(crate) fn of_model(held: &Arc<HeldTensors>, request: &'a CompletionRequest, most: u64) -> Self {
        Self::new(Arc::clone(held), GivenBy::Edits(request), most, "model")
    }

    fn new(held: Arc<HeldTensors>, given: GivenBy<'a>, most: u64, of: &'static str) -> Self {
        Self {
            held,
            completions: Mutex::default(),
            given,
            most,
            of,
            made: AtomicU64::new(0),
            making: AtomicU64::new(0),
            over_budget: AtomicBool::new(false),
            scopes: OnceLock::new(),
        }
    }

    /// Whether a limit on tensors refused the call one.
    pub(crate) fn was_over_budget(&self) -> bool {
        self.over_budget.load(Ordering::Relaxed)
    }

    /// Notes what a limit refuses.
    fn noted<T>(&self, kept: Result<T>) -> Result<T> {
        if matches!(kept, Err(Failure::OverBudget(_))) {
            self.over_budget.store(true, Ordering::Relaxed);
        }
        kept
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

    /// The tensor behind a reference, if the request may open it.
    fn allowed(&self, index: u32, named: NamedTensor) -> Result<(), String> {
        let scope = self.scope(index).map_err(|failure| failure.message().to_owned())?;
        match scope.lock().unwrap_or_else(PoisonError::into_inner).get(&named.key) {
            Some(count) if *count == named.count => Ok(()),
            Some(count) => Err(format!("names a tensor of {count} elements with a shape that has {}", named.count)),
            None => Err("names a tensor that was not given to it".to_owned()),
        }
    }

    /// Opens a tensor for the request at `index`.
    pub fn open(&self, index: u32, tensor: &TensorRef) -> Result<TensorElements<'static>> {
        let named = NamedTensor::of(tensor)
            .map_err(|wrong| Failure::InvalidInput(format!("not a reference of a tensor: {wrong}")))?;
        self.allowed(index, named).map_err(Failure::InvalidInput)?;
        Ok(TensorElements::Shared(self.held.blobs().open(named)?))
    }

    /// Counts a tensor that is to be made, before anything of it is; its length in bytes.
    fn count(&self, shape: &[u64]) -> Result<u64> {
        let bytes = checked_shape(shape)?.saturating_mul(4);
        let within = |made: u64| made.checked_add(bytes).filter(|all| *all <= self.most);
        self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).map(|_| bytes).map_err(|made| {
            let (all, most, of) = (size(made.saturating_add(bytes)), size(self.most), self.of);
            Failure::OverBudget(format!(
                "makes tensors of {all} in one call, beyond its limit of {most}; `limits = {{ tensors = \"…\" }}` in its \
                 {of} allows more"
            ))
        })
    }

    /// Lets the request at `index` open and name a tensor that it made.
    fn made(&self, index: u32, made: &TensorRef) -> Result<()> {
        if let Ok(named) = NamedTensor::of(made) {
            self.scope(index)?.lock().unwrap_or_else(PoisonError::into_inner).insert(named.key, named.count);
        }
        Ok(())
    }

    /// Keeps a tensor that the request at `index` made.
    pub fn keep(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        self.noted(self.kept(index, shape, elements))
    }

    fn kept(&self, index: u32, shape: &[u64], elements: TensorElements<'_>) -> Result<TensorRef> {
        self.scope(index)?;
        let bytes = self.count(shape)?;
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
        self.made(index, &made)?;
        Ok(made)
    }

    /// Begins a tensor of the request at `index`, which is written as it grows.
    pub fn create(&self, index: u32, shape: &[u64]) -> Result<Box<dyn WriteElements + '_>> {
        self.noted(self.created(index, shape))
    }

    fn created(&self, index: u32, shape: &[u64]) -> Result<Box<dyn WriteElements + '_>> {
        self.scope(index)?;
        self.count(shape)?;
        let making = Making { scopes: self, index, writer: Some(self.held.writer(shape)) };
        // Counted in any case: what is refused is dropped, and counted off.
        if self.making.fetch_add(1, Ordering::Relaxed) >= MOST_IN_THE_MAKING {
            return Err(Failure::OverBudget(format!("makes more than {MOST_IN_THE_MAKING} tensors at one time")));
        }
        Ok(Box::new(making))
    }

    /// Holds what the request at `index` answers to what it may name, and keeps for good what it names: it is about to go on
    /// the record.
    pub fn take_answer(&self, index: u32, json: &str) -> Result<(), String> {
        if !may_name_tensors(json) {
            return Ok(());
        }
        let named = named_tensors(json).map_err(|wrong| escape_untrusted(&wrong).into_owned())?;
        named.iter().try_for_each(|named| self.allowed(index, *named))?;
        self.held.name(named);
        Ok(())
    }

    /// Holds a request for a completion to what the request at `index` may name.
    pub fn check_edits(&self, index: u32, request: &CompletionRequest) -> Result<()> {
        for edit in &request.edits {
            let wrong = |what: String| Failure::InvalidInput(format!("an edit of a completion request {what}"));
            let named = NamedTensor::of(&edit.direction);
            let named = named.map_err(|what| wrong(format!("has no reference of a tensor: {what}")))?;
            self.allowed(index, named).map_err(wrong)?;
        }
        Ok(())
    }

    /// Holds a completion to what its model may name.
    pub(crate) fn check_completion(&self, completion: &Completion) -> Result<(), String> {
        for tensor in tensors_of(completion) {
            let named = NamedTensor::of(tensor).map_err(|what| format!("has no reference of a tensor: {what}"))?;
            self.allowed(0, named)?;
        }
        Ok(())
    }

    /// Lets the request at `index` open what a completion names, until the end of the call.
    pub fn give(&self, index: u32, completion: &Completion, held: Arc<HeldTensors>) -> Result<()> {
        let mut named = tensors_of(completion).filter_map(|tensor| NamedTensor::of(tensor).ok()).peekable();
        if named.peek().is_some() {
            let mut scope = self.scope(index)?.lock().unwrap_or_else(PoisonError::into_inner);
            scope.extend(named.map(|named| (named.key, named.count)));
            self.completions.lock().unwrap_or_else(PoisonError::into_inner).push(held);
        }
        Ok(())
    }
}

/// A tensor that a request is making.
struct Making<'s> {
    scopes: &'s TensorScopes<'s>,
    index: u32,
    /// None once it is finished.
    writer: Option<BlobWriter<'s>>,
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.scopes.making.fetch_sub(1, Ordering::Relaxed);
    }
}

impl WriteElements for Making<'_> {
    fn write(&mut self, elements: &[f32]) -> Result<()> {
        match &mut self.writer {
            Some(writer) => self.scopes.noted(writer.write(elements).map_err(Failure::from)),
            None => Err(finished()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<TensorRef> {
        let made = self.writer.take().ok_or_else(finished)?.finish();
        let made = self.scopes.noted(made.map_err(Failure::from))?;
        self.scopes.made(self.index, &made)?;
        Ok(made)
    }
}

fn finished() -> Failure {
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
