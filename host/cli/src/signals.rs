//! Signals that ask to stop: Ctrl-C, SIGTERM and SIGHUP, which all mean the same.

use std::{thread, time::Duration};

use jackfield_loader::waits::waiting;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::terminal::terminal;

/// How long an abort may take, before the process ends as it is.
const LONGEST_ABORT: Duration = Duration::from_secs(10);

/// Calls for every signal that asks to stop: of a run, the first drains and the second aborts. A third ends the process
/// whatever it does, and so does the second after a while.
pub(super) fn on_signal(call: impl Fn() + Send + 'static) {
    // Without this, a signal ends the process as ever, and the run can be resumed.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    let signals = {
        let _within = runtime.enter();
        Signals::listen()
    };
    let Ok(mut signals) = signals else { return };
    let listen = move || {
        runtime.block_on(async {
            // From the first signal to the end of the process.
            let mut _under_way = None;
            for times in 1_u64.. {
                signals.next().await;
                match times {
                    1 => {
                        call();
                        _under_way = Some(waiting("what is under way to end: a second signal leaves it to the resume"));
                    }
                    2 => {
                        call();
                        let wait = || {
                            thread::sleep(LONGEST_ABORT);
                            leave();
                        };
                        let _ = thread::Builder::new().name("abort".to_owned()).spawn(wait);
                    }
                    _ => leave(),
                }
            }
        });
    };
    let _ = thread::Builder::new().name("signals".to_owned()).spawn(listen);
}

/// Ends the process at once. What is on the record stays there.
pub(super) fn leave() -> ! {
    terminal().say("interrupted");
    std::process::exit(super::exit::INTERRUPTED);
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Option<Signal>,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let hang_up = SignalKind::hangup();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            // Whoever starts the program with `nohup` wants it to outlive the terminal.
            hang_up: if is_ignored(hang_up.as_raw_value()) { None } else { Some(signal(hang_up)?) },
        })
    }

    async fn next(&mut self) {
        let hung_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hung_up => {}
        }
    }
}

/// Whether the process was started with a signal ignored, where the system tells.
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, signal))
}

fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::ignores;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status =
            "Name:\tjackfield\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000001\n";
        assert!(ignores(status, 1) && ignores(status, 13));
        assert!(!ignores(status, 2) && !ignores(status, 15));
        assert!(!ignores("Name:\tjackfield\n", 1));
    }
}
