//! What the host does for a request.

use super::connection::Caller;
use super::message::{Evaluated, Exported, FromHost, Front, Opened, Opening, Request};
use super::refusal;
use super::server::Host;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use skills::{
    Cancel, Engine, Error, ErrorKind, EvalOptions, Language, Outcome, Persistence, RunOptions, Session, SessionBuilder,
    SessionImage, Skill, StoredSession,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// The language of code that nobody says one for.
const LANGUAGE: Language = Language::Rhai;

/// How often whoever watches looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(250);

/// Answers a request.
pub(super) fn answer(host: &Arc<Host>, caller: &Caller, request: Request, cancel: &Cancel) -> Result<Value, Error> {
    let asked = Asked { host, caller, cancel, id: host.correlation_id() };
    match request {
        Request::Open(opening) => {
            let _listening = asked.listen(Front { streams: true, person: true });
            let (session, created) = asked.session(&opening)?;
            asked.warn_of_yes(&session, created, &opening);
            Ok(json!(Opened { created, session: json!(session.info()) }))
        }
        Request::Evaluate { opening, code, file, front } => {
            let _listening = asked.listen(front);
            Ok(json!(asked.evaluate(&opening, &code, file)))
        }
        Request::Run { opening, words, params, front } => {
            let _listening = asked.listen(front);
            Ok(json!(asked.run(&opening, &words, params)))
        }
        Request::List => Ok(json!(host.hub.sessions())),
        Request::Show { name } => Ok(json!(asked.named(&name)?.info())),
        Request::Variables { name } => Ok(json!(asked.named(&name)?.variables()?)),
        Request::Get { name, variable } => asked.named(&name)?.get(&variable),
        Request::Complete { name, text, cursor } => Ok(json!(asked.named(&name)?.complete(&text, cursor)?)),
        Request::Inspect { name, path } => Ok(json!(asked.named(&name)?.inspect(&path)?)),
        Request::Completeness { name, code } => Ok(json!(asked.named(&name)?.completeness(&code))),
        Request::Kill { name } if host.hub.cancel_opening(&name) => Ok(json!({"name": name, "state": "opening"})),
        Request::Kill { name } => {
            let session = asked.named(&name)?;
            let info = session.info();
            session.remove()?;
            Ok(json!(info))
        }
        Request::Fork { name, to } => {
            let copy = asked.named(&name)?.fork(&to)?;
            host.openings.copied(&name, &copy);
            Ok(json!(copy.info()))
        }
        Request::Export { name } => {
            let image = asked.named(&name)?.snapshot()?;
            Ok(json!(Exported { image: BASE64.encode(image.for_file()?), lost: image.lost().to_vec() }))
        }
        Request::Import { opening, image } => {
            let _listening = asked.listen(Front { streams: true, person: true });
            let session = asked.import(&opening, &image)?;
            Ok(json!(Opened { created: true, session: json!(session.info()) }))
        }
        Request::Watch => asked.watch(),
    }
}

/// A request on its way.
struct Asked<'a> {
    host: &'a Arc<Host>,
    caller: &'a Caller,
    cancel: &'a Cancel,
    /// Its correlation id.
    id: String,
}

