//! What a cell declares at its top level stays: it is assigned to properties of the global object, where the functions
//! of every cell find it, and the next cell as well.
//!
//! `let a = 1, {b} = o` becomes `;a = 1, ({b} = o);`, the names having been declared before. A `const` is made read-only
//! behind its statement. A function keeps its declaration, under a name that nobody can write, so that it is there before
//! the cell begins; it is put under its own name then. A class is the value of an assignment.

use super::Names;
use super::edits::Edits;
use super::form::{self, Problem};
use super::shadow::{LOCAL, Shadows};
use oxc::ast::ast::{
    ArrowFunctionExpression, BindingPattern, Class, Declaration, ExportDefaultDeclarationKind, ForInStatement,
    ForOfStatement, ForStatement, ForStatementInit, ForStatementLeft, Function, Program, Statement,
    VariableDeclaration, VariableDeclarationKind,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;

/// The names that a cell declares at its top level.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// Everything that is assigned.
    pub(super) variables: Vec<String>,
    /// The functions, which are there before the cell begins.
    pub(super) functions: Vec<String>,
    /// What is imported, with what follows the module's name to reach it.
    pub(super) imports: Vec<(String, String)>,
    /// Where the statement of each name begins, for its documentation.
    pub(super) places: Vec<(String, u32)>,
    /// What `export default` gives, as it can be written at the end.
    pub(super) default: Option<String>,
    /// Whether there is a function `run`.
    pub(super) run: bool,
}

impl Declared {
    fn variable(&mut self, name: &str, place: u32) {
        self.variables.push(name.to_owned());
        self.places.push((name.to_owned(), place));
    }

    /// Every name.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let imports = self.imports.iter().map(|(name, _)| name);
        self.variables.iter().chain(&self.functions).chain(imports).map(String::as_str)
    }
}

/// Where the enumerations begin that a program declares at its top level.
pub(super) fn enumerations(program: &Program<'_>) -> Vec<u32> {
    let found = program.body.iter().filter_map(|statement| match statement {
        Statement::TSEnumDeclaration(it) if !it.declare => Some(it.span.start),
        Statement::ExportDeclaration(export) => match &export.declaration {
            Declaration::TSEnumDeclaration(it) if !it.declare => Some(it.span.start),
            _ => None,
        },
        _ => None,
    });
    found.collect()
}

/// Finds the names. Nothing is rewritten, because how they are written depends on all of them.
pub(super) fn find(program: &Program<'_>) -> Result<Declared, Problem> {
    let mut out = Declared::default();
    for statement in &program.body {
        match statement {
            // What a file gives is assigned before the cell begins: see `Links`.
            Statement::ImportDeclaration(import) if form::is_of_file(import) => {}
            Statement::ImportDeclaration(import) => out.imports.extend(form::bindings(import)?),
            Statement::ExportFromDeclaration(export) if !export.export_kind.is_type() => {
                return Err(form::foreign(export.source.span, export.source.value.as_str()));
            }
            Statement::ExportAllDeclaration(export) if !export.export_kind.is_type() => {
                return Err(form::foreign(export.source.span, export.source.value.as_str()));
            }
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::VariableDeclaration(it) => variables(it, export.span.start, &mut out),
                Declaration::FunctionDeclaration(it) => function(it, export.span.start, &mut out),
                Declaration::ClassDeclaration(it) => class(it, export.span.start, &mut out),
                Declaration::TSEnumDeclaration(it) if !it.declare => out.variable(&it.id.name, export.span.start),
                _ => {}
            },
            Statement::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::FunctionDeclaration(it) => function(it, export.span.start, &mut out),
                ExportDefaultDeclarationKind::ClassDeclaration(it) => class(it, export.span.start, &mut out),
                _ => {}
            },
            Statement::VariableDeclaration(it) => variables(it, it.span.start, &mut out),
            Statement::FunctionDeclaration(it) => function(it, it.span.start, &mut out),
            Statement::ClassDeclaration(it) => class(it, it.span.start, &mut out),
            Statement::TSEnumDeclaration(it) if !it.declare => out.variable(&it.id.name, it.span.start),
            other => Nested { found: &mut out.variables, edits: None }.visit_statement(other),
        }
    }
    Ok(out)
}

