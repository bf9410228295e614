use serde::{Deserialize, Serialize};

/// A scripting language that a skill's code can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Language {
    /// Rhai.
    Rhai,
    /// Python, in embedded CPython.
    Python,
    /// JavaScript.
    JavaScript,
    /// TypeScript: JavaScript once its types are stripped.
    TypeScript,
    /// Bash, an external program.
    Bash,
    /// What some other program reads, in a session of it. No code of a definition is in it, so no name leads here.
    Program,
}

impl Language {
    /// Every language that code can be written in, in the order in which they are listed to people.
    pub const ALL: [Language; 5] =
        [Language::Rhai, Language::Python, Language::JavaScript, Language::TypeScript, Language::Bash];

    /// The name used in definitions and on the command line: `rhai`, `python`, `javascript`, `typescript`, `bash`.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::Rhai => "rhai",
            Language::Python => "python",
            Language::JavaScript => "javascript",
            Language::TypeScript => "typescript",
            Language::Bash => "bash",
            Language::Program => "program",
        }
    }

    /// The language of a name, with the usual short forms (`py`, `js`, `ts`, `sh`), whatever the case.
    pub fn from_name(name: &str) -> Option<Language> {
        Some(match name.to_ascii_lowercase().as_str() {
            "rhai" => Language::Rhai,
            "python" | "python3" | "py" => Language::Python,
            "javascript" | "js" | "node" => Language::JavaScript,
            "typescript" | "ts" => Language::TypeScript,
            "bash" | "sh" | "shell" => Language::Bash,
            _ => return None,
        })
    }

    /// The language of a file's extension, without the dot.
    pub fn from_extension(extension: &str) -> Option<Language> {
        Some(match extension {
            "rhai" => Language::Rhai,
            "py" => Language::Python,
            "js" | "mjs" => Language::JavaScript,
            "ts" | "mts" => Language::TypeScript,
            "sh" | "bash" => Language::Bash,
            _ => return None,
        })
    }

    /// The extension, without the dot, that a new file of this language gets.
    pub fn extension(self) -> &'static str {
        match self {
            Language::Rhai => "rhai",
            Language::Python => "py",
            Language::JavaScript => "js",
            Language::TypeScript => "ts",
            Language::Bash => "sh",
            Language::Program => "txt",
        }
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
