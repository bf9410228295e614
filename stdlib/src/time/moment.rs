//! Reading moments and zones.

use crate::arguments::FromArgument;
use crate::define::invalid;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::{DateTimeParser, Pieces};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use serde_json::Value;
use skills_core::Failure;
use std::sync::LazyLock;

/// The zones that the program itself carries: the same on every machine, whatever its environment says.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

static PARSER: DateTimeParser = DateTimeParser::new();

/// A moment as somebody wrote it: in a zone, or by a calendar and a clock that are not yet anywhere.
#[derive(Debug, Clone)]
pub(super) enum Moment {
    Known(Zoned),
    Civil(DateTime),
}

impl Moment {
    /// Reads RFC 3339, with or without a zone; RFC 2822; or a date with or without a time.
    pub(super) fn parse(text: &str) -> Result<Moment, Failure> {
        let text = text.trim();
        match Moment::parse_standard(text) {
            Ok(moment) => Ok(moment),
            Err(error) => jiff::fmt::rfc2822::parse(text).map(Moment::Known).map_err(|_| {
                let shown: String = text.chars().take(60).collect();
                invalid(format!("{shown:?} is not a moment: {error}"))
                    .with_help("write it as 2024-03-10T09:30:00Z or 2024-03-10, or say how it is written: skill.time.parse(text, zone, format)")
            }),
        }
    }

    fn parse_standard(text: &str) -> Result<Moment, jiff::Error> {
        let pieces = Pieces::parse(text)?;
        if pieces.time_zone_annotation().is_some() {
            return PARSER.parse_zoned_with(&ZONES, text).map(Moment::Known);
        }
        let civil = DateTime::from_parts(pieces.date(), pieces.time().unwrap_or_default());
        match pieces.to_numeric_offset() {
            Some(offset) => Ok(Moment::Known(offset.to_timestamp(civil)?.to_zoned(TimeZone::fixed(offset)))),
            None => Ok(Moment::Civil(civil)),
        }
    }

    /// Reads text by a strptime format.
    pub(super) fn parse_as(text: &str, format: &str) -> Result<Moment, Failure> {
        let read = || {
            let parts = BrokenDownTime::parse(format, text)?;
            if parts.offset().is_some() || parts.iana_time_zone().is_some() {
                return parts.to_zoned_with(&ZONES).map(Moment::Known);
            }
            let midnight = |date: jiff::civil::Date| date.to_datetime(jiff::civil::Time::midnight());
            parts.to_datetime().or_else(|_| parts.to_date().map(midnight)).map(Moment::Civil)
        };
        read().map_err(|error| invalid(format!("{text:?} is not written as {format:?}: {error}")))
    }

    /// The moment in a zone: by default where it was written, and UTC for what was written nowhere.
    pub(super) fn within(self, zone: Option<&str>) -> Result<Zoned, Failure> {
        let zone = zone.map(zone_of).transpose()?;
        match (self, zone) {
            (Moment::Known(moment), None) => Ok(moment),
            (Moment::Known(moment), Some(zone)) => Ok(moment.with_time_zone(zone)),
            (Moment::Civil(civil), zone) => civil
                .to_zoned(zone.unwrap_or(TimeZone::UTC))
                .map_err(|e| invalid(format!("{civil} is outside of the calendar: {e}"))),
        }
    }
}

impl FromArgument for Moment {
    fn from_argument(value: Value) -> Result<Moment, &'static str> {
        const EXPECTED: &str = "a moment: RFC 3339 text such as 2024-03-10T09:30:00Z, a date, or seconds since 1970";
        let timestamp = match &value {
            Value::String(text) => return Moment::parse(text).map_err(|_| EXPECTED),
            Value::Number(number) => match number.as_i64() {
                Some(seconds) => Timestamp::from_second(seconds),
                // Seconds in floating point are good for microseconds; more digits would be noise.
                None => Timestamp::from_microsecond((number.as_f64().ok_or(EXPECTED)? * 1e6).round() as i64),
            },
            _ => return Err(EXPECTED),
        };
        timestamp.map(|t| Moment::Known(t.to_zoned(TimeZone::UTC))).map_err(|_| EXPECTED)
    }
}

/// The zone of a name such as `Europe/Berlin`, `UTC` or `+05:30`.
pub(super) fn zone_of(name: &str) -> Result<TimeZone, Failure> {
    if let Ok(zone) = ZONES.get(name) {
        return Ok(zone);
    }
    let offset = |text: &str| Pieces::parse(&format!("2000-01-01T00:00{text}")).ok()?.to_numeric_offset();
    match offset(name) {
        Some(offset) if name.starts_with(['+', '-']) => Ok(TimeZone::fixed(offset)),
        _ => {
            let shown: String = name.chars().take(60).collect();
            Err(invalid(format!("there is no time zone {shown:?}"))
                .with_help("name one of the IANA database, such as Europe/Berlin, or UTC, or an offset such as +05:30"))
        }
    }
}

/// RFC 3339 text.
pub(super) fn text_of(moment: &Zoned) -> String {
    let timestamp = moment.timestamp();
    if moment.offset().is_zero() {
        timestamp.to_string()
    } else {
        timestamp.display_with_offset(moment.offset()).to_string()
    }
}
