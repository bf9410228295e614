use crate::authorize::{self, AuthorizedPlan, Circumstances, Deciding, Judgement, Policy, Trust};
use crate::catalog::Catalog;
use crate::function::{Closure, Names, TypedAsyncFunction, TypedFunction};
use crate::host::{Chain, FunctionTable};
use crate::languages::Languages;
use crate::plan::{CapabilityRequest, LimitSources, Step};
use crate::prepared::Prepared;
use crate::programs::Programs;
use crate::runtime::Runtime;
use crate::tiers::{Caps, CapsOf};
use crate::worker::LazyWorkers;
use crate::{
    EngineBuilder, Error, Isolation, Outcome, Plan, RunOptions, SessionHub, SessionStore, Skill, SkillKind, scripts,
};
use serde_json::{Map, Value};
use skills_core::{
    Approver, CapStatus, DecisionStore, ErrorKind, EventSink, HostFunction, Language, ParameterSpec, SecretSource,
    StateStore, Variables,
};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Loads skills and runs them. Cheap to clone; clones are the same engine, and any thread may use them at once.
///
/// ```
/// # fn main() -> Result<(), skills::Error> {
/// let engine = skills::Engine::new()?;
/// let sum = engine.run("calculator-rhai", serde_json::json!({"operation": "add", "operand1": 5, "operand2": 3}))?;
/// assert_eq!(sum, 8);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones of an engine share.
pub(crate) struct Inner {
    pub(crate) id: u64,
    pub(crate) languages: Languages,
    catalog: RwLock<Arc<Catalog>>,
    pub(crate) policy: Policy,
    pub(crate) people: People,
    pub(crate) limits: LimitSources,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) programs: Programs,
    pub(crate) secrets: Arc<dyn SecretSource>,
    pub(crate) variables: Arc<dyn Variables>,
    pub(crate) workers: Arc<LazyWorkers>,
    pub(crate) sessions: SessionHub,
    pub(crate) session_store: Option<SessionStore>,
    /// Whether other engines have the same hub.
    pub(crate) sessions_shared: bool,
    pub(crate) max_sessions: usize,
    pub(crate) runtime: Runtime,
    pub(crate) run_prefix: String,
    pub(crate) runs: AtomicU64,
    functions: RwLock<Arc<FunctionTable>>,
    pub(crate) prepared: RwLock<HashMap<String, Arc<Prepared>>>,
    pub(crate) caps: Mutex<HashMap<CapsOf, Caps>>,
}

/// What an engine is made of, from its builder.
pub(crate) struct Parts {
    pub(crate) languages: Languages,
    pub(crate) catalog: Catalog,
    pub(crate) policy: Policy,
    pub(crate) people: People,
    pub(crate) limits: LimitSources,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) programs: Programs,
    pub(crate) secrets: Arc<dyn SecretSource>,
    pub(crate) variables: Arc<dyn Variables>,
    pub(crate) workers: Arc<LazyWorkers>,
    /// A hub that the host program made.
    pub(crate) sessions: Option<SessionHub>,
    pub(crate) session_store: Option<SessionStore>,
    pub(crate) max_sessions: usize,
}

/// Whose word counts, and where it is kept.
pub(crate) struct People {
    pub(crate) trust: Trust,
    pub(crate) approver: Option<Arc<dyn Approver>>,
    pub(crate) decisions: Arc<dyn DecisionStore>,
}

/// Engines that exist, so that a thread's kept sessions of those that do not can be dropped.
static ALIVE: Mutex<Vec<u64>> = Mutex::new(Vec::new());

pub(crate) fn is_alive(engine: u64) -> bool {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner).contains(&engine)
}

impl Drop for Inner {
    fn drop(&mut self) {
        ALIVE.lock().unwrap_or_else(PoisonError::into_inner).retain(|id| *id != self.id);
    }
}

impl Engine {
    /// An engine with the bundled skills, the languages of this build and the default limits, which may touch no file.
    ///
    /// # Errors
    /// As [`EngineBuilder::build`].
    pub fn new() -> Result<Engine, Error> {
        Engine::builder().build()
    }

