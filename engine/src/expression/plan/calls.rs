//! Calls of functions: arguments checked against the entry of the registry, and converted where nothing is lost.

use sqlparser::ast::{Function as CallTree, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::{choices::unify, *};
use crate::expression::{
    functions::{Accepts, Compute, Form, Function, Nulls, Returns},
    resolve::function_name,
};

impl Planner<'_> {
    pub(super) fn function(&self, call: &CallTree, span: Span) -> Result<Typed, Problem> {
        let name = function_name(call).unwrap_or_default();
        let arguments: Vec<&Expr> = match &call.args {
            FunctionArguments::List(list) => list
                .args
                .iter()
                .filter_map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        // `mod` is an operator as well.
        if let ("mod", [left, right]) = (name.as_str(), arguments.as_slice()) {
            return self.binary(left, &BinaryOperator::Modulo, right, span);
        }
        self.call_of(&name, &arguments, span)
    }

    /// A call by name.
    pub(super) fn call_of(&self, name: &str, arguments: &[&Expr], span: Span) -> Result<Typed, Problem> {
        let Some(function) = self.functions.find(name) else {
            return Err(Problem::new(span, format!("there is no function `{name}`"), ""));
        };
        let (least, most) = function.arity();
        if arguments.len() < least || most.is_some_and(|most| arguments.len() > most) {
            let takes = match (least, most) {
                (0, Some(0)) => "no arguments".to_string(),
                (1, Some(1)) => "one argument".to_string(),
                (least, Some(most)) if least == most => format!("{least} arguments"),
                (least, Some(most)) => format!("{least} to {most} arguments"),
                (least, None) => format!("{least} arguments or more"),
            };
            return Err(Problem::new(
                span,
                format!("`{name}` takes {takes}, and these are {}", arguments.len()),
                format!("Call it as {}.", function.signature()),
            ));
        }
        if let Compute::Form(Form::DateAdd(back)) = function.compute {
            return self.shifted(arguments[0], arguments[1], back);
        }
        let mut typed = Vec::with_capacity(arguments.len());
        for (at, tree) in arguments.iter().enumerate() {
            typed.push(self.argument(function, name, at, tree)?);
        }
        let is_common = |at: usize| function.parameter(at).is_some_and(|one| one.accepts == Accepts::Common);
        if (0..typed.len()).any(is_common) && function.compute_is_not(Form::NullIf) {
            let (mut others, mut alike) = (Vec::new(), Vec::new());
            for (at, value) in typed.into_iter().enumerate() {
                if is_common(at) { alike.push(value) } else { others.push(value) }
            }
            let mut alike = unify(alike, span)?;
            if matches!(function.compute, Compute::Plain(_)) && alike.iter().all(|value| value.of == Type::Null) {
                alike = alike.into_iter().map(|_| Typed::null(Type::Int)).collect();
            }
            if let Some(list) = alike.iter().find(|value| matches!(value.of, Type::List(_)))
                && matches!(function.compute, Compute::Plain(_))
            {
                return Err(refused(name, function, 0, &list.of, span));
            }
            others.extend(alike);
            typed = others;
        }
        match function.compute {
            Compute::Form(Form::Coalesce) => self.coalesce(typed, span),
            Compute::Form(Form::NullIf) => {
                let mut values = typed.into_iter();
                match (values.next(), values.next()) {
                    (Some(value), Some(other)) => self.null_if(value, other, span),
                    _ => Err(Problem::new(span, "nullif takes 2 arguments", "")),
                }
            }
            Compute::Form(Form::If) => {
                let mut values = typed.into_iter();
                match (values.next(), values.next(), values.next()) {
                    (Some(condition), Some(then), otherwise) => Ok(choices::choose(vec![(condition, then)], otherwise)),
                    _ => Err(Problem::new(span, "if takes 3 arguments", "")),
                }
            }
            Compute::Form(Form::DateAdd(_)) => {
                Err(Problem::new(span, "an interval is missing", "Write INTERVAL 1 DAY."))
            }
            Compute::Plain(compute) => Ok(built(function, Arc::new(compute), typed)),
            Compute::Prepared(prepare) => {
                let run = prepare(&typed).map_err(|message| {
                    Problem::new(span, format!("`{name}`: {message}"), format!("Call it as {}.", function.signature()))
                })?;
                Ok(built(function, run, typed))
            }
        }
    }

    /// An argument in the type that the function takes.
    fn argument(&self, function: &Function, name: &str, at: usize, tree: &Expr) -> Result<Typed, Problem> {
        let typed = self.plan(tree)?;
        let Some(parameter) = function.parameter(at) else { return Ok(typed) };
        let span = tree.span();
        let refused = |of: &Type| refused(name, function, at, of, span);
        let convert_to = |typed: Typed, to: Type| {
            let of = typed.of.clone();
            convert(typed, &Target::from(to), Mode::Strict).ok_or_else(|| refused(&of))
        };
        match (parameter.accepts, &typed.of) {
            (Accepts::Common, _) => Ok(typed),
            (Accepts::Text, Type::Text | Type::Null) => convert_to(typed, Type::Text),
            (Accepts::Texts, of) if !matches!(of, Type::List(_)) => convert_to(typed, Type::Text),
            (Accepts::Int, Type::Int | Type::Null) => convert_to(typed, Type::Int),
            (Accepts::Int, Type::Decimal { scale: 0, .. }) => convert_to(typed, Type::Int),
            (Accepts::Number, Type::Null) => Ok(Typed::null(Type::Int)),
            (Accepts::Number, of) if of.is_number() => Ok(typed),
            (Accepts::Float, of) if of.is_number() || *of == Type::Null => convert_to(typed, Type::Float),
            (Accepts::Date | Accepts::DateTime, of) => {
                let to = if parameter.accepts == Accepts::Date { Type::Date } else { Type::DateTime };
                match (of, typed.as_text()) {
                    (Type::Text, Some(text)) => convert_to(dates::of_text(text, span)?, to),
                    (Type::Date | Type::DateTime | Type::Null, _) => convert_to(typed, to),
                    _ => Err(refused(of)),
                }
            }
            (Accepts::DateOrText, Type::Text | Type::Date | Type::DateTime) => Ok(typed),
            (Accepts::DateOrText, Type::Null) => Ok(Typed::null(Type::Text)),
            (Accepts::Any, Type::Null) => Ok(Typed::null(Type::Text)),
            (Accepts::Any, of) if !matches!(of, Type::List(_)) => Ok(typed),
            (Accepts::List, Type::List(_)) => Ok(typed),
            (Accepts::TextOrList, Type::List(_) | Type::Text) => Ok(typed),
            (Accepts::TextOrList, Type::Null) => Ok(Typed::null(Type::Text)),
            (Accepts::Bool, Type::Bool | Type::Null) => convert_to(typed, Type::Bool),
            (_, of) => Err(refused(of)),
        }
    }
}

impl Function {
    fn compute_is_not(&self, form: Form) -> bool {
        !matches!(self.compute, Compute::Form(own) if own == form)
    }
}

/// An argument that a function does not take.
fn refused(name: &str, function: &Function, at: usize, of: &Type, span: Span) -> Problem {
    let accepts = function.parameter(at).map_or(Accepts::Any, |parameter| parameter.accepts);
    let (takes, hint) = match accepts {
        Accepts::Text => ("a text", "Write CAST(… AS CHAR) around it."),
        Accepts::Texts | Accepts::Any | Accepts::Common => {
            ("single values", "Take an item with list[1], or make a text of the list with list_join(list, ',').")
        }
        Accepts::Int => ("an integer", "Write CAST(… AS SIGNED) around it."),
        Accepts::Number | Accepts::Float => ("a number", "Write CAST(… AS DOUBLE) around a text that holds one."),
        Accepts::Date | Accepts::DateTime | Accepts::DateOrText => {
            ("a date", "Write CAST(… AS DATE) around a text, or str_to_date(text, '%d.%m.%Y').")
        }
        Accepts::List | Accepts::TextOrList => ("a list", "Lists come from the source: columns with several values."),
        Accepts::Bool => ("a condition", "Compare it with something: `dp > 0`, say."),
    };
    Problem::new(
        span,
        format!("`{name}` is applied to {of}, and takes {takes} there"),
        format!("{hint} {}", signature_of(function)),
    )
}

fn signature_of(function: &Function) -> String {
    format!("It is called as {}.", function.signature())
}

fn built(function: &Function, run: Run, arguments: Vec<Typed>) -> Typed {
    let of = match function.returns {
        Returns::Text => Type::Text,
        Returns::Int => Type::Int,
        Returns::Float => Type::Float,
        Returns::Bool => Type::Bool,
        Returns::Date => Type::Date,
        Returns::DateTime => Type::DateTime,
        Returns::First | Returns::Common => arguments[0].of.clone(),
        Returns::Of(of, _) => of(&arguments),
    };
    let any = arguments.iter().any(|argument| argument.nullable);
    let (strict, nullable) = match function.nulls {
        Nulls::Arguments => (true, any),
        Nulls::Also(_) => (true, true),
        Nulls::Unless(never, _) => (true, any || !never(&arguments)),
        Nulls::First(_) => (false, arguments.first().is_some_and(|first| first.nullable)),
        Nulls::Own(_) => (false, true),
        Nulls::Never => (false, false),
    };
    Typed::call(run, arguments, of, strict, nullable, function.fails).says(Operation::Function(function.name))
}
