//! The events of one run.

use serde_json::{Value, json};

use super::{
    datasets::Datasets,
    facet::{PRODUCER, SCHEMA_URL, facet},
    run_id,
};
use crate::operate::clock;

/// The name space of jobs.
const NAMESPACE: &str = "vardelta";

/// A run, as its events name it.
pub struct Run {
    id: String,
    pipeline: String,
}

impl Run {
    /// A new run of a pipeline.
    pub fn new(pipeline: &str) -> Run {
        Run { id: run_id::new(), pipeline: pipeline.to_owned() }
    }

    /// An event of now.
    pub fn event(&self, state: &str, datasets: &Datasets, error: Option<&str>) -> Value {
        let version = env!("CARGO_PKG_VERSION");
        let engine = json!({ "version": version, "name": "vardelta", "openlineageAdapterVersion": version });
        let mut run_facets = json!({ "processing_engine": facet("1-1-1", "ProcessingEngineRunFacet", engine) });
        if let Some(error) = error {
            let message = json!({ "message": error, "programmingLanguage": "Rust" });
            run_facets["errorMessage"] = facet("1-0-1", "ErrorMessageRunFacet", message);
        }
        let job_type = json!({ "processingType": "BATCH", "integration": "VARDELTA", "jobType": "PIPELINE" });
        json!({
            "eventType": state,
            "eventTime": clock::now(),
            "producer": PRODUCER,
            "schemaURL": SCHEMA_URL,
            "run": { "runId": self.id, "facets": run_facets },
            "job": {
                "namespace": NAMESPACE,
                "name": self.pipeline,
                "facets": { "jobType": facet("2-0-4", "JobTypeJobFacet", job_type) },
            },
            "inputs": datasets.inputs,
            "outputs": datasets.outputs,
        })
    }
}
