//! From a v2 tree to a [`Skill`]: the one place that gives a definition its meaning.

use crate::definition::fields::{Fields, Text};
use crate::definition::node::{Node, Span};
use crate::definition::reference::References;
use crate::definition::sink::Sink;
use crate::definition::{
    LoadOptions, RawDefinition, body, codes, embedded, limits, names, parameters, permissions, protocol, reader,
    remarks, settings, suggest,
};
use crate::{Dialect, OutputForm, OutputFormat, Scope, Skill, SkillKind};
use semver::{Version, VersionReq};
use serde_json::{Map, Value};
use skills_core::{Script, template};
use std::collections::{BTreeMap, HashSet};

/// Sections of the seed that are the engine's configuration, not a skill's.
const CONFIGURATION: &[&str] = &["performance", "development", "observability"];

/// How a result may be shown.
const OUTPUT_FORMATS: &[(&str, OutputFormat)] =
    &[("text", OutputFormat::Text), ("markdown", OutputFormat::Markdown), ("json", OutputFormat::Json)];

/// What the parts of the builder share.
pub(crate) struct Context<'a> {
    /// Where problems go.
    pub(crate) sink: Sink,
    /// What `file://` leads to.
    pub(crate) references: References<'a>,
    /// The type of the skill.
    pub(crate) kind: SkillKind,
    /// The form that the file is written in, for help that names its keys.
    pub(crate) dialect: Dialect,
    /// The file, as errors name it.
    pub(crate) file: &'a str,
    /// The names of the parameters, where the definition declares any.
    pub(crate) declared: Vec<String>,
    /// The paths that it asks to read.
    pub(crate) read: Vec<String>,
    /// What becomes of the output of a program or of bash.
    pub(crate) output: OutputForm,
    /// The script that a program's first argument refers to.
    pub(crate) script: Option<Script>,
}

/// Placeholders that the engine fills itself.
const OWN_PLACEHOLDERS: &[&str] = &["session_id"];

impl Context<'_> {
    /// A time limit in seconds; in a v2 file, one that looks like milliseconds is remarked.
    pub(crate) fn seconds(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        bound: &limits::Bound,
        plausible: limits::Plausible,
    ) -> Option<std::time::Duration> {
        let seconds = fields.number(key, bound, &mut self.sink)?;
        if self.dialect == Dialect::V2
            && let Some(node) = fields.node(key)
        {
            limits::warn_if_milliseconds(&fields.named(key), seconds, &node.span, plausible, &mut self.sink);
        }
        Some(limits::duration(seconds))
    }

    /// Warns about a `{name}` that no declared parameter fills. The wild forms have checks of their own.
    pub(crate) fn check_placeholders(&mut self, template: &str, span: &Span) {
        if self.declared.is_empty() || !matches!(self.dialect, Dialect::V1 | Dialect::V2) {
            return;
        }
        let known: HashSet<&str> =
            self.declared.iter().map(String::as_str).chain(OWN_PLACEHOLDERS.iter().copied()).collect();
        let mut seen = HashSet::new();
        for name in template::names(template).filter(|name| !known.contains(name) && seen.insert(*name)) {
            // The nearest name takes time to find, which is not spent on what is only counted.
            let help = match self.sink.is_full() {
                true => String::new(),
                false => suggest::help(name, self.declared.iter().map(String::as_str)),
            };
            let message = format!("no parameter fills the placeholder `{{{name}}}`");
            self.sink.warning(codes::UNKNOWN_PLACEHOLDER, span, message, help);
        }
    }
}

/// The skill of a v2 tree, and the sink with everything that is wrong with it. A skill with errors is incomplete.
pub(crate) fn build(raw: &RawDefinition, root: &Node, sink: Sink, options: &LoadOptions) -> (Option<Skill>, Sink) {
    let references = References::new(&raw.file, &raw.files, options);
    let kind = SkillKind::CodeInline;
    let mut context = Context {
        sink,
        references,
        kind,
        dialect: raw.dialect,
        file: &raw.file,
        declared: Vec::new(),
        read: Vec::new(),
        output: OutputForm::Text,
        script: None,
    };
    let skill = assemble(raw, root, &mut context);
    (skill, context.sink)
}

