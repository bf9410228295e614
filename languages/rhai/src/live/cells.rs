//! Cells and skills, evaluated in a namespace.

use super::{FILL, Live, REACH, TABLE, with_last_value};
use crate::control::{Control, lock};
use crate::convert::{ToJson, from_json};
use crate::failures::{self, Placed, Places};
use crate::last_value;
use crate::program::{self, Program};
use crate::{live, text};
use rhai::{AST, Dynamic, Engine, Expr, Stmt};
use serde_json::{Map, Value};
use skills_core::value::describe;
use skills_core::{Cell, Entry, ErrorKind, Failure, Host, Language, LimitName, Script, Shown};
use std::sync::Arc;

/// What evaluating takes.
pub(crate) struct Machine<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) control: &'a Control,
    pub(crate) host: &'a Arc<dyn Host>,
    /// Puts the parameters where scripts see them.
    pub(crate) put_params: &'a dyn Fn(Dynamic),
}

/// A value as JSON and as it is shown.
pub(crate) type Told = (Value, Option<Shown>);

/// What is compiled of a cell, to be run with the functions of all.
struct Ready {
    statements: AST,
    places: Placed,
}

impl Live {
    /// Evaluates a cell; the memory cap has begun.
    pub(crate) fn evaluate(&mut self, cell: &Cell, machine: &Machine<'_>) -> Result<Told, Failure> {
        let result = match &cell.entry {
            Entry::Cell => self.evaluate_cell(&cell.script, machine),
            Entry::Skill { params } => self.evaluate_skill(&cell.script, params, machine),
        };
        self.tidy();
        self.sweep();
        let result = self.make_room(result, machine);
        self.mark = machine.control.memory.mark();
        result
    }

    fn evaluate_cell(&mut self, script: &Arc<Script>, machine: &Machine<'_>) -> Result<Told, Failure> {
        let ready = self.compile(script, machine, |_, _, _| ())?;
        let value = self.run(&ready.statements, &ready.places, machine)?;
        let told = machine.control.memory.outside(|| tell(&value, machine));
        if !value.is_unit() {
            self.declare(last_value::NAME, value);
        }
        Ok(told)
    }

    fn evaluate_skill(
        &mut self,
        script: &Arc<Script>,
        params: &Map<String, Value>,
        machine: &Machine<'_>,
    ) -> Result<Told, Failure> {
        if let Some(index) = self.library.skill(script)
            && let Some(call) = self.library.again(index)
        {
            let places = Placed { script: Arc::clone(script), written: None, above: 0, lines: 0 };
            let value = self.run_with(params, &call, &places, machine)?;
            return result(&value, machine);
        }
        let mut call = None;
        let ready = self.compile(script, machine, |engine, statements, own| {
            call = program::call_of_run(engine, own);
            if let Some(call) = &call
                && let Ok(reach) = engine.compile(format!("{REACH}();"))
            {
                statements.combine(reach);
                statements.combine(call.clone());
            }
        })?;
        machine.control.take_reached();
        let value = self.run_with(params, &ready.statements, &ready.places, machine);
        if let Some(call) = call
            && machine.control.take_reached()
        {
            self.library.pin(call);
        }
        result(&value?, machine)
    }

    /// Compiles a source and takes its functions up. `finish` adds to its statements.
    fn compile(
        &mut self,
        script: &Arc<Script>,
        machine: &Machine<'_>,
        finish: impl FnOnce(&Engine, &mut AST, &AST),
    ) -> Result<Ready, Failure> {
        let lines = script.source.lines().count() + 1;
        let above = self.library.above(lines);
        let Program { mut ast, written } =
            with_last_value(machine.control, || Program::body(machine.engine, script, above))?;
        let places = Placed { script: Arc::clone(script), written, above, lines };
        let own = ast.clone_functions_only();
        ast.clear_functions();
        finish(machine.engine, &mut ast, &own);
        if own.has_functions() {
            self.library.add(places.clone(), own, None);
        }
        Ok(Ready { statements: ast, places })
    }

    /// Runs statements where scripts see the parameters: only then, because Rhai compiles constants in.
    fn run_with(
        &mut self,
        params: &Map<String, Value>,
        statements: &AST,
        places: &Placed,
        machine: &Machine<'_>,
    ) -> Result<Dynamic, Failure> {
        let params = machine.control.memory.outside(|| Value::Object(params.clone()));
        (machine.put_params)(from_json(&params));
        machine.control.memory.outside(|| drop(params));
        let value = self.run(statements, places, machine);
        (machine.put_params)(Dynamic::UNIT);
        value
    }

