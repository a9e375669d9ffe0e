//! What the service knows of genes.

use serde_json::{Value, json};

/// Symbol, Entrez number, name, place on the chromosome.
const GENES: &[(&str, u32, &str, &str)] = &[
    ("ABCA4", 24, "ATP binding cassette subfamily A member 4", "1p22.1"),
    ("ALK", 238, "ALK receptor tyrosine kinase", "2p23.2-p23.1"),
    ("APC", 324, "APC regulator of WNT signaling pathway", "5q22.2"),
    ("ATM", 472, "ATM serine/threonine kinase", "11q22.3"),
    ("BRAF", 673, "B-Raf proto-oncogene, serine/threonine kinase", "7q34"),
    ("BRCA1", 672, "BRCA1 DNA repair associated", "17q21.31"),
    ("BRCA2", 675, "BRCA2 DNA repair associated", "13q13.1"),
    ("CDH1", 999, "cadherin 1", "16q22.1"),
    ("CDKN2A", 1029, "cyclin dependent kinase inhibitor 2A", "9p21.3"),
    ("CFTR", 1080, "CF transmembrane conductance regulator", "7q31.2"),
    ("CHEK2", 11200, "checkpoint kinase 2", "22q12.1"),
    ("CYP2C19", 1557, "cytochrome P450 family 2 subfamily C member 19", "10q23.33"),
    ("CYP2D6", 1565, "cytochrome P450 family 2 subfamily D member 6", "22q13.2"),
    ("DMD", 1756, "dystrophin", "Xp21.2-p21.1"),
    ("DPYD", 1806, "dihydropyrimidine dehydrogenase", "1p21.3"),
    ("EGFR", 1956, "epidermal growth factor receptor", "7p11.2"),
    ("ERBB2", 2064, "erb-b2 receptor tyrosine kinase 2", "17q12"),
    ("F5", 2153, "coagulation factor V", "1q24.2"),
    ("FBN1", 2200, "fibrillin 1", "15q21.1"),
    ("GBA1", 2629, "glucosylceramidase beta 1", "1q22"),
    ("HBB", 3043, "hemoglobin subunit beta", "11p15.4"),
    ("HFE", 3077, "homeostatic iron regulator", "6p22.2"),
    ("HTT", 3064, "huntingtin", "4p16.3"),
    ("JAK2", 3717, "Janus kinase 2", "9p24.1"),
    ("KCNQ1", 3784, "potassium voltage-gated channel subfamily Q member 1", "11p15.5-p15.4"),
    ("KIT", 3815, "KIT proto-oncogene, receptor tyrosine kinase", "4q12"),
    ("KRAS", 3845, "KRAS proto-oncogene, GTPase", "12p12.1"),
    ("LDLR", 3949, "low density lipoprotein receptor", "19p13.2"),
    ("LMNA", 4000, "lamin A/C", "1q22"),
    ("MLH1", 4292, "mutL homolog 1", "3p22.2"),
    ("MSH2", 4436, "mutS homolog 2", "2p21-p16.3"),
    ("MSH6", 2956, "mutS homolog 6", "2p16.3"),
    ("MUTYH", 4595, "mutY DNA glycosylase", "1p34.1"),
    ("MYBPC3", 4607, "myosin binding protein C3", "11p11.2"),
    ("MYH7", 4625, "myosin heavy chain 7", "14q11.2"),
    ("NF1", 4763, "neurofibromin 1", "17q11.2"),
    ("NRAS", 4893, "NRAS proto-oncogene, GTPase", "1p13.2"),
    ("PAH", 5053, "phenylalanine hydroxylase", "12q23.2"),
    ("PALB2", 79728, "partner and localizer of BRCA2", "16p12.2"),
    ("PIK3CA", 5290, "phosphatidylinositol-4,5-bisphosphate 3-kinase catalytic subunit alpha", "3q26.32"),
    ("PTEN", 5728, "phosphatase and tensin homolog", "10q23.31"),
    ("RB1", 5925, "RB transcriptional corepressor 1", "13q14.2"),
    ("RET", 5979, "ret proto-oncogene", "10q11.21"),
    ("SCN5A", 6331, "sodium voltage-gated channel alpha subunit 5", "3p22.2"),
    ("SLCO1B1", 10599, "solute carrier organic anion transporter family member 1B1", "12p12.1"),
    ("SMAD4", 4089, "SMAD family member 4", "18q21.2"),
    ("STK11", 6794, "serine/threonine kinase 11", "19p13.3"),
    ("TP53", 7157, "tumor protein p53", "17p13.1"),
    ("TPMT", 7172, "thiopurine S-methyltransferase", "6p22.3"),
    ("TTN", 7273, "titin", "2q31.2"),
    ("VHL", 7428, "von Hippel-Lindau tumor suppressor", "3p25.3"),
    ("VKORC1", 79001, "vitamin K epoxide reductase complex subunit 1", "16p11.2"),
];

/// The facts of a gene; `None` where it is not known. `GENE` and a number is a made-up gene, for tests of size.
pub(crate) fn of(symbol: &str) -> Option<Value> {
    if let Some(number) = symbol.strip_prefix("GENE").and_then(|digits| digits.parse::<u32>().ok()) {
        let name = format!("made-up gene {number}");
        return Some(
            json!({ "entrezgene": number, "name": name, "map_location": null, "score": f64::from(number) / 7.0 }),
        );
    }
    let (_, entrez, name, place) = GENES.iter().find(|gene| gene.0 == symbol)?;
    // As MyGene.info does it: the number is a text.
    Some(
        json!({ "entrezgene": entrez.to_string(), "name": name, "map_location": place, "score": f64::from(*entrez) / 7.0 }),
    )
}
