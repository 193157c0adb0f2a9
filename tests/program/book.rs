//! The book in `docs/`: its pages are there, its links lead somewhere, and its commands work.
//!
//! A block of commands (`sh`) stands behind a comment: `<!-- run -->`, or `<!-- run: ARGUMENTS -->` if the test
//! shortens its trainings by these, or `<!-- not run: REASON -->`. A file that readers are to write stands behind
//! `<!-- file: NAME -->`. The blocks of a page are run in its order, in a copy of what the repository has.

use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use common::binary::{command, project};

fn docs() -> PathBuf {
    project().join("docs")
}

fn text_of(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// A block of code with its language and the line before it.
struct Block {
    language: String,
    mark: String,
    text: String,
}

/// A page without its blocks of code, and the blocks.
fn parts(page: &str) -> (String, Vec<Block>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<Block> = None;
    let mut before = "";
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text += line;
                block.text.push('\n');
            }
            (None, Some(language)) => {
                let (language, mark) = (language.to_owned(), before.to_owned());
                open = Some(Block { language, mark, text: String::new() });
            }
            (None, None) => {
                prose += line;
                prose.push('\n');
            }
        }
        before = line;
    }
    assert!(open.is_none(), "a block without an end");
    (prose, blocks)
}

/// The targets of the links in a text: `[…](target)`.
fn links(prose: &str) -> Vec<String> {
    let ends = prose.match_indices("](").map(|(place, _)| place + 2);
    let target = |place: usize| prose[place..].split(')').next().expect("something").to_owned();
    ends.map(target).collect()
}

/// Names within a page that links can lead to.
fn anchors(page: &str) -> BTreeSet<String> {
    let (prose, _) = parts(page);
    let ids = prose
        .split("<a id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().expect("an id").to_owned());
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| -> String {
        let letters = heading.trim_start_matches('#').trim().to_lowercase();
        let kept =
            letters.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    ids.chain(headings.map(slug)).collect()
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// The pages of the book, in its order.
fn pages() -> Vec<PathBuf> {
    links(&text_of(&docs().join("SUMMARY.md"))).iter().map(|page| docs().join(page)).collect()
}

#[test]
fn every_page_is_in_the_book_once() {
    let pages = pages();
    let unique: BTreeSet<&PathBuf> = pages.iter().collect();
    assert_eq!(unique.len(), pages.len());
    for page in &pages {
        assert!(text_of(page).starts_with("# "), "{} has no heading", page.display());
    }
    for path in common::binary::files(&docs()).into_keys() {
        let is_page = path.extension().is_some_and(|ending| ending == "md");
        let known = unique.contains(&path) || path.ends_with("SUMMARY.md");
        assert!(!is_page || known, "{} is not in SUMMARY.md", path.display());
    }
}

#[test]
fn every_link_of_the_book_leads_somewhere() {
    let pages = pages();
    let mut anchors_of = BTreeMap::new();
    for page in &pages {
        for link in links(&parts(&text_of(page)).0) {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => plain(&page.parent().expect("a folder").join(file)),
            };
            let place = format!("{}: {link}", page.display());
            assert!(target.exists(), "{place}: there is no {}", target.display());
            assert!(target.starts_with(project()), "{place}");
            if target.extension().is_some_and(|ending| ending == "md") && target.starts_with(docs())
            {
                assert!(pages.contains(&target), "{place} is not in the book");
                let known =
                    anchors_of.entry(target.clone()).or_insert_with(|| anchors(&text_of(&target)));
                assert!(
                    anchor.is_empty() || known.contains(anchor),
                    "{place}: there is no such place"
                );
            }
        }
    }
}

/// Copies what the book uses of the repository into a folder.
fn copy_of_the_repository() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a temporary folder");
    for folder in ["scenarios", "chips", "docs/data"] {
        let to = place.path().join(folder);
        std::fs::create_dir_all(&to).expect("writable");
        for entry in std::fs::read_dir(project().join(folder)).expect("there") {
            let path = entry.expect("readable").path();
            if path.is_file() {
                std::fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("writable");
            }
        }
    }
    place
}

/// What the test does with a block.
enum Mark<'b> {
    Run(&'b str),
    File(&'b str),
    Nothing,
}

fn mark_of<'b>(page: &str, block: &'b Block) -> Mark<'b> {
    let mark = block.mark.strip_prefix("<!-- ").and_then(|mark| mark.strip_suffix(" -->"));
    match (mark.map(|mark| mark.split_once(": ").unwrap_or((mark, ""))), block.language.as_str()) {
        (Some(("run", more)), "sh") => Mark::Run(more),
        (Some(("not run", reason)), "sh") if !reason.is_empty() => Mark::Nothing,
        (Some(("file", name)), _) => Mark::File(name),
        (_, "sh") => panic!("{page}: say whether these commands are run:\n{}", block.text),
        _ => Mark::Nothing,
    }
}

/// Runs the commands of a page.
fn run(page: &str) {
    let place = copy_of_the_repository();
    let program = command().get_program().to_owned();
    let folder = Path::new(&program).parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").expect("there is one");
    let path = format!("{}:{path}", folder.display());
    let mut commands = 0;
    for block in parts(&text_of(&docs().join(page))).1 {
        let more = match mark_of(page, &block) {
            Mark::Nothing => continue,
            Mark::File(name) => {
                std::fs::write(place.path().join(name), &block.text).expect("writable");
                continue;
            }
            Mark::Run(more) => more,
        };
        for line in block.text.lines() {
            let shortened = line.starts_with("firstspike run ") && !more.is_empty();
            let line = if shortened { format!("{line} {more}") } else { line.to_owned() };
            let ended = Command::new("sh")
                .args(["-c", &line])
                .env("PATH", &path)
                .current_dir(place.path())
                .output()
                .expect("sh starts");
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(ended.status.success(), "{page}: {line}\n{said}");
            commands += 1;
        }
    }
    assert!(commands > 0, "{page} has no commands");
}

/// The pages with commands that are run, each by a test of its own.
const RUN: [&str; 9] = [
    "install.md",
    "your_data.md",
    "your_network.md",
    "your_chip.md",
    "your_study.md",
    "paper.md",
    "nir.md",
    "formats.md",
    "networks_from_files.md",
];

#[test]
fn every_page_with_commands_has_its_test() {
    for page in pages() {
        let name = page.strip_prefix(docs()).expect("in it").to_str().expect("UTF-8").to_owned();
        let blocks = parts(&text_of(&page)).1;
        let is_run = blocks.iter().any(|block| matches!(mark_of(&name, block), Mark::Run(_)));
        assert_eq!(is_run, RUN.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn the_commands_of_the_installation_work() {
    run(RUN[0]);
}

#[test]
fn the_commands_of_networks_from_files_work() {
    run(RUN[8]);
}

#[test]
fn the_commands_of_your_data_work() {
    run(RUN[1]);
}

#[test]
fn the_commands_of_your_network_work() {
    run(RUN[2]);
}

#[test]
fn the_commands_of_your_chip_work() {
    run(RUN[3]);
}

#[test]
fn the_commands_of_your_study_work() {
    run(RUN[4]);
}

#[test]
fn the_commands_of_the_paper_work() {
    run(RUN[5]);
}

#[test]
fn the_commands_of_networks_of_other_programs_work() {
    run(RUN[6]);
}

#[test]
fn the_commands_of_the_formats_work() {
    run(RUN[7]);
}
