//! Whether code of bash is all there, as bash itself says: it reads it, and runs nothing.

use crate::command::run::{Apart, Machine, program};
use crate::{Invocation, OutputForm};
use skills_core::{Completeness, Host};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What bash says where a source ends in the middle of something.
const UNFINISHED: [&str; 3] =
    ["unexpected EOF while looking for", "syntax error: unexpected end of file", "warning: here-document at line"];

/// Whether a source goes on in the next line. Where bash cannot be asked, it does not.
pub fn completeness(source: &str, machine: Machine<'_>, host: &Arc<dyn Host>) -> Completeness {
    // To bash that is a line that goes on with nothing.
    let backslashes = source.len() - source.trim_end_matches('\\').len();
    if !backslashes.is_multiple_of(2) {
        return Completeness::Incomplete;
    }
    let apart = Apart::silent(host);
    let parser = Invocation {
        program: "bash".to_owned(),
        arguments: ["--norc", "--noprofile", "-O", "extglob", "-n"].map(str::to_owned).to_vec(),
        environment: BTreeMap::new(),
        working_directory: None,
        // The line has ended, and an open here-document with it.
        stdin: format!("{source}\n"),
        output: OutputForm::Text,
        exit_codes: BTreeMap::new(),
        script: None,
        name: "bash".to_owned(),
        folder: None,
        protocol: None,
        request: None,
    };
    let as_host = Arc::clone(&apart) as Arc<dyn Host>;
    let ran = program(&parser, machine, host).and_then(|program| machine.launcher.run(&program, &as_host));
    match ran {
        Ok(_) if is_unfinished(&apart.kept().stderr) => Completeness::Incomplete,
        _ => Completeness::Complete,
    }
}

/// Whether that is among what bash said. A line that it quotes is none of it.
fn is_unfinished(said: &str) -> bool {
    let message = |line: &str| {
        let (_, rest) = line.split_once("line ")?;
        let (number, message) = rest.split_once(": ")?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| message.to_owned())
    };
    said.lines()
        .filter(|line| line.contains("bash: line "))
        .filter_map(message)
        .any(|message| UNFINISHED.iter().any(|start| message.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::is_unfinished;

    #[test]
    fn what_bash_says_tells_what_is_unfinished() {
        for said in [
            "/usr/bin/bash: line 1: unexpected EOF while looking for matching `''\n",
            "bash: line 2: syntax error: unexpected end of file\n",
            "bash: line 2: syntax error: unexpected end of file from `if' command on line 1\n",
            "bash: line 3: warning: here-document at line 1 delimited by end-of-file (wanted `END')\n",
        ] {
            assert!(is_unfinished(said), "{said}");
        }
        for said in [
            "bash: line 1: syntax error near unexpected token `)'\n",
            "bash: line 1: `echo line 1: unexpected EOF while looking for )'\n",
            "",
        ] {
            assert!(!is_unfinished(said), "{said}");
        }
    }
}
