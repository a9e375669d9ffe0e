//! Many files that come in every way at once: renamed, in pieces, overwritten while they may be read, and removed.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    time::Duration,
};

use vardelta_tests::{process::until, random::from_environment, watching::Watching};

use super::{drop_text, project, rows_and_epochs};

/// Files; `VARDELTA_WATCH_FILES` says another number.
const FILES: u64 = 250;
/// Records of each.
const RECORDS: u32 = 8;

#[test]
fn many_files_in_every_way_are_loaded_whole_and_once() {
    let files = u32::try_from(from_environment("VARDELTA_WATCH_FILES", FILES)).expect("a number of files");
    let project = project();
    fs::create_dir(project.path("incoming")).expect("a folder can be made");
    let mut watching = Watching::start(&project, &["--settle", "300ms", "--every", "100ms"], &[]);
    let first = |number: u32| number * 100 + 1;
    let text = |number: u32, more: u32| drop_text(first(number) + more..first(number) + more + RECORDS).into_bytes();
    let mut open: Vec<(File, Vec<u8>)> = Vec::new();
    for number in 0..files {
        let path = project.path(&format!("drops/d{number}.vcf"));
        match number % 6 {
            0 | 1 => {
                let incoming = project.write("incoming/drop", &text(number, 0));
                fs::rename(incoming, &path).expect("a file can be renamed");
            }
            2 | 3 => {
                // In two pieces, of which the second comes much later.
                let text = text(number, 0);
                let mut file = File::create(&path).expect("a file can be made");
                file.write_all(&text[..text.len() - 4]).expect("a piece can be written");
                open.push((file, text[text.len() - 4..].to_vec()));
            }
            4 => {
                fs::write(&path, text(number, 0)).expect("a file can be written");
                // Another one that came a while ago is corrected, whatever is done with it just now.
                if number >= 60 {
                    let earlier = number - 60;
                    fs::write(project.path(&format!("drops/d{earlier}.vcf")), text(earlier, 50)).expect("a file");
                }
            }
            _ => {
                fs::write(&path, text(number, 0)).expect("a file can be written");
                if number >= 30 {
                    // Loaded by now or not; and it is gone.
                    let _ = fs::remove_file(project.path(&format!("drops/d{}.vcf", number - 30)));
                }
            }
        }
        if open.len() > 20 {
            let (mut file, rest) = open.remove(0);
            file.write_all(&rest).expect("the rest can be written");
        }
        std::thread::sleep(Duration::from_millis(4));
    }
    for (mut file, rest) in open {
        file.write_all(&rest).expect("the rest can be written");
    }
    let rows_of = || -> BTreeMap<u32, Vec<u32>> {
        let connection = rusqlite::Connection::open(project.path("watched.sqlite")).expect("a database");
        let query = "SELECT (pos - 1) / 100, (pos - 1) % 100 FROM variants ORDER BY pos";
        let mut found: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut statement = connection.prepare(query).expect("there is a table");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        for (number, at) in rows.map(|row| row.expect("a row")) {
            found.entry(number).or_default().push(at);
        }
        found
    };
    let whole = |more: u32| (more..more + RECORDS).collect::<Vec<u32>>();
    let is_gone = |number: u32| number % 6 == 5 && number + 30 < files;
    let is_corrected = |number: u32| number % 6 == 4 && number + 60 < files;
    let wanted = |number: u32| if is_corrected(number) { whole(50) } else { whole(0) };
    until("something is loaded", || rows_and_epochs(&project).0 > 0);
    until("every file that lies there is loaded", || {
        let found = rows_of();
        (0..files).filter(|number| !is_gone(*number)).all(|number| found.get(&number) == Some(&wanted(number)))
    });
    // Of those that were removed there is all or nothing, and nothing is taken back with what stays.
    let before = rows_of();
    for number in (0..files).filter(|number| is_gone(*number)) {
        let found = before.get(&number);
        assert!(found.is_none_or(|found| *found == whole(0)), "d{number} is loaded in part: {found:?}");
    }
    fs::remove_dir_all(project.path("drops")).expect("all of it can be removed");
    until("it is seen that nothing is there", || watching.stderr().contains("what is loaded stays"));
    assert!(watching.end("TERM").success(), "{}", watching.stderr());
    assert_eq!(rows_of(), before);
    let connection = rusqlite::Connection::open(project.path("watched.sqlite")).expect("a database");
    let other = "SELECT COUNT(*) FROM vardelta_events WHERE action NOT IN ('added', 'replaced')";
    assert_eq!(connection.query_row(other, [], |row| row.get::<_, u32>(0)), Ok(0));
    let twice = "SELECT COUNT(*) FROM vardelta_events WHERE action = 'added' GROUP BY name HAVING COUNT(*) > 1";
    assert!(connection.query_row(twice, [], |row| row.get::<_, u32>(0)).is_err(), "no drop is added twice");
    eprintln!("{files} files in {} epochs", rows_and_epochs(&project).1);
    project.vardelta("verify", &[]).expect(0);
}
