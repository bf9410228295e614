//! What a script says of its own parameters: TypeScript types, JSDoc, and destructured names with defaults.

mod doc;
mod schema;

use crate::source::with_program;
use doc::{Doc, ParamTag};
use oxc::ast::ast::{
    BindingPattern, Declaration, ExportDefaultDeclarationKind, Expression, FormalParameters, Program, Statement,
    TSSignature, TSType, VariableDeclaration,
};
use oxc::span::GetSpan;
use schema::Types;
use serde_json::{Value, json};
use skills_core::{ParameterSpec, Script, Signature};

/// Infers the parameters of a script's function, without running it; `None` where the script does not parse.
///
/// The function is that of `export default`, or `run`, and its first parameter is the object of parameters. What the
/// types do not say, JSDoc does (`@param {number} params.a - text`, `@param {{a: number}} params`, or `@param {number} a`
/// where the parameter is destructured), and what neither says is taken from the names and defaults of a destructured
/// parameter.
pub(crate) fn infer(script: &Script) -> Option<Signature> {
    with_program(script, |program| Ok(of_program(program))).ok()
}

/// The function that a run would call, and where its statement begins.
struct Main<'p, 'a> {
    start: u32,
    parameters: &'p FormalParameters<'a>,
}

fn of_program(program: &Program<'_>) -> Signature {
    let Some(main) = find(program) else { return Signature::default() };
    let doc = doc_before(program, main.start);
    let types = Types::new(program);
    let mut parameters: Vec<ParameterSpec> = Vec::new();
    if let Some(first) = main.parameters.items.first() {
        if let Some(annotation) = &first.type_annotation {
            from_type(program, &types, &annotation.type_annotation, &mut parameters, 0);
        }
        let name = from_pattern(&first.pattern, &mut parameters);
        let destructured: Vec<String> = match name {
            Some(_) => Vec::new(),
            None => parameters.iter().map(|parameter| parameter.name.clone()).collect(),
        };
        from_doc(&doc, &Named { name: name.as_deref(), destructured: &destructured }, &mut parameters);
    }
    for parameter in &mut parameters {
        complete(parameter);
    }
    Signature { description: doc.description, parameters }
}

fn find<'p, 'a>(program: &'p Program<'a>) -> Option<Main<'p, 'a>> {
    let mut named = None;
    let mut wanted = "run".to_owned();
    for statement in &program.body {
        if let Statement::ExportDefaultDeclaration(export) = statement {
            let start = export.span.start;
            match &export.declaration {
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                    return Some(Main { start, parameters: &function.params });
                }
                ExportDefaultDeclarationKind::Identifier(id) => wanted = id.name.to_string(),
                other => {
                    let parameters = other.as_expression().and_then(of_expression)?;
                    return Some(Main { start, parameters });
                }
            }
        }
    }
    for statement in &program.body {
        let start = statement.span().start;
        let parameters = match statement {
            Statement::FunctionDeclaration(function)
                if function.id.as_ref().is_some_and(|id| id.name.as_str() == wanted) =>
            {
                Some(&*function.params)
            }
            Statement::VariableDeclaration(variables) => of_variables(variables, &wanted),
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::FunctionDeclaration(function)
                    if function.id.as_ref().is_some_and(|id| id.name.as_str() == wanted) =>
                {
                    Some(&*function.params)
                }
                Declaration::VariableDeclaration(variables) => of_variables(variables, &wanted),
                _ => None,
            },
            _ => None,
        };
        // The last one: of overloads, it is the one with a body.
        if let Some(parameters) = parameters {
            named = Some(Main { start, parameters });
        }
    }
    named
}

fn of_variables<'p, 'a>(variables: &'p VariableDeclaration<'a>, wanted: &str) -> Option<&'p FormalParameters<'a>> {
    variables.declarations.iter().find_map(|declarator| match &declarator.id {
        BindingPattern::BindingIdentifier(id) if id.name == wanted => of_expression(declarator.init.as_ref()?),
        _ => None,
    })
}

fn of_expression<'p, 'a>(expression: &'p Expression<'a>) -> Option<&'p FormalParameters<'a>> {
    match expression {
        Expression::ArrowFunctionExpression(arrow) => Some(&arrow.params),
        Expression::FunctionExpression(function) => Some(&function.params),
        Expression::ParenthesizedExpression(inner) => of_expression(&inner.expression),
        _ => None,
    }
}

fn doc_before(program: &Program<'_>, start: u32) -> Doc {
    let comment = program.comments.iter().rfind(|comment| comment.attached_to == start);
    let text = comment.map(|comment| &program.source_text[comment.span.start as usize..comment.span.end as usize]);
    text.filter(|text| text.starts_with("/**")).map(Doc::parse).unwrap_or_default()
}

/// The members of a type that is an object.
fn from_type(
    program: &Program<'_>,
    types: &Types<'_, '_>,
    annotation: &TSType<'_>,
    parameters: &mut Vec<ParameterSpec>,
    depth: usize,
) {
    for member in types.members(annotation, depth) {
        let TSSignature::TSPropertySignature(property) = member else { continue };
        let Some(mut parameter) = types.parameter(property) else { continue };
        parameter.description = doc_before(program, property.span.start).description;
        parameters.push(parameter);
    }
}

