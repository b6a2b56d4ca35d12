//! The numbers of a plugin: charts over a day, a month or a year, and the same as a table. A part of a page.
//!
//! Two readings, whatever the use: `model::counts` puts rows into places, `charts` draws.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::entry::{Entry, visit};
use crate::{
    charts::{Chart, ChartError},
    http::{
        failure::{Fault, PageError},
        pages::{
            self,
            console::{NumbersPage, Section},
        },
    },
    model::{
        Timestamp,
        counts::{Grain, Numbers, Period, Slot},
        id::PluginId,
    },
    server::Server,
    store::counts::Connected,
};

/// The part of the page.
#[derive(Clone, Debug, Template)]
#[template(path = "console/numbers.html")]
pub struct NumbersView {
    /// The periods to choose from; each leads to the page it stands on, by its query alone.
    pub periods: Vec<Choice>,
    /// What there is altogether, each with its name.
    pub totals: Vec<(&'static str, String)>,
    /// The charts.
    pub figures: Vec<Figure>,
    /// The same, for each part of the period, the newest first.
    pub rows: Vec<[String; 6]>,
    /// Why something was refused: the word, a sentence, and how often; the commonest first.
    pub refusals: Vec<(&'static str, &'static str, String)>,
}

/// A period to choose.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Its word in the query `over`.
    pub word: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Whether it is what is shown.
    pub is_shown: bool,
}

/// A chart and what its bars are.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it shows.
    pub title: &'static str,
    /// The class of each kind of bar, and its name.
    pub kinds: Vec<(&'static str, &'static str)>,
    /// The drawing.
    pub svg: String,
}

/// `/console/plugins/{slug}/numbers`: the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let query = entry.query()?;
        let over = query.one("over", 16).map_err(PageError::Incomplete)?;
        // A word that is none is somebody's typing mistake, and shows what they would see without it.
        let period = over.and_then(|word| word.parse().ok()).unwrap_or(Period::Day);
        let view = look(entry.server, plugin.id, period).await?;
        let page = NumbersPage {
            layout: entry.layout(),
            frame: entry.frame(Some((&plugin, Section::Numbers)))?,
            numbers: pages::render(&view)?,
        };
        entry.answer(HttpResponse::Ok(), &page)
    };
    visit(&server, &request, show).await
}

/// The numbers of a plugin, as they are now.
pub async fn look(server: &Server, plugin_id: PluginId, period: Period) -> Result<NumbersView, Fault> {
    let now = server.clock.now();
    let from = period.starts(now).first().copied().unwrap_or(now);
    let rows = server.store.counts(plugin_id, period.grain(), from).await?;
    let connected = server.store.connected(plugin_id).await?;
    Ok(view(&Numbers::of(period, now, &rows), connected)?)
}

/// Numbers as they are shown.
pub fn view(numbers: &Numbers, connected: Option<Connected>) -> Result<NumbersView, ChartError> {
    let grain = numbers.period.grain();
    let now = |of: fn(Connected) -> i64| grouped(connected.map_or(0, of));
    let total = |of: fn(&Slot) -> i64| grouped(numbers.total(of));
    let row = |slot: &Slot| {
        let people = slot.people.map_or_else(|| "–".to_owned(), grouped);
        let [gained, lost] = [slot.gained, slot.lost].map(grouped);
        let [requests, refused] = [slot.token_requests, slot.refused].map(grouped);
        [named(grain, slot.starts_at), people, gained, lost, requests, refused]
    };
    Ok(NumbersView {
        periods: Period::ALL
            .map(|it| Choice { word: it.as_str(), name: name(it), is_shown: it == numbers.period })
            .to_vec(),
        totals: vec![
            ("People now", now(|connected| connected.people)),
            ("Connections now", now(|connected| connected.connections)),
            ("New connections", total(|slot| slot.gained)),
            ("Lost connections", total(|slot| slot.lost)),
            ("Token requests", total(|slot| slot.token_requests)),
            ("Refused", total(|slot| slot.refused)),
        ],
        figures: figures(numbers)?,
        rows: numbers.slots.iter().rev().map(row).collect(),
        refusals: numbers.refusals.iter().map(|(it, count)| (it.as_str(), it.says(), grouped(*count))).collect(),
    })
}

