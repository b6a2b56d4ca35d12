//! Charts: bars over time, drawn as SVG that a page holds among its own elements.
//!
//! Nothing in it has a colour: what is drawn says by its class what it is (`one`, `two`, `grid`, `axis`, `label`), and
//! the stylesheet does the rest, so that a strict policy holds and dark is dark. Text stays text.

use std::ops::Range;

use askama::Template;
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

/// The drawing is finer than it is shown: its numbers are whole, and a bar may be two and a half pixels wide.
const FINE: u32 = 3;
const WIDTH: u32 = 360 * FINE;
const HEIGHT: u32 = 200 * FINE;
const TEXT: u32 = 17 * FINE;

/// What the drawing library paints with, and what stands there in the end. No two are the same, and nothing else is
/// painted.
const CLASSES: [(RGBColor, &str); 5] = [(ONE, "one"), (TWO, "two"), (GRID, "grid"), (AXIS, "axis"), (LABEL, "label")];
const ONE: RGBColor = RGBColor(1, 0, 0);
const TWO: RGBColor = RGBColor(2, 0, 0);
const GRID: RGBColor = RGBColor(3, 0, 0);
const AXIS: RGBColor = RGBColor(4, 0, 0);
const LABEL: RGBColor = RGBColor(5, 0, 0);

/// One or two counts for each part of a time.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// What its parts are called in the page; no two charts of one page share it.
    pub id: &'static str,
    /// What it shows, for whoever does not see it.
    pub title: &'a str,
    /// The same in a sentence or two.
    pub says: &'a str,
    /// What each part of the time is called, in order.
    pub parts: &'a [String],
    /// The counts, each as long as `parts`; nothing is drawn where there is none.
    pub bars: Vec<Vec<Option<i64>>>,
}

#[derive(Template)]
#[template(path = "chart.html")]
struct Framed<'a> {
    chart: &'a Chart<'a>,
    width: u32,
    height: u32,
    drawn: String,
}

/// Why a chart could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a chart cannot be drawn: {0}")]
pub struct ChartError(String);

impl Chart<'_> {
    /// The whole element.
    pub fn svg(&self) -> Result<String, ChartError> {
        let mut drawn = String::new();
        let root = SVGBackend::with_string(&mut drawn, (WIDTH, HEIGHT)).into_drawing_area();
        self.draw(&root)?;
        root.present().map_err(told)?;
        drop(root);
        let framed = Framed { chart: self, width: WIDTH, height: HEIGHT, drawn: classed(&drawn) };
        framed.render().map_err(told)
    }

    fn draw(&self, root: &DrawingArea<SVGBackend, Shift>) -> Result<(), ChartError> {
        let label = || ("sans-serif", TEXT).into_font().color(&LABEL);
        let mut builder = ChartBuilder::on(root);
        builder.margin(2 * FINE).margin_top(8 * FINE).margin_right(12 * FINE);
        builder.x_label_area_size(26 * FINE).y_label_area_size(self.room_for_labels());
        // A part lies around its number, so that its label stands below its middle.
        let mut context =
            builder.build_cartesian_2d(-0.5..f64::from(self.count()) - 0.5, self.height()).map_err(told)?;
        context
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID.stroke_width(FINE))
            .axis_style(AXIS.stroke_width(FINE))
            .set_all_tick_mark_size(5 * FINE)
            .x_labels(7)
            .x_label_formatter(&|at| self.part(*at))
            .x_label_style(label().pos(Pos::new(HPos::Center, VPos::Top)))
            .y_labels(5)
            .y_label_formatter(&|count| shortened(*count))
            .y_label_style(label())
            .draw()
            .map_err(told)?;
        let width = 0.8 / f64::from(u32::try_from(self.bars.len()).unwrap_or(1).max(1));
        for ((from, bars), colour) in (0..).map(|bar| f64::from(bar) * width - 0.4).zip(&self.bars).zip([ONE, TWO]) {
            let drawn = (0..).map(f64::from).zip(bars).filter_map(|(part, count)| Some((part, (*count)?)));
            let drawn = drawn
                .filter(|(_, count)| *count > 0)
                .map(|(part, count)| Rectangle::new([(part + from, 0), (part + from + width, count)], colour.filled()));
            context.draw_series(drawn).map_err(told)?;
        }
        Ok(())
    }

    fn count(&self) -> u32 {
        u32::try_from(self.parts.len()).unwrap_or(u32::MAX).max(1)
    }

    fn highest(&self) -> i64 {
        self.bars.iter().flatten().flatten().copied().max().unwrap_or(0)
    }

    /// Little above the highest bar, and never so low that there would be halves of something to count.
    fn height(&self) -> Range<i64> {
        let highest = self.highest().clamp(4, i64::MAX / 4);
        0..highest + highest / 20
    }

    fn room_for_labels(&self) -> u32 {
        let longest = shortened(self.highest()).chars().count().max(2);
        u32::try_from(longest).unwrap_or(0) * TEXT * 6 / 10 + 9 * FINE
    }

    /// The label of the part whose number this is; there is none between two.
    fn part(&self, at: f64) -> String {
        let whole = |(number, _): &(u32, &String)| (f64::from(*number) - at).abs() < 0.001;
        (0..).zip(self.parts).find(whole).map(|(_, part)| part.clone()).unwrap_or_default()
    }
}

