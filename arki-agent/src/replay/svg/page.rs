//! Writes SVG: shapes with classes, and text that is always escaped.

use std::fmt::Write;

/// A place on the page, in pixels.
pub(super) type Point = (f64, f64);

/// Colours by class. The plain rules are for light ground; a viewer that knows that its ground is dark takes those
/// of the media query. The palette keeps 4.5:1 for text on both (WCAG 2.2, 1.4.3) and tells its lines apart
/// by width and dash as well, for who does not see the colours.
const STYLE: &str = "\
svg{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\
.ground{fill:#fff}text{fill:#24292f;font-size:14px}\
.host{font-size:20px;font-weight:700}.series{font-weight:400;fill:#57606a}.strong{font-weight:600}\
.label{font-size:12px;fill:#57606a}.mark{font-weight:700}.yes{fill:#0a7d43}.no{fill:#6e7781}\
.grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#8c959f;stroke-width:1}\
.now{stroke:#57606a;stroke-width:1;stroke-dasharray:2 3}\
.seen{stroke:#0b62c4;stroke-width:2.25}.came{stroke:#6b7f94;stroke-width:1.75}\
.cone{fill:#e8930c;fill-opacity:.2}.edge{stroke:#c97a00;stroke-width:1;stroke-opacity:.55}\
.median{stroke:#b86e00;stroke-width:2;stroke-dasharray:6 4}\
.bound{stroke:#cf222e;stroke-width:1.5;stroke-dasharray:9 4}\
.again{stroke:#b86e00;stroke-width:2}.dot{fill:#0b62c4;stroke:#fff;stroke-width:2}\
.cross{stroke:#cf222e;stroke-width:3}\
.pill{rx:4px}.pilltext{fill:#fff;font-size:12px;font-weight:600}\
.critical{fill:#b91c28}.warning{fill:#8f5600}.info{fill:#0b62c4}\
polyline{fill:none;stroke-linejoin:round;stroke-linecap:round}\
@media (prefers-color-scheme:dark){\
.ground{fill:#0d1117}text{fill:#e6edf3}.series,.label{fill:#9aa5b1}.pilltext{fill:#fff}\
.yes{fill:#3fb96b}.no{fill:#9aa5b1}.grid{stroke:#262d36}.axis{stroke:#5b6570}.now{stroke:#9aa5b1}\
.seen{stroke:#5aa9ff}.came{stroke:#94a7bd}.cone{fill:#f0a93a;fill-opacity:.22}\
.edge,.median,.again{stroke:#f0a93a}.bound,.cross{stroke:#ff6b6b}.dot{fill:#5aa9ff;stroke:#0d1117}}";

/// One picture, as it is written.
#[derive(Debug)]
pub(super) struct Page {
    out: String,
}

impl Page {
    /// An empty page.
    pub(super) fn new(width: f64, height: f64) -> Self {
        let mut page = Self { out: String::new() };
        page.add(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n\
             <rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n"
        ));
        page
    }

    /// What a screen reader says.
    pub(super) fn title(&mut self, text: &str) {
        self.add(&format!("<title>{}</title>\n", escaped(text)));
    }

    /// A text with up to two classes.
    pub(super) fn text(&mut self, x: f64, y: f64, class: &str, more: &str, text: &str) {
        let text = escaped(text);
        self.add(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class} {more}\">{text}</text>\n"
        ));
    }

    /// The first line: whose series it is.
    pub(super) fn heading(&mut self, x: f64, y: f64, host: &str, series: &str) {
        let (host, series) = (escaped(host), escaped(series));
        self.add(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"host\">{host}\
             <tspan class=\"series\" dx=\"12\">{series}</tspan></text>\n"
        ));
    }

    /// A small text; `anchor` as in SVG: `start`, `middle` or `end`.
    pub(super) fn label(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = escaped(text);
        self.add(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"label\" text-anchor=\"{anchor}\">{text}</text>\n"
        ));
    }

    /// A word on a coloured ground.
    pub(super) fn pill(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let middle = x + 34.0;
        let base = y + 14.0;
        let text = escaped(text);
        self.add(&format!(
            "<rect class=\"pill {class}\" x=\"{x}\" y=\"{y}\" width=\"68\" height=\"20\" rx=\"4\"/>\
             <text x=\"{middle}\" y=\"{base}\" class=\"pilltext\" text-anchor=\"middle\">{text}</text>\n"
        ));
    }

    /// A straight line.
    pub(super) fn line(&mut self, class: &str, from: Point, to: Point) {
        self.add(&format!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>\n",
            from.0, from.1, to.0, to.1
        ));
    }

    /// A line through `points`.
    pub(super) fn polyline(&mut self, class: &str, points: &[Point]) {
        if points.len() > 1 {
            let points = joined(points);
            self.add(&format!(
                "<polyline class=\"{class}\" points=\"{points}\"/>\n"
            ));
        }
    }

    /// An area.
    pub(super) fn polygon(&mut self, class: &str, points: &[Point]) {
        let points = joined(points);
        self.add(&format!(
            "<polygon class=\"{class}\" points=\"{points}\"/>\n"
        ));
    }

    /// The present.
    pub(super) fn dot(&mut self, x: f64, y: f64) {
        self.add(&format!(
            "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>\n"
        ));
    }

    /// A failure.
    pub(super) fn cross(&mut self, x: f64, y: f64) {
        const ARM: f64 = 6.0;
        self.line("cross", (x - ARM, y - ARM), (x + ARM, y + ARM));
        self.line("cross", (x - ARM, y + ARM), (x + ARM, y - ARM));
    }

    /// What follows is cut at the edges of this rectangle.
    pub(super) fn begin_plot(&mut self, x: f64, y: f64, width: f64, height: f64) {
        self.add(&format!(
            "<clipPath id=\"plot\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>\
             </clipPath>\n<g clip-path=\"url(#plot)\">\n"
        ));
    }

    /// The end of what is cut.
    pub(super) fn end_plot(&mut self) {
        self.add("</g>\n");
    }

    /// The whole file.
    pub(super) fn finish(mut self) -> String {
        self.add("</svg>\n");
        self.out
    }

    fn add(&mut self, text: &str) {
        self.out.push_str(text);
    }
}

fn joined(points: &[Point]) -> String {
    points.iter().fold(String::new(), |mut text, (x, y)| {
        write!(text, "{x:.1},{y:.1} ").expect("a String takes everything");
        text
    })
}

/// `text` as XML takes it: no markup, and no character that XML 1.0 does not know.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
