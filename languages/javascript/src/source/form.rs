use super::Names;
use super::edits::Edits;
use oxc::ast::ast::{
    ArrowFunctionExpression, AwaitExpression, BindingPattern, Class, Declaration, ExportDefaultDeclarationKind,
    Expression, ForOfStatement, Function, ImportDeclaration, ImportDeclarationSpecifier, ModuleExportName, Program,
    Statement, VariableDeclaration, VariableDeclarationKind,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;

/// What sort of script it is, by the contract of scripts.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// Declarations for what is imported, on one line.
    pub(crate) imports: String,
    /// What stands after the script's text.
    pub(crate) epilogue: String,
    pub(crate) asynchronous: bool,
    pub(crate) calls: bool,
}

/// A problem and where it is.
pub(super) type Problem = (Span, String);

/// Finds the form of a script and rewrites it into the body of a function: `export` and `import` are taken out, and the
/// last expression is returned where the script has no function to call.
///
/// The value is, in this order: that of `export default`; the function `run`; the last expression.
pub(crate) fn find(program: &Program<'_>, names: &Names, edits: &mut Edits) -> Result<Form, Problem> {
    let mut form = Form { asynchronous: awaits(program), ..Form::default() };
    let mut default = None;
    let mut run = false;
    for statement in &program.body {
        match statement {
            Statement::ImportDeclaration(import) => {
                form.imports.push_str(&imported(import, names)?);
                edits.blank_statement(import.span);
            }
            Statement::ExportDefaultDeclaration(export) => {
                default = Some(default_name(export.span, &export.declaration, names, edits));
            }
            Statement::ExportDeclaration(export) => {
                edits.blank(Span::new(export.span.start, export.declaration.span().start));
                run |= match &export.declaration {
                    Declaration::FunctionDeclaration(function) => is_run(function),
                    Declaration::VariableDeclaration(variables) => declares_run(variables),
                    _ => false,
                };
            }
            Statement::ExportNamedDeclaration(export) => {
                for specifier in &export.specifiers {
                    if name_of(&specifier.exported) == "default" && !specifier.export_kind.is_type() {
                        default = Some(name_of(&specifier.local).to_owned());
                    }
                }
                edits.blank_statement(export.span);
            }
            Statement::ExportFromDeclaration(export) => edits.blank_statement(export.span),
            Statement::ExportAllDeclaration(export) => edits.blank_statement(export.span),
            Statement::FunctionDeclaration(function) => run |= is_run(function),
            Statement::VariableDeclaration(variables) => run |= declares_run(variables),
            _ => {}
        }
    }
    if let Some(name) = default.or_else(|| run.then(|| "run".to_owned())) {
        form.epilogue = format!(";return {name};");
        form.calls = true;
    } else if let Some(last) = program.body.last() {
        return_value(last, edits);
    } else if let Some(last) = program.directives.last() {
        // A script that is nothing but a string.
        wrap(last.expression.span, edits);
    }
    Ok(form)
}

pub(super) fn is_run(function: &Function<'_>) -> bool {
    function.body.is_some() && function.id.as_ref().is_some_and(|id| id.name == "run")
}

pub(super) fn declares_run(variables: &VariableDeclaration<'_>) -> bool {
    !variables.declare
        && variables.declarations.iter().any(|declarator| {
            let named = matches!(&declarator.id, BindingPattern::BindingIdentifier(id) if id.name == "run");
            named && declarator.init.as_ref().is_some_and(may_be_function)
        })
}

/// Whether an initial value can be a function: `const run = 5` is a variable like any other.
fn may_be_function(value: &Expression<'_>) -> bool {
    !value.is_literal()
        && !matches!(
            value,
            Expression::ObjectExpression(_)
                | Expression::ArrayExpression(_)
                | Expression::TemplateLiteral(_)
                | Expression::BinaryExpression(_)
                | Expression::UnaryExpression(_)
                | Expression::AwaitExpression(_)
        )
}

/// Turns `export default …` into a declaration, and gives the name that it declares.
pub(super) fn default_name(
    span: Span,
    declaration: &ExportDefaultDeclarationKind<'_>,
    names: &Names,
    edits: &mut Edits,
) -> String {
    let keywords = Span::new(span.start, declaration.span().start);
    let id = match declaration {
        ExportDefaultDeclarationKind::FunctionDeclaration(function) => function.id.as_ref(),
        ExportDefaultDeclarationKind::ClassDeclaration(class) => class.id.as_ref(),
        ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => {
            edits.blank_statement(span);
            return "undefined".to_owned();
        }
        _ => None,
    };
    edits.blank(keywords);
    if let Some(id) = id {
        return id.name.to_string();
    }
    let name = format!("{}_default", names.skill);
    // Behind the blank, where the declaration begins: a parenthesis may stand before it.
    edits.insert(keywords.start, format!("const {name}="));
    if matches!(
        declaration,
        ExportDefaultDeclarationKind::FunctionDeclaration(_) | ExportDefaultDeclarationKind::ClassDeclaration(_)
    ) {
        edits.insert(span.end, ";");
    }
    name
}

