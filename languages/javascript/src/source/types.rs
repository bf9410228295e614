//! TypeScript to JavaScript by blanking the types out, so that every line and column stays where it is. Enumerations and
//! parameter properties, which are more than types, are written out on the line they stand on.

use super::declare;
use super::edits::Edits;
use super::shadow::Shadows;
use oxc::ast::ast::{
    CatchParameter, Class, Declaration, Decorator, ExportDeclaration, ExportSpecifier, Expression, FormalParameter,
    Function, FunctionType, MethodDefinition, MethodDefinitionKind, MethodDefinitionType, Program, PropertyDefinition,
    PropertyDefinitionType, Statement, TSAsExpression, TSClassImplements, TSEnumDeclaration, TSEnumMemberName,
    TSIndexSignature, TSNonNullExpression, TSSatisfiesExpression, TSThisParameter, TSTypeAnnotation, TSTypeAssertion,
    TSTypeParameterDeclaration, TSTypeParameterInstantiation, VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;

/// What of TypeScript is refused, and where.
type Problem = (Span, &'static str);

/// Blanks every type of a program out. In a cell, an enumeration at the top level is assigned to a name that is declared
/// already; `cell` says how names are written.
pub(crate) fn strip(program: &Program<'_>, edits: &mut Edits, cell: Option<&Shadows>) -> Result<(), Problem> {
    let assigned = cell.map(|shadows| (shadows, declare::enumerations(program)));
    let mut stripper = Strip { source: program.source_text, edits, problem: None, assigned };
    stripper.visit_program(program);
    stripper.problem.map_or(Ok(()), Err)
}

struct Strip<'s, 'e> {
    source: &'s str,
    edits: &'e mut Edits,
    problem: Option<Problem>,
    /// In a cell: where the enumerations of the top level begin.
    assigned: Option<(&'s Shadows, Vec<u32>)>,
}

impl Strip<'_, '_> {
    fn refuse(&mut self, span: Span, what: &'static str) {
        self.problem.get_or_insert((span, what));
    }

    fn text(&self, span: Span) -> &str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// Blanks one character before a place, past spaces: the `?` or `!` before an annotation.
    fn blank_mark_before(&mut self, at: u32, marks: &[char]) {
        let before = self.source[..at as usize].trim_end();
        if before.ends_with(marks) {
            let end = before.len() as u32;
            self.edits.blank(Span::new(end - 1, end));
        }
    }

    /// Blanks one character after a place, past spaces.
    fn blank_mark_after(&mut self, at: u32, mark: char) {
        let after = &self.source[at as usize..];
        let skipped = after.len() - after.trim_start().len();
        if after.trim_start().starts_with(mark) {
            let start = at + skipped as u32;
            self.edits.blank(Span::new(start, start + 1));
        }
    }

    /// Blanks the modifiers that only TypeScript has, among the words before a member's name.
    fn blank_modifiers(&mut self, start: u32, end: u32) {
        const MODIFIERS: [&str; 7] = ["public", "private", "protected", "readonly", "override", "abstract", "declare"];
        let mut at = start as usize;
        while at < end as usize {
            let rest = &self.source[at..end as usize];
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
            if length == 0 {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            }
            if MODIFIERS.contains(&&rest[..length]) {
                self.edits.blank(Span::new(at as u32, (at + length) as u32));
            }
            at += length;
        }
    }

    /// Blanks what follows an expression (`as T`, `!`), with a semicolon where the next line would run on otherwise.
    fn blank_after(&mut self, expression: Span, whole: Span) {
        let tail = Span::new(expression.end, whole.end);
        let after = &self.source[whole.end as usize..];
        let gap = &after[..after.len() - after.trim_start().len()];
        let runs_on = after.trim_start().starts_with(['(', '[', '`', '+', '-', '/']);
        if gap.contains('\n') && runs_on {
            self.edits.blank_statement(tail);
        } else {
            self.edits.blank(tail);
        }
    }

    fn enumeration(&mut self, it: &TSEnumDeclaration<'_>) {
        let name = it.id.name.as_str();
        let target = match &self.assigned {
            Some((shadows, places)) if places.contains(&it.span.start) => format!(";{}", shadows.name(name)),
            _ => format!("var {name}"),
        };
        let mut out = format!("{target}=((e)=>{{let v;");
        let mut members: Vec<String> = Vec::new();
        let mut counter: Option<String> = Some("0".into());
        for member in &it.body.members {
            let id = match &member.id {
                TSEnumMemberName::Identifier(id) => id.name.to_string(),
                TSEnumMemberName::String(text) => text.value.to_string(),
                _ => return self.refuse(member.span, "this name of an enumeration's member is not supported"),
            };
            let Ok(key) = serde_json::to_string(&id) else { continue };
            let value = match &member.initializer {
                Some(initial) => self.text(initial.span()).replace(['\n', '\r'], " "),
                None => match &counter {
                    Some(next) => next.clone(),
                    None => return self.refuse(member.span, "this member of an enumeration needs a value"),
                },
            };
            // Earlier members can be named in a value.
            let known: String = members.iter().map(|known| format!("{known}=e.{known},")).collect();
            let value = if member.initializer.is_some() && !members.is_empty() {
                format!("(({})=>({value}))()", known.trim_end_matches(','))
            } else {
                format!("({value})")
            };
            let text =
                matches!(&member.initializer, Some(Expression::StringLiteral(_) | Expression::TemplateLiteral(_)));
            out.push_str(&format!("v=e[{key}]={value};"));
            if text {
                counter = None;
            } else {
                out.push_str(&format!("if(typeof v==='number')e[v]={key};"));
                counter = Some("v+1".into());
            }
            if matches!(&member.id, TSEnumMemberName::Identifier(_)) {
                members.push(id);
            }
        }
        out.push_str("return e;})({});");
        self.edits.insert(it.span.start, out);
        self.edits.blank(it.span);
    }

    fn statement(&mut self, statement: &Statement<'_>) -> bool {
        match statement {
            Statement::TSTypeAliasDeclaration(it) => self.edits.blank_statement(it.span),
            Statement::TSInterfaceDeclaration(it) => self.edits.blank_statement(it.span),
            Statement::TSEnumDeclaration(it) if it.declare => self.edits.blank_statement(it.span),
            Statement::TSEnumDeclaration(it) => self.enumeration(it),
            Statement::FunctionDeclaration(it) if it.declare || it.body.is_none() => {
                self.edits.blank_statement(it.span)
            }
            Statement::VariableDeclaration(it) if it.declare => self.edits.blank_statement(it.span),
            Statement::ClassDeclaration(it) if it.declare => self.edits.blank_statement(it.span),
            Statement::TSGlobalDeclaration(it) => self.edits.blank_statement(it.span),
            Statement::TSExternalModuleDeclaration(it) => self.edits.blank_statement(it.span),
            Statement::TSNamespaceDeclaration(it) if self.text(it.span).starts_with("declare") => {
                self.edits.blank_statement(it.span);
            }
            Statement::TSNamespaceDeclaration(it) => {
                self.refuse(it.span, "namespaces are not supported: use plain declarations");
            }
            Statement::TSImportEqualsDeclaration(it) => {
                self.refuse(it.span, "`import =` is not supported: use `import … from \"skill\"`");
            }
            Statement::TSExportAssignment(it) => {
                self.refuse(it.span, "`export =` is not supported: use `export default`");
            }
            Statement::TSNamespaceExportDeclaration(it) => self.edits.blank_statement(it.span),
            _ => return false,
        }
        true
    }
}

impl<'a> Visit<'a> for Strip<'_, '_> {
    fn visit_statement(&mut self, it: &Statement<'a>) {
        if !self.statement(it) {
            walk::walk_statement(self, it);
        }
    }

    fn visit_export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        match &it.declaration {
            Declaration::TSTypeAliasDeclaration(_)
            | Declaration::TSInterfaceDeclaration(_)
            | Declaration::TSGlobalDeclaration(_)
            | Declaration::TSExternalModuleDeclaration(_) => {
                self.edits.blank_statement(it.span);
            }
            Declaration::FunctionDeclaration(function) if function.declare || function.body.is_none() => {
                self.edits.blank_statement(it.span);
            }
            Declaration::VariableDeclaration(variables) if variables.declare => self.edits.blank_statement(it.span),
            Declaration::ClassDeclaration(class) if class.declare => self.edits.blank_statement(it.span),
            Declaration::TSEnumDeclaration(enumeration) if enumeration.declare => self.edits.blank_statement(it.span),
            Declaration::TSEnumDeclaration(enumeration) => self.enumeration(enumeration),
            Declaration::TSNamespaceDeclaration(namespace) => {
                self.refuse(namespace.span, "namespaces are not supported: use plain declarations");
            }
            Declaration::TSImportEqualsDeclaration(import) => {
                self.refuse(import.span, "`import =` is not supported: use `import … from \"skill\"`");
            }
            _ => walk::walk_export_declaration(self, it),
        }
    }

    fn visit_export_specifier(&mut self, _: &ExportSpecifier<'a>) {}

    fn visit_decorator(&mut self, it: &Decorator<'a>) {
        self.refuse(it.span, "decorators are not supported");
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.r#type == FunctionType::TSDeclareFunction {
            return self.edits.blank_statement(it.span);
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        if it.r#abstract {
            let end = it.id.as_ref().map_or(it.body.span.start, |id| id.span.start);
            self.blank_modifiers(it.span.start, end);
        }
        if let (Some(first), Some(last)) = (it.implements.first(), it.implements.last()) {
            let before = self.source[..first.span.start as usize].trim_end();
            let start = before.strip_suffix("implements").map_or(first.span.start, |rest| rest.len() as u32);
            self.edits.blank(Span::new(start, last.span.end));
        }
        walk::walk_class(self, it);
    }

    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}

    fn visit_ts_index_signature(&mut self, it: &TSIndexSignature<'a>) {
        self.edits.blank_statement(it.span);
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if it.r#type == MethodDefinitionType::TSAbstractMethodDefinition || it.value.body.is_none() {
            return self.edits.blank_statement(it.span);
        }
        self.blank_modifiers(it.span.start, it.key.span().start);
        if it.optional {
            self.blank_mark_after(it.key.span().end, '?');
        }
        if it.kind == MethodDefinitionKind::Constructor {
            self.parameter_properties(&it.value);
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        if it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition || it.declare {
            return self.edits.blank_statement(it.span);
        }
        self.blank_modifiers(it.span.start, it.key.span().start);
        if it.optional {
            self.blank_mark_after(it.key.span().end, '?');
        }
        if it.definite {
            self.blank_mark_after(it.key.span().end, '!');
        }
        walk::walk_property_definition(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if it.definite {
            self.blank_mark_after(it.id.span().end, '!');
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        self.blank_modifiers(it.span.start, it.pattern.span().start);
        if it.optional {
            match &it.type_annotation {
                Some(annotation) => self.blank_mark_before(annotation.span.start, &['?']),
                None => self.blank_mark_after(it.pattern.span().end, '?'),
            }
        }
        walk::walk_formal_parameter(self, it);
    }

    fn visit_catch_parameter(&mut self, it: &CatchParameter<'a>) {
        walk::walk_catch_parameter(self, it);
    }

    fn visit_ts_this_parameter(&mut self, it: &TSThisParameter<'a>) {
        self.edits.blank(it.span);
        self.blank_mark_after(it.span.end, ',');
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        let mut span = it.span;
        if !self.text(span).starts_with(':') {
            let before = self.source[..span.start as usize].trim_end();
            if before.ends_with(':') {
                span.start = before.len() as u32 - 1;
            }
        }
        self.edits.blank(span);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.edits.blank(it.span);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.edits.blank(it.span);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_after(it.expression.span(), it.span);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_after(it.expression.span(), it.span);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_after(it.expression.span(), it.span);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.edits.blank(Span::new(it.span.start, it.expression.span().start));
        self.visit_expression(&it.expression);
    }
}

impl Strip<'_, '_> {
    /// `constructor(private x: number)` also sets `this.x`.
    fn parameter_properties(&mut self, constructor: &Function<'_>) {
        let Some(body) = &constructor.body else { return };
        let mut assignments = String::new();
        for parameter in &constructor.params.items {
            if parameter.accessibility.is_none() && !parameter.readonly && !parameter.r#override {
                continue;
            }
            if let Some(id) = parameter.pattern.get_binding_identifier() {
                assignments.push_str(&format!("this.{0}={0};", id.name));
            }
        }
        if assignments.is_empty() {
            return;
        }
        // Behind a call of the base class's constructor, before which there is no `this`.
        let base = body.statements.iter().find(|statement| {
            matches!(statement, Statement::ExpressionStatement(it)
                if matches!(&it.expression, Expression::CallExpression(call) if matches!(call.callee, Expression::Super(_))))
        });
        let at = base.map_or(body.span.start + 1, |statement| statement.span().end);
        self.edits.insert(at, format!(";{assignments}"));
    }
}
