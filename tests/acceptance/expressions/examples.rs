//! Every example of the manual, in every database: the same answer, or a difference that the manual names.

use vardelta_engine::expression::{functions::Functions, manual::examples};

use super::{Judge, Tally, same};

#[test]
fn the_manual_s_examples_hold_in_databases_or_are_told_apart() {
    let examples = examples(Functions::built_in());
    let mut wrong = Vec::new();
    for mut judge in Judge::all("the_manual_s_examples_hold_in_databases_or_are_told_apart") {
        let database = judge.database();
        let mut tally = Tally::default();
        let mut differs: Vec<(&str, bool)> = Vec::new();
        for example in &examples {
            let answer = judge.answer(example.sql);
            let equal = answer.as_deref().is_some_and(|answer| same(answer, example.result));
            let named = example.elsewhere.iter().any(|(other, _)| *other == database);
            tally.add(if equal { "equal" } else { "different" });
            if !equal && !named {
                wrong.push(format!("{}: {} is {answer:?}, here {:?}", database.name(), example.sql, example.result));
            }
            match differs.last_mut().filter(|(of, _)| *of == example.of) {
                Some((_, differed)) => *differed |= !equal,
                None => differs.push((example.of, !equal)),
            }
        }
        eprintln!("{}: {tally}", database.name());
        for (of, differed) in differs {
            let named = |example: &&vardelta_engine::expression::manual::Example| {
                example.of == of && example.elsewhere.iter().any(|(other, _)| *other == database)
            };
            if !differed && let Some(example) = examples.iter().find(named) {
                let what = example.elsewhere.iter().find(|(other, _)| *other == database).map_or("", |(_, what)| what);
                wrong.push(format!("{}: {of} is said to differ ({what}), and no example does", database.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