fn variables(it: &VariableDeclaration<'_>, place: u32, out: &mut Declared) {
    if it.declare || !stays(it.kind) {
        return;
    }
    out.run |= form::declares_run(it);
    for declarator in &it.declarations {
        for id in declarator.id.get_binding_identifiers() {
            out.variable(&id.name, place);
        }
    }
}

/// What `using` declares ends with the cell.
fn stays(kind: VariableDeclarationKind) -> bool {
    matches!(kind, VariableDeclarationKind::Var | VariableDeclarationKind::Let | VariableDeclarationKind::Const)
}

fn function(it: &Function<'_>, place: u32, out: &mut Declared) {
    if let Some(id) = it.id.as_ref().filter(|_| it.body.is_some() && !it.declare) {
        out.run |= form::is_run(it);
        out.functions.push(id.name.to_string());
        out.places.push((id.name.to_string(), place));
    }
}

fn class(it: &Class<'_>, place: u32, out: &mut Declared) {
    if let Some(id) = it.id.as_ref().filter(|_| !it.declare) {
        out.variable(&id.name, place);
    }
}

/// Rewrites the declarations.
pub(super) fn rewrite(
    program: &Program<'_>,
    names: &Names,
    shadows: &Shadows,
    edits: &mut Edits,
    declared: &mut Declared,
) {
    let mut rewriter = Rewriter { names, shadows, edits };
    for statement in &program.body {
        match statement {
            Statement::ImportDeclaration(import) => rewriter.edits.blank_statement(import.span),
            Statement::ExportFromDeclaration(export) => rewriter.edits.blank_statement(export.span),
            Statement::ExportAllDeclaration(export) => rewriter.edits.blank_statement(export.span),
            Statement::ExportNamedDeclaration(export) => {
                for specifier in &export.specifiers {
                    if form::name_of(&specifier.exported) == "default" && !specifier.export_kind.is_type() {
                        declared.default = Some(shadows.name(form::name_of(&specifier.local)));
                    }
                }
                rewriter.edits.blank_statement(export.span);
            }
            Statement::ExportDeclaration(export) => {
                let keyword = Span::new(export.span.start, export.declaration.span().start);
                match &export.declaration {
                    Declaration::VariableDeclaration(it) => rewriter.variables(it),
                    Declaration::FunctionDeclaration(it) => rewriter.function(it),
                    Declaration::ClassDeclaration(it) => rewriter.class(it),
                    _ => {}
                }
                rewriter.edits.blank(keyword);
            }
            Statement::ExportDefaultDeclaration(export) => {
                declared.default = Some(rewriter.default(export.span, &export.declaration))
            }
            Statement::VariableDeclaration(it) => rewriter.variables(it),
            Statement::FunctionDeclaration(it) => rewriter.function(it),
            Statement::ClassDeclaration(it) => rewriter.class(it),
            other => Nested { found: &mut Vec::new(), edits: Some(rewriter.edits) }.visit_statement(other),
        }
    }
}

struct Rewriter<'e> {
    names: &'e Names,
    shadows: &'e Shadows,
    edits: &'e mut Edits,
}

