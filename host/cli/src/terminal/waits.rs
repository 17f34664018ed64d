//! Reports waits that take long on standard error.

use std::{thread, time::Duration};

use jackfield_loader::waits::due_messages;

use super::terminal;

/// How often the program checks for waits that have become long.
const CHECK_EVERY: Duration = Duration::from_millis(500);

/// Reports long waits from now on.
pub(crate) fn report_waits() {
    let check = || {
        loop {
            thread::sleep(CHECK_EVERY);
            due_messages().into_iter().for_each(|message| terminal().say(message));
        }
    };
    // If the thread cannot be started, the waits are only not reported.
    let _ = thread::Builder::new().name("waits".to_owned()).spawn(check);
}
