//! What an erasure removed, and what the search after it found.

use vardelta_engine::run::ErasedReport;

use crate::report::{Table, grouped};

/// The section of the report.
pub fn erased(report: &ErasedReport) -> String {
    let mut table = Table::default();
    for place in &report.places {
        table.row().text(place.place.as_str());
        table.figure(format!("{} removed,", grouped(place.removed)));
        table.figure(format!("{} found by the search", grouped(place.found)));
    }
    let verdict = if report.proven { "erased, and the search finds nothing" } else { "not proven" };
    format!("\nerased\n{}  {}: {verdict}\n", table.render(), report.drops.join(", "))
}

#[cfg(test)]
mod tests {
    use vardelta_engine::{
        contract::erasure::Place,
        run::{ErasedPlace, ErasedReport},
    };

    use super::erased;

    #[test]
    fn every_place_is_told() {
        let places = vec![
            ErasedPlace { place: Place::State, removed: 1_200, found: 0 },
            ErasedPlace { place: Place::History, removed: 7, found: 1 },
        ];
        let report = ErasedReport { drops: vec!["erased-3".into()], proven: false, places, findings: Vec::new() };
        let expected = "
erased
  state    1,200 removed,  0 found by the search
  history      7 removed,  1 found by the search
  erased-3: not proven
";
        assert_eq!(erased(&report), expected);
    }
}
