//! The analyzer `ablation`, which turns directions and a few parameters into edits of a model.

use jackfield_plugin_api::prelude::*;

use crate::{ComponentKernel, PickedDirection, UnitDirections};

/// Which direction is taken out of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Document)]
#[serde(rename_all = "kebab-case")]
pub enum DirectionScope {
    /// Each block's own: that of the layer that the block hands on. A block whose direction is degenerate is left as it is.
    #[default]
    PerLayer,
    /// The same for all blocks: see `index`.
    Global,
}

/// Takes a direction out of what the blocks of a model add to the residual stream, by weights that a kernel gives each block.
///
/// The answer's `edits` are what a completion request takes; the weights of the model are not touched. With `y = W x` what a
/// component adds, `v` the direction and `w` the weight of the block, it adds `y - w v (v.y)` instead, or what
/// `row_normalization` says. Places are shares of the way from the first block to the last, so that one pipeline means the same for
/// models of each depth. A component without a kernel is left as it is.
#[derive(Clone, Debug, Config)]
pub struct Ablation {
    /// Which direction is taken out of a block: its own (`per-layer`), or one (`global`).
    #[config(default)]
    pub scope: DirectionScope,
    /// For `global`: where the direction is taken from, 0 for the first block and 1 for the last. Between two blocks, it is
    /// mixed linearly from theirs and brought to unit length. A degenerate direction is never picked: the nearest that is
    /// not counts.
    #[config(default = 0.5)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub index: f64,
    /// How the norms of the rows of a component's matrix are treated. With `pre` and `full`, part of the direction is left at a
    /// weight of 1.
    #[config(default)]
    pub row_normalization: RowNormalization,
    /// How much the output of attention loses in each block.
    pub attention: Option<ComponentKernel>,
    /// How much the down projection of the MLP loses in each block.
    pub mlp: Option<ComponentKernel>,
}

/// What `ablation` answers.
#[derive(Clone, Debug, PartialEq, Document)]
pub struct AblationEdits {
    /// The edits, block by block: those of a weight other than 0.
    pub edits: Vec<Edit>,
    /// The weight of the output of attention in each block.
    pub attention: Vec<f64>,
    /// The weight of the down projection of the MLP in each block.
    pub mlp: Vec<f64>,
    /// For `global`: where the direction is taken from, counted in blocks from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<f64>,
}

impl Analyzer for Ablation {
    const NAME: &'static str = "ablation";
    type Input = Directions;
    type Output = AblationEdits;

    fn open(self) -> Result<Self> {
        if !(0.0..=1.0).contains(&self.index) {
            return Err(Failure::InvalidConfig(format!("`index` is {}: it must be 0 to 1", self.index)));
        }
        for (component, kernel) in [("attention", &self.attention), ("mlp", &self.mlp)] {
            kernel.iter().try_for_each(|kernel| kernel.check(component))?;
        }
        Ok(self)
    }

    async fn analyze(&self, input: Directions, host: &Host<'_>) -> Result<AblationEdits> {
        let (directions, width) = unit_directions(&input, host)?;
        let blocks = directions.blocks();
        let weights_of = |kernel: &Option<ComponentKernel>| {
            kernel.map_or_else(|| vec![0.0; blocks], |kernel| kernel.weights(blocks))
        };
        let (attention, mlp) = (weights_of(&self.attention), weights_of(&self.mlp));
        let (mut picked_index, mut shared_direction) = (None, None);
        if self.scope == DirectionScope::Global {
            let picked = self.index * blocks.saturating_sub(1) as f64;
            picked_index = Some(picked);
            shared_direction = Some(match directions.at(picked)? {
                PickedDirection::Block(block) => (input.directions.clone(), block as u32 + 1),
                PickedDirection::Between(direction) => (host.keep_tensor(&[width], direction)?, 0),
            });
        } else if !(0..blocks).any(|block| directions.has_direction(block)) {
            directions.at(0.0)?;
        }
        let mut edits = Vec::new();
        for layer in 0..blocks {
            let own_direction =
                || directions.has_direction(layer).then(|| (input.directions.clone(), layer as u32 + 1));
            let Some((direction, row)) = shared_direction.clone().or_else(own_direction) else { continue };
            for (component, weight) in
                [(Component::AttentionOutput, attention[layer]), (Component::MlpDown, mlp[layer])]
            {
                if weight != 0.0 {
                    edits.push(Edit {
                        component,
                        layer: layer as u32,
                        direction: direction.clone(),
                        row,
                        weight,
                        row_normalization: self.row_normalization,
                    });
                }
            }
        }
        Ok(AblationEdits { edits, attention, mlp, block: picked_index })
    }
}

/// The directions of the blocks, and their length. Row 0 of the tensor is the embeddings, which no block writes.
fn unit_directions(input: &Directions, host: &Host<'_>) -> Result<(UnitDirections, u64)> {
    let [layers, width] = input.directions.dimensions()?;
    if layers < 2 {
        let what = format!("there are {layers} layers, and the first is the embeddings: no block has a direction");
        return Err(Failure::InvalidInput(what));
    }
    if input.layers.len() as u64 != layers {
        let known = input.layers.len();
        return Err(Failure::InvalidInput(format!(
            "there are directions of {layers} layers, but {known} are described"
        )));
    }
    let tensor = host.tensor(&input.directions)?;
    let mut directions = Vec::new();
    for layer in 1..layers {
        let mut row = vec![0.0_f32; width as usize];
        tensor.read(layer * width, &mut row)?;
        if row.iter().any(|x| !x.is_finite()) {
            return Err(Failure::InvalidInput(format!("the direction of layer {layer} is not finite")));
        }
        let is_zero = row.iter().all(|x| *x == 0.0);
        directions.push((!is_zero && !input.layers[layer as usize].degenerate).then_some(row));
    }
    Ok((UnitDirections::new(directions), width))
}
