//! A model that can be run.

use std::{path::Path, sync::Arc};

use crate::{
    Architecture, EditSpec, Edits, Kernel, LoadError, MemoryBudget, Reservation, RunError, Sequence,
    cpu::WORTH_SHARING,
    load::{Reserve, load},
    weights::Weights,
};

/// Most threads of a pass.
const MOST_THREADS: usize = 1024;

/// A transformer of the Llama family: its weights, and how they are multiplied. It is not changed by being run.
#[derive(Debug)]
pub struct Transformer {
    pub(crate) architecture: Architecture,
    pub(crate) weights: Weights,
    /// Of each pair of components of a head, in radians a position.
    pub(crate) frequencies: Vec<f32>,
    pub(crate) kernel: Kernel,
    pub(crate) threads: usize,
    /// Fewest multiplications that are shared between threads.
    pub(crate) worth_sharing: usize,
}

/// How a model is run. Neither changes what the other does to results: threads change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// How products are summed.
    pub kernel: Kernel,
    /// How many threads a pass takes, 1 to 1,024.
    pub threads: usize,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { kernel: Kernel::best(), threads: 1 }
    }
}

impl RunOptions {
    fn check(self) -> Result<Self, RunError> {
        if !self.kernel.is_available() {
            return Err(RunError::KernelUnavailable { kernel: self.kernel.name() });
        }
        if !(1..=MOST_THREADS).contains(&self.threads) {
            return Err(RunError::WrongThreads { threads: self.threads });
        }
        Ok(self)
    }
}

impl Transformer {
    /// Reads a model: a folder of the Llama family, or a GGUF file. Files that `checksums.json` lists are compared with it
    /// first.
    ///
    /// Weights become 32-bit floats, so a model takes four bytes for each weight, however few its file takes: for blocks of
    /// four bits, seven times the file. All that a header promises is compared with the length of the file and the shapes of
    /// the architecture before memory is taken for any weight, and data of tensors must not overlap; so a file that lies takes
    /// no more than an honest one of its length, and what is read before that takes at most twice the file and 64 MiB.
    ///
    /// # Errors
    /// [`LoadError`] for files that are not those of a model that runs here.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        Self::load_reserving(path, &mut |_| Ok(()))
    }

    /// The same, within a budget. The weights are reserved before any memory is taken for them, and as long as what is given
    /// beside the model is kept. Where what other models compute leaves no room, this waits for them.
    ///
    /// # Errors
    /// [`LoadError`] as well for weights that take more memory than is left.
    pub fn load_within(path: &Path, budget: &Arc<MemoryBudget>) -> Result<(Self, Reservation), LoadError> {
        let mut reservation = budget.passing();
        let model = Self::load_reserving(path, &mut |bytes| {
            reservation = budget.reserve_waiting(bytes)?;
            Ok(())
        })?;
        Ok((model, reservation))
    }

    fn load_reserving(path: &Path, reserve: &mut Reserve<'_>) -> Result<Self, LoadError> {
        let (architecture, weights) = load(path, reserve)?;
        let frequencies = architecture.frequencies();
        let RunOptions { kernel, threads } = RunOptions::default();
        Ok(Self { architecture, weights, frequencies, kernel, threads, worth_sharing: WORTH_SHARING })
    }

    /// The same model, run in another way.
    ///
    /// # Errors
    /// [`RunError`] for a kernel that this processor does not have, or a number of threads that cannot be.
    pub fn with(self, options: RunOptions) -> Result<Self, RunError> {
        let RunOptions { kernel, threads } = options.check()?;
        Ok(Self { kernel, threads, ..self })
    }

    /// What the model is, apart from its weights.
    #[must_use]
    pub const fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// How it is run.
    #[must_use]
    pub const fn options(&self) -> RunOptions {
        RunOptions { kernel: self.kernel, threads: self.threads }
    }

    /// An empty sequence with room for so many tokens.
    ///
    /// # Errors
    /// [`RunError::TooLong`] for more than the model's context.
    pub fn sequence(&self, capacity: usize) -> Result<Sequence, RunError> {
        Sequence::new(&self.architecture, capacity)
    }

    /// Makes edits ready. Those that keep the norms of rows read the component's matrix once or twice.
    ///
    /// # Errors
    /// [`RunError`] for a layer, a direction or a weight that cannot be, and for two edits of one component of which one
    /// keeps norms. Several that do not are made one after the other.
    pub fn edits(&self, specs: &[EditSpec<'_>]) -> Result<Edits, RunError> {
        Edits::new(&self.architecture, &self.weights, specs)
    }
}
