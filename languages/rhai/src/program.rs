use crate::failures::{self, Places};
use crate::interpolation::{self, Written};
use crate::{engine, host};
use rhai::{AST, Engine};
use skills_core::{ErrorKind, Failure, Language, Script};

/// A script as it is run.
pub(crate) struct Program {
    pub(crate) ast: AST,
    /// What was compiled instead of the source, where that had interpolations.
    pub(crate) written: Option<Written>,
}

impl Program {
    /// Compiles a script, and behind it the call of `run` where it defines one.
    pub(crate) fn compile(engine: &Engine, script: &Script) -> Result<Program, Failure> {
        let mut program = Program::body(engine, script, 0)?;
        if let Some(call) = call_of_run(engine, &program.ast) {
            program.ast = program.ast.merge(&call);
        }
        Ok(program)
    }

    /// Compiles a script as it stands, with lines above it that are not its own.
    pub(crate) fn body(engine: &Engine, script: &Script, above: usize) -> Result<Program, Failure> {
        let written = write_out(script)?;
        let source = written.as_ref().map_or(script.source.as_str(), |written| &written.source);
        let lowered = (above > 0).then(|| format!("{}{source}", "\n".repeat(above)));
        let compiled = engine.compile(lowered.as_deref().unwrap_or(source));
        let ast = compiled.map_err(|error| {
            failures::from_parse(&error, &Places { script, written: written.as_ref(), above, others: &[] })
        })?;
        Ok(Program { ast, written })
    }
}

fn write_out(script: &Script) -> Result<Option<Written>, Failure> {
    if !script.source.contains("${") {
        return Ok(None);
    }
    let places = Places::alone(script, None);
    match interpolation::write_out(engine::parser(), &script.source) {
        Ok(Some(written)) => Ok(Some(written)),
        Ok(None) => Err(Failure::new(ErrorKind::ScriptError, "a line with an interpolation is too long to compile")
            .with_help("break it into several lines")
            .in_script(Language::Rhai, Vec::new())),
        Err(error) => Err(failures::from_parse(&error, &places)),
    }
}

/// The names of `run`'s parameters, where a script defines it; of several, the one that takes all in one object.
pub(crate) fn run_parameters(ast: &AST) -> Option<Vec<String>> {
    let runs = ast.iter_functions().filter(|function| function.name == "run" && function.this_type.is_none());
    let run = runs.min_by_key(|function| if function.params.len() == 1 { 0 } else { function.params.len() + 1 })?;
    Some(run.params.iter().map(|name| (*name).to_owned()).collect())
}

/// The call of `run` with the parameters, where a script defines it.
pub(crate) fn call_of_run(engine: &Engine, ast: &AST) -> Option<AST> {
    let parameters = run_parameters(ast)?;
    let name = host::PARAMETERS;
    let call = match parameters.as_slice() {
        [] => "run()".into(),
        [_] => format!("run({name})"),
        several => {
            let arguments: Vec<String> = several.iter().map(|member| format!("{name}[{member:?}]")).collect();
            format!("run({})", arguments.join(", "))
        }
    };
    // Far below any script, so that an error's position tells whose call it was.
    engine.compile(format!("{}{call}", "\n".repeat(failures::OWN_LINE - 1))).ok()
}