    /// A builder, for anything else.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    pub(crate) fn from_parts(parts: Parts) -> Engine {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        ALIVE.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        let Parts { languages, catalog, policy, people, limits, state, events, programs, workers, .. } = parts;
        let Parts { secrets, variables, sessions, session_store, max_sessions, .. } = parts;
        let inner = Inner {
            id,
            languages,
            catalog: RwLock::new(Arc::new(catalog)),
            policy,
            people,
            limits,
            state,
            events,
            programs,
            secrets,
            variables,
            workers,
            sessions_shared: sessions.is_some(),
            sessions: sessions.unwrap_or_default(),
            session_store,
            max_sessions,
            runtime: Runtime::default(),
            run_prefix: uuid::Uuid::new_v4().simple().to_string()[..12].to_owned(),
            runs: AtomicU64::new(0),
            functions: RwLock::new(Arc::new(FunctionTable::standard())),
            prepared: RwLock::default(),
            caps: Mutex::default(),
        };
        Engine { inner: Arc::new(inner) }
    }

    /// Adds a function of the host program, for scripts in every language: `skill.price("a", 2)`, or just
    /// `price("a", 2)`.
    ///
    /// `name` may name the parameters too, as in `price(sku, n)`; without, they are `arg1`, `arg2`, … Their schema
    /// comes from the closure's types; an `Option` may be left out. An error is raised in the script, as an error of
    /// its own.
    ///
    /// ```
    /// # fn main() -> Result<(), skills::Error> {
    /// let engine = skills::Engine::new()?;
    /// engine.function("price(sku, n)", |sku: String, n: u32| -> Result<f64, String> {
    ///     if sku == "tea" { Ok(2.5 * f64::from(n)) } else { Err(format!("no price for {sku}")) }
    /// })?;
    /// let value = engine.eval(skills::Language::Rhai, r#"price("tea", 2) + skill.price("tea", 1)"#)?;
    /// assert_eq!(value, 7.5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `invalid_arguments` where the name is taken or no name.
    pub fn function<Types, F: TypedFunction<Types>>(&self, name: &str, function: F) -> Result<(), Error> {
        let names = parse_names(name)?;
        self.host_function(Arc::new(Closure::new(names, function)))
    }

    /// The same for a closure that gives a future. It runs on the engine's own threads; the script waits for it, with
    /// its execution clock stopped, until the run's wall time is up.
    ///
    /// # Errors
    /// As [`Engine::function`].
    pub fn async_function<Types, F: TypedAsyncFunction<Types>>(&self, name: &str, function: F) -> Result<(), Error> {
        let names = parse_names(name)?;
        let runtime = self.inner.runtime.clone();
        self.host_function(Arc::new(Closure::new_async(names, runtime, function)))
    }

    /// Adds a host function that is more than a closure: one that sees the run's context, or describes itself.
    ///
    /// # Errors
    /// `invalid_arguments` where the name is taken.
    pub fn host_function(&self, function: Arc<dyn HostFunction>) -> Result<(), Error> {
        let mut functions = self.inner.functions.write().unwrap_or_else(PoisonError::into_inner);
        *functions = Arc::new(functions.with(function)?);
        Ok(())
    }

    /// How many sessions there may be at once.
    pub fn max_sessions(&self) -> usize {
        self.inner.max_sessions
    }

    /// The functions that scripts can call below `skill`, the host program's own last.
    pub fn functions(&self) -> Arc<[skills_core::FunctionSpec]> {
        Arc::clone(self.inner.functions().specs())
    }

    /// Runs a skill by name, alias, `scope:name` or path, and gives its value. Blocks the calling thread.
    ///
    /// # Errors
    /// Any: see [`ErrorKind`]. What the script printed and used is in [`Error::outcome`].
    pub fn run(&self, name: &str, params: Value) -> Result<Value, Error> {
        self.run_with(name, params, &RunOptions::default()).into_value()
    }

    /// Runs a skill and gives everything there is to know about the run, whether it failed or not.
    pub fn run_with(&self, name: &str, params: Value, options: &RunOptions) -> Outcome {
        match self.inner.catalog().load(name) {
            Ok(skill) => self.run_skill(&skill, params, options),
            Err(error) => Outcome::failed(name, options, error),
        }
    }

    /// Runs code that no definition names: the value of `run` where the code defines it, else of its last expression.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn eval(&self, language: Language, code: &str) -> Result<Value, Error> {
        let skill = Arc::new(scripts::from_text(language, code));
        self.run_skill(&skill, Value::Object(Map::new()), &RunOptions::default()).into_value()
    }

    /// A skill of nothing but code given directly.
    pub fn code(&self, language: Language, code: &str) -> Arc<Skill> {
        Arc::new(scripts::from_text(language, code))
    }

    /// A skill of nothing but a script file; its language is that of its extension.
    ///
    /// # Errors
    /// `not_found`, `invalid_definition` where it is no text, `invalid_arguments` for an unknown extension.
    pub fn script_file(&self, path: &Path) -> Result<Arc<Skill>, Error> {
        scripts::from_file(path).map(Arc::new)
    }

    /// Runs a skill that is at hand.
    pub fn run_skill(&self, skill: &Arc<Skill>, params: Value, options: &RunOptions) -> Outcome {
        // Whatever becomes of it, it has one name.
        let named = options.named(|| self.inner.next_id());
        let run = self.inner.run_nested(skill, params, &named, Chain::default());
        run.unwrap_or_else(|error| self.inner.not_planned(skill, &named, error))
    }

    /// The outcome of a run that does not begin, with what is known of it: its version, its limits, and where it would have
    /// run.
    pub fn not_run(&self, skill: &Arc<Skill>, options: &RunOptions, error: Error) -> Outcome {
        self.inner.not_planned(skill, &options.named(|| self.inner.next_id()), error)
    }

    /// Loads a skill by name, alias, `scope:name` or path, and keeps it until [`Engine::reload`]. A path may be that of a script file too, which
    /// needs no definition and is read anew each time.
    ///
    /// # Errors
    /// `not_found`, with the nearest names; `invalid_definition`, with every diagnostic.
    pub fn skill(&self, name: &str) -> Result<Arc<Skill>, Error> {
        self.inner.catalog().load(name)
    }

    /// What is known of all skills, and what is wrong with any of them, as of the last [`Engine::reload`].
    pub fn catalog(&self) -> Arc<Catalog> {
        self.inner.catalog()
    }

    /// Forgets which skills there are and what was read of them: whatever is asked for from now on is looked for and read
    /// anew, so that new, changed and removed files show. Nothing else does: an engine that is asked for the same skill
    /// twice reads it once.
    ///
    /// What runs goes on with what it has, and so do sessions and skills that are at hand.
    pub fn reload(&self) {
        let mut catalog = self.inner.catalog.write().unwrap_or_else(PoisonError::into_inner);
        *catalog = Arc::new(catalog.anew());
    }

    /// A skill's parameters: the definition's, or what its script says of itself.
    pub fn parameters(&self, skill: &Skill) -> Arc<[ParameterSpec]> {
        Arc::clone(&self.inner.prepare(skill).parameters)
    }

    /// The second step of the data path: checks the arguments, and works out limits, tier and capabilities.
    ///
    /// # Errors
    /// `invalid_arguments`, with every violation; `not_found` for a skill that it needs and that is not there; `unavailable`
    /// for what this build does not run, and for a needed skill of another version.
    pub fn plan(&self, skill: &Arc<Skill>, params: Value, options: &RunOptions) -> Result<Plan, Error> {
        self.inner.plan(skill, params, options)
    }

    /// The third step: decides where the plan runs and what it may use, and asks the [`Approver`] what policy leaves open.
    ///
    /// # Errors
    /// `permission_denied`, with what would allow it; `unavailable` for an isolation tier that is not there, and where
    /// decisions cannot be read.
    pub fn authorize(&self, plan: Plan) -> Result<AuthorizedPlan, Error> {
        self.inner.check_own(&plan)?;
        let options = plan.options.clone();
        authorize::authorize(plan, &self.inner.circumstances(&options, &Chain::default(), true))
    }

    /// What [`Engine::authorize`] would decide without asking anybody, and every rule that matched.
    ///
    /// # Errors
    /// `unavailable` where decisions cannot be read.
    pub fn judge(&self, plan: Plan) -> Result<Judgement, Error> {
        self.inner.check_own(&plan)?;
        let options = plan.options.clone();
        authorize::judge(plan, &self.inner.circumstances(&options, &Chain::default(), false))
    }

    /// The same for a skill before there are arguments for it.
    ///
    /// # Errors
    /// As [`Engine::judge`], and `unavailable` for what this build does not run.
    pub fn judge_skill(&self, skill: &Arc<Skill>, options: &RunOptions) -> Result<Judgement, Error> {
        self.judge(self.inner.lay_out(skill, options)?)
    }

    /// The last step: runs it.
    pub fn execute(&self, plan: AuthorizedPlan) -> Outcome {
        match self.inner.check_own(plan.plan()) {
            Ok(()) => {
                let chain = Chain { confined_to: plan.confines(), ..Chain::default() };
                self.inner.execute(plan, chain)
            }
            Err(error) => self.inner.not_begun(plan.plan(), Some(plan.plan().correlation_id()), error),
        }
    }

    /// The languages of this engine.
    pub fn languages(&self) -> Vec<Language> {
        self.inner.languages.list()
    }

    /// Tries every limit in a language and tells what each is worth here. Starts the interpreter.
    ///
    /// # Errors
    /// `unavailable` where the build lacks the language, or its interpreter cannot start.
    pub fn self_test(&self, language: Language) -> Result<Vec<CapStatus>, Error> {
        let interpreter = (self.inner.languages.get(language))
            .ok_or_else(|| Error::new(ErrorKind::Unavailable, format!("this build does not run {language}")))?;
        interpreter.self_test().map_err(Error::from)
    }
}

