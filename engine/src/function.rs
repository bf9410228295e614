//! A host program's own functions, made from plain typed closures.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use skills_core::{CallContext, ErrorKind, Failure, FunctionSpec, HostFunction, ParameterSpec};
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use crate::runtime::Runtime;

mod names;
mod result;

pub(crate) use names::{Names, check_name};

/// A closure that scripts can call: up to eight arguments that serde can read, and a `Result` whose value it can write
/// and whose error can be shown. Implemented for closures; `Types` is only there so that the compiler can tell their
/// shapes apart.
pub trait TypedFunction<Types>: Send + Sync + 'static {
    /// The parameters, from the argument types.
    #[doc(hidden)]
    fn parameters(names: &Names) -> Vec<ParameterSpec>;
    /// The JSON Schema of the result.
    #[doc(hidden)]
    fn returns() -> Value;
    /// Runs it with one value a parameter.
    #[doc(hidden)]
    fn invoke(&self, arguments: Vec<Value>, names: &Names) -> Result<Value, Failure>;
}

/// The same for closures that give a future.
pub trait TypedAsyncFunction<Types>: Send + Sync + 'static {
    /// The parameters, from the argument types.
    #[doc(hidden)]
    fn parameters(names: &Names) -> Vec<ParameterSpec>;
    /// The JSON Schema of the result.
    #[doc(hidden)]
    fn returns() -> Value;
    /// Starts it with one value a parameter.
    #[doc(hidden)]
    fn invoke(&self, arguments: Vec<Value>, names: &Names) -> Result<Pending, Failure>;
}

/// A host function's result to come.
type Pending = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

fn schema_of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>();
    schema.remove("title");
    schema.to_value()
}

fn parameter<T: JsonSchema>(names: &Names, index: usize) -> ParameterSpec {
    let schema = schema_of::<T>();
    // An `Option<T>` says so by allowing null.
    let optional = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|t| t == "null"),
        _ => schema
            .get("anyOf")
            .and_then(Value::as_array)
            .is_some_and(|any| any.iter().any(|s| s.get("type").is_some_and(|t| t == "null"))),
    };
    let spec = ParameterSpec { schema, ..ParameterSpec::any(names.parameter(index)) };
    if optional { spec.or(Value::Null) } else { spec }
}

fn read<T: DeserializeOwned>(value: Value, names: &Names, index: usize) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        let message = format!("skill.{} `{}`: {error}", names.function, names.parameter(index));
        Failure::new(ErrorKind::InvalidArguments, message)
    })
}

fn write<T: Serialize, E: Display>(result: Result<T, E>, function: &str) -> Result<Value, Failure> {
    let value = result.map_err(|error| Failure::new(ErrorKind::ScriptError, error.to_string()))?;
    result::to_json(&value, function)
}

macro_rules! typed {
    ($($arg:ident $index:literal),*) => {
        impl<Func, Out, Err, $($arg),*> TypedFunction<(($($arg,)*), Out, Err)> for Func
        where
            Func: Fn($($arg),*) -> Result<Out, Err> + Send + Sync + 'static,
            $($arg: DeserializeOwned + JsonSchema,)*
            Out: Serialize + JsonSchema,
            Err: Display,
        {
            fn parameters(names: &Names) -> Vec<ParameterSpec> {
                let _ = names;
                vec![$(parameter::<$arg>(names, $index)),*]
            }

            fn returns() -> Value {
                schema_of::<Out>()
            }

            fn invoke(&self, arguments: Vec<Value>, names: &Names) -> Result<Value, Failure> {
                let mut given = arguments.into_iter();
                let _ = &mut given;
                write(self($(read::<$arg>(given.next().unwrap_or_default(), names, $index)?),*), &names.function)
            }
        }

        impl<Func, Fut, Out, Err, $($arg),*> TypedAsyncFunction<(($($arg,)*), Out, Err)> for Func
        where
            Func: Fn($($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<Out, Err>> + Send + 'static,
            $($arg: DeserializeOwned + JsonSchema,)*
            Out: Serialize + JsonSchema,
            Err: Display,
        {
            fn parameters(names: &Names) -> Vec<ParameterSpec> {
                let _ = names;
                vec![$(parameter::<$arg>(names, $index)),*]
            }

            fn returns() -> Value {
                schema_of::<Out>()
            }

            fn invoke(&self, arguments: Vec<Value>, names: &Names) -> Result<Pending, Failure> {
                let mut given = arguments.into_iter();
                let _ = &mut given;
                let future = self($(read::<$arg>(given.next().unwrap_or_default(), names, $index)?),*);
                let function = names.function.clone();
                Ok(Box::pin(async move { write(future.await, &function) }))
            }
        }
    };
}

typed!();
typed!(A 0);
typed!(A 0, B 1);
typed!(A 0, B 1, C 2);
typed!(A 0, B 1, C 2, D 3);
typed!(A 0, B 1, C 2, D 3, E 4);
typed!(A 0, B 1, C 2, D 3, E 4, F 5);
typed!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
typed!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

type Call = dyn Fn(&CallContext<'_>, Vec<Value>) -> Result<Value, Failure> + Send + Sync;

/// A closure as a [`HostFunction`].
pub(crate) struct Closure {
    spec: FunctionSpec,
    call: Box<Call>,
}

impl Closure {
    pub(crate) fn new<Types, F: TypedFunction<Types>>(names: Names, function: F) -> Closure {
        let spec = spec(&names, F::parameters(&names), F::returns());
        Closure { spec, call: Box::new(move |_, arguments| function.invoke(arguments, &names)) }
    }

    pub(crate) fn new_async<Types, F: TypedAsyncFunction<Types>>(
        names: Names,
        runtime: Runtime,
        function: F,
    ) -> Closure {
        let spec = spec(&names, F::parameters(&names), F::returns());
        let call = move |context: &CallContext<'_>, arguments: Vec<Value>| {
            runtime.wait(function.invoke(arguments, &names)?, context.budget)
        };
        Closure { spec, call: Box::new(call) }
    }
}

fn spec(names: &Names, parameters: Vec<ParameterSpec>, returns: Value) -> FunctionSpec {
    FunctionSpec {
        name: names.function.clone(),
        description: "A function of the host program.".to_owned(),
        parameters,
        returns,
        capability: None,
    }
}

impl HostFunction for Closure {
    fn spec(&self) -> &FunctionSpec {
        &self.spec
    }

    fn call(&self, context: &CallContext<'_>, arguments: Vec<Value>) -> Result<Value, Failure> {
        (self.call)(context, arguments)
    }
}
