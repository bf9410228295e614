use super::danger::{self, Danger};
use super::parameters::Parameters;
use super::placeholder::{self, Forms};
use super::shell::{self, CommandLine};
use crate::definition::codes;
use crate::definition::limits::{self, seconds_from_milliseconds};
use crate::definition::node::{Node, Span};
use crate::definition::sink::Sink;

/// Keys that mean in v2 what they mean in every dialect.
const SHARED: [&str; 17] = [
    "name",
    "description",
    "version",
    "aliases",
    "author",
    "license",
    "homepage",
    "scope",
    "type",
    "dependencies",
    "provides",
    "security",
    "sandbox",
    "resource_limits",
    "resilience",
    "output_format",
    "metadata",
];

/// A v2 definition in the making.
pub(super) struct Draft<'a> {
    /// The definition as it was written.
    pub(super) root: &'a Node,
    /// Where what is wrong goes.
    pub(super) sink: &'a mut Sink,
    /// Its parameters.
    pub(super) parameters: Parameters,
    out: Node,
    taken: Vec<&'a str>,
    /// Whether what it runs could not be translated, which has been said.
    failed: bool,
}

impl<'a> Draft<'a> {
    /// A draft with what every dialect shares already in it.
    pub(super) fn new(root: &'a Node, sink: &'a mut Sink) -> Draft<'a> {
        let mut out = Node::object(&root.span);
        let mut taken = vec!["$schema"];
        // In v2's order of reading, whatever the order of the file.
        for key in SHARED {
            if let Some(member) = root.member(key) {
                out.set(key, &member.key_span, member.value.clone());
                taken.push(key);
            }
        }
        Draft { root, sink, parameters: Parameters::default(), out, taken, failed: false }
    }

    /// A value of the definition; what is taken is not left over for the metadata.
    pub(super) fn take(&mut self, key: &'a str) -> Option<&'a Node> {
        self.taken.push(key);
        self.root.get(key)
    }

    /// Sets a key of the v2 form.
    pub(super) fn set(&mut self, key: &str, value: Node) {
        let span = value.span.clone();
        self.out.set(key, &span, value);
    }

    /// Sets a key of the v2 form to a text.
    pub(super) fn text(&mut self, key: &str, value: &str, span: &Span) {
        self.out.set(key, span, Node::string(value, span));
    }

    /// Sets a key unless the definition has it.
    pub(super) fn text_unless(&mut self, key: &str, value: &str, span: &Span) {
        if !self.out.has(key) {
            self.text(key, value, span);
        }
    }

    /// Takes over the parameters below a key.
    pub(super) fn declare(&mut self, key: &'a str) {
        if let Some(from) = self.take(key) {
            self.parameters.declare(from, self.sink);
        }
    }

    /// A text with v2's placeholders. Its parameters count as used.
    pub(super) fn rewrite(&mut self, node: &Node) -> Option<String> {
        let text = node.as_str()?;
        let parameters = &self.parameters;
        let rewritten = placeholder::rewrite(text, Forms::WILD, &|name| parameters.has(name));
        for found in &rewritten.found {
            let at = locate(self.sink, node, &found.written);
            self.parameters.use_in(found, &at, self.sink);
        }
        Some(rewritten.text)
    }

    /// A node like another, with v2's placeholders in every text below it.
    pub(super) fn rewrite_all(&mut self, node: &Node) -> Node {
        if let Some(text) = self.rewrite(node) {
            return Node::string(text, &node.span);
        }
        if node.is_array() {
            let items = node.items().iter().map(|item| self.rewrite_all(item)).collect();
            return Node::array(items, &node.span);
        }
        if node.is_object() {
            let mut out = Node::object(&node.span);
            for member in node.members() {
                let value = self.rewrite_all(&member.value);
                out.set(&member.key, &member.key_span, value);
            }
            return out;
        }
        node.clone()
    }

    /// A command in one line: a program with arguments where it is that, source for a shell where it has to be.
    fn command_line(&mut self, node: &Node) {
        let Some(text) = self.rewrite(node) else {
            self.set("command", node.clone());
            return;
        };
        self.warn_of(danger::of_line(&text), node);
        self.set_command_line(&text, node);
    }

    fn set_command_line(&mut self, text: &str, node: &Node) {
        let parameters = &self.parameters;
        let is_parameter = |name: &str| parameters.has(name);
        match shell::analyse(text, &is_parameter) {
            CommandLine::Words(words) => self.set_words(&words, &node.span),
            CommandLine::Shell(operator) => {
                warn_shell(self.sink, node, &operator);
                self.text("command", text.trim(), &node.span);
                self.set("shell", Node::bool(true, &node.span));
            }
            CommandLine::Broken(why) => {
                self.failed = true;
                broken(self.sink, node, why);
            }
        }
    }

    fn set_words(&mut self, words: &[String], span: &Span) {
        if let Some((program, arguments)) = words.split_first() {
            self.set_program(program, span);
            if !arguments.is_empty() {
                let items = arguments.iter().map(|argument| Node::string(argument, span)).collect();
                self.set("args", Node::array(items, span));
            }
        }
    }

    fn set_program(&mut self, program: &str, span: &Span) {
        warn_beside(self.sink, program, span);
        self.text("command", program, span);
    }

    /// A program, with its arguments where they stand apart. Without any it may be a whole line.
    pub(super) fn program(&mut self, program: &Node, arguments: Option<&Node>) {
        let Some(arguments) = arguments.filter(|node| !(node.is_array() && node.items().is_empty())) else {
            return self.command_line(program);
        };
        let Some(text) = self.rewrite(program) else {
            self.set("command", program.clone());
            return;
        };
        let arguments = self.rewrite_all(arguments);
        let (first, own) = shell::program(&text, &|name| self.parameters.has(name));
        let items: Vec<Node> = own.iter().map(|own| Node::string(own, &program.span)).collect();
        let items: Vec<Node> = items.into_iter().chain(arguments.items().iter().cloned()).collect();
        let words: Vec<String> = std::iter::once(first.clone())
            .chain(items.iter().filter_map(|item| item.as_str().map(str::to_owned)))
            .collect();
        self.warn_of(danger::of_words(&words), program);
        self.set_program(&first, &program.span);
        // What is no array is left for the checks of v2 to report.
        let args = if arguments.is_array() { Node::array(items, &arguments.span) } else { arguments };
        self.set("args", args);
    }

    fn warn_of(&mut self, dangers: Vec<Danger>, node: &Node) {
        let asks = self.root.at(&["security", "permissions", "network_access"]).is_some()
            || self.root.at(&["sandbox", "allow_network"]).is_some();
        for danger in dangers {
            if !(asks && danger.help.contains("network_access")) {
                warn_danger(self.sink, &danger, node);
            }
        }
    }

    /// What surrounds a command in every dialect: `timeout` in milliseconds, environment and folder.
    pub(super) fn surroundings(&mut self, from: &Node) {
        if let Some(timeout) = from.get("timeout") {
            let seconds = seconds_from_milliseconds("`timeout`", timeout, &limits::TIMEOUT, limits::RUN, self.sink);
            if let Some(seconds) = seconds {
                self.set("timeout", seconds);
            }
        }
        for (key, v2) in [
            ("env", "environment"),
            ("environment", "environment"),
            ("working_dir", "working_directory"),
            ("working_directory", "working_directory"),
            ("cwd", "working_directory"),
        ] {
            if let Some(value) = from.get(key) {
                let value = self.rewrite_all(value);
                self.set(v2, value);
            }
        }
    }

    /// Says that the definition cannot be translated, and why.
    pub(super) fn untranslatable(&mut self, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.failed = true;
        self.sink.error(codes::UNTRANSLATABLE, span, message, help);
    }

    /// The v2 form. Keys that nothing took stand in its metadata.
    pub(super) fn finish(mut self) -> Node {
        if self.failed && !["command", "executor", "prompt"].iter().any(|key| self.out.has(key)) {
            // Something to run, so that the checks of v2 do not say in other words that there is nothing.
            let span = self.root.span.clone();
            self.text("command", "untranslated", &span);
        }
        if let Some(parameters) = self.parameters.into_node(&self.root.span) {
            let span = parameters.span.clone();
            self.out.set("parameters", &span, parameters);
        }
        let left: Vec<_> = self.root.members().iter().filter(|m| !self.taken.contains(&m.key.as_str())).collect();
        if let Some(first) = left.first() {
            let names: Vec<String> = left.iter().map(|member| format!("`{}`", member.key)).collect();
            let (verb, them) = if names.len() == 1 { ("has", "it") } else { ("have", "them") };
            self.sink.warning(
                codes::KEPT_AS_METADATA,
                &first.key_span,
                format!("{} {verb} no effect here; the skill's metadata keeps {them}", names.join(", ")),
                format!("move {them} into `metadata`, or remove {them}"),
            );
        }
        // Metadata that is no object is for the checks of v2 to report, and cannot take anything.
        let mut metadata = self.out.take("metadata").map_or(Node::object(&self.root.span), |member| member.value);
        for member in left {
            if !metadata.has(&member.key) {
                metadata.set(&member.key, &member.key_span, member.value.clone());
            }
        }
        if !(metadata.is_object() && metadata.members().is_empty()) {
            let span = metadata.span.clone();
            self.out.set("metadata", &span, metadata);
        }
        self.out
    }
}

