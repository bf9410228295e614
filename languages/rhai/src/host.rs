//! `skill` and `params` in scripts, and the host's own global functions.
//!
//! `skill` is a function pointer: of all types that is the one whose values have a method `call` that takes what it
//! likes, which `skill.call("name", #{})` needs. Its other members are methods and properties of function pointers that
//! answer for no other pointer.

use crate::control::{Control, Rhaied, error, no_run};
use crate::convert::{ToJson, from_json, size_in_rhai};
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Module, Position};
use skills_core::{Arguments, Failure, FunctionSpec, Host};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name of the module in scripts, and of the function pointer behind it.
pub(crate) const SKILL: &str = "skill";

/// The name by which the call of `run` finds the parameters, whatever the script defines.
pub(crate) const PARAMETERS: &str = "__skill_params";

/// The most arguments that a host function takes from Rhai.
const MOST_ARGUMENTS: usize = 16;

/// `skill.fs`: the part of a name before its dot.
#[derive(Debug, Clone)]
struct Group(Arc<str>);

/// `skill.session("a")`: a group that is a function too, with its answer, which is the first argument of its members.
#[derive(Debug, Clone)]
struct Handle(Arc<str>, Dynamic);

/// Registers what a host offers. Gives the variable that every run's parameters are put into.
pub(crate) fn register(engine: &mut Engine, control: &Arc<Control>, host: &Arc<dyn Host>) -> Dynamic {
    let functions = host.functions();
    register_members(engine, control, functions);
    for (index, spec) in functions.iter().enumerate() {
        if host.is_global(index) {
            register_function(engine, control, &spec.name, index, spec);
        }
        // What the pointer `skill` points to: `skill.call(…)` calls it.
        if spec.name == "call" {
            register_function(engine, control, SKILL, index, spec);
        }
    }
    // Shared, so that a run's parameters can be put into what the engine holds.
    let params = Dynamic::UNIT.into_shared();
    let held = params.clone();
    engine.register_get("params", move |skill: &mut FnPtr| -> Rhaied<Dynamic> {
        is_skill(skill, "params")?;
        Ok(held.clone())
    });
    let mut module = Module::new();
    // The name is a valid one, so this is always a pointer.
    module.set_var(SKILL, FnPtr::new(SKILL).map_or(Dynamic::UNIT, Dynamic::from));
    module.set_var("params", params.clone());
    module.set_var(PARAMETERS, params.clone());
    engine.register_global_module(module.into());
    params
}

fn register_function(engine: &mut Engine, control: &Arc<Control>, name: &str, index: usize, spec: &FunctionSpec) {
    for count in arities(spec) {
        let control = Arc::clone(control);
        engine.register_raw_fn(name, any(count), move |_, args| call(&control, index, args));
    }
}

fn register_members(engine: &mut Engine, control: &Arc<Control>, functions: &[FunctionSpec]) {
    engine.register_type_with_name::<Group>(SKILL);
    engine.register_type_with_name::<Handle>(SKILL);
    let mut grouped: BTreeMap<&str, Vec<(Arc<str>, usize)>> = BTreeMap::new();
    let mut groups: BTreeMap<&str, Arc<str>> = BTreeMap::new();
    for (index, spec) in functions.iter().enumerate() {
        match spec.name.split_once('.') {
            None => {
                let begins =
                    |other: &FunctionSpec| other.name.split_once('.').is_some_and(|(group, _)| group == spec.name);
                register_member(engine, control, index, spec, functions.iter().any(begins));
            }
            Some((group, method)) => {
                let group = groups.entry(group).or_insert_with(|| group.into());
                grouped.entry(method).or_default().push((Arc::clone(group), index));
            }
        }
    }
    for (name, group) in groups {
        let group = Group(group);
        engine.register_get(name, move |skill: &mut FnPtr| -> Rhaied<Group> {
            is_skill(skill, &group.0)?;
            Ok(group.clone())
        });
    }
    for (method, members) in grouped {
        register_grouped(engine, control, functions, method, members);
    }
}

