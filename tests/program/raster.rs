//! `firstspike raster` with the real binary: on terminals, into pipes, as files.

use crate::common;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use common::binary::{command, files, firstspike, project, read, successful, text};
use common::waiting::wait_for;

/// Six samples; inputs at 1 and 2, hidden neurons from 3 on, one label.
fn trace() -> String {
    let mut rows = String::from("sample,population,neuron,time_us\n");
    for sample in 0..6 {
        for (population, neurons, first) in [("input", 2, 1), ("hidden", 20, 3), ("label", 1, 25)] {
            for neuron in 0..neurons {
                let time = first + neuron;
                rows.push_str(&format!("{sample},{population},{neuron},{time}.{sample}\n"));
            }
        }
    }
    rows
}

/// A folder with that trace, and what other simulators write.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in [
        ("trace.csv", trace().as_str()),
        ("nest.dat", "# sender time_ms\n3 0.5\n4 1.5\n3 2.5\n"),
        ("unnamed.csv", "when,who\n0.5,1\n1.5,2\n"),
        ("empty.csv", "neuron,time_ms\n"),
    ] {
        std::fs::write(folder.path().join(name), content).expect("writable");
    }
    folder
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn in_a_pipe_it_is_80_wide_without_colours() {
    let folder = folder();
    let shown = successful(folder.path(), &["raster", "trace.csv"]);
    assert_eq!(shown.stderr, "");
    assert!(!shown.stdout.contains('\x1b') && shown.stdout.ends_with('\n'));
    // The last line is for what marks stand for; here each is a spike.
    assert_eq!(shown.stdout.lines().count(), 23);
    assert!((70..=80).contains(&widest(&shown.stdout)));
    assert!(
        shown.stdout.starts_with("trace.csv: 92 of 138 spikes, 23 neurons"),
        "{}",
        shown.stdout
    );
    for text in ["samples 0–3 of 6", "sample 3", "time [µs]", "hidden", "■ label 4", "┬", "└"]
    {
        assert!(shown.stdout.contains(text), "{text}: {}", shown.stdout);
    }
    assert!(!shown.stdout.contains("sample 4"));
}

#[test]
fn widths_heights_and_marks_are_as_asked_for() {
    let folder = folder();
    for (width, height) in [(20, 12), (40, 15), (133, 50)] {
        let (wide, high) = (width.to_string(), height.to_string());
        for marks in [&[][..], &["--blocks"], &["--ascii"]] {
            let size = ["raster", "trace.csv", "--width", &wide, "--height", &high];
            let shown = successful(folder.path(), &[&size[..], marks].concat()).stdout;
            assert!(widest(&shown) <= width, "{shown}");
            assert!(width == 20 || shown.lines().count() <= height, "{shown}");
            let braille = shown.chars().any(|letter| ('\u{2800}'..='\u{28ff}').contains(&letter));
            assert_eq!(braille, marks.is_empty(), "{shown}");
            assert_eq!(shown.is_ascii(), marks == ["--ascii"], "{shown}");
        }
    }
}

#[test]
fn colours_are_those_of_populations_and_only_where_they_are_wanted() {
    let folder = folder();
    let shown = |arguments: &[&str], no_color: Option<&str>| {
        let mut run = command();
        run.current_dir(folder.path()).args(["raster", "trace.csv"]).args(arguments);
        run.env_remove("NO_COLOR");
        if let Some(value) = no_color {
            run.env("NO_COLOR", value);
        }
        String::from_utf8(run.output().expect("it runs").stdout).expect("UTF-8")
    };
    assert!(!shown(&[], None).contains('\x1b'), "a pipe is no terminal");
    let always = shown(&["--color", "always"], None);
    // The first hues of the palette: blue and orange, in the colours that every terminal has.
    for code in ["\x1b[0;38;5;25m", "\x1b[0;38;5;178m"] {
        assert!(always.contains(code), "{always:?}");
    }
    let cursor =
        |text: &str| ["\x1b[H", "\x1b[2J", "\x1b[?"].iter().any(|code| text.contains(code));
    assert!(!cursor(&always));
    // Asked for explicitly, colours are there in spite of NO_COLOR.
    assert_eq!(shown(&["--color", "always"], Some("1")), always);
    let without: String = {
        let mut kept = String::new();
        let mut codes = always.split('\x1b');
        kept.push_str(codes.next().unwrap_or(""));
        codes.for_each(|part| kept.push_str(part.split_once('m').map_or("", |(_, rest)| rest)));
        kept
    };
    assert_eq!(without, shown(&["--color", "never"], None), "only colours are different");
}

