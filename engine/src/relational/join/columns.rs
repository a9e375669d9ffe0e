//! The options of `join` that name columns.

use std::ops::Range;

use crate::{
    contract::options::{OptionValue, Spanned, wrong_type},
    diagnostics::Diagnostics,
    spec::{Node, Value},
};

/// The option `on`, as it is written.
#[derive(Clone, Debug)]
pub struct On {
    /// What the list holds.
    pub items: Vec<OnItem>,
    /// Where it is.
    pub span: Range<usize>,
}

/// An item of `on`: a column that both sides have, a pair of columns, or, in a chain, the list of one further input.
#[derive(Clone, Debug)]
pub enum OnItem {
    /// A text.
    Name(Spanned<String>),
    /// A list.
    List(On),
}

/// A pair of columns that must be equal.
pub(super) type Pair = (Spanned<String>, Spanned<String>);

impl OptionValue for On {
    const EXPECTS: &'static str = "a list of columns, or of pairs of columns: [\"gene\"] or [[\"left\", \"right\"], …]";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Array(items) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        let item = |item: &Node| match &item.value {
            Value::Array(_) => On::read(item, diagnostics).map(OnItem::List),
            _ => Spanned::<String>::read(item, diagnostics).map(OnItem::Name),
        };
        let items: Vec<Option<OnItem>> = items.iter().map(item).collect();
        Some(On { items: items.into_iter().collect::<Option<_>>()?, span: node.span.clone() })
    }
    fn json_schema() -> String {
        let level = |items: &str| format!(r#"{{"type":"array","minItems":1,"items":{items}}}"#);
        let either = |list: &str| format!(r#"{{"anyOf":[{{"type":"string"}},{list}]}}"#);
        let pair = level(r#"{"type":"string"}"#);
        level(&either(&level(&either(&pair))))
    }
}

impl On {
    /// The pairs of each of so many further inputs; `None` after reporting what is wrong.
    pub(super) fn pairs(&self, further_inputs: usize, diagnostics: &mut Diagnostics) -> Option<Vec<Vec<Pair>>> {
        let all_names = self.items.iter().all(|item| matches!(item, OnItem::Name(_)));
        if further_inputs == 1 || (all_names && !self.items.is_empty()) {
            // The same columns for every input of a chain.
            return Some(vec![self.list(diagnostics)?; further_inputs]);
        }
        if self.items.len() != further_inputs {
            diagnostics
                .error(self.span.clone(), format!("`on` has {} lists for {further_inputs} inputs", self.items.len()))
                .label("one list for every input after the first")
                .hint("In a chain each further input has its own list: on = [[\"gene\"], [[\"left\", \"right\"]]].");
            return None;
        }
        let each = self.items.iter().map(|item| match item {
            OnItem::List(list) => list.list(diagnostics),
            OnItem::Name(name) => {
                diagnostics
                    .error(name.span.clone(), format!("`{}` is a name among lists", name.value))
                    .hint("In a chain each further input has its own list: write [\"…\"].");
                None
            }
        });
        each.collect::<Vec<_>>().into_iter().collect()
    }

    /// The pairs of one further input.
    fn list(&self, diagnostics: &mut Diagnostics) -> Option<Vec<Pair>> {
        if self.items.is_empty() {
            diagnostics
                .error(self.span.clone(), "no column is to be equal")
                .hint("Name at least one column that both sides have, or a pair: on = [[\"left\", \"right\"]].");
            return None;
        }
        let pair = |item: &OnItem| match item {
            OnItem::Name(name) => Some((name.clone(), name.clone())),
            OnItem::List(On { items, span }) => match &items[..] {
                [OnItem::Name(left), OnItem::Name(right)] => Some((left.clone(), right.clone())),
                _ => {
                    diagnostics
                        .error(span.clone(), "expected a pair of columns")
                        .label("not two texts")
                        .hint("Write the left side's column, then the right side's: [\"chromosome\", \"chrom\"].");
                    None
                }
            },
        };
        self.items.iter().map(pair).collect::<Vec<_>>().into_iter().collect()
    }
}

/// A value for all further inputs of a join, or a list with one for each.
#[derive(Clone, Debug)]
pub struct OneOrEach<T> {
    values: Vec<T>,
    is_list: bool,
    span: Range<usize>,
}

impl<T: Clone> OneOrEach<T> {
    /// The same value for all inputs.
    pub fn one(value: T) -> OneOrEach<T> {
        OneOrEach { values: vec![value], is_list: false, span: 0..0 }
    }

    /// One value for each of so many further inputs; `None` after reporting another number.
    pub(super) fn each(&self, name: &str, further_inputs: usize, diagnostics: &mut Diagnostics) -> Option<Vec<T>> {
        if !self.is_list {
            return Some(vec![self.values[0].clone(); further_inputs]);
        }
        if self.values.len() != further_inputs {
            diagnostics
                .error(
                    self.span.clone(),
                    format!("`{name}` has {} values for {further_inputs} inputs", self.values.len()),
                )
                .hint("Write one value for all, or one for every input after the first.");
            return None;
        }
        Some(self.values.clone())
    }
}

impl<T: OptionValue> OptionValue for OneOrEach<T> {
    const EXPECTS: &'static str = T::EXPECTS;
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let is_list = matches!(node.value, Value::Array(_));
        let values = if is_list { Vec::read(node, diagnostics)? } else { vec![T::read(node, diagnostics)?] };
        Some(OneOrEach { values, is_list, span: node.span.clone() })
    }
    fn json_schema() -> String {
        format!(r#"{{"anyOf":[{},{}]}}"#, T::json_schema(), Vec::<T>::json_schema())
    }
}
