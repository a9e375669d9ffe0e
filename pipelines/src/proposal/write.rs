//! The pipeline file itself.

use super::Look;

/// Fields that are worth a column wherever they are.
const WANTED: [&str; 9] = ["DP", "AF", "AC", "AN", "CLNSIG", "CLNREVSTAT", "SVTYPE", "GENEINFO", "RS"];
/// Fields that are listed as comments, at the most.
const LISTED: usize = 40;

/// A commented pipeline for drops like the one that was looked at. It is valid as it is.
pub fn pipeline(name: &str, look: &Look) -> String {
    let annotation = look.annotation().map(|field| field.id.as_str());
    let columns: Vec<&str> = WANTED.into_iter().filter(|id| look.has(id)).collect();
    let mut text = head(name, look);
    text += &source(look, annotation, &columns);
    text += "\n[stages.alleles]                      # one row per ALT allele, trimmed, so that one variant has one spelling\n\
             type = \"normalize\"\ninput = \"calls\"\n";
    let mut last = "alleles";
    if let Some(field) = annotation {
        text += &format!(
            "\n[stages.consequences]                 # gene_symbol, consequence, impact, … of each allele\n\
             type = \"annotations\"\ninput = \"alleles\"\nfield = \"{field}\"\n\
             pick = \"worst\"                        # or \"worst_per_gene\", \"mane\", \"canonical\", \"all\"\n"
        );
        last = "consequences";
    }
    if let Some(condition) = condition(look, annotation) {
        text += &format!(
            "\n[stages.passing]                      # what no table needs is left out, and counted\n\
             type = \"filter\"\ninput = \"{last}\"\nwhere = \"{condition}\"\n"
        );
        last = "passing";
    }
    text += &selection(look, annotation, &columns, last);
    text += &tables(look, annotation, &columns);
    text + &format!(
        "\n[stages.warehouse]                    # for a server: type = \"mysql\", url = \"${{VARDELTA_MYSQL_URL}}\"\n\
         type = \"sqlite\"\npath = \"{name}.sqlite\"\ntables = [\"variants\", \"{}\"]\n",
        summary(annotation)
    )
}

fn head(name: &str, look: &Look) -> String {
    let mut text =
        String::from("# Variants of every drop, and a summary that is kept exact. Paths are relative to this file.\n");
    if let Some(path) = &look.path {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file: String = file.chars().filter(|letter| !letter.is_control()).collect();
        text += &format!("# Proposed from {} records of {file}.\n", look.records);
    }
    text += "#\n# vardelta validate FILE   finds every problem\n# vardelta run FILE        loads what is new or changed\n\
             # vardelta stages TYPE     explains a type of stage\n";
    text += &format!("\n[pipeline]\nname = \"{name}\"\n");
    text + &match look.assembly {
        Some(assembly) => format!("assembly = \"{assembly}\"                # one name per contig; drops of another assembly are refused\n"),
        None => "# assembly = \"GRCh38\"                # the header does not say: write it, and drops of another assembly are refused\n".into(),
    }
}

fn source(look: &Look, annotation: Option<&str>, columns: &[&str]) -> String {
    let fields = annotation.iter().chain(columns).map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "\n[stages.calls]                        # drops: VCF or BCF, also compressed\ntype = \"vcf\"\npath = \"drops/*.vcf*\"\n\
         info = [{fields}]\n"
    );
    let others: Vec<_> = look
        .info
        .iter()
        .filter(|field| {
            field.seen > 0 && Some(field.id.as_str()) != annotation && !columns.contains(&field.id.as_str())
        })
        .collect();
    if !others.is_empty() {
        text += "# Further fields of these records; each becomes a column info_<name>:\n";
    }
    for field in others.iter().take(LISTED) {
        let description: String = field.description.chars().filter(|letter| !letter.is_control()).take(60).collect();
        let id: String = field.id.chars().filter(|letter| !letter.is_control()).collect();
        text += format!("#   {id:<16} {description}").trim_end();
        text.push('\n');
    }
    if others.len() > LISTED {
        text += &format!("#   and {} more\n", others.len() - LISTED);
    }
    if look.samples > 0 {
        text += &format!(
            "# The file has {} samples. One row per record and sample, with gt, zygosity, allele_count, dp and gq:\n\
             # samples = \"long\"                   and `sample` in the table's key\n",
            look.samples
        );
    }
    text
}

fn condition(look: &Look, annotation: Option<&str>) -> Option<String> {
    let mut parts = Vec::new();
    if look.has_quality {
        parts.push("qual >= 20");
    }
    if look.has_pass {
        parts.push("filter = 'PASS'");
    }
    if annotation.is_some() {
        parts.push("gene_symbol IS NOT NULL");
    }
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

fn selection(look: &Look, annotation: Option<&str>, columns: &[&str], input: &str) -> String {
    let mut text = format!(
        "\n[stages.annotated]                    # the table's columns, each an SQL expression\ntype = \"select\"\ninput = \"{input}\"\n\
         [stages.annotated.columns]\nchromosome = \"chrom\"\nposition = \"pos\"\nreference = \"ref\"\nalternate = \"alt\"\n"
    );
    if look.is_structural {
        text += "end_position = \"end_pos\"\nlength = \"coalesce(sv_len, 0)\"\n";
    }
    if look.has_quality {
        text += "quality = \"CAST(least(qual, 100.0) AS DECIMAL(5,2))\"\n";
    }
    if annotation.is_some() {
        text += "gene_symbol = \"gene_symbol\"\nconsequence = \"consequence\"\nimpact = \"impact\"\n";
    }
    for id in columns {
        let column = id.to_lowercase();
        text += &format!("{column} = \"info_{column}\"\n");
    }
    text
}

fn summary(annotation: Option<&str>) -> &'static str {
    if annotation.is_some() { "gene_summary" } else { "contig_summary" }
}

fn tables(look: &Look, annotation: Option<&str>, columns: &[&str]) -> String {
    // Several symbolic alleles may begin at one place.
    let structural = if look.is_structural { ", \"end_position\", \"length\"" } else { "" };
    let group = if annotation.is_some() { "gene_symbol" } else { "chromosome" };
    let mut text = format!(
        "\n[stages.variants]                     # drops become a table: where several have a variant, the latest one counts\n\
         type = \"table\"\ninput = \"annotated\"\nkey = [\"chromosome\", \"position\", \"reference\", \"alternate\"{structural}]\n\
         conflict = \"latest_drop\"\n\
         \n[stages.{}]                 # maintained incrementally: a drop changes only the rows that it touches\n\
         type = \"aggregate\"\ninput = \"variants\"\ngroup_by = [\"{group}\"]\n[stages.{}.columns]\nvariant_count = \"count(*)\"\n",
        summary(annotation),
        summary(annotation)
    );
    if look.has_quality {
        text += "avg_quality = \"avg(quality)\"\n";
    }
    if annotation.is_some() {
        text += "high_impact_count = \"count(*) FILTER (WHERE impact = 'HIGH')\"\n";
    }
    if columns.contains(&"CLNSIG") {
        text += "pathogenic_count = \"count(*) FILTER (WHERE clnsig = 'Pathogenic')\"\n";
    }
    text
}
