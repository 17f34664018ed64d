//! The thread that computes. Requests join between two passes, in the order in which they came, and leave when they are
//! answered or nobody waits for them. A pass takes the prompts of those that are new and a token of each other. Of prompts under
//! equal edits, equal ones are read once, and so is what others begin with in common, with each other or with those under way.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError},
    },
};

use jackfield_plugin_api::{Failure, catch_panic};

use super::{
    active::Active,
    beginnings::{PromptRead, UnreadPrompt, copy_beginnings, read_beginnings},
    engine::{PendingRequest, Warnings},
    prepared::PreparedEdits,
    prompt::ModelText,
};
use crate::{Admission, Edits, Joining, Observer, Positions, RequestNeed, RunError, Sequence, Step, Transformer};

pub(super) struct Worker<'a> {
    model: &'a Transformer,
    text: Arc<ModelText>,
    admission: Admission,
    /// What whoever runs the model should know.
    warnings: &'a Warnings,
    waiting: VecDeque<PendingRequest>,
    active: Vec<Active>,
    prepared: PreparedEdits,
}

/// A sequence that is read on in a pass.
struct Lane {
    sequence: Sequence,
    tokens: Vec<u32>,
    edits: Option<Arc<Edits>>,
    reads: LaneInput,
    needs_hidden: bool,
    needs_logits: bool,
}

