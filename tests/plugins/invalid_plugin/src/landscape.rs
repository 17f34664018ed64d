//! An analyzer to search: a valley with its lowest place at a third, and whatever can go wrong on the way to it.

use jackfield_plugin_api::prelude::*;

/// What `landscape` reads.
#[derive(Document)]
pub struct Step {
    /// Number of the trial.
    pub trial: u64,
    /// What it waits for.
    pub after: Option<f64>,
}

/// What `landscape` answers.
#[derive(Document)]
pub struct Place {
    /// How high the place is.
    pub loss: Option<f64>,
    /// How far it is.
    pub cost: f64,
    /// What it is called.
    pub called: String,
}

/// Which side of the valley.
#[derive(Document, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The low one.
    Low,
    /// The high one.
    High,
}

/// Tells how high a place is.
#[derive(Config)]
pub struct Landscape {
    /// Where.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub x: f64,
    /// Which side.
    #[config(default = Side::Low)]
    pub side: Side,
    /// How many steps, 1 to 8.
    #[config(default = 1)]
    #[schemars(range(min = 1, max = 8))]
    pub depth: u32,
    /// How long it takes, in milliseconds.
    #[config(default = 0)]
    pub milliseconds: u64,
    /// Trials without a height.
    #[config(default = Vec::new())]
    pub null_at: Vec<u64>,
    /// Trials that fail.
    #[config(default = Vec::new())]
    pub fail_at: Vec<u64>,
    /// Whether every trial fails.
    #[config(default = false)]
    pub fail: bool,
}

impl Analyzer for Landscape {
    const NAME: &'static str = "landscape";
    type Input = Step;
    type Output = Place;

    fn open(self) -> Result<Self> {
        if self.side == Side::High && self.x > 0.9 {
            return Err(Failure::InvalidConfig("there is no high side beyond 0.9".to_owned()));
        }
        Ok(self)
    }

    async fn analyze(&self, step: Step, _host: &Host<'_>) -> Result<Place> {
        #[cfg(not(target_family = "wasm"))]
        std::thread::sleep(std::time::Duration::from_millis(self.milliseconds));
        if self.fail || self.fail_at.contains(&step.trial) {
            return Err(Failure::InvalidInput("the way is closed".to_owned()));
        }
        let distance = self.x - 1.0 / 3.0;
        let side = if self.side == Side::High { 0.5 } else { 0.0 };
        let loss = distance * distance + side + 0.1 / f64::from(self.depth);
        let loss = (!self.null_at.contains(&step.trial)).then_some(loss);
        Ok(Place { loss, cost: self.x + f64::from(self.depth), called: format!("{:.3}", self.x) })
    }
}
