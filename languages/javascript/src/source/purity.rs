use super::numbers::Numbers;
use oxc::ast::ast::{
    AssignmentExpression, AssignmentTarget, BinaryExpression, CallExpression, ComputedMemberExpression,
    ConditionalExpression, Expression, IdentifierName, IdentifierReference, IfStatement, ObjectPropertyKind, Program,
    PropertyKey, PropertyKind, SimpleAssignmentTarget, StringLiteral, TaggedTemplateExpression, TemplateLiteral,
    UnaryExpression, UpdateExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::syntax::operator::{AssignmentOperator, BinaryOperator};

/// Whether it is plain from its text that a script cannot reach a built-in prototype or the global object, so that the
/// comparison after its run can be left out.
///
/// A prototype is reached by one of a few names, through `Object` or `Reflect`, or by a computed key that could be such a
/// name. A key that is a number is none, and what is read by any other is no prototype that a script has where only a number
/// or a text is made of it: `counts[word] = (counts[word] ?? 0) + 1`. A script with anything else is compared, so a wrong "no"
/// costs some microseconds; there is no wrong "yes".
pub(crate) fn is_pure(program: &Program<'_>) -> bool {
    let mut search = Search { impure: false, numbers: Numbers::of(program) };
    search.visit_program(program);
    !search.impure
}

const GLOBALS: [&str; 6] = ["eval", "Function", "globalThis", "Reflect", "Proxy", "Object"];
const MEMBERS: [&str; 7] = [
    "prototype",
    "__proto__",
    "constructor",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];
/// Functions of `Object` that neither give a prototype nor change what they are given.
const HARMLESS: [&str; 7] = ["keys", "values", "entries", "fromEntries", "is", "hasOwn", "groupBy"];

struct Search {
    impure: bool,
    numbers: Numbers,
}

impl Search {
    fn name(&mut self, name: &str) {
        self.impure |= MEMBERS.contains(&name);
    }

    /// Looks at an expression of which only a number, a text or a boolean is made.
    fn consumed<'a>(&mut self, it: &Expression<'a>) {
        match it {
            Expression::ComputedMemberExpression(member) => self.within(member),
            Expression::ParenthesizedExpression(inner) => self.consumed(&inner.expression),
            Expression::LogicalExpression(logical) => {
                self.consumed(&logical.left);
                self.consumed(&logical.right);
            }
            other => self.visit_expression(other),
        }
    }

    /// Looks at what a computed member is made of, but not at what it gives.
    fn within(&mut self, it: &ComputedMemberExpression<'_>) {
        self.visit_expression(&it.object);
        self.consumed(&it.expression);
    }
}

