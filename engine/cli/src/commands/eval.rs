use super::{live, run};
use crate::args::{Eval, Run};
use crate::exit::Stop;

/// Evaluates code: in the session that is named, else as `skills run -e` does.
pub(crate) fn eval(args: Eval) -> Result<(), Stop> {
    if args.session.name.is_some() {
        return live::eval(&args);
    }
    let code = live::Code::of(&args.code)?;
    let Eval { lang, bounds, json, session, allow, .. } = args;
    run::run(&Run {
        target: None,
        words: Vec::new(),
        expression: Some(code.text),
        lang,
        params: None,
        script: None,
        dry_run: false,
        bounds,
        json,
        session,
        allow,
    })
}
