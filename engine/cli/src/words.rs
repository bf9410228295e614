//! Words of the command line that clap does not read by itself: a skill's own parameters, times and sizes.

use skills::core::HostPattern;
use skills::{Isolation, Language};
use std::ffi::OsString;
use std::time::Duration;

/// The examples below `skills run --help`.
pub(crate) const RUN_HELP: &str = "\
Options that `run` does not know are parameters of the skill.

Examples:
  skills run calculator operation=add operand1=5 operand2=3
  skills run calculator --operation add --operand1 5 --operand2 3
  skills run calculator --params '{\"operation\":\"add\",\"operand1\":5,\"operand2\":3}'
  skills run ./report.py --max-time 5s
  skills run -e '6 * 7' --lang python
  echo '{\"n\": 20}' | skills run -e 'params.n + 1' --params -

SKILLS_LOG=debug in the environment shows what skills log for debugging.";

/// The examples below `skills eval --help`.
pub(crate) const EVAL_HELP: &str = "\
Sessions live in a process of their own, which starts when it is needed and ends when it has been idle for ten minutes
(SKILLS_HOST_IDLE in the environment says otherwise). An evaluation ends with the terminal that asked for it; one that a script
asked for is finished.

Examples:
  skills eval '6 * 7'
  skills eval --session notes --lang python 'x = 41'
  skills eval --session notes 'x + 1'
  skills eval --session notes @cells.py --persist disk --idle 2h";

/// Moves what is not an option of `run` behind a `--`, in its order, so that clap takes it as it is: the skill and its
/// parameters, `--operation add` among them.
pub(crate) fn set_apart(arguments: Vec<OsString>, cli: &clap::Command) -> Vec<OsString> {
    let Some(run) = cli.find_subcommand("run") else { return arguments };
    let takes_value = |name: &str| {
        let mut options = run.get_opts();
        let found =
            options.find(|o| o.get_long() == Some(name) || o.get_short().is_some_and(|s| s.to_string() == name));
        found.map(|option| option.get_action().takes_values()).or_else(|| matches!(name, "help" | "h").then_some(false))
    };
    let mut known: Vec<OsString> = arguments.iter().take(2).cloned().collect();
    let mut words = Vec::new();
    let mut rest = arguments.into_iter().skip(2);
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy().into_owned();
        if text == "--" {
            words.extend(rest.by_ref());
            break;
        }
        // `-e'6 * 7'`: the code stands in the option's own word.
        let attached = text.strip_prefix("-e").is_some_and(|code| !code.is_empty());
        if attached {
            known.push(argument);
            continue;
        }
        let option = text.strip_prefix("--").or_else(|| text.strip_prefix('-').filter(|short| short.len() == 1));
        let name = option.map(|option| option.split('=').next().unwrap_or(option));
        match name.filter(|name| !name.is_empty()).and_then(takes_value) {
            None => words.push(argument),
            Some(value) => {
                known.push(argument);
                if value && !text.contains('=') {
                    known.extend(rest.next());
                }
            }
        }
    }
    if !words.is_empty() {
        known.push("--".into());
        known.append(&mut words);
    }
    known
}

/// A language, which this build may lack.
pub(crate) fn language(text: &str) -> Result<String, String> {
    match Language::from_name(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("that is not a language: use rhai, python, javascript, typescript or bash".to_owned()),
    }
}

/// An isolation tier.
pub(crate) fn isolation(text: &str) -> Result<Isolation, String> {
    Isolation::from_name(text)
        .ok_or_else(|| "that is not an isolation tier: use in-process, worker or container".to_owned())
}

/// Hosts that may be reached.
pub(crate) fn host(text: &str) -> Result<String, String> {
    HostPattern::parse(text).map(|_| text.to_owned()).map_err(|failure| failure.message)
}

/// A time: `200ms`, `5s`, `2m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let scale = match unit.as_str() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("say a number with its unit: 200ms, 5s, 2m".to_owned()),
    };
    let seconds = number.parse::<f64>().ok().map(|n| n * scale).filter(|s| *s > 0.0 && *s <= 1e9);
    let seconds = seconds.ok_or_else(|| "say a positive number with its unit: 200ms, 5s, 2m".to_owned())?;
    Ok(Duration::from_secs_f64(seconds))
}

/// A size in bytes: `64MB`, `512KB`, `1GB`, `4096`. A kilobyte has 1,024 bytes.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let scale: u64 = match unit.as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err("say a number with its unit: 64MB, 512KB, 1GB".to_owned()),
    };
    let bytes = number.parse::<f64>().ok().map(|n| n * scale as f64).filter(|b| (1.0..1e18).contains(b));
    bytes.map(|bytes| bytes as u64).ok_or_else(|| "say a positive number with its unit: 64MB, 512KB, 1GB".to_owned())
}

/// A positive whole number; `_` and `,` may stand between digits.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    digits.parse::<u64>().ok().filter(|n| *n > 0).ok_or_else(|| "say a positive whole number".to_owned())
}

fn split(text: &str) -> (String, String) {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    (text[..end].to_owned(), text[end..].trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn apart(line: &str) -> String {
        let arguments = line.split(' ').map(OsString::from).collect();
        let out = set_apart(arguments, &crate::args::Cli::command());
        out.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn parameters_stand_apart_from_options() {
        assert_eq!(
            apart("skills run calc --json --operation add --max-time 5s operand1=-5 -3"),
            "skills run --json --max-time 5s -- calc --operation add operand1=-5 -3"
        );
        assert_eq!(apart("skills run -e 1+1 --lang python"), "skills run -e 1+1 --lang python");
        assert_eq!(apart("skills run --json -e1+1 n=1"), "skills run --json -e1+1 -- n=1");
        assert_eq!(apart("skills run calc -- --json"), "skills run -- calc --json");
        assert_eq!(apart("skills run --help"), "skills run --help");
    }

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert!(duration("5").is_err());
        assert!(duration("-5s").is_err());
        assert!(duration("0s").is_err());
        assert_eq!(size("64MB"), Ok(64 << 20));
        assert_eq!(size("4096"), Ok(4096));
        assert!(size("NaN").is_err());
        assert!(size("64 parsecs").is_err());
        assert_eq!(count("1_000,000"), Ok(1_000_000));
        assert!(count("0").is_err());
    }
}
