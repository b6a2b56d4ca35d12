//! Lists that come in pages, newest first: a page says where the next one begins.

use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    caller::Caller,
    problem::{FieldProblem, Problem},
};
use crate::{model::Timestamp, store::owners::Page};

/// How many stand on a page unless it is said, and at most.
const ROWS: u32 = 25;
const ROWS_MAX: u32 = 100;

/// Which page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// The `next_cursor` of the page before; leave it out for the first page.
    #[param(max_length = 36, nullable = false)]
    pub cursor: Option<String>,
    /// At most so many; 25 unless it is said.
    #[param(minimum = 1, maximum = 100, nullable = false)]
    pub limit: Option<u32>,
}

/// The rows that are asked for.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) before: Option<Uuid>,
    rows_max: u32,
}

impl Part {
    /// What the query asks for.
    pub(super) fn asked_for(caller: &Caller<'_>) -> Result<Self, Problem> {
        let unreadable = |name: &str, problem: String| Problem::Unreadable(FieldProblem::new(name, problem));
        let before = caller.query("cursor", 36)?.map(|text| text.parse());
        let before = before.transpose().map_err(|_| unreadable("cursor", "it is no cursor of a list".to_owned()))?;
        let limit = caller.query("limit", 16)?.map_or(Some(ROWS), |text| text.parse().ok());
        let limit = limit.filter(|limit| (1..=ROWS_MAX).contains(limit));
        let rows_max = limit.ok_or_else(|| unreadable("limit", format!("write a number from 1 to {ROWS_MAX}")))?;
        Ok(Self { before, rows_max })
    }

    /// How many rows are read: one more than is shown tells whether another page follows.
    pub(super) fn rows_read(self) -> u32 {
        self.rows_max + 1
    }

    /// The same for the store, by rows of that kind.
    pub(super) fn page<K>(self, key: fn(Uuid) -> K) -> Page<K> {
        Page { before: self.before.map(key), rows_max: self.rows_read() }
    }

    /// Cuts the rows that were read to those that are shown, and answers where the next page begins.
    pub(super) fn cut<T>(self, rows: &mut Vec<T>, id: impl Fn(&T) -> Uuid) -> Option<String> {
        let has_more = rows.len() > self.rows_max as usize;
        rows.truncate(self.rows_max as usize);
        rows.last().filter(|_| has_more).map(|row| id(row).to_string())
    }
}

/// A time as RFC 3339 has it.
pub(super) fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
