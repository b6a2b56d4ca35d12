//! "Is it working?": attempts to connect as timelines, and what the doctor says.

use askama::Template;

use super::{super::super::assets, Badge, Frame, Pager, Section, times};
use crate::{
    doctor::{Check, State},
    http::pages::Layout,
    model::{
        attempt::{Attempt, Standing},
        flow::{FlowEvent, Outcome, Step},
    },
};

/// The latest attempts, and what the doctor says, `/console/plugins/{slug}/working`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/working.html")]
pub struct WorkingPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// As whom the doctor can look at it.
    pub callers: Vec<CallerChoice>,
    /// As which kind of caller an owner can try it out.
    pub kinds: Vec<CallerChoice>,
    /// Why the doctor did not look a moment ago.
    pub not_now: Option<String>,
    /// What the doctor found a moment ago.
    pub findings: Option<Findings>,
    /// Those that began last in front.
    pub attempts: Vec<AttemptLine>,
    /// What leads to the other pages.
    pub pager: Pager,
}

/// As whom it can be looked at.
#[derive(Debug, Clone)]
pub struct CallerChoice {
    /// Its name in the form.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// What the doctor found.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Where it looked.
    pub target: String,
    /// As whom.
    pub caller: String,
    /// What it looked at, the worst first.
    pub checks: Vec<Finding>,
    /// What it could not look at.
    pub left_out: Vec<String>,
}

/// One thing it looked at.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Its stable name.
    pub name: String,
    /// How it stands.
    pub badge: Badge,
    /// What was seen.
    pub says: String,
    /// What to do about it.
    pub cure: Option<String>,
}

impl Findings {
    /// What the doctor says, with the worst in front and one area beside another within it.
    pub fn of(target: &str, caller: &str, mut checks: Vec<Check>) -> Self {
        checks.sort_by_key(|check| check.state);
        let (left_out, looked): (Vec<_>, Vec<_>) = checks.into_iter().partition(|it| it.state == State::LeftOut);
        Self {
            target: target.to_owned(),
            caller: caller.to_owned(),
            checks: looked.into_iter().map(Finding::from).collect(),
            left_out: left_out.into_iter().map(|check| check.says).collect(),
        }
    }

    /// How many stand so.
    fn count(&self, class: &str) -> usize {
        self.checks.iter().filter(|check| check.badge.class == class).count()
    }
}

impl From<Check> for Finding {
    fn from(check: Check) -> Self {
        let (class, word) = match check.state {
            State::Wrong => ("bad", "Wrong"),
            State::Warning => ("warn", "To think about"),
            State::Ok | State::LeftOut => ("good", "Right"),
        };
        Self { name: check.name.to_owned(), badge: Badge { class, word }, says: check.says, cure: check.cure }
    }
}

/// An attempt in the list.
#[derive(Debug, Clone)]
pub struct AttemptLine {
    /// Its id, which its own page has too.
    pub id: String,
    /// Who attempted it.
    pub client: String,
    /// What the one in front of the API calls itself.
    pub user_agent: String,
    /// When it began.
    pub began_at: String,
    /// How it stands.
    pub badge: Badge,
    /// What was said last.
    pub says: String,
    /// Its steps, and how each ended.
    pub steps: Vec<StepMark>,
}

/// A step in a word.
#[derive(Debug, Clone)]
pub struct StepMark {
    /// The step.
    pub words: &'static str,
    /// How it ended.
    pub badge: Badge,
}

impl AttemptLine {
    /// A line that calls the client by this name.
    pub fn of(attempt: &Attempt, client: String) -> Self {
        let last = attempt.events.last();
        let user_agent = attempt.events.iter().find_map(|event| event.user_agent.clone());
        Self {
            id: attempt.id.to_string(),
            client,
            user_agent: user_agent.map(shortened).unwrap_or_default(),
            began_at: times::second(attempt.id.began_at()),
            badge: attempt.standing().into(),
            says: last.map(|event| event.says.clone()).unwrap_or_default(),
            steps: attempt.events.iter().map(StepMark::from).collect(),
        }
    }
}

