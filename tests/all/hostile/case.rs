//! A case: a file of hostile code with its data in the comments at its top. `tests/hostile/README.md` documents it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a case can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Tier {
    InProcess,
    Worker,
    Container,
}

impl Tier {
    pub(super) const ALL: [Tier; 3] = [Tier::InProcess, Tier::Worker, Tier::Container];

    pub(super) fn key(self) -> &'static str {
        match self {
            Tier::InProcess => "in_process",
            Tier::Worker => "worker",
            Tier::Container => "container",
        }
    }
}

/// How a run may end.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expect {
    /// An error of a kind, with a text in what is shown of it.
    Error(String, Option<String>),
    /// A value; any where there is none.
    Value(Option<Value>),
}

/// What is said of a tier.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// One of these is how it ends.
    Ends(Vec<Expect>),
    /// It does not run there, for a reason.
    Omitted,
}

/// One file.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) path: PathBuf,
    pub(super) code: String,
    pub(super) limits: BTreeMap<String, u64>,
    pub(super) params: String,
    pub(super) tiers: BTreeMap<Tier, Said>,
    /// Grants of the attempt itself.
    pub(super) grants: Vec<String>,
    /// Grants with which the same code succeeds, and its value then.
    pub(super) granted: Option<(Vec<String>, Value)>,
    /// The tiers in which it does, where not in all.
    pub(super) granted_in: Option<Vec<String>>,
    /// Code of the same language that gives `true` afterwards, in a run of its own.
    pub(super) next: Option<String>,
    /// Why it may end later than its limit and 50 ms.
    pub(super) late: Option<String>,
}

const KEYS: [&str; 12] = [
    "about",
    "limits",
    "params",
    "in_process",
    "worker",
    "container",
    "grants",
    "granted",
    "granted_ok",
    "granted_in",
    "next",
    "late",
];

impl Case {
    /// Reads a file, and says what is wrong with its data.
    pub(super) fn read(path: &Path) -> Result<Case, String> {
        let code = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let token = match path.extension().and_then(|extension| extension.to_str()) {
            Some("py" | "sh") => "#",
            _ => "//",
        };
        let mut data = BTreeMap::new();
        for line in code.lines().map_while(|line| line.strip_prefix(token)) {
            let (key, value) = line.trim().split_once(':').ok_or_else(|| format!("no key in the line `{line}`"))?;
            if !KEYS.contains(&key) {
                return Err(format!("nothing reads the key `{key}`"));
            }
            if data.insert(key.to_owned(), value.trim().to_owned()).is_some() {
                return Err(format!("`{key}` stands there twice"));
            }
        }
        if data.get("about").is_none_or(|about| about.len() < 10) {
            return Err("`about` is missing".to_owned());
        }
        let mut tiers = BTreeMap::new();
        for tier in Tier::ALL {
            let text = data
                .get(tier.key())
                .ok_or_else(|| format!("`{}` says neither how the case ends nor why it is omitted", tier.key()))?;
            tiers.insert(tier, said(text).map_err(|why| format!("{}: {why}", tier.key()))?);
        }
        let words = |key: &str| {
            let words = data.get(key).map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
            words.unwrap_or_default()
        };
        let granted = match (data.get("granted"), data.get("granted_ok")) {
            (Some(_), Some(value)) => Some((words("granted"), json(value)?)),
            (None, None) => None,
            _ => return Err("`granted` and `granted_ok` go together".to_owned()),
        };
        Ok(Case {
            path: path.to_owned(),
            limits: limits(&words("limits"))?,
            params: data.get("params").cloned().unwrap_or_else(|| "{}".to_owned()),
            tiers,
            grants: words("grants"),
            granted,
            granted_in: data.contains_key("granted_in").then(|| words("granted_in")),
            next: data.get("next").cloned(),
            late: data.get("late").cloned(),
            code,
        })
    }

    /// `python/fork`.
    pub(super) fn name(&self) -> String {
        let folder = self.path.parent().and_then(Path::file_name).unwrap_or_default();
        format!("{}/{}", folder.to_string_lossy(), self.path.file_name().unwrap_or_default().to_string_lossy())
    }

    /// The time limit of its runs.
    pub(super) fn time(&self) -> Duration {
        Duration::from_millis(self.limits.get("time").copied().unwrap_or(5000))
    }
}

fn said(text: &str) -> Result<Said, String> {
    if let Some(reason) = text.strip_prefix("omitted:") {
        return if reason.trim().len() > 10 { Ok(Said::Omitted) } else { Err("an omission needs a reason".to_owned()) };
    }
    ends(text).map(Said::Ends)
}

/// The ways in which something may end, ` | ` between them.
pub(super) fn ends(text: &str) -> Result<Vec<Expect>, String> {
    text.split(" | ").map(|one| expect(one.trim())).collect()
}

fn expect(text: &str) -> Result<Expect, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = if rest.is_empty() { None } else { Some(json(rest)?) };
    match (word, rest) {
        ("ok", value) => Ok(Expect::Value(value)),
        (kind, None) => Ok(Expect::Error(kind.to_owned(), None)),
        (kind, Some(Value::String(text))) => Ok(Expect::Error(kind.to_owned(), Some(text))),
        (_, Some(other)) => Err(format!("{other} is no text of an error")),
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("`{text}`: {error}"))
}

/// `time=300ms memory=64MB`: milliseconds, bytes, counts.
fn limits(words: &[String]) -> Result<BTreeMap<String, u64>, String> {
    let mut limits = BTreeMap::new();
    for word in words {
        let wrong = || format!("`{word}` is no limit");
        let (name, amount) = word.split_once('=').ok_or_else(wrong)?;
        let digits = amount.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match &amount[digits.len()..] {
            "" | "ms" => 1,
            "s" => 1000,
            "KB" => 1 << 10,
            "MB" => 1 << 20,
            _ => return Err(wrong()),
        };
        limits.insert(name.to_owned(), digits.parse::<u64>().map_err(|_| wrong())? * unit);
    }
    Ok(limits)
}

#[test]
fn a_case_that_says_nothing_of_a_tier_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str| {
        let path = folder.path().join("case.py");
        std::fs::write(&path, text).unwrap();
        Case::read(&path).map(|_| ())
    };
    let whole = "# about: says all of it\n# in_process: omitted: Python is not confined\n# worker: timeout | ok [1]\n\
                 # container: memory_limit \"64 MB\"\n1\n";
    assert_eq!(read(whole), Ok(()));
    for (from, to, why) in [
        ("# worker: timeout | ok [1]\n", "", "`worker` says neither"),
        (": Python is not confined", ":", "needs a reason"),
        ("ok [1]", "ok [1", "EOF"),
        ("# about", "# abuot", "nothing reads"),
        ("says all of it", "x", "`about` is missing"),
    ] {
        let error = read(&whole.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
