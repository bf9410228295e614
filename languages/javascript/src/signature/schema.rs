//! JSON Schema of TypeScript types, as far as JSON has the values. What it has not is left open: `{}`.

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    Declaration, Program, Statement, TSInterfaceDeclaration, TSLiteral, TSPropertySignature, TSSignature, TSType,
    TSTypeAliasDeclaration, TSTypeName, TSTypeReference, UnaryOperator,
};
use oxc::parser::Parser;
use oxc::span::SourceType;
use serde_json::{Map, Value, json};
use skills_core::ParameterSpec;

/// How deep types are followed: an interface may name itself.
const DEEPEST: usize = 8;

/// The longest type of a JSDoc tag that is read.
const MOST_TEXT: usize = 1000;

/// The types that a program declares.
pub(super) struct Types<'p, 'a> {
    interfaces: Vec<&'p TSInterfaceDeclaration<'a>>,
    aliases: Vec<&'p TSTypeAliasDeclaration<'a>>,
}

impl<'p, 'a> Types<'p, 'a> {
    pub(super) fn new(program: &'p Program<'a>) -> Types<'p, 'a> {
        let mut types = Types { interfaces: Vec::new(), aliases: Vec::new() };
        for statement in &program.body {
            match statement {
                Statement::TSInterfaceDeclaration(it) => types.interfaces.push(it),
                Statement::TSTypeAliasDeclaration(it) => types.aliases.push(it),
                Statement::ExportDeclaration(export) => match &export.declaration {
                    Declaration::TSInterfaceDeclaration(it) => types.interfaces.push(it),
                    Declaration::TSTypeAliasDeclaration(it) => types.aliases.push(it),
                    _ => {}
                },
                _ => {}
            }
        }
        types
    }

    fn alias(&self, name: &str) -> Option<&'p TSType<'a>> {
        self.aliases.iter().find(|alias| alias.id.name == name).map(|alias| &alias.type_annotation)
    }

