"""The tools of the comparison: how each is called, and how its summary by gene is read."""

import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUMMARY = "SELECT gene_symbol, variant_count, avg_quality, coalesce(pathogenic_count, 0) FROM mutation_summary"
POSTGRES_PORT = 54_397


class Missing(Exception):
    """Why a tool cannot be measured."""


def said(command, **options):
    """What a command prints; `Missing` where it cannot be started or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, **options)
    except FileNotFoundError:
        raise Missing(f"`{command[0]}` is not installed") from None
    except subprocess.CalledProcessError as error:
        words = "; ".join((error.stderr or error.stdout or "no message").strip().splitlines()[-3:])
        raise Missing(f"`{Path(command[0]).name}` failed: {words[-300:]}") from None
    return done.stdout


def summary_of(rows):
    """Rows as gene -> (count, average, pathogenic)."""
    return {gene: (int(count), float(average), int(pathogenic)) for gene, count, average, pathogenic in rows}


def tabbed(text):
    return [line.split("\t") for line in text.splitlines()]


class Scratch:
    """The input, and what several tools share; everything is gone afterwards."""

    def __init__(self, directory, vardelta, python, records):
        self.directory, self.python = Path(directory), python
        self.vardelta = shutil.which(vardelta) or str(Path(vardelta).resolve())
        self.plain, self.packed = self.directory / "drop.vcf", self.directory / "drop.vcf.gz"
        for path in (self.plain, self.packed):
            said([self.vardelta, "generate", "--quiet", "--records", str(records), "--out", str(path)])
        self.bytes = self.plain.stat().st_size
        self.postgres = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.postgres:
            self.postgres.stop()


class Tool:
    """One tool: what it is called, and by default a program that needs nothing but its arguments."""

    title = ""
    has_pathogenic = True

    def check(self, scratch):
        """Raises `Missing` where the tool is not there."""
        self.version(scratch)

    def prepare(self, scratch, target):
        """What is not timed."""

    def environment(self, _scratch, target):
        return {**os.environ, "HOME": str(target)}

    def server_cpu_seconds(self, _scratch):
        return 0.0


class SqliteResult(Tool):
    """A tool that leaves `out.sqlite`."""

    def summary(self, _scratch, target):
        with sqlite3.connect(target / "out.sqlite") as database:
            return summary_of(database.execute(SUMMARY))


class Vardelta(SqliteResult):
    title = "vardelta, first load into SQLite"

    def version(self, scratch):
        return said([scratch.vardelta, "--version"]).split()[-1]

    def prepare(self, scratch, target):
        shutil.copy(HERE / "pipeline.toml", target)

    def commands(self, scratch, target):
        return [[scratch.vardelta, "run", str(target / "pipeline.toml"), str(scratch.plain), "--quiet"]]


class Bcftools(SqliteResult):
    title = "`bcftools query \\| sqlite3`"

    def version(self, _scratch):
        sqlite = said(["sqlite3", "--version"]).split()[0]
        return f"{said(['bcftools', '--version']).split()[1]}, {sqlite}"

    def commands(self, scratch, target):
        return [[str(HERE / "bcftools_sqlite.sh"), str(scratch.plain), str(target / "out.sqlite")]]


class PlainPython(SqliteResult):
    title = "Python script, standard library, into SQLite"

    def version(self, scratch):
        return said([scratch.python, "--version"]).split()[1]

    def commands(self, scratch, target):
        return [[scratch.python, str(HERE / "plain_python.py"), str(scratch.plain), str(target / "out.sqlite")]]


class Packaged(Tool):
    """A script that imports a package."""

    package = ""

    def version(self, scratch):
        code = f"import importlib.metadata as m, {self.package}; print(m.version('{self.package}'))"
        return said([scratch.python, "-c", code]).strip()

    def read(self, scratch, code, *arguments):
        return summary_of(tabbed(said([scratch.python, "-c", code, *map(str, arguments)])))


class Duckdb(Packaged):
    title, package = "Python script, DuckDB", "duckdb"

    def commands(self, scratch, target):
        return [[scratch.python, str(HERE / "duckdb_sql.py"), str(scratch.plain), str(target / "out.duckdb")]]

    def summary(self, scratch, target):
        code = "import duckdb, sys\nfor row in duckdb.connect(sys.argv[1]).execute(sys.argv[2]).fetchall(): print(*row, sep='\\t')"
        return self.read(scratch, code, target / "out.duckdb", SUMMARY)


class Polars(Packaged):
    title, package = "Python script, polars, into Parquet", "polars"

    def commands(self, scratch, target):
        return [[scratch.python, str(HERE / "polars_frame.py"), str(scratch.plain), str(target)]]

    def summary(self, scratch, target):
        code = (
            "import polars, sys\n"
            "names = ['gene_symbol', 'variant_count', 'avg_quality', 'pathogenic_count']\n"
            "for row in polars.read_parquet(sys.argv[1]).select(names).rows(): print(*row, sep='\\t')"
        )
        return self.read(scratch, code, target / "mutation_summary.parquet")


def beside(python, program):
    """A program of the virtual environment that a Python is of."""
    path = Path(python).parent / program
    if not path.is_file():
        raise Missing(f"`{program}` is not installed beside {Path(python).name}")
    return str(path)


class Postgres:
    """A private server on the loopback interface."""

    def __init__(self, scratch):
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not programs:
            raise Missing("no PostgreSQL server is installed")
        self.programs, self.directory = programs[-1].parent, scratch.directory / "postgres"
        self.directory.mkdir()
        # The server refuses to run as root.
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.as_user:
            shutil.chown(self.directory, "postgres")
            scratch.directory.chmod(0o755)
        data = str(self.directory / "data")
        self.run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
        options = f"-p {POSTGRES_PORT} -h 127.0.0.1 -k {self.directory}"
        self.run("pg_ctl", "-D", data, "-w", "-l", str(self.directory / "log"), "-o", options, "start", captures=False)
        self.pid = int((self.directory / "data/postmaster.pid").read_text().split()[0])

    def run(self, program, *arguments, captures=True):
        command = [*self.as_user, str(self.programs / program), *arguments]
        if captures:
            return said(command, cwd="/")
        # What the server inherits stays open: nobody must wait for its end.
        if subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode:
            raise Missing("the PostgreSQL server does not start")
        return ""

    def stop(self):
        self.run("pg_ctl", "-D", str(self.directory / "data"), "-m", "fast", "-w", "stop", captures=False)

    def query(self, text, database="postgres"):
        address = ["-h", "127.0.0.1", "-p", str(POSTGRES_PORT), "-U", "postgres"]
        return said(["psql", *address, "-d", database, "-X", "-A", "-t", "-F", "\t", "-c", text])

    def cpu_seconds(self):
        """Of the server, its processes, and those that have ended (proc_pid_stat(5), fields 4 and 14 to 17)."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat.parent.name) == self.pid:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == self.pid:
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")


