//! Draws with ratatui's widgets into a buffer, and gives it as lines.

use super::data::{Data, Series, short};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Bar, BarChart, BarGroup, Chart, Dataset, GraphType, LegendPosition, Widget};

/// The colours of rows of points, one after another.
const COLORS: [Color; 6] = [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green, Color::Blue, Color::Red];

/// The widest label of a bar, in characters.
const WIDEST_LABEL: usize = 24;

/// What bars are counted in: ratatui's are whole numbers.
const PARTS: f64 = 1e6;

pub(super) fn lines(data: &Data, width: u16, height: u16, color: bool) -> String {
    let buffer = match data {
        Data::Series { series, joined } => chart(series, *joined, width, height),
        Data::Bars(bars) => bar_chart(bars, width),
    };
    text(&buffer, color)
}

fn chart(series: &[Series], joined: bool, width: u16, height: u16) -> Buffer {
    let all = || series.iter().flat_map(|(_, parts)| parts.iter().flatten().copied());
    let x = bounds(all().map(|(x, _)| x));
    let y = bounds(all().map(|(_, y)| y));
    let graph = if joined { GraphType::Line } else { GraphType::Scatter };
    let datasets = series.iter().zip(COLORS.into_iter().cycle()).flat_map(|((name, parts), color)| {
        parts.iter().enumerate().map(move |(at, points)| {
            let style = Style::new().fg(color);
            let set = Dataset::default().marker(Marker::Braille).graph_type(graph).style(style).data(points);
            // Named once, however many stretches it has.
            if name.is_empty() || at > 0 { set } else { set.name(name.as_str()) }
        })
    });
    let axis = |bounds: [f64; 2], labels: usize| {
        let step = (bounds[1] - bounds[0]) / (labels - 1) as f64;
        let labels: Vec<String> = (0..labels).map(|at| short(bounds[0] + step * at as f64)).collect();
        Axis::default().bounds(bounds).labels(labels).style(Style::new().fg(Color::DarkGray))
    };
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    Chart::new(datasets.collect())
        .x_axis(axis(x, if width >= 60 { 5 } else { 3 }))
        .y_axis(axis(y, if height >= 12 { 5 } else { 3 }))
        .legend_position(Some(LegendPosition::TopRight))
        .render(area, &mut buffer);
    buffer
}

/// The least and the greatest, with some room where they are the same.
fn bounds(numbers: impl Iterator<Item = f64>) -> [f64; 2] {
    let (low, high) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| (low.min(n), high.max(n)));
    match low < high {
        true => [low, high],
        false => [low - 1.0, low + 1.0],
    }
}

fn bar_chart(bars: &[(String, Option<f64>)], width: u16) -> Buffer {
    let most = bars.iter().filter_map(|(_, value)| *value).fold(0.0, f64::max);
    let label = |text: &str| match text.char_indices().nth(WIDEST_LABEL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let widest = bars.iter().map(|(text, _)| label(text).chars().count()).max().unwrap_or(0);
    let numbers: Vec<String> = bars.iter().map(|(_, value)| value.map_or_else(|| "–".to_owned(), short)).collect();
    let longest = numbers.iter().map(|number| number.chars().count()).max().unwrap_or(0);
    let bar = |((text, value), number): (&(String, Option<f64>), &String)| {
        let value = value.unwrap_or(0.0);
        let parts = if most > 0.0 { (value / most * PARTS).round() as u64 } else { 0 };
        let label = format!("{:>widest$} {number:>longest$}", label(text));
        Bar::default().value(parts).text_value(String::new()).label(label)
    };
    let group = BarGroup::default().bars(&bars.iter().zip(&numbers).map(bar).collect::<Vec<_>>());
    let area = Rect::new(0, 0, width, u16::try_from(bars.len()).unwrap_or(u16::MAX));
    let mut buffer = Buffer::empty(area);
    BarChart::default()
        .data(group)
        .direction(ratatui::layout::Direction::Horizontal)
        .bar_width(1)
        .bar_gap(0)
        .max(PARTS as u64)
        .bar_style(Style::new().fg(COLORS[0]))
        .render(area, &mut buffer);
    buffer
}

/// The cells of a buffer as lines, without spaces at their ends.
fn text(buffer: &Buffer, color: bool) -> String {
    let area = buffer.area;
    let mut lines = Vec::new();
    for y in 0..area.height {
        let row = || (0..area.width).map(|x| &buffer[(x, y)]);
        let end = row().collect::<Vec<_>>().iter().rposition(|cell| cell.symbol() != " ").map_or(0, |at| at + 1);
        let mut line = String::new();
        let mut now = Color::Reset;
        for cell in row().take(end) {
            if color && cell.fg != now {
                line.push_str(escape(cell.fg));
                now = cell.fg;
            }
            line.push_str(cell.symbol());
        }
        if now != Color::Reset {
            line.push_str(escape(Color::Reset));
        }
        lines.push(line);
    }
    lines.join("\n")
}

fn escape(color: Color) -> &'static str {
    match color {
        Color::Cyan => "\x1b[36m",
        Color::Yellow => "\x1b[33m",
        Color::Magenta => "\x1b[35m",
        Color::Green => "\x1b[32m",
        Color::Blue => "\x1b[34m",
        Color::Red => "\x1b[31m",
        Color::DarkGray => "\x1b[90m",
        _ => "\x1b[0m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let series = vec![(String::new(), vec![(0..50).map(|n| (f64::from(n), f64::from(n))).collect()])];
        let text = lines(&Data::Series { series, joined: true }, 40, 10, false);
        assert_eq!(text.lines().count(), 10);
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        let first = text.lines().next().unwrap();
        let last = text.lines().nth(7).unwrap();
        let drawn = |line: &str| line.chars().position(|c| ('\u{2801}'..='\u{28ff}').contains(&c)).unwrap();
        assert!(first.starts_with("49") && drawn(first) > drawn(last), "{text}");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let bars = vec![("apples".to_owned(), Some(20.0)), ("figs".to_owned(), Some(10.0)), ("none".to_owned(), None)];
        let text = lines(&Data::Bars(bars), 60, 10, false);
        let blocks = |at: usize| text.lines().nth(at).unwrap().matches('█').count();
        assert!(text.starts_with("apples 20"), "{text}");
        assert!(blocks(0) > 40 && blocks(0).abs_diff(blocks(1) * 2) <= 1 && blocks(2) == 0, "{text}");
        assert!(lines(&Data::Bars(vec![("a".into(), Some(1.0))]), 60, 10, true).contains("\x1b[36m█"));
    }
}