/// Large numbers, as a label has room for them.
fn shortened(count: i64) -> String {
    match count {
        10_000_000.. => format!("{}M", count / 1_000_000),
        10_000.. => format!("{}k", count / 1_000),
        _ => count.to_string(),
    }
}

/// What the library drew, without the element around it, and with classes where there were colours. A text cannot hold
/// what is looked for here: its quotation marks are escaped.
fn classed(drawn: &str) -> String {
    let inside = drawn.split_once(">\n").map_or("", |(_, inside)| inside);
    let mut inside = inside.trim_end().trim_end_matches("</svg>").to_owned();
    for (RGBColor(r, g, b), class) in CLASSES {
        for attribute in ["fill", "stroke"] {
            let colour = format!("{attribute}=\"#{r:02X}{g:02X}{b:02X}\"");
            inside = inside.replace(&colour, &format!("class=\"{class}\""));
        }
    }
    for said in [" opacity=\"1\"", " stroke=\"none\"", " font-family=\"sans-serif\""] {
        inside = inside.replace(said, "");
    }
    inside
}

fn told(error: impl std::fmt::Display) -> ChartError {
    ChartError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(bars: Vec<Vec<Option<i64>>>) -> String {
        let parts: Vec<String> = (0..bars.first().map_or(0, Vec::len)).map(|part| format!("p{part}")).collect();
        Chart { id: "c", title: "<b>", says: "a & \"b\"", parts: &parts, bars }.svg().unwrap()
    }

    fn bars(svg: &str, class: &str) -> usize {
        svg.matches("<rect").count().min(svg.matches(&format!("class=\"{class}\"")).count())
    }

    #[test]
    fn a_bar_stands_for_each_count_and_none_for_nothing() {
        let svg = chart(vec![vec![Some(1), Some(0), None, Some(1)], vec![None, Some(3), Some(1), Some(2)]]);
        assert_eq!((bars(&svg, "one"), bars(&svg, "two"), svg.matches("<rect").count()), (2, 3, 5), "{svg}");
        assert!(svg.contains(">\n1\n</text>") && svg.contains(">\np3\n</text>"), "{svg}");
        assert!(svg.starts_with("<svg class=\"chart\"") && svg.trim_end().ends_with("</svg>"), "{svg}");
        assert_eq!((svg.matches("<svg").count(), svg.matches("</svg>").count()), (1, 1));
    }

    #[test]
    fn colours_are_the_stylesheets_and_strangers_words_are_text() {
        let parts = ["<script>\" fill=\"#010000\"".to_owned()];
        let chart = Chart { id: "c", title: "<b>", says: "a & \"b\"", parts: &parts, bars: vec![vec![Some(5)]] };
        let svg = chart.svg().unwrap();
        for colour in ["fill=\"#", "stroke=\"#", "style="] {
            assert!(!svg.contains(colour), "{colour} in {svg}");
        }
        assert!(!svg.contains("<script>") && !svg.contains("<b>") && svg.contains("&lt;script&gt;"), "{svg}");
        assert_eq!(svg.matches("class=\"one\"").count(), 1, "{svg}");
    }

    #[test]
    fn nothing_one_and_very_much_are_drawn() {
        for bars in [vec![], vec![vec![]], vec![vec![None; 30]], vec![vec![Some(0); 24]; 2], vec![vec![Some(1)]]] {
            assert!(chart(bars).contains("class=\"axis\""));
        }
        let svg = chart(vec![vec![Some(i64::MAX), Some(i64::MAX / 2), Some(-5)]]);
        assert!(svg.contains("M\n</text>"), "{svg}");
        for (count, told) in [(9_999, "9999"), (10_000, "10k"), (12_345_678, "12M")] {
            assert_eq!(shortened(count), told);
        }
    }
}
