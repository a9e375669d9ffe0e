//! Cases whose pipeline file is refused with advice: what comes when the advice is taken.

use vardelta_tests::{
    database::texts,
    project::{Said, vardelta_in},
    shared::shared,
};

use super::copied;

/// A case, what is changed in its pipeline file, and what its database then yields.
struct Advised {
    case: &'static str,
    file: &'static str,
    changes: &'static [(&'static str, &'static str)],
    database: &'static str,
    query: &'static str,
    rows: &'static [&'static str],
}

const ADVISED: &[Advised] = &[
    Advised {
        case: "15-format-id-qual",
        file: "pipeline.toml",
        changes: &[(
            r#"["ID", {name="QUAL",type="Float"}]"#,
            r#"[{ name = "ID", as = "sv_id" }, { name = "QUAL", type = "Float", as = "sample_qual" }]"#,
        )],
        database: "out.sqlite",
        query: "SELECT sample || ' ' || sv_id || ' ' || sample_qual || ' ' || qual FROM variants",
        rows: &["S1 Sniffles2.DEL.23S70C 33.5 50.0"],
    },
    Advised {
        case: "61-csq-other-parts",
        file: "pipeline.toml",
        changes: &[(
            "pick = \"worst\"",
            "pick = \"worst\"\nparts = { gnomade_af = { name = \"gnomADe_AF\", type = \"float64\" }, lof = \"LoF\" }",
        )],
        database: "out.sqlite",
        query: "SELECT gene || ' ' || cons || ' ' || af || ' ' || lof FROM variants",
        // Those of the picked entry, and not of the first.
        rows: &["G2 stop_gained 0.0001 HC"],
    },
    Advised {
        case: "76-drop-name-column",
        file: "pipeline.toml",
        changes: &[("type = \"vcf\"", "type = \"vcf\"\ndrop_column = \"drop_name\"")],
        database: "out.sqlite",
        query: "SELECT pos || ' ' || batch FROM variants ORDER BY pos",
        rows: &["100 batch_2026-01", "200 batch_2026-02"],
    },
    Advised {
        case: "79-record-level-table",
        file: "p0.toml",
        changes: &[("alts = \"alt\"", "alts = \"list_join(alt, ',')\"")],
        database: "r0.sqlite",
        query: "SELECT pos || ' ' || ref || ' ' || alts FROM records",
        rows: &["100 A C,G"],
    },
];

#[test]
fn advice_that_is_taken_yields_the_rows() {
    let Some(folder) = shared("field cases", "field/cases") else { return };
    for advised in ADVISED {
        let scratch = copied(&folder.join(advised.case));
        let path = scratch.path().join(advised.file);
        let mut text = std::fs::read_to_string(&path).expect("the pipeline file can be read");
        for (from, to) in advised.changes {
            assert!(text.contains(from), "{}: `{from}` is not in {}", advised.case, advised.file);
            text = text.replace(from, to);
        }
        std::fs::write(&path, text).expect("the pipeline file can be written");
        let said: Said = vardelta_in(scratch.path(), &["run", advised.file]);
        assert_eq!(said.code, 0, "{}: {}", advised.case, said.stderr);
        assert_eq!(texts(&scratch.path().join(advised.database), advised.query), advised.rows, "{}", advised.case);
    }
}
