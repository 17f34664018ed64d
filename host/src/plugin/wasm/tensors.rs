//! Tensors by reference, as a guest reads and makes them.

use std::sync::Arc;

use jackfield_plugin_api::{Failure, Result as CallResult, TensorRef, checked_shape};
use wasmtime::component::Resource;

use super::{
    bindings::jackfield::plugin::{tensors, types},
    convert,
    state::{Ask, State},
};
use crate::plugin::sandbox::size;

/// A tensor that a guest reads.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings name it")]
pub struct Reader {
    shape: Vec<u64>,
    elements: Arc<[f32]>,
}

/// A tensor that a guest makes.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings name it")]
pub struct Writer {
    index: u32,
    shape: Vec<u64>,
    count: usize,
    /// None once it is finished.
    elements: Option<Vec<f32>>,
}

impl Writer {
    fn begin(index: u32, shape: Vec<u64>) -> CallResult<Self> {
        let count = usize::try_from(checked_shape(&shape)?)
            .map_err(|_| Failure::OverBudget(format!("a tensor of shape {shape:?} is too large")))?;
        Ok(Self { index, shape, count, elements: Some(Vec::new()) })
    }

    fn write(&mut self, elements: &[f32]) -> CallResult<()> {
        let (shape, count) = (&self.shape, self.count);
        let Some(all) = &mut self.elements else {
            return Err(Failure::InvalidInput("the tensor is finished".to_owned()));
        };
        let written = all.len().saturating_add(elements.len());
        if written > count {
            let what = format!("a tensor of shape {shape:?} has {count} elements, and {written} were written");
            return Err(Failure::InvalidInput(what));
        }
        let room = all.try_reserve(elements.len());
        room.map_err(|_| Failure::Unavailable("the machine has no memory left for the tensor".to_owned()))?;
        all.extend_from_slice(elements);
        Ok(())
    }

    fn finish(&mut self) -> CallResult<Arc<[f32]>> {
        match &self.elements {
            None => Err(Failure::InvalidInput("the tensor is finished".to_owned())),
            Some(elements) if elements.len() < self.count => Err(Failure::InvalidInput(format!(
                "a tensor of shape {:?} has {} elements, and {} were written",
                self.shape,
                self.count,
                elements.len()
            ))),
            Some(_) => Ok(self.elements.take().unwrap_or_default().into()),
        }
    }
}

impl State {
    /// Counts what tensors a call makes against its limit, before anything of it is written.
    fn count_tensor(&mut self, shape: &[u64]) -> CallResult<()> {
        let bytes = checked_shape(shape)?.saturating_mul(4);
        let all = self.made.saturating_add(bytes);
        let limit = self.limits.tensors;
        if all > limit {
            let (all, limit) = (size(all), size(limit));
            return Err(Failure::OverBudget(format!(
                "makes tensors of {all} in one call, beyond its limit of {limit}; `limits = {{ tensors = \"…\" }}` in its \
                 stage allows more"
            )));
        }
        self.made = all;
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
                self.count()?;
                return Ok(Err(types::Failure::InvalidInput(format!("no reference of a tensor: {error}"))));
            }
        };
        let shape = tensor.shape.clone();
        match self.ask(|back| Ask::OpenTensor(index, tensor, back)).await? {
            Ok(elements) => Ok(Ok(self.table.push(Reader { shape, elements })?)),
            Err(failure) => Ok(Err(convert::failure_out(failure))),
        }
    }

    fn create(&mut self, index: u32, shape: Vec<u64>) -> wasmtime::Result<Result<Resource<Writer>, types::Failure>> {
        self.count()?;
        match self.count_tensor(&shape).and_then(|()| Writer::begin(index, shape)) {
            Ok(writer) => Ok(Ok(self.table.push(writer)?)),
            Err(failure) => Ok(Err(convert::failure_out(failure))),
        }
    }
}

impl tensors::HostTensorReader for State {
    fn shape(&mut self, reader: Resource<Reader>) -> wasmtime::Result<Vec<u64>> {
        self.count()?;
        Ok(self.table.get(&reader)?.shape.clone())
    }

    fn read(
        &mut self,
        reader: Resource<Reader>,
        offset: u64,
        length: u64,
    ) -> wasmtime::Result<Result<Vec<f32>, types::Failure>> {
        self.count()?;
        let elements = &self.table.get(&reader)?.elements;
        let count = elements.len();
        let end = offset.checked_add(length).and_then(|end| usize::try_from(end).ok()).filter(|end| *end <= count);
        Ok(match end {
            // More than the guest's memory holds is not copied for it.
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
    fn write(&mut self, writer: Resource<Writer>, elements: Vec<f32>) -> wasmtime::Result<Result<(), types::Failure>> {
        self.count()?;
        Ok(self.table.get_mut(&writer)?.write(&elements).map_err(convert::failure_out))
    }

    async fn finish(&mut self, writer: Resource<Writer>) -> wasmtime::Result<Result<String, types::Failure>> {
        let writer = self.table.get_mut(&writer)?;
        let (index, shape) = (writer.index, writer.shape.clone());
        let elements = match writer.finish() {
            Ok(elements) => elements,
            Err(failure) => {
                self.count()?;
                return Ok(Err(convert::failure_out(failure)));
            }
        };
        let kept = self.ask(|back| Ask::KeepTensor(index, shape, elements, back)).await?;
        let text = kept
            .and_then(|tensor| serde_json::to_string(&tensor).map_err(|error| Failure::Internal(error.to_string())));
        Ok(text.map_err(convert::failure_out))
    }

    fn drop(&mut self, writer: Resource<Writer>) -> wasmtime::Result<()> {
        self.table.delete(writer)?;
        Ok(())
    }
}
