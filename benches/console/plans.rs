//! The plans by which Postgres answered: `auto_explain` sends each one to whoever asked, and the server logs it.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::ChildStderr,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Has every session of this database explain what it does, from the next one on.
pub const EXPLAIN: &str = "
    do $$
    declare
        setting text;
    begin
        foreach setting in array array[
            'session_preload_libraries = auto_explain', 'auto_explain.log_min_duration = 0',
            'auto_explain.log_analyze = on', 'auto_explain.log_timing = off', 'auto_explain.log_level = notice'
        ] loop
            execute format('alter database %I set ', current_database()) || setting;
        end loop;
    end $$";

/// What one statement did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plan {
    /// What was asked.
    pub query: String,
    /// How it was answered, one step in each line, without what differs from one time to the next.
    pub steps: String,
    /// How many rows its scans have looked at, also those that were passed over.
    pub rows: u64,
}

/// The plans since they were last taken.
#[derive(Clone, Default)]
pub struct Plans(Arc<Mutex<Vec<Plan>>>);

impl Plans {
    /// Reads them from the server's log until that ends; what else stands there is passed on.
    #[expect(clippy::print_stderr, reason = "a load program shows what went wrong")]
    pub fn follow(log: ChildStderr) -> Self {
        let plans = Self::default();
        let gathered = plans.clone();
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                let message = said["message"].as_str().unwrap_or_default();
                match message.split_once("plan:\n").and_then(|(_, plan)| read(plan)) {
                    Some(plan) => gathered.0.lock().unwrap_or_else(PoisonError::into_inner).push(plan),
                    None => eprintln!("{line}"),
                }
            }
        });
        plans
    }

    /// Takes what there is.
    pub fn take(&self) -> BTreeSet<Plan> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

/// `Query Text: …` over several lines, then the steps, each with `(actual rows=… loops=…)`.
fn read(plan: &str) -> Option<Plan> {
    let text = plan.strip_prefix("Query Text: ")?;
    let begins = text.lines().position(|line| line.contains("  (cost="))?;
    let query: Vec<&str> = text.lines().take(begins).map(str::trim).collect();
    let (mut rows, mut loops, mut steps) = (0, 1, Vec::new());
    for line in text.lines().skip(begins) {
        let step = line.split("  (cost=").next().unwrap_or_default();
        if let Some((_, actual)) = line.split_once("(actual rows=") {
            let mut numbers = actual.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
            let found: u64 = numbers.next()?;
            loops = numbers.next()?;
            let scans = step.contains("Scan") && !step.contains("Bitmap Index Scan");
            rows += if scans { found * loops } else { 0 };
            steps.push(format!("{step}  ({found} rows, {loops} times)"));
        } else {
            let passed_over = step.trim_start().strip_prefix("Rows Removed by Filter: ");
            rows += passed_over.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * loops;
            steps.push(step.to_owned());
        }
    }
    Some(Plan { query: query.join(" "), steps: steps.join("\n"), rows })
}
