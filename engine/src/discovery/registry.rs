use super::cache::Caches;
use super::conflicts::{self, Conflict};
use super::copies;
use super::entry::Entry;
use super::layout::Layout;
use super::walk::{Walk, bundled};
use crate::config::Caching;
use crate::definition::{LoadOptions, Loaded};
use crate::{Diagnostic, Scope};
use include_dir::Dir;
use skills_core::SkillSource;
use std::collections::HashMap;
use std::sync::Arc;

/// Every definition that was found, and what each name means.
#[derive(Debug, Default)]
pub struct Registry {
    layout: Layout,
    /// By name; of one name, the highest precedence first.
    entries: Vec<Entry>,
    /// The first entry of each name.
    names: HashMap<String, usize>,
    /// Entries that can be called by their bare name, by their aliases.
    aliases: HashMap<String, Vec<usize>>,
    conflicts: Vec<Conflict>,
    diagnostics: Vec<Diagnostic>,
}

impl Registry {
    /// Searches every folder of a layout, beside the skills that are compiled in: folders of `NAME/NAME.json` or
    /// `NAME/SKILL.md`. Definitions are not checked yet, only what a listing shows of them is read; the layout's cache
    /// spares even that for files that did not change.
    pub fn discover(
        layout: &Layout,
        compiled_in: Option<&'static Dir<'static>>,
        sources: &[Arc<dyn SkillSource>],
        caching: &Caching,
    ) -> Registry {
        let mut entries = compiled_in.map(bundled).unwrap_or_default();
        let mut walk = Walk::new(Caches::of(layout.cache_folder.as_deref(), caching));
        for root in layout.roots() {
            walk.root(&root);
        }
        for source in sources {
            walk.source(source);
        }
        entries.append(&mut walk.entries);
        copies::leave_out(&mut entries);
        Registry::of(layout.clone(), entries, walk.finish())
    }

    fn of(layout: Layout, mut entries: Vec<Entry>, diagnostics: Vec<Diagnostic>) -> Registry {
        entries
            .sort_by(|a, b| a.name().cmp(b.name()).then_with(|| b.rank.cmp(&a.rank)).then_with(|| a.path.cmp(&b.path)));
        let mut names = HashMap::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            names.entry(entry.name().to_owned()).or_insert(at);
        }
        let mut aliases: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate().filter(|(at, entry)| names.get(entry.name()) == Some(at)) {
            for alias in &entry.summary.aliases {
                let claimants = aliases.entry(alias.clone()).or_default();
                if !claimants.contains(&at) && alias != entry.name() {
                    claimants.push(at);
                }
            }
        }
        let conflicts = conflicts::find(&entries, &names, &aliases);
        Registry { layout, entries, names, aliases, conflicts, diagnostics }
    }

    /// Every definition, shadowed ones included: by name, and of one name the highest precedence first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether the name of an entry means another one.
    pub fn is_shadowed(&self, entry: &Entry) -> bool {
        self.named(entry.name(), None).is_some_and(|seen| (seen.scope, &seen.path) != (entry.scope, &entry.path))
    }

    /// Those of an entry's aliases that mean it: not one that several claim, nor one that is another skill's name. An entry
    /// that is shadowed is called by its scope, and its aliases with it.
    pub fn meaning<'a>(&self, entry: &'a Entry) -> Vec<&'a str> {
        let scope = self.is_shadowed(entry).then_some(entry.scope);
        let means = |alias: &&str| {
            self.named(alias, scope).is_none()
                && matches!(&self.claimants(alias, scope)[..], [only] if (only.scope, &only.path) == (entry.scope, &entry.path))
        };
        entry.summary.aliases.iter().map(String::as_str).filter(means).collect()
    }

    /// How many errors a definition has: as the cache knows it, or else by checking it now.
    pub fn errors(&self, entry: &Entry, options: &LoadOptions) -> usize {
        entry.known_errors().unwrap_or_else(|| {
            entry.load(options).diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
        })
    }

    /// Reads and checks a definition. Nothing is kept: a changed file is read anew.
    pub fn load(&self, entry: &Entry, options: &LoadOptions) -> Loaded {
        entry.load(options)
    }

    /// Names and aliases that more than one skill has, and files of the same name side by side.
    pub fn conflicts(&self) -> Vec<Diagnostic> {
        self.conflicts.iter().map(|conflict| conflict.diagnostic.clone()).collect()
    }

    /// Those of the conflicts that concern an entry: what it hides, and what becomes of its aliases.
    pub fn warnings(&self, entry: &Entry) -> Vec<Diagnostic> {
        let concerns = |conflict: &&Conflict| {
            let mut entries = conflict.entries.iter().filter_map(|at| self.entries.get(*at));
            entries.any(|one| (one.scope, &one.path) == (entry.scope, &entry.path))
        };
        self.conflicts.iter().filter(concerns).map(|conflict| conflict.diagnostic.clone()).collect()
    }

    /// What went wrong with the search itself: folders that cannot be read, links that are not followed.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Where the search was.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The entry that a name means, among all or in one scope.
    pub(super) fn named(&self, name: &str, scope: Option<Scope>) -> Option<&Entry> {
        let first = *self.names.get(name)?;
        let same_name = self.entries.get(first..)?.iter().take_while(|entry| entry.name() == name);
        same_name.into_iter().find(|entry| scope.is_none_or(|scope| entry.scope == scope))
    }

    /// The entries that have an alias. Among all, those whose bare name means them; in one scope, those whose name
    /// there does.
    pub(super) fn claimants(&self, alias: &str, scope: Option<Scope>) -> Vec<&Entry> {
        match scope {
            None => {
                let at = self.aliases.get(alias).map(Vec::as_slice).unwrap_or_default();
                at.iter().filter_map(|at| self.entries.get(*at)).collect()
            }
            Some(scope) => {
                let claims = |entry: &&Entry| {
                    entry.scope == scope
                        && entry.summary.aliases.iter().any(|one| one == alias)
                        && self.named(entry.name(), Some(scope)).is_some_and(|seen| seen.path == entry.path)
                };
                self.entries.iter().filter(claims).collect()
            }
        }
    }

    /// The entries that their bare name means.
    pub(super) fn visible(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().enumerate().filter(|(at, entry)| self.names.get(entry.name()) == Some(at)).map(|(_, e)| e)
    }
}