fn parse_names(name: &str) -> Result<Names, Error> {
    Names::parse(name).map_err(|reason| {
        Error::new(ErrorKind::InvalidArguments, format!("a host function cannot be called `{name}`: {reason}"))
    })
}

impl Inner {
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn functions(&self) -> Arc<FunctionTable> {
        Arc::clone(&self.functions.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// All the steps after loading. `chain` names the runs that called one another to get here; the limits of the last
    /// hold for this one too, with what is left of them.
    pub(crate) fn run_nested(
        self: &Arc<Inner>,
        skill: &Arc<Skill>,
        params: Value,
        options: &RunOptions,
        mut chain: Chain,
    ) -> Result<Outcome, Error> {
        let mut plan = self.plan(skill, params, options)?;
        if let Some(left) = &chain.left {
            plan.limits = plan.limits.min(left);
        }
        let authorized = authorize::authorize(plan, &self.circumstances(options, &chain, true))?;
        for warning in authorized.warnings() {
            tracing::warn!(skill = %skill.name, "{warning}");
        }
        chain.confined_to = authorized.confines();
        Ok(self.execute(authorized, chain))
    }

    /// What a decision about a plan is made from.
    pub(crate) fn circumstances<'a>(
        &'a self,
        options: &RunOptions,
        chain: &'a Chain,
        may_ask: bool,
    ) -> Circumstances<'a> {
        let People { trust, approver, decisions } = &self.people;
        Circumstances {
            policy: &self.policy,
            deciding: Deciding {
                trust: *trust,
                store: &**decisions,
                approver: approver.as_deref().filter(|_| may_ask),
                cancel: options.cancel.clone(),
                yes: options.yes,
                all: OnceCell::new(),
            },
            nested: !chain.skills.is_empty(),
            confined_to: chain.confined_to.as_ref(),
            available: Box::new(|tier, step| match (tier, step) {
                (Isolation::Container, _) => self.container_available(),
                (_, Step::Script(script)) => self.worker_available(Some(script.language)),
                _ => self.worker_available(None),
            }),
            caps: Box::new(|plan, starts| self.caps(plan, starts)),
        }
    }

