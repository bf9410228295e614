//! The YAML of a front matter, with the place of each field.

use crate::definition::codes;
use crate::definition::node::Span;
use crate::definition::sink::Sink;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error, Location, MessageFormatter as _, Options, Spanned};

/// The most bytes of a front matter. Six short fields need a few hundred.
const MOST_BYTES: usize = 64 * 1024;

/// One field of the front matter.
pub(super) struct Field {
    /// Its name.
    pub(super) key: String,
    /// Where the name stands in the file.
    pub(super) key_span: Span,
    /// Its value.
    pub(super) value: Value,
    /// Where the value stands in the file.
    pub(super) span: Span,
}

/// The fields of a front matter, in order; `None` after reporting why it cannot be read.
pub(super) fn fields(text: &str, front: &Span, sink: &mut Sink) -> Option<Vec<Field>> {
    let yaml = text.get(front.clone()).unwrap_or_default();
    if yaml.len() > MOST_BYTES {
        let message = format!("the front matter has {} bytes, more than the {MOST_BYTES} allowed", yaml.len());
        let help = "keep the six fields short; longer text belongs below the front matter";
        sink.error(codes::FRONT_MATTER_LIMIT, &(front.start..front.start), message, help);
        return None;
    }
    match serde_saphyr::from_str_with_options::<Front>(yaml, options()) {
        Ok(Front(fields)) => Some(
            fields
                .into_iter()
                .map(|(key, value)| Field {
                    key_span: place(&key.referenced, yaml, front.start),
                    key: key.value,
                    span: place(&value.referenced, yaml, front.start),
                    value: value.value,
                })
                .collect(),
        ),
        Err(error) => {
            report(&error, yaml, front.start, sink);
            None
        }
    }
}

/// Bounds for what a small text may expand to: a hundred aliases of a hundred aliases are a bomb, not a front matter.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000,
            max_aliases: 100,
            max_anchors: 100,
            max_recorded_anchor_events: 10_000,
            max_recorded_anchor_bytes: 1 << 20,
            max_depth: 20,
            max_documents: 1,
            max_nodes: 10_000,
            max_total_scalar_bytes: 1 << 20,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 2_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        // `license: no` is a text here, not `false`.
        strict_booleans: true,
        emit_comments: false,
        with_snippet: false,
    }
}

fn report(error: &Error, yaml: &str, offset: usize, sink: &mut Sink) {
    let at = error.location().map_or(offset..offset, |location| place(&location, yaml, offset));
    match innermost(error) {
        Error::DuplicateMappingKey { key, .. } => {
            let message = match key {
                Some(key) => format!("`{key}` stands here twice"),
                None => "a key stands here twice".to_owned(),
            };
            sink.error(codes::DUPLICATE_KEY, &at, message, "remove one of the two");
        }
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::RecursiveReferencesRequireWeakTypes { .. } => {
            let message = "the front matter expands or nests beyond what is allowed";
            let help = "write the values out, without anchors (`&`) and aliases (`*`), at most 20 levels deep";
            sink.error(codes::FRONT_MATTER_LIMIT, &at, message, help);
        }
        Error::MergeKeyNotAllowed { .. } => {
            let help = "write the keys out";
            sink.error(codes::FRONT_MATTER, &at, "a front matter cannot merge keys with `<<`", help);
        }
        other => {
            let reason = serde_saphyr::DefaultMessageFormatter.format_message(other);
            let message = format!("the front matter is not YAML that can be read: {reason}");
            let help = "write `FIELD: VALUE` lines, with quotes around a value that has `: ` or ` #` in it";
            sink.error(codes::FRONT_MATTER, &at, message, help);
        }
    }
}

fn innermost(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => innermost(error),
        other => other,
    }
}

/// Where in the file a location of the YAML is; at least one character where there is one.
fn place(location: &Location, yaml: &str, offset: usize) -> Span {
    let start = match location.span().byte_offset().and_then(|at| usize::try_from(at).ok()) {
        Some(start) => start,
        None => by_line(location, yaml),
    };
    let start = start.min(yaml.trim_end().len());
    let length = location.span().byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    // Only the first line of what goes over several, or the caret would mark the rest of the front matter.
    let rest = yaml.get(start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default().trim_end().len();
    let least = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let length = if length == 0 { least } else { length.min(line).max(least) };
    offset + start..offset + start + length
}

fn by_line(location: &Location, yaml: &str) -> usize {
    let line = usize::try_from(location.line()).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(location.column()).unwrap_or(1).saturating_sub(1);
    let before: usize = yaml.split_inclusive('\n').take(line).map(str::len).sum();
    let within = yaml.get(before..).unwrap_or_default().chars().take(column).map(char::len_utf8).sum::<usize>();
    before + within
}

/// The fields with their places. A front matter without any is an empty one.
struct Front(Vec<(Spanned<String>, Spanned<Value>)>);

impl<'de> Deserialize<'de> for Front {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Front, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Front;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("lines of the form `FIELD: VALUE`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Front, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Front(fields))
            }

            fn visit_unit<E>(self) -> Result<Front, E> {
                Ok(Front(Vec::new()))
            }
        }

        deserializer.deserialize_any(Fields)
    }
}
