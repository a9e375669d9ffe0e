//! What a VCF header says of an INFO field.

use std::any::Any;

use crate::sources::vcf::{Definition, VcfHeader};

/// The description of an INFO field, if the header of the drop is a VCF header and declares it. A field that is declared
/// in another case is taken where none has the very name, as column names do not keep the case.
pub(super) fn description<'a>(header: &'a (dyn Any + Send + Sync), field: &str) -> Option<&'a str> {
    let header = header.downcast_ref::<VcfHeader>()?;
    let in_another_case = || header.info.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, of)| of);
    header.info.get(field).or_else(in_another_case).map(|definition| definition.description.as_str())
}

/// Whether the parts of a field's values are percent-encoded still: the source leaves a field whose description lists parts
/// as it is, for decoding comes once, after splitting (VCF 4.3, section 1.2).
pub(super) fn is_percent_encoded(header: &(dyn Any + Send + Sync), field: &str) -> bool {
    header.downcast_ref::<VcfHeader>().is_some_and(|header| {
        header.is_percent_encoded() && header.info.get(field).is_some_and(Definition::lists_parts)
    })
}