    /// Runs statements with the functions of all cells.
    fn run(&mut self, statements: &AST, places: &Placed, machine: &Machine<'_>) -> Result<Dynamic, Failure> {
        let mut ast = self.library.functions().clone();
        if self.wants_constants(&places.script) {
            machine.control.offer_constants(self.constants());
            if let Ok(table) = machine.engine.compile(format!("const {TABLE} = (); {FILL}();")) {
                ast.combine(table);
            }
        }
        if !self.imports.is_empty() {
            let again = lock(&machine.control.modules).offer(&self.imports);
            let again = machine.engine.compile(again);
            ast.combine(
                again.map_err(|error| Failure::new(ErrorKind::Internal, format!("imports are lost: {error}")))?,
            );
        }
        ast.combine(statements.clone());
        let outcome = machine.engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, &ast);
        drop(machine.control.take_constants());
        match outcome {
            Ok(value) => {
                let modules = lock(&machine.control.modules);
                let imports = statements.statements().iter().filter_map(import);
                self.imports.extend(imports.filter_map(|(name, path)| Some((name.to_owned(), modules.import(path)?))));
                Ok(value.flatten())
            }
            Err(error) => {
                let Placed { script, written, above, .. } = places;
                let recursion = machine.engine.max_call_levels();
                let failure = machine.control.memory.outside(|| {
                    let mut others = self.library.places().to_vec();
                    others.extend(lock(&machine.control.modules).places());
                    let places = Places { script, written: written.as_ref(), above: *above, others: &others };
                    failures::from_runtime(*error, &places, machine.control, recursion)
                });
                // The error was the script's, the failure is not: this copy counts for nobody.
                Err(machine.control.memory.outside(|| failure.clone()))
            }
        }
    }

    /// Whether something asks for `global::NAME`.
    fn wants_constants(&self, script: &Script) -> bool {
        let asks = |script: &Script| script.source.contains("global");
        asks(script) || self.library.places().iter().any(|placed| asks(&placed.script))
    }

    /// After a cell that ended at the memory limit: lets go of variables until the next one can run.
    fn make_room(&mut self, result: Result<Told, Failure>, machine: &Machine<'_>) -> Result<Told, Failure> {
        let memory = &machine.control.memory;
        let verdict = machine.host.budget().verdict();
        let breached = verdict.and_then(|failure| failure.limit).is_some_and(|limit| limit.name == LimitName::Memory);
        if !breached {
            return result;
        }
        let mut dropped = Vec::new();
        while memory.check().is_err() {
            match self.drop_largest() {
                Some(name) => memory.outside(|| dropped.push(format!("`{name}`"))),
                None => break,
            }
        }
        memory.outside(|| match result {
            Err(failure) if !dropped.is_empty() => {
                let help = format!("to make room, the session let go of {}", dropped.join(", "));
                Err(failure.with_help(help))
            }
            other => other,
        })
    }

    /// Gives a variable a value, as an assignment does; the memory cap has begun.
    pub(crate) fn set(&mut self, name: &str, value: &Value, machine: &Machine<'_>) -> Result<(), Failure> {
        live::names::check(name, machine)?;
        machine.control.memory.check_more(crate::convert::size_in_rhai(value)).map_err(Failure::breach)?;
        let value = from_json(value);
        match self.scope.get_mut(name).filter(|slot| !slot.is_read_only()) {
            Some(slot) => {
                if let Some(mut slot) = slot.write_lock::<Dynamic>() {
                    *slot = value;
                }
            }
            None => {
                self.scope.push_dynamic(name, value);
            }
        }
        self.tidy();
        self.mark = machine.control.memory.mark();
        Ok(())
    }
}

/// The result of a skill.
fn result(value: &Dynamic, machine: &Machine<'_>) -> Result<Told, Failure> {
    let limit = machine.host.budget().limits().result;
    machine.control.memory.outside(|| {
        let json = ToJson::new("result", limit, &machine.control.memory).value(value);
        let json = json.map_err(|failure| match failure.limit {
            Some(breach) => machine.control.breach(breach),
            None => Failure { language: Some(Language::Rhai), ..failure },
        })?;
        Ok((json, shown(value, machine.engine)))
    })
}

/// The value of a cell: what JSON cannot hold is described as a whole.
fn tell(value: &Dynamic, machine: &Machine<'_>) -> Told {
    let limit = machine.host.budget().limits().result;
    let shown = shown(value, machine.engine);
    let json = ToJson::new("result", limit, &machine.control.memory).value(value);
    let describe = |_| shown.as_ref().map_or(Value::Null, |shown| describe(&shown.type_name, &shown.text));
    (json.unwrap_or_else(describe), shown)
}

/// A value as Rhai shows it; nothing for `()`.
pub(super) fn shown(value: &Dynamic, engine: &Engine) -> Option<Shown> {
    if value.is_unit() {
        return None;
    }
    let (text, cut) = text::cut(value, Shown::MOST);
    let png =
        value.as_blob_ref().ok().filter(|bytes| bytes.starts_with(Shown::PNG) && bytes.len() <= Shown::MOST_IMAGE);
    let png = png.map(|bytes| bytes.to_vec());
    Some(Shown { type_name: type_name(value, engine), text, cut, png })
}

/// The name of a value's type, as `type_of` gives it.
pub(super) fn type_name(value: &Dynamic, engine: &Engine) -> String {
    engine.map_type_name(value.type_name()).to_owned()
}

/// The name that an import gives, and what it imports.
fn import(statement: &Stmt) -> Option<(&str, &str)> {
    let Stmt::Import(import, _) = statement else { return None };
    let (Expr::StringConstant(path, _), name) = &**import else { return None };
    (!name.name.is_empty()).then(|| (name.name.as_str(), path.as_str()))
}