/// Where a placeholder stands in the source of a text; the whole text where escapes hide it.
pub(super) fn locate(sink: &Sink, node: &Node, written: &str) -> Span {
    let source = sink.text().get(node.span.clone()).unwrap_or_default();
    match source.find(written) {
        Some(at) => node.span.start + at..node.span.start + at + written.len(),
        None => node.span.clone(),
    }
}

/// Says that a command needs a shell.
pub(super) fn warn_shell(sink: &mut Sink, node: &Node, operator: &str) {
    let shown = if operator.contains(' ') { operator.to_owned() } else { format!("`{operator}`") };
    sink.warning(
        codes::NEEDS_SHELL,
        &node.span,
        format!("the command needs a shell, for {shown}; it is taken as `\"shell\": true`"),
        "write a script, or a `command` with `args` and no shell, where that is enough",
    );
}

/// Says that nobody can run a command.
pub(super) fn broken(sink: &mut Sink, node: &Node, why: &str) {
    sink.error(codes::BROKEN_COMMAND, &node.span, why, "write the command as you would type it into a shell");
}

/// Says what a command does that a person should know.
pub(crate) fn warn_danger(sink: &mut Sink, danger: &Danger, node: &Node) {
    let first = danger.part.split(' ').next().unwrap_or_default();
    let at = locate(sink, node, first);
    sink.warning(codes::DANGEROUS_COMMAND, &at, format!("`{}` {}", danger.part, danger.does), danger.help);
}

/// Says of a program that is called like a script where it is looked for.
pub(crate) fn warn_beside(sink: &mut Sink, program: &str, span: &Span) {
    if is_script(program) {
        sink.warning(
            codes::BESIDE_THE_FILE,
            span,
            format!("`{program}` is looked for among the installed programs, not beside the definition"),
            format!("write \"./{program}\" if it stands beside the definition"),
        );
    }
}

/// Says that a parameter is for nothing.
pub(crate) fn warn_unused(sink: &mut Sink, name: &str, at: &Span) {
    sink.warning(
        codes::UNUSED_PARAMETER,
        at,
        format!("nothing uses the parameter `{name}`: whatever it is given has no effect"),
        format!("put `{{{name}}}` where it belongs, or remove it"),
    );
}

fn is_script(program: &str) -> bool {
    !program.contains('/')
        && program.rsplit_once('.').is_some_and(|(stem, extension)| {
            !stem.is_empty() && skills_core::Language::from_extension(extension).is_some()
        })
}
