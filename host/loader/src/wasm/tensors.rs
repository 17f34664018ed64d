//! Tensors by reference, as a guest reads and makes them.

use std::sync::Arc;

use jackfield_plugin_api::{Context, Failure, Host, HostCalls, Result as CallResult, TensorRef, checked_shape};
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::Resource;

use super::{
    bridge::HostRequest,
    convert,
    state::State,
    v0_1::jackfield::plugin::{tensors, types},
};
use crate::sandbox::size;

/// A tensor that a guest reads.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings name it")]
pub struct Reader {
    shape: Vec<u64>,
    elements: Arc<[f32]>,
}

/// A tensor that a guest makes. Its elements are handed to the host as they come, so that they need no memory here.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings name it")]
pub struct Writer {
    /// `None` once the tensor is finished.
    pieces: Option<mpsc::Sender<Piece>>,
}

/// A step in the making of a tensor, with the sender of its result.
#[derive(Debug)]
pub(super) enum Piece {
    Elements(Vec<f32>, oneshot::Sender<CallResult<()>>),
    Finish(oneshot::Sender<CallResult<TensorRef>>),
}

/// The steps in which a guest makes a tensor.
pub(super) type Pieces = mpsc::Receiver<Piece>;

/// Lets the host make the tensor of a guest, step by step, until it is finished or the guest has ended.
pub(super) async fn make_tensor(
    host: &dyn HostCalls,
    index: u32,
    shape: &[u64],
    mut pieces: Pieces,
    begun: oneshot::Sender<CallResult<()>>,
) {
    // The names are not used: the host counts the tensor for the call whose host this is.
    let context = Context { stage: "".into(), item: "".into(), element: 0, replicate: 0, seed: 0 };
    let mut writer = match Host::new(host, &context, index).create_tensor(shape) {
        Ok(writer) => writer,
        Err(failure) => {
            let _ = begun.send(Err(failure));
            return;
        }
    };
    // A guest that has ended needs no answer.
    let _ = begun.send(Ok(()));
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Elements(elements, back) => _ = back.send(writer.write(&elements)),
            Piece::Finish(back) => {
                let _ = back.send(writer.finish());
                return;
            }
        }
    }
}

impl Writer {
    /// Hands a step to the host, and waits for its result.
    async fn hand_to_host<T>(
        &self,
        piece: impl FnOnce(oneshot::Sender<CallResult<T>>) -> Piece,
    ) -> wasmtime::Result<CallResult<T>> {
        let Some(pieces) = &self.pieces else {
            return Ok(Err(Failure::InvalidInput("the tensor is finished".to_owned())));
        };
        let (back, answer) = oneshot::channel();
        let gone = || wasmtime::Error::msg("the host is gone");
        pieces.send(piece(back)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

impl State {
    /// Counts a tensor against the limit of the call, before anything of it is written.
    fn count_tensor(&mut self, shape: &[u64]) -> CallResult<()> {
        let bytes = checked_shape(shape)?.saturating_mul(4);
        let all = self.tensor_bytes.saturating_add(bytes);
        let limit = self.limits.tensors;
        if all > limit {
            let (all, limit) = (size(all), size(limit));
            return Err(Failure::OverBudget(format!(
                "makes tensors of {all} in one call, beyond its limit of {limit}; `limits = {{ tensors = \"…\" }}` in its \
                 stage allows more"
            )));
        }
        self.tensor_bytes = all;
        Ok(())
    }
}

impl tensors::Host for State {
    async fn open(
        &mut self,
        index: u32,
        reference: String,
    ) -> wasmtime::Result<Result<Resource<Reader>, types::Failure>> {
        let tensor: TensorRef = match serde_json::from_str(&reference) {
            Ok(tensor) => tensor,
            Err(error) => {
                self.count_host_call()?;
                return Ok(Err(types::Failure::InvalidInput(format!("not a reference of a tensor: {error}"))));
            }
        };
        let shape = tensor.shape.clone();
        match self.ask(|answer| HostRequest::OpenTensor { index, tensor, answer }).await? {
            Ok(elements) => Ok(Ok(self.table.push(Reader { shape, elements })?)),
            Err(failure) => Ok(Err(convert::failure_out(failure))),
        }
    }

    async fn create(
        &mut self,
        index: u32,
        shape: Vec<u64>,
    ) -> wasmtime::Result<Result<Resource<Writer>, types::Failure>> {
        if let Err(failure) = self.count_tensor(&shape) {
            self.count_host_call()?;
            return Ok(Err(convert::failure_out(failure)));
        }
        let (sender, pieces) = mpsc::channel(1);
        match self.ask(|begun| HostRequest::MakeTensor { index, shape, pieces, begun }).await? {
            Ok(()) => Ok(Ok(self.table.push(Writer { pieces: Some(sender) })?)),
            Err(failure) => Ok(Err(convert::failure_out(failure))),
        }
    }
}

impl tensors::HostTensorReader for State {
    fn shape(&mut self, reader: Resource<Reader>) -> wasmtime::Result<Vec<u64>> {
        self.count_host_call()?;
        Ok(self.table.get(&reader)?.shape.clone())
    }

    fn read(
        &mut self,
        reader: Resource<Reader>,
        offset: u64,
        length: u64,
    ) -> wasmtime::Result<Result<Vec<f32>, types::Failure>> {
        self.count_host_call()?;
        let elements = &self.table.get(&reader)?.elements;
        let count = elements.len();
        let end = offset.checked_add(length).and_then(|end| usize::try_from(end).ok()).filter(|end| *end <= count);
        Ok(match end {
            // What does not fit into the memory of the guest is not copied for it.
            Some(_) if length.saturating_mul(4) > self.limits.memory => {
                let limit = size(self.limits.memory);
                Err(types::Failure::InvalidInput(format!("{length} elements do not fit into its memory of {limit}")))
            }
            Some(end) => Ok(elements[offset as usize..end].to_vec()),
            None => {
                let what = format!("there are no {length} elements from {offset} on: the tensor has {count}");
                Err(types::Failure::InvalidInput(what))
            }
        })
    }

    fn drop(&mut self, reader: Resource<Reader>) -> wasmtime::Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}

impl tensors::HostTensorWriter for State {
    async fn write(
        &mut self,
        writer: Resource<Writer>,
        elements: Vec<f32>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        self.count_host_call()?;
        let written = self.table.get(&writer)?.hand_to_host(|back| Piece::Elements(elements, back)).await?;
        Ok(written.map_err(convert::failure_out))
    }

    async fn finish(&mut self, writer: Resource<Writer>) -> wasmtime::Result<Result<String, types::Failure>> {
        self.count_host_call()?;
        let writer = self.table.get_mut(&writer)?;
        let finished = writer.hand_to_host(Piece::Finish).await?;
        writer.pieces = None;
        let text = finished
            .and_then(|tensor| serde_json::to_string(&tensor).map_err(|error| Failure::Internal(error.to_string())));
        Ok(text.map_err(convert::failure_out))
    }

    fn drop(&mut self, writer: Resource<Writer>) -> wasmtime::Result<()> {
        self.table.delete(writer)?;
        Ok(())
    }
}
