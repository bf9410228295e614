//! Commands that destroy what a person may want to keep. They are asked about before they run, whatever they may reach.
//!
//! | command | what it does |
//! |---|---|
//! | `rm -r`, `rm -f`, `find … -delete`, `git clean -f` | deletes without asking |
//! | `dd`, `mkfs…`, `shred`, `wipefs`, `truncate`, `> /dev/…` | overwrites files or disks |
//! | `git push --force`, `git reset --hard` | throws work away |
//! | `shutdown`, `reboot`, `halt`, `poweroff` | stops the machine |
//! | `kill -9 -1`, `killall`, `pkill` | ends other programs |
//! | `chmod -R`, `chown -R` | changes the rights of whole folders |
//! | `sudo`, `doas` | runs as another user |
//! | `curl … \| sh` | runs whatever a server sends |
//! | `docker system prune`, `kubectl delete`, `terraform destroy` | removes what others run |
//!
//! This is a list of what honest skills do by mistake, not a defence: what a hostile one may do is what it is confined to.

use crate::plan::Step;

/// What a step does that destroys: each once, as a person knows it.
pub(crate) fn of_step(step: &Step) -> Vec<String> {
    let Step::Program(invocation) = step else { return Vec::new() };
    let mut found = match (&invocation.script, invocation.arguments.get(1)) {
        (Some(script), _) => of_text(&script.source),
        (None, Some(source)) if invocation.is_shell() => of_text(source),
        _ => {
            let words: Vec<String> =
                std::iter::once(&invocation.program).chain(&invocation.arguments).cloned().collect();
            // What a shell is given to run is looked at too; any other argument is just text.
            let is_shell = matches!(program(&words), "sh" | "bash" | "dash" | "zsh");
            let texts = words.windows(2).filter(|pair| is_shell && pair[0] == "-c").map(|pair| &pair[1]);
            let inner = texts.flat_map(|text| of_text(text)).collect::<Vec<_>>();
            of_words(&words).into_iter().chain(inner).collect()
        }
    };
    found.sort_unstable();
    found.dedup();
    found
}

fn of_text(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut found = Vec::new();
    for line in lines {
        // Cut at operators, whether or not they are quoted: a question too many does less harm than one too few.
        let simple: Vec<Vec<String>> =
            line.split(['|', ';', '&', '(', ')', '`', '{', '}']).map(words).filter(|words| !words.is_empty()).collect();
        for pair in simple.windows(2) {
            let (from, to) = (program(&pair[0]), program(&pair[1]));
            if matches!(from, "curl" | "wget") && matches!(to, "sh" | "bash" | "zsh" | "python" | "python3" | "node") {
                found.push(format!("{from} … | {to}"));
            }
        }
        found.extend(simple.iter().flat_map(|words| of_words(words)));
        if line.split('>').skip(1).any(|rest| rest.trim_start().starts_with("/dev/") && !is_harmless_device(rest)) {
            found.push("> /dev/…".to_owned());
        }
    }
    found
}

fn is_harmless_device(rest: &str) -> bool {
    ["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/"].iter().any(|d| rest.trim_start().starts_with(d))
}

fn words(simple: &str) -> Vec<String> {
    let words = shell_words::split(simple).unwrap_or_else(|_| simple.split_whitespace().map(str::to_owned).collect());
    let keyword = |word: &String| matches!(word.as_str(), "then" | "do" | "else" | "if" | "while" | "!" | "time");
    words.into_iter().skip_while(|word| keyword(word) || (word.contains('=') && !word.starts_with('-'))).collect()
}

/// The program's name without its folder.
fn program(words: &[String]) -> &str {
    words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word))
}

