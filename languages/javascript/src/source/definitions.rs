//! The functions and classes of a cell: what each can be made from again, and why it cannot.
//!
//! A function of a snapshot is its source. That is all of it as long as the names in it are the session's; one that uses a
//! variable of a function around it, or that function's `this`, is more than its source.

use oxc::ast::ast::{
    ArrowFunctionExpression, Class, ClassElement, Expression, Function, FunctionType, IdentifierReference, NewTarget,
    ObjectProperty, PrivateIdentifier, Program, PropertyKey, PropertyKind, StaticBlock, Super, ThisExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ScopeId, Scoping};
use oxc::span::Span;
use oxc::syntax::scope::ScopeFlags;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What a source is, and so how it is made into a value again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A declaration of a function.
    Declaration,
    /// A function or an arrow.
    Expression,
    /// A method, getter or setter of an object.
    Method,
    /// A class.
    Class,
}

/// A function or a class of a cell.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) kind: Kind,
    /// Where it stands in the source.
    pub(crate) span: Span,
    /// Why its source is not all of it.
    pub(crate) problem: Option<String>,
    /// Whether instances of this class have private fields.
    pub(crate) private: bool,
}

/// Finds every function and class.
pub(super) fn find(program: &Program<'_>, scoping: &Scoping) -> Vec<Definition> {
    let mut captures = Captures { scoping, found: HashMap::new() };
    captures.visit_program(program);
    let mut finder = Finder { captured: captures.found, around: Vec::new(), out: Vec::new() };
    finder.visit_program(program);
    finder.out
}

/// For each scope, a variable that is used in it and belongs to a scope around it, other than the outermost.
struct Captures<'s> {
    scoping: &'s Scoping,
    found: HashMap<ScopeId, String>,
}

impl<'a> Visit<'a> for Captures<'_> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        let Some(id) = it.reference_id.get() else { return };
        let reference = self.scoping.get_reference(id);
        let Some(symbol) = reference.symbol_id() else { return };
        let home = self.scoping.symbol_scope_id(symbol);
        if home == self.scoping.root_scope_id() {
            return;
        }
        for scope in self.scoping.scope_ancestors(reference.scope_id()) {
            if scope == home {
                return;
            }
            self.found.entry(scope).or_insert_with(|| it.name.to_string());
        }
    }
}

/// What surrounds a place.
enum Around {
    /// A function with a `this` of its own: where it stands among those found, where it does.
    Function(Option<usize>),
    Arrow(usize),
    /// A class, whose fields and methods have the private names.
    Class,
    /// Code of a class that has a `this` and is no function.
    Field,
}

struct Finder {
    captured: HashMap<ScopeId, String>,
    around: Vec<Around>,
    out: Vec<Definition>,
}

impl Finder {
    fn add(&mut self, kind: Kind, span: Span, scope: Option<ScopeId>) -> usize {
        let name = scope.and_then(|scope| self.captured.get(&scope));
        let problem = name.map(|name| format!("it uses `{name}`, which belongs to what surrounds it"));
        self.out.push(Definition { kind, span, problem, private: false });
        self.out.len() - 1
    }

    fn spoil(&mut self, index: usize, why: &str) {
        if let Some(definition) = self.out.get_mut(index) {
            definition.problem.get_or_insert_with(|| why.to_owned());
        }
    }

    /// What a function is uses the `this` (`arguments`, `new.target`) of what surrounds it.
    fn uses_this(&mut self) {
        let mut arrows = Vec::new();
        for around in self.around.iter().rev() {
            match around {
                Around::Arrow(index) => arrows.push(*index),
                Around::Function(_) | Around::Field | Around::Class => {
                    for index in arrows {
                        self.spoil(index, "it uses `this` of what surrounds it");
                    }
                    return;
                }
            }
        }
    }

    /// A private name or `super` binds what uses it to the class or the object that it stands in.
    fn uses(&mut self, what: &str, beyond_methods: bool) {
        let mut bound = Vec::new();
        for around in self.around.iter().rev() {
            match around {
                Around::Arrow(index) => bound.push(*index),
                Around::Function(index) => {
                    bound.extend(*index);
                    if !beyond_methods {
                        break;
                    }
                }
                Around::Field => {}
                Around::Class => break,
            }
        }
        for index in bound {
            self.spoil(index, &format!("it uses {what}, which belongs to where it stands"));
        }
    }

    fn function<'a>(&mut self, it: &Function<'a>, index: Option<usize>, flags: ScopeFlags) {
        self.around.push(Around::Function(index));
        walk::walk_function(self, it, flags);
        self.around.pop();
    }

    fn field(&mut self, work: impl FnOnce(&mut Self)) {
        self.around.push(Around::Field);
        work(self);
        self.around.pop();
    }
}