impl Rewriter<'_> {
    fn variables(&mut self, it: &VariableDeclaration<'_>) {
        if it.declare || !stays(it.kind) {
            return;
        }
        assign(it, ';', self.edits);
        let mut end = String::from(";");
        let ids = it.declarations.iter().flat_map(|declarator| declarator.id.get_binding_identifiers());
        let marked = ids.map(|id| (&id.name, self.shadows.name(&id.name))).filter(|(name, marked)| **name != **marked);
        let marked: Vec<String> = marked.map(|(_, marked)| quoted(&marked)).collect();
        if !marked.is_empty() {
            end.push_str(&format!("{}.unmark([{}]);", self.names.tools, marked.join(",")));
        }
        if it.kind == VariableDeclarationKind::Const {
            let ids = it.declarations.iter().flat_map(|declarator| declarator.id.get_binding_identifiers());
            let constant: Vec<String> = ids.map(|id| quoted(&self.shadows.name(&id.name))).collect();
            end.push_str(&format!("{}.seal([{}]);", self.names.tools, constant.join(",")));
        }
        self.edits.insert(it.span.end, end);
    }

    fn function(&mut self, it: &Function<'_>) {
        if let Some(id) = it.id.as_ref().filter(|_| it.body.is_some() && !it.declare) {
            self.edits.insert(id.span.end, LOCAL);
        }
    }

    fn class(&mut self, it: &Class<'_>) {
        if let Some(id) = it.id.as_ref().filter(|_| !it.declare) {
            self.edits.insert(it.span.start, format!(";{}=", self.shadows.name(&id.name)));
            self.edits.insert(it.span.end, ";");
        }
    }

    /// Gives what can be written for the value.
    fn default(&mut self, span: Span, declaration: &ExportDefaultDeclarationKind<'_>) -> String {
        let named = match declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(it) if it.id.is_some() => {
                self.function(it);
                it.id.as_ref()
            }
            ExportDefaultDeclarationKind::ClassDeclaration(it) if it.id.is_some() => {
                self.class(it);
                it.id.as_ref()
            }
            _ => None,
        };
        let written = form::default_name(span, declaration, self.names, self.edits);
        named.map_or(written, |id| self.shadows.name(&id.name))
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// Turns a declaration into assignments, with `first` where its keyword was.
fn assign(it: &VariableDeclaration<'_>, first: char, edits: &mut Edits) {
    let Some(start) = it.declarations.first().map(|declarator| declarator.span.start) else { return };
    edits.blank_to(Span::new(it.span.start, start), first);
    for declarator in &it.declarations {
        let named = matches!(declarator.id, BindingPattern::BindingIdentifier(_));
        match &declarator.init {
            Some(_) if named => {}
            Some(_) => {
                edits.insert(declarator.span.start, "(");
                edits.insert(declarator.span.end, ")");
            }
            // `let a` sets it; `var a` leaves it as it is.
            None if it.kind == VariableDeclarationKind::Var => {}
            None => edits.insert(declarator.span.end, "=undefined"),
        }
    }
}

/// Finds or rewrites the `var` in statements that hold others: those of blocks are the cell's too.
struct Nested<'n, 'e> {
    found: &'n mut Vec<String>,
    edits: Option<&'e mut Edits>,
}

impl Nested<'_, '_> {
    fn is_ours(it: &VariableDeclaration<'_>) -> bool {
        it.kind == VariableDeclarationKind::Var && !it.declare
    }

    fn take(&mut self, it: &VariableDeclaration<'_>, first: char) {
        let ids = it.declarations.iter().flat_map(|declarator| declarator.id.get_binding_identifiers());
        self.found.extend(ids.map(|id| id.name.to_string()));
        if let Some(edits) = self.edits.as_deref_mut() {
            assign(it, first, edits);
            if first == '{' {
                edits.insert(it.span.end, ";}");
            }
        }
    }

    fn values<'a>(&mut self, it: &VariableDeclaration<'a>) {
        walk::walk_variable_declaration(self, it);
    }

    fn left<'a>(&mut self, it: &ForStatementLeft<'a>) {
        match it {
            ForStatementLeft::VariableDeclaration(left) if Nested::is_ours(left) => self.take(left, ' '),
            other => self.visit_for_statement_left(other),
        }
    }
}

impl<'a> Visit<'a> for Nested<'_, '_> {
    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        if Nested::is_ours(it) {
            self.take(it, '{');
        }
        self.values(it);
    }

    fn visit_for_statement(&mut self, it: &ForStatement<'a>) {
        match &it.init {
            Some(ForStatementInit::VariableDeclaration(init)) if Nested::is_ours(init) => {
                self.take(init, ' ');
                self.values(init);
            }
            Some(other) => self.visit_for_statement_init(other),
            None => {}
        }
        self.visit_statement(&it.body);
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        self.left(&it.left);
        self.visit_statement(&it.body);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.left(&it.left);
        self.visit_statement(&it.body);
    }

    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}

    fn visit_class(&mut self, _: &Class<'a>) {}
}
