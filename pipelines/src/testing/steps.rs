//! `[[tests]]` as it is written, with the place of everything that can be wrong.

use std::ops::Range;

use vardelta_engine::{
    diagnostics::Diagnostics,
    spec::{Entry, Node, SpecFile, Value},
    suggest::nearest,
};

/// All tests of a file.
#[derive(Debug, Default)]
pub struct Tests {
    /// In the order of the file.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// What it does, in order.
    pub steps: Vec<Step>,
}

/// One step of a test.
#[derive(Debug)]
pub struct Step {
    /// Where it is.
    pub span: Range<usize>,
    /// What it does.
    pub actions: Vec<Action>,
    /// What must be so after it.
    pub expect: Expectations,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// A drop is added or replaced.
    Deliver(Delivery),
    /// Drops are withdrawn.
    Withdraw(Vec<String>),
    /// A sample is withdrawn from every drop.
    WithdrawSample(String),
    /// Look-ups get what is answered from now on.
    Answers(Vec<Told>),
}

/// What a look-up is answered.
#[derive(Debug)]
pub struct Told {
    /// The stage.
    pub stage: String,
    /// A row for each key.
    pub rows: Vec<Vec<Entry>>,
}

/// A drop that is delivered.
#[derive(Debug)]
pub struct Delivery {
    /// The source stage.
    pub source: String,
    /// The drop's name.
    pub drop: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a drop.
#[derive(Debug)]
pub enum Content {
    /// Records as the test spells them.
    Records {
        /// The records.
        text: String,
        /// Lines of a VCF header that go before the made ones.
        header: String,
        /// The names of the sample columns; `S1`, `S2` … where there are more columns.
        samples: Vec<String>,
    },
    /// A file, relative to the pipeline file.
    File(String),
}

/// What must be so after a step. Maps keep the order of the file.
#[derive(Debug, Default)]
pub struct Expectations {
    /// Table to rows: no others may be there.
    pub rows: Vec<Expected<Vec<Vec<Entry>>>>,
    /// Table to changes, as reports print them: no others may have happened.
    pub changes: Vec<Expected<Vec<String>>>,
    /// `read`, `loaded`, `filtered`, `rejected`, `duplicates` of the delivered drops together.
    pub counts: Vec<Expected<u64>>,
    /// Reason to number; with `{}` there are none.
    pub rejects: Option<Expected<Vec<Expected<u64>>>>,
    /// The same of warnings.
    pub warnings: Option<Expected<Vec<Expected<u64>>>>,
    /// The process's exit code; 0 where nothing is said.
    pub exit_code: Option<Expected<u64>>,
}

/// A named expectation and where its value is.
#[derive(Debug)]
pub struct Expected<T> {
    /// A table, a count, a reason.
    pub name: String,
    /// Where the value is.
    pub span: Range<usize>,
    /// The value.
    pub value: T,
}

impl Expectations {
    fn is_empty(&self) -> bool {
        let listed = self.rows.len() + self.changes.len() + self.counts.len();
        listed == 0 && self.rejects.is_none() && self.warnings.is_none() && self.exit_code.is_none()
    }
}

const COUNTS: [&str; 5] = ["read", "loaded", "filtered", "rejected", "duplicates"];

impl Tests {
    /// Reads the tests of a file; what is wrong is reported.
    pub fn read(spec: &SpecFile, problems: &mut Diagnostics) -> Tests {
        let mut reader = Reader { problems };
        let Some(entry) = spec.root.iter().find(|entry| entry.key == "tests") else { return Tests::default() };
        let Value::Array(items) = &entry.node.value else {
            reader.wrong(&entry.node, "`tests` is a list", "Write `[[tests]]`, and `[[tests.steps]]` below it.");
            return Tests::default();
        };
        let mut tests: Vec<Test> = Vec::new();
        for item in items {
            let Some(test) = reader.test(item) else { continue };
            if tests.iter().any(|known| known.name == test.name) {
                reader
                    .problems
                    .error(item.span.clone(), format!("two tests are called `{}`", test.name))
                    .hint("Give each test a name of its own.");
            }
            tests.push(test);
        }
        Tests { tests }
    }
}

struct Reader<'a> {
    problems: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn wrong(&mut self, node: &Node, what: &str, hint: &str) {
        let message = format!("{what}, not {}", node.value.type_name());
        self.problems.error(node.span.clone(), message).hint(hint);
    }

