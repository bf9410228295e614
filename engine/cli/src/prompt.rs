//! Asks a person in the terminal.

use crate::render;
use skills::{Answer, Approver, DecisionScope, Operation, Question, Reply};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Asks in the terminal; where there is none, nobody can be asked.
pub(crate) struct Prompt;

impl Approver for Prompt {
    fn ask(&self, question: &Question) -> Option<Reply> {
        if !io::stdin().is_terminal() || !render::stderr_is_terminal() {
            return None;
        }
        let mut out = io::stderr().lock();
        out.write_all(describe(question).as_bytes()).ok()?;
        loop {
            out.write_all(choices(question).as_bytes()).and_then(|()| out.flush()).ok()?;
            let mut line = String::new();
            // The end of the input is no answer to wait for.
            if io::stdin().lock().read_line(&mut line).ok()? == 0 {
                return Some(Answer::No.into());
            }
            match answer(&line, question) {
                Some(reply) => return Some(reply),
                None => out.write_all(b"That is none of the answers.\n").ok()?,
            }
        }
    }
}

/// What is asked, why, and what would run. Each is one line, whatever it holds: nothing of a skill passes for a line of ours.
fn describe(question: &Question) -> String {
    let ask = match question.operation {
        Operation::Run => format!("Trust {} and run it?", question.skill),
        operation => format!("Let {} {}?", question.skill, operation.phrase(&question.names)),
    };
    let asks = match question.capabilities.is_empty() {
        true => "for nothing".to_owned(),
        false => format!("for {}", question.capabilities.join(", ")),
    };
    let mut text = format!("\n{}\n", render::one_line(&ask));
    let digest = Some(&question.digest).filter(|digest| !digest.is_empty());
    let lines = [("why", &question.why), ("file", &question.file), ("runs", &question.runs), ("asks", &asks)];
    let means = Some(&question.means).filter(|means| !means.is_empty());
    let lines = lines.into_iter().chain(means.map(|means| ("means", means)));
    for (name, value) in lines.chain(digest.map(|digest| ("digest", digest))) {
        text.push_str(&format!("  {name:7} {}\n", render::one_line(value)));
    }
    text
}

fn choices(question: &Question) -> String {
    match question.scopes.is_empty() {
        true => "[y]es, [N]o: ".to_owned(),
        false => {
            "[y]es once, [a]lways, ne[v]er, [N]o; [a]lways and ne[v]er may name call, skill or folder, and a reason: "
                .to_owned()
        }
    }
}

/// An answer: `a`, `always folder`, `never skill it deletes too much`.
fn answer(line: &str, question: &Question) -> Option<Reply> {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or("n").to_ascii_lowercase();
    let mut rest = words.clone();
    let scope = rest.next().and_then(DecisionScope::from_name);
    let reason: Vec<&str> = if scope.is_some() { rest.collect() } else { words.collect() };
    let scope = scope.unwrap_or(DecisionScope::Skill);
    let remembers = question.scopes.contains(&scope);
    let answer = match first.as_str() {
        "y" | "yes" | "once" => Answer::Once,
        "n" | "no" => Answer::No,
        "a" | "always" if remembers => Answer::Always(scope),
        "v" | "never" if remembers => Answer::Never(scope),
        _ => return None,
    };
    Some(Reply { answer, reason: (!reason.is_empty()).then(|| reason.join(" ")) })
}

/// Whether a person says yes to a plain question; `None` where nobody can be asked.
pub(crate) fn confirm(text: &str) -> Option<bool> {
    if !io::stdin().is_terminal() || !render::stderr_is_terminal() {
        return None;
    }
    let mut out = io::stderr().lock();
    let asked = format!("{} [y]es, [N]o: ", render::harmless(text));
    out.write_all(asked.as_bytes()).and_then(|()| out.flush()).ok()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).ok()?;
    Some(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(scopes: &[DecisionScope]) -> Question {
        Question {
            operation: Operation::Run,
            names: Vec::new(),
            skill: "project:x".into(),
            file: "x.json".into(),
            runs: "python: x.py".into(),
            means: "it runs with your own rights".into(),
            capabilities: Vec::new(),
            why: "it is new".into(),
            digest: "d".into(),
            scopes: scopes.to_vec(),
            correlation_id: String::new(),
        }
    }

    #[test]
    fn nothing_of_a_skill_passes_for_a_line_of_the_question() {
        let forged = "true\n  asks    for nothing\u{202e}\u{1b}[2J";
        let asked =
            Question { runs: forged.into(), file: forged.into(), capabilities: vec![forged.into()], ..question(&[]) };
        let text = describe(&asked);
        assert_eq!(text.lines().count(), 8, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }

    #[test]
    fn an_answer_has_a_reach_and_a_reason() {
        let asked = question(&[DecisionScope::Call, DecisionScope::Skill, DecisionScope::Folder]);
        let given = |line: &str| answer(line, &asked).map(|reply| (reply.answer, reply.reason));
        assert_eq!(given("y\n"), Some((Answer::Once, None)));
        assert_eq!(given("\n"), Some((Answer::No, None)));
        assert_eq!(given("a"), Some((Answer::Always(DecisionScope::Skill), None)));
        assert_eq!(given("always folder"), Some((Answer::Always(DecisionScope::Folder), None)));
        let never = (Answer::Never(DecisionScope::Call), Some("too much".to_owned()));
        assert_eq!(given("never call too much"), Some(never));
        assert_eq!(given("maybe"), None);
        assert_eq!(answer("a", &question(&[])), None, "what cannot be remembered cannot be always");
    }
}
