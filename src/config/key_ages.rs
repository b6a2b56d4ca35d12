//! How long working keys are published, used and kept: `jwks_max_age`, `signing_key_age`, `working_key_age`; all in seconds.

use super::{
    lifetimes::{Lifetimes, YEAR, seconds, unless_zero},
    reader::Reader,
};
use crate::model::key_timetable::KeyTimetable;

/// A key that is replaced more often than hourly is a slip of the pen, and every one of them is kept.
const AGE_MIN: u32 = 3600;

pub(super) fn read(reader: &mut Reader<'_>, lifetimes: Option<&Lifetimes>) -> Option<KeyTimetable> {
    let jwks_max_age = reader.number("jwks_max_age", 1..=86_400);
    let signing = age(reader, "signing_key_age");
    let working = age(reader, "working_key_age");
    if let (Some(kept), Some(age)) = (jwks_max_age, signing)
        && (1..=kept).contains(&age)
    {
        let cure = format!("write more than {kept}, which is jwks_max_age, or 0");
        reader.mistake("signing_key_age", "a key would be replaced before everybody has fetched it", cure);
    }
    Some(KeyTimetable {
        jwks_max_age: seconds(jwks_max_age?),
        signing_key_age: unless_zero(signing?),
        working_key_age: unless_zero(working?),
        refresh_absolute: lifetimes?.refresh_absolute,
    })
}

/// How old a key becomes; zero for one that the server does not replace by itself.
fn age(reader: &mut Reader<'_>, key: &str) -> Option<u32> {
    let age = reader.number(key, 0..=10 * YEAR)?;
    if (1..AGE_MIN).contains(&age) {
        reader.mistake(key, "keys would be replaced all the time", format!("write at least {AGE_MIN}, or 0"));
    }
    Some(age)
}