/// What is drawn: the name of one kind of bars, and how high they are.
type Bars = (&'static str, fn(&Slot) -> Option<i64>);

fn figures(numbers: &Numbers) -> Result<Vec<Figure>, ChartError> {
    let people: [Bars; 1] = [("Connected people", |slot| slot.people)];
    let connections: [Bars; 2] =
        [("New connections", |slot| Some(slot.gained)), ("Lost connections", |slot| Some(slot.lost))];
    let requests: [Bars; 2] =
        [("Token requests", |slot| Some(slot.token_requests)), ("Refused", |slot| Some(slot.refused))];
    Ok(vec![
        figure(numbers, ("people-chart", "Connected people"), &people)?,
        figure(numbers, ("connections-chart", "New and lost connections"), &connections)?,
        figure(numbers, ("requests-chart", "Token requests, and what was refused"), &requests)?,
    ])
}

fn figure(numbers: &Numbers, (id, title): (&'static str, &'static str), bars: &[Bars]) -> Result<Figure, ChartError> {
    let grain = numbers.period.grain();
    let parts: Vec<String> = numbers.slots.iter().map(|slot| labelled(grain, slot.starts_at)).collect();
    let highest = |(name, of): &Bars| match numbers
        .slots
        .iter()
        .filter_map(|slot| Some((of(slot)?, slot)))
        .max_by_key(|(count, _)| *count)
    {
        Some((count @ 1.., slot)) => format!("{name}: {} at most, {}.", grouped(count), named(grain, slot.starts_at)),
        _ => format!("{name}: none."),
    };
    let says = format!("{} {}", spoken(numbers.period), bars.iter().map(highest).collect::<Vec<_>>().join(" "));
    let chart = Chart {
        id,
        title,
        says: &says,
        parts: &parts,
        bars: bars.iter().map(|(_, of)| numbers.slots.iter().map(of).collect()).collect(),
    };
    let kinds = ["one", "two"].into_iter().zip(bars.iter().map(|(name, _)| *name)).collect();
    Ok(Figure { title, kinds, svg: chart.svg()? })
}

fn name(period: Period) -> &'static str {
    match period {
        Period::Day => "24 hours",
        Period::Month => "30 days",
        Period::Year => "12 months",
    }
}

fn spoken(period: Period) -> &'static str {
    match period {
        Period::Day => "The last 24 hours, hour by hour.",
        Period::Month => "The last 30 days, day by day.",
        Period::Year => "The last 12 months, month by month.",
    }
}

/// A part of a period, in a line of its own.
fn named(grain: Grain, starts_at: Timestamp) -> String {
    let shape = match grain {
        Grain::Hour => "%-d %b, %H:%M",
        Grain::Day => "%-d %B %Y",
        Grain::Month => "%B %Y",
    };
    starts_at.format(shape).to_string()
}

/// The same below a bar.
fn labelled(grain: Grain, starts_at: Timestamp) -> String {
    let shape = match grain {
        Grain::Hour => "%H:%M",
        Grain::Day => "%-d %b",
        Grain::Month => "%b",
    };
    starts_at.format(shape).to_string()
}

/// With a thin space between thousands.
fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut grouped = if count < 0 { "−".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::counts::{Count, Counted, Refusal};

    fn numbers(period: Period) -> Numbers {
        let now: Timestamp = "2027-03-04T05:06:07Z".parse().unwrap();
        let row = |what, count| Count { starts_at: period.grain().start(now), what, count };
        let rows = [row(Counted::People, 12), row(Counted::Gained, 3), row(Counted::Refused(Refusal::RedirectUri), 2)];
        Numbers::of(period, now, &rows)
    }

    #[test]
    fn the_table_says_what_the_charts_show() {
        let connected =
            Connected { counted_at: "2027-03-04T05:05:00Z".parse().unwrap(), people: 1_234_567, connections: 8 };
        for (period, rows, newest) in
            [(Period::Day, 24, "4 Mar, 05:00"), (Period::Month, 30, "4 March 2027"), (Period::Year, 12, "March 2027")]
        {
            let view = view(&numbers(period), Some(connected)).unwrap();
            assert_eq!(view.rows.len(), rows);
            assert_eq!(view.rows[0], [newest, "12", "3", "0", "0", "2"].map(str::to_owned));
            assert_eq!(view.rows[1][1], "–", "nobody looked");
            assert_eq!(view.totals[0].1, "1\u{202f}234\u{202f}567");
            assert_eq!(view.refusals.len(), 1);
            let html = view.render().unwrap();
            let told = format!("Connected people: 12 at most, {newest}.");
            for part in [told.as_str(), "redirect_uri", "?over=month", "aria-current"] {
                assert!(html.contains(part), "{part} in {html}");
            }
            assert!(!html.contains(" style="), "nothing that the policy forbids");
        }
    }

    #[test]
    fn a_plugin_nobody_uses_has_empty_charts() {
        let view = view(&Numbers::of(Period::Day, "2027-03-04T05:06:07Z".parse().unwrap(), &[]), None).unwrap();
        assert_eq!(view.totals[0].1, "0");
        let html = view.render().unwrap();
        assert!(html.contains("Connected people: none.") && !html.contains("class=\"one\""), "{html}");
    }
}
