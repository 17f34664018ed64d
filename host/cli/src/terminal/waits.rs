//! Waits that last, told on standard error.

use std::{thread, time::Duration};

use jackfield_store::waits::due_messages;

use super::terminal;

/// How often waits are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Tells of waits that last from now on.
pub(crate) fn report_waits() {
    let look = || {
        loop {
            thread::sleep(LOOK_EVERY);
            due_messages().into_iter().for_each(|message| terminal().say(message));
        }
    };
    // Without the thread, they are waited for all the same.
    let _ = thread::Builder::new().name("waits".to_owned()).spawn(look);
}