impl<'a> Visit<'a> for Finder {
    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.body.is_none() {
            return;
        }
        let kind = if it.r#type == FunctionType::FunctionDeclaration { Kind::Declaration } else { Kind::Expression };
        let index = self.add(kind, it.span, it.scope_id.get());
        self.function(it, Some(index), flags);
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        let Expression::FunctionExpression(function) = &it.value else {
            return walk::walk_object_property(self, it);
        };
        if !it.method && it.kind == PropertyKind::Init {
            return walk::walk_object_property(self, it);
        }
        self.visit_property_key(&it.key);
        let index = self.add(Kind::Method, it.span, function.scope_id.get());
        if it.computed && !is_plain(&it.key) {
            self.spoil(index, "its name is computed");
        }
        self.function(function, Some(index), ScopeFlags::Function);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        let index = self.add(Kind::Expression, it.span, it.scope_id.get());
        self.around.push(Around::Arrow(index));
        walk::walk_arrow_function_expression(self, it);
        self.around.pop();
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        let index = self.add(Kind::Class, it.span, it.scope_id.get());
        if let Some(heritage) = &it.heritage {
            self.visit_expression(&heritage.expression);
        }
        self.around.push(Around::Class);
        for element in &it.body.body {
            let (key, computed, function) = match element {
                ClassElement::MethodDefinition(method) => (&method.key, method.computed, Some(&method.value)),
                ClassElement::PropertyDefinition(property) => (&property.key, property.computed, None),
                ClassElement::AccessorProperty(property) => (&property.key, property.computed, None),
                ClassElement::StaticBlock(block) => {
                    self.field(|finder| finder.visit_static_block(block));
                    continue;
                }
                ClassElement::TSIndexSignature(_) => continue,
            };
            if computed {
                self.visit_property_key(key);
            }
            if let Some(function) = function {
                // A method comes with its class.
                self.function(function, None, ScopeFlags::Function);
                continue;
            }
            let (value, is_static) = match element {
                ClassElement::PropertyDefinition(property) => (&property.value, property.r#static),
                ClassElement::AccessorProperty(property) => (&property.value, property.r#static),
                _ => continue,
            };
            if matches!(key, PropertyKey::PrivateIdentifier(_))
                && !is_static
                && let Some(definition) = self.out.get_mut(index)
            {
                definition.private = true;
            }
            if let Some(value) = value {
                self.field(|finder| finder.visit_expression(value));
            }
        }
        self.around.pop();
    }

    fn visit_this_expression(&mut self, _: &ThisExpression) {
        self.uses_this();
    }

    fn visit_new_target(&mut self, _: &NewTarget) {
        self.uses_this();
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        if it.name == "arguments" {
            self.uses_this();
        }
    }

    fn visit_super(&mut self, _: &Super) {
        self.uses_this();
        self.uses("`super`", false);
    }

    fn visit_private_identifier(&mut self, it: &PrivateIdentifier<'a>) {
        self.uses(&format!("`#{}`", it.name), true);
    }

    fn visit_static_block(&mut self, it: &StaticBlock<'a>) {
        walk::walk_static_block(self, it);
    }
}

/// Whether a computed name is the same wherever it is computed: `[Symbol.iterator]`.
fn is_plain(key: &PropertyKey<'_>) -> bool {
    match key {
        PropertyKey::StaticMemberExpression(member) => {
            matches!(&member.object, Expression::Identifier(id) if id.name == "Symbol")
        }
        PropertyKey::StringLiteral(_) | PropertyKey::NumericLiteral(_) => true,
        _ => false,
    }
}

/// The text of the parameters of the function or the class that a program is, for its signature.
pub(super) fn parameters(program: &Program<'_>) -> Option<String> {
    let mut search = Parameters { found: None };
    search.visit_program(program);
    let span = search.found?;
    let text = &program.source_text[span.start as usize..span.end as usize];
    let text = text.trim_start_matches('(').trim_end_matches(')');
    Some(format!("({})", text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// The first parameters that are met; of a class those of its constructor.
struct Parameters {
    found: Option<Span>,
}

impl<'a> Visit<'a> for Parameters {
    fn visit_function(&mut self, it: &Function<'a>, _: ScopeFlags) {
        self.found.get_or_insert(it.params.span);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.found.get_or_insert(it.params.span);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        let constructor = it.body.body.iter().find_map(|element| match element {
            ClassElement::MethodDefinition(method) if method.kind.is_constructor() => Some(method.value.params.span),
            _ => None,
        });
        let none = Span::new(it.body.span.start, it.body.span.start);
        self.found.get_or_insert(constructor.unwrap_or(none));
    }
}
