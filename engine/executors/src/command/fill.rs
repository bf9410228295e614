//! From a program as it is declared, and the arguments of a call, to what is started.

use super::{CommandSpec, Invocation, OutputForm, Stdin};
use crate::{environment, shell};
use serde_json::{Map, Value};
use skills_core::template::{self, Piece};
use skills_core::{ErrorKind, Failure, Script};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The shell that runs shell source.
pub(super) const BASH: &str = "bash";

/// The longest argument or variable that the system passes to a program, in bytes.
const MOST_TEXT: usize = 131_071;

/// The most bytes of arguments and variables together.
const MOST_TOGETHER: usize = 1 << 20;

/// A placeholder that the engine fills itself, in a session.
pub(super) const SESSION: &str = "session_id";

/// One call of a skill.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The skill's name.
    pub skill: &'a str,
    /// The names of the parameters that the definition declares.
    pub parameters: &'a [&'a str],
    /// The arguments.
    pub arguments: &'a Map<String, Value>,
    /// The skill's own folder.
    pub folder: Option<&'a Path>,
    /// What becomes of the output.
    pub output: OutputForm,
}

impl Call<'_> {
    /// The program of a definition, with the arguments of this call.
    ///
    /// # Errors
    /// `invalid_arguments` for a value that would be taken for an option, that no program can be given or that is too long;
    /// `invalid_definition` for placeholders that cannot be filled safely; `unavailable` for one that only a session fills.
    pub fn command(&self, spec: &CommandSpec) -> Result<Invocation, Failure> {
        self.refuse_session(spec)?;
        let mut environment: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &spec.env {
            let filled = self.filled(value);
            let started = || {
                let message =
                    format!("a parameter is in the value of `{name}`, which names a program that others start");
                environment::is_started(name).then(|| (message, "set it to a value of the definition's own".to_owned()))
            };
            let problem = || environment::problem(name, &filled, self.folder, &[]).or_else(started);
            if let Some((message, help)) = problem().filter(|_| *value != filled) {
                return Err(Failure::new(ErrorKind::InvalidArguments, message).with_help(help));
            }
            environment.insert(name.clone(), environment::anchored(name, &filled, self.folder));
        }
        let (program, arguments) = if spec.shell {
            let source = self.source(&spec.command, &mut environment)?;
            let mut arguments = vec!["-c".to_owned(), source, self.skill.to_owned()];
            arguments.extend(self.all_arguments(&spec.args)?);
            (BASH.to_owned(), arguments)
        } else {
            let refusals = shell::check_arguments(&spec.command, &spec.args, &|name| self.is_parameter(name));
            if let Some(refusal) = refusals.into_iter().next() {
                return Err(Failure::new(ErrorKind::InvalidDefinition, refusal.message).with_help(refusal.help));
            }
            (self.filled(&spec.command), self.all_arguments(&spec.args)?)
        };
        let stdin = match spec.stdin {
            Stdin::None => String::new(),
            Stdin::Json => Value::Object(self.arguments.clone()).to_string(),
        };
        let name = if spec.shell { self.skill.to_owned() } else { program.clone() };
        self.checked(Invocation {
            program,
            arguments,
            environment,
            working_directory: spec.working_directory.as_deref().map(|folder| self.filled(folder)),
            stdin,
            output: self.output,
            exit_codes: spec.exit_codes.clone(),
            script: None,
            name,
            folder: self.folder.map(Path::to_path_buf),
            protocol: None,
            request: None,
        })
    }

    /// A bash script, with the arguments of this call in its environment: each as `SKILL_PARAM_name`, as `name` itself
    /// where that is harmless, and all as JSON in `SKILL_PARAMS`.
    ///
    /// # Errors
    /// `invalid_arguments` for a value that no variable can hold; `invalid_definition` for a script that is too long.
    pub fn bash(&self, script: &Arc<Script>) -> Result<Invocation, Failure> {
        if script.source.len() > MOST_TEXT || script.source.contains('\0') {
            let message = format!(
                "{} has a NUL character, or more than the {} KB that bash can be given",
                script.file,
                MOST_TEXT >> 10
            );
            return Err(Failure::new(ErrorKind::InvalidDefinition, message).with_help("split the script"));
        }
        let mut environment = BTreeMap::new();
        let names = self.parameters.iter().copied();
        let given = self.arguments.keys().map(String::as_str).filter(|name| !self.parameters.contains(name));
        for (name, variable) in environment::variables(names.chain(given)) {
            let Some(value) = self.arguments.get(&name).filter(|value| !value.is_null()) else { continue };
            let value = template::shown(Some(value)).into_owned();
            if environment::is_plain(&name) {
                environment.insert(name, value.clone());
            }
            environment.insert(variable, value);
        }
        let all = Value::Object(self.arguments.clone()).to_string();
        environment.insert(environment::PARAMETERS.to_owned(), all);
        self.checked(Invocation {
            program: BASH.to_owned(),
            arguments: vec!["-c".to_owned(), script.source.clone(), script.file.clone()],
            environment,
            working_directory: None,
            stdin: String::new(),
            output: self.output,
            exit_codes: BTreeMap::new(),
            script: Some(Arc::clone(script)),
            name: script.file.clone(),
            folder: self.folder.map(Path::to_path_buf),
            protocol: None,
            request: None,
        })
    }

    fn is_parameter(&self, name: &str) -> bool {
        self.parameters.contains(&name) || self.arguments.contains_key(name)
    }

    fn refuse_session(&self, spec: &CommandSpec) -> Result<(), Failure> {
        let texts =
            std::iter::once(&spec.command).chain(&spec.args).chain(spec.env.values()).chain(&spec.working_directory);
        let mut names = texts.flat_map(|text| template::names(text));
        if self.is_parameter(SESSION) || !names.any(|name| name == SESSION) {
            return Ok(());
        }
        let message = format!("`{}` uses `{{{SESSION}}}`, which only a session has", self.skill);
        Err(Failure::new(ErrorKind::Unavailable, message).with_help(
            "make it a skill of the type `code_session`, remove the argument, or declare a parameter of that name",
        ))
    }

    /// Shell source, with each parameter in a variable.
    fn source(&self, text: &str, environment: &mut BTreeMap<String, String>) -> Result<String, Failure> {
        let variables = environment::variables(self.parameters.iter().copied());
        let variable = |name: &str| variables.iter().find(|(own, _)| own == name).map(|(_, variable)| variable.clone());
        let source = shell::rewrite(text, &variable).map_err(|refusals| {
            let first = refusals.into_iter().next();
            let (message, help) = first.map(|first| (first.message, first.help)).unwrap_or_default();
            Failure::new(ErrorKind::InvalidDefinition, message).with_help(help)
        })?;
        for name in &source.guarded {
            self.guard(name, &template::shown(self.arguments.get(name)))?;
        }
        for (name, variable) in &variables {
            environment.insert(variable.clone(), template::shown(self.arguments.get(name)).into_owned());
        }
        Ok(source.text)
    }

    /// A text with its placeholders filled in, whatever the values.
    fn filled(&self, text: &str) -> String {
        let pieces = template::pieces(text, |name| self.is_parameter(name));
        pieces
            .map(|piece| match piece {
                Piece::Text(text) => text.into(),
                Piece::Value(name) => template::shown(self.arguments.get(name)),
            })
            .collect()
    }

    /// Every argument. One that is nothing but a parameter is left out where that was, and becomes several where it is an
    /// array.
    fn all_arguments(&self, templates: &[String]) -> Result<Vec<String>, Failure> {
        let mut all = Vec::new();
        let mut options_ended = false;
        for template in templates {
            let pieces = template::pieces(template, |name| self.is_parameter(name));
            let pieces: Vec<Piece<'_>> = pieces.filter(|piece| *piece != Piece::Text("")).collect();
            let first = match pieces.first() {
                Some(Piece::Value(name)) => Some(*name),
                _ => None,
            };
            let guarded = first.filter(|_| !options_ended);
            match (pieces.as_slice(), first.map(|name| self.arguments.get(name))) {
                ([_], Some(None | Some(Value::Null))) => {}
                ([_], Some(Some(Value::Array(items)))) => {
                    for item in items {
                        all.push(self.argument(guarded, template::shown(Some(item)).into_owned())?);
                    }
                }
                _ => all.push(self.argument(guarded, self.filled(template))?),
            }
            options_ended |= template == "--";
        }
        Ok(all)
    }

    fn argument(&self, guarded: Option<&str>, text: String) -> Result<String, Failure> {
        if let Some(name) = guarded {
            self.guard(name, &text)?;
        }
        Ok(text)
    }

    /// Refuses a value that a program would take for an option.
    fn guard(&self, name: &str, text: &str) -> Result<(), Failure> {
        if !text.starts_with('-') {
            return Ok(());
        }
        let shown: String = text.chars().take(40).collect();
        let message = format!(
            "`{name}` is `{}`: a value that begins with `-` would be taken for an option",
            shown.escape_debug()
        );
        Err(Failure::new(ErrorKind::InvalidArguments, message).with_help(format!(
            "give another value; in the definition, an argument \"--\" before `{{{name}}}` ends the options, and \
             `--option={{{name}}}` takes any value"
        )))
    }

    /// What the system can pass to a program.
    fn checked(&self, invocation: Invocation) -> Result<Invocation, Failure> {
        let texts = invocation.arguments.iter().chain(invocation.environment.values());
        let mut together = 0;
        for text in texts.chain(std::iter::once(&invocation.program)) {
            if text.contains('\0') {
                let message =
                    format!("an argument of `{}` has a NUL character, which no program can be given", self.skill);
                return Err(Failure::new(ErrorKind::InvalidArguments, message).with_help("remove the character"));
            }
            together += text.len() + 16;
            if text.len() > MOST_TEXT || together > MOST_TOGETHER {
                let message = format!(
                    "the arguments of `{}` are larger than a program can be given: {} KB each, {} MB together",
                    self.skill,
                    MOST_TEXT >> 10,
                    MOST_TOGETHER >> 20
                );
                return Err(Failure::new(ErrorKind::InvalidArguments, message)
                    .with_help("give less, or write the value into a file and give its path; a `command` with `\"stdin\": \"json\"` takes any size"));
            }
        }
        Ok(invocation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn command(spec: &CommandSpec, arguments: Value) -> Result<Invocation, Failure> {
        let parameters = ["x", "list", "flag", "n"];
        let arguments = arguments.as_object().unwrap();
        let folder = Some(Path::new("/srv/skill"));
        Call { skill: "s", parameters: &parameters, arguments, folder, output: OutputForm::Text }.command(spec)
    }

    fn argv(args: &[&str], arguments: Value) -> Result<Vec<String>, Failure> {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        command(&CommandSpec { command: "ls".into(), args, ..CommandSpec::default() }, arguments)
            .map(|one| one.arguments)
    }

    #[test]
    fn each_placeholder_stays_in_its_argument() {
        let given = json!({"x": "a b; c $(d) {n}", "list": ["1", 2, "c d"], "flag": true, "n": 5});
        assert_eq!(
            argv(&["{x}", "-n{n}", "{list}", "x{list}", "{flag}", "{{x}}", "{other}"], given).unwrap(),
            ["a b; c $(d) {n}", "-n5", "1", "2", "c d", "x[\"1\",2,\"c d\"]", "true", "{x}", "{other}"]
        );
    }

    #[test]
    fn what_is_not_given_is_left_out() {
        assert_eq!(argv(&["a", "{x}", "{list}", "--x={x}"], json!({"list": []})).unwrap(), ["a", "--x="]);
        // Without a declaration, what is given counts.
        assert_eq!(argv(&["{param1}", "{param2}"], json!({"param1": "v"})).unwrap(), ["v", "{param2}"]);
    }

    #[test]
    fn a_value_is_no_option() {
        for (args, given) in [
            (&["{x}"] as &[_], json!({"x": "-rf"})),
            (&["{x}/a"], json!({"x": "--output=b"})),
            (&["{list}"], json!({"list": ["a", "-b"]})),
            (&["{n}"], json!({"n": -1})),
            (&["{x}{n}"], json!({"x": "", "n": -1})),
            (&["{x}", "--"], json!({"x": "-"})),
        ] {
            let failure = argv(args, given.clone()).unwrap_err();
            assert_eq!(failure.kind, ErrorKind::InvalidArguments, "{args:?}");
            assert!(failure.help.unwrap().contains("\"--\""));
        }
        assert_eq!(argv(&["--", "{x}", "{list}"], json!({"x": "-a", "list": ["-b"]})).unwrap(), ["--", "-a", "-b"]);
        assert_eq!(argv(&["--x={x}", "-n{n}"], json!({"x": "-a", "n": -1})).unwrap(), ["--x=-a", "-n-1"]);
    }

    #[test]
    fn shell_source_has_its_values_in_variables() {
        let spec = CommandSpec {
            command: "echo 'a {x}' | wc {n}".into(),
            shell: true,
            args: vec!["{x}".into()],
            ..CommandSpec::default()
        };
        let made = command(&spec, json!({"x": "; rm -rf ~ #", "n": 1})).unwrap();
        let source = "echo 'a '\"${SKILL_PARAM_x}\"'' | wc \"${SKILL_PARAM_n}\"";
        assert_eq!(made.arguments, ["-c", source, "s", "; rm -rf ~ #"]);
        assert_eq!(made.environment["SKILL_PARAM_x"], "; rm -rf ~ #");
        assert!(made.is_shell());
        assert_eq!(command(&spec, json!({"x": "a", "n": -1})).unwrap_err().kind, ErrorKind::InvalidArguments);
        let nested = CommandSpec { command: "sh -c 'echo {x}'".into(), shell: true, ..CommandSpec::default() };
        assert_eq!(command(&nested, json!({})).unwrap_err().kind, ErrorKind::InvalidDefinition);
    }

    #[test]
    fn programs_within_arguments_are_refused() {
        let spec =
            CommandSpec { command: "sh".into(), args: vec!["-c".into(), "echo {y}".into()], ..CommandSpec::default() };
        assert_eq!(command(&spec, json!({"y": "a"})).unwrap_err().kind, ErrorKind::InvalidDefinition);
        assert!(command(&spec, json!({})).is_ok(), "what is no parameter is text");
    }

    #[test]
    fn what_no_program_can_be_given_is_refused() {
        for value in ["a\0b".to_owned(), "x".repeat(MOST_TEXT + 1)] {
            let failure = argv(&["{x}"], json!({"x": value})).unwrap_err();
            assert_eq!(failure.kind, ErrorKind::InvalidArguments);
        }
        let many = json!({"list": vec!["x".repeat(100_000); 11]});
        assert!(argv(&["{list}"], many).unwrap_err().message.contains("larger than a program can be given"));
    }

    #[test]
    fn only_a_session_has_a_session_id() {
        let failure = argv(&["--session", "{session_id}"], json!({})).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Unavailable);
        assert_eq!(argv(&["{session_id}"], json!({"session_id": "a"})).unwrap(), ["a"]);
    }

    #[test]
    fn a_variable_takes_values_that_keep_it_harmless() {
        let env = [
            ("GREETING", "Hi {x}"),
            ("PYTHONPATH", "{x}"),
            ("PYTHONPATH", "./src"),
            ("PAGER", "{x}"),
            ("PAGER", "less"),
        ];
        let with = |(name, value): (&str, &str), given: Value| {
            let env = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            let spec = CommandSpec { command: "ls".into(), env, ..CommandSpec::default() };
            command(&spec, given).map(|made| made.environment[name].clone())
        };
        assert_eq!(with(env[0], json!({"x": "$a"})).unwrap(), "Hi $a");
        assert_eq!(with(env[1], json!({"x": "/etc"})).unwrap_err().kind, ErrorKind::InvalidArguments);
        assert_eq!(with(env[2], json!({})).unwrap(), "/srv/skill/src");
        let failure = with(env[3], json!({"x": "less"})).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::InvalidArguments);
        assert!(failure.message.contains("`PAGER`, which names a program"), "{failure}");
        assert_eq!(with(env[4], json!({"x": "more"})).unwrap(), "less", "the definition may name one itself");
    }

    #[test]
    fn bash_gets_parameters_as_variables() {
        let arguments = json!({"x": "a b", "PATH": "/evil", "a-b": 1, "list": [1], "none": null});
        let parameters = ["x"];
        let call = Call {
            skill: "s",
            parameters: &parameters,
            arguments: arguments.as_object().unwrap(),
            folder: None,
            output: OutputForm::Text,
        };
        let script =
            Arc::new(Script { language: skills_core::Language::Bash, file: "s.sh".into(), source: "echo".into() });
        let made = call.bash(&script).unwrap();
        let variables: Vec<(&str, &str)> = made.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            variables,
            [
                ("SKILL_PARAMS", &arguments.to_string() as &str),
                ("SKILL_PARAM_PATH", "/evil"),
                ("SKILL_PARAM_a_b", "1"),
                ("SKILL_PARAM_list", "[1]"),
                ("SKILL_PARAM_x", "a b"),
                ("list", "[1]"),
                ("x", "a b"),
            ]
        );
        assert_eq!(made.arguments, ["-c", "echo", "s.sh"]);
        let long = Arc::new(Script { source: "#".repeat(MOST_TEXT + 1), ..(*script).clone() });
        assert_eq!(call.bash(&long).unwrap_err().kind, ErrorKind::InvalidDefinition);
        let nul = Arc::new(Script { source: "echo \0".into(), ..(*script).clone() });
        assert_eq!(call.bash(&nul).unwrap_err().kind, ErrorKind::InvalidDefinition);
    }
}