    fn unknown(&mut self, entry: &Entry, owner: &str, known: &[&str]) {
        let problem = self.problems.error(entry.key_span.clone(), format!("{owner} has no `{}`", entry.key));
        problem.label("unknown key");
        match nearest(&entry.key, known.iter().copied()) {
            Some(near) => problem.hint(format!("Did you mean `{near}`?")),
            None => problem.hint(format!("It may have: {}.", known.join(", "))),
        };
    }

    fn table<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Table(entries) => Some(entries),
            _ => {
                self.wrong(node, &format!("{what} is a table"), "See docs/tests.md.");
                None
            }
        }
    }

    fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => {
                self.wrong(node, &format!("{what} is a text"), "Put it between quotes.");
                None
            }
        }
    }

    fn texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        match &node.value {
            Value::Array(items) => items.iter().filter_map(|item| self.text(item, what)).collect(),
            _ => self.text(node, what).into_iter().collect(),
        }
    }

    fn number(&mut self, entry: &Entry) -> Option<Expected<u64>> {
        match &entry.node.value {
            Value::Integer(value) if *value >= 0 => {
                Some(Expected { name: entry.key.clone(), span: entry.node.span.clone(), value: *value as u64 })
            }
            _ => {
                self.wrong(&entry.node, &format!("`{}` is a number from 0", entry.key), "Write the number alone.");
                None
            }
        }
    }

    fn test(&mut self, node: &Node) -> Option<Test> {
        let entries = self.table(node, "a test")?;
        let (mut name, mut steps) = (None, None);
        for entry in entries {
            match (entry.key.as_str(), &entry.node.value) {
                ("name", _) => name = self.text(&entry.node, "`name`"),
                ("steps", Value::Array(items)) => {
                    steps = Some(items.iter().filter_map(|item| self.step(item)).collect::<Vec<Step>>());
                }
                ("steps", _) => self.wrong(&entry.node, "`steps` is a list", "Write `[[tests.steps]]`."),
                _ => self.unknown(entry, "a test", &["name", "steps"]),
            }
        }
        let Some(name) = name else {
            self.problems.error(node.span.clone(), "the test has no name").hint("Add `name = \"…\"`.");
            return None;
        };
        let steps = steps.unwrap_or_default();
        if steps.iter().all(|step| step.expect.is_empty()) {
            self.problems
                .error(node.span.clone(), format!("the test `{name}` expects nothing, so it cannot fail"))
                .hint("Add `expect.rows.TABLE`, `expect.changes.TABLE` or `expect.counts` to one of its steps.");
        }
        Some(Test { name, steps })
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        const KEYS: [&str; 6] = ["answers", "add", "replace", "withdraw", "withdraw_sample", "expect"];
        let entries = self.table(node, "a step")?;
        let mut step = Step { span: node.span.clone(), actions: Vec::new(), expect: Expectations::default() };
        for entry in entries {
            match entry.key.as_str() {
                "add" | "replace" => match &entry.node.value {
                    Value::Array(items) => {
                        let deliveries = items.iter().filter_map(|item| self.delivery(item));
                        step.actions.extend(deliveries.map(Action::Deliver));
                    }
                    _ => step.actions.extend(self.delivery(&entry.node).map(Action::Deliver)),
                },
                "withdraw" => {
                    step.actions.push(Action::Withdraw(self.texts(&entry.node, "the name of a drop")));
                }
                "withdraw_sample" => {
                    step.actions.extend(self.text(&entry.node, "the name of a sample").map(Action::WithdrawSample));
                }
                "answers" => {
                    let mut told = Vec::new();
                    for stage in self.table(&entry.node, "`answers`").unwrap_or_default() {
                        told.push(Told { stage: stage.key.clone(), rows: self.rows(&stage.node) });
                    }
                    // Whatever the step delivers is answered so.
                    step.actions.insert(0, Action::Answers(told));
                }
                "expect" => step.expect = self.expectations(&entry.node),
                _ => self.unknown(entry, "a step", &KEYS),
            }
        }
        if step.actions.is_empty() {
            self.problems
                .error(node.span.clone(), "the step does nothing")
                .hint("Add `add = { STAGE = \"NAME\", records = \"…\" }`, `replace` or `withdraw`.");
        }
        Some(step)
    }

    fn delivery(&mut self, node: &Node) -> Option<Delivery> {
        let entries = self.table(node, "a delivery")?;
        let (mut named, mut records, mut file, mut header, mut samples) = (None, None, None, String::new(), Vec::new());
        for entry in entries {
            match entry.key.as_str() {
                "records" => records = self.text(&entry.node, "`records`"),
                "file" => file = self.text(&entry.node, "`file`"),
                "header" => header = self.text(&entry.node, "`header`").unwrap_or_default(),
                "samples" => samples = self.texts(&entry.node, "a sample"),
                _ if named.is_none() => {
                    named = self.text(&entry.node, "the drop's name").map(|drop| (entry.key.clone(), drop));
                }
                _ => self.unknown(entry, "a delivery", &["records", "file", "header", "samples"]),
            }
        }
        let content = match (records, file) {
            (Some(text), None) => Content::Records { text, header, samples },
            (None, Some(file)) => Content::File(file),
            _ => {
                self.problems
                    .error(node.span.clone(), "a delivery has either `records` or `file`")
                    .hint("Write `{ STAGE = \"NAME\", records = \"…\" }`.");
                return None;
            }
        };
        let Some((source, drop)) = named else {
            self.problems
                .error(node.span.clone(), "a delivery names its source and its drop")
                .hint("Write `STAGE = \"NAME\"` beside `records`: the source stage, and what the drop is called.");
            return None;
        };
        Some(Delivery { source, drop, content })
    }

    fn expectations(&mut self, node: &Node) -> Expectations {
        const KEYS: [&str; 6] = ["rows", "changes", "counts", "rejects", "warnings", "exit_code"];
        let mut expect = Expectations::default();
        for entry in self.table(node, "`expect`").unwrap_or_default() {
            match entry.key.as_str() {
                "rows" => {
                    for table in self.table(&entry.node, "`rows`").unwrap_or_default() {
                        let value = self.rows(&table.node);
                        expect.rows.push(Expected { name: table.key.clone(), span: table.node.span.clone(), value });
                    }
                }
                "changes" => {
                    for table in self.table(&entry.node, "`changes`").unwrap_or_default() {
                        let value = self.texts(&table.node, "a change");
                        expect.changes.push(Expected { name: table.key.clone(), span: table.node.span.clone(), value });
                    }
                }
                "counts" => {
                    for count in self.table(&entry.node, "`counts`").unwrap_or_default() {
                        match COUNTS.contains(&count.key.as_str()) {
                            true => expect.counts.extend(self.number(count)),
                            false => self.unknown(count, "`counts`", &COUNTS),
                        }
                    }
                }
                "rejects" => expect.rejects = Some(self.reasons(entry)),
                "warnings" => expect.warnings = Some(self.reasons(entry)),
                "exit_code" => expect.exit_code = self.number(entry),
                _ => self.unknown(entry, "`expect`", &KEYS),
            }
        }
        expect
    }

    fn reasons(&mut self, entry: &Entry) -> Expected<Vec<Expected<u64>>> {
        let reasons = self.table(&entry.node, &format!("`{}`", entry.key)).unwrap_or_default();
        let value = reasons.iter().filter_map(|reason| self.number(reason)).collect();
        Expected { name: entry.key.clone(), span: entry.node.span.clone(), value }
    }

    fn rows(&mut self, node: &Node) -> Vec<Vec<Entry>> {
        let Value::Array(items) = &node.value else {
            self.wrong(node, "rows are a list of tables", "Write `[{ column = value, … }]`.");
            return Vec::new();
        };
        items.iter().filter_map(|item| self.table(item, "a row").map(<[Entry]>::to_vec)).collect()
    }
}