    /// The members of a type that is an object type, by itself or by name.
    pub(super) fn members<'t>(&'t self, annotation: &'t TSType<'a>, depth: usize) -> Vec<&'t TSSignature<'a>> {
        if depth > DEEPEST {
            return Vec::new();
        }
        match annotation {
            TSType::TSTypeLiteral(literal) => literal.members.iter().collect(),
            TSType::TSParenthesizedType(inner) => self.members(&inner.type_annotation, depth + 1),
            TSType::TSIntersectionType(parts) => {
                parts.types.iter().flat_map(|part| self.members(part, depth + 1)).collect()
            }
            TSType::TSTypeReference(reference) => {
                let Some(name) = name_of(reference) else { return Vec::new() };
                if let Some(alias) = self.alias(name) {
                    return self.members(alias, depth + 1);
                }
                // An interface may be declared in several parts.
                self.interfaces.iter().filter(|it| it.id.name == name).flat_map(|it| it.body.body.iter()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The parameter that a member of the object of parameters is.
    pub(super) fn parameter(&self, property: &TSPropertySignature<'a>) -> Option<ParameterSpec> {
        let mut parameter = ParameterSpec::any(property.key.static_name()?);
        if let Some(annotation) = &property.type_annotation {
            parameter.schema = self.schema(&annotation.type_annotation, 0);
            parameter.required = !self.may_be_undefined(&annotation.type_annotation);
        }
        parameter.required &= !property.optional;
        Some(parameter)
    }

    pub(super) fn may_be_undefined(&self, annotation: &TSType<'_>) -> bool {
        match annotation {
            TSType::TSUndefinedKeyword(_) => true,
            TSType::TSUnionType(union) => union.types.iter().any(|part| self.may_be_undefined(part)),
            TSType::TSParenthesizedType(inner) => self.may_be_undefined(&inner.type_annotation),
            _ => false,
        }
    }

    /// The schema of a type.
    pub(super) fn schema(&self, annotation: &TSType<'a>, depth: usize) -> Value {
        if depth > DEEPEST {
            return json!({});
        }
        match annotation {
            TSType::TSStringKeyword(_) | TSType::TSTemplateLiteralType(_) => json!({"type": "string"}),
            TSType::TSNumberKeyword(_) => json!({"type": "number"}),
            TSType::TSBigIntKeyword(_) => json!({"type": "integer"}),
            TSType::TSBooleanKeyword(_) => json!({"type": "boolean"}),
            TSType::TSNullKeyword(_) => json!({"type": "null"}),
            TSType::TSObjectKeyword(_) => json!({"type": "object"}),
            TSType::TSParenthesizedType(inner) => self.schema(&inner.type_annotation, depth + 1),
            TSType::TSArrayType(array) => array_of(self.schema(&array.element_type, depth + 1)),
            TSType::TSTupleType(_) => json!({"type": "array"}),
            TSType::TSTypeOperatorType(operator) => self.schema(&operator.type_annotation, depth + 1),
            TSType::TSLiteralType(literal) => match constant(&literal.literal) {
                Some(value) => json!({"const": value}),
                None => json!({}),
            },
            TSType::TSUnionType(union) => self.union(&union.types, depth),
            TSType::TSTypeLiteral(_) | TSType::TSIntersectionType(_) => self.object(annotation, depth),
            TSType::TSTypeReference(reference) => self.reference(annotation, reference, depth),
            _ => json!({}),
        }
    }

    fn reference(&self, annotation: &TSType<'a>, reference: &TSTypeReference<'a>, depth: usize) -> Value {
        let Some(name) = name_of(reference) else { return json!({}) };
        if let Some(alias) = self.alias(name) {
            return self.schema(alias, depth + 1);
        }
        if self.interfaces.iter().any(|it| it.id.name == name) {
            return self.object(annotation, depth);
        }
        let argument = |index: usize| reference.type_arguments.as_ref().and_then(|list| list.params.get(index));
        let of = |index| argument(index).map_or_else(|| json!({}), |one| self.schema(one, depth + 1));
        match name {
            "Array" | "ReadonlyArray" => array_of(of(0)),
            "Record" => {
                let values = of(1);
                if values == json!({}) {
                    json!({"type": "object"})
                } else {
                    json!({"type": "object", "additionalProperties": values})
                }
            }
            // The names that JSDoc is written with.
            "String" => json!({"type": "string"}),
            "Number" => json!({"type": "number"}),
            "Boolean" => json!({"type": "boolean"}),
            "Object" => json!({"type": "object"}),
            "integer" | "int" | "Integer" => json!({"type": "integer"}),
            "array" => json!({"type": "array"}),
            _ => json!({}),
        }
    }

    fn object(&self, annotation: &TSType<'a>, depth: usize) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut additional = None;
        for member in self.members(annotation, depth) {
            match member {
                TSSignature::TSPropertySignature(property) => {
                    let Some(name) = property.key.static_name() else { continue };
                    let annotation = property.type_annotation.as_ref().map(|annotation| &annotation.type_annotation);
                    let schema = annotation.map_or_else(|| json!({}), |one| self.schema(one, depth + 1));
                    if !property.optional && !annotation.is_some_and(|one| self.may_be_undefined(one)) {
                        required.push(Value::String(name.to_string()));
                    }
                    properties.insert(name.into_owned(), schema);
                }
                TSSignature::TSIndexSignature(index) => {
                    additional = Some(self.schema(&index.type_annotation.type_annotation, depth + 1));
                }
                _ => {}
            }
        }
        let mut out = Map::new();
        out.insert("type".into(), "object".into());
        if !properties.is_empty() {
            out.insert("properties".into(), properties.into());
        }
        if !required.is_empty() {
            out.insert("required".into(), required.into());
        }
        if let Some(additional) = additional.filter(|schema| *schema != json!({})) {
            out.insert("additionalProperties".into(), additional);
        }
        Value::Object(out)
    }

    fn union(&self, parts: &[TSType<'a>], depth: usize) -> Value {
        let parts: Vec<Value> = parts
            .iter()
            .filter(|part| !matches!(part, TSType::TSUndefinedKeyword(_)))
            .map(|part| self.schema(part, depth + 1))
            .collect();
        if parts.len() == 1 {
            return parts.into_iter().next().unwrap_or_default();
        }
        if parts.contains(&json!({})) {
            return json!({});
        }
        let constants = parts.iter().map(|part| {
            part.get("const").cloned().or_else(|| (part == &json!({"type": "null"})).then_some(Value::Null))
        });
        if parts.iter().any(|part| part.get("const").is_some())
            && let Some(values) = constants.collect::<Option<Vec<_>>>()
        {
            return json!({ "enum": values });
        }
        let simple = parts.iter().map(|part| part.as_object().filter(|map| map.len() == 1)?.get("type").cloned());
        match simple.collect::<Option<Vec<_>>>() {
            Some(types) => json!({ "type": types }),
            None => json!({ "anyOf": parts }),
        }
    }
}

fn array_of(items: Value) -> Value {
    if items == json!({}) { json!({"type": "array"}) } else { json!({"type": "array", "items": items}) }
}

fn name_of<'t>(reference: &'t TSTypeReference<'_>) -> Option<&'t str> {
    match &reference.type_name {
        TSTypeName::IdentifierReference(id) => Some(id.name.as_str()),
        _ => None,
    }
}

fn constant(literal: &TSLiteral<'_>) -> Option<Value> {
    Some(match literal {
        TSLiteral::BooleanLiteral(it) => Value::Bool(it.value),
        TSLiteral::StringLiteral(it) => Value::String(it.value.to_string()),
        TSLiteral::NumericLiteral(it) => number(it.value),
        TSLiteral::UnaryExpression(it) if it.operator == UnaryOperator::UnaryNegation => match &it.argument {
            oxc::ast::ast::Expression::NumericLiteral(it) => number(-it.value),
            _ => return None,
        },
        _ => return None,
    })
}

/// A number as JSON has it: whole ones are integers.
pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}

/// The schema of a type as JSDoc writes it, which is near enough to TypeScript to be read as that.
pub(super) fn from_text(text: &str) -> Value {
    let (text, nullable) = match text.strip_prefix('?') {
        Some("") => return json!({}),
        Some(rest) => (rest, " | null"),
        None => (text.strip_prefix('!').unwrap_or(text), ""),
    };
    with_type(&format!("{text}{nullable}"), |types, annotation| types.schema(annotation, 0))
        .unwrap_or_else(|| json!({}))
}

/// The members of an object type as JSDoc writes it: `{a: number, b?: string}`.
pub(super) fn members_of_text(text: &str) -> Vec<ParameterSpec> {
    let members = with_type(text, |types, annotation| {
        let members = types.members(annotation, 0).into_iter();
        let properties = members.filter_map(|member| match member {
            TSSignature::TSPropertySignature(property) => types.parameter(property),
            _ => None,
        });
        properties.collect()
    });
    members.unwrap_or_default()
}

/// Reads a type that stands by itself; `None` where it is none.
fn with_type<T>(text: &str, read: impl for<'p, 'a> FnOnce(&Types<'p, 'a>, &TSType<'a>) -> T) -> Option<T> {
    if text.is_empty() || text.len() > MOST_TEXT {
        return None;
    }
    let source = format!("type T = {text};");
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, &source, SourceType::ts()).parse();
    if parsed.diagnostics.has_errors() {
        return None;
    }
    let types = Types::new(&parsed.program);
    Some(read(&types, types.alias("T")?))
}