/// Registers a member of `skill` itself; one that `opens` a group gives the members of that.
fn register_member(engine: &mut Engine, control: &Arc<Control>, index: usize, spec: &FunctionSpec, opens: bool) {
    let group: Option<Arc<str>> = opens.then(|| spec.name.as_str().into());
    for count in arities(spec) {
        let control = Arc::clone(control);
        let (name, group) = (spec.name.clone(), group.clone());
        let types = with_self(TypeId::of::<FnPtr>(), count);
        engine.register_raw_fn(spec.name.as_str(), types, move |_, args| {
            if let Some(skill) = args[0].read_lock::<FnPtr>() {
                is_skill(&skill, &name)?;
            }
            let answer = call(&control, index, &mut args[1..])?;
            Ok(match &group {
                Some(group) => Dynamic::from(Handle(Arc::clone(group), answer)),
                None => answer,
            })
        });
    }
}

/// Registers one method name for every group that has it: `get` of `state` and of anything else, and of handles.
fn register_grouped(
    engine: &mut Engine,
    own: &Arc<Control>,
    functions: &[FunctionSpec],
    method: &str,
    members: Vec<(Arc<str>, usize)>,
) {
    let most = members.iter().map(|(_, index)| *arities(&functions[*index]).end()).max().unwrap_or(0);
    let members: Arc<[(Arc<str>, usize)]> = members.into();
    for count in 0..=most {
        let control = Arc::clone(own);
        let members = Arc::clone(&members);
        let method_name = method.to_owned();
        let member = move |group: &str| {
            let member = members.iter().find(|(name, _)| **name == *group);
            member
                .map(|(_, index)| *index)
                .ok_or_else(|| error(format!("skill.{group} has no function `{method_name}`")))
        };
        let of_handle = member.clone();
        engine.register_raw_fn(method, with_self(TypeId::of::<Group>(), count), move |_, args| {
            let group = args[0].read_lock::<Group>().map(|group| Arc::clone(&group.0)).unwrap_or_default();
            call(&control, member(&group)?, &mut args[1..])
        });
        let control = Arc::clone(own);
        engine.register_raw_fn(method, with_self(TypeId::of::<Handle>(), count), move |_, args| {
            let (this, rest) = args.split_at_mut(1);
            let Some(Handle(group, mut given)) = this[0].read_lock::<Handle>().map(|handle| handle.clone()) else {
                return Err(error(format!("`{SKILL}` has no such member")));
            };
            let mut all = vec![&mut given];
            all.extend(rest.iter_mut().map(|arg| &mut **arg));
            call(&control, of_handle(&group)?, &mut all)
        });
    }
}

/// One argument more than there are parameters is taken too, so that the host can say what is wrong with the call.
fn arities(spec: &FunctionSpec) -> std::ops::RangeInclusive<usize> {
    0..=(spec.parameters.len() + 1).min(MOST_ARGUMENTS)
}

fn any(count: usize) -> Vec<TypeId> {
    vec![TypeId::of::<Dynamic>(); count]
}

fn with_self(this: TypeId, count: usize) -> Vec<TypeId> {
    let mut types = any(count + 1);
    types[0] = this;
    types
}

fn is_skill(pointer: &FnPtr, member: &str) -> Rhaied<()> {
    if pointer.fn_name() == SKILL {
        return Ok(());
    }
    Err(EvalAltResult::ErrorFunctionNotFound(format!("{member} (Fn)"), Position::NONE).into())
}

/// Calls a function of the host with what the script gave.
fn call(control: &Control, index: usize, args: &mut [&mut Dynamic]) -> Rhaied<Dynamic> {
    let host = control.host().ok_or_else(|| control.throw(no_run()))?;
    let mark = control.memory.mark();
    let mut positional = Vec::with_capacity(args.len());
    for arg in args {
        let value = ToJson::new("argument", None, &control.memory).value(arg);
        positional.push(value.map_err(|failure| raise(control, failure))?);
    }
    control.before_call(host.budget());
    let result = control.memory.outside(|| host.call(index, Arguments::positional(positional)));
    control.after_call(host.budget());
    let value = result.map_err(|failure| control.throw(failure))?;
    // The arguments' and the result's JSON is the host's: only what the script is given counts as its own.
    control.reserve(size_in_rhai(&value))?;
    let given = control.memory.settle(mark, || from_json(&value));
    control.memory.outside(|| drop(value));
    if host.budget().stopping() { Err(control.throw(no_run())) } else { Ok(given) }
}

/// Raises the failure of a conversion in the script, or stops it where that is a breach.
fn raise(control: &Control, failure: Failure) -> Box<EvalAltResult> {
    match failure.limit {
        Some(breach) => control.stop(breach),
        None => control.throw(failure),
    }
}
