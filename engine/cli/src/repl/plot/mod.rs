//! Charts in the terminal: what `%plot` draws.

mod data;
mod draw;

pub(crate) use data::Form;

use super::screen::Screen;
use serde_json::Value;
use skills::{Error, ErrorKind};

/// The lines of a chart of a value, or why there is none.
pub(crate) fn plot(value: &Value, form: Form, screen: &Screen) -> Result<String, Error> {
    let data = data::read(value, form).map_err(|why| {
        Error::new(ErrorKind::InvalidArguments, format!("this cannot be drawn: {why}")).with_help(
            "give numbers, pairs or objects in a list, an object of numbers, or an object of lists; `%help plot` shows examples",
        )
    })?;
    let (columns, rows) = screen.size();
    let width = u16::try_from(columns).unwrap_or(u16::MAX).clamp(20, 200);
    let height = u16::try_from(rows.saturating_sub(4)).unwrap_or(u16::MAX).clamp(8, 20);
    Ok(draw::lines(&data, width, height, screen.color))
}
