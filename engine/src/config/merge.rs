//! How a project's configuration goes over the user's: it takes away, and gives nothing.

#![allow(clippy::disallowed_methods, reason = "only resolves links; nothing is opened")]

use super::ConfigScope;
use crate::definition::codes;
use crate::definition::fields::Fields;
use crate::definition::limits::Bound;
use crate::definition::node::{Data, Span};
use crate::definition::sink::Sink;
use crate::{Allow, Permissions};
use std::path::{Component, Path, PathBuf};

/// A file that is being read.
pub(super) struct Layer {
    pub(super) scope: ConfigScope,
    /// Where its relative paths start.
    pub(super) base: PathBuf,
    pub(super) sink: Sink,
}

impl Layer {
    fn is_project(&self) -> bool {
        self.scope == ConfigScope::Project
    }

    fn loosens(&mut self, span: &Span, message: String) {
        let help = "a project can only allow less than the user; ask for it in the user's own configuration";
        self.sink.warning(codes::CONFIG_LOOSENS, span, message, help);
    }
}

/// A number that a project may lower and not raise; `None` where it is left as it is.
pub(super) fn ceiling(
    fields: &mut Fields<'_>,
    key: &'static str,
    bound: &Bound,
    most: Option<f64>,
    layer: &mut Layer,
) -> Option<f64> {
    let number = fields.number(key, bound, &mut layer.sink)?;
    match (most, fields.node(key)) {
        (Some(most), Some(node)) if layer.is_project() && number > most => {
            let message =
                format!("{} is {number}, which is above the {most} that hold: it is ignored", fields.named(key));
            layer.loosens(&node.span, message);
            None
        }
        _ => Some(number),
    }
}

/// `default_permissions`.
pub(super) fn permissions(held: &mut Permissions, fields: &mut Fields<'_>, layer: &mut Layer) {
    list(&mut held.file_read, fields, "file_read", within_path, layer);
    list(&mut held.file_write, fields, "file_write", within_path, layer);
    list(&mut held.environment, fields, "environment", same, layer);
    list(&mut held.secrets, fields, "secrets", same, layer);
    list(&mut held.sessions, fields, "sessions", same, layer);
    allow(&mut held.network_access, fields, "network_access", "hosts", layer);
    allow(&mut held.process_spawn, fields, "process_spawn", "programs", layer);
}

/// Whether what is asked for is covered by what is held.
type Covers = fn(held: &str, asked: &str) -> bool;

fn same(held: &str, asked: &str) -> bool {
    held == asked
}

fn within_path(held: &str, asked: &str) -> bool {
    let plain = |path: &str| -> Option<PathBuf> {
        let mut plain = PathBuf::new();
        for component in Path::new(path).components() {
            match component {
                Component::CurDir => {}
                // Where it leads depends on links: it is not known to stay below.
                Component::ParentDir => return None,
                other => plain.push(other),
            }
        }
        Some(plain)
    };
    match (plain(held), plain(asked)) {
        (Some(held), Some(asked)) => held.is_absolute() == asked.is_absolute() && asked.starts_with(held),
        _ => false,
    }
}

fn list(held: &mut Option<Vec<String>>, fields: &mut Fields<'_>, key: &'static str, covers: Covers, layer: &mut Layer) {
    if let Some(texts) = fields.texts(key, &mut layer.sink) {
        let entries = texts.into_iter().map(|text| (text.text.to_owned(), text.span.clone())).collect();
        *held = Some(covered(held.as_deref().unwrap_or_default(), entries, &fields.named(key), covers, layer));
    }
}

fn covered(
    held: &[String],
    entries: Vec<(String, Span)>,
    named: &str,
    covers: Covers,
    layer: &mut Layer,
) -> Vec<String> {
    let mut kept = Vec::new();
    for (entry, span) in entries {
        if entry.trim().is_empty() || entry.contains('\0') {
            let message = format!("{named} holds an entry that names nothing");
            layer.sink.error(codes::EMPTY, &span, message, "remove the entry");
        } else if layer.is_project() && !held.iter().any(|held| covers(held, &entry)) {
            layer.loosens(&span, format!("{named} holds `{entry}`, which the user does not allow: it is ignored"));
        } else {
            kept.push(entry);
        }
    }
    kept
}

fn allow(held: &mut Option<Allow>, fields: &mut Fields<'_>, key: &'static str, what: &str, layer: &mut Layer) {
    let Some(node) = fields.node(key) else { return };
    let named = fields.named(key);
    let before = held.clone().unwrap_or(Allow::All(false));
    *held = match &node.data {
        Data::Bool(true) if layer.is_project() && before != Allow::All(true) => {
            layer.loosens(&node.span, format!("{named} is true, which the user does not allow: it is ignored"));
            return;
        }
        Data::Bool(all) => Some(Allow::All(*all)),
        Data::Array(_) => {
            let Some(texts) = fields.texts(key, &mut layer.sink) else { return };
            let entries = texts.into_iter().map(|text| (text.text.to_owned(), text.span.clone())).collect();
            let kept = match before {
                Allow::All(true) => covered(&[String::new()], entries, &named, |_, _| true, layer),
                Allow::All(false) => covered(&[], entries, &named, same, layer),
                Allow::Only(names) => covered(&names, entries, &named, same, layer),
            };
            Some(Allow::Only(kept))
        }
        _ => {
            let help = format!("write true, false, or a list of {what}: [\"…\"]");
            fields.wrong_type(key, node, &format!("true, false or a list of {what}"), &help, &mut layer.sink);
            return;
        }
    };
}

/// A list of folders, added to those that are there. A project's own have to lie in the project, or below one of
/// `users`.
pub(super) fn folders(
    held: &mut Vec<PathBuf>,
    users: &[PathBuf],
    fields: &mut Fields<'_>,
    key: &'static str,
    layer: &mut Layer,
) {
    let Some(texts) = fields.texts(key, &mut layer.sink) else { return };
    let named = fields.named(key);
    for text in texts {
        let entry = text.text;
        if entry.trim().is_empty() || entry.contains('\0') {
            let message = format!("{named} holds an entry that names no folder");
            layer.sink.error(codes::EMPTY, text.span, message, "remove the entry");
            continue;
        }
        if entry == "~" || entry.starts_with("~/") {
            let message = format!("{named} holds `{entry}`, but `~` is not expanded here");
            layer.sink.error(codes::CONFIG_FOLDER, text.span, message, "write the whole path: `/home/…`");
            continue;
        }
        // Through every link, so that none leads a project out of itself.
        let folder = match std::fs::canonicalize(layer.base.join(entry)) {
            Ok(folder) if folder.is_dir() => folder,
            Ok(_) => {
                let message = format!("{named} holds `{entry}`, which is not a folder");
                layer.sink.warning(codes::CONFIG_FOLDER, text.span, message, "name the folder that it stands in");
                continue;
            }
            Err(_) => {
                let message = format!("{named} holds `{entry}`, which does not exist");
                let help =
                    format!("make the folder, or remove the entry; it is looked for in {}", layer.base.display());
                layer.sink.warning(codes::CONFIG_FOLDER, text.span, message, help);
                continue;
            }
        };
        let is_below = |outer: &PathBuf| std::fs::canonicalize(outer).is_ok_and(|outer| folder.starts_with(outer));
        if layer.is_project() && !is_below(&layer.base) && !users.iter().any(is_below) {
            layer
                .loosens(text.span, format!("{named} holds `{entry}`, which is outside of the project: it is ignored"));
        } else if !held.contains(&folder) {
            held.push(folder);
        }
    }
}
