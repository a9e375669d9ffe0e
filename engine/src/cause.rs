//! What an error came from.

use std::{error::Error, sync::Arc};

/// What an error came from: kept so that nobody has to read a text to tell.
pub type Cause = Arc<dyn Error + Send + Sync>;
