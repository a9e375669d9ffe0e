//! What is wrong with options is reported, all of it, with what to do.

use super::plan;

/// Options that are well.
const WELL: &str = "key = \"gene\"\nurl = \"https://genes.example/q\"\nmethod = \"POST\"\nbody = '{\"q\": {keys}}'\nrows = \"$[*]\"\nanswer_key = \"$.query\"\n\
                    [columns]\nname = { path = \"$.name\" }";

#[test]
fn defaults_are_gentle() {
    let plan = plan(WELL).expect("a plan");
    assert_eq!((plan.asking.batch, plan.asking.rate_per_s, plan.asking.concurrency), (100, 3.0, 4));
    let tiers = (plan.cache.memory_entries, plan.cache.disk.is_none(), plan.cache.redis.is_none(), plan.cache.database);
    assert_eq!(tiers, (0, true, true, false), "no tier that is not named");
    assert_eq!(plan.terms.ttl, None);
}

#[test]
fn wrong_options_are_told() {
    for (from, to, said) in [
        ("https://genes.example/q", "genes.example/q", "cannot be asked"),
        ("https://genes.example/q", "ftp://genes.example/q", "neither http:// nor https://"),
        ("https://genes.example/q", "https://genes.example/q?api_key=0123456789", "env"),
        ("https://genes.example/q", "https://user:pass-word-1@genes.example/q", "holds a secret"),
        ("https://genes.example/q", "https://genes.example/{symbol}", "`{symbol}` is not known"),
        ("https://genes.example/q", "https://genes.example/{key}", "exclude each other"),
        ("{keys}", "[]", "no place for a key"),
        ("method = \"POST\"\n", "", "a GET has no body"),
        ("body = '{\"q\": {keys}}'\n", "", "a POST needs a `body`"),
        ("method = \"POST\"", "method = \"PUT\"", "`PUT` is not a choice"),
        ("answer_key = \"$.query\"\n", "", "needs `answer_key`"),
        ("$.query", "query", "begins with `$`"),
        ("$.name", "$..name", "`..` is not known"),
        ("rows = \"$[*]\"", "rows = \"$[?(@.x)]\"", "filters"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nbatch = 0", "a batch has 1 to"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nrate_per_s = 0", "a rate is"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nconcurrency = 0", "1 to 64"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\ndeadline = 60", "length of time"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\ndeadline = \"60\"", "no unit"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nmax_failed_share = 2", "between 0 and 1"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nabsent_status = [500]", "never says"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nrow = \"$\"", "Did you mean `rows`"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nheaders = { Authorization = \"Bearer abcdefgh\" }", "env"),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nheaders = { X = { enw = \"Y\" } }", "Did you mean `env`"),
        ("{ path = \"$.name\" }", "{ path = \"$.name\", type = \"date\" }", "`date` is not a choice"),
        ("{ path = \"$.name\" }", "\"$.name\"", "expected a table"),
        ("name = { path = \"$.name\" }", "", "nothing to ask for"),
        ("{ path = \"$.name\" }", "{ path = \"$.name\" }\n[cache]\nttl = 7", "length of time"),
        ("{ path = \"$.name\" }", "{ path = \"$.name\" }\n[cache]\ndisc = \"x\"", "Did you mean `disk`"),
    ] {
        assert!(WELL.contains(from), "{from}");
        let problems = plan(&WELL.replacen(from, to, 1)).expect_err(to);
        assert!(problems.contains(said), "{to}: {problems}");
        assert!(!problems.contains("0123456789") && !problems.contains("pass-word-1"), "{problems}");
    }
}

#[test]
fn what_decides_an_answer_is_in_the_fingerprint_and_nothing_else() {
    let print = |toml: &str| plan(toml).expect(toml).fingerprint;
    let well = print(WELL);
    for (from, to) in [
        ("/q", "/q2"),
        ("\"q\"", "\"p\""),
        ("$.query", "$.key"),
        ("$.name", "$.names"),
        ("name =", "title ="),
        ("rows = \"$[*]\"", "rows = \"$.rows[*]\""),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nrelease = \"2\""),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nmissing = \"failed\""),
        ("rows = \"$[*]\"", "rows = \"$[*]\"\nparameters = { species = \"human\" }"),
    ] {
        assert_ne!(print(&WELL.replacen(from, to, 1)), well, "{to}");
    }
    for to in [
        "batch = 7",
        "rate_per_s = 9",
        "retries = 1",
        "deadline = \"1s\"",
        "max_failed_share = 0.5",
        "parameters = { api_key = { env = \"K\" } }",
    ] {
        assert_eq!(print(&WELL.replacen("rows", &format!("{to}\nrows"), 1)), well, "{to}");
    }
}
