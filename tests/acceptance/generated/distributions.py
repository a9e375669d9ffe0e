"""Holds generated files against docs/generate.md: what the table there says how often, counted in the files of a folder by other means than
those that made them. A share may differ from what is said by five standard deviations of so many draws."""

import bisect
import collections
import math
import pathlib
import sys

wrong = []
checked = 0


def fits(what, seen, of, share):
    """Whether `seen` of `of` draws is what comes of a probability."""
    global checked
    checked += 1
    allowed = 5 * math.sqrt(of * share * (1 - share)) + 1
    if abs(seen - of * share) > allowed:
        wrong.append(f"{what}: {seen} of {of}, said is {share:.4f}")


def holds(what, is_so):
    """Whether something is so without any chance in it."""
    global checked
    checked += 1
    if not is_so:
        wrong.append(what)


def lines(name):
    """The data lines of a file, in columns."""
    with open(folder / name, encoding="ascii") as file:
        return [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]


def fields(info):
    """The INFO column."""
    return dict(field.split("=", 1) for field in info.split(";"))


class Model:
    """Genes and exons as the GFF3 has them."""

    def __init__(self, rows):
        self.genes = collections.defaultdict(list)
        self.exons = collections.defaultdict(list)
        for row in rows:
            (chromosome, _, kind, start, end), attributes = row[:5], row[8]
            if kind == "gene":
                name = attributes.split("Name=")[1].split(";")[0]
                self.genes[chromosome].append((int(start), int(end), name))
            elif kind == "exon":
                self.exons[chromosome].append((int(start), int(end)))
        for features in list(self.genes.values()) + list(self.exons.values()):
            features.sort()

    @staticmethod
    def at(features, position):
        """The feature that holds a position."""
        place = bisect.bisect_right(features, (position, math.inf)) - 1
        found = features[place] if place >= 0 else None
        return found if found and found[1] >= position else None

    def gene(self, chromosome, position):
        found = self.at(self.genes[chromosome], position)
        return found and found[2]

    def is_exonic(self, chromosome, position):
        return self.at(self.exons[chromosome], position) is not None


def shape(reference, alternates):
    if alternates[0].startswith("<"):
        return "symbolic"
    if len(alternates) == 2:
        return "two SNVs" if len(alternates[0]) == len(alternates[1]) == 1 else "insertion and SNV"
    difference = len(alternates[0]) - len(reference)
    if difference:
        return "insertion" if difference > 0 else "deletion"
    return "two bases" if len(reference) == 2 else "SNV"


def calls(rows, model):
    n = len(rows)
    shapes, kinds, exonic = collections.Counter(), collections.Counter(), 0
    of_genes, indels = collections.Counter(), collections.Counter()
    spans, frequencies = [], []
    entries, second, next_gene = 0, 0, 0
    fails, places = 0, []
    for chromosome, position, _, reference, alternate, quality, judged, info, *_ in rows:
        position, alternates, values = int(position), alternate.split(","), fields(info)
        what = shape(reference, alternates)
        shapes[what] += 1
        gene = model.gene(chromosome, position)
        holds(f"{chromosome}:{position} lies in a gene", gene is not None)
        places.append((chromosome, position))
        is_exonic = model.is_exonic(chromosome, position)
        exonic += is_exonic
        of_genes[gene] += 1
        if what in ("insertion", "deletion"):
            length = abs(len(alternate) - len(reference))
            indels[length] += 1
            holds("the first base is shared", alternate[0] == reference[0])
        holds("alleles differ", reference not in alternates and len(set(alternates)) == len(alternates))
        frequencies += map(float, values["AF"].split(","))
        holds("a frequency for each allele", values["AF"].count(",") == alternate.count(","))
        if what == "symbolic":
            kind, length = values["SVTYPE"], int(values["SVLEN"])
            kinds[kind] += 1
            spans.append(abs(length))
            holds("the allele is of its type", alternate == f"<{kind}>")
            holds("only what is deleted is negative", (length < 0) == (kind == "DEL"))
            holds("END is after it", int(values["END"]) == position + (0 if kind == "INS" else abs(length)))
        fails += judged == "q20"
        holds("QUAL is as FILTER says", (float(quality) < 20) == (judged == "q20") and float(quality) <= 100)
        annotations(values, gene, alternates, is_exonic, what)
        for entry in values["ANN"].split(","):
            parts = entry.split("|")
            if parts[3] != gene:
                next_gene += 1
            elif parts[6].endswith("2.1"):
                second += 1
            else:
                entries += 1
    for what, share in [
        ("SNV", 0.85), ("two SNVs", 0.025), ("insertion", 0.055), ("deletion", 0.05),
        ("insertion and SNV", 0.005), ("two bases", 0.01), ("symbolic", 0.005),
    ]:
        fits(what, shapes[what], n, share)
    for kind, parts in [("DEL", 5), ("DUP", 3), ("INS", 2), ("INV", 1)]:
        fits(kind, kinds[kind], shapes["symbolic"], parts / 11)
    fits("in exons", exonic, n, 0.6)
    all_genes = sum(map(len, model.genes.values()))
    even = n / all_genes
    holds("evenly over the genes", all(abs(count - even) <= 2 for count in of_genes.values()))
    holds("every gene", len(of_genes) == all_genes or even < 2)
    for length in range(1, 13):
        fits(f"indels of {length}", indels[length], sum(indels.values()), 1 / 12)
    holds("no longer indels", not set(indels) - set(range(1, 13)))
    holds("50 to 100,000 bases", all(50 <= span <= 100_000 for span in spans))
    for low, high in [(50, 500), (500, 5_000), (5_000, 50_000)]:
        fits(f"{low} to {high} bases", sum(low <= span < high for span in spans), len(spans), 1 / math.log10(2_000))
    holds("1e-6 to 0.5", all(0.999e-6 <= frequency <= 0.5 for frequency in frequencies))
    for decade in range(1, 6):
        inside = sum(10.0 ** -(decade + 1) <= frequency < 10.0**-decade for frequency in frequencies)
        fits(f"frequencies below 1e-{decade}", inside, len(frequencies), 1 / math.log10(0.5 / 1e-6))
    fits("q20", fails, n, 0.05)
    holds("an entry for each allele", entries == len(frequencies))
    fits("entries for a second transcript", second, len(frequencies), 0.4)
    fits("entries for the next gene", next_gene, len(frequencies), 0.1)
    order = {name: at for at, name in enumerate(model.genes)}
    places = [(order[chromosome], position) for chromosome, position in places]
    holds("in the order of the genome", places == sorted(places))
    significances([fields(row[7]).get("CLNSIG") for row in rows if row[4][0] != "<"], 0.3)
    holds("none of symbolic alleles", all("CLNSIG" not in fields(row[7]) for row in rows if row[4][0] == "<"))


