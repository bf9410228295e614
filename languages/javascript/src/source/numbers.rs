//! Which variables of a script hold nothing but numbers, as far as that is plain from its text: those that count, and
//! index arrays.

use oxc::ast::ast::{
    AssignmentExpression, AssignmentTarget, AssignmentTargetPropertyIdentifier, BindingIdentifier, BindingPattern,
    Expression, ForInStatement, ForOfStatement, ForStatementLeft, Program, SimpleAssignmentTarget, UpdateExpression,
    VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::syntax::operator::{AssignmentOperator, BinaryOperator, UnaryOperator};
use std::collections::HashSet;

/// The names of variables that hold numbers only (or `undefined`, booleans and null). A name that is two variables counts
/// where both do.
#[derive(Default)]
pub(super) struct Numbers {
    declared: HashSet<String>,
    others: HashSet<String>,
}

impl Numbers {
    pub(super) fn of(program: &Program<'_>) -> Numbers {
        /// What depends on so many others in a row is not looked into.
        const ROUNDS: usize = 5;
        let mut numbers = Numbers::default();
        for _ in 0..ROUNDS {
            let before = numbers.others.len();
            numbers.visit_program(program);
            if numbers.others.len() == before {
                return numbers;
            }
        }
        Numbers::default()
    }

    /// Whether an expression gives a number, whatever happens.
    pub(super) fn is_number(&self, it: &Expression<'_>) -> bool {
        match it {
            Expression::NumericLiteral(_)
            | Expression::BigIntLiteral(_)
            | Expression::BooleanLiteral(_)
            | Expression::NullLiteral(_)
            | Expression::UpdateExpression(_) => true,
            Expression::Identifier(name) => {
                self.declared.contains(name.name.as_str()) && !self.others.contains(name.name.as_str())
            }
            Expression::ParenthesizedExpression(inner) => self.is_number(&inner.expression),
            Expression::UnaryExpression(unary) => matches!(
                unary.operator,
                UnaryOperator::UnaryPlus
                    | UnaryOperator::UnaryNegation
                    | UnaryOperator::BitwiseNot
                    | UnaryOperator::LogicalNot
            ),
            Expression::BinaryExpression(binary) => match binary.operator {
                BinaryOperator::Addition => self.is_number(&binary.left) && self.is_number(&binary.right),
                _ => true,
            },
            Expression::LogicalExpression(logical) => self.is_number(&logical.left) && self.is_number(&logical.right),
            Expression::ConditionalExpression(choice) => {
                self.is_number(&choice.consequent) && self.is_number(&choice.alternate)
            }
            _ => false,
        }
    }

    fn other(&mut self, name: &str) {
        if !self.others.contains(name) {
            self.others.insert(name.to_owned());
        }
    }

    fn left_of_loop(&mut self, left: &ForStatementLeft<'_>) {
        match left {
            ForStatementLeft::VariableDeclaration(declaration) => {
                for declarator in &declaration.declarations {
                    self.visit_binding_pattern(&declarator.id);
                }
            }
            left => walk::walk_for_statement_left(self, left),
        }
    }
}

impl<'a> Visit<'a> for Numbers {
    // Parameters, functions, classes, what is caught, imported or taken apart: anything.
    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        self.other(it.name.as_str());
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        match &it.id {
            BindingPattern::BindingIdentifier(id) => {
                self.declared.insert(id.name.to_string());
                if it.init.as_ref().is_some_and(|init| !self.is_number(init)) {
                    self.other(id.name.as_str());
                }
            }
            pattern => self.visit_binding_pattern(pattern),
        }
        if let Some(init) = &it.init {
            self.visit_expression(init);
        }
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        self.left_of_loop(&it.left);
        self.visit_expression(&it.right);
        self.visit_statement(&it.body);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.left_of_loop(&it.left);
        self.visit_expression(&it.right);
        self.visit_statement(&it.body);
    }

    fn visit_update_expression(&mut self, it: &UpdateExpression<'a>) {
        if !matches!(it.argument, SimpleAssignmentTarget::AssignmentTargetIdentifier(_)) {
            walk::walk_update_expression(self, it);
        }
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        let number = match it.operator {
            AssignmentOperator::Assign | AssignmentOperator::Addition => self.is_number(&it.right),
            operator => operator.is_arithmetic() || operator.is_bitwise(),
        };
        if !(number && matches!(it.left, AssignmentTarget::AssignmentTargetIdentifier(_))) {
            self.visit_assignment_target(&it.left);
        }
        self.visit_expression(&it.right);
    }

    fn visit_simple_assignment_target(&mut self, it: &SimpleAssignmentTarget<'a>) {
        match it {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => self.other(name.name.as_str()),
            // `(i as any) = …`
            wrapped => {
                if let Some(Expression::Identifier(name)) =
                    wrapped.get_expression().map(Expression::get_inner_expression)
                {
                    self.other(name.name.as_str());
                }
            }
        }
        walk::walk_simple_assignment_target(self, it);
    }

    fn visit_assignment_target_property_identifier(&mut self, it: &AssignmentTargetPropertyIdentifier<'a>) {
        self.other(it.binding.name.as_str());
        walk::walk_assignment_target_property_identifier(self, it);
    }
}
