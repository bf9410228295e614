//! Programs that take other programs: as text among their arguments, as a file, or as the name of what they start.

/// How a program treats its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Any argument may be code.
    Code,
    /// Names of variables, which the shell looks into for subscripts, and so for code.
    Variables,
    /// `NAME=value`, whose value is no code.
    Assignments,
    /// The condition of `[`, where `-v` looks into a variable's subscript.
    Condition,
    /// `printf`, whose `-v` names a variable.
    Printf,
    /// A shell: code behind `-c`, else a script.
    Shell,
    /// An interpreter: code behind one of these options, else a script. The others take an argument that is neither.
    Interpreter { code: &'static [&'static str], with_argument: &'static [&'static str] },
    /// Code in the first operand, unless one of the options gives it.
    Filter { code: &'static [&'static str], with_argument: &'static [&'static str], with_two: &'static [&'static str] },
    /// A database: statements as text.
    Database,
    /// `find`, which starts what stands behind `-exec`.
    Find,
    /// `git`, whose `-c` sets what git itself runs.
    Git,
    /// Another program with its arguments.
    Program,
}

const NONE: &[&str] = &[];

/// How the program of a name or path treats its arguments; `None` where they are just arguments.
pub(super) fn takes(program: &str) -> Option<Takes> {
    let name = program.rsplit('/').next().unwrap_or(program);
    // `python3.12` is `python`, `lua5.4` is `lua`.
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    Some(match base {
        "eval" | "source" | "trap" | "alias" | "ssh" | "su" | "watch" | "at" | "batch" | "parallel" | "script"
        | "expect" | "let" | "coproc" | "bind" | "complete" | "compgen" | "fc" | "enable" | "make" | "gmake" | "ex"
        | "ed" | "vi" | "vim" | "nvim" | "emacs" | "gdb" | "tmux" | "screen" | "dc" => Takes::Code,
        "" if name == "." => Takes::Code,
        "m" if name == "m4" => Takes::Code,
        "read" | "unset" | "readarray" | "mapfile" | "getopts" | "wait" => Takes::Variables,
        "export" | "declare" | "typeset" | "local" | "readonly" => Takes::Assignments,
        "[" | "test" => Takes::Condition,
        "printf" => Takes::Printf,
        "sh" | "bash" | "dash" | "zsh" | "ksh" | "mksh" | "ash" | "fish" | "rbash" | "csh" | "tcsh" => Takes::Shell,
        "python" | "pypy" => {
            Takes::Interpreter { code: &["-c", "-m"], with_argument: &["-W", "-X", "--check-hash-based-pycs"] }
        }
        "perl" => Takes::Interpreter { code: &["-e", "-E"], with_argument: &["-I"] },
        "ruby" => Takes::Interpreter { code: &["-e"], with_argument: &["-I", "-r", "-C", "-E"] },
        "node" | "nodejs" | "bun" => Takes::Interpreter {
            code: &["-e", "-p", "--eval", "--print"],
            with_argument: &["-r", "--require", "--import", "--loader"],
        },
        "deno" => Takes::Interpreter { code: &["eval", "run"], with_argument: NONE },
        "php" => Takes::Interpreter { code: &["-r", "-B", "-R", "-E", "-f"], with_argument: &["-d", "-c"] },
        "lua" | "luajit" => Takes::Interpreter { code: &["-e"], with_argument: &["-l"] },
        "tclsh" | "wish" | "julia" | "Rscript" | "R" | "osascript" | "pwsh" | "groovy" | "elixir" | "guile"
        | "scala" => Takes::Interpreter { code: &["-e", "-c", "-E", "--eval", "-Command"], with_argument: NONE },
        "awk" | "gawk" | "mawk" | "nawk" | "original-awk" => Takes::Filter {
            code: &["-f", "-e", "-E", "-i", "-l", "--file", "--source", "--include", "--load"],
            with_argument: &["-F", "-v", "--assign", "--field-separator"],
            with_two: NONE,
        },
        "sed" | "gsed" => Takes::Filter {
            code: &["-e", "-f", "--expression", "--file"],
            with_argument: &["-l", "--line-length"],
            with_two: NONE,
        },
        "jq" | "gojq" | "jaq" | "yq" => Takes::Filter {
            code: &["-f", "--from-file", "-L"],
            with_argument: &["--indent"],
            with_two: &["--arg", "--argjson", "--slurpfile", "--rawfile"],
        },
        "sqlite" | "psql" | "mysql" | "mariadb" | "duckdb" => Takes::Database,
        "find" => Takes::Find,
        "git" => Takes::Git,
        "env" | "sudo" | "doas" | "nice" | "nohup" | "timeout" | "time" | "command" | "exec" | "builtin" | "setsid"
        | "stdbuf" | "ionice" | "chroot" | "strace" | "ltrace" | "xargs" | "flock" | "busybox" | "unshare"
        | "nsenter" | "chrt" | "taskset" | "unbuffer" => Takes::Program,
        _ => return None,
    })
}

/// Options of [`Takes::Program`] programs whose argument is not the program.
pub(super) const ARGUMENT_BEFORE_PROGRAM: &[&str] =
    &["-u", "-g", "-n", "-I", "-d", "-E", "-a", "-L", "-P", "-s", "-C", "-p", "-k", "-c", "--signal", "--kill-after"];
