//! What a VCF header says of an INFO field.

use std::any::Any;

use crate::vcf::VcfHeader;

/// The description of an INFO field, if the header of the drop is a VCF header and declares it.
pub(super) fn description<'a>(header: &'a (dyn Any + Send + Sync), field: &str) -> Option<&'a str> {
    let header = header.downcast_ref::<VcfHeader>()?;
    header.info.get(field).map(|definition| definition.description.as_str())
}