pub(super) fn name_of<'a>(name: &'a ModuleExportName<'_>) -> &'a str {
    match name {
        ModuleExportName::IdentifierName(id) => id.name.as_str(),
        ModuleExportName::IdentifierReference(id) => id.name.as_str(),
        ModuleExportName::StringLiteral(text) => text.value.as_str(),
    }
}

pub(super) fn foreign(span: Span, module: &str) -> Problem {
    let own = "\"skill\", and files of its skill, as in \"./NAME.js\"";
    (span, format!("cannot import {module:?}: a skill's script can import {own}"))
}

/// The declarations that stand for one import of `skill`.
pub(super) fn imported(import: &ImportDeclaration<'_>, names: &Names) -> Result<String, Problem> {
    if is_of_file(import) {
        return Ok(String::new());
    }
    let bindings = bindings(import)?;
    let one = |(local, member): &(String, String)| format!("const {local}={}{member};", names.skill);
    Ok(bindings.iter().map(one).collect())
}

/// Whether a file of the skill is imported.
pub(super) fn is_of_file(import: &ImportDeclaration<'_>) -> bool {
    import.source.value.starts_with("./") || import.source.value.starts_with("../")
}

/// What an import binds: each name, and what follows the module's to reach its value.
pub(super) fn bindings(import: &ImportDeclaration<'_>) -> Result<Vec<(String, String)>, Problem> {
    if import.import_kind.is_type() {
        return Ok(Vec::new());
    }
    if import.source.value != "skill" {
        return Err(foreign(import.source.span, import.source.value.as_str()));
    }
    let mut out = Vec::new();
    for specifier in import.specifiers.iter().flatten() {
        let (local, member) = match specifier {
            ImportDeclarationSpecifier::ImportSpecifier(one) if one.import_kind.is_type() => continue,
            ImportDeclarationSpecifier::ImportSpecifier(one) => (&one.local, Some(name_of(&one.imported))),
            ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => (&one.local, None),
            ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => (&one.local, None),
        };
        let member = member.filter(|member| *member != "default").map(|member| format!("[{member:?}]"));
        out.push((local.name.to_string(), member.unwrap_or_default()));
    }
    Ok(out)
}

pub(super) fn wrap(span: Span, edits: &mut Edits) {
    edits.insert(span.start, "return (");
    edits.insert(span.end, ")");
}

/// Returns the value of a last statement, as a notebook shows it.
pub(super) fn return_value(statement: &Statement<'_>, edits: &mut Edits) {
    match statement {
        Statement::ExpressionStatement(last) => wrap(last.expression.span(), edits),
        Statement::BlockStatement(block) => {
            if let Some(last) = block.body.last() {
                return_value(last, edits);
            }
        }
        Statement::IfStatement(choice) => {
            return_value(&choice.consequent, edits);
            if let Some(alternate) = &choice.alternate {
                return_value(alternate, edits);
            }
        }
        Statement::TryStatement(attempt) => {
            if let Some(last) = attempt.block.body.last() {
                return_value(last, edits);
            }
            if let Some(last) = attempt.handler.as_ref().and_then(|handler| handler.body.body.last()) {
                return_value(last, edits);
            }
        }
        _ => {}
    }
}

/// Whether a script awaits outside of any function.
pub(super) fn awaits(program: &Program<'_>) -> bool {
    let mut search = TopLevelAwait(false);
    search.visit_program(program);
    search.0
}

struct TopLevelAwait(bool);

impl<'a> Visit<'a> for TopLevelAwait {
    fn visit_await_expression(&mut self, _: &AwaitExpression<'a>) {
        self.0 = true;
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.0 |= it.r#await;
        walk::walk_for_of_statement(self, it);
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        self.0 |= it.kind == VariableDeclarationKind::AwaitUsing;
        walk::walk_variable_declaration(self, it);
    }

    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}

    fn visit_class(&mut self, it: &Class<'a>) {
        // An await in a heritage or a computed key is the script's own; those in methods and fields are not allowed.
        walk::walk_class(self, it);
    }
}
