use serde_json::Value;

/// A JSDoc comment, as far as it says something of parameters.
#[derive(Debug, Default)]
pub(super) struct Doc {
    /// Its first paragraph.
    pub(super) description: Option<String>,
    pub(super) parameters: Vec<ParamTag>,
}

/// `@param {type} [name=default] - text`.
#[derive(Debug, Default)]
pub(super) struct ParamTag {
    pub(super) type_text: String,
    pub(super) name: String,
    pub(super) optional: bool,
    pub(super) default: Option<Value>,
    pub(super) description: String,
}

impl Doc {
    /// Reads a comment, delimiters included.
    pub(super) fn parse(comment: &str) -> Doc {
        let inner = comment.trim_start_matches("/**").trim_end_matches("*/");
        let lines = inner.lines().map(|line| {
            let line = line.trim();
            line.strip_prefix('*').unwrap_or(line).trim()
        });
        let mut description = Vec::new();
        let mut ended = false;
        let mut tags: Vec<String> = Vec::new();
        for line in lines {
            if line.starts_with('@') {
                tags.push(line.to_owned());
            } else if let Some(tag) = tags.last_mut() {
                // A tag goes on in the lines below it.
                tag.push(' ');
                tag.push_str(line);
            } else if line.is_empty() {
                ended |= !description.is_empty();
            } else if !ended {
                description.push(line);
            }
        }
        Doc {
            description: (!description.is_empty()).then(|| description.join(" ")),
            parameters: tags.iter().filter_map(|tag| parameter(tag)).collect(),
        }
    }
}

fn parameter(tag: &str) -> Option<ParamTag> {
    let rest = ["@param ", "@arg ", "@argument "].iter().find_map(|name| tag.strip_prefix(name))?.trim_start();
    let mut out = ParamTag::default();
    let mut rest = rest;
    if rest.starts_with('{') {
        let end = closing(rest, '{', '}')?;
        out.type_text = rest[1..end].trim().to_owned();
        rest = rest[end + 1..].trim_start();
    }
    if let Some(optional) = out.type_text.strip_suffix('=') {
        out.type_text = optional.to_owned();
        out.optional = true;
    }
    if rest.starts_with('[') {
        let end = closing(rest, '[', ']')?;
        let inner = &rest[1..end];
        let (name, default) = inner.split_once('=').map_or((inner, None), |(name, default)| (name, Some(default)));
        out.name = name.trim().to_owned();
        out.default = default.map(|text| default_value(text.trim()));
        out.optional = true;
        rest = &rest[end + 1..];
    } else {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        out.name = rest[..end].to_owned();
        rest = &rest[end..];
    }
    out.description = rest.trim().trim_start_matches('-').trim().to_owned();
    (!out.name.is_empty()).then_some(out)
}

/// A default is JSON, or a string in single quotes, or else a string as it stands.
fn default_value(text: &str) -> Value {
    let unquoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match unquoted {
        Some(text) => Value::String(text.to_owned()),
        None => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

/// Where the bracket that opens the text is closed.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0usize;
    for (at, character) in text.char_indices() {
        if character == open {
            depth += 1;
        } else if character == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}