impl Asked<'_> {
    fn listen(&self, front: Front) -> super::reports::Listening {
        self.host.reports.listen(&self.id, &self.caller.outbox, front, &self.caller.answers)
    }

    fn evaluate(&self, opening: &Opening, code: &str, file: Option<String>) -> Evaluated {
        let outcome = self.session(opening).map(|(session, created)| {
            self.warn_of_yes(&session, created, opening);
            let mut options = EvalOptions::default();
            // A new session has them as its own.
            options.limits = if created { Default::default() } else { opening.limits.clone() };
            options.cancel = Some(self.cancel.clone());
            options.correlation_id = Some(self.id.clone());
            options.file = file;
            session.evaluate(code, &options)
        });
        self.evaluated("inline", outcome)
    }

    fn run(&self, opening: &Opening, words: &[String], params: Option<Map<String, Value>>) -> Evaluated {
        let run = || {
            let (session, created) = self.session(opening)?;
            let (engine, skill) = self.skill(opening)?;
            let mut given = params.unwrap_or_default();
            given.extend(skills::arguments::from_words(&engine.parameters(&skill), words)?);
            let mut options = RunOptions::default();
            options.limits = if created { Default::default() } else { opening.limits.clone() };
            options.yes = opening.yes;
            options.cancel = Some(self.cancel.clone());
            options.correlation_id = Some(self.id.clone());
            Ok(session.run(Value::Object(given), &options))
        };
        self.evaluated(opening.skill.as_deref().unwrap_or("inline"), run())
    }

    fn evaluated(&self, name: &str, outcome: Result<Outcome, Error>) -> Evaluated {
        let outcome = outcome.unwrap_or_else(|error| {
            let mut options = RunOptions::default();
            options.correlation_id = Some(self.id.clone());
            Outcome::failed(name, &options, error)
        });
        for lost in &outcome.lost {
            self.warn(match lost.name.as_str() {
                "*" => format!("the session is not saved: {}", lost.why),
                name => format!("`{name}` is not saved: {}", lost.why),
            });
        }
        Evaluated { object: outcome.to_json(), error: outcome.result.as_ref().err().map(refusal) }
    }

    /// The session, and whether it was opened for this.
    fn session(&self, opening: &Opening) -> Result<(Session, bool), Error> {
        let there = || match &opening.name {
            Some(name) => self.host.hub.find_unless(name, self.cancel),
            None => Ok(None),
        };
        if let Some(session) = there()? {
            return self.checked(session, opening).map(|session| (session, false));
        }
        match self.builder(opening)?.open() {
            Ok(session) => {
                self.begun(&session, opening);
                Ok((session, true))
            }
            // Another client was faster.
            Err(error) if error.kind() == ErrorKind::InvalidArguments => match there()? {
                Some(session) => self.checked(session, opening).map(|session| (session, false)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn checked(&self, session: Session, opening: &Opening) -> Result<Session, Error> {
        let skill = match &opening.skill {
            Some(_) => Some(self.skill(opening)?.1),
            None => None,
        };
        self.host.openings.check(&session, opening, skill.as_deref())?;
        Ok(session)
    }

    fn builder(&self, opening: &Opening) -> Result<SessionBuilder, Error> {
        let skill = match &opening.skill {
            Some(_) => Some(self.skill(opening)?),
            None => None,
        };
        let engine = match &skill {
            Some((engine, _)) => engine.clone(),
            None => self.engine(opening)?,
        };
        let stored = stored(&engine, opening, skill.as_ref().map(|(_, skill)| &**skill))?;
        let builder = match &skill {
            Some((_, skill)) => {
                for warning in engine.catalog().warnings(&skill.name) {
                    self.caller.outbox.send(&FromHost::Diagnostic(warning.render(true)));
                }
                engine.skill_session(skill)
            }
            None => engine.session(match (&opening.language, &stored) {
                (Some(name), _) => crate::commands::language(&engine, name)?,
                (None, Some(stored)) => stored.language,
                (None, None) => LANGUAGE,
            }),
        };
        let builder = self.settled(builder, opening);
        // What is on disk goes on there, whoever opens it.
        Ok(match (opening.persistence, stored) {
            (None, Some(_)) => builder.persistence(Persistence::Disk),
            _ => builder,
        })
    }

    /// With all that the client says of it.
    fn settled(&self, mut builder: SessionBuilder, opening: &Opening) -> SessionBuilder {
        let mut options = RunOptions::default();
        options.limits = opening.limits.clone();
        options.isolation = opening.isolation;
        options.allow = opening.allow.clone();
        options.yes = opening.yes;
        options.cancel = Some(self.cancel.clone());
        options.correlation_id = Some(self.id.clone());
        builder = builder.options(options);
        if let Some(name) = &opening.name {
            builder = builder.name(name);
        }
        if let Some(persistence) = opening.persistence {
            builder = builder.persistence(persistence);
        }
        if let Some(idle) = opening.idle {
            builder = builder.idle_timeout(idle);
        }
        if let Some(most) = opening.max_duration {
            builder = builder.max_duration(most);
        }
        builder
    }

    fn engine(&self, opening: &Opening) -> Result<Engine, Error> {
        let (engine, diagnostics) = self.host.contexts.engine(&opening.surroundings)?;
        for diagnostic in diagnostics {
            self.caller.outbox.send(&FromHost::Diagnostic(diagnostic));
        }
        Ok(engine)
    }

    fn import(&self, opening: &Opening, image: &str) -> Result<Session, Error> {
        let bytes = BASE64.decode(image).map_err(|error| {
            Error::new(ErrorKind::InvalidArguments, format!("this is no exported session: {error}"))
        })?;
        let image = SessionImage::from_bytes(&bytes)?;
        let engine = self.engine(opening)?;
        let session = self.settled(engine.restore_session(&image), opening).open()?;
        self.begun(&session, opening);
        Ok(session)
    }

    /// Notes a new session, and says what it lacks.
    fn begun(&self, session: &Session, opening: &Opening) {
        let opening = Opening { persistence: Some(session.info().persistence), ..opening.clone() };
        for warning in session.warnings() {
            self.warn(warning.clone());
        }
        let gone = self.host.openings.opened(session, &opening);
        // What is on disk is there again.
        if let Some(why) = gone.filter(|_| opening.persistence != Some(Persistence::Disk)) {
            let name = session.name();
            self.warn(format!("this is a new session `{name}`: what the earlier one held is gone ({why})"));
        }
        for lost in session.info().lost {
            self.warn(format!("`{}` is not restored: {}", lost.name, lost.why));
        }
    }

    /// The skill that the client names.
    fn skill(&self, opening: &Opening) -> Result<(Engine, Arc<Skill>), Error> {
        let engine = self.host.contexts.engine(&opening.surroundings)?.0;
        let skill = engine.skill(opening.skill.as_deref().unwrap_or_default())?;
        Ok((engine, skill))
    }

    /// The session of a name that has to be there.
    fn named(&self, name: &str) -> Result<Session, Error> {
        self.host.hub.find_unless(name, self.cancel)?.ok_or_else(|| {
            let sessions = self.host.hub.sessions();
            let names: Vec<&str> = sessions.iter().map(|session| session.name.as_str()).collect();
            super::no_session(name, &names, self.host.openings.gone(name).as_deref())
        })
    }

    /// What a session may use was decided when it was opened, and code that is typed is asked about no more.
    fn warn_of_yes(&self, session: &Session, created: bool, opening: &Opening) {
        let name = session.name();
        if opening.yes && !created && !self.host.openings.said_yes(name) {
            self.warn(format!(
                "`--yes` changes nothing in the session `{name}`, which is there already: what it may use was decided when it was \
                 opened; end it to open it anew: `skills sessions kill {name}`"
            ));
        }
    }

    fn warn(&self, text: String) {
        self.caller.outbox.send(&FromHost::Warning(text));
    }

    fn watch(&self) -> Result<Value, Error> {
        let events = self.host.hub.watch();
        while !self.cancel.is_cancelled() && !self.caller.gone.load(Ordering::SeqCst) {
            match events.recv_timeout(LOOK) {
                Ok(event) => self.caller.outbox.send(&FromHost::Change(json!(event))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(Value::Null)
    }
}

/// What is on disk under the name that a client gives, of the skill that it names.
fn stored(engine: &Engine, opening: &Opening, skill: Option<&Skill>) -> Result<Option<StoredSession>, Error> {
    let is_its = |stored: &StoredSession| match skill {
        Some(skill) => stored.owner == skill.owner(),
        None => stored.skill.is_none(),
    };
    match (engine.session_store(), &opening.name) {
        (Some(store), Some(name)) => Ok(store.named(name)?.into_iter().find(is_its)),
        _ => Ok(None),
    }
}
