use crate::Scope;
use std::path::{Path, PathBuf};

/// Folders of a project that hold skills, at each level from its root down to the working folder.
const PROJECT_FOLDERS: [&str; 5] = [".skills", "skills", ".q-skills", ".agents/skills", ".claude/skills"];

/// The most levels between a project's root and the working folder that are looked at.
const MOST_LEVELS: usize = 32;

/// Where to look for skills. The library reads neither home nor environment: whoever makes an engine says it here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The working folder, absolute. Empty for none: then there is no project.
    pub cwd: PathBuf,
    /// The user's data folder of this program (`$XDG_DATA_HOME/skills`); skills are in `installed` in it.
    pub user_data: Option<PathBuf>,
    /// The user's home, for `~/.agents/skills` and `~/.claude/skills`.
    pub home: Option<PathBuf>,
    /// More folders with skills, from the lowest precedence to the highest; all above the user's other folders and
    /// below the project's. One that lies in the project counts as the project's.
    pub extra: Vec<PathBuf>,
    /// The folder to keep what was read of definition files in, in a file for each folder that is searched; `None` for
    /// nowhere.
    pub cache_folder: Option<PathBuf>,
}

/// A folder that is searched.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) scope: Scope,
    pub(super) path: PathBuf,
    /// Where the folder has to be, links resolved; `None` where it may be anywhere.
    pub(super) within: Option<PathBuf>,
}

impl Layout {
    /// One folder of skills and nothing else: no user, no project, no cache.
    pub fn of_folder(folder: &Path) -> Layout {
        Layout { extra: vec![folder.to_owned()], ..Layout::default() }
    }

    /// The root of the project around a folder: the nearest folder, itself or above, with a `.git` in it. `None` where
    /// there is none; the folder itself is all of the project then.
    pub fn project_root(cwd: &Path) -> Option<PathBuf> {
        // A `.git` may be a file too, in a worktree or submodule.
        cwd.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
    }

    /// Every folder to search, from the lowest precedence to the highest. Few of them exist.
    pub(super) fn roots(&self) -> Vec<Root> {
        let project = self.project();
        let user = |path: PathBuf| Root { scope: Scope::User, path, within: None };
        let mut roots = Vec::new();
        roots.extend(self.user_data.iter().map(|data| user(data.join("installed"))));
        for folder in [".agents/skills", ".claude/skills"] {
            roots.extend(self.home.iter().map(|home| user(home.join(folder))));
        }
        for folder in &self.extra {
            let path = self.absolute(folder);
            let scope = match &project {
                Some((top, _)) if path.starts_with(top) => Scope::Project,
                _ => Scope::User,
            };
            roots.push(Root { scope, path, within: None });
        }
        if let Some((top, levels)) = project {
            for level in levels {
                roots.extend(PROJECT_FOLDERS.iter().map(|folder| Root {
                    scope: Scope::Project,
                    path: level.join(folder),
                    within: Some(top.clone()),
                }));
            }
        }
        roots
    }

    /// A path as it is written, from the working folder.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        // Without the `.` that people write: the path is shown in messages.
        self.cwd.join(path).components().collect()
    }

    /// The project's root, and the folders from there down to the working folder.
    fn project(&self) -> Option<(PathBuf, Vec<PathBuf>)> {
        if self.cwd.as_os_str().is_empty() {
            return None;
        }
        let top = Layout::project_root(&self.cwd).unwrap_or_else(|| self.cwd.clone());
        let below = self.cwd.ancestors().take(MOST_LEVELS).take_while(|folder| folder.starts_with(&top));
        let mut levels: Vec<PathBuf> = below.map(Path::to_owned).collect();
        levels.reverse();
        Some((top, levels))
    }
}
