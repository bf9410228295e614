use crate::{Allow, Body, Error, RunOptions, Skill};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use skills_core::{ErrorKind, Language, LimitName, Limits, Script};
use skills_executors::{Call, Invocation};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Where a skill runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Isolation {
    /// In an interpreter on a thread of the host.
    #[default]
    InProcess,
    /// In a confined process of its own.
    Worker,
    /// In a container.
    Container,
}

impl Isolation {
    /// The tier of a name: `in-process`, `worker`, `container`.
    pub fn from_name(name: &str) -> Option<Isolation> {
        Some(match name {
            "in-process" | "in_process" => Isolation::InProcess,
            "worker" => Isolation::Worker,
            "container" => Isolation::Container,
            _ => return None,
        })
    }

    /// The name, as options and JSON output write it: `in_process`, `worker`, `container`.
    pub fn as_str(self) -> &'static str {
        match self {
            Isolation::InProcess => "in_process",
            Isolation::Worker => "worker",
            Isolation::Container => "container",
        }
    }
}

/// Limits that whoever runs a skill asks for; what is left out is the skill's own, or the engine's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LimitOverrides {
    /// Execution time.
    pub time: Option<Duration>,
    /// Wall time.
    pub wall: Option<Duration>,
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Operations.
    pub operations: Option<u64>,
    /// Output in bytes.
    pub output: Option<u64>,
    /// Result in bytes.
    pub result: Option<u64>,
    /// Depth of nested calls.
    pub recursion: Option<u64>,
    /// Host calls.
    pub host_calls: Option<u64>,
}

impl LimitOverrides {
    /// These, and where they leave something out, the others.
    #[must_use]
    pub fn or(self, others: &LimitOverrides) -> LimitOverrides {
        LimitOverrides {
            time: self.time.or(others.time),
            wall: self.wall.or(others.wall),
            memory: self.memory.or(others.memory),
            operations: self.operations.or(others.operations),
            output: self.output.or(others.output),
            result: self.result.or(others.result),
            recursion: self.recursion.or(others.recursion),
            host_calls: self.host_calls.or(others.host_calls),
        }
    }
}

/// One invocation: what will run, with what, and what it may use. Nothing has run yet, and nothing is allowed yet.
///
/// Serialises as what `skills run --dry-run --json` prints.
/// Read-only: what was checked is what runs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The engine that made it, which alone may run it.
    pub(crate) engine: u64,
    pub(crate) skill: Arc<Skill>,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) step: Step,
    /// What a script is given that the definition writes as a program.
    pub(crate) command_line: Option<Arc<CommandLine>>,
    pub(crate) limits: Limits,
    /// How deep calls may nest where the limits do not say it.
    pub(crate) own_recursion: Option<u64>,
    pub(crate) isolation: Isolation,
    pub(crate) capabilities: Vec<CapabilityRequest>,
    pub(crate) correlation_id: String,
    pub(crate) options: RunOptions,
}

impl Plan {
    /// The skill.
    pub fn skill(&self) -> &Arc<Skill> {
        &self.skill
    }

    /// The arguments, checked, with defaults filled in.
    pub fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// What runs.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// The limits that will hold.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is allowed of a limit, in its unit: as the limits say, else as the interpreter has it by itself.
    pub(crate) fn limit(&self, name: LimitName) -> Option<u64> {
        self.limits.get(name).or(self.own_recursion.filter(|_| name == LimitName::Recursion))
    }

    /// Where it will run; as asked for, until it is authorized.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// What it asks to use.
    pub fn capabilities(&self) -> &[CapabilityRequest] {
        &self.capabilities
    }

    /// Names the run in events and logs.
    pub fn correlation_id(&self) -> &str {
        &self.correlation_id
    }
}

/// The placeholder of a session's name.
const SESSION_ID: &str = "session_id";

/// What a program is given beside its parameters, for a script that runs in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// Its arguments; the first is the script's own file, if there is one.
    pub(crate) arguments: Vec<String>,
    /// Environment variables.
    pub(crate) environment: std::collections::BTreeMap<String, String>,
}

/// What a plan runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Step {
    /// A script in an interpreter.
    Script(Arc<Script>),
    /// A prompt template to fill in.
    Prompt(String),
    /// A program, or bash, in a process of its own.
    Program(Arc<Invocation>),
}

