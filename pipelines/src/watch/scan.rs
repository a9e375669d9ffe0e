//! One look at the folders of a pipeline: the truth, where everything else is a hint.

use std::{collections::BTreeSet, fs, io::ErrorKind, path::PathBuf};

use vardelta_engine::{
    contract::{source::Discovered, stage::Planned},
    path_text::to_text,
    plan::Plan,
};

use crate::stamp::Stamp;

/// A file as a source finds it: the stage's name, and the path.
pub type Key = (String, PathBuf);

/// What a look found.
#[derive(Debug, Default)]
pub struct Scan {
    /// The files that may be drops.
    pub files: Vec<(Key, Stamp)>,
    /// Files that are no drops by their names, with what they are.
    pub left_alone: Vec<(PathBuf, String)>,
    /// Sources whose folders could not be read, with the reason: what lies there is as it was the last time.
    pub unreadable: Vec<(String, String)>,
    /// Sources whose path matches nothing, in words.
    pub empty: Vec<(String, String)>,
}

/// Looks at the folders of every source.
pub fn scan(plan: &Plan) -> Scan {
    let mut scan = Scan::default();
    for stage in &plan.stages {
        let Planned::Source(source) = &stage.planned else { continue };
        if source.pattern().is_none() {
            continue;
        }
        let name = &stage.name;
        let Discovered { paths, left_alone, notices } = match source.discover() {
            Ok(discovered) => discovered,
            Err(error) => {
                scan.unreadable.push((name.clone(), error.message));
                continue;
            }
        };
        if paths.is_empty() {
            scan.empty.extend(notices.into_iter().next().map(|notice| (name.clone(), notice)));
        }
        scan.left_alone.extend(left_alone.into_iter().map(|(path, what)| (path, what.to_owned())));
        for path in paths {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => scan.files.push(((name.clone(), path), Stamp::of(&metadata))),
                // Reading a pipe would wait, and take from it what is somebody's.
                Ok(_) => scan.left_alone.push((path, "no regular file".into())),
                // Gone again, or a link that leads nowhere yet.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => scan.unreadable.push((name.clone(), format!("{}: {error}", path.display()))),
            }
        }
    }
    scan
}

/// What is reported of files that are no drops: of each once, as long as it lies there.
#[derive(Debug, Default)]
pub struct ToldOnce {
    told: BTreeSet<PathBuf>,
}

impl ToldOnce {
    /// Those that were not reported yet, as one sentence.
    pub fn news(&mut self, left_alone: &[(PathBuf, String)]) -> Option<String> {
        const NAMED: usize = 5;
        let there: BTreeSet<PathBuf> = left_alone.iter().map(|(path, _)| path.clone()).collect();
        let new: Vec<&(PathBuf, String)> = left_alone.iter().filter(|(path, _)| !self.told.contains(path)).collect();
        let names = new
            .iter()
            .take(NAMED)
            .map(|(path, what)| format!("{} ({what})", to_text(path.file_name().unwrap_or(path.as_os_str()))));
        let names = names.collect::<Vec<_>>().join(", ");
        let more = match new.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = (!new.is_empty()).then(|| format!("left alone, since these are no drops: {names}{more}"));
        self.told = there;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_drop_is_told_once_while_it_lies_there() {
        let mut told = ToldOnce::default();
        let part = (PathBuf::from("drops/a.vcf.part"), "still being copied".to_owned());
        let sum = (PathBuf::from("drops/a.vcf.md5"), "a checksum or signature".to_owned());
        let first = told.news(std::slice::from_ref(&part));
        assert_eq!(first.as_deref(), Some("left alone, since these are no drops: a.vcf.part (still being copied)"));
        assert_eq!(told.news(std::slice::from_ref(&part)), None);
        assert!(told.news(&[part.clone(), sum.clone()]).is_some_and(|text| !text.contains("part")));
        assert_eq!(told.news(&[]), None);
        assert!(told.news(&[part]).is_some(), "another one of the same name");
    }
}