    /// A plan was made under the limits and the policy of one engine, and means nothing to another.
    fn check_own(&self, plan: &Plan) -> Result<(), Error> {
        if plan.engine == self.id {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidArguments, format!("the plan of `{}` is another engine's", plan.skill.name))
            .with_help("authorize and execute a plan with the engine that made it"))
    }

    pub(crate) fn plan(&self, skill: &Arc<Skill>, params: Value, options: &RunOptions) -> Result<Plan, Error> {
        let given = match params {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            other => {
                let message = format!("parameters must be an object, not {other}");
                return Err(Error::new(ErrorKind::InvalidArguments, message));
            }
        };
        if !skill.dependencies.is_empty() {
            self.catalog().check_dependencies(skill)?;
        }
        let prepared = self.prepare(skill);
        let arguments = match &prepared.checker {
            Some(checker) if options.script.is_none() => {
                checker.check(&skill.name, given).map_err(skills_core::Failure::from)?
            }
            _ => match options.script.as_deref().and_then(|name| self.checker_of_script(skill, name)) {
                Some(checker) => checker.check(&skill.name, given).map_err(skills_core::Failure::from)?,
                None => given,
            },
        };
        self.plan_of(skill, arguments, options, true)
    }

    /// A plan of a skill that is not given arguments yet, to decide about it, or to open a session of it.
    pub(crate) fn lay_out(&self, skill: &Arc<Skill>, options: &RunOptions) -> Result<Plan, Error> {
        self.plan_of(skill, Map::new(), options, false)
    }

    /// A plan of arguments that have been checked.
    fn plan_of(
        &self,
        skill: &Arc<Skill>,
        arguments: Map<String, Value>,
        options: &RunOptions,
        asks: bool,
    ) -> Result<Plan, Error> {
        let correlation_id = options.correlation_id.clone().unwrap_or_else(|| self.next_id());
        // What keeps sessions has one of a single call where none is named.
        let made_up = (skill.kind == SkillKind::CodeSession).then_some(&correlation_id);
        let session = options.session.as_ref().or(made_up).map(String::as_str);
        let (step, command_line) = Step::of(skill, options.script.as_deref(), &arguments, (session, asks))?;
        let interpreter = match &step {
            Step::Script(script) => self.languages.get(script.language),
            _ => None,
        };
        Ok(Plan {
            own_recursion: interpreter.and_then(|interpreter| interpreter.recursion()),
            engine: self.id,
            options: options.clone(),
            isolation: step.isolation(options.isolation),
            step,
            command_line,
            arguments,
            limits: self.limits.resolve(skill, &options.limits),
            capabilities: CapabilityRequest::of(skill),
            correlation_id,
            skill: Arc::clone(skill),
        })
    }

    /// A name for a run that was given none.
    pub(crate) fn next_id(&self) -> String {
        format!("{}-{:x}", self.run_prefix, self.runs.fetch_add(1, Ordering::Relaxed))
    }
}