/// Something that a skill asks to use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "capability", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CapabilityRequest {
    /// To read below a path.
    FileRead {
        /// As the definition writes it.
        path: String,
    },
    /// To write below a path.
    FileWrite {
        /// As the definition writes it.
        path: String,
    },
    /// The network.
    Network {
        /// Hosts, or `*`.
        hosts: Vec<String>,
    },
    /// To start programs.
    ProcessSpawn {
        /// Programs, or `*`.
        programs: Vec<String>,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        name: String,
    },
    /// A secret.
    Secret {
        /// Its name.
        name: String,
    },
    /// A session of somebody else.
    Session {
        /// Its name.
        name: String,
    },
}

impl std::fmt::Display for CapabilityRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CapabilityRequest::FileRead { path } => write!(f, "file_read {path}"),
            CapabilityRequest::FileWrite { path } => write!(f, "file_write {path}"),
            CapabilityRequest::Network { hosts } => write!(f, "network {}", hosts.join(" ")),
            CapabilityRequest::ProcessSpawn { programs } => write!(f, "process_spawn {}", programs.join(" ")),
            CapabilityRequest::Environment { name } => write!(f, "environment {name}"),
            CapabilityRequest::Secret { name } => write!(f, "secret {name}"),
            CapabilityRequest::Session { name } => write!(f, "session {name}"),
        }
    }
}

impl CapabilityRequest {
    /// What a skill's permissions ask for, one by one.
    pub(crate) fn of(skill: &Skill) -> Vec<CapabilityRequest> {
        let wanted = &skill.permissions;
        let names = |allow: &Option<Allow>| match allow {
            Some(Allow::All(true)) => Some(vec!["*".to_owned()]),
            Some(Allow::Only(names)) if !names.is_empty() => Some(names.clone()),
            _ => None,
        };
        let each = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        let mut all = Vec::new();
        all.extend(each(&wanted.file_read).into_iter().map(|path| CapabilityRequest::FileRead { path }));
        all.extend(each(&wanted.file_write).into_iter().map(|path| CapabilityRequest::FileWrite { path }));
        all.extend(names(&wanted.network_access).map(|hosts| CapabilityRequest::Network { hosts }));
        all.extend(names(&wanted.process_spawn).map(|programs| CapabilityRequest::ProcessSpawn { programs }));
        all.extend(each(&wanted.environment).into_iter().map(|name| CapabilityRequest::Environment { name }));
        all.extend(each(&wanted.secrets).into_iter().map(|name| CapabilityRequest::Secret { name }));
        all.extend(each(&wanted.sessions).into_iter().map(|name| CapabilityRequest::Session { name }));
        all
    }
}

impl Step {
    /// The step of a skill with its arguments, and what a script is given that is written as a program; `script` names one of
    /// the scripts beside a `SKILL.md`, `session` is the session that the run is a part of, and `asks` says whether a program that
    /// stays is asked something, rather than started only.
    pub(crate) fn of(
        skill: &Skill,
        script: Option<&str>,
        arguments: &Map<String, Value>,
        (session, asks): (Option<&str>, bool),
    ) -> Result<(Step, Option<Arc<CommandLine>>), Error> {
        let mut arguments = Cow::Borrowed(arguments);
        if let (Some(session), Body::Command(_)) = (session, &skill.body)
            && !skill.parameters.iter().any(|parameter| parameter.name == SESSION_ID)
        {
            arguments.to_mut().entry(SESSION_ID).or_insert_with(|| Value::from(session));
        }
        let parameters: Vec<&str> = skill.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let call = Call {
            skill: &skill.name,
            parameters: &parameters,
            arguments: &arguments,
            folder: skill.folder.as_deref(),
            output: skill.output,
        };
        let mut step = Step::with(skill, script, &call)?;
        if let (Step::Program(invocation), Some(settings)) = (&mut step, &skill.session)
            && let Some(protocol) = &settings.protocol
        {
            let invocation = Arc::make_mut(invocation);
            invocation.protocol = Some(protocol.clone());
            if asks {
                invocation.request = Some(call.request(protocol, settings.request.as_deref())?);
            }
        }
        let command_line = match (&step, &skill.body) {
            (Step::Script(_), Body::Command(spec)) => Some(call.command(spec)?),
            _ => None,
        };
        let command_line =
            command_line.map(|Invocation { arguments, environment, .. }| CommandLine { arguments, environment });
        Ok((step, command_line.map(Arc::new)))
    }

