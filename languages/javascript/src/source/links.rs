//! What a script and the files of its skill import from one another.
//!
//! A name that is imported stands for whatever it is where it is declared, also when that changes. So each use of it is
//! written as a look: `name` becomes `(0,unit.name)`, where `unit` is an object of getters that the bridge has made
//! (`bridge/link.js`). What a file exports it hands to the bridge as functions, before anything else of it is evaluated.

use super::Names;
use super::edits::Edits;
use super::form::{self, Problem, name_of};
use oxc::ast::ast::{
    Declaration, ExportAllDeclaration, ExportFromDeclaration, ExportNamedDeclaration, Expression, IdentifierReference,
    ImportDeclaration, ImportDeclarationSpecifier, ObjectProperty, Program, Statement, StringLiteral,
    TSClassImplements, TSInterfaceDeclaration, TSType, TSTypeAliasDeclaration, TSTypeAnnotation,
    TSTypeParameterDeclaration, TSTypeParameterInstantiation,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::Scoping;
use oxc::span::{GetSpan, Span};
use oxc::syntax::symbol::SymbolId;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a file has to do with others.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// The files that it asks for, in order: what it calls each, and where.
    pub(crate) asks: Vec<(String, usize)>,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: BTreeMap<String, Export>,
    /// The files of which it exports everything.
    pub(crate) stars: Vec<usize>,
}

/// A name that a file imports.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) local: String,
    pub(crate) from: Far,
    /// Whether it is there even where nothing uses it: in TypeScript it may be a type.
    pub(crate) needed: bool,
    symbol: Option<SymbolId>,
}

/// Something of another file.
#[derive(Debug, Clone)]
pub(crate) struct Far {
    /// Which of the files that are asked for.
    pub(crate) ask: usize,
    /// Its name there; `None` for all that the file exports, as an object.
    pub(crate) name: Option<String>,
    /// Where that is written.
    pub(crate) at: usize,
}

/// What a file exports under a name.
#[derive(Debug)]
pub(crate) enum Export {
    /// A variable, a function or a class of its own, or whatever expression gives it.
    Own(String),
    Far(Far),
}

impl Links {
    /// Whether it has nothing to do with other files.
    pub(crate) fn is_empty(&self) -> bool {
        self.asks.is_empty()
    }

