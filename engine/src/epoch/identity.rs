//! New identities, from the operating system's random numbers.

use vardelta_schemas::Identity;

use crate::error::RunError;

/// An identity that nothing else has.
pub(crate) fn random() -> Result<Identity, RunError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| RunError::internal(format!("the operating system gives no random numbers: {error}")))?;
    Ok(Identity::from_bytes(bytes))
}
