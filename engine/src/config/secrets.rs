//! `secrets`: where the value of each one is.

use super::ConfigScope;
use super::merge::Layer;
use crate::definition::codes;
use crate::definition::fields::{Fields, Text};
use crate::definition::names;
use crate::definition::node::Member;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the value of a secret is. The value itself is never in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretPlace {
    /// `env`: in an environment variable.
    Variable(String),
    /// `file`: in a file, absolute.
    File(PathBuf),
    /// `command`: a program, with its arguments, that prints it.
    Command(Vec<String>),
}

/// Reads the whole section. The user's own only: a project could name any file or program of the user's.
pub(super) fn read(places: &mut BTreeMap<String, SecretPlace>, root: &mut Fields<'_>, layer: &mut Layer) {
    let Some(member) = root.member("secrets") else { return };
    if layer.scope == ConfigScope::Project {
        let message = "a project's configuration cannot say where secrets are: it is ignored";
        let help = "name them in the user's own configuration";
        layer.sink.warning(codes::CONFIG_LOOSENS, &member.key_span, message, help);
        return;
    }
    let Some(fields) = root.object("secrets", &mut layer.sink) else { return };
    for member in fields.members() {
        let name = Text { text: &member.key, span: &member.key_span };
        let name = names::check("the secret", name, &mut layer.sink);
        let place = place(member, layer);
        if let (Some(name), Some(place)) = (name, place) {
            places.insert(name, place);
        }
    }
}

const HELP: &str = r#"write {"env": "VARIABLE"}, {"file": "/path"} or {"command": ["program", "argument"]}"#;

fn place(member: &Member, layer: &mut Layer) -> Option<SecretPlace> {
    let named = format!("secrets.{}", member.key);
    if !member.value.is_object() {
        let (span, message) = (&member.value.span, format!("`{named}` does not say where the secret is"));
        layer.sink.error(codes::CONFIG_SECRET, span, message, HELP);
        return None;
    }
    let mut fields = Fields::new(&member.value, &named);
    let variable = fields.filled("env", &mut layer.sink).map(|text| (text.text.to_owned(), text.span));
    let file = fields.filled("file", &mut layer.sink).map(|text| (text.text.to_owned(), text.span));
    let command = fields.texts("command", &mut layer.sink);
    let given = [variable.is_some(), file.is_some(), command.is_some()].iter().filter(|given| **given).count();
    let mut place = None;
    if let Some((name, span)) = variable {
        if name.contains(['=', '\0']) {
            let message = format!("{} cannot be the name of a variable", fields.named("env"));
            layer.sink.error(codes::CONFIG_SECRET, span, message, "write the name alone, without `=` and a value");
        } else {
            place = Some(SecretPlace::Variable(name));
        }
    } else if let Some((path, span)) = file {
        if path == "~" || path.starts_with("~/") {
            let message = format!("{} begins with `~`, which is not expanded here", fields.named("file"));
            layer.sink.error(codes::CONFIG_SECRET, span, message, "write the whole path: `/home/…`");
        } else if path.contains('\0') {
            let message = format!("{} cannot be a path", fields.named("file"));
            layer.sink.error(codes::CONFIG_SECRET, span, message, "remove the NUL character");
        } else {
            place = Some(SecretPlace::File(layer.base.join(path)));
        }
    } else if let Some(words) = command {
        let words: Vec<String> = words.into_iter().map(|text| text.text.to_owned()).collect();
        if words.first().is_none_or(|program| program.trim().is_empty()) || words.iter().any(|w| w.contains('\0')) {
            let message = format!("{} names no program", fields.named("command"));
            layer.sink.error(codes::CONFIG_SECRET, &member.value.span, message, HELP);
        } else {
            place = Some(SecretPlace::Command(words));
        }
    }
    if given != 1 {
        let message = match given {
            0 => format!("`{named}` does not say where the secret is"),
            _ => format!("`{named}` says in more than one way where the secret is"),
        };
        layer.sink.error(codes::CONFIG_SECRET, &member.key_span, message, HELP);
        place = None;
    }
    fields.finish(&mut layer.sink);
    place
}
