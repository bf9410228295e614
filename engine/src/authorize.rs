//! The decision whether a plan may run, and with what.

use crate::{CapabilityRequest, Error, Isolation, Plan};
use serde::Serialize;
use skills_core::{ErrorKind, Grants};
use std::path::{Component, Path, PathBuf};

/// What the host allows, whatever a skill asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    /// Folders that skills may read where they ask for it.
    pub read: Vec<PathBuf>,
    /// Folders that skills may write where they ask for it.
    pub write: Vec<PathBuf>,
    /// Secrets that skills may have where they ask for it.
    pub secrets: Vec<String>,
    /// Environment variables that skills may have where they ask for it.
    pub environment: Vec<String>,
    /// Where relative paths start; `None`: skills have no relative paths.
    pub working_directory: Option<PathBuf>,
}

/// Why something is allowed or not: one rule that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// What was asked for.
    pub request: CapabilityRequest,
    /// Whether it is granted.
    pub granted: bool,
    /// The rule, for a person.
    pub rule: String,
}

/// A plan with the decision that allowed it. Only [`Engine::authorize`](crate::Engine::authorize) makes one, and only one of these can be run.
#[derive(Debug, Clone)]
pub struct AuthorizedPlan {
    plan: Plan,
    grants: Grants,
    evidence: Vec<Evidence>,
}

impl AuthorizedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was granted.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn into_parts(self) -> (Plan, Grants) {
        (self.plan, self.grants)
    }

    /// The rules that matched, one for each request.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }
}

/// Decides. A file request that the policy does not cover is not granted, and the script meets that when it tries; an
/// isolation tier that is not there refuses the plan.
///
/// # Errors
/// `unavailable` for an isolation tier that this build does not have.
pub(crate) fn authorize(plan: Plan, policy: &Policy) -> Result<AuthorizedPlan, Error> {
    if plan.isolation == Isolation::Container {
        return Err(Error::new(ErrorKind::Unavailable, "the isolation tier `container` is not available").with_help(
            "this version runs skills in process or in a worker: leave the tier out, or name one of these",
        ));
    }
    let mut grants = Grants {
        max_file_size: plan.limits.file_size,
        working_directory: policy.working_directory.clone(),
        call_skills: true,
        ..Grants::default()
    };
    let mut evidence = Vec::with_capacity(plan.capabilities.len());
    for request in &plan.capabilities {
        let (granted, rule) = match request {
            CapabilityRequest::FileRead { path } => {
                grant_path(path, &policy.read, policy.working_directory.as_deref(), &mut grants.read)
            }
            CapabilityRequest::FileWrite { path } => {
                grant_path(path, &policy.write, policy.working_directory.as_deref(), &mut grants.write)
            }
            CapabilityRequest::Secret { name } => grant_name("secret", name, &policy.secrets, &mut grants.secrets),
            CapabilityRequest::Environment { name } => {
                grant_name("environment variable", name, &policy.environment, &mut grants.environment)
            }
            _ => (false, "nothing of this kind is offered to scripts in process".to_owned()),
        };
        evidence.push(Evidence { request: request.clone(), granted, rule });
    }
    Ok(AuthorizedPlan { plan, grants, evidence })
}

/// Grants what is allowed by its name.
fn grant_name(what: &str, name: &str, allowed: &[String], out: &mut Vec<String>) -> (bool, String) {
    if allowed.iter().any(|allowed| allowed == name) {
        out.push(name.to_owned());
        return (true, format!("the host allows the {what} {name}"));
    }
    (false, format!("the host does not allow the {what} {name}"))
}

/// Grants the part of a requested path that the policy covers: the path itself where it lies in an allowed folder, or
/// the allowed folders that lie in it.
fn grant_path(path: &str, allowed: &[PathBuf], base: Option<&Path>, out: &mut Vec<PathBuf>) -> (bool, String) {
    let Some(wanted) = absolute(path, base).map(|path| resolved(&path)) else {
        return (false, format!("`{path}` is relative, and the host gave no working folder"));
    };
    if let Some(folder) = allowed.iter().find(|folder| wanted.starts_with(folder)) {
        let rule = format!("{} lies in {}, which the host allows", wanted.display(), folder.display());
        out.push(wanted);
        return (true, rule);
    }
    let inside: Vec<_> = allowed.iter().filter(|folder| folder.starts_with(&wanted)).cloned().collect();
    if inside.is_empty() {
        return (false, format!("the host does not allow {}", wanted.display()));
    }
    let names: Vec<_> = inside.iter().map(|folder| folder.display().to_string()).collect();
    out.extend(inside);
    (true, format!("of {}, the host allows {}", wanted.display(), names.join(", ")))
}

/// A path with its links resolved, as far as it exists: what is compared with the policy is where it really leads. Below
/// a grant, the file functions open everything through a handle that no link leads out of.
#[allow(clippy::disallowed_methods, reason = "resolves links, and opens nothing")]
pub(crate) fn resolved(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            return path.strip_prefix(ancestor).map_or(real.clone(), |rest| real.join(rest));
        }
    }
    path.to_owned()
}

/// A path without `.` and `..`, from the base where it is relative.
pub(crate) fn absolute(path: &str, base: Option<&Path>) -> Option<PathBuf> {
    let path = Path::new(path);
    let whole = if path.is_absolute() { path.to_owned() } else { base?.join(path) };
    let mut out = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(path: &str, allowed: &[&str]) -> Vec<PathBuf> {
        let allowed: Vec<_> = allowed.iter().map(PathBuf::from).collect();
        let mut out = Vec::new();
        let (granted, _) = grant_path(path, &allowed, Some(Path::new("/work/p")), &mut out);
        assert_eq!(granted, !out.is_empty());
        out
    }

    #[test]
    fn a_skill_gets_what_it_asks_for_where_the_host_allows_it() {
        assert_eq!(grant("./", &["/work/p"]), [PathBuf::from("/work/p")]);
        assert_eq!(grant("src/../data", &["/work/p"]), [PathBuf::from("/work/p/data")]);
    }

    #[test]
    fn a_skill_never_gets_more_than_the_host_allows() {
        assert_eq!(grant("/", &["/work/p/data"]), [PathBuf::from("/work/p/data")]);
        assert!(grant("..", &["/srv"]).is_empty());
        assert!(grant("/work/project", &["/work/p"]).is_empty(), "a common prefix is not a common folder");
    }
}