/// What a lane reads, and for which of the active.
enum LaneInput {
    /// A prompt, which is that of all of these.
    Prompt(Vec<usize>),
    /// The token that was drawn last.
    Drawn(usize),
    /// The rest of a reply.
    Reply(usize),
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        model: &'a Transformer,
        text: Arc<ModelText>,
        admission: Admission,
        warnings: &'a Warnings,
    ) -> Self {
        let (waiting, active, prepared) = (VecDeque::new(), Vec::new(), PreparedEdits::default());
        Self { model, text, admission, warnings, waiting, active, prepared }
    }

    /// Computes until whoever sends requests is gone.
    pub(super) fn serve(mut self, requests: &Receiver<PendingRequest>) {
        while self.receive(requests) {
            if let Err(failure) = catch_panic("transformer", || self.pass()).and_then(|passed| Ok(passed?)) {
                // What a panic left behind is not looked at again.
                self.prepared = PreparedEdits::default();
                self.active.drain(..).for_each(|active| active.finish(Some(&failure)));
            }
        }
    }

    /// Takes the requests that have come, waiting for one if there is nothing to do. False if no more will come.
    fn receive(&mut self, requests: &Receiver<PendingRequest>) -> bool {
        self.admission.keep(&self.memory_needs());
        if self.active.is_empty() && self.waiting.is_empty() {
            match requests.recv() {
                Ok(waiting) => self.waiting.push_back(waiting),
                Err(_) => return false,
            }
        }
        loop {
            match requests.try_recv() {
                Ok(waiting) => self.waiting.push_back(waiting),
                Err(TryRecvError::Empty) => return true,
                // Nobody has the model in use any more, so nobody waits.
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// One pass: whoever is new joins, all go on by a token or a prompt, and whoever is done leaves.
    fn pass(&mut self) -> Result<(), RunError> {
        self.active.retain(|active| !active.is_abandoned());
        self.waiting.retain(|waiting| !waiting.answer.is_closed());
        let mut lanes = self.going_on();
        let first_new = self.active.len();
        self.admit();
        let prompts = self.prompts(first_new, &lanes)?;
        lanes.extend(prompts);
        if !lanes.is_empty() {
            self.forward(&mut lanes)?;
        }
        self.finish_pass(lanes);
        let (done, active) = self.active.drain(..).partition(Active::is_done);
        self.active = active;
        done.into_iter().for_each(|active: Active| active.finish(None));
        Ok(())
    }

    /// What those under way need.
    fn memory_needs(&self) -> Vec<RequestNeed> {
        self.active.iter().map(|active| active.job.need()).collect()
    }

    /// Lets requests join for which there is memory, the first that came first.
    fn admit(&mut self) {
        let mut needs = self.memory_needs();
        self.admission.keep(&needs);
        while let Some((need, usual)) = self.waiting.front().map(|waiting| (waiting.job.need(), waiting.job.usual)) {
            let joining = self.admission.join(&needs, need, usual);
            self.warnings.add(self.admission.take_warnings());
            if joining == Joining::Waits {
                break;
            }
            let Some(PendingRequest { job, answer }) = self.waiting.pop_front() else { break };
            if let Joining::Refused(failure) = joining {
                // Whoever asked may have left.
                drop(answer.send(Err(failure)));
                continue;
            }
            needs.push(need);
            match self.prepared.get(self.model, &job.edits) {
                Ok(edits) => self.active.push(Active::new(job, answer, edits, self.model)),
                // Whoever asked may have left.
                Err(error) => drop(answer.send(Err(Failure::from(error)))),
            }
        }
    }

    /// The sequences of those whose prompts were read.
    fn going_on(&mut self) -> Vec<Lane> {
        let mut lanes = Vec::new();
        for (index, active) in self.active.iter_mut().enumerate() {
            let edits = active.edits.clone();
            let rest = active.rest_of_reply().to_vec();
            if let Some(sequence) = active.reader.as_mut().and_then(|reader| reader.sequence.take()) {
                lanes.push(Lane {
                    sequence,
                    tokens: rest,
                    edits: edits.clone(),
                    reads: LaneInput::Reply(index),
                    needs_hidden: false,
                    needs_logits: true,
                });
            }
            if !active.is_writing() {
                continue;
            }
            let writer = active.writer.as_mut().expect("a request that is writing has a writer");
            if let Some(sequence) = writer.sequence.take() {
                lanes.push(Lane {
                    sequence,
                    tokens: vec![writer.unread],
                    edits,
                    reads: LaneInput::Drawn(index),
                    needs_hidden: false,
                    needs_logits: true,
                });
            }
        }
        lanes
    }

    /// The prompts of those that are new, each once, and of those that begin alike, or as one of those under way, the rest.
    fn prompts(&self, first_new: usize, going_on: &[Lane]) -> Result<Vec<Lane>, RunError> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let (active, same) = (&self.active, |one: &Active, other: &Active| {
            let edits = |active: &Active| active.edits.as_ref().map(Arc::as_ptr);
            one.job.prompt == other.job.prompt && edits(one) == edits(other)
        });
        for index in
            (first_new..active.len()).filter(|index| !active[*index].is_done() || active[*index].needs_hidden())
        {
            match groups.iter_mut().find(|group| same(&active[group[0]], &active[index])) {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        let lane = |group: Vec<usize>| {
            let members = || group.iter().map(|index| &active[*index]);
            // Each goes on in a copy with room of its own, and the last that does needs none.
            let capacity = members().next_back().map(|active| active.job.capacity()).unwrap_or_default();
            Ok(Lane {
                sequence: self.model.sequence(capacity)?,
                tokens: active[group[0]].job.prompt.clone(),
                edits: active[group[0]].edits.clone(),
                needs_hidden: members().any(Active::needs_hidden),
                needs_logits: members().any(Active::needs_logits),
                reads: LaneInput::Prompt(group),
            })
        };
        let mut lanes: Vec<Lane> = groups.into_iter().map(lane).collect::<Result<_, RunError>>()?;
        let unread = lanes.iter_mut().map(|Lane { sequence, tokens, edits, reads, .. }| {
            let first_observed = match reads {
                LaneInput::Prompt(group) => group.iter().map(|index| active[*index].first_observed()).min(),
                LaneInput::Drawn(_) | LaneInput::Reply(_) => None,
            };
            UnreadPrompt { sequence, tokens, edits: edits.as_deref(), first_observed: first_observed.unwrap_or(0) }
        });
        let read = going_on.iter().filter_map(|Lane { sequence, edits, reads, .. }| match reads {
            LaneInput::Drawn(index) | LaneInput::Reply(index) => {
                Some(PromptRead { sequence, tokens: &active[*index].job.prompt, edits: edits.as_deref() })
            }
            LaneInput::Prompt(_) => None,
        });
        let unread = copy_beginnings(&read.collect::<Vec<_>>(), unread.collect())?;
        read_beginnings(self.model, unread)?;
        Ok(lanes)
    }

    fn forward(&mut self, lanes: &mut [Lane]) -> Result<(), RunError> {
        let mut reads = Vec::with_capacity(lanes.len());
        let mut steps = Vec::with_capacity(lanes.len());
        for Lane { sequence, tokens, edits, reads: lane, needs_hidden, needs_logits } in lanes {
            let logits = match lane {
                LaneInput::Reply(_) => Positions::From(sequence.length()),
                _ if *needs_logits => Positions::Last,
                _ => Positions::None,
            };
            let hidden = if *needs_hidden { Positions::From(0) } else { Positions::None };
            steps.push(Step { sequence, tokens, edits: edits.as_deref(), hidden, logits });
            reads.push(&*lane);
        }
        let mut shown = PassObserver { model: self.model, text: &self.text, reads, active: &mut self.active };
        self.model.forward(&mut steps, &mut shown)
    }

    /// Gives sequences to those who go on in them.
    fn finish_pass(&mut self, lanes: Vec<Lane>) {
        for Lane { sequence, reads, .. } in lanes {
            match reads {
                LaneInput::Drawn(index) => {
                    if let Some(writer) = &mut self.active[index].writer {
                        writer.sequence = Some(sequence);
                    }
                }
                LaneInput::Reply(index) => self.active[index].reader = None,
                LaneInput::Prompt(group) => {
                    for index in group {
                        let active = &mut self.active[index];
                        let room = active.job.capacity();
                        if active.is_writing()
                            && let Some(writer) = &mut active.writer
                        {
                            writer.sequence = Some(sequence.with_room_for(room));
                        }
                        // A reply of one token was read with the prompt.
                        let more = !active.rest_of_reply().is_empty();
                        active.reader.take_if(|_| !more);
                        if let Some(reader) = &mut active.reader {
                            reader.sequence = Some(sequence.with_room_for(room));
                        }
                    }
                }
            }
        }
    }
}

/// Hands what a pass shows to those who asked.
struct PassObserver<'a> {
    model: &'a Transformer,
    text: &'a ModelText,
    /// Of each step.
    reads: Vec<&'a LaneInput>,
    active: &'a mut [Active],
}

impl Observer for PassObserver<'_> {
    fn hidden(&mut self, step: usize, position: usize, layer: usize, state: &[f32]) {
        if let LaneInput::Prompt(group) = self.reads[step] {
            for index in group {
                self.active[*index].take_hidden(self.model, position, layer, state);
            }
        }
    }

    fn logits(&mut self, step: usize, position: usize, logits: &[f32]) {
        match self.reads[step] {
            LaneInput::Prompt(group) => {
                for index in group {
                    self.active[*index].take_first(position, logits, self.text);
                }
            }
            LaneInput::Drawn(index) => self.active[*index].draw(position, logits, self.text),
            LaneInput::Reply(index) => self.active[*index].take_of_reply(position, logits),
        }
    }
}
