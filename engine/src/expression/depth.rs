//! Keeps recursion in bounds: trees are walked recursively, by us and by the libraries, at run time on threads with
//! small stacks.

use std::{cell::Cell, panic, thread};

use sqlparser::ast::{BinaryOperator, Expr};

use super::walk::children;

/// The deepest tree that is typed and evaluated; a worker's stack of 2 MiB holds it many times.
pub(crate) const DEPTH_MAX: usize = 120;

/// Bytes of stack for parsing and planning; reserved, not used, by an ordinary expression.
const STACK_BYTES: usize = 128 << 20;

thread_local! {
    /// Whether this thread has such a stack.
    static HAS_ROOM: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with a stack on which even a tree that is about to be refused can be walked: on a thread of its own, unless this one is
/// such a thread. Planning begins with one, so that a pipeline of a hundred expressions starts no hundred threads.
pub(crate) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if HAS_ROOM.get() {
        return work();
    }
    let mut work = Some(work);
    let slot = &mut work;
    let done = thread::scope(|scope| {
        let run = move || {
            HAS_ROOM.set(true);
            slot.take().map(|work| work())
        };
        thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run).ok().map(|thread| thread.join())
    });
    match (done, work) {
        (Some(Ok(Some(result))), _) => result,
        (Some(Err(panicked)), _) => panic::resume_unwind(panicked),
        // No thread could be started: most expressions do not need one.
        (_, Some(work)) => work(),
        (_, None) => unreachable!("the work is taken only to be done"),
    }
}

/// Makes the tree of `a OR b OR c OR …`, which is parsed as a list, as deep as its logarithm. AND and OR are associative,
/// and the operands keep their order, so guards hold as before.
pub(crate) fn balance(tree: Expr) -> Expr {
    match tree {
        Expr::Nested(inner) => Expr::Nested(Box::new(balance(*inner))),
        Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
            let mut operands = vec![balance(*right)];
            let mut spine = *left;
            loop {
                match spine {
                    Expr::BinaryOp { left, op: inner, right } if inner == op => {
                        operands.push(balance(*right));
                        spine = *left;
                    }
                    other => {
                        operands.push(balance(other));
                        break;
                    }
                }
            }
            operands.reverse();
            join(operands, &op)
        }
        other => other,
    }
}

fn join(mut operands: Vec<Expr>, op: &BinaryOperator) -> Expr {
    if operands.len() == 1 {
        return operands.swap_remove(0);
    }
    let right = operands.split_off(operands.len().div_ceil(2));
    Expr::BinaryOp { left: Box::new(join(operands, op)), op: op.clone(), right: Box::new(join(right, op)) }
}

/// The number of expressions on the longest way down.
pub(crate) fn depth(tree: &Expr) -> usize {
    1 + children(tree).into_iter().map(depth).max().unwrap_or(0)
}
