//! What a skill asks to be allowed: v2's `sandbox` and `security`.
//!
//! Both may be given. What `security.permissions` says holds, except that what `sandbox` denies stays denied: of two
//! answers the narrower one is meant.

use crate::definition::codes;
use crate::definition::fields::{Fields, Text};
use crate::definition::node::Data;
use crate::definition::sink::Sink;
use crate::{Allow, Permissions};

/// The permissions of a definition.
pub(crate) fn build(fields: &mut Fields<'_>, sink: &mut Sink) -> Permissions {
    let mut permissions = security(fields, sink);
    sandbox(fields, &mut permissions, sink);
    permissions
}

/// Permissions as they are written.
pub(crate) fn stated(asked: &mut Fields<'_>, sink: &mut Sink) -> Permissions {
    Permissions {
        file_read: list(asked, "file_read", sink),
        file_write: list(asked, "file_write", sink),
        network_access: allow(asked, "network_access", "hosts", sink),
        process_spawn: allow(asked, "process_spawn", "programs", sink),
        environment: list(asked, "environment", sink),
        secrets: list(asked, "secrets", sink),
        sessions: list(asked, "sessions", sink),
        sandbox: None,
    }
}

/// Adds what permissions name to what others name.
pub(crate) fn join(held: &mut Permissions, more: Permissions) {
    let list = |held: &mut Option<Vec<String>>, more: Option<Vec<String>>| {
        held.get_or_insert_default().extend(more.unwrap_or_default());
    };
    let allow = |held: &mut Option<Allow>, more: Option<Allow>| {
        *held = Some(match (held.take(), more) {
            (Some(Allow::All(true)), _) | (_, Some(Allow::All(true))) => Allow::All(true),
            (Some(Allow::Only(held)), Some(Allow::Only(more))) => Allow::Only([held, more].concat()),
            (Some(Allow::Only(names)), _) | (_, Some(Allow::Only(names))) => Allow::Only(names),
            _ => Allow::All(false),
        });
    };
    list(&mut held.file_read, more.file_read);
    list(&mut held.file_write, more.file_write);
    list(&mut held.environment, more.environment);
    list(&mut held.secrets, more.secrets);
    list(&mut held.sessions, more.sessions);
    allow(&mut held.network_access, more.network_access);
    allow(&mut held.process_spawn, more.process_spawn);
}

fn security(fields: &mut Fields<'_>, sink: &mut Sink) -> Permissions {
    let Some(mut security) = fields.object("security", sink) else { return Permissions::default() };
    let confined = security.bool("sandbox_enabled", sink);
    if confined == Some(false)
        && let Some(node) = security.node("sandbox_enabled")
    {
        let message = "a skill cannot turn the sandbox off";
        let help = "remove it; a person can choose `--isolation in-process` for one run";
        sink.warning(codes::SANDBOX_STAYS_ON, &node.span, message, help);
    }
    let key = if security.node("permissions").is_some() { "permissions" } else { "default_permissions" };
    if key == "permissions"
        && let Some(member) = security.member("default_permissions")
    {
        let message = "`default_permissions` does nothing beside `permissions`";
        sink.warning(codes::REPEATED, &member.key_span, message, "remove one of the two");
    }
    // Also read by the limits.
    security.node("resource_limits");
    let permissions = match security.object(key, sink) {
        Some(mut asked) => {
            let permissions = stated(&mut asked, sink);
            asked.finish(sink);
            permissions
        }
        None => Permissions::default(),
    };
    security.finish(sink);
    Permissions { sandbox: confined.filter(|confined| *confined), ..permissions }
}

fn sandbox(fields: &mut Fields<'_>, permissions: &mut Permissions, sink: &mut Sink) {
    let Some(mut sandbox) = fields.object("sandbox", sink) else { return };
    match sandbox.bool("allow_network", sink) {
        Some(false) => permissions.network_access = Some(Allow::All(false)),
        Some(true) => {
            permissions.network_access.get_or_insert(Allow::All(true));
        }
        None => {}
    }
    let paths = list(&mut sandbox, "allowed_paths", sink);
    if let Some(paths) = &paths {
        permissions.file_read.get_or_insert_with(|| paths.clone());
    }
    match sandbox.bool("allow_file_write", sink) {
        Some(false) => permissions.file_write = Some(Vec::new()),
        Some(true) => {
            permissions.file_write.get_or_insert_with(|| paths.unwrap_or_default());
        }
        None => {}
    }
    sandbox.finish(sink);
}

/// A list of names or paths, none of them empty.
fn list(fields: &mut Fields<'_>, key: &'static str, sink: &mut Sink) -> Option<Vec<String>> {
    let texts = fields.texts(key, sink)?;
    Some(texts.into_iter().filter_map(|text| entry(text, &fields.named(key), sink)).collect())
}

fn entry(text: Text<'_>, named: &str, sink: &mut Sink) -> Option<String> {
    if text.text.trim().is_empty() || text.text.contains('\0') {
        let message = format!("{named} holds an entry that names nothing");
        sink.error(codes::EMPTY, text.span, message, "remove the entry; `./` is the working folder");
        return None;
    }
    Some(text.text.to_owned())
}

/// `true`, `false`, or a list of names.
fn allow(fields: &mut Fields<'_>, key: &'static str, what: &str, sink: &mut Sink) -> Option<Allow> {
    let node = fields.node(key)?;
    match &node.data {
        Data::Bool(all) => Some(Allow::All(*all)),
        Data::Array(_) => list(fields, key, sink).map(Allow::Only),
        _ => {
            let help = format!("write true, false, or a list of {what}: [\"…\"]");
            fields.wrong_type(key, node, &format!("true, false or a list of {what}"), &help, sink);
            None
        }
    }
}
