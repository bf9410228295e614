//! What a person should know of what a definition runs: parameters that nothing uses, commands that destroy, download,
//! or need what the definition does not ask for.
//!
//! It looks at what was built, so that a file is told the same in whatever form it is written. The translations of the
//! wild forms say some of it where they read it; what is said twice about one place is shown once.

use crate::definition::build::Context;
use crate::definition::codes;
use crate::definition::dialects::danger::{self, Danger};
use crate::definition::dialects::draft;
use crate::definition::node::Node;
use crate::definition::suggest;
use crate::{Allow, Body, CommandSpec, Dialect, Permissions, SkillKind, Stdin};
use skills_core::template;
use std::collections::{BTreeSet, HashSet};

/// Words of a shell that start no program.
const BUILTINS: &[&str] = &[
    ".", ":", "[", "[[", "alias", "break", "cd", "continue", "declare", "done", "echo", "esac", "eval", "exit",
    "export", "false", "fi", "for", "function", "in", "let", "local", "mapfile", "printf", "pwd", "read", "readonly",
    "return", "select", "set", "shift", "source", "test", "trap", "true", "type", "ulimit", "umask", "unset", "wait",
    "}",
];

/// Words of a shell behind which a command begins.
const BEFORE: &[&str] = &["if", "then", "elif", "else", "while", "until", "do", "time", "exec", "command", "{", "!"];

/// How many unused parameters are told apart.
const FEW: usize = 3;

/// Remarks on the body of a v2 tree. `embedded` says that a program's script runs in an interpreter instead.
pub(crate) fn of_body(root: &Node, body: &Body, embedded: bool, permissions: &Permissions, context: &mut Context<'_>) {
    unused_parameters(root, body, embedded, context);
    let Body::Command(spec) = body else { return };
    let holder = root.get("executor").filter(|node| node.is_object()).unwrap_or(root);
    let Some(node) = holder.get("command").filter(|_| !embedded) else { return };
    processes(spec, permissions, node, context);
    // The translations of the other forms have said it of what they read.
    if !matches!(context.dialect, Dialect::V1 | Dialect::V2) {
        return;
    }
    let words: Vec<String> = std::iter::once(&spec.command).chain(&spec.args).cloned().collect();
    let found = if spec.shell { danger::of_line(&spec.command) } else { danger::of_words(&words) };
    for Danger { part, does, help } in found {
        if !(help.contains("network_access") && permissions.network_access.is_some()) {
            draft::warn_danger(&mut context.sink, &Danger { part, does, help }, node);
        }
    }
    if !spec.shell {
        draft::warn_beside(&mut context.sink, &spec.command, &node.span);
    }
}

/// Parameters that a program or a template could only get by a placeholder, and does not.
fn unused_parameters(root: &Node, body: &Body, embedded: bool, context: &mut Context<'_>) {
    let texts: Vec<&String> = match body {
        Body::Command(spec) if spec.stdin == Stdin::None && !embedded && context.kind == SkillKind::CodeInline => {
            let texts = std::iter::once(&spec.command).chain(&spec.args).chain(spec.env.values());
            texts.chain(&spec.working_directory).collect()
        }
        Body::Prompt { template, scripts } if scripts.is_empty() => vec![template],
        _ => return,
    };
    let used: HashSet<&str> = texts.into_iter().flat_map(|text| template::names(text)).collect();
    let unused: Vec<String> = context.declared.iter().filter(|name| !used.contains(name.as_str())).cloned().collect();
    // The translations of the other forms name each where they read it, and so is it here where they are few.
    if unused.len() <= FEW {
        for name in unused {
            draft::warn_unused(&mut context.sink, &name, &declared_at(root, &name));
        }
    } else if let Some(first) = unused.first().filter(|_| matches!(context.dialect, Dialect::V1 | Dialect::V2)) {
        let named = suggest::list(unused.iter().take(FEW).map(String::as_str));
        let message = format!("nothing uses {} of the parameters, such as {named}", unused.len());
        let help = "put each as `{NAME}` where it belongs, or remove it";
        context.sink.warning(codes::UNUSED_PARAMETER, &declared_at(root, first), message, help);
    }
}

