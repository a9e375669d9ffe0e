//! A case for each stage: the stages that matter, drops, a query over the sink, the rows it yields.

/// The header of the drops.
pub const HEADER: &str = "##fileformat=VCFv4.3\n\
    ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n\
    ##INFO=<ID=AF,Number=A,Type=Float,Description=\"Frequency\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

/// A case.
pub struct Case {
    /// The stage it is about.
    pub stage: &'static str,
    /// What it shows.
    pub what: &'static str,
    /// The stages between the source `calls` and the table `rows`, the last one called `last`.
    pub stages: &'static str,
    /// The key of `rows`.
    pub key: &'static str,
    /// What follows `rows`, and the sink's tables.
    pub views: (&'static str, &'static str),
    /// Files in `drops/`: of a VCF the records, of another the whole text.
    pub drops: &'static [(&'static str, &'static str)],
    /// A query that yields one text per row.
    pub query: &'static str,
    /// The texts.
    pub rows: &'static [&'static str],
}

impl Case {
    /// The pipeline file, with this sink.
    pub fn pipeline(&self, sink: &str) -> String {
        let calls = if self.stages.contains("input = \"calls\"") { CALLS } else { "" };
        format!(
            "[pipeline]\nname = \"case\"\nmax_reject_share = 1.0\n\n{calls}{}\n\n\
             [stages.rows]\ntype = \"table\"\ninput = \"last\"\nkey = {}\n\n{}\n\n\
             [stages.warehouse]\n{sink}\ntables = {}\n",
            self.stages, self.key, self.views.0, self.views.1
        )
    }
}

/// The source of the cases that are not about a source.
const CALLS: &str = "[stages.calls]\ntype = \"vcf\"\npath = \"drops/*.vcf\"\n\
    info = [\"ANN\", \"DP\", { name = \"AF\", type = \"Float\", number = \"A\" }]\n\n";

/// The sink of a case that needs no server: a file.
pub fn file_of(sink: &str) -> String {
    format!("type = \"{sink}\"\npath = \"case.sqlite\"")
}

/// The sink of one that does.
pub const SERVER: &str = "type = \"mysql\"\nurl = \"${VARDELTA_MYSQL_URL}\"";

/// A record is one row; the list of alternates is left out.
const RECORDS: &str = "[stages.last]\ntype = \"select\"\ninput = \"calls\"\n[stages.last.columns]\n\
    chrom = \"chrom\"\npos = \"pos\"\nqual = \"qual\"\nfilter = \"filter\"\ndp = \"info_dp\"";
const ALLELES: &str = "[stages.last]\ntype = \"normalize\"\ninput = \"calls\"";
const ROWS_ALONE: (&str, &str) = ("", "[\"rows\"]");
const ALLELE_KEY: &str = "[\"chrom\", \"pos\", \"ref\", \"alt\"]";