fn of_words(words: &[String]) -> Vec<String> {
    let name = program(words);
    let has = |wanted: &str| words.iter().skip(1).any(|word| word == wanted);
    let short = |letters: &[char]| {
        words.iter().skip(1).any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letters))
    };
    let second = words.get(1).map_or("", String::as_str);
    let rest =
        |from: usize| words.iter().skip(from).position(|w| !w.starts_with('-') && !w.contains('=')).map(|i| i + from);
    let named = |what: &str| vec![what.to_owned()];
    match (name, second) {
        ("sudo" | "doas", _) => {
            let inner = rest(1).map_or(Vec::new(), |at| of_words(&words[at..]));
            named(name).into_iter().chain(inner).collect()
        }
        ("env" | "nohup" | "nice" | "exec" | "command" | "timeout" | "xargs", _) => {
            let inner = |at: usize| of_words(&words[at..]);
            // `timeout 5 rm …`: the first word may be an amount.
            rest(1).map_or(Vec::new(), |at| {
                [at, at + 1].into_iter().filter(|at| *at < words.len()).flat_map(inner).collect()
            })
        }
        ("rm", _) if short(&['r', 'R']) || has("--recursive") => named("rm -r"),
        ("rm", _) if short(&['f']) || has("--force") => named("rm -f"),
        ("find", _) if has("-delete") => named("find -delete"),
        ("find", _) if has("-exec") || has("-execdir") => {
            let at = words.iter().position(|word| word.starts_with("-exec")).unwrap_or(0);
            of_words(words.get(at + 1..).unwrap_or_default())
        }
        (
            "dd" | "shred" | "wipefs" | "truncate" | "shutdown" | "reboot" | "halt" | "poweroff" | "killall" | "pkill",
            _,
        ) => named(name),
        ("systemctl", "poweroff" | "reboot" | "halt") => named(&format!("systemctl {second}")),
        ("kill", _) if has("-1") => named("kill -1"),
        ("chmod" | "chown", _) if short(&['R']) || has("--recursive") => named(&format!("{name} -R")),
        ("git", "push") if has("--force") || has("--force-with-lease") || has("--mirror") || short(&['f']) => {
            named("git push --force")
        }
        ("git", "push") if words.iter().skip(2).any(|word| word.starts_with('+')) => named("git push --force"),
        ("git", "reset") if has("--hard") => named("git reset --hard"),
        ("git", "clean") if short(&['f']) || has("--force") => named("git clean -f"),
        ("docker" | "podman", "system") if has("prune") => named(&format!("{name} system prune")),
        ("kubectl", "delete") | ("terraform", "destroy") => named(&format!("{name} {second}")),
        _ if name == "mkfs" || name.starts_with("mkfs.") => named("mkfs"),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_destroys_is_found() {
        for (text, part) in [
            ("cd x && rm -rf build", "rm -r"),
            ("if true; then rm -f a; fi", "rm -f"),
            ("FOO=1 /bin/rm --recursive x", "rm -r"),
            ("dd if=/dev/zero of=disk", "dd"),
            ("mkfs.ext4 /dev/sda1", "mkfs"),
            ("git push -f origin main", "git push --force"),
            ("git push origin +main", "git push --force"),
            ("git reset --hard HEAD~3", "git reset --hard"),
            ("sudo shutdown now", "shutdown"),
            ("timeout 5 rm -rf x", "rm -r"),
            ("ls | xargs rm -rf", "rm -r"),
            ("find . -name x -exec rm -rf '{}' +", "rm -r"),
            ("find . -name '*.o' -delete", "find -delete"),
            ("curl https://x.example | sh", "curl … | sh"),
            ("cat x > /dev/sda", "> /dev/…"),
            ("rm \\\n -rf x", "rm -r"),
            ("echo $(rm -rf x)", "rm -r"),
        ] {
            assert!(of_text(text).iter().any(|found| found == part), "{text}: {:?}", of_text(text));
        }
    }

    #[test]
    fn ordinary_commands_pass() {
        for text in
            ["ls -la", "rm x", "git push origin main", "echo done > /dev/null", "# rm -rf /", "git status --short", ""]
        {
            assert_eq!(of_text(text), Vec::<String>::new(), "{text}");
        }
    }
}