/// Where a parameter's name stands.
fn declared_at(root: &Node, name: &str) -> crate::definition::node::Span {
    let parameters = root.get("parameters").unwrap_or(root);
    let item = parameters.items().iter().filter_map(|item| item.get("name")).find(|own| own.as_str() == Some(name));
    let member = parameters.member(name).map(|member| &member.key_span);
    let start = parameters.span.start;
    item.map(|own| own.span.clone()).or_else(|| member.cloned()).unwrap_or(start..start + 1)
}

/// Programs that a line for a shell starts, which needs a permission of its own.
fn processes(spec: &CommandSpec, permissions: &Permissions, node: &Node, context: &mut Context<'_>) {
    if !spec.shell {
        return;
    }
    let allowed: &[String] = match &permissions.process_spawn {
        Some(Allow::All(true)) => return,
        Some(Allow::Only(names)) => names,
        _ => &[],
    };
    let programs = programs(&spec.command);
    let missing: BTreeSet<&str> = programs.iter().filter(|name| !allowed.contains(name)).map(String::as_str).collect();
    if missing.is_empty() {
        return;
    }
    let list: Vec<String> = missing.iter().map(|name| format!("\"{name}\"")).collect();
    let message = format!("the command starts {}, which a skill may not unless it asks", suggest::list(missing));
    let help = format!("add `\"security\": {{\"permissions\": {{\"process_spawn\": [{}]}}}}`", list.join(", "));
    context.sink.warning(codes::NEEDS_PROCESSES, &node.span, message, help);
}

/// The names of the programs that shell source starts, as far as a glance tells: none where it has what only a shell
/// reads rightly.
fn programs(source: &str) -> Vec<String> {
    if ["case ", "<<", "()", "`"].iter().any(|hard| source.contains(hard)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for simple in simple_commands(source) {
        let mut words = simple.iter().map(String::as_str).skip_while(|word| BEFORE.contains(word));
        // `A=1 program` runs `program`.
        let first = words.find(|word| !word.contains('=')).unwrap_or_default();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '/' | '[' | ':');
        if !first.is_empty() && first.chars().all(plain) && !BUILTINS.contains(&first) {
            found.push(first.to_owned());
        }
    }
    found
}

/// The words of each simple command, without quotes; what stands in quotes or behind `#` is no command.
fn simple_commands(source: &str) -> Vec<Vec<String>> {
    let mut commands = vec![vec![String::new()]];
    let mut characters = source.chars().peekable();
    let mut before = '\n';
    while let Some(c) = characters.next() {
        let Some(word) = commands.last_mut().and_then(|command| command.last_mut()) else { break };
        match c {
            '\'' | '"' => word.extend(characters.by_ref().take_while(|inner| *inner != c)),
            '\\' => word.extend(characters.next()),
            '#' if word.is_empty() => while characters.next_if(|inner| *inner != '\n').is_some() {},
            // `2>&1` and `&>file` are no operators.
            '&' if before == '>' || before == '<' || characters.peek() == Some(&'>') => word.push(c),
            '|' | ';' | '&' | '\n' | '(' | ')' => commands.push(vec![String::new()]),
            c if c.is_whitespace() => {
                if let Some(command) = commands.last_mut() {
                    command.push(String::new());
                }
            }
            c => word.push(c),
        }
        before = c;
    }
    for command in &mut commands {
        command.retain(|word| !word.is_empty());
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::programs;

    #[test]
    fn programs_of_a_line_are_found() {
        for (line, expected) in [
            ("ls -la | sort -u", &["ls", "sort"][..]),
            ("cd /tmp && A=1 make -j2 2>&1; echo 'a | b' # rm", &["make"]),
            ("if grep -q x f; then git status; fi", &["grep", "git"]),
            ("for f in a b; do wc \"$f\"; done", &["wc"]),
            ("echo $(date +%s)", &["date"]),
            ("cat <<X\nls\nX", &[]),
            ("{program} x", &[]),
        ] {
            assert_eq!(programs(line), expected, "{line}");
        }
    }
}
