use crate::control::{Control, Rhaied, error, lock, terminated};
use crate::modules::Siblings;
use crate::{guards, host, live};
use rhai::packages::Package;
use rhai::{Dynamic, Engine};
use skills_core::{Host, Limits, Stream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How deep calls may nest where no limit is asked for.
pub(crate) const DEFAULT_RECURSION: usize = 1_000;

/// The stack that one call can take, with its expressions nested as deep as they may be, in a build without
/// optimisation; 256 MiB of stack hold 4,096 such calls.
const LARGEST_FRAME: usize = 64 << 10;

/// How deep expressions and blocks may nest in each other, at the top level and in a function.
const EXPRESSION_DEPTH: (usize, usize) = (64, 32);

/// The most variables at once in one function or at the top level.
const VARIABLES: usize = 10_000;

/// Builds an engine for the functions of a host. Gives the variable that every run's parameters are put into as well.
pub(crate) fn build(control: &Arc<Control>, host: &Arc<dyn Host>, counted: bool) -> (Engine, Dynamic) {
    let mut engine = Engine::new_raw();
    guards::PACKAGES.register_into_engine(&mut engine);
    engine.set_module_resolver(Siblings(Arc::clone(control)));
    engine.set_max_variables(VARIABLES);
    language(&mut engine);

    let here = Arc::clone(control);
    engine.on_progress(move |operations| here.progress(operations));
    let here = Arc::clone(control);
    engine.on_print(move |text| here.print(Stream::Stdout, text));
    let here = Arc::clone(control);
    engine.on_debug(move |text, _, _| here.print(Stream::Stderr, text));

    let here = Arc::clone(control);
    // Not deprecated: that is how Rhai marks what may change between its releases.
    #[allow(deprecated)]
    engine.on_parse_token(move |token, _, _| match lock(&here.last_value).as_mut() {
        Some(last) => last.name(token),
        None => token,
    });
    live::register(&mut engine, control);
    register_sleep(&mut engine, control);
    guards::register(&mut engine, control, counted);
    let params = host::register(&mut engine, control, host);
    (engine, params)
}

/// An engine that only parses, by the same rules.
pub(crate) fn parser() -> Engine {
    let mut engine = Engine::new_raw();
    language(&mut engine);
    engine
}

fn language(engine: &mut Engine) {
    engine.disable_symbol("eval");
    engine.set_max_expr_depths(EXPRESSION_DEPTH.0, EXPRESSION_DEPTH.1);
}

/// How deep calls may nest under these limits, on a stack of that size.
pub(crate) fn recursion(limits: &Limits, stack: usize) -> usize {
    let wanted = limits.recursion.map_or(DEFAULT_RECURSION, |n| usize::try_from(n).unwrap_or(usize::MAX));
    wanted.min(stack / LARGEST_FRAME)
}

/// Rhai's own `sleep` would hold the thread past any deadline.
fn register_sleep(engine: &mut Engine, control: &Arc<Control>) {
    let here = Arc::clone(control);
    engine.register_fn("sleep", move |seconds: f64| sleep(&here, seconds));
    let here = Arc::clone(control);
    engine.register_fn("sleep", move |seconds: i64| sleep(&here, seconds as f64));
}

fn sleep(control: &Control, seconds: f64) -> Rhaied<()> {
    /// How long a sleeping script may take to notice that it is to stop.
    const NAP: Duration = Duration::from_millis(5);
    let started = Instant::now();
    let whole = Duration::try_from_secs_f64(seconds.max(0.0)).map_err(|_| error("cannot sleep that long"))?;
    while let Some(left) = whole.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
        if control.stopping() {
            return Err(terminated());
        }
        std::thread::sleep(left.min(NAP));
    }
    Ok(())
}
