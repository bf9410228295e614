//! Programs whose protocol is known where a definition says nothing of it.

use super::protocol::{Pattern, Protocol};

/// A program that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// How it is asked.
    pub protocol: Protocol,
    /// The arguments that it is started with where the definition gives none.
    pub arguments: &'static [&'static str],
}

/// What makes Python evaluate a request as its prompt would, however many lines that has, and print a marker.
const PYTHON: &str = "exec(compile((lambda ast, request: ast.Interactive(ast.parse(request, '<request>').body))(__import__('ast'), \
                      {input_json}), '<request>', 'single'))\n\
                      (lambda sys: print('{marker}', int(sys.__dict__.pop('last_type', None) is not None), flush=True) or \
                      sys.__dict__.update(ps1='', ps2=''))(__import__('sys'))\n";
/// Without prompts, which it writes to its standard error. They are gone with the first request anyway.
const PYTHON_ARGUMENTS: &[&str] = &["-i", "-q", "-u", "-c", "import sys; sys.ps1 = sys.ps2 = ''"];

/// The same of Node. Its own `-i` writes prompts between the answers.
const NODE: &str = "require('vm').runInThisContext({input_json}, '<request>')\nconsole.log('{marker}')\n";
const NODE_ARGUMENTS: &[&str] =
    &["-e", "require('repl').start({ prompt: '', terminal: false, useGlobal: true, ignoreUndefined: true })"];
const NODE_PROMPT: &str = r"(?:> |\.\.\. |\| )+";

/// A statement without its semicolon is ended, so that what follows is none of it.
const SQLITE: &str = "{input}\n;\n.print {marker}\n";
const PSQL: &str = "{input}\n;\n\\echo {marker}\n";
const PSQL_ARGUMENTS: &[&str] = &["-q", "-X", "-A", "-t"];
const BC: &str = "{input}\nprint \"{marker}\\n\"\n";
/// As one word, so that an open quote hurts nothing behind it.
const SHELL: &str = "eval {input_shell} </dev/null\nprintf '%s %s\\n' {marker} \"$?\"\n";

/// How a program is asked that is started with such arguments, if that is known.
pub fn known(program: &str, arguments: &[String]) -> Option<Known> {
    let marker =
        |send: &str, arguments| Some(Known { protocol: Protocol::Marker { send: send.to_owned() }, arguments });
    let name = name(program);
    let has = |wanted: &[&str]| arguments.iter().any(|own| wanted.contains(&own.as_str()));
    let words = || arguments.iter().filter(|own| !own.starts_with('-')).count();
    match name {
        name if is_python(name) => {
            (arguments.is_empty() || has(&["-i"])).then(|| marker(PYTHON, PYTHON_ARGUMENTS)).flatten()
        }
        "node" | "nodejs" if arguments.is_empty() => marker(NODE, NODE_ARGUMENTS),
        "node" | "nodejs" if has(&["-i", "--interactive"]) => {
            let prompt = Pattern::new(NODE_PROMPT).ok()?;
            Some(Known { protocol: Protocol::Prompt { prompt, echo: false }, arguments: &[] })
        }
        // With more words, the others are statements, and it ends after them.
        "sqlite3" if words() <= 1 && !has(&["-interactive", "--interactive"]) => marker(SQLITE, &[]),
        "psql" if !has(&["-c", "--command", "-f", "--file", "-l", "--list"]) => marker(PSQL, PSQL_ARGUMENTS),
        "bc" if !has(&["-h", "--help", "-v", "--version"]) => marker(BC, &["-q"]),
        "bash" | "sh" | "dash" if arguments.is_empty() => marker(SHELL, &[]),
        _ => None,
    }
}

/// Whether what a program reads is code, in which a value that is put between other text could be more than a value.
pub fn reads_code(program: &str) -> bool {
    const OTHERS: [&str; 17] = [
        "node", "nodejs", "deno", "bun", "ruby", "irb", "perl", "php", "lua", "psql", "mysql", "mariadb", "sqlite3",
        "duckdb", "bc", "gdb", "R",
    ];
    let name = name(program);
    is_python(name) || OTHERS.contains(&name) || name.ends_with("sh")
}

fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn is_python(name: &str) -> bool {
    let version = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.');
    name.strip_prefix("python").is_some_and(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(program: &str, arguments: &[&str]) -> Option<&'static str> {
        let arguments: Vec<String> = arguments.iter().map(|own| (*own).to_owned()).collect();
        known(program, &arguments).map(|known| known.protocol.name())
    }

    #[test]
    fn a_program_is_known_by_its_name_and_its_arguments() {
        for (program, arguments, protocol) in [
            ("python3", &[] as &[_], Some("marker")),
            ("/usr/bin/python3.11", &["-i"], Some("marker")),
            ("python3", &["main.py"], None),
            ("python3-config", &[], None),
            ("node", &[], Some("marker")),
            ("node", &["-i"], Some("prompt")),
            ("node", &["main.js"], None),
            ("sqlite3", &[":memory:"], Some("marker")),
            ("sqlite3", &["-json", "a.db"], Some("marker")),
            ("sqlite3", &["a.db", "select 1"], None),
            ("psql", &["-c", "select 1"], None),
            ("bc", &["-l"], Some("marker")),
            ("bash", &["main.sh"], None),
            ("cat", &[], None),
        ] {
            assert_eq!(self::protocol(program, arguments), protocol, "{program} {arguments:?}");
        }
    }

    #[test]
    fn every_marker_that_is_known_is_one() {
        for send in [PYTHON, NODE, SQLITE, PSQL, BC, SHELL] {
            assert_eq!(Protocol::marker_problem(send), None, "{send}");
        }
    }
}
