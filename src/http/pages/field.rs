//! A field to be typed in, as `field.html` shows it: with its rule beside it, and what is wrong. Its words are messages where
//! a page speaks several languages (`settings`), and plain where it does not (`console`).

/// A field.
#[derive(Debug, Clone)]
pub struct Field<'a, W> {
    /// What is unique to it on the page.
    pub id: &'static str,
    /// Its name in the form.
    pub name: &'static str,
    /// Its kind of input.
    pub kind: &'static str,
    /// What a browser may fill in.
    pub autocomplete: &'static str,
    /// The most characters.
    pub length_max: u32,
    /// What it is called.
    pub label: W,
    /// What says that it may be left empty; none where it must be filled in.
    pub optional: Option<W>,
    /// What helps to fill it in.
    pub hint: Option<W>,
    /// What stands in it.
    pub value: &'a str,
    /// What is wrong with it.
    pub wrong: Vec<W>,
    /// Whether typing goes on here: the only one of the page that is at fault.
    pub takes_focus: bool,
}

impl<W> Field<'_, W> {
    /// An empty one that must be filled in, of that kind of input and with at most so many characters.
    pub fn new(name: &'static str, label: W, (kind, length_max): (&'static str, u32)) -> Self {
        Self {
            id: name,
            name,
            kind,
            autocomplete: "off",
            length_max,
            label,
            optional: None,
            hint: None,
            value: "",
            wrong: Vec::new(),
            takes_focus: false,
        }
    }

    /// What describes it: the ids of its hint and of its mistakes.
    pub(super) fn described_by(&self) -> String {
        let parts = [("hint", self.hint.is_some()), ("wrong", !self.wrong.is_empty())];
        let there = parts.iter().filter(|(_, is_there)| *is_there);
        there.map(|(part, _)| format!("{}-{part}", self.id)).collect::<Vec<_>>().join(" ")
    }
}
