//! What the measurements share: one temporary directory, the generated drops, and histories loaded once.

use std::{
    cell::OnceCell,
    fs::{self, File},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    Arguments,
    binary::{Binary, Run},
    failure::{Result, expect_equal},
    generate::{self, Expected, Packing, Spread},
    genome::CHROMOSOMES,
    pipeline,
    sizes::Sizes,
};

/// What the measurements share. Dropping it removes all files.
pub struct Fixtures {
    /// How much is measured.
    pub sizes: Sizes,
    directory: TempDir,
    binary_path: Option<PathBuf>,
    binary: OnceCell<Binary>,
}

/// A generated drop.
#[derive(Clone, Debug)]
pub struct Drop {
    /// The file.
    pub path: PathBuf,
    /// What loading it must lead to.
    pub expected: Expected,
}

/// A directory with the pipeline file and, after a run, the database and its state.
pub struct Warehouse {
    directory: TempDir,
}

impl Fixtures {
    /// An empty temporary directory.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(arguments: &Arguments, sizes: Sizes) -> Result<Fixtures> {
        let base = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
        let directory = tempfile::Builder::new().prefix("vardelta-bench-").tempdir_in(&base);
        let directory = directory.map_err(|error| format!("{}: {error}", base.display()))?;
        Ok(Fixtures { sizes, directory, binary_path: arguments.vardelta.clone(), binary: OnceCell::new() })
    }

    /// The binary, built when it is first needed.
    ///
    /// # Errors
    /// As [`Binary::new`].
    pub fn binary(&self) -> Result<&Binary> {
        if self.binary.get().is_none() {
            let binary = Binary::new(self.binary_path.as_deref())?;
            let _ = self.binary.set(binary);
        }
        self.binary.get().ok_or_else(|| "the binary was just built".into())
    }

    /// A history of this many records.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn history(&self, records: u64, packing: Packing) -> Result<Drop> {
        let path = self.path(&format!("history-{records}"), packing);
        let expected = generate::history(&path, packing, records)?;
        Ok(Drop { path, expected })
    }

    /// The drop that comes on top of a history of this many records.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn change(&self, spread: Spread, history_records: u64) -> Result<Drop> {
        let path = self.path(&format!("change-{spread:?}-{history_records}").to_lowercase(), Packing::Plain);
        let expected = generate::change(&path, Packing::Plain, spread, self.sizes.change_records, history_records)?;
        Ok(Drop { path, expected })
    }

    fn path(&self, name: &str, packing: Packing) -> PathBuf {
        let extension = if packing == Packing::Plain { "vcf" } else { "vcf.gz" };
        self.directory.path().join(format!("{name}.{extension}"))
    }

    /// An empty warehouse.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn warehouse(&self) -> Result<Warehouse> {
        let directory = self.scratch()?;
        fs::write(directory.path().join("pipeline.toml"), pipeline::TEXT)?;
        Ok(Warehouse { directory })
    }

    /// A warehouse that is a copy of this one, on disk and in the system's cache, so that neither is paid for by what is
    /// measured next.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn copy(&self, warehouse: &Warehouse) -> Result<Warehouse> {
        let directory = self.scratch()?;
        copy_files(warehouse.directory.path(), directory.path())?;
        Ok(Warehouse { directory })
    }

    /// A directory for whatever a measurement writes.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch(&self) -> Result<TempDir> {
        Ok(tempfile::tempdir_in(self.directory.path())?)
    }

    /// Loads a drop into an empty warehouse and checks what that led to.
    ///
    /// # Errors
    /// When it led to something else.
    pub fn load(&self, drop: &Drop, arguments: &[&str]) -> Result<(Warehouse, Run)> {
        let warehouse = self.warehouse()?;
        let run = warehouse.run(self.binary()?, drop, arguments)?;
        let Expected { records, filtered, inserted, genes, .. } = drop.expected;
        expect_equal("records read", records, run.of_drop("read")?)?;
        expect_equal("records filtered", filtered, run.of_drop("filtered")?)?;
        expect_equal("records loaded", records - filtered, run.of_drop("loaded")?)?;
        run.expect_changes(pipeline::VARIANTS, inserted, 0, 0)?;
        run.expect_changes(pipeline::BY_GENE, genes, 0, 0)?;
        run.expect_changes(pipeline::BY_CHROMOSOME, CHROMOSOMES.len() as u64, 0, 0)?;
        Ok((warehouse, run))
    }
}

impl Warehouse {
    /// The pipeline file.
    pub fn pipeline(&self) -> PathBuf {
        self.directory.path().join("pipeline.toml")
    }

    /// Runs the pipeline on one drop.
    ///
    /// # Errors
    /// When the run fails.
    pub fn run(&self, binary: &Binary, drop: &Drop, arguments: &[&str]) -> Result<Run> {
        binary.report("run", &self.pipeline(), &[&[text_of(&drop.path)?], arguments].concat())
    }

    /// Bytes of the database, and of the state beside it.
    ///
    /// # Errors
    /// When the files cannot be looked at.
    pub fn bytes(&self) -> Result<(u64, u64)> {
        let database = fs::metadata(self.directory.path().join("bench.sqlite"))?.len();
        Ok((database, bytes_in(&self.directory.path().join(".vardelta"))?))
    }
}

/// A path as an argument.
///
/// # Errors
/// When it is not UTF-8.
pub fn text_of(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()).into())
}

/// Bytes of all files below a directory.
///
/// # Errors
/// When it cannot be read.
pub fn bytes_in(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { bytes_in(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_files(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            // Else the run that is measured writes the copy to disk at its first sync.
            File::open(&target)?.sync_all()?;
        }
    }
    Ok(())
}
