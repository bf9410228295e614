//! Environment variables: which ones a definition may set, and what a program finds there.

use std::path::{Component, Path};

/// Variables that make a program run code, or read it, from elsewhere than where it says.
const REFUSED: &[&str] = &[
    "BASH_ENV",
    "BASHOPTS",
    "ENV",
    "GCONV_PATH",
    "GIT_EXEC_PATH",
    "GIT_EXTERNAL_DIFF",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GLIBC_TUNABLES",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "NODE_OPTIONS",
    "PERL5DB",
    "PERL5OPT",
    "PROMPT_COMMAND",
    "PS4",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "RUBYOPT",
    "SHELLOPTS",
    "_JAVA_OPTIONS",
];

/// Variables that hold the name of a program which others start, with its arguments, or code that one of them runs, or options of
/// one that runs code. A definition may set them, but no value of a parameter may get into them.
const STARTED: &[&str] = &[
    "BROWSER",
    "CC",
    "CVS_RSH",
    "CXX",
    "EDITOR",
    "EXINIT",
    "FCEDIT",
    "GIT_ASKPASS",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EDITOR",
    "GIT_PAGER",
    "GIT_PROXY_COMMAND",
    "GIT_SEQUENCE_EDITOR",
    "GRADLE_OPTS",
    "JDK_JAVA_OPTIONS",
    "LESS",
    "LESSCLOSE",
    "LESSOPEN",
    "LUA_INIT",
    "MAKEFLAGS",
    "MANPAGER",
    "MAVEN_OPTS",
    "PAGER",
    "PYTHONBREAKPOINT",
    "PYTHONWARNINGS",
    "RSYNC_RSH",
    "RUSTC",
    "RUSTC_WRAPPER",
    "SHELL",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "SUDO_EDITOR",
    "SYSTEMD_PAGER",
    "TAR_OPTIONS",
    "VIMINIT",
    "VISUAL",
];

/// Variables that list folders from which a language loads code.
const CODE_FOLDERS: &[&str] = &["CLASSPATH", "NODE_PATH", "PERL5LIB", "PYTHONPATH", "RUBYLIB"];

/// Variables of bash that are numbers: it computes what is assigned to one, and runs what stands in a subscript there.
const NUMBERS: &[&str] = &["BASHPID", "EUID", "HISTCMD", "OPTIND", "PPID", "RANDOM", "SECONDS", "SRANDOM", "UID"];

/// Folders that programs of the system are in.
const SYSTEM_FOLDERS: &[&str] =
    &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/games", "/usr/libexec"];

/// What `PATH` is where nothing else is said.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// The prefix of the variables that hold a run's parameters.
pub const PARAMETER_PREFIX: &str = "SKILL_PARAM_";

/// The variable that holds all parameters as JSON.
pub const PARAMETERS: &str = "SKILL_PARAMS";