/// The longest name that a caller gives itself in the list, in characters.
const AGENT_SHOWN: usize = 40;

/// A browser's whole name is longer than what is said of it, and stands on the attempt's own page.
fn shortened(mut agent: String) -> String {
    if let Some((end, _)) = agent.char_indices().nth(AGENT_SHOWN) {
        agent.truncate(end);
        agent.push('…');
    }
    agent
}

impl From<&FlowEvent> for StepMark {
    fn from(event: &FlowEvent) -> Self {
        Self { words: words(event.step), badge: event.outcome.into() }
    }
}

/// One attempt from its first step to its last, `/console/plugins/{slug}/working/{flow}`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/attempt.html")]
pub struct AttemptPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// The flow's id, which the log has too.
    pub id: String,
    /// Who attempted it.
    pub client: String,
    /// For what.
    pub resource: String,
    /// How it stands.
    pub badge: Badge,
    /// What that means.
    pub meaning: &'static str,
    /// Documents that were read shortly before, perhaps for another attempt.
    pub before: Vec<EventLine>,
    /// What happened.
    pub events: Vec<EventLine>,
    /// Whether more happened than is shown.
    pub has_more: bool,
}

/// What happened at one step.
#[derive(Debug, Clone)]
pub struct EventLine {
    /// When.
    pub at: String,
    /// The step.
    pub step: &'static str,
    /// How it ended.
    pub badge: Badge,
    /// The sentence.
    pub says: String,
    /// Who did it, from where; and the answer's id in the log.
    pub by: String,
}

impl From<&FlowEvent> for EventLine {
    fn from(event: &FlowEvent) -> Self {
        let by =
            event.user_agent.as_deref().map_or("It did not say what it is".to_owned(), |agent| format!("“{agent}”"));
        let from = event.address.as_ref().map_or(String::new(), |address| format!(", from {address}"));
        Self {
            at: times::second(event.at),
            step: words(event.step),
            badge: event.outcome.into(),
            says: event.says.clone(),
            by: format!("{by}{from}; request {}", event.request_id),
        }
    }
}

impl From<Standing> for Badge {
    fn from(standing: Standing) -> Self {
        let (class, word) = match standing {
            Standing::Refused => ("bad", "Refused"),
            Standing::Failed => ("bad", "Failed here"),
            Standing::Connected => ("good", "Connected"),
            Standing::Ended => ("waiting", "Ended"),
            Standing::Registered => ("waiting", "Registered"),
            Standing::Stopped => ("waiting", "Stopped"),
        };
        Self { class, word }
    }
}

impl From<Outcome> for Badge {
    fn from(outcome: Outcome) -> Self {
        let (class, word) = match outcome {
            Outcome::Done => ("good", "Done"),
            Outcome::Refused => ("bad", "Refused"),
            Outcome::Failed => ("bad", "Failed here"),
        };
        Self { class, word }
    }
}

/// A step as people call it.
fn words(step: Step) -> &'static str {
    match step {
        Step::Discovery => "Look-up",
        Step::Registration => "Registration",
        Step::Authorization => "Request",
        Step::SignIn => "Sign-in",
        Step::Consent => "Answer",
        Step::Code => "Sent back",
        Step::Token => "Tokens",
        Step::Introspection => "First API call",
        Step::Refresh => "Renewal",
        Step::Revocation => "Revocation",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first_and_what_was_not_looked_at_is_apart() {
        let checks = vec![
            Check::ok("a.ok", "x"),
            Check::left_out("a.left", "z: no account"),
            Check::wrong("b.wrong", "x", "y"),
            Check::warning("a.warning", "x", "y"),
        ];
        let findings = Findings::of("https://a.example/", "A caller", checks);
        let names: Vec<_> = findings.checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["b.wrong", "a.warning", "a.ok"]);
        assert_eq!(findings.left_out, ["z: no account"]);
        assert_eq!((findings.count("bad"), findings.count("warn"), findings.count("good")), (1, 1, 1));
    }
}