    /// What a program asks for of other files.
    pub(super) fn of(program: &Program<'_>) -> Result<Links, Problem> {
        let mut links = Links::default();
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(import) => links.import(import)?,
                Statement::ExportFromDeclaration(export) if !export.export_kind.is_type() => {
                    links.export_from(export)?
                }
                Statement::ExportAllDeclaration(export) if !export.export_kind.is_type() => links.export_all(export)?,
                _ => {}
            }
        }
        Ok(links)
    }

    /// Takes the function to call from another file, where a script exports one of there. Gives its name.
    pub(super) fn entry(&mut self) -> Option<&'static str> {
        let name = ["default", "run"].into_iter().find(|name| self.exports.contains_key(*name))?;
        if let Some(Export::Far(from)) = self.exports.remove(name) {
            self.imports.push(Import { local: name.to_owned(), from, needed: true, symbol: None });
        }
        Some(name)
    }

    fn ask(&mut self, source: &StringLiteral<'_>) -> Result<usize, Problem> {
        let specifier = source.value.as_str();
        if !specifier.starts_with("./") && !specifier.starts_with("../") {
            return Err(form::foreign(source.span, specifier));
        }
        let known = self.asks.iter().position(|(known, _)| known == specifier);
        Ok(known.unwrap_or_else(|| {
            self.asks.push((specifier.to_owned(), source.span.start as usize));
            self.asks.len() - 1
        }))
    }

    fn import(&mut self, import: &ImportDeclaration<'_>) -> Result<(), Problem> {
        if import.import_kind.is_type() || import.source.value == "skill" {
            return Ok(());
        }
        let ask = self.ask(&import.source)?;
        for specifier in import.specifiers.iter().flatten() {
            let (local, name) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) if one.import_kind.is_type() => continue,
                ImportDeclarationSpecifier::ImportSpecifier(one) => (&one.local, Some(name_of(&one.imported))),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => (&one.local, Some("default")),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => (&one.local, None),
            };
            let from = Far { ask, name: name.map(str::to_owned), at: specifier.span().start as usize };
            let symbol = local.symbol_id.get();
            self.imports.push(Import { local: local.name.to_string(), from, needed: true, symbol });
        }
        Ok(())
    }

    fn export_from(&mut self, export: &ExportFromDeclaration<'_>) -> Result<(), Problem> {
        if export.source.value == "skill" {
            return Err(form::foreign(export.source.span, "skill"));
        }
        let ask = self.ask(&export.source)?;
        for specifier in export.specifiers.iter().filter(|one| !one.export_kind.is_type()) {
            let name = Some(name_of(&specifier.local).to_owned());
            let far = Far { ask, name, at: specifier.span.start as usize };
            self.exports.insert(name_of(&specifier.exported).to_owned(), Export::Far(far));
        }
        Ok(())
    }

    fn export_all(&mut self, export: &ExportAllDeclaration<'_>) -> Result<(), Problem> {
        let ask = self.ask(&export.source)?;
        match &export.exported {
            Some(name) => {
                let far = Far { ask, name: None, at: export.span.start as usize };
                self.exports.insert(name_of(name).to_owned(), Export::Far(far));
            }
            None => self.stars.push(ask),
        }
        Ok(())
    }

    /// The way to what a name stands for, where it is imported.
    fn far(&self, local: &str) -> Option<&Far> {
        self.imports.iter().find(|import| import.local == local).map(|import| &import.from)
    }

    fn export_own(&mut self, exported: &str, local: &str) {
        let export = match self.far(local) {
            Some(far) => Export::Far(far.clone()),
            None => Export::Own(local.to_owned()),
        };
        self.exports.insert(exported.to_owned(), export);
    }

    fn export_names(&mut self, export: &ExportNamedDeclaration<'_>) {
        if export.export_kind.is_type() {
            return;
        }
        for specifier in export.specifiers.iter().filter(|one| !one.export_kind.is_type()) {
            self.export_own(name_of(&specifier.exported), name_of(&specifier.local));
        }
    }

    fn export_declared(&mut self, declaration: &Declaration<'_>) {
        let mut own = |name: &str| self.export_own(name, name);
        match declaration {
            Declaration::VariableDeclaration(it) if !it.declare => {
                for declarator in &it.declarations {
                    declarator.id.get_binding_identifiers().iter().for_each(|id| own(&id.name));
                }
            }
            Declaration::FunctionDeclaration(it) if it.body.is_some() && !it.declare => {
                it.id.iter().for_each(|id| own(&id.name));
            }
            Declaration::ClassDeclaration(it) if !it.declare => it.id.iter().for_each(|id| own(&id.name)),
            Declaration::TSEnumDeclaration(it) if !it.declare => own(&it.id.name),
            _ => {}
        }
    }
}

/// Takes `import` and `export` out of a file that is imported itself. Gives what is to stand before it: what it exports, and
/// what it imports of `skill`.
pub(super) fn open(
    program: &Program<'_>,
    links: &mut Links,
    names: &Names,
    edits: &mut Edits,
) -> Result<String, Problem> {
    let mut imports = String::new();
    for statement in &program.body {
        match statement {
            Statement::ImportDeclaration(import) => {
                imports.push_str(&form::imported(import, names)?);
                edits.blank_statement(import.span);
            }
            Statement::ExportDefaultDeclaration(export) => {
                let name = form::default_name(export.span, &export.declaration, names, edits);
                links.exports.insert("default".to_owned(), Export::Own(name));
            }
            Statement::ExportDeclaration(export) => {
                edits.blank(Span::new(export.span.start, export.declaration.span().start));
                links.export_declared(&export.declaration);
            }
            Statement::ExportNamedDeclaration(export) => {
                links.export_names(export);
                edits.blank_statement(export.span);
            }
            Statement::ExportFromDeclaration(export) => edits.blank_statement(export.span),
            Statement::ExportAllDeclaration(export) => edits.blank_statement(export.span),
            _ => {}
        }
    }
    let own: Vec<String> = (links.exports.iter())
        .filter_map(|(name, export)| match export {
            Export::Own(value) => Some(format!("[{name:?}]:()=>{value}")),
            Export::Far(_) => None,
        })
        .collect();
    Ok(format!("{}[\"=\"]({{__proto__:null,{}}});{imports}", names.unit, own.join(",")))
}