#[test]
fn selections_show_what_was_asked_for() {
    let folder = folder();
    let shown = |arguments: &[&str]| {
        successful(folder.path(), &[&["raster", "trace.csv"], arguments].concat()).stdout
    };
    assert!(shown(&["--samples", "5"]).contains("23 of 138 spikes, 23 neurons, sample 5 of 6"));
    assert!(shown(&["--samples", "0,2,4"]).contains("3 samples of 6"));
    assert!(shown(&["--samples", "0-5"]).contains("138 spikes, 23 neurons, samples 0–5\n"));
    let two = shown(&["--populations", "label,input", "--samples", "0"]);
    assert!(two.contains("3 of 138 spikes, 3 neurons") && !two.contains("hidden"), "{two}");
    assert!(two.find("input") < two.find("label"), "the first one asked for is lowest: {two}");
    let window = shown(&["--samples", "0", "--window", "3:5"]);
    assert!(window.contains(": 2 of 138 spikes"), "{window}");
    assert!(shown(&["--samples", "0", "--window", "25:"]).contains(": 1 of 138 spikes"));
    assert!(
        shown(&["--neurons", "0,5-6", "--samples", "1"]).contains(": 5 of 138 spikes, 5 neurons")
    );
    let nothing = shown(&["--window", "100:200"]);
    assert!(nothing.contains(": 0 of 138 spikes") && nothing.contains("hidden"), "{nothing}");
    for order in ["index", "population", "first-spike"] {
        assert!(shown(&["--sort", order]).contains("92 of 138"));
    }
    assert!(!shown(&["--sort", "index"]).contains("\nhidden"), "bands are mixed");
}

