//! Counting operations and nested calls, for the runs that limit them.
//!
//! One operation is one pass through the body of a loop, or one call of a function of the script (of any sort: arrow,
//! method, getter, constructor with a body, generator at its first `next`). The count depends on nothing but the script
//! and its parameters, so a script stops at the same place every time. Work inside one built-in function is not counted;
//! what it calls back is.
//!
//! Nested calls are those of functions that are neither `async` nor generators, whose activations do not nest; the
//! engine's own stack limit holds for all.
//!
//! A run that limits neither is not instrumented and pays nothing.

use super::Names;
use super::edits::Edits;
use oxc::ast::ast::{
    ArrowFunctionExpression, DoWhileStatement, ForInStatement, ForOfStatement, ForStatement, Function, FunctionBody,
    FunctionType, Program, Statement, WhileStatement,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan, Span};
use oxc::syntax::scope::ScopeFlags;

/// Which counters a compiled script has, with their limits: they are part of its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counting {
    pub(crate) operations: Option<u64>,
    pub(crate) recursion: Option<u64>,
}

impl Counting {
    pub(crate) fn is_off(self) -> bool {
        self == Counting::default()
    }
}

/// The counters' declarations: variables of a function around the script's, under names that it cannot know.
pub(crate) fn header(counting: Counting, names: &Names) -> String {
    let Names { count, depth, tools, .. } = names;
    let mut out = String::new();
    if counting.operations.is_some() {
        out.push_str(&format!("let {count}=0;{tools}.counter(more=>{count}+=more);"));
    }
    if counting.recursion.is_some() {
        out.push_str(&format!("let {depth}=0;"));
    }
    out
}

/// Puts the counters into a script.
pub(crate) fn instrument(program: &Program<'_>, counting: Counting, names: &Names, edits: &mut Edits) {
    if counting.is_off() {
        return;
    }
    let Names { count, depth, tools, .. } = names;
    // The limit is reached by the count after it, and met again by every later one: whoever catches the first is
    // thrown at by the second.
    let operation = counting.operations.map(|limit| format!("++{count}>{limit}&&{tools}.exceeded(0)"));
    let call = counting.recursion.map(|limit| format!("++{depth}>{limit}&&{tools}.exceeded(1)"));
    Instrument { operation, call, leave: format!("--{depth}"), edits }.visit_program(program);
}

/// Puts the counters into a cell. They are the session's, because a function of one cell is called by the next ones, and
/// so are their limits, which are those of the evaluation that runs.
pub(crate) fn instrument_cell(program: &Program<'_>, counting: Counting, names: &Names, edits: &mut Edits) {
    if counting.is_off() {
        return;
    }
    let tools = &names.tools;
    let operation = counting.operations.map(|_| format!("++{tools}.operations>{tools}.most&&{tools}.exceeded(0)"));
    let call = counting.recursion.map(|_| format!("++{tools}.depth>{tools}.deepest&&{tools}.exceeded(1)"));
    Instrument { operation, call, leave: format!("--{tools}.depth"), edits }.visit_program(program);
}

struct Instrument<'e> {
    operation: Option<String>,
    call: Option<String>,
    leave: String,
    edits: &'e mut Edits,
}

impl Instrument<'_> {
    fn body_of_loop<'a>(&mut self, body: &Statement<'a>) {
        let Some(operation) = self.operation.clone() else {
            return self.visit_statement(body);
        };
        if let Statement::BlockStatement(block) = body {
            self.edits.insert(block.span.start + 1, format!("{operation};"));
            self.visit_statement(body);
            return;
        }
        self.edits.insert(body.span().start, format!("{{{operation};"));
        self.visit_statement(body);
        self.edits.insert(body.span().end, "}");
    }

    /// What a function does first and last: statements, and whether its body is in a `try`.
    fn entry(&self, nests: bool) -> (String, bool) {
        let call = self.call.as_ref().filter(|_| nests);
        let mut out: String = self.operation.iter().map(|operation| format!("{operation};")).collect();
        if let Some(call) = call {
            out.push_str(&format!("{call};try{{"));
        }
        (out, call.is_some())
    }

    fn body_of_function<'a>(&mut self, body: &FunctionBody<'a>, nests: bool) {
        let start = body.directives.last().map_or(body.span.start + 1, |directive| directive.span.end);
        let (entry, guarded) = self.entry(nests);
        // A directive may have ended without a semicolon.
        self.edits.insert(start, if body.directives.is_empty() { entry } else { format!(";{entry}") });
        walk::walk_function_body(self, body);
        if guarded {
            self.edits.insert(body.span.end - 1, format!("}}finally{{{}}}", self.leave));
        }
    }
}

impl<'a> Visit<'a> for Instrument<'_> {
    fn visit_for_statement(&mut self, it: &ForStatement<'a>) {
        if let Some(init) = &it.init {
            self.visit_for_statement_init(init);
        }
        if let Some(test) = &it.test {
            self.visit_expression(test);
        }
        if let Some(update) = &it.update {
            self.visit_expression(update);
        }
        self.body_of_loop(&it.body);
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        self.visit_for_statement_left(&it.left);
        self.visit_expression(&it.right);
        self.body_of_loop(&it.body);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.visit_for_statement_left(&it.left);
        self.visit_expression(&it.right);
        self.body_of_loop(&it.body);
    }

    fn visit_while_statement(&mut self, it: &WhileStatement<'a>) {
        self.visit_expression(&it.test);
        self.body_of_loop(&it.body);
    }

    fn visit_do_while_statement(&mut self, it: &DoWhileStatement<'a>) {
        self.body_of_loop(&it.body);
        self.visit_expression(&it.test);
    }

    fn visit_function(&mut self, it: &Function<'a>, _: ScopeFlags) {
        if matches!(it.r#type, FunctionType::TSDeclareFunction | FunctionType::TSEmptyBodyFunctionExpression) {
            return;
        }
        self.visit_formal_parameters(&it.params);
        if let Some(body) = &it.body {
            self.body_of_function(body, !it.r#async && !it.generator);
        }
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.visit_formal_parameters(&it.params);
        if let Some(body) = it.get_function_body() {
            return self.body_of_function(body, !it.r#async);
        }
        let Some(expression) = it.get_expression() else { return };
        let Span { start, end, .. } = expression.span();
        let (entry, guarded) = self.entry(!it.r#async);
        self.edits.insert(start, format!("{{{entry}return ("));
        self.visit_expression(expression);
        let leave = if guarded { format!("}}finally{{{}}}", self.leave) } else { String::new() };
        self.edits.insert(end, format!("){leave}}}"));
    }
}
