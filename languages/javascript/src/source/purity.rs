use oxc::ast::ast::{
    CallExpression, ComputedMemberExpression, Expression, IdentifierName, IdentifierReference, Program, PropertyKey,
    StringLiteral,
};
use oxc::ast_visit::{Visit, walk};

/// Whether it is plain from its text that a script cannot reach a built-in prototype or the global object, so that the
/// comparison after its run can be left out.
///
/// A prototype is reached by one of a few names, through `Object` or `Reflect`, or by a computed key that could be such a
/// name. A script with any of these is compared, so a wrong "no" costs some microseconds; there is no wrong "yes".
pub(crate) fn is_pure(program: &Program<'_>) -> bool {
    let mut search = Search { impure: false };
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
}

impl Search {
    fn name(&mut self, name: &str) {
        self.impure |= MEMBERS.contains(&name);
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
        self.impure |= !matches!(it.expression, Expression::NumericLiteral(_));
        walk::walk_computed_member_expression(self, it);
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