#[test]
fn traces_of_other_simulators_are_shown_and_columns_can_be_named() {
    let folder = folder();
    let nest = successful(folder.path(), &["raster", "nest.dat"]);
    assert!(
        nest.stdout.contains("3 spikes") && nest.stdout.contains("time [ms]"),
        "{}",
        nest.stdout
    );
    let refused = firstspike(folder.path(), &["raster", "unnamed.csv"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("--time-column"), "{}", refused.stderr);
    let columns = ["raster", "unnamed.csv", "--time-column", "when", "--neuron-column", "who"];
    assert!(successful(folder.path(), &columns).stdout.contains(": 2 spikes"));

    let mut run = command();
    run.args(["raster", "-", "--samples", "0"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = run.spawn().expect("the binary starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(trace().as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(String::from_utf8_lossy(&output.stdout).contains(": 23 of 138 spikes"));
}

#[test]
fn crowds_of_spikes_are_shaded_and_merged_marks_are_counted() {
    let folder = folder();
    let mut rows = String::from("neuron,time_ms\n");
    for step in 0..40_000 {
        rows.push_str(&format!("{},{}\n", step * 7 % 100, f64::from(step) * 0.01));
    }
    std::fs::write(folder.path().join("crowd.csv"), rows).expect("writable");
    let shown = successful(folder.path(), &["raster", "crowd.csv"]).stdout;
    assert!(shown.contains("merged, spikes per mark:") && shown.contains('▓'), "{shown}");
    let shown = successful(folder.path(), &["raster", "crowd.csv", "--ascii"]).stdout;
    assert!(shown.contains("merged, spikes per mark:  .") && shown.is_ascii(), "{shown}");
}

#[test]
fn pictures_and_pages_are_written_whole() {
    let folder = folder();
    let all = ["raster", "trace.csv", "--svg", "a/r.svg", "--png", "r.png", "--html", "r.html"];
    let written = successful(folder.path(), &all).stdout;
    assert_eq!(written, "a/r.svg\nr.png\nr.html\n");
    let svg = String::from_utf8(read(&folder.path().join("a/r.svg"))).expect("UTF-8");
    let document = roxmltree::Document::parse(&svg).expect("XML");
    assert!(!document.descendants().any(|node| node.has_tag_name("text")), "texts are outlines");
    let labels: Vec<&str> =
        document.descendants().filter_map(|node| node.attribute("aria-label")).collect();
    for label in ["time [µs]", "neuron", "input", "hidden", "label", "sample 0", "sample 3"] {
        assert!(labels.contains(&label), "{label}: {labels:?}");
    }
    assert!(read(&folder.path().join("r.png")).starts_with(b"\x89PNG\r\n\x1a\n"));
    let html = String::from_utf8(read(&folder.path().join("r.html"))).expect("UTF-8");
    let data = html.split("<script id=\"data\" type=\"application/json\">").nth(1);
    let data = data.and_then(|rest| rest.split_once("</script>")).expect("a block of data").0;
    let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(data["time_label"], "time [µs]");
    assert_eq!(data["populations"][1]["name"], "hidden");
    assert_eq!(data["populations"][1]["x"].as_array().map(Vec::len), Some(80));
    assert_eq!(data["populations"][0]["text"][2], "sample 2, neuron 0, 25.2 µs");

    let sized = ["raster", "trace.csv", "--png", "r.png", "--width", "500", "--height", "300"];
    successful(folder.path(), &sized);
    let png = read(&folder.path().join("r.png"));
    assert_eq!(png[16..24], [0, 0, 1, 244, 0, 0, 1, 44]);
}

#[test]
fn what_cannot_be_is_refused_and_touches_nothing() {
    let folder = folder();
    let before = files(folder.path());
    for (arguments, expected) in [
        (&["nowhere.csv"][..], "nowhere.csv"),
        (&["trace.csv", "--window", "3"], "write FROM:TO"),
        (&["trace.csv", "--window", "5:3"], "must end after it begins"),
        (&["trace.csv", "--populations", "x"], "there are input, hidden, label"),
        (&["trace.csv", "--samples", "9"], "its samples are 0 to 5"),
        (&["trace.csv", "--samples", "a"], "`a` is no index"),
        (&["trace.csv", "--neurons", "77"], "its neurons are 0 to 19"),
        (&["trace.csv", "--neurons", "3-1"], "must go up"),
        (&["nest.dat", "--samples", "0"], "it has no samples"),
        (&["nest.dat", "--populations", "x"], "no column of populations"),
        (&["trace.csv", "--sort", "x"], "first-spike"),
        (&["trace.csv", "--width", "5"], "from 20 to 2000"),
        (&["trace.csv", "--height", "5"], "from 10 to 1000"),
        (&["trace.csv", "--color", "x"], "always"),
        (&["trace.csv", "--blocks", "--ascii"], "cannot be used with"),
        (&["trace.csv", "--svg", "r.svg", "--width", "5"], "from 300 to 20000"),
        (&["empty.csv", "--svg", "r.svg"], "nothing to draw"),
        (&["empty.csv", "--html", "r.html"], "nothing to draw"),
        (&["trace.csv", "--interactive"], "needs a terminal"),
        (&["trace.csv", "--interactive", "--svg", "r.svg"], "cannot be used with"),
        (&["trace.csv", "--time-column", "x"], "there is no such column"),
        (&["trace.csv", "--png", "trace.csv/r.png"], "trace.csv"),
    ] {
        let refused = firstspike(folder.path(), &[&["raster"], arguments].concat());
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(expected), "{arguments:?}: {}", refused.stderr);
        assert_eq!(refused.stdout, "", "{arguments:?}");
        assert!(files(folder.path()) == before, "{arguments:?}");
    }
    let empty = successful(folder.path(), &["raster", "empty.csv"]);
    assert_eq!(empty.stdout, "empty.csv: no spikes\n");
}

/// A terminal of its own, in tmux.
struct Tmux {
    socket: String,
}

impl Tmux {
    /// Starts a shell command in a terminal of 90 by 28; none where there is no tmux.
    fn new(folder: &Path, name: &str, line: &str) -> Option<Self> {
        let tmux = Tmux { socket: format!("firstspike-{}-{name}", std::process::id()) };
        let start = ["-f", "/dev/null", "new-session", "-d", "-x", "90", "-y", "28", "-c"];
        let started = tmux.command().args(start).arg(folder).arg(line).status();
        started.ok().filter(std::process::ExitStatus::success).map(|_| tmux)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket]).env("TERM", "xterm-256color").env_remove("TMUX");
        command.stderr(Stdio::null());
        command
    }

    fn send(&self, keys: &[&str]) {
        for key in keys {
            assert!(self.command().args(["send-keys", key]).status().expect("tmux").success());
        }
    }

    /// What tmux makes of a format.
    fn display(&self, format: &str) -> String {
        let output = self.command().args(["display-message", "-p", format]).output();
        String::from_utf8_lossy(&output.expect("tmux").stdout).trim().to_owned()
    }

    /// Waits for the screen to show a text.
    fn wait_for(&self, text: &str) -> String {
        let screen = || {
            let output = self.command().args(["capture-pane", "-p"]).output().expect("tmux");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let found = || Some(screen()).filter(|screen| screen.contains(text));
        wait_for(found, || format!("no `{text}` in:\n{}", screen()))
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.command().arg("kill-server").status();
    }
}

/// The viewer of the trace, in a shell that says how it ended.
fn viewer(folder: &Path, name: &str) -> Option<Tmux> {
    let program = command().get_program().to_owned();
    let line =
        format!("{} raster trace.csv -i; echo ended with $?; exec cat", text(Path::new(&program)));
    let tmux = Tmux::new(folder, name, &line);
    if tmux.is_none() {
        eprintln!("NOT TESTED: the viewer in a real terminal, as there is no tmux here");
    }
    tmux
}

#[test]
fn the_viewer_works_in_a_real_terminal_and_leaves_it_as_it_was() {
    let folder = folder();
    let Some(tmux) = viewer(folder.path(), "walk") else { return };
    let screen = tmux.wait_for("? help");
    assert!(screen.contains("trace.csv: 92 of 138 spikes in view"), "{screen}");
    tmux.send(&["?"]);
    tmux.wait_for("any key goes back");
    tmux.send(&["x", "s", "4", "Enter"]);
    tmux.wait_for("sample 5");
    tmux.send(&["n", "h", "i", "d", "d", "e", "n", "Space", "7", "Enter"]);
    let screen = tmux.wait_for("┌ hidden 7");
    assert!(screen.contains("6 spikes") && screen.contains("10.4"), "{screen}");
    tmux.send(&["Up"]);
    tmux.wait_for("┌ hidden 8");
    tmux.send(&["+", "+", "Right", "[", "0"]);
    tmux.wait_for("138 of 138 spikes in view");
    tmux.send(&["q"]);
    let screen = tmux.wait_for("ended with 0");
    assert!(!screen.contains("time [µs]"), "the screen from before is back: {screen}");
    assert_eq!(tmux.display("#{alternate_on} #{mouse_any_flag} #{cursor_flag}"), "0 0 1");
}

#[test]
fn the_viewer_gives_the_terminal_back_when_it_is_interrupted() {
    let folder = folder();
    for name in ["interrupt", "terminate"] {
        let Some(tmux) = viewer(folder.path(), name) else { return };
        tmux.wait_for("? help");
        if name == "interrupt" {
            tmux.send(&["C-c"]);
        } else {
            let shell = tmux.display("#{pane_pid}");
            let children = format!("/proc/{shell}/task/{shell}/children");
            let Ok(viewer) = std::fs::read_to_string(&children) else {
                eprintln!("NOT TESTED: a viewer that is told to end, as there is no {children}");
                continue;
            };
            let kill = Command::new("kill").args(["-TERM", viewer.trim()]).status();
            assert!(kill.expect("kill").success());
        }
        tmux.wait_for("ended with 130");
        assert_eq!(tmux.display("#{alternate_on} #{mouse_any_flag} #{cursor_flag}"), "0 0 1");
    }
}

#[test]
fn gold_traces_of_another_simulator_are_shown_as_they_are() {
    let gold = project().join("../shared/gold/nest");
    let Ok(cases) = std::fs::read_dir(&gold) else {
        eprintln!("NOT TESTED: traces of NEST, as there is no {}", gold.display());
        return;
    };
    let mut count = 0;
    for case in cases {
        let trace = case.expect("a readable entry").path().join("output_spikes.csv");
        if trace.exists() {
            let shown = successful(project(), &["raster", text(&trace)]);
            assert!(shown.stdout.contains("time [ms]") || shown.stdout.contains("no spikes"));
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}
