//! What several messages have parts of: scripts, failures, limits, times.

use super::{Malformed, Reader, Writer};
use serde_json::Value;
use skills_core::{Failure, Language, Limits, Script};
use std::time::Duration;

/// The longest failure, as JSON.
pub(super) const MOST_FAILURE: usize = 1 << 20;

/// The longest message of a failure that comes from a worker, in bytes.
const MOST_MESSAGE: usize = 256 << 10;

pub(super) fn write_script(out: &mut Writer, script: &Script) {
    out.text(script.language.as_str());
    out.text(&script.file);
    out.text(&script.source);
}

pub(super) fn read_script(input: &mut Reader<'_>) -> Result<Script, Malformed> {
    let language = read_language(input)?;
    Ok(Script { language, file: input.text()?.to_owned(), source: input.text()?.to_owned() })
}

/// A file that a script imports, as the value of a reply.
pub fn module_to_value(module: Script) -> Value {
    [module.language.as_str().to_owned(), module.file, module.source].into_iter().collect()
}

/// The other way round.
pub fn module_from_value(value: Value) -> Result<Script, Malformed> {
    const NONE: Malformed = Malformed("a reply is no module");
    let [language, file, source]: [String; 3] = serde_json::from_value(value).map_err(|_| NONE)?;
    Ok(Script { language: Language::from_name(&language).ok_or(NONE)?, file, source })
}

pub(super) fn write_result(out: &mut Writer, result: &Result<Value, Failure>) {
    out.flag(result.is_ok());
    match result {
        Ok(value) => out.value(value),
        Err(failure) => write_failure(out, failure),
    }
}

pub(super) fn read_result(input: &mut Reader<'_>) -> Result<Result<Value, Failure>, Malformed> {
    if input.flag()? { input.value().map(Ok) } else { read_failure(input).map(Err) }
}

// Failures are rare, and their fields will change: as JSON.
pub(super) fn write_failure(out: &mut Writer, failure: &Failure) {
    let mut json = serde_json::to_vec(failure).unwrap_or_default();
    if json.len() > MOST_FAILURE {
        let short = clipped(Failure { frames: Vec::new(), ..failure.clone() });
        json = serde_json::to_vec(&short).unwrap_or_default();
    }
    out.bytes(&json);
}

pub(super) fn read_failure(input: &mut Reader<'_>) -> Result<Failure, Malformed> {
    let json = input.bytes()?;
    if json.len() > 2 * MOST_FAILURE {
        return Err(Malformed("a failure is too long"));
    }
    serde_json::from_slice(json).map_err(|_| Malformed("a failure cannot be read"))
}

/// A failure of a worker's with its texts cut to what a person reads.
pub(super) fn clipped(mut failure: Failure) -> Failure {
    let clip = |text: &mut String| {
        if text.len() > MOST_MESSAGE {
            let mut end = MOST_MESSAGE;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push('…');
        }
    };
    clip(&mut failure.message);
    failure.help.iter_mut().for_each(clip);
    failure.frames.truncate(Failure::MOST_FRAMES);
    failure
}

pub(super) fn write_passed(out: &mut Writer, (execution, wall): (Duration, Duration)) {
    out.time(Some(execution));
    out.time(Some(wall));
}

pub(super) fn read_passed(input: &mut Reader<'_>) -> Result<(Duration, Duration), Malformed> {
    Ok((input.time()?.unwrap_or_default(), input.time()?.unwrap_or_default()))
}

pub(super) fn read_language(input: &mut Reader<'_>) -> Result<Language, Malformed> {
    Language::from_name(input.text()?).ok_or(Malformed("a language is not known"))
}

pub(super) fn write_limits(out: &mut Writer, limits: &Limits) {
    out.time(limits.time);
    out.time(limits.wall);
    let counts = [
        limits.memory,
        limits.operations,
        limits.output,
        limits.result,
        limits.recursion,
        limits.host_calls,
        limits.processes,
        limits.cpu_percent,
        limits.disk,
        limits.file_size,
    ];
    counts.into_iter().for_each(|count| out.perhaps(count));
}

pub(super) fn read_limits(input: &mut Reader<'_>) -> Result<Limits, Malformed> {
    Ok(Limits {
        time: input.time()?,
        wall: input.time()?,
        memory: input.perhaps()?,
        operations: input.perhaps()?,
        output: input.perhaps()?,
        result: input.perhaps()?,
        recursion: input.perhaps()?,
        host_calls: input.perhaps()?,
        processes: input.perhaps()?,
        cpu_percent: input.perhaps()?,
        disk: input.perhaps()?,
        file_size: input.perhaps()?,
    })
}
