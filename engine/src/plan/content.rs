//! What a plan computes together with the content of its side inputs: the text that the ledger keeps with every epoch.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::{
    contract::source::InputFile,
    error::{RunError, RunErrorKind},
    plan::{
        Plan, PlannedStage,
        stamp::{FileStamp, check_unchanged, digest_bytes, look_at},
    },
};

/// The key of a stage's side inputs in its definition: option to size, time and digest.
pub(super) const FILES: &str = "files";

/// Files up to this size are digested for every run. A larger one is taken for the file of the last epoch while its size
/// and time of modification are the same, so that a run over a genome's reference does not read the genome.
const ALWAYS_DIGESTED_BYTES: u64 = 16 << 20;

/// The definitions as the ledger keeps them; `None` where nothing was written down yet (empty text).
///
/// # Errors
/// When the text is no JSON object. Nobody but vardelta writes it, so this is a defect or somebody's hand; to take it for
/// other definitions, or for none, would change tables without need or leave them as they should not be.
pub(crate) fn standing(old_json: &str) -> Result<Option<Map<String, Json>>, RunError> {
    if old_json.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(old_json).map(Some).map_err(|error| {
        let begin: String = old_json.chars().take(60).collect();
        RunError::internal(format!(
            "the definition in the table vardelta_epochs is no JSON object ({error}): `{begin}`"
        ))
        .with_hint("Put a sound copy of the database back, if somebody has changed it; otherwise please report it.")
        .caused_by(error)
    })
}

/// Whose side inputs are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those of every stage.
    All,
    /// Those of the stages after tables; of the others it is taken that they are as they were. Nothing is read through
    /// them where only the state is worked with.
    AfterTables,
}

/// What the stages of a plan compute.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definitions {
    /// Stage to definition.
    pub(super) stages: Map<String, Json>,
    files: BTreeMap<(String, &'static str), (PathBuf, FileStamp)>,
}

impl Definitions {
    /// The definitions of a plan's stages with the content of their side inputs; `old_json` is what the last epoch wrote
    /// down.
    ///
    /// # Errors
    /// When a side input cannot be read, or what the last epoch wrote down.
    pub fn of(plan: &Plan, old_json: &str, wanted: Wanted) -> Result<Definitions, RunError> {
        let old = standing(old_json)?.unwrap_or_default();
        let mut definitions = Definitions::default();
        for stage in &plan.stages {
            let mut definition: Json =
                serde_json::from_str(&stage.definition).unwrap_or_else(|_| stage.definition.as_str().into());
            let before = old.get(&stage.name).and_then(|old| old.get(FILES));
            if wanted == Wanted::AfterTables && stage.before_tables {
                if let Some(before) = before {
                    definition[FILES] = before.clone();
                }
            } else {
                definitions.digest(stage, before, &mut definition)?;
            }
            definitions.stages.insert(stage.name.clone(), definition);
        }
        Ok(definitions)
    }

    /// Adds the content of one stage's side inputs.
    fn digest(&mut self, stage: &PlannedStage, before: Option<&Json>, definition: &mut Json) -> Result<(), RunError> {
        let mut files = Map::new();
        for side in stage.planned.side_inputs() {
            let unreadable = |error: std::io::Error| {
                RunError::new(
                    RunErrorKind::Input,
                    format!(
                        "{} cannot be read: {error} (`{}` of stage `{}`)",
                        side.path.display(),
                        side.option,
                        stage.name
                    ),
                )
                .with_hint("Check the path and the rights on it.")
            };
            let stamp = look_at(&side.path).map_err(unreadable)?;
            let known = before.and_then(|files| files.get(side.option)).filter(|known| {
                stamp.bytes > ALWAYS_DIGESTED_BYTES
                    && known["bytes"] == json!(stamp.bytes)
                    && known["modified"].as_str().is_some_and(|time| Some(time) == stamp.modified_text().as_deref())
            });
            let entry = match known {
                Some(known) => known.clone(),
                None => {
                    let digest = digest_bytes(&side.path).map_err(unreadable)?;
                    json!({ "bytes": stamp.bytes, "modified": stamp.modified_text(), "digest": digest })
                }
            };
            files.insert(side.option.to_owned(), entry);
            self.files.insert((stage.name.clone(), side.option), (side.path, stamp));
        }
        if !files.is_empty() {
            definition[FILES] = Json::Object(files);
        }
        Ok(())
    }

    /// The definitions as the ledger keeps them.
    pub fn to_json(&self) -> String {
        Json::Object(self.stages.clone()).to_string()
    }

    /// Refuses to go on when a side input is no longer the file that was digested.
    pub fn check_unchanged(&self) -> Result<(), RunError> {
        self.files.values().try_for_each(|(path, stamp)| check_unchanged(&InputFile::at(path), stamp))
    }

    /// Where the side input of a stage's option lies.
    pub(super) fn path(&self, stage: &str, option: &str) -> Option<String> {
        let mut found = self.files.iter().filter(|((of, name), _)| of == stage && *name == option);
        found.next().map(|(_, (path, _))| path.display().to_string())
    }
}

/// Definitions without the times of their files, which say nothing of what is computed.
pub(super) fn without_times(mut stages: Map<String, Json>) -> Map<String, Json> {
    for definition in stages.values_mut() {
        let files = definition.get_mut(FILES).and_then(Json::as_object_mut);
        for file in files.into_iter().flat_map(Map::values_mut).filter_map(Json::as_object_mut) {
            file.remove("modified");
        }
    }
    stages
}
