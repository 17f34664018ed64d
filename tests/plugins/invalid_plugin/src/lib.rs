//! Services that break the rules of their kind and some that keep them, with analyzers that look into their models: the
//! host's tests run them.
#![forbid(unsafe_code)]

mod bounce;
mod dice;
mod folder;
pub mod key_value;
mod landscape;
mod look;
pub mod policy;
pub mod shelf;
mod texts;

use jackfield_plugin_api::prelude::*;

pub use key_value::KeyValue;
pub use policy::InvalidPolicy;
pub use shelf::Shelf;

pub use bounce::{Bounce, Bump};
pub use dice::{Ask, Asked, Dice, Said};
pub use folder::{Folder, Given, Written};
pub use landscape::{Landscape, Place, Side, Step};
pub use look::{Look, Looked, Pair};
pub use texts::{Shown, Texts};

export_plugin!(Ask, Folder, Landscape, Look, Texts);
export_plugin!(models: Dice);
export_plugin!(policies: InvalidPolicy);
export_plugin!(searches: Bounce);
export_plugin!(caches: KeyValue, Shelf);
