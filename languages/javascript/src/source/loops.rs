//! The loops of a function, for the place of a script that was stopped in one: the engine knows none for the step back to where a
//! loop begins, and says where the function begins.

use super::{locate, with_program};
use oxc::ast::ast::{ArrowFunctionExpression, Function, MethodDefinition, ObjectProperty, Statement};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;
use skills_core::Script;

/// Where the loop is, by line and column, of the function that begins at `start`, or of the script outside of all functions where
/// that is `None`. `None` where there is none, or several.
pub(crate) fn only(script: &Script, start: Option<(u32, u32)>) -> Option<(u32, u32)> {
    let found = with_program(script, |program| {
        let mut loops = Loops { script, start, inside: vec![start.is_none()], member: None, found: Vec::new() };
        loops.visit_program(program);
        Ok(loops.found)
    });
    match *found.ok()?.as_slice() {
        [only] => Some(locate(&script.source, only.start as usize)),
        _ => None,
    }
}

struct Loops<'s> {
    script: &'s Script,
    start: Option<(u32, u32)>,
    /// For each function around what is visited, whether it is the one.
    inside: Vec<bool>,
    /// The member that the next function is: for the engine that begins somewhere on its line, before the parameters.
    member: Option<Span>,
    found: Vec<Span>,
}

impl Loops<'_> {
    fn note(&mut self, span: Span) {
        if self.inside.last() == Some(&true) {
            self.found.push(span);
        }
    }

    fn enter(&mut self, span: Span) {
        let place = |at: u32| locate(&self.script.source, at as usize);
        // No place inside of the function stands before its parameters.
        let from = self.member.take().map_or(place(span.start), |member| (place(member.start).0, 1));
        self.inside.push(self.start.is_some_and(|start| (from..=place(span.start)).contains(&start)));
    }
}

impl<'a> Visit<'a> for Loops<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.enter(function.span());
        walk::walk_function(self, function, flags);
        self.inside.pop();
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.enter(function.span());
        walk::walk_arrow_function_expression(self, function);
        self.inside.pop();
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        self.member = property.method.then_some(property.span);
        walk::walk_object_property(self, property);
    }

    fn visit_method_definition(&mut self, method: &MethodDefinition<'a>) {
        self.member = Some(method.span);
        walk::walk_method_definition(self, method);
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        if matches!(
            statement,
            Statement::WhileStatement(_)
                | Statement::DoWhileStatement(_)
                | Statement::ForStatement(_)
                | Statement::ForInStatement(_)
                | Statement::ForOfStatement(_)
        ) {
            self.note(statement.span());
        }
        walk::walk_statement(self, statement);
    }
}