    fn with(skill: &Skill, script: Option<&str>, call: &Call<'_>) -> Result<Step, Error> {
        let lacks = |what: &str| {
            Error::new(ErrorKind::Unavailable, format!("`{}` {what}, which this version does not run", skill.name))
                .with_help(
                    "skills whose code is Rhai, Python, JavaScript, TypeScript or bash run, and so do commands and prompt templates",
                )
        };
        let code = |script: Arc<Script>| match script.language {
            Language::Bash => call.bash(&script).map(|invocation| Step::Program(Arc::new(invocation))),
            _ => Ok(Step::Script(script)),
        };
        match (&skill.body, script) {
            (Body::Prompt { scripts, .. }, Some(name)) => Ok(code(crate::scripts::beside(skill, scripts, name)?)?),
            (_, Some(_)) => Err(Error::new(
                ErrorKind::InvalidArguments,
                format!("`{}` has no scripts beside its definition to choose from", skill.name),
            )),
            (Body::Inline { script }, None) => Ok(code(Arc::clone(script))?),
            (Body::Prompt { template, .. }, None) => Ok(Step::Prompt(template.clone())),
            (Body::Command(spec), None) => match &skill.embedded {
                Some(script) => Ok(Step::Script(Arc::clone(script))),
                None => Ok(Step::Program(Arc::new(call.command(spec)?))),
            },
            (Body::Mcp { .. }, None) => Err(lacks("calls an MCP server")),
            (Body::Delegate { .. }, None) => Err(lacks("delegates to an agent")),
            (Body::Conversation(_), None) => Err(lacks("is a conversation")),
            (Body::Workflow { .. }, None) => Err(lacks("is a workflow")),
        }
    }
}

/// Where limits come from.
pub(crate) struct LimitSources {
    /// What holds where nobody asks for anything.
    pub(crate) defaults: Limits,
    /// What the configuration allows definitions to ask for. Whoever runs a skill may ask for more.
    pub(crate) definitions: Limits,
    /// What the host allows anybody.
    pub(crate) ceiling: Limits,
}

impl LimitSources {
    /// The limits of a run: what its caller asks for, else what the definition asks for within what the configuration
    /// allows, else the default; never above the host's ceiling.
    pub(crate) fn resolve(&self, skill: &Skill, asked: &LimitOverrides) -> Limits {
        let defaults = &self.defaults;
        let requested = Limits {
            time: skill.limits.time,
            memory: skill.limits.max_memory_mb.map(|mb| mb.saturating_mul(1 << 20)),
            cpu_percent: skill.limits.max_cpu_percent,
            file_size: skill.limits.max_file_size_mb.map(|mb| mb.saturating_mul(1 << 20)),
            ..Limits::none()
        };
        let within = |requested: Option<u64>, most: Option<u64>| requested.map(|n| most.map_or(n, |most| n.min(most)));
        let time = requested.time.map(|time| self.definitions.time.map_or(time, |most| time.min(most)));
        let memory = within(requested.memory, self.definitions.memory);
        let time = asked.time.or(time).or(defaults.time);
        // Host calls go on while execution time stands still: the wall clock leaves room for the time allowed.
        let wall = defaults.wall.map(|wall| time.map_or(wall, |time| wall.max(time.saturating_mul(2))));
        Limits {
            time,
            wall: asked.wall.or(wall),
            memory: asked.memory.or(memory).or(defaults.memory),
            operations: asked.operations.or(defaults.operations),
            output: asked.output.or(defaults.output),
            result: asked.result.or(defaults.result),
            recursion: asked.recursion.or(defaults.recursion),
            host_calls: asked.host_calls.or(defaults.host_calls),
            processes: defaults.processes,
            cpu_percent: within(requested.cpu_percent, self.definitions.cpu_percent).or(defaults.cpu_percent),
            disk: defaults.disk,
            file_size: within(requested.file_size, self.definitions.file_size).or(defaults.file_size),
        }
        .min(&self.ceiling)
    }
}

impl Serialize for Plan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let limits: Map<String, Value> = LimitName::ALL
            .iter()
            .filter_map(|name| Some((name.as_str().to_owned(), json!(self.limit(*name)?))))
            .collect();
        let step = match &self.step {
            Step::Script(script) => match &self.command_line {
                Some(line) => {
                    let arguments = line.arguments.get(1..).unwrap_or_default();
                    json!({"script": script.file, "language": script.language, "arguments": arguments})
                }
                None => json!({"script": script.file, "language": script.language}),
            },
            Step::Prompt(_) => json!({"prompt": self.skill.file}),
            Step::Program(invocation) => match &invocation.script {
                Some(script) => json!({"script": script.file, "language": script.language}),
                None => json!(**invocation),
            },
        };
        json!({
            "skill": self.skill.name,
            "version": self.skill.version,
            "scope": self.skill.scope,
            "file": self.skill.file,
            "digest": self.skill.digest,
            "step": step,
            "arguments": self.arguments,
            "isolation": self.isolation,
            "limits": limits,
            "capabilities": self.capabilities,
            "correlation_id": self.correlation_id,
        })
        .serialize(serializer)
    }
}
