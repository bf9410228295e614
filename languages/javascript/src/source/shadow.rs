//! Names that a cell declares although the engine's global object has a fixed property of that name.
//!
//! Top-level names of cells are properties of the global object, and some of those can be neither changed nor replaced:
//! `console`, `Map`, `skill`. A cell may declare such a name, as any script may. Its property, and every use of it in this
//! cell and in later ones, is then written with a character more that nobody sees.

use super::edits::Edits;
use oxc::ast::ast::{
    AssignmentTargetPropertyIdentifier, BindingIdentifier, BindingPattern, BindingProperty, Class, Expression,
    Function, IdentifierReference, ObjectProperty, Program, VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::Scoping;
use oxc::span::GetSpan;
use oxc::syntax::scope::ScopeFlags;
use oxc::syntax::symbol::SymbolId;
use std::collections::BTreeSet;

/// Stands at the end of a name that shadows a fixed one.
const MARK: char = '\u{200d}';

/// Stands at the end of a function's name where it is declared: see `declare.rs`.
pub(super) const LOCAL: char = '\u{200c}';

/// The fixed names of a session, and which of them its cells have declared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shadows {
    fixed: BTreeSet<String>,
    declared: BTreeSet<String>,
}

impl Shadows {
    pub(crate) fn new(fixed: impl IntoIterator<Item = String>) -> Shadows {
        Shadows { fixed: fixed.into_iter().collect(), declared: BTreeSet::new() }
    }

    /// Takes a name as declared.
    pub(crate) fn declare(&mut self, name: &str) {
        if self.fixed.contains(name) {
            self.declared.insert(name.to_owned());
        }
    }

    fn has(&self, name: &str) -> bool {
        self.declared.contains(name)
    }

    /// How a name is written.
    pub(crate) fn name(&self, name: &str) -> String {
        if self.has(name) { format!("{name}{MARK}") } else { name.to_owned() }
    }

    /// The names that were declared although they are fixed.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &str> {
        self.declared.iter().map(String::as_str)
    }
}

/// The characters that nobody sees.
pub(crate) const HIDDEN: [char; 2] = [MARK, LOCAL];

/// A name as its author wrote it.
pub(crate) fn written(name: &str) -> &str {
    name.trim_end_matches(HIDDEN)
}

/// Marks what stands for a shadowing name.
pub(super) fn mark(program: &Program<'_>, scoping: &Scoping, shadows: &Shadows, edits: &mut Edits) {
    if !shadows.declared.is_empty() {
        Marker { scoping, shadows, edits, declaring: false }.visit_program(program);
    }
}

struct Marker<'s, 'e> {
    scoping: &'s Scoping,
    shadows: &'s Shadows,
    edits: &'e mut Edits,
    /// In the pattern of a variable declaration.
    declaring: bool,
}

impl Marker<'_, '_> {
    /// Whether a name stands for what a cell has at its top level. A name that nothing declares is such a one.
    fn is_top(&self, name: &str, symbol: Option<SymbolId>) -> bool {
        self.shadows.has(name)
            && symbol.is_none_or(|symbol| self.scoping.symbol_scope_id(symbol) == self.scoping.root_scope_id())
    }

    fn refers(&self, id: &IdentifierReference<'_>) -> bool {
        let symbol = id.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id());
        self.is_top(&id.name, symbol)
    }

    fn binds(&self, id: &BindingIdentifier<'_>) -> bool {
        self.declaring && self.is_top(&id.name, id.symbol_id.get())
    }
}

impl<'a> Visit<'a> for Marker<'_, '_> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        if self.refers(it) {
            self.edits.insert(it.span.end, MARK);
        }
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if let Expression::Identifier(id) = &it.value
            && it.shorthand
            && self.refers(id)
        {
            self.edits.insert(id.span.start, format!("{}:", id.name));
        }
        walk::walk_object_property(self, it);
    }

    fn visit_assignment_target_property_identifier(&mut self, it: &AssignmentTargetPropertyIdentifier<'a>) {
        if self.refers(&it.binding) {
            self.edits.insert(it.binding.span.start, format!("{}:", it.binding.name));
        }
        walk::walk_assignment_target_property_identifier(self, it);
    }

    fn visit_binding_property(&mut self, it: &BindingProperty<'a>) {
        let id = match &it.value {
            BindingPattern::BindingIdentifier(id) => Some(&**id),
            BindingPattern::AssignmentPattern(pattern) => match &pattern.left {
                BindingPattern::BindingIdentifier(id) => Some(&**id),
                _ => None,
            },
            _ => None,
        };
        if let Some(id) = id.filter(|id| it.shorthand && self.binds(id)) {
            self.edits.insert(it.span().start, format!("{}:", id.name));
        }
        walk::walk_binding_property(self, it);
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        if self.binds(it) {
            self.edits.insert(it.span.end, MARK);
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.declaring = true;
        self.visit_binding_pattern(&it.id);
        self.declaring = false;
        if let Some(init) = &it.init {
            self.visit_expression(init);
        }
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        let declaring = std::mem::replace(&mut self.declaring, false);
        walk::walk_function(self, it, flags);
        self.declaring = declaring;
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        let declaring = std::mem::replace(&mut self.declaring, false);
        walk::walk_class(self, it);
        self.declaring = declaring;
    }
}
