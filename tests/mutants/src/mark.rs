//! Finds the places of a source where a small fault can be put in, and writes all of them into it at once, each behind the
//! question whether it is the one that is turned on. No line moves.

use std::{collections::HashSet, mem::discriminant, ops::Range};

use syn::{
    Arm, Attribute, BinOp, Block, Expr, ImplItemFn, Item, ItemFn, Pat, ReturnType, Signature, Stmt, TraitItemFn, UnOp,
    spanned::Spanned,
    visit::{self, Visit},
};

/// A fault that can be turned on.
pub struct Mutant {
    /// Its number, the same in every run over the same sources.
    pub number: usize,
    /// Where: the line, from 1.
    pub line: usize,
    /// What is otherwise then.
    pub fault: String,
}

/// Something to be written before and behind a piece of the source.
struct Mark {
    at: Range<usize>,
    before: String,
    behind: &'static str,
}

/// The source with its faults, numbered from `first` on, and which they are; those of `left_out` keep their numbers.
///
/// # Errors
/// If it is no source.
pub fn mark(source: &str, first: usize, left_out: &HashSet<usize>) -> syn::Result<(String, Vec<Mutant>, usize)> {
    let file = syn::parse_file(source)?;
    let mut marker = Marker {
        next: first,
        left_out,
        marks: Vec::new(),
        mutants: Vec::new(),
    };
    marker.visit_file(&file);
    let next = marker.next;
    Ok((written(source, marker.marks), marker.mutants, next))
}

/// What ends at a place stands before what begins there; of two that begin there the longer one is outside.
fn written(source: &str, marks: Vec<Mark>) -> String {
    let mut pieces: Vec<(usize, u8, usize, usize, &str)> = Vec::new();
    for (order, mark) in marks.iter().enumerate() {
        let Range { start, end } = mark.at;
        let length = end - start;
        if length == 0 {
            pieces.push((start, 1, 0, order, &mark.before));
            continue;
        }
        pieces.push((start, 2, usize::MAX - length, order, &mark.before));
        pieces.push((end, 0, length, usize::MAX - order, mark.behind));
    }
    pieces.sort();
    let (mut text, mut done) = (String::new(), 0);
    for (place, _, _, _, piece) in pieces {
        text.push_str(&source[done..place]);
        text.push_str(piece);
        done = place;
    }
    text + &source[done..]
}

struct Marker<'a> {
    next: usize,
    left_out: &'a HashSet<usize>,
    marks: Vec<Mark>,
    mutants: Vec<Mutant>,
}

fn tokens_of(attributes: &[Attribute]) -> impl Iterator<Item = String> {
    attributes
        .iter()
        .map(|attribute| attribute.meta.span().source_text().unwrap_or_default())
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    tokens_of(attributes).any(|text| text.starts_with("cfg(test") || text == "test" || text.starts_with("tokio::test"))
}

/// Whether a condition binds names: no other condition can stand in its place.
fn binds(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(both) => binds(&both.left) || binds(&both.right),
        _ => false,
    }
}

/// What a function of this type may give back at once.
fn answers(signature: &Signature) -> Vec<&'static str> {
    let ReturnType::Type(_, kind) = &signature.output else {
        return vec![""];
    };
    let text: String = kind.span().source_text().unwrap_or_default();
    let text: String = text.split_whitespace().collect();
    match text.as_str() {
        "bool" => vec!["true", "false"],
        "String" => vec!["String::new()"],
        "usize" | "u32" | "u64" | "i32" | "i64" => vec!["0", "1"],
        "Result<()>" => vec!["Ok(())"],
        "Result<bool>" => vec!["Ok(true)", "Ok(false)"],
        "Result<String>" => vec!["Ok(String::new())"],
        "Result<usize>" | "Result<u64>" | "Result<i64>" => vec!["Ok(0)", "Ok(1)"],
        _ if text.starts_with("Option<") => vec!["None"],
        _ if text.starts_with("Vec<") => vec!["Vec::new()"],
        _ if text.starts_with("Result<Option<") => vec!["Ok(None)"],
        _ if text.starts_with("Result<Vec<") => vec!["Ok(Vec::new())"],
        _ => Vec::new(),
    }
}