impl<'a> Visit<'a> for Search {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.impure |= GLOBALS.contains(&it.name.as_str());
    }

    fn visit_identifier_name(&mut self, it: &IdentifierName<'a>) {
        self.name(it.name.as_str());
    }

    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        self.name(it.value.as_str());
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Expression::StaticMemberExpression(member) = &it.callee
            && matches!(&member.object, Expression::Identifier(id) if id.name == "Object")
            && HARMLESS.contains(&member.property.name.as_str())
        {
            self.visit_arguments(&it.arguments);
        } else {
            walk::walk_call_expression(self, it);
        }
    }

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'a>) {
        // A text that stands there is looked at where it stands.
        let known = matches!(it.expression, Expression::StringLiteral(_));
        self.impure |= !known && !self.numbers.is_number(&it.expression);
        walk::walk_computed_member_expression(self, it);
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        // `in` and `instanceof` ask their right side, which may be a proxy's or a class's own code.
        if matches!(it.operator, BinaryOperator::In | BinaryOperator::Instanceof) {
            return walk::walk_binary_expression(self, it);
        }
        self.consumed(&it.left);
        self.consumed(&it.right);
    }

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        self.consumed(&it.argument);
    }

    fn visit_update_expression(&mut self, it: &UpdateExpression<'a>) {
        match &it.argument {
            SimpleAssignmentTarget::ComputedMemberExpression(member) => self.within(member),
            target => self.visit_simple_assignment_target(target),
        }
    }

    fn visit_tagged_template_expression(&mut self, it: &TaggedTemplateExpression<'a>) {
        // The tag is given the values themselves.
        self.visit_expression(&it.tag);
        it.quasi.expressions.iter().for_each(|expression| self.visit_expression(expression));
    }

    fn visit_template_literal(&mut self, it: &TemplateLiteral<'a>) {
        it.expressions.iter().for_each(|expression| self.consumed(expression));
    }

    fn visit_conditional_expression(&mut self, it: &ConditionalExpression<'a>) {
        self.consumed(&it.test);
        self.visit_expression(&it.consequent);
        self.visit_expression(&it.alternate);
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'a>) {
        self.consumed(&it.test);
        self.visit_statement(&it.consequent);
        if let Some(alternate) = &it.alternate {
            self.visit_statement(alternate);
        }
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        // `a ||= b` gives what is there.
        let made = it.operator == AssignmentOperator::Assign || it.operator.is_arithmetic() || it.operator.is_bitwise();
        match &it.left {
            AssignmentTarget::ComputedMemberExpression(member) if made => self.within(member),
            target => self.visit_assignment_target(target),
        }
        match it.operator {
            AssignmentOperator::Assign => self.visit_expression(&it.right),
            _ if made => self.consumed(&it.right),
            _ => self.visit_expression(&it.right),
        }
    }

    fn visit_object_property_kind(&mut self, it: &ObjectPropertyKind<'a>) {
        match it {
            // A computed key makes a property of the new object, whatever it is called.
            ObjectPropertyKind::ObjectProperty(property)
                if property.computed && !property.method && property.kind == PropertyKind::Init =>
            {
                if let Some(key) = property.key.as_expression() {
                    self.consumed(key);
                }
                self.visit_expression(&property.value);
            }
            other => walk::walk_object_property_kind(self, other),
        }
    }

    fn visit_property_key(&mut self, it: &PropertyKey<'a>) {
        let plain = matches!(
            it,
            PropertyKey::StaticIdentifier(_)
                | PropertyKey::PrivateIdentifier(_)
                | PropertyKey::StringLiteral(_)
                | PropertyKey::NumericLiteral(_)
        );
        self.impure |= !plain;
        walk::walk_property_key(self, it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxc::allocator::Allocator;
    use oxc::parser::Parser;
    use oxc::span::SourceType;

    fn pure(source: &str) -> bool {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, source, SourceType::ts()).parse();
        assert!(parsed.diagnostics.is_empty(), "{source}");
        is_pure(&parsed.program)
    }

    #[test]
    fn what_reaches_no_prototype_needs_no_comparison() {
        for source in [
            "const total = params.items.map((item) => item.price * 2).filter((n) => n > 1)",
            "for (let i = 0; i < rows.length; i++) sum += rows[i] + rows[i - 1] + rows[rows.length - 1]",
            "let i = 0; while (i < 9) { i += 2; a[i]; } b[i] = c[i]; [a[i], a[i * 2]] = [a[i + 1], a[0]];",
            "let a = 1, b = a + 1; let c = b; x[c] = y[~c]",
            "const counts = {}; for (const word of words) counts[word] = (counts[word] ?? 0) + 1;",
            "for (const k in o) { total += o[k]; o[k]++; delete o[k]; if (o[k]) n++; s = `${o[k]}` + typeof o[k]; }",
            "const o = { [name]: value, 'b': 1 }; o['b'] = o[`c${i}`] > 3",
            "Object.keys(o).length; o[a ? 1 : 2]",
        ] {
            assert!(pure(source), "{source}");
        }
    }

    #[test]
    fn what_could_reach_one_is_compared() {
        for source in [
            "[].__proto__.x = 1",
            "Array.prototype.x = 1",
            "o['__proto__'].x = 1",
            "o[k].x = 1",
            "const p = o[k]; p.x = 1",
            "f(o[k])",
            "f`${o[k]}`",
            "let i = 0; (i as any) = name; o[i].x = 1",
            "let i = 0; (i = name, o).x = 1; o[i].x = 1",
            "o[k]()",
            "o[k] ||= 1",
            "p = o[k] || {}",
            "p = (o[k] = 1, o[k])",
            "p = a ? o[k] : 0",
            "const { [k]: p } = o",
            "({ [k]: p } = o)",
            "let i = 0; i = name; o[i].x = 1",
            "let i = 0; i += name; o[i].x = 1",
            "let i = 0; i ||= name; o[i].x = 1",
            "let i = 0; [i] = names; o[i].x = 1",
            "let i = 0; ({ i } = names); o[i].x = 1",
            "let i = 0; ({ i: i } = names); o[i].x = 1",
            "let i = 0; for (i of names) o[i].x = 1",
            "for (const i of names) o[i].x = 1",
            "for (let i in names) o[i].x = 1",
            "let i = 0; function f(i) { o[i].x = 1 }",
            "let i = 0; try {} catch (i) { o[i].x = 1 }",
            "let i = 0; { const [i] = names; o[i].x = 1 }",
            "let a = b, c = a; o[c].x = 1; var b = name",
            "let i = 1 + name; o[i].x = 1",
            "o[undeclared].x = 1",
            "class A { [k]() {} }",
            "o[k] in p",
            "({ get [k]() { return 1 } })",
            "eval('1')",
            "Object.assign(o, {})",
        ] {
            assert!(!pure(source), "{source}");
        }
    }
}
