//! Studies under `mpirun`: the results of threads, through the death of a worker and of the whole job.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::binary::{command, read, successful};
use crate::common::waiting::wait_for;
use crate::study::{STUDY, folder};

/// `mpirun` with so many processes, in a folder.
fn mpirun(place: &Path, processes: &str) -> Command {
    let mut mpirun = Command::new("mpirun");
    mpirun.args(["--oversubscribe", "-n", processes]).current_dir(place);
    // Containers have no other user.
    mpirun.envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")]);
    mpirun
}

/// Runs `firstspike` in so many processes: exit code and error output.
fn processes(place: &Path, count: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let program = command();
    let output = mpirun(place, count).arg(program.get_program()).args(arguments).output();
    let output = output.expect("mpirun starts: it comes with MPI");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn trainings(stderr: &str) -> usize {
    stderr.lines().filter(|line| line.starts_with('[')).count()
}

#[test]
fn processes_do_what_threads_do() {
    let place = folder(STUDY);
    let place = place.path();
    successful(place, &["run", "study.toml", "--out", "threads"]);
    let expected = read(&place.join("threads/results.csv"));
    for count in ["2", "3"] {
        let (code, stderr) = processes(place, count, &["run", "study.toml", "--out", count]);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(read(&place.join(count).join("results.csv")) == expected, "{count} processes");
        assert_eq!(trainings(&stderr), 12, "{stderr}");
    }
    // What is there is not done again, and what is refused ends all of them.
    let (code, stderr) = processes(place, "2", &["run", "study.toml", "--out", "2"]);
    assert_eq!((code, trainings(&stderr)), (Some(0), 0), "{stderr}");
    let other = ["run", "study.toml", "--out", "2", "--set", "training.epochs=4"];
    let (code, stderr) = processes(place, "2", &other);
    assert_ne!(code, Some(0));
    assert!(stderr.contains("epochs = 3"), "{stderr}");
}

/// A study in three processes, whose first waits until what it says is read. The pipe to us holds a page,
/// which is about forty trainings: the study cannot be through before we are.
struct Job {
    mpirun: Child,
    said: File,
}

const ARGUMENTS: [&str; 6] = ["run", "study.toml", "--set", "training.epochs=1", "--out", "killed"];

/// Notes the number of each process, which `exec` keeps.
const NOTE: &str = r#"
rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}
echo $$ > "number_$rank"
[ "$rank" != 0 ] || exec 2> said
exec "$@"
"#;

impl Job {
    fn start(place: &Path) -> Self {
        let said = place.join("said");
        if !said.exists() {
            nix::unistd::mkfifo(&said, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        }
        let said = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(said);
        let said = said.expect("a pipe");
        fcntl(&said, FcntlArg::F_SETPIPE_SZ(4096)).expect("a size");
        for rank in 0..3 {
            let _ = std::fs::remove_file(place.join(format!("number_{rank}")));
        }
        let program = command();
        let mut mpirun = mpirun(place, "3");
        mpirun.args(["sh", "-c", NOTE, "sh"]).arg(program.get_program()).args(ARGUMENTS);
        mpirun.stdout(Stdio::null()).stderr(Stdio::null());
        Job { mpirun: mpirun.spawn().expect("mpirun starts: it comes with MPI"), said }
    }

    /// Waits until so many trainings are said to be done.
    fn wait_for(&mut self, trainings: usize) {
        let mut text = String::new();
        let mut done = 0;
        wait_for(
            || {
                let mut byte = [0];
                // An error says that there is nothing to be read yet.
                while done < trainings && self.said.read(&mut byte).is_ok_and(|count| count == 1) {
                    text.push(char::from(byte[0]));
                    let last = text.lines().last().unwrap_or_default();
                    done += usize::from(byte == [b'\n'] && last.starts_with('['));
                }
                let status = self.mpirun.try_wait().expect("a child");
                assert!(status.is_none(), "mpirun ended: {text}");
                (done == trainings).then_some(())
            },
            || format!("{trainings} trainings are not done"),
        );
    }
}

fn kill_process(number: i32) {
    kill(Pid::from_raw(number), Signal::SIGKILL).expect("it still runs");
}

#[test]
fn a_killed_worker_or_job_goes_on_to_the_bytes_of_threads() {
    let place = folder(&STUDY.replace("seeds = [3, 1]", "seeds = 24"));
    let place = place.path();
    let number = |rank: usize| -> i32 {
        let text = read(&place.join(format!("number_{rank}")));
        String::from_utf8_lossy(&text).trim().parse().expect("a number")
    };
    let results = place.join("killed/results.csv");
    let rows = || read(&results).iter().filter(|&&byte| byte == b'\n').count() - 1;

    let mut job = Job::start(place);
    job.wait_for(3);
    kill_process(number(2));
    // Open MPI ends the others.
    let status = job.mpirun.wait().expect("a child");
    assert!(!status.success());
    let after_worker = rows();
    assert!((3..100).contains(&after_worker), "{after_worker}");
    // What it said last would be taken for what the next one says.
    drop(job);

    let mut job = Job::start(place);
    job.wait_for(3);
    kill_process(job.mpirun.id().cast_signed());
    (0..3).for_each(|rank| kill_process(number(rank)));
    job.mpirun.wait().expect("a child");
    let after_job = rows();
    assert!((after_worker + 3..143).contains(&after_job), "{after_job} after {after_worker}");

    let (code, stderr) = processes(place, "3", &ARGUMENTS);
    assert_eq!((code, trainings(&stderr)), (Some(0), 144 - after_job), "{stderr}");
    let threads = [&ARGUMENTS[..5], &["threads"]].concat();
    successful(place, &threads);
    assert!(read(&results) == read(&place.join("threads/results.csv")));
}