impl Marker<'_> {
    /// Writes one fault round a piece; in `before`, `#` is the question whether it is turned on.
    fn add(&mut self, piece: &impl Spanned, before: &str, behind: &'static str, fault: String) {
        let span = piece.span();
        let at = span.byte_range();
        self.add_at(at, span.start().line, before, behind, fault);
    }

    fn add_at(&mut self, at: Range<usize>, line: usize, before: &str, behind: &'static str, fault: String) {
        let number = self.next;
        self.next += 1;
        if self.left_out.contains(&number) {
            return;
        }
        let before = before.replace('#', &format!("crate::mutants::is({number})"));
        self.marks.push(Mark { at, before, behind });
        self.mutants.push(Mutant { number, line, fault });
    }

    fn answer_at_once(&mut self, signature: &Signature, body: &Block) {
        if signature.constness.is_some() || body.stmts.is_empty() {
            return;
        }
        let open = body.brace_token.span.open();
        for answer in answers(signature) {
            let (place, line) = (open.byte_range().end, open.start().line);
            let before = format!(" if # {{ return {answer}; }}");
            self.add_at(
                place..place,
                line,
                &before,
                "",
                format!("{} returns {answer:?} at once", signature.ident),
            );
        }
    }

    fn turn(&mut self, condition: &Expr, what: &str) {
        let is_told_otherwise = match condition {
            Expr::Binary(both) => matches!(both.op, BinOp::Eq(_) | BinOp::Ne(_)),
            Expr::Unary(unary) => matches!(unary.op, UnOp::Not(_)),
            _ => false,
        };
        if !binds(condition) && !is_told_otherwise {
            self.add(condition, "(# ^ (", "))", format!("{what} is turned round"));
        }
    }

    fn operand(&mut self, operand: &Expr, is_and: bool) {
        if !binds(operand) {
            let (before, fault) = if is_and {
                ("(# || (", "is true")
            } else {
                ("(!# && (", "is false")
            };
            self.add(operand, before, "))", format!("this part of the condition {fault}"));
        }
    }
}

impl<'ast> Visit<'ast> for Marker<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            // What is known when it is compiled asks no question.
            Item::Const(_) | Item::Static(_) | Item::Enum(_) | Item::Struct(_) => return,
            _ => return visit::visit_item(self, item),
        };
        if !is_of_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if function.sig.constness.is_none() {
            self.answer_at_once(&function.sig, &function.block);
            visit::visit_block(self, &function.block);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if function.sig.constness.is_none() && !is_of_tests(&function.attrs) {
            self.answer_at_once(&function.sig, &function.block);
            visit::visit_block(self, &function.block);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(body) = &function.default {
            self.answer_at_once(&function.sig, body);
            visit::visit_block(self, body);
        }
    }

    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}

    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}

    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if let Stmt::Expr(expression, Some(_)) = statement {
            let is_deed = match expression {
                Expr::Try(_) | Expr::Await(_) | Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) => true,
                Expr::Binary(both) => !matches!(both.op, BinOp::And(_) | BinOp::Or(_)),
                _ => false,
            };
            if is_deed {
                self.add(statement, "if !# { ", " }", "the statement is left out".to_owned());
            }
        }
        visit::visit_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::If(one) => self.turn(&one.cond, "the condition"),
            Expr::Binary(both) => match both.op {
                BinOp::Eq(_) => self.add(both, "(# ^ (", "))", "== is !=".to_owned()),
                BinOp::Ne(_) => self.add(both, "(# ^ (", "))", "!= is ==".to_owned()),
                BinOp::And(_) | BinOp::Or(_) => {
                    let is_and = matches!(both.op, BinOp::And(_));
                    let is_same = |left: &Expr| matches!(left, Expr::Binary(left) if discriminant(&left.op) == discriminant(&both.op));
                    if !is_same(&both.left) {
                        self.operand(&both.left, is_and);
                    }
                    self.operand(&both.right, is_and);
                }
                BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => self.bound(both),
                _ => {}
            },
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                self.add(unary, "(# ^ (", "))", "! is left out".to_owned());
            }
            Expr::Match(one) => self.arms(&one.arms),
            _ => {}
        }
        visit::visit_expr(self, expression);
    }
}

impl Marker<'_> {
    /// `a < b` becomes `a <= b`, and so on: at the bound it is otherwise.
    fn bound(&mut self, both: &syn::ExprBinary) {
        let (name, fault) = match both.op {
            BinOp::Lt(_) => ("less", "< is <="),
            BinOp::Le(_) => ("at_most", "<= is <"),
            BinOp::Gt(_) => ("more", "> is >="),
            _ => ("at_least", ">= is >"),
        };
        let number = self.next;
        let is_left_out = self.left_out.contains(&number);
        self.add(
            both,
            &format!("crate::mutants::{name}({number}, &("),
            "))",
            fault.to_owned(),
        );
        if !is_left_out {
            // The sign itself goes, as a comment: its two sides are what the function is told.
            let sign = both.op.span().byte_range();
            self.marks.push(Mark {
                at: sign,
                before: "), &(/*".to_owned(),
                behind: "*/",
            });
        }
    }

    /// Each arm by itself falls to the last one, if that takes everything.
    fn arms(&mut self, arms: &[Arm]) {
        let takes_everything = |arm: &Arm| matches!(arm.pat, Pat::Wild(_)) && arm.guard.is_none();
        if !arms.last().is_some_and(takes_everything) {
            return;
        }
        for arm in &arms[..arms.len() - 1] {
            let span = arm.pat.span();
            match &arm.guard {
                Some((_, guard)) => self.turn(guard, "the arm's condition"),
                None => {
                    let end = span.byte_range().end;
                    self.add_at(
                        end..end,
                        span.start().line,
                        " if !#",
                        "",
                        "the arm is left out".to_owned(),
                    );
                }
            }
        }
    }
}

/// What the marks ask, as a module of the library: how many there are, and which is turned on.
pub fn module(count: usize) -> String {
    include_str!("asked.rs").replace("COUNT", &count.max(1).to_string())
}