/// Every case.
pub const CASES: &[Case] = &[
    Case {
        stage: "vcf",
        what: "missing values are NULL, bad records are left out",
        stages: RECORDS,
        key: "[\"chrom\", \"pos\"]",
        views: ROWS_ALONE,
        drops: &[(
            "a.vcf",
            "1\t5\t.\tA\tC\t.\t.\tDP=7\n1\tx\t.\tA\tC\t1\tPASS\t.\n2\t6\t.\tA\tC\t1.5\tq10;s50\tDP=.\n",
        )],
        query: "SELECT chrom || ':' || pos || ' ' || quote(qual) || ' ' || quote(filter) || ' ' || quote(dp) FROM rows",
        rows: &["1:5 NULL NULL 7", "2:6 1.5 'q10;s50' NULL"],
    },
    Case {
        stage: "delimited",
        what: "columns are found by name and typed, bad records are left out",
        stages: "[stages.last]\ntype = \"delimited\"\npath = \"drops/*.tsv\"\ncomment = \"#\"\n[stages.last.columns]\n\
                 gene = { from = \"gene name\", type = \"text\", required = true }\nscore = \"decimal(5,2)\"",
        key: "[\"gene\"]",
        views: ROWS_ALONE,
        drops: &[("a.tsv", "# made by hand\nscore\tgene name\n0.5\tTP53\nNA\t\"A\tB\"\n1\n\tKRAS\n")],
        query: "SELECT gene || ' ' || quote(score) FROM rows ORDER BY gene",
        rows: &["A\tB NULL", "KRAS NULL", "TP53 0.5"],
    },
    Case {
        stage: "gff3",
        what: "parts take over from their gene, before or after it",
        stages: "[stages.last]\ntype = \"gff3\"\npath = \"drops/*.gff3\"\nfeatures = [\"gene\", \"exon\"]",
        key: "[\"feature_key\"]",
        views: ROWS_ALONE,
        drops: &[(
            "a.gff3",
            "17\tx\texon\t7687377\t7687490\t.\t-\t.\tParent=transcript:T1\n\
             17\tx\tmRNA\t7668421\t7687490\t.\t-\t.\tID=transcript:T1;Parent=gene:G1\n\
             17\tx\tgene\t7661779\t7687538\t.\t-\t.\tID=gene:G1;Name=TP53\n17\tx\tgene\tno\t1\t.\t-\t.\tID=gene:G2\n",
        )],
        query: "SELECT feature || ' ' || gene_symbol || ' ' || quote(transcript_id) FROM rows ORDER BY feature",
        rows: &["exon TP53 'T1'", "gene TP53 NULL"],
    },
    Case {
        stage: "normalize",
        what: "alleles are split, trimmed and get their own values",
        stages: ALLELES,
        key: ALLELE_KEY,
        views: ROWS_ALONE,
        drops: &[("a.vcf", "1\t10\t.\tCAGT\tCT,CACT,*\t.\t.\tAF=0.5,0.25,0.1\n")],
        query: "SELECT pos || ref || '>' || alt || ' ' || info_af FROM rows ORDER BY pos",
        rows: &["10CAG>C 0.5", "12G>C 0.25"],
    },
    Case {
        stage: "annotations",
        what: "the worst consequence of the row's own allele",
        stages: "[stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\n\
                 [stages.last]\ntype = \"annotations\"\ninput = \"alleles\"\nfield = \"ANN\"",
        key: ALLELE_KEY,
        views: ROWS_ALONE,
        drops: &[(
            "a.vcf",
            "1\t1\t.\tA\tC,G\t.\t.\tANN=C|intron_variant|MODIFIER|LATE,G|stop_gained|HIGH|OTHER,C|missense_variant|MODERATE|MINE\n",
        )],
        query: "SELECT alt || ' ' || gene_symbol || ' ' || consequence FROM rows ORDER BY alt",
        rows: &["C MINE missense_variant", "G OTHER stop_gained"],
    },
    Case {
        stage: "filter",
        what: "false and NULL are left out",
        stages: "[stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\n\
                 [stages.last]\ntype = \"filter\"\ninput = \"alleles\"\nwhere = \"info_dp >= 10\"",
        key: ALLELE_KEY,
        views: ROWS_ALONE,
        drops: &[("a.vcf", "1\t1\t.\tA\tC\t.\t.\tDP=10\n1\t2\t.\tA\tC\t.\t.\tDP=9\n1\t3\t.\tA\tC\t.\t.\t.\n")],
        query: "SELECT pos || '' FROM rows",
        rows: &["1"],
    },
    Case {
        stage: "select",
        what: "expressions are columns, and what cannot be computed is rejected",
        stages: "[stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\n\
                 [stages.last]\ntype = \"select\"\ninput = \"alleles\"\n[stages.last.columns]\n\
                 place = \"chrom || ':' || CAST(pos AS VARCHAR)\"\nshare = \"CAST(100 / info_dp AS DECIMAL(5,1))\"",
        key: "[\"place\"]",
        views: ROWS_ALONE,
        drops: &[("a.vcf", "1\t1\t.\tA\tC\t.\t.\tDP=20\n1\t2\t.\tA\tC\t.\t.\tDP=0\n")],
        query: "SELECT place || ' ' || share FROM rows UNION ALL SELECT reason FROM vardelta_rejects",
        rows: &["1:1 5.0", "division_by_zero"],
    },
    Case {
        stage: "explode",
        what: "one row per item",
        stages: "[stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\n\
                 [stages.items]\ntype = \"explode\"\ninput = \"alleles\"\ncolumn = \"filter\"\nseparator = \";\"\n\n\
                 [stages.last]\ntype = \"filter\"\ninput = \"items\"\nwhere = \"filter IS NOT NULL\"",
        key: "[\"chrom\", \"pos\", \"ref\", \"alt\", \"filter\"]",
        views: ROWS_ALONE,
        drops: &[("a.vcf", "1\t1\t.\tA\tC\t.\tq10;s50\t.\n1\t2\t.\tA\tC\t.\t.\t.\n")],
        query: "SELECT pos || filter FROM rows ORDER BY filter",
        rows: &["1q10", "1s50"],
    },
    Case {
        stage: "table",
        what: "of several drops the latest stands, of one drop the last record",
        stages: RECORDS,
        key: "[\"chrom\", \"pos\"]",
        views: ROWS_ALONE,
        drops: &[
            ("a.vcf", "1\t1\t.\tA\tC\t1\t.\t.\n1\t2\t.\tA\tC\t2\t.\t.\n"),
            ("b.vcf", "1\t2\t.\tA\tC\t3\t.\t.\n1\t2\t.\tA\tC\t4\t.\t.\n"),
        ],
        query: "SELECT pos || ' ' || qual FROM rows ORDER BY pos",
        rows: &["1 1.0", "2 4.0"],
    },
    Case {
        stage: "aggregate",
        what: "one row per group, NULLs left out of every call but count(*)",
        stages: RECORDS,
        key: "[\"chrom\", \"pos\"]",
        views: (
            "[stages.groups]\ntype = \"aggregate\"\ninput = \"rows\"\ngroup_by = [\"chrom\"]\n[stages.groups.columns]\n\
             n = \"count(*)\"\nd = \"count(dp)\"\ns = \"sum(dp)\"\na = \"avg(dp)\"\nl = \"min(qual)\"\nh = \"max(qual)\"",
            "[\"groups\"]",
        ),
        drops: &[(
            "a.vcf",
            "1\t1\t.\tA\tC\t1\t.\tDP=2\n1\t2\t.\tA\tC\t3\t.\tDP=3\n1\t3\t.\tA\tC\t.\t.\t.\n2\t1\t.\tA\tC\t.\t.\t.\n",
        )],
        query: "SELECT chrom || ' ' || n || d || ' ' || quote(s) || ' ' || quote(a) || ' ' || quote(l) || ' ' || quote(h) FROM groups",
        rows: &["1 32 5 '2.5000' 1.0 3.0", "2 10 NULL NULL NULL NULL"],
    },
    Case {
        stage: "aggregate",
        what: "a text that is longer than it may be is no row, and no text that was cut",
        stages: RECORDS,
        key: "[\"chrom\", \"pos\"]",
        views: (
            "[stages.groups]\ntype = \"aggregate\"\ninput = \"rows\"\ngroup_by = [\"chrom\"]\n\
             group_concat_max_bytes = 5\n[stages.groups.columns]\n\
             t = \"group_concat(pos ORDER BY pos DESC SEPARATOR '-')\"",
            "[\"groups\"]",
        ),
        drops: &[(
            "a.vcf",
            "1\t10\t.\tA\tC\t1\t.\t.\n1\t20\t.\tA\tC\t3\t.\t.\n2\t100\t.\tA\tC\t.\t.\t.\n2\t20\t.\tA\tC\t.\t.\t.\n",
        )],
        query: "SELECT chrom || ' ' || t FROM groups UNION ALL SELECT reason || ': ' || detail FROM vardelta_rejects",
        rows: &["1 20-10", "group_concat_too_long: group chrom=2: its text has more than 5 bytes"],
    },
    Case {
        stage: "top",
        what: "the first rows of each group, NULL last in descending order, equal ones by the key",
        stages: RECORDS,
        key: "[\"chrom\", \"pos\"]",
        views: (
            "[stages.best]\ntype = \"top\"\ninput = \"rows\"\nby = [\"chrom\"]\norder = [\"qual DESC\"]\nn = 2",
            "[\"best\"]",
        ),
        drops: &[(
            "a.vcf",
            "1\t1\t.\tA\tC\t.\t.\t.\n1\t2\t.\tA\tC\t3\t.\t.\n1\t3\t.\tA\tC\t3\t.\t.\n1\t4\t.\tA\tC\t3\t.\t.\n2\t1\t.\tA\tC\t.\t.\t.\n",
        )],
        query: "SELECT chrom || ' ' || pos || ' ' || quote(qual) FROM best",
        rows: &["1 2 3.0", "1 3 3.0", "2 1 NULL"],
    },
    Case {
        stage: "union",
        what: "the rows of all inputs",
        stages: "[stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\n\
                 [stages.deep]\ntype = \"filter\"\ninput = \"alleles\"\nwhere = \"info_dp > 5\"\n\n\
                 [stages.good]\ntype = \"filter\"\ninput = \"alleles\"\nwhere = \"qual > 5\"\n\n\
                 [stages.last]\ntype = \"union\"\ninputs = [\"deep\", \"good\"]",
        key: ALLELE_KEY,
        views: ROWS_ALONE,
        drops: &[(
            "a.vcf",
            "1\t1\t.\tA\tC\t9\t.\t.\n1\t2\t.\tA\tC\t.\t.\tDP=9\n1\t3\t.\tA\tC\t9\t.\tDP=9\n1\t4\t.\tA\tC\t1\t.\tDP=1\n",
        )],
        query: "SELECT pos || '' FROM rows",
        rows: &["1", "2", "3"],
    },
    Case {
        stage: "join",
        what: "a left row beside the right rows that equal it, or beside NULL; NULL equals nothing",
        stages: RECORDS,
        key: "[\"chrom\", \"pos\"]",
        views: (
            "[stages.groups]\ntype = \"aggregate\"\ninput = \"rows\"\ngroup_by = [\"filter\"]\n[stages.groups.columns]\n\
             n = \"count(*)\"\n\n[stages.joined]\ntype = \"join\"\ninputs = [\"rows\", \"groups\"]\nhow = \"left\"\n\
             on = [\"filter\"]\nprefix = \"of_\"",
            "[\"joined\"]",
        ),
        drops: &[
            ("a.vcf", "1\t1\t.\tA\tC\t.\tq10\t.\n1\t2\t.\tA\tC\t.\t.\t.\n"),
            ("b.vcf", "1\t3\t.\tA\tC\t.\tq10\t.\n"),
        ],
        query: "SELECT pos || ' ' || quote(filter) || ' ' || quote(of_n) FROM joined ORDER BY pos",
        rows: &["1 'q10' 2", "2 NULL NULL", "3 'q10' 2"],
    },
    Case {
        stage: "distinct",
        what: "each row once, NULL being a value like any other",
        stages: RECORDS,
        key: "[\"chrom\", \"pos\"]",
        views: ("[stages.filters]\ntype = \"distinct\"\ninput = \"rows\"\ncolumns = [\"filter\"]", "[\"filters\"]"),
        drops: &[
            ("a.vcf", "1\t1\t.\tA\tC\t.\tq10\t.\n1\t2\t.\tA\tC\t.\t.\t.\n"),
            ("b.vcf", "1\t3\t.\tA\tC\t.\tq10\t.\n1\t4\t.\tA\tC\t.\t.\t.\n"),
        ],
        query: "SELECT quote(filter) FROM filters ORDER BY 1",
        rows: &["'q10'", "NULL"],
    },
    Case {
        stage: "lookup",
        what: "a row for each key, also where nobody answers",
        stages: RECORDS,
        key: "[\"chrom\", \"pos\"]",
        // Nothing listens at port 1.
        views: (
            "[stages.facts]\ntype = \"lookup\"\ninput = \"rows\"\nkey = \"filter\"\nurl = \"http://127.0.0.1:1/{key}\"\n\
             retries = 0\ndeadline = \"5s\"\n[stages.facts.columns]\nname = { path = \"$.name\" }",
            "[\"facts\"]",
        ),
        drops: &[(
            "a.vcf",
            "1\t1\t.\tA\tC\t.\tTP53\t.\n1\t2\t.\tA\tC\t.\tBRCA2\t.\n1\t3\t.\tA\tC\t.\tTP53\t.\n1\t4\t.\tA\tC\t.\t.\t.\n",
        )],
        query: "SELECT filter || ' ' || quote(name) || ' ' || lookup_status FROM facts ORDER BY 1",
        rows: &["BRCA2 NULL waiting", "TP53 NULL waiting"],
    },
    Case {
        stage: "regions",
        what: "the gene that a variant lies in or near, and which part of it; nothing between genes",
        stages: "[stages.last]\ntype = \"select\"\ninput = \"calls\"\n[stages.last.columns]\n\
                 chrom = \"chrom\"\npos = \"pos\"\nref = \"ref\"",
        key: "[\"chrom\", \"pos\"]",
        views: (
            "[stages.features]\ntype = \"select\"\ninput = \"calls\"\n[stages.features.columns]\n\
             feature_key = \"chrom || ':' || CAST(pos AS VARCHAR)\"\nchrom = \"chrom\"\nstart = \"pos + 1\"\nend = \"pos + 10\"\n\
             strand = \"'-'\"\nfeature = \"'gene'\"\ngene_id = \"filter\"\ngene_symbol = \"filter\"\n\
             transcript_id = \"filter\"\nbiotype = \"'protein_coding'\"\n\n\
             [stages.model]\ntype = \"table\"\ninput = \"features\"\nkey = [\"feature_key\"]\n\n\
             [stages.placed]\ntype = \"regions\"\ninputs = [\"rows\", \"model\"]\nchromosome = \"chrom\"\nposition = \"pos\"\n\
             reference = \"ref\"\ndownstream_bp = 5",
            "[\"placed\"]",
        ),
        drops: &[
            ("a.vcf", "1\t10\t.\tA\tC\t.\tGENEA\t.\n1\t15\t.\tA\tC\t.\t.\t.\n"),
            ("b.vcf", "1\t20\t.\tAC\tC\t.\t.\t.\n1\t21\t.\tA\tC\t.\t.\t.\n1\t9000\t.\tA\tC\t.\t.\t.\n"),
        ],
        query: "SELECT pos || ' ' || quote(gene_id) || ' ' || quote(region) FROM placed ORDER BY pos",
        rows: &[
            "10 'GENEA' 'downstream'",
            "15 'GENEA' 'exon'",
            "20 'GENEA' 'exon'",
            "21 'GENEA' 'upstream'",
            "9000 NULL NULL",
        ],
    },
    Case {
        stage: "sqlite",
        what: "every value in the type that the manual says, and the epoch",
        stages: "[stages.last]\ntype = \"select\"\ninput = \"calls\"\n[stages.last.columns]\n\
                 pos = \"pos\"\ntruth = \"pos > 1\"\nfloat = \"qual\"\nnarrow = \"CAST(qual AS DECIMAL(15,2))\"\n\
                 wide = \"CAST(qual AS DECIMAL(16,2))\"\nmissing = \"info_dp\"",
        key: "[\"pos\"]",
        views: ROWS_ALONE,
        drops: &[("a.vcf", "1\t2\t.\tA\tC\t0.1\t.\t.\n")],
        query: "SELECT pos || typeof(pos) || ' ' || truth || typeof(truth) || ' ' || float || typeof(float) || ' ' || narrow \
                || typeof(narrow) || ' ' || wide || typeof(wide) || ' ' || typeof(missing) || ' ' || changed_epoch FROM rows",
        rows: &["2integer 1integer 0.1real 0.1real 0.10text null 1"],
    },
];

