//! Passwords: `password_length_min`, and what hashing one costs: `password_memory`, `password_passes`.

use super::reader::Reader;
use crate::passwords::{MEMORY_KIB_MIN, PASSES_MIN, Settings, rules::LENGTH_MIN_LOWEST};

/// With more a few sign-ins at a time would fill a machine.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;

/// Longer ones people do not remember, and programs have no need to be told.
const LENGTH_MIN_HIGHEST: u32 = 64;

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Settings> {
    let memory_kib = reader.number("password_memory", MEMORY_KIB_MIN..=MEMORY_KIB_MAX);
    let passes = reader.number("password_passes", PASSES_MIN..=PASSES_MAX);
    let lowest = u32::try_from(LENGTH_MIN_LOWEST).unwrap_or(LENGTH_MIN_HIGHEST);
    let length_min = reader.number("password_length_min", lowest..=LENGTH_MIN_HIGHEST);
    Some(Settings { memory_kib: memory_kib?, passes: passes?, length_min: length_min?.try_into().ok()? })
}