/// The names of a destructured parameter, with their defaults; or the parameter's own name.
fn from_pattern(pattern: &BindingPattern<'_>, parameters: &mut Vec<ParameterSpec>) -> Option<String> {
    match pattern {
        BindingPattern::BindingIdentifier(id) => Some(id.name.to_string()),
        BindingPattern::AssignmentPattern(assigned) => from_pattern(&assigned.left, parameters),
        BindingPattern::ObjectPattern(object) => {
            // With types, the types say which there are.
            let typed = !parameters.is_empty();
            for property in &object.properties {
                let Some(name) = property.key.static_name() else { continue };
                let default = match &property.value {
                    BindingPattern::AssignmentPattern(assigned) => Some(literal(&assigned.right)),
                    _ => None,
                };
                let known = parameters.iter().position(|known| known.name == name);
                let index = match known {
                    Some(index) => index,
                    None if typed => continue,
                    None => {
                        parameters.push(ParameterSpec::any(name));
                        parameters.len() - 1
                    }
                };
                if let Some(default) = default {
                    parameters[index].required = false;
                    parameters[index].default = default;
                }
            }
            None
        }
        BindingPattern::ArrayPattern(_) => None,
    }
}

/// What the object of parameters is called in the script: by a name, or by its members.
struct Named<'n> {
    name: Option<&'n str>,
    destructured: &'n [String],
}

/// What JSDoc says. A tag may describe a member below the name of the object of parameters, whatever that is called; a
/// member by its own name, where the parameter is destructured; or the whole object, by its type.
fn from_doc(doc: &Doc, named: &Named<'_>, parameters: &mut Vec<ParameterSpec>) {
    for tag in &doc.parameters {
        match tag.name.split_once('.') {
            // Deeper members describe a member, not a parameter.
            Some((_, member)) if member.contains('.') => {}
            Some((root, _)) if named.name.is_some_and(|name| name != root) => {}
            Some((_, member)) => of_tag(tag, member, parameters),
            None if named.destructured.contains(&tag.name) => of_tag(tag, &tag.name, parameters),
            None if named.name.is_none_or(|name| name == tag.name) => {
                for member in schema::members_of_text(&tag.type_text) {
                    match parameters.iter_mut().find(|known| known.name == member.name) {
                        Some(known) if known.schema == json!({}) => {
                            known.schema = member.schema;
                            known.required &= member.required;
                        }
                        Some(_) => {}
                        None => parameters.push(member),
                    }
                }
            }
            None => {}
        }
    }
}

/// What one tag says of a parameter, where nothing better does.
fn of_tag(tag: &ParamTag, name: &str, parameters: &mut Vec<ParameterSpec>) {
    let index = match parameters.iter().position(|known| known.name == name) {
        Some(index) => index,
        None => {
            parameters.push(ParameterSpec::any(name));
            parameters.len() - 1
        }
    };
    let parameter = &mut parameters[index];
    if parameter.schema == json!({}) && !tag.type_text.is_empty() {
        parameter.schema = schema::from_text(&tag.type_text);
    }
    if tag.optional {
        parameter.required = false;
    }
    if parameter.default.is_none() {
        parameter.default = tag.default.clone();
    }
    if parameter.description.is_none() && !tag.description.is_empty() {
        parameter.description = Some(tag.description.clone());
    }
}

/// Without a type, a default tells it.
fn complete(parameter: &mut ParameterSpec) {
    if parameter.schema != json!({}) {
        return;
    }
    let name = match &parameter.default {
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
        Some(Value::Null) | None => return,
    };
    parameter.schema = json!({ "type": name });
}

/// The JSON value of a literal; `None` for what is computed.
fn literal(expression: &Expression<'_>) -> Option<Value> {
    use oxc::ast::ast::{ArrayExpressionElement, ObjectPropertyKind, UnaryOperator};
    Some(match expression {
        Expression::NullLiteral(_) => Value::Null,
        Expression::BooleanLiteral(it) => Value::Bool(it.value),
        Expression::StringLiteral(it) => Value::String(it.value.to_string()),
        Expression::NumericLiteral(it) => schema::number(it.value),
        Expression::TemplateLiteral(it) if it.expressions.is_empty() => {
            Value::String(it.quasis.first()?.value.cooked.as_ref()?.to_string())
        }
        Expression::UnaryExpression(it) if it.operator == UnaryOperator::UnaryNegation => {
            schema::number(-literal(&it.argument)?.as_f64()?)
        }
        Expression::ParenthesizedExpression(it) => literal(&it.expression)?,
        Expression::TSAsExpression(it) => literal(&it.expression)?,
        Expression::ArrayExpression(it) => Value::Array(
            it.elements
                .iter()
                .map(|e: &ArrayExpressionElement<'_>| literal(e.as_expression()?))
                .collect::<Option<_>>()?,
        ),
        Expression::ObjectExpression(it) => {
            let members = it.properties.iter().map(|property| match property {
                ObjectPropertyKind::ObjectProperty(member) if !member.computed => {
                    Some((member.key.static_name()?.into_owned(), literal(&member.value)?))
                }
                _ => None,
            });
            Value::Object(members.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