/// Cases of the stages that need a server; their queries are MySQL's.
pub const SERVER_CASES: &[Case] = &[Case {
    stage: "mysql",
    what: "every value in the type that the manual says, and the epoch",
    stages: "[stages.last]\ntype = \"select\"\ninput = \"calls\"\n[stages.last.columns]\n\
             pos = \"pos\"\ntruth = \"pos > 1\"\nfloat = \"qual\"\nnarrow = \"CAST(qual AS DECIMAL(15,2))\"\n\
             wide = \"CAST(qual AS DECIMAL(16,2))\"\ntext = \"filter\"\nmissing = \"info_dp\"",
    key: "[\"pos\"]",
    views: ROWS_ALONE,
    drops: &[("a.vcf", "1\t2\t.\tA\tC\t0.1\tq10;S50\t.\n")],
    query: "SELECT CONCAT_WS(' ', pos, truth, `float`, narrow, wide, text, COALESCE(missing, 'NULL'), changed_epoch, \
            (SELECT GROUP_CONCAT(column_type ORDER BY ordinal_position) FROM information_schema.columns \
            WHERE table_schema = DATABASE() AND table_name = 'rows')) FROM `rows`",
    rows: &[
        "2 1 0.1 0.10 0.10 q10;S50 NULL 1 bigint,tinyint(1),double,decimal(15,2),decimal(16,2),longtext,bigint,bigint",
    ],
}];
