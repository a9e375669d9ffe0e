//! A bench that is interrupted leaves nothing.

use std::{process::Stdio, time::Duration};

use vardelta_tests::process::{signal, until, wait_at_most};

use super::{Bench, names};

#[test]
fn control_c_ends_it_and_its_scratch_places() {
    let bench = Bench::new();
    let before = bench.everything();
    let mut command = bench.command("bench", &["--records", "3000", "--repeat", "50"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let root = bench.temporary.path();
    until("a measurement has begun", || {
        let of_bench = names(root).into_iter().next();
        of_bench.is_some_and(|name| names(&root.join(name)).iter().any(|name| name.starts_with(".tmp")))
    });
    signal(&child, "INT");
    let status = wait_at_most(&mut child, Duration::from_secs(60)).expect("an interrupted bench ends");
    assert_eq!(status.code(), Some(130));
    bench.leaves_nothing();
    assert_eq!(bench.everything(), before);
}