class VcfPgLoader(Tool):
    """It keeps no CLNSIG, so its summary is compared without."""

    title, has_pathogenic = "vcf-pg-loader, into PostgreSQL (no significance)", False

    def check(self, scratch):
        beside(scratch.python, "vcf-pg-loader")
        scratch.postgres = scratch.postgres or Postgres(scratch)

    def version(self, scratch):
        own = said([beside(scratch.python, "vcf-pg-loader"), "--version"]).split()[-1]
        return f"{own}, {scratch.postgres.query('SHOW server_version').split()[0]}"

    def address(self):
        return f"postgresql://postgres@127.0.0.1:{POSTGRES_PORT}/variants"

    def prepare(self, scratch, target):
        for text in ("DROP DATABASE IF EXISTS variants", "CREATE DATABASE variants"):
            scratch.postgres.query(text)
        said([beside(scratch.python, "vcf-pg-loader"), "init-db", "--db", self.address()])

    def commands(self, scratch, _target):
        workers = str(os.cpu_count())
        program = beside(scratch.python, "vcf-pg-loader")
        options = ["--db", self.address(), "--workers", workers, "--no-progress", "--quiet"]
        return [[program, "load", str(scratch.plain), *options]]

    def summary(self, scratch, _target):
        text = (
            "SELECT gene, count(*), avg(least(qual::numeric, 100)), 0 FROM variants"
            " WHERE filter IS NULL AND qual >= 20 AND gene IS NOT NULL GROUP BY gene"
        )
        return summary_of(tabbed(scratch.postgres.query(text, "variants")))

    def server_cpu_seconds(self, scratch):
        return scratch.postgres.cpu_seconds()


class Vcfclick(Tool):
    """It takes alleles that bcftools has split, and keeps the annotations as text."""

    title = "`bcftools norm`, then vcfclick (annotations stay text)"

    def version(self, scratch):
        return said([beside(scratch.python, "vcfclick"), "--version"]).split()[-1]

    def environment(self, _scratch, target):
        return {**os.environ, "HOME": str(target), "VCFCLICK_HOME": str(target / "vcfclick")}

    def prepare(self, scratch, target):
        said([beside(scratch.python, "vcfclick"), "db", "create", "bench"], env=self.environment(scratch, target))

    def commands(self, scratch, target):
        split = str(target / "split.vcf.gz")
        # In parallel it leaves out records on this input, which the comparison found.
        return [
            ["bcftools", "norm", "-m", "-", "-Oz", "-o", split, str(scratch.packed)],
            ["bcftools", "index", "-t", split],
            [beside(scratch.python, "vcfclick"), "db", "ingest", "bench", split, "--serial"],
        ]

    def summary(self, scratch, target):
        # The annotation names its allele; ClickHouse finds the first that is the row's.
        text = (
            "SELECT splitByChar('|', arrayFirst(e -> startsWith(e, concat(alt, '|')), splitByChar(',', info_extra['ANN'])))[4]"
            " AS gene, count(), avg(least(toFloat64(qual), 100)), countIf(info_extra['CLNSIG'] = 'Pathogenic') FROM variants"
            " WHERE (filter IS NULL OR filter = 'PASS') AND qual >= 20 AND gene <> '' GROUP BY gene"
        )
        command = [beside(scratch.python, "vcfclick"), "db", "query", "bench", text, "--format", "TSV"]
        rows = tabbed(said(command, env=self.environment(scratch, target)))
        return summary_of(row for row in rows if len(row) == 4)


class Vcf2db(Tool):
    """It is named because people ask for it."""

    title = "vcf2db"

    def check(self, _scratch):
        raise Missing("PyPI has no package of the name")


TOOLS = {
    "vardelta": Vardelta,
    "bcftools": Bcftools,
    "python": PlainPython,
    "duckdb": Duckdb,
    "polars": Polars,
    "vcf-pg-loader": VcfPgLoader,
    "vcfclick": Vcfclick,
    "vcf2db": Vcf2db,
}