def annotations(values, gene, alternates, is_exonic, what):
    """What both fields say of the alleles, in their order."""
    told = [entry.split("|") for entry in values["ANN"].split(",")]
    told = [parts for parts in told if parts[3] == gene and parts[6].endswith("1.1")]
    holds("ANN has the alleles in their order", [parts[0] for parts in told] == alternates)
    vep = [entry.split("|") for entry in values["CSQ"].split(",")]
    vep = [parts for parts in vep if parts[3] == gene and parts[6].endswith("1.1")]
    holds("CSQ has the alleles' frequencies", [parts[12] for parts in vep] == values["AF"].split(","))
    for parts in told:
        says_intron = "intron_variant" in parts[1]
        if what in ("SNV", "two SNVs", "two bases"):
            holds("what is in an exon has no intron's consequence", says_intron != is_exonic)


def significances(terms, share):
    known = [term for term in terms if term is not None]
    fits("classified", len(known), len(terms), share)
    for what, words, share in [
        ("uncertain", ["Uncertain_significance"], 0.43),
        ("benign of some kind", ["Benign", "Likely_benign", "Benign/Likely_benign"], 0.39),
        ("pathogenic of some kind", ["Pathogenic", "Likely_pathogenic", "Pathogenic/Likely_pathogenic"], 0.115),
        ("conflicting", ["Conflicting_classifications_of_pathogenicity"], 0.06),
    ]:
        fits(what, sum(term in words for term in known), len(known), share)


def genotypes(rows):
    missing = drawn = seen = 0
    expected = variance = 0.0
    for row in rows:
        rare = sum(map(float, fields(row[7])["AF"].split(",")))
        for sample in row[9:]:
            genotype = sample.split(":")[0]
            drawn += 1
            if genotype == "./.":
                missing += 1
                continue
            seen += sum(allele != "0" for allele in genotype.split("/"))
            expected += 2 * rare
            variance += 2 * rare * (1 - rare)
    holds("there are samples", drawn > 0)
    fits("missing genotypes", missing, drawn, 0.02)
    holds(f"genotypes follow AF: {seen} of {expected:.0f}", abs(seen - expected) <= 5 * math.sqrt(variance) + 1)


def clinvar(first, second):
    sites = [[row[:5] for row in rows] for rows in (first, second)]
    holds("a later release is of the same sites", sites[0] == sites[1])
    terms = [[fields(row[7])["CLNSIG"] for row in rows] for rows in (first, second)]
    shares = [count / len(first) for count in collections.Counter(terms[0]).values()]
    # Some are classified again as what they were.
    others = 1 - sum(share**2 for share in shares)
    fits("classified again", sum(map(str.__ne__, *terms)), len(first), 0.01 * others)
    significances(terms[0], 1 - 1e-9)


def drugs(rows, model):
    genes = sum(map(len, model.genes.values()))
    counts = collections.Counter(row[0] for row in rows[1:])
    fits("genes with drugs", len(counts), genes, 0.25)
    for drugs in (1, 2, 3):
        share = 1 / (drugs * (drugs + 1))
        fits(f"genes with {drugs} drugs", sum(count == drugs for count in counts.values()), len(counts), share)
    holds("at most 60", max(counts.values()) <= 60)


def broken(rows, share):
    def kind(row):
        if len(row) < 8:
            return "a column is missing"
        if not row[1].isdigit():
            return "a position is none"
        if not row[5].replace(".", "", 1).isdigit():
            return "a word for a number"
        return None if set(row[4]) <= set("ACGT,<>DELUPINSV") else "an allele is none"

    kinds = collections.Counter(map(kind, rows))
    bad = len(rows) - kinds[None]
    fits("broken", bad, len(rows), share)
    for what in kinds.keys() - {None}:
        fits(what, kinds[what], bad, 0.25)
    holds("four ways of being broken", len(kinds) == 5)


folder = pathlib.Path(sys.argv[1])
model = Model(lines("genes.gff3"))
first, second = lines("calls.vcf"), lines("next.vcf")
calls(first, model)
genotypes(first)
# The identifier is the site's.
fits("sites of every drop", len({row[2] for row in first} & {row[2] for row in second}), len(first), 0.5)
clinvar(lines("clinvar.vcf"), lines("release.vcf"))
drugs(lines("drugs.tsv"), model)
broken(lines("broken.vcf"), 0.05)
for message in list(dict.fromkeys(wrong))[:20]:
    print(message)
print(f"{len(wrong)} of {checked} are wrong")
sys.exit(1 if wrong else 0)
