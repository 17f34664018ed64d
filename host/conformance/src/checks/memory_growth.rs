//! Memory over time.

use std::time::{Duration, Instant};

use jackfield_loader::sandbox::size;

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, short},
    inputs::Sample,
};

/// Rounds: what grows in each of them does not stop growing.
const ROUNDS: usize = 5;
/// Instances of a round at least.
const FEWEST: usize = 3;
/// Growth that an allocator may show.
const ALLOWED: u64 = 4 << 20;

pub(crate) fn does_not_grow(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let Some(setup) = extension.setups.first() else { return Outcome::not_applicable("it does not open") };
    if resident().is_none() {
        return Outcome::not_applicable("this system does not say how much memory a process has");
    }
    let (times, longest) =
        if extension.settings.quick { (20, Duration::from_millis(500)) } else { (200, Duration::from_secs(3)) };
    let sample: Vec<Sample> = setup.samples.iter().take(1).cloned().collect();
    let turns = |count: usize| {
        for _ in 0..count {
            let instance = extension.open(&setup.config)?;
            let _ = extension.call(&instance, &sample);
        }
        Ok(())
    };
    let began = Instant::now();
    let warm_up = turns(FEWEST);
    // An extension that takes long to open is opened less often: a leak of its own shows all the same.
    let affordable = longest.as_secs_f64() / (began.elapsed().as_secs_f64() / FEWEST as f64).max(1e-9);
    let times = times.min(affordable as usize).max(FEWEST);
    let warm_up = warm_up.and_then(|()| turns(times / 4));
    let mut least = u64::MAX;
    for _ in 0..ROUNDS {
        let before = resident().unwrap_or_default();
        if let Err(failure) = warm_up.clone().and_then(|()| turns(times)) {
            return Outcome::from_findings(vec![Finding::new(
                "an instance at every opening",
                short(&failure),
                "release in the end what `open` takes",
            )]);
        }
        least = least.min(resident().unwrap_or_default().saturating_sub(before));
        if least <= ALLOWED {
            return Outcome::noted(format!("opened and closed {times} times"));
        }
    }
    Outcome::from_findings(vec![Finding::new(
        format!("no growth to speak of: less than {} for {times} instances", size(ALLOWED)),
        format!("{} more in each of {ROUNDS} rounds", size(least)),
        "release with an instance all that belongs to it: no leaks, no lists that only grow, no threads left behind",
    )])
}

/// Memory of this process, in bytes.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}