/// Whether a text can be the name of a shell variable.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether no definition and no parameter may set a variable.
pub fn is_refused(name: &str) -> bool {
    REFUSED.contains(&name)
        || ["LD_", "DYLD_", "BASH_FUNC_", "SKILL_", "SKILLS_"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a variable is one whose value can run as code, or says where code is, where a shell assigns it.
pub(crate) fn takes_code(name: &str) -> bool {
    name == "PATH" || is_refused(name) || is_number(name) || is_started(name) || CODE_FOLDERS.contains(&name)
}

/// Whether a variable holds the name of a program that others start: a definition may set it, and no parameter may.
pub fn is_started(name: &str) -> bool {
    STARTED.contains(&name) || is_git_setting(name)
}

/// Git takes any number of settings from these, among them names of programs.
fn is_git_setting(name: &str) -> bool {
    name.starts_with("GIT_CONFIG_KEY_") || name.starts_with("GIT_CONFIG_VALUE_")
}

/// Whether bash reads what is assigned to a variable as arithmetic.
pub(crate) fn is_number(name: &str) -> bool {
    NUMBERS.contains(&name)
}

/// Whether a parameter of this name becomes a variable of the same name for bash: not where it would change bash itself
/// or what bash starts. Names in capitals alone are those of the system.
pub fn is_plain(name: &str) -> bool {
    is_name(name) && !is_refused(name) && !name.ends_with("_proxy") && name.chars().any(|c| c.is_ascii_lowercase())
}

/// What is wrong with a variable that a definition sets, and what to do about it. `folder` is the skill's own, `read` are
/// the paths that the definition asks to read.
pub fn problem(name: &str, value: &str, folder: Option<&Path>, read: &[String]) -> Option<(String, String)> {
    if is_refused(name) {
        let message = format!("`{name}` changes which code runs, and cannot be set by a definition");
        return Some((message, "remove it; give the program what it needs as an argument".to_owned()));
    }
    if name == "PATH" {
        let outside = value.split(':').find(|entry| !SYSTEM_FOLDERS.contains(&entry.trim_end_matches('/')))?;
        let message = format!("`PATH` may name folders of the system only, not `{}`", outside.escape_debug());
        return Some((message, "name the program by its path instead, such as `./bin/tool`".to_owned()));
    }
    if !CODE_FOLDERS.contains(&name) {
        return None;
    }
    let inside = |entry: &str| {
        let path = Path::new(entry);
        let climbs = path.components().any(|part| matches!(part, Component::ParentDir));
        let listed = || read.iter().any(|read| path.starts_with(read.trim_end_matches('/')));
        let own = if path.is_absolute() { folder.is_some_and(|folder| path.starts_with(folder)) } else { true };
        !entry.is_empty() && !climbs && (own || listed())
    };
    let outside = value.split(':').find(|entry| !inside(entry))?;
    let message =
        format!("`{name}` names `{}`, outside of the skill's folder and of what it may read", outside.escape_debug());
    Some((message, "name a folder below the skill's, relative to it, or ask for it in `file_read`".to_owned()))
}

/// The value of a variable that lists folders of code, with relative ones below the skill's folder.
pub(crate) fn anchored(name: &str, value: &str, folder: Option<&Path>) -> String {
    let Some(folder) = folder.filter(|_| CODE_FOLDERS.contains(&name)) else { return value.to_owned() };
    let entries = value.split(':').map(|entry| folder.join(entry).components().collect::<std::path::PathBuf>());
    entries.map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
}

/// The variables that parameters have in a shell, in order. Names that differ only in what variables cannot have get
/// a number.
pub fn variables<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for name in names {
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let first = format!("{PARAMETER_PREFIX}{plain}");
        let mut variable = first.clone();
        let mut next = 2;
        while all.iter().any(|(_, taken)| *taken == variable) {
            variable = format!("{first}_{next}");
            next += 1;
        }
        all.push((name.to_owned(), variable));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_run_other_code_are_refused() {
        let folder = Path::new("/srv/skill");
        let read = ["/data/lib".to_owned()];
        let problem = |name, value| problem(name, value, Some(folder), &read).map(|(message, _)| message);
        for (name, value) in [
            ("LD_PRELOAD", "x.so"),
            ("LD_LIBRARY_PATH", "/lib"),
            ("BASH_ENV", "x"),
            ("IFS", "x"),
            ("NODE_OPTIONS", "--require x"),
            ("SKILL_PARAMS", "{}"),
            ("PATH", "./bin"),
            ("PATH", "/usr/bin:"),
            ("PATH", "/usr/bin:/home/me"),
            ("PYTHONPATH", "/etc"),
            ("PYTHONPATH", "../x"),
            ("PYTHONPATH", "./a/../../x"),
            ("PYTHONPATH", "./a:"),
            ("PERL5LIB", "/srv/skillful"),
        ] {
            assert!(problem(name, value).is_some_and(|message| message.contains(name)), "{name}={value}");
        }
        for (name, value) in [
            ("LANG", "C"),
            ("PATH", "/usr/bin:/bin/"),
            ("PYTHONPATH", "./src:lib"),
            ("PYTHONPATH", "/srv/skill/src"),
            ("PYTHONPATH", "/data/lib/x"),
            ("LDX", "1"),
        ] {
            assert_eq!(problem(name, value), None, "{name}={value}");
        }
        assert_eq!(anchored("PYTHONPATH", "./src:/data/lib", Some(folder)), "/srv/skill/src:/data/lib");
        assert_eq!(anchored("OTHER", "./src", Some(folder)), "./src");
    }

    #[test]
    fn every_parameter_has_a_variable_of_its_own() {
        let names = variables(["a-b", "a_b", "a.b", "é"]);
        let variables: Vec<&str> = names.iter().map(|(_, variable)| variable.as_str()).collect();
        assert_eq!(variables, ["SKILL_PARAM_a_b", "SKILL_PARAM_a_b_2", "SKILL_PARAM_a_b_3", "SKILL_PARAM__"]);
    }

    #[test]
    fn only_harmless_names_are_variables_as_they_are() {
        assert!(["name", "Path", "userId", "_x"].iter().all(|name| is_plain(name)));
        assert!(
            !["PATH", "HOME", "a-b", "1a", "LD_PRELOAD", "LD_preload", "BASH_FUNC_x", ""].iter().any(|n| is_plain(n))
        );
    }
}
