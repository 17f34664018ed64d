//! An analyzer that exports: it writes what it is given to a folder. Without one, it keeps its numbers as a tensor.

use std::fs;

use jackfield_plugin_api::prelude::*;

/// What `folder` reads.
#[derive(Document)]
pub struct Given {
    /// Numbers to keep.
    #[serde(default)]
    pub numbers: Vec<f32>,
    /// Numbers that were kept, to write.
    #[schemars(extend("x-tensor" = { "shape": ["kept"] }))]
    pub tensor: Option<TensorRef>,
    /// Anything else to write.
    pub note: Option<Value>,
}

/// What `folder` answers.
#[derive(Document)]
pub struct Written {
    /// The numbers, as they are kept.
    #[schemars(extend("x-tensor" = { "shape": ["numbers"] }))]
    pub tensor: Option<TensorRef>,
    /// Length of what was written, in bytes.
    pub bytes: Option<u64>,
}

/// Writes to a folder.
#[derive(Config)]
pub struct Folder {
    /// The folder; numbers are kept as a tensor without one.
    #[schemars(extend("x-export-folder" = true))]
    pub to: Option<FilePath>,
    /// Whether it fails once it has begun.
    #[config(default = false)]
    pub fail: bool,
}

impl Analyzer for Folder {
    const NAME: &'static str = "folder";
    type Input = Given;
    type Output = Written;

    async fn analyze(&self, given: Given, host: &Host<'_>) -> Result<Written> {
        let Some(FilePath(folder)) = &self.to else {
            let tensor = host.keep_tensor(&[given.numbers.len() as u64], given.numbers)?;
            return Ok(Written { tensor: Some(tensor), bytes: None });
        };
        if self.fail {
            return Err(Failure::Unavailable("the shelf is away".to_owned()));
        }
        let numbers = match &given.tensor {
            Some(tensor) => host.tensor(tensor)?.to_elements()?.into_owned(),
            None => Vec::new(),
        };
        let text = json!({ "numbers": numbers, "note": given.note }).to_string();
        let written = fs::write(folder.join("export.json"), &text);
        written.map_err(|error| Failure::Unavailable(format!("cannot write: {error}")))?;
        Ok(Written { tensor: None, bytes: Some(text.len() as u64) })
    }
}