fn assemble(raw: &RawDefinition, root: &Node, context: &mut Context<'_>) -> Option<Skill> {
    let mut fields = Fields::new(root, "");
    fields.text("$schema", &mut context.sink);
    let kind = kind(raw, &mut fields, context);
    // Where the type is not known, the rest is still looked at, so that everything is reported at once.
    context.kind = kind.unwrap_or(SkillKind::CodeInline);
    let name = name(&mut fields, context);
    let description = description(&mut fields, context);
    let declared = fields.node("parameters");
    let parameters = declared.map(|node| parameters::build(node, &mut context.sink)).unwrap_or_default();
    context.declared = parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let permissions = permissions::build(&mut fields, &mut context.sink);
    context.read = permissions.file_read.iter().chain(&permissions.file_write).flatten().cloned().collect();
    let mut limits = settings::limits(&mut fields, context);
    let resilience = settings::resilience(&mut fields, &mut limits, context);
    let mut session = settings::session(&mut fields, context);
    let mut body = match kind {
        Some(_) => body::build(&mut fields, &mut limits, context),
        None => body::skip(&mut fields),
    };
    let prompt = body::guides(&mut fields, context);
    let version = fields.text("version", &mut context.sink);
    let version = version.and_then(|text| names::version("the version", text, &mut context.sink));
    let about = [fields.text("author", &mut context.sink), fields.text("license", &mut context.sink)];
    let [author, license] = about.map(owned);
    let output_format = fields.choice("output_format", OUTPUT_FORMATS, &mut context.sink);
    let aliases = aliases(&mut fields, context);
    let homepage = homepage(&mut fields, context);
    let scope = scope(raw, &mut fields, context);
    let dependencies = dependencies(name.as_deref(), &mut fields, context);
    let provides = provides(&mut fields, context);
    let metadata = metadata(&mut fields, context);
    configuration(&mut fields, context);
    fields.finish(&mut context.sink);
    let embedded = embedded::script(body.as_ref(), session.as_ref(), context);
    protocol::settle(root, body.as_mut(), session.as_mut(), (&parameters, embedded.is_some()), context);
    if let Some(body) = &body {
        remarks::of_body(root, body, embedded.is_some(), &permissions, context);
    }
    // Everything has been looked at: what is missing now has been reported.
    Some(Skill {
        name: name?,
        description,
        version,
        aliases,
        author,
        license,
        homepage,
        kind: kind?,
        dialect: raw.dialect,
        scope,
        file: raw.file.clone(),
        folder: raw.files.path().map(std::path::Path::to_path_buf),
        body: body?,
        embedded,
        output: context.output,
        parameters,
        parameters_declared: declared.is_some(),
        limits,
        permissions,
        prompt,
        session,
        output_format,
        resilience,
        dependencies,
        provides,
        metadata,
        digest: context.references.digest(&raw.text),
        files: raw.files.clone(),
        remarks: Vec::new(),
        typed: false,
    })
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| text.text.to_owned())
}

