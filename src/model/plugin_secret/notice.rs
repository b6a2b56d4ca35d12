//! When owners are told that an API key wants a new version: some time before it is due, and once it is late.

use chrono::TimeDelta;

use crate::model::Timestamp;

/// How long before it is due its owners are told at most.
pub const LEAD_MAX: TimeDelta = TimeDelta::days(14);

/// How long the server that makes new versions itself may be late with one before anybody is told.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// What its owners are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is due soon.
    Soon,
    /// It is late.
    Overdue,
}

/// What owners are to be told now of a key that is due at a time, and every so often; nothing where they know it.
/// `is_rotated` says that the server makes the versions: then there is nothing for them to do beforehand.
pub fn notice(
    (due_at, every): (Timestamp, TimeDelta),
    is_rotated: bool,
    told_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Notice> {
    let late_at = if is_rotated { due_at + PATIENCE } else { due_at };
    if late_at <= now {
        return told_at.is_none_or(|told| told < due_at).then_some(Notice::Overdue);
    }
    let lead = LEAD_MAX.min(every / 4);
    (!is_rotated && due_at - lead <= now && told_at.is_none()).then_some(Notice::Soon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_once_before_and_once_when_it_is_late() {
        let at = |day: i64| Timestamp::UNIX_EPOCH + TimeDelta::days(day);
        let told = |is_rotated, told_at: Option<i64>, now| {
            notice((at(90), TimeDelta::days(90)), is_rotated, told_at.map(at), at(now))
        };
        assert_eq!((told(false, None, 75), told(false, None, 76)), (None, Some(Notice::Soon)));
        assert_eq!((told(false, Some(76), 80), told(false, Some(76), 90)), (None, Some(Notice::Overdue)));
        assert_eq!(told(false, Some(90), 200), None);
        assert_eq!(told(false, None, 200), Some(Notice::Overdue), "nobody looked for a while");
        assert_eq!(
            (told(true, None, 80), told(true, None, 90), told(true, None, 91)),
            (None, None, Some(Notice::Overdue))
        );
        // What is due every four days is told of a day before.
        let often = |now| notice((at(90), TimeDelta::days(4)), false, None, at(now));
        assert_eq!((often(88), often(89)), (None, Some(Notice::Soon)));
    }
}
