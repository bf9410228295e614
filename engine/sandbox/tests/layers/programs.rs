use crate::support::{Caged, each_user, folder_of, text};
use skills_sandbox::Programs;
use std::path::Path;

/// Whether a machine has a program.
fn has(name: &str) -> bool {
    ["/usr/bin", "/usr/local/bin", "/bin"].iter().any(|folder| Path::new(folder).join(name).exists())
}

fn prints(name: &str, source: &str, expected: &str) {
    if !has(name) {
        eprintln!("skipped: no {name} here");
        return;
    }
    each_user(|user| {
        let folder = folder_of(user);
        let caged = Caged::new(user).writing(folder.path()).programs(Programs::All).with(|cage| {
            cage.directory = Some(folder.path().to_owned());
            cage.memory = Some(512 << 20);
            cage.processes = Some(64);
        });
        let said = caged.shell(source);
        assert_eq!((said.stdout().as_str(), said.stderr().as_str()), (expected, ""), "{source}");
    });
}

#[test]
fn the_usual_tools_run() {
    prints("sed", "sed s/in/out/ a.txt", "outside");
    prints("awk", "awk '{print $1, NF}' a.txt", "inside 1\n");
    prints("grep", "grep -c inside a.txt", "1\n");
    prints("find", "find . -name '*.txt'", "./a.txt\n");
    prints("tar", "tar cf /tmp/x.tar a.txt && tar tf /tmp/x.tar", "a.txt\n");
    prints("sort", "seq 1 2000 | sort -n | tail -1; date >/dev/null; ls; mkfifo /tmp/p", "2000\na.txt\n");
    prints("jq", "echo '{\"a\": [1]}' | jq -c .a", "[1]\n");
    prints("id", "id -un; hostname; pwd >/dev/null; nproc >/dev/null", "skill\nskills\n");
}

#[test]
fn bash_runs_with_its_substitutions() {
    prints(
        "bash",
        "bash -c 'diff <(echo a) <(echo a) && cat <<< here; (echo $((1+1)) > /dev/stdout) | cat; wait'",
        "here\n2\n",
    );
}

#[test]
fn git_runs() {
    let source = "git init -q r && cd r && git -c user.name=a -c user.email=b commit -q --allow-empty -m first && \
                  git log --format=%s | cat";
    prints("git", source, "first\n");
}

#[test]
fn node_runs() {
    prints(
        "node",
        "node -e 'require(\"fs\").writeFileSync(\"n\", \"1\"); setTimeout(() => console.log(6 * 7), 1)'",
        "42\n",
    );
}

#[test]
fn python_runs_with_what_it_is_used_for() {
    let source = r#"/usr/bin/python3 -c '
import asyncio, sqlite3, subprocess, tempfile, threading, time, mmap, os, multiprocessing
asyncio.run(asyncio.sleep(0))
database = sqlite3.connect("d.db"); database.execute("create table t(a)"); database.commit()
print(subprocess.check_output(["echo", "child"]).decode().strip())
thread = threading.Thread(target=lambda: print("thread")); thread.start(); thread.join()
mmap.mmap(-1, 4096); open(tempfile.mktemp(), "w").close(); os.listdir(".")
print(multiprocessing.Pool(2).map(abs, [-1, -2]))
'"#;
    prints("python3", source, "child\nthread\n[1, 2]\n");
}

#[test]
fn it_starts_in_its_folder_or_in_the_private_one() {
    each_user(|user| {
        let folder = folder_of(user);
        let at = |granted: bool| {
            let caged = Caged::new(user).with(|cage| cage.directory = Some(folder.path().to_owned()));
            let caged = if granted { caged.reading(folder.path()) } else { caged };
            caged.shell("pwd").stdout()
        };
        assert_eq!(at(true), format!("{}\n", text(folder.path())));
        assert_eq!(at(false), "/tmp\n");
    });
}
