//! What can be said of alerts without a run: room on disks, and how old the tables are.

use std::{collections::BTreeMap, time::Duration};

use vardelta_engine::plan::{AlertOptions, Plan};

use super::alert::{Alert, Detail, Verdict};
use crate::operate::{health, machine};

/// How long a loop that loads what arrives has not been able to, and why.
pub struct Waits {
    /// Zero where it can.
    pub elapsed: Duration,
    /// In words.
    pub why: String,
}

/// How it is with a loop that loads what arrives.
pub struct InLoop {
    /// How long it has not been able to.
    pub waits: Waits,
    /// Whether a run of it has ended well since it last said so, and no file is set aside that made one fail.
    pub is_well: bool,
}

/// Whether that is too long.
pub fn can_load(options: &AlertOptions, waits: &Waits) -> Verdict {
    let Waits { elapsed, why } = waits;
    if elapsed.is_zero() {
        return Verdict::Fine;
    }
    if *elapsed < options.waiting_for.0 {
        // It may pass; and where it was reported that nothing can be loaded, that is not over yet.
        return Verdict::Unknown;
    }
    let bare = format!("nothing could be loaded for {} s", elapsed.as_secs());
    Verdict::Firing(Detail { whole: format!("{bare}: {why}"), bare })
}

/// How things are now. `is_fresh`: an epoch was committed just now, so that the database need not be asked.
pub fn judge(plan: &Plan, options: &AlertOptions, is_fresh: bool) -> BTreeMap<Alert, Verdict> {
    BTreeMap::from([(Alert::LowDisk, disk(plan)), (Alert::StaleTables, stale(plan, options, is_fresh))])
}

fn disk(plan: &Plan) -> Verdict {
    let limit_gb = plan.operate.health.disk_free_gb;
    let mut is_known = true;
    for place in health::places(plan) {
        match machine::disk_free_bytes(&place).map(|bytes| bytes as f64 / 1e9) {
            Ok(found_gb) if found_gb < limit_gb => {
                let bare = format!("{found_gb:.1} GB free, {limit_gb} GB wanted");
                return Verdict::Firing(Detail { whole: format!("{bare}, where {} lies", place.display()), bare });
            }
            Ok(_) => {}
            Err(_) => is_known = false,
        }
    }
    if is_known { Verdict::Fine } else { Verdict::Unknown }
}

fn stale(plan: &Plan, options: &AlertOptions, is_fresh: bool) -> Verdict {
    let Some(hours) = options.stale_hours.or(plan.operate.health.fresh_hours).filter(|_| !is_fresh) else {
        return Verdict::Fine;
    };
    match health::freshness(plan, hours) {
        Some(Ok(_)) => Verdict::Fine,
        Some(Err(why)) => Verdict::Firing(Detail::plain(why)),
        None => Verdict::Unknown,
    }
}