/// The uses of imported names in a program.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Where each stands, and whether it is written `{name}`.
    found: Vec<(Span, bool)>,
    /// Where statements begin that stand one after another.
    starts: HashSet<u32>,
}

/// Finds the uses. Where types are written beside values, what no value uses need not be there.
pub(super) fn uses(program: &Program<'_>, scoping: &Scoping, links: &mut Links, typed: bool) -> Uses {
    let symbols = links.imports.iter().enumerate().filter_map(|(at, import)| Some((import.symbol?, at))).collect();
    let mut search = Search { scoping, symbols, used: HashSet::new(), brief: HashSet::new(), uses: Uses::default() };
    search.visit_program(program);
    let Search { used, uses, .. } = search;
    for (at, import) in links.imports.iter_mut().enumerate() {
        import.needed = !typed || used.contains(&at);
    }
    uses
}

impl Uses {
    /// Keeps statements that will begin with a parenthesis apart from those before them. To be called before anything else
    /// is inserted there.
    pub(super) fn part(&self, edits: &mut Edits) {
        for (span, _) in self.found.iter().filter(|(span, _)| self.starts.contains(&span.start)) {
            edits.insert(span.start, ";");
        }
    }

    /// Rewrites the uses.
    pub(super) fn rewrite(&self, source: &str, names: &Names, edits: &mut Edits) {
        for (span, brief) in &self.found {
            let name = &source[span.start as usize..span.end as usize];
            let before = if *brief { format!("{name}:") } else { String::new() };
            edits.insert(span.start, format!("{before}(0,{}.", names.unit));
            edits.insert(span.end, ")");
        }
    }
}

struct Search<'s> {
    scoping: &'s Scoping,
    symbols: HashMap<SymbolId, usize>,
    used: HashSet<usize>,
    /// Where names stand that are a property's name and its value at once.
    brief: HashSet<u32>,
    uses: Uses,
}

impl<'a> Visit<'a> for Search<'_> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        let symbol = it.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id());
        if let Some(at) = symbol.and_then(|symbol| self.symbols.get(&symbol)) {
            self.used.insert(*at);
            self.uses.found.push((it.span, self.brief.contains(&it.span.start)));
        }
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if let (true, Expression::Identifier(id)) = (it.shorthand, &it.value) {
            self.brief.insert(id.span.start);
        }
        walk::walk_object_property(self, it);
    }

    fn visit_statements(&mut self, it: &oxc::allocator::Vec<'a, Statement<'a>>) {
        for statement in it {
            if let Statement::ExpressionStatement(statement) = statement {
                self.uses.starts.insert(statement.span.start);
            }
        }
        walk::walk_statements(self, it);
    }

    // What is exported is no use of the name: it stays what it stands for.
    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        for specifier in &it.specifiers {
            let far = |(_, at): (&SymbolId, &usize)| *at;
            let local = name_of(&specifier.local);
            let same = self.symbols.iter().filter(|(symbol, _)| self.scoping.symbol_name(**symbol) == local).map(far);
            self.used.extend(same);
        }
    }

    fn visit_ts_type(&mut self, _: &TSType<'a>) {}

    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}

    fn visit_ts_type_parameter_declaration(&mut self, _: &TSTypeParameterDeclaration<'a>) {}

    fn visit_ts_type_parameter_instantiation(&mut self, _: &TSTypeParameterInstantiation<'a>) {}

    fn visit_ts_interface_declaration(&mut self, _: &TSInterfaceDeclaration<'a>) {}

    fn visit_ts_type_alias_declaration(&mut self, _: &TSTypeAliasDeclaration<'a>) {}

    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}
}
