use super::draft;
use super::placeholder::Found;
use crate::definition::codes;
use crate::definition::node::{Data, Node, Span};
use crate::definition::sink::Sink;

/// The parameters of a definition on their way to v2.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    list: Vec<Parameter>,
    /// Where the definition declares them; `None` where it does not.
    declared: Option<Span>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    node: Node,
    used: bool,
}

impl Parameters {
    /// Takes over a list of parameters or options, or a map of them by name.
    pub(super) fn declare(&mut self, from: &Node, sink: &mut Sink) {
        self.declared = Some(from.span.clone());
        for item in from.items() {
            self.push(item.clone(), sink);
        }
        for member in from.members() {
            let mut node = Node::object(&member.value.span);
            node.set("name", &member.key_span, Node::string(&member.key, &member.key_span));
            for own in member.value.members() {
                node.set(&own.key, &own.key_span, own.value.clone());
            }
            // A value that is no object is left for the checks of v2 to report.
            self.push(if member.value.is_object() { node } else { member.value.clone() }, sink);
        }
    }

    fn push(&mut self, written: Node, sink: &mut Sink) {
        let name = written.get("name").and_then(Node::as_str).unwrap_or_default().to_owned();
        let node = normalise(written, &name, sink);
        self.list.push(Parameter { name, node, used: false });
    }

    /// Whether there is a parameter of a name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.list.iter().any(|parameter| parameter.name == name)
    }

    /// The names, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.list.iter().map(|parameter| parameter.name.clone()).collect()
    }

    /// Marks a parameter as used by a placeholder, which may give it a default. One that nobody declared is added.
    pub(super) fn use_in(&mut self, found: &Found, at: &Span, sink: &mut Sink) {
        if !self.has(&found.name) {
            self.add_undeclared(found, at, sink);
        }
        let Some(parameter) = self.list.iter_mut().find(|parameter| parameter.name == found.name) else { return };
        parameter.used = true;
        if let Some(default) = &found.default {
            parameter.default_from_placeholder(default, at, sink);
        }
    }

    fn add_undeclared(&mut self, found: &Found, at: &Span, sink: &mut Sink) {
        let name = &found.name;
        // Where a file declares no parameters at all, its placeholders are their declaration.
        if self.declared.is_some() {
            sink.warning(
                codes::UNDECLARED_PARAMETER,
                at,
                format!("`{}` has no parameter `{name}`", found.written),
                format!("declare it: {{\"name\": \"{name}\", \"type\": \"string\"}}"),
            );
        }
        let mut node = Node::object(at);
        node.set("name", at, Node::string(name, at));
        node.set("type", at, Node::string("string", at));
        node.set("required", at, Node::bool(found.default.is_none(), at));
        self.list.push(Parameter { name: name.clone(), node, used: false });
    }

    /// Adds a parameter that the definition has in another shape.
    pub(super) fn add(&mut self, name: &str, node: Node) {
        self.list.push(Parameter { name: name.to_owned(), node, used: true });
    }

    /// Sees to it that every placeholder of a command has something to stand for, and every parameter a placeholder.
    pub(super) fn check_use(&mut self, sink: &mut Sink) {
        for parameter in &mut self.list {
            let (name, span) = (&parameter.name, parameter.node.span.clone());
            let named_at = parameter.node.get("name").map_or(span.clone(), |name| name.span.clone());
            if !parameter.used {
                draft::warn_unused(sink, name, &named_at);
                continue;
            }
            let required = parameter.node.get("required").and_then(Node::as_bool).unwrap_or(false);
            if required || parameter.node.has("default") {
                continue;
            }
            if parameter.type_name() == "array" {
                parameter.node.set("default", &span, Node::array(Vec::new(), &span));
                continue;
            }
            sink.warning(
                codes::NO_VALUE,
                &named_at,
                format!("`{name}` may be left out, and then nothing stands in its place"),
                format!("give `{name}` a `default`, or make it `\"required\": true`"),
            );
        }
    }

    /// The v2 list; `None` where the definition has no parameters in any shape.
    pub(super) fn into_node(self, fallback: &Span) -> Option<Node> {
        if self.list.is_empty() && self.declared.is_none() {
            return None;
        }
        let span = self.declared.unwrap_or_else(|| fallback.clone());
        Some(Node::array(self.list.into_iter().map(|parameter| parameter.node).collect(), &span))
    }
}

impl Parameter {
    fn type_name(&self) -> &str {
        self.node.get("type").and_then(Node::as_str).unwrap_or("string")
    }

    fn default_from_placeholder(&mut self, text: &str, at: &Span, sink: &mut Sink) {
        let name = self.name.clone();
        if self.node.get("required").and_then(Node::as_bool) == Some(true) {
            sink.warning(
                codes::CONFLICTING_DEFAULT,
                at,
                format!("`{name}` is required, so its default `{text}` is never used"),
                format!("remove the default, or make `{name}` `\"required\": false`"),
            );
            return;
        }
        let value = coerce(text, self.type_name(), at).unwrap_or_else(|| Node::string(text, at));
        if let Some(other) = self.node.get("default") {
            if other.to_value() != value.to_value() {
                sink.warning(
                    codes::CONFLICTING_DEFAULT,
                    at,
                    format!("`{name}` has the default {} already; `{text}` is not used", other.to_value()),
                    "give the parameter one default",
                );
            }
            return;
        }
        self.allow(&value, at, sink);
        self.node.set("default", at, value);
    }

