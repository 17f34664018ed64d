//! The direction extractors. Each is defined by its options, and reads the tensors of a contrast set a few layers at a time.

use std::ops::Range;

use jackfield_plugin_api::prelude::*;

use crate::{Extractor, Method, Options, Residuals, Shape, extract::extract_each};

/// The direction from the mean of the negative prompts to the mean of the positive ones, a layer at a time.
#[derive(Clone, Copy, Debug, Config)]
pub struct MeanDifference {
    /// Clamps the components of each prompt's residual at each layer to plus and minus this quantile of their absolute
    /// values; 1 clamps nothing.
    #[config(default = 1.0)]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub winsorize: f64,
    /// Whether the part along the mean of the negative prompts is taken out of the direction.
    #[config(default = true)]
    pub project: bool,
}

/// The first principal component of the differences of pairs of prompts, a layer at a time.
#[derive(Clone, Copy, Debug, Config)]
pub struct Pca {
    /// How many pairs to use, from the first: a positive prompt and the negative one of the same index. All of them without
    /// it, and then the sets must have the same size.
    #[schemars(range(min = 2))]
    pub pairs: Option<u32>,
    /// Clamps the components of each prompt's residual at each layer to plus and minus this quantile of their absolute
    /// values; 1 clamps nothing.
    #[config(default = 1.0)]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub winsorize: f64,
    /// Whether the part along the mean of the negative prompts is taken out of the direction.
    #[config(default = false)]
    pub project: bool,
}

/// The normal of a logistic probe with an L2 penalty, a layer at a time.
#[derive(Clone, Copy, Debug, Config)]
pub struct Logistic {
    /// The penalty: a large one gives the direction of the mean difference, a small one that of the widest margin.
    #[config(default = crate::DEFAULT_L2)]
    #[schemars(range(min = 1e-6, max = 1e6))]
    pub l2: f64,
    /// Clamps the components of each prompt's residual at each layer to plus and minus this quantile of their absolute
    /// values; 1 clamps nothing.
    #[config(default = 1.0)]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub winsorize: f64,
    /// Whether the part along the mean of the negative prompts is taken out of the direction.
    #[config(default = false)]
    pub project: bool,
}

/// A direction drawn by chance, another one a layer: what taking out any direction does, to compare with.
#[derive(Clone, Copy, Debug, Config)]
pub struct RandomDirection {
    /// Another seed gives other directions.
    #[config(default = 0)]
    pub seed: u64,
    /// Whether the part along the mean of the negative prompts is taken out of the direction.
    #[config(default = true)]
    pub project: bool,
}

impl MeanDifference {
    fn options(self) -> Options {
        Options { method: Method::MeanDifference, winsorize: self.winsorize, project: self.project }
    }
}

impl Pca {
    fn options(self) -> Options {
        let pairs = self.pairs.map(|pairs| pairs as usize);
        Options { method: Method::Pca { pairs }, winsorize: self.winsorize, project: self.project }
    }
}

impl Logistic {
    fn options(self) -> Options {
        Options { method: Method::Logistic { l2: self.l2 }, winsorize: self.winsorize, project: self.project }
    }
}

impl RandomDirection {
    fn options(self) -> Options {
        Options { method: Method::Random { seed: self.seed }, winsorize: 1.0, project: self.project }
    }
}

impl DirectionExtractor for RandomDirection {
    const NAME: &'static str = "random-direction";

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> Result<Directions> {
        directions(self.options(), &contrast, host)
    }
}

impl DirectionExtractor for MeanDifference {
    const NAME: &'static str = "mean-difference";

    fn open(self) -> Result<Self> {
        self.options().check()?;
        Ok(self)
    }

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> Result<Directions> {
        directions(self.options(), &contrast, host)
    }
}

impl DirectionExtractor for Pca {
    const NAME: &'static str = "pca";

    fn open(self) -> Result<Self> {
        self.options().check()?;
        Ok(self)
    }

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> Result<Directions> {
        directions(self.options(), &contrast, host)
    }
}

impl DirectionExtractor for Logistic {
    const NAME: &'static str = "logistic";

    fn open(self) -> Result<Self> {
        self.options().check()?;
        Ok(self)
    }

    async fn extract(&self, contrast: ContrastSet, host: &Host<'_>) -> Result<Directions> {
        directions(self.options(), &contrast, host)
    }
}

/// Extracts the directions of all layers. Tensors are read and written a few layers at a time.
fn directions(options: Options, contrast: &ContrastSet, host: &Host<'_>) -> Result<Directions> {
    let mut positive = TensorResiduals::open(&contrast.positive, host)?;
    let mut negative = TensorResiduals::open(&contrast.negative, host)?;
    let extractor = Extractor::new(options)?;
    extractor.check(positive.shape(), negative.shape())?;
    let Shape { layers, width, .. } = positive.shape();
    let mut tensor = host.create_tensor(&[layers as u64, width as u64])?;
    let mut layers_found = Vec::new();
    extract_each(&extractor, &mut positive, &mut negative, |layer| -> Result<()> {
        if host.cancelled() {
            return Err(Failure::Cancelled("the directions are no longer wanted".to_owned()));
        }
        tensor.write(&layer.direction)?;
        layers_found.push(layer.known);
        host.progress(layers_found.len() as u64, Some(layers as u64), "layers");
        Ok(())
    })?;
    Ok(Directions { directions: tensor.finish()?, layers: layers_found })
}

/// The residuals of a tensor by reference.
struct TensorResiduals<'a> {
    tensor: TensorReader<'a>,
    shape: Shape,
}

impl<'a> TensorResiduals<'a> {
    fn open(tensor: &TensorRef, host: &Host<'a>) -> Result<Self> {
        let [prompts, layers, width] = tensor.dimensions()?;
        let checked_length = |checked_length: u64| {
            let too_large = |_| Failure::InvalidInput(format!("a tensor of shape {:?} is too large", tensor.shape));
            usize::try_from(checked_length).map_err(too_large)
        };
        let shape =
            Shape { prompts: checked_length(prompts)?, layers: checked_length(layers)?, width: checked_length(width)? };
        Ok(Self { tensor: host.tensor(tensor)?, shape })
    }
}

impl Residuals for TensorResiduals<'_> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, prompt: usize, layers: Range<usize>, rows: &mut [f32]) -> Result<()> {
        let Shape { layers: all_layers, width, .. } = self.shape;
        // Within the tensor, whose length was checked when it was opened.
        let row = prompt as u64 * all_layers as u64 + layers.start as u64;
        self.tensor.read(row * width as u64, rows)
    }
}
