//! The time of day, as a record can write it. The machine's clock may be set to anything.

use std::time::{Duration, SystemTime};

/// 9999-12-31T23:59:59Z, in seconds since 1970: what comes later has no four digits for its year.
const LAST_SECOND: u64 = 253_402_300_799;

/// The time now.
pub(crate) fn now() -> SystemTime {
    written(SystemTime::now())
}

/// The time itself, or the nearest that can be written: from 1970 to 9999.
#[must_use]
pub fn written(time: SystemTime) -> SystemTime {
    time.clamp(SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND))
}

/// The time now as the record writes it.
#[must_use]
pub fn timestamp() -> String {
    humantime::format_rfc3339_millis(now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_can_be_written() {
        let text = |time: SystemTime| humantime::format_rfc3339_seconds(written(time)).to_string();
        let (day, epoch) = (Duration::from_secs(86_400), SystemTime::UNIX_EPOCH);
        assert_eq!(text(epoch - day), "1970-01-01T00:00:00Z");
        assert_eq!(text(epoch + day), "1970-01-02T00:00:00Z");
        assert_eq!(text(epoch + day * 4_000_000), "9999-12-31T23:59:59Z");
    }
}