fn kind(raw: &RawDefinition, fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<SkillKind> {
    // A `skill_type` that v1 does not have has been reported by its translation.
    let said = raw.dialect == Dialect::V1 && raw.root.get("skill_type").is_some_and(|node| !node.is_null());
    if fields.node("type").is_none() && !said {
        let key = if context.dialect == Dialect::V1 { "skill_type" } else { "type" };
        let message = format!("the definition has no `{key}`");
        let help = format!("write `\"{key}\": \"code_inline\"`");
        context.sink.error(codes::MISSING_KEY, &fields.place_of("type"), message, help);
    }
    fields.choice("type", reader::KINDS, &mut context.sink)
}

/// The name. v1 asks for one; elsewhere the file's stands in where it can.
fn name(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<String> {
    if fields.node("name").is_some() {
        let name = fields.text("name", &mut context.sink)?;
        return names::check("the name", name, &mut context.sink);
    }
    if context.dialect == Dialect::V1 {
        // Reported by the translation, at `metadata`.
        return None;
    }
    let stem = reader::stem(context.file);
    if !names::is_name(stem) {
        fields.missing(codes::MISSING_KEY, "name", "write `\"name\": \"…\"`", &mut context.sink);
        return None;
    }
    let message = format!("the definition has no `name`, so it is called `{stem}` after its file");
    context.sink.warning(
        codes::MISSING_KEY,
        &fields.place_of("name"),
        message,
        format!("write `\"name\": \"{stem}\"`"),
    );
    Some(stem.to_owned())
}

/// A skill without a description runs, but no person and no model can tell when to use it.
fn description(fields: &mut Fields<'_>, context: &mut Context<'_>) -> String {
    match fields.node("description") {
        None => {
            let help = "write `\"description\": \"…\"`: what it does and when to use it";
            let place = fields.place_of("description");
            context.sink.warning(codes::MISSING_KEY, &place, "the definition has no `description`", help);
            String::new()
        }
        Some(_) => owned(fields.text("description", &mut context.sink)).unwrap_or_default(),
    }
}

fn aliases(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Vec<String> {
    let name = fields.node("name").and_then(Node::as_str);
    let mut aliases = Vec::new();
    let mut known: HashSet<&str> = name.into_iter().collect();
    for text in fields.texts("aliases", &mut context.sink).unwrap_or_default() {
        let Some(alias) = names::check("the alias", text, &mut context.sink) else { continue };
        if !known.insert(text.text) {
            let message = format!("the alias `{alias}` is given already");
            context.sink.warning(codes::REPEATED, text.span, message, "remove it");
        } else {
            aliases.push(alias);
        }
    }
    aliases
}

fn homepage(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<String> {
    let text = fields.text("homepage", &mut context.sink)?;
    // It is shown as a link: what is no web address must not become one.
    if text.text.starts_with("https://") || text.text.starts_with("http://") {
        return Some(text.text.to_owned());
    }
    let message = format!("the homepage `{}` is not a web address", text.text.escape_debug());
    context.sink.warning(codes::BAD_URL, text.span, message, "write an address that begins with `https://`");
    None
}

/// Where the skill belongs. The place where it was found decides; a file named by its path may say that it is the
/// project's, and none can lift itself to another scope.
fn scope(raw: &RawDefinition, fields: &mut Fields<'_>, context: &mut Context<'_>) -> Scope {
    let choices =
        [("workspace", Scope::Project), ("project", Scope::Project), ("user", Scope::User), ("global", Scope::User)];
    let Some(said) = fields.choice("scope", &choices, &mut context.sink) else { return raw.scope };
    match (raw.scope, said) {
        (Scope::Direct, Scope::Project) => Scope::Project,
        (found, said) if found == said || found == Scope::Direct => found,
        (found, said) => {
            if let Some(node) = fields.node("scope") {
                let message = format!(
                    "the skill says that its scope is {said}, but it was found in the {found} scope, which holds"
                );
                context.sink.warning(codes::OTHER_SCOPE, &node.span, message, "move the file, or remove `scope`");
            }
            found
        }
    }
}

fn dependencies(own: Option<&str>, fields: &mut Fields<'_>, context: &mut Context<'_>) -> BTreeMap<String, VersionReq> {
    let sink = &mut context.sink;
    let mut found = BTreeMap::new();
    for (member, text) in fields.text_map("dependencies", sink).unwrap_or_default() {
        check_key(&member.key, &member.key_span, sink);
        if own == Some(member.key.as_str()) {
            let message = format!("`{}` needs itself", member.key);
            sink.error(codes::SELF_DEPENDENCY, &member.key_span, message, "remove it, or name another skill");
            continue;
        }
        if let Some(range) = names::version_range(&format!("`{}`:", member.key), text, sink) {
            found.insert(member.key.clone(), range);
        }
    }
    found
}

fn provides(fields: &mut Fields<'_>, context: &mut Context<'_>) -> BTreeMap<String, Version> {
    let sink = &mut context.sink;
    let mut found = BTreeMap::new();
    for (member, text) in fields.text_map("provides", sink).unwrap_or_default() {
        check_key(&member.key, &member.key_span, sink);
        if let Some(version) = names::version(&format!("`{}`:", member.key), text, sink) {
            found.insert(member.key.clone(), version);
        }
    }
    found
}

fn check_key(name: &str, span: &Span, sink: &mut Sink) {
    names::check("the skill name", Text { text: name, span }, sink);
}

fn metadata(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Map<String, Value> {
    match fields.object("metadata", &mut context.sink) {
        Some(object) => object.members().iter().map(|member| (member.key.clone(), member.value.to_value())).collect(),
        None => Map::new(),
    }
}

/// Sections that belong in the configuration: said once, rather than one warning for each key in them.
fn configuration(fields: &mut Fields<'_>, context: &mut Context<'_>) {
    for key in CONFIGURATION {
        if let Some(member) = fields.member(key) {
            let message = format!("`{key}` configures the engine, and does nothing in a skill");
            context.sink.warning(codes::CONFIGURATION, &member.key_span, message, "move it to `.skills/config.json`");
        }
    }
}