    /// Adds a default to the values of its own parameter, where they leave it out: the file uses it all the same.
    fn allow(&mut self, value: &Node, at: &Span, sink: &mut Sink) {
        let Some(key) = ["enum", "values"].into_iter().find(|key| self.node.get(key).is_some_and(Node::is_array))
        else {
            return;
        };
        let Some(member) = self.node.member(key).cloned() else { return };
        let mut values = member.value.items().to_vec();
        if values.iter().any(|allowed| allowed.to_value() == value.to_value()) {
            return;
        }
        let shown: Vec<String> = values.iter().map(|value| value.to_value().to_string()).collect();
        sink.warning(
            codes::CONFLICTING_DEFAULT,
            at,
            format!(
                "the default {} of `{}` is none of its values {}; it is taken as one more of them",
                value.to_value(),
                self.name,
                shown.join(", ")
            ),
            format!("add it to `{key}`, or choose a default that is there"),
        );
        values.push(value.clone());
        self.node.set(key, &member.key_span, Node::array(values, &member.value.span));
    }
}

/// A parameter with v2's keys and values: no `null` for "none", `default` for `default_value`, types by v2's names.
pub(super) fn normalise(written: Node, name: &str, sink: &mut Sink) -> Node {
    let Data::Object(members) = written.data else { return written };
    let mut node = Node::object(&written.span);
    for member in members.into_iter().filter(|member| !member.value.is_null()) {
        let key = if member.key == "default_value" { "default".to_owned() } else { member.key };
        node.set(&key, &member.key_span, member.value);
    }
    let type_name = node.get("type").and_then(Node::as_str).map(str::to_owned);
    let span = node.get("type").map_or(written.span.clone(), |node| node.span.clone());
    match type_name.as_deref() {
        Some("flag" | "switch") => {
            node.set("type", &span, Node::string("boolean", &span));
            if !node.has("default") {
                node.set("default", &span, Node::bool(false, &span));
            }
        }
        Some("bool") => node.set("type", &span, Node::string("boolean", &span)),
        Some("text" | "str") => node.set("type", &span, Node::string("string", &span)),
        Some("int") => node.set("type", &span, Node::string("integer", &span)),
        Some("float") => node.set("type", &span, Node::string("number", &span)),
        None if !node.has("type") => {
            let guess = guess(&node);
            let at = node.get("name").map_or(span.clone(), |name| name.span.clone());
            sink.warning(
                codes::DEVIATION,
                &at,
                format!("the parameter `{name}` has no `type`; it is taken as `{guess}`"),
                format!("write \"type\": \"{guess}\""),
            );
            node.set("type", &span, Node::string(guess, &span));
        }
        _ => {}
    }
    untext_default(&mut node, name, sink);
    node
}

/// The type of a parameter that does not say it, by what else it says.
fn guess(node: &Node) -> &'static str {
    let by_key = [
        ("values", "enum"),
        ("enum", "enum"),
        ("items", "array"),
        ("properties", "object"),
        ("minimum", "number"),
        ("maximum", "number"),
    ];
    if let Some((_, guess)) = by_key.into_iter().find(|(key, _)| node.has(key)) {
        return guess;
    }
    match node.get("default").map(|default| &default.data) {
        Some(Data::Bool(_)) => "boolean",
        Some(Data::Number(_)) => "number",
        Some(Data::Array(_)) => "array",
        Some(Data::Object(_)) => "object",
        _ => "string",
    }
}

/// `"default_value": "3"` of a number is 3.
fn untext_default(node: &mut Node, name: &str, sink: &mut Sink) {
    let Some(member) = node.member("default") else { return };
    let type_name = node.get("type").and_then(Node::as_str).unwrap_or("string");
    if matches!(type_name, "string" | "enum") {
        return;
    }
    let Some(value) = member.value.as_str().and_then(|text| coerce(text, type_name, &member.value.span)) else {
        return;
    };
    let (key_span, span) = (member.key_span.clone(), member.value.span.clone());
    let shown = value.to_value();
    sink.warning(
        codes::TEXT_FOR_VALUE,
        &span,
        format!("the default of `{name}`, a {type_name}, is written as text"),
        format!("write \"default\": {shown}"),
    );
    node.set("default", &key_span, value);
}

/// A text as a value of a parameter's type; `None` where it is none.
fn coerce(text: &str, type_name: &str, span: &Span) -> Option<Node> {
    let value: serde_json::Value = match type_name {
        "number" | "integer" | "boolean" | "array" | "object" => serde_json::from_str(text.trim()).ok()?,
        _ => text.into(),
    };
    let fits = match type_name {
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    fits.then(|| Node::from_value(&value, span))
}
